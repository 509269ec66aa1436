/*
 * The five topics on a cluster that is not ours: are they there, and if they may be made, make them.
 * Internal to src/stream; blocks, so it belongs on a client's own thread.
 */
#ifndef SMARTCITY_STREAM_TOPICS_H
#define SMARTCITY_STREAM_TOPICS_H

#include "stream/client.h"

/* 0: all exist and have leaders. -1: ERR_BUSY (made, or in election: ask again), ERR_CONNECT (no answer
 * within timeout_ms), ERR_NOT_FOUND or ERR_AUTH (the text names topics, reason and the command that makes
 * them). */
int topics_ensure(struct client *client, const struct kafka_settings *settings, int timeout_ms,
                  struct err *err);

#endif
