/* Athena of the local cloud over 10 million rows in ten Parquet files beside DuckDB itself on the same files,
 * in the same run, with the same memory and threads; then a thousand queries in sequence, and what the
 * program's memory does. Needs `make duckdb`. */
#include "base/clock.h"
#include "base/file.h"
#include "sql/duckdb.h"
#include "tests/support/cloud_client.h"
#include "tests/support/cloud_process.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES  10
#define ROWS   1000000
#define ROUNDS 15
#define MANY   1000

struct bench {
    char folder[64];
    struct duck_db *db;
    struct duck_connection *connection;
    struct cloud_address address;
    struct cloud_client s3, json;
    pid_t pid;
};

static const char *const queries[][2] = {
    /* name, text */
    {"count", "SELECT count(*) FROM %s"},
    {"mean by device", "SELECT device, avg(speed) FROM %s GROUP BY device"},
    {"filter", "SELECT max(speed), avg(speed) FROM %s WHERE id > 350000 AND device = 'device-3'"},
    {"one row", "SELECT * FROM %s WHERE id = 7654321"},
    {"top 100", "SELECT id, speed FROM %s ORDER BY speed DESC LIMIT 100"},
    {"10,000 rows out", "SELECT id, speed FROM %s WHERE id < 10000"},
};

