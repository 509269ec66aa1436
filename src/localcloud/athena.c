#include "localcloud/athena.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/queue.h"
#include "base/text.h"
#include "base/worker.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_execution.h"
#include "localcloud/athena_script.h"
#include "localcloud/objects.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXECUTIONS_MAX 10000 /* kept; then the service says it is full */
#define QUEUE_MAX      200
#define RESULT_LIMIT   (256u << 20)

static const char *const state_names[] = {"QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"};

struct athena {
    const struct service_context *context;
    char blobs[FILE_PATH_SIZE];
    const char *folders[1];
    pthread_mutex_t lock;
    struct athena_execution *list[EXECUTIONS_MAX]; /* in the order they came */
    size_t count;
    pthread_mutex_t engine_lock;  /* of making it */
    struct athena_engine *engine; /* made by the first query */
    struct duck_connection *connection;
    struct athena_execution *running;
    bool stopping;
    struct queue *queue;
    struct worker *worker;
};

/* ---- the worker ------------------------------------------------------------------------------------- */

static struct duck_connection *connect_engine(struct athena *athena, struct err *err)
{
    pthread_mutex_lock(&athena->engine_lock);
    if (!athena->engine)
        athena->engine = athena_engine_open(athena->folders, 1, NULL, err);
    struct duck_connection *connection = athena->engine ? athena_engine_connect(athena->engine, err) : NULL;
    pthread_mutex_unlock(&athena->engine_lock);
    return connection;
}

/* For Glue's jobs: sql_engine.h. */
static int run_script(void *engine, const struct sql_engine_call *call, struct err *err)
{
    struct athena *athena = engine;
    struct duck_connection *connection = connect_engine(athena, err);
    int result = connection ? athena_script_run(athena->context, connection, call, err) : -1;
    duck_disconnect(connection);
    return result;
}

static int engine_ready(struct athena *athena, struct athena_failure *failure)
{
    struct err err = ERR_INIT;
    struct duck_connection *connection = connect_engine(athena, &err);
    pthread_mutex_lock(&athena->lock);
    athena->connection = connection;
    pthread_mutex_unlock(&athena->lock);
    return connection ? 0 : athena_fail(failure, "GENERIC_INTERNAL_ERROR", "%s", err.text);
}

static void run_one(struct athena *athena, struct athena_execution *execution)
{
    pthread_mutex_lock(&athena->lock);
    bool go = !execution->cancel && !athena->stopping;
    execution->started_us = clock_wall_us();
    if (go) {
        execution->state = EXECUTION_RUNNING;
        athena->running = execution;
    }
    pthread_mutex_unlock(&athena->lock);
    struct athena_failure failure = {0};
    int result = -1;
    /* The fields it writes are read by others only once its state says that it has ended. */
    if (go && engine_ready(athena, &failure) == 0) {
        struct athena_run run = {.context = athena->context, .connection = athena->connection};
        result = athena_execution_run(&run, execution, &failure);
    }
    pthread_mutex_lock(&athena->lock);
    struct duck_connection *connection = athena->connection;
    athena->connection = NULL;
    athena->running = NULL;
    execution->completed_us = clock_wall_us();
    execution->failure = failure;
    execution->state = execution->cancel || !go ? EXECUTION_CANCELLED
                       : result == 0            ? EXECUTION_SUCCEEDED
                                                : EXECUTION_FAILED;
    pthread_mutex_unlock(&athena->lock);
    duck_disconnect(connection);
}

static void work(void *context)
{
    struct athena *athena = context;
    struct athena_execution *execution;
    while ((execution = queue_pop(athena->queue, -1)))
        run_one(athena, execution);
}

/* ---- state ------------------------------------------------------------------------------------------ */

