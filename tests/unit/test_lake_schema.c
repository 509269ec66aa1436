/* The lake's columns follow from the field tables, in one order everywhere. Names of objects say what is in
 * them. */
#include "base/err.h"
#include "lake/lake_schema.h"
#include "lake/layout.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_columns_follow_the_fields(void **state)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct lake_schema lake;
        lake_schema_init(&lake, (enum event_kind)kind, LAKE_RAW);
        const struct schema *fields = schema_get((enum event_kind)kind);
        size_t at = 5; /* behind Kafka's */
        for (size_t i = 0; i < fields->field_count; i++) {
            enum field_type type = fields->fields[i].type;
            size_t columns = type == FIELD_LOCATION ? 2 : type == FIELD_COUNTS ? EVENT_COUNT_CLASSES : 1;
            for (size_t k = 0; k < columns; k++, at++) {
                assert_int_equal(lake.columns[at].from, (int)i);
                assert_int_equal(lake.columns[at].part, (int)k);
            }
        }
        assert_int_equal(lake.column_count, at);
        assert_string_equal(lake.columns[lake.time_column].name, "event_ts");
        assert_true(lake.column_count + 2 <= LAKE_COLUMNS_MAX);
        for (size_t i = 0; i < lake.column_count; i++) {
            const struct lake_column *column = &lake.columns[i];
            assert_int_equal(lake_schema_find(&lake, column->name), (int)i); /* so no name is there twice */
            assert_int_equal(strspn(column->name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
                             strlen(column->name));
            assert_string_not_equal(column->name, LAKE_PARTITION_COLUMN);
            if (column->type == LAKE_VARCHAR)
                assert_true(column->bytes > 0);
        }
    }
}

static void check_column(const struct lake_schema *lake, const char *name, enum lake_type type)
{
    int at = lake_schema_find(lake, name);
    if (at < 0)
        fail_msg("no column %s", name);
    assert_int_equal(lake->columns[at].type, type);
}

static void test_names_and_types(void **state)
{
    struct lake_schema lake;
    lake_schema_init(&lake, EVENT_TRAFFIC, LAKE_RAW);
    check_column(&lake, "event_ts", LAKE_TIMESTAMP);
    check_column(&lake, "device_id", LAKE_VARCHAR);
    check_column(&lake, "latitude", LAKE_DOUBLE);
    check_column(&lake, "longitude", LAKE_DOUBLE);
    check_column(&lake, "average_vehicle_speed", LAKE_DOUBLE);
    check_column(&lake, "congested", LAKE_BOOLEAN);
    check_column(&lake, "width", LAKE_INTEGER);
    check_column(&lake, "vehicle_counts_hgv", LAKE_INTEGER);
    check_column(&lake, "snapshot", LAKE_VARCHAR);
    check_column(&lake, "_kafka_partition", LAKE_INTEGER);
    check_column(&lake, "_kafka_offset", LAKE_BIGINT);
    check_column(&lake, "_kafka_timestamp", LAKE_TIMESTAMP);
    check_column(&lake, "_kafka_key", LAKE_VARCHAR);
    assert_int_equal(lake_schema_find(&lake, "event_hour"), -1);
    lake_schema_init(&lake, EVENT_TRAFFIC, LAKE_CURATED);
    check_column(&lake, "event_hour", LAKE_INTEGER);
    lake_schema_init(&lake, EVENT_EMERGENCY, LAKE_RAW);
    check_column(&lake, "responders", LAKE_VARCHAR);
    check_column(&lake, "on_scene_at", LAKE_TIMESTAMP);
}

static void test_id_changes_with_columns(void **state)
{
    struct lake_schema lake;
    char a[17], b[17];
    lake_schema_init(&lake, EVENT_GPS, LAKE_RAW);
    lake_schema_id(&lake, a);
    lake_schema_id(&lake, b);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 16);
    lake.columns[3].type = LAKE_VARCHAR;
    lake_schema_id(&lake, b);
    assert_string_not_equal(a, b);
}

