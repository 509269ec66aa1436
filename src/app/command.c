#include "app/command.h"

#include "app/cli.h"
#include "app/commands_session.h"
#include "app/commands_ui.h"
#include "app/session.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ON_TIME (SCOPE_LIVE | SCOPE_REPLAY)

/* clang-format off */
static const struct command SESSION_COMMANDS[] = {
    {"pause", "play", "[on|off]", "pause or go on: the simulation, or the journey that plays", NULL, 0,
     {{"space", ON_TIME, NULL, "pause", 8}}, commands_pause, complete_on_off},
    {"step", NULL, "[n]", "one simulated second (or n), one record of a journey; pauses", NULL, 0,
     {{".", ON_TIME, NULL, NULL, 0}}, commands_step, NULL},
    {"speed", NULL, "<x>|faster|slower|max", "simulated seconds a second, 0.1 to 3600", NULL, 0,
     {{"[", ON_TIME, "slower", "slower", 9}, {"]", ON_TIME, "faster", "faster", 10}, {"=", ON_TIME, "1", NULL, 0}},
     commands_speed, complete_speed},
    {"seek", NULL, "<00:14:30|+5s|-5s|start|end>", "go to a place in the journey that plays", NULL, 0,
     {{"<", SCOPE_REPLAY, "-5s", "back 5 s", 12}, {">", SCOPE_REPLAY, "+5s", "on 5 s", 13}, {"{", SCOPE_REPLAY, "-60s", NULL, 0}, {"}", SCOPE_REPLAY, "+60s", NULL, 0}},
     commands_seek, NULL},
    {"incident", NULL, "[type] [place] [lanes]",
     "make an incident, ahead of the followed vehicle or at a place",
     "incident, incident fire, incident accident M40 J9 2", COMMAND_CHANGES,
     {{"i", SCOPE_LIVE, NULL, "incident", 11}}, commands_incident, complete_incident},
    {"breakdown", NULL, "[vehicle]", "a connected vehicle breaks down, the followed one if none is named",
     "breakdown, breakdown veh-0012", COMMAND_CHANGES, {{NULL}}, commands_breakdown, complete_vehicle},
    {"clear", NULL, "<incident>|all", "clear an incident now", NULL, COMMAND_CHANGES, {{NULL}},
     commands_clear, NULL},
    {"vehicles", NULL, "<n>", "connected vehicles, 1 to 50,000", NULL, COMMAND_CHANGES, {{NULL}},
     commands_vehicles, NULL},
    {"demand", NULL, "<0-1>", "share of the road's real traffic that drives along", NULL, COMMAND_CHANGES,
     {{NULL}}, commands_demand, NULL},
    {"weather", NULL, "<condition>|off", "one weather everywhere, or its own course again", NULL,
     COMMAND_CHANGES, {{NULL}}, commands_weather, complete_weather},
    {"gps", NULL, "<factor>", "make GPS worse by a factor; 1 is normal", NULL, COMMAND_CHANGES, {{NULL}},
     commands_gps, NULL},
    {"frames", NULL, "on|off", "camera pictures", NULL, COMMAND_CHANGES, {{NULL}}, commands_frames,
     complete_on_off},
    {"reset", NULL, "[seed]", "begin the world anew", NULL, COMMAND_CHANGES | COMMAND_CONFIRM,
     {{"R", SCOPE_LIVE, NULL, NULL, 0}}, commands_reset, NULL},
    {"follow", NULL, "<vehicle>|next|previous", "follow a vehicle", NULL, 0, {{NULL}}, commands_follow,
     complete_vehicle},
    {"camera", NULL, "<camera>|next|previous|auto",
     "show a camera; auto is the nearest to the followed vehicle", NULL, 0, {{NULL}}, commands_camera,
     complete_camera},
    {"tail", NULL, "filter <terms>|freeze|follow|open <n>|close", "the live tail",
     "terms: a piece of text, topic:gps key:veh-0007 partition:2 offset:118 bad:yes, ! negates",
     COMMAND_HIDDEN, {{NULL}}, commands_tail, complete_tail},
    {"record", NULL, "[on|off|name]", "record what Kafka delivers as a journey", NULL, COMMAND_CHANGES,
     {{"r", SCOPE_GLOBAL, NULL, NULL, 0}}, commands_record, complete_on_off},
    {"mark", NULL, "[text]", "put a marker into the recording", NULL, 0,
     {{"b", SCOPE_GLOBAL, NULL, NULL, 0}}, commands_mark, NULL},
    {"replay", NULL, "<journey>", "play a journey on the screen", NULL, 0, {{NULL}}, commands_replay,
     complete_journey, .batch = cli_replay, .batch_options = FOR_REPLAY,
     .examples = "smartcity replay NAME\nsmartcity replay FILE --speed 10 --seek 00:14:30\n"
     "smartcity replay FILE --to-kafka --bootstrap kafka:9092 --max-speed"},
    {"live", NULL, NULL, "back from a journey to what Kafka delivers", NULL, 0,
     {{"L", SCOPE_REPLAY, NULL, "live", 14}}, commands_live, NULL},
    {"delete", NULL, "<journey>", "delete a journey", NULL, COMMAND_CHANGES | COMMAND_CONFIRM_NAME, {{NULL}},
     commands_forget, complete_journey},
    {"flush", NULL, "[now|on|off|toggle|<topic>]", "write what waits to the lake, now; on, off: by age and size, or only when told; toggle: the other of the two",
     NULL, COMMAND_CHANGES, {{"f", SCOPE_GLOBAL, NULL, "flush", 13}, {"F", SCOPE_LAKE, "toggle", "auto flush", 14}}, commands_flush, complete_flush,
     .price = "requests to S3, about USD 0.005 for 1,000, and storage"},
    {"crawl", NULL, "[raw|curated] [stop]", "have Glue look at what lies in S3: makes the crawler when there is none, follows it",
     "crawl, crawl curated, crawl stop", COMMAND_CHANGES,
     {{"c", SCOPE_GLOBAL, NULL, "crawl", 15}}, commands_crawl, complete_crawl,
     .price = "Glue, USD 0.44 a DPU-hour, ten minutes at least"},
    {"catalogue", NULL, NULL, "read databases, tables, partitions and crawlers again", NULL, 0,
     {{"u", SCOPE_CATALOGUE, NULL, "read again", 16}}, commands_catalogue, NULL},
    {"compact", NULL, "<topic> <date> [look]", "make one file of all of a day's, which the partition then points to",
     "compact vehicle_data 2026-06-15; look only tells what would be gained", COMMAND_CHANGES, {{NULL}}, commands_compact, complete_flush,
     .price = "reading and writing the day's files in S3"},
    {"transform", NULL, "[all|<topic>]", "raw to curated: run the transformation over what has landed", NULL, COMMAND_CHANGES,
     {{"x", SCOPE_GLOBAL, NULL, "transform", 15}}, commands_transform, complete_flush,
     .price = "Athena, USD 5 a TB scanned, 10 MB at least"},
    {"load", NULL, "[all|<topic>]", "load what has landed into Redshift", NULL, COMMAND_CHANGES,
     {{"w", SCOPE_GLOBAL, NULL, "load", 16}}, commands_load, complete_flush,
     .price = "Redshift's time, by the RPU-hour when serverless"},
    {"auto", NULL, "on|off", "take what lands all the way to the warehouse, unattended", NULL, COMMAND_CHANGES, {{NULL}},
     commands_auto, complete_on_off, .price = "Athena and Redshift, each half minute when something has landed"},
    {"stop", NULL, "[<job>|<kind>]", "end the newest job, one by its number, or the newest of a kind", NULL, 0, {{NULL}},
     commands_stop, NULL},
    {"job", NULL, "<number>", "how it stands with a job", NULL, COMMAND_HIDDEN, {{NULL}}, commands_job, NULL},
    {"query", "sql", "[athena:|redshift:|cache:] <SQL>", "run SQL on the editor's engine, or on one that is named",
     "query SELECT count(*) FROM vehicle_data; query cache: SELECT * FROM results.result; query yes agrees to the price "
     "that was told. The engine cache reads what is kept on this machine: cache.throughput, ledger.batch, and "
     "kept results as result_17 or result_last.",
     COMMAND_TEXT, {{NULL}}, commands_query, NULL,
     .batch = cli_query, .batch_options = FOR_QUERY,
     .examples = "smartcity query \"SELECT road, avg(speed) FROM vehicle_data GROUP BY road\"\n"
     "smartcity query \"SELECT count(*) FROM smartcity.vehicle_data\" --on redshift --wait --output json\n"
     "smartcity query - --output csv <slow.sql >slow.csv"},
    {"estimate", NULL, "[athena:|redshift:] <SQL>", "what a query would scan at most, and cost", NULL, COMMAND_TEXT, {{NULL}},
     commands_estimate, NULL},
    {"engine", NULL, "[athena|redshift|cache|next]", "what the editor's SQL runs on", NULL, 0,
     {{"ctrl+t", SCOPE_QUERY | SCOPE_EDITOR, "next", "engine", 4}}, commands_engine, NULL},
    {"result", NULL, "[<number>|forget <number>]", "open a kept result, the newest if none is named", NULL, 0, {{NULL}},
     commands_result, NULL},
    {"plot", NULL, "[<column>] [over <column>]", "draw a column of numbers over a column of times or numbers", NULL, 0, {{NULL}},
     commands_plot, NULL},
    {"export", NULL, "<file> [<result>]", "write the open result to a file: .csv, .json, .ndjson, .parquet or .txt", NULL, 0, {{NULL}},
     commands_export, NULL},
    {"keep", NULL, "<name> [athena:|redshift:|cache:] <SQL>", "save SQL under a name, in sql/ of the configuration folder", NULL,
     COMMAND_TEXT | COMMAND_HIDDEN, {{NULL}}, commands_keep, NULL},
    {"saved", NULL, "<name> [athena|redshift|cache]", "run a saved query", "saved mean_speed_by_road_and_hour", 0, {{NULL}},
     commands_saved, complete_saved},
    {"broker", NULL, "up|down|rtt <ms>", "take the embedded broker down, to show what happens", NULL,
     COMMAND_CHANGES, {{NULL}}, commands_broker, complete_broker},
    {"slow", NULL, "<time>", "make the consumer wait after each batch, to show lag; 0 heals", NULL,
     COMMAND_CHANGES, {{NULL}}, commands_slow, NULL},
    {"status", NULL, NULL, "figures of the running console", NULL, COMMAND_HIDDEN, {{NULL}}, commands_status,
     NULL, .batch = cli_status, .batch_options = FOR_STATUS,
     .examples = "smartcity status\nsmartcity status --output json | jq .lag_seconds"},
    {.name = "run", .summary = "simulate, drive Kafka and watch it on the screen; the default",
     .batch = cli_run, .batch_options = FOR_RUN,
     .examples = "smartcity\nsmartcity run --vehicles 1000 --speed 10\nsmartcity run --bootstrap kafka:9092 " "--no-simulate\n"
     "smartcity run --headless --for 10s --output json"},
    {.name = "simulate", .summary = "simulate without a screen, into Kafka or to standard output",
     .batch = cli_simulate, .batch_options = FOR_SIMULATE,
     .examples = "smartcity simulate --seed 7 --vehicles 100 --for 10m --stdout >events.ndjson\n"
     "smartcity simulate --bootstrap kafka:9092 --vehicles 5000 --speed 10"},
    {.name = "journeys", .arguments = "[list|show|delete|export|import] …", .summary = "recorded journeys",
     .batch = cli_journeys, .batch_options = FOR_JOURNEYS,
     .examples = "smartcity journeys\nsmartcity journeys show NAME\nsmartcity journeys export NAME >journey.ndjson\n"
     "smartcity journeys import FILE --name demo\nsmartcity journeys delete NAME"},
    {.name = "cloud",
     .summary = "S3, Glue, Athena and Redshift on this machine, for any AWS client",
     .batch = cli_cloud, .batch_options = FOR_CLOUD,
     .examples = "smartcity cloud --verbose\nsmartcity cloud --export >cloud.env &  then  . ./cloud.env\n"
     "smartcity cloud --port 0 --data /tmp/lake --output json"},
    {.name = "sink", .summary = "write what Kafka delivers to the lake, and nothing else",
     .batch = cli_sink, .batch_options = FOR_SINK,
     .examples = "smartcity sink --bootstrap kafka:9092 --cloud aws --bucket my-lake\n"
     "smartcity sink --bootstrap kafka:9092 --drain --output json"},
    {.name = "doctor", .summary = "look at terminal, libraries, places and broker, and say the cure",
     .batch = cli_doctor, .batch_options = FOR_DOCTOR,
     .examples = "smartcity doctor\nsmartcity doctor --bootstrap kafka:9092"},
    {.name = "manual", .arguments = "1|5|keys|bash|cloud",
     .summary = "the documents that come from the tables", .flags = COMMAND_HIDDEN, .batch = cli_manual},
    {.name = "config", .summary = "the configuration in force, and where each value came from",
     .batch = cli_config, .batch_options = FOR_CONFIG,
     .examples = "smartcity config\nsmartcity config --output json"},
};
/* clang-format on */

