/*
 * The recorder: a thread that owns one journey writer and takes record batches through a bounded queue. When
 * the queue is full, recorder_put waits: the source pauses, nothing is lost. A write error (a full disk, a
 * read-only folder) stops the recording, keeps what was committed and what was taken, says why, and is
 * retried every few seconds; meanwhile what is not recorded is counted as missed, and the journey gets a
 * marker "gap" there.
 */
#ifndef SMARTCITY_STORE_RECORDER_H
#define SMARTCITY_STORE_RECORDER_H

#include "base/log.h"
#include "base/queue.h"
#include "store/journey.h"
#include "store/journeys.h"

struct recorder;

enum recorder_state { RECORDER_OFF, RECORDER_ON, RECORDER_FAILED };
struct recorder_figures {
    enum recorder_state state;
    struct journey_info journey; /* as of the last commit; path from the start */
    struct queue_figures queue;  /* in batches */
    uint64_t recorded;           /* records committed */
    uint64_t missed;             /* records refused, or larger than a journey takes */
    int64_t committed_us;        /* wall time of the last commit; 0: none yet */
    char problem[240];           /* why it failed, with the cure */
};

#define RECORDER_QUEUE     64     /* batches */
#define RECORDER_COMMIT_US 700000 /* after the first record that is not committed */
#define RECORDER_RETRY_US  3000000

/* Makes the folder and the journey; figures.journey.path says where. NULL only for what trying again cannot
 * mend (ERR_USAGE: the path is taken, the limit too small); otherwise a recorder, perhaps in state
 * RECORDER_FAILED. The log outlives it.
 */
struct recorder *recorder_create(const struct journey_settings *settings, struct log *log, struct err *err);
void recorder_destroy(struct recorder *recorder); /* drains, closes cleanly; NULL allowed */

/* Retains the batch; event_ms[i] belongs to records[i] and is copied. False:
 * refused (failed; counted). */
bool recorder_put(struct recorder *recorder, struct record_batch *batch, const int64_t *event_ms);
/* Any thread; never waits. False: not marked (failed, or the queue is full). */
bool recorder_mark(struct recorder *recorder, int64_t event_ms, const char *kind, const char *text);

/* Any thread. Waits until all that was put is committed: 0, or -1 with why not (ERR_BUSY: not in time). */
int recorder_flush(struct recorder *recorder, int64_t timeout_us, struct err *err);
/* Any thread. When it has failed, tries again now rather than in some seconds, and waits for the outcome:
 * true when it records. */
bool recorder_retry(struct recorder *recorder);
void recorder_figures(struct recorder *recorder, struct recorder_figures *figures); /* any thread */

#endif
