#include "base/queue.h"
#include "base/worker.h"

#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int freed;

static void count_free(void *item)
{
    (void)item;
    freed++;
}

static bool readable(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    return poll(&entry, 1, 0) == 1;
}

static void test_order_and_figures(void **state)
{
    int items[5];
    struct queue *queue = queue_create(3, NULL);
    assert_null(queue_pop(queue, 0));
    for (int round = 0; round < 4; round++) {
        assert_true(queue_push(queue, &items[0], 0));
        assert_true(queue_push(queue, &items[1], 0));
        assert_true(queue_push(queue, &items[2], 0));
        assert_false(queue_push(queue, &items[3], 0));
        assert_false(queue_push(queue, &items[3], 1000));
        assert_ptr_equal(queue_pop(queue, 0), &items[0]);
        assert_ptr_equal(queue_pop(queue, -1), &items[1]);
        assert_ptr_equal(queue_pop(queue, 1000), &items[2]);
        assert_null(queue_pop(queue, 1000));
    }
    struct queue_figures figures;
    queue_figures(queue, &figures);
    assert_int_equal(figures.depth, 0);
    assert_int_equal(figures.capacity, 3);
    assert_int_equal(figures.high_water, 3);
    assert_int_equal(figures.pushed, 12);
    assert_int_equal(figures.dropped, 0);
    queue_destroy(queue);
    queue_destroy(NULL);
}

static void test_offer_drops_and_frees(void **state)
{
    int items[4];
    freed = 0;
    struct queue *queue = queue_create(2, count_free);
    for (int i = 0; i < 4; i++)
        queue_offer(queue, &items[i]);
    assert_int_equal(freed, 2);
    struct queue_figures figures;
    queue_figures(queue, &figures);
    assert_int_equal(figures.dropped, 2);
    assert_int_equal(figures.depth, 2);
    queue_destroy(queue); /* frees what is left */
    assert_int_equal(freed, 4);
}

static void test_close_drains(void **state)
{
    int item;
    struct queue *queue = queue_create(2, NULL);
    assert_true(queue_push(queue, &item, 0));
    queue_close(queue);
    assert_true(queue_is_closed(queue));
    assert_false(queue_push(queue, &item, -1));
    queue_offer(queue, &item);
    assert_ptr_equal(queue_pop(queue, -1), &item);
    assert_null(queue_pop(queue, -1));
    queue_destroy(queue);
}

static void test_fd_tells_whether_there_is_something(void **state)
{
    int item;
    struct queue *queue = queue_create(3, NULL);
    assert_true(queue_push(queue, &item, 0));
    int fd = queue_fd(queue); /* asked for late */
    assert_int_equal(queue_fd(queue), fd);
    assert_true(readable(fd));
    assert_true(queue_push(queue, &item, 0));
    queue_pop(queue, 0);
    assert_true(readable(fd));
    queue_pop(queue, 0);
    assert_false(readable(fd));
    queue_offer(queue, &item);
    assert_true(readable(fd));
    queue_pop(queue, 0);
    assert_false(readable(fd));
    queue_destroy(queue);
}

#define ITEMS 20000

struct producer {
    struct queue *queue;
    long first;
};

static void produce(void *context)
{
    struct producer *producer = context;
    for (long i = 0; i < ITEMS; i++) {
        long *item = malloc(sizeof *item);
        *item = producer->first + i;
        if (!queue_push(producer->queue, item, -1))
            free(item);
    }
}

/* Two producers, one consumer, a queue far smaller than the work: each producer's order holds, nothing is
 * lost. */
static void test_threads(void **state)
{
    struct queue *queue = queue_create(16, free);
    struct producer producers[2] = {{queue, 0}, {queue, ITEMS}};
    struct worker *workers[2];
    for (int i = 0; i < 2; i++)
        workers[i] = worker_start("producer", produce, &producers[i], NULL);
    long next[2] = {0, ITEMS};
    for (int i = 0; i < 2 * ITEMS; i++) {
        long *item = queue_pop(queue, -1);
        assert_non_null(item);
        assert_int_equal(*item, next[*item >= ITEMS]++);
        free(item);
    }
    for (int i = 0; i < 2; i++)
        worker_join(workers[i]);
    struct queue_figures figures;
    queue_figures(queue, &figures);
    assert_int_equal(figures.pushed, 2 * ITEMS);
    assert_true(figures.high_water <= 16);
    queue_destroy(queue);
}

static void pop_forever(void *context)
{
    while (queue_pop(context, -1))
        ;
}

static void push_forever(void *context)
{
    static int item;
    while (queue_push(context, &item, -1))
        ;
}

static void test_close_wakes_those_who_wait(void **state)
{
    struct queue *empty = queue_create(1, NULL), *full = queue_create(1, NULL);
    struct worker *consumer = worker_start("consumer", pop_forever, empty, NULL);
    struct worker *producer = worker_start("producer", push_forever, full, NULL);
    queue_close(empty);
    queue_close(full);
    worker_join(consumer);
    worker_join(producer);
    queue_destroy(empty);
    queue_destroy(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_figures), cmocka_unit_test(test_offer_drops_and_frees),
        cmocka_unit_test(test_close_drains),      cmocka_unit_test(test_fd_tells_whether_there_is_something),
        cmocka_unit_test(test_threads),           cmocka_unit_test(test_close_wakes_those_who_wait),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
