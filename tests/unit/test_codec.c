#include "base/buf.h"
#include "base/text.h"
#include "city/codec.h"
#include "city/record.h"

#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WHO "\"deviceId\":\"car-1\",\"timestamp\":\"2026-01-12T08:14:32.000Z\""
#define T0  INT64_C(1768205672000)

static struct event event;
static struct codec_report report;

static bool decode_as(enum event_kind kind, const char *text)
{
    return codec_decode(kind, text, strlen(text), &event, &report);
}

static bool decode(const char *text)
{
    return decode_as(EVENT_VEHICLE, text);
}

/* Every field of a kind with a value of its type. */
static void fill(struct event *filled, enum event_kind kind, unsigned seed)
{
    static const char image[] = "\xFF\xD8\xFF\xE0 a picture";
    const struct schema *schema = schema_get(kind);
    memset(filled, 0, sizeof *filled);
    filled->kind = kind;
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct field *field = &schema->fields[i];
        void *value = event_field(filled, field);
        unsigned variant = seed + (unsigned)i;
        event_set(filled, (int)i);
        switch (field->type) {
        case FIELD_TEXT:
            if (field->words)
                snprintf(value, field->size, "%.*s", (int)strcspn(field->words, "|"), field->words);
            else
                snprintf(value, field->size, "t%u-\"\\/é", variant % 1000);
            break;
        case FIELD_INT:
            *(int32_t *)value = (int32_t)variant * (i & 1 ? -77777 : 1234);
            break;
        case FIELD_DOUBLE:
            *(double *)value = (double)((int)(variant * 7919 % 200000) - 100000) / pow(10, field->decimals);
            break;
        case FIELD_BOOL:
            *(bool *)value = variant & 1;
            break;
        case FIELD_TIME:
            *(int64_t *)value = T0 + variant * INT64_C(1001);
            break;
        case FIELD_LOCATION:
            *(struct event_location *)value = (struct event_location){51.507351, -0.127758};
            break;
        case FIELD_BLOB:
            *(struct event_blob *)value = (struct event_blob){image, sizeof image - 1};
            break;
        case FIELD_COUNTS:
            *(struct event_counts *)value = (struct event_counts){{(int32_t)variant, 0, 3, 1}};
            break;
        case FIELD_LIST:
            *(struct event_list *)value = (struct event_list){2, {"police", "fire"}};
            break;
        }
    }
}

static void test_round_trip_of_every_field(void **state)
{
    struct buf text, again;
    buf_init(&text, 1 << 20);
    buf_init(&again, 1 << 20);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct event original;
        fill(&original, (enum event_kind)kind, 40u + (unsigned)kind);
        buf_reset(&text);
        assert_true(codec_encode(&original, &text));
        if (!codec_decode((enum event_kind)kind, text.data, text.length, &event, &report))
            fail_msg("%s: %s", text.data, report.reason);
        assert_int_equal(event.present, original.present);
        assert_int_equal(report.missing + report.unknown + report.coerced + report.unfit + report.foreign, 0);
        if (kind == EVENT_TRAFFIC) { /* the blob comes back as Base64 */
            char bytes[64];
            struct event_blob *blob = &event.traffic.snapshot;
            assert_int_equal(codec_blob_bytes(blob, bytes, sizeof bytes), original.traffic.snapshot.length);
            assert_int_equal(memcmp(bytes, original.traffic.snapshot.data, original.traffic.snapshot.length),
                             0);
            event.traffic.snapshot = original.traffic.snapshot;
        }
        buf_reset(&again);
        assert_true(codec_encode(&event, &again));
        assert_string_equal(again.data, text.data);

        /* A second opinion. */
        json_error_t error;
        json_t *tree = json_loads(text.data, 0, &error);
        assert_non_null(tree);
        assert_int_equal(json_object_size(tree), schema_get((enum event_kind)kind)->field_count);
        json_decref(tree);
    }
    buf_free(&text);
    buf_free(&again);
}

