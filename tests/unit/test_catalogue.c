/* The catalogue: what is kept, what is refused and in whose words, versions, partitions in order and parts.
 */
#include "localcloud/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1768204800000000LL

static char folder[64];
static struct catalogue *catalogue;

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    snprintf(folder, sizeof folder, "/tmp/smartcity-test-XXXXXX");
    catalogue = mkdtemp(folder) ? catalogue_open(folder, "000000000000", &err) : NULL;
    return catalogue ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    catalogue_close(catalogue);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static enum catalogue_status make_database(const char *name)
{
    struct err err = ERR_INIT;
    json_t *input = json_pack("{s:s}", "Name", name);
    enum catalogue_status status = catalogue_database_create(catalogue, input, NOW, &err);
    json_decref(input);
    return status;
}

static json_t *table_input(const char *name, const char *note)
{
    return json_pack("{s:s, s:s, s:{s:[{s:s,s:s}], s:s}, s:[{s:s,s:s},{s:s,s:s}], s:s}", "Name", name,
                     "Description", note, "StorageDescriptor", "Columns", "Name", "speed", "Type", "double",
                     "Location", "s3://lake/gps/", "PartitionKeys", "Name", "dt", "Type", "string", "Name",
                     "hour", "Type", "int", "Unknown", "dropped");
}

static void make_table(const char *name)
{
    struct err err = ERR_INIT;
    json_t *input = table_input(name, "first");
    assert_int_equal(catalogue_table_create(catalogue, "city", input, NOW, &err), CATALOGUE_OK);
    json_decref(input);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void databases_are_kept(void **state)
{
    struct err err = ERR_INIT;
    json_t *database;
    assert_int_equal(make_database("City"), CATALOGUE_OK);
    assert_int_equal(make_database("city"), CATALOGUE_EXISTS);
    assert_int_equal(make_database(""), CATALOGUE_INVALID);
    assert_int_equal(catalogue_database_get(catalogue, "CITY", &database, &err), CATALOGUE_OK);
    assert_string_equal(text_of(database, "Name"), "city");
    json_decref(database);
    assert_int_equal(catalogue_database_get(catalogue, "town", NULL, &err), CATALOGUE_NO_DATABASE);
    assert_string_equal(err.text, "Database town not found.");
    /* After a restart too. */
    catalogue_close(catalogue);
    catalogue = catalogue_open(folder, "000000000000", &err);
    assert_non_null(catalogue);
    assert_int_equal(catalogue_database_get(catalogue, "city", NULL, &err), CATALOGUE_OK);
    json_t *input = json_pack("{s:s, s:s}", "Name", "metropolis", "Description", "grown");
    assert_int_equal(catalogue_database_update(catalogue, "city", input, &err), CATALOGUE_OK);
    json_decref(input);
    assert_int_equal(catalogue_database_get(catalogue, "city", NULL, &err), CATALOGUE_NO_DATABASE);
    assert_int_equal(catalogue_database_delete(catalogue, "metropolis", &err), CATALOGUE_OK);
    assert_int_equal(catalogue_database_delete(catalogue, "metropolis", &err), CATALOGUE_NO_DATABASE);
}

static bool count_items(void *context, json_t *item)
{
    ++*(int *)context;
    return true;
}

static void tables_have_versions(void **state)
{
    struct err err = ERR_INIT;
    json_t *table, *input;
    uint64_t before;
    make_database("city");
    make_table("GPS");
    before = catalogue_generation(catalogue);
    input = table_input("gps", "second");
    struct catalogue_update update = {.version = "0"};
    assert_int_equal(catalogue_table_create(catalogue, "city", input, NOW, &err), CATALOGUE_EXISTS);
    assert_int_equal(catalogue_table_create(catalogue, "town", input, NOW, &err), CATALOGUE_NO_DATABASE);
    assert_int_equal(catalogue_generation(catalogue), before);
    assert_int_equal(catalogue_table_update(catalogue, "city", input, &update, NOW, &err), CATALOGUE_OK);
    assert_int_equal(catalogue_table_update(catalogue, "city", input, &update, NOW, &err), CATALOGUE_CHANGED);
    assert_int_equal(catalogue_generation(catalogue), before + 1);
    update = (struct catalogue_update){.skip_archive = true};
    assert_int_equal(catalogue_table_update(catalogue, "city", input, &update, NOW, &err), CATALOGUE_OK);
    json_decref(input);
    assert_int_equal(catalogue_table_get(catalogue, "city", "gps", &table, &err), CATALOGUE_OK);
    assert_string_equal(text_of(table, "VersionId"), "2");
    assert_string_equal(text_of(table, "Description"), "second");
    assert_null(json_object_get(table, "Unknown"));
    json_decref(table);
    int count = 0;
    assert_int_equal(catalogue_version_list(catalogue, "city", "gps", -1, count_items, &count, &err),
                     CATALOGUE_OK);
    assert_int_equal(count, 2); /* 2 and 0; 1 was not archived */
    assert_int_equal(catalogue_version_get(catalogue, "city", "gps", "0", &table, &err), CATALOGUE_OK);
    assert_string_equal(text_of(json_object_get(table, "Table"), "Description"), "first");
    json_decref(table);
    assert_int_equal(catalogue_version_get(catalogue, "city", "gps", "1", &table, &err),
                     CATALOGUE_NO_VERSION);
    assert_int_equal(catalogue_version_delete(catalogue, "city", "gps", "2", &err), CATALOGUE_INVALID);
    assert_int_equal(catalogue_version_delete(catalogue, "city", "gps", "0", &err), CATALOGUE_OK);
    assert_int_equal(catalogue_version_delete(catalogue, "city", "gps", "0", &err), CATALOGUE_NO_VERSION);
}

static void inputs_of_a_wrong_shape_are_refused(void **state)
{
    static const char *const inputs[] = {
        "{\"Name\": 3}",
        "{\"Name\": \"a\", \"Parameters\": {\"a\": 1}}",
        "{\"Name\": \"a\", \"StorageDescriptor\": {\"Columns\": [{\"Type\": \"int\"}]}}",
        "{\"Name\": \"a\", \"StorageDescriptor\": {\"Columns\": {}}}",
        "{\"Name\": \"a\", \"PartitionKeys\": [3]}",
        "{\"Name\": \"a\", \"StorageDescriptor\": {\"Compressed\": \"no\"}}",
        "{}",
        "[]",
    };
    struct err err = ERR_INIT;
    make_database("city");
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        json_t *input = json_loads(inputs[i], 0, NULL);
        assert_non_null(input);
        if (catalogue_table_create(catalogue, "city", input, NOW, &err) != CATALOGUE_INVALID)
            fail_msg("%s was taken", inputs[i]);
        json_decref(input);
    }
}

