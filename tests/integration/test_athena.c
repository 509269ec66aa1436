/* Athena over the wire: the life of a query, its result in S3, its failures. */
#include "localcloud/cloud.h"
#include "tests/support/cloud_client.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[64];
static struct cloud *cloud;

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    snprintf(folder, sizeof folder, "/tmp/smartcity-test-XXXXXX");
    struct cloud_settings settings = {.folder = folder};
    cloud = mkdtemp(folder) ? cloud_start(&settings, &err) : NULL;
    return cloud ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    cloud_stop(cloud);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static json_t *call(const char *service, const char *method, const char *target, const char *operation,
                    const char *body, int *status)
{
    const struct cloud_address *address = cloud_address(cloud);
    struct cloud_client client = {0};
    assert_true(cloud_client_open(&client, atoi(strrchr(address->endpoint, ':') + 1), address->access_key,
                                  address->secret_key));
    client.region = address->region;
    client.service = service;
    char headers[200] = "";
    if (operation)
        snprintf(headers, sizeof headers,
                 "content-type: application/x-amz-json-1.1\nx-amz-target: AmazonAthena.%s\n", operation);
    struct cloud_answer answer = {0};
    cloud_client_call(&client, method, target, operation ? headers : NULL, body, strlen(body), NULL, &answer);
    *status = answer.status;
    json_t *json = answer.body.data ? json_loadb(answer.body.data, answer.body.length, 0, NULL) : NULL;
    cloud_answer_free(&answer);
    cloud_client_close(&client);
    return json;
}

/* Runs it to its end; the description, and the id. */
static json_t *run(const char *sql, char id[40])
{
    int status;
    json_t *input = json_pack("{s:s,s:{s:s},s:{s:s}}", "QueryString", sql, "QueryExecutionContext",
                              "Database", "city", "ResultConfiguration", "OutputLocation", "s3://results/q");
    char *body = json_dumps(input, 0);
    json_t *answer = call("athena", "POST", "/", "StartQueryExecution", body, &status);
    free(body);
    json_decref(input);
    if (status != 200)
        fail_msg("%s: %d", sql, status);
    snprintf(id, 40, "%s", json_string_value(json_object_get(answer, "QueryExecutionId")));
    json_decref(answer);
    char text[100];
    snprintf(text, sizeof text, "{\"QueryExecutionId\":\"%s\"}", id);
    for (;;) {
        answer = call("athena", "POST", "/", "GetQueryExecution", text, &status);
        json_t *now =
            json_object_get(json_object_get(json_object_get(answer, "QueryExecution"), "Status"), "State");
        const char *name = json_string_value(now);
        assert_non_null(name);
        if (strcmp(name, "QUEUED") != 0 && strcmp(name, "RUNNING") != 0)
            return answer;
        json_decref(answer);
    }
}

static const char *status_text(json_t *answer, const char *name)
{
    const char *text = json_string_value(
        json_object_get(json_object_get(json_object_get(answer, "QueryExecution"), "Status"), name));
    return text ? text : "";
}

static void life_of_a_query(void **state)
{
    int status;
    char id[40], body[200];
    json_decref(call("s3", "PUT", "/results", NULL, "", &status));
    assert_int_equal(status, 200);
    json_t *answer = run("SELECT 1 AS a, 'x\"y' AS b, NULL UNION ALL SELECT 2, '', NULL ORDER BY 1", id);
    if (strstr(status_text(answer, "StateChangeReason"), "make duckdb")) {
        json_decref(answer);
        skip();
    }
    assert_string_equal(status_text(answer, "State"), "SUCCEEDED");
    json_decref(answer);
    snprintf(body, sizeof body, "{\"QueryExecutionId\":\"%s\",\"MaxResults\":2}", id);
    answer = call("athena", "POST", "/", "GetQueryResults", body, &status);
    json_t *rows = json_object_get(json_object_get(answer, "ResultSet"), "Rows");
    assert_int_equal(json_array_size(rows), 2); /* the header counts */
    json_t *data = json_object_get(json_array_get(rows, 1), "Data");
    assert_string_equal(json_string_value(json_object_get(json_array_get(data, 1), "VarCharValue")), "x\"y");
    assert_null(json_object_get(json_array_get(data, 2), "VarCharValue"));
    const char *next = json_string_value(json_object_get(answer, "NextToken"));
    assert_non_null(next);
    snprintf(body, sizeof body, "{\"QueryExecutionId\":\"%s\",\"NextToken\":\"%s\"}", id, next);
    json_decref(answer);
    answer = call("athena", "POST", "/", "GetQueryResults", body, &status);
    data = json_object_get(json_array_get(json_object_get(json_object_get(answer, "ResultSet"), "Rows"), 0),
                           "Data");
    assert_string_equal(json_string_value(json_object_get(json_array_get(data, 1), "VarCharValue")), "");
    assert_null(json_object_get(answer, "NextToken"));
    json_decref(answer);

    answer = run("SELECT 1 / 0", id);
    assert_string_equal(status_text(answer, "State"), "FAILED");
    assert_string_equal(status_text(answer, "StateChangeReason"), "DIVISION_BY_ZERO: Division by zero");
    json_decref(answer);
    snprintf(body, sizeof body, "{\"QueryExecutionId\":\"%s\"}", id);
    json_decref(call("athena", "POST", "/", "GetQueryResults", body, &status));
    assert_int_equal(status, 400);
    json_decref(call("athena", "POST", "/", "StopQueryExecution", body, &status));
    assert_int_equal(status, 200); /* an ended one may be stopped */
}

static void refused(void **state)
{
    static const char *const bodies[] = {
        "{\"QueryString\":\"SELEC 1\",\"ResultConfiguration\":{\"OutputLocation\":\"s3://results/\"}}",
        "{\"QueryString\":\"SELECT 1\"}",
        "{\"QueryString\":\"SELECT 1\",\"ResultConfiguration\":{\"OutputLocation\":\"/etc/passwd\"}}", "{}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        int status;
        json_decref(call("athena", "POST", "/", "StartQueryExecution", bodies[i], &status));
        assert_int_equal(status, 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(life_of_a_query, set_up, tear_down),
                                       cmocka_unit_test_setup_teardown(refused, set_up, tear_down)};
    return cmocka_run_group_tests_name("athena", tests, NULL, NULL);
}
