#include "tests/support/stream_view.h"

#include "base/err.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL_US INT64_C(1768205672000000) /* 2026-01-12T08:14:32Z */
#define SIM_MS  INT64_C(1768204800000)    /* 2026-01-12T08:00:00Z */
#define BAD     "\x1b[31mred\x1b]0;owned\x07\xff\xfe\xe2\x80\xae"

const char stream_view_vehicle[] =
    "{\"id\":\"6f1c2a34-0000-4000-8000-000000000007\",\"deviceId\":\"veh-0007\","
    "\"timestamp\":\"2026-01-12T08:00:00.000Z\",\"location\":{\"latitude\":51.790300,\"longitude\":-1.130100}"
    ","
    "\"speed\":87.3,\"direction\":\"North-West\",\"make\":\"BMW\",\"model\":\"M3\",\"year\":\"2021\","
    "\"fuelType\":\"Petrol\",\"vehicleType\":\"hovercraft\",\"batteryLevel\":null,\"heading\":\"far\","
    "\"marker\":\"M40 A 62/9\",\"mood\":\"calm\",\"extras\":[1,\"two\",{\"three\":3}]}";
const char stream_view_traffic[] =
    "{\"deviceId\":\"cam-0012\",\"timestamp\":\"2026-01-12T08:00:00.000Z\",\"cameraId\":\"cam-0012\","
    "\"vehicleCounts\":{\"car\":3,\"van\":0,\"hgv\":1,\"bus\":0},\"snapshot\":\"/9j/4AAQSkZJRgABAQEASABIAAD/"
    "2wBDAAgGBgcG"
    "BQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/\"}";

static void fill_topics(struct city_snapshot *city)
{
    static const double rates[EVENT_KIND_COUNT] = {4120, 4118, 98, 1480, 0.2};
    static const double sizes[EVENT_KIND_COUNT] = {640, 380, 9200, 520, 700};
    series_init(&city->latency_series, 1000000);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct city_topic *topic = &city->topics[kind];
        series_init(&topic->events_series, 1000000);
        series_init(&topic->bytes_series, 1000000);
        for (int second = 200; second >= 0; second--) {
            int64_t at = WALL_US - (int64_t)second * 1000000;
            double wave = 1 + 0.25 * sin((second + kind * 17) / 9.0) + (second == 60 && kind < 2 ? 1.2 : 0);
            double events = kind == EVENT_EMERGENCY ? second % 45 == 0 : floor(rates[kind] * wave);
            series_add(&topic->events_series, at, events);
            series_add(&topic->bytes_series, at, events * sizes[kind]);
            topic->events += (uint64_t)events;
            topic->bytes += (uint64_t)(events * sizes[kind]);
        }
    }
    for (int second = 200; second >= 0; second--)
        series_set(&city->latency_series, WALL_US - (int64_t)second * 1000000,
                   8 + 4 * sin(second / 7.0) + (second == 60 ? 140 : 0));
    city->topics[EVENT_VEHICLE].quarantined = 3;
    city->topics[EVENT_VEHICLE].coerced = 12;
    city->topics[EVENT_GPS].gaps = 17;
    city->topics[EVENT_WEATHER].unfit = 2;
    city->topics[EVENT_WEATHER].missing = 4800;
}

