#include "app/options.h"

#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) .offset = offsetof(struct options, member), .size = sizeof(((struct options *)0)->member)
#define PRODUCE    (FOR_RUN | FOR_SIMULATE)
#define KAFKA      (FOR_RUN | FOR_SIMULATE | FOR_REPLAY | FOR_SINK | FOR_DOCTOR | FOR_CONFIG)
#define LAKESIDE   (FOR_RUN | FOR_SINK | FOR_DOCTOR | FOR_CONFIG | FOR_QUERY)
#define SCREEN     (FOR_RUN | FOR_REPLAY | FOR_CONFIG)

static const struct option TABLE[] = {
    {"bootstrap", 'b', OPTION_TEXT, AT(bootstrap), .fallback = "", .argument = "HOST:PORT[,…]",
     .commands = KAFKA, .help = "Kafka brokers; empty: an embedded broker on 127.0.0.1"},
    {"property", 'X', OPTION_LIST, AT(properties), .argument = "KEY=VALUE", .commands = KAFKA,
     .help = "any librdkafka property (TLS, SASL, tuning); repeatable; [kafka] in the file"},
    {"group", 'g', OPTION_TEXT, AT(group), .fallback = "smartcity-console", .argument = "NAME",
     .commands = FOR_RUN | FOR_SINK | FOR_CONFIG,
     .help = "consumer group; the lake's reader is NAME-lake; empty: none, every partition is read here"},
    {"topic-prefix", 0, OPTION_TEXT, AT(topic_prefix), .fallback = "", .argument = "TEXT", .commands = KAFKA,
     .help = "put before each of the five topic names"},
    {"from", 0, OPTION_WORD, AT(from), .fallback = "stored", .words = "stored|start|end", .argument = "WHERE",
     .commands = FOR_RUN | FOR_CONFIG,
     .help = "where an external broker's topics are read from when the group is new: stored, start, end"},
    {"simulate", 0, OPTION_BOOL, AT(simulate), .fallback = "on", .commands = FOR_RUN | FOR_CONFIG,
     .help = "simulate here; --no-simulate only watches the broker"},
    {"seed", 's', OPTION_INT, AT(seed), .fallback = "7", .max = 9007199254740992.0, .argument = "N",
     .commands = PRODUCE | FOR_CONFIG, .help = "the same seed gives the same events"},
    {"start", 0, OPTION_TIME, AT(start), .fallback = "2026-06-15T07:00:00Z", .argument = "TIME",
     .commands = PRODUCE | FOR_CONFIG, .help = "simulated time at the start, RFC 3339 or now"},
    {"vehicles", 'n', OPTION_INT, AT(vehicles), .fallback = "250", .min = 1, .max = WORLD_MAX_VEHICLES,
     .argument = "N", .commands = PRODUCE | FOR_CONFIG,
     .help = "connected vehicles, the ones that send events"},
    {"route", 'r', OPTION_WORD, AT(routes), .fallback = "both", .words = "both|m40|m1", .argument = "WHICH",
     .commands = PRODUCE | FOR_CONFIG, .help = "both, m40 or m1"},
    {"speed", 0, OPTION_DOUBLE, AT(speed), .fallback = "1", .min = 0.1, .max = 3600, .argument = "X",
     .commands = PRODUCE | FOR_REPLAY | FOR_CONFIG, .help = "simulated seconds a second, 0.1 to 3600"},
    {"max-speed", 0, OPTION_BOOL, AT(max_speed), .fallback = "off", .commands = PRODUCE | FOR_REPLAY,
     .help = "as fast as the machine and the broker take it", .flag_only = true},
    {"demand", 0, OPTION_DOUBLE, AT(demand), .fallback = "1", .min = 0, .max = 1, .argument = "SHARE",
     .commands = PRODUCE | FOR_CONFIG,
     .help = "share of the road's real traffic that drives along unconnected, 0 to 1"},
    {"incidents", 0, OPTION_DOUBLE, AT(incidents), .fallback = "2", .min = 0, .max = 1000, .argument = "X",
     .commands = PRODUCE | FOR_CONFIG, .help = "times the real rate of incidents; 0 none"},
    {"frames", 0, OPTION_BOOL, AT(frames), .fallback = "on", .commands = PRODUCE | FOR_CONFIG,
     .help = "draw camera pictures; --no-frames sends the counts alone"},
    {"camera-interval", 0, OPTION_DURATION, AT(camera_interval), .fallback = "30s", .argument = "TIME",
     .commands = PRODUCE | FOR_CONFIG, .help = "between two pictures of one camera, simulated"},
    {"weather-interval", 0, OPTION_DURATION, AT(weather_interval), .fallback = "60s", .argument = "TIME",
     .commands = PRODUCE | FOR_CONFIG, .help = "between two reports of one station, simulated"},
    {"record", 0, OPTION_BOOL, AT(record), .fallback = "on", .commands = FOR_RUN | FOR_CONFIG,
     .help = "record what Kafka delivers as a journey; --no-record does not"},
    {"record-limit", 0, OPTION_BYTES, AT(record_limit), .fallback = "1G", .argument = "SIZE",
     .commands = FOR_RUN | FOR_JOURNEYS | FOR_CONFIG,
     .help = "the recording is a ring: the oldest minutes go above this size"},
    {"journeys", 0, OPTION_TEXT, AT(journeys), .fallback = "", .argument = "FOLDER",
     .commands = FOR_RUN | FOR_REPLAY | FOR_JOURNEYS | FOR_CONFIG,
     .help = "where journeys are kept; default: journeys in the data directory"},
    {"journeys-limit", 0, OPTION_BYTES, AT(journeys_limit), .fallback = "10G", .argument = "SIZE",
     .commands = FOR_RUN | FOR_CONFIG,
     .help = "all unnamed journeys together: the oldest are deleted above this size"},
    {"name", 0, OPTION_TEXT, AT(name), .fallback = "", .argument = "TEXT", .commands = FOR_RUN | FOR_JOURNEYS,
     .help = "name of the journey being recorded or imported", .flag_only = true},
    {"theme", 0, OPTION_WORD, AT(theme), .fallback = "default", .words = "default|contrast|colourblind|mono",
     .argument = "NAME", .commands = SCREEN, .help = "default, contrast, colourblind or mono"},
    {"color", 0, OPTION_WORD, AT(colour), .fallback = "auto", .words = "auto|always|never",
     .argument = "WHEN", .commands = SCREEN, .help = "auto, always or never; NO_COLOR is honoured"},
    {"ascii", 0, OPTION_BOOL, AT(ascii), .fallback = "off", .commands = SCREEN,
     .help = "draw with ASCII characters only"},
    {"mouse", 0, OPTION_BOOL, AT(mouse), .fallback = "on", .commands = SCREEN,
     .help = "--no-mouse leaves it to the terminal"},
    {"read-only", 0, OPTION_BOOL, AT(read_only), .fallback = "off", .commands = SCREEN,
     .help = "refuse every command that changes something"},
    {"headless", 0, OPTION_BOOL, AT(headless), .fallback = "off", .commands = FOR_RUN,
     .help = "no screen: run, and report at the end", .flag_only = true},
    {"stdout", 0, OPTION_BOOL, AT(to_stdout), .fallback = "off", .commands = FOR_SIMULATE,
     .help = "write NDJSON instead of sending to Kafka", .flag_only = true},
    {"to-kafka", 0, OPTION_BOOL, AT(to_kafka), .fallback = "off", .commands = FOR_REPLAY,
     .help = "play back into the topics instead of on the screen", .flag_only = true},
    {"for", 0, OPTION_DURATION, AT(duration), .fallback = "0", .argument = "TIME",
     .commands = PRODUCE | FOR_SINK,
     .help = "end after this long: of the clock for run, simulated for simulate", .flag_only = true},
    {"seek", 0, OPTION_DURATION, AT(seek), .fallback = "0", .argument = "TIME", .commands = FOR_REPLAY,
     .help = "begin at this position, as 00:14:30", .flag_only = true},
    {"port", 0, OPTION_INT, AT(port), .fallback = "4566", .max = 65535, .argument = "N",
     .commands = FOR_CLOUD, .help = "of the local cloud on 127.0.0.1; 0: any that is free"},
    {"data", 0, OPTION_TEXT, AT(cloud_data), .fallback = "", .argument = "FOLDER",
     .commands = FOR_CLOUD | FOR_QUERY,
     .help = "where the local cloud keeps everything; default: cloud in the data directory"},
    {"region", 0, OPTION_TEXT, AT(region), .fallback = "", .argument = "NAME",
     .commands = FOR_CLOUD | LAKESIDE,
     .help = "of AWS, or that the local cloud pretends to be; default: as the AWS CLI has it, us-east-1"},
    {"access-key", 0, OPTION_TEXT, AT(access_key), .fallback = "", .argument = "KEY", .commands = FOR_CLOUD,
     .help = "instead of the one made at the first start and kept with the data"},
    {"secret-key", 0, OPTION_TEXT, AT(secret_key), .fallback = "", .argument = "SECRET",
     .commands = FOR_CLOUD,
     .help = "its secret; better in SMARTCITY_SECRET_KEY, since command lines can be read by others"},
    {"faults", 0, OPTION_BOOL, AT(faults), .fallback = "off", .commands = FOR_CLOUD,
     .help = "serve the interface that injects faults: throttling, errors, slow, cut and lost answers"},
    {"realistic", 0, OPTION_BOOL, AT(realistic), .fallback = "off", .commands = FOR_CLOUD,
     .help = "take about as long as AWS does"},
    {"export", 0, OPTION_BOOL, AT(export_lines), .fallback = "off", .commands = FOR_CLOUD,
     .help = "print lines for a shell's eval", .flag_only = true},
    {"verbose", 0, OPTION_BOOL, AT(verbose), .fallback = "off", .commands = FOR_CLOUD | LAKESIDE,
     .help = "a line for each request: on standard error, or in the Log", .flag_only = true},
    {"cloud", 0, OPTION_WORD, AT(cloud), .fallback = "local", .words = "local|aws|off", .commands = LAKESIDE,
     .argument = "WHICH",
     .help = "S3, Glue, Athena and Redshift: in this process, of an AWS account, or none"},
    {"profile", 0, OPTION_TEXT, AT(profile), .fallback = "", .argument = "NAME", .commands = LAKESIDE,
     .help = "of the AWS files, with --cloud aws"},
    {"endpoint", 0, OPTION_TEXT, AT(endpoint), .fallback = "", .argument = "URL", .commands = LAKESIDE,
     .help = "of every AWS service, with --cloud aws; else as AWS_ENDPOINT_URL and the AWS files say"},
    {"bucket", 0, OPTION_TEXT, AT(bucket), .fallback = "smartcity-lake", .argument = "NAME",
     .commands = LAKESIDE, .help = "the lake"},
    {"bucket-owner", 0, OPTION_TEXT, AT(bucket_owner), .fallback = "", .argument = "ACCOUNT",
     .commands = LAKESIDE, .help = "refuse a bucket of any other account"},
    {"encryption", 0, OPTION_TEXT, AT(encryption), .fallback = "", .argument = "KIND", .commands = LAKESIDE,
     .help = "server-side encryption to ask for: AES256 or aws:kms"},
    {"encryption-key", 0, OPTION_TEXT, AT(encryption_key), .fallback = "", .argument = "ARN",
     .commands = LAKESIDE, .help = "key of KMS, with --encryption aws:kms"},
    {"workgroup", 0, OPTION_TEXT, AT(workgroup), .fallback = "primary", .argument = "NAME",
     .commands = LAKESIDE, .help = "of Athena"},
    {"redshift-workgroup", 0, OPTION_TEXT, AT(redshift_workgroup), .fallback = "smartcity",
     .argument = "NAME", .commands = LAKESIDE, .help = "of Redshift Serverless"},
    {"redshift-cluster", 0, OPTION_TEXT, AT(redshift_cluster), .fallback = "", .argument = "NAME",
     .commands = LAKESIDE, .help = "a provisioned cluster, instead of a work group"},
    {"redshift-user", 0, OPTION_TEXT, AT(redshift_user), .fallback = "", .argument = "NAME",
     .commands = LAKESIDE, .help = "database user, with --redshift-cluster"},
    {"redshift-database", 0, OPTION_TEXT, AT(redshift_database), .fallback = "dev", .argument = "NAME",
     .commands = LAKESIDE, .help = "database of the warehouse"},
    {"redshift-role", 0, OPTION_TEXT, AT(redshift_role), .fallback = "default", .argument = "ARN",
     .commands = LAKESIDE, .help = "role by which Redshift reads the lake"},
    {"flush", 0, OPTION_BOOL, AT(flush), .fallback = "on", .commands = LAKESIDE,
     .help = "write to the lake by age and size; --no-flush: only when told"},
    {"auto", 0, OPTION_BOOL, AT(automatic), .fallback = "off", .commands = LAKESIDE,
     .help = "take what has landed all the way to the warehouse, unattended"},
    {"flush-age", 0, OPTION_DURATION, AT(flush_age), .fallback = "60s", .argument = "TIME",
     .commands = LAKESIDE, .help = "a batch is closed when its oldest event is this old"},
    {"flush-rows", 0, OPTION_INT, AT(flush_rows), .fallback = "500000", .min = 1, .max = 50000000,
     .argument = "N", .commands = LAKESIDE, .help = "or holds so many events"},
    {"flush-bytes", 0, OPTION_BYTES, AT(flush_bytes), .fallback = "32M", .argument = "SIZE",
     .commands = LAKESIDE, .help = "or so much memory"},
    {"spool-limit", 0, OPTION_BYTES, AT(spool_limit), .fallback = "2G", .argument = "SIZE",
     .commands = LAKESIDE, .help = "on disk, while S3 is away; above it reading pauses"},
    {"scan-budget", 0, OPTION_BYTES, AT(scan_budget), .fallback = "10G", .argument = "SIZE",
     .commands = LAKESIDE, .help = "a query that would scan more is refused"},
    {"on", 0, OPTION_WORD, AT(on), .fallback = "athena", .words = "athena|redshift|cache",
     .argument = "ENGINE", .commands = FOR_QUERY,
     .help = "what runs the SQL; cache: what is kept on this machine", .flag_only = true},
    {"output", 'o', OPTION_WORD, AT(output), .fallback = "table", .words = "table|json|csv|ndjson",
     .argument = "FORMAT",
     .commands = FOR_RUN | FOR_SIMULATE | FOR_REPLAY | FOR_JOURNEYS | FOR_STATUS | FOR_DOCTOR | FOR_CONFIG |
                 FOR_SOCKET | FOR_CLOUD | FOR_SINK | FOR_QUERY,
     .help = "table, json, csv or ndjson", .flag_only = true},
    {"console", 0, OPTION_INT, AT(console), .fallback = "0", .max = 4194304, .argument = "PID",
     .commands = FOR_STATUS | FOR_SOCKET | FOR_QUERY, .help = "which running console, when there are several",
     .flag_only = true},
    {"drain", 0, OPTION_BOOL, AT(drain), .fallback = "off", .commands = FOR_SINK,
     .help = "end when everything that was there has landed", .flag_only = true},
    {"wait", 'w', OPTION_BOOL, AT(wait), .fallback = "off", .commands = FOR_SOCKET | FOR_QUERY,
     .help = "until what was started is over; the exit code tells how it went", .flag_only = true},
    {"no-input", 0, OPTION_BOOL, AT(no_input), .fallback = "off", .help = "never ask", .flag_only = true},
    {"yes", 'y', OPTION_BOOL, AT(yes), .fallback = "off", .commands = FOR_JOURNEYS | FOR_SOCKET | FOR_QUERY,
     .help = "do what would be asked about: delete, reset", .flag_only = true},
    {"config", 0, OPTION_TEXT, AT(config_file), .fallback = "", .argument = "FILE",
     .help = "read this file instead of the user's", .flag_only = true},
    {"help", 'h', OPTION_BOOL, AT(help), .fallback = "off", .help = "this help", .flag_only = true},
    {"version", 'V', OPTION_BOOL, AT(version), .fallback = "off", .help = "version and libraries",
     .flag_only = true},
};

