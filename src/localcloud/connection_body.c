#include "localcloud/connection.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * The body of a request. S3's is authenticated by its headers before a byte is taken, and streamed into a
 * blob when it is an object; what the headers promised of it (length, SHA-256, MD5, checksum, trailers) is
 * verified at the end. JSON and query services sign the hash of the body, so theirs is read into memory
 * first.
 */

static struct request *request_of(struct exchange *exchange)
{
    return &exchange->request;
}

static bool is_rest(const struct exchange *exchange)
{
    return exchange->request.service && exchange->request.service->protocol == PROTOCOL_REST_XML;
}

static bool is_hex_hash(const char *text)
{
    return strlen(text) == SIGV4_HEX - 1 && strspn(text, "0123456789abcdefABCDEF") == SIGV4_HEX - 1;
}

static bool wrote_piece(void *context, const void *bytes, size_t length);

/* ---- what the headers promise ----------------------------------------------------------------------- */

/* The checksum header, or the trailer that will bring it. */
static int find_checksum(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    const char *algorithm = request_header(request, "x-amz-sdk-checksum-algorithm");
    for (size_t i = 0; i < request->header_count && !request->operation->checksum_of_object; i++) {
        enum checksum_kind kind = checksum_kind_of_header(request->headers[i].name);
        if (kind == CHECKSUM_NONE)
            continue;
        unsigned char value[64];
        const char *text = request->headers[i].value;
        if (request->body_checksum_kind != CHECKSUM_NONE)
            return request_fail(request, 400, "InvalidRequest",
                                "Expecting a single x-amz-checksum- header. Multiple checksum "
                                "Types are not allowed.");
        if (strlen(text) >= CHECKSUM_TEXT_SIZE ||
            text_base64_decode(value, text, strlen(text)) != (long)checksum_bytes(kind))
            return request_fail(request, 400, "InvalidRequest", "Value for %s header is invalid.",
                                checksum_header(kind));
        request->body_checksum_kind = kind;
        text_copy(request->body_checksum, sizeof request->body_checksum, text);
    }
    const char *trailer = request_header(request, "x-amz-trailer");
    if (trailer && exchange->chunked) {
        enum checksum_kind kind = checksum_kind_of_header(trailer);
        if (kind == CHECKSUM_NONE)
            return request_fail(request, 400, "InvalidRequest",
                                "The value specified in the x-amz-trailer header is not supported");
        if (request->body_checksum_kind != CHECKSUM_NONE)
            return request_fail(request, 400, "InvalidRequest", "Expecting a single x-amz-checksum- header");
        request->body_checksum_kind = kind;
        exchange->trailer = checksum_header(kind);
    }
    if (algorithm && checksum_kind_of(algorithm) == CHECKSUM_NONE)
        return request_fail(request, 400, "InvalidRequest",
                            "Checksum algorithm provided is unsupported. Please try again with "
                            "any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    if (algorithm && request->body_checksum_kind != CHECKSUM_NONE &&
        checksum_kind_of(algorithm) != request->body_checksum_kind)
        return request_fail(request, 400, "InvalidRequest",
                            "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    return 0;
}

static int find_length(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    const char *decoded = request_header(request, "x-amz-decoded-content-length");
    const char *length = decoded && exchange->chunked ? decoded : request_header(request, "content-length");
    bool object = request->operation && request->operation->body == BODY_OBJECT;
    int64_t limit = object ? OBJECTS_PUT_MAX : EXCHANGE_MEMORY_MAX;
    if (length && !text_parse_int(length, 0, INT64_MAX / 2, &exchange->length))
        return request_fail(request, 400, "InvalidArgument", "The length is not a number");
    if (!length && object && is_rest(exchange))
        return request_fail(request, 411, "MissingContentLength",
                            "You must provide the Content-Length HTTP header.");
    if (exchange->length <= limit)
        return 0;
    if (is_rest(exchange)) {
        request_fail(request, 400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
        request_fail_member(request, "ProposedSize", json_integer(exchange->length));
        request_fail_member(request, "MaxSizeAllowed", json_integer(limit));
        return -1;
    }
    return request_fail(request, 413, "RequestEntityTooLargeException", "The body is larger than %d bytes",
                        EXCHANGE_MEMORY_MAX);
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static int open_chunks(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    const char *hash = exchange->claimed_hash;
    bool trailer = strcmp(hash, SIGV4_UNSIGNED_TRAILER) == 0 || strcmp(hash, SIGV4_STREAMING_TRAILER) == 0;
    if (auth_is_v2(request))
        return request_fail(request, 400, "InvalidRequest", "aws-chunked bodies need Signature Version 4");
    bool is_signed = strcmp(hash, SIGV4_STREAMING) == 0 || strcmp(hash, SIGV4_STREAMING_TRAILER) == 0;
    if (!trailer && !is_signed)
        return request_fail(
            request, 400, "InvalidRequest",
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid "
            "sha256 "
            "value.");
    if (!request_header(request, "x-amz-decoded-content-length"))
        return request_fail(request, 411, "MissingContentLength",
                            "You must provide the Content-Length HTTP header.");
    exchange->chunked = chunked_create(is_signed ? exchange->auth.key : NULL, &exchange->auth.claim.scope,
                                       exchange->auth.claim.signature, trailer, wrote_piece, exchange);
    return 0;
}

static int open_rest(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    const struct operation *operation = request->operation;
    const char *hash = request_header(request, "x-amz-content-sha256");
    bool presigned = request_parameter(request, "X-Amz-Signature") != NULL;
    if (!hash && !presigned && request_header(request, "authorization"))
        return request_fail(request, 400, "InvalidRequest",
                            "Missing required header for this request: x-amz-content-sha256");
    exchange->claimed_hash = hash ? hash : SIGV4_UNSIGNED;
    if ((auth_is_v2(request)
             ? auth_check_v2(&exchange->context->auth, request)
             : auth_check(&exchange->context->auth, request, exchange->claimed_hash, &exchange->auth)) < 0)
        return -1;
    if (!operation)
        return exchange_refuse_rest(exchange);
    if (exchange_inject(exchange) < 0)
        return -1;
    if (is_hex_hash(exchange->claimed_hash))
        exchange->sha256 = checksum_create(CHECKSUM_SHA256);
    else if (strcmp(exchange->claimed_hash, SIGV4_UNSIGNED) != 0 && open_chunks(exchange) < 0)
        return -1;
    if (find_checksum(exchange) < 0 || find_length(exchange) < 0)
        return -1;
    buf_init(&request->body, EXCHANGE_MEMORY_MAX);
    if (operation->body != BODY_OBJECT)
        return 0;
    struct err err = ERR_INIT;
    request->upload = objects_writer_create(exchange->context->objects, &err);
    if (!request->upload)
        return request_fail_internal(request, &err);
    if (request->body_checksum_kind != CHECKSUM_NONE)
        objects_writer_want(request->upload, request->body_checksum_kind);
    /* What S3 keeps when the client gives none; of a part always, since its upload may keep that. */
    if (request->body_checksum_kind == CHECKSUM_NONE || request_parameter(request, "uploadId"))
        objects_writer_want(request->upload, CHECKSUM_CRC64NVME);
    return 0;
}

int exchange_open_body(struct exchange *exchange)
{
    if (is_rest(exchange))
        return open_rest(exchange);
    buf_init(&exchange->request.body, EXCHANGE_MEMORY_MAX);
    return find_length(exchange);
}

/* ---- pieces ----------------------------------------------------------------------------------------- */

static bool wrote_piece(void *context, const void *bytes, size_t length)
{
    struct exchange *exchange = context;
    struct request *request = request_of(exchange);
    struct err err = ERR_INIT;
    if (request->upload) {
        if (objects_writer_size(request->upload) + (int64_t)length > OBJECTS_PUT_MAX) {
            request_fail(request, 400, "EntityTooLarge",
                         "Your proposed upload exceeds the maximum allowed size");
            return false;
        }
        if (objects_writer_write(request->upload, bytes, length, &err) < 0) {
            request_fail_internal(request, &err);
            return false;
        }
    } else if (!buf_append(&request->body, bytes, length)) {
        if (is_rest(exchange))
            request_fail(request, 400, "MaxMessageLengthExceeded", "Your request was too big.");
        else
            request_fail(request, 413, "RequestEntityTooLargeException", "The body is larger than %d bytes",
                         EXCHANGE_MEMORY_MAX);
        return false;
    }
    return true;
}

static int chunks_failed(struct exchange *exchange, enum chunked_result result)
{
    struct request *request = request_of(exchange);
    if (result == CHUNKED_STOPPED)
        return -1; /* answered by who stopped */
    if (result == CHUNKED_SIGNATURE)
        return request_fail(request, 403, "SignatureDoesNotMatch",
                            "The request signature we calculated does not match the signature you provided. "
                            "Check your key and "
                            "signing method.");
    return request_fail(request, 400, "IncompleteBody", "The request body terminated unexpectedly");
}

void exchange_body(struct exchange *exchange, const void *bytes, size_t length)
{
    exchange->raw_in += (int64_t)length;
    if (exchange->failed)
        return;
    if (exchange->chunked) {
        enum chunked_result result = chunked_feed(exchange->chunked, bytes, length);
        exchange->failed = result != CHUNKED_OK && chunks_failed(exchange, result) < 0;
        return;
    }
    if (exchange->sha256)
        checksum_add(exchange->sha256, bytes, length);
    exchange->failed = !wrote_piece(exchange, bytes, length);
}

/* ---- the end ---------------------------------------------------------------------------------------- */

static int check_md5(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    const char *text = request_header(request, "content-md5");
    unsigned char claimed[64], value[CHECKSUM_BYTES];
    if (!text)
        return 0;
    if (strlen(text) > 64 || text_base64_decode(claimed, text, strlen(text)) != 16)
        return request_fail(request, 400, "InvalidDigest", "The Content-MD5 you specified was invalid.");
    if (request->upload)
        objects_writer_md5(request->upload, value);
    else
        checksum_of(CHECKSUM_MD5, request->body.data ? request->body.data : "", request->body.length, value);
    if (memcmp(claimed, value, 16) == 0)
        return 0;
    return request_fail(request, 400, "BadDigest",
                        "The Content-MD5 you specified did not match what we received.");
}

static int check_checksum(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    enum checksum_kind kind = request->body_checksum_kind;
    char own[CHECKSUM_TEXT_SIZE];
    if (exchange->trailer) {
        const char *value = chunked_trailer(exchange->chunked, exchange->trailer);
        if (!value)
            return request_fail(request, 400, "MalformedTrailerError",
                                "The request contained trailing data that was not well-formed or did not "
                                "conform to our published "
                                "schema.");
        text_copy(request->body_checksum, sizeof request->body_checksum, value);
    }
    if (kind == CHECKSUM_NONE)
        return 0;
    if (request->upload) {
        text_copy(own, sizeof own, objects_writer_checksum(request->upload, kind));
    } else {
        unsigned char value[CHECKSUM_BYTES];
        size_t length =
            checksum_of(kind, request->body.data ? request->body.data : "", request->body.length, value);
        checksum_text(value, length, own);
    }
    if (strcmp(own, request->body_checksum) == 0)
        return 0;
    return request_fail(request, 400, "BadDigest",
                        "The %s you specified did not match the calculated checksum.", checksum_name(kind));
}

static int end_rest(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    struct err err = ERR_INIT;
    if (exchange->chunked) {
        enum chunked_result result = chunked_end(exchange->chunked);
        if (result != CHUNKED_OK)
            return chunks_failed(exchange, result);
        if (chunked_decoded(exchange->chunked) != exchange->length)
            return request_fail(request, 400, "IncompleteBody",
                                "You did not provide the number of bytes specified by the "
                                "x-amz-decoded-content-length HTTP header");
    } else if (exchange->length >= 0 && exchange->raw_in != exchange->length) {
        return request_fail(
            request, 400, "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header");
    }
    if (exchange->sha256) {
        unsigned char hash[CHECKSUM_BYTES];
        char hex[SIGV4_HEX];
        checksum_end(exchange->sha256, hash);
        sigv4_hex(hex, hash);
        if (strcasecmp(hex, exchange->claimed_hash) != 0) {
            request_fail(request, 400, "XAmzContentSHA256Mismatch",
                         "The provided 'x-amz-content-sha256' header does not match what was computed.");
            request_fail_member(request, "ClientComputedContentSHA256", json_string(exchange->claimed_hash));
            request_fail_member(request, "S3ComputedContentSHA256", json_string(hex));
            return -1;
        }
    }
    if (request->upload && objects_writer_close(request->upload, &err) < 0)
        return request_fail_internal(request, &err);
    return check_md5(exchange) < 0 || check_checksum(exchange) < 0 ? -1 : 0;
}

static int end_signed_body(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    const char *body = request->body.data ? request->body.data : "";
    char hash[SIGV4_HEX];
    sigv4_sha256(body, request->body.length, hash);
    if (auth_check(&exchange->context->auth, request, hash, &exchange->auth) < 0)
        return -1;
    if (request->service->protocol == PROTOCOL_QUERY) {
        if (exchange_find_action(exchange) < 0)
            return -1;
    } else {
        json_error_t error;
        request->json = request->body.length
                            ? json_loadb(body, request->body.length, JSON_REJECT_DUPLICATES, &error)
                            : json_object();
        if (!json_is_object(request->json))
            return request_fail(request, 400, "SerializationException", "The body is not a JSON object");
    }
    return exchange_inject(exchange);
}

static void control(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    struct faults *faults = exchange->context->faults;
    const char *token = request_header(request, "x-smartcity-control");
    struct err err = ERR_INIT;
    if (!token || !sigv4_equal(token, keys_control(exchange->context->auth.keys))) {
        request_fail(request, 403, "AccessDenied",
                     "The header x-smartcity-control must hold the control token of keys.json");
        return;
    }
    if (strcmp(request->path, "/_smartcity/faults") != 0) {
        request_fail(request, 404, "NoSuchResource",
                     "There is /_smartcity/faults: GET lists, POST adds one rule a line, DELETE clears");
        return;
    }
    if (strcmp(request->method, "DELETE") == 0) {
        faults_clear(faults);
    } else if (strcmp(request->method, "POST") == 0) {
        const char *line = request->body.data ? request->body.data : "";
        while (*line) {
            size_t length = strcspn(line, "\n");
            const char *rule = request_keep(request, line, length);
            if (rule[strspn(rule, " \t\r")] && faults_add(faults, rule, &err) < 0) {
                request_fail(request, 400, "InvalidRequest", "%s", err.text);
                return;
            }
            line += length + (line[length] == '\n');
        }
    } else if (strcmp(request->method, "GET") != 0) {
        request_fail(request, 405, "MethodNotAllowed", "GET, POST or DELETE");
        return;
    }
    faults_write(faults, request_reply_body(request, "text/plain; charset=utf-8"));
}

/* About what the real services take to answer, when that is asked for. */
static void be_realistic(const struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    if (!exchange->context->realistic)
        return;
    int64_t wait = !is_rest(exchange) ? 60000 : request->operation->mutates ? 45000 : 20000; /* us */
    clock_sleep_until(exchange->begun_us + wait);
}

void exchange_end(struct exchange *exchange)
{
    struct request *request = request_of(exchange);
    if (exchange->failed)
        return;
    if (exchange->control) {
        control(exchange);
        return;
    }
    int result = is_rest(exchange) ? end_rest(exchange) : end_signed_body(exchange);
    exchange->failed = result < 0;
    if (exchange->failed)
        return;
    be_realistic(exchange);
    request->operation->handle(request);
}
