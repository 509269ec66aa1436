/*
 * The session: one running console (or headless run), all its threads joined. The main thread creates it,
 * asks it by commands (app/command.h), looks at it by session_view(), and destroys it.
 */
#ifndef SMARTCITY_APP_SESSION_H
#define SMARTCITY_APP_SESSION_H

#include "app/command.h"
#include "app/options.h"
#include "app/view.h"
#include "base/loop.h"

struct session;

struct session_settings {
    const struct options *options; /* must outlive the session */
    const char *replay_path;       /* NULL: live */
    bool sink;                     /* only what writes the lake: nothing is simulated, shown or recorded */
    bool screen;                   /* a console: cache, tail, all of it; false: headless */
    /* Called from other threads when there is something new to look at; must be quick and thread-safe. */
    void (*wake)(void *context);
    void *context;
};

/* Comes back at once: what needs the network connects in the background. Fails for what cannot be started at
 * all. */
struct session *session_create(const struct session_settings *settings, struct err *err);
/* Stops in order: simulation, deliveries, the rest of the topic, recorder. */
void session_destroy(struct session *session);

/* Refreshed in place; valid until the next call. generation tells whether anything changed. */
const struct view *session_view(struct session *session, int64_t mono_us);

/* What the last refresh gave, without refreshing. */
const struct view *session_view_peek(const struct session *session);

struct log *session_log(struct session *session);
bool session_wants_quit(const struct session *session);
const char *session_broker(const struct session *session); /* address for other clients */

/* Prompt history, in the cache. */
size_t session_history(struct session *session, char (*lines)[256], size_t count);
void session_history_add(struct session *session, const char *line);
/* A setting of the screen that outlives it. */
bool session_remember(struct session *session, const char *name, char *value, size_t size);
void session_note(struct session *session, const char *name, const char *value);

/* Headless: ends the simulation, waits until everything was acknowledged and all of that consumed: true; or
 * at most wait_us: false, call it again to wait on. */
bool session_finish(struct session *session, int64_t wait_us);
bool session_ended(struct session *session); /* simulation or playback over */

struct backend *session_backend(struct session *session); /* NULL: off */
bool session_was_connected(struct session *session);      /* the broker answered at least once */

/* The report of a run. `lost`: acknowledged but never delivered to us. */
struct session_report {
    struct {
        uint64_t produced, acknowledged, failed, consumed, quarantined, gaps;
        int64_t lag;
    } topics[EVENT_KIND_COUNT];
    uint64_t lost, recorded, missed;
    char journey[512], broker[512];
};
void session_report(struct session *session, struct session_report *report);
/* As one JSON object; malloc. Also the data of `status`. */
char *session_report_json(struct session *session);
char *session_status_json(struct session *session);

#endif
