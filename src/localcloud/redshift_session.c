/* Sessions: a connection with its temporary tables and its transaction, kept between statements. A session
 * that has ended is remembered for a day, for ListSessions. */
#include "localcloud/redshift_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_US (24ll * 3600 * 1000000)

static struct redshift_session *find_session(struct redshift *redshift, const char *id)
{
    struct redshift_session *session = redshift->sessions;
    while (session && strcmp(session->id, id) != 0)
        session = session->next;
    return session;
}

int redshift_session_take(struct request *request, struct redshift_job *job)
{
    struct redshift *redshift = request->state;
    const char *id = request_json_text(request, "SessionId");
    int64_t keep = request_json_int(request, "SessionKeepAliveSeconds", -1);
    if (!id && keep < 0)
        return redshift_check_target(request, true);
    if (keep > 86400)
        return request_fail(request, 400, "ValidationException",
                            "SessionKeepAliveSeconds must be between 0 and 86400.");
    if (!id && redshift_check_target(request, true) != 0)
        return -1;
    if (id && (request_json_text(request, "Database") || request_json_text(request, "WorkgroupName") ||
               request_json_text(request, "ClusterIdentifier")))
        return request_fail(request, 400, "ValidationException",
                            "Connection parameters cannot be specified together with SessionId.");
    int result = 0;
    pthread_mutex_lock(&redshift->lock);
    redshift_sessions_end(redshift, false);
    struct redshift_session *session = id ? find_session(redshift, id) : NULL;
    if (id && (!session || session->closed)) {
        session = NULL;
        result = request_fail(request, 400, "ValidationException", "Session is not available.");
    } else if (!id && redshift->session_count >= REDSHIFT_SESSIONS_MAX) {
        result = request_fail(request, 400, "ActiveSessionsExceededException",
                              "Active sessions exceeded the allowed quota (%d).", REDSHIFT_SESSIONS_MAX);
    } else if (!id) {
        session = mem_zero(1, sizeof *session);
        redshift_make_id(session->id);
        redshift_runner_init(&session->runner);
        const char *database = request_json_text(request, "Database");
        text_copy(session->database, sizeof session->database, database ? database : "");
        const char *cluster = request_json_text(request, "ClusterIdentifier");
        text_copy(session->cluster, sizeof session->cluster, cluster ? cluster : "");
        const char *workgroup = request_json_text(request, "WorkgroupName");
        text_copy(session->workgroup, sizeof session->workgroup, workgroup ? workgroup : "");
        const char *user = request_json_text(request, "DbUser");
        text_copy(session->user, sizeof session->user, user ? user : REDSHIFT_USER);
        session->runner.scope.database = session->database;
        session->runner.scope.user = session->user;
        session->created_us = session->updated_us = request->now_us;
        session->next = redshift->sessions;
        redshift->sessions = session;
        redshift->session_count++;
    }
    if (session) {
        if (keep >= 0)
            session->keep_us = keep * 1000000;
        session->pending++;
        session->expires_us = clock_mono_us() + session->keep_us;
        json_object_set_new(job->document, "SessionId", json_string(session->id));
        json_object_set_new(job->document, "Database", json_string(session->database));
        json_object_set_new(job->document, "DbUser", json_string(session->user));
        if (session->cluster[0])
            json_object_set_new(job->document, "ClusterIdentifier", json_string(session->cluster));
        if (session->workgroup[0])
            json_object_set_new(job->document, "WorkgroupName", json_string(session->workgroup));
    }
    job->session = session;
    pthread_mutex_unlock(&redshift->lock);
    return result;
}

void redshift_session_leave(struct redshift *redshift, struct redshift_job *job)
{
    pthread_mutex_lock(&redshift->lock);
    if (job->session)
        job->session->pending--;
    job->session = NULL;
    pthread_mutex_unlock(&redshift->lock);
}

/* ---- their end -------------------------------------------------------------------------------------- */

static void forget(struct redshift_session **place)
{
    struct redshift_session *session = *place;
    *place = session->next;
    free(session);
}

static void close_session(struct redshift *redshift, struct redshift_session *session)
{
    duck_disconnect(session->runner.connection);
    session->runner.connection = NULL;
    redshift_runner_free(&session->runner);
    session->closed = true;
    session->updated_us = clock_wall_us();
    redshift->session_count--;
}