static void fill_kafka(struct stream_view *fixture)
{
    static const int partitions[EVENT_KIND_COUNT] = {8, 8, 4, 2, 2};
    struct view *view = &fixture->view;
    struct kafka_figures *in = &view->consumer.kafka, *out = &view->producer.kafka;
    in->state = out->state = KAFKA_UP;
    in->statistics_count = out->statistics_count = 200;
    text_copy(in->group, sizeof in->group, "smartcity-console");
    text_copy(in->member_state, sizeof in->member_state, "up");
    in->rebalances = 1;
    in->broker_count = out->broker_count = 1;
    in->brokers[0] = (struct kafka_broker_figures){
        .name = "127.0.0.1:40211", .id = 1, .up = true, .rtt_p50_ms = 0.31, .rtt_p99_ms = 0.9};
    out->brokers[0] = (struct kafka_broker_figures){.name = "127.0.0.1:40211",
                                                    .id = 1,
                                                    .up = true,
                                                    .rtt_p50_ms = 0.42,
                                                    .rtt_p99_ms = 2.4,
                                                    .out_queue = 3};
    out->latency_p50_ms = 1.2;
    out->latency_p95_ms = 3.44;
    out->latency_p99_ms = 18.2;
    out->queue_messages = 12400;
    out->queue_limit = 100000;
    view->producer.waits = 3;
    view->producer.waited_us = 1250000;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        int64_t lag = kind == EVENT_VEHICLE ? 118 : 0;
        view->consumer.topics[kind] =
            (struct consumer_topic_figures){.lag = lag, .lag_seconds = lag > 0 ? 0.2 : 0};
        for (int partition = 0; partition < partitions[kind]; partition++) {
            int64_t high = (int64_t)fixture->city->topics[kind].events / partitions[kind] + partition * 31;
            int64_t behind = partition == 2 ? lag : 0;
            in->partitions[in->partition_count++] =
                (struct kafka_partition_figures){.kind = (int8_t)kind,
                                                 .partition = partition,
                                                 .low = high > 20000 ? high - 20000 : 0,
                                                 .high = high,
                                                 .position = high - behind,
                                                 .committed = partition == 1 ? -1 : high - behind - 40,
                                                 .lag = behind,
                                                 .leader = 1};
        }
    }
}

static void fill_tail(struct view *view)
{
    view->tail = (struct view_tail){.generation = 1, .total = 1204118, .count = 60};
    for (size_t i = 0; i < view->tail.count; i++) {
        struct view_tail_row *row = &view->tail.rows[i];
        int kind = (int)(i * 7 % 11) % EVENT_KIND_COUNT;
        *row = (struct view_tail_row){.sequence = 1204118 - 59 + i,
                                      .arrived_us = WALL_US - (int64_t)(60 - i) * 13000,
                                      .kind = kind,
                                      .partition = (int32_t)(i % 8),
                                      .offset = 4711 + (int64_t)i,
                                      .length = 300 + i * 3};
        snprintf(row->key, sizeof row->key, "%s-%04zu",
                 kind == EVENT_TRAFFIC   ? "cam"
                 : kind == EVENT_WEATHER ? "wx"
                                         : "veh",
                 i % 9);
        if (kind == EVENT_TRAFFIC)
            snprintf(row->excerpt, sizeof row->excerpt,
                     "{\"deviceId\":\"%s\",\"timestamp\":\"2026-01-12T08:00:00.000Z\","
                     "\"cameraId\":\"%s\",\"intensity\":3120,\"averageVehicleSpeed\":41.5,\"congested\":true,"
                     "\"snapshot\":\"/9j/4AA",
                     row->key, row->key);
        else
            snprintf(row->excerpt, sizeof row->excerpt,
                     "{\"id\":\"6f1c2a34-0000-4000-8000-0000000000%02zu\",\"deviceId\":\"%s\","
                     "\"timestamp\":\"2026-01-12T08:00:00.000Z\",\"location\":{\"latitude\":51.7903,"
                     "\"longitude\":-1.1301},"
                     "\"speed\":%zu.3,\"direction\":\"North",
                     i, row->key, 60 + i % 40);
    }
}

static void fill_quarantine(struct city_snapshot *city)
{
    static const struct {
        const char *reason, *excerpt;
    } bad[] = {{"not JSON: a value is missing, at byte 12", "{\"speed\":}"},
               {"no timestamp", "{\"deviceId\":\"veh-0007\",\"speed\":87.3}"},
               {"no timestamp", "{\"deviceId\":\"veh-0008\"}"}};
    city->quarantine_count = 3;
    for (size_t i = 0; i < 3; i++) {
        struct city_quarantined *entry = &city->quarantine[i];
        *entry = (struct city_quarantined){.arrived_us = WALL_US - (int64_t)i * 61000000,
                                           .kind = EVENT_VEHICLE,
                                           .partition = (int32_t)i,
                                           .offset = 4711 + (int64_t)i,
                                           .length = strlen(bad[i].excerpt)};
        text_copy(entry->reason, sizeof entry->reason, bad[i].reason);
        text_copy(entry->excerpt, sizeof entry->excerpt, bad[i].excerpt);
    }
}

