/*
 * A byte ring holds key, headers and value of each record end to end; a ring of entries points into it.
 * Adding overwrites: entries whose bytes are reused, or whose slot is needed, go first. The window (what the
 * Stream screen lists) keeps its matching rows between refreshes and looks only at records it has not seen.
 */
#include "app/tail.h"

#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_ENTRIES 8192
#define TAIL_SEARCH  4096 /* bytes of a value that the filter looks at */
#define TAIL_TERMS   8

struct tail_entry {
    struct record record; /* pointers replaced by positions below */
    size_t at;
    size_t value_kept;
    bool quarantined;
};

enum tail_column { TERM_TEXT, TERM_TOPIC, TERM_KEY, TERM_PARTITION, TERM_OFFSET, TERM_BAD };

struct tail_term {
    enum tail_column column;
    bool negated;
    char text[64];
};

struct tail {
    pthread_mutex_t lock;
    char *bytes;
    size_t size, next;
    struct tail_entry *entries;
    uint64_t first, end; /* sequences kept: [first, end); slot = sequence % TAIL_ENTRIES */

    /* main thread's */
    char filter[96];
    struct tail_term terms[TAIL_TERMS];
    size_t term_count;
    bool frozen, changed;
    uint64_t seen; /* next sequence to look at */
    uint64_t skipped;
    uint64_t opened;
    char *opened_value;
    size_t row_count;
    struct view_tail_row rows[VIEW_TAIL_ROWS];
};

struct tail *tail_create(size_t bytes)
{
    struct tail *tail = mem_zero(1, sizeof *tail);
    pthread_mutex_init(&tail->lock, NULL);
    tail->size = bytes;
    tail->bytes = mem_alloc(bytes);
    tail->entries = mem_zero(TAIL_ENTRIES, sizeof *tail->entries);
    tail->first = tail->end = tail->seen = 1;
    return tail;
}

void tail_destroy(struct tail *tail)
{
    if (!tail)
        return;
    pthread_mutex_destroy(&tail->lock);
    free(tail->bytes);
    free(tail->entries);
    free(tail->opened_value);
    free(tail);
}

static struct tail_entry *tail_entry(const struct tail *tail, uint64_t sequence)
{
    return &tail->entries[sequence % TAIL_ENTRIES];
}

static size_t tail_entry_size(const struct tail_entry *entry)
{
    return entry->record.key_length + entry->record.headers_length + entry->value_kept;
}

void tail_lock(struct tail *tail)
{
    pthread_mutex_lock(&tail->lock);
}

void tail_unlock(struct tail *tail)
{
    pthread_mutex_unlock(&tail->lock);
}

void tail_add_locked(struct tail *tail, const struct record *record, bool quarantined)
{
    struct tail_entry entry = {.record = *record, .quarantined = quarantined};
    if (entry.record.key_length > 1024)
        entry.record.key_length = 1024;
    if (entry.record.headers_length > 8192)
        entry.record.headers_length = 0;
    entry.value_kept = record->value_length < TAIL_VALUE_MAX ? record->value_length : TAIL_VALUE_MAX;
    size_t need = tail_entry_size(&entry);
    if (tail->next + need >
        tail->size) { /* entries in the rest of the ring are passed over: they are the oldest */
        while (tail->first < tail->end && tail_entry(tail, tail->first)->at >= tail->next)
            tail->first++;
        tail->next = 0;
    }
    entry.at = tail->next;
    while (tail->first < tail->end) {
        const struct tail_entry *oldest = tail_entry(tail, tail->first);
        bool overlaps = oldest->at < entry.at + need && entry.at < oldest->at + tail_entry_size(oldest);
        if (!overlaps && tail->end - tail->first < TAIL_ENTRIES)
            break;
        tail->first++;
    }
    char *to = tail->bytes + entry.at;
    if (entry.record.key_length)
        memcpy(to, record->key, entry.record.key_length);
    if (entry.record.headers_length)
        memcpy(to + entry.record.key_length, record->headers, entry.record.headers_length);
    if (entry.value_kept)
        memcpy(to + entry.record.key_length + entry.record.headers_length, record->value, entry.value_kept);
    tail->next = entry.at + need;
    *tail_entry(tail, tail->end++) = entry;
}

