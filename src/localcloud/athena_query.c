/* Operations on query executions, but for their results. */
#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_engine.h"
#include "localcloud/athena_parameters.h"
#include "localcloud/athena_private.h"
#include "localcloud/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {"QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"};

void athena_execution_free(struct athena_execution *execution)
{
    if (!execution)
        return;
    free(execution->query);
    free(execution->text);
    free(execution->database);
    free(execution->output);
    free(execution->workgroup);
    free(execution->location);
    free(execution->manifest);
    json_decref(execution->given);
    json_decref(execution->columns);
    free(execution);
}

/* ---- describing ------------------------------------------------------------------------------------- */

static json_t *status_of(const struct athena_execution *e)
{
    json_t *status = json_pack("{s:s,s:o}", "State", state_names[e->state], "SubmissionDateTime",
                               athena_history_time(e->submitted_us));
    if (e->state >= EXECUTION_SUCCEEDED)
        json_object_set_new(status, "CompletionDateTime", athena_history_time(e->completed_us));
    if (e->state == EXECUTION_CANCELLED)
        json_object_set_new(status, "StateChangeReason",
                            json_string(e->cut ? "Query cancelled! : Bytes scanned limit was exceeded"
                                               : "Query cancelled by user"));
    if (e->state == EXECUTION_FAILED) {
        char reason[500];
        int category, type = athena_error_type(e->failure.kind, &category);
        snprintf(reason, sizeof reason, "%s: %s", e->failure.kind, e->failure.text);
        json_object_set_new(status, "StateChangeReason", json_string(reason));
        json_object_set_new(status, "AthenaError",
                            json_pack("{s:i,s:i,s:b,s:s}", "ErrorCategory", category, "ErrorType", type,
                                      "Retryable", 0, "ErrorMessage", reason));
    }
    return status;
}

static json_t *statistics_of(const struct athena_execution *e)
{
    bool ended = e->state >= EXECUTION_SUCCEEDED;
    int64_t now = ended ? e->completed_us : clock_wall_us(), begun = e->started_us ? e->started_us
                                                                     : ended       ? e->completed_us
                                                                                   : now;
    int64_t engine = now - begun - (ended ? e->stored_us : 0);
    json_t *statistics = json_pack("{s:I,s:I,s:I,s:I,s:{s:b}}", "EngineExecutionTimeInMillis",
                                   (json_int_t)((engine > 0 ? engine : 0) / 1000), "DataScannedInBytes",
                                   (json_int_t)(ended ? e->scanned : 0), "TotalExecutionTimeInMillis",
                                   (json_int_t)((now - e->submitted_us) / 1000), "QueryQueueTimeInMillis",
                                   (json_int_t)((begun - e->submitted_us) / 1000), "ResultReuseInformation",
                                   "ReusedPreviousResult", 0);
    if (ended && e->started_us) {
        json_object_set_new(statistics, "QueryPlanningTimeInMillis", json_integer(e->planned_us / 1000));
        json_object_set_new(statistics, "ServiceProcessingTimeInMillis", json_integer(e->stored_us / 1000));
        json_object_set_new(statistics, "ServicePreProcessingTimeInMillis", json_integer(0));
    }
    if (e->manifest)
        json_object_set_new(statistics, "DataManifestLocation", json_string(e->manifest));
    return statistics;
}

json_t *athena_execution_describe(const struct athena_execution *e)
{
    json_t *execution = json_copy(e->given);
    json_t *result = json_object_get(execution, "ResultConfiguration");
    result = result ? json_copy(result) : json_object();
    if (e->location)
        json_object_set_new(result, "OutputLocation", json_string(e->location));
    json_object_update_new(execution,
                           json_pack("{s:s,s:s,s:s,s:s,s:o,s:{s:s,s:s},s:o,s:o,s:s,s:{s:s,s:s}}",
                                     "QueryExecutionId", e->id, "Query", e->query, "StatementType", e->type,
                                     "SubstatementType", e->subtype, "ResultConfiguration", result,
                                     "QueryExecutionContext", "Database", e->database, "Catalog",
                                     "awsdatacatalog", "Status", status_of(e), "Statistics", statistics_of(e),
                                     "WorkGroup", e->workgroup, "EngineVersion", "SelectedEngineVersion",
                                     "AUTO", "EffectiveEngineVersion", ATHENA_ENGINE_VERSION));
    return execution;
}

