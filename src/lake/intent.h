/*
 * The intent: an object that says, before anything else is written, which offsets a batch holds and under
 * which names its data will be. It can be written once; who finds it there knows that the range is taken, and
 * where it ends.
 */
#ifndef SMARTCITY_LAKE_INTENT_H
#define SMARTCITY_LAKE_INTENT_H

#include "lake/parquet.h"

#define LAKE_INTENT_BYTES (256u << 10)
#define LAKE_WRITER_SIZE  40

struct lake_intent_file {
    char key[LAKE_OBJECT_KEY_SIZE];
    char dt[LAKE_DT_SIZE];
    int64_t rows, bytes;
    char sha256[LAKE_SHA256_SIZE];
};

struct lake_intent {
    struct lake_batch_key key;
    char writer[LAKE_WRITER_SIZE]; /* one run of one program */
    char schema[17];
    int64_t created_ms;
    int64_t rows, quarantined, missing, frames;
    char quarantine[LAKE_OBJECT_KEY_SIZE]; /* "" none */
    size_t file_count;
    struct lake_intent_file *files; /* owned */
};

void lake_intent_write(const struct lake_intent *intent, struct buf *out);
/* ERR_CORRUPT when it is none, or speaks of other offsets than `object_key` does. Free it either way. */
int lake_intent_read(struct lake_intent *intent, const char *object_key, const char *text, size_t length,
                     struct err *err);
void lake_intent_free(struct lake_intent *intent);

#endif
