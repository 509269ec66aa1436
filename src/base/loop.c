/*
 * A turn: the hook, a wait until something is readable or the next timer is due, the timers, the descriptors.
 * Callbacks may remove any watcher or timer: both are only marked, and freed at the end of the turn, so that
 * events already fetched from the kernel find them dead rather than gone (or an unrelated newcomer on the
 * same fd). Timers are few: a scan for the nearest is cheaper than keeping a heap.
 */
#include "base/loop.h"
#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SIGNALS       65
#define EVENTS_A_TURN 32

struct watcher {
    int fd;
    loop_fn *fn; /* NULL: removed */
    void *context;
};

struct timer {
    int id; /* 0: removed */
    int64_t due_us, interval_us;
    uint64_t fired; /* the turn of its last call */
    loop_fn *fn;
    void *context;
};

struct signal_handler {
    loop_fn *fn;
    void *context;
    bool was_blocked;
};

struct loop {
    int epoll, wake, signals; /* descriptors; signals -1 until one is added */
    struct watcher **watchers;
    size_t watcher_count, watcher_capacity;
    struct timer *timers;
    size_t timer_count, timer_capacity;
    int next_timer;
    struct signal_handler handlers[SIGNALS];
    sigset_t mask;
    loop_fn *before_wait;
    void *before_wait_context;
    uint64_t turn;
    bool stopped, dirty; /* dirty: something was removed */
};

static void drain_wake(struct loop *loop, void *context)
{
    eventfd_t value;
    (void)!eventfd_read(loop->wake, &value);
}

struct loop *loop_create(struct err *err)
{
    struct loop *loop = mem_zero(1, sizeof *loop);
    loop->signals = -1;
    sigemptyset(&loop->mask);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->epoll < 0 || loop->wake < 0) {
        err_set_errno(err, ERR_INTERNAL, errno, "cannot make the event loop (open files: see ulimit -n)");
        loop_destroy(loop);
        return NULL;
    }
    if (loop_add_fd(loop, loop->wake, drain_wake, NULL, err) != 0) {
        loop_destroy(loop);
        return NULL;
    }
    return loop;
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    sigset_t unblock;
    sigemptyset(&unblock);
    for (int i = 1; i < SIGNALS; i++)
        if (loop->handlers[i].fn && !loop->handlers[i].was_blocked)
            sigaddset(&unblock, i);
    pthread_sigmask(SIG_UNBLOCK, &unblock, NULL);
    if (loop->signals >= 0)
        close(loop->signals);
    if (loop->wake >= 0)
        close(loop->wake);
    if (loop->epoll >= 0)
        close(loop->epoll);
    for (size_t i = 0; i < loop->watcher_count; i++)
        free(loop->watchers[i]);
    free(loop->watchers);
    free(loop->timers);
    free(loop);
}

static struct watcher *find_watcher(struct loop *loop, int fd)
{
    for (size_t i = 0; i < loop->watcher_count; i++)
        if (loop->watchers[i]->fd == fd && loop->watchers[i]->fn)
            return loop->watchers[i];
    return NULL;
}

int loop_add_fd(struct loop *loop, int fd, loop_fn *fn, void *context, struct err *err)
{
    struct watcher *watcher = mem_zero(1, sizeof *watcher);
    *watcher = (struct watcher){.fd = fd, .fn = fn, .context = context};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watcher};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        int code = errno;
        free(watcher);
        if (code == EPERM)
            return err_set(err, ERR_UNSUPPORTED, "descriptor %d is a plain file: it cannot be waited for",
                           fd);
        return err_set_errno(err, ERR_INTERNAL, code, "cannot wait for descriptor %d", fd);
    }
    if (loop->watcher_count == loop->watcher_capacity) {
        loop->watcher_capacity = loop->watcher_capacity * 2 + 8;
        loop->watchers = mem_resize(loop->watchers, loop->watcher_capacity, sizeof *loop->watchers);
    }
    loop->watchers[loop->watcher_count++] = watcher;
    return 0;
}

void loop_remove_fd(struct loop *loop, int fd)
{
    struct watcher *watcher = find_watcher(loop, fd);
    if (!watcher)
        return;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
    watcher->fn = NULL;
    loop->dirty = true;
}

int loop_add_timer(struct loop *loop, int64_t after_us, int64_t interval_us, loop_fn *fn, void *context)
{
    if (loop->timer_count == loop->timer_capacity) {
        loop->timer_capacity = loop->timer_capacity * 2 + 8;
        loop->timers = mem_resize(loop->timers, loop->timer_capacity, sizeof *loop->timers);
    }
    loop->next_timer = loop->next_timer == INT_MAX ? 1 : loop->next_timer + 1;
    loop->timers[loop->timer_count++] = (struct timer){
        .id = loop->next_timer,
        .due_us = clock_mono_us() + (after_us > 0 ? after_us : 0),
        .interval_us = interval_us,
        .fired = loop->turn, /* added by a callback, it waits for the next turn: no turn is endless */
        .fn = fn,
        .context = context,
    };
    return loop->next_timer;
}

