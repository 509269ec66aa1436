/* A small HTTP client of our own for tests of the local cloud: raw requests over one connection, signed by
 * aws/sigv4. Blocking; failures end the test (cmocka's fail_msg) unless said otherwise. */
#ifndef SMARTCITY_TESTS_CLOUD_CLIENT_H
#define SMARTCITY_TESTS_CLOUD_CLIENT_H

#include "aws/sigv4.h"
#include "base/buf.h"

#include <stdbool.h>

struct cloud_client {
    int fd;
    int port;
    const char *access_key, *secret_key, *token; /* token NULL: none */
    const char *region, *service;
    int64_t skew; /* seconds added to the clock */
};

struct cloud_answer {
    int status;      /* 0: the connection ended without one */
    struct buf head; /* status line and headers */
    struct buf body;
    bool broken;    /* ended before Content-Length */
    bool continued; /* 100 Continue came first */
};

/* Opens a connection to 127.0.0.1:port; false when nobody listens. */
bool cloud_client_open(struct cloud_client *client, int port, const char *access_key, const char *secret_key);
void cloud_client_close(struct cloud_client *client);
/* Sends bytes as they are, reads one answer. */
void cloud_client_raw(struct cloud_client *client, const void *bytes, size_t length, bool head,
                      struct cloud_answer *answer);
bool cloud_client_send(struct cloud_client *client, const void *bytes, size_t length);
void cloud_client_read(struct cloud_client *client, bool head, struct cloud_answer *answer);
/* A signed request. target: raw path and query. headers: "name: value\n…" besides host, date, length; NULL
 * none. payload_hash NULL: that of the body. */
void cloud_client_call(struct cloud_client *client, const char *method, const char *target,
                       const char *headers, const void *body, size_t length, const char *payload_hash,
                       struct cloud_answer *answer);
/* The head of such a request, for who sends the body himself; seed (NULL allowed) for chunk signatures. */
void cloud_client_head(struct cloud_client *client, const char *method, const char *target,
                       const char *headers, size_t length, const char *payload_hash, struct buf *out,
                       struct sigv4_scope *scope, char seed[SIGV4_HEX]);
/* The value of a header, into out; false when absent. */
bool cloud_answer_header(const struct cloud_answer *answer, const char *name, char *out, size_t size);
void cloud_answer_free(struct cloud_answer *answer);

#endif
