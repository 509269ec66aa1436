/*
 * One loop for file descriptors, timers and signals (as events, by signalfd), with a hook that runs before
 * every wait: batched work, such as drawing, happens there. One thread; only loop_wake() may be called from
 * others.
 */
#ifndef SMARTCITY_BASE_LOOP_H
#define SMARTCITY_BASE_LOOP_H

#include "base/err.h"

#include <stdint.h>

struct loop;
typedef void loop_fn(struct loop *loop, void *context);

struct loop *loop_create(struct err *err);
void loop_destroy(struct loop *loop);

/* `fn` is called while fd is readable, hung up or in error. One watcher an fd; remove it before closing the
 * fd. ERR_UNSUPPORTED for what can always be read and so cannot be waited for: a plain file, /dev/null. */
int loop_add_fd(struct loop *loop, int fd, loop_fn *fn, void *context, struct err *err);
void loop_remove_fd(struct loop *loop, int fd);
/* Id > 0. interval_us 0: once. A repeating timer that is late by more than an interval skips what it missed.
 * Due timers fire in the order of their times, at most once a turn, up to 1 ms late. */
int loop_add_timer(struct loop *loop, int64_t after_us, int64_t interval_us, loop_fn *fn, void *context);
void loop_remove_timer(struct loop *loop, int timer);
/* Blocks the signal for this thread (do it before starting others) and delivers it as an event. */
int loop_add_signal(struct loop *loop, int signal, loop_fn *fn, void *context, struct err *err);
void loop_set_before_wait(struct loop *loop, loop_fn *fn, void *context);

/* A callback may add and remove anything, itself included; what it removed is not called again. */
void loop_run(struct loop *loop);
/* loop_run() returns when the callback in hand has; called before loop_run(), it returns at once. */
void loop_stop(struct loop *loop);
/* Another turn, with its hook, comes soon. Any thread. */
void loop_wake(struct loop *loop);

#endif
