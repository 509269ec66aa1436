#include "localcloud/chunked.h"

#include "base/err.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum state { STATE_LINE, STATE_DATA, STATE_DATA_CR, STATE_DATA_LF, STATE_TRAILER, STATE_DONE, STATE_FAILED };

#define TRAILERS_MAX 8

struct chunked {
    enum state state;
    enum chunked_result failure;
    bool signed_chunks, with_trailer, cr;
    unsigned char key[SIGV4_HASH];
    struct sigv4_scope scope;
    char previous[SIGV4_HEX], claimed[SIGV4_HEX];
    EVP_MD_CTX *hash; /* of the chunk in hand; NULL for unsigned chunks */
    uint64_t left;    /* of the chunk */
    bool last;        /* the chunk in hand is the one of length 0 */
    int64_t decoded;
    struct buf line;
    struct buf trailers; /* "name:value\n", as signed */
    char *names[TRAILERS_MAX], *values[TRAILERS_MAX];
    size_t trailer_count;
    bool (*write)(void *context, const void *bytes, size_t length);
    void *context;
};

struct chunked *chunked_create(const unsigned char *key, const struct sigv4_scope *scope, const char *seed,
                               bool trailer, bool (*write)(void *context, const void *bytes, size_t length),
                               void *context)
{
    struct chunked *chunked = mem_zero(1, sizeof *chunked);
    chunked->signed_chunks = key != NULL;
    chunked->with_trailer = trailer;
    chunked->write = write;
    chunked->context = context;
    if (key) {
        memcpy(chunked->key, key, sizeof chunked->key);
        chunked->scope = *scope;
        memcpy(chunked->previous, seed, sizeof chunked->previous);
        chunked->hash = EVP_MD_CTX_new();
        if (!chunked->hash)
            abort(); /* no memory */
    }
    buf_init(&chunked->line, CHUNKED_LINE_MAX);
    buf_init(&chunked->trailers, CHUNKED_TRAILER_MAX);
    buf_text(&chunked->line, "");
    buf_text(&chunked->trailers, "");
    return chunked;
}

void chunked_destroy(struct chunked *chunked)
{
    if (!chunked)
        return;
    for (size_t i = 0; i < chunked->trailer_count; i++) {
        free(chunked->names[i]);
        free(chunked->values[i]);
    }
    EVP_MD_CTX_free(chunked->hash);
    OPENSSL_cleanse(chunked->key, sizeof chunked->key);
    buf_free(&chunked->line);
    buf_free(&chunked->trailers);
    free(chunked);
}

static enum chunked_result fail(struct chunked *chunked, enum chunked_result failure)
{
    chunked->state = STATE_FAILED;
    return chunked->failure = failure;
}

static bool read_length(const char *text, size_t length, uint64_t *value)
{
    *value = 0;
    if (length == 0 || length > 15)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char *digits = "0123456789abcdef",
                   *at = strchr(digits, text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
        if (!at || text[i] == '\0')
            return false;
        *value = *value << 4 | (uint64_t)(at - digits);
    }
    return true;
}

/* "LENGTH" or "LENGTH;chunk-signature=HEX"; other extensions are passed over. */
static enum chunked_result chunk_begins(struct chunked *chunked)
{
    static const char word[] = ";chunk-signature=";
    const char *line = chunked->line.data;
    size_t digits = strcspn(line, ";");
    if (strlen(line) != chunked->line.length || !read_length(line, digits, &chunked->left))
        return fail(chunked, CHUNKED_MALFORMED);
    if (chunked->signed_chunks) {
        const char *signature = strstr(line + digits, word);
        if (!signature || strcspn(signature + sizeof word - 1, ";") != SIGV4_HEX - 1)
            return fail(chunked, CHUNKED_MALFORMED);
        memcpy(chunked->claimed, signature + sizeof word - 1, SIGV4_HEX - 1);
        chunked->claimed[SIGV4_HEX - 1] = '\0';
        EVP_DigestInit_ex(chunked->hash, EVP_sha256(), NULL);
    }
    chunked->last = chunked->left == 0;
    chunked->state = STATE_DATA;
    return CHUNKED_OK;
}

/* All bytes of the chunk are there. */
static enum chunked_result chunk_ends(struct chunked *chunked)
{
    if (chunked->signed_chunks) {
        unsigned char hash[SIGV4_HASH];
        char hex[SIGV4_HEX], signature[SIGV4_HEX];
        EVP_DigestFinal_ex(chunked->hash, hash, NULL);
        sigv4_hex(hex, hash);
        sigv4_chunk(chunked->key, &chunked->scope, chunked->previous, hex, signature);
        if (!sigv4_equal(signature, chunked->claimed))
            return fail(chunked, CHUNKED_SIGNATURE);
        memcpy(chunked->previous, signature, sizeof signature);
    }
    chunked->state = chunked->last ? STATE_TRAILER : STATE_DATA_CR;
    return CHUNKED_OK;
}