static void quit(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static void execute(struct bench *bench, const char *sql)
{
    struct err err = ERR_INIT;
    if (duck_exec(bench->connection, sql, &err) != 0)
        quit(err.text);
}

/* Milliseconds of DuckDB itself: prepared, run, every row fetched. */
static double run_bare(struct bench *bench, const char *format)
{
    char sql[600], source[120];
    struct err err = ERR_INIT;
    snprintf(source, sizeof source, "read_parquet('%s/files/*.parquet')", bench->folder);
    const char *at = strstr(format, "%s");
    snprintf(sql, sizeof sql, "%.*s%s%s", (int)(at - format), format, source, at + 2);
    int64_t begun = clock_mono_us();
    struct duck_statement *statement = duck_prepare(bench->connection, sql, &err);
    int more = statement ? 1 : -1;
    while (more == 1)
        more = duck_step(statement, &err);
    duck_finalize(statement);
    if (more < 0)
        quit(err.text);
    return (double)(clock_mono_us() - begun) / 1e3;
}

static json_t *call(struct bench *bench, const char *target, json_t *input)
{
    struct cloud_answer answer;
    char headers[200];
    char *body = json_dumps(input, JSON_COMPACT);
    bench->json.service = strncmp(target, "AWSGlue", 7) == 0 ? "glue" : "athena";
    snprintf(headers, sizeof headers, "content-type: application/x-amz-json-1.1\nx-amz-target: %s\n", target);
    cloud_client_call(&bench->json, "POST", "/", headers, body, strlen(body), NULL, &answer);
    json_t *result = answer.body.data ? json_loadb(answer.body.data, answer.body.length, 0, NULL) : NULL;
    if (answer.status != 200)
        quit(answer.body.data ? answer.body.data : "the cloud does not answer");
    cloud_answer_free(&answer);
    free(body);
    json_decref(input);
    return result;
}

/* Milliseconds from the request that starts it until it is seen to have succeeded. */
static double run_athena(struct bench *bench, const char *sql)
{
    int64_t begun = clock_mono_us();
    json_t *started =
        call(bench, "AmazonAthena.StartQueryExecution",
             json_pack("{s:s,s:{s:s},s:{s:s}}", "QueryString", sql, "QueryExecutionContext", "Database",
                       "city", "ResultConfiguration", "OutputLocation", "s3://results/"));
    const char *state;
    json_t *now = NULL;
    do {
        if (now)
            clock_sleep_until(clock_mono_us() + 3000); /* often enough to be exact, not to be in the way */
        json_decref(now);
        now = call(bench, "AmazonAthena.GetQueryExecution",
                   json_pack("{s:O}", "QueryExecutionId", json_object_get(started, "QueryExecutionId")));
        state = json_string_value(
            json_object_get(json_object_get(json_object_get(now, "QueryExecution"), "Status"), "State"));
    } while (strcmp(state, "QUEUED") == 0 || strcmp(state, "RUNNING") == 0);
    double took = (double)(clock_mono_us() - begun) / 1e3;
    if (strcmp(state, "SUCCEEDED") != 0)
        quit(json_dumps(now, JSON_INDENT(1)));
    json_decref(now);
    json_decref(started);
    return took;
}

static void make_files(struct bench *bench)
{
    char sql[600], path[100];
    struct err err = ERR_INIT;
    snprintf(path, sizeof path, "%s/files", bench->folder);
    if (file_make_dirs(path, &err) != 0)
        quit(err.text);
    for (int i = 0; i < FILES; i++) {
        snprintf(
            sql, sizeof sql,
            "COPY (SELECT i AS id, hash(i) / 1e19 AS speed, 'device-' || (i %% 100) AS device, TIMESTAMP "
            "'2026-01-01' + to_seconds(i) AS \"at\" FROM range(%d, %d) t(i)) TO '%s/%d.parquet' "
            "(FORMAT parquet, COMPRESSION zstd)",
            i * ROWS, (i + 1) * ROWS, path, i);
        execute(bench, sql);
    }
}

static void put(struct bench *bench, const char *target, const void *bytes, size_t length)
{
    struct cloud_answer answer;
    cloud_client_call(&bench->s3, "PUT", target, NULL, bytes, length, NULL, &answer);
    if (answer.status != 200)
        quit(answer.body.data ? answer.body.data : "the cloud does not take an object");
    cloud_answer_free(&answer);
}

static void fill_cloud(struct bench *bench)
{
    int port = cloud_process_port(&bench->address);
    if (!cloud_client_open(&bench->s3, port, bench->address.access_key, bench->address.secret_key) ||
        !cloud_client_open(&bench->json, port, bench->address.access_key, bench->address.secret_key))
        quit("the cloud does not answer");
    put(bench, "/lake", "", 0);
    put(bench, "/results", "", 0);
    for (int i = 0; i < FILES; i++) {
        char path[120], target[60];
        struct buf bytes;
        struct err err = ERR_INIT;
        buf_init(&bytes, 256u << 20);
        snprintf(path, sizeof path, "%s/files/%d.parquet", bench->folder, i);
        snprintf(target, sizeof target, "/lake/t/%d.parquet", i);
        if (file_read(path, &bytes, &err) != 0)
            quit(err.text);
        put(bench, target, bytes.data, bytes.length);
        buf_free(&bytes);
    }
    json_decref(
        call(bench, "AWSGlue.CreateDatabase", json_pack("{s:{s:s}}", "DatabaseInput", "Name", "city")));
    (void)run_athena(
        bench, "CREATE EXTERNAL TABLE t (id bigint, speed double, device string, `at` timestamp) STORED "
               "AS PARQUET LOCATION 's3://lake/t/'");
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void compare_queries(struct bench *bench)
{
    printf("10,000,000 rows, ms, median of %d:      DuckDB   Athena   more\n", ROUNDS);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        char sql[300];
        const char *at = strstr(queries[i][1], "%s");
        snprintf(sql, sizeof sql, "%.*st%s", (int)(at - queries[i][1]), queries[i][1], at + 2);
        double bare[ROUNDS], athena[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            bare[round] = run_bare(bench, queries[i][1]);
            athena[round] = run_athena(bench, sql);
        }
        qsort(bare, ROUNDS, sizeof *bare, compare);
        qsort(athena, ROUNDS, sizeof *athena, compare);
        printf("  %-34s %8.1f %8.1f %6.1f\n", queries[i][0], bare[ROUNDS / 2], athena[ROUNDS / 2],
               athena[ROUNDS / 2] - bare[ROUNDS / 2]);
    }
}

static void many(struct bench *bench)
{
    char sql[100], when[40];
    for (int i = 1; i <= MANY; i++) {
        snprintf(sql, sizeof sql, "SELECT id, speed FROM t WHERE id = %d", i * 9973);
        (void)run_athena(bench, sql);
        if (i == 100 || i % 300 == 100) {
            snprintf(when, sizeof when, "after %d queries:", i);
            clock_sleep_until(clock_mono_us() + 1000000);
            cloud_process_memory(bench->pid, when);
        }
    }
}

int main(void)
{
    static struct bench bench;
    struct err err = ERR_INIT;
    char data[100], command[100];
    snprintf(bench.folder, sizeof bench.folder, "/tmp/smartcity-bench-XXXXXX");
    if (!mkdtemp(bench.folder))
        return 1;
    const char *folders[] = {bench.folder};
    struct duck_settings settings = {.folders = folders, .folder_count = 1};
    bench.db = duck_open(&settings, &err);
    bench.connection = bench.db ? duck_connect(bench.db, &err) : NULL;
    if (!bench.connection)
        quit(err.text);
    make_files(&bench);
    snprintf(data, sizeof data, "%s/cloud", bench.folder);
    bench.pid = cloud_process_start(data, &bench.address);
    if (bench.pid < 0)
        quit("the cloud does not start");
    cloud_process_memory(bench.pid, "idle:");
    fill_cloud(&bench);
    (void)run_athena(&bench, "SELECT 1");
    clock_sleep_until(clock_mono_us() + 1000000);
    cloud_process_memory(bench.pid, "after the first query:");
    compare_queries(&bench);
    cloud_process_memory(bench.pid, "at once:");
    clock_sleep_until(clock_mono_us() + 1000000);
    cloud_process_memory(bench.pid, "a second later:");
    many(&bench);
    cloud_client_close(&bench.s3);
    cloud_client_close(&bench.json);
    cloud_process_kill(bench.pid);
    duck_disconnect(bench.connection);
    duck_close(bench.db);
    snprintf(command, sizeof command, "rm -rf '%s'", bench.folder);
    return system(command) != 0;
}
