/*
 * Whose time is it? Events carry simulated time; the world's clock is the newest of it. But partitions are
 * read in no common order, a foreign producer may write any date, and a reset or a replay sets everything
 * back.
 *
 * So an event is called off when it is more than an hour from the clock, or more than a minute older than the
 * same device's event before it (within a device, Kafka keeps order). One that is off does not touch the
 * clock. When twenty come, near one another in time, and meanwhile none moves the clock on - or a few, and
 * the clock has not moved for seconds - the world has changed: the clock follows them.
 *
 * Until that is decided, what those events say is kept under a new epoch. When the clock goes back,
 * everything of other epochs is forgotten; the beginning of the new world is not lost with it.
 */
#include "city/model_private.h"

#define OFF_MS        HOUR_MS
#define BACK_MS       MINUTE_MS
#define ENOUGH        20
#define FEW           4
#define STANDSTILL_US (3 * SECOND_US)

static bool is_apart(int64_t a, int64_t b)
{
    return a > b ? a - b > OFF_MS : b - a > OFF_MS;
}

static void follow(struct model *model)
{
    struct model_clock *clock = &model->clock;
    bool back = clock->candidate < clock->now;
    clock->epoch = clock->pending;
    clock->now = clock->candidate;
    clock->pending = 0;
    clock->agreeing = 0;
    model->restarts++;
    /* Forward, what is stale goes by its age; an incident that is still open has no reason to be reported
     * again. */
    if (back)
        model_forget(model, clock->epoch);
}

uint32_t model_clock_note(struct model *model, int64_t time, int64_t previous, int64_t wall_us)
{
    struct model_clock *clock = &model->clock;
    if (clock->now == MODEL_NO_TIME) {
        clock->now = time;
        clock->agreed_us = wall_us;
        clock->epoch = ++clock->last_epoch;
        return clock->epoch;
    }
    bool off = is_apart(time, clock->now) || (previous != MODEL_NO_TIME && time < previous - BACK_MS);
    if (!off) {
        if (time >= clock->now) {
            clock->now = time;
            clock->agreed_us = wall_us;
            clock->pending = 0;
            clock->agreeing = 0;
        }
        return clock->pending ? clock->pending : clock->epoch;
    }
    if (!clock->pending || is_apart(time, clock->candidate)) {
        clock->pending = ++clock->last_epoch;
        clock->candidate = time;
        clock->agreeing = 0;
    }
    clock->agreeing++;
    if (time > clock->candidate)
        clock->candidate = time;
    uint32_t epoch = clock->pending;
    if (clock->agreeing >= ENOUGH || (clock->agreeing >= FEW && wall_us - clock->agreed_us > STANDSTILL_US)) {
        follow(model);
        clock->agreed_us = wall_us;
    }
    return epoch;
}
