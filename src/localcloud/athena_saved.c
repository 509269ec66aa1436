/* Named queries, and prepared statements. Both are kept as their Get operations answer them. */
#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- named queries ---------------------------------------------------------------------------------- */

static void named_not_found(struct request *request, const char *id)
{
    athena_invalid(request, "NAMED_QUERY_NOT_FOUND", "NamedQuery %s was not found", id);
}

/* By NamedQueryId; NULL after the answer was made. */
static json_t *get_named(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    json_t *query = NULL;
    const char *id = athena_text(request, "NamedQueryId", 1, 128);
    int found = id ? documents_get(athena->documents, ATHENA_NAMED, id, "", &query, &err) : 1;
    if (found < 0)
        request_fail_internal(request, &err);
    else if (found == 0)
        named_not_found(request, id);
    return query;
}

/* The lock is held. The id of the same request before; false: there was none, or the answer was made. */
static bool named_before(struct request *request, const char *token, const json_t *asked, char id[37])
{
    struct athena *athena = request->state;
    json_t *before = NULL;
    if (!token || documents_get(athena->documents, ATHENA_TOKEN, token, "", &before, NULL) != 1)
        return false;
    bool same = json_equal(json_object_get(before, "request"), asked);
    text_copy(id, 37, json_string_value(json_object_get(before, "id")));
    json_decref(before);
    if (!same)
        athena_invalid(request, "IDEMPOTENT_PARAMETER_MISMATCH", "Idempotent parameters do not match");
    return true;
}

void athena_create_named(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    const char *name = athena_text(request, "Name", 1, 128);
    const char *database = name ? athena_text(request, "Database", 1, 255) : NULL;
    const char *text = database ? athena_text(request, "QueryString", 1, ATHENA_QUERY_MAX) : NULL;
    const char *workgroup = text ? athena_workgroup_name(request) : NULL;
    const char *token = request_json_text(request, "ClientRequestToken");
    const char *description = request_json_text(request, "Description");
    json_t *group = workgroup ? athena_workgroup_get(request, workgroup) : NULL;
    json_decref(group);
    if (!group)
        return;
    char id[37];
    athena_execution_id(id);
    pthread_mutex_lock(&athena->lock);
    if (!named_before(request, token, request->json, id)) {
        json_t *query =
            json_pack("{s:s,s:s,s:s,s:s,s:s,s:s*}", "Name", name, "Database", database, "QueryString", text,
                      "NamedQueryId", id, "WorkGroup", workgroup, "Description", description);
        json_t *before = json_pack("{s:s,s:O}", "id", id, "request", request->json);
        if (documents_put(athena->documents, ATHENA_NAMED, id, "", query, &err) != 0 ||
            (token && documents_put(athena->documents, ATHENA_TOKEN, token, "", before, &err) != 0))
            request_fail_internal(request, &err);
        json_decref(query);
        json_decref(before);
    }
    pthread_mutex_unlock(&athena->lock);
    if (!request->reply.failed)
        request_reply_json(request, json_pack("{s:s}", "NamedQueryId", id));
}

void athena_get_named(struct request *request)
{
    json_t *query = get_named(request);
    if (query)
        request_reply_json(request, json_pack("{s:o}", "NamedQuery", query));
}

void athena_batch_get_named(struct request *request)
{
    struct athena *athena = request->state;
    const json_t *ids = request_json_array(request, "NamedQueryIds");
    json_t *found = json_array(), *missing = json_array(), *item;
    size_t index;
    json_array_foreach(ids, index, item)
    {
        const char *id = json_string_value(item) ? json_string_value(item) : "";
        json_t *query = NULL;
        if (index < 50 && documents_get(athena->documents, ATHENA_NAMED, id, "", &query, NULL) == 1)
            json_array_append_new(found, query);
        else
            json_array_append_new(missing, json_pack("{s:s,s:s,s:o}", "NamedQueryId", id, "ErrorCode",
                                                     "NAMED_QUERY_NOT_FOUND", "ErrorMessage",
                                                     json_sprintf("NamedQuery %s was not found", id)));
    }
    request_reply_json(request,
                       json_pack("{s:o,s:o}", "NamedQueries", found, "UnprocessedNamedQueryIds", missing));
}

struct listing {
    struct athena_page page;
    const char *workgroup;
};

static bool list_named(void *context, const char *name, const char *second, json_t *document)
{
    struct listing *listing = context;
    const char *workgroup = json_string_value(json_object_get(document, "WorkGroup"));
    return !workgroup || strcmp(workgroup, listing->workgroup) != 0 ||
           athena_page_add(&listing->page, json_string(name));
}