static void test_shape_of_an_encoded_record(void **state)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    struct event one = {.kind = EVENT_VEHICLE, .timestamp = T0, .device_id = "a\"b\x01\x7F"};
    event_set(&one, FIELD_DEVICE_ID);
    event_set(&one, FIELD_TIMESTAMP);
    event_set(&one, VEHICLE_SPEED);
    event_set(&one, VEHICLE_LOCATION);
    event_set(&one, VEHICLE_YEAR);
    one.vehicle.speed = -0.04;
    one.vehicle.location = (struct event_location){52.5, -1.9};
    one.vehicle.year = 2023;
    assert_true(codec_encode(&one, &text));
    assert_string_equal(text.data,
                        "{\"deviceId\":\"a\\\"b\\u0001\\u007f\",\"timestamp\":\"2026-01-12T08:14:32.000Z\","
                        "\"location\":{\"latitude\":52.500000,\"longitude\":-1.900000},\"speed\":0.0,"
                        "\"year\":2023}");
    one.present = 0;
    buf_reset(&text);
    assert_true(codec_encode(&one, &text));
    assert_string_equal(text.data, "{}");
    one.present = UINT64_MAX; /* bits beyond the table are nothing */
    buf_reset(&text);
    assert_true(codec_encode(&one, &text));
    buf_free(&text);
}

static void test_what_is_not_finite_is_absent(void **state)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        struct event one = {.kind = EVENT_VEHICLE, .vehicle = {.speed = bad[i], .location = {bad[i], 0}}};
        event_set(&one, VEHICLE_SPEED);
        event_set(&one, VEHICLE_LOCATION);
        event_set(&one, VEHICLE_LANE);
        buf_reset(&text);
        assert_true(codec_encode(&one, &text));
        assert_string_equal(text.data, "{\"lane\":0}");
    }
    buf_free(&text);
}

static void test_a_full_buffer_takes_nothing(void **state)
{
    struct event one;
    fill(&one, EVENT_TRAFFIC, 7);
    struct buf whole;
    buf_init(&whole, 1 << 20);
    assert_true(codec_encode(&one, &whole));
    struct buf exact, small;
    buf_init(&exact, whole.length);
    assert_true(codec_encode(&one, &exact));
    assert_string_equal(exact.data, whole.data);
    assert_int_equal(exact.length, whole.length);
    assert_false(exact.overflow);
    buf_init(&small, whole.length - 1);
    assert_false(codec_encode(&one, &small));
    assert_true(small.overflow);
    assert_int_equal(small.length, 0);
    buf_free(&whole);
    buf_free(&exact);
    buf_free(&small);
}

/* Against printf, over halves, large and tiny numbers; -0 apart. */
static void test_doubles_round_as_printf(void **state)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    static const double given[] = {
        0.05,  0.15,   0.25,    0.35, 1.005,     2.675,      1.115, 0.285,        1e15,
        1e-15, 99.95,  99.9499, 0.5,  1.5,       2.5,        1e9,   123456.65,    4503599627370495.5,
        0.45,  -12.35, -0.05,   8.5,  1048576.5, 1e10 + 0.5, 0.125, 179.99999999, 0.000001};
    uint64_t bits = 88172645463325252u;
    for (size_t i = 0; i < 20000; i++) {
        double value;
        if (i < sizeof given / sizeof *given) {
            value = given[i];
        } else {
            bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
            /* Mostly decimals with one digit more than is written: the rounding is at its hardest. */
            value = (double)(int64_t)(bits % 4000000) / (i % 3 ? 100 : 20) - 20000;
        }
        struct event one = {.kind = EVENT_VEHICLE, .vehicle = {.speed = value}};
        event_set(&one, VEHICLE_SPEED);
        buf_reset(&text);
        assert_true(codec_encode(&one, &text));
        char expected[64];
        snprintf(expected, sizeof expected, "{\"speed\":%.1f}", value);
        if (strcmp(expected, "{\"speed\":-0.0}") == 0)
            strcpy(expected, "{\"speed\":0.0}");
        if (fabs(value) * 10 >= 0x1p52)
            assert_true(strtod(text.data + 9, NULL) == value);
        else
            assert_string_equal(text.data, expected);
    }
    buf_free(&text);
}

