#include "localcloud/athena.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_private.h"
#include "localcloud/athena_script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers ---------------------------------------------------------------------------------------- */

void athena_invalid(struct request *request, const char *code, const char *format, ...)
{
    char message[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    request_fail(request, 400, "InvalidRequestException", "%s", message);
    request_fail_member(request, "AthenaErrorCode", json_string(code));
}

const char *athena_text(struct request *request, const char *name, size_t least, size_t most)
{
    const char *text = request_json_text(request, name);
    size_t length = text ? strlen(text) : 0;
    if (text && length >= least && length <= most)
        return text;
    const char *what = !text ? "not be null" : length < least ? "be longer" : "be shorter";
    athena_invalid(
        request, "INVALID_INPUT",
        "1 validation error detected: Value at '%c%s' failed to satisfy constraint: Member must %s",
        tolower(name[0]), name + 1, what);
    return NULL;
}

const char *athena_workgroup_name(struct request *request)
{
    const char *name = request_json_text(request, "WorkGroup");
    if (!name)
        return "primary";
    size_t length = strlen(name), good = 0;
    while (good < length && (isalnum((unsigned char)name[good]) || strchr("._-", name[good])))
        good++;
    if (length > 0 && length <= 128 && good == length)
        return name;
    athena_invalid(request, "INVALID_INPUT",
                   "1 validation error detected: Value at 'workGroup' failed to satisfy constraint: Member "
                   "must satisfy regular expression pattern: [a-zA-Z0-9._-]{1,128}");
    return NULL;
}

bool athena_page_begin(struct request *request, struct athena_page *page, int64_t fallback, int64_t most)
{
    const char *token = request_json_text(request, "NextToken");
    int64_t asked = request_json_int(request, "MaxResults", fallback);
    *page = (struct athena_page){.limit = (size_t)(asked > 0 ? asked : fallback)};
    if (asked < 0 || asked > most) {
        athena_invalid(request, "INVALID_INPUT",
                       "1 validation error detected: Value '%lld' at 'maxResults' failed to satisfy "
                       "constraint: Member must have value less than or equal to %lld",
                       (long long)asked, (long long)most);
        return false;
    }
    if (token && !text_parse_int(token, 0, INT64_MAX, &page->from)) {
        athena_invalid(request, "INVALID_INPUT", "NextToken is not valid");
        return false;
    }
    page->items = json_array();
    return true;
}

bool athena_page_add(struct athena_page *page, json_t *item)
{
    bool wanted = page->at++ >= page->from;
    page->more = wanted && json_array_size(page->items) == page->limit;
    if (wanted && !page->more)
        json_array_append(page->items, item);
    json_decref(item);
    return !page->more;
}

void athena_page_reply(struct request *request, struct athena_page *page, const char *member)
{
    int64_t next = page->from + (int64_t)json_array_size(page->items);
    json_t *answer = json_pack("{s:o}", member, page->items);
    if (page->more)
        json_object_set_new(answer, "NextToken", json_sprintf("%lld", (long long)next));
    request_reply_json(request, answer);
}

/* For Glue's jobs: sql_engine.h. */
static int run_script(void *engine, const struct sql_engine_call *call, struct err *err)
{
    struct athena *athena = engine;
    struct athena_failure failure = {0};
    struct duck_connection *connection = athena_work_connect(athena, &failure);
    if (!connection)
        return err_set(err, ERR_INTERNAL, "%s: %s", failure.kind, failure.text);
    int result = athena_script_run(athena->context, connection, call, err);
    duck_disconnect(connection);
    return result;
}

/* ---- state ------------------------------------------------------------------------------------------ */

static void destroy(void *state)
{
    struct athena *athena = state;
    athena_work_destroy(athena);
    documents_close(athena->documents);
    athena_history_close(athena->history);
    pthread_cond_destroy(&athena->wake);
    pthread_cond_destroy(&athena->ended);
    pthread_mutex_destroy(&athena->lock);
    pthread_mutex_destroy(&athena->engine_lock);
    free(athena);
}

static void *create(const struct service_context *context, struct err *err)
{
    struct athena *athena = mem_zero(1, sizeof *athena);
    athena->context = context;
    snprintf(athena->blobs, sizeof athena->blobs, "%s/blobs", context->folder);
    char *real = realpath(athena->blobs, NULL); /* the engine compares whole paths */
    if (real)
        text_copy(athena->blobs, sizeof athena->blobs, real);
    free(real);
    pthread_mutex_init(&athena->lock, NULL);
    pthread_mutex_init(&athena->engine_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&athena->wake, &monotonic);
    pthread_cond_init(&athena->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    athena->history = athena_history_open(context->folder, clock_wall_us(), err);
    athena->documents = athena->history ? documents_open(context->folder, "athena.sqlite", err) : NULL;
    if (athena->documents && athena_workgroup_init(athena, err) == 0 && athena_work_start(athena, err) == 0) {
        context->sql_engine->engine = athena;
        context->sql_engine->run = run_script;
        return athena;
    }
    destroy(athena);
    return NULL;
}

static void stop(void *state)
{
    athena_work_stop(state);
}

/* ---- operations ------------------------------------------------------------------------------------- */

static const struct operation operations[] = {
    {"StartQueryExecution", athena_start_query, .mutates = true,
     .note = "docs/athena-dialect.md; one engine, up to four statements at a time"},
    {"GetQueryExecution", athena_get_query},
    {"BatchGetQueryExecution", athena_batch_get_query},
    {"ListQueryExecutions", athena_list_queries},
    {"StopQueryExecution", athena_stop_query, .mutates = true},
    {"GetQueryResults", athena_get_results},
    {"GetQueryRuntimeStatistics", athena_get_runtime_statistics, .note = "without stages"},
    {"CreateWorkGroup", athena_create_workgroup, .mutates = true,
     .note = "encryption, metrics and logging are kept and do nothing; SQL only"},
    {"GetWorkGroup", athena_get_workgroup},
    {"ListWorkGroups", athena_list_workgroups},
    {"UpdateWorkGroup", athena_update_workgroup, .mutates = true},
    {"DeleteWorkGroup", athena_delete_workgroup, .mutates = true},
    {"ListEngineVersions", athena_list_engine_versions},
    {"CreateNamedQuery", athena_create_named, .mutates = true},
    {"GetNamedQuery", athena_get_named},
    {"BatchGetNamedQuery", athena_batch_get_named},
    {"ListNamedQueries", athena_list_named},
    {"UpdateNamedQuery", athena_update_named, .mutates = true},
    {"DeleteNamedQuery", athena_delete_named, .mutates = true},
    {"CreatePreparedStatement", athena_create_prepared, .mutates = true},
    {"GetPreparedStatement", athena_get_prepared},
    {"BatchGetPreparedStatement", athena_batch_get_prepared},
    {"ListPreparedStatements", athena_list_prepared},
    {"UpdatePreparedStatement", athena_update_prepared, .mutates = true},
    {"DeletePreparedStatement", athena_delete_prepared, .mutates = true},
    {"ListDataCatalogs", athena_list_catalogs, .note = "AwsDataCatalog alone"},
    {"GetDataCatalog", athena_get_catalog},
    {"GetDatabase", athena_get_database},
    {"ListDatabases", athena_list_databases},
    {"GetTableMetadata", athena_get_table},
    {"ListTableMetadata", athena_list_tables, .note = "Expression is a POSIX regular expression"},
    {"TagResource", athena_tag, .mutates = true, .note = "work groups and data catalogs"},
    {"UntagResource", athena_untag, .mutates = true},
    {"ListTagsForResource", athena_list_tags},
    {0}};

const struct service service_athena = {.name = "athena",
                                       .title = "Amazon Athena",
                                       .protocol = PROTOCOL_JSON,
                                       .target = "AmazonAthena",
                                       .operations = operations,
                                       .create = create,
                                       .stop = stop,
                                       .destroy = destroy};
