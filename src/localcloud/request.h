/*
 * One request as a handler sees it, and the answer it gives. The server has parsed, recognised and
 * authenticated it, and has received the body, before the handler is called; it sends the answer when the
 * handler returns. A request belongs to the thread of its connection.
 *
 * A handler answers in one of these ways:
 *     request_reply_json(request, json)            JSON services; takes the reference
 *     request_reply_xml(request)  + buf_printf     REST-XML and query services
 *     request_reply_file(request, fd, from, size)  a piece of a file; takes the descriptor
 *     request_fail(request, status, "NoSuchKey", …)  an error, in the form of the service's protocol
 * Doing nothing is an empty answer with reply.status (200).
 */
#ifndef SMARTCITY_LOCALCLOUD_REQUEST_H
#define SMARTCITY_LOCALCLOUD_REQUEST_H

#include "base/buf.h"
#include "base/checksum.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service;
struct operation;
struct objects_writer;

#define REQUEST_HEADERS_MAX    128
#define REQUEST_PARAMETERS_MAX 1024
#define REQUEST_ID_SIZE        37
#define REQUEST_XML_LIMIT      (16u << 20) /* of an answer made in memory */

struct request_pair {
    const char *name, *value; /* decoded; header names as they came */
};

struct request_reply_header {
    char *name, *value;
};

/* Written by request_* functions and, for status, by the handler itself. */
struct request_reply {
    int status; /* 200 unless set */
    struct request_reply_header headers[48];
    size_t header_count;
    struct buf body;
    int fd; /* -1: the body is in `body` */
    int64_t from, size;
    bool size_only; /* HEAD: only the length is said */
    char code[64];  /* of the error, or "" */
    char message[512];
    json_t *members; /* further members of a JSON error, or NULL */
    bool failed;
};

struct request {
    /* who and what */
    const struct service *service;
    const struct operation *operation; /* NULL: not recognised */
    void *state;                       /* what the service's create() returned */
    char id[REQUEST_ID_SIZE];
    int64_t now_us; /* wall clock when it came in */
    const char *region, *account;
    const char *access_key; /* that signed it */
    const char *principal;  /* "arn:aws:iam::000000000000:root", or of an assumed role */
    const char *base;       /* "http://127.0.0.1:4566", for Location */

    /* HTTP */
    const char *method;
    const char *path;                /* raw, as it was sent */
    const char *query;               /* raw, without '?'; "" none */
    struct request_pair *parameters; /* of the query string; of the form, for query services */
    size_t parameter_count;
    struct request_pair *headers;
    size_t header_count;

    /* S3: decoded; "" none */
    const char *bucket, *key;

    /* body */
    struct buf body;                       /* BODY_MEMORY */
    json_t *json;                          /* JSON services: the object of the body, never NULL there */
    struct objects_writer *upload;         /* BODY_OBJECT: closed, whole and verified; owned by the request */
    enum checksum_kind body_checksum_kind; /* what the client sent with it and the server has verified */
    char body_checksum[CHECKSUM_TEXT_SIZE];

    struct request_reply reply;
    struct request_kept *kept; /* of request_keep() */
};

/* A copy that lives as long as the request. */
char *request_keep(struct request *request, const char *text, size_t length);
/* Of what belongs to the request itself; the server calls these. */
void request_init(struct request *request);
void request_free(struct request *request);

/* NULL when absent; header names in any case. */
const char *request_header(const struct request *request, const char *name);
const char *request_parameter(const struct request *request, const char *name);
/* "" when absent. */
const char *request_parameter_text(const struct request *request, const char *name);

/* Members of request->json. NULL or fallback when absent or of another type; use request_fail() for what is
 * required. */
const char *request_json_text(const struct request *request, const char *name);
int64_t request_json_int(const struct request *request, const char *name, int64_t fallback);
bool request_json_bool(const struct request *request, const char *name, bool fallback);
json_t *request_json_object(const struct request *request, const char *name); /* borrowed */
json_t *request_json_array(const struct request *request, const char *name);  /* borrowed */

void request_reply_header(struct request *request, const char *name, const char *value);
void request_reply_header_printf(struct request *request, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void request_reply_json(struct request *request, json_t *json);
/* The buffer for the XML, with the declaration in it already. */
struct buf *request_reply_xml(struct request *request);
/* Bytes of any kind. */
struct buf *request_reply_body(struct request *request, const char *content_type);
void request_reply_file(struct request *request, int fd, int64_t from, int64_t size);

/* HEAD: the length of what GET would send. */
void request_reply_size(struct request *request, int64_t size);

/* An error answer; what had been answered before is dropped. Returns -1. */
int request_fail(struct request *request, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A further member of a JSON error ("AthenaErrorCode") or element of an XML one; after request_fail(). Takes
 * the value. */
void request_fail_member(struct request *request, const char *name, json_t *value);
/* For what went wrong in here: 500, InternalError or InternalServerException…; the text goes to the log only.
 * Returns -1. */
int request_fail_internal(struct request *request, const struct err *err);

#endif