json_t *athena_execution_details(const struct athena_execution *e)
{
    return json_pack("{s:O*,s:I,s:I,s:I,s:b}", "columns", e->columns, "rows", (json_int_t)e->rows, "bytes",
                     (json_int_t)e->bytes, "read", (json_int_t)e->scanned_rows, "insert",
                     strcmp(e->subtype, "INSERT") == 0 || strcmp(e->subtype, "CREATE_TABLE_AS_SELECT") == 0);
}

/* ---- starting --------------------------------------------------------------------------------------- */

/* What is asked, worked out before anything is made of it. */
struct start {
    struct request *request;
    struct athena *athena;
    json_t *workgroup; /* the document */
    const char *text, *database, *workgroup_name;
    char *output;
    json_t *given; /* said again by GetQueryExecution */
    bool managed;
};

static json_t *member(struct request *request, const char *object, const char *name)
{
    return json_object_get(request_json_object(request, object), name);
}

static bool choose_output(struct start *start)
{
    const json_t *configuration = json_object_get(start->workgroup, "Configuration"),
                 *results = json_object_get(configuration, "ResultConfiguration");
    bool enforce = json_is_true(json_object_get(configuration, "EnforceWorkGroupConfiguration"));
    const json_t *asked = request_json_object(start->request, "ResultConfiguration");
    const char *of_group = json_string_value(json_object_get(results, "OutputLocation"));
    const char *of_client = json_string_value(json_object_get(asked, "OutputLocation"));
    const char *output = (enforce && of_group) || !of_client ? of_group : of_client;
    char bucket[64], key[1025];
    if (!output) {
        athena_invalid(start->request, "INVALID_INPUT",
                       "No output location provided. An output location is required either through the "
                       "Workgroup result configuration setting or as an API input.");
        return false;
    }
    if (!athena_s3_split(output, bucket, key)) {
        athena_invalid(start->request, "INVALID_INPUT", "outputLocation is not a valid S3 path.");
        return false;
    }
    start->output = mem_text(output);
    json_t *said = json_object();
    json_object_update(said, (json_t *)(uintptr_t)(enforce ? results : asked));
    json_object_del(said, "OutputLocation");
    json_object_set_new(start->given, "ResultConfiguration", said);
    return true;
}

static void set_location(struct athena_execution *execution, const struct athena_statement *statement)
{
    free(execution->location);
    execution->location = athena_execution_location(statement, execution->output, execution->id);
}

/* What EXECUTE runs, with the values in place; or the text with its. NULL with failure. */
static char *resolve(struct start *start, const struct athena_statement *statement,
                     struct athena_failure *failure)
{
    json_t *values = request_json_array(start->request, "ExecutionParameters");
    bool given = json_array_size(values) > 0;
    if (statement->verb == VERB_PREPARE)
        return mem_text(start->text);
    if (statement->verb != VERB_EXECUTE)
        return athena_parameters_apply(start->text, values, failure);
    char *prepared = athena_prepared_text(start->athena, start->workgroup_name, statement->name);
    if (!prepared) {
        athena_fail(failure, "NOT_FOUND", "Prepared statement not found: %.200s", statement->name);
        return NULL;
    }
    json_t *using = athena_parameters_split(&statement->tokens, statement->query_from, statement->query_to);
    char *resolved =
        athena_parameters_apply(prepared, given && json_array_size(using) == 0 ? values : using, failure);
    json_decref(using);
    free(prepared);
    return resolved;
}

/* Reads a statement and, when it is a query, whether it can be written for the engine. */
static int check(const char *text, const char *database, struct athena_statement *statement,
                 struct athena_failure *failure)
{
    struct athena_query query = {0};
    int wrong = athena_statement_parse(statement, text, failure);
    if (!wrong && statement->verb == VERB_QUERY)
        wrong = athena_rewrite(&statement->tokens, statement->query_from, statement->query_to, database,
                               &query, failure);
    athena_query_free(&query);
    return wrong;
}

/* Fills statement, type, location and, when it cannot run, why. False: a syntax error makes no execution. */
static bool read_statement(struct start *start, struct athena_execution *execution)
{
    struct athena_statement asked, statement = {0};
    struct athena_failure *failure = &execution->failure;
    int wrong = athena_statement_parse(&asked, start->text, failure);
    execution->type = wrong ? "DML" : athena_statement_type(&asked);
    execution->subtype = wrong ? "SELECT" : athena_statement_subtype(&asked);
    if (!wrong) {
        set_location(execution, &asked);
        execution->text = resolve(start, &asked, failure);
        wrong = execution->text ? check(execution->text, execution->database, &statement, failure) : -1;
        if (!wrong)
            set_location(execution, &statement);
        athena_statement_free(&statement);
    }
    athena_statement_free(&asked);
    execution->refused = wrong != 0;
    if (!wrong || strcmp(failure->kind, "SYNTAX_ERROR") != 0)
        return true;
    athena_invalid(start->request, "MALFORMED_QUERY", "%s", failure->text);
    return false;
}

