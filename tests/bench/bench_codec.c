/*
 * Encoding and decoding of full vehicle_data records, decoding with the live model behind it, and taking the
 * picture for the screen; of one core. The peer is jansson in the same run: building the object and dumping
 * it compactly, and loading it and reading the same fields out.
 *
 * Prints lines `name  value unit  ratio-to-peer`.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "city/model.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS 256
#define SECONDS 1.0

static void fill(struct event *event, unsigned i)
{
    const struct schema *schema = schema_get(EVENT_VEHICLE);
    memset(event, 0, sizeof *event);
    event->kind = EVENT_VEHICLE;
    for (size_t f = 0; f < schema->field_count; f++) {
        const struct field *field = &schema->fields[f];
        void *value = event_field(event, field);
        event_set(event, (int)f);
        if (field->type == FIELD_TEXT && field->words)
            snprintf(value, field->size, "%.*s", (int)strcspn(field->words, "|"), field->words);
        else if (field->type == FIELD_INT)
            *(int32_t *)value = (int32_t)(i * 31 % 2000);
        else if (field->type == FIELD_DOUBLE)
            *(double *)value = (double)(i * 7919 % 100000) / 37;
        else if (field->type == FIELD_TIME)
            *(int64_t *)value = INT64_C(1768205672000) + i;
        else if (field->type == FIELD_LOCATION)
            *(struct event_location *)value =
                (struct event_location){51.5 + i * 0.001234, -0.1 - i * 0.003456};
    }
    snprintf(event->id, sizeof event->id, "6b1f0f9e-3b5c-8a4e-9d2f-%012u", i);
    snprintf(event->device_id, sizeof event->device_id, "veh-%05u", i);
    snprintf(event->vehicle.trip_id, sizeof event->vehicle.trip_id, "0c9f1d2e-77aa-8bcd-8123-%012u", i);
    snprintf(event->vehicle.marker, sizeof event->vehicle.marker, "M40 A %u/%u", i % 140, i % 10);
    text_copy(event->vehicle.make, sizeof event->vehicle.make, "Vauxhall");
    text_copy(event->vehicle.model, sizeof event->vehicle.model, "Corsa");
    text_copy(event->vehicle.route_id, sizeof event->vehicle.route_id, "m40-nb");
    text_copy(event->vehicle.road, sizeof event->vehicle.road, "M40");
    text_copy(event->vehicle.carriageway, sizeof event->vehicle.carriageway, "A");
}

static json_t *peer_build(const struct event *event)
{
    const struct schema *schema = schema_get(event->kind);
    json_t *object = json_object();
    char time[TEXT_TIME_SIZE];
    for (size_t f = 0; f < schema->field_count; f++) {
        const struct field *field = &schema->fields[f];
        const void *value = event_field_const(event, field);
        json_t *item = NULL;
        if (field->type == FIELD_TEXT) {
            item = json_string(value);
        } else if (field->type == FIELD_INT) {
            item = json_integer(*(const int32_t *)value);
        } else if (field->type == FIELD_DOUBLE) {
            item = json_real(*(const double *)value);
        } else if (field->type == FIELD_TIME) {
            item = json_string(text_time(time, *(const int64_t *)value));
        } else if (field->type == FIELD_LOCATION) {
            const struct event_location *location = value;
            item = json_pack("{s:f,s:f}", "latitude", location->latitude, "longitude", location->longitude);
        }
        json_object_set_new(object, field->name, item);
    }
    return object;
}

static void peer_read(json_t *object, struct event *event)
{
    const struct schema *schema = schema_get(event->kind);
    for (size_t f = 0; f < schema->field_count; f++) {
        const struct field *field = &schema->fields[f];
        void *value = event_field(event, field);
        json_t *item = json_object_get(object, field->name);
        if (field->type == FIELD_TEXT) {
            text_copy(value, field->size, json_string_value(item));
        } else if (field->type == FIELD_INT) {
            *(int32_t *)value = (int32_t)json_integer_value(item);
        } else if (field->type == FIELD_DOUBLE) {
            *(double *)value = json_number_value(item);
        } else if (field->type == FIELD_TIME) {
            text_parse_time(json_string_value(item), json_string_length(item), value);
        } else if (field->type == FIELD_LOCATION) {
            struct event_location *location = value;
            location->latitude = json_number_value(json_object_get(item, "latitude"));
            location->longitude = json_number_value(json_object_get(item, "longitude"));
        }
    }
}

struct bench {
    struct event *events;
    struct buf *texts;
    struct buf out;
    struct event decoded;
    uint64_t guard; /* keeps the work from being optimised away */
};

static void run_encode(struct bench *bench, unsigned i)
{
    buf_reset(&bench->out);
    codec_encode(&bench->events[i], &bench->out);
    bench->guard += bench->out.length;
}

