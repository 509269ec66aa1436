/*
 * Records gather in a chunk; full chunks wait, compressed, in `packed`; a commit writes all that waits in one
 * short transaction. Until that transaction has succeeded everything stays in memory, so a full disk loses
 * nothing that was taken: the next commit tries the same again. When `packed` is full, journey_add refuses,
 * and the caller decides.
 *
 * The ring: before new chunks are written, the oldest are deleted until the new ones fit into the pages that
 * the limit allows. Their pages are used again at once, so the file stops growing and nothing is ever moved.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "store/chunk.h"
#include "store/journey_file.h"
#include "store/keyframe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKED_LIMIT   ((size_t)64 << 20)
#define PACKED_WAITING ((size_t)16 << 20) /* no more is taken while so much could not be written */
#define WAL_RESERVE    (32LL << 20)
#define MARKS_MAX      256
#define CHUNKS_MAX     1024

struct waiting_chunk {
    struct chunk_summary summary;
    int64_t id;
    size_t offset, length; /* in packed */
};

struct waiting_keyframe {
    bool present;
    int64_t position_us, chunk;
    uint32_t records;
    struct keyframe_reference references[KEYFRAME_REFERENCES];
    size_t reference_count;
};

enum {
    S_CHUNK,
    S_CHUNK_TOPIC,
    S_CHUNK_DATA,
    S_TOPIC,
    S_KEYFRAME,
    S_KEYFRAME_DATA,
    S_KEYFRAME_REFERENCE,
    S_MARKER,
    S_ORIGIN,
    S_PAGES,
    S_FREE_PAGES,
    S_OLDEST,
    S_DROP_COUNT,
    S_DROP_TOPIC,
    S_DROP_DATA,
    S_DROP_CHUNK_TOPIC,
    S_DROP_CHUNK,
    STATEMENTS
};

static const char *const statement_texts[STATEMENTS] = {
    [S_CHUNK] = "INSERT INTO chunk VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
    [S_CHUNK_TOPIC] = "INSERT INTO chunk_topic VALUES(?, ?, ?, ?)",
    [S_CHUNK_DATA] = "INSERT INTO chunk_data VALUES(?, ?)",
    [S_TOPIC] = "UPDATE topic SET records = records + ?2, bytes = bytes + ?3 WHERE id = ?1",
    [S_KEYFRAME] = "INSERT INTO keyframe(position_us, chunk, records) VALUES(?, ?, ?)",
    [S_KEYFRAME_DATA] = "INSERT INTO keyframe_data VALUES(?, ?)",
    [S_KEYFRAME_REFERENCE] = "INSERT OR IGNORE INTO keyframe_reference VALUES(?, ?, ?)",
    [S_MARKER] = "INSERT INTO marker(position_us, event_ms, kind, text) VALUES(?, ?, ?, ?)",
    [S_ORIGIN] = "UPDATE journey SET origin_us = ?",
    [S_PAGES] = "PRAGMA page_count",
    [S_FREE_PAGES] = "PRAGMA freelist_count",
    [S_OLDEST] = "SELECT id FROM chunk ORDER BY id LIMIT 1",
    [S_DROP_COUNT] =
        "UPDATE journey SET dropped_records = dropped_records + (SELECT records FROM chunk WHERE id = ?)",
    [S_DROP_TOPIC] = ("UPDATE topic SET records = topic.records - c.records, bytes = topic.bytes - c.bytes"
                      " FROM chunk_topic c WHERE c.chunk = ? AND c.topic = topic.id"),
    [S_DROP_DATA] = "DELETE FROM chunk_data WHERE id = ?",
    [S_DROP_CHUNK_TOPIC] = "DELETE FROM chunk_topic WHERE chunk = ?",
    [S_DROP_CHUNK] = "DELETE FROM chunk WHERE id = ?",
};