static void fill_journeys(struct stream_view *fixture)
{
    struct view *view = &fixture->view;
    for (int i = 0; i < STREAM_VIEW_JOURNEYS; i++) {
        struct journey_info *info = &fixture->journeys[i].info;
        int64_t length = (int64_t)(i * 737 + 90) * 1000000;
        snprintf(info->path, sizeof info->path,
                 "/home/op/.local/share/smartcity/journeys/journey-202601%02d-081432.sqlite", 12 - i);
        info->started_us = WALL_US - (int64_t)i * 86400 * 1000000 - length;
        info->ended_us = info->started_us + length;
        info->length_us = length;
        info->first_ms = SIM_MS;
        info->last_ms = SIM_MS + length / 100;
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            info->events[kind] = fixture->city->topics[kind].events * (uint64_t)(i + 1) / 3;
            info->total += info->events[kind];
        }
        info->bytes = info->total * 610;
        info->file_bytes = (int64_t)(info->bytes / 9) + 40000;
        info->limit_bytes = 1000000000;
        info->markers = (uint32_t)i;
        info->clean = true;
        text_copy(info->seed, sizeof info->seed, "7");
        text_copy(info->source, sizeof info->source, i == 4 ? "kafka.example.org:9092" : "LOCAL");
        view->journeys_bytes += info->file_bytes;
    }
    fixture->journeys[0].info.open = true;
    fixture->journeys[0].info.clean = false;
    text_copy(fixture->journeys[1].info.name, 64, "rush hour, two incidents");
    fixture->journeys[2].info.clean = false;
    fixture->journeys[3].info.dropped_oldest = 1204118;
    fixture->journeys[5].info = (struct journey_info){.file_bytes = 81920};
    snprintf(fixture->journeys[5].info.path, 512, "/home/op/.local/share/smartcity/journeys/old.sqlite");
    text_copy(
        fixture->journeys[5].problem, 160,
        "old.sqlite is no journey: file is not a database; delete it, or bring the journey back from a copy");
    view->journeys = fixture->journeys;
    view->journey_count = STREAM_VIEW_JOURNEYS;
    view->journeys_generation = 1;
    view->journeys_limit = 1000000000;
    text_copy(view->journeys_folder, sizeof view->journeys_folder,
              "/home/op/.local/share/smartcity/journeys");
    view->recorder.state = RECORDER_ON;
    view->recorder.journey = fixture->journeys[0].info;
    view->recorder.recorded = fixture->journeys[0].info.total;
    view->recorder.queue.capacity = 64;
    view->recorder.queue.depth = 2;
}

static void fill_log(struct stream_view *fixture)
{
    static const struct {
        enum log_level level;
        const char *source, *text, *equivalent;
    } lines[] = {
        {LOG_INFO, "kafka", "embedded broker listens on 127.0.0.1:40211", "kcat -b 127.0.0.1:40211 -L"},
        {LOG_DONE, "operator", "speed ×10", ""},
        {LOG_DEBUG, "kafka", "group smartcity-console: 24 partitions assigned", ""},
        {LOG_WARNING, "store", "the ring is full: the oldest records go", ""},
        {LOG_DONE, "scenario", "incident Accident at M40 J9–J10 NB", ""},
        {LOG_ERROR, "kafka",
         "127.0.0.1:40211: Connection refused; is the broker running? Sends wait and go on by themselves "
         "when it "
         "is back",
         "kcat -b 127.0.0.1:40211 -L"},
        {LOG_INFO, "operator", "recording to journey-20260112-081432.sqlite", "smartcity record on"},
    };
    size_t count = sizeof lines / sizeof lines[0];
    for (size_t i = 0; i < STREAM_VIEW_LOG; i++) {
        struct log_entry *entry = &fixture->log[i];
        entry->sequence = i + 1;
        entry->wall_us = WALL_US - (int64_t)(STREAM_VIEW_LOG - i) * 3100000;
        entry->level = lines[i % count].level;
        text_copy(entry->source, sizeof entry->source, lines[i % count].source);
        text_copy(entry->text, sizeof entry->text, lines[i % count].text);
        text_copy(entry->equivalent, sizeof entry->equivalent, lines[i % count].equivalent);
    }
    fixture->view.log = fixture->log;
    fixture->view.log_count = fixture->view.log_last = STREAM_VIEW_LOG;
}

