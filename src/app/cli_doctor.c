/* doctor, config and status: what is the matter, what is set, what is going on. */
#include "app/cli.h"

#include "app/control.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "sql/duckdb.h"
#include "sql/sql.h"
#include "stream/broker.h"
#include "stream/producer.h"
#include "stream/version.h"

#include <jansson.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define AWS_US 10000000

/* ---- doctor ----------------------------------------------------------------------------------------- */

enum finding_level { FINDING_GOOD, FINDING_HINT, FINDING_BAD };

struct doctor {
    json_t *findings;
    bool table;
    int bad;
};

static void doctor_say(struct doctor *doctor, enum finding_level level, const char *what, const char *found,
                       const char *cure)
{
    static const char *const words[] = {"ok", "hint", "BAD"};
    doctor->bad += level == FINDING_BAD;
    if (doctor->table) {
        printf("%-5s %-12s %s\n", words[level], what, found);
        if (cure && *cure)
            printf("%-5s %-12s cure: %s\n", "", "", cure);
    }
    json_array_append_new(doctor->findings,
                          json_pack("{s:s,s:s,s:s,s:s}", "what", what, "state", words[level], "found", found,
                                    "cure", cure ? cure : ""));
}

static void doctor_terminal(struct doctor *doctor)
{
    char found[160];
    struct winsize size = {0};
    const char *term = getenv("TERM"), *charset;
    setlocale(LC_ALL, "");
    charset = nl_langinfo(CODESET);
    doctor_say(doctor, strcmp(charset, "UTF-8") == 0 ? FINDING_GOOD : FINDING_HINT, "locale", charset,
               strcmp(charset, "UTF-8") == 0
                   ? ""
                   : "the screen is drawn in ASCII; for braille: export LANG=C.UTF-8");
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0) {
        doctor_say(doctor, FINDING_HINT, "terminal", "standard output is not a terminal",
                   "the console needs one; without: smartcity run --headless");
        return;
    }
    bool dumb = !term || !*term || strcmp(term, "dumb") == 0;
    snprintf(found, sizeof found, "%s, %d columns, %d rows%s%s", term && *term ? term : "TERM is not set",
             size.ws_col, size.ws_row, getenv("COLORTERM") ? ", COLORTERM " : "",
             getenv("COLORTERM") ? getenv("COLORTERM") : "");
    char shown[200];
    text_sanitise(shown, sizeof shown, found, strlen(found));
    if (dumb)
        doctor_say(doctor, FINDING_BAD, "terminal", shown,
                   "export TERM=xterm-256color, or use smartcity run --headless");
    else if (size.ws_col < 60 || size.ws_row < 16)
        doctor_say(doctor, FINDING_BAD, "terminal", shown,
                   "make it 60 by 16 at least; 132 by 43 is where it is at its best");
    else
        doctor_say(doctor, FINDING_GOOD, "terminal", shown, "");
}

static void doctor_libraries(struct doctor *doctor)
{
    char found[200], features[256];
    kafka_features(features, sizeof features);
    snprintf(found, sizeof found, "librdkafka %s, SQLite %s, jansson %s", kafka_version(), sql_version(),
             jansson_version_str());
    doctor_say(doctor, FINDING_GOOD, "libraries", found, "");
    bool lz4 = strstr(features, "lz4") != NULL, tls = strstr(features, "ssl") != NULL;
    snprintf(found, sizeof found, "TLS %s, SASL %s; compression:%s%s%s%s", tls ? "yes" : "no",
             strstr(features, "sasl") ? "yes" : "no", strstr(features, "gzip") ? " gzip" : "",
             strstr(features, "snappy") ? " snappy" : "", lz4 ? " lz4" : "",
             strstr(features, "zstd") ? " zstd" : "");
    doctor_say(doctor, lz4 && tls ? FINDING_GOOD : FINDING_HINT, "librdkafka", found,
               lz4 && tls ? ""
                          : "this librdkafka lacks lz4 or ssl; set -X compression.type=none, or install the "
                            "distribution's");
}

