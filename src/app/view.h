/*
 * The view: everything the screen may show, as one const value. session_view() refreshes it on the main
 * thread, once before a frame; what it points to is immutable until the next refresh. Panels read it and
 * nothing else.
 */
#ifndef SMARTCITY_APP_VIEW_H
#define SMARTCITY_APP_VIEW_H

#include "app/jobs.h"
#include "app/view_cloud.h"
#include "app/view_query.h"
#include "base/log.h"
#include "city/snapshot.h"
#include "sim/world.h"
#include "store/recorder.h"
#include "stream/consumer.h"
#include "stream/producer.h"

enum view_source { VIEW_LIVE, VIEW_REPLAY, VIEW_WATCH /* an outside broker, nothing simulated here */ };

struct view_sim {
    bool present; /* this console simulates */
    bool paused;
    bool held;             /* slowed by a full producer or a consumer behind */
    double speed, reached; /* asked and measured, simulated seconds a second */
    double events_per_s;
    struct world_figures world;
    uint64_t seed;
};

struct view_replay {
    bool active, paused, ended;
    bool to_kafka;
    double speed; /* 0: as fast as possible */
    int64_t position_us, length_us;
    int64_t event_ms;
    uint64_t played, total;
    char name[64];
};

/* One record of the live tail. Texts are harmless for a terminal. */
struct view_tail_row {
    uint64_t sequence;
    int64_t arrived_us;
    int kind; /* -1: unknown topic */
    int32_t partition;
    int64_t offset;
    size_t length;
    bool quarantined;
    char key[32];
    char excerpt[320];
};
/* The record that was opened, in full. */
struct view_opened {
    bool known;
    struct view_tail_row row;
    int64_t produced_us, timestamp_ms;
    size_t header_count;
    struct {
        char name[32], value[96];
    } headers[12];
    bool truncated; /* value longer than what is shown */
    size_t value_length;
    const char *value; /* raw bytes, to be shown with text_sanitise only */
};
#define VIEW_TAIL_ROWS 256
struct view_tail {
    uint64_t generation;
    uint64_t total, skipped; /* seen; let go by the ring before they were looked at */
    bool frozen;
    char filter[96];
    size_t count; /* newest last */
    struct view_tail_row rows[VIEW_TAIL_ROWS];
    struct view_opened opened;
};

enum view_hop_state { HOP_OFF, HOP_GOOD, HOP_BUSY, HOP_WARNING, HOP_BAD };
struct view_hop {
    const char *name; /* "SIM", "KAFKA", "LAKE", … */
    enum view_hop_state state;
    char figure[28];          /* "9.8k/s" */
    char detail[28];          /* "lag 118 · 0.2 s", "not connected" */
    const char *key, *action; /* "space", "pause", or NULL */
};
#define VIEW_HOPS 7
#define VIEW_JOBS 16

struct view_toast {
    enum log_level level;
    int64_t until_us; /* monotonic */
    char text[240];
};

struct view {
    uint64_t generation; /* changes when anything did */
    int64_t wall_us, mono_us;
    enum view_source source;
    char kafka_label[64];   /* "LOCAL" or the bootstrap address */
    char kafka_address[64]; /* where other clients find it */
    char topic_prefix[64];  /* before each topic's name there, or "" */
    char cloud_label[64];   /* "LOCAL", account and region, or "not connected" */
    bool read_only;
    const struct city_snapshot *city; /* never NULL */
    struct view_sim sim;
    struct view_replay replay;
    struct producer_figures producer;
    struct consumer_figures consumer;
    struct recorder_figures recorder;
    struct view_cloud cloud;
    struct view_lake lake;
    struct view_catalogue catalogue;
    struct view_pipeline pipeline;
    struct view_query query;
    size_t job_count; /* newest first */
    struct job_figures jobs[VIEW_JOBS];
    struct view_hop hops[VIEW_HOPS];
    struct view_tail tail;
    uint64_t journeys_generation;
    size_t journey_count;
    const struct journey_listing *journeys;
    char journeys_folder[256];
    int64_t journeys_bytes, journeys_limit;
    uint64_t log_last;
    size_t log_count; /* newest last */
    const struct log_entry *log;
    struct view_toast toast; /* text "" when none */
    int64_t memory_bytes;    /* resident */
    double cpu_percent;      /* of one core, this process */
};

/* What is said of the connection: the producer's when that is down, else the consumer's. A hung broker is
 * noticed by the one that waits for it. */
const struct kafka_figures *view_kafka(const struct view *view);

#endif
