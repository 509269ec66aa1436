/* Reading kept results. What is in the file is not believed: sizes are checked before memory is taken. */
#include "store/results_private.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define INFO_COLUMNS                                                                                         \
    "id, at_ms, engine, place, substr(sql, 1, 400), remote_id, state, problem, rows, bytes, truncated, "     \
    "scanned, took_us, cost, columns"

static void copy_text(char *out, size_t size, const struct sql_statement *statement, int column)
{
    text_sanitise(out, size, sql_column_text(statement, column), sql_column_bytes(statement, column));
}

/* One line: runs of white space become a blank. */
static void copy_title(char *out, size_t size, const struct sql_statement *statement, int column)
{
    char line[400];
    size_t used = 0;
    const char *text = sql_column_text(statement, column);
    for (; *text && used + 1 < sizeof line; text++) {
        bool blank = *text == ' ' || *text == '\n' || *text == '\r' || *text == '\t';
        if (!blank)
            line[used++] = *text;
        else if (used > 0 && line[used - 1] != ' ')
            line[used++] = ' ';
    }
    text_sanitise(out, size, line, used);
}

static void read_info(const struct sql_statement *statement, struct result_info *info)
{
    *info = (struct result_info){.id = sql_column_int(statement, 0),
                                 .at_ms = sql_column_int(statement, 1),
                                 .rows = sql_column_int(statement, 8),
                                 .bytes = sql_column_int(statement, 9),
                                 .truncated = sql_column_int(statement, 10) != 0,
                                 .scanned_bytes = sql_column_int(statement, 11),
                                 .took_us = sql_column_int(statement, 12),
                                 .cost_usd = sql_column_double(statement, 13),
                                 .columns = (size_t)sql_column_int(statement, 14)};
    int64_t state = sql_column_int(statement, 6);
    info->state = state >= 0 && state <= RESULT_CANCELLED ? (enum result_state)state : RESULT_FAILED;
    if (info->columns > RESULT_COLUMNS)
        info->columns = RESULT_COLUMNS;
    copy_text(info->engine, sizeof info->engine, statement, 2);
    copy_text(info->place, sizeof info->place, statement, 3);
    copy_title(info->title, sizeof info->title, statement, 4);
    copy_text(info->remote_id, sizeof info->remote_id, statement, 5);
    copy_text(info->problem, sizeof info->problem, statement, 7);
}

size_t results_list(struct results *results, struct result_info *infos, size_t count)
{
    struct err err = ERR_INIT;
    size_t found = 0;
    pthread_mutex_lock(results->read_lock);
    struct sql_statement *look =
        sql_prepare(results->read, "SELECT " INFO_COLUMNS " FROM result ORDER BY id DESC LIMIT ?", &err);
    if (look)
        sql_bind_int(look, 1, (int64_t)count);
    while (look && found < count && sql_step(look, &err) == 1)
        read_info(look, &infos[found++]);
    sql_finalize(look);
    pthread_mutex_unlock(results->read_lock);
    return found;
}

bool results_info(struct results *results, int64_t id, struct result_info *info)
{
    struct err err = ERR_INIT;
    pthread_mutex_lock(results->read_lock);
    struct sql_statement *look = sql_prepare(
        results->read, "SELECT " INFO_COLUMNS " FROM result WHERE id = ?1 OR ?1 = 0 ORDER BY id DESC LIMIT 1",
        &err);
    if (look)
        sql_bind_int(look, 1, id);
    bool found = look && sql_step(look, &err) == 1;
    if (found)
        read_info(look, info);
    sql_finalize(look);
    pthread_mutex_unlock(results->read_lock);
    return found;
}

