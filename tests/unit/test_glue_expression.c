/* Conditions over partition keys: types, three-valued logic, precedence, and what is refused in whose words.
 */
#include "localcloud/glue_expression.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *keys(void)
{
    return json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "Name", "dt", "Type", "string",
                     "Name", "n", "Type", "bigint", "Name", "day", "Type", "date", "Name", "at", "Type",
                     "timestamp", "Name", "price", "Type", "decimal(10,2)");
}

static bool matches(const char *text)
{
    struct err err = ERR_INIT;
    json_t *columns = keys();
    json_t *values = json_pack("[s,s,s,s,s]", "2026-01-12", "10", "2026-01-12", "2026-01-12 08:00:00",
                               "__HIVE_DEFAULT_PARTITION__");
    struct glue_expression *expression = glue_expression_parse(text, columns, &err);
    if (!expression)
        fail_msg("%s: %s", text, err.text);
    bool result = glue_expression_matches(expression, values);
    glue_expression_destroy(expression);
    json_decref(values);
    json_decref(columns);
    return result;
}

static void what_holds(void **state)
{
    static const char *const good[] = {
        "dt = '2026-01-12'",
        "'2026-01-12' = dt",
        "DT='2026-01-12' and N = 10",
        "`dt` <> '2026-01-13'",
        "dt != 'x'",
        "n > 9", /* as numbers, not as text */
        "n < 100",
        "n >= '10' AND n <= +10.0",
        "n = 010",
        "n > -5",
        "n BETWEEN 5 AND 15 AND dt LIKE '2026-%'",
        "n NOT BETWEEN 11 AND 12",
        "n in (1, 10, 100)",
        "n not in (1, 2)",
        "dt LIKE '____-01-12'",
        "dt NOT LIKE '2025%'",
        "day > DATE '2025-12-31'",
        "day = '2026-01-12'",
        "at = TIMESTAMP '2026-01-12 08:00:00.000'",
        "at > '2026-01-12'",
        "price IS NULL",
        "dt IS NOT NULL",
        "NOT n = 9",
        "n = 9 OR n = 10 AND dt = '2026-01-12'",
        "(n = 9 OR n = 10) AND dt = '2026-01-12'",
        "price = 1 OR n = 10",
        "n = 10000000000000000000000000000 OR n < 10000000000000000000000000000",
        "dt = \"2026-01-12\"",
        "n=10AND dt>'2026'",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!matches(good[i]))
            fail_msg("does not hold: %s", good[i]);
}

static void what_does_not(void **state)
{
    static const char *const bad[] = {
        "dt = '2026-01-13'",
        "n > 10",
        "n = 9 AND price IS NULL",
        "price = 1",
        "NOT price = 1", /* null is not false */
        "price NOT IN (1)",
        "price <> 1",
        "n NOT IN (9, 10)",
        "dt LIKE '2026'",
        "dt LIKE ''",
        "n BETWEEN 11 AND 9",
        "(n = 9 OR n = 10) AND n = 9",
        "dt IS NULL",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (matches(bad[i]))
            fail_msg("holds: %s", bad[i]);
}

static void refused(const char *text, const char *message)
{
    struct err err = ERR_INIT;
    json_t *columns = keys();
    struct glue_expression *expression = glue_expression_parse(text, columns, &err);
    if (expression)
        fail_msg("taken: %s", text);
    if (!strstr(err.text, message))
        fail_msg("%s: %s", text, err.text);
    json_decref(columns);
}

static void what_is_refused(void **state)
{
    char *deep = mem_alloc(1001), *wide = mem_alloc(4000);
    memset(deep, '(', 1000);
    deep[1000] = '\0';
    memset(wide, ' ', 3999);
    wide[3999] = '\0';
    refused("", "Unsupported expression");
    refused("dt", "Unsupported expression");
    refused("dt =", "Unsupported expression");
    refused("dt = 'a' AND", "Unsupported expression");
    refused("dt = 'a' n = 1", "Unsupported expression");
    refused("dt = 'a", "Unsupported expression");
    refused("dt IN ()", "Unsupported expression");
    refused("dt IN ('a'", "Unsupported expression");
    refused("(dt = 'a'", "Unsupported expression");
    refused("dt IS 'a'", "Unsupported expression");
    refused("dt BETWEEN 'a' OR 'b'", "Unsupported expression");
    refused("dt = 'a'; DROP TABLE x", "Unsupported expression");
    refused("city = 'a'", "Unknown column 'city'");
    refused("n = 'x'", "'x' is not a number");
    refused("n = 1.2.3", "'1.2.3' is not a number");
    refused("n IN (1, 'x')", "'x' is not a number");
    refused("day = 'soon'", "'soon' is not a date");
    refused("at > '2026'", "'2026' is not a timestamp");
    refused(deep, "Unsupported expression");
    refused(wide, "longer than");
    free(deep);
    free(wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds),
        cmocka_unit_test(what_does_not),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests_name("glue_expression", tests, NULL, NULL);
}