/* The two lists as one, put together when first asked for; constant afterwards. Main thread first. */
size_t command_table(const struct command **commands)
{
    static struct command table[sizeof SESSION_COMMANDS / sizeof *SESSION_COMMANDS + COMMANDS_UI];
    static size_t count;
    if (count == 0) {
        memcpy(table, SESSION_COMMANDS, sizeof SESSION_COMMANDS);
        memcpy(table + sizeof SESSION_COMMANDS / sizeof *SESSION_COMMANDS, commands_ui,
               COMMANDS_UI * sizeof *table);
        count = sizeof table / sizeof *table;
    }
    *commands = table;
    return count;
}

static bool command_has_alias(const struct command *command, const char *name)
{
    size_t length = strlen(name);
    for (const char *word = command->aliases; word && *word;) {
        size_t word_length = strcspn(word, " ");
        if (word_length == length && strncasecmp(word, name, length) == 0)
            return true;
        word += word_length + strspn(word + word_length, " ");
    }
    return false;
}

const struct command *command_find(const char *name)
{
    const struct command *table, *found = NULL;
    size_t count = command_table(&table);
    for (size_t i = 0; i < count; i++)
        if (text_equal_fold(table[i].name, name) || command_has_alias(&table[i], name))
            return &table[i];
    for (size_t i = 0; *name && i < count; i++) {
        if (text_prefix_fold(table[i].name, name)) {
            if (found)
                return NULL;
            found = &table[i];
        }
    }
    return found;
}