static enum chunked_result trailers_end(struct chunked *chunked)
{
    const char *claimed = NULL;
    chunked->state = STATE_DONE;
    if (!chunked->with_trailer || !chunked->signed_chunks)
        return CHUNKED_OK;
    for (size_t i = 0; i < chunked->trailer_count; i++)
        if (strcmp(chunked->names[i], "x-amz-trailer-signature") == 0)
            claimed = chunked->values[i];
    if (!claimed)
        return fail(chunked, CHUNKED_MALFORMED);
    char signature[SIGV4_HEX];
    sigv4_trailer(chunked->key, &chunked->scope, chunked->previous, chunked->trailers.data,
                  chunked->trailers.length, signature);
    return sigv4_equal(signature, claimed) ? CHUNKED_OK : fail(chunked, CHUNKED_SIGNATURE);
}

static enum chunked_result trailer_line(struct chunked *chunked)
{
    char *line = chunked->line.data;
    if (chunked->line.length == 0)
        return trailers_end(chunked);
    char *colon = strchr(line, ':');
    if (strlen(line) != chunked->line.length || !colon || !chunked->with_trailer ||
        chunked->trailer_count == TRAILERS_MAX)
        return fail(chunked, CHUNKED_MALFORMED);
    char *value = colon + 1;
    *colon = '\0';
    value += strspn(value, " \t");
    for (size_t end = strlen(value); end > 0 && strchr(" \t\n\r", value[end - 1]); end--)
        value[end - 1] = '\0';
    for (char *at = line; *at; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
    chunked->names[chunked->trailer_count] = mem_text(line);
    chunked->values[chunked->trailer_count++] = mem_text(value);
    if (strcmp(line, "x-amz-trailer-signature") != 0 &&
        !buf_printf(&chunked->trailers, "%s:%s\n", line, value))
        return fail(chunked, CHUNKED_MALFORMED);
    return CHUNKED_OK;
}

/* Collects a line up to CR LF; some clients end trailer lines with LF alone. */
static enum chunked_result line_byte(struct chunked *chunked, char byte)
{
    if (byte != '\n')
        return buf_char(&chunked->line, byte) ? CHUNKED_OK : fail(chunked, CHUNKED_MALFORMED);
    if (chunked->line.length > 0 && chunked->line.data[chunked->line.length - 1] == '\r')
        chunked->line.data[--chunked->line.length] = '\0';
    else if (chunked->state == STATE_LINE)
        return fail(chunked, CHUNKED_MALFORMED);
    enum chunked_result result = chunked->state == STATE_LINE ? chunk_begins(chunked) : trailer_line(chunked);
    buf_reset(&chunked->line);
    return result;
}

static enum chunked_result data_bytes(struct chunked *chunked, const char *bytes, size_t length)
{
    if (chunked->hash)
        EVP_DigestUpdate(chunked->hash, bytes, length);
    chunked->left -= length;
    chunked->decoded += (int64_t)length;
    return chunked->write(chunked->context, bytes, length) ? CHUNKED_OK : fail(chunked, CHUNKED_STOPPED);
}

enum chunked_result chunked_feed(struct chunked *chunked, const void *bytes, size_t length)
{
    const char *at = bytes, *end = at + length;
    enum chunked_result result = chunked->state == STATE_FAILED ? chunked->failure : CHUNKED_OK;
    while (result == CHUNKED_OK && (at < end || (chunked->state == STATE_DATA && chunked->left == 0))) {
        switch (chunked->state) {
        case STATE_DATA:
            if (chunked->left > 0) {
                size_t piece =
                    (uint64_t)(end - at) < chunked->left ? (size_t)(end - at) : (size_t)chunked->left;
                result = data_bytes(chunked, at, piece);
                at += piece;
            } else {
                result = chunk_ends(chunked);
            }
            break;
        case STATE_DATA_CR:
            chunked->state = STATE_DATA_LF;
            result = *at++ == '\r' ? CHUNKED_OK : fail(chunked, CHUNKED_MALFORMED);
            break;
        case STATE_DATA_LF:
            chunked->state = STATE_LINE;
            result = *at++ == '\n' ? CHUNKED_OK : fail(chunked, CHUNKED_MALFORMED);
            break;
        case STATE_DONE: /* nothing may follow but blank lines */
            result = *at == '\r' || *at == '\n' ? CHUNKED_OK : fail(chunked, CHUNKED_MALFORMED);
            at++;
            break;
        default:
            result = line_byte(chunked, *at++);
        }
    }
    return result;
}

enum chunked_result chunked_end(struct chunked *chunked)
{
    if (chunked->state == STATE_FAILED)
        return chunked->failure;
    /* The final empty line is left out by some clients when there are no trailers. */
    if (chunked->state == STATE_TRAILER && chunked->line.length == 0)
        return trailers_end(chunked);
    return chunked->state == STATE_DONE ? CHUNKED_OK : fail(chunked, CHUNKED_MALFORMED);
}

int64_t chunked_decoded(const struct chunked *chunked)
{
    return chunked->decoded;
}

const char *chunked_trailer(const struct chunked *chunked, const char *name)
{
    for (size_t i = 0; i < chunked->trailer_count; i++)
        if (strcmp(chunked->names[i], name) == 0)
            return chunked->values[i];
    return NULL;
}