static void take_down(struct stream_view *fixture)
{
    struct view *view = &fixture->view;
    struct kafka_figures *clients[] = {&view->consumer.kafka, &view->producer.kafka};
    for (size_t i = 0; i < 2; i++) {
        clients[i]->state = KAFKA_DOWN;
        clients[i]->state_since_us = WALL_US - 4000000;
        clients[i]->brokers[0].up = false;
        text_copy(clients[i]->detail, sizeof clients[i]->detail,
                  "127.0.0.1:40211: Connection refused; is the broker running? Sends wait and go on when it "
                  "is back");
    }
    view->producer.held = true;
    view->producer.kafka.queue_messages = 97000;
    view->consumer.topics[EVENT_VEHICLE].lag = 250118;
    view->consumer.topics[EVENT_VEHICLE].lag_seconds = 61;
    view->recorder.state = RECORDER_FAILED;
    view->recorder.missed = 512;
    text_copy(view->recorder.problem, sizeof view->recorder.problem,
              "journey-20260112-081432.sqlite: no space left on device; free some, the recording goes on by "
              "itself");
}

/* What the session would hand over: the view's texts are made harmless there, the paths and names of files
 * are not. */
static void make_hostile(struct stream_view *fixture)
{
    struct view *view = &fixture->view;
    for (size_t i = 0; i < view->tail.count; i++) {
        struct view_tail_row *row = &view->tail.rows[i];
        row->kind = (int)(i % 7) - 1;
        row->quarantined = i % 2 == 0;
        row->offset = i % 3 == 0 ? -1 : INT64_MAX;
        row->partition = i % 5 == 0 ? -1 : INT32_MAX;
        row->length = i % 4 == 0 ? 10485760 : 0;
        row->arrived_us = i % 6 == 0 ? INT64_MIN : row->arrived_us;
        text_copy(row->key, sizeof row->key, BAD);
        text_copy(row->excerpt, sizeof row->excerpt,
                  i % 3 == 0   ? BAD BAD
                  : i % 3 == 1 ? "{\"" BAD "\":\"" BAD
                               : "{\"a\":{\"b\\\"");
    }
    for (size_t i = 0; i < fixture->city->quarantine_count; i++) {
        text_copy(fixture->city->quarantine[i].reason, 160, BAD " reason");
        text_copy(fixture->city->quarantine[i].excerpt, 96, BAD);
        fixture->city->quarantine[i].kind = -1;
    }
    for (int i = 0; i < STREAM_VIEW_JOURNEYS; i++) {
        struct journey_info *info = &fixture->journeys[i].info;
        text_copy(info->name, sizeof info->name, BAD);
        text_copy(info->source, sizeof info->source, BAD);
        text_copy(info->seed, sizeof info->seed, BAD);
        info->length_us = i % 2 == 0 ? INT64_MAX : INT64_MIN;
        info->first_ms = INT64_MIN;
        info->last_ms = INT64_MAX / 1000;
        info->total = UINT64_MAX;
        info->damaged_chunks = 1;
    }
    for (size_t i = 0; i < STREAM_VIEW_LOG; i++) {
        text_copy(fixture->log[i].text, sizeof fixture->log[i].text, BAD BAD);
        text_copy(fixture->log[i].equivalent, sizeof fixture->log[i].equivalent, BAD);
        fixture->log[i].wall_us = i % 2 == 0 ? INT64_MAX : -1;
    }
    struct kafka_figures *kafka = &view->consumer.kafka;
    text_copy(kafka->group, sizeof kafka->group, BAD);
    text_copy(kafka->brokers[0].name, sizeof kafka->brokers[0].name, BAD);
    kafka->brokers[0].rtt_p50_ms = NAN;
    view->producer.kafka.latency_p50_ms = INFINITY;
    view->producer.kafka.latency_p99_ms = -1;
    for (size_t i = 0; i < kafka->partition_count; i++)
        kafka->partitions[i].high = kafka->partitions[i].lag = i % 2 == 0 ? INT64_MAX : -1;
    for (size_t i = 0; i < SERIES_BUCKETS; i += 3) {
        fixture->city->topics[EVENT_GPS].events_series.values[i] = NAN;
        fixture->city->topics[EVENT_VEHICLE].events_series.values[i] = INFINITY;
        fixture->city->topics[EVENT_TRAFFIC].bytes_series.values[i] = -1;
    }
}