const char *command_suggest(const char *name)
{
    const struct command *table;
    const char *best = NULL;
    size_t length = strlen(name);
    int nearest = length <= 3 ? 2 : 3; /* half of a short word would be guessing */
    size_t count = command_table(&table);
    for (size_t i = 0; i < count; i++) {
        int distance = text_distance(table[i].name, name, 3);
        if (distance < nearest) {
            nearest = distance;
            best = table[i].name;
        }
    }
    return best;
}

/* The rest of a line as one argument: without blanks at its end, and without the quotes of who quoted all of
 * it. */
static char *command_text(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        text[--length] = 0;
    if (length >= 2 && text[0] == '"' && text[length - 1] == '"' &&
        strchr(text + 1, '"') == text + length - 1) {
        text[length - 1] = 0;
        return text + 1;
    }
    return text;
}

/* Words are separated by blanks; "…" groups; there is no other quoting. */
int command_parse(const char *line, const char *source, struct command_call *call, char *scratch, size_t size,
                  struct err *err)
{
    *call = (struct command_call){.source = source};
    const char *name = NULL;
    if (strlen(line) >= size)
        return err_set(err, ERR_USAGE, "the line is longer than %zu characters", size - 1);
    text_copy(scratch, size, line);
    for (char *at = scratch; *(at += strspn(at, " \t"));) {
        char *word = at;
        if (*at == '"') {
            word = ++at;
            at += strcspn(at, "\"");
            if (!*at)
                return err_set(err, ERR_USAGE, "a quote is not closed");
        } else {
            at += strcspn(at, " \t");
        }
        if (*at)
            *at++ = 0;
        if (!name) {
            name = word;
            const struct command *command = command_find(name);
            if (command && (command->flags & COMMAND_TEXT)) {
                at += strspn(at, " \t\n");
                if (*at)
                    call->arguments[call->argument_count++] = command_text(at);
                call->command = command;
                return 0;
            }
        } else if (call->argument_count == COMMAND_ARGUMENTS)
            return err_set(err, ERR_USAGE, "more than %d words", COMMAND_ARGUMENTS);
        else
            call->arguments[call->argument_count++] = word;
    }
    if (!name)
        return err_set(err, ERR_USAGE, "no command");
    if (call->argument_count > 0 && strcmp(call->arguments[call->argument_count - 1], "--yes") == 0) {
        call->yes = true;
        call->argument_count--;
    }
    call->command = command_find(name);
    if (!call->command) {
        const char *suggestion = command_suggest(name);
        char shown[48];
        text_sanitise(shown, sizeof shown, name, strlen(name));
        return err_set(err, ERR_USAGE,
                       suggestion ? "%s: no such command; did you mean %s?"
                                  : "%s: no such command; ? lists them",
                       shown, suggestion);
    }
    return 0;
}

