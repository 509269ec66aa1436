/*
 * The AWS client: every request to AWS, or to what speaks like it, goes through one loop on a thread of its
 * own.
 *
 *     aws_submit ─▶ hash of a body in a file (a worker) ─▶ queue ─▶ sign ─▶ send ─▶ answer ─▶ done() ─▶ the
 * handle ▲                        │ └── retry, with jitter ◀─┘
 *
 * A submit copies what it is given and returns at once. Its handle, struct aws_call, is the caller's and must
 * be released; a call whose handle was released goes on to its end. Who wants to be told gives a callback,
 * who wants to look polls aws_call_done(), a worker thread may block in aws_wait().
 *
 * What is retried: an answer that says "not now" (throttling, 5xx) and a broken connection, at most
 * `attempts` times (retry.h). A request that may have been carried out already is sent again only when that
 * is harmless: it reads, or repeating it changes nothing, or it carries a token or a condition (enum
 * aws_repeat). A wrong clock is repaired by the server's date, expired keys by new ones; each costs one more
 * attempt.
 *
 * Threads: create and destroy from one, and nobody may be inside any function then; everything else from any.
 * Callbacks come on the client's thread, must be short and must not wait; they may submit, cancel and
 * release.
 *
 * S3 is spoken by s3.h, JSON services by json.h, STS by sts.h; here is what they have in common.
 */
#ifndef SMARTCITY_AWS_CLIENT_H
#define SMARTCITY_AWS_CLIENT_H

#include "aws/config.h"
#include "base/buf.h"
#include "base/checksum.h"
#include "base/err.h"
#include "base/log.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws_client;
struct aws_call;
struct aws_group;

#define AWS_BODY_LIMIT   (64u << 20) /* of a body in memory; larger ones are files */
#define AWS_ANSWER_LIMIT (16u << 20) /* of an answer in memory, unless the request says otherwise */

/* ---- the client ------------------------------------------------------------------------------------- */

struct aws_settings {
    struct aws_config_settings config; /* which account, region, endpoint: aws/config.h */
    size_t transfers;                  /* at once, three quarters of them for S3; 0: 16 */
    size_t queue;                      /* waiting calls; more are refused with ERR_FULL; 0: 256 */
    size_t queue_bytes;                /* of their bodies in memory; 0: 64 MiB */
    int attempts;                      /* of one call; 0: AWS_MAX_ATTEMPTS, the profile's max_attempts, 3 */
    int64_t retry_wait_us;             /* the longest wait between two attempts; 0: 20 s */
    int64_t connect_timeout_us;        /* 0: 5 s */
    int64_t timeout_us; /* of a whole call, retries included; 0: 60 s. S3 bodies: `stall` instead */
    int64_t stall_us;   /* a transfer without a byte for so long is broken; 0: 20 s */
    struct log *log;    /* NULL: nothing is written */
};

/* Reads environment and AWS files as settings->config says (in local mode: none), starts the threads; asks
 * nobody anything yet. NULL: ERR_CONFIG. */
struct aws_client *aws_client_create(const struct aws_settings *settings, struct err *err);
/* Cancels what is under way (callbacks come, with ERR_CANCELLED), ends. Handles stay valid until released. */
void aws_client_destroy(struct aws_client *client); /* NULL allowed */
/* What was resolved; const for the client's life. */
const struct aws_config *aws_client_config(const struct aws_client *client);

struct aws_figures {
    size_t waiting, active; /* calls */
    size_t high_water;      /* of waiting */
    uint64_t calls, succeeded, failed, cancelled;
    uint64_t refused; /* submits that found the queue full */
    uint64_t retries, throttled;
    uint64_t bytes_out, bytes_in; /* of bodies */
    int64_t skew_us;              /* server's clock minus ours, as last repaired; 0 */
    int64_t last_success_us;      /* monotonic; 0 never */
    char last_error[400];         /* "" none yet */
};
void aws_client_figures(struct aws_client *client, struct aws_figures *figures);

/* ---- a request -------------------------------------------------------------------------------------- */

/* May a request be sent again that may have been carried out already? */
enum aws_repeat {
    AWS_REPEAT_NEVER, /* only after an answer that says it was not, or when no connection was made */
    AWS_REPEAT_SAFE   /* it reads, carries a token or condition, or the second time changes nothing */
};

struct aws_header {
    const char *name, *value;
};

/* Bytes to send: `bytes`, or `length` bytes of the file `path` from `offset`. The file must not change
 * meanwhile. */
struct aws_body {
    const void *bytes; /* copied */
    size_t size;
    const char *path;       /* NULL: memory */
    int64_t offset, length; /* length -1: to the end */
};

