#include "localcloud/glue_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Jobs: their definitions. Runs are in glue_job_run.c. */

static const struct shape EXECUTION[] = {{"MaxConcurrentRuns", SHAPE_INT}, {NULL}};
static const struct shape COMMAND[] = {
    {"Name", SHAPE_TEXT},
    {"ScriptLocation", SHAPE_TEXT},
    {"PythonVersion", SHAPE_TEXT},
    {"Runtime", SHAPE_TEXT},
    {NULL},
};
static const struct shape CONNECTIONS[] = {{"Connections", SHAPE_TEXT_LIST}, {NULL}};
static const struct shape NOTIFICATION[] = {{"NotifyDelayAfter", SHAPE_INT}, {NULL}};
#define JOB_MEMBERS                                                                                          \
    {"JobMode", SHAPE_TEXT}, {"JobRunQueuingEnabled", SHAPE_BOOL}, {"Description", SHAPE_TEXT},              \
        {"LogUri", SHAPE_TEXT}, {"ExecutionProperty", SHAPE_OBJECT, EXECUTION},                              \
        {"DefaultArguments", SHAPE_TEXT_MAP}, {"NonOverridableArguments", SHAPE_TEXT_MAP},                   \
        {"Connections", SHAPE_OBJECT, CONNECTIONS}, {"MaxRetries", SHAPE_INT},                               \
        {"AllocatedCapacity", SHAPE_INT}, {"Timeout", SHAPE_INT}, {"MaxCapacity", SHAPE_NUMBER},             \
        {"SecurityConfiguration", SHAPE_TEXT}, {"NotificationProperty", SHAPE_OBJECT, NOTIFICATION},         \
        {"GlueVersion", SHAPE_TEXT}, {"NumberOfWorkers", SHAPE_INT}, {"WorkerType", SHAPE_TEXT},             \
        {"ExecutionClass", SHAPE_TEXT},                                                                      \
    {                                                                                                        \
        "MaintenanceWindow", SHAPE_TEXT                                                                      \
    }
static const struct shape CREATE[] = {
    {"Name", SHAPE_TEXT, .required = true},
    {"Role", SHAPE_TEXT, .required = true},
    {"Command", SHAPE_OBJECT, COMMAND, .required = true},
    JOB_MEMBERS,
    {NULL},
};
static const struct shape UPDATE[] = {
    {"Role", SHAPE_TEXT},
    {"Command", SHAPE_OBJECT, COMMAND},
    JOB_MEMBERS,
    {NULL},
};

static void no_job(struct request *request, const char *name)
{
    request_fail(request, 400, "EntityNotFoundException", "Job %.255s not found.", name);
}

static void complete(json_t *job, int64_t now_us)
{
    json_t *defaults = json_pack("{s:{s:i}, s:i, s:i, s:s, s:s}", "ExecutionProperty", "MaxConcurrentRuns", 1,
                                 "MaxRetries", 0, "Timeout", 2880, "GlueVersion", "4.0", "JobMode", "SCRIPT");
    json_object_update_missing(job, defaults);
    json_decref(defaults);
    json_object_set_new(job, "LastModifiedOn", glue_time(now_us));
}

void glue_create_job(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *job = shape_copy(CREATE, request->json, "", &err);
    if (!job) {
        glue_fail_input(request, &err);
        return;
    }
    const char *name = json_string_value(json_object_get(job, "Name"));
    json_object_set_new(job, "CreatedOn", glue_time(request->now_us));
    complete(job, request->now_us);
    pthread_mutex_lock(&glue->lock);
    int found =
        strlen(name) <= CATALOGUE_NAME_MAX ? documents_get(glue->store, GLUE_JOB, name, "", NULL, &err) : 2;
    if (found == 0)
        found = documents_put(glue->store, GLUE_JOB, name, "", job, &err);
    pthread_mutex_unlock(&glue->lock);
    if (found == 2)
        request_fail(request, 400, "ValidationException",
                     "1 validation error detected: Value at 'name' failed to satisfy constraint: Member must "
                     "have length less than or equal to 255");
    else if (found == 1)
        request_fail(request, 400, "AlreadyExistsException", "Job %s already exists", name);
    else if (found < 0)
        request_fail_internal(request, &err);
    else {
        if (request_json_object(request, "Tags"))
            glue_set_tags(glue, "job", name, request_json_object(request, "Tags"));
        request_reply_json(request, json_pack("{s:s}", "Name", name));
    }
    json_decref(job);
}