struct seen {
    int count;
    char last[64];
    const char *only;
};

static bool see(void *context, json_t *item)
{
    struct seen *seen = context;
    char *key = catalogue_partition_key(json_object_get(item, "Values"));
    assert_true(strcmp(key, seen->last) > 0);
    snprintf(seen->last, sizeof seen->last, "%s", key);
    free(key);
    seen->count++;
    return true;
}

static bool wants(void *context, const json_t *values)
{
    const struct seen *seen = context;
    return !seen->only || strcmp(json_string_value(json_array_get(values, 0)), seen->only) == 0;
}

static void partitions_in_order(void **state)
{
    struct err err = ERR_INIT;
    struct catalogue_outcome outcomes[51];
    make_database("city");
    make_table("gps");
    json_t *inputs = json_array();
    for (int i = 0; i < 50; i++) {
        char day[32], hour[16];
        snprintf(day, sizeof day, "2026-01-%02d", 1 + i / 10);
        snprintf(hour, sizeof hour, "%d", i % 10);
        json_array_append_new(inputs, json_pack("{s:[s,s]}", "Values", day, hour));
    }
    json_array_append_new(inputs, json_pack("{s:[s]}", "Values", "2026-01-01"));
    assert_int_equal(catalogue_partitions_create(catalogue, "city", "gps", inputs, NOW, outcomes, &err),
                     CATALOGUE_OK);
    assert_int_equal(outcomes[0].status, CATALOGUE_OK);
    assert_int_equal(outcomes[50].status, CATALOGUE_INVALID);
    assert_int_equal(catalogue_partitions_create(catalogue, "city", "gps", inputs, NOW, outcomes, &err),
                     CATALOGUE_OK);
    assert_int_equal(outcomes[0].status, CATALOGUE_EXISTS);
    assert_string_equal(outcomes[0].err.text, "Partition already exists.");
    json_decref(inputs);

    struct seen seen = {.only = "2026-01-03"};
    struct catalogue_partition_query query = {.wants = wants, .context = &seen};
    assert_int_equal(catalogue_partition_list(catalogue, "city", "gps", &query, see, &err), CATALOGUE_OK);
    assert_int_equal(seen.count, 10);
    int sum = 0;
    for (int part = 0; part < 3; part++) {
        seen = (struct seen){0};
        query = (struct catalogue_partition_query){.context = &seen, .segment = part, .segments = 3};
        assert_int_equal(catalogue_partition_list(catalogue, "city", "gps", &query, see, &err), CATALOGUE_OK);
        assert_true(seen.count > 0);
        sum += seen.count;
    }
    assert_int_equal(sum, 50);

    json_t *values = json_pack("[s,s]", "2026-01-03", "7"), *item;
    json_t *moved = json_pack("{s:[s,s], s:{s:s}}", "Values", "2026-02-01", "0", "Parameters", "a", "b");
    assert_int_equal(catalogue_partition_update(catalogue, "city", "gps", values, moved, &err), CATALOGUE_OK);
    assert_int_equal(catalogue_partition_get(catalogue, "city", "gps", values, &item, &err),
                     CATALOGUE_NO_PARTITION);
    assert_int_equal(
        catalogue_partition_get(catalogue, "city", "gps", json_object_get(moved, "Values"), &item, &err),
        CATALOGUE_OK);
    json_decref(item);
    json_t *taken = json_pack("{s:[s,s]}", "Values", "2026-01-01", "1");
    assert_int_equal(
        catalogue_partition_update(catalogue, "city", "gps", json_object_get(moved, "Values"), taken, &err),
        CATALOGUE_EXISTS);
    json_t *lists = json_pack("[O,O]", values, json_object_get(moved, "Values"));
    assert_int_equal(catalogue_partitions_delete(catalogue, "city", "gps", lists, outcomes, &err),
                     CATALOGUE_OK);
    assert_int_equal(outcomes[0].status, CATALOGUE_NO_PARTITION);
    assert_int_equal(outcomes[1].status, CATALOGUE_OK);
    json_decref(lists);
    json_decref(taken);
    json_decref(moved);
    json_decref(values);

    /* What belonged to a table does not come back with its name. */
    assert_int_equal(catalogue_table_delete(catalogue, "city", "gps", &err), CATALOGUE_OK);
    make_table("gps");
    seen = (struct seen){0};
    query = (struct catalogue_partition_query){.context = &seen};
    assert_int_equal(catalogue_partition_list(catalogue, "city", "gps", &query, see, &err), CATALOGUE_OK);
    assert_int_equal(seen.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(databases_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tables_have_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(inputs_of_a_wrong_shape_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(partitions_in_order, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
