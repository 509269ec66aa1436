#include "store/player.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct player {
    struct journey_reader *reader;
    enum player_state state;
    double speed;
    int64_t anchor_now, anchor_position; /* while playing: where the play head was, and when */
    int64_t gap_limit;
    uint32_t steps; /* records asked for by player_step, not delivered yet */

    bool ahead; /* `next` holds the record that follows */
    struct record next;
    int64_t next_event_ms, next_position;

    int64_t last_position, last_event_ms; /* of the last record delivered */
    int64_t behind;                       /* how late it was, in journey time */
    uint64_t played, gaps;
    char problem[240];
};

struct player *player_create(struct journey_reader *reader)
{
    struct player *player = mem_zero(1, sizeof *player);
    player->reader = reader;
    player->speed = 1;
    return player;
}

void player_destroy(struct player *player)
{
    if (!player)
        return;
    journey_reader_close(player->reader);
    free(player);
}

static int64_t length_us(const struct player *player)
{
    struct journey_info info;
    journey_reader_info(player->reader, &info);
    return info.length_us;
}

/* Where the play head is. As fast as possible has no clock: the head is at the last record. */
static int64_t head(const struct player *player, int64_t now_us)
{
    if (player->state != PLAYER_PLAYING)
        return player->anchor_position;
    if (player->speed <= 0)
        return player->last_position > player->anchor_position ? player->last_position
                                                               : player->anchor_position;
    double passed = (double)(now_us - player->anchor_now) * player->speed;
    if (passed < 0)
        passed = 0;
    if (passed > 9e15) /* 285 years; keeps the sum in range */
        passed = 9e15;
    return player->anchor_position + (int64_t)passed;
}

static void anchor(struct player *player, int64_t position_us, int64_t now_us)
{
    player->anchor_position = position_us;
    player->anchor_now = now_us;
}

void player_play(struct player *player, int64_t now_us)
{
    if (player->state == PLAYER_PLAYING || player->state == PLAYER_FAILED)
        return;
    if (player->state == PLAYER_ENDED) {
        struct err err = ERR_INIT;
        if (player_seek(player, 0, now_us, NULL, NULL, &err) < 0)
            return;
    }
    player->steps = 0;
    anchor(player, player->anchor_position, now_us);
    player->state = PLAYER_PLAYING;
}

void player_pause(struct player *player, int64_t now_us)
{
    if (player->state != PLAYER_PLAYING)
        return;
    int64_t at = head(player, now_us);
    /* A late player (a suspended terminal) pauses where it shows, not where the clock would have it. */
    if (player->ahead && player->next_position < at)
        at = player->next_position;
    anchor(player, at, now_us);
    player->state = PLAYER_PAUSED;
}

void player_set_speed(struct player *player, double speed, int64_t now_us)
{
    if (!isfinite(speed))
        return;
    anchor(player, head(player, now_us), now_us);
    player->speed = speed <= 0                 ? PLAYER_FASTEST
                    : speed < PLAYER_SPEED_MIN ? PLAYER_SPEED_MIN
                    : speed > PLAYER_SPEED_MAX ? PLAYER_SPEED_MAX
                                               : speed;
}

void player_step(struct player *player, uint32_t records, int64_t now_us)
{
    player_pause(player, now_us);
    if (player->state == PLAYER_PAUSED)
        player->steps += records < UINT32_MAX - player->steps ? records : UINT32_MAX - player->steps;
}

void player_set_gap_limit(struct player *player, int64_t gap_us)
{
    player->gap_limit = gap_us > 0 ? gap_us : 0;
}

static int fail(struct player *player, const struct err *err)
{
    player->state = PLAYER_FAILED;
    text_copy(player->problem, sizeof player->problem, err->text);
    return -1;
}

