/* The steps of the pipeline: the table at the end, and what each of its rows does. */
#include "base/err.h"
#include "base/text.h"
#include "lake/pipeline_private.h"
#include "lake/sql_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_LIMIT   (96u << 10) /* the Data API takes 100 KB */
#define LOAD_LIMIT  100
#define STAGE       "lake_stage"
#define SCRIPT_KEY  "scripts/raw_to_curated.sql"
#define TOKEN_SHORT 32

/* ---- batches of a job -------------------------------------------------------------------------------- */

char *pipeline_files_text(const struct lake_intent *intent)
{
    json_t *files = json_array();
    for (size_t i = 0; i < intent->file_count; i++)
        json_array_append_new(files, json_pack("{s:s, s:s, s:I, s:I}", "key", intent->files[i].key, "dt",
                                               intent->files[i].dt, "rows", (json_int_t)intent->files[i].rows,
                                               "bytes", (json_int_t)intent->files[i].bytes));
    char *text = json_dumps(files, JSON_COMPACT);
    json_decref(files);
    return text;
}

static void add_name(void *context, const struct ledger_batch *batch, const char *data)
{
    buf_printf(context, "%s\n", batch->name);
}

int pipeline_token(const struct pipeline_context *context, const struct ledger_job *job, char token[65],
                   struct err *err)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_printf(&text, "%s %d\n", ledger_step_name(job->step), (int)job->failures);
    int result = ledger_job_batches(context->ledger, job->id, add_name, &text, err);
    if (result == 0)
        lake_digest(text.data, text.length, token);
    buf_free(&text);
    return result;
}

/* ---- catalogue: a crawl ------------------------------------------------------------------------------ */

static json_t *call(const struct pipeline_context *context, enum aws_service_id service,
                    const char *operation, json_t *input, char code[LAKE_CODE_SIZE], struct err *err)
{
    return context->remote->call(context->remote->context, service, operation, input, code, err);
}

static int submit_crawl(const struct pipeline_context *context, struct ledger_job *job, bool *nothing,
                        struct err *err)
{
    char code[LAKE_CODE_SIZE], url[LAKE_URL_SIZE];
    const char *name = context->names->crawler;
    *nothing = false;
    json_t *answer = call(context, AWS_GLUE, "StartCrawler", json_pack("{s:s}", "Name", name), code, err);
    if (!answer && strcmp(code, "EntityNotFoundException") == 0) {
        answer = call(context, AWS_GLUE, "CreateCrawler",
                      json_pack("{s:s, s:s, s:s, s:{s:[{s:s}]}}", "Name", name, "Role",
                                context->names->glue_role, "DatabaseName", LAKE_DATABASE_RAW, "Targets",
                                "S3Targets", "Path", lake_url(url, context->remote, "raw/")),
                      code, err);
        if (!answer && strcmp(code, "AlreadyExistsException") != 0)
            return -1;
        json_decref(answer);
        answer = call(context, AWS_GLUE, "StartCrawler", json_pack("{s:s}", "Name", name), code, err);
    }
    if (!answer && strcmp(code, "CrawlerRunningException") != 0)
        return -1;
    json_decref(answer);
    snprintf(job->remote_id, sizeof job->remote_id, "crawl:%.140s", name);
    return 0;
}

/* ---- transform --------------------------------------------------------------------------------------- */

static void put_days(struct buf *out, const char *days)
{
    for (bool first = true; *days; first = false) {
        char day[LAKE_DT_SIZE];
        size_t length = strcspn(days, ",");
        snprintf(day, sizeof day, "%.*s", (int)(length < LAKE_DT_SIZE ? length : LAKE_DT_SIZE - 1), days);
        if (!first)
            buf_text(out, ", ");
        buf_sql_text(out, day);
        days += length + (days[length] == ',');
    }
}