/* Where an answer's body goes when it is a success; errors are always kept in memory. */
struct aws_sink {
    bool file;
    int fd; /* file: written at `offset`; stays open, the caller's, until the call is done */
    int64_t offset;
    size_t limit; /* memory: more is ERR_LIMIT; 0: AWS_ANSWER_LIMIT */
};

struct aws_request {
    const char *service;   /* a row of aws/service.h: "s3", "glue", "athena", "redshift-data", "sts" */
    const char *operation; /* "PutObject" */
    const char *method;    /* NULL: POST */
    const char *bucket;    /* S3; NULL none */
    const char *key;       /* S3, plain; NULL none */
    const char *query;     /* as it goes out, encoded; NULL none */
    const struct aws_header *headers;
    size_t header_count;
    struct aws_body body;
    enum checksum_kind checksum; /* of the body, sent as x-amz-checksum-…; CHECKSUM_NONE: none */
    struct aws_sink sink;
    enum aws_repeat repeat;
    int64_t timeout_us;      /* 0: the client's */
    int64_t stall_us;        /* the same, for an answer that may be long in coming */
    struct aws_group *group; /* NULL none */
    const char *origin;      /* for the Log: "operator", "schedule", …; NULL: not an action, a debug line */
    const char *equivalent;  /* the aws command that does the same; NULL none */
    const struct aws_keys *keys; /* instead of the client's own: assuming roles; NULL */
    bool anonymous;              /* not signed */
};

/* json is there for errors too, when it is one. */
struct aws_answer {
    struct err err;    /* kind ERR_NONE: success. text names service, operation, code, message, request id */
    int status;        /* of HTTP; 0: none came */
    char code[80];     /* "NoSuchKey", "EntityNotFoundException"; "" none */
    char message[400]; /* made harmless */
    char request_id[96];
    int attempts;
    int64_t duration_us;               /* from submit to end */
    struct buf head;                   /* raw headers of the last answer, a line each */
    struct buf body;                   /* unless a success went to a file */
    int64_t bytes;                     /* of the body, wherever it went */
    json_t *json;                      /* JSON services: the object; NULL otherwise */
    char checksum[CHECKSUM_TEXT_SIZE]; /* of the body that was sent, when the request asked for one */
};

/* Called once, at the end. The answer is the call's: valid until the handle is released. */
typedef void aws_done_fn(void *context, struct aws_call *call, const struct aws_answer *answer);

/* NULL: refused (ERR_FULL: the queue; ERR_USAGE, ERR_IO: the body's file; ERR_CANCELLED: the group, the
 * client's end); `done` is then not called. done may be NULL. */
struct aws_call *aws_submit(struct aws_client *client, const struct aws_request *request, aws_done_fn *done,
                            void *context, struct err *err);

/* ---- a call ----------------------------------------------------------------------------------------- */

bool aws_call_done(const struct aws_call *call);
/* Valid once done; NULL before. Borrowed, until released. */
const struct aws_answer *aws_call_answer(const struct aws_call *call);
/* Ends it soon with ERR_CANCELLED, unless it is done already. What was sent may still be carried out. */
void aws_call_cancel(struct aws_call *call);
/* Gives up the handle; the call goes on. NULL allowed. */
void aws_call_release(struct aws_call *call);
/* How much of a body has gone out or come in, of how much; 0 when unknown. For progress. */
void aws_call_progress(const struct aws_call *call, int64_t *sent, int64_t *received);

/* Blocks until done or until the monotonic deadline (-1: none). NULL: not done in time; the call goes on.
 * Never from a callback, never from the main thread. */
const struct aws_answer *aws_wait(struct aws_call *call, int64_t deadline_us);
/* Waits for the end and returns it as an err: 0, or -1 with the answer's error. After the deadline the call
 * is cancelled, which takes no time. call NULL (a refused submit, err is set already): -1. */
int aws_wait_ok(struct aws_call *call, int64_t deadline_us, struct err *err);

/* A header of the answer, copied; false when absent. Any case. */
bool aws_answer_header(const struct aws_answer *answer, const char *name, char *out, size_t size);

/* ---- a group: calls that end together --------------------------------------------------------------- */

/* A worker that must be able to stop puts its calls into a group. Cancelled, all of them end with
 * ERR_CANCELLED and no new one is taken. Destroy it when none of its calls is under way. */
struct aws_group *aws_group_create(struct aws_client *client);
void aws_group_cancel(struct aws_group *group);
bool aws_group_cancelled(const struct aws_group *group);
void aws_group_destroy(struct aws_group *group); /* NULL allowed */

#endif