struct stream_view *stream_view_create(enum stream_view_kind kind)
{
    struct stream_view *fixture = mem_zero(1, sizeof *fixture);
    struct city_snapshot *city = fixture->city = mem_zero(1, sizeof *city);
    struct view *view = &fixture->view;
    view->city = city;
    view->wall_us = city->taken_us = WALL_US;
    view->mono_us = 1000000;
    view->source = VIEW_LIVE;
    view->sim.present = true;
    view->sim.speed = 10;
    text_copy(view->kafka_label, sizeof view->kafka_label, "LOCAL");
    text_copy(view->kafka_address, sizeof view->kafka_address, "127.0.0.1:40211");
    if (kind == STREAM_VIEW_EMPTY)
        return fixture;
    city->generation = 1;
    city->simulated_ms = SIM_MS;
    fill_topics(city);
    fill_kafka(fixture);
    fill_tail(view);
    fill_quarantine(city);
    fill_journeys(fixture);
    fill_log(fixture);
    if (kind == STREAM_VIEW_DOWN)
        take_down(fixture);
    if (kind == STREAM_VIEW_HOSTILE)
        make_hostile(fixture);
    return fixture;
}

void stream_view_destroy(struct stream_view *fixture)
{
    free(fixture->city);
    free(fixture);
}

void stream_view_open(struct stream_view *fixture, size_t row, const char *value, size_t length)
{
    struct view_opened *opened = &fixture->view.tail.opened;
    *opened = (struct view_opened){
        .known = true, .row = fixture->view.tail.rows[row], .value = value, .value_length = length};
    opened->row.length = length;
    opened->produced_us = opened->row.arrived_us - 8400;
    opened->timestamp_ms = opened->row.arrived_us / 1000 - 8;
    opened->header_count = 3;
    strcpy(opened->headers[0].name, "produced-at");
    strcpy(opened->headers[0].value, "1768205671991600");
    strcpy(opened->headers[1].name, "traceparent");
    strcpy(opened->headers[1].value, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    strcpy(opened->headers[2].name, "schema-version");
    strcpy(opened->headers[2].value, "1");
}

void stream_view_replay(struct stream_view *fixture, bool paused)
{
    struct view *view = &fixture->view;
    view->source = VIEW_REPLAY;
    view->sim = (struct view_sim){.present = false};
    view->replay = (struct view_replay){.active = true,
                                        .paused = paused,
                                        .speed = 10,
                                        .position_us = INT64_C(325000000),
                                        .length_us = INT64_C(827000000),
                                        .event_ms = SIM_MS + 3250000,
                                        .played = 412118,
                                        .total = 1204118};
    text_copy(view->replay.name, sizeof view->replay.name, "rush hour, two incidents");
}