int player_seek(struct player *player, int64_t position_us, int64_t now_us, journey_prime_fn *prime,
                void *context, struct err *err)
{
    struct err own = ERR_INIT;
    if (!err)
        err = &own;
    int64_t end = length_us(player);
    if (position_us > end)
        position_us = end;
    if (position_us < 0)
        position_us = 0;
    player->ahead = false;
    player->steps = 0;
    player->behind = 0;
    int result = prime ? journey_seek_keyframe(player->reader, position_us, prime, context, err)
                       : journey_seek(player->reader, position_us, err);
    if (result < 0)
        return fail(player, err);
    if (player->state == PLAYER_ENDED || player->state == PLAYER_FAILED)
        player->state = PLAYER_PAUSED;
    player->problem[0] = '\0';
    player->last_position = position_us;
    anchor(player, position_us, now_us);
    return 0;
}

/* Reads the record that follows, if it is not read yet: 1, 0 at the end, -1. */
static int look_ahead(struct player *player, struct err *err)
{
    if (player->ahead)
        return 1;
    int got =
        journey_next(player->reader, &player->next, &player->next_event_ms, &player->next_position, err);
    player->ahead = got == 1;
    return got;
}

static void deliver(struct player *player, struct record *record, int64_t *event_ms)
{
    *record = player->next;
    *event_ms = player->next_event_ms;
    player->ahead = false;
    player->last_position = player->next_position;
    player->last_event_ms = player->next_event_ms;
    player->played++;
}

/* Moves the play head over a silence that is longer than the limit, so that `gap_limit` of it is left. */
static void cut_gap(struct player *player, int64_t now_us)
{
    int64_t from = head(player, now_us);
    if (player->gap_limit == 0 || player->speed <= 0 || player->next_position - from <= player->gap_limit)
        return;
    anchor(player, player->next_position - player->gap_limit, now_us);
    player->gaps++;
}

int player_due(struct player *player, int64_t now_us, struct record *record, int64_t *event_ms,
               int64_t *wait_us, struct err *err)
{
    struct err own = ERR_INIT;
    if (!err)
        err = &own;
    *wait_us = PLAYER_NEVER;
    bool stepping = player->state == PLAYER_PAUSED && player->steps > 0;
    if (player->state != PLAYER_PLAYING && !stepping)
        return 0;
    int got = look_ahead(player, err);
    if (got < 0)
        return fail(player, err);
    if (got == 0) {
        int64_t end = length_us(player);
        anchor(player, player->last_position > end ? player->last_position : end, now_us);
        player->state = PLAYER_ENDED;
        player->steps = 0;
        return 0;
    }
    if (stepping) {
        player->steps--;
        anchor(player, player->next_position, now_us);
    } else if (player->speed > 0) {
        cut_gap(player, now_us);
        int64_t early = player->next_position - head(player, now_us);
        player->behind = early < 0 ? -early : 0;
        if (early > 0) {
            /* Rounded up, so that one wait of this length is enough. */
            *wait_us =
                (int64_t)ceil((double)(player->next_position - player->anchor_position) / player->speed) -
                (now_us - player->anchor_now);
            if (*wait_us < 1)
                *wait_us = 1;
            return 0;
        }
    }
    deliver(player, record, event_ms);
    *wait_us = 0;
    return 1;
}

int player_pump(struct player *player, int64_t now_us, uint32_t limit, player_fn *deliver_to, void *context,
                int64_t *wait_us, struct err *err)
{
    *wait_us = 0;
    for (uint32_t i = 0; i < limit; i++) {
        struct record record;
        int64_t event_ms;
        int due = player_due(player, now_us, &record, &event_ms, wait_us, err);
        if (due != 1)
            return due;
        if (!deliver_to(context, &record, event_ms))
            break;
    }
    return 1;
}

void player_figures(const struct player *player, int64_t now_us, struct player_figures *figures)
{
    struct journey_info info;
    journey_reader_info(player->reader, &info);
    *figures = (struct player_figures){
        .state = player->state,
        .speed = player->speed,
        .position_us = head(player, now_us),
        .length_us = info.length_us,
        .behind_us = player->state == PLAYER_PLAYING ? player->behind : 0,
        .event_ms = player->last_event_ms,
        .played = player->played,
        .total = info.total,
        .skipped = info.damaged_records,
        .gaps = player->gaps,
    };
    if (figures->position_us > figures->length_us)
        figures->position_us = figures->length_us;
    snprintf(figures->problem, sizeof figures->problem, "%s", player->problem);
}

struct journey_reader *player_reader(struct player *player)
{
    return player->reader;
}
