/* Handlers of the commands about SQL: query, engine, result, plot, export, saved. Main thread. */
#include "app/commands_session.h"

#include "app/session_private.h"
#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *argument(const struct command_call *call, size_t index)
{
    return index < call->argument_count ? call->arguments[index] : "";
}

static int usage(const struct command_call *call, struct command_reply *reply)
{
    return err_set(&reply->err, ERR_USAGE, "usage: %s %s", call->command->name, call->command->arguments);
}

static int need_queries(struct session *session, struct command_reply *reply)
{
    return session->queries ? 0 : err_set(&reply->err, ERR_UNSUPPORTED, "this run has no queries");
}

static void answer_job(struct command_reply *reply, uint64_t job)
{
    char json[40];
    snprintf(json, sizeof json, "{\"job\":%" PRIu64 "}", job);
    reply->json = mem_text(json);
}

/* "redshift: SELECT 1": the engine, and the rest. */
static const char *split_engine(const char *text, enum query_engine *engine)
{
    char word[16];
    size_t length = 0;
    while (isalpha((unsigned char)text[length]))
        length++;
    if (length == 0 || length >= sizeof word || text[length] != ':')
        return text;
    memcpy(word, text, length);
    word[length] = '\0';
    if (!query_engine_find(word, engine))
        return text;
    text += length + 1;
    return text + strspn(text, " \t\r\n");
}

static int start(struct session *session, const struct command_call *call, bool estimate,
                 struct command_reply *reply)
{
    struct query_start wish = {.source = call->source, .estimate_only = estimate};
    uint64_t job;
    if (need_queries(session, reply) < 0)
        return -1;
    wish.engine = queries_engine(session->queries);
    wish.sql = split_engine(argument(call, 0), &wish.engine);
    if (!wish.sql[0])
        return usage(call, reply);
    bool confirm = !estimate && text_equal_fold(wish.sql, "yes");
    int result = confirm ? queries_confirm(session->queries, call->source, &job, &reply->err)
                         : queries_start(session->queries, &wish, &job, &reply->err);
    if (result < 0)
        return -1;
    answer_job(reply, job);
    queries_view(session->queries, &session->view.query);
    if (strcmp(call->source, "operator") != 0) /* the screen shows its own */
        snprintf(reply->text, sizeof reply->text, "%s job %" PRIu64, estimate ? "estimate" : "query", job);
    return 0;
}

int commands_query(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    return start(session, call, false, reply);
}

int commands_estimate(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    return start(session, call, true, reply);
}

int commands_engine(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    enum query_engine engine;
    if (need_queries(session, reply) < 0)
        return -1;
    engine = queries_engine(session->queries);
    if (call->argument_count == 0 || text_equal_fold(argument(call, 0), "next"))
        engine = (enum query_engine)(((int)engine + 1) % QUERY_ENGINE_COUNT);
    else if (!query_engine_find(argument(call, 0), &engine))
        return usage(call, reply);
    queries_set_engine(session->queries, engine);
    queries_view(session->queries, &session->view.query); /* the next key may run it already */
    return 0;
}

int commands_result(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const char *word = argument(call, 0);
    int64_t number;
    if (need_queries(session, reply) < 0)
        return -1;
    if (text_equal_fold(word, "rows") && text_parse_int(argument(call, 1), 0, INT64_MAX / 2, &number)) {
        if (queries_window(session->queries, number, &reply->err) < 0)
            return -1;
    } else if (text_equal_fold(word, "forget") && text_parse_int(argument(call, 1), 1, INT64_MAX, &number)) {
        if (session->options->read_only)
            return err_set(&reply->err, ERR_USAGE, "refused, this console is read-only");
        if (results_forget(queries_results(session->queries), number, &reply->err) < 0)
            return -1;
    } else if (!*word || text_parse_int(word, 0, INT64_MAX, &number)) {
        if (queries_open(session->queries, *word ? number : 0, &reply->err) < 0)
            return -1;
    } else {
        return usage(call, reply);
    }
    queries_view(session->queries, &session->view.query);
    return 0;
}

