#include "city/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_tables_are_whole(void **state)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct schema *schema = schema_get((enum event_kind)kind);
        assert_int_equal(schema->kind, kind);
        assert_in_range(schema->field_count, 4, 63);
        for (size_t i = 0; i < schema->field_count; i++) {
            const struct field *field = &schema->fields[i];
            assert_non_null(field->name);
            assert_true(strlen(field->meaning) > 2);
            assert_non_null(field->unit);
            assert_int_equal(field->name_length, strlen(field->name));
            assert_int_equal(field->prefix_length, strlen(field->prefix));
            assert_int_equal(field->prefix_length, field->name_length + 3);
            assert_memory_equal(field->prefix + 1, field->name, field->name_length);
            assert_true(field->offset + field->size <= sizeof(struct event));
            assert_true(field->decimals <= 9);
            /* A vocabulary belongs to texts and its words fit the member. */
            if (field->words) {
                assert_true(field->type == FIELD_TEXT || field->type == FIELD_LIST);
                size_t room = field->type == FIELD_TEXT ? field->size : 16;
                for (const char *at = field->words; *at;) {
                    const char *end = strchrnul(at, '|');
                    assert_in_range(end - at, 1, room - 1);
                    at = *end ? end + 1 : end;
                }
            }
            /* Names are unique, also without regard to case: SQL columns are. */
            for (size_t j = 0; j < i; j++)
                assert_int_not_equal(strcasecmp(field->name, schema->fields[j].name), 0);
            assert_int_equal(schema_field_index(schema, field->name), i);
        }
    }
}

static void test_common_rows_lead(void **state)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct schema *schema = schema_get((enum event_kind)kind);
        assert_string_equal(schema->fields[FIELD_ID].name, "id");
        assert_string_equal(schema->fields[FIELD_DEVICE_ID].name, "deviceId");
        assert_string_equal(schema->fields[FIELD_TIMESTAMP].name, "timestamp");
        assert_true(schema->fields[FIELD_TIMESTAMP].required);
        assert_int_equal(schema->fields[FIELD_TIMESTAMP].type, FIELD_TIME);
        assert_true(schema_field_index(schema, "location") > 0);
    }
}

static void test_enum_names_the_rows(void **state)
{
    const struct schema *schema = schema_get(EVENT_VEHICLE);
    assert_string_equal(schema->fields[VEHICLE_FUEL_TYPE].name, "fuelType");
    assert_int_equal(schema->fields[VEHICLE_FUEL_TYPE].type, FIELD_TEXT);
    assert_int_equal(schema->fields[VEHICLE_FUEL_TYPE].size, sizeof((struct event *)0)->vehicle.fuel_type);
    assert_int_equal(schema->fields[VEHICLE_YEAR].type, FIELD_INT);
    assert_int_equal(schema->fields[VEHICLE_SPEED].type, FIELD_DOUBLE);
    assert_int_equal(schema->fields[VEHICLE_LOCATION].type, FIELD_LOCATION);
    schema = schema_get(EVENT_TRAFFIC);
    assert_int_equal(schema->fields[TRAFFIC_SNAPSHOT].type, FIELD_BLOB);
    assert_int_equal(schema->fields[TRAFFIC_VEHICLE_COUNTS].type, FIELD_COUNTS);
    assert_int_equal(schema->fields[TRAFFIC_CONGESTED].type, FIELD_BOOL);
    schema = schema_get(EVENT_EMERGENCY);
    assert_int_equal(schema->fields[EMERGENCY_RESPONDERS].type, FIELD_LIST);
    assert_int_equal(schema->fields[EMERGENCY_ON_SCENE_AT].type, FIELD_TIME);
    assert_string_equal(schema_type_name(FIELD_LIST), "list");
}

static void test_lookup(void **state)
{
    const struct schema *schema = schema_get(EVENT_WEATHER);
    assert_int_equal(schema_field_index(schema, "airQualityIndex"), WEATHER_AIR_QUALITY_INDEX);
    assert_int_equal(schema_field_index(schema, "airqualityindex"), -1);
    assert_int_equal(schema_field_index(schema, ""), -1);
    assert_int_equal(schema_field_index_n(schema, "humidityX", 8), WEATHER_HUMIDITY);
}

static void test_words(void **state)
{
    const struct field *field = &schema_get(EVENT_VEHICLE)->fields[VEHICLE_DIRECTION];
    size_t length = 5;
    assert_memory_equal(schema_find_word(field, "North", &length), "North|", 6);
    length = 10;
    assert_memory_equal(schema_find_word(field, "north-west", &length), "North-West", 10);
    length = 4;
    assert_null(schema_find_word(field, "Nort", &length));
    length = 0;
    assert_null(schema_find_word(field, "", &length));
    length = 3;
    assert_null(schema_find_word(&schema_get(EVENT_VEHICLE)->fields[VEHICLE_MAKE], "BMW", &length));
}

static void test_kinds_and_topics(void **state)
{
    assert_int_equal(EVENT_KIND_COUNT, 5);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        assert_int_equal(event_kind_from_topic(event_topic((enum event_kind)kind)), kind);
    assert_int_equal(event_kind_from_topic("vehicle"), -1);
    assert_string_equal(event_topic(EVENT_EMERGENCY), "emergency_data");
    assert_string_equal(event_word(EVENT_GPS), "gps");
    assert_string_equal(event_count_name(EVENT_COUNT_HGV), "hgv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_are_whole),
        cmocka_unit_test(test_common_rows_lead),
        cmocka_unit_test(test_enum_names_the_rows),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_kinds_and_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