static void test_numbers_are_read_exactly(void **state)
{
    static const char *const given[] = {
        "0",
        "-0",
        "1",
        "0.1",
        "80.5",
        "-1.257e2",
        "1E3",
        "1e-7",
        "51.507351234567891",
        "0.30000000000000004",
        "9007199254740993",
        "123456789012345678901234567890",
        "2.2250738585072011e-308",
        "5e-324",
        "1e-400",
        "1.7976931348623157e308",
        "0.000000000000000000000000000001",
        "100000000000000000000000e-20",
        "179769313486231570000000000000000000000",
        "18446744073709551616",
        "8.41e21",
        "9.5367431640625e-7",
        "3."
        "1415926535897932384626433832795028841971693993751058209749445923078164062862089986280348253421170679"
        "8",
    };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        char text[300];
        snprintf(text, sizeof text, "{" WHO ",\"speed\":%s}", given[i]);
        assert_true(decode(text));
        double expected = strtod(given[i], NULL);
        if (event.vehicle.speed != expected)
            fail_msg("%s: %.17g, not %.17g", given[i], event.vehicle.speed, expected);
        assert_false(signbit(event.vehicle.speed) && expected == 0);
    }
    /* A halfway case that only its 800th digit decides: 1 + 2^-53, plus a little. */
    char text[1200] = "{" WHO ",\"speed\":1.00000000000000011102230246251565404236316680908203125";
    size_t length = strlen(text);
    memset(text + length, '0', 900);
    strcpy(text + length + 900, "1}");
    assert_true(decode(text));
    assert_true(event.vehicle.speed == 1 + 0x1p-52);
}

static void test_numbers_that_are_none(void **state)
{
    static const char *const bad[] = {"NaN", "Infinity", "-Infinity", "nan", "01",  "-",   "1.",   ".5", "+1",
                                      "1e",  "1e+",      "0x10",      "1_0", "--1", "-.5", "1.e3", "١"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[200];
        snprintf(text, sizeof text, "{" WHO ",\"speed\":%s}", bad[i]);
        if (decode(text))
            fail_msg("%s was accepted", bad[i]);
        assert_non_null(strstr(report.reason, "not JSON: byte "));
    }
    assert_true(decode("{" WHO ",\"speed\":1e999,\"year\":99999999999}")); /* JSON, but of no use */
    assert_int_equal(report.unfit, 2);
    assert_false(event_has(&event, VEHICLE_SPEED));
    assert_false(event_has(&event, VEHICLE_YEAR));
}

static void test_the_smallest_outside_record(void **state)
{
    assert_true(decode("{\"deviceId\":\"me\",\"timestamp\":\"2026-01-12T08:14:32Z\","
                       "\"location\":{\"latitude\":51.6,\"longitude\":-0.5},\"speed\":80}\n"));
    assert_string_equal(event.device_id, "me");
    assert_int_equal(event.timestamp, T0);
    assert_float_equal(event.vehicle.location.longitude, -0.5, 0);
    assert_float_equal(event.vehicle.speed, 80, 0);
    assert_int_equal(report.coerced + report.unfit + report.unknown, 0);
    assert_int_equal(report.missing, VEHICLE_FIELDS - 4);
}