static void hash_json(char hash[SIGV4_HEX], const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    sigv4_sha256(text ? text : "", text ? strlen(text) : 0, hash);
    free(text);
}

/* The same question with the same kind of answer in the same place. */
static bool reuse_hash(const struct start *start, const struct athena_execution *execution,
                       char hash[SIGV4_HEX])
{
    if (execution->refused || strcmp(execution->subtype, "SELECT") != 0)
        return false;
    json_t *key = json_pack("{s:s,s:s,s:s,s:s,s:O}", "w", execution->workgroup, "d", execution->database, "q",
                            execution->text, "o", execution->output, "r",
                            json_object_get(start->given, "ResultConfiguration"));
    hash_json(hash, key);
    json_decref(key);
    return true;
}

/* Whether the object with the result is still there. */
static bool result_is_there(struct athena *athena, const json_t *execution)
{
    char bucket[64], key[1025];
    struct object_info info = {0};
    const char *location = json_string_value(
        json_object_get(json_object_get(execution, "ResultConfiguration"), "OutputLocation"));
    bool there = athena_s3_split(location, bucket, key) &&
                 objects_head(athena->context->objects, bucket, key, &info, NULL) == OBJECTS_OK;
    object_info_free(&info);
    return there;
}

/* An execution that has ended at once with the result of an earlier one. False: there is none. */
static bool reuse(struct start *start, struct athena_execution *execution, const char *hash,
                  struct athena_entry *entry, json_t **description, json_t **details)
{
    const json_t *by_age =
        member(start->request, "ResultReuseConfiguration", "ResultReuseByAgeConfiguration");
    const json_t *age = json_object_get(by_age, "MaxAgeInMinutes");
    int64_t minutes = age ? json_integer_value(age) : 60, now = start->request->now_us;
    json_t *earlier = NULL;
    if (!json_is_true(json_object_get(by_age, "Enabled")) ||
        athena_history_reuse(start->athena->history, hash, now - minutes * 60000000, &earlier, details,
                             NULL) != 1)
        return false;
    if (!result_is_there(start->athena, earlier)) {
        json_decref(earlier);
        json_decref(*details);
        return false;
    }
    free(execution->location);
    execution->location = mem_text(json_string_value(
        json_object_get(json_object_get(earlier, "ResultConfiguration"), "OutputLocation")));
    json_decref(earlier);
    execution->state = EXECUTION_SUCCEEDED;
    execution->completed_us = now;
    *description = athena_execution_describe(execution);
    json_object_set_new(json_object_get(*description, "Statistics"), "ResultReuseInformation",
                        json_pack("{s:b}", "ReusedPreviousResult", 1));
    entry->reuse = NULL; /* its age is that of the result */
    entry->completed_us = now;
    entry->succeeded = true;
    return true;
}

/* Into history and queue. Answers. The execution is taken over. */
static void accept(struct start *start, struct athena_execution *execution)
{
    struct athena *athena = start->athena;
    struct err err = ERR_INIT;
    char same_request[SIGV4_HEX], reusable[SIGV4_HEX], id[37];
    const char *token = request_json_text(start->request, "ClientRequestToken");
    json_t *body = json_copy(start->request->json);
    json_object_del(body, "ClientRequestToken");
    hash_json(same_request, body);
    json_decref(body);
    struct athena_entry entry = {.id = execution->id,
                                 .workgroup = execution->workgroup,
                                 .token = token,
                                 .request = same_request,
                                 .submitted_us = execution->submitted_us};
    entry.reuse = reuse_hash(start, execution, reusable) ? reusable : NULL;
    memcpy(id, execution->id, sizeof id);

    pthread_mutex_lock(&athena->lock);
    bool same = true, full = false;
    int known = token ? athena_history_token(athena->history, token, same_request, id, &same, &err) : 0;
    if (known == 0) {
        json_t *description = NULL, *details = NULL;
        bool ended = entry.reuse && reuse(start, execution, reusable, &entry, &description, &details);
        full = !ended && athena->waiting >= ATHENA_QUEUE_MAX;
        if (!ended) {
            description = athena_execution_describe(execution);
            details = athena_execution_details(execution);
        }
        entry.execution = description;
        entry.details = details;
        if (!full && athena_history_add(athena->history, &entry, &err) != 0)
            known = -1;
        if (!full && known == 0 && !ended) {
            athena_work_add(athena, execution);
            execution = NULL;
        }
        json_decref(description);
        json_decref(details);
    }
    pthread_mutex_unlock(&athena->lock);
    athena_execution_free(execution);
    if (known < 0) {
        request_fail_internal(start->request, &err);
    } else if (full) {
        request_fail(start->request, 400, "TooManyRequestsException",
                     "You have exceeded the limit for the number of queries you can run concurrently. Please "
                     "reduce the number of concurrent queries submitted by this account.");
        request_fail_member(start->request, "Reason", json_string("CONCURRENT_QUERY_LIMIT_EXCEEDED"));
    } else if (!same) {
        athena_invalid(start->request, "IDEMPOTENT_PARAMETER_MISMATCH", "Idempotent parameters do not match");
    } else {
        request_reply_json(start->request, json_pack("{s:s}", "QueryExecutionId", id));
    }
}

