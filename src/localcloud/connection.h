/*
 * From the bytes of a request to its handler, without libmicrohttpd: what is asked (recognise), who asks
 * (authenticate), the body in pieces (unpack, check), the call. server.c drives it:
 *
 *     exchange_create   raw target
 *     exchange_begin    method and headers are there; false: the answer is an error already, the body is of
 * no interest exchange_body     a piece, any number of times exchange_end      body is whole: checks it,
 * calls the handler; the answer is in request.reply exchange_destroy
 */
#ifndef SMARTCITY_LOCALCLOUD_CONNECTION_H
#define SMARTCITY_LOCALCLOUD_CONNECTION_H

#include "localcloud/auth.h"
#include "localcloud/chunked.h"
#include "localcloud/fault.h"
#include "localcloud/request.h"
#include "localcloud/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXCHANGE_TARGET_MAX  16384     /* path and query */
#define EXCHANGE_HEADERS_MAX 16384     /* all of them together */
#define EXCHANGE_MEMORY_MAX  (8 << 20) /* a body that is held in memory */

/* What every request needs of the cloud; const while the server runs. */
struct exchange_context {
    struct auth auth;
    struct faults *faults; /* NULL: no control interface, no faults */
    struct objects *objects;
    const char *account, *base;
    void **states; /* of services[], in their order */
    bool realistic;
    uint64_t id_seed;
};

struct exchange {
    struct request request;
    const struct exchange_context *context;
    int64_t begun_us; /* monotonic */
    bool failed;      /* an answer is made; bytes that still come are dropped */
    bool control;     /* the control interface */
    struct fault fault;

    /* body */
    int64_t length; /* declared, -1 unknown; of the payload */
    int64_t raw_in; /* bytes that came */
    const char *claimed_hash;
    struct auth_result auth;
    struct checksum *sha256;
    struct chunked *chunked;
    const char *trailer; /* name of the checksum trailer, or NULL */
};

struct exchange *exchange_create(const struct exchange_context *context, const char *target, uint64_t number);
/* headers: borrowed until the end, but for the array. */
bool exchange_begin(struct exchange *exchange, const char *method, const struct request_pair *headers,
                    size_t header_count);
void exchange_body(struct exchange *exchange, const void *bytes, size_t length);
void exchange_end(struct exchange *exchange);
void exchange_destroy(struct exchange *exchange); /* NULL allowed */
/* "PutObject", or "" */
const char *exchange_operation(const struct exchange *exchange);
const char *exchange_service(const struct exchange *exchange);

/* ---- between connection.c and connection_body.c ----------------------------------------------------- */

/* Headers are there and recognised: authenticates where the headers suffice, prepares for the body. -1:
 * answered. */
int exchange_open_body(struct exchange *exchange);
/* The fault of this request, if any: waits, answers. */
int exchange_inject(struct exchange *exchange);
/* Query services: parameters and operation out of the form. */
int exchange_find_action(struct exchange *exchange);
/* S3 without such an operation: 501 or 405; said only to who is allowed in. */
int exchange_refuse_rest(struct exchange *exchange);

#endif
