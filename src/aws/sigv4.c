#include "aws/sigv4.h"

#include "base/err.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define LIMIT     (1u << 20) /* of a canonical request */

void sigv4_sha256(const void *bytes, size_t length, char hex[SIGV4_HEX])
{
    unsigned char hash[SIGV4_HASH];
    SHA256(bytes, length, hash);
    sigv4_hex(hex, hash);
}

static void hmac(const void *key, size_t key_length, const void *text, size_t length,
                 unsigned char out[SIGV4_HASH])
{
    HMAC(EVP_sha256(), key, (int)key_length, text, length, out, NULL);
}

void sigv4_key(const char *secret_key, const struct sigv4_scope *scope, unsigned char key[SIGV4_HASH])
{
    char first[4 + 256];
    size_t length = strnlen(secret_key, sizeof first - 5);
    memcpy(first, "AWS4", 4);
    memcpy(first + 4, secret_key, length);
    hmac(first, length + 4, scope->time, 8, key);
    hmac(key, SIGV4_HASH, scope->region, strlen(scope->region), key);
    hmac(key, SIGV4_HASH, scope->service, strlen(scope->service), key);
    hmac(key, SIGV4_HASH, "aws4_request", 12, key);
    OPENSSL_cleanse(first, sizeof first);
}

void sigv4_signature(const unsigned char key[SIGV4_HASH], const void *text, size_t length,
                     char signature[SIGV4_HEX])
{
    unsigned char mac[SIGV4_HASH];
    hmac(key, SIGV4_HASH, text, length, mac);
    sigv4_hex(signature, mac);
}

void sigv4_string_to_sign(const struct sigv4_scope *scope, const struct buf *canonical, struct buf *out)
{
    char hash[SIGV4_HEX];
    sigv4_sha256(canonical->data, canonical->length, hash);
    buf_printf(out, ALGORITHM "\n%s\n%.8s/%s/%s/aws4_request\n%s", scope->time, scope->time, scope->region,
               scope->service, hash);
}

/* ---- key cache -------------------------------------------------------------------------------------- */

struct cache_entry {
    char day[9], region[64], service[64];
    char secret[256];
    unsigned char key[SIGV4_HASH];
};

struct sigv4_cache {
    pthread_mutex_t lock;
    size_t next;
    struct cache_entry entries[16];
};

struct sigv4_cache *sigv4_cache_create(void)
{
    struct sigv4_cache *cache = mem_zero(1, sizeof *cache);
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void sigv4_cache_destroy(struct sigv4_cache *cache)
{
    if (!cache)
        return;
    pthread_mutex_destroy(&cache->lock);
    OPENSSL_cleanse(cache, sizeof *cache);
    free(cache);
}

void sigv4_cache_key(struct sigv4_cache *cache, const char *secret_key, const struct sigv4_scope *scope,
                     unsigned char key[SIGV4_HASH])
{
    if (!cache || strlen(secret_key) >= sizeof cache->entries[0].secret) {
        sigv4_key(secret_key, scope, key);
        return;
    }
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < sizeof cache->entries / sizeof *cache->entries; i++) {
        const struct cache_entry *entry = &cache->entries[i];
        if (entry->day[0] && strncmp(entry->day, scope->time, 8) == 0 &&
            strcmp(entry->service, scope->service) == 0 && strcmp(entry->region, scope->region) == 0 &&
            strcmp(entry->secret, secret_key) == 0) {
            memcpy(key, entry->key, SIGV4_HASH);
            pthread_mutex_unlock(&cache->lock);
            return;
        }
    }
    struct cache_entry *entry =
        &cache->entries[cache->next++ % (sizeof cache->entries / sizeof *cache->entries)];
    sigv4_key(secret_key, scope, key);
    snprintf(entry->day, sizeof entry->day, "%.8s", scope->time);
    text_copy(entry->region, sizeof entry->region, scope->region);
    text_copy(entry->service, sizeof entry->service, scope->service);
    text_copy(entry->secret, sizeof entry->secret, secret_key);
    memcpy(entry->key, key, SIGV4_HASH);
    pthread_mutex_unlock(&cache->lock);
}

/* ---- signing ---------------------------------------------------------------------------------------- */