static void test_the_pipeline_this_one_descends_from(void **state)
{
    assert_true(decode(
        "{\"id\": \"6b1f\", \"device_id\": \"Vehcile-Noma\", \"timestamp\": \"2024-03-01T10:00:00.123456\","
        " \"locatoin\": [51.5, -0.12], \"speed\": 12.5, \"direction\": \"North-East\", \"make\": \"BMW\","
        " \"mode\": \"C500\", \"year\": \"2023\", \"fuelType\": \"Hybrid\"}"));
    assert_string_equal(event.device_id, "Vehcile-Noma");
    assert_int_equal(event.timestamp, INT64_C(1709287200123));
    assert_float_equal(event.vehicle.location.latitude, 51.5, 0);
    assert_float_equal(event.vehicle.location.longitude, -0.12, 0);
    assert_string_equal(event.vehicle.model, "C500");
    assert_int_equal(event.vehicle.year, 2023);
    assert_int_equal(report.unknown, 0);
    assert_int_equal(report.unfit, 0);
    uint64_t expected = UINT64_C(1) << FIELD_DEVICE_ID | UINT64_C(1) << FIELD_TIMESTAMP |
                        UINT64_C(1) << VEHICLE_LOCATION | UINT64_C(1) << VEHICLE_MODEL |
                        UINT64_C(1) << VEHICLE_YEAR;
    assert_int_equal(report.coerced_fields, expected);
    assert_int_equal(report.coerced, 5);

    assert_true(decode_as(EVENT_GPS, "{" WHO ",\"speed\":1,\"vechicleType\":\"private\"}"));
    assert_string_equal(event.gps.vehicle_type, "private");
    assert_int_equal(report.foreign, 0);
    assert_true(decode_as(EVENT_WEATHER,
                          "{" WHO ",\"humidty\":80,\"weatherCondition\":\"Sunny\",\"location\":"
                          "{\"latitude\":51,\"longtitude\":-1}}"));
    assert_float_equal(event.weather.humidity, 80, 0);
    assert_float_equal(event.weather.location.longitude, -1, 0);
    assert_true(decode_as(EVENT_EMERGENCY,
                          "{" WHO ",\"incident_id\":\"i1\",\"type\":\"None\",\"status\":\"Active\"}"));
    assert_string_equal(event.emergency.incident_id, "i1");
    assert_int_equal(report.foreign, 1); /* "None" is kept and counted */
    assert_string_equal(event.emergency.type, "None");
    assert_true(decode_as(EVENT_EMERGENCY, "{" WHO ",\"status\":\"Actice\"}"));
    assert_string_equal(event.emergency.status, "Active");
    assert_int_equal(report.coerced, 1);
    assert_true(decode_as(EVENT_WEATHER, "{" WHO ",\"weatherCondition\":\"rain\",\"roadSurface\":\"Snow\"}"));
    assert_string_equal(event.weather.weather_condition, "Rainy");
    assert_string_equal(event.weather.road_surface, "snow");
    assert_int_equal(report.foreign, 0);
}

static void test_an_alias_yields_to_the_name(void **state)
{
    assert_true(decode("{" WHO ",\"model\":\"X3\",\"mode\":\"eco\"}"));
    assert_string_equal(event.vehicle.model, "X3");
    assert_int_equal(report.unknown, 1);
    assert_string_equal(report.first_unknown, "mode");
    assert_true(decode("{" WHO ",\"mode\":\"eco\",\"model\":\"X3\"}"));
    assert_string_equal(event.vehicle.model, "X3");
}

