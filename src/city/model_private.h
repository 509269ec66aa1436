/* Inside of the live model; included by model*.c alone. */
#ifndef SMARTCITY_CITY_MODEL_PRIVATE_H
#define SMARTCITY_CITY_MODEL_PRIVATE_H

#include "base/map.h"
#include "city/model.h"

#define MODEL_NO_TIME       INT64_MIN
#define MODEL_MAX_INCIDENTS 512
#define MODEL_MAX_STATIONS  256
#define MODEL_MAX_CAMERAS   1024
#define MODEL_MAX_IMAGE     (512u << 10)
#define MODEL_MAX_IMAGES    (8u << 20)
#define MODEL_TRACKED       2048 /* vehicles with a track; beyond, only the followed one */
#define MODEL_PARTITIONS    1024 /* per topic, watched for gaps */

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define SECOND_US INT64_C(1000000)

/* ---- the world's clock (model_clock.c) ---------------------------------------------------------------- */

struct model_clock {
    int64_t now;       /* MODEL_NO_TIME at first */
    int64_t agreed_us; /* wall, when an event last moved the clock on */
    int64_t candidate; /* newest of the events that are off */
    uint32_t agreeing; /* how many there were, one near the other, since the clock last moved */
    uint32_t epoch;    /* the present world */
    uint32_t pending;  /* the world of the candidate; 0 none */
    uint32_t last_epoch;
};

/* Takes note of an event's time. `previous` is the time of the same device's event before, or MODEL_NO_TIME.
 * Returns the epoch that what the event says belongs to. May restart the world (model_forget). */
uint32_t model_clock_note(struct model *model, int64_t time, int64_t previous, int64_t wall_us);

/* ---- vehicles (model_vehicle.c) ----------------------------------------------------------------------- */

struct model_track {
    int64_t last_ms;
    uint32_t count, next; /* ring of CITY_TRACK */
    struct geo_vertex at[CITY_TRACK];
    float speeds[CITY_TRACK];
};

/* Events are kept without the part of the union that other kinds need. */
#define MODEL_VEHICLE_BYTES (offsetof(struct event, vehicle) + sizeof(struct event_vehicle))
#define MODEL_GPS_BYTES     (offsetof(struct event, gps) + sizeof(struct event_gps))

enum model_list { MODEL_DRIVING, MODEL_ARRIVED, MODEL_LISTS };

struct model_vehicle {
    struct city_vehicle dot;
    bool used, placed /* dot.at is known */, matched;
    uint8_t list;
    int16_t bin; /* of dot.route; -1 */
    uint32_t epoch;
    int32_t older, newer;       /* in its list, by the time heard */
    int32_t before, after;      /* in the order first seen */
    int64_t heard_ms, heard_us; /* world clock and wall at the last event */
    int64_t vehicle_heard_ms;   /* the same of vehicle_data alone; MODEL_NO_TIME */
    int64_t vehicle_ms, gps_ms; /* event times; MODEL_NO_TIME */
    int64_t vehicle_arrived_us, gps_arrived_us;
    struct geo_vertex matched_at; /* where the road was last looked up */
    struct model_track *track;
    _Alignas(8) unsigned char vehicle[MODEL_VEHICLE_BYTES];
    _Alignas(8) unsigned char gps[MODEL_GPS_BYTES];
};

struct model_ends {
    int32_t first, last; /* -1: empty */
};

void model_vehicle_apply(struct model *model, const struct event *event, const struct record *record);
void model_vehicle_expire(struct model *model, int64_t wall_us);
void model_vehicle_remove(struct model *model, int32_t index);
/* The vehicle in focus, or -1. */
int32_t model_vehicle_focused(struct model *model);

/* ---- roads (model_road.c) ----------------------------------------------------------------------------- */

struct model_bin {
    double mass, ratio, speed; /* mean over what was seen, weighted by age */
    int64_t last_ms;
    int32_t vehicles;
};

