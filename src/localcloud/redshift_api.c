/* The Data API's statements: submitting them, asking after them, reading what came out. */
#include "localcloud/redshift_private.h"

#include "base/checksum.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQLS_MAX       40
#define PARAMETERS_MAX 200
#define WAIT_MAX       30 /* seconds */

static int invalid(struct request *request, const char *text)
{
    return request_fail(request, 400, "ValidationException", "%s", text);
}

int redshift_check_target(struct request *request, bool database)
{
    const char *workgroup = request_json_text(request, "WorkgroupName");
    const char *cluster = request_json_text(request, "ClusterIdentifier");
    if (workgroup && cluster)
        return invalid(request, "WorkgroupName and ClusterIdentifier cannot both be specified.");
    if (!workgroup && !cluster)
        return invalid(request, "Either WorkgroupName or ClusterIdentifier must be specified.");
    if (workgroup ? strlen(workgroup) < 3 || strlen(workgroup) > 128 : !*cluster || strlen(cluster) > 63)
        return invalid(request, "Redshift endpoint doesn't exist in this region.");
    const char *name = request_json_text(request, "Database");
    if (database && (!name || !*name || strlen(name) > 127))
        return invalid(request, "Database name is required.");
    return 0;
}

/* ---- submitting ------------------------------------------------------------------------------------- */

/* What was asked, for ClientToken: the same text gives the same hash. */
static void hash_request(const struct request *request, char hash[CHECKSUM_TEXT_SIZE])
{
    char *text = json_dumps(request->json, JSON_COMPACT | JSON_SORT_KEYS);
    unsigned char bytes[CHECKSUM_BYTES];
    size_t length = checksum_of(CHECKSUM_SHA256, text ? text : "", text ? strlen(text) : 0, bytes);
    checksum_text(bytes, length, hash);
    free(text);
}

static json_t *submitted(const json_t *document)
{
    static const char *const members[] = {"Id",       "CreatedAt", "ClusterIdentifier", "DbUser",
                                          "Database", "SecretArn", "WorkgroupName",     "SessionId"};
    json_t *answer = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(document, members[i]);
        if (value)
            json_object_set(answer, members[i], value);
    }
    return answer;
}

static int check_parameters(struct request *request, const json_t *list)
{
    size_t index;
    json_t *item;
    if (json_array_size(list) > PARAMETERS_MAX)
        return invalid(request, "Too many parameters.");
    json_array_foreach(list, index, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *value = json_string_value(json_object_get(item, "value"));
        if (!name || !*name || !value || !*value)
            return invalid(request, "Parameter name and value must not be empty.");
    }
    return 0;
}

/* Reads the statements once, to know what they want: each parameter must be there, and be used. */
static int inspect(struct request *request, struct redshift_job *job)
{
    size_t count = json_array_size(job->parameters);
    struct redshift_parameter *parameters = mem_zero(count + 1, sizeof *parameters);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(job->parameters, i);
        parameters[i].name = json_string_value(json_object_get(item, "name"));
        parameters[i].value = json_string_value(json_object_get(item, "value"));
    }
    int result = 0;
    bool readable = true;
    job->reads = true;
    for (size_t i = 0; i < job->count && result == 0; i++) {
        struct redshift_tokens tokens;
        struct redshift_failure failure = {.validation = false};
        if (strlen(job->sqls[i]) > REDSHIFT_SQL_LIMIT) {
            result = invalid(request, "Sql statement exceeds the limit of 100 KB.");
        } else if (redshift_lex(&tokens, job->sqls[i], parameters, count, &failure) == 0) {
            job->reads &= redshift_only_reads(&tokens);
            job->controls |= redshift_controls(&tokens);
            redshift_tokens_free(&tokens);
        } else if (failure.validation) {
            result = invalid(request, failure.text);
        } else {
            readable = job->reads = false; /* it fails when it runs */
        }
    }
    struct buf unused;
    buf_init(&unused, 4096);
    for (size_t i = 0; i < count && readable; i++)
        if (!parameters[i].used)
            buf_printf(&unused, "%s%s", unused.length ? ", " : "", parameters[i].name);
    if (result == 0 && unused.length > 0)
        result =
            request_fail(request, 400, "ValidationException",
                         "Parameters list contains unused parameters. Unused parameters: [%s]", unused.data);
    buf_free(&unused);
    free(parameters);
    return result;
}