static void test_coercions_that_are_certain(void **state)
{
    assert_true(
        decode_as(EVENT_TRAFFIC,
                  "{" WHO ",\"congested\":\"True\",\"width\":320.0,\"height\":\"240\","
                  "\"intensity\":\" 1200 \",\"marker\":62,\"vehicleCounts\":{\"car\":3,\"lorry\":\"2\"}}"));
    assert_true(event.traffic.congested);
    assert_int_equal(event.traffic.width, 320);
    assert_int_equal(event.traffic.height, 240);
    assert_float_equal(event.traffic.intensity, 1200, 0);
    assert_string_equal(event.traffic.marker, "62");
    assert_int_equal(event.traffic.vehicle_counts.by_class[EVENT_COUNT_CAR], 3);
    assert_int_equal(event.traffic.vehicle_counts.by_class[EVENT_COUNT_HGV], 2);
    assert_int_equal(report.coerced, 6);
    assert_int_equal(report.unfit, 0);
    static const char *const bools[] = {"1", "\"1\"", "\"TRUE\"", "true"};
    for (size_t i = 0; i < 4; i++) {
        char text[200];
        snprintf(text, sizeof text, "{" WHO ",\"congested\":%s}", bools[i]);
        assert_true(decode_as(EVENT_TRAFFIC, text));
        assert_true(event.traffic.congested);
        assert_int_equal(report.coerced, i < 3);
    }
    assert_true(decode_as(EVENT_EMERGENCY, "{" WHO ",\"responders\":\"police\",\"status\":\"onscene\"}"));
    assert_int_equal(event.emergency.responders.count, 1);
    assert_string_equal(event.emergency.status, "OnScene"); /* the vocabulary's spelling */
    assert_true(decode_as(EVENT_EMERGENCY, "{" WHO ",\"responders\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}"));
    assert_int_equal(event.emergency.responders.count, 4);
}

static void test_values_of_no_use(void **state)
{
    assert_true(decode("{" WHO
                       ",\"speed\":\"fast\",\"year\":3.7,\"lane\":true,\"make\":{\"a\":[1]},\"heading\":[],"
                       "\"location\":{\"latitude\":91,\"longitude\":0},\"road\":null}"));
    assert_int_equal(report.unfit, 6);
    assert_int_equal(event.present, 6); /* deviceId and timestamp */
    static const char *const places[] = {"[1]",
                                         "[]",
                                         "{}",
                                         "\"here\"",
                                         "5",
                                         "true",
                                         "[\"a\",\"b\"]",
                                         "{\"lat\":1}",
                                         "\"1,\"",
                                         "[null,1]",
                                         "{\"latitude\":\"x\",\"longitude\":1}"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char text[200];
        snprintf(text, sizeof text, "{" WHO ",\"location\":%s}", places[i]);
        assert_true(decode(text));
        assert_false(event_has(&event, VEHICLE_LOCATION));
        assert_int_equal(report.unfit, 1);
    }
}

static void test_locations(void **state)
{
    static const char *const places[] = {
        "\"location\":{\"latitude\":51.5,\"longitude\":-0.25}",
        "\"location\":[51.5,-0.25]",
        "\"location\":[51.5,-0.25,12]",
        "\"location\":{\"lat\":51.5,\"lon\":-0.25}",
        "\"location\":{\"lng\":\"-0.25\",\"lat\":\"51.5\",\"accuracy\":{\"m\":3}}",
        "\"location\":{\"type\":\"Point\",\"coordinates\":[-0.25,51.5]}",
        "\"location\":\"51.5, -0.25\"",
        "\"latitude\":51.5,\"longitude\":-0.25",
        "\"lon\":-0.25,\"speed\":1,\"lat\":51.5",
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char text[200];
        snprintf(text, sizeof text, "{" WHO ",%s}", places[i]);
        assert_true(decode(text));
        assert_true(event_has(&event, VEHICLE_LOCATION));
        assert_float_equal(event.vehicle.location.latitude, 51.5, 0);
        assert_float_equal(event.vehicle.location.longitude, -0.25, 0);
        assert_int_equal(report.coerced_fields, i ? UINT64_C(1) << VEHICLE_LOCATION : 0);
    }
}

