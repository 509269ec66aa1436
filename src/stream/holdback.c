#include "stream/holdback.h"

#include "base/clock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Fine enough for a window of megabytes, coarse enough that the ring holds every sample of one. */
#define SAMPLE_BYTES 16384

void holdback_init(struct holdback_lane *lane)
{
    *lane = (struct holdback_lane){0};
    atomic_store(&lane->last_offset, -1);
    for (int reader = 1; reader < HOLDBACK_READERS; reader++)
        atomic_store(&lane->consumed[reader], INT64_MAX);
}

/* Takes what was consumed off the samples. */
static void settle(struct holdback_lane *lane)
{
    int64_t consumed = INT64_MAX; /* by the slowest */
    for (int reader = 0; reader < HOLDBACK_READERS; reader++) {
        int64_t next = atomic_load(&lane->consumed[reader]);
        consumed = next < consumed ? next : consumed;
    }
    uint32_t head = atomic_load_explicit(&lane->head, memory_order_acquire);
    uint32_t tail = atomic_load_explicit(&lane->tail, memory_order_relaxed);
    for (; tail != head; tail++) {
        const struct holdback_sample *sample = &lane->samples[tail % HOLDBACK_SAMPLES];
        if (sample->offset >= consumed)
            break;
        lane->released = sample->total;
    }
    atomic_store_explicit(&lane->tail, tail, memory_order_release);
    if (tail != head)
        return;
    /* All samples are used up; the records after the last one count as outstanding until all are accounted
     * for. */
    if (atomic_load(&lane->reported_count) == lane->sent_count && consumed > atomic_load(&lane->last_offset))
        lane->released = lane->sent;
}

uint64_t holdback_outstanding(struct holdback_lane *lane)
{
    settle(lane);
    return lane->sent - lane->released;
}

bool holdback_room(struct holdback_lane *lane, uint64_t bytes, uint64_t window)
{
    if (lane->sent - lane->released + bytes <= window)
        return true;
    uint64_t outstanding = holdback_outstanding(lane);
    return outstanding == 0 || outstanding + bytes <= window;
}

uint64_t holdback_sent(struct holdback_lane *lane, uint64_t bytes)
{
    lane->sent += bytes;
    lane->sent_count++;
    return lane->sent;
}

void holdback_unsent(struct holdback_lane *lane, uint64_t bytes)
{
    lane->sent -= bytes;
    lane->sent_count--;
}

void holdback_release(struct holdback_lane *lane)
{
    atomic_store_explicit(&lane->tail, atomic_load_explicit(&lane->head, memory_order_acquire),
                          memory_order_release);
    lane->released = lane->sent;
}

void holdback_acked(struct holdback_lane *lane, uint64_t total, int64_t offset)
{
    if (offset >= 0) {
        atomic_store_explicit(&lane->last_offset, offset, memory_order_relaxed);
        uint32_t head = atomic_load_explicit(&lane->head, memory_order_relaxed);
        uint32_t tail = atomic_load_explicit(&lane->tail, memory_order_acquire);
        /* A full ring (nobody settles it) leaves samples out; the next one speaks for them. */
        if (total - lane->sampled >= SAMPLE_BYTES && head - tail < HOLDBACK_SAMPLES) {
            lane->samples[head % HOLDBACK_SAMPLES] = (struct holdback_sample){offset, total};
            lane->sampled = total;
            atomic_store_explicit(&lane->head, head + 1, memory_order_release);
        }
    }
    /* The only writer; a waiting sender is notified behind a fence. */
    atomic_store_explicit(&lane->reported_count,
                          atomic_load_explicit(&lane->reported_count, memory_order_relaxed) + 1,
                          memory_order_release);
}

void holdback_consumed(struct holdback_lane *lane, int reader, int64_t next_offset)
{
    atomic_store_explicit(&lane->consumed[reader], next_offset, memory_order_release);
}

uint32_t holdback_gate_enter(struct holdback_gate *gate)
{
    atomic_store(&gate->waiting, 1);
    return atomic_load(&gate->turn);
}

void holdback_gate_wait(struct holdback_gate *gate, uint32_t turn, int64_t deadline_us)
{
    int64_t left = deadline_us - clock_mono_us();
    if (left <= 0)
        return;
    struct timespec timeout = {left / 1000000, (left % 1000000) * 1000};
    syscall(SYS_futex, &gate->turn, FUTEX_WAIT_PRIVATE, turn, &timeout, NULL, 0);
}

void holdback_gate_leave(struct holdback_gate *gate)
{
    atomic_store(&gate->waiting, 0);
}

void holdback_gate_notify(struct holdback_gate *gate)
{
    /* Sequentially consistent with enter: either we see the waiter, or it sees what was stored before. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load(&gate->waiting))
        return;
    atomic_fetch_add(&gate->turn, 1);
    syscall(SYS_futex, &gate->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
