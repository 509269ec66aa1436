#include "localcloud/glue_private.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* ---- input ------------------------------------------------------------------------------------------ */

static void missing(struct request *request, const char *name)
{
    request_fail(request, 400, "ValidationException",
                 "1 validation error detected: Value null at '%c%s' failed to satisfy constraint: Member "
                 "must not be null",
                 tolower(name[0]), name + 1);
}

const char *glue_text(struct request *request, const char *name)
{
    const char *text = request_json_text(request, name);
    if (!text) {
        missing(request, name);
    } else if (!*text) {
        request_fail(request, 400, "ValidationException",
                     "1 validation error detected: Value '' at '%c%s' failed to satisfy constraint: Member "
                     "must have length greater than or equal to 1",
                     tolower(name[0]), name + 1);
        text = NULL;
    }
    return text;
}

json_t *glue_object(struct request *request, const char *name)
{
    json_t *object = request_json_object(request, name);
    if (!object)
        missing(request, name);
    return object;
}

json_t *glue_array(struct request *request, const char *name, size_t max)
{
    json_t *array = request_json_array(request, name);
    if (!array) {
        missing(request, name);
    } else if (json_array_size(array) > max) {
        request_fail(request, 400, "ValidationException",
                     "1 validation error detected: Value at '%c%s' failed to satisfy constraint: Member "
                     "must have length less than or equal to %zu",
                     tolower(name[0]), name + 1, max);
        array = NULL;
    }
    return array;
}

/* ---- answers ---------------------------------------------------------------------------------------- */

void glue_fail_input(struct request *request, const struct err *err)
{
    bool constraint = strncmp(err->text, "1 validation error", 18) == 0;
    request_fail(request, 400, constraint ? "ValidationException" : "InvalidInputException", "%s", err->text);
}

void glue_fail(struct request *request, enum catalogue_status status, const struct err *err)
{
    if (status == CATALOGUE_FAILED)
        request_fail_internal(request, err);
    else if (status == CATALOGUE_INVALID)
        glue_fail_input(request, err);
    else
        request_fail(request, 400, catalogue_error_code(status), "%s", err->text);
}

void glue_done(struct request *request, enum catalogue_status status, const struct err *err)
{
    if (status == CATALOGUE_OK)
        request_reply_json(request, json_object());
    else
        glue_fail(request, status, err);
}

bool glue_page_begin(struct request *request, struct glue_page *page, int64_t limit)
{
    const char *token = request_json_text(request, "NextToken");
    int64_t asked = request_json_int(request, "MaxResults", limit);
    page->items = NULL;
    page->more = false;
    page->after[0] = '\0';
    if (asked < 1 || asked > 1000) {
        request_fail(request, 400, "ValidationException",
                     "1 validation error detected: Value '%lld' at 'maxResults' failed to satisfy "
                     "constraint: Member must have value between 1 and 1000",
                     (long long)asked);
        return false;
    }
    if (token && *token) {
        long length =
            strlen(token) < sizeof page->after ? text_base64_decode(page->after, token, strlen(token)) : -1;
        if (length < 0 || memchr(page->after, '\0', (size_t)length)) {
            request_fail(request, 400, "InvalidInputException", "Invalid NextToken");
            return false;
        }
        page->after[length] = '\0';
    }
    page->limit = (size_t)(asked < limit ? asked : limit);
    page->items = json_array();
    return true;
}

bool glue_page_add(struct glue_page *page, json_t *item)
{
    if (json_array_size(page->items) == page->limit) {
        page->more = true;
        return false;
    }
    json_array_append(page->items, item);
    return true;
}

void glue_page_reply(struct request *request, struct glue_page *page, const char *member, const char *last)
{
    json_t *answer = json_pack("{s:o}", member, page->items);
    page->items = NULL;
    if (page->more && last) {
        size_t size = text_base64_size(strlen(last));
        char *token = mem_alloc(size + 1);
        text_base64_encode(token, last, strlen(last));
        json_object_set_new(answer, "NextToken", json_stringn(token, size));
        free(token);
    }
    request_reply_json(request, answer);
}

json_t *glue_time(int64_t now_us)
{
    int64_t milliseconds = now_us / 1000;
    return json_real((double)milliseconds / 1000);
}