const char *command_format(const struct command_call *call, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "smartcity %s", call->command->name);
    for (size_t i = 0; i < call->argument_count && used < size; i++) {
        bool plain = call->arguments[i][0] &&
                     !call->arguments[i][strcspn(call->arguments[i], " '\"$`\\;&|<>*?!#~()[]{}")];
        used += (size_t)snprintf(out + used, size - used, plain ? " %s" : " '%s'", call->arguments[i]);
    }
    return out;
}

int command_execute(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const struct view *view = session_view_peek(session);
    if (!call->command->execute)
        return err_set(&reply->err, ERR_UNSUPPORTED,
                       call->command->batch ? "%s: only as `smartcity %s` on a command line"
                                            : "%s: only on the screen",
                       call->command->name, call->command->name);
    if ((call->command->flags & COMMAND_CHANGES) && view->read_only) {
        err_set(&reply->err, ERR_USAGE, "%s: refused, this console is read-only", call->command->name);
    } else if (call->command->price && view->cloud.billable && !call->yes &&
               strcmp(call->source, "operator") != 0) { /* the screen has asked */
        err_set(&reply->err, ERR_USAGE, "%s on AWS account %s, bucket %s, costs: %s; give --yes to do it",
                call->command->name, view->cloud.account, view->cloud.bucket, call->command->price);
    } else if (call->command->execute(session, call, reply) == 0) {
        char equivalent[240];
        if (reply->text[0])
            log_action(session_log(session), call->source,
                       command_format(call, equivalent, sizeof equivalent), "%s", reply->text);
        return 0;
    }
    if (reply->err.kind == ERR_NONE)
        err_set(&reply->err, ERR_INTERNAL, "%s: failed", call->command->name);
    log_write(session_log(session), LOG_WARNING, call->source, "%s", reply->err.text);
    return -1;
}