static void *create(const struct service_context *context, struct err *err)
{
    struct athena *athena = mem_zero(1, sizeof *athena);
    athena->context = context;
    snprintf(athena->blobs, sizeof athena->blobs, "%s/blobs", context->folder);
    char *real = realpath(athena->blobs, NULL); /* the engine compares whole paths */
    if (real)
        text_copy(athena->blobs, sizeof athena->blobs, real);
    free(real);
    athena->folders[0] = athena->blobs;
    pthread_mutex_init(&athena->lock, NULL);
    pthread_mutex_init(&athena->engine_lock, NULL);
    athena->queue = queue_create(QUEUE_MAX, NULL);
    athena->worker = worker_start("athena", work, athena, err);
    if (athena->worker) {
        context->sql_engine->engine = athena;
        context->sql_engine->run = run_script;
        return athena;
    }
    queue_destroy(athena->queue);
    free(athena);
    return NULL;
}

static void stop(void *state)
{
    struct athena *athena = state;
    pthread_mutex_lock(&athena->lock);
    athena->stopping = true;
    if (athena->running)
        athena->running->cancel = true;
    if (athena->connection)
        duck_interrupt(athena->connection);
    pthread_mutex_unlock(&athena->lock);
    queue_close(athena->queue);
}

static void destroy(void *state)
{
    struct athena *athena = state;
    stop(athena);
    worker_join(athena->worker);
    queue_destroy(athena->queue);
    athena_engine_close(athena->engine);
    for (size_t i = 0; i < athena->count; i++) {
        struct athena_execution *execution = athena->list[i];
        free(execution->text);
        free(execution->database);
        free(execution->output);
        free(execution->token);
        free(execution->workgroup);
        free(execution->location);
        free(execution->manifest);
        json_decref(execution->columns);
        free(execution);
    }
    pthread_mutex_destroy(&athena->engine_lock);
    pthread_mutex_destroy(&athena->lock);
    free(athena);
}

/* With the lock held. */
static struct athena_execution *find(struct athena *athena, const char *id)
{
    for (size_t i = athena->count; id && i > 0; i--)
        if (strcmp(athena->list[i - 1]->id, id) == 0)
            return athena->list[i - 1];
    return NULL;
}

static void invalid(struct request *request, const char *code, const char *message)
{
    request_fail(request, 400, "InvalidRequestException", "%s", message);
    request_fail_member(request, "AthenaErrorCode", json_string(code));
}

static void not_found(struct request *request, const char *id)
{
    char message[160];
    snprintf(message, sizeof message, "QueryExecution %.60s was not found", id ? id : "null");
    invalid(request, "QUERY_EXECUTION_NOT_FOUND", message);
}

/* ---- operations ------------------------------------------------------------------------------------- */

static const char *nested_text(struct request *request, const char *object, const char *name)
{
    return json_string_value(json_object_get(request_json_object(request, object), name));
}

