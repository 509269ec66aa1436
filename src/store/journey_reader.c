/*
 * A reader holds one unpacked chunk and the place in it. Nothing is read under a lock that lasts longer than
 * one chunk, so a journey can be watched while it is recorded, and the ring may take a chunk away at any
 * time: what is gone is simply not there, the next one is.
 */
#include "base/file.h"
#include "base/text.h"
#include "store/chunk.h"
#include "store/journey_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC_SLOTS 16 /* a chunk has no more */

enum {
    S_NEXT,
    S_DATA,
    S_AT,
    S_AT_EVENT,
    S_LAST,
    S_KEYFRAME,
    S_KEYFRAME_DATA,
    S_REFERENCES,
    S_BACKWARDS,
    STATEMENTS
};

static const char *const statement_texts[STATEMENTS] = {
    [S_NEXT] = "SELECT id, first_us, last_us, records FROM chunk WHERE id > ? ORDER BY id LIMIT 1",
    [S_DATA] = "SELECT data FROM chunk_data WHERE id = ?",
    [S_AT] = "SELECT id FROM chunk WHERE last_us >= ? ORDER BY last_us, id LIMIT 1",
    [S_AT_EVENT] = "SELECT min(id) FROM chunk WHERE max_ms >= ? HAVING count(*) > 0",
    [S_LAST] = "SELECT id FROM chunk ORDER BY id DESC LIMIT 1",
    [S_KEYFRAME] =
        "SELECT id, chunk FROM keyframe WHERE position_us <= ? ORDER BY position_us DESC, id DESC LIMIT 1",
    [S_KEYFRAME_DATA] = "SELECT data FROM keyframe_data WHERE id = ?",
    [S_REFERENCES] = "SELECT chunk, record FROM keyframe_reference WHERE keyframe = ? ORDER BY chunk, record",
    [S_BACKWARDS] = "SELECT id, records FROM chunk WHERE id <= ? AND id >= ? ORDER BY id DESC",
};

/* A record as journey_next hands it over; it points into the loaded chunk. */
struct item {
    struct record record;
    int64_t event_ms, position_us;
};

struct journey_reader {
    struct sql_db *db;
    struct sql_statement *statements[STATEMENTS];
    struct journey_info info;
    int64_t base_us;          /* stored position of a reader's position 0 */
    int kind_of[TOPIC_SLOTS]; /* the file's topics by number; -1: not ours */
    struct chunk_reader *chunk;
    int64_t chunk_id, first_us, last_us; /* of the chunk that is loaded */
    bool held;                           /* `item` is still to be handed over */
    struct item item;
    int64_t position_us;  /* of the last record handed over; it never goes back */
    int64_t last_damaged; /* the highest chunk id counted as damaged */
};

/* ---- open and close ---- */

/* Takes in what a killed writer left beside the file, where that can be done; it can be read either way. */
static void mend(const char *path)
{
    char wal[FILE_PATH_SIZE];
    if (snprintf(wal, sizeof wal, "%s-wal", path) >= (int)sizeof wal || file_size(wal) < 0)
        return;
    int lock = journey_file_lock(path, NULL);
    if (lock < 0)
        return;
    struct sql_db *db = journey_file_open(path, 0, NULL);
    if (db) {
        sql_pragma(db, "busy_timeout", "100", NULL);
        journey_file_settle(db, NULL);
        sql_close(db);
    }
    journey_file_unlock(path, lock);
}

static int read_topics(struct journey_reader *reader, struct err *err)
{
    for (int i = 0; i < TOPIC_SLOTS; i++)
        reader->kind_of[i] = -1;
    struct sql_statement *statement = sql_prepare(reader->db, "SELECT id, name FROM topic", err);
    if (!statement)
        return -1;
    int got;
    while ((got = sql_step(statement, err)) == 1) {
        int64_t id = sql_column_int(statement, 0);
        if (id >= 0 && id < TOPIC_SLOTS)
            reader->kind_of[id] = event_kind_from_topic(sql_column_text(statement, 1));
    }
    sql_finalize(statement);
    return got;
}

/* The figures as they are now; those of damage are this reader's own. */
static int refresh(struct journey_reader *reader, int64_t *base_us, struct err *err)
{
    struct journey_info info;
    if (journey_file_info(reader->db, &info, base_us, err) < 0)
        return -1;
    /* The axis stays where it was, also when the ring has dropped its beginning since. */
    if (!base_us)
        info.length_us = info.length_us + (info.started_us - reader->info.started_us);
    if (!base_us)
        info.started_us = reader->info.started_us;
    info.damaged_chunks = reader->info.damaged_chunks;
    info.damaged_records = reader->info.damaged_records;
    reader->info = info;
    return 0;
}