static void copy_text(json_t *to, const struct request *request, const char *name)
{
    const char *text = request_json_text(request, name);
    if (text)
        json_object_set_new(to, name, json_string(text));
}

/* 1: an earlier request with this token has its answer; -1: refused. */
static int replay(struct request *request, const char *token, const char *hash, json_t **answer)
{
    struct redshift *redshift = request->state;
    struct err err = ERR_INIT;
    bool same = false;
    if (!token)
        return 0;
    if (!*token || strlen(token) > 64)
        return invalid(request, "ClientToken must be 1 to 64 characters long.");
    json_t *document =
        redshift_history_token(redshift->history, token, hash, request->now_us / 1000, &same, &err);
    if (!document)
        return 0;
    if (same)
        *answer = submitted(document);
    else
        invalid(request, "ClientToken was used with different parameters.");
    json_decref(document);
    return same ? 1 : -1;
}

static void describe_new(struct request *request, struct redshift_job *job)
{
    json_t *document = job->document;
    json_t *now = redshift_seconds(request->now_us);
    static const char *const copied[] = {"Database", "ClusterIdentifier", "WorkgroupName", "SecretArn",
                                         "DbUser"};
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        copy_text(document, request, copied[i]);
    if (!json_object_get(document, "DbUser"))
        json_object_set_new(document, "DbUser", json_string(REDSHIFT_USER));
    json_object_set_new(document, "Id", json_string(job->id));
    json_object_set(document, "CreatedAt", now);
    json_object_set(document, "UpdatedAt", now);
    json_object_set_new(document, "Status", json_string("SUBMITTED"));
    json_object_set_new(document, "Duration", json_integer(-1));
    json_object_set_new(document, "HasResultSet", json_false());
    json_object_set_new(document, "RedshiftPid", json_integer(1073815778));
    json_object_set_new(document, "RedshiftQueryId", json_integer(0));
    json_object_set_new(document, "ResultRows", json_integer(-1));
    json_object_set_new(document, "ResultSize", json_integer(-1));
    json_object_set_new(document, "ResultFormat", json_string(job->csv ? "CSV" : "JSON"));
    json_object_set_new(document, "_batch", json_boolean(job->batch));
    const char *name = request_json_text(request, "StatementName");
    if (name)
        json_object_set_new(document, "_name", json_string(name));
    if (json_array_size(job->parameters) > 0)
        json_object_set(document, "QueryParameters", job->parameters);
    if (job->batch) {
        json_t *list = json_array();
        for (size_t i = 0; i < job->count; i++) {
            char id[REDSHIFT_ID_SIZE + 24];
            snprintf(id, sizeof id, "%s:%zu", job->id, i + 1);
            json_array_append_new(list,
                                  json_pack("{s:s,s:s,s:s,s:O,s:O,s:i,s:i,s:i,s:i,s:b}", "Id", id,
                                            "QueryString", job->sqls[i], "Status", "SUBMITTED", "CreatedAt",
                                            now, "UpdatedAt", now, "Duration", -1, "ResultRows", -1,
                                            "ResultSize", -1, "RedshiftQueryId", -1, "HasResultSet", 0));
        }
        json_object_set_new(document, "SubStatements", list);
    } else {
        json_object_set_new(document, "QueryString", json_string(job->sqls[0]));
    }
    json_decref(now);
}

