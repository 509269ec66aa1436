#include "localcloud/glue_private.h"

#include <string.h>

/* Databases. */

static const char *name_of(const json_t *item)
{
    return json_string_value(json_object_get(item, "Name"));
}

void glue_create_database(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *input = glue_object(request, "DatabaseInput");
    if (!input)
        return;
    enum catalogue_status status = catalogue_database_create(glue->catalogue, input, request->now_us, &err);
    if (status == CATALOGUE_OK && request_json_object(request, "Tags"))
        glue_set_tags(glue, "database", name_of(input), request_json_object(request, "Tags"));
    glue_done(request, status, &err);
}

void glue_get_database(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *database;
    const char *name = glue_text(request, "Name");
    if (!name)
        return;
    enum catalogue_status status = catalogue_database_get(glue->catalogue, name, &database, &err);
    if (status == CATALOGUE_OK)
        request_reply_json(request, json_pack("{s:o}", "Database", database));
    else
        glue_fail(request, status, &err);
}

static bool add(void *context, json_t *item)
{
    return glue_page_add(context, item);
}

void glue_get_databases(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    struct glue_page page;
    if (!glue_page_begin(request, &page, 100))
        return;
    enum catalogue_status status = catalogue_database_list(glue->catalogue, page.after, add, &page, &err);
    if (status != CATALOGUE_OK) {
        json_decref(page.items);
        glue_fail(request, status, &err);
        return;
    }
    size_t count = json_array_size(page.items);
    const char *last = count ? name_of(json_array_get(page.items, count - 1)) : NULL;
    glue_page_reply(request, &page, "DatabaseList", last);
}

void glue_update_database(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *name = glue_text(request, "Name");
    json_t *input = name ? glue_object(request, "DatabaseInput") : NULL;
    if (input)
        glue_done(request, catalogue_database_update(glue->catalogue, name, input, &err), &err);
}

void glue_delete_database(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *name = glue_text(request, "Name");
    if (!name)
        return;
    enum catalogue_status status = catalogue_database_delete(glue->catalogue, name, &err);
    if (status == CATALOGUE_OK)
        glue_set_tags(glue, "database", name, NULL);
    glue_done(request, status, &err);
}
