/*
 * kill -9 while records land, with faults of S3 beside. Children write a lake (this program again, with
 * arguments), each from where Kafka was told or before, and are killed at random (seeded) moments; the last
 * one finishes. Then Athena must find every record once. SMARTCITY_SEED repeats a run, SMARTCITY_ROUNDS makes
 * it longer.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "base/text.h"
#include "lake/lake.h"
#include "tests/support/aws_rig.h"

#include "aws/json.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MORNING    INT64_C(1768205672000)
#define PARTITIONS 2
#define PATIENCE   INT64_C(60000000)

extern char **environ;

/* The next of a row of draws. */
static uint32_t draw(struct rng_key *key, uint32_t limit)
{
    key->tick++;
    return rng_below(key, limit);
}

/* ---- a child ------------------------------------------------------------------------------------------ */

static void on_commit(void *context, enum event_kind kind, int32_t partition, int64_t end)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%d %" PRId64 "\n", (int)partition, end);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(4);
}

static struct record_batch *make_records(int partition, int64_t from, int64_t to)
{
    struct record_batch *batch = record_batch_create((size_t)(to - from), (size_t)(to - from) * 300 + 1);
    for (int64_t offset = from; offset < to; offset++) {
        char text[300], time[TEXT_TIME_SIZE];
        snprintf(text, sizeof text,
                 "{\"deviceId\":\"cam-%d\",\"timestamp\":\"%s\",\"width\":%d,\"snapshot\":\"/9j/4AAQ\"%s",
                 (int)(offset % 7), text_time(time, MORNING + offset * 1000), (int)(offset % 1000),
                 offset % 50 == 49 ? "" : "}"); /* every 50th is broken */
        struct record record = {.kind = EVENT_TRAFFIC,
                                .partition = partition,
                                .offset = offset,
                                .timestamp = MORNING,
                                .value = text,
                                .value_length = strlen(text)};
        record_batch_add(batch, &record);
    }
    return batch;
}

/* ENDPOINT ACCESS SECRET SPOOL SEED END COMMITTED0 COMMITTED1 */
static int run_child(char **arguments)
{
    struct err err = ERR_INIT;
    int64_t seed = 0, end = 0, next[PARTITIONS];
    text_parse_int(arguments[4], 0, INT64_MAX, &seed);
    text_parse_int(arguments[5], 0, INT64_MAX, &end);
    const struct aws_settings client_settings = {.config = {.local = true,
                                                            .region = "us-east-1",
                                                            .endpoint = arguments[0],
                                                            .access_key = arguments[1],
                                                            .secret_key = arguments[2]}};
    struct aws_client *client = aws_client_create(&client_settings, &err);
    const struct lake_settings settings = {.client = client,
                                           .bucket = "lake",
                                           .spool_folder = arguments[3],
                                           .batch_rows = 300,
                                           .batch_age_us = 30000,
                                           .on_commit = on_commit};
    struct lake *lake = client ? lake_create(&settings, &err) : NULL;
    for (int i = 0; i < PARTITIONS && lake; i++) {
        text_parse_int(arguments[6 + i], -1, INT64_MAX, &next[i]);
        int64_t until = clock_mono_us() + PATIENCE;
        while (lake_assign(lake, EVENT_TRAFFIC, i, &next[i], &err) != 0)
            if (clock_mono_us() > until)
                return 5;
        if (next[i] < 0)
            next[i] = 0;
    }
    if (!lake) {
        fprintf(stderr, "%s\n", err.text);
        return 6;
    }
    struct rng_key rng = {.seed = (uint64_t)seed};
    while (next[0] < end || next[1] < end) {
        int i = (int)draw(&rng, PARTITIONS);
        int64_t to = next[i] + 1 + (int64_t)draw(&rng, 150);
        to = to < end ? to : end;
        if (to <= next[i])
            continue;
        struct record_batch *batch = make_records(i, next[i], to);
        lake_offer(lake, batch, -1);
        record_batch_release(batch);
        next[i] = to;
    }
    struct lake_flushed flushed;
    uint64_t ticket = lake_flush(lake, -1);
    for (int64_t until = clock_mono_us() + PATIENCE; clock_mono_us() < until;) {
        lake_retry(lake);
        if (lake_flush_wait(lake, ticket, 100000, &flushed, &err) == 0)
            break;
    }
    lake_destroy(lake);
    aws_client_destroy(client);
    if (!flushed.done || flushed.failed) {
        fprintf(stderr, "%s\n", err.text);
        return 7;
    }
    return 0;
}

