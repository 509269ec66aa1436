#include "lake/layout.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *dash(const struct lake_batch_key *key)
{
    return key->cluster[0] ? "-" : "";
}

char *lake_layout_sink(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key)
{
    snprintf(out, LAKE_OBJECT_KEY_SIZE, "_sink/%s%s%s/%" PRId32 "/", key->cluster, key->cluster[0] ? "/" : "",
             event_topic(key->kind), key->partition);
    return out;
}

char *lake_layout_intent(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key)
{
    char folder[LAKE_OBJECT_KEY_SIZE];
    snprintf(out, LAKE_OBJECT_KEY_SIZE, "%.200s%020" PRId64 ".json", lake_layout_sink(folder, key),
             key->start);
    return out;
}

int64_t lake_layout_intent_start(const char *object_key)
{
    const char *slash = strrchr(object_key, '/');
    const char *name = slash ? slash + 1 : object_key;
    char digits[21];
    int64_t start;
    if (strlen(name) != 25 || strcmp(name + 20, ".json") != 0)
        return -1;
    text_copy(digits, sizeof digits, name);
    return text_parse_int(digits, 0, INT64_MAX, &start) ? start : -1;
}

char *lake_layout_data(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key, const char *dt)
{
    char folder[LAKE_OBJECT_KEY_SIZE];
    snprintf(out, LAKE_OBJECT_KEY_SIZE, "%.100s%s%s%" PRId32 "-%020" PRId64 "-%020" PRId64 ".parquet",
             lake_layout_partition(folder, key->kind, LAKE_RAW, dt), key->cluster, dash(key), key->partition,
             key->start, key->end);
    return out;
}

char *lake_layout_quarantine(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key)
{
    snprintf(out, LAKE_OBJECT_KEY_SIZE, "quarantine/%s/%s%s%" PRId32 "-%020" PRId64 "-%020" PRId64 ".ndjson",
             event_topic(key->kind), key->cluster, dash(key), key->partition, key->start, key->end);
    return out;
}

char *lake_layout_frame(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key, int64_t offset,
                        const char *dt, const uint8_t *bytes, size_t length)
{
    const char *type = "bin";
    if (length > 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        type = "jpg";
    else if (length > 4 && memcmp(bytes, "\x89PNG", 4) == 0)
        type = "png";
    snprintf(out, LAKE_OBJECT_KEY_SIZE,
             "frames/%s/" LAKE_PARTITION_COLUMN "=%s/%s%s%" PRId32 "-%020" PRId64 ".%s",
             event_topic(key->kind), dt, key->cluster, dash(key), key->partition, offset, type);
    return out;
}

char *lake_layout_manifest(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key)
{
    snprintf(out, LAKE_OBJECT_KEY_SIZE, "load/%s%s%s-%" PRId32 "-%020" PRId64 "-%020" PRId64 ".manifest",
             key->cluster, dash(key), event_topic(key->kind), key->partition, key->start, key->end);
    return out;
}

char *lake_layout_table(char out[LAKE_OBJECT_KEY_SIZE], enum event_kind kind, enum lake_zone zone)
{
    snprintf(out, LAKE_OBJECT_KEY_SIZE, "%s/%s/", zone == LAKE_RAW ? "raw" : "curated", event_topic(kind));
    return out;
}

char *lake_layout_partition(char out[LAKE_OBJECT_KEY_SIZE], enum event_kind kind, enum lake_zone zone,
                            const char *dt)
{
    char table[LAKE_OBJECT_KEY_SIZE];
    snprintf(out, LAKE_OBJECT_KEY_SIZE, "%.100s" LAKE_PARTITION_COLUMN "=%s/",
             lake_layout_table(table, kind, zone), dt);
    return out;
}

char *lake_layout_batch_name(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key)
{
    snprintf(out, LAKE_OBJECT_KEY_SIZE, "%s/%s/%" PRId32 "/%" PRId64 "-%" PRId64, key->cluster,
             event_topic(key->kind), key->partition, key->start, key->end);
    return out;
}

bool lake_layout_batch_parse(const char *name, struct lake_batch_key *key)
{
    char parts[4][LAKE_CLUSTER_SIZE];
    for (int i = 0; i < 4; i++) {
        size_t length = strcspn(name, "/");
        if (length >= LAKE_CLUSTER_SIZE || (i < 3) != (name[length] == '/'))
            return false;
        snprintf(parts[i], sizeof parts[i], "%.*s", (int)length, name);
        name += length + (i < 3);
    }
    int kind = event_kind_from_topic(parts[1]);
    char *minus = strchr(parts[3], '-');
    int64_t partition;
    if (kind < 0 || !minus || !lake_layout_cluster_valid(parts[0]) ||
        !text_parse_int(parts[2], 0, INT32_MAX, &partition))
        return false;
    *minus = '\0';
    *key = (struct lake_batch_key){.kind = (enum event_kind)kind, .partition = (int32_t)partition};
    text_copy(key->cluster, sizeof key->cluster, parts[0]);
    return text_parse_int(parts[3], 0, INT64_MAX, &key->start) &&
           text_parse_int(minus + 1, key->start, INT64_MAX, &key->end);
}

bool lake_layout_cluster_valid(const char *cluster)
{
    size_t length = strspn(cluster, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length < LAKE_CLUSTER_SIZE && cluster[length] == '\0';
}
