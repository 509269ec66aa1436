/* A small request that its thread waits for: metadata services, and STS for a role. It goes through the same
 * loop.
 */
#ifndef SMARTCITY_AWS_FETCH_H
#define SMARTCITY_AWS_FETCH_H

#include "aws/http.h"

struct fetch {
    const char *method, *url;
    struct curl_slist *headers; /* taken, freed */
    const char *body;           /* NULL none */
    int64_t timeout_us;
    bool direct; /* no proxy */
    /* the answer */
    int status;
    struct buf head;   /* freed by fetch_free() */
    struct buf answer; /* freed, and wiped, by fetch_free() */
};

/* 0: an answer came, whatever its status. ERR_CONNECT, ERR_LIMIT, ERR_CANCELLED (the loop ended). */
int fetch_run(struct http *http, struct fetch *fetch, struct err *err);
void fetch_free(struct fetch *fetch);

#endif