static void test_times(void **state)
{
    static const char *const times[] = {"\"2026-01-12T08:14:32.000Z\"",
                                        "\"2026-01-12T09:14:32+01:00\"",
                                        "\"2026-01-12 08:14:32\"",
                                        "\"2026-01-12T08:14:32.000999\"",
                                        "1768205672",
                                        "1768205672000",
                                        "1768205672000000",
                                        "1768205672000000000",
                                        "\"1768205672\"",
                                        "1768205672.0004"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"deviceId\":\"a\",\"timestamp\":%s}", times[i]);
        if (!decode(text))
            fail_msg("%s: %s", times[i], report.reason);
        assert_int_equal(event.timestamp, T0);
        assert_int_equal(report.coerced, i > 1);
    }
    static const char *const bad[] = {"\"yesterday\"", "true", "1e300", "\"2026-13-01T00:00:00Z\"", "{}",
                                      "\"\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"deviceId\":\"a\",\"timestamp\":%s}", bad[i]);
        assert_false(decode(text));
        assert_non_null(strstr(report.reason, "which is no time"));
    }
    assert_false(decode("{\"deviceId\":\"a\"}"));
    assert_non_null(strstr(report.reason, "no \"timestamp\""));
    assert_false(decode("{\"deviceId\":\"a\",\"timestamp\":null}"));
}

static void test_who_reports(void **state)
{
    const char *nobody = "{\"timestamp\":\"2026-01-12T08:14:32Z\",\"speed\":3}";
    assert_false(decode(nobody));
    assert_non_null(strstr(report.reason, "deviceId"));
    struct record record = {.kind = EVENT_VEHICLE,
                            .key = "key\x1b]1",
                            .key_length = 6,
                            .value = nobody,
                            .value_length = strlen(nobody)};
    assert_true(codec_decode_record(&record, &event, &report));
    assert_string_equal(event.device_id, "key␛]1");
    assert_true(event_has(&event, FIELD_DEVICE_ID));
    record.key = NULL;
    assert_false(codec_decode_record(&record, &event, &report));
    record.value = NULL;
    assert_false(codec_decode_record(&record, &event, &report));
    assert_non_null(strstr(report.reason, "tombstone"));
    assert_true(
        decode_as(EVENT_EMERGENCY, "{\"timestamp\":1768205672,\"incidentId\":\"inc-9\",\"deviceId\":\"\"}"));
    assert_string_equal(event.device_id, "inc-9");
}

static void test_texts_come_out_harmless(void **state)
{
    assert_true(
        decode("{" WHO ",\"make\":\"\\u001b[31mred\",\"model\":\"a\\u0000b\",\"road\":\"\\ud83d\\ude97!\","
               "\"marker\":\"\\ud83d x\",\"tripId\":\"tab\\there \\\"q\\\" \\/\\\\\",\"routeId\":\"\x7F\"}"));
    assert_string_equal(event.vehicle.make, "␛[31mred");
    assert_string_equal(event.vehicle.model, "a␀b");
    assert_string_equal(event.vehicle.road, "🚗!");
    assert_string_equal(event.vehicle.marker, "\xEF\xBF\xBD x");
    assert_string_equal(event.vehicle.trip_id, "tab␉here \"q\" /\\");
    assert_string_equal(event.vehicle.route_id, "␡");
    assert_true(decode("{" WHO ",\"\\u001b[2J\":1,\"sp\\u0065ed\":7}"));
    assert_string_equal(report.first_unknown, "␛[2J");
    assert_float_equal(event.vehicle.speed, 7, 0);
}

static void test_long_texts_are_cut_whole(void **state)
{
    assert_true(decode("{" WHO ",\"make\":\"éééééééééééé\",\"marker\":\"0123456789012345678901234567890\"}"));
    assert_string_equal(event.vehicle.make, "ééééééééé"); /* 18 of 19 bytes */
    assert_string_equal(event.vehicle.marker, "01234567890123456789012");
    assert_int_equal(report.coerced, 2);
    assert_int_equal(report.unfit, 0);
    char text[3000];
    size_t used = (size_t)snprintf(text, sizeof text, "{" WHO ",\"make\":\"");
    for (int i = 0; i < 300; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "\\u00e9");
    snprintf(text + used, sizeof text - used, "\"}");
    assert_true(decode(text));
    assert_string_equal(event.vehicle.make, "ééééééééé");
    assert_int_equal(report.coerced, 1);
}

