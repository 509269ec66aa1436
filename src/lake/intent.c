#include "lake/intent.h"

#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1

void lake_intent_write(const struct lake_intent *intent, struct buf *out)
{
    char created[TEXT_TIME_SIZE];
    json_t *files = json_array();
    for (size_t i = 0; i < intent->file_count; i++) {
        const struct lake_intent_file *file = &intent->files[i];
        json_array_append_new(files, json_pack("{s:s, s:s, s:I, s:I, s:s}", "key", file->key, "dt", file->dt,
                                               "rows", (json_int_t)file->rows, "bytes",
                                               (json_int_t)file->bytes, "sha256", file->sha256));
    }
    json_t *root =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:s, s:o}", "version",
                  VERSION, "writer", intent->writer, "created", text_time(created, intent->created_ms),
                  "cluster", intent->key.cluster, "topic", event_topic(intent->key.kind), "partition",
                  (int)intent->key.partition, "start", (json_int_t)intent->key.start, "end",
                  (json_int_t)intent->key.end, "schema", intent->schema, "rows", (json_int_t)intent->rows,
                  "quarantined", (json_int_t)intent->quarantined, "missing", (json_int_t)intent->missing,
                  "frames", (json_int_t)intent->frames, "quarantine", intent->quarantine, "data", files);
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    if (text)
        buf_text(out, text);
    free(text);
    json_decref(root);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t int_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : -1;
}

static bool read_file(const json_t *object, struct lake_intent_file *file)
{
    text_copy(file->key, sizeof file->key, text_of(object, "key"));
    text_copy(file->dt, sizeof file->dt, text_of(object, "dt"));
    text_copy(file->sha256, sizeof file->sha256, text_of(object, "sha256"));
    file->rows = int_of(object, "rows");
    file->bytes = int_of(object, "bytes");
    return strncmp(file->key, "raw/", 4) == 0 && file->rows >= 0 && file->bytes >= 0;
}

static bool read_intent(struct lake_intent *intent, const char *object_key, const json_t *root)
{
    int kind = event_kind_from_topic(text_of(root, "topic"));
    const json_t *files = json_object_get(root, "data");
    if (int_of(root, "version") != VERSION || kind < 0 || !json_is_array(files) ||
        json_array_size(files) > LAKE_DAYS_MAX || !lake_layout_cluster_valid(text_of(root, "cluster")))
        return false;
    intent->key.kind = (enum event_kind)kind;
    text_copy(intent->key.cluster, sizeof intent->key.cluster, text_of(root, "cluster"));
    int64_t partition = int_of(root, "partition");
    intent->key.partition = (int32_t)partition;
    intent->key.start = int_of(root, "start");
    intent->key.end = int_of(root, "end");
    text_copy(intent->writer, sizeof intent->writer, text_of(root, "writer"));
    text_copy(intent->schema, sizeof intent->schema, text_of(root, "schema"));
    text_copy(intent->quarantine, sizeof intent->quarantine, text_of(root, "quarantine"));
    intent->rows = int_of(root, "rows");
    intent->quarantined = int_of(root, "quarantined");
    intent->missing = int_of(root, "missing");
    intent->frames = int_of(root, "frames");
    text_parse_time(text_of(root, "created"), strlen(text_of(root, "created")), &intent->created_ms);
    intent->files = mem_zero(json_array_size(files) + 1, sizeof *intent->files);
    for (size_t i = 0; i < json_array_size(files); i++)
        if (!read_file(json_array_get(files, i), &intent->files[intent->file_count++]))
            return false;
    char expected[LAKE_OBJECT_KEY_SIZE];
    return partition >= 0 && partition <= INT32_MAX && intent->key.start >= 0 &&
           intent->key.end > intent->key.start && intent->rows >= 0 &&
           strcmp(lake_layout_intent(expected, &intent->key), object_key) == 0;
}

int lake_intent_read(struct lake_intent *intent, const char *object_key, const char *text, size_t length,
                     struct err *err)
{
    *intent = (struct lake_intent){0};
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    bool good = root && read_intent(intent, object_key, root);
    json_decref(root);
    return good
               ? 0
               : err_set(err, ERR_CORRUPT,
                         "%.200s is no intent of this lake: look at it, and move it away if it is not needed",
                         object_key);
}

void lake_intent_free(struct lake_intent *intent)
{
    free(intent->files);
    intent->files = NULL;
    intent->file_count = 0;
}