/* What refers to chunks that are no more. A keyframe of the first chunk held is still of use. */
static const char drop_orphans[] =
    "DELETE FROM keyframe WHERE chunk < (SELECT min(id) FROM chunk);"
    "DELETE FROM keyframe_data WHERE id NOT IN (SELECT id FROM keyframe);"
    "DELETE FROM keyframe_reference WHERE keyframe NOT IN (SELECT id FROM keyframe);"
    "DELETE FROM marker WHERE position_us < (SELECT min(first_us) FROM chunk);";

struct journey_writer {
    struct sql_db *db;
    struct sql_statement *statements[STATEMENTS];
    int lock;
    char path[FILE_PATH_SIZE];
    bool named;

    int64_t origin_us, position_us; /* of position 0; of the last record */
    bool started, origin_stored;
    struct chunk_writer *chunk;
    bool hurried;
    int64_t next_chunk; /* id of the chunk being filled */
    struct waiting_chunk *waiting;
    size_t waiting_count;
    struct buf packed;

    struct keyframe *keyframes;
    struct waiting_keyframe keyframe;
    struct buf keyframe_bytes;
    struct journey_marker marks[MARKS_MAX];
    size_t mark_count;

    int64_t keep_free_bytes;
    bool squeezed;
    int64_t budget_pages; /* of the database file; 0: no limit */
    size_t commit_bytes;  /* so many waiting bytes are written without being asked */
    size_t record_limit;
    struct journey_info info; /* as of the last commit */
};

/* ---- create and destroy ---- */

static int put_meta(struct sql_db *db, const char *name, const char *value, struct err *err)
{
    struct sql_statement *statement = sql_prepare(db, "INSERT INTO meta VALUES(?, ?)", err);
    if (!statement)
        return -1;
    sql_bind_text(statement, 1, name, strlen(name));
    sql_bind_text(statement, 2, value, strlen(value));
    int result = sql_run(statement, err);
    sql_finalize(statement);
    return result;
}