static void doctor_place(struct doctor *doctor, enum file_place place, const char *what)
{
    char path[FILE_PATH_SIZE], found[FILE_PATH_SIZE + 64], free_text[TEXT_FIGURE_SIZE];
    struct err err = ERR_INIT;
    if (file_place_path(place, "", path, &err) < 0 || file_make_dirs(path, &err) < 0 ||
        access(path, W_OK) < 0) {
        doctor_say(
            doctor, place == FILE_DATA ? FINDING_BAD : FINDING_HINT, what, err.text[0] ? err.text : path,
            place == FILE_DATA ? "nothing can be recorded there; set XDG_DATA_HOME, or --journeys FOLDER"
                               : "it cannot be written; set the XDG_* variable to a place that can");
        return;
    }
    int64_t free_bytes = file_free_bytes(path);
    snprintf(found, sizeof found, "%s, %s free", path, text_bytes(free_text, (double)free_bytes));
    doctor_say(doctor, free_bytes < 200000000 ? FINDING_HINT : FINDING_GOOD, what, found,
               free_bytes < 200000000
                   ? "little room: recordings stop when it is full; free some, or --no-record"
                   : "");
}

/* Two seconds to reach the broker with a producer's own settings, TLS and SASL included. */
static void doctor_broker(struct doctor *doctor, const struct options *options)
{
    struct err err = ERR_INIT;
    struct log *log = log_create(50);
    struct broker *broker = options->bootstrap[0] ? NULL : broker_create(&err);
    const char *bootstrap = options->bootstrap[0] ? options->bootstrap
                            : broker              ? broker_bootstrap(broker)
                                                  : NULL;
    struct kafka_settings kafka = {.bootstrap = bootstrap,
                                   .properties = (const char *const *)options->properties.items,
                                   .property_count = options->properties.count,
                                   .topic_prefix = options->topic_prefix,
                                   .embedded = broker != NULL,
                                   .log = log};
    struct producer *producer = bootstrap ? producer_create(&kafka, &err) : NULL;
    char found[800];
    if (producer) {
        struct producer_figures figures = {0};
        int64_t until = clock_mono_us() + 3000000;
        do {
            clock_sleep_until(clock_mono_us() + 50000);
            producer_figures(producer, &figures);
        } while (figures.kafka.state != KAFKA_UP && clock_mono_us() < until);
        bool up = figures.kafka.state == KAFKA_UP;
        if (up || !figures.kafka.detail[0])
            snprintf(found, sizeof found, "%s%s, %s", bootstrap, broker ? " (embedded)" : "",
                     up ? "up" : "not reached");
        else /* begins with the address, and has the cure */
            text_copy(found, sizeof found, figures.kafka.detail);
        doctor_say(doctor, up ? FINDING_GOOD : FINDING_BAD, "broker", found,
                   up ? "" : "also firewall, -X security.protocol; kcat -b ADDRESS -L");
        producer_destroy(producer, 0);
    } else {
        doctor_say(doctor, FINDING_BAD, "broker", err.text, "see above");
    }
    broker_destroy(broker);
    log_destroy(log);
}

static void doctor_engine(struct doctor *doctor)
{
    struct err err = ERR_INIT;
    bool there = duck_is_there(&err) == 0;
    doctor_say(doctor, there ? FINDING_GOOD : FINDING_HINT, "DuckDB",
               there ? "found" : "not here: no Parquet, no local SQL",
               there ? "" : "make duckdb, or SMARTCITY_DUCKDB=FILE");
}

/* Who we would be on AWS; only when an account was asked for. */
static void doctor_cloud(struct doctor *doctor, const struct options *options)
{
    struct err err = ERR_INIT;
    if (options->cloud != CLOUD_AWS) {
        doctor_say(doctor, FINDING_GOOD, "cloud",
                   options->cloud == CLOUD_LOCAL ? "in the console's own process" : "off", "");
        return;
    }
    struct aws_settings settings = {
        .config = {.region = options->region, .profile = options->profile, .endpoint = options->endpoint}};
    struct aws_client *client = aws_client_create(&settings, &err);
    if (!client) {
        doctor_say(doctor, FINDING_BAD, "AWS", err.text, "--profile, --region, or the files of the AWS CLI");
        return;
    }
    struct aws_finding findings[12];
    size_t count = aws_doctor(client, clock_mono_us() + AWS_US, findings, sizeof findings / sizeof *findings);
    for (size_t i = 0; i < count; i++)
        doctor_say(doctor, findings[i].good ? FINDING_GOOD : FINDING_BAD, findings[i].what, findings[i].found,
                   findings[i].cure);
    aws_client_destroy(client);
}

