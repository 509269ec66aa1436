/* One query execution: run by the worker, read by the handlers. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_EXECUTION_H
#define SMARTCITY_LOCALCLOUD_ATHENA_EXECUTION_H

#include "localcloud/athena_statement.h"
#include "localcloud/service.h"

#include <stdatomic.h>

struct athena_execution {
    struct athena_execution *next;
    char id[37];
    char *query; /* as the client wrote it */
    char *text;  /* what is run: with parameters in place, of EXECUTE what was prepared */
    char *database, *output, *workgroup; /* output: "s3://bucket/prefix/" */
    json_t *given;  /* members of StartQueryExecution that GetQueryExecution says again */
    int64_t cutoff; /* BytesScannedCutoffPerQuery; 0 none */
    const char *type, *subtype;
    bool refused; /* `failure` is why it fails when its turn comes */
    /* What follows is written under the service's lock. */
    enum {
        EXECUTION_QUEUED,
        EXECUTION_RUNNING,
        EXECUTION_SUCCEEDED,
        EXECUTION_FAILED,
        EXECUTION_CANCELLED
    } state;
    struct athena_failure failure;
    atomic_bool cancel;
    int64_t submitted_us, started_us, completed_us;
    char *location; /* of the result object */
    /* Written by the worker alone; read by others only when it has ended. */
    json_t *columns;               /* ColumnInfo of the result */
    int64_t scanned, scanned_rows; /* read: athena_scan.h */
    int64_t rows, bytes;           /* written */
    int64_t planned_us, stored_us; /* how long planning took, and storing the result */
    bool cut;                      /* it would have scanned more than the cutoff */
    char *manifest;                /* DataManifestLocation; NULL none */
};

/* What an execution works with; the connection is interrupted from outside to cancel it. */
struct athena_run {
    const struct service_context *context;
    struct duck_connection *connection;
    const atomic_bool *cancel; /* polled between rows; NULL: never */
    /* PREPARE keeps a statement (text not NULL), DEALLOCATE drops it; NULL: they fail. 0 or -1 with failure.
     */
    int (*prepared)(void *service, const char *workgroup, const char *name, const char *text,
                    struct athena_failure *failure);
    void *service;
};

/* Fills columns, location, scanned and rows of `execution`. 0 or -1 with failure. */
int athena_execution_run(const struct athena_run *run, struct athena_execution *execution,
                         struct athena_failure *failure);
/* Where the result of a statement goes: an object ID.csv or ID.txt, or, when rows become objects elsewhere,
 * the name its manifest stands beside. Caller frees. */
char *athena_execution_location(const struct athena_statement *statement, const char *output, const char *id);
/* Is there an object of that name to read rows from? */
bool athena_execution_has_rows(const char *location);
/* 36 characters with dashes. */
void athena_execution_id(char id[37]);
/* "s3://bucket/key" taken apart; false when it is none. */
bool athena_s3_split(const char *location, char bucket[64], char key[1025]);

#endif