static void run_decode(struct bench *bench, unsigned i)
{
    struct codec_report report;
    const struct buf *text = &bench->texts[i];
    bench->guard += codec_decode(EVENT_VEHICLE, text->data, text->length, &bench->decoded, &report);
}

static void run_peer_encode(struct bench *bench, unsigned i)
{
    json_t *object = peer_build(&bench->events[i]);
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(10));
    bench->guard += strlen(text);
    free(text);
    json_decref(object);
}

static void run_peer_decode(struct bench *bench, unsigned i)
{
    json_t *object = json_loadb(bench->texts[i].data, bench->texts[i].length, 0, NULL);
    peer_read(object, &bench->decoded);
    bench->guard++;
    json_decref(object);
}

/* Calls per second of this thread's processor time. */
static double measure(struct bench *bench, void (*run)(struct bench *, unsigned))
{
    uint64_t calls = 0;
    int64_t start = clock_thread_cpu_us(), now = start;
    while ((double)(now - start) < SECONDS * 1e6) {
        for (unsigned i = 0; i < 4 * RECORDS; i++)
            run(bench, i % RECORDS);
        calls += 4 * RECORDS;
        now = clock_thread_cpu_us();
    }
    return (double)calls * 1e6 / (double)(now - start);
}

static void print(const char *name, double value, double peer)
{
    printf("%-28s %10.3f M events/s/core  %6.2f of jansson\n", name, value / 1e6, value / peer);
}

/* A fleet along the whole M40, every vehicle reporting once a simulated second. */
static void measure_model(unsigned fleet, double peer)
{
    struct model *model = model_create(50000);
    struct event event;
    struct codec_report report;
    struct buf texts;
    size_t *ends = mem_zero(fleet, sizeof *ends);
    buf_init(&texts, 1 << 30);
    uint64_t calls = 0;
    int64_t spent = 0, wall_us = INT64_C(1790000000000000);
    double length = geo_route_length(GEO_M40_NORTH) / 1000;
    for (int64_t second = 0; spent < (int64_t)(SECONDS * 1e6); second++) {
        buf_reset(&texts);
        for (unsigned i = 0; i < fleet; i++) {
            fill(&event, i);
            event.timestamp = INT64_C(1768205672000) + second * 1000;
            event.vehicle.chainage = length * i / fleet;
            struct geo_position at = geo_route_position(GEO_M40_NORTH, event.vehicle.chainage * 1000);
            event.vehicle.location = (struct event_location){at.latitude, at.longitude};
            codec_encode(&event, &texts);
            ends[i] = texts.length;
        }
        int64_t start = clock_thread_cpu_us();
        for (unsigned i = 0; i < fleet; i++) {
            size_t from = i ? ends[i - 1] : 0;
            struct record record = {.kind = EVENT_VEHICLE,
                                    .offset = (int64_t)calls++,
                                    .arrived_us = wall_us += 5,
                                    .value = texts.data + from,
                                    .value_length = ends[i] - from};
            if (codec_decode_record(&record, &event, &report))
                model_apply(model, &event, &record, &report);
        }
        spent += clock_thread_cpu_us() - start;
    }
    char name[64];
    snprintf(name, sizeof name, "decode + model, %u cars", fleet);
    print(name, (double)calls * 1e6 / (double)spent, peer);
    int64_t start = clock_thread_cpu_us();
    for (int i = 0; i < 100; i++)
        city_snapshot_release(model_snapshot(model, wall_us));
    printf("%-28s %10.3f ms\n", "snapshot", (double)(clock_thread_cpu_us() - start) / 100 / 1e3);
    free(ends);
    buf_free(&texts);
    model_destroy(model);
}

int main(void)
{
    struct bench bench = {.events = mem_zero(RECORDS, sizeof *bench.events),
                          .texts = mem_zero(RECORDS, sizeof *bench.texts)};
    buf_init(&bench.out, 1 << 20);
    size_t bytes = 0;
    for (unsigned i = 0; i < RECORDS; i++) {
        fill(&bench.events[i], i);
        buf_init(&bench.texts[i], 1 << 20);
        codec_encode(&bench.events[i], &bench.texts[i]);
        bytes += bench.texts[i].length;
    }
    bench.decoded.kind = EVENT_VEHICLE;
    printf("# vehicle_data, all %u fields, %zu bytes a record\n", (unsigned)VEHICLE_FIELDS, bytes / RECORDS);
    print("codec encode", measure(&bench, run_encode), measure(&bench, run_peer_encode));
    double peer = measure(&bench, run_peer_decode);
    print("codec decode", measure(&bench, run_decode), peer);
    measure_model(250, peer);
    measure_model(44000, peer);
    for (unsigned i = 0; i < RECORDS; i++)
        buf_free(&bench.texts[i]);
    buf_free(&bench.out);
    free(bench.texts);
    free(bench.events);
    return bench.guard == 0;
}