void glue_new_id(char *id, bool dashes)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[32];
    size_t length = 0;
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        abort(); /* the kernel promises 256 bytes */
    if (!dashes)
        length = (size_t)snprintf(id, 4, "jr_");
    for (size_t i = 0; i < (dashes ? 16 : 32); i++) {
        if (dashes && (i == 4 || i == 6 || i == 8 || i == 10))
            id[length++] = '-';
        id[length++] = digits[bytes[i] >> 4];
        id[length++] = digits[bytes[i] & 15];
    }
    id[length] = '\0';
}

/* ---- tags ------------------------------------------------------------------------------------------- */

void glue_arn(const struct glue *glue, const char *kind, const char *name, char arn[512])
{
    snprintf(arn, 512, "arn:aws:glue:%s:%s:%s/%.300s", glue->context.region, glue->context.account, kind,
             name);
}

void glue_set_tags(struct glue *glue, const char *kind, const char *name, const json_t *tags)
{
    char arn[512];
    glue_arn(glue, kind, name, arn);
    if (json_object_size(tags) > 0)
        documents_put(glue->store, GLUE_TAGS, arn, "", tags, NULL);
    else
        documents_remove(glue->store, GLUE_TAGS, arn, NULL, NULL, NULL);
}

static const struct shape TAGS[] = {
    {"TagsToAdd", SHAPE_TEXT_MAP},
    {"TagsToRemove", SHAPE_TEXT_LIST},
    {NULL},
};

static void change_tags(struct request *request, bool add)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *arn = glue_text(request, "ResourceArn"), *name;
    json_t *tags = NULL, *change, *value;
    size_t index;
    if (!arn)
        return;
    if (!(change = shape_copy(TAGS, request->json, "", &err))) {
        glue_fail_input(request, &err);
        return;
    }
    pthread_mutex_lock(&glue->lock);
    int found = documents_get(glue->store, GLUE_TAGS, arn, "", &tags, &err);
    if (!tags)
        tags = json_object();
    if (add)
        json_object_update(tags, json_object_get(change, "TagsToAdd"));
    else
        json_array_foreach(json_object_get(change, "TagsToRemove"), index, value)
        {
            name = json_string_value(value);
            json_object_del(tags, name);
        }
    if (found >= 0)
        found = documents_put(glue->store, GLUE_TAGS, arn, "", tags, &err);
    pthread_mutex_unlock(&glue->lock);
    json_decref(tags);
    json_decref(change);
    glue_done(request, found < 0 ? CATALOGUE_FAILED : CATALOGUE_OK, &err);
}

void glue_tag_resource(struct request *request)
{
    change_tags(request, true);
}

void glue_untag_resource(struct request *request)
{
    change_tags(request, false);
}

void glue_get_tags(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *arn = glue_text(request, "ResourceArn");
    json_t *tags = NULL;
    if (!arn)
        return;
    if (documents_get(glue->store, GLUE_TAGS, arn, "", &tags, &err) < 0)
        request_fail_internal(request, &err);
    else
        request_reply_json(request, json_pack("{s:o}", "Tags", tags ? tags : json_object()));
}

/* ---- the service ------------------------------------------------------------------------------------ */