void glue_update_job(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *old = NULL;
    const char *name = glue_text(request, "JobName");
    json_t *update = name ? glue_object(request, "JobUpdate") : NULL;
    if (!update)
        return;
    json_t *job = shape_copy(UPDATE, update, "jobUpdate", &err);
    if (!job) {
        glue_fail_input(request, &err);
        return;
    }
    pthread_mutex_lock(&glue->lock);
    int found = documents_get(glue->store, GLUE_JOB, name, "", &old, &err);
    if (found == 1) {
        json_object_set_new(job, "Name", json_string(name));
        json_object_set(job, "CreatedOn", json_object_get(old, "CreatedOn"));
        complete(job, request->now_us);
        found = documents_put(glue->store, GLUE_JOB, name, "", job, &err) < 0 ? -1 : 1;
    }
    pthread_mutex_unlock(&glue->lock);
    json_decref(old);
    json_decref(job);
    if (found == 0)
        no_job(request, name);
    else if (found < 0)
        request_fail_internal(request, &err);
    else
        request_reply_json(request, json_pack("{s:s}", "JobName", name));
}

/* A job that is not there is no error, as in AWS. */
void glue_delete_job(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *name = glue_text(request, "JobName");
    if (!name)
        return;
    pthread_mutex_lock(&glue->lock);
    glue_task_cancel(glue, LANE_JOBS, name, NULL);
    int result = documents_remove(glue->store, GLUE_JOB, name, "", NULL, &err);
    if (result == 0)
        result = documents_remove(glue->store, GLUE_JOB_RUN, name, NULL, NULL, &err);
    pthread_mutex_unlock(&glue->lock);
    glue_set_tags(glue, "job", name, NULL);
    if (result < 0)
        request_fail_internal(request, &err);
    else
        request_reply_json(request, json_pack("{s:s}", "JobName", name));
}

void glue_get_job(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *job;
    const char *name = glue_text(request, "JobName");
    if (!name)
        return;
    int found = documents_get(glue->store, GLUE_JOB, name, "", &job, &err);
    if (found == 1)
        request_reply_json(request, json_pack("{s:o}", "Job", job));
    else if (found == 0)
        no_job(request, name);
    else
        request_fail_internal(request, &err);
}

struct listing {
    struct glue_page *page;
    bool names;
};

static bool add_job(void *context, const char *name, const char *second, json_t *job)
{
    const struct listing *listing = context;
    if (strcmp(name, listing->page->after) <= 0)
        return true;
    json_t *item = listing->names ? json_string(name) : json_incref(job);
    bool more = glue_page_add(listing->page, item);
    json_decref(item);
    return more;
}

static void list(struct request *request, bool names, const char *member)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    struct glue_page page;
    if (!glue_page_begin(request, &page, 100))
        return;
    struct listing listing = {&page, names};
    if (documents_list(glue->store, GLUE_JOB, NULL, add_job, &listing, &err) < 0) {
        json_decref(page.items);
        request_fail_internal(request, &err);
        return;
    }
    const json_t *last = json_array_get(page.items, json_array_size(page.items) - 1);
    glue_page_reply(request, &page, member, json_string_value(names ? last : json_object_get(last, "Name")));
}

void glue_get_jobs(struct request *request)
{
    list(request, false, "Jobs");
}

void glue_list_jobs(struct request *request)
{
    list(request, true, "JobNames");
}

void glue_batch_get_jobs(struct request *request)
{
    struct glue *glue = request->state;
    const json_t *names = glue_array(request, "JobNames", 100), *each;
    size_t index;
    if (!names)
        return;
    json_t *found = json_array(), *absent = json_array(), *job;
    json_array_foreach(names, index, each)
    {
        const char *name = json_string_value(each) ? json_string_value(each) : "";
        if (documents_get(glue->store, GLUE_JOB, name, "", &job, NULL) == 1)
            json_array_append_new(found, job);
        else
            json_array_append_new(absent, json_string(name));
    }
    request_reply_json(request, json_pack("{s:o, s:o}", "Jobs", found, "JobsNotFound", absent));
}