static void test_what_is_not_json(void **state)
{
    static const struct {
        const char *text, *reason;
    } bad[] = {
        {"", "empty"},
        {"  ", "empty"},
        {"hello", "byte 0"},
        {"[1,2]", "no object"},
        {"\"x\"", "no object"},
        {"{", "byte 1"},
        {"{\"a\"", "byte 4"},
        {"{\"a\":", "byte 5"},
        {"{\"a\":1", "byte 6"},
        {"{\"a\":1,}", "byte 7"},
        {"{a:1}", "byte 1"},
        {"{\"a\" 1}", "byte 5"},
        {"{\"a\":1 \"b\":2}", "byte 7"},
        {"{" WHO "} trailing", "something follows"},
        {"{" WHO "}{" WHO "}", "something follows"},
        {"{\"a\":\"\x1b[2J\"}", "byte 6: a raw control"},
        {"{\"a\":\"\xff\"}", "byte 6: invalid UTF-8"},
        {"{\"a\":\"ok\xc3\"}", "byte 8: invalid UTF-8"},
        {"{\"a\":\"\xed\xa0\x80\"}", "invalid UTF-8"},
        {"{\"a\":\"\\x\"}", "byte 6: unknown escape"},
        {"{\"a\":\"\\u12g4\"}", "hexadecimal"},
        {"{\"a\":\"", "closing quote"},
        {"{\"a\":\"\\", "inside a string"},
        {"{\"a\":tru}", "byte 5"},
        {"{\"a\":'x'}", "byte 5"},
        {"\xEF\xBB\xBF{\"a\":}", "byte 8"},
        {"{\"a\":[1,]}", "byte 8"},
        {"{\"a\":[1 2]}", "byte 8"},
        {"{\"a\":[1}", "byte 7"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (decode(bad[i].text))
            fail_msg("%s was accepted", bad[i].text);
        if (!strstr(report.reason, bad[i].reason))
            fail_msg("%s: '%s' does not say '%s'", bad[i].text, report.reason, bad[i].reason);
    }
    assert_false(codec_decode(EVENT_VEHICLE, "{}\0", 3, &event, &report)); /* a NUL is no white space */
    assert_true(decode("\xEF\xBB\xBF \t\r\n{" WHO "}\r\n"));
}

static void test_depth_and_size_are_bounded(void **state)
{
    char text[4000] = "{" WHO ",\"deep\":";
    size_t base = strlen(text);
    for (int depth = 10; depth < 1000; depth += 989) {
        memset(text + base, '[', (size_t)depth);
        memset(text + base + depth, ']', (size_t)depth);
        strcpy(text + base + 2 * depth, "}");
        assert_int_equal(decode(text), depth < CODEC_MAX_DEPTH);
    }
    assert_non_null(strstr(report.reason, "nested too deep"));
    size_t length = 10u << 20;
    char *large = malloc(length);
    memset(large, ' ', length);
    assert_false(codec_decode(EVENT_VEHICLE, large, length, &event, &report));
    assert_non_null(strstr(report.reason, "too large: 10485760 bytes"));
    assert_false(codec_decode(EVENT_VEHICLE, large, CODEC_MAX_RECORD, &event, &report));
    free(large);
}

static void test_order_and_duplicates(void **state)
{
    assert_true(decode("{\"speed\":1,\"zzz\":{\"speed\":9},\"timestamp\":1768205672,\"speed\":2,\"make\":"
                       "\"a\",\"make\":null,"
                       "\"deviceId\":\"d\"}"));
    assert_float_equal(event.vehicle.speed, 2, 0);
    assert_false(event_has(&event, VEHICLE_MAKE));
    assert_int_equal(report.unknown, 1);
    assert_string_equal(report.first_unknown, "zzz");
}

static void test_images(void **state)
{
    char bytes[64];
    assert_true(decode_as(EVENT_TRAFFIC, "{" WHO ",\"snapshot\":\"\\/9j\\/\"}"));
    assert_int_equal(codec_blob_bytes(&event.traffic.snapshot, bytes, sizeof bytes), 3);
    assert_memory_equal(bytes, "\xFF\xD8\xFF", 3);
    assert_true(codec_blob_max(&event.traffic.snapshot) >= 3);
    assert_int_equal(codec_blob_bytes(&event.traffic.snapshot, bytes, 2), -1);
    assert_true(decode_as(EVENT_TRAFFIC, "{" WHO ",\"snapshot\":\"not base64!\"}"));
    assert_int_equal(codec_blob_bytes(&event.traffic.snapshot, bytes, sizeof bytes), -1);
    assert_true(decode_as(EVENT_TRAFFIC, "{" WHO ",\"snapshot\":17}"));
    assert_int_equal(report.unfit, 1);
}

/* Every cut and every changed byte of a good record is refused or read, never more. */
static void test_damage_is_survived(void **state)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct event one;
        fill(&one, (enum event_kind)kind, 3);
        buf_reset(&text);
        codec_encode(&one, &text);
        for (size_t length = 0; length < text.length; length++) {
            char *cut = malloc(length ? length : 1); /* exact, so that ASan sees a read too far */
            memcpy(cut, text.data, length);
            assert_false(codec_decode((enum event_kind)kind, cut, length, &event, &report));
            assert_true(report.reason[0]);
            free(cut);
        }
        for (size_t at = 0; at < text.length; at++) {
            static const char bytes[] = {0, '"', '\\', '{', ']', '\x80', '9', ',', 'e'};
            char kept = text.data[at];
            for (size_t i = 0; i < sizeof bytes; i++) {
                text.data[at] = bytes[i];
                bool good = codec_decode((enum event_kind)kind, text.data, text.length, &event, &report);
                assert_true(good || report.reason[0]);
                assert_true(text_is_utf8(report.reason, strlen(report.reason)));
            }
            text.data[at] = kept;
        }
    }
    buf_free(&text);
}