/* Puts the vehicle onto a road (route, chainage, limit) or off it, and lets it count in its bin. */
void model_road_place(struct model *model, struct model_vehicle *vehicle, const struct event *event);
void model_road_leave(struct model *model, struct model_vehicle *vehicle);
/* Its speed as a sample of the traffic. */
void model_road_sample(struct model *model, const struct model_vehicle *vehicle);
void model_road_bins(const struct model *model, struct city_bin bins[GEO_ROUTES][CITY_BINS]);
/* Queue ahead, trip and arrival. */
void model_road_ahead(const struct city_bin bins[CITY_BINS], const struct city_vehicle *dot,
                      struct city_followed *followed);

/* ---- incidents, stations, cameras (model_scene.c) ----------------------------------------------------- */

/* A bounded table of entries that begin with their key; removal moves the last entry into the hole. */
struct model_table {
    struct map *map;
    size_t count, capacity, limit, entry_size;
    unsigned char *entries;
};
void model_table_init(struct model_table *table, size_t limit, size_t entry_size);
void model_table_free(struct model_table *table);
void *model_table_at(const struct model_table *table, size_t index);
/* NULL when it is not there. */
void *model_table_find(const struct model_table *table, const char *key);
/* A new entry, zero but for its key. There must be room. */
void *model_table_add(struct model_table *table, const char *key);
void model_table_remove(struct model_table *table, size_t index);

struct model_incident {
    char key[EVENT_DEVICE_SIZE];
    uint32_t epoch;
    int64_t heard_ms; /* world clock */
    struct city_incident shown;
};
struct model_station {
    char key[EVENT_DEVICE_SIZE];
    uint32_t epoch;
    struct city_station shown;
};
struct model_camera {
    char key[EVENT_DEVICE_SIZE];
    uint32_t epoch;
    int64_t arrived_us;
    struct city_camera shown;
    struct event event;        /* blob unset */
    uint64_t image_generation; /* of all pictures, so the smallest is the oldest */
    size_t image_length;
    uint8_t *image;
};

void model_incident_apply(struct model *model, const struct event *event, const struct record *record);
void model_station_apply(struct model *model, const struct event *event, const struct record *record);
void model_camera_apply(struct model *model, const struct event *event, const struct record *record);
void model_scene_expire(struct model *model, int64_t wall_us);
/* Everything of other epochs; 0: everything. */
void model_scene_forget(struct model *model, uint32_t keep);
/* The camera in focus or NULL: the one asked for, else the one nearest to `at` (NULL: any) that has a
 * picture. */
const struct model_camera *model_camera_focused(const struct model *model, const struct geo_vertex *at);

/* ---- the whole ---------------------------------------------------------------------------------------- */

struct model {
    size_t max_vehicles;
    struct model_focus focus;
    struct model_clock clock;
    uint64_t generation, kind_generation[EVENT_KIND_COUNT];

    struct map *vehicle_map; /* device id to index */
    size_t vehicle_slots, vehicle_count;
    struct model_vehicle *vehicles;
    int32_t free_vehicle; /* chained through `after` */
    struct model_ends order, lists[MODEL_LISTS];
    uint64_t evicted_vehicles, evicted_others, restarts;
    struct model_bin bins[GEO_ROUTES][CITY_BINS];

    struct model_table incidents, stations, cameras;
    size_t image_bytes;
    uint64_t image_generation;

    struct city_topic topics[EVENT_KIND_COUNT];
    int64_t *next_offsets[EVENT_KIND_COUNT]; /* by partition; -1 unknown */
    int32_t partitions[EVENT_KIND_COUNT];
    struct series latency_series;
    int64_t latency_bucket;
    double latency_sum;
    uint32_t latency_count;
    double lag_seconds;
    int64_t arrived_us; /* the newest arrival of all */
    uint64_t quarantined;
    struct city_quarantined quarantine[CITY_QUARANTINE]; /* ring */
};

/* The old world is gone: everything that is not of epoch `keep` (0: everything) is forgotten; counters stay.
 */
void model_forget(struct model *model, uint32_t keep);
static inline double model_clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

#endif
