/*
 * One call's way through the loop. prepare() signs right before the request goes out, so that its date is
 * fresh and its keys are good; ended() reads the answer and decides: done, or again. Both run on the loop's
 * thread.
 */
#include "aws/client_private.h"
#include "aws/sign.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/text.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SKEW_MIN_US   60000000ll /* less is no reason for a refusal: the keys are wrong */
#define EXPECT_LENGTH (1 << 20)

/* ---- the body's hash -------------------------------------------------------------------------------- */

static bool read_piece(const struct aws_call *call, int64_t at, void *out, size_t length)
{
    const struct http_transfer *transfer = &call->transfer;
    size_t done = 0;
    while (done < length) {
        ssize_t got = pread(transfer->source_fd, (char *)out + done, length - done,
                            transfer->source_offset + at + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got == 0 ? ENODATA : errno; /* it became shorter */
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

bool aws_call_hash(struct aws_call *call)
{
    enum { PIECE = 1 << 20 };
    struct http_transfer *transfer = &call->transfer;
    int64_t length = transfer->length > 0 ? transfer->length : 0;
    unsigned char hash[EVP_MAX_MD_SIZE], sum[CHECKSUM_BYTES];
    size_t sum_size = 0;
    char *piece = transfer->source_fd >= 0 && length > 0 ? mem_alloc(PIECE) : NULL;
    bool good = true;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    /* SHA-256 is computed anyway. */
    struct checksum *checksum =
        checksum_create(call->checksum == CHECKSUM_SHA256 ? CHECKSUM_NONE : call->checksum);
    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    for (int64_t at = 0; good && at < length; at += PIECE) {
        size_t size = length - at < PIECE ? (size_t)(length - at) : PIECE;
        const char *bytes = piece ? piece : (const char *)transfer->bytes + at;
        if (piece && !read_piece(call, at, piece, size)) {
            err_set_errno(&call->early, ERR_IO, errno, "the file cannot be read");
            good = false;
        } else if (atomic_load(&transfer->cancelled)) {
            good = false;
        } else {
            EVP_DigestUpdate(context, bytes, size);
            if (checksum)
                checksum_add(checksum, bytes, size);
        }
    }
    EVP_DigestFinal_ex(context, hash, NULL);
    EVP_MD_CTX_free(context);
    if (checksum)
        sum_size = checksum_end(checksum, sum);
    checksum_destroy(checksum);
    free(piece);
    sigv4_hex(call->payload_hash, hash);
    if (call->checksum == CHECKSUM_SHA256) {
        memcpy(sum, hash, SIGV4_HASH);
        sum_size = SIGV4_HASH;
    }
    if (good && sum_size > 0) {
        char text[CHECKSUM_TEXT_SIZE];
        checksum_text(sum, sum_size, text);
        memcpy(call->answer.checksum, text, sizeof text);
        call->headers[call->header_count++] =
            (struct aws_header){mem_text(checksum_header(call->checksum)), mem_text(text)};
    }
    return good;
}

/* ---- out -------------------------------------------------------------------------------------------- */

static int64_t skew_of(struct aws_client *client)
{
    pthread_mutex_lock(&client->lock);
    int64_t skew = client->figures.skew_us;
    pthread_mutex_unlock(&client->lock);
    return skew;
}

enum http_prepared aws_call_prepare(struct http_transfer *transfer)
{
    struct aws_call *call = (struct aws_call *)transfer;
    struct aws_client *client = call->client;
    if (call->early.kind != ERR_NONE)
        return HTTP_GIVE_UP;
    if (call->own_keys) {
        call->keys = *call->own_keys;
    } else if (!call->anonymous) {
        enum aws_keys_state state = aws_provider_get(client->provider, &call->keys, &call->early);
        if (state != AWS_KEYS_READY)
            return state == AWS_KEYS_COMING ? HTTP_LATER : HTTP_GIVE_UP;
    }
    struct aws_signing signing = {.service = call->service,
                                  .endpoint = &client->config.endpoints[call->service],
                                  .region = client->config.region,
                                  .method = call->method,
                                  .bucket = call->bucket,
                                  .key = call->key,
                                  .query = call->query,
                                  .headers = call->headers,
                                  .header_count = call->header_count,
                                  .payload_hash = call->payload_hash,
                                  .keys = call->anonymous ? NULL : &call->keys,
                                  .wall_us = clock_wall_us() + skew_of(client),
                                  .expect = transfer->length >= EXPECT_LENGTH};
    if (aws_sign(&signing, client->cache, &call->url, &call->lines, &call->early) != 0)
        return HTTP_GIVE_UP;
    transfer->method = call->method;
    transfer->url = call->url.data;
    transfer->headers = call->lines;
    call->answer.attempts++;
    return HTTP_START;
}

/* ---- back ------------------------------------------------------------------------------------------- */

static enum retry_class class_of(const struct aws_call *call)
{
    const struct aws_answer *answer = &call->answer;
    switch (call->transfer.end) {
    case HTTP_ANSWERED:
        if (strcmp(answer->code, "UnreadableAnswer") == 0)
            return RETRY_NO; /* it was carried out, or this is no AWS */
        /* 200 with an error inside */
        return retry_class_of(answer->status < 300 ? 500 : answer->status, answer->code);
    case HTTP_UNSENT:
        return RETRY_UNSENT;
    case HTTP_BROKEN:
        return RETRY_TRANSIENT;
    default:
        return RETRY_NO;
    }
}

/* The server's clock is the one that counts. */
static bool repair_skew(struct aws_call *call)
{
    struct aws_client *client = call->client;
    char date[64];
    int64_t seconds;
    if (call->skew_repaired || !aws_answer_header(&call->answer, "date", date, sizeof date) ||
        !sigv4_parse_time(date, &seconds))
        return false;
    int64_t skew = seconds * 1000000 - clock_wall_us();
    int64_t change = skew - skew_of(client);
    if (change > -SKEW_MIN_US && change < SKEW_MIN_US)
        return false;
    call->skew_repaired = true;
    pthread_mutex_lock(&client->lock);
    client->figures.skew_us = skew;
    pthread_mutex_unlock(&client->lock);
    log_write(client->log, LOG_WARNING, "aws",
              "this machine's clock is %lld s %s AWS's; requests carry AWS's time",
              (long long)(skew < 0 ? -skew : skew) / 1000000, skew < 0 ? "ahead of" : "behind");
    return true;
}

static bool renew_keys(struct aws_call *call)
{
    if (call->keys_renewed || call->own_keys || call->anonymous)
        return false;
    call->keys_renewed = true;
    aws_provider_reject(call->client->provider, &call->keys);
    return true;
}

static double draw(struct aws_client *client)
{
    struct rng_key key = {.seed = client->seed, .tick = client->draws++};
    return rng_uniform(&key);
}

/* Sets when to try again; false: this is the end of it. */
static bool again(struct aws_call *call, enum retry_class class)
{
    struct aws_client *client = call->client;
    int64_t now = clock_mono_us(), after_ms = -1;
    char after[24];
    if (atomic_load(&call->transfer.cancelled) || class == RETRY_NO)
        return false;
    call->transfer.start_us = 0;
    if (class == RETRY_SKEW)
        return repair_skew(call);
    if (class == RETRY_EXPIRED)
        return renew_keys(call);
    if (call->answer.attempts >= client->settings.attempts ||
        (class == RETRY_TRANSIENT && call->repeat == AWS_REPEAT_NEVER))
        return false;
    if (aws_answer_header(&call->answer, "x-amz-retry-after", after, sizeof after) &&
        !text_parse_int(after, 0, INT64_MAX, &after_ms))
        after_ms = -1;
    int64_t delay = retry_delay_us(class, call->answer.attempts, after_ms, draw(client));
    if (delay > client->settings.retry_wait_us)
        delay = client->settings.retry_wait_us;
    if (call->transfer.deadline_us > 0 && now + delay >= call->transfer.deadline_us)
        return false;
    int taken = retry_quota_take(&client->quota, class);
    if (taken == 0)
        return false;
    call->quota_taken = taken;
    call->transfer.start_us = now + delay;
    pthread_mutex_lock(&client->lock);
    client->figures.retries++;
    client->figures.throttled += class == RETRY_THROTTLED;
    pthread_mutex_unlock(&client->lock);
    char name[300];
    aws_call_name(call, name, sizeof name);
    log_write(client->log, LOG_INFO, "aws", "%s: %s; again in %.2f s (%d of %d)", name,
              call->answer.code[0] ? call->answer.code : call->transfer.reason, (double)delay / 1e6,
              call->answer.attempts + 1, client->settings.attempts);
    return true;
}

void aws_call_ended(struct http_transfer *transfer)
{
    struct aws_call *call = (struct aws_call *)transfer;
    bool good = false;
    curl_slist_free_all(call->lines);
    call->lines = NULL;
    if (transfer->end == HTTP_ANSWERED) {
        good = aws_answer_read(call);
    } else {
        /* What an attempt before it was told is history. */
        call->answer.status = 0;
        call->answer.code[0] = call->answer.message[0] = '\0';
        call->answer.head = transfer->head;
        call->answer.body = transfer->body;
    }
    if (good) {
        retry_quota_give(&call->client->quota, call->quota_taken);
        call->answer.err = ERR_INIT;
    } else {
        enum retry_class class = class_of(call);
        if (again(call, class) && http_submit(call->client->http, transfer))
            return;
        aws_answer_fail(call, class);
    }
    aws_client_complete(call);
}