void athena_list_named(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    struct listing listing = {.workgroup = athena_workgroup_name(request)};
    json_t *group = listing.workgroup ? athena_workgroup_get(request, listing.workgroup) : NULL;
    json_decref(group);
    if (!group || !athena_page_begin(request, &listing.page, 50, 50))
        return;
    if (documents_list(athena->documents, ATHENA_NAMED, NULL, list_named, &listing, &err) == 0) {
        athena_page_reply(request, &listing.page, "NamedQueryIds");
    } else {
        json_decref(listing.page.items);
        request_fail_internal(request, &err);
    }
}

void athena_update_named(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    const char *name = athena_text(request, "Name", 1, 128);
    const char *text = name ? athena_text(request, "QueryString", 1, ATHENA_QUERY_MAX) : NULL;
    const char *description = request_json_text(request, "Description");
    if (!text)
        return;
    pthread_mutex_lock(&athena->lock);
    json_t *query = get_named(request);
    if (query) {
        json_object_set_new(query, "Name", json_string(name));
        json_object_set_new(query, "QueryString", json_string(text));
        if (description)
            json_object_set_new(query, "Description", json_string(description));
        if (documents_put(athena->documents, ATHENA_NAMED,
                          json_string_value(json_object_get(query, "NamedQueryId")), "", query, &err) != 0)
            request_fail_internal(request, &err);
        else
            request_reply_json(request, json_object());
    }
    pthread_mutex_unlock(&athena->lock);
    json_decref(query);
}

void athena_delete_named(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    json_t *query = get_named(request);
    if (!query)
        return;
    if (documents_remove(athena->documents, ATHENA_NAMED, request_json_text(request, "NamedQueryId"), NULL,
                         NULL, &err) != 0)
        request_fail_internal(request, &err);
    else
        request_reply_json(request, json_object());
    json_decref(query);
}

/* ---- prepared statements ---------------------------------------------------------------------------- */

static bool prepared_name_ok(const char *name)
{
    size_t length = strlen(name);
    bool good = length >= 1 && length <= 256 && (isalpha((unsigned char)*name) || *name == '_');
    for (size_t i = 1; good && i < length; i++)
        good = isalnum((unsigned char)name[i]) || strchr("_@:", name[i]);
    return good;
}

/* StatementName and an existing WorkGroup; false after the answer was made. */
static bool prepared_key(struct request *request, const char **name, const char **workgroup)
{
    *name = athena_text(request, "StatementName", 1, 256);
    *workgroup = *name ? athena_text(request, "WorkGroup", 1, 128) : NULL;
    if (*workgroup && !prepared_name_ok(*name)) {
        athena_invalid(request, "INVALID_INPUT",
                       "1 validation error detected: Value at 'statementName' failed to satisfy constraint: "
                       "Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_@:]{1,256}");
        return false;
    }
    json_t *group = *workgroup ? athena_workgroup_get(request, *workgroup) : NULL;
    json_decref(group);
    return group != NULL;
}

static void prepared_not_found(struct request *request, const char *name, const char *workgroup)
{
    request_fail(request, 400, "ResourceNotFoundException",
                 "PreparedStatement %s was not found in workGroup %s", name, workgroup);
    request_fail_member(request, "ResourceName", json_string(name));
}

static int put_prepared(struct athena *athena, const char *workgroup, const char *name, const char *text,
                        const char *description, struct err *err)
{
    json_t *statement = json_pack("{s:s,s:s,s:s,s:s*,s:o}", "StatementName", name, "WorkGroupName", workgroup,
                                  "QueryStatement", text, "Description", description, "LastModifiedTime",
                                  athena_history_time(clock_wall_us()));
    int result = documents_put(athena->documents, ATHENA_PREPARED, workgroup, name, statement, err);
    json_decref(statement);
    return result;
}

/* What is prepared must be a statement. */
static bool prepared_text_ok(struct request *request, const char *text)
{
    struct athena_statement statement;
    struct athena_failure failure;
    int wrong = athena_statement_parse(&statement, text, &failure);
    athena_statement_free(&statement);
    if (wrong)
        athena_invalid(request, "MALFORMED_QUERY", "%s", failure.text);
    return !wrong;
}

/* Both ways: create is refused when it is there, update when it is not. */
static void save_prepared(struct request *request, bool create)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    const char *name, *workgroup, *text;
    if (!prepared_key(request, &name, &workgroup) ||
        !(text = athena_text(request, "QueryStatement", 1, ATHENA_QUERY_MAX)) ||
        !prepared_text_ok(request, text))
        return;
    pthread_mutex_lock(&athena->lock);
    int found = documents_get(athena->documents, ATHENA_PREPARED, workgroup, name, NULL, &err);
    if (found == 1 && create)
        athena_invalid(request, "INVALID_INPUT", "PreparedStatement %s already exists in WorkGroup %s", name,
                       workgroup);
    else if (found == 0 && !create)
        prepared_not_found(request, name, workgroup);
    else if (found < 0 || put_prepared(athena, workgroup, name, text,
                                       request_json_text(request, "Description"), &err) != 0)
        request_fail_internal(request, &err);
    else
        request_reply_json(request, json_object());
    pthread_mutex_unlock(&athena->lock);
}

