/*
 * Bounded hand-over of pointers between threads, with a wake fd for a consumer that sits in a loop. Depth,
 * high water mark and drops are visible. Any number of producers and consumers. pthreads, so that checkers
 * follow.
 */
#ifndef SMARTCITY_BASE_QUEUE_H
#define SMARTCITY_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue_figures {
    size_t depth, capacity, high_water;
    uint64_t pushed, dropped;
};

struct queue *queue_create(size_t capacity, void (*free_item)(void *item));
void queue_destroy(struct queue *queue); /* frees what is left */
/* Takes ownership of item when true. timeout_us: 0 tries, -1 waits for room. False: full in time, or closed;
 * the item stays the caller's. */
bool queue_push(struct queue *queue, void *item, int64_t timeout_us);
/* For what may be skipped: on full, frees the item and counts a drop. */
void queue_offer(struct queue *queue, void *item);
/* NULL: none in time, or closed and empty. */
void *queue_pop(struct queue *queue, int64_t timeout_us);
void queue_close(struct queue *queue); /* pushes fail from now on; pops drain */
bool queue_is_closed(struct queue *queue);
void queue_figures(struct queue *queue, struct queue_figures *figures);
/* Readable while there is something to pop; owned by the queue. */
int queue_fd(struct queue *queue);

#endif