static const char *value_of(const char *name, size_t length, enum event_kind kind, const struct buf *columns,
                            const struct buf *days)
{
    static const char *const names[] = {"topic", "columns", "days"};
    const char *const values[] = {event_topic(kind), columns->data, days->data};
    for (int i = 0; i < 3; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return values[i];
    return NULL;
}

int pipeline_transform_sql(enum event_kind kind, const char *day_list, struct buf *out, struct err *err)
{
    struct lake_schema schema;
    struct buf columns, days;
    buf_init(&columns, SQL_LIMIT);
    buf_init(&days, SQL_LIMIT);
    lake_schema_init(&schema, kind, LAKE_CURATED);
    lake_schema_select_list(&schema, &columns);
    put_days(&days, day_list);
    const char *at =
        strstr(sql_text_raw_to_curated, "INSERT"); /* what stands before is for readers of the file */
    int result = days.length > 0 ? 0 : err_set(err, ERR_USAGE, "no day to transform");
    while (result == 0 && *at) {
        size_t plain = strcspn(at, "$");
        buf_append(out, at, plain);
        at += plain;
        if (!*at)
            break;
        size_t length = strcspn(at, "}");
        const char *value = at[1] == '{' ? value_of(at + 2, length - 2, kind, &columns, &days) : NULL;
        if (!value)
            result = err_set(err, ERR_INTERNAL, "the transformation asks for %.*s", (int)length, at);
        else
            buf_text(out, value);
        at += length + (at[length] == '}');
    }
    if (result == 0 && out->overflow)
        result = err_set(err, ERR_LIMIT, "too many days for one transformation");
    buf_free(&columns);
    buf_free(&days);
    return result;
}

static int submit_athena(const struct pipeline_context *context, struct ledger_job *job, struct err *err)
{
    char code[LAKE_CODE_SIZE];
    struct buf sql;
    buf_init(&sql, SQL_LIMIT);
    json_t *answer = NULL, *input = NULL;
    if (pipeline_transform_sql(job->kind, job->days, &sql, err) == 0)
        input =
            json_pack("{s:s, s:s, s:s, s:{s:s}, s:{s:s}}", "QueryString", sql.data, "ClientRequestToken",
                      job->token, "WorkGroup", context->names->workgroup, "QueryExecutionContext", "Database",
                      LAKE_DATABASE_RAW, "ResultConfiguration", "OutputLocation", context->names->output);
    if (input && pipeline_turn_take(context, job, input, err) == 0)
        answer = call(context, AWS_ATHENA, "StartQueryExecution", json_incref(input), code, err);
    json_decref(input);
    buf_free(&sql);
    if (!answer)
        return -1;
    snprintf(job->remote_id, sizeof job->remote_id, "athena:%.140s",
             aws_json_text(answer, "QueryExecutionId"));
    json_decref(answer);
    return 0;
}

/* A run of this token that was begun already: StartJobRun has no token of its own. */
static int find_run(const struct pipeline_context *context, struct ledger_job *job, struct err *err)
{
    char code[LAKE_CODE_SIZE];
    json_t *answer =
        call(context, AWS_GLUE, "GetJobRuns",
             json_pack("{s:s, s:i}", "JobName", context->names->job, "MaxResults", 50), code, err);
    if (!answer)
        return strcmp(code, "EntityNotFoundException") == 0 ? 0 : -1;
    const json_t *run;
    size_t i;
    int found = 0;
    json_array_foreach(json_object_get(answer, "JobRuns"), i, run)
    {
        const char *token = json_string_value(json_object_get(json_object_get(run, "Arguments"), "--token"));
        if (!token || strcmp(token, job->token) != 0)
            continue;
        snprintf(job->remote_id, sizeof job->remote_id, "glue:%.140s", aws_json_text(run, "Id"));
        found = 1;
        break;
    }
    json_decref(answer);
    return found;
}

static json_t *run_input(const struct pipeline_context *context, const struct ledger_job *job)
{
    struct lake_schema schema;
    struct buf columns, days;
    buf_init(&columns, SQL_LIMIT);
    buf_init(&days, SQL_LIMIT);
    lake_schema_init(&schema, job->kind, LAKE_CURATED);
    lake_schema_select_list(&schema, &columns);
    put_days(&days, job->days);
    json_t *input =
        json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "JobName", context->names->job, "Arguments",
                  "--topic", event_topic(job->kind), "--columns", columns.data, "--days",
                  days.data ? days.data : "", "--database", LAKE_DATABASE_RAW, "--token", job->token);
    buf_free(&columns);
    buf_free(&days);
    return input;
}

static int create_job(const struct pipeline_context *context, struct err *err)
{
    char code[LAKE_CODE_SIZE], url[LAKE_URL_SIZE];
    json_t *answer = call(context, AWS_GLUE, "CreateJob",
                          json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:i}}", "Name", context->names->job, "Role",
                                    context->names->glue_role, "Command", "Name", "glueetl", "ScriptLocation",
                                    lake_url(url, context->remote, SCRIPT_KEY), "ExecutionProperty",
                                    "MaxConcurrentRuns", EVENT_KIND_COUNT),
                          code, err);
    json_decref(answer);
    return answer || strcmp(code, "AlreadyExistsException") == 0 ? 0 : -1;
}

