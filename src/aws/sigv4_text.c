#include "aws/sigv4.h"

#include "base/err.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Canonical forms: time, percent-encoding, path, query and headers. */

char *sigv4_time(char out[SIGV4_TIME_SIZE], int64_t seconds)
{
    char text[TEXT_TIME_SIZE];
    text_time(text, seconds * 1000); /* 2015-08-30T12:36:00.000Z */
    snprintf(out, SIGV4_TIME_SIZE, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", text, text + 5, text + 8, text + 11,
             text + 14, text + 17);
    return out;
}

static bool parse_http_date(const char *text, int64_t *seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char iso[32], month[4];
    if (strlen(text) != 29 || strcmp(text + 25, " GMT") != 0)
        return false;
    snprintf(month, sizeof month, "%.3s", text + 8);
    const char *at = strstr(months, month);
    if (!at || (at - months) % 3 != 0)
        return false;
    int64_t ms;
    snprintf(iso, sizeof iso, "%.4s-%02d-%.2sT%.8sZ", text + 12, (int)((at - months) / 3) + 1, text + 5,
             text + 17);
    if (!text_parse_time(iso, strlen(iso), &ms))
        return false;
    *seconds = ms / 1000;
    return true;
}

bool sigv4_parse_time(const char *text, int64_t *seconds)
{
    char iso[32];
    int64_t ms;
    if (strlen(text) != SIGV4_TIME_SIZE - 1)
        return parse_http_date(text, seconds);
    for (size_t i = 0; i < SIGV4_TIME_SIZE - 1; i++)
        if (i == 8 ? text[i] != 'T' : i == 15 ? text[i] != 'Z' : text[i] < '0' || text[i] > '9')
            return false;
    snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text, text + 4, text + 6, text + 9, text + 11,
             text + 13);
    if (!text_parse_time(iso, strlen(iso), &ms))
        return false;
    *seconds = ms / 1000;
    return true;
}

void sigv4_hex(char out[SIGV4_HEX], const unsigned char hash[SIGV4_HASH])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SIGV4_HASH; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[SIGV4_HEX - 1] = '\0';
}

