/*
 * The ingest thread: polls the consumer, feeds the model and the tail, hands the records to the recorder,
 * tells the producer how far it has read. A record is stored (to be committed) only after the recorder took
 * it.
 */
#ifndef SMARTCITY_APP_INGEST_H
#define SMARTCITY_APP_INGEST_H

#include "app/feed.h"
#include "base/log.h"
#include "store/recorder.h"
#include "stream/consumer.h"
#include "stream/producer.h"

struct ingest;

/* recorder and producer may be NULL. The consumer is created on the thread, so that a slow broker does not
 * hold up the start. */
struct ingest *ingest_start(const struct consumer_settings *settings, struct feed *feed,
                            struct recorder *recorder, struct producer *producer, struct log *log,
                            struct err *err);
void ingest_destroy(struct ingest *ingest);
void ingest_set_recorder(struct ingest *ingest,
                         struct recorder *recorder); /* the old one is not used after return */
void ingest_figures(struct ingest *ingest, struct consumer_figures *figures);
/* Pauses or slows reading, for the demonstration of lag: microseconds waited after each batch. */
void ingest_slow(struct ingest *ingest, int64_t wait_us);

#endif