static int describe(struct journey_writer *writer, const struct journey_settings *settings, struct err *err)
{
    char limit[24], created[TEXT_TIME_SIZE];
    snprintf(limit, sizeof limit, "%lld", (long long)settings->limit_bytes);
    text_time(created, clock_wall_us() / 1000);
    const char *const meta[][2] = {{"name", settings->name},     {"seed", settings->seed},
                                   {"source", settings->source}, {"limit", limit},
                                   {"created", created},         {"program", "smartcity " SMARTCITY_VERSION}};
    if (sql_begin(writer->db, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof meta / sizeof *meta; i++)
        if (put_meta(writer->db, meta[i][0], meta[i][1] ? meta[i][1] : "", err) < 0)
            return -1;
    return sql_commit(writer->db, err);
}

/* A part of the limit is kept for the WAL, which lies beside the file while it is recorded. At its longest it
 * holds what is there before a checkpoint, and one transaction: the waiting chunks, one more, and a keyframe.
 */
static void set_limits(struct journey_writer *writer, int64_t limit_bytes)
{
    int64_t reserve = WAL_RESERVE;
    if (limit_bytes > 0 && limit_bytes / 4 < reserve)
        reserve = limit_bytes / 4;
    writer->commit_bytes = (size_t)reserve / 8;
    writer->record_limit = CHUNK_RECORD_LIMIT;
    if (limit_bytes > 0) {
        writer->budget_pages = (limit_bytes - reserve) / JOURNEY_PAGE;
        if ((int64_t)writer->record_limit > limit_bytes / 16)
            writer->record_limit = (size_t)limit_bytes / 16;
    }
}

static void destroy(struct journey_writer *writer)
{
    for (int i = 0; i < STATEMENTS; i++)
        sql_finalize(writer->statements[i]);
    sql_close(writer->db);
    chunk_writer_destroy(writer->chunk);
    keyframe_destroy(writer->keyframes);
    buf_free(&writer->packed);
    buf_free(&writer->keyframe_bytes);
    free(writer->waiting);
    journey_file_unlock(writer->path, writer->lock);
    free(writer);
}

static int open_file(struct journey_writer *writer, const struct journey_settings *settings, struct err *err)
{
    if (file_size(writer->path) > 0)
        return err_set(err, ERR_USAGE,
                       "%s is there already: a journey is never written over, name another file",
                       writer->path);
    writer->lock = journey_file_lock(writer->path, err);
    if (writer->lock < 0)
        return -1;
    writer->db = journey_file_create(writer->path, err);
    if (!writer->db)
        return -1;
    char pages[24];
    snprintf(pages, sizeof pages, "%zu", writer->commit_bytes / JOURNEY_PAGE);
    bool good =
        sql_pragma(writer->db, "wal_autocheckpoint", pages, err) == 0 && describe(writer, settings, err) == 0;
    for (int i = 0; good && i < STATEMENTS; i++)
        good = (writer->statements[i] = sql_prepare(writer->db, statement_texts[i], err)) != NULL;
    good = good && journey_file_info(writer->db, &writer->info, NULL, err) == 0;
    if (!good) {
        sql_rollback(writer->db);
        journey_file_remove(writer->path, NULL);
    }
    return good ? 0 : -1;
}

struct journey_writer *journey_create(const struct journey_settings *settings, struct err *err)
{
    if (strlen(settings->path) > FILE_PATH_SIZE - 16) {
        err_set(err, ERR_USAGE, "the path is too long: %.200s", settings->path);
        return NULL;
    }
    if (settings->limit_bytes != 0 && settings->limit_bytes < JOURNEY_LIMIT_MIN) {
        err_set(err, ERR_USAGE, "a journey needs room: the limit must be 0 (none) or at least 16 MiB");
        return NULL;
    }
    struct journey_writer *writer = mem_zero(1, sizeof *writer);
    text_copy(writer->path, sizeof writer->path, settings->path);
    writer->named = settings->name && settings->name[0];
    writer->lock = -1;
    writer->next_chunk = 1;
    writer->chunk = chunk_writer_create();
    set_limits(writer, settings->limit_bytes);
    writer->keep_free_bytes = settings->keep_free_bytes ? settings->keep_free_bytes : JOURNEY_KEEP_FREE;
    writer->keyframes = keyframe_create(writer->commit_bytes);
    writer->waiting = mem_zero(CHUNKS_MAX, sizeof *writer->waiting);
    buf_init(&writer->packed, PACKED_LIMIT);
    buf_init(&writer->keyframe_bytes, PACKED_LIMIT);
    if (open_file(writer, settings, err) < 0) {
        destroy(writer);
        return NULL;
    }
    return writer;
}

/* ---- the transaction ---- */

static int64_t pages_for(size_t bytes)
{
    return (int64_t)(bytes / (JOURNEY_PAGE - 64)) + 2;
}

static int64_t pages_waiting(const struct journey_writer *writer)
{
    int64_t pages = 16; /* the indexes split a page now and then */
    for (size_t i = 0; i < writer->waiting_count; i++)
        pages += pages_for(writer->waiting[i].length);
    if (writer->keyframe.present)
        pages += pages_for(writer->keyframe_bytes.length + writer->keyframe.reference_count * 16);
    return pages;
}

static int read_int(struct journey_writer *writer, int which, int64_t *value, struct err *err)
{
    struct sql_statement *statement = writer->statements[which];
    int got = sql_step(statement, err);
    *value = got == 1 ? sql_column_int(statement, 0) : 0;
    sql_reset(statement);
    return got;
}

static int run_with(struct journey_writer *writer, int which, int64_t id, struct err *err)
{
    sql_bind_int(writer->statements[which], 1, id);
    return sql_run(writer->statements[which], err);
}

/* The pages the file may have. A flight recorder that runs unasked must not take the last of a disk: when
 * that is nearly full the ring stays as large as it is. */
static int64_t budget(struct journey_writer *writer, int64_t pages)
{
    int64_t free_bytes = file_free_bytes(writer->path);
    writer->squeezed = free_bytes >= 0 && free_bytes < writer->keep_free_bytes;
    if (!writer->squeezed)
        return writer->budget_pages;
    int64_t least = JOURNEY_LIMIT_MIN / JOURNEY_PAGE, now = pages > least ? pages : least;
    return now < writer->budget_pages ? now : writer->budget_pages;
}

static int make_room(struct journey_writer *writer, struct err *err)
{
    if (writer->budget_pages == 0)
        return 0;
    int64_t allowed = -1;
    int64_t needed = pages_waiting(writer), pages, free_pages, oldest;
    bool dropped = false;
    for (;;) {
        if (read_int(writer, S_PAGES, &pages, err) < 0 ||
            read_int(writer, S_FREE_PAGES, &free_pages, err) < 0)
            return -1;
        if (allowed < 0)
            allowed = budget(writer, pages);
        if (pages - free_pages + needed <= allowed)
            break;
        int got = read_int(writer, S_OLDEST, &oldest, err);
        if (got < 0)
            return -1;
        if (got == 0)
            break; /* nothing is left to drop */
        static const int steps[] = {S_DROP_COUNT, S_DROP_TOPIC, S_DROP_DATA, S_DROP_CHUNK_TOPIC,
                                    S_DROP_CHUNK};
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (run_with(writer, steps[i], oldest, err) < 0)
                return -1;
        dropped = true;
    }
    return dropped ? sql_exec(writer->db, drop_orphans, err) : 0;
}

static int write_chunk(struct journey_writer *writer, const struct waiting_chunk *chunk, struct err *err)
{
    const struct chunk_summary *summary = &chunk->summary;
    struct sql_statement *insert = writer->statements[S_CHUNK], *topic = writer->statements[S_CHUNK_TOPIC],
                         *total = writer->statements[S_TOPIC], *data = writer->statements[S_CHUNK_DATA];
    const int64_t values[] = {
        chunk->id,       summary->first_us, summary->last_us, summary->min_ms,
        summary->max_ms, summary->end_ms,   summary->records, (int64_t)summary->raw_bytes};
    for (int i = 0; i < (int)(sizeof values / sizeof *values); i++)
        sql_bind_int(insert, i + 1, values[i]);
    if (sql_run(insert, err) < 0)
        return -1;
    for (int i = 0; i < CHUNK_TOPICS; i++) {
        if (summary->topic_records[i] == 0)
            continue;
        sql_bind_int(topic, 1, chunk->id);
        sql_bind_int(topic, 2, i);
        sql_bind_int(topic, 3, summary->topic_records[i]);
        sql_bind_int(topic, 4, (int64_t)summary->topic_bytes[i]);
        sql_bind_int(total, 1, i);
        sql_bind_int(total, 2, summary->topic_records[i]);
        sql_bind_int(total, 3, (int64_t)summary->topic_bytes[i]);
        if (sql_run(topic, err) < 0 || sql_run(total, err) < 0)
            return -1;
    }
    sql_bind_int(data, 1, chunk->id);
    sql_bind_blob(data, 2, writer->packed.data + chunk->offset, chunk->length);
    return sql_run(data, err);
}

static int write_keyframe(struct journey_writer *writer, struct err *err)
{
    const struct waiting_keyframe *keyframe = &writer->keyframe;
    struct sql_statement *insert = writer->statements[S_KEYFRAME],
                         *data = writer->statements[S_KEYFRAME_DATA],
                         *reference = writer->statements[S_KEYFRAME_REFERENCE];
    sql_bind_int(insert, 1, keyframe->position_us);
    sql_bind_int(insert, 2, keyframe->chunk);
    sql_bind_int(insert, 3, keyframe->records);
    if (sql_run(insert, err) < 0)
        return -1;
    int64_t id = sql_last_id(writer->db);
    sql_bind_int(data, 1, id);
    sql_bind_blob(data, 2, writer->keyframe_bytes.data ? writer->keyframe_bytes.data : "",
                  writer->keyframe_bytes.length);
    if (sql_run(data, err) < 0)
        return -1;
    for (size_t i = 0; i < keyframe->reference_count; i++) {
        sql_bind_int(reference, 1, id);
        sql_bind_int(reference, 2, keyframe->references[i].chunk);
        sql_bind_int(reference, 3, keyframe->references[i].index);
        if (sql_run(reference, err) < 0)
            return -1;
    }
    return 0;
}

static int write_marks(struct journey_writer *writer, struct err *err)
{
    struct sql_statement *insert = writer->statements[S_MARKER];
    for (size_t i = 0; i < writer->mark_count; i++) {
        const struct journey_marker *mark = &writer->marks[i];
        sql_bind_int(insert, 1, mark->position_us);
        sql_bind_int(insert, 2, mark->event_ms);
        sql_bind_text(insert, 3, mark->kind, strlen(mark->kind));
        sql_bind_text(insert, 4, mark->text, strlen(mark->text));
        if (sql_run(insert, err) < 0)
            return -1;
    }
    return 0;
}

static int write_waiting(struct journey_writer *writer, struct err *err)
{
    if (make_room(writer, err) < 0)
        return -1;
    if (!writer->origin_stored && writer->started && run_with(writer, S_ORIGIN, writer->origin_us, err) < 0)
        return -1;
    for (size_t i = 0; i < writer->waiting_count; i++)
        if (write_chunk(writer, &writer->waiting[i], err) < 0)
            return -1;
    if (writer->keyframe.present && write_keyframe(writer, err) < 0)
        return -1;
    return write_marks(writer, err);
}

/* Writes what waits; on failure it goes on waiting. */
static int write_transaction(struct journey_writer *writer, struct err *err)
{
    if (writer->waiting_count == 0 && writer->mark_count == 0 && !writer->keyframe.present)
        return 0;
    if (sql_begin(writer->db, err) < 0)
        return -1;
    if (write_waiting(writer, err) < 0 || sql_commit(writer->db, err) < 0) {
        sql_rollback(writer->db);
        return -1;
    }
    writer->origin_stored = writer->started;
    writer->waiting_count = 0;
    writer->mark_count = 0;
    writer->keyframe.present = false;
    buf_reset(&writer->packed);
    buf_reset(&writer->keyframe_bytes);
    journey_file_info(writer->db, &writer->info, NULL, NULL);
    writer->info.squeezed = writer->squeezed;
    return 0;
}

/* ---- records ---- */

/* Closes the current chunk, so that it waits for the next transaction. */
static int seal(struct journey_writer *writer, struct err *err)
{
    if (chunk_records(writer->chunk) == 0)
        return 0;
    if (writer->packed.length >= writer->commit_bytes || writer->waiting_count == CHUNKS_MAX) {
        struct err failed = ERR_INIT; /* while there is room it is told by the next commit */
        if (write_transaction(writer, &failed) < 0 &&
            (writer->packed.length >= PACKED_WAITING || writer->waiting_count == CHUNKS_MAX)) {
            if (err)
                *err = failed;
            return -1;
        }
    }
    struct waiting_chunk *chunk = &writer->waiting[writer->waiting_count];
    chunk->offset = writer->packed.length;
    if (chunk_seal(writer->chunk, &writer->packed, &chunk->summary, err) < 0)
        return -1;
    chunk->length = writer->packed.length - chunk->offset;
    chunk->id = writer->next_chunk++;
    writer->waiting_count++;
    return 0;
}

/* The state before the record at position_us, which will be the first of a new chunk. */
static int take_keyframe(struct journey_writer *writer, int64_t position_us, struct err *err)
{
    struct waiting_keyframe *keyframe = &writer->keyframe;
    if (keyframe->present && write_transaction(writer, err) < 0)
        return -1;
    if (seal(writer, err) < 0)
        return -1;
    if (keyframe->present)
        return 0;
    keyframe->position_us = position_us;
    keyframe->chunk = writer->next_chunk;
    /* A journey without a keyframe is still whole, so a failure here is no reason to refuse a record. */
    struct err failed = ERR_INIT;
    if (keyframe_build(writer->keyframes, position_us, writer->origin_us, &writer->keyframe_bytes,
                       &keyframe->records, keyframe->references, &keyframe->reference_count, &failed) == 0)
        keyframe->present = true;
    else
        buf_reset(&writer->keyframe_bytes);
    return 0;
}

void journey_hurry(struct journey_writer *writer, bool on)
{
    if (writer->hurried != on)
        chunk_hurry(writer->chunk, on);
    writer->hurried = on;
}

static int64_t next_position(const struct journey_writer *writer, const struct record *record)
{
    int64_t position;
    if (__builtin_sub_overflow(record->arrived_us, writer->origin_us, &position))
        return writer->position_us;
    return position > writer->position_us ? position : writer->position_us;
}

int journey_add(struct journey_writer *writer, const struct record *record, int64_t event_ms, struct err *err)
{
    size_t bytes = record->key_length + record->value_length + record->headers_length;
    if (bytes > writer->record_limit)
        return err_set(err, ERR_LIMIT, "a record of %zu bytes is larger than this journey takes (%zu)", bytes,
                       writer->record_limit);
    if (!writer->started) {
        writer->started = true;
        writer->origin_us = record->arrived_us;
    }
    int64_t position = next_position(writer, record);
    if (keyframe_due(writer->keyframes, position) && take_keyframe(writer, position, err) < 0)
        return -1;
    struct err full = ERR_INIT;
    if (chunk_add(writer->chunk, record, event_ms, position, writer->origin_us, &full) < 0) {
        if (full.kind != ERR_FULL) {
            if (err)
                *err = full;
            return -1;
        }
        if (seal(writer, err) < 0 ||
            chunk_add(writer->chunk, record, event_ms, position, writer->origin_us, err) < 0)
            return -1;
    }
    writer->position_us = position;
    keyframe_note(writer->keyframes, record, event_ms, position, writer->next_chunk,
                  chunk_records(writer->chunk) - 1);
    return 0;
}

int journey_mark(struct journey_writer *writer, int64_t event_ms, const char *kind, const char *text,
                 struct err *err)
{
    if (writer->mark_count == MARKS_MAX && write_transaction(writer, err) < 0)
        return -1;
    struct journey_marker *mark = &writer->marks[writer->mark_count++];
    *mark = (struct journey_marker){.position_us = writer->position_us, .event_ms = event_ms};
    text_copy(mark->kind, sizeof mark->kind, kind);
    text_copy(mark->text, sizeof mark->text, text);
    return 0;
}

int journey_commit(struct journey_writer *writer, struct err *err)
{
    return seal(writer, err) < 0 ? -1 : write_transaction(writer, err);
}

void journey_writer_info(const struct journey_writer *writer, struct journey_info *info)
{
    *info = writer->info;
}

int journey_close(struct journey_writer *writer, struct err *err)
{
    if (!writer)
        return 0;
    int result = journey_commit(writer, err);
    const struct journey_info *info = &writer->info;
    bool empty = result == 0 && info->total == 0 && info->dropped_oldest == 0 && info->markers == 0;
    if (result == 0 && !empty) {
        result = sql_exec(writer->db, "UPDATE journey SET clean = 1", err);
        /* While somebody reads, the WAL cannot be taken in; whoever opens the journey next does it. */
        sql_pragma(writer->db, "busy_timeout", "100", NULL);
        for (int i = 0; i < STATEMENTS; i++) {
            sql_finalize(writer->statements[i]);
            writer->statements[i] = NULL;
        }
        journey_file_settle(writer->db, NULL);
    }
    if (empty && !writer->named)
        journey_file_remove(writer->path, NULL);
    destroy(writer);
    return result;
}
