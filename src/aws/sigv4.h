/*
 * AWS Signature Version 4, for who signs (the client) and who verifies (the local cloud): canonical requests,
 * strings to sign, header and presigned signatures, the signatures of aws-chunked bodies. Pure but for the
 * key cache, which locks itself; any thread.
 *
 * Sources: "Signature Version 4 signing process" and "Authenticating Requests: Using the Authorization Header
 * / Query Parameters / chunked upload" of the AWS documentation; the vectors of awslabs/aws-c-auth
 * (tests/unit/test_sigv4.c).
 *
 * Paths and queries are given as they are on the wire. S3 decodes the path and encodes it once; every other
 * service removes dot segments and encodes what was sent, '%' included.
 */
#ifndef SMARTCITY_AWS_SIGV4_H
#define SMARTCITY_AWS_SIGV4_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGV4_HASH      32
#define SIGV4_HEX       65 /* of a hash, with NUL */
#define SIGV4_TIME_SIZE 17 /* "20150830T123600Z" */
#define SIGV4_HEADERS   160

#define SIGV4_EMPTY_HASH        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SIGV4_UNSIGNED          "UNSIGNED-PAYLOAD"
#define SIGV4_UNSIGNED_TRAILER  "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
#define SIGV4_STREAMING         "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
#define SIGV4_STREAMING_TRAILER "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"

enum sigv4_path {
    SIGV4_PATH_NORMAL, /* every service but S3 */
    SIGV4_PATH_RAW,    /* encoded, dot segments kept */
    SIGV4_PATH_S3
};

struct sigv4_header {
    const char *name, *value; /* names in any case; a repeated header stands several times */
};

struct sigv4_request {
    const char *method;
    const char *path;  /* raw, begins with '/'; "" is "/" */
    const char *query; /* raw, without '?'; "" none */
    enum sigv4_path path_rule;
    const struct sigv4_header *headers;
    size_t header_count;
    const char *payload_hash; /* hexadecimal, or one of the words above */
};

/* What a signature is made for. */
struct sigv4_scope {
    char time[SIGV4_TIME_SIZE];
    char region[64], service[64];
};

struct sigv4_credentials {
    const char *access_key, *secret_key;
    const char *token; /* of a session; NULL none. For headers the caller adds x-amz-security-token himself */
};

/* Seconds since 1970 and "20150830T123600Z". Parsing is strict; it also takes HTTP's "Sun, 30 Aug 2015
 * 12:36:00 GMT". */
char *sigv4_time(char out[SIGV4_TIME_SIZE], int64_t seconds);
bool sigv4_parse_time(const char *text, int64_t *seconds);

void sigv4_hex(char out[SIGV4_HEX], const unsigned char hash[SIGV4_HASH]);
void sigv4_sha256(const void *bytes, size_t length, char hex[SIGV4_HEX]);
/* Percent-encodes all but A-Z a-z 0-9 - . _ ~, and '/' when keep_slash. */
void sigv4_encode(struct buf *out, const char *text, size_t length, bool keep_slash);
/* Percent-decodes; '+' is a blank when plus_is_blank. A '%' that begins no escape stands for itself. */
void sigv4_decode(struct buf *out, const char *text, size_t length, bool plus_is_blank);

/* The canonical request. signed_headers: lower case, sorted, separated by ';', or NULL: all that are given
 * but those that proxies change (authorization, connection, expect, user-agent, x-amzn-trace-id,
 * transfer-encoding). False when a header named there is missing or a limit is reached. */
bool sigv4_canonical(const struct sigv4_request *request, const char *signed_headers, struct buf *out);
/* The list of signed headers for the NULL above. */
bool sigv4_signed_headers(const struct sigv4_request *request, struct buf *out);
void sigv4_string_to_sign(const struct sigv4_scope *scope, const struct buf *canonical, struct buf *out);
void sigv4_key(const char *secret_key, const struct sigv4_scope *scope, unsigned char key[SIGV4_HASH]);
void sigv4_signature(const unsigned char key[SIGV4_HASH], const void *text, size_t length,
                     char signature[SIGV4_HEX]);

/* Keys derived lately; four HMACs saved a request. NULL is allowed below: no cache. */
struct sigv4_cache;
struct sigv4_cache *sigv4_cache_create(void);
void sigv4_cache_destroy(struct sigv4_cache *cache);
void sigv4_cache_key(struct sigv4_cache *cache, const char *secret_key, const struct sigv4_scope *scope,
                     unsigned char key[SIGV4_HASH]);

/* ---- signing ---------------------------------------------------------------------------------------- */

/* The value of the Authorization header for request, whose headers must hold host and x-amz-date already (and
 * x-amz-content-sha256 for S3). `signature` (NULL allowed) is the seed of chunk signatures. False: a limit.
 */
bool sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                const struct sigv4_scope *scope, struct sigv4_cache *cache, struct buf *authorization,
                char signature[SIGV4_HEX]);
/* The raw query of a presigned URL: that of the request, then X-Amz-*. Signs all headers given (host at
 * least). */
bool sigv4_presign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                   const struct sigv4_scope *scope, int64_t expires_seconds, struct sigv4_cache *cache,
                   struct buf *query);

/* The signature of a chunk of an aws-chunked body; `previous` is the seed at first. */
void sigv4_chunk(const unsigned char key[SIGV4_HASH], const struct sigv4_scope *scope, const char *previous,
                 const char *chunk_hash, char signature[SIGV4_HEX]);
/* Of the trailers, "name:value\n" each. */
void sigv4_trailer(const unsigned char key[SIGV4_HASH], const struct sigv4_scope *scope, const char *previous,
                   const void *trailers, size_t length, char signature[SIGV4_HEX]);

/* ---- verifying -------------------------------------------------------------------------------------- */

/* What a request says of its signature. */
struct sigv4_claim {
    char access_key[132];
    struct sigv4_scope scope;
    char date[9]; /* of the scope; must be that of scope.time */
    char signed_headers[2048];
    char signature[SIGV4_HEX];
    bool presigned;
    int64_t expires; /* seconds; presigned only */
    int64_t seconds; /* scope.time since 1970 */
};

enum sigv4_found {
    SIGV4_NONE,      /* not signed */
    SIGV4_CLAIM,     /* to be verified */
    SIGV4_OTHER,     /* another scheme: "AWS", "Basic", "AWS4-ECDSA-…" */
    SIGV4_MALFORMED, /* reason says how */
    SIGV4_NO_DATE    /* no usable x-amz-date or date */
};

/* Reads Authorization or X-Amz-* parameters. reason receives a short text for SIGV4_MALFORMED. */
enum sigv4_found sigv4_read(const struct sigv4_request *request, struct sigv4_claim *claim, char reason[160]);
/* Computes the signature with this secret and compares in constant time. canonical and string receive the
 * texts, for the answer of a mismatch. */
bool sigv4_verify(const struct sigv4_request *request, const struct sigv4_claim *claim,
                  const unsigned char key[SIGV4_HASH], struct buf *canonical, struct buf *string);
/* Constant time in the content. */
bool sigv4_equal(const char *a, const char *b);

/* The value of the first header of that name; NULL when absent. */
const char *sigv4_header_value(const struct sigv4_request *request, const char *name);

#endif
