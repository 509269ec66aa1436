/*
 * Decoder of aws-chunked bodies, in pieces of any size and constant memory:
 *
 *     400[;chunk-signature=HEX]\r\n  …1024 bytes…\r\n  0[;chunk-signature=HEX]\r\n
 *     [x-amz-checksum-crc32:AAAA==\r\n]  [x-amz-trailer-signature:HEX\r\n]  \r\n
 *
 * Chunk signatures are checked as the chunks end, each on the one before (sigv4_chunk). Pure; one thread.
 */
#ifndef SMARTCITY_LOCALCLOUD_CHUNKED_H
#define SMARTCITY_LOCALCLOUD_CHUNKED_H

#include "aws/sigv4.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNKED_LINE_MAX    1024
#define CHUNKED_TRAILER_MAX 4096

enum chunked_result {
    CHUNKED_OK,
    CHUNKED_MALFORMED, /* IncompleteBody or InvalidRequest */
    CHUNKED_SIGNATURE, /* SignatureDoesNotMatch */
    CHUNKED_STOPPED    /* `write` said no */
};

struct chunked;

/* What is decoded goes to `write`, which returns false to stop. `key` NULL: unsigned chunks; else `seed` is
 * the signature of the request's header. trailer: the form with trailers. */
struct chunked *chunked_create(const unsigned char *key, const struct sigv4_scope *scope, const char *seed,
                               bool trailer, bool (*write)(void *context, const void *bytes, size_t length),
                               void *context);
void chunked_destroy(struct chunked *chunked); /* NULL allowed */
enum chunked_result chunked_feed(struct chunked *chunked, const void *bytes, size_t length);
/* The body has ended: was it whole? */
enum chunked_result chunked_end(struct chunked *chunked);
int64_t chunked_decoded(const struct chunked *chunked); /* bytes so far */
/* The value of a trailer, by lower-case name, after the end; NULL when absent. */
const char *chunked_trailer(const struct chunked *chunked, const char *name);

#endif