void redshift_sessions_end(struct redshift *redshift, bool all)
{
    int64_t now = clock_mono_us(), wall = clock_wall_us();
    size_t closed = 0;
    for (struct redshift_session **place = &redshift->sessions; *place;) {
        struct redshift_session *session = *place;
        if (!session->closed &&
            (all || (!session->busy && session->pending == 0 && session->expires_us <= now)))
            close_session(redshift, session);
        closed += session->closed;
        if (session->closed &&
            (all || closed > REDSHIFT_SESSIONS_MAX || session->updated_us + KEPT_US < wall))
            forget(place);
        else
            place = &session->next;
    }
}

/* ---- listing ---------------------------------------------------------------------------------------- */

static const char *status_of(const struct redshift_session *session)
{
    return session->closed ? "CLOSED" : session->busy ? "BUSY" : "AVAILABLE";
}

static json_t *describe(const struct redshift_session *session)
{
    json_t *item =
        json_pack("{s:s,s:s,s:o,s:o,s:s,s:s,s:I}", "SessionId", session->id, "Status", status_of(session),
                  "CreatedAt", redshift_seconds(session->created_us), "UpdatedAt",
                  redshift_seconds(session->updated_us), "Database", session->database, "DbUser",
                  session->user, "SessionAliveSeconds", (json_int_t)(session->keep_us / 1000000));
    if (session->cluster[0])
        json_object_set_new(item, "ClusterIdentifier", json_string(session->cluster));
    if (session->workgroup[0])
        json_object_set_new(item, "WorkgroupName", json_string(session->workgroup));
    if (session->busy)
        json_object_set_new(item, "CurrentStatementId", json_string(session->statement));
    else if (!session->closed)
        json_object_set_new(item, "SessionTtl", redshift_seconds(session->updated_us + session->keep_us));
    return item;
}

static bool same(const char *wanted, const char *is)
{
    return !wanted || strcmp(wanted, is) == 0;
}

void redshift_list_sessions(struct request *request)
{
    struct redshift *redshift = request->state;
    const char *id = request_json_text(request, "SessionId"), *status = request_json_text(request, "Status");
    const char *cluster = request_json_text(request, "ClusterIdentifier");
    const char *workgroup = request_json_text(request, "WorkgroupName");
    const char *database = request_json_text(request, "Database"),
               *token = request_json_text(request, "NextToken");
    int64_t limit = request_json_int(request, "MaxResults", 100), skip = 0, at = 0;
    const char *wrong = id && (status || cluster || workgroup || database)
                            ? "SessionId cannot be specified together with Status, ClusterIdentifier, "
                              "WorkgroupName or Database."
                        : cluster && workgroup
                            ? "WorkgroupName and ClusterIdentifier cannot both be specified."
                        : status && strcmp(status, "AVAILABLE") != 0 && strcmp(status, "BUSY") != 0 &&
                                strcmp(status, "CLOSED") != 0
                            ? "Status is not valid."
                        : limit < 0 || limit > 100 || (token && !text_parse_int(token, 1, INT64_MAX, &skip))
                            ? "MaxResults or NextToken is not valid."
                            : NULL;
    if (wrong) {
        request_fail(request, 400, "ValidationException", "%s", wrong);
        return;
    }
    limit = limit ? limit : 100;
    json_t *list = json_array(), *answer = json_pack("{s:o}", "Sessions", list);
    pthread_mutex_lock(&redshift->lock);
    redshift_sessions_end(redshift, false);
    for (const struct redshift_session *session = redshift->sessions; session; session = session->next) {
        bool shown = id       ? strcmp(session->id, id) == 0
                     : status ? strcmp(status_of(session), status) == 0
                              : !session->closed;
        if (!shown || !same(cluster, session->cluster) || !same(workgroup, session->workgroup) ||
            !same(database, session->database) || at++ < skip)
            continue;
        if (at - skip > limit) {
            char next[24];
            snprintf(next, sizeof next, "%" PRId64, skip + limit);
            json_object_set_new(answer, "NextToken", json_string(next));
            break;
        }
        json_array_append_new(list, describe(session));
    }
    pthread_mutex_unlock(&redshift->lock);
    request_reply_json(request, answer);
}