static void test_one_order_everywhere(void **state)
{
    struct lake_schema lake;
    lake_schema_init(&lake, EVENT_WEATHER, LAKE_RAW);
    struct buf glue, athena, redshift;
    buf_init(&glue, 1 << 16);
    buf_init(&athena, 1 << 16);
    buf_init(&redshift, 1 << 16);
    lake_schema_glue_table(&lake, "s3://lake/raw/weather_data/", &glue);
    lake_schema_athena_ddl(&lake, "s3://lake/raw/weather_data/", false, &athena);
    lake_schema_redshift_ddl(&lake, &redshift);
    json_t *table = json_loads(glue.data, 0, NULL);
    assert_non_null(table);
    json_t *columns = json_object_get(json_object_get(table, "StorageDescriptor"), "Columns");
    assert_int_equal(json_array_size(columns), lake.column_count);
    const char *in_athena = athena.data, *in_redshift = redshift.data;
    for (size_t i = 0; i < lake.column_count; i++) {
        const char *name = lake.columns[i].name;
        json_t *column = json_array_get(columns, i);
        assert_string_equal(json_string_value(json_object_get(column, "Name")), name);
        char text[96];
        snprintf(text, sizeof text, "  `%s` %s COMMENT", name, lake_type_hive(lake.columns[i].type));
        in_athena = strstr(in_athena, text);
        assert_non_null(in_athena);
        snprintf(text, sizeof text, "  \"%s\" %s", name, lake_type_name(lake.columns[i].type));
        in_redshift = strstr(in_redshift, text);
        assert_non_null(in_redshift);
    }
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(table, "PartitionKeys"), 0), "Name")),
                        "dt");
    assert_non_null(strstr(athena.data, "PARTITIONED BY (`dt` string)"));
    assert_null(strstr(athena.data, "projection"));
    buf_reset(&athena);
    lake_schema_athena_ddl(&lake, "s3://lake/raw/weather_data", true, &athena);
    assert_non_null(strstr(athena.data, "'s3://lake/raw/weather_data/dt=${dt}/'"));
    json_decref(table);
    buf_free(&glue);
    buf_free(&athena);
    buf_free(&redshift);
}

static void test_layout(void **state)
{
    struct lake_batch_key key = {.kind = EVENT_GPS, .partition = 3, .start = 120, .end = 240}, back;
    char out[LAKE_OBJECT_KEY_SIZE];
    assert_string_equal(lake_layout_intent(out, &key), "_sink/gps_data/3/00000000000000000120.json");
    assert_int_equal(lake_layout_intent_start(out), 120);
    assert_int_equal(lake_layout_intent_start("_sink/gps_data/3/120.json"), -1);
    assert_int_equal(lake_layout_intent_start("_sink/gps_data/3/99999999999999999999.json"), -1);
    assert_string_equal(lake_layout_data(out, &key, "2026-01-12"),
                        "raw/gps_data/dt=2026-01-12/3-00000000000000000120-00000000000000000240.parquet");
    assert_string_equal(lake_layout_batch_name(out, &key), "/gps_data/3/120-240");
    assert_true(lake_layout_batch_parse(out, &back));
    assert_memory_equal(&back, &key, sizeof key);
    snprintf(key.cluster, sizeof key.cluster, "local-7");
    assert_string_equal(lake_layout_intent(out, &key), "_sink/local-7/gps_data/3/00000000000000000120.json");
    assert_string_equal(lake_layout_batch_name(out, &key), "local-7/gps_data/3/120-240");
    assert_true(lake_layout_batch_parse(out, &back));
    assert_memory_equal(&back, &key, sizeof key);
    assert_false(lake_layout_batch_parse("../gps_data/3/120-240", &back));
    assert_false(lake_layout_batch_parse("local/gps_data/3/240-120", &back));
    assert_false(lake_layout_batch_parse("local/other/3/120-240", &back));
    assert_false(lake_layout_batch_parse("local/gps_data/3/120-240/5", &back));
    assert_false(lake_layout_batch_parse("", &back));
    assert_string_equal(lake_layout_frame(out, &key, 7, "2026-01-12", (const uint8_t *)"\xff\xd8\xff\xe0", 4),
                        "frames/gps_data/dt=2026-01-12/local-7-3-00000000000000000007.jpg");
}

static void test_longest_names_fit(void **state)
{
    struct lake_batch_key key = {
        .kind = EVENT_EMERGENCY, .partition = INT32_MAX, .start = INT64_MAX - 1, .end = INT64_MAX};
    memset(key.cluster, 'x', sizeof key.cluster - 1);
    char out[LAKE_OBJECT_KEY_SIZE];
    lake_layout_data(out, &key, "2026-01-12");
    assert_non_null(strstr(out, "-09223372036854775806-09223372036854775807.parquet"));
    lake_layout_intent(out, &key);
    assert_int_equal(lake_layout_intent_start(out), INT64_MAX - 1);
    lake_layout_frame(out, &key, INT64_MAX, "2026-01-12", (const uint8_t *)"", 0);
    assert_non_null(strstr(out, "-09223372036854775807.bin"));
    assert_true(strlen(out) <= LAKE_REF_BYTES);
    lake_layout_manifest(out, &key);
    assert_non_null(strstr(out, ".manifest"));
    lake_layout_quarantine(out, &key);
    assert_non_null(strstr(out, ".ndjson"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_follow_the_fields),
        cmocka_unit_test(test_names_and_types),
        cmocka_unit_test(test_id_changes_with_columns),
        cmocka_unit_test(test_one_order_everywhere),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_longest_names_fit),
    };
    return cmocka_run_group_tests_name("lake_schema", tests, NULL, NULL);
}
