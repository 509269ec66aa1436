/* The ledger out of what S3 holds: after it was lost, or when others have written. */
#include "base/text.h"
#include "lake/pipeline_private.h"

#include <stdlib.h>
#include <string.h>

struct keys {
    char (*keys)[LAKE_OBJECT_KEY_SIZE];
    size_t count;
};

static bool note_key(void *context, const char *key, int64_t bytes)
{
    struct keys *keys = context;
    if (lake_layout_intent_start(key) < 0 || strlen(key) >= LAKE_OBJECT_KEY_SIZE)
        return true;
    if (keys->count % 256 == 0)
        keys->keys = mem_resize(keys->keys, keys->count + 256, sizeof *keys->keys);
    text_copy(keys->keys[keys->count++], LAKE_OBJECT_KEY_SIZE, key);
    return true;
}

/* 1 new, 0 known or not finished, -1. */
static int take(struct pipeline *pipeline, const struct lake_remote *remote, const char *key, struct err *err)
{
    struct buf text;
    struct lake_intent intent = {0};
    struct ledger_batch batch;
    char name[LAKE_OBJECT_KEY_SIZE];
    buf_init(&text, LAKE_INTENT_BYTES);
    int result = remote->get(remote->context, key, &text, err);
    if (result == 0)
        result = lake_intent_read(&intent, key, text.data ? text.data : "", text.length, err);
    if (result == 0) {
        int known = ledger_get(pipeline_ledger(pipeline), lake_layout_batch_name(name, &intent.key), &batch,
                               NULL, err);
        result = known < 0 ? -1 : known > 0 ? 0 : lake_intent_landed(remote, &intent, err);
    }
    if (result == 1)
        pipeline_note(pipeline, &intent, true);
    lake_intent_free(&intent);
    buf_free(&text);
    return result;
}

int pipeline_reconcile_with(struct pipeline *pipeline, const struct lake_remote *remote, uint64_t *found,
                            struct err *err)
{
    struct keys keys = {0};
    *found = 0;
    int result = remote->list(remote->context, "_sink/", NULL, note_key, &keys, err);
    for (size_t i = 0; i < keys.count && result >= 0; i++) {
        result = take(pipeline, remote, keys.keys[i], err);
        *found += result > 0;
    }
    free(keys.keys);
    return result < 0 ? -1 : 0;
}