void athena_create_prepared(struct request *request)
{
    save_prepared(request, true);
}

void athena_update_prepared(struct request *request)
{
    save_prepared(request, false);
}

void athena_get_prepared(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    const char *name, *workgroup;
    json_t *statement = NULL;
    if (!prepared_key(request, &name, &workgroup))
        return;
    int found = documents_get(athena->documents, ATHENA_PREPARED, workgroup, name, &statement, &err);
    if (found < 0)
        request_fail_internal(request, &err);
    else if (found == 0)
        prepared_not_found(request, name, workgroup);
    else
        request_reply_json(request, json_pack("{s:o}", "PreparedStatement", statement));
}

void athena_batch_get_prepared(struct request *request)
{
    struct athena *athena = request->state;
    const char *workgroup = athena_text(request, "WorkGroup", 1, 128);
    json_t *group = workgroup ? athena_workgroup_get(request, workgroup) : NULL;
    json_decref(group);
    if (!group)
        return;
    json_t *found = json_array(), *missing = json_array(), *item;
    size_t index;
    json_array_foreach(request_json_array(request, "PreparedStatementNames"), index, item)
    {
        const char *name = json_string_value(item) ? json_string_value(item) : "";
        json_t *statement = NULL;
        if (index < 50 &&
            documents_get(athena->documents, ATHENA_PREPARED, workgroup, name, &statement, NULL) == 1)
            json_array_append_new(found, statement);
        else
            json_array_append_new(missing,
                                  json_pack("{s:s,s:s,s:o}", "StatementName", name, "ErrorCode",
                                            "STATEMENT_NOT_FOUND", "ErrorMessage",
                                            json_sprintf("PreparedStatement %s was not found in workGroup %s",
                                                         name, workgroup)));
    }
    request_reply_json(request, json_pack("{s:o,s:o}", "PreparedStatements", found,
                                          "UnprocessedPreparedStatementNames", missing));
}

static bool list_prepared(void *context, const char *name, const char *second, json_t *document)
{
    return athena_page_add(context, json_pack("{s:s,s:O}", "StatementName", second, "LastModifiedTime",
                                              json_object_get(document, "LastModifiedTime")));
}

void athena_list_prepared(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    struct athena_page page;
    const char *workgroup = athena_text(request, "WorkGroup", 1, 128);
    json_t *group = workgroup ? athena_workgroup_get(request, workgroup) : NULL;
    json_decref(group);
    if (!group || !athena_page_begin(request, &page, 50, 50))
        return;
    if (documents_list(athena->documents, ATHENA_PREPARED, workgroup, list_prepared, &page, &err) == 0) {
        athena_page_reply(request, &page, "PreparedStatements");
    } else {
        json_decref(page.items);
        request_fail_internal(request, &err);
    }
}

void athena_delete_prepared(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    const char *name, *workgroup;
    int64_t removed = 0;
    if (!prepared_key(request, &name, &workgroup))
        return;
    if (documents_remove(athena->documents, ATHENA_PREPARED, workgroup, name, &removed, &err) != 0)
        request_fail_internal(request, &err);
    else if (removed == 0)
        prepared_not_found(request, name, workgroup);
    else
        request_reply_json(request, json_object());
}

int athena_prepared_put(struct athena *athena, const char *workgroup, const char *name, const char *text,
                        struct athena_failure *failure)
{
    struct err err = ERR_INIT;
    if (put_prepared(athena, workgroup, name, text, NULL, &err) == 0)
        return 0;
    return athena_fail(failure, "GENERIC_INTERNAL_ERROR", "%s", err.text);
}

int athena_prepared_drop(struct athena *athena, const char *workgroup, const char *name,
                         struct athena_failure *failure)
{
    struct err err = ERR_INIT;
    int64_t removed = 0;
    if (documents_remove(athena->documents, ATHENA_PREPARED, workgroup, name, &removed, &err) != 0)
        return athena_fail(failure, "GENERIC_INTERNAL_ERROR", "%s", err.text);
    return removed ? 0 : athena_fail(failure, "NOT_FOUND", "Prepared statement not found: %.200s", name);
}

char *athena_prepared_text(struct athena *athena, const char *workgroup, const char *name)
{
    json_t *statement = NULL;
    if (documents_get(athena->documents, ATHENA_PREPARED, workgroup, name, &statement, NULL) != 1)
        return NULL;
    char *text = mem_text(json_string_value(json_object_get(statement, "QueryStatement")));
    json_decref(statement);
    return text;
}