size_t options_table(const struct option **table)
{
    *table = TABLE;
    return sizeof TABLE / sizeof *TABLE;
}

static int options_default_journeys(struct options *options, struct err *err)
{
    if (options->journeys[0])
        return 0;
    return file_place_path(FILE_DATA, "journeys", options->journeys, err);
}

int options_read(struct options *options, unsigned command, int argc, char **argv, const char **positional,
                 size_t max_positional, size_t *positional_count, struct err *err)
{
    memset(options, 0, sizeof *options);
    option_init(&options->set, TABLE, sizeof TABLE / sizeof *TABLE, options);
    options->set.section = "kafka";
    options->set.section_offset = offsetof(struct options, properties);
    char path[FILE_PATH_SIZE];
    if (option_read_arguments(&options->set, command, argc, argv, positional, max_positional,
                              positional_count, err) < 0)
        return -1;
    struct option_list flags = options->properties; /* -X comes after the file's, so that it wins */
    options->properties.count = 0;
    int result = 0;
    if (options->config_file[0]) {
        if (file_size(options->config_file) < 0)
            result = err_set(err, ERR_CONFIG, "--config %s: no such file", options->config_file);
        else
            result = option_read_file(&options->set, options->config_file, ORIGIN_USER_FILE, err);
    } else if (file_place_path(FILE_CONFIG, "smartcity.conf", path, NULL) == 0) {
        result = option_read_file(&options->set, path, ORIGIN_USER_FILE, err);
    }
    if (result == 0)
        result = option_read_file(&options->set, "smartcity.conf", ORIGIN_PROJECT_FILE, err);
    if (result == 0)
        result = option_read_environment(&options->set, "SMARTCITY_", err);
    for (size_t i = 0; i < flags.count; i++) {
        if (options->properties.count < OPTION_LIST_MAX)
            options->properties.items[options->properties.count++] = flags.items[i];
        else
            free(flags.items[i]);
    }
    for (size_t i = 0; result == 0 && i < options->properties.count; i++)
        if (!strchr(options->properties.items[i], '='))
            result = err_set(err, ERR_USAGE, "-X '%.60s' is not KEY=VALUE", options->properties.items[i]);
    return result < 0 ? -1 : options_default_journeys(options, err);
}

bool options_is_set(const struct options *options, const char *name)
{
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (strcmp(TABLE[i].name, name) == 0)
            return options->set.origins && options->set.origins[i] != ORIGIN_DEFAULT;
    return false;
}

void options_free(struct options *options)
{
    option_free(&options->set);
}

void options_world(const struct options *options, struct world_settings *settings)
{
    world_settings_init(settings);
    settings->seed = (uint64_t)options->seed;
    settings->start = options->start;
    settings->vehicles = (uint32_t)options->vehicles;
    settings->routes = (enum world_routes)options->routes;
    settings->demand = options->demand;
    settings->incident_factor = options->incidents;
    settings->camera_frames = options->frames;
    settings->camera_interval =
        (uint32_t)(options->camera_interval / 1000000 > 0 ? options->camera_interval / 1000000 : 1);
    settings->weather_interval =
        (uint32_t)(options->weather_interval / 1000000 > 0 ? options->weather_interval / 1000000 : 1);
}
