/* Athena: StartQueryExecution, GetQueryExecution until it is over, GetQueryResults page by page. */
#include "app/query_private.h"

#include "aws/s3.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATABASE "smartcity_raw"
#define PAGE     1000

static int submit(struct query_run *run, struct err *err)
{
    const struct options *options = run->queries->settings.options;
    /* The results need a place; the lake's writer makes it, where there is one. Never in an account. */
    if (options->cloud == CLOUD_LOCAL &&
        aws_s3_bucket_wait(run->client, options->bucket, NULL, clock_mono_us() + QUERY_REQUEST_US, NULL,
                           err) < 0)
        return -1;
    char output[160], code[80];
    snprintf(output, sizeof output, "s3://%s/athena/", options->bucket);
    json_t *input = json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "QueryString", run->sql, "WorkGroup",
                              options->workgroup, "QueryExecutionContext", "Database", DATABASE,
                              "ResultConfiguration", "OutputLocation", output);
    json_t *configuration = json_object_get(input, "ResultConfiguration");
    if (options->bucket_owner[0])
        json_object_set_new(configuration, "ExpectedBucketOwner", json_string(options->bucket_owner));
    if (strcmp(options->encryption, "AES256") == 0)
        json_object_set_new(configuration, "EncryptionConfiguration",
                            json_pack("{s:s}", "EncryptionOption", "SSE_S3"));
    else if (options->encryption[0] && options->encryption_key[0])
        json_object_set_new(
            configuration, "EncryptionConfiguration",
            json_pack("{s:s,s:s}", "EncryptionOption", "SSE_KMS", "KmsKey", options->encryption_key));
    json_t *answer = query_run_ask(run, AWS_ATHENA, "StartQueryExecution", input, true, code, err);
    if (!answer)
        return -1;
    text_copy(run->remote_id, sizeof run->remote_id, aws_json_text(answer, "QueryExecutionId"));
    json_decref(answer);
    return run->remote_id[0] ? 0 : err_set(err, ERR_REMOTE, "Athena gave the query no number");
}

static void stop(struct query_run *run)
{
    struct err err = ERR_INIT;
    json_decref(query_run_ask(run, AWS_ATHENA, "StopQueryExecution",
                              json_pack("{s:s}", "QueryExecutionId", run->remote_id), true, NULL, &err));
}

static int follow(struct query_run *run, struct err *err)
{
    int64_t budget = run->queries->settings.options->scan_budget;
    struct aws_work work = {0};
    for (int asked = 0;; asked++) {
        if (!job_sleep(run->job, asked == 0 ? 30000 : aws_work_poll_us(asked - 1))) {
            stop(run);
            return err_set(err, ERR_CANCELLED, "cancelled");
        }
        json_t *answer =
            query_run_ask(run, AWS_ATHENA, "GetQueryExecution",
                          json_pack("{s:s}", "QueryExecutionId", run->remote_id), false, NULL, err);
        int read = answer ? aws_work_read(AWS_ATHENA, "GetQueryExecution", answer, &work, err) : -1;
        json_decref(answer);
        if (read < 0)
            return -1;
        run->scanned_bytes = work.scanned_bytes;
        char bytes[TEXT_FIGURE_SIZE];
        if (work.state >= AWS_WORK_DONE)
            return query_run_over(&work, err);
        if (budget > 0 && work.scanned_bytes > budget) {
            stop(run);
            return err_set(err, ERR_LIMIT, "stopped: it has scanned more than the budget of %s",
                           text_bytes(bytes, (double)budget));
        }
        query_run_say(run, work.state == AWS_WORK_WAITING ? QUERY_QUEUED : QUERY_RUNNING, "%s%s%s",
                      work.state == AWS_WORK_WAITING ? "queued" : "running",
                      work.scanned_bytes > 0 ? ", scanned " : "",
                      work.scanned_bytes > 0 ? text_bytes(bytes, (double)work.scanned_bytes) : "");
    }
}

/* The first row of a SELECT repeats the names of its columns; that of SHOW and DDL does not. */
static bool is_header(const json_t *row, const json_t *columns)
{
    const json_t *data = json_object_get(row, "Data"), *info;
    size_t i;
    if (json_array_size(data) != json_array_size(columns) || json_array_size(columns) == 0)
        return false;
    json_array_foreach(columns, i, info)
    {
        if (strcmp(aws_json_text(json_array_get(data, i), "VarCharValue"), aws_json_text(info, "Name")) != 0)
            return false;
    }
    return true;
}

static int take_rows(struct query_run *run, const json_t *answer, size_t columns, bool first, struct err *err)
{
    const json_t *rows = aws_json_at(answer, "ResultSet.Rows"), *row;
    const json_t *infos = aws_json_at(answer, "ResultSet.ResultSetMetadata.ColumnInfo");
    struct result_cell *cells = mem_zero(columns + 1, sizeof *cells);
    size_t i;
    int taken = 1;
    json_array_foreach(rows, i, row)
    {
        if (first && i == 0 && is_header(row, infos))
            continue;
        const json_t *data = json_object_get(row, "Data");
        for (size_t column = 0; column < columns; column++) {
            const json_t *value = json_object_get(json_array_get(data, column), "VarCharValue");
            cells[column] =
                (struct result_cell){.text = json_string_value(value), .length = json_string_length(value)};
        }
        taken = result_writer_row(run->writer, cells, err);
        if (taken != 1)
            break;
    }
    free(cells);
    run->truncated = run->truncated || taken == 0;
    return taken;
}

static int read_rows(struct query_run *run, struct err *err)
{
    char *token = NULL, count[TEXT_FIGURE_SIZE];
    size_t columns = 0;
    int result = 1;
    for (bool first = true; result == 1 && (first || token); first = false) {
        json_t *input = json_pack("{s:s, s:i}", "QueryExecutionId", run->remote_id, "MaxResults", PAGE);
        if (token)
            json_object_set_new(input, "NextToken", json_string(token));
        json_t *answer = query_run_ask(run, AWS_ATHENA, "GetQueryResults", input, false, NULL, err);
        free(token);
        token = NULL;
        result = answer ? 1 : -1;
        if (answer && first &&
            query_run_take_columns(run, aws_json_at(answer, "ResultSet.ResultSetMetadata.ColumnInfo"), "Name",
                                   "Type", &columns, err) < 0)
            result = -1;
        if (result == 1 && columns > 0)
            result = take_rows(run, answer, columns, first, err);
        const char *next = aws_json_text(answer, "NextToken");
        if (result == 1 && next[0])
            token = mem_text(next);
        json_decref(answer);
        if (result >= 0 && !query_run_wants_more(run))
            result = err_set(err, ERR_CANCELLED, "cancelled");
        if (token)
            query_run_say(run, QUERY_READING, "%s rows so far",
                          text_count(count, result_writer_rows(run->writer)));
    }
    free(token);
    return result < 0 ? -1 : 0;
}

int query_athena(struct query_run *run, struct err *err)
{
    query_run_say(run, QUERY_QUEUED, "submitting");
    if (submit(run, err) < 0)
        return -1;
    return follow(run, err) < 0 ? -1 : read_rows(run, err);
}