bool sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                const struct sigv4_scope *scope, struct sigv4_cache *cache, struct buf *authorization,
                char signature[SIGV4_HEX])
{
    struct buf canonical, string, names;
    unsigned char key[SIGV4_HASH];
    char made[SIGV4_HEX];
    buf_init(&canonical, LIMIT);
    buf_init(&string, 1024);
    buf_init(&names, 8192);
    buf_text(&names, "");
    bool good = sigv4_signed_headers(request, &names) && sigv4_canonical(request, names.data, &canonical);
    if (good) {
        sigv4_string_to_sign(scope, &canonical, &string);
        sigv4_cache_key(cache, credentials->secret_key, scope, key);
        sigv4_signature(key, string.data, string.length, made);
        if (signature)
            memcpy(signature, made, sizeof made);
        good = buf_printf(
            authorization, ALGORITHM " Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
            credentials->access_key, scope->time, scope->region, scope->service, names.data, made);
    }
    OPENSSL_cleanse(key, sizeof key);
    buf_free(&canonical);
    buf_free(&string);
    buf_free(&names);
    return good;
}

static void add_parameter(struct buf *query, const char *name, const char *value)
{
    if (query->length > 0)
        buf_char(query, '&');
    buf_printf(query, "%s=", name);
    sigv4_encode(query, value, strlen(value), false);
}

bool sigv4_presign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                   const struct sigv4_scope *scope, int64_t expires_seconds, struct sigv4_cache *cache,
                   struct buf *query)
{
    struct buf canonical, string, names;
    unsigned char key[SIGV4_HASH];
    char signature[SIGV4_HEX], value[400];
    buf_init(&canonical, LIMIT);
    buf_init(&string, 1024);
    buf_init(&names, 8192);
    buf_text(&names, "");
    buf_text(query, request->query);
    bool good = sigv4_signed_headers(request, &names);
    add_parameter(query, "X-Amz-Algorithm", ALGORITHM);
    snprintf(value, sizeof value, "%s/%.8s/%s/%s/aws4_request", credentials->access_key, scope->time,
             scope->region, scope->service);
    add_parameter(query, "X-Amz-Credential", value);
    add_parameter(query, "X-Amz-Date", scope->time);
    snprintf(value, sizeof value, "%lld", (long long)expires_seconds);
    add_parameter(query, "X-Amz-Expires", value);
    if (credentials->token)
        add_parameter(query, "X-Amz-Security-Token", credentials->token);
    add_parameter(query, "X-Amz-SignedHeaders", names.data);
    struct sigv4_request whole = *request;
    whole.query = query->data;
    good = good && !query->overflow && sigv4_canonical(&whole, names.data, &canonical);
    if (good) {
        sigv4_string_to_sign(scope, &canonical, &string);
        sigv4_cache_key(cache, credentials->secret_key, scope, key);
        sigv4_signature(key, string.data, string.length, signature);
        add_parameter(query, "X-Amz-Signature", signature);
    }
    OPENSSL_cleanse(key, sizeof key);
    buf_free(&canonical);
    buf_free(&string);
    buf_free(&names);
    return good && !query->overflow;
}

void sigv4_chunk(const unsigned char key[SIGV4_HASH], const struct sigv4_scope *scope, const char *previous,
                 const char *chunk_hash, char signature[SIGV4_HEX])
{
    struct buf string;
    buf_init(&string, 1024);
    buf_printf(&string, ALGORITHM "-PAYLOAD\n%s\n%.8s/%s/%s/aws4_request\n%s\n" SIGV4_EMPTY_HASH "\n%s",
               scope->time, scope->time, scope->region, scope->service, previous, chunk_hash);
    sigv4_signature(key, string.data, string.length, signature);
    buf_free(&string);
}

void sigv4_trailer(const unsigned char key[SIGV4_HASH], const struct sigv4_scope *scope, const char *previous,
                   const void *trailers, size_t length, char signature[SIGV4_HEX])
{
    struct buf string;
    char hash[SIGV4_HEX];
    buf_init(&string, 1024);
    sigv4_sha256(trailers, length, hash);
    buf_printf(&string, ALGORITHM "-TRAILER\n%s\n%.8s/%s/%s/aws4_request\n%s\n%s", scope->time, scope->time,
               scope->region, scope->service, previous, hash);
    sigv4_signature(key, string.data, string.length, signature);
    buf_free(&string);
}

