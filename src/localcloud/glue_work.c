#include "localcloud/glue_private.h"

#include "base/clock.h"
#include "base/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The workers of Glue: one for crawls, which also minds the schedules, one for job runs. */

#define SCHEDULE_S 20 /* how often schedules are looked at; their grain is a minute */

void glue_task_add(struct glue *glue, enum glue_lane lane, const char *name, const char *id)
{
    struct glue_task *task = mem_zero(1, sizeof *task), **at = &glue->workers[lane].tasks;
    task->name = mem_text(name);
    task->id = mem_text(id);
    while (*at)
        at = &(*at)->next;
    *at = task;
    pthread_cond_broadcast(&glue->wake);
}

int glue_task_cancel(struct glue *glue, enum glue_lane lane, const char *name, const char *id)
{
    int count = 0;
    for (struct glue_task *task = glue->workers[lane].tasks; task; task = task->next)
        if (strcmp(task->name, name) == 0 && (!id || strcmp(task->id, id) == 0)) {
            task->cancelled = true;
            count++;
        }
    pthread_cond_broadcast(&glue->wake);
    return count;
}

bool glue_task_cancelled(struct glue *glue, struct glue_task *task)
{
    pthread_mutex_lock(&glue->lock);
    bool cancelled = task->cancelled || glue->stopping;
    pthread_mutex_unlock(&glue->lock);
    return cancelled;
}

/* Lock held. */
static void wait_until(struct glue *glue, int64_t wall_us)
{
    struct timespec until = {.tv_sec = (time_t)(wall_us / 1000000),
                             .tv_nsec = (long)(wall_us % 1000000) * 1000};
    pthread_cond_timedwait(&glue->wake, &glue->lock, &until);
}

void glue_task_dawdle(struct glue *glue, struct glue_task *task, int seconds)
{
    int64_t until = clock_wall_us() + (int64_t)seconds * 1000000;
    if (!glue->context.realistic)
        return;
    pthread_mutex_lock(&glue->lock);
    while (!task->cancelled && !glue->stopping && clock_wall_us() < until)
        wait_until(glue, until);
    pthread_mutex_unlock(&glue->lock);
}

static void free_task(struct glue_task *task)
{
    free(task->name);
    free(task->id);
    free(task);
}

/* Lock held; released meanwhile. */
static void run_first(struct glue *glue, struct glue_worker *own)
{
    struct glue_task *task = own->tasks;
    own->running = true;
    pthread_mutex_unlock(&glue->lock);
    if (own->lane == LANE_CRAWLS)
        glue_crawl_run(glue, task);
    else
        glue_job_run(glue, task);
    pthread_mutex_lock(&glue->lock);
    own->running = false;
    own->tasks = task->next;
    free_task(task);
}

static void mind_schedules(struct glue *glue)
{
    int64_t now = clock_wall_us() / 1000000, from = glue->scheduled_s;
    glue->scheduled_s = now;
    pthread_mutex_unlock(&glue->lock);
    if (now > from)
        glue_crawlers_due(glue, from, now);
    pthread_mutex_lock(&glue->lock);
}

static void work(void *context)
{
    struct glue_worker *own = context;
    struct glue *glue = own->glue;
    pthread_mutex_lock(&glue->lock);
    while (!glue->stopping) {
        if (own->lane == LANE_CRAWLS)
            mind_schedules(glue);
        if (glue->stopping)
            break;
        if (own->tasks)
            run_first(glue, own);
        else if (own->lane == LANE_CRAWLS)
            wait_until(glue, clock_wall_us() + SCHEDULE_S * 1000000LL);
        else
            pthread_cond_wait(&glue->wake, &glue->lock);
    }
    pthread_mutex_unlock(&glue->lock);
}

int glue_work_start(struct glue *glue, struct err *err)
{
    static const char *const names[LANES] = {"glue crawls", "glue jobs"};
    glue->scheduled_s = clock_wall_us() / 1000000;
    for (int i = 0; i < LANES; i++) {
        glue->workers[i].glue = glue;
        glue->workers[i].lane = (enum glue_lane)i;
        glue->workers[i].worker = worker_start(names[i], work, &glue->workers[i], err);
        if (!glue->workers[i].worker)
            return -1;
    }
    return 0;
}

void glue_work_stop(struct glue *glue)
{
    pthread_mutex_lock(&glue->lock);
    glue->stopping = true;
    pthread_cond_broadcast(&glue->wake);
    pthread_mutex_unlock(&glue->lock);
}

void glue_work_destroy(struct glue *glue)
{
    glue_work_stop(glue);
    for (int i = 0; i < LANES; i++) {
        worker_join(glue->workers[i].worker);
        while (glue->workers[i].tasks) {
            struct glue_task *task = glue->workers[i].tasks;
            glue->workers[i].tasks = task->next;
            free_task(task);
        }
    }
}
