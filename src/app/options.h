/*
 * The options of the program: one table (app/options.c) behind flags, SMARTCITY_* variables, the
 * configuration file, `smartcity config` and --help. Read once at start, then const.
 */
#ifndef SMARTCITY_APP_OPTIONS_H
#define SMARTCITY_APP_OPTIONS_H

#include "base/option.h"
#include "sim/world.h"

enum options_output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV, OUTPUT_NDJSON };
enum options_cloud { CLOUD_LOCAL, CLOUD_AWS, CLOUD_NONE };
enum options_colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* Bits for the commands that take an option. */
enum {
    FOR_RUN = 1 << 0,
    FOR_SIMULATE = 1 << 1,
    FOR_REPLAY = 1 << 2,
    FOR_JOURNEYS = 1 << 3,
    FOR_STATUS = 1 << 4,
    FOR_DOCTOR = 1 << 5,
    FOR_CONFIG = 1 << 6,
    FOR_SOCKET = 1 << 7,
    FOR_CLOUD = 1 << 8,
    FOR_SINK = 1 << 9,
    FOR_QUERY = 1 << 10
};

struct options {
    /* Kafka */
    char bootstrap[512];
    char group[128];
    char topic_prefix[64];
    struct option_list properties; /* "key=value" for librdkafka */
    int from;                      /* start|end|stored */
    /* simulation */
    bool simulate;
    int64_t seed, start, vehicles;
    int routes;
    double speed, demand, incidents;
    bool frames;
    int64_t camera_interval, weather_interval; /* us */
    /* recording */
    bool record;
    int64_t record_limit, journeys_limit;
    char journeys[512];
    /* screen */
    int theme, colour;
    bool ascii, mouse, read_only;
    /* command line */
    bool headless, wait, drain, to_stdout, to_kafka, no_input, yes, help, version, max_speed;
    int output;
    int on;           /* enum query_engine */
    int64_t duration; /* us; 0: no end */
    int64_t console;  /* pid of the console to talk to; 0: the newest */
    char name[64];
    char config_file[512];
    char replay_path[512]; /* set by `replay`: what the console plays; "" live */
    int64_t seek;
    /* local cloud */
    int64_t port;
    char cloud_data[512], region[32], access_key[132], secret_key[132];
    bool export_lines, verbose, faults, realistic;
    /* past Kafka */
    int cloud; /* enum options_cloud */
    char profile[128], endpoint[256], bucket[64], bucket_owner[16], encryption[16], encryption_key[256];
    char workgroup[128], redshift_workgroup[128], redshift_cluster[128], redshift_user[128];
    char redshift_database[128], redshift_role[256];
    bool automatic; /* the whole way, unattended */
    bool flush;     /* by age and size; off: paused */
    int64_t flush_age, flush_rows, flush_bytes, spool_limit, scan_budget;
    struct option_set set;
};

size_t options_table(const struct option **table);
/* Defaults, then files, environment and the flags of argv (without program and command name). */
int options_read(struct options *options, unsigned command, int argc, char **argv, const char **positional,
                 size_t max_positional, size_t *positional_count, struct err *err);
/* Somebody said it: a file, the environment or a flag. */
bool options_is_set(const struct options *options, const char *name);
void options_free(struct options *options);
void options_world(const struct options *options, struct world_settings *settings);

#endif