static int submit_glue(const struct pipeline_context *context, struct ledger_job *job, struct err *err)
{
    char code[LAKE_CODE_SIZE];
    int found = find_run(context, job, err);
    if (found != 0)
        return found > 0 ? 0 : -1;
    if (context->remote->replace(context->remote->context, SCRIPT_KEY, sql_text_raw_to_curated,
                                 strlen(sql_text_raw_to_curated), "application/sql", err) != 0)
        return -1;
    json_t *answer = call(context, AWS_GLUE, "StartJobRun", run_input(context, job), code, err);
    if (!answer && strcmp(code, "EntityNotFoundException") == 0) {
        if (create_job(context, err) != 0)
            return -1;
        answer = call(context, AWS_GLUE, "StartJobRun", run_input(context, job), code, err);
    }
    if (!answer) {
        if (err && strcmp(code, "ConcurrentRunsExceededException") == 0)
            err->retriable = true;
        return -1;
    }
    snprintf(job->remote_id, sizeof job->remote_id, "glue:%.140s", aws_json_text(answer, "JobRunId"));
    json_decref(answer);
    return 0;
}

static int submit_transform(const struct pipeline_context *context, struct ledger_job *job, bool *nothing,
                            struct err *err)
{
    struct lake_schema schema;
    *nothing = job->days[0] == '\0';
    if (*nothing)
        return 0;
    lake_schema_init(&schema, job->kind, LAKE_CURATED);
    if (lake_catalogue_ensure(context->remote, &schema, NULL, err) != 0)
        return -1;
    return context->names->transform == PIPELINE_GLUE ? submit_glue(context, job, err)
                                                      : submit_athena(context, job, err);
}

/* ---- load -------------------------------------------------------------------------------------------- */

struct load {
    const struct pipeline_context *context;
    struct ledger_job *job;
    json_t *entries;        /* of the manifest */
    struct buf names, rows; /* of the warehouse's ledger */
};

static void add_batch(void *context, const struct ledger_batch *batch, const char *data)
{
    struct load *load = context;
    json_t *files = json_loads(data, 0, NULL);
    const json_t *file;
    size_t i;
    json_array_foreach(files, i, file)
    {
        char url[LAKE_URL_SIZE];
        lake_url(url, load->context->remote, aws_json_text(file, "key"));
        json_array_append_new(load->entries,
                              json_pack("{s:s, s:b, s:{s:I}}", "url", url, "mandatory", 1, "meta",
                                        "content_length", (json_int_t)aws_json_int(file, "bytes", 0)));
    }
    json_decref(files);
    char name[LAKE_SHA256_SIZE]; /* of fixed length, whatever the names are */
    lake_digest(batch->name, strlen(batch->name), name);
    buf_printf(&load->names, "%s'%s'", load->names.length ? ", " : "", name);
    buf_printf(&load->rows,
               "%s('%s', '%s', '%s', %" PRId32 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", getdate())",
               load->rows.length ? ", " : "", name, event_topic(batch->kind), batch->cluster,
               batch->partition, batch->start, batch->end, batch->rows);
}

static void add_sql(json_t *sqls, struct buf *sql)
{
    json_array_append_new(sqls, json_stringn(sql->data ? sql->data : "", sql->length));
    buf_reset(sql);
}

static void put_target(const struct pipeline_names *names, json_t *input)
{
    const char *const members[][2] = {{"WorkgroupName", names->redshift_workgroup},
                                      {"ClusterIdentifier", names->redshift_cluster},
                                      {"DbUser", names->redshift_user},
                                      {"SecretArn", names->redshift_secret},
                                      {"Database", names->database}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i][1])
            json_object_set_new(input, members[i][0], json_string(members[i][1]));
}

/* Columns of the warehouse's table; 0: there is no such table. -1. */
static int count_columns(const struct pipeline_context *context, const struct lake_schema *schema,
                         struct err *err)
{
    char code[LAKE_CODE_SIZE];
    struct err own = ERR_INIT;
    json_t *input = json_pack("{s:s, s:s}", "Schema", LAKE_WAREHOUSE, "Table", schema->table);
    put_target(context->names, input);
    json_t *answer = call(context, AWS_REDSHIFT_DATA, "DescribeTable", input, code, &own);
    if (!answer && (own.retriable || own.kind == ERR_CONNECT || own.kind == ERR_CANCELLED)) {
        *err = own;
        return -1;
    }
    int count = (int)json_array_size(json_object_get(answer, "ColumnList"));
    json_decref(answer);
    return count;
}

