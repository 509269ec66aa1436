#include "aws/json.h"

#include "aws/client_private.h"
#include "aws/equivalent.h"
#include "aws/service.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define EQUIVALENT_LIMIT 16384

/* ---- calls ------------------------------------------------------------------------------------------ */

/* 32 hexadecimal digits: within the limits of every service's token (32 to 128, 1 to 64). */
static void make_token(char out[33])
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort(); /* cannot fail for so few */
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

struct aws_call *aws_json_call(struct aws_client *client, enum aws_service_id service, const char *operation,
                               json_t *input, const struct json_options *options, aws_done_fn *done,
                               void *context, struct err *err)
{
    const struct aws_operation *row = aws_operation_find(service, operation);
    const char *prefix = aws_services[service].target;
    char target[128], token[33];
    struct buf equivalent;
    if (!prefix) {
        json_decref(input);
        err_set(err, ERR_USAGE, "%s is no JSON service", aws_services[service].name);
        return NULL;
    }
    if (!input)
        input = json_object();
    buf_init(&equivalent, EQUIVALENT_LIMIT);
    if (options && options->origin) {
        /* Before the token is added: repeating it by hand shall start anew. */
        aws_equivalent_begin(&equivalent, service, operation);
        aws_equivalent_json(&equivalent, input);
        aws_equivalent_end(&equivalent, aws_client_config(client), service);
    }
    if (row && row->token && !json_object_get(input, row->token)) {
        make_token(token);
        json_object_set_new(input, row->token, json_string(token));
    }
    snprintf(target, sizeof target, "%s%s", prefix, operation);
    struct aws_header headers[] = {{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", target}};
    char *text = json_dumps(input, JSON_COMPACT);
    struct aws_request request = {
        .service = aws_services[service].name,
        .operation = operation,
        .headers = headers,
        .header_count = 2,
        .body = {.bytes = text, .size = text ? strlen(text) : 0},
        .repeat = aws_operation_repeats(service, operation, true) ? AWS_REPEAT_SAFE : AWS_REPEAT_NEVER,
        .equivalent = equivalent.data};
    if (options) {
        request.group = options->group;
        request.origin = options->origin;
        request.timeout_us = options->timeout_us;
        request.stall_us = options->timeout_us;
    }
    struct aws_call *call = NULL;
    if (text)
        call = aws_submit(client, &request, done, context, err);
    else
        err_set(err, ERR_USAGE, "%s: the input is no object of valid UTF-8", operation);
    free(text);
    json_decref(input);
    buf_free(&equivalent);
    return call;
}

json_t *aws_json_take(struct aws_call *call)
{
    json_t *json = aws_call_done(call) ? call->answer.json : NULL;
    if (json)
        call->answer.json = NULL;
    return json;
}

json_t *aws_json_wait(struct aws_client *client, enum aws_service_id service, const char *operation,
                      json_t *input, const struct json_options *options, int64_t deadline_us, char *code,
                      struct err *err)
{
    json_t *json = NULL;
    if (code)
        code[0] = '\0';
    struct aws_call *call = aws_json_call(client, service, operation, input, options, NULL, NULL, err);
    if (aws_wait_ok(call, deadline_us, err) == 0)
        json = aws_json_take(call);
    else if (call && code)
        memcpy(code, aws_call_answer(call)->code, sizeof aws_call_answer(call)->code);
    aws_call_release(call);
    return json;
}

json_t *aws_json_pages_wait(struct aws_client *client, enum aws_service_id service, const char *operation,
                            json_t *input, const char *member, size_t max, const struct json_options *options,
                            int64_t deadline_us, char *code, struct err *err)
{
    json_t *all = json_array(), *asked = input ? input : json_object();
    for (;;) {
        json_t *page =
            aws_json_wait(client, service, operation, json_copy(asked), options, deadline_us, code, err);
        const json_t *items = json_object_get(page, member);
        json_t *next = json_object_get(page, "NextToken");
        bool last = !json_is_string(next) || *json_string_value(next) == '\0';
        bool again = !last && json_equal(next, json_object_get(asked, "NextToken"));
        bool good = page != NULL;
        if (good && json_array_size(all) + json_array_size(items) > max) {
            err_set(err, ERR_LIMIT, "%s: more than %zu of %s", operation, max, member);
            good = false;
        } else if (good && again) { /* it would go on for ever */
            err_set(err, ERR_CORRUPT, "%s: the same page again", operation);
            good = false;
        } else if (good) {
            json_array_extend(all, (json_t *)items);
            if (!last)
                json_object_set(asked, "NextToken", next);
        }
        json_decref(page);
        if (!good || last) {
            json_decref(asked);
            if (good)
                return all;
            json_decref(all);
            return NULL;
        }
    }
}

/* ---- values ----------------------------------------------------------------------------------------- */

const json_t *aws_json_at(const json_t *json, const char *path)
{
    char name[128];
    while (json && *path) {
        size_t length = strcspn(path, ".");
        if (length >= sizeof name)
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        json = json_object_get(json, name);
        path += length + (path[length] == '.');
    }
    return json;
}

const char *aws_json_text(const json_t *json, const char *path)
{
    const char *text = json_string_value(aws_json_at(json, path));
    return text ? text : "";
}

double aws_json_real(const json_t *json, const char *path, double fallback)
{
    const json_t *value = aws_json_at(json, path);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

int64_t aws_json_int(const json_t *json, const char *path, int64_t fallback)
{
    const json_t *value = aws_json_at(json, path);
    if (json_is_integer(value))
        return json_integer_value(value);
    double real = json_is_real(value) ? json_real_value(value) : 0;
    return json_is_real(value) && real > -9e18 && real < 9e18 ? (int64_t)real : fallback;
}

int64_t aws_json_time_ms(const json_t *json, const char *path)
{
    double seconds = aws_json_real(json, path, 0);
    return seconds > 0 && seconds < 1e12 ? (int64_t)(seconds * 1000 + 0.5) : 0;
}

/* ---- work ------------------------------------------------------------------------------------------- */

static const struct work_row {
    enum aws_service_id service;
    const char *operation;
    const char *state, *reason;
    const char *duration;
    double duration_us; /* one of its units */
    const char *scanned, *rows;
} work_rows[] = {
    {AWS_GLUE, "GetCrawler", "Crawler.State", "Crawler.LastCrawl.ErrorMessage", "", 0, "", ""},
    {AWS_GLUE, "GetJobRun", "JobRun.JobRunState", "JobRun.ErrorMessage", "JobRun.ExecutionTime", 1e6, "", ""},
    {AWS_ATHENA, "GetQueryExecution", "QueryExecution.Status.State",
     "QueryExecution.Status.StateChangeReason", "QueryExecution.Statistics.TotalExecutionTimeInMillis", 1e3,
     "QueryExecution.Statistics.DataScannedInBytes", ""},
    {AWS_REDSHIFT_DATA, "DescribeStatement", "Status", "Error", "Duration", 1e-3, "", "ResultRows"},
};

static enum aws_work_state state_of(const char *word)
{
    static const struct {
        const char *word;
        enum aws_work_state state;
    } words[] = {
        {"QUEUED", AWS_WORK_WAITING},      {"SUBMITTED", AWS_WORK_WAITING}, {"PICKED", AWS_WORK_WAITING},
        {"WAITING", AWS_WORK_WAITING},     {"STARTING", AWS_WORK_WAITING},  {"RUNNING", AWS_WORK_RUNNING},
        {"STARTED", AWS_WORK_RUNNING},     {"STOPPING", AWS_WORK_STOPPING}, {"SUCCEEDED", AWS_WORK_DONE},
        {"FINISHED", AWS_WORK_DONE},       {"READY", AWS_WORK_DONE},        {"FAILED", AWS_WORK_FAILED},
        {"TIMEOUT", AWS_WORK_FAILED},      {"ERROR", AWS_WORK_FAILED},      {"EXPIRED", AWS_WORK_FAILED},
        {"CANCELLED", AWS_WORK_CANCELLED}, {"ABORTED", AWS_WORK_CANCELLED}, {"STOPPED", AWS_WORK_CANCELLED}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].state;
    return AWS_WORK_RUNNING; /* a state newer than this program is not yet an end */
}

int aws_work_read(enum aws_service_id service, const char *operation, const json_t *answer,
                  struct aws_work *work, struct err *err)
{
    const struct work_row *row = NULL;
    for (size_t i = 0; i < sizeof work_rows / sizeof *work_rows && !row; i++)
        if (work_rows[i].service == service && strcmp(work_rows[i].operation, operation) == 0)
            row = &work_rows[i];
    *work = (struct aws_work){.duration_us = -1, .scanned_bytes = -1, .rows = -1};
    if (!row)
        return err_set(err, ERR_UNSUPPORTED, "%s does not tell of work", operation);
    const char *word = aws_json_text(answer, row->state);
    if (!*word)
        return err_set(err, ERR_CORRUPT, "%s: the answer has no %s", operation, row->state);
    /* A crawler that rests says how its last crawl went. */
    const char *last = aws_json_text(answer, "Crawler.LastCrawl.Status");
    if (service == AWS_GLUE && strcmp(word, "READY") == 0 && *last)
        word = last;
    work->state = state_of(word);
    text_sanitise(work->word, sizeof work->word, word, strlen(word));
    bool ended_badly = work->state == AWS_WORK_FAILED || work->state == AWS_WORK_CANCELLED;
    const char *reason = ended_badly ? aws_json_text(answer, row->reason) : "";
    text_sanitise(work->reason, sizeof work->reason, reason, strlen(reason));
    double duration = *row->duration ? aws_json_real(answer, row->duration, -1) : -1;
    if (duration >= 0 && duration < 1e15)
        work->duration_us = (int64_t)(duration * row->duration_us);
    if (*row->scanned)
        work->scanned_bytes = aws_json_int(answer, row->scanned, -1);
    if (*row->rows)
        work->rows = aws_json_int(answer, row->rows, -1);
    return 0;
}

int64_t aws_work_poll_us(int asked)
{
    int64_t wait = 200000;
    for (int i = 0; i < asked && wait < 2000000; i++)
        wait += wait / 2;
    return wait < 2000000 ? wait : 2000000;
}