struct journey_reader *journey_open(const char *path, struct err *err)
{
    mend(path);
    struct journey_reader *reader = mem_zero(1, sizeof *reader);
    reader->chunk = chunk_reader_create();
    reader->db = journey_file_open(path, SQL_READ_ONLY, err);
    bool good = reader->db && refresh(reader, &reader->base_us, err) == 0 && read_topics(reader, err) == 0;
    for (int i = 0; good && i < STATEMENTS; i++)
        good = (reader->statements[i] = sql_prepare(reader->db, statement_texts[i], err)) != NULL;
    if (good)
        return reader;
    journey_reader_close(reader);
    return NULL;
}

void journey_reader_close(struct journey_reader *reader)
{
    if (!reader)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sql_finalize(reader->statements[i]);
    sql_close(reader->db);
    chunk_reader_destroy(reader->chunk);
    free(reader);
}

void journey_reader_info(const struct journey_reader *reader, struct journey_info *info)
{
    *info = reader->info;
}

/* ---- chunks ---- */

static void count_damage(struct journey_reader *reader, int64_t chunk, uint64_t records)
{
    if (chunk <= reader->last_damaged) /* met before, on the way of another seek */
        return;
    reader->last_damaged = chunk;
    reader->info.damaged_chunks++;
    reader->info.damaged_records += records;
}

/* One row of one number, with up to one parameter: 1, 0 no row, -1. */
static int query(struct journey_reader *reader, int which, int64_t parameter, int64_t *value, struct err *err)
{
    struct sql_statement *statement = reader->statements[which];
    if (which != S_LAST)
        sql_bind_int(statement, 1, parameter);
    int got = sql_step(statement, err);
    if (got == 1)
        *value = sql_column_int(statement, 0);
    sql_reset(statement);
    return got;
}

/* The blob of a row, unpacked: 1, 0 when it is damaged or gone, -1 when the file cannot be read. */
static int load_data(struct journey_reader *reader, int64_t id, struct err *err)
{
    struct sql_statement *statement = reader->statements[S_DATA];
    struct err own = ERR_INIT;
    sql_bind_int(statement, 1, id);
    int got = sql_step(statement, &own);
    if (got == 1 &&
        chunk_load(reader->chunk, sql_column_blob(statement, 0), sql_column_bytes(statement, 0), &own) < 0)
        got = -1;
    sql_reset(statement);
    if (got >= 0)
        return got;
    if (own.kind == ERR_CORRUPT)
        return 0;
    if (err)
        *err = own;
    return -1;
}

/* Loads the first readable chunk after `id`: 1, 0 there is none, -1. */
static int load_after(struct journey_reader *reader, int64_t id, struct err *err)
{
    struct sql_statement *statement = reader->statements[S_NEXT];
    reader->held = false;
    for (;;) {
        sql_bind_int(statement, 1, id);
        int got = sql_step(statement, err);
        int64_t records = 0;
        if (got == 1) {
            id = sql_column_int(statement, 0);
            reader->first_us = sql_column_int(statement, 1);
            reader->last_us = sql_column_int(statement, 2);
            records = sql_column_int(statement, 3);
        }
        sql_reset(statement);
        if (got <= 0)
            return got;
        got = load_data(reader, id, err);
        if (got < 0)
            return -1;
        reader->chunk_id = id;
        if (got == 1)
            return 1;
        count_damage(reader, id, (uint64_t)records);
    }
}

/* A stored position on the reader's axis, kept within what the index says of the chunk. */
static int64_t place(const struct journey_reader *reader, int64_t stored_us)
{
    if (stored_us < reader->first_us)
        stored_us = reader->first_us;
    if (stored_us > reader->last_us)
        stored_us = reader->last_us;
    int64_t position = (int64_t)((uint64_t)stored_us - (uint64_t)reader->base_us);
    return position > reader->position_us ? position : reader->position_us;
}

/* The next record into reader->item: 1, 0, -1. */
static int advance(struct journey_reader *reader, struct err *err)
{
    struct item *item = &reader->item;
    for (;;) {
        struct err damage = ERR_INIT;
        uint32_t left = chunk_left(reader->chunk);
        int64_t stored_us;
        if (chunk_next(reader->chunk, &item->record, &item->event_ms, &stored_us, &damage)) {
            item->position_us = place(reader, stored_us);
            item->record.kind = reader->kind_of[item->record.kind + 1];
            reader->position_us = item->position_us;
            return 1;
        }
        if (damage.kind != ERR_NONE)
            count_damage(reader, reader->chunk_id, left);
        int got = load_after(reader, reader->chunk_id, err);
        if (got == 0 && reader->info.open)
            got = refresh(reader, NULL, err);
        if (got <= 0)
            return got;
    }
}

