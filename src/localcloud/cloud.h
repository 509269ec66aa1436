/*
 * The local cloud: an AWS-compatible server on 127.0.0.1 that keeps everything in one data folder. `smartcity
 * cloud` runs it alone; the console runs it inside its own process. One owner a folder.
 *
 * Threads: create, start, stop and destroy from one thread; the rest from any. The server has a thread of its
 * own and one for each connection; services have theirs.
 */
#ifndef SMARTCITY_LOCALCLOUD_CLOUD_H
#define SMARTCITY_LOCALCLOUD_CLOUD_H

#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

struct cloud;

#define CLOUD_REGION  "us-east-1"
#define CLOUD_ACCOUNT "000000000000"

struct cloud_settings {
    const char *folder; /* made when absent, 0700 */
    int port;           /* 0: any that is free */
    const char *region; /* NULL: CLOUD_REGION */
    /* NULL: those kept in the folder, made when there are none. Never those of the user's AWS files. */
    const char *access_key, *secret_key;
    bool faults;     /* serve the control interface */
    bool realistic;  /* delays about as long as AWS's */
    struct log *log; /* NULL: FOLDER/requests.log only */
    /* A line a request, or NULL: called on connection threads. */
    void (*line)(void *context, const char *line);
    void *line_context;
};

struct cloud_address {
    char endpoint[40]; /* "http://127.0.0.1:4566" */
    char region[32];
    char access_key[132], secret_key[132];
    char control_token[40]; /* for the control interface; "" when it is off */
};

struct cloud_figures {
    uint64_t requests, errors; /* errors: answers of 400 and above */
    uint64_t bytes_in, bytes_out;
    uint64_t connections; /* now */
};

/* Locks the folder (ERR_BUSY names the owner), opens what it holds, starts to listen. NULL on error. */
struct cloud *cloud_start(const struct cloud_settings *settings, struct err *err);
/* Ends requests in hand, stops the services, closes. NULL allowed. */
void cloud_stop(struct cloud *cloud);
const struct cloud_address *cloud_address(const struct cloud *cloud);
void cloud_figures(struct cloud *cloud, struct cloud_figures *figures);

/* Faults, as the control interface sets them (localcloud/fault.h): "s3 PutObject 503 count=2". */
int cloud_fault(struct cloud *cloud, const char *rule, struct err *err);

#endif