static void start_query(struct request *request)
{
    struct athena *athena = request->state;
    const char *text = request_json_text(request, "QueryString");
    const char *token = request_json_text(request, "ClientRequestToken");
    const char *database = nested_text(request, "QueryExecutionContext", "Database");
    const char *output = nested_text(request, "ResultConfiguration", "OutputLocation");
    char bucket[64], key[1025];
    if (!text) {
        invalid(request, "MALFORMED_QUERY", "QueryString is needed");
        return;
    }
    if (!output) {
        invalid(
            request, "INVALID_INPUT",
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input.");
        return;
    }
    if (!athena_s3_split(output, bucket, key)) {
        invalid(request, "INVALID_INPUT", "outputLocation is not a valid S3 path.");
        return;
    }
    /* A statement that cannot be read makes no execution. */
    struct athena_statement statement;
    struct athena_failure failure;
    struct athena_query query = {0};
    int wrong = athena_statement_parse(&statement, text, &failure);
    if (!wrong && statement.verb == VERB_QUERY)
        wrong = athena_rewrite(&statement.tokens, statement.query_from, statement.query_to, database, &query,
                               &failure);
    const char *type = wrong ? "" : athena_statement_type(&statement),
               *subtype = wrong ? "" : athena_statement_subtype(&statement);
    athena_query_free(&query);
    struct athena_execution *execution = mem_zero(1, sizeof *execution);
    athena_execution_id(execution->id);
    char *location = athena_execution_location(&statement, output, execution->id);
    athena_statement_free(&statement);
    if (wrong && strcmp(failure.kind, "SYNTAX_ERROR") == 0) {
        invalid(request, "MALFORMED_QUERY", failure.text);
        free(location);
        free(execution);
        return;
    }
    execution->text = mem_text(text);
    execution->database = mem_text(database ? database : "default");
    execution->workgroup = mem_text("primary");
    execution->token = token ? mem_text(token) : NULL;
    execution->output = mem_text(output);
    execution->submitted_us = request->now_us;
    execution->type = *type ? type : "DML";
    execution->subtype = subtype;
    execution->location = location;

    char id[37] = "";
    bool mismatch = false, full = false;
    pthread_mutex_lock(&athena->lock);
    for (size_t i = 0; i < athena->count && token && !*id; i++) {
        struct athena_execution *other = athena->list[i];
        if (other->token && strcmp(other->token, token) == 0) {
            text_copy(id, sizeof id, other->id);
            mismatch = strcmp(other->text, text) != 0 || strcmp(other->output, output) != 0;
        }
    }
    if (!*id) {
        full = athena->count == EXECUTIONS_MAX || !queue_push(athena->queue, execution, 0);
        if (!full) {
            text_copy(id, sizeof id, execution->id);
            athena->list[athena->count++] = execution;
            execution = NULL;
        }
    }
    pthread_mutex_unlock(&athena->lock);
    if (execution) {
        free(execution->text);
        free(execution->database);
        free(execution->workgroup);
        free(execution->token);
        free(execution->output);
        free(execution->location);
        free(execution);
    }
    if (full)
        request_fail(request, 400, "TooManyRequestsException", "Too many queries are queued");
    else if (mismatch)
        invalid(request, "IDEMPOTENT_PARAMETER_MISMATCH", "Idempotent parameters do not match");
    else
        request_reply_json(request, json_pack("{s:s}", "QueryExecutionId", id));
}

/* With the lock held. */
static json_t *describe(const struct athena_execution *e)
{
    bool ended = e->state >= EXECUTION_SUCCEEDED;
    json_t *status = json_pack("{s:s,s:f}", "State", state_names[e->state], "SubmissionDateTime",
                               (double)e->submitted_us / 1e6);
    if (ended)
        json_object_set_new(status, "CompletionDateTime", json_real((double)e->completed_us / 1e6));
    if (e->state == EXECUTION_CANCELLED)
        json_object_set_new(status, "StateChangeReason", json_string("Query cancelled by user"));
    if (e->state == EXECUTION_FAILED) {
        char reason[500];
        int category, type = athena_error_type(e->failure.kind, &category);
        snprintf(reason, sizeof reason, "%s: %s", e->failure.kind, e->failure.text);
        json_object_set_new(status, "StateChangeReason", json_string(reason));
        json_object_set_new(status, "AthenaError",
                            json_pack("{s:i,s:i,s:b,s:s}", "ErrorCategory", category, "ErrorType", type,
                                      "Retryable", 0, "ErrorMessage", reason));
    }
    int64_t begun = e->started_us ? e->started_us : e->submitted_us;
    json_t *statistics = json_pack(
        "{s:I,s:I,s:I,s:I,s:{s:b}}", "DataScannedInBytes", (json_int_t)(ended ? e->scanned : 0),
        "EngineExecutionTimeInMillis", (json_int_t)(ended ? (e->completed_us - begun) / 1000 : 0),
        "TotalExecutionTimeInMillis", (json_int_t)(ended ? (e->completed_us - e->submitted_us) / 1000 : 0),
        "QueryQueueTimeInMillis", (json_int_t)((begun - e->submitted_us) / 1000), "ResultReuseInformation",
        "ReusedPreviousResult", 0);
    if (ended && e->manifest)
        json_object_set_new(statistics, "DataManifestLocation", json_string(e->manifest));
    return json_pack("{s:s,s:s,s:s,s:s,s:{s:s},s:{s:s,s:s},s:o,s:o,s:s,s:{s:s,s:s}}", "QueryExecutionId",
                     e->id, "Query", e->text, "StatementType", e->type, "SubstatementType", e->subtype,
                     "ResultConfiguration", "OutputLocation", e->location, "QueryExecutionContext",
                     "Database", e->database, "Catalog", "awsdatacatalog", "Status", status, "Statistics",
                     statistics, "WorkGroup", e->workgroup, "EngineVersion", "SelectedEngineVersion", "AUTO",
                     "EffectiveEngineVersion", "Athena engine version 3");
}

static void get_query(struct request *request)
{
    struct athena *athena = request->state;
    const char *id = request_json_text(request, "QueryExecutionId");
    pthread_mutex_lock(&athena->lock);
    struct athena_execution *execution = find(athena, id);
    json_t *answer = execution ? json_pack("{s:o}", "QueryExecution", describe(execution)) : NULL;
    pthread_mutex_unlock(&athena->lock);
    if (answer)
        request_reply_json(request, answer);
    else
        not_found(request, id);
}

static void stop_query(struct request *request)
{
    struct athena *athena = request->state;
    const char *id = request_json_text(request, "QueryExecutionId");
    pthread_mutex_lock(&athena->lock);
    struct athena_execution *execution = find(athena, id);
    if (execution && execution->state <= EXECUTION_RUNNING) {
        execution->cancel = true;
        if (athena->running == execution && athena->connection)
            duck_interrupt(athena->connection);
    }
    pthread_mutex_unlock(&athena->lock);
    if (execution)
        request_reply_json(request, json_object());
    else
        not_found(request, id);
}

static void list_queries(struct request *request)
{
    struct athena *athena = request->state;
    json_t *ids = json_array();
    int64_t most = request_json_int(request, "MaxResults", 50);
    const char *next = request_json_text(request, "NextToken");
    int64_t skip = 0;
    if (next && !text_parse_int(next, 0, EXECUTIONS_MAX, &skip)) {
        json_decref(ids);
        invalid(request, "INVALID_INPUT", "NextToken is not valid");
        return;
    }
    pthread_mutex_lock(&athena->lock);
    size_t left = athena->count > (size_t)skip ? athena->count - (size_t)skip : 0;
    for (; left > 0 && (int64_t)json_array_size(ids) < most; left--)
        json_array_append_new(ids, json_string(athena->list[left - 1]->id));
    int64_t seen = (int64_t)(athena->count - left);
    pthread_mutex_unlock(&athena->lock);
    json_t *answer = json_pack("{s:o}", "QueryExecutionIds", ids);
    if (left > 0)
        json_object_set_new(answer, "NextToken", json_sprintf("%lld", (long long)seen));
    request_reply_json(request, answer);
}

/* The next line of the result object as a Row: of CSV, or, of text, the whole line. False at the end. */
static bool next_row(const char **at, const char *end, bool csv, json_t **row)
{
    if (*at >= end)
        return false;
    json_t *data = json_array();
    for (bool more = true; more;) {
        struct buf value;
        buf_init(&value, RESULT_LIMIT);
        buf_text(&value, "");
        bool null = csv && **at != '"';
        if (csv && !null) {
            for (++*at; *at < end; ++*at) {
                if (**at == '"' && *at + 1 < end && (*at)[1] == '"')
                    ++*at;
                else if (**at == '"')
                    break;
                buf_char(&value, **at);
            }
            ++*at;
        } else {
            while (*at < end && **at != '\n' && !(csv && **at == ','))
                buf_char(&value, *(*at)++);
        }
        json_array_append_new(
            data, null ? json_object() : json_pack("{s:s#}", "VarCharValue", value.data, (int)value.length));
        buf_free(&value);
        more = csv && *at < end && **at == ',';
        ++*at;
    }
    *row = json_pack("{s:o}", "Data", data);
    return true;
}

static void get_results(struct request *request)
{
    struct athena *athena = request->state;
    const char *id = request_json_text(request, "QueryExecutionId"),
               *next = request_json_text(request, "NextToken");
    int64_t most = request_json_int(request, "MaxResults", 1000), offset = 0;
    char location[1300] = "", message[120];
    json_t *columns = NULL;
    int64_t updated = 0;
    pthread_mutex_lock(&athena->lock);
    struct athena_execution *execution = find(athena, id);
    int state = execution ? (int)execution->state : 0;
    if (execution && state == EXECUTION_SUCCEEDED) {
        text_copy(location, sizeof location, execution->location);
        columns = json_deep_copy(execution->columns);
        updated = athena_execution_has_rows(location) ? 0 : execution->rows;
    }
    pthread_mutex_unlock(&athena->lock);
    if (!execution) {
        not_found(request, id);
        return;
    }
    if (state != EXECUTION_SUCCEEDED) {
        snprintf(message, sizeof message,
                 state == EXECUTION_CANCELLED ? "Could not find results"
                 : state == EXECUTION_FAILED  ? "Query did not finish successfully. Final query state: %s"
                                              : "Query has not yet finished. Current state: %s",
                 state_names[state]);
        invalid(request, state == EXECUTION_CANCELLED ? "RESULT_NOT_FOUND" : "INVALID_QUERY_EXECUTION_STATE",
                message);
        return;
    }
    char bucket[64], key[1025];
    struct buf bytes;
    struct err err = ERR_INIT;
    buf_init(&bytes, RESULT_LIMIT);
    buf_text(&bytes, "");
    bool bad = most < 1 || most > 1000 || (next && !text_parse_int(next, 0, INT64_MAX, &offset));
    if (bad || !athena_s3_split(location, bucket, key) ||
        (athena_execution_has_rows(location) &&
         objects_read(athena->context->objects, bucket, key, &bytes, &err) != OBJECTS_OK) ||
        (size_t)offset > bytes.length) {
        invalid(request, bad ? "INVALID_INPUT" : "RESULT_NOT_FOUND",
                bad ? "MaxResults is 1 to 1000, NextToken what was given" : "Could not find results");
        buf_free(&bytes);
        json_decref(columns);
        return;
    }
    size_t length = strlen(key);
    bool csv = length > 4 && strcmp(key + length - 4, ".csv") == 0;
    json_t *rows = json_array(), *row;
    const char *at = bytes.data + offset, *end = bytes.data + bytes.length;
    while ((int64_t)json_array_size(rows) < most && next_row(&at, end, csv, &row))
        json_array_append_new(rows, row);
    json_t *answer = json_pack("{s:I,s:{s:o,s:{s:o}}}", "UpdateCount", (json_int_t)updated, "ResultSet",
                               "Rows", rows, "ResultSetMetadata", "ColumnInfo", columns);
    if (at < end)
        json_object_set_new(answer, "NextToken", json_sprintf("%lld", (long long)(at - bytes.data)));
    buf_free(&bytes);
    request_reply_json(request, answer);
}

static void batch_get(struct request *request)
{
    struct athena *athena = request->state;
    json_t *found = json_array(), *missing = json_array(), *item;
    size_t index;
    pthread_mutex_lock(&athena->lock);
    json_array_foreach(request_json_array(request, "QueryExecutionIds"), index, item)
    {
        struct athena_execution *execution = find(athena, json_string_value(item));
        if (execution)
            json_array_append_new(found, describe(execution));
        else
            json_array_append_new(missing,
                                  json_pack("{s:O,s:s,s:s}", "QueryExecutionId", item, "ErrorCode",
                                            "QUERY_EXECUTION_NOT_FOUND", "ErrorMessage", "not found"));
    }
    pthread_mutex_unlock(&athena->lock);
    request_reply_json(
        request, json_pack("{s:o,s:o}", "QueryExecutions", found, "UnprocessedQueryExecutionIds", missing));
}

static const struct operation operations[] = {
    {"StartQueryExecution", start_query, .mutates = true,
     .note = "all but EXPLAIN, PREPARE and EXECUTE, which fail with NOT_SUPPORTED"},
    {"GetQueryExecution", get_query},
    {"BatchGetQueryExecution", batch_get},
    {"ListQueryExecutions", list_queries},
    {"StopQueryExecution", stop_query, .mutates = true},
    {"GetQueryResults", get_results},
    {0}};

const struct service service_athena = {.name = "athena",
                                       .title = "Amazon Athena",
                                       .protocol = PROTOCOL_JSON,
                                       .target = "AmazonAthena",
                                       .operations = operations,
                                       .create = create,
                                       .stop = stop,
                                       .destroy = destroy};
