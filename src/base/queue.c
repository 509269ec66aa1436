#include "base/queue.h"
#include "base/clock.h"
#include "base/err.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    void (*free_item)(void *item);
    void **items; /* ring of `capacity` */
    size_t capacity, first, depth, high_water;
    uint64_t pushed, dropped;
    bool closed;
    int fd; /* -1 until asked for; holds 1 while depth > 0 */
};

struct queue *queue_create(size_t capacity, void (*free_item)(void *item))
{
    struct queue *queue = mem_zero(1, sizeof *queue);
    queue->capacity = capacity ? capacity : 1;
    queue->items = mem_zero(queue->capacity, sizeof *queue->items);
    queue->free_item = free_item;
    queue->fd = -1;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->not_empty, &attributes);
    pthread_cond_init(&queue->not_full, &attributes);
    pthread_condattr_destroy(&attributes);
    return queue;
}

void queue_destroy(struct queue *queue)
{
    if (!queue)
        return;
    for (size_t i = 0; i < queue->depth && queue->free_item; i++)
        queue->free_item(queue->items[(queue->first + i) % queue->capacity]);
    if (queue->fd >= 0)
        close(queue->fd);
    pthread_cond_destroy(&queue->not_empty);
    pthread_cond_destroy(&queue->not_full);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->items);
    free(queue);
}

static struct timespec deadline_after(int64_t timeout_us)
{
    const int64_t longest = INT64_C(1000000) * 86400 * 365;
    int64_t at = clock_mono_us() + (timeout_us < longest ? timeout_us : longest);
    return (struct timespec){.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000};
}

/* Waits once under the mutex; false when the time is over. */
static bool wait_until(struct queue *queue, pthread_cond_t *cond, int64_t timeout_us,
                       const struct timespec *at)
{
    if (timeout_us == 0)
        return false;
    if (timeout_us < 0)
        return pthread_cond_wait(cond, &queue->mutex) == 0;
    return pthread_cond_timedwait(cond, &queue->mutex, at) != ETIMEDOUT;
}

/* eventfd calls on a counter of 0 or 1 neither block nor fail; the result is of no use. */
static void raise_fd(const struct queue *queue)
{
    if (queue->fd >= 0)
        (void)!eventfd_write(queue->fd, 1);
}

static void lower_fd(const struct queue *queue)
{
    eventfd_t value;
    if (queue->fd >= 0)
        (void)!eventfd_read(queue->fd, &value);
}

static void put_locked(struct queue *queue, void *item)
{
    queue->items[(queue->first + queue->depth) % queue->capacity] = item;
    if (queue->depth++ == 0)
        raise_fd(queue);
    if (queue->depth > queue->high_water)
        queue->high_water = queue->depth;
    queue->pushed++;
    pthread_cond_signal(&queue->not_empty);
}

bool queue_push(struct queue *queue, void *item, int64_t timeout_us)
{
    struct timespec at = {0};
    if (timeout_us > 0)
        at = deadline_after(timeout_us);
    pthread_mutex_lock(&queue->mutex);
    while (queue->depth == queue->capacity && !queue->closed)
        if (!wait_until(queue, &queue->not_full, timeout_us, &at))
            break;
    bool taken = queue->depth < queue->capacity && !queue->closed;
    if (taken)
        put_locked(queue, item);
    pthread_mutex_unlock(&queue->mutex);
    return taken;
}

void queue_offer(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->mutex);
    bool taken = queue->depth < queue->capacity && !queue->closed;
    if (taken)
        put_locked(queue, item);
    else
        queue->dropped++;
    pthread_mutex_unlock(&queue->mutex);
    if (!taken && queue->free_item)
        queue->free_item(item);
}

void *queue_pop(struct queue *queue, int64_t timeout_us)
{
    struct timespec at = {0};
    if (timeout_us > 0)
        at = deadline_after(timeout_us);
    void *item = NULL;
    pthread_mutex_lock(&queue->mutex);
    while (queue->depth == 0 && !queue->closed)
        if (!wait_until(queue, &queue->not_empty, timeout_us, &at))
            break;
    if (queue->depth > 0) {
        item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        if (--queue->depth == 0)
            lower_fd(queue);
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_cond_broadcast(&queue->not_full);
    pthread_mutex_unlock(&queue->mutex);
}

bool queue_is_closed(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    bool closed = queue->closed;
    pthread_mutex_unlock(&queue->mutex);
    return closed;
}

void queue_figures(struct queue *queue, struct queue_figures *figures)
{
    pthread_mutex_lock(&queue->mutex);
    *figures = (struct queue_figures){
        .depth = queue->depth,
        .capacity = queue->capacity,
        .high_water = queue->high_water,
        .pushed = queue->pushed,
        .dropped = queue->dropped,
    };
    pthread_mutex_unlock(&queue->mutex);
}

int queue_fd(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    if (queue->fd < 0)
        queue->fd = eventfd(queue->depth > 0, EFD_NONBLOCK | EFD_CLOEXEC);
    int fd = queue->fd;
    pthread_mutex_unlock(&queue->mutex);
    return fd;
}
