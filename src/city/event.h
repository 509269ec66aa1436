/*
 * An event: one Kafka record, decoded. A plain value without owned memory, copied across boundaries.
 * `present` has bit i set when field i of the kind's table (city/schema.h) holds a value; a field without its
 * bit is null.
 */
#ifndef SMARTCITY_CITY_EVENT_H
#define SMARTCITY_CITY_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(ENUM, topic, short word for the screen, device noun) */
#define EVENT_KINDS(X)                                                                                       \
    X(EVENT_VEHICLE, "vehicle_data", "vehicle", "vehicle")                                                   \
    X(EVENT_GPS, "gps_data", "gps", "receiver")                                                              \
    X(EVENT_TRAFFIC, "traffic_data", "traffic", "camera")                                                    \
    X(EVENT_WEATHER, "weather_data", "weather", "station")                                                   \
    X(EVENT_EMERGENCY, "emergency_data", "emergency", "incident")

enum event_kind {
#define X(name, topic, word, noun) name,
    EVENT_KINDS(X)
#undef X
        EVENT_KIND_COUNT
};

const char *event_topic(enum event_kind kind);
const char *event_word(enum event_kind kind);
const char *event_noun(enum event_kind kind);
int event_kind_from_topic(const char *topic); /* or -1 */

#define EVENT_DEVICE_SIZE 40 /* a UUID fits */

struct event_location {
    double latitude, longitude; /* degrees, WGS84 */
};

/* JPEG or other image. Encoding: raw bytes, made Base64 by the codec. Decoding: the Base64 text inside the
 * record it came from, borrowed as long as that record lives. */
struct event_blob {
    const char *data;
    size_t length;
};

#define EVENT_COUNT_CLASSES 4
enum event_count_class { EVENT_COUNT_CAR, EVENT_COUNT_VAN, EVENT_COUNT_HGV, EVENT_COUNT_BUS };
const char *event_count_name(enum event_count_class class); /* "car", "van", "hgv", "bus" */
struct event_counts {
    int32_t by_class[EVENT_COUNT_CLASSES];
};

#define EVENT_RESPONDERS 4
struct event_list {
    int32_t count;
    char items[EVENT_RESPONDERS][16];
};

struct event_vehicle {
    struct event_location location;
    double speed; /* km/h */
    char direction[12];
    char make[20];
    char model[24];
    int32_t year;
    char fuel_type[12];
    char vehicle_type[12]; /* car, van, lorry, bus (DATEX II words) */
    char category[12];     /* private, public, commercial */
    double heading;        /* degrees clockwise from north */
    double acceleration;   /* m/s2 */
    double odometer;       /* km */
    double fuel_level;     /* percent; null for battery vehicles */
    double battery_level;  /* percent; null for others */
    double fuel_rate;      /* L/100 km, or kWh/100 km for battery vehicles */
    char route_id[12];     /* "m40-nb" */
    char road[12];
    char carriageway[4];
    double chainage; /* km from the start of the route */
    char marker[24]; /* "M40 A 62/9" */
    int32_t lane;    /* 1 nearest the verge */
    int32_t lanes;
    int32_t speed_limit; /* km/h */
    char trip_id[40];
    char status[16]; /* moving, queueing, stopped, brokenDown, arrived */
    bool engine_warning;
    char fault_code[8]; /* "P0217"; null without a warning */
};

struct event_gps {
    double speed;
    char direction[12];
    char vehicle_type[12];
    struct event_location location;
    double altitude; /* m */
    double heading;
    char fix[8]; /* none, 2d, 3d */
    int32_t satellites;
    double hdop;
    double accuracy; /* m, 95 % radius */
};

struct event_traffic {
    char camera_id[24];
    struct event_location location;
    struct event_blob snapshot;
    char content_type[24];
    int32_t width, height;
    char road[12];
    char carriageway[4];
    char marker[24];
    double intensity;             /* vehicles/h */
    double average_vehicle_speed; /* km/h */
    double occupancy;             /* 0 to 1 */
    bool congested;
    struct event_counts vehicle_counts;
    char snapshot_ref[128];
    char snapshot_hash[72]; /* SHA-256 hex */
};

struct event_weather {
    char station_id[24];
    char station_name[24];
    struct event_location location;
    double temperature; /* degrees C */
    char weather_condition[16];
    double precipitation; /* mm/h */
    double wind_speed;    /* km/h */
    double humidity;      /* percent */
    double air_quality_index;
    int32_t wmo_code;
    double dew_point;
    double pressure;       /* hPa */
    double wind_direction; /* degrees it blows from */
    double wind_gust;      /* km/h */
    double visibility;     /* m */
    double cloud_cover;    /* percent */
    double pm25;           /* ug/m3 */
    int32_t daqi;          /* 1 to 10 */
    char road_surface[12]; /* dry, wet, flooded, icy, snow */
};

struct event_emergency {
    char incident_id[40];
    char type[16]; /* Accident, Fire, Medical, Police, Breakdown, Debris */
    struct event_location location;
    char status[16]; /* Reported, Active, Responding, OnScene, Clearing, Resolved */
    char description[128];
    char severity[12];  /* CAP 1.2: Minor, Moderate, Severe, Extreme */
    char urgency[12];   /* Immediate, Expected, Future, Past */
    char certainty[12]; /* Observed, Likely, Possible */
    int32_t lanes_closed, lanes_total;
    char route_id[12];
    char road[12];
    char carriageway[4];
    double chainage; /* km */
    char marker[24];
    struct event_list responders; /* police, fire, ambulance, trafficOfficer, recovery */
    int64_t reported_at, active_at, responding_at, on_scene_at, clearing_at, resolved_at; /* ms */
    int64_t expected_clear_at;
    int32_t sequence; /* version of this incident's record, from 1 */
};

struct event {
    enum event_kind kind;
    uint64_t present;
    char id[40];                       /* UUID */
    char device_id[EVENT_DEVICE_SIZE]; /* also the Kafka key */
    int64_t timestamp;                 /* ms since 1970 UTC, simulated time */
    union {
        struct event_vehicle vehicle;
        struct event_gps gps;
        struct event_traffic traffic;
        struct event_weather weather;
        struct event_emergency emergency;
    };
};

#endif