/* ---- the test ------------------------------------------------------------------------------------------ */

struct run {
    struct aws_rig rig;
    char spool[96];
    struct rng_key rng;
    int64_t committed[PARTITIONS];
    pid_t pid;
    int out;
    struct buf line;
};

static void spawn_child(struct run *run, int64_t end)
{
    char seed[32], last[32], committed[PARTITIONS][32];
    snprintf(seed, sizeof seed, "%" PRIu32, draw(&run->rng, UINT32_MAX));
    snprintf(last, sizeof last, "%" PRId64, end);
    for (int i = 0; i < PARTITIONS; i++) /* what Kafka was told, or some of it: its commits come late */
        snprintf(committed[i], sizeof committed[i], "%" PRId64,
                 draw(&run->rng, 3) == 0 ? -1 : run->committed[i]);
    char endpoint[64], access[140], secret[140];
    text_copy(endpoint, sizeof endpoint, run->rig.address->endpoint);
    text_copy(access, sizeof access, run->rig.address->access_key);
    text_copy(secret, sizeof secret, run->rig.address->secret_key);
    char *arguments[] = {"test_lake_kill", endpoint,     access, secret, run->spool, seed, last,
                         committed[0],     committed[1], NULL};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&run->pid, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    run->out = ends[0];
    buf_reset(&run->line);
}

static void take_line(struct run *run, const char *line)
{
    int64_t end;
    int partition = line[0] - '0';
    if (partition < 0 || partition >= PARTITIONS || line[1] != ' ' ||
        !text_parse_int(line + 2, 0, INT64_MAX, &end))
        fail_msg("the child says %.100s", line);
    if (end > run->committed[partition])
        run->committed[partition] = end;
}

/* Reads what it says until the time, or its end (true). */
static bool listen_until(struct run *run, int64_t until_us)
{
    for (;;) {
        int64_t left = until_us - clock_mono_us();
        struct pollfd fd = {.fd = run->out, .events = POLLIN};
        char bytes[512];
        if (left <= 0 || poll(&fd, 1, (int)(left / 1000) + 1) == 0)
            return false;
        ssize_t got = read(run->out, bytes, sizeof bytes);
        if (got <= 0)
            return true;
        buf_append(&run->line, bytes, (size_t)got);
        char *newline;
        while ((newline = memchr(run->line.data, '\n', run->line.length)) != NULL) {
            *newline = '\0';
            take_line(run, run->line.data);
            buf_consume(&run->line, (size_t)(newline - run->line.data) + 1);
        }
    }
}

static void add_fault(struct run *run)
{
    static const char *const faults[] = {"s3 PutObject lost count=1 after=%d",
                                         "s3 PutObject error=409 count=1 after=%d",
                                         "s3 PutObject throttle count=2 after=%d",
                                         "s3 PutObject error=500 count=4 after=%d",
                                         "glue BatchCreatePartition lost count=1 after=%d",
                                         "s3 GetObject error=503 count=1 after=%d"};
    char rule[100], text[120];
    text_copy(rule, sizeof rule, faults[draw(&run->rng, sizeof faults / sizeof *faults)]);
    char *percent = strchr(rule, '%');
    *percent = '\0';
    snprintf(text, sizeof text, "%s%d", rule, (int)draw(&run->rng, 12));
    aws_rig_fault(&run->rig, text);
}

static json_t *call(struct run *run, const char *operation, json_t *input)
{
    char code[80];
    struct err err = ERR_INIT;
    json_t *answer = aws_json_wait(run->rig.client, AWS_ATHENA, operation, input, NULL,
                                   clock_mono_us() + PATIENCE, code, &err);
    if (!answer)
        fail_msg("%s", err.text);
    return answer;
}

static int64_t athena(struct run *run, const char *sql)
{
    struct aws_work work = {0};
    struct err err = ERR_INIT;
    json_t *started =
        call(run, "StartQueryExecution",
             json_pack("{s:s, s:{s:s}, s:{s:s}}", "QueryString", sql, "QueryExecutionContext", "Database",
                       "smartcity_raw", "ResultConfiguration", "OutputLocation", "s3://lake/athena/"));
    const char *id = aws_json_text(started, "QueryExecutionId");
    while (work.state != AWS_WORK_DONE) {
        json_t *answer = call(run, "GetQueryExecution", json_pack("{s:s}", "QueryExecutionId", id));
        assert_int_equal(aws_work_read(AWS_ATHENA, "GetQueryExecution", answer, &work, &err), 0);
        json_decref(answer);
        if (work.state == AWS_WORK_FAILED)
            fail_msg("%s", work.reason);
    }
    json_t *answer = call(run, "GetQueryResults", json_pack("{s:s}", "QueryExecutionId", id));
    const json_t *row = json_array_get(aws_json_at(answer, "ResultSet.Rows"), 1);
    int64_t value = -1;
    text_parse_int(aws_json_text(json_array_get(json_object_get(row, "Data"), 0), "VarCharValue"), 0,
                   INT64_MAX, &value);
    json_decref(answer);
    json_decref(started);
    return value;
}

