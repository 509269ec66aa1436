/* The ledger of batches and jobs, and the pipeline that moves them on against services in memory. */
#include "base/clock.h"
#include "base/file.h"
#include "lake/pipeline.h"
#include "tests/support/fake_remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE 20000000

static char folder[64];

static int set_up(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/smartcity-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static struct ledger_batch batch_of(int number, const char *days)
{
    struct ledger_batch batch = {.kind = EVENT_GPS,
                                 .start = number * 10,
                                 .end = number * 10 + 10,
                                 .rows = 10,
                                 .files = 1,
                                 .step_ms = {1, 2, 3, 0, 0}};
    snprintf(batch.name, sizeof batch.name, "/gps_data/0/%d-%d", number * 10, number * 10 + 10);
    snprintf(batch.days, sizeof batch.days, "%s", days);
    return batch;
}

static void count_batch(void *context, const struct ledger_batch *batch, const char *data)
{
    ++*(int *)context;
    assert_string_equal(data, "[1]");
}

static void test_batches_and_jobs(void **state)
{
    struct err err = ERR_INIT;
    bool anew = false;
    struct ledger *ledger = ledger_open(NULL, &anew, &err);
    assert_non_null(ledger);
    assert_true(anew);
    for (int i = 0; i < 5; i++) {
        struct ledger_batch batch = batch_of(i, i < 3 ? "2026-01-12" : "2026-01-12,2026-01-13");
        assert_int_equal(ledger_put(ledger, &batch, "[1]", &err), 0);
        batch.step_ms[LEDGER_LANDED] = 99; /* known already: what has happened stays */
        assert_int_equal(ledger_put(ledger, &batch, "[2]", &err), 0);
    }
    struct ledger_batch batch;
    char *data = NULL;
    assert_int_equal(ledger_get(ledger, "/gps_data/0/40-50", &batch, &data, &err), 1);
    assert_int_equal(batch.step_ms[LEDGER_LANDED], 2);
    assert_string_equal(data, "[1]");
    free(data);
    assert_int_equal(ledger_get(ledger, "nothing", &batch, NULL, &err), 0);

    struct ledger_job job, other;
    assert_int_equal(
        ledger_make_job(ledger, LEDGER_TRANSFORMED, LEDGER_CATALOGUED, EVENT_GPS, 4, 7, &job, &err), 1);
    assert_int_equal(job.batches, 4);
    assert_int_equal(job.rows, 40);
    assert_string_equal(job.days, "2026-01-12,2026-01-13");
    /* The fifth; then nothing is left, and another step is another matter. */
    assert_int_equal(
        ledger_make_job(ledger, LEDGER_TRANSFORMED, LEDGER_CATALOGUED, EVENT_GPS, 4, 7, &other, &err), 1);
    assert_int_equal(other.batches, 1);
    assert_int_equal(
        ledger_make_job(ledger, LEDGER_TRANSFORMED, LEDGER_CATALOGUED, EVENT_GPS, 4, 7, &other, &err), 0);
    assert_int_equal(
        ledger_make_job(ledger, LEDGER_TRANSFORMED, LEDGER_CATALOGUED, EVENT_WEATHER, 4, 7, &other, &err), 0);
    assert_int_equal(
        ledger_make_job(ledger, LEDGER_LOADED, LEDGER_TRANSFORMED, EVENT_GPS, 4, 7, &other, &err), 0);
    assert_int_equal(ledger_make_job(ledger, LEDGER_LOADED, LEDGER_LANDED, EVENT_GPS, 9, 7, &other, &err), 1);
    assert_int_equal(other.batches, 5);
    int count = 0;
    assert_int_equal(ledger_job_batches(ledger, other.id, count_batch, &count, &err), 0);
    assert_int_equal(count, 5);

    job.state = LEDGER_DONE;
    job.finished_ms = 1234;
    assert_int_equal(ledger_save_job(ledger, &job, &err), 0);
    assert_int_equal(ledger_get(ledger, "/gps_data/0/30-40", &batch, NULL, &err), 1);
    assert_int_equal(batch.step_ms[LEDGER_TRANSFORMED], 1234);
    assert_int_equal(ledger_get(ledger, "/gps_data/0/40-50", &batch, NULL, &err), 1);
    assert_int_equal(batch.step_ms[LEDGER_TRANSFORMED], 0);
    struct ledger_job open[8];
    assert_int_equal(ledger_open_jobs(ledger, open, 8), 2);
    struct ledger_totals totals;
    assert_int_equal(ledger_totals(ledger, EVENT_GPS, &totals, &err), 0);
    assert_int_equal(totals.rows[LEDGER_LANDED], 50);
    assert_int_equal(totals.rows[LEDGER_TRANSFORMED], 40);
    assert_int_equal(totals.last_ms[LEDGER_TRANSFORMED], 1234);
    ledger_close(ledger);
}

static void test_damaged_file_is_put_aside(void **state)
{
    char path[96];
    struct err err = ERR_INIT;
    bool anew = false;
    snprintf(path, sizeof path, "%s/damaged.sqlite", folder);
    char noise[5000];
    memset(noise, 'x', sizeof noise);
    assert_int_equal(file_write_atomic(path, noise, sizeof noise, 0600, &err), 0);
    struct ledger *ledger = ledger_open(path, &anew, &err);
    if (!ledger)
        fail_msg("%s", err.text);
    assert_true(anew);
    ledger_close(ledger);
    ledger = ledger_open(path, &anew, &err);
    assert_non_null(ledger);
    assert_false(anew);
    ledger_close(ledger);
}

/* ---- the pipeline ---- */

/* Redshift and Athena that remember tokens. */
struct services {
    pthread_mutex_t mutex;
    char tokens[32][80];
    int count; /* different tokens */
    int submits;
    int fail_next; /* so many of what is submitted fail over there */
    bool failed[32];
    bool slow; /* nothing ends */
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int remember(struct services *services, const char *token)
{
    services->submits++;
    for (int i = 0; i < services->count; i++)
        if (strcmp(services->tokens[i], token) == 0)
            return i;
    snprintf(services->tokens[services->count], sizeof services->tokens[0], "%s", token);
    services->failed[services->count] = services->fail_next > 0;
    services->fail_next -= services->fail_next > 0;
    return services->count++;
}

static json_t *answer(void *context, enum aws_service_id service, const char *operation, const json_t *input,
                      char *code)
{
    struct services *services = context;
    json_t *result = NULL;
    char id[16];
    pthread_mutex_lock(&services->mutex);
    if (strcmp(operation, "BatchExecuteStatement") == 0) {
        assert_true(json_array_size(json_object_get(input, "Sqls")) <= 40);
        snprintf(id, sizeof id, "%d", remember(services, text_of(input, "ClientToken")));
        result = json_pack("{s:s}", "Id", id);
    } else if (strcmp(operation, "StartQueryExecution") == 0) {
        assert_null(strstr(text_of(input, "QueryString"), "${"));
        assert_true(strlen(text_of(input, "ClientRequestToken")) >= 32);
        snprintf(id, sizeof id, "%d", remember(services, text_of(input, "ClientRequestToken")));
        result = json_pack("{s:s}", "QueryExecutionId", id);
    } else if (strcmp(operation, "DescribeStatement") == 0) {
        int at = text_of(input, "Id")[0] - '0';
        result = json_pack("{s:s, s:s, s:s}", "Id", text_of(input, "Id"), "Status",
                           services->slow         ? "STARTED"
                           : services->failed[at] ? "FAILED"
                                                  : "FINISHED",
                           "Error", "no such role");
    } else if (strcmp(operation, "DescribeTable") == 0) {
        result = json_object();
    } else if (strcmp(operation, "GetQueryExecution") == 0) {
        result = json_pack("{s:{s:{s:s}}}", "QueryExecution", "Status", "State",
                           services->slow ? "RUNNING" : "SUCCEEDED");
    }
    pthread_mutex_unlock(&services->mutex);
    return result;
}

struct stage {
    struct fake_remote *fake;
    struct services services;
    struct pipeline *pipeline;
    char path[96];
};

static void start(struct stage *stage)
{
    struct err err = ERR_INIT;
    const struct pipeline_settings settings = {
        .remote = &stage->fake->remote, .ledger = stage->path, .redshift_workgroup = "w"};
    stage->pipeline = pipeline_create(&settings, &err);
    if (!stage->pipeline)
        fail_msg("%s", err.text);
}

static struct stage *open_stage(const char *name)
{
    struct stage *stage = mem_zero(1, sizeof *stage);
    pthread_mutex_init(&stage->services.mutex, NULL);
    stage->fake = fake_remote_create();
    stage->fake->others = answer;
    stage->fake->others_context = &stage->services;
    snprintf(stage->path, sizeof stage->path, "%s/%s.sqlite", folder, name);
    start(stage);
    return stage;
}

static void close_stage(struct stage *stage)
{
    pipeline_destroy(stage->pipeline);
    fake_remote_destroy(stage->fake);
    pthread_mutex_destroy(&stage->services.mutex);
    free(stage);
}

static void note(struct stage *stage, int number)
{
    struct lake_intent_file file = {.dt = "2026-01-12", .rows = 10, .bytes = 100};
    struct lake_intent intent = {.key = {.kind = EVENT_GPS, .start = number * 10, .end = number * 10 + 10},
                                 .created_ms = 5,
                                 .rows = 10,
                                 .file_count = 1,
                                 .files = &file};
    lake_layout_data(file.key, &intent.key, file.dt);
    pipeline_note(stage->pipeline, &intent, true);
}

static int64_t loaded(struct stage *stage)
{
    struct ledger_totals totals;
    assert_int_equal(ledger_totals(pipeline_ledger(stage->pipeline), EVENT_GPS, &totals, NULL), 0);
    return totals.rows[LEDGER_LOADED];
}

static void test_steps(void **state)
{
    struct stage *stage = open_stage("steps");
    struct pipeline_progress progress;
    struct err err = ERR_INIT;
    for (int i = 0; i < 250; i++) /* three jobs of loading */
        note(stage, i);
    assert_int_equal(pipeline_wait(stage->pipeline, pipeline_run(stage->pipeline, LEDGER_LOADED, -1),
                                   PATIENCE, &progress, &err),
                     0);
    assert_int_equal(progress.jobs, 3);
    assert_int_equal(progress.rows, 2500);
    assert_int_equal(loaded(stage), 2500);
    assert_int_equal(stage->services.count, 3);
    assert_int_equal(pipeline_wait(stage->pipeline,
                                   pipeline_run(stage->pipeline, LEDGER_TRANSFORMED, EVENT_GPS), PATIENCE,
                                   &progress, &err),
                     0);
    assert_int_equal(progress.jobs, 1);
    /* Nothing left: nothing is asked of anybody. */
    assert_int_equal(pipeline_wait(stage->pipeline, pipeline_run(stage->pipeline, LEDGER_LOADED, -1),
                                   PATIENCE, &progress, &err),
                     0);
    assert_int_equal(progress.jobs, 0);
    assert_int_equal(stage->services.submits, 4);
    assert_int_equal(fake_remote_count(stage->fake, "load/"), 3);
    close_stage(stage);
}

static void test_lost_answers_and_failures(void **state)
{
    struct stage *stage = open_stage("lost");
    struct pipeline_progress progress;
    struct err err = ERR_INIT;
    note(stage, 1);
    /* The table is looked at, the manifest put, the statement begins, and its answer is lost: the same token
     * again. */
    fake_remote_fault(stage->fake, FAKE_LOST, 3);
    uint64_t ticket = pipeline_run(stage->pipeline, LEDGER_LOADED, -1);
    for (int64_t until = clock_mono_us() + PATIENCE;
         pipeline_wait(stage->pipeline, ticket, 50000, &progress, &err) != 0 && clock_mono_us() < until;)
        pipeline_retry(stage->pipeline);
    assert_true(progress.done);
    assert_int_equal(stage->services.submits, 2);
    assert_int_equal(stage->services.count, 1);

    /* It fails over there: another token, and after three times somebody has to look. */
    note(stage, 2);
    stage->services.fail_next = 3;
    ticket = pipeline_run(stage->pipeline, LEDGER_LOADED, -1);
    for (int64_t until = clock_mono_us() + PATIENCE; clock_mono_us() < until;) {
        pipeline_wait(stage->pipeline, ticket, 50000, &progress, &err);
        if (progress.done)
            break;
        struct pipeline_figures *figures = mem_zero(1, sizeof *figures);
        pipeline_figures(stage->pipeline, figures);
        if (figures->failed_jobs == 0)
            pipeline_retry(stage->pipeline);
        free(figures);
    }
    assert_true(progress.failed);
    assert_string_equal(progress.detail, "no such role");
    assert_int_equal(loaded(stage), 10);
    assert_int_equal(stage->services.count, 4);
    /* Asked again, it is tried again. */
    assert_int_equal(pipeline_wait(stage->pipeline, pipeline_run(stage->pipeline, LEDGER_LOADED, -1),
                                   PATIENCE, &progress, &err),
                     0);
    assert_int_equal(loaded(stage), 20);
    close_stage(stage);
}

static void test_goes_on_after_a_restart(void **state)
{
    struct stage *stage = open_stage("restart");
    struct pipeline_progress progress;
    struct err err = ERR_INIT;
    stage->services.slow = true;
    note(stage, 1);
    pipeline_run(stage->pipeline, LEDGER_LOADED, -1);
    assert_true(fake_remote_wait_calls(stage->fake, 4)); /* it is running over there */
    pipeline_destroy(stage->pipeline);
    assert_int_equal(stage->services.submits, 1);
    stage->services.slow = false;
    start(stage);
    assert_int_equal(pipeline_wait(stage->pipeline, pipeline_run(stage->pipeline, LEDGER_LOADED, -1),
                                   PATIENCE, &progress, &err),
                     0);
    assert_int_equal(loaded(stage), 10);
    assert_int_equal(stage->services.submits, 1); /* only asked how it went */

    /* Killed between sending and learning of it. */
    note(stage, 2);
    fake_remote_fault(stage->fake, FAKE_DEAD, 4);
    stage->services.slow = true;
    pipeline_run(stage->pipeline, LEDGER_LOADED, -1);
    assert_true(fake_remote_wait_calls(stage->fake, 4));
    pipeline_destroy(stage->pipeline);
    fake_remote_revive(stage->fake);
    stage->services.slow = false;
    start(stage);
    assert_int_equal(pipeline_wait(stage->pipeline, pipeline_run(stage->pipeline, LEDGER_LOADED, -1),
                                   PATIENCE, &progress, &err),
                     0);
    assert_int_equal(loaded(stage), 20);
    assert_int_equal(stage->services.count, 2);
    close_stage(stage);
}

/* Two consoles, a ledger each: while one's transformation runs, the other's is not begun; not even when the
 * first is gone and its query goes on. */
static void test_transformations_take_turns(void **state)
{
    struct stage *stage = open_stage("turns");
    struct pipeline_progress progress = {0};
    struct err err = ERR_INIT;
    stage->services.slow = true;
    note(stage, 1);
    pipeline_run(stage->pipeline, LEDGER_TRANSFORMED, EVENT_GPS);
    struct pipeline *first = stage->pipeline;
    struct pipeline_figures *figures = mem_zero(1, sizeof *figures);
    for (int64_t until = clock_mono_us() + PATIENCE; clock_mono_us() < until;) {
        pipeline_figures(first, figures);
        if (figures->job_count == 1 && figures->jobs[0].state == LEDGER_RUNNING)
            break;
        clock_sleep_until(clock_mono_us() + 1000);
    }
    free(figures);
    snprintf(stage->path, sizeof stage->path, "%s/turns-2.sqlite", folder);
    start(stage);
    note(stage, 1);
    note(stage, 2);
    uint64_t ticket = pipeline_run(stage->pipeline, LEDGER_TRANSFORMED, EVENT_GPS);
    for (int64_t until = clock_mono_us() + PATIENCE; clock_mono_us() < until;) {
        assert_int_equal(pipeline_wait(stage->pipeline, ticket, 20000, &progress, &err), -1);
        if (strstr(progress.detail, "another run transforms gps_data"))
            break;
    }
    assert_non_null(strstr(progress.detail, "another run transforms gps_data"));
    pipeline_destroy(first);
    pipeline_retry(stage->pipeline);
    pipeline_wait(stage->pipeline, ticket, 100000, &progress, &err);
    assert_false(progress.done);
    pthread_mutex_lock(&stage->services.mutex);
    assert_int_equal(stage->services.count, 1);
    stage->services.slow = false;
    pthread_mutex_unlock(&stage->services.mutex);
    for (int64_t until = clock_mono_us() + PATIENCE;
         pipeline_wait(stage->pipeline, ticket, 50000, &progress, &err) != 0 && clock_mono_us() < until;)
        pipeline_retry(stage->pipeline);
    assert_true(progress.done);
    assert_int_equal(stage->services.count, 2);
    assert_int_equal(fake_remote_count(stage->fake, "_transform/gps_data/"), 2);
    assert_int_equal(fake_remote_count(stage->fake, "_transform/ended/"), 1); /* of the second */
    close_stage(stage);
}

static void test_transform_sql(void **state)
{
    struct buf sql;
    struct err err = ERR_INIT;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        buf_init(&sql, 1 << 16);
        assert_int_equal(pipeline_transform_sql((enum event_kind)kind, "2026-01-12,2026-01-13", &sql, &err),
                         0);
        assert_null(strstr(sql.data, "${"));
        assert_non_null(strstr(sql.data, event_topic((enum event_kind)kind)));
        assert_non_null(strstr(sql.data, "IN ('2026-01-12', '2026-01-13')"));
        assert_int_equal(strncmp(sql.data, "INSERT INTO smartcity_curated.", 30), 0);
        buf_free(&sql);
    }
    buf_init(&sql, 1 << 16);
    assert_int_equal(pipeline_transform_sql(EVENT_GPS, "", &sql, &err), -1);
    buf_free(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_and_jobs),
        cmocka_unit_test(test_damaged_file_is_put_aside),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_lost_answers_and_failures),
        cmocka_unit_test(test_goes_on_after_a_restart),
        cmocka_unit_test(test_transformations_take_turns),
        cmocka_unit_test(test_transform_sql),
    };
    return cmocka_run_group_tests_name("ledger and pipeline", tests, set_up, tear_down);
}