static void put_column(struct buf *sql, const struct lake_column *column)
{
    buf_printf(sql, "\"%s\" %s", column->name, lake_type_name(column->type));
    if (column->type == LAKE_VARCHAR)
        buf_printf(sql, "(%d)", (int)column->bytes);
}

static void stage_columns(const struct lake_schema *schema, struct buf *sql)
{
    buf_text(sql, "CREATE TEMP TABLE " STAGE " (");
    for (size_t i = 0; i < schema->column_count; i++) {
        if (i > 0)
            buf_text(sql, ", ");
        put_column(sql, &schema->columns[i]);
    }
    buf_text(sql, ")");
}

/* Fields that were added since the table was made; they are at its end. */
static void add_missing_columns(const struct lake_schema *schema, int there, json_t *sqls, struct buf *sql)
{
    for (size_t i = (size_t)there; there > 0 && i < schema->column_count; i++) {
        buf_printf(sql, "ALTER TABLE \"" LAKE_WAREHOUSE "\".\"%s\" ADD COLUMN ", schema->table);
        put_column(sql, &schema->columns[i]);
        add_sql(sqls, sql);
    }
}

/* One transaction: stage, replace, write down. there: columns of the table now. */
static json_t *load_statements(const struct load *load, int there, const char *manifest)
{
    struct lake_schema schema;
    struct buf sql;
    json_t *sqls = json_array();
    const char *role = load->context->names->redshift_role;
    buf_init(&sql, SQL_LIMIT);
    lake_schema_init(&schema, load->job->kind, LAKE_RAW);
    /* First of all, so that what is deleted below is seen as the load before left it: under snapshot
     * isolation, serverless's default, two loads at once would else both insert. */
    if (there > 0) {
        buf_printf(&sql, "LOCK \"" LAKE_WAREHOUSE "\".\"%s\"", schema.table);
        add_sql(sqls, &sql);
    }
    for (int i = 0; lake_schema_redshift_setup(i, &sql); i++)
        add_sql(sqls, &sql);
    lake_schema_redshift_ddl(&schema, &sql);
    add_sql(sqls, &sql);
    add_missing_columns(&schema, there, sqls, &sql);
    if (json_array_size(load->entries) > 0) {
        stage_columns(&schema, &sql);
        add_sql(sqls, &sql);
        buf_text(&sql, "COPY " STAGE " FROM ");
        buf_sql_text(&sql, manifest);
        buf_text(&sql, " IAM_ROLE ");
        if (strcmp(role, "default") == 0)
            buf_text(&sql, role);
        else
            buf_sql_text(&sql, role);
        buf_text(&sql, " FORMAT AS PARQUET MANIFEST FILLRECORD");
        add_sql(sqls, &sql);
        buf_printf(&sql,
                   "DELETE FROM \"" LAKE_WAREHOUSE "\".\"%s\" USING " STAGE
                   " WHERE \"%s\".\"_kafka_partition\" = " STAGE
                   ".\"_kafka_partition\" AND \"%s\".\"_kafka_offset\" = " STAGE
                   ".\"_kafka_offset\" AND coalesce(\"%s\".\"_kafka_cluster\", '') = coalesce(" STAGE
                   ".\"_kafka_cluster\", '')",
                   schema.table, schema.table, schema.table, schema.table);
        add_sql(sqls, &sql);
        buf_printf(&sql, "INSERT INTO \"" LAKE_WAREHOUSE "\".\"%s\" SELECT * FROM " STAGE, schema.table);
        add_sql(sqls, &sql);
    }
    buf_printf(&sql,
               "DELETE FROM \"" LAKE_WAREHOUSE "\".\"" LAKE_WAREHOUSE_LEDGER "\" WHERE \"batch_key\" IN (%s)",
               load->names.data);
    add_sql(sqls, &sql);
    buf_printf(&sql, "INSERT INTO \"" LAKE_WAREHOUSE "\".\"" LAKE_WAREHOUSE_LEDGER "\" VALUES %s",
               load->rows.data);
    add_sql(sqls, &sql);
    if (json_array_size(load->entries) > 0)
        json_array_append_new(sqls, json_string("DROP TABLE " STAGE));
    buf_free(&sql);
    return sqls;
}