static bool parameters_ok(struct request *request)
{
    const json_t *values = json_object_get(request->json, "ExecutionParameters");
    bool good = !values || (json_is_array(values) && json_array_size(values) > 0);
    for (size_t i = 0; good && i < json_array_size(values); i++) {
        const char *value = json_string_value(json_array_get(values, i));
        good = value && *value && strlen(value) <= 1024;
    }
    if (!good)
        athena_invalid(request, "INVALID_INPUT",
                       "1 validation error detected: Value at 'executionParameters' failed to satisfy "
                       "constraint: Member must have length between 1 and 1024");
    return good;
}

void athena_start_query(struct request *request)
{
    struct start start = {.request = request, .athena = request->state};
    start.text = athena_text(request, "QueryString", 1, ATHENA_QUERY_MAX);
    start.workgroup_name = start.text ? athena_workgroup_name(request) : NULL;
    const char *catalog = json_string_value(member(request, "QueryExecutionContext", "Catalog"));
    if (!start.workgroup_name || !parameters_ok(request))
        return;
    if (catalog && !text_equal_fold(catalog, "awsdatacatalog")) {
        athena_invalid(request, "INVALID_INPUT", "Catalog '%.200s' does not exist", catalog);
        return;
    }
    start.workgroup = athena_workgroup_get(request, start.workgroup_name);
    if (!start.workgroup)
        return;
    if (strcmp(json_string_value(json_object_get(start.workgroup, "State")), "DISABLED") == 0) {
        athena_invalid(request, "INVALID_INPUT", "WorkGroup %s is disabled.", start.workgroup_name);
        json_decref(start.workgroup);
        return;
    }
    start.database = json_string_value(member(request, "QueryExecutionContext", "Database"));
    start.given = json_object();
    static const char *const again[] = {"ExecutionParameters", "ResultReuseConfiguration"};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++)
        if (json_object_get(request->json, again[i]))
            json_object_set(start.given, again[i], json_object_get(request->json, again[i]));
    if (choose_output(&start)) {
        struct athena_execution *execution = mem_zero(1, sizeof *execution);
        athena_execution_id(execution->id);
        execution->query = mem_text(start.text);
        execution->database = mem_text(start.database ? start.database : "default");
        execution->workgroup = mem_text(start.workgroup_name);
        execution->output = start.output;
        execution->given = json_incref(start.given);
        execution->submitted_us = request->now_us;
        execution->cutoff = json_integer_value(
            json_object_get(json_object_get(start.workgroup, "Configuration"), "BytesScannedCutoffPerQuery"));
        if (read_statement(&start, execution))
            accept(&start, execution);
        else
            athena_execution_free(execution);
    }
    json_decref(start.given);
    json_decref(start.workgroup);
}

/* ---- the rest --------------------------------------------------------------------------------------- */

/* 1, 0 not found, -1 with err. */
static int look_up(struct athena *athena, const char *id, json_t **description, json_t **details,
                   struct err *err)
{
    pthread_mutex_lock(&athena->lock);
    const struct athena_execution *execution = athena_work_find(athena, id);
    if (execution) {
        *description = athena_execution_describe(execution);
        *details = athena_execution_details(execution);
    }
    pthread_mutex_unlock(&athena->lock);
    return execution ? 1 : athena_history_get(athena->history, id, description, details, err);
}

bool athena_query_look_up(struct request *request, json_t **description, json_t **details)
{
    struct err err = ERR_INIT;
    const char *id = athena_text(request, "QueryExecutionId", 1, 128);
    int found = id ? look_up(request->state, id, description, details, &err) : 1;
    if (found < 0)
        request_fail_internal(request, &err);
    else if (found == 0)
        athena_invalid(request, "QUERY_EXECUTION_NOT_FOUND", "QueryExecution %s was not found", id);
    return id && found == 1;
}

