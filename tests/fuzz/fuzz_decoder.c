/*
 * Records as an outside producer may send them: each line is one, its first byte chooses the kind. Whatever
 * they hold,
 *   - decoding ends with an event or with a reason, both harmless for a terminal;
 *   - jansson is of the same mind about what is JSON, where the two are meant to agree;
 *   - an event that was decoded is written and read back to the same bytes;
 *   - the live model takes it and gives a picture within its bounds.
 *
 * An empty input is turned into a full record, so no corpus is needed to get going.
 */
#include "base/buf.h"
#include "base/text.h"
#include "city/model.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_harmless(const char *text, size_t size)
{
    require(memchr(text, '\0', size) != NULL);
    const char *end = text + strlen(text);
    require(text_is_utf8(text, strlen(text)));
    while (text < end)
        require(!text_is_control(text_next_rune(&text, end)));
}

static void require_harmless_event(const struct event *event)
{
    const struct schema *schema = schema_get(event->kind);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct field *field = &schema->fields[i];
        if (field->type == FIELD_TEXT)
            require_harmless(event_field_const(event, field), field->size);
        if (field->type == FIELD_LIST) {
            const struct event_list *list = event_field_const(event, field);
            require(list->count >= 0 && list->count <= EVENT_RESPONDERS);
            for (int item = 0; item < list->count; item++)
                require_harmless(list->items[item], sizeof list->items[item]);
        }
    }
    require(event->device_id[0] != '\0');
}

/* The two may differ about numbers that do not fit, lone surrogates, depth and a byte order mark. */
static void compare_with_peer(const char *text, size_t length, bool good, const char *reason)
{
    bool excused = memmem(text, length, "\\u", 2) || (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0);
    json_error_t error;
    json_t *tree = json_loadb(text, length, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    bool not_json = !good && (strncmp(reason, "not JSON", 8) == 0 || strcmp(reason, "empty") == 0);
    if (tree && not_json && !memchr(text, '\0', length)) /* the peer takes a NUL for the end */
        require(strstr(reason, "nested too deep") != NULL);
    if (!tree && !not_json && !excused)
        require(json_error_code(&error) == json_error_numeric_overflow);
    json_decref(tree);
}

static void require_round_trip(const struct event *event)
{
    struct event copy = *event, again;
    struct codec_report report;
    struct buf first, second;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    if (copy.kind == EVENT_TRAFFIC) /* bytes one way, Base64 the other */
        copy.present &= ~(UINT64_C(1) << TRAFFIC_SNAPSHOT);
    require(codec_encode(&copy, &first));
    require(codec_decode(copy.kind, first.data, first.length, &again, &report));
    require(report.unknown == 0 && report.coerced == 0 && report.unfit == 0);
    require(again.present == copy.present);
    require(codec_encode(&again, &second));
    require(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    buf_free(&first);
    buf_free(&second);
}

static void take(struct model *model, const uint8_t *line, size_t length, int64_t number)
{
    struct record record = {.kind = line[0] % EVENT_KIND_COUNT,
                            .partition = line[0] >> 4,
                            .offset = number,
                            .arrived_us = INT64_C(1790000000000000) + number * 700000,
                            .key = (const char *)line,
                            .key_length = length < 3 ? length : 3};
    char *value = malloc(length); /* of its exact size, so that a read too far is seen */
    memcpy(value, line + 1, length - 1);
    record.value = value;
    record.value_length = length - 1;
    struct event event;
    struct codec_report report;
    bool good = codec_decode_record(&record, &event, &report);
    require_harmless(report.reason, sizeof report.reason);
    require_harmless(report.first_unknown, sizeof report.first_unknown);
    compare_with_peer(value, record.value_length, good, report.reason);
    if (good) {
        require_harmless_event(&event);
        require_round_trip(&event);
        model_apply(model, &event, &record, &report);
    } else {
        require(report.reason[0] != '\0');
        model_quarantine(model, &record, report.reason);
    }
    free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model *model = model_create(4);
    const uint8_t *end = data + size;
    for (int64_t number = 0; data < end; number++) {
        const uint8_t *newline = memchr(data, '\n', (size_t)(end - data));
        const uint8_t *stop = newline ? newline : end;
        if (stop > data)
            take(model, data, (size_t)(stop - data), number);
        data = newline ? newline + 1 : end;
    }
    struct city_snapshot *snapshot = model_snapshot(model, INT64_C(1790000100000000));
    require(snapshot->vehicle_count <= 4 && snapshot->quarantine_count <= CITY_QUARANTINE);
    for (size_t i = 0; i < snapshot->vehicle_count; i++)
        require(snapshot->vehicles[i].route >= -1 && snapshot->vehicles[i].route < GEO_ROUTES);
    city_snapshot_release(snapshot);
    model_destroy(model);
    return 0;
}

/* A record with every field of a kind. */
static size_t make_seed(uint8_t *data, size_t max_size, unsigned seed)
{
    enum event_kind kind = (enum event_kind)(seed % EVENT_KIND_COUNT);
    const struct schema *schema = schema_get(kind);
    struct event event = {.kind = kind};
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct field *field = &schema->fields[i];
        void *value = event_field(&event, field);
        event_set(&event, (int)i);
        if (field->type == FIELD_TEXT)
            snprintf(value, field->size, "%.*s", field->words ? (int)strcspn(field->words, "|") : 6,
                     field->words ? field->words : field->name);
        else if (field->type == FIELD_DOUBLE)
            *(double *)value = seed % 1000 / 8.0;
        else if (field->type == FIELD_TIME)
            *(int64_t *)value = INT64_C(1768204800000) + seed % 100000;
        else if (field->type == FIELD_LOCATION)
            *(struct event_location *)value = (struct event_location){51.6, -0.7};
        else if (field->type == FIELD_BLOB)
            *(struct event_blob *)value = (struct event_blob){"\xFF\xD8\xFF", 3};
    }
    struct buf text;
    buf_init(&text, 1 << 16);
    codec_encode(&event, &text);
    size_t size = text.length + 1 < max_size ? text.length + 1 : max_size;
    data[0] = (uint8_t)(kind + 5 * (seed >> 8 & 15));
    memcpy(data + 1, text.data, size - 1);
    buf_free(&text);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    if (size < 8 && max_size > 0)
        return make_seed(data, max_size, seed);
    return LLVMFuzzerMutate(data, size, max_size);
}