void tail_clear(struct tail *tail)
{
    tail_lock(tail);
    tail->first = tail->end;
    tail->seen = tail->end;
    tail->row_count = 0;
    tail->changed = true;
    tail_unlock(tail);
}

/* ---- the window ------------------------------------------------------------------------------------- */

static const char *tail_key(const struct tail *tail, const struct tail_entry *entry)
{
    return tail->bytes + entry->at;
}

static const char *tail_value(const struct tail *tail, const struct tail_entry *entry)
{
    return tail->bytes + entry->at + entry->record.key_length + entry->record.headers_length;
}

static bool tail_contains(const char *bytes, size_t length, const char *part)
{
    size_t part_length = strlen(part);
    if (part_length > length)
        return false;
    for (size_t i = 0; i + part_length <= length; i++)
        if (strncasecmp(bytes + i, part, part_length) == 0)
            return true;
    return false;
}

static bool tail_term_holds(const struct tail *tail, const struct tail_entry *entry,
                            const struct tail_term *term)
{
    const struct record *record = &entry->record;
    const char *key = tail_key(tail, entry);
    size_t searched = entry->value_kept < TAIL_SEARCH ? entry->value_kept : TAIL_SEARCH;
    char number[24];
    switch (term->column) {
    case TERM_TOPIC:
        return record->kind >= 0 && text_prefix_fold(event_topic((enum event_kind)record->kind), term->text);
    case TERM_KEY:
        return tail_contains(key, record->key_length, term->text);
    case TERM_PARTITION:
        snprintf(number, sizeof number, "%d", record->partition);
        return strcmp(number, term->text) == 0;
    case TERM_OFFSET:
        snprintf(number, sizeof number, "%lld", (long long)record->offset);
        return strcmp(number, term->text) == 0;
    case TERM_BAD:
        return entry->quarantined == (term->text[0] != 'n' && term->text[0] != 'N');
    case TERM_TEXT:
        break;
    }
    return tail_contains(key, record->key_length, term->text) ||
           tail_contains(tail_value(tail, entry), searched, term->text);
}

static bool tail_matches(const struct tail *tail, const struct tail_entry *entry)
{
    for (size_t i = 0; i < tail->term_count; i++)
        if (tail_term_holds(tail, entry, &tail->terms[i]) == tail->terms[i].negated)
            return false;
    return true;
}

void tail_set_filter(struct tail *tail, const char *filter)
{
    static const struct {
        const char *name;
        enum tail_column column;
    } columns[] = {{"topic:", TERM_TOPIC},
                   {"key:", TERM_KEY},
                   {"partition:", TERM_PARTITION},
                   {"offset:", TERM_OFFSET},
                   {"bad:", TERM_BAD}};
    if (strcmp(filter, tail->filter) == 0)
        return;
    text_copy(tail->filter, sizeof tail->filter, filter);
    tail->term_count = 0;
    char words[sizeof tail->filter], *rest = words, *word;
    text_copy(words, sizeof words, filter);
    while ((word = strsep(&rest, " ")) && tail->term_count < TAIL_TERMS) {
        if (!*word)
            continue;
        struct tail_term *term = &tail->terms[tail->term_count];
        *term = (struct tail_term){.column = TERM_TEXT, .negated = word[0] == '!' && word[1]};
        word += term->negated;
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            if (text_prefix_fold(word, columns[i].name) && word[strlen(columns[i].name)]) {
                term->column = columns[i].column;
                word += strlen(columns[i].name);
                break;
            }
        }
        text_copy(term->text, sizeof term->text, word);
        tail->term_count++;
    }
    tail_lock(tail);
    tail->seen = tail->first; /* look at all that is kept again */
    tail_unlock(tail);
    tail->row_count = 0;
    tail->changed = true;
}

void tail_freeze(struct tail *tail, bool on)
{
    tail->changed = tail->changed || tail->frozen != on;
    tail->frozen = on;
}

void tail_open(struct tail *tail, uint64_t sequence)
{
    tail->changed = tail->changed || tail->opened != sequence;
    tail->opened = sequence;
}

