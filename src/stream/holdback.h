/*
 * How far a producer may run ahead of the consumer when the broker keeps only so much: per lane (a
 * topic-partition) the bytes sent and not yet consumed stay within a window. Consumption is told in offsets;
 * which byte an offset stands for is known from delivery reports, kept as samples of (offset, bytes sent so
 * far).
 *
 * Three threads meet here without a lock: the sender (room, sent, wait), the thread of delivery reports
 * (acked, progress) and whoever consumes (consumed: one atomic store, and a futex wake only while the sender
 * waits).
 */
#ifndef SMARTCITY_STREAM_HOLDBACK_H
#define SMARTCITY_STREAM_HOLDBACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HOLDBACK_SAMPLES 512 /* a lane; a power of two */
#define HOLDBACK_READERS 2

struct holdback_sample {
    int64_t offset; /* of the record that closes it */
    uint64_t total; /* bytes sent on the lane up to and with that record */
};

struct holdback_lane {
    /* sender */
    uint64_t sent, released;
    uint64_t sent_count;
    /* delivery reports */
    uint64_t sampled;
    /* shared */
    _Atomic uint32_t head, tail; /* moved by delivery reports, by the sender */
    _Atomic uint64_t reported_count;
    _Atomic int64_t last_offset;                /* newest acknowledged */
    _Atomic int64_t consumed[HOLDBACK_READERS]; /* next offset to be read; INT64_MAX: does not read */
    struct holdback_sample samples[HOLDBACK_SAMPLES];
};

void holdback_init(struct holdback_lane *lane);

/* Sender. True when `bytes` more may be sent now; always when nothing is outstanding. */
bool holdback_room(struct holdback_lane *lane, uint64_t bytes, uint64_t window);
/* Sender. The total to be given back with the delivery report. */
uint64_t holdback_sent(struct holdback_lane *lane, uint64_t bytes);
/* Sender. The record was not taken after all; only directly after holdback_sent. */
void holdback_unsent(struct holdback_lane *lane, uint64_t bytes);
/* Sender. Bytes outstanding. */
uint64_t holdback_outstanding(struct holdback_lane *lane);
/* Sender. Forgets what is outstanding: nobody consumes. */
void holdback_release(struct holdback_lane *lane);

/* Delivery reports, in any order between lanes, in order within one. offset -1: failed. */
void holdback_acked(struct holdback_lane *lane, uint64_t total, int64_t offset);
/* Any thread. Of readers that were never heard of, 0 counts for the first, and the others do not read. */
void holdback_consumed(struct holdback_lane *lane, int reader, int64_t next_offset);

/* A place where one thread waits until others say that something changed. */
struct holdback_gate {
    _Atomic uint32_t turn;
    _Atomic uint32_t waiting;
};
/* Waiter: announces itself and returns the turn; then looks at what it waits for; then waits or leaves. */
uint32_t holdback_gate_enter(struct holdback_gate *gate);
/* Returns after a notification since enter, or at the monotonic deadline. */
void holdback_gate_wait(struct holdback_gate *gate, uint32_t turn, int64_t deadline_us);
void holdback_gate_leave(struct holdback_gate *gate);
/* Any thread, after the change was stored. */
void holdback_gate_notify(struct holdback_gate *gate);

#endif