int journey_next(struct journey_reader *reader, struct record *record, int64_t *event_ms,
                 int64_t *position_us, struct err *err)
{
    if (!reader->held) {
        int got = advance(reader, err);
        if (got <= 0)
            return got;
    }
    reader->held = false;
    *record = reader->item.record;
    *event_ms = reader->item.event_ms;
    *position_us = reader->item.position_us;
    return 1;
}

/* ---- seeking ---- */

/* So that nothing is loaded and chunk `id` + 1 is the next. */
static void stand_after(struct journey_reader *reader, int64_t id)
{
    struct err ignored = ERR_INIT;
    reader->held = false;
    reader->chunk_id = id;
    reader->position_us = 0;
    chunk_load(reader->chunk, "", 0, &ignored);
}

/* The chunk before the one that holds the position, or the last one when the position is behind the end. */
static int find_chunk_before(struct journey_reader *reader, int64_t position_us, int64_t *id, struct err *err)
{
    if (position_us < 0)
        position_us = 0;
    *id = 0;
    int got = query(reader, S_AT, (int64_t)((uint64_t)reader->base_us + (uint64_t)position_us), id, err);
    if (got == 1)
        --*id;
    else if (got == 0)
        got = query(reader, S_LAST, 0, id, err);
    return got < 0 ? -1 : 0;
}

/* Passes records over, handing them to `prime` when given, until one is at or after the position. */
static int pass_to(struct journey_reader *reader, int64_t position_us, journey_prime_fn *prime, void *context,
                   struct err *err)
{
    int got;
    while ((got = advance(reader, err)) == 1) {
        if (reader->item.position_us >= position_us) {
            reader->held = true;
            return 0;
        }
        if (prime)
            prime(context, &reader->item.record, reader->item.event_ms);
    }
    return got;
}

int journey_seek(struct journey_reader *reader, int64_t position_us, struct err *err)
{
    int64_t before;
    if (find_chunk_before(reader, position_us, &before, err) < 0)
        return -1;
    stand_after(reader, before);
    return pass_to(reader, position_us, NULL, NULL, err);
}

int journey_seek_event(struct journey_reader *reader, int64_t event_ms, int64_t *position_us, struct err *err)
{
    int64_t id = 0;
    *position_us = reader->info.length_us;
    int got = query(reader, S_AT_EVENT, event_ms, &id, err);
    if (got == 0)
        return query(reader, S_LAST, 0, &id, err) < 0 ? -1 : (stand_after(reader, id), 0);
    if (got < 0)
        return -1;
    stand_after(reader, id - 1);
    while ((got = advance(reader, err)) == 1) {
        if (reader->item.event_ms < event_ms)
            continue;
        reader->held = true;
        *position_us = reader->item.position_us;
        return 0;
    }
    return got;
}

/* ---- keyframes ---- */

struct primer {
    journey_prime_fn *prime;
    void *context;
};

static void prime_part(struct journey_reader *reader, const struct primer *primer)
{
    struct record record;
    int64_t event_ms, position_us;
    struct err damage = ERR_INIT;
    while (chunk_next(reader->chunk, &record, &event_ms, &position_us, &damage)) {
        record.kind = reader->kind_of[record.kind + 1];
        primer->prime(primer->context, &record, event_ms);
    }
}

/* A keyframe that is damaged only shows less. */
static int prime_keyframe(struct journey_reader *reader, int64_t id, const struct primer *primer,
                          struct err *err)
{
    struct sql_statement *statement = reader->statements[S_KEYFRAME_DATA];
    sql_bind_int(statement, 1, id);
    struct err own = ERR_INIT;
    int got = sql_step(statement, &own);
    if (got == 1) {
        const char *bytes = sql_column_blob(statement, 0);
        size_t left = sql_column_bytes(statement, 0), part;
        for (; left > 0 && (part = chunk_frame_length(bytes, left)) > 0; bytes += part, left -= part)
            if (chunk_load(reader->chunk, bytes, part, &own) == 0)
                prime_part(reader, primer);
    }
    sql_reset(statement);
    if (got >= 0 || own.kind == ERR_CORRUPT)
        return 0;
    if (err)
        *err = own;
    return -1;
}

/* Large records that the keyframe only refers to. */
static int prime_references(struct journey_reader *reader, int64_t id, const struct primer *primer,
                            struct err *err)
{
    struct sql_statement *statement = reader->statements[S_REFERENCES];
    int64_t loaded = -1, next = 0;
    int got;
    sql_bind_int(statement, 1, id);
    while ((got = sql_step(statement, err)) == 1) {
        int64_t chunk = sql_column_int(statement, 0), wanted = sql_column_int(statement, 1);
        if (chunk != loaded) {
            int have = load_data(reader, chunk, err);
            if (have < 0) {
                got = -1;
                break;
            }
            loaded = chunk;
            next = 0;
            if (have == 0)
                continue;
        }
        struct record record;
        int64_t event_ms, position_us;
        struct err damage = ERR_INIT;
        for (; next <= wanted && chunk_next(reader->chunk, &record, &event_ms, &position_us, &damage);
             next++) {
            if (next < wanted)
                continue;
            record.kind = reader->kind_of[record.kind + 1];
            primer->prime(primer->context, &record, event_ms);
        }
    }
    sql_reset(statement);
    return got < 0 ? -1 : 0;
}