/* A column by its name or its number from 1; -1 none. */
static int column_of(const struct view_query *query, const char *word)
{
    int64_t number;
    for (size_t i = 0; i < query->column_count; i++)
        if (text_equal_fold(query->columns[i].name, word))
            return (int)i;
    return text_parse_int(word, 1, (int64_t)query->column_count, &number) ? (int)number - 1 : -1;
}

int commands_plot(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    int y = -1, x = -1;
    if (need_queries(session, reply) < 0)
        return -1;
    const struct view_query *query = &session->view.query;
    size_t at = call->argument_count > 1 && text_equal_fold(argument(call, 1), "over") ? 2 : 1;
    if (call->argument_count > 0 && (y = column_of(query, argument(call, 0))) < 0)
        return err_set(&reply->err, ERR_USAGE, "the result has no column %.60s", argument(call, 0));
    if (call->argument_count > at && (x = column_of(query, argument(call, at))) < 0)
        return err_set(&reply->err, ERR_USAGE, "the result has no column %.60s", argument(call, at));
    return queries_plot(session->queries, x, y, &reply->err);
}

int commands_export(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    int64_t id = 0;
    uint64_t job;
    if (need_queries(session, reply) < 0)
        return -1;
    if (call->argument_count < 1 ||
        (call->argument_count > 1 && !text_parse_int(argument(call, 1), 1, INT64_MAX, &id)))
        return usage(call, reply);
    if (queries_export(session->queries, id, argument(call, 0), call->source, &job, &reply->err) < 0)
        return -1;
    answer_job(reply, job);
    snprintf(reply->text, sizeof reply->text, "writing %.200s", argument(call, 0));
    return 0;
}

/* "NAME SQL": keeps it for later. */
int commands_keep(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    char name[64];
    if (need_queries(session, reply) < 0)
        return -1;
    const char *text = argument(call, 0);
    size_t length = strcspn(text, " \t\n");
    if (length == 0 || length >= sizeof name || !text[length])
        return usage(call, reply);
    memcpy(name, text, length);
    name[length] = '\0';
    enum query_engine engine = queries_engine(session->queries);
    const char *sql = split_engine(text + length + strspn(text + length, " \t\n"), &engine);
    if (queries_save(session->queries, name, engine, sql, &reply->err) < 0)
        return -1;
    snprintf(reply->text, sizeof reply->text, "saved as %s for %s", name, query_engine_title(engine));
    return 0;
}

/* Runs one of the saved queries. */
int commands_saved(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    if (need_queries(session, reply) < 0)
        return -1;
    struct query_start wish = {.source = call->source, .engine = queries_engine(session->queries)};
    const struct view_query *query = &session->view.query;
    const struct query_saved *found = NULL;
    enum query_engine engine = wish.engine;
    bool any = !query_engine_find(argument(call, 1), &engine);
    for (size_t i = 0; i < query->saved_count; i++)
        if (text_equal_fold(query->saved[i].name, argument(call, 0)) &&
            (query->saved[i].engine == engine || (any && !found)))
            found = &query->saved[i];
    if (!found)
        return err_set(&reply->err, ERR_NOT_FOUND, "no saved query %.60s%s%s", argument(call, 0),
                       any ? "" : " for ", any ? "" : query_engine_title(engine));
    wish.sql = found->sql;
    wish.engine = found->engine;
    uint64_t job;
    if (queries_start(session->queries, &wish, &job, &reply->err) < 0)
        return -1;
    answer_job(reply, job);
    return 0;
}

size_t complete_saved(struct session *session, int index, const char *prefix, char *out, size_t size)
{
    size_t used = 0;
    const struct view_query *query = session ? &session->view.query : NULL;
    for (size_t i = 0; query && index == 0 && i < query->saved_count; i++) {
        bool seen = i > 0 && strcmp(query->saved[i].name, query->saved[i - 1].name) == 0;
        if (!seen && text_prefix_fold(query->saved[i].name, prefix) && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s\n", query->saved[i].name);
    }
    return used < size ? used : size;
}