int cli_doctor(struct options *options, const char *const *words, size_t count)
{
    struct doctor doctor = {.findings = json_array(), .table = options->output == OUTPUT_TABLE};
    doctor_terminal(&doctor);
    doctor_libraries(&doctor);
    doctor_place(&doctor, FILE_DATA, "data");
    doctor_place(&doctor, FILE_CACHE, "cache");
    doctor_place(&doctor, FILE_STATE, "state");
    doctor_place(&doctor, FILE_RUN, "run");
    doctor_broker(&doctor, options);
    doctor_engine(&doctor);
    doctor_cloud(&doctor, options);
    if (!doctor.table) {
        char *text = json_dumps(doctor.findings, JSON_INDENT(2));
        puts(text);
        free(text);
    }
    json_decref(doctor.findings);
    return doctor.bad ? EXIT_FAILED : EXIT_OK;
}

/* ---- config ----------------------------------------------------------------------------------------- */

static const char *const ORIGINS[] = {"default", "user file", "project file", "environment", "flag"};

static void property_text(const char *property, char *out, size_t size)
{
    size_t name = strcspn(property, "=");
    char key[128];
    text_sanitise(key, sizeof key, property, name);
    if (kafka_property_is_secret(key))
        snprintf(out, size, "%s=***", key);
    else
        text_sanitise(out, size, property, strlen(property));
}

/* As a line of the file. A default is a comment, so that what is saved from here keeps nothing that was not
 * chosen; a comment behind a long value goes before it. */
static void config_print(const char *name, const char *value, const char *origin, const char *place)
{
    char comment[160];
    const char *home = getenv("HOME");
    size_t length = home ? strlen(home) : 0;
    bool below = length > 1 && strncmp(place, home, length) == 0 && place[length] == '/';
    snprintf(comment, sizeof comment, "%s%s%s%s", origin, *place ? " " : "", below ? "~" : "",
             place + (below ? length : 0));
    bool chosen = strcmp(origin, ORIGINS[ORIGIN_DEFAULT]) != 0;
    if (!chosen)
        printf("; %s = %s\n", name, value);
    else if (strlen(value) + strlen(comment) > 54)
        printf("; %s\n%s = %s\n", comment, name, value);
    else
        printf("%-17s = %-*s ; %s\n", name, (int)(54 - strlen(comment)), value, comment);
}

int cli_config(struct options *options, const char *const *words, size_t count)
{
    const struct option_set *set = &options->set;
    json_t *object = json_object();
    bool table = options->output == OUTPUT_TABLE;
    if (table)
        puts("; what is in force, as a configuration file; a line behind ; is a default\n[smartcity]");
    for (size_t i = 0; i < set->count; i++) {
        char value[1024];
        if (set->options[i].flag_only || set->options[i].type == OPTION_LIST)
            continue;
        option_format(set, i, value, sizeof value);
        if (*value && strstr(set->options[i].name, "secret"))
            text_copy(value, sizeof value, "***");
        const char *origin = ORIGINS[set->origins[i]];
        if (table)
            config_print(set->options[i].name, value, origin, set->places[i]);
        json_object_set_new(
            object, set->options[i].name,
            json_pack("{s:s,s:s,s:s}", "value", value, "origin", origin, "place", set->places[i]));
    }
    if (table)
        puts("\n[kafka]");
    json_t *kafka = json_array();
    for (size_t i = 0; i < options->properties.count; i++) {
        char shown[600];
        property_text(options->properties.items[i], shown, sizeof shown);
        if (table)
            printf("%s\n", shown);
        json_array_append_new(kafka, json_string(shown));
    }
    json_object_set_new(object, "kafka", kafka);
    if (!table) {
        char *text = json_dumps(object, JSON_INDENT(2));
        puts(text);
        free(text);
    }
    json_decref(object);
    return EXIT_OK;
}

/* ---- status ----------------------------------------------------------------------------------------- */

static void status_cloud(const json_t *data)
{
    const json_t *cloud = json_object_get(data, "cloud"), *lake = json_object_get(data, "lake"), *figures;
    const char *topic;
    long long landed = 0, waiting = 0;
    char text[96];
    if (!cloud)
        return;
    static const char *const shown[] = {"state", "endpoint", "bucket"};
    printf("cloud     ");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const char *value = json_string_value(json_object_get(cloud, shown[i]));
        text_sanitise(text, sizeof text, value ? value : "", value ? strlen(value) : 0);
        printf("%s %s", i ? "," : "", text);
    }
    puts("");
    json_object_foreach(json_object_get(lake, "topics"), topic, figures)
    {
        landed += json_integer_value(json_object_get(figures, "landed"));
        waiting += json_integer_value(json_object_get(figures, "waiting"));
    }
    if (lake)
        printf("lake       %lld events landed, %lld wait%s\n", landed, waiting,
               json_is_true(json_object_get(lake, "paused")) ? ", flushed only when told" : "");
}

