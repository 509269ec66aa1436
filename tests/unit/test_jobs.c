/* Jobs: order, limits, cancelling, what they leave behind. Threads meet by conditions, never by time. */
#include "app/jobs.h"
#include "base/err.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct scene {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int running, released, wakes;
    bool open; /* the gate that jobs wait at */
    struct log *log;
    struct jobs *jobs;
};

static void on_wake(void *context)
{
    struct scene *scene = context;
    pthread_mutex_lock(&scene->lock);
    scene->wakes++;
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
}

static int set_up(void **state)
{
    struct scene *scene = mem_zero(1, sizeof *scene);
    pthread_mutex_init(&scene->lock, NULL);
    pthread_cond_init(&scene->changed, NULL);
    scene->log = log_create(100);
    scene->jobs = jobs_create(scene->log, on_wake, scene);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    jobs_destroy(scene->jobs);
    log_destroy(scene->log);
    pthread_cond_destroy(&scene->changed);
    pthread_mutex_destroy(&scene->lock);
    free(scene);
    return 0;
}

static void release(void *context)
{
    struct scene *scene = context;
    pthread_mutex_lock(&scene->lock);
    scene->released++;
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
}

static int at_gate(struct job *job, void *context, struct err *err)
{
    struct scene *scene = context;
    pthread_mutex_lock(&scene->lock);
    scene->running++;
    pthread_cond_broadcast(&scene->changed);
    while (!scene->open)
        pthread_cond_wait(&scene->changed, &scene->lock);
    scene->running--;
    pthread_mutex_unlock(&scene->lock);
    job_progress(job, 0.5, "half of %d", 10);
    job_leave(job, mem_text("{\"rows\":10}"));
    return 0;
}

static int until_cancelled(struct job *job, void *context, struct err *err)
{
    while (job_sleep(job, 3600000000))
        ;
    return err_set(err, ERR_CANCELLED, "never seen: it was cancelled");
}

static int fails(struct job *job, void *context, struct err *err)
{
    return err_set(err, ERR_REMOTE, "the warehouse is closed");
}

static uint64_t start(struct scene *scene, job_fn *fn)
{
    uint64_t id = 0;
    struct err err = ERR_INIT;
    const struct job_start start = {
        .kind = "load", .title = "load it", .source = "test", .fn = fn, .context = scene, .release = release};
    return jobs_start(scene->jobs, &start, &id, &err) == 0 ? id : 0;
}

static struct job_figures await_end(struct scene *scene, uint64_t id)
{
    struct job_figures figures;
    pthread_mutex_lock(&scene->lock);
    for (;;) {
        pthread_mutex_unlock(&scene->lock);
        assert_true(jobs_look(scene->jobs, id, &figures));
        pthread_mutex_lock(&scene->lock);
        if (figures.state >= JOB_DONE)
            break;
        struct timespec soon; /* the wake comes after the change: only a lost one would be waited out */
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_sec++;
        pthread_cond_timedwait(&scene->changed, &scene->lock, &soon);
    }
    pthread_mutex_unlock(&scene->lock);
    return figures;
}

static void await_running(struct scene *scene, int count)
{
    pthread_mutex_lock(&scene->lock);
    while (scene->running < count)
        pthread_cond_wait(&scene->changed, &scene->lock);
    pthread_mutex_unlock(&scene->lock);
}

static void open_gate(struct scene *scene)
{
    pthread_mutex_lock(&scene->lock);
    scene->open = true;
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
}

static void test_a_job_ends_well(void **state)
{
    struct scene *scene = *state;
    open_gate(scene);
    struct job_figures figures = await_end(scene, start(scene, at_gate));
    assert_int_equal(figures.state, JOB_DONE);
    assert_string_equal(figures.text, "half of 10");
    assert_true(figures.fraction == 1);
    char *data = jobs_data(scene->jobs, figures.id);
    assert_string_equal(data, "{\"rows\":10}");
    free(data);
    assert_int_equal(scene->released, 1);
    struct log_entry entry;
    assert_int_equal(log_read(scene->log, 0, &entry, 1), 1);
    assert_int_equal(entry.level, LOG_DONE);
    assert_non_null(strstr(entry.text, "load it: half of 10"));
}

static void test_a_failure_has_its_reason(void **state)
{
    struct scene *scene = *state;
    struct job_figures figures = await_end(scene, start(scene, fails));
    assert_int_equal(figures.state, JOB_FAILED);
    assert_string_equal(figures.text, "the warehouse is closed");
}

static void test_cancelled_while_it_sleeps(void **state)
{
    struct scene *scene = *state;
    uint64_t id = start(scene, until_cancelled);
    assert_false(jobs_cancel(scene->jobs, 0, "query")); /* another kind */
    assert_true(jobs_cancel(scene->jobs, 0, "load"));
    struct job_figures figures = await_end(scene, id);
    assert_int_equal(figures.state, JOB_CANCELLED);
    assert_false(jobs_cancel(scene->jobs, id, NULL)); /* over */
}

static void test_only_so_many_at_once(void **state)
{
    struct scene *scene = *state;
    uint64_t ids[JOBS_RUNNING + JOBS_WAITING];
    for (int i = 0; i < JOBS_RUNNING; i++)
        assert_int_not_equal(ids[i] = start(scene, at_gate), 0);
    await_running(scene, JOBS_RUNNING);
    for (int i = JOBS_RUNNING; i < JOBS_RUNNING + JOBS_WAITING; i++)
        assert_int_not_equal(ids[i] = start(scene, at_gate), 0);
    assert_int_equal(start(scene, at_gate), 0); /* refused, and released */
    assert_int_equal(scene->released, 1);
    assert_int_equal(scene->running, JOBS_RUNNING);
    assert_true(jobs_cancel(scene->jobs, ids[JOBS_RUNNING], NULL)); /* one that waits */
    open_gate(scene);
    for (int i = 0; i < JOBS_RUNNING + JOBS_WAITING; i++)
        assert_int_equal(await_end(scene, ids[i]).state, i == JOBS_RUNNING ? JOB_CANCELLED : JOB_DONE);
    struct job_figures list[JOBS_KEPT];
    assert_int_equal(jobs_list(scene->jobs, list, JOBS_KEPT), JOBS_RUNNING + JOBS_WAITING);
    assert_int_equal(list[0].id, ids[JOBS_RUNNING + JOBS_WAITING - 1]); /* newest first */
}

static void test_old_ones_are_forgotten(void **state)
{
    struct scene *scene = *state;
    open_gate(scene);
    uint64_t first = start(scene, at_gate);
    await_end(scene, first);
    for (int i = 0; i < JOBS_KEPT; i++)
        await_end(scene, start(scene, at_gate));
    struct job_figures figures;
    assert_false(jobs_look(scene->jobs, first, &figures));
    assert_null(jobs_data(scene->jobs, first));
}

static void test_destroying_ends_them(void **state)
{
    struct scene *scene = *state;
    start(scene, until_cancelled);
    jobs_destroy(scene->jobs);
    assert_int_equal(scene->released, 1);
    scene->jobs = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_job_ends_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_failure_has_its_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancelled_while_it_sleeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_so_many_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_ones_are_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroying_ends_them, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
