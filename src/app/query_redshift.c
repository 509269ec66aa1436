/* Redshift's Data API: ExecuteStatement, DescribeStatement until it is over, GetStatementResult page by page.
 */
#include "app/query_private.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int submit(struct query_run *run, struct err *err)
{
    const struct options *options = run->queries->settings.options;
    json_t *input = json_pack("{s:s, s:s, s:s}", "Database", options->redshift_database, "Sql", run->sql,
                              "StatementName", "smartcity query");
    if (options->redshift_cluster[0]) {
        json_object_set_new(input, "ClusterIdentifier", json_string(options->redshift_cluster));
        if (options->redshift_user[0])
            json_object_set_new(input, "DbUser", json_string(options->redshift_user));
    } else {
        json_object_set_new(input, "WorkgroupName", json_string(options->redshift_workgroup));
    }
    json_t *answer = query_run_ask(run, AWS_REDSHIFT_DATA, "ExecuteStatement", input, true, NULL, err);
    if (!answer)
        return -1;
    text_copy(run->remote_id, sizeof run->remote_id, aws_json_text(answer, "Id"));
    json_decref(answer);
    return run->remote_id[0] ? 0 : err_set(err, ERR_REMOTE, "Redshift gave the statement no number");
}

static void stop(struct query_run *run)
{
    struct err err = ERR_INIT;
    json_decref(query_run_ask(run, AWS_REDSHIFT_DATA, "CancelStatement",
                              json_pack("{s:s}", "Id", run->remote_id), true, NULL, &err));
}

/* *rows: false when it has none to read. */
static int follow(struct query_run *run, bool *rows, struct err *err)
{
    struct aws_work work = {0};
    for (int asked = 0;; asked++) {
        if (!job_sleep(run->job, asked == 0 ? 30000 : aws_work_poll_us(asked - 1))) {
            stop(run);
            return err_set(err, ERR_CANCELLED, "cancelled");
        }
        json_t *answer = query_run_ask(run, AWS_REDSHIFT_DATA, "DescribeStatement",
                                       json_pack("{s:s}", "Id", run->remote_id), false, NULL, err);
        int read = answer ? aws_work_read(AWS_REDSHIFT_DATA, "DescribeStatement", answer, &work, err) : -1;
        *rows = json_is_true(json_object_get(answer, "HasResultSet"));
        json_decref(answer);
        if (read < 0)
            return -1;
        if (work.state >= AWS_WORK_DONE)
            return query_run_over(&work, err);
        query_run_say(run, work.state == AWS_WORK_WAITING ? QUERY_QUEUED : QUERY_RUNNING, "%s",
                      text_equal_fold(work.word, "STARTED") ? "running" : "queued");
    }
}

/* One of isNull, booleanValue, longValue, doubleValue, stringValue, blobValue. `text` is for figures. */
static struct result_cell cell_of(const json_t *field, char text[40])
{
    const json_t *value;
    if ((value = json_object_get(field, "stringValue")) || (value = json_object_get(field, "blobValue")))
        return (struct result_cell){json_string_value(value), json_string_length(value)};
    if ((value = json_object_get(field, "longValue")))
        snprintf(text, 40, "%" PRId64, (int64_t)json_integer_value(value));
    else if ((value = json_object_get(field, "doubleValue")))
        snprintf(text, 40, "%.17g", json_number_value(value));
    else if ((value = json_object_get(field, "booleanValue")))
        snprintf(text, 40, "%s", json_is_true(value) ? "true" : "false");
    else
        return (struct result_cell){NULL, 0};
    double number = json_is_real(value) ? json_real_value(value) : 0;
    for (int digits = 1; json_is_real(value) && digits < 17;
         digits++) { /* the shortest that reads the same */
        char shorter[40];
        snprintf(shorter, sizeof shorter, "%.*g", digits, number);
        if (strtod(shorter, NULL) == number) {
            memcpy(text, shorter, sizeof shorter);
            break;
        }
    }
    return (struct result_cell){text, strlen(text)};
}

static int take_rows(struct query_run *run, const json_t *answer, size_t columns, struct err *err)
{
    const json_t *records = json_object_get(answer, "Records"), *record;
    struct result_cell *cells = mem_zero(columns + 1, sizeof *cells);
    char(*figures)[40] = mem_zero(columns + 1, sizeof *figures);
    size_t i;
    int taken = 1;
    json_array_foreach(records, i, record)
    {
        for (size_t column = 0; column < columns; column++)
            cells[column] = cell_of(json_array_get(record, column), figures[column]);
        taken = result_writer_row(run->writer, cells, err);
        if (taken != 1)
            break;
    }
    free(figures);
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
        json_t *input = json_pack("{s:s}", "Id", run->remote_id);
        if (token)
            json_object_set_new(input, "NextToken", json_string(token));
        json_t *answer = query_run_ask(run, AWS_REDSHIFT_DATA, "GetStatementResult", input, false, NULL, err);
        free(token);
        token = NULL;
        result = answer ? 1 : -1;
        if (answer && first &&
            query_run_take_columns(run, json_object_get(answer, "ColumnMetadata"), "name", "typeName",
                                   &columns, err) < 0)
            result = -1;
        if (result == 1 && columns > 0)
            result = take_rows(run, answer, columns, err);
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

int query_redshift(struct query_run *run, struct err *err)
{
    bool rows = false;
    query_run_say(run, QUERY_QUEUED, "submitting");
    if (submit(run, err) < 0 || follow(run, &rows, err) < 0)
        return -1;
    return rows ? read_rows(run, err) : 0;
}