static void status_table(const json_t *data)
{
    const char *topic;
    json_t *figures, *topics = json_object_get(data, "topics");
    const json_t *simulation = json_object_get(data, "simulation");
    printf("console    pid %lld, %s\n", (long long)json_integer_value(json_object_get(data, "pid")),
           json_string_value(json_object_get(data, "version")));
    printf("broker     %s, %s\n", json_string_value(json_object_get(data, "broker")),
           json_string_value(json_object_get(data, "kafka")));
    if (simulation)
        printf("simulation %s, speed %g reached %.3g, %lld vehicles, %.0f events/s\n",
               json_is_true(json_object_get(simulation, "paused")) ? "paused" : "running",
               json_number_value(json_object_get(simulation, "speed")),
               json_number_value(json_object_get(simulation, "reached")),
               (long long)json_integer_value(json_object_get(simulation, "vehicles")),
               json_number_value(json_object_get(simulation, "events_per_s")));
    printf("city       %s, %lld vehicles seen, %lld incidents open, lag %.1f s\n",
           json_string_value(json_object_get(data, "simulated_time")),
           (long long)json_integer_value(json_object_get(data, "vehicles")),
           (long long)json_integer_value(json_object_get(data, "incidents_open")),
           json_number_value(json_object_get(data, "lag_seconds")));
    const json_t *journey = json_object_get(data, "journey");
    if (journey) {
        const char *path = json_string_value(json_object_get(journey, "path"));
        const char *slash = path ? strrchr(path, '/') : NULL;
        char name[60];
        const char *shown = slash ? slash + 1 : path ? path : "";
        text_sanitise(name, sizeof name, shown, strlen(shown));
        printf("recording  %s, %lld records, %lld missed\n", name,
               (long long)json_integer_value(json_object_get(journey, "recorded")),
               (long long)json_integer_value(json_object_get(journey, "missed")));
    }
    status_cloud(data);
    printf("memory     %.0f MB\n", json_number_value(json_object_get(data, "memory_bytes")) / 1e6);
    printf("%-16s %12s %12s %12s %12s %8s\n", "topic", "produced", "acknowledged", "consumed", "quarantined",
           "lag");
    json_object_foreach(topics, topic, figures)
    {
        printf("%-16s", topic);
        static const char *const columns[] = {"produced", "acknowledged", "consumed", "quarantined"};
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            printf(" %12lld", (long long)json_integer_value(json_object_get(figures, columns[i])));
        json_int_t lag = json_integer_value(json_object_get(figures, "lag"));
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)lag);
        printf(" %8s\n", lag < 0 ? "unknown" : text);
    }
    printf("lost %lld\n", (long long)json_integer_value(json_object_get(data, "lost")));
}

static void status_csv(const json_t *data)
{
    static const char *const columns[] = {"produced",    "acknowledged", "failed", "consumed",
                                          "quarantined", "gaps",         "lag"};
    const char *topic;
    json_t *figures, *topics = json_object_get(data, "topics");
    printf("topic");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        printf(",%s", columns[i]);
    json_object_foreach(topics, topic, figures)
    {
        printf("\n%s", topic);
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            printf(",%lld", (long long)json_integer_value(json_object_get(figures, columns[i])));
    }
    puts("");
}

int cli_status(struct options *options, const char *const *words, size_t count)
{
    struct err err = ERR_INIT;
    char *reply;
    if (control_ask(options->console, "status", &reply, &err) < 0)
        return cli_fail(&err);
    json_t *object = json_loads(reply, 0, NULL), *data = json_object_get(object, "data");
    free(reply);
    int exit_code = EXIT_OK;
    if (!data) {
        err_set(&err, ERR_REMOTE, "the console's answer is not understood; is it another version?");
        exit_code = cli_fail(&err);
    } else if (options->output == OUTPUT_TABLE) {
        status_table(data);
    } else if (options->output == OUTPUT_CSV) {
        status_csv(data);
    } else {
        char *text = json_dumps(data, options->output == OUTPUT_NDJSON ? JSON_COMPACT : JSON_INDENT(2));
        puts(text);
        free(text);
    }
    json_decref(object);
    return exit_code;
}