static int submit(struct request *request, struct redshift_job *job, const char *token, const char *hash,
                  json_t **answer)
{
    struct redshift *redshift = request->state;
    struct err err = ERR_INIT;
    const char *name = request_json_text(request, "StatementName");
    const char *format = request_json_text(request, "ResultFormat");
    if (format && strcmp(format, "JSON") != 0 && strcmp(format, "CSV") != 0)
        return invalid(request, "ResultFormat must be JSON or CSV.");
    job->csv = format && strcmp(format, "CSV") == 0;
    job->parameters = json_incref(request_json_array(request, "Parameters"));
    if (check_parameters(request, job->parameters) != 0 || inspect(request, job) != 0 ||
        redshift_session_take(request, job) != 0)
        return -1;
    redshift_make_id(job->id);
    describe_new(request, job);
    job->number = redshift_history_add(redshift->history, job->document, name ? name : "", token ? token : "",
                                       hash, request->now_us / 1000, &err);
    *answer = submitted(job->document);
    if (job->number >= 0 && redshift_queue_add(redshift, job, &err) == 0)
        return 0;
    json_decref(*answer);
    *answer = NULL;
    redshift_session_leave(redshift, job);
    if (job->number < 0)
        return request_fail_internal(request, &err);
    json_object_set_new(job->document, "Status", json_string("ABORTED"));
    struct err ignored = ERR_INIT;
    redshift_history_update(redshift->history, job->document, &ignored);
    return request_fail(request, 400, "ActiveStatementsExceededException", "%s", err.text);
}

/* The answer, after WaitTimeSeconds with what has become of the statement. */
static void reply_submitted(struct request *request, json_t *answer)
{
    struct redshift *redshift = request->state;
    struct err err = ERR_INIT;
    int64_t wait = request_json_int(request, "WaitTimeSeconds", 0);
    const char *id = json_string_value(json_object_get(answer, "Id"));
    if (wait > 0 && id) {
        static const char *const members[] = {"Status", "RedshiftPid", "HasResultSet"};
        redshift_queue_wait(redshift, id, wait > WAIT_MAX ? WAIT_MAX : wait);
        json_t *document = redshift_history_get(redshift->history, id, &err);
        for (size_t i = 0; document && i < sizeof members / sizeof *members; i++)
            json_object_set(answer, members[i], json_object_get(document, members[i]));
        json_decref(document);
    }
    request_reply_json(request, answer);
}

static void execute(struct request *request, bool batch)
{
    char hash[CHECKSUM_TEXT_SIZE];
    const char *token = request_json_text(request, "ClientToken");
    const char *mode = request_json_text(request, "ExecutionMode");
    json_t *sqls = batch ? request_json_array(request, "Sqls") : NULL;
    const char *sql = request_json_text(request, "Sql");
    hash_request(request, hash);
    if (batch ? json_array_size(sqls) == 0 || json_array_size(sqls) > SQLS_MAX : !sql || !*sql) {
        invalid(request, batch ? "Sqls must have 1 to 40 statements." : "Sql must not be empty.");
        return;
    }
    struct redshift *redshift = request->state;
    struct redshift_job *job = mem_zero(1, sizeof *job);
    job->document = json_object();
    job->batch = batch;
    job->auto_commit = mode && strcmp(mode, "AUTO_COMMIT") == 0;
    job->count = batch ? json_array_size(sqls) : 1;
    job->sqls = mem_zero(job->count, sizeof *job->sqls);
    bool good = true;
    for (size_t i = 0; i < job->count; i++) {
        const char *text = batch ? json_string_value(json_array_get(sqls, i)) : sql;
        good &= text && *text;
        job->sqls[i] = mem_text(text ? text : "");
    }
    if (!good)
        invalid(request, "Sql must not be empty.");
    /* Between looking for the token and noting it nobody else may note it. */
    json_t *answer = NULL;
    pthread_mutex_lock(&redshift->submitting);
    if (!good || replay(request, token, hash, &answer) != 0 ||
        submit(request, job, token, hash, &answer) != 0)
        redshift_job_destroy(job);
    pthread_mutex_unlock(&redshift->submitting);
    if (answer)
        reply_submitted(request, answer);
}

void redshift_execute_statement(struct request *request)
{
    execute(request, false);
}

void redshift_batch_execute_statement(struct request *request)
{
    execute(request, true);
}

/* ---- asking after them ------------------------------------------------------------------------------ */

