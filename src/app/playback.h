/*
 * The replay thread: plays a journey either into a feed (the screen shows it instead of live Kafka) or into a
 * producer (back into the topics). Orders go through a small mailbox and take effect at once.
 */
#ifndef SMARTCITY_APP_PLAYBACK_H
#define SMARTCITY_APP_PLAYBACK_H

#include "app/feed.h"
#include "base/log.h"
#include "store/player.h"
#include "stream/producer.h"

struct playback;

struct playback_settings {
    const char *path;
    double speed; /* 0: as fast as possible */
    int64_t seek_us;
    struct feed *feed; /* one of the two */
    struct producer *producer;
    struct log *log;
};

/* Opens the journey here, so that what is wrong with it is known at once; then starts the thread, playing. */
struct playback *playback_start(const struct playback_settings *settings, struct err *err);
void playback_destroy(struct playback *playback);

enum playback_order {
    PLAYBACK_PAUSE /* 1, 0, -1 toggles */,
    PLAYBACK_SPEED,
    PLAYBACK_STEP,
    PLAYBACK_SEEK /* us */,
    PLAYBACK_SKIP /* us, either way */
};
bool playback_ask(struct playback *playback, enum playback_order order, double number); /* any thread */
void playback_view(struct playback *playback, struct view_replay *view);                /* any thread */
bool playback_ended(struct playback *playback, struct err *err); /* err: how it failed, if it did */

#endif
