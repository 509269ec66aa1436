/*
 * Turns. The transformation leaves out what is in the curated table, which helps only when no other runs
 * beside it: two that look at the same time both find nothing and both write. One ledger runs one at a time,
 * but another console has another ledger, and a run that was killed leaves its query running. So a query is
 * announced in S3 before it is submitted:
 *
 *     _transform/TOPIC/NUMBER.json     {"token", "input"}: turn NUMBER is this query's; put where none is
 *     _transform/ended/TOKEN           that query is over
 *
 * Numbers count down, so that the newest turn is the first in a list. Who wants the next turn finds the
 * newest over, or submits that very query again: by its token the same execution answers, or, when its owner
 * died between the two, begins now. A turn is taken only after the one before is over, and whoever slept in
 * between submits a token that is known already; so no two run at once, without clocks or leases.
 */
#include "lake/pipeline_private.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_LIMIT (1u << 20)
#define TURN_TOP   INT64_C(999999999999)

static bool take_first(void *context, const char *key, int64_t bytes)
{
    text_copy(context, LAKE_OBJECT_KEY_SIZE, key);
    return false;
}

static char *ended_key(char out[LAKE_OBJECT_KEY_SIZE], const char *token)
{
    snprintf(out, LAKE_OBJECT_KEY_SIZE, "_transform/ended/%.64s", token);
    return out;
}

static json_t *read_turn(const struct lake_remote *remote, const char *key, struct err *err)
{
    struct buf text;
    buf_init(&text, TURN_LIMIT);
    json_t *turn = NULL;
    if (remote->get(remote->context, key, &text, err) == 0) {
        turn = json_loadb(text.data ? text.data : "", text.length, 0, NULL);
        if (!turn || !json_is_object(json_object_get(turn, "input"))) {
            json_decref(turn);
            turn = NULL;
            err_set(err, ERR_CORRUPT, "%s is not a turn of a transformation: remove it", key);
        }
    }
    buf_free(&text);
    return turn;
}

/* 1: over. 0: it runs. -1. */
static int is_over(const struct pipeline_context *context, const json_t *turn, struct err *err)
{
    const struct lake_remote *remote = context->remote;
    char key[LAKE_OBJECT_KEY_SIZE], code[LAKE_CODE_SIZE];
    struct lake_object object;
    struct err own = ERR_INIT;
    if (remote->head(remote->context, ended_key(key, aws_json_text(turn, "token")), &object, &own) == 0)
        return 1;
    if (own.kind != ERR_NOT_FOUND) {
        *err = own;
        return -1;
    }
    own = (struct err)ERR_INIT;
    json_t *answer = remote->call(remote->context, AWS_ATHENA, "StartQueryExecution",
                                  json_incref(json_object_get(turn, "input")), code, &own);
    if (!answer) {
        bool later = own.retriable || own.kind == ERR_CONNECT || own.kind == ERR_CANCELLED;
        if (later)
            *err = own;
        return later ? -1 : 1; /* refused for good: it does not run */
    }
    json_t *input = json_pack("{s:s}", "QueryExecutionId", aws_json_text(answer, "QueryExecutionId"));
    json_decref(answer);
    answer = remote->call(remote->context, AWS_ATHENA, "GetQueryExecution", input, code, err);
    struct aws_work work = {0};
    int result = answer ? aws_work_read(AWS_ATHENA, "GetQueryExecution", answer, &work, err) : -1;
    json_decref(answer);
    if (result < 0)
        return -1;
    return work.state == AWS_WORK_DONE || work.state == AWS_WORK_FAILED || work.state == AWS_WORK_CANCELLED;
}

static int waits(enum event_kind kind, struct err *err)
{
    err_set(err, ERR_BUSY, "another run transforms %s now; this waits for its end", event_topic(kind));
    err->retriable = true;
    return -1;
}

int pipeline_turn_take(const struct pipeline_context *context, const struct ledger_job *job,
                       const json_t *input, struct err *err)
{
    const struct lake_remote *remote = context->remote;
    char prefix[LAKE_OBJECT_KEY_SIZE - 32], key[LAKE_OBJECT_KEY_SIZE] = "";
    int64_t number = TURN_TOP;
    snprintf(prefix, sizeof prefix, "_transform/%s/", event_topic(job->kind));
    if (remote->list(remote->context, prefix, NULL, take_first, key, err) != 0)
        return -1;
    if (key[0]) {
        char digits[32];
        text_copy(digits, sizeof digits, key + strlen(prefix));
        digits[strcspn(digits, ".")] = '\0';
        if (!text_parse_int(digits, 1, TURN_TOP, &number))
            return err_set(err, ERR_CORRUPT, "%s is not a turn of a transformation: remove it", key);
        json_t *turn = read_turn(remote, key, err);
        if (!turn)
            return -1;
        bool ours = strcmp(aws_json_text(turn, "token"), job->token) == 0;
        int over = ours ? 1 : is_over(context, turn, err);
        json_decref(turn);
        if (over <= 0)
            return over < 0 ? -1 : waits(job->kind, err);
        if (ours)
            return 0;
        number--;
    }
    json_t *turn = json_pack("{s:s, s:O}", "token", job->token, "input", (json_t *)input);
    char *text = json_dumps(turn, JSON_COMPACT);
    json_decref(turn);
    if (!text)
        return err_set(err, ERR_INTERNAL, "a turn that is not UTF-8");
    snprintf(key, sizeof key, "%s%012" PRId64 ".json", prefix, number);
    struct lake_put put = {
        .key = key, .bytes = text, .length = (int64_t)strlen(text), .content_type = "application/json"};
    enum lake_put_end end = LAKE_PUT_CONFLICT;
    int result = remote->put(remote->context, &put, &end, err);
    free(text);
    if (result != 0)
        return -1;
    /* There already: another's, or ours, and the answer was lost; the next try sees which. */
    return end == LAKE_PUT_DONE ? 0 : waits(job->kind, err);
}

void pipeline_turn_end(const struct pipeline_context *context, const struct ledger_job *job)
{
    char key[LAKE_OBJECT_KEY_SIZE];
    struct err err = ERR_INIT; /* who comes next finds out by itself */
    context->remote->replace(context->remote->context, ended_key(key, job->token), "", 0, "text/plain", &err);
}
