/* What the files of the session share: session.c (life), view.c (looking), commands_session.c (acting). Main
 * thread. */
#ifndef SMARTCITY_APP_SESSION_PRIVATE_H
#define SMARTCITY_APP_SESSION_PRIVATE_H

#include "app/backend.h"
#include "app/catalogue.h"
#include "app/ingest.h"
#include "app/jobs.h"
#include "app/playback.h"
#include "app/query.h"
#include "app/session.h"
#include "app/simulator.h"
#include "store/cache.h"
#include "stream/broker.h"

struct session {
    struct session_settings settings;
    const struct options *options;
    struct log *log;
    struct cache *cache;       /* NULL when headless */
    struct broker *broker;     /* NULL: external */
    struct producer *producer; /* NULL: nothing is sent from here */
    struct simulator *simulator;
    struct recorder *recorder; /* NULL: recording is off */
    struct feed *live;         /* from Kafka; NULL when only replaying */
    struct ingest *ingest;
    struct feed *replayed; /* from a journey; NULL when none plays */
    struct playback *playback;
    struct backend *backend; /* past Kafka; NULL: off */
    struct jobs *jobs;
    struct catalogue *catalogue;
    bool catalogue_asked;    /* read once by itself */
    struct queries *queries; /* NULL when headless without a cloud */
    char bootstrap[512];
    char group[136];
    char journey_path[512];
    bool quit, finished;

    /* view.c */
    struct view view;
    struct city_snapshot *shown; /* the reference behind view.city */
    struct log_entry *log_entries;
    size_t log_count;
    uint64_t toasted; /* last log sequence looked at for a toast */
    struct journey_listing *journeys;
    size_t journey_count;
    int64_t journeys_read_us, figures_read_us, throughput_us;
    uint64_t hash; /* of what the view shows, to tell change */
    int64_t cpu_us, cpu_mono_us;
};

struct feed *session_feed(struct session *session); /* the one on the screen */
/* Puts the screen on a journey, or (path NULL) back to live. */
int session_replay(struct session *session, const char *path, double speed, struct err *err);
int session_record(struct session *session, bool on, const char *name, struct err *err);
void session_journeys_changed(struct session *session);

#endif