void loop_remove_timer(struct loop *loop, int timer)
{
    for (size_t i = 0; i < loop->timer_count && timer > 0; i++)
        if (loop->timers[i].id == timer) {
            loop->timers[i].id = 0;
            loop->dirty = true;
        }
}

static void read_signals(struct loop *loop, void *context)
{
    struct signalfd_siginfo info;
    while (read(loop->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        struct signal_handler *handler = info.ssi_signo < SIGNALS ? &loop->handlers[info.ssi_signo] : NULL;
        if (handler && handler->fn)
            handler->fn(loop, handler->context);
        if (loop->stopped)
            return;
    }
}

int loop_add_signal(struct loop *loop, int signal, loop_fn *fn, void *context, struct err *err)
{
    if (signal < 1 || signal >= SIGNALS)
        return err_set(err, ERR_INTERNAL, "no signal %d", signal);
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, signal);
    sigaddset(&loop->mask, signal);
    bool first = loop->signals < 0;
    int fd = signalfd(loop->signals, &loop->mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, ERR_INTERNAL, errno, "cannot receive signal %d", signal);
    loop->signals = fd;
    if (first && loop_add_fd(loop, fd, read_signals, NULL, err) != 0) {
        close(fd);
        loop->signals = -1;
        return -1;
    }
    pthread_sigmask(SIG_BLOCK, &one, &before);
    struct signal_handler *handler = &loop->handlers[signal];
    if (!handler->fn)
        handler->was_blocked = sigismember(&before, signal) == 1;
    handler->fn = fn;
    handler->context = context;
    return 0;
}

void loop_set_before_wait(struct loop *loop, loop_fn *fn, void *context)
{
    loop->before_wait = fn;
    loop->before_wait_context = context;
}

/* Milliseconds until the nearest timer, rounded up so as not to wake before it; -1 for none. */
static int wait_ms(const struct loop *loop)
{
    int64_t nearest = INT64_MAX;
    for (size_t i = 0; i < loop->timer_count; i++)
        if (loop->timers[i].id != 0 && loop->timers[i].due_us < nearest)
            nearest = loop->timers[i].due_us;
    if (nearest == INT64_MAX)
        return -1;
    int64_t left = nearest - clock_mono_us();
    if (left <= 0)
        return 0;
    return left > (int64_t)3600 * 1000000 ? 3600 * 1000 : (int)((left + 999) / 1000);
}

static struct timer *next_due(struct loop *loop, int64_t now_us)
{
    struct timer *due = NULL;
    for (size_t i = 0; i < loop->timer_count; i++) {
        struct timer *timer = &loop->timers[i];
        if (timer->id != 0 && timer->fired != loop->turn && timer->due_us <= now_us &&
            (!due || timer->due_us < due->due_us))
            due = timer;
    }
    return due;
}

static void fire_timers(struct loop *loop)
{
    int64_t now_us = clock_mono_us();
    struct timer *due;
    while (!loop->stopped && (due = next_due(loop, now_us))) {
        struct timer timer = *due; /* the callback may move the array */
        due->fired = loop->turn;
        if (timer.interval_us > 0) {
            due->due_us += timer.interval_us;
            if (due->due_us <= now_us)
                due->due_us = now_us + timer.interval_us;
        } else {
            due->id = 0;
            loop->dirty = true;
        }
        timer.fn(loop, timer.context);
    }
}

static void bury_removed(struct loop *loop)
{
    size_t kept = 0;
    for (size_t i = 0; i < loop->watcher_count; i++)
        if (loop->watchers[i]->fn)
            loop->watchers[kept++] = loop->watchers[i];
        else
            free(loop->watchers[i]);
    loop->watcher_count = kept;
    kept = 0;
    for (size_t i = 0; i < loop->timer_count; i++)
        if (loop->timers[i].id != 0)
            loop->timers[kept++] = loop->timers[i];
    loop->timer_count = kept;
    loop->dirty = false;
}

void loop_run(struct loop *loop)
{
    struct epoll_event events[EVENTS_A_TURN];
    while (!loop->stopped) {
        if (loop->before_wait) {
            loop->before_wait(loop, loop->before_wait_context);
            if (loop->stopped)
                break;
        }
        int count = epoll_wait(loop->epoll, events, EVENTS_A_TURN, wait_ms(loop));
        loop->turn++;
        fire_timers(loop);
        for (int i = 0; i < count && !loop->stopped; i++) {
            struct watcher *watcher = events[i].data.ptr;
            if (watcher->fn)
                watcher->fn(loop, watcher->context);
        }
        if (loop->dirty)
            bury_removed(loop);
    }
    loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

void loop_wake(struct loop *loop)
{
    (void)!eventfd_write(loop->wake, 1);
}