/* ---- verifying -------------------------------------------------------------------------------------- */

static enum sigv4_found malformed(char reason[160], const char *text)
{
    text_copy(reason, 160, text);
    return SIGV4_MALFORMED;
}

static bool copy_piece(char *out, size_t size, const char *text, size_t length)
{
    if (length == 0 || length >= size)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

/* "KEY/20150830/us-east-1/s3/aws4_request"; the key itself may hold '/'. */
static bool read_credential(struct sigv4_claim *claim, const char *text, size_t length)
{
    const char *slash[4];
    const char *end = text + length;
    size_t found = 0;
    for (const char *at = end; at > text && found < 4; at--)
        if (at[-1] == '/')
            slash[3 - found++] = at - 1;
    return found == 4 && (size_t)(end - slash[3] - 1) == 12 &&
           memcmp(slash[3] + 1, "aws4_request", 12) == 0 &&
           copy_piece(claim->access_key, sizeof claim->access_key, text, (size_t)(slash[0] - text)) &&
           slash[1] - slash[0] == 9 && copy_piece(claim->date, sizeof claim->date, slash[0] + 1, 8) &&
           copy_piece(claim->scope.region, sizeof claim->scope.region, slash[1] + 1,
                      (size_t)(slash[2] - slash[1] - 1)) &&
           copy_piece(claim->scope.service, sizeof claim->scope.service, slash[2] + 1,
                      (size_t)(slash[3] - slash[2] - 1));
}

static bool is_signature(const char *text)
{
    return strlen(text) == SIGV4_HEX - 1 && strspn(text, "0123456789abcdef") == SIGV4_HEX - 1;
}

static bool names_host(const char *signed_headers)
{
    for (const char *at = signed_headers; *at;) {
        size_t length = strcspn(at, ";");
        if (length == 4 && memcmp(at, "host", 4) == 0)
            return true;
        at += length + (at[length] == ';');
    }
    return false;
}

static enum sigv4_found read_header(const struct sigv4_request *request, const char *text,
                                    struct sigv4_claim *claim, char reason[160])
{
    text += strlen(ALGORITHM);
    while (*text) {
        text += strspn(text, ", \t");
        size_t name = strcspn(text, "=,"), length = strcspn(text, ",");
        if (*text == '\0')
            break;
        if (name >= length)
            return malformed(reason, "The authorization header is malformed; it holds a part without '='.");
        const char *value = text + name + 1;
        size_t value_length = length - name - 1;
        while (value_length > 0 && (value[value_length - 1] == ' ' || value[value_length - 1] == '\t'))
            value_length--;
        if (name == 10 && memcmp(text, "Credential", 10) == 0) {
            if (!read_credential(claim, value, value_length))
                return malformed(
                    reason, "The authorization header is malformed; the Credential is mal-formed; expecting "
                            "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
        } else if (name == 13 && memcmp(text, "SignedHeaders", 13) == 0) {
            if (!copy_piece(claim->signed_headers, sizeof claim->signed_headers, value, value_length))
                return malformed(
                    reason, "The authorization header is malformed; SignedHeaders is empty or too long.");
        } else if (name == 9 && memcmp(text, "Signature", 9) == 0) {
            if (!copy_piece(claim->signature, sizeof claim->signature, value, value_length))
                return malformed(
                    reason, "The authorization header is malformed; the Signature is too long or empty.");
        }
        text += length;
    }
    if (!claim->access_key[0] || !claim->signed_headers[0] || !claim->signature[0])
        return malformed(
            reason,
            "The authorization header is malformed; it needs Credential, SignedHeaders and Signature.");
    const char *date = sigv4_header_value(request, "x-amz-date");
    if (!date)
        date = sigv4_header_value(request, "date");
    if (!date || !sigv4_parse_time(date, &claim->seconds))
        return SIGV4_NO_DATE;
    return SIGV4_CLAIM;
}

/* A parameter of the raw query, decoded; false when absent or too long. */
static bool query_value(const char *query, const char *name, char *out, size_t size)
{
    size_t name_length = strlen(name);
    for (const char *at = query; *at;) {
        size_t length = strcspn(at, "&");
        if (length > name_length && strncmp(at, name, name_length) == 0 && at[name_length] == '=') {
            struct buf value;
            buf_init(&value, size - 1);
            buf_text(&value, "");
            sigv4_decode(&value, at + name_length + 1, length - name_length - 1, true);
            bool good = !value.overflow && strlen(value.data) == value.length;
            if (good)
                memcpy(out, value.data, value.length + 1);
            buf_free(&value);
            return good;
        }
        at += length + (at[length] == '&');
    }
    return false;
}

static enum sigv4_found read_query(const struct sigv4_request *request, struct sigv4_claim *claim,
                                   char reason[160])
{
    char text[400];
    claim->presigned = true;
    if (!query_value(request->query, "X-Amz-Algorithm", text, sizeof text) || strcmp(text, ALGORITHM) != 0)
        return malformed(reason, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
    if (!query_value(request->query, "X-Amz-Credential", text, sizeof text) ||
        !read_credential(claim, text, strlen(text)))
        return malformed(
            reason, "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
                    "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    if (!query_value(request->query, "X-Amz-SignedHeaders", claim->signed_headers,
                     sizeof claim->signed_headers) ||
        !query_value(request->query, "X-Amz-Signature", claim->signature, sizeof claim->signature))
        return malformed(
            reason, "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
    if (!query_value(request->query, "X-Amz-Date", text, sizeof text) ||
        strlen(text) != SIGV4_TIME_SIZE - 1 || !sigv4_parse_time(text, &claim->seconds))
        return malformed(reason, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    if (!query_value(request->query, "X-Amz-Expires", text, sizeof text) ||
        !text_parse_int(text, INT64_MIN / 2, INT64_MAX / 2, &claim->expires))
        return malformed(reason, "X-Amz-Expires should be a number");
    if (claim->expires < 0)
        return malformed(reason, "X-Amz-Expires must be non-negative");
    if (claim->expires > 604800)
        return malformed(
            reason, "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
                    "must be less than 604800 seconds");
    return SIGV4_CLAIM;
}

enum sigv4_found sigv4_read(const struct sigv4_request *request, struct sigv4_claim *claim, char reason[160])
{
    char text[8];
    memset(claim, 0, sizeof *claim);
    reason[0] = '\0';
    const char *authorization = sigv4_header_value(request, "authorization");
    enum sigv4_found found;
    if (authorization) {
        size_t scheme = strcspn(authorization, " ");
        if (scheme != strlen(ALGORITHM) || memcmp(authorization, ALGORITHM, scheme) != 0)
            return SIGV4_OTHER;
        found = read_header(request, authorization, claim, reason);
    } else if (strstr(request->query, "X-Amz-Algorithm=") || strstr(request->query, "X-Amz-Signature=")) {
        found = read_query(request, claim, reason);
    } else {
        return query_value(request->query, "Signature", text, sizeof text) ||
                       strstr(request->query, "AWSAccessKeyId=")
                   ? SIGV4_OTHER
                   : SIGV4_NONE;
    }
    if (found != SIGV4_CLAIM)
        return found;
    sigv4_time(claim->scope.time, claim->seconds);
    if (!is_signature(claim->signature))
        return malformed(reason, "The Signature is not 64 hexadecimal digits.");
    if (!names_host(claim->signed_headers))
        return malformed(reason, "SignedHeaders must hold host.");
    if (strncmp(claim->date, claim->scope.time, 8) != 0)
        return malformed(reason, "Invalid credential date; it is not that of X-Amz-Date.");
    return SIGV4_CLAIM;
}

bool sigv4_equal(const char *a, const char *b)
{
    size_t length = strlen(a);
    return strlen(b) == length && CRYPTO_memcmp(a, b, length) == 0;
}

bool sigv4_verify(const struct sigv4_request *request, const struct sigv4_claim *claim,
                  const unsigned char key[SIGV4_HASH], struct buf *canonical, struct buf *string)
{
    char signature[SIGV4_HEX];
    if (!sigv4_canonical(request, claim->signed_headers, canonical))
        return false;
    sigv4_string_to_sign(&claim->scope, canonical, string);
    sigv4_signature(key, string->data, string->length, signature);
    return sigv4_equal(signature, claim->signature);
}