static void tail_fill_row(const struct tail *tail, uint64_t sequence, struct view_tail_row *row)
{
    const struct tail_entry *entry = tail_entry(tail, sequence);
    *row = (struct view_tail_row){.sequence = sequence,
                                  .arrived_us = entry->record.arrived_us,
                                  .kind = entry->record.kind,
                                  .partition = entry->record.partition,
                                  .offset = entry->record.offset,
                                  .length = entry->record.value_length,
                                  .quarantined = entry->quarantined};
    text_sanitise(row->key, sizeof row->key, tail_key(tail, entry), entry->record.key_length);
    size_t length = entry->value_kept < 400 ? entry->value_kept : 400;
    text_sanitise(row->excerpt, sizeof row->excerpt, tail_value(tail, entry), length);
}

static void tail_fill_opened(struct tail *tail, struct view_opened *opened)
{
    if (tail->opened == 0) {
        free(tail->opened_value);
        tail->opened_value = NULL;
        *opened = (struct view_opened){0};
        return;
    }
    if (opened->known && opened->row.sequence == tail->opened)
        return;
    free(tail->opened_value);
    tail->opened_value = NULL;
    *opened = (struct view_opened){0};
    if (tail->opened < tail->first || tail->opened >= tail->end)
        return;
    const struct tail_entry *entry = tail_entry(tail, tail->opened);
    opened->known = true;
    tail_fill_row(tail, tail->opened, &opened->row);
    struct record record = entry->record;
    record.headers = (const uint8_t *)tail_key(tail, entry) + record.key_length;
    opened->timestamp_ms = record.timestamp;
    opened->produced_us = record_produced_us(&record);
    size_t position = 0;
    struct record_header header;
    while (opened->header_count < sizeof opened->headers / sizeof *opened->headers &&
           record_headers_next(&record, &position, &header)) {
        size_t i = opened->header_count++;
        text_sanitise(opened->headers[i].name, sizeof opened->headers[i].name, header.name,
                      header.name_length);
        text_sanitise(opened->headers[i].value, sizeof opened->headers[i].value,
                      header.value ? header.value : "null", header.value ? header.value_length : 4);
    }
    opened->value_length = entry->value_kept;
    opened->truncated = entry->value_kept < entry->record.value_length;
    tail->opened_value = mem_alloc(entry->value_kept + 1);
    memcpy(tail->opened_value, tail_value(tail, entry), entry->value_kept);
    tail->opened_value[entry->value_kept] = 0;
    opened->value = tail->opened_value;
}

bool tail_refresh(struct tail *tail, struct view_tail *view)
{
    tail_lock(tail);
    bool changed = tail->changed;
    if (!tail->frozen && tail->seen < tail->end) {
        if (tail->seen < tail->first) {
            tail->skipped += tail->first - tail->seen;
            tail->seen = tail->first;
        }
        /* Newest first, only as many as the window shows: at 100,000 records a second most are never looked
         * at. */
        uint64_t fresh[VIEW_TAIL_ROWS];
        size_t count = 0;
        for (uint64_t sequence = tail->end; sequence > tail->seen && count < VIEW_TAIL_ROWS; sequence--)
            if (tail_matches(tail, tail_entry(tail, sequence - 1)))
                fresh[count++] = sequence - 1;
        size_t keep = tail->row_count + count <= VIEW_TAIL_ROWS ? tail->row_count : VIEW_TAIL_ROWS - count;
        memmove(tail->rows, tail->rows + tail->row_count - keep, keep * sizeof *tail->rows);
        for (size_t i = 0; i < count; i++)
            tail_fill_row(tail, fresh[count - 1 - i], &tail->rows[keep + i]);
        tail->row_count = keep + count;
        tail->seen = tail->end;
        changed = changed || count > 0 || view->total != tail->end - 1;
    }
    tail_fill_opened(tail, &view->opened);
    view->total = tail->end - 1;
    tail_unlock(tail);
    tail->changed = false;
    if (!changed)
        return false;
    view->generation++;
    view->skipped = tail->skipped;
    view->frozen = tail->frozen;
    text_copy(view->filter, sizeof view->filter, tail->filter);
    view->count = tail->row_count;
    memcpy(view->rows, tail->rows, tail->row_count * sizeof *tail->rows);
    return true;
}
