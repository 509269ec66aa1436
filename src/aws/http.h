/*
 * The loop: curl's multi interface on one thread. It moves bytes; it knows nothing of AWS. A transfer belongs
 * to its owner from done() on, and before http_submit(); in between only prepare() and done() may touch it.
 *
 * Every request goes out byte for byte as prepare() made it (CURLOPT_PATH_AS_IS, no redirects), which is what
 * was signed.
 */
#ifndef SMARTCITY_AWS_HTTP_H
#define SMARTCITY_AWS_HTTP_H

#include "base/buf.h"
#include "base/err.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;

struct http_settings {
    size_t transfers; /* at once */
    int64_t connect_timeout_us, stall_us;
    const char *ca_bundle; /* "" or NULL: the system's */
    bool direct;           /* no proxy, whatever the environment says */
};

enum http_prepared {
    HTTP_START,
    HTTP_LATER,  /* not yet: asked again at the next turn after http_wake() */
    HTTP_GIVE_UP /* done() with HTTP_ABANDONED; the owner knows why */
};

enum http_end {
    HTTP_ANSWERED,  /* status says how; the body is whole */
    HTTP_UNSENT,    /* no connection */
    HTTP_UNTRUSTED, /* its certificate is not one we trust, or the authorities cannot be read */
    HTTP_BROKEN,    /* it broke, or timed out, after something may have been sent */
    HTTP_TOO_LARGE,
    HTTP_SINK,   /* the answer could not be written; sink_errno */
    HTTP_SOURCE, /* the body could not be read, or became shorter */
    HTTP_DEADLINE,
    HTTP_CANCELLED,
    HTTP_ABANDONED
};

struct http_transfer {
    /* the owner's, before http_submit() */
    enum http_prepared (*prepare)(
        struct http_transfer *transfer);          /* fills what follows; on the loop's thread */
    void (*done)(struct http_transfer *transfer); /* on the loop's thread; may submit it again */
    int64_t start_us;                             /* monotonic; not before */
    int64_t deadline_us;                          /* monotonic; 0 none: queue and transfer together */
    int64_t timeout_us;                           /* of this one transfer; 0 none */
    int64_t stall_us;                             /* 0: as the settings say */
    bool direct;                                  /* no proxy: metadata services */
    bool once;                                    /* must not be sent a second time, not even by curl */
    bool yields;                                  /* leaves a quarter of the transfers to others */
    size_t answer_limit;                          /* of an answer in memory */
    int sink_fd; /* -1: memory. Else a 2xx answer's body is written there, at sink_offset */
    int64_t sink_offset;
    const void *bytes; /* the body: in memory, or of a file */
    int source_fd;     /* -1: memory */
    int64_t source_offset;
    int64_t length; /* -1: no body at all (GET, HEAD, DELETE) */

    /* the owner's, in prepare() */
    const char *method, *url;
    struct curl_slist *headers; /* stays the owner's */

    /* of the loop, read in done() */
    enum http_end end;
    int status;
    struct buf head; /* raw, the last answer's; freed by http_transfer_free() */
    struct buf body;
    int64_t received; /* bytes of the body, wherever it went */
    int sink_errno;
    char reason[CURL_ERROR_SIZE]; /* "" when answered */

    atomic_bool cancelled;
    _Atomic int64_t sent, arrived; /* progress; any thread */

    /* the loop's own */
    struct http_transfer *next;
    CURL *easy;
    int64_t position;
    int64_t expires_us;
};

struct http *http_create(const struct http_settings *settings, struct err *err);
/* Ends everything with HTTP_CANCELLED; done() is called for each. Submits from then on are refused. NULL
 * allowed. */
void http_destroy(struct http *http);
/* The same in two steps: after http_stop() nothing runs and every submit is refused. */
void http_stop(struct http *http);
void http_transfer_init(struct http_transfer *transfer);
void http_transfer_free(struct http_transfer *transfer);
/* False: stopped; done() is not called. Any thread. */
bool http_submit(struct http *http, struct http_transfer *transfer);
/* After setting transfer->cancelled, or when HTTP_LATER may have changed. Any thread. */
void http_wake(struct http *http);
/* Waiting and active ones. */
void http_depth(struct http *http, size_t *waiting, size_t *active);
/* A header of a raw head, copied; false when absent. */
bool http_header(const struct buf *head, const char *name, char *out, size_t size);

#endif