size_t results_columns(struct results *results, int64_t id, struct result_column *columns, size_t max)
{
    struct err err = ERR_INIT;
    size_t count = 0;
    pthread_mutex_lock(results->read_lock);
    struct sql_statement *look = sql_prepare(
        results->read, "SELECT name, type, kind FROM result_column WHERE result = ? ORDER BY at", &err);
    if (look)
        sql_bind_int(look, 1, id);
    while (look && count < max && sql_step(look, &err) == 1) {
        struct result_column *column = &columns[count++];
        copy_text(column->name, sizeof column->name, look, 0);
        copy_text(column->type, sizeof column->type, look, 1);
        int64_t kind = sql_column_int(look, 2);
        column->kind = kind >= 0 && kind < RESULT_KINDS ? (enum result_kind)kind : RESULT_TEXT;
    }
    sql_finalize(look);
    pthread_mutex_unlock(results->read_lock);
    return count;
}

char *results_sql(struct results *results, int64_t id)
{
    struct err err = ERR_INIT;
    char *text = NULL;
    pthread_mutex_lock(results->read_lock);
    struct sql_statement *look = sql_prepare(results->read, "SELECT sql FROM result WHERE id = ?", &err);
    if (look)
        sql_bind_int(look, 1, id);
    if (look && sql_step(look, &err) == 1)
        text = mem_text(sql_column_text(look, 0));
    sql_finalize(look);
    pthread_mutex_unlock(results->read_lock);
    return text;
}

/* ---- rows ---- */

static bool take_length(const char **at, const char *end, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; *at < end && shift < 35; shift += 7) {
        unsigned char byte = (unsigned char)*(*at)++;
        *value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool take_cells(struct result_page *page, size_t raw)
{
    const char *at = page->text, *end = page->text + raw;
    for (size_t i = 0; i < page->rows * page->columns; i++) {
        uint64_t length;
        if (!take_length(&at, end, &length) || (length > 0 && length - 1 > (uint64_t)(end - at)))
            return false;
        page->cells[i] = (struct result_cell){.text = length > 0 ? at : NULL};
        if (length > 0) {
            page->cells[i].length = (size_t)length - 1;
            at += length - 1;
        }
    }
    return at == end;
}

static bool unpack(struct result_page *page, const void *data, size_t length, int64_t rows, int64_t raw)
{
    result_page_free(page);
    if (rows < 1 || rows > RESULT_CHUNK_ROWS || raw < 0 || raw > RESULTS_CHUNK_LIMIT || !data)
        return false;
    page->text = mem_alloc((size_t)raw + 1);
    size_t got = ZSTD_decompress(page->text, (size_t)raw, data, length);
    return !ZSTD_isError(got) && got == (size_t)raw;
}

int results_read(struct results *results, int64_t id, int64_t row, struct result_page *page, struct err *err)
{
    int result = -1;
    int64_t first = 0, rows = 0, columns = 0, raw = 0;
    pthread_mutex_lock(results->read_lock);
    struct sql_statement *look = sql_prepare(
        results->read,
        "SELECT c.first, c.rows, c.raw, c.data, r.columns FROM chunk c JOIN result r ON r.id = c.result"
        " WHERE c.result = ? AND c.first <= ? ORDER BY c.first DESC LIMIT 1",
        err);
    if (look) {
        sql_bind_int(look, 1, id);
        sql_bind_int(look, 2, row);
        result = sql_step(look, err);
    }
    if (result == 1) {
        first = sql_column_int(look, 0);
        rows = sql_column_int(look, 1);
        raw = sql_column_int(look, 2);
        columns = sql_column_int(look, 4);
        if (row >= first + rows)
            result = 0;
        else if (columns < 1 || columns > RESULT_COLUMNS ||
                 !unpack(page, sql_column_blob(look, 3), sql_column_bytes(look, 3), rows, raw))
            result = err_set(err, ERR_CORRUPT, "result %lld is damaged", (long long)id);
    }
    sql_finalize(look);
    pthread_mutex_unlock(results->read_lock);
    if (result != 1)
        return result;
    page->first = first;
    page->rows = (size_t)rows;
    page->columns = (size_t)columns;
    page->cells = mem_zero(page->rows * page->columns, sizeof *page->cells);
    if (take_cells(page, (size_t)raw))
        return 1;
    result_page_free(page);
    return err_set(err, ERR_CORRUPT, "result %lld is damaged", (long long)id);
}

void result_page_free(struct result_page *page)
{
    free(page->cells);
    free(page->text);
    *page = (struct result_page){0};
}
