/*
 * What the lake asks of S3 and of the JSON services: a handful of calls that block, made on threads of the
 * lake's own. One implementation is the AWS client (lake/remote_aws.h); tests have another.
 *
 * Errors say by `retriable` whether the same may succeed later. Any thread.
 */
#ifndef SMARTCITY_LAKE_REMOTE_H
#define SMARTCITY_LAKE_REMOTE_H

#include "aws/config.h"
#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define LAKE_CODE_SIZE 80

/* An object to be written if there is none of its name. */
struct lake_put {
    const char *key;
    const char *path; /* of a file; NULL: bytes */
    int64_t offset;   /* in the file */
    const void *bytes;
    int64_t length;
    const char *content_type;
    const char *sha256; /* of it, hexadecimal; travels as metadata; NULL none */
};

enum lake_put_end {
    LAKE_PUT_DONE,
    LAKE_PUT_EXISTS,  /* 412: an object of that name is there, perhaps ours */
    LAKE_PUT_CONFLICT /* 409: somebody is writing it now */
};

struct lake_object {
    int64_t bytes;
    char sha256[65]; /* of its metadata; "" none */
};

struct lake_remote {
    void *context;
    const char *bucket;

    int (*put)(void *context, const struct lake_put *put, enum lake_put_end *end, struct err *err);
    /* Several of them at once; done when each is there, whoever wrote it. */
    int (*put_many)(void *context, const struct lake_put *puts, size_t count, struct err *err);
    /* Over whatever is there. */
    int (*replace)(void *context, const char *key, const void *bytes, size_t length, const char *content_type,
                   struct err *err);
    int (*head)(void *context, const char *key, struct lake_object *object, struct err *err);
    int (*get)(void *context, const char *key, struct buf *out, struct err *err);
    int (*get_file)(void *context, const char *key, const char *path, struct err *err);
    /* In order of keys; `each` returns false to end. after: NULL, or behind that key. */
    int (*list)(void *context, const char *prefix, const char *after,
                bool (*each)(void *each_context, const char *key, int64_t bytes), void *each_context,
                struct err *err);
    /* A JSON operation. input: taken. The answer, or NULL with the service's code ("" none) in code. */
    json_t *(*call)(void *context, enum aws_service_id service, const char *operation, json_t *input,
                    char code[LAKE_CODE_SIZE], struct err *err);
};

#endif