/* The document of Id, or, with a suffix, of its part (borrowed from *whole). NULL when the answer is made. */
static json_t *find_document(struct request *request, json_t **whole)
{
    struct redshift *redshift = request->state;
    struct err err = ERR_INIT;
    const char *id = request_json_text(request, "Id");
    int64_t index = 0;
    *whole = NULL;
    if (!id || strlen(id) < 36 ||
        (id[36] && (id[36] != ':' || !text_parse_int(id + 37, 1, SQLS_MAX, &index)))) {
        invalid(request,
                "id must satisfy regex pattern: ^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\\d+)?$");
        return NULL;
    }
    char plain[REDSHIFT_ID_SIZE];
    snprintf(plain, sizeof plain, "%.36s", id);
    int64_t wait = request_json_int(request, "WaitTimeSeconds", 0);
    if (wait > 0)
        redshift_queue_wait(redshift, plain, wait > WAIT_MAX ? WAIT_MAX : wait);
    *whole = redshift_history_get(redshift->history, plain, &err);
    json_t *found =
        index ? json_array_get(json_object_get(*whole, "SubStatements"), (size_t)index - 1) : *whole;
    if (!found) {
        if (err.kind != ERR_NONE) {
            request_fail_internal(request, &err);
        } else {
            request_fail(request, 400, "ResourceNotFoundException", "Query does not exist.");
            request_fail_member(request, "ResourceId", json_string(id));
        }
        json_decref(*whole);
        *whole = NULL;
    }
    return found;
}

static json_t *without_own(const json_t *document)
{
    json_t *answer = json_object(), *value;
    const char *name;
    json_object_foreach((json_t *)document, name, value) if (name[0] != '_')
        json_object_set(answer, name, value);
    json_t *subs = json_object_get(document, "SubStatements");
    if (subs) {
        json_t *list = json_array();
        size_t index;
        json_array_foreach(subs, index, value) json_array_append_new(list, without_own(value));
        json_object_set_new(answer, "SubStatements", list);
    }
    return answer;
}

void redshift_describe_statement(struct request *request)
{
    json_t *whole, *document = find_document(request, &whole);
    if (!document)
        return;
    request_reply_json(request, without_own(document));
    json_decref(whole);
}

static void give_result(struct request *request, bool csv)
{
    struct redshift *redshift = request->state;
    json_t *whole, *document = find_document(request, &whole);
    if (!document)
        return;
    const char *status = json_string_value(json_object_get(document, "Status"));
    const char *token = request_json_text(request, "NextToken"), *id = request_json_text(request, "Id");
    bool was_csv = strcmp(json_string_value(json_object_get(whole, "ResultFormat")), "CSV") == 0;
    json_t *columns = json_object_get(document, "_columns");
    int64_t page = 0, pages = json_integer_value(json_object_get(document, "_pages"));
    struct err err = ERR_INIT;
    struct buf body;
    buf_init(&body, 128u << 20);
    if (strcmp(status, "FINISHED") != 0 || !columns) {
        invalid(request, "Query does not have result. Please check query status with DescribeStatement.");
    } else if (was_csv != csv) {
        invalid(request, csv ? "The result is in JSON format: use GetStatementResult."
                             : "The result is in CSV format: use GetStatementResultV2.");
    } else if (token && !text_parse_int(token, 1, pages - 1, &page)) {
        invalid(request, "NextToken is not valid.");
    } else if (pages > 0 && redshift_history_read(redshift->history, id, page, &body, &err) != 1) {
        if (err.kind == ERR_NONE)
            err_set(&err, ERR_CORRUPT, "page %d of a result is missing", (int)page);
        request_fail_internal(request, &err);
    } else {
        json_t *records = NULL;
        if (csv)
            records = pages > 0 ? json_pack("[{s:s}]", "CSVRecords", body.data) : json_array();
        else
            records = pages > 0 ? json_loadb(body.data, body.length, 0, NULL) : json_array();
        json_t *answer =
            json_pack("{s:o,s:O,s:O}", "Records", records ? records : json_array(), "ColumnMetadata", columns,
                      "TotalNumRows", json_object_get(document, "ResultRows"));
        if (csv)
            json_object_set_new(answer, "ResultFormat", json_string("CSV"));
        if (page + 1 < pages) {
            char next[24];
            snprintf(next, sizeof next, "%lld", (long long)page + 1);
            json_object_set_new(answer, "NextToken", json_string(next));
        }
        request_reply_json(request, answer);
    }
    buf_free(&body);
    json_decref(whole);
}