static int put_manifest(const struct load *load, char url[LAKE_URL_SIZE], struct err *err)
{
    char key[LAKE_OBJECT_KEY_SIZE];
    snprintf(key, sizeof key, "load/%s-%.*s.manifest", event_topic(load->job->kind), TOKEN_SHORT,
             load->job->token);
    lake_url(url, load->context->remote, key);
    json_t *manifest = json_pack("{s:O}", "entries", load->entries);
    char *text = json_dumps(manifest, JSON_COMPACT);
    json_decref(manifest);
    int result = load->context->remote->replace(load->context->remote->context, key, text, strlen(text),
                                                "application/json", err);
    free(text);
    return result;
}

static int submit_load(const struct pipeline_context *context, struct ledger_job *job, bool *nothing,
                       struct err *err)
{
    struct load load = {.context = context, .job = job, .entries = json_array()};
    char code[LAKE_CODE_SIZE], url[LAKE_URL_SIZE];
    json_t *answer = NULL;
    *nothing = false;
    buf_init(&load.names, SQL_LIMIT);
    buf_init(&load.rows, SQL_LIMIT);
    struct lake_schema schema;
    lake_schema_init(&schema, job->kind, LAKE_RAW);
    int there = count_columns(context, &schema, err);
    int result = there < 0 ? -1 : ledger_job_batches(context->ledger, job->id, add_batch, &load, err);
    if (result == 0)
        result = put_manifest(&load, url, err);
    if (result == 0) {
        char short_token[TOKEN_SHORT + 1]; /* ClientToken is 64 at most */
        text_copy(short_token, sizeof short_token, job->token);
        json_t *input = json_pack("{s:o, s:s, s:s}", "Sqls", load_statements(&load, there, url),
                                  "ClientToken", short_token, "StatementName", "smartcity load");
        put_target(context->names, input);
        answer = call(context, AWS_REDSHIFT_DATA, "BatchExecuteStatement", input, code, err);
    }
    if (answer)
        snprintf(job->remote_id, sizeof job->remote_id, "redshift:%.140s", aws_json_text(answer, "Id"));
    json_decref(answer);
    json_decref(load.entries);
    buf_free(&load.names);
    buf_free(&load.rows);
    return answer ? 0 : -1;
}

/* ---- how it is doing ---------------------------------------------------------------------------------- */

int pipeline_poll(const struct pipeline_context *context, const struct ledger_job *job, struct aws_work *work,
                  struct err *err)
{
    char code[LAKE_CODE_SIZE];
    const char *colon = strchr(job->remote_id, ':');
    const char *id = colon ? colon + 1 : "";
    enum aws_service_id service = AWS_GLUE;
    const char *operation;
    json_t *input;
    if (strncmp(job->remote_id, "athena:", 7) == 0) {
        service = AWS_ATHENA;
        operation = "GetQueryExecution";
        input = json_pack("{s:s}", "QueryExecutionId", id);
    } else if (strncmp(job->remote_id, "glue:", 5) == 0) {
        operation = "GetJobRun";
        input = json_pack("{s:s, s:s}", "JobName", context->names->job, "RunId", id);
    } else if (strncmp(job->remote_id, "redshift:", 9) == 0) {
        service = AWS_REDSHIFT_DATA;
        operation = "DescribeStatement";
        input = json_pack("{s:s}", "Id", id);
    } else if (strncmp(job->remote_id, "crawl:", 6) == 0) {
        operation = "GetCrawler";
        input = json_pack("{s:s}", "Name", id);
    } else {
        return err_set(err, ERR_CORRUPT, "the ledger holds a job of no kind: %.60s", job->remote_id);
    }
    json_t *answer = call(context, service, operation, input, code, err);
    int result = answer ? aws_work_read(service, operation, answer, work, err) : -1;
    json_decref(answer);
    if (result == 0 && service == AWS_ATHENA &&
        (work->state == AWS_WORK_DONE || work->state == AWS_WORK_FAILED || work->state == AWS_WORK_CANCELLED))
        pipeline_turn_end(context, job);
    return result;
}

/* ---- the table ----------------------------------------------------------------------------------------- */

const struct pipeline_step pipeline_steps[PIPELINE_STEPS] = {
    {LEDGER_CATALOGUED, LEDGER_LANDED, 1000, submit_crawl},
    {LEDGER_TRANSFORMED, LEDGER_CATALOGUED, 1000, submit_transform},
    {LEDGER_LOADED, LEDGER_LANDED, LOAD_LIMIT, submit_load},
};
