/*
 * What a JSON input of an AWS service may hold: members, their types, and which are required. A copy by shape
 * keeps the known members only, so that what is stored can be answered again as the service's model says it.
 * Pure.
 */
#ifndef SMARTCITY_LOCALCLOUD_SHAPE_H
#define SMARTCITY_LOCALCLOUD_SHAPE_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

enum shape_kind {
    SHAPE_TEXT,
    SHAPE_INT,
    SHAPE_NUMBER, /* also timestamps */
    SHAPE_BOOL,
    SHAPE_TEXT_MAP,  /* {"a": "b"} */
    SHAPE_TEXT_LIST, /* ["a"] */
    SHAPE_OBJECT,
    SHAPE_OBJECT_LIST,
    SHAPE_OBJECT_MAP, /* {"a": {…}} */
    SHAPE_TEXT_MAP_LIST
};

struct shape {
    const char *name; /* NULL ends the table */
    enum shape_kind kind;
    const struct shape *members; /* of SHAPE_OBJECT and SHAPE_OBJECT_LIST */
    bool required;               /* there and, when text, not empty */
};

/* A new object. NULL and ERR_USAGE with AWS's text ("1 validation error detected: …", or which member has the
 * wrong type) when it does not fit; `path` stands before member names ("tableInput"). JSON null counts as
 * absent. */
json_t *shape_copy(const struct shape *shape, const json_t *input, const char *path, struct err *err);

#endif
