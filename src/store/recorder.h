/*
 * The recorder: a thread that owns one journey writer and takes record batches through a bounded queue. When
 * the queue is full, recorder_put waits: the source pauses, nothing is lost. A write error (a full disk)
 * stops the recording, keeps what was committed, says why, and is retried every few seconds; meanwhile what
 * is not recorded is counted as missed.
 */
#ifndef SMARTCITY_STORE_RECORDER_H
#define SMARTCITY_STORE_RECORDER_H

#include "base/log.h"
#include "base/queue.h"
#include "store/journey.h"

struct recorder;

enum recorder_state { RECORDER_OFF, RECORDER_ON, RECORDER_FAILED };
struct recorder_figures {
    enum recorder_state state;
    struct journey_info journey;
    struct queue_figures queue;
    uint64_t recorded, missed;
    int64_t committed_us; /* wall time of the last commit */
    char problem[240];    /* why it failed, with the cure */
};

struct recorder *recorder_create(const struct journey_settings *settings, struct log *log, struct err *err);
void recorder_destroy(struct recorder *recorder); /* drains, closes cleanly */
/* Retains the batch; event_ms[i] belongs to records[i] and is copied. False: refused (off or failed;
 * counted). */
bool recorder_put(struct recorder *recorder, struct record_batch *batch, const int64_t *event_ms);
void recorder_mark(struct recorder *recorder, int64_t event_ms, const char *kind, const char *text);
void recorder_figures(struct recorder *recorder, struct recorder_figures *figures);

/* The list of journeys in a folder, newest first. A damaged file is listed with `problem`. */
struct journey_listing {
    struct journey_info info;
    char problem[160];
};
int journeys_list(const char *folder, struct journey_listing **list, size_t *count,
                  struct err *err);                     /* mem_*; free() */
int journeys_delete(const char *path, struct err *err); /* refuses one that is being recorded */

#endif
