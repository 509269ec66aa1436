/*
 * The live tail: the last few megabytes of records as they were delivered, and a filtered window on them. The
 * feed's thread adds, the main thread looks; a short lock is held for each. What the ring lets go before it
 * was looked at is counted as skipped.
 */
#ifndef SMARTCITY_APP_TAIL_H
#define SMARTCITY_APP_TAIL_H

#include "app/view.h"

struct tail;

struct tail *tail_create(size_t bytes);
void tail_destroy(struct tail *tail);
void tail_clear(struct tail *tail);

/* Feed's thread. Values above TAIL_VALUE_MAX are kept cut, with their true length. */
#define TAIL_VALUE_MAX (256u << 10)
void tail_lock(struct tail *tail);
void tail_unlock(struct tail *tail);
void tail_add_locked(struct tail *tail, const struct record *record, bool quarantined);

/* Main thread. Terms are separated by spaces, all must hold: `topic:gps`, `key:veh-0007`, `partition:2`,
 * `offset:118`, `bad:yes`, or a piece of key or value; `!` in front negates. Case does not matter. */
void tail_set_filter(struct tail *tail, const char *filter);
void tail_freeze(struct tail *tail, bool on);
/* 0 closes. */
void tail_open(struct tail *tail, uint64_t sequence);
/* Refreshes in place; returns true when anything changed. opened.value points into memory owned by the tail,
 * valid until the next refresh. */
bool tail_refresh(struct tail *tail, struct view_tail *view);

#endif