/* The first chunk to replay: not before `from`, and so that at most JOURNEY_PRIME_RECORDS lie up to `last`.
 */
static int find_replay_start(struct journey_reader *reader, int64_t from, int64_t last, int64_t *start,
                             struct err *err)
{
    struct sql_statement *statement = reader->statements[S_BACKWARDS];
    int64_t records = 0;
    int got;
    *start = last + 1;
    sql_bind_int(statement, 1, last);
    sql_bind_int(statement, 2, from);
    while ((got = sql_step(statement, err)) == 1) {
        int64_t held = sql_column_int(statement, 1);
        if (held < 0 || held > JOURNEY_PRIME_RECORDS - records)
            break;
        records += held;
        *start = sql_column_int(statement, 0);
    }
    sql_reset(statement);
    return got < 0 ? -1 : 0;
}

int journey_seek_keyframe(struct journey_reader *reader, int64_t position_us, journey_prime_fn *prime,
                          void *context, struct err *err)
{
    const struct primer primer = {prime, context};
    struct sql_statement *statement = reader->statements[S_KEYFRAME];
    int64_t keyframe = 0, from = 0, before, start;
    if (position_us < 0)
        position_us = 0;
    sql_bind_int(statement, 1, (int64_t)((uint64_t)reader->base_us + (uint64_t)position_us));
    int got = sql_step(statement, err);
    if (got == 1) {
        keyframe = sql_column_int(statement, 0);
        from = sql_column_int(statement, 1);
    }
    sql_reset(statement);
    if (got < 0)
        return -1;
    if (got == 1 && (prime_references(reader, keyframe, &primer, err) < 0 ||
                     prime_keyframe(reader, keyframe, &primer, err) < 0))
        return -1;
    if (find_chunk_before(reader, position_us, &before, err) < 0 ||
        find_replay_start(reader, from, before, &start, err) < 0)
        return -1;
    stand_after(reader, start - 1);
    return pass_to(reader, position_us, prime, context, err);
}

/* ---- for a scrubber ---- */

size_t journey_markers(struct journey_reader *reader, struct journey_marker *markers, size_t count,
                       struct err *err)
{
    struct sql_statement *statement = sql_prepare(
        reader->db, "SELECT position_us, event_ms, kind, text FROM marker ORDER BY position_us, id LIMIT ?",
        err);
    if (!statement)
        return 0;
    size_t found = 0;
    sql_bind_int(statement, 1, (int64_t)count);
    while (found < count && sql_step(statement, err) == 1) {
        struct journey_marker *marker = &markers[found++];
        int64_t position = (int64_t)((uint64_t)sql_column_int(statement, 0) - (uint64_t)reader->base_us);
        marker->position_us = position > 0 ? position : 0;
        marker->event_ms = sql_column_int(statement, 1);
        text_sanitise(marker->kind, sizeof marker->kind, sql_column_text(statement, 2),
                      sql_column_bytes(statement, 2));
        text_sanitise(marker->text, sizeof marker->text, sql_column_text(statement, 3),
                      sql_column_bytes(statement, 3));
    }
    sql_finalize(statement);
    return found;
}

int journey_histogram(struct journey_reader *reader, uint32_t (*slots)[EVENT_KIND_COUNT], size_t count,
                      struct err *err)
{
    memset(slots, 0, count * sizeof *slots);
    struct sql_statement *statement = sql_prepare(
        reader->db, "SELECT c.first_us, t.topic, t.records FROM chunk c JOIN chunk_topic t ON t.chunk = c.id",
        err);
    if (!statement)
        return -1;
    double length = (double)reader->info.length_us + 1;
    int got = 0;
    while (count > 0 && (got = sql_step(statement, err)) == 1) {
        int64_t position = (int64_t)((uint64_t)sql_column_int(statement, 0) - (uint64_t)reader->base_us);
        int64_t topic = sql_column_int(statement, 1), records = sql_column_int(statement, 2);
        int kind = topic >= 0 && topic < TOPIC_SLOTS ? reader->kind_of[topic] : -1;
        if (kind < 0 || position < 0 || position > reader->info.length_us || records < 0)
            continue;
        slots[(size_t)((double)position / length * (double)count)][kind] += (uint32_t)records;
    }
    sql_finalize(statement);
    return got < 0 ? -1 : 0;
}