/* The codec does not depend on the locale; the test is idle where no locale with a comma is installed. */
static void test_the_locale_does_not_matter(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < 4 && !setlocale(LC_NUMERIC, names[i]); i++)
        ;
    assert_true(decode("{" WHO ",\"speed\":51.507351234567891234,\"odometer\":1.5e300}"));
    assert_true(event.vehicle.speed > 51.5);
    assert_true(codec_encode(&event, &text));
    assert_null(strstr(text.data, ",5"));
    setlocale(LC_NUMERIC, "C");
    assert_non_null(strstr(text.data, "\"speed\":51.5,\"odometer\":1.5000000000000001e+300"));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_of_every_field),
        cmocka_unit_test(test_shape_of_an_encoded_record),
        cmocka_unit_test(test_what_is_not_finite_is_absent),
        cmocka_unit_test(test_a_full_buffer_takes_nothing),
        cmocka_unit_test(test_doubles_round_as_printf),
        cmocka_unit_test(test_numbers_are_read_exactly),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_the_smallest_outside_record),
        cmocka_unit_test(test_the_pipeline_this_one_descends_from),
        cmocka_unit_test(test_an_alias_yields_to_the_name),
        cmocka_unit_test(test_coercions_that_are_certain),
        cmocka_unit_test(test_values_of_no_use),
        cmocka_unit_test(test_locations),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_who_reports),
        cmocka_unit_test(test_texts_come_out_harmless),
        cmocka_unit_test(test_long_texts_are_cut_whole),
        cmocka_unit_test(test_what_is_not_json),
        cmocka_unit_test(test_depth_and_size_are_bounded),
        cmocka_unit_test(test_order_and_duplicates),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_damage_is_survived),
        cmocka_unit_test(test_the_locale_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
