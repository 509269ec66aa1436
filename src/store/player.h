/*
 * Plays a journey against a clock. A pure state machine: every call takes `now` (monotonic microseconds),
 * nothing sleeps, so that tests run hours in milliseconds. One thread.
 *
 *     for (;;) {
 *         switch (player_due(player, clock_mono_us(), &record, &event_ms, &wait_us, &err)) {
 *         case 1: use the record; break;               // borrowed until the next call
 *         case 0: wait wait_us, or for a command if it is PLAYER_NEVER; break;
 *         case -1: the file failed; player_figures says so; break;
 *         }
 *     }
 *
 * A record's due time is computed from one anchor (the journey's position at the last command), never from
 * the record before it, so nothing drifts however long it plays or however late it is asked.
 */
#ifndef SMARTCITY_STORE_PLAYER_H
#define SMARTCITY_STORE_PLAYER_H

#include "store/journey.h"

#define PLAYER_SPEED_MIN 0.1
#define PLAYER_SPEED_MAX 1000.0
#define PLAYER_FASTEST   0.0 /* a speed: as fast as it is asked */
#define PLAYER_NEVER     INT64_MAX

enum player_state { PLAYER_PAUSED, PLAYER_PLAYING, PLAYER_ENDED, PLAYER_FAILED };

struct player_figures {
    enum player_state state;
    double speed;        /* asked; 0: as fast as possible */
    int64_t position_us; /* the play head */
    int64_t length_us;
    int64_t behind_us; /* journey time between the play head and the last record delivered, when late */
    int64_t event_ms;  /* simulated time of the last record delivered; 0 before the first */
    uint64_t played;   /* records delivered since the player was made */
    uint64_t total;    /* records in the journey */
    uint64_t skipped;  /* records in damaged chunks, passed over */
    uint64_t gaps;     /* silences cut short (player_set_gap_limit) */
    char problem[240]; /* why it failed */
};

struct player;
/* Owns the reader from now on. Starts paused at position 0 and speed 1. */
struct player *player_create(struct journey_reader *reader);
void player_destroy(struct player *player);

/* At the end, play starts again from the beginning. */
void player_play(struct player *player, int64_t now_us);
void player_pause(struct player *player, int64_t now_us);
/* Clamped to PLAYER_SPEED_MIN..MAX; PLAYER_FASTEST. The position is kept. */
void player_set_speed(struct player *player, double speed, int64_t now_us);
/* Pauses, and makes exactly `records` more records due. */
void player_step(struct player *player, uint32_t records, int64_t now_us);
/* A silence longer than this (journey time) is passed over in this time; 0, the default, honours every
 * silence. */
void player_set_gap_limit(struct player *player, int64_t gap_us);
/* The next record will be the first at or after position_us (clamped to the journey). Playing or paused as
 * before. With `prime`, first hands over what gives a model the state of the city there (see
 * journey_seek_keyframe). */
int player_seek(struct player *player, int64_t position_us, int64_t now_us, journey_prime_fn *prime,
                void *context, struct err *err);

/* 1: a record is due and handed over. 0: none; *wait_us until the next is (PLAYER_NEVER: paused, ended or
 * failed). -1: the journey failed now (state PLAYER_FAILED). */
int player_due(struct player *player, int64_t now_us, struct record *record, int64_t *event_ms,
               int64_t *wait_us, struct err *err);

/* Hands every due record, at most `limit`, to `deliver`; stops early when it returns false (that record
 * counts as delivered). Returns as player_due for the first record that was not handed over; 1: there may be
 * more now. */
typedef bool player_fn(void *context, const struct record *record, int64_t event_ms);
int player_pump(struct player *player, int64_t now_us, uint32_t limit, player_fn *deliver, void *context,
                int64_t *wait_us, struct err *err);

void player_figures(const struct player *player, int64_t now_us, struct player_figures *figures);
struct journey_reader *
player_reader(struct player *player); /* for markers and info; do not read records from it */

#endif
