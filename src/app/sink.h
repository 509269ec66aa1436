/*
 * The sink: a reader of Kafka of its own whose records go into the lake. Where it begins is the lake's to say
 * (S3 knows what has landed), what it commits is what has landed. `smartcity sink` is this alone; the console
 * runs it beside its panels, which are not kept waiting by it.
 *
 * Threads: start and stop from one thread, the rest from any.
 */
#ifndef SMARTCITY_APP_SINK_H
#define SMARTCITY_APP_SINK_H

#include "lake/lake.h"
#include "stream/consumer.h"
#include "stream/producer.h"

struct sink;

struct sink_settings {
    struct kafka_settings kafka; /* texts outlive the sink */
    const char *group;           /* NULL: none; every partition is ours */
    struct lake_settings lake;   /* on_landed, on_commit and context are the sink's */
    /* As lake_settings.on_landed. */
    void (*on_landed)(void *context, const struct lake_intent *intent, bool recovered);
    void *context;
    struct producer *producer; /* embedded: held back for us; NULL */
    struct log *log;
};

/* ERR_NOT_FOUND: DuckDB is missing (the cure is in the text); ERR_BUSY: another owns the spool folder. */
struct sink *sink_start(const struct sink_settings *settings, struct err *err);
void sink_stop(struct sink *sink); /* NULL allowed */
struct lake *sink_lake(struct sink *sink);
/* What keeps it from reading now; "" nothing. */
void sink_problem(struct sink *sink, char *out, size_t size);
void sink_figures(struct sink *sink, struct consumer_figures *figures);
/* All partitions were read to what their leaders hold and handed to the lake. May ask the broker. */
bool sink_at_end(struct sink *sink);

#endif
