#include "tests/support/stream_rig.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_text(void *value, const struct field *field)
{
    if (field->words)
        snprintf(value, field->size, "%.*s", (int)strcspn(field->words, "|"), field->words);
    else
        snprintf(value, field->size, "%.*s", (int)field->size - 1, "M40 A 62/9");
}

void rig_event(struct event *event, enum event_kind kind, unsigned device, unsigned sequence)
{
    const struct schema *schema = schema_get(kind);
    memset(event, 0, sizeof *event);
    event->kind = kind;
    for (size_t f = 0; f < schema->field_count; f++) {
        const struct field *field = &schema->fields[f];
        void *value = event_field(event, field);
        if (field->type == FIELD_BLOB || field->type == FIELD_LIST)
            continue;
        event_set(event, (int)f);
        if (field->type == FIELD_TEXT)
            fill_text(value, field);
        else if (field->type == FIELD_INT)
            *(int32_t *)value = (int32_t)(sequence * 31 % 200);
        else if (field->type == FIELD_DOUBLE)
            *(double *)value = (double)(sequence * 7919u % 100000u) / 1000;
        else if (field->type == FIELD_TIME)
            *(int64_t *)value = INT64_C(1768205672000) + sequence;
        else if (field->type == FIELD_LOCATION)
            *(struct event_location *)value = (struct event_location){51.5 + (sequence % 1000) * 0.001234,
                                                                      -0.1 - (sequence % 1000) * 0.001456};
    }
    snprintf(event->id, sizeof event->id, "6b1f0f9e-3b5c-8a4e-9d2f-%012u", sequence);
    snprintf(event->device_id, sizeof event->device_id, "%s-%05u", event_word(kind), device);
}

long rig_sequence(const struct record *record)
{
    static const char mark[] = "-9d2f-";
    const char *at =
        record->value ? memmem(record->value, record->value_length, mark, sizeof mark - 1) : NULL;
    if (!at || (size_t)(record->value + record->value_length - at) < sizeof mark - 1 + 12)
        return -1;
    char digits[13] = "";
    memcpy(digits, at + sizeof mark - 1, 12);
    return strtol(digits, NULL, 10);
}

static void need(const void *made, const struct err *err)
{
    if (made)
        return;
    fprintf(stderr, "cannot set up: %s\n", err->text);
    exit(1);
}

struct kafka_settings rig_settings(const struct rig *rig)
{
    return (struct kafka_settings){
        .bootstrap = broker_bootstrap(rig->broker), .embedded = true, .log = rig->log};
}

void rig_open(struct rig *rig, const char *const *properties)
{
    struct err err = ERR_INIT;
    *rig = (struct rig){.log = log_create(500), .records = mem_zero(CONSUMER_BATCH, sizeof *rig->records)};
    rig->broker = broker_create(&err);
    need(rig->broker, &err);
    struct kafka_settings settings = rig_settings(rig);
    settings.properties = properties;
    while (properties && properties[settings.property_count])
        settings.property_count++;
    rig->producer = producer_create(&settings, &err);
    need(rig->producer, &err);
    const struct consumer_settings reading = {.kafka = settings, .from = CONSUMER_FROM_START};
    rig->consumer = consumer_create(&reading, &err);
    need(rig->consumer, &err);
    producer_expect_consumer(rig->producer, true);
}

void rig_close(struct rig *rig)
{
    if (rig->producer)
        producer_destroy(rig->producer, 0);
    if (rig->consumer)
        consumer_destroy(rig->consumer);
    broker_destroy(rig->broker);
    log_destroy(rig->log);
    free(rig->records);
}

int rig_poll(struct rig *rig, int max, int64_t timeout_us)
{
    struct err err = ERR_INIT;
    int count = consumer_poll(rig->consumer, rig->records, max, timeout_us, &err);
    if (count < 0) {
        fprintf(stderr, "consumer: %s\n", err.text);
        exit(1);
    }
    for (int i = 0; i < count; i++)
        if (rig->records[i].kind >= 0)
            producer_note_consumed(rig->producer, PRODUCER_PANELS, (enum event_kind)rig->records[i].kind,
                                   rig->records[i].partition, rig->records[i].offset + 1);
    return count;
}

int64_t rig_await_consumer(struct rig *rig, enum kafka_state state, int64_t limit_us)
{
    int64_t start = clock_mono_us();
    struct consumer_figures *figures = mem_alloc(sizeof *figures);
    int64_t took = -1;
    while (took < 0 && clock_mono_us() - start < limit_us) {
        rig_poll(rig, CONSUMER_BATCH, 20000);
        consumer_figures(rig->consumer, figures);
        if (figures->kafka.state == state)
            took = clock_mono_us() - start;
    }
    free(figures);
    return took;
}

int64_t rig_await_producer(struct rig *rig, enum kafka_state state, int64_t limit_us)
{
    int64_t start = clock_mono_us();
    struct producer_figures *figures = mem_alloc(sizeof *figures);
    int64_t took = -1;
    while (took < 0 && clock_mono_us() - start < limit_us) {
        rig_poll(rig, CONSUMER_BATCH, 20000);
        producer_figures(rig->producer, figures);
        if (figures->kafka.state == state)
            took = clock_mono_us() - start;
    }
    free(figures);
    return took;
}

void rig_print_log(const struct rig *rig)
{
    struct log_entry *entries = mem_zero(500, sizeof *entries);
    size_t count = log_read(rig->log, 0, entries, 500);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%s: %s\n", log_level_name(entries[i].level), entries[i].text);
    free(entries);
}
