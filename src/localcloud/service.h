/*
 * What a service of the local cloud is: a name, a table of operations, and a state with its create and
 * destroy. Adding a service is one `const struct service` and one row in services.c; adding an operation is
 * one row and one handler. The table of docs/cloud-operations.md comes from here.
 *
 * Handlers run on connection threads, many at a time: a service guards its own state. A handler may block
 * (each connection has its own thread), but what takes long by its nature (a crawl, a query) belongs on a
 * worker of the service, which stop() ends. Nothing here may reach outside the data folder.
 */
#ifndef SMARTCITY_LOCALCLOUD_SERVICE_H
#define SMARTCITY_LOCALCLOUD_SERVICE_H

#include "base/err.h"
#include "base/log.h"
#include "localcloud/request.h"

#include <stdbool.h>
#include <stddef.h>

struct objects;
struct keys;
struct sql_engine;
struct catalogue; /* localcloud/catalogue.h: databases, tables, partitions; shared by Glue, Athena and
                     Redshift */

enum service_protocol {
    PROTOCOL_REST_XML, /* S3 */
    PROTOCOL_JSON,     /* JSON 1.1 by X-Amz-Target */
    PROTOCOL_QUERY     /* form in, XML out: STS */
};

/* What the server does with the body before it calls the handler. */
enum operation_body {
    BODY_NONE,   /* read and dropped */
    BODY_MEMORY, /* into request->body; JSON services: parsed into request->json */
    BODY_OBJECT  /* streamed into a new blob: request->upload */
};

/* Where a REST operation acts; also what the path must hold. */
enum operation_level { ON_SERVICE, ON_BUCKET, ON_OBJECT };

typedef void operation_fn(struct request *request);

/* A row. JSON and query services need name and handler only. REST: the first row that matches wins, so the
 * ones with a sub-resource or a header come before those without. */
struct operation {
    const char *name; /* "GetTable"; NULL ends the table */
    operation_fn
        *handle; /* NULL: listed as not there; answered with UnknownOperationException or NotImplemented */
    const char *method; /* REST: "GET" */
    enum operation_level level;
    const char
        *query; /* REST: parameters that must be there, "partNumber&uploadId", or "list-type=2"; NULL none */
    const char *header; /* REST: a header that must be there; NULL none */
    enum operation_body body;
    bool checksum_of_object; /* x-amz-checksum-* is of what comes of it, not of the body */
    bool mutates;            /* for the log and the documents */
    const char *note;        /* for the table of operations: what is left out; NULL nothing */
};

/* Given to create(); lives as long as the cloud. */
struct service_context {
    const char *folder; /* the data folder; a service may keep "NAME.sqlite" or a folder NAME/ in it */
    const char *region, *account;
    struct objects *objects;
    const struct keys *keys;     /* for STS */
    struct catalogue *catalogue; /* never NULL */
    struct sql_engine
        *sql_engine; /* a slot, never NULL: filled by the service that runs SQL (sql_engine.h) */
    struct log *log; /* requests are logged by the server; this is for what happens on workers */
    bool realistic;  /* take about as long as AWS does */
};

struct service {
    const char *name;  /* in the credential scope: "glue" */
    const char *title; /* "AWS Glue" */
    enum service_protocol protocol;
    const char *target;  /* JSON: what stands before ".Operation" in X-Amz-Target: "AWSGlue" */
    const char *xmlns;   /* REST-XML and query: namespace of answers */
    const char *version; /* query: the Version parameter */
    const struct operation *operations;
    /* State, or NULL with err. Work left unfinished by a kill is taken up or marked failed here. */
    void *(*create)(const struct service_context *context, struct err *err);
    /* No new work, cancel what runs, wake who waits; returns at once. May be NULL. All services are stopped
     * before any is destroyed. */
    void (*stop)(void *state);
    void (*destroy)(void *state); /* joins workers */
};

/* All of them, NULL-terminated (services.c). */
extern const struct service *const services[];

const struct service *service_find(const char *name); /* by credential scope; NULL */
/* By "AWSGlue.GetTable"; *name is then "GetTable". */
const struct service *service_find_target(const char *target, const char **name);
const struct operation *service_operation(const struct service *service, const char *name);
/* By method, level, parameters and headers. */
const struct operation *service_operation_rest(const struct service *service, const struct request *request);
/* Markdown: every service and operation. */
void service_write_table(struct buf *out);

#endif