void athena_get_query(struct request *request)
{
    json_t *description, *details;
    if (!athena_query_look_up(request, &description, &details))
        return;
    json_decref(details);
    request_reply_json(request, json_pack("{s:o}", "QueryExecution", description));
}

void athena_batch_get_query(struct request *request)
{
    json_t *found = json_array(), *missing = json_array(), *item;
    const json_t *ids = request_json_array(request, "QueryExecutionIds");
    size_t index;
    if (json_array_size(ids) < 1 || json_array_size(ids) > 50) {
        athena_invalid(request, "INVALID_INPUT", "QueryExecutionIds holds 1 to 50 ids");
        json_decref(found);
        json_decref(missing);
        return;
    }
    json_array_foreach(ids, index, item)
    {
        const char *id = json_string_value(item);
        json_t *description, *details;
        if (id && look_up(request->state, id, &description, &details, NULL) == 1) {
            json_array_append_new(found, description);
            json_decref(details);
        } else {
            json_array_append_new(missing,
                                  json_pack("{s:s,s:s,s:o}", "QueryExecutionId", id ? id : "", "ErrorCode",
                                            "QUERY_EXECUTION_NOT_FOUND", "ErrorMessage",
                                            json_sprintf("QueryExecution %s was not found", id ? id : "")));
        }
    }
    request_reply_json(
        request, json_pack("{s:o,s:o}", "QueryExecutions", found, "UnprocessedQueryExecutionIds", missing));
}

void athena_stop_query(struct request *request)
{
    struct athena *athena = request->state;
    json_t *description, *details;
    if (!athena_query_look_up(request, &description, &details))
        return;
    json_decref(description);
    json_decref(details);
    pthread_mutex_lock(&athena->lock);
    struct athena_execution *execution =
        athena_work_find(athena, request_json_text(request, "QueryExecutionId"));
    if (execution)
        athena_work_cancel(athena, execution);
    pthread_mutex_unlock(&athena->lock);
    request_reply_json(request, json_object());
}

void athena_list_queries(struct request *request)
{
    struct athena *athena = request->state;
    struct athena_page page;
    struct err err = ERR_INIT;
    int64_t next;
    const char *workgroup = athena_workgroup_name(request);
    json_t *document = workgroup ? athena_workgroup_get(request, workgroup) : NULL;
    json_decref(document);
    if (!document || !athena_page_begin(request, &page, 50, 50))
        return;
    if (athena_history_list(athena->history, workgroup, page.from ? page.from : INT64_MAX,
                            (int64_t)page.limit, page.items, &next, &err) != 0) {
        json_decref(page.items);
        request_fail_internal(request, &err);
        return;
    }
    json_t *answer = json_pack("{s:o}", "QueryExecutionIds", page.items);
    if (next)
        json_object_set_new(answer, "NextToken", json_sprintf("%lld", (long long)next));
    request_reply_json(request, answer);
}

void athena_get_runtime_statistics(struct request *request)
{
    static const char *const times[] = {"QueryQueueTimeInMillis",        "ServicePreProcessingTimeInMillis",
                                        "QueryPlanningTimeInMillis",     "EngineExecutionTimeInMillis",
                                        "ServiceProcessingTimeInMillis", "TotalExecutionTimeInMillis"};
    json_t *description, *details;
    if (!athena_query_look_up(request, &description, &details))
        return;
    const json_t *statistics = json_object_get(description, "Statistics");
    json_t *timeline = json_object();
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (json_object_get(statistics, times[i]))
            json_object_set(timeline, times[i], json_object_get(statistics, times[i]));
    json_t *answer = json_pack("{s:{s:o}}", "QueryRuntimeStatistics", "Timeline", timeline);
    if (json_object_get(json_object_get(description, "Status"), "CompletionDateTime")) {
        json_int_t scanned = json_integer_value(json_object_get(statistics, "DataScannedInBytes"));
        json_object_set_new(json_object_get(answer, "QueryRuntimeStatistics"), "Rows",
                            json_pack("{s:I,s:O*,s:O,s:O}", "InputBytes", scanned, "InputRows",
                                      json_object_get(details, "read"), "OutputRows",
                                      json_object_get(details, "rows"), "OutputBytes",
                                      json_object_get(details, "bytes")));
    }
    json_decref(description);
    json_decref(details);
    request_reply_json(request, answer);
}