static const struct operation OPERATIONS[] = {
    {"CreateDatabase", glue_create_database, .mutates = true},
    {"GetDatabase", glue_get_database},
    {"GetDatabases", glue_get_databases},
    {"UpdateDatabase", glue_update_database, .mutates = true},
    {"DeleteDatabase", glue_delete_database, .mutates = true, .note = "its tables go at once"},
    {"CreateTable", glue_create_table, .mutates = true, .note = "no Iceberg"},
    {"GetTable", glue_get_table, .note = "not as of a time"},
    {"GetTables", glue_get_tables, .note = "Expression is a POSIX regular expression"},
    {"SearchTables", glue_search_tables, .note = "SearchText and Filters on names; no sorting"},
    {"UpdateTable", glue_update_table, .mutates = true},
    {"DeleteTable", glue_delete_table, .mutates = true},
    {"BatchDeleteTable", glue_batch_delete_table, .mutates = true},
    {"GetTableVersion", glue_get_table_version},
    {"GetTableVersions", glue_get_table_versions},
    {"DeleteTableVersion", glue_delete_table_version, .mutates = true},
    {"BatchDeleteTableVersion", glue_batch_delete_table_version, .mutates = true},
    {"CreatePartition", glue_create_partition, .mutates = true},
    {"BatchCreatePartition", glue_batch_create_partition, .mutates = true},
    {"GetPartition", glue_get_partition},
    {"GetPartitions", glue_get_partitions},
    {"BatchGetPartition", glue_batch_get_partition},
    {"UpdatePartition", glue_update_partition, .mutates = true},
    {"BatchUpdatePartition", glue_batch_update_partition, .mutates = true},
    {"DeletePartition", glue_delete_partition, .mutates = true},
    {"BatchDeletePartition", glue_batch_delete_partition, .mutates = true},
    {"CreatePartitionIndex", glue_create_partition_index, .mutates = true, .note = "kept; changes no plan"},
    {"GetPartitionIndexes", glue_get_partition_indexes},
    {"DeletePartitionIndex", glue_delete_partition_index, .mutates = true},
    {"CreateCrawler", glue_create_crawler, .mutates = true, .note = "S3 targets; docs/glue-crawler.md"},
    {"GetCrawler", glue_get_crawler},
    {"GetCrawlers", glue_get_crawlers},
    {"ListCrawlers", glue_list_crawlers, .note = "not by tags"},
    {"BatchGetCrawlers", glue_batch_get_crawlers},
    {"UpdateCrawler", glue_update_crawler, .mutates = true},
    {"DeleteCrawler", glue_delete_crawler, .mutates = true},
    {"StartCrawler", glue_start_crawler, .mutates = true},
    {"StopCrawler", glue_stop_crawler, .mutates = true},
    {"GetCrawlerMetrics", glue_get_crawler_metrics},
    {"ListCrawls", glue_list_crawls, .note = "the last 100 of a crawler"},
    {"StartCrawlerSchedule", glue_start_crawler_schedule, .mutates = true},
    {"StopCrawlerSchedule", glue_stop_crawler_schedule, .mutates = true},
    {"UpdateCrawlerSchedule", glue_update_crawler_schedule, .mutates = true},
    {"CreateJob", glue_create_job, .mutates = true, .note = "scripts of SQL (.sql) run; others are kept"},
    {"GetJob", glue_get_job},
    {"GetJobs", glue_get_jobs},
    {"ListJobs", glue_list_jobs, .note = "not by tags"},
    {"BatchGetJobs", glue_batch_get_jobs},
    {"UpdateJob", glue_update_job, .mutates = true},
    {"DeleteJob", glue_delete_job, .mutates = true},
    {"StartJobRun", glue_start_job_run, .mutates = true, .note = "no retries"},
    {"GetJobRun", glue_get_job_run},
    {"GetJobRuns", glue_get_job_runs, .note = "the last 1000 of a job"},
    {"BatchStopJobRun", glue_batch_stop_job_run, .mutates = true},
    {"TagResource", glue_tag_resource, .mutates = true},
    {"UntagResource", glue_untag_resource, .mutates = true},
    {"GetTags", glue_get_tags},
    {.name = NULL},
};

static void stop(void *state)
{
    glue_work_stop(state);
}

static void destroy(void *state)
{
    struct glue *glue = state;
    glue_work_destroy(glue);
    documents_close(glue->store);
    pthread_cond_destroy(&glue->wake);
    pthread_mutex_destroy(&glue->lock);
    free(glue);
}

static void *create(const struct service_context *context, struct err *err)
{
    struct glue *glue = mem_zero(1, sizeof *glue);
    glue->context = *context;
    glue->catalogue = context->catalogue;
    glue->objects = context->objects;
    pthread_mutex_init(&glue->lock, NULL);
    pthread_cond_init(&glue->wake, NULL);
    glue->store = documents_open(context->folder, "glue.sqlite", err);
    if (glue->store && glue_crawlers_recover(glue, err) == 0 && glue_jobs_recover(glue, err) == 0 &&
        glue_work_start(glue, err) == 0)
        return glue;
    destroy(glue);
    return NULL;
}

const struct service service_glue = {
    .name = "glue",
    .title = "AWS Glue",
    .protocol = PROTOCOL_JSON,
    .target = "AWSGlue",
    .operations = OPERATIONS,
    .create = create,
    .stop = stop,
    .destroy = destroy,
};