static int64_t environment_int(const char *name, int64_t otherwise)
{
    const char *value = getenv(name);
    int64_t number;
    return value && text_parse_int(value, 0, INT64_MAX, &number) ? number : otherwise;
}

static void make_bucket(struct run *run)
{
    struct err err = ERR_INIT;
    char folder[96];
    snprintf(folder, sizeof folder, "%s/first", run->rig.folder);
    const struct lake_settings settings = {
        .client = run->rig.client, .bucket = "lake", .spool_folder = folder};
    struct lake *lake = lake_create(&settings, &err);
    bool made;
    if (!lake || lake_prepare(lake, &made, &err) != 0)
        fail_msg("%s", err.text);
    lake_destroy(lake);
}

static void test_kills(void **state)
{
    struct duck_settings engine = {0};
    struct duck_db *db = duck_open(&engine, NULL);
    if (!db)
        skip();
    duck_close(db);
    struct run run = {.committed = {-1, -1}};
    uint64_t seed = (uint64_t)environment_int("SMARTCITY_SEED", 11);
    run.rng.seed = seed;
    buf_init(&run.line, 1 << 16);
    if (!aws_rig_open(&run.rig, NULL))
        fail_msg("no local cloud");
    snprintf(run.spool, sizeof run.spool, "%s/spool", run.rig.folder);
    make_bucket(&run);

    int64_t rounds = environment_int("SMARTCITY_ROUNDS", 25), kills = 0;
    int status;
    for (int64_t i = 0; i < rounds; i++) {
        if (draw(&run.rng, 2) == 0)
            add_fault(&run);
        spawn_child(&run, INT64_MAX / 2);
        /* From before it has begun to long after; killed in the middle of a landing, mostly. */
        int64_t wait = 50000 + (int64_t)draw(&run.rng, 1500000);
        if (listen_until(&run, clock_mono_us() + wait))
            fail_msg("a child ended by itself");
        kill(run.pid, SIGKILL);
        kills++;
        listen_until(&run, clock_mono_us() + PATIENCE);
        assert_int_equal(waitpid(run.pid, &status, 0), run.pid);
        assert_true(WIFSIGNALED(status));
        close(run.out);
    }
    /* Beyond anything that was landed: at most one batch a partition was not reported. */
    int64_t end = 0;
    for (int i = 0; i < PARTITIONS; i++)
        end = run.committed[i] > end ? run.committed[i] : end;
    end += 1000;
    spawn_child(&run, end);
    assert_true(listen_until(&run, clock_mono_us() + 4 * PATIENCE));
    assert_int_equal(waitpid(run.pid, &status, 0), run.pid);
    close(run.out);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("seed %" PRIu64 ": the last child ended with %d", seed, status);

    int64_t bad = PARTITIONS * (end / 50);
    int64_t rows = athena(&run, "SELECT count(*) FROM traffic_data");
    int64_t distinct =
        athena(&run, "SELECT count(DISTINCT \"_kafka_offset\" * 10 + \"_kafka_partition\") FROM "
                     "traffic_data");
    print_message("seed %" PRIu64 ": %" PRId64 " kills, %" PRId64 " records, %" PRId64 " rows\n", seed, kills,
                  PARTITIONS * end, rows);
    assert_int_equal(rows, PARTITIONS * end - bad);
    assert_int_equal(distinct, rows);
    assert_int_equal(athena(&run, "SELECT count(*) FROM traffic_data WHERE snapshot IS NULL"), 0);
    for (int i = 0; i < PARTITIONS; i++)
        assert_int_equal(run.committed[i], end);
    buf_free(&run.line);
    aws_rig_close(&run.rig);
}

int main(int argc, char **argv)
{
    if (argc == 9)
        return run_child(argv + 1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kills)};
    return cmocka_run_group_tests_name("a lake whose writer is killed", tests, NULL, NULL);
}
