/*
 * What the screen may know of the city: an immutable picture of the live model, published by the ingest
 * thread and read by the main thread. Everything in it came from Kafka (or from a journey that is replayed).
 * Reference counted; plain data otherwise.
 */
#ifndef SMARTCITY_CITY_SNAPSHOT_H
#define SMARTCITY_CITY_SNAPSHOT_H

#include "city/event.h"
#include "city/geo.h"
#include "city/series.h"

/* One dot on the map. */
struct city_vehicle {
    char device_id[EVENT_DEVICE_SIZE];
    struct geo_vertex at;
    float speed; /* km/h */
    float heading;
    float limit;    /* km/h; 0 unknown */
    int8_t route;   /* enum geo_route, or -1: off the known roads */
    uint8_t type;   /* enum event_count_class */
    uint8_t status; /* 0 moving, 1 queueing, 2 stopped, 3 broken down */
    float chainage_km;
    int64_t timestamp;
};

#define CITY_TRACK 120
/* The followed vehicle, in full. */
struct city_followed {
    bool known;
    struct event vehicle; /* the last vehicle_data event */
    struct event gps;     /* the last gps_data event; kind EVENT_GPS and present 0 when none yet */
    int64_t vehicle_arrived_us, gps_arrived_us; /* wall */
    size_t track_count;                         /* latest last */
    struct geo_vertex track[CITY_TRACK];
    float speeds[CITY_TRACK]; /* km/h */
    struct event_location gps_at;
    double queue_ahead_km; /* to the next congested stretch; negative: none within 50 km */
    double queue_length_km;
    double trip_km, trip_done_km;
    int64_t arrives_at; /* ms simulated, by the speeds seen ahead; 0 unknown */
    size_t index;       /* in vehicles[] */
};

struct city_incident {
    struct event event;
    struct geo_vertex at;
    int64_t first_seen_us, updated_us; /* wall */
    bool open;
};

struct city_station {
    struct event event;
    struct geo_vertex at;
    double chainage_km[GEO_ROUTES]; /* nearest point of each route; negative: farther than 40 km */
    int64_t arrived_us;
};

struct city_camera {
    char camera_id[24];
    struct geo_vertex at;
    char road[12], marker[24], carriageway[4];
    float intensity, speed, occupancy;
    bool congested, has_image;
    int64_t timestamp;
};

/* The picture of the camera in focus: JPEG bytes, decoded from Base64. */
struct city_image {
    bool known;
    struct event event; /* blob unset */
    int64_t arrived_us;
    uint64_t generation; /* changes with the picture */
    size_t length;
    uint8_t *bytes;
};

/* Congestion: each route in bins of CITY_BIN_M metres. */
#define CITY_BIN_M 1000
#define CITY_BINS  220
struct city_bin {
    float ratio; /* speed / limit, smoothed; negative: nothing seen lately */
    float speed; /* km/h */
    uint16_t vehicles;
    uint16_t age_s; /* since the last event, simulated; saturates */
};

struct city_topic {
    uint64_t events, bytes, quarantined;
    uint64_t unknown_fields, coerced, missing, unfit, foreign; /* as in struct codec_report, added up */
    uint64_t gaps;                                             /* offsets that were never delivered */
    struct series events_series, bytes_series;                 /* 1 s buckets, wall clock */
    int64_t last_arrived_us;
};

struct city_quarantined {
    int64_t arrived_us;
    int kind;
    int32_t partition;
    int64_t offset;
    size_t length;
    char reason[160];
    char excerpt[96]; /* sanitised */
};
#define CITY_QUARANTINE 32

struct city_snapshot {
    int references;
    uint64_t generation; /* changes whenever anything below does */
    uint64_t kind_generation[EVENT_KIND_COUNT];
    int64_t taken_us;     /* wall */
    int64_t simulated_ms; /* the newest event time seen */
    size_t vehicle_count;
    struct city_vehicle *vehicles; /* in the order first seen, a stable order for Tab */
    struct city_followed followed;
    size_t incident_count; /* open ones first, newest first */
    struct city_incident *incidents;
    size_t incidents_open;
    size_t station_count;
    struct city_station *stations;
    size_t camera_count;
    struct city_camera *cameras;
    struct city_image image;
    struct city_bin bins[GEO_ROUTES][CITY_BINS];
    struct city_topic topics[EVENT_KIND_COUNT];
    struct series latency_series; /* ms, produce to model */
    double lag_seconds;           /* produce time to now of the newest event applied, smoothed */
    uint64_t evicted_vehicles;    /* over the limit of tracked devices: a drop counter */
    uint64_t evicted_others;      /* the same for incidents, stations and cameras */
    uint64_t restarts;            /* times the world's clock began anew */
    size_t quarantine_count;      /* newest first */
    struct city_quarantined quarantine[CITY_QUARANTINE];
};

/* Of a city of which nothing is known yet. One reference. */
struct city_snapshot *city_snapshot_empty(int64_t now_us);
struct city_snapshot *city_snapshot_retain(struct city_snapshot *snapshot);
void city_snapshot_release(struct city_snapshot *snapshot);

#endif