static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void sigv4_encode(struct buf *out, const char *text, size_t length, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (is_unreserved(byte) || (keep_slash && byte == '/'))
            buf_char(out, (char)byte);
        else
            buf_append(out, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

void sigv4_decode(struct buf *out, const char *text, size_t length, bool plus_is_blank)
{
    for (size_t i = 0; i < length; i++) {
        int high, low;
        if (text[i] == '%' && i + 2 < length && (high = hex_value(text[i + 1])) >= 0 &&
            (low = hex_value(text[i + 2])) >= 0) {
            buf_char(out, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_char(out, text[i] == '+' && plus_is_blank ? ' ' : text[i]);
        }
    }
}

/* ---- path ------------------------------------------------------------------------------------------- */

/* Removes empty and dot segments (RFC 3986 section 5.2.4, and repeated slashes as AWS does). */
static void normalise_path(struct buf *out, const char *path)
{
    size_t length = strlen(path);
    bool folder = true; /* ends with '/' */
    for (size_t at = 0; at < length;) {
        size_t segment = strcspn(path + at, "/");
        bool last = at + segment >= length;
        if (segment == 0 || (segment == 1 && path[at] == '.')) {
            folder = true;
        } else if (segment == 2 && memcmp(path + at, "..", 2) == 0) {
            while (out->length > 0 && out->data[--out->length] != '/')
                ;
            folder = true;
        } else {
            buf_char(out, '/');
            buf_append(out, path + at, segment);
            folder = !last;
        }
        at += segment + 1;
    }
    if (folder || out->length == 0)
        buf_char(out, '/');
}

static void canonical_path(const struct sigv4_request *request, struct buf *out)
{
    const char *path = request->path[0] ? request->path : "/";
    struct buf plain;
    if (request->path_rule == SIGV4_PATH_RAW) {
        sigv4_encode(out, path, strlen(path), true);
        return;
    }
    buf_init(&plain, out->limit);
    buf_text(&plain, "");
    if (request->path_rule == SIGV4_PATH_S3)
        sigv4_decode(&plain, path, strlen(path), false);
    else
        normalise_path(&plain, path);
    sigv4_encode(out, plain.data, plain.length, true);
    out->overflow |= plain.overflow;
    buf_free(&plain);
}

/* ---- query ------------------------------------------------------------------------------------------ */

struct piece {
    size_t name, name_length, value, value_length; /* offsets into the buffer of encoded texts */
    const char *base;
};

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_pieces(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;
    int order = compare_bytes(a->base + a->name, a->name_length, b->base + b->name, b->name_length);
    return order ? order
                 : compare_bytes(a->base + a->value, a->value_length, b->base + b->value, b->value_length);
}

static void recode(struct buf *out, struct buf *scratch, const char *text, size_t length)
{
    scratch->length = 0;
    sigv4_decode(scratch, text, length, true);
    sigv4_encode(out, scratch->data ? scratch->data : "", scratch->length, false);
}

static void canonical_query(const struct sigv4_request *request, struct buf *out)
{
    size_t count = 1;
    for (const char *at = request->query; *at; at++)
        count += *at == '&';
    struct piece *pieces = mem_alloc(count * sizeof *pieces);
    struct buf encoded, scratch;
    buf_init(&encoded, out->limit);
    buf_init(&scratch, out->limit);
    buf_text(&encoded, "");
    count = 0;
    for (const char *at = request->query; *at;) {
        size_t length = strcspn(at, "&"), name = strcspn(at, "=&");
        if (length > 0 && !(name == 15 && strncmp(at, "X-Amz-Signature", 15) == 0)) {
            struct piece *piece = &pieces[count++];
            piece->name = encoded.length;
            recode(&encoded, &scratch, at, name);
            piece->name_length = encoded.length - piece->name;
            piece->value = encoded.length;
            if (name < length)
                recode(&encoded, &scratch, at + name + 1, length - name - 1);
            piece->value_length = encoded.length - piece->value;
        }
        at += length + (at[length] == '&');
    }
    for (size_t i = 0; i < count; i++)
        pieces[i].base = encoded.data;
    qsort(pieces, count, sizeof *pieces, compare_pieces);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, '&');
        buf_append(out, encoded.data + pieces[i].name, pieces[i].name_length);
        buf_char(out, '=');
        buf_append(out, encoded.data + pieces[i].value, pieces[i].value_length);
    }
    out->overflow |= encoded.overflow || scratch.overflow;
    buf_free(&encoded);
    buf_free(&scratch);
    free(pieces);
}

/* ---- headers ---------------------------------------------------------------------------------------- */

const char *sigv4_header_value(const struct sigv4_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

static int compare_names(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    return strcasecmp(*a, *b);
}

bool sigv4_signed_headers(const struct sigv4_request *request, struct buf *out)
{
    static const char *const changed[] = {"authorization", "connection",        "expect",
                                          "user-agent",    "transfer-encoding", "x-amzn-trace-id"};
    const char *names[SIGV4_HEADERS] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        bool skip = false;
        for (size_t j = 0; j < sizeof changed / sizeof *changed; j++)
            skip |= strcasecmp(request->headers[i].name, changed[j]) == 0;
        if (skip)
            continue;
        if (count == SIGV4_HEADERS)
            return false;
        names[count++] = request->headers[i].name;
    }
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcasecmp(names[i], names[i - 1]) == 0)
            continue;
        if (i > 0)
            buf_char(out, ';');
        for (const char *at = names[i]; *at; at++)
            buf_char(out, *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at);
    }
    return !out->overflow;
}

/* Trimmed, runs of blanks as one. */
static void canonical_value(struct buf *out, const char *value)
{
    bool blank = false, begun = false;
    for (; *value; value++) {
        if (*value == ' ' || *value == '\t' || *value == '\n' || *value == '\r') {
            blank = begun;
            continue;
        }
        if (blank)
            buf_char(out, ' ');
        buf_char(out, *value);
        blank = false;
        begun = true;
    }
}

static bool canonical_header(const struct sigv4_request *request, const char *name, size_t length,
                             struct buf *out)
{
    bool found = false;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct sigv4_header *header = &request->headers[i];
        if (strlen(header->name) != length || strncasecmp(header->name, name, length) != 0)
            continue;
        if (found) {
            buf_char(out, ',');
        } else {
            buf_append(out, name, length);
            buf_char(out, ':');
        }
        canonical_value(out, header->value);
        found = true;
    }
    buf_char(out, '\n');
    return found;
}

bool sigv4_canonical(const struct sigv4_request *request, const char *signed_headers, struct buf *out)
{
    struct buf names;
    buf_init(&names, 8192);
    buf_text(&names, signed_headers ? signed_headers : "");
    bool good = signed_headers || sigv4_signed_headers(request, &names);
    buf_printf(out, "%s\n", request->method);
    canonical_path(request, out);
    buf_char(out, '\n');
    canonical_query(request, out);
    buf_char(out, '\n');
    for (const char *at = names.data; good && *at;) {
        size_t length = strcspn(at, ";");
        good = canonical_header(request, at, length, out);
        at += length + (at[length] == ';');
    }
    buf_printf(out, "\n%s\n%s", names.data, request->payload_hash);
    good = good && !out->overflow && !names.overflow;
    buf_free(&names);
    return good;
}