void redshift_get_statement_result(struct request *request)
{
    give_result(request, false);
}

void redshift_get_statement_result_v2(struct request *request)
{
    give_result(request, true);
}

static json_t *listed(const json_t *document)
{
    static const char *const members[] = {"Id",         "Status",    "CreatedAt",       "UpdatedAt",
                                          "SecretArn",  "SessionId", "QueryParameters", "ResultFormat",
                                          "QueryString"};
    json_t *item = json_object(), *value;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if ((value = json_object_get(document, members[i])))
            json_object_set(item, members[i], value);
    if ((value = json_object_get(document, "_name")))
        json_object_set(item, "StatementName", value);
    bool batch = json_is_true(json_object_get(document, "_batch"));
    json_object_set_new(item, "IsBatchStatement", json_boolean(batch));
    if (batch) {
        json_t *list = json_array();
        size_t index;
        json_array_foreach(json_object_get(document, "SubStatements"), index, value)
            json_array_append(list, json_object_get(value, "QueryString"));
        json_object_set_new(item, "QueryStrings", list);
    }
    return item;
}

void redshift_list_statements(struct request *request)
{
    struct redshift *redshift = request->state;
    struct err err = ERR_INIT;
    const char *status = request_json_text(request, "Status"),
               *name = request_json_text(request, "StatementName");
    const char *token = request_json_text(request, "NextToken");
    int64_t limit = request_json_int(request, "MaxResults", 100);
    static const char *const known[] = {"ALL",      "SUBMITTED", "PICKED", "STARTED",
                                        "FINISHED", "FAILED",    "ABORTED"};
    bool good = !status;
    for (size_t i = 0; i < sizeof known / sizeof *known && !good; i++)
        good = strcmp(status, known[i]) == 0;
    struct redshift_history_query query = {
        .status = !status                      ? "FINISHED"
                  : strcmp(status, "ALL") == 0 ? NULL
                                               : status,
        .name_prefix = name ? name : "",
        .database = request_json_text(request, "Database"),
        .cluster = request_json_text(request, "ClusterIdentifier"),
        .workgroup = request_json_text(request, "WorkgroupName"),
    };
    if (!good || limit < 0 || limit > 100 || (token && !text_parse_int(token, 1, INT64_MAX, &query.before))) {
        invalid(request, !good ? "Status is not valid." : "MaxResults or NextToken is not valid.");
        return;
    }
    limit = limit ? limit : 100;
    query.limit = (int)limit + 1;
    json_t *found = redshift_history_list(redshift->history, &query, &err);
    if (!found) {
        request_fail_internal(request, &err);
        return;
    }
    json_t *list = json_array(), *answer = json_pack("{s:o}", "Statements", list);
    for (size_t i = 0; i < json_array_size(found) && i < (size_t)limit; i++)
        json_array_append_new(list, listed(json_array_get(found, i)));
    if (json_array_size(found) > (size_t)limit) {
        char next[24];
        const json_t *last = json_array_get(found, (size_t)limit - 1);
        snprintf(next, sizeof next, "%lld", (long long)json_integer_value(json_object_get(last, "_number")));
        json_object_set_new(answer, "NextToken", json_string(next));
    }
    json_decref(found);
    request_reply_json(request, answer);
}

void redshift_cancel_statement(struct request *request)
{
    struct redshift *redshift = request->state;
    json_t *whole, *document = find_document(request, &whole);
    if (!document)
        return;
    const char *status = json_string_value(json_object_get(whole, "Status"));
    const char *id = json_string_value(json_object_get(whole, "Id"));
    if (redshift_queue_cancel(redshift, id))
        request_reply_json(request, json_pack("{s:b}", "Status", 1));
    else
        request_fail(request, 400, "ValidationException",
                     "Could not cancel a query that is already in %s state with ID: %s", status, id);
    json_decref(whole);
}
