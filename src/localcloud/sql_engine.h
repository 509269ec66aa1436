/*
 * What runs the SQL of a Glue job: the service that has an engine (Athena) fills the slot in the service
 * context when it is created. It stands before Glue in services.c, so it is destroyed after Glue's workers
 * have ended.
 */
#ifndef SMARTCITY_LOCALCLOUD_SQL_ENGINE_H
#define SMARTCITY_LOCALCLOUD_SQL_ENGINE_H

#include "base/err.h"

#include <stdbool.h>

struct sql_engine_call {
    const char *text;     /* one statement of the dialect of Athena, without ';' */
    const char *database; /* for names without one */
    const char *output;   /* "s3://bucket/prefix/" for results that are rows; NULL: they are dropped */
    /* Polled about ten times a second; true ends the statement with ERR_CANCELLED. */
    bool (*cancelled)(void *context);
    void *context;
};

struct sql_engine {
    /* Runs to the end, on the caller's thread. 0; or -1 with err, whose text is Athena's StateChangeReason.
     * NULL while no service has filled it. */
    int (*run)(void *engine, const struct sql_engine_call *call, struct err *err);
    void *engine;
};

#endif
