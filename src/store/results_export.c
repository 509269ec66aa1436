#include "store/results_export.h"

#include "base/file.h"
#include "base/text.h"
#include "sql/duckdb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE_CELL 60 /* cells of a column, for people */

bool results_format_of(const char *path, enum results_format *format)
{
    static const struct {
        const char *end;
        enum results_format format;
    } ends[] = {{".csv", RESULTS_CSV},      {".json", RESULTS_JSON},       {".ndjson", RESULTS_NDJSON},
                {".jsonl", RESULTS_NDJSON}, {".parquet", RESULTS_PARQUET}, {".txt", RESULTS_TABLE}};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i].end);
        if (length > end && text_equal_fold(path + length - end, ends[i].end)) {
            *format = ends[i].format;
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

static void put_csv(FILE *out, const char *text, size_t length)
{
    bool plain = length > 0 && text[0] != ' ' && text[length - 1] != ' ';
    for (size_t i = 0; plain && i < length; i++)
        plain = text[i] != '"' && text[i] != ',' && text[i] != '\n' && text[i] != '\r';
    if (plain) {
        fwrite(text, 1, length, out);
        return;
    }
    putc('"', out);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            putc('"', out);
        putc(text[i], out);
    }
    putc('"', out);
}

static void put_json_text(FILE *out, const char *text, size_t length)
{
    putc('"', out);
    for (const char *end = text + length; text < end;) {
        char bytes[5] = "";
        uint32_t rune = text_next_rune(&text, end);
        if (rune == '"' || rune == '\\')
            fprintf(out, "\\%c", (int)rune);
        else if (rune == '\n')
            fputs("\\n", out);
        else if (rune < 0x20 || rune == 0x7F)
            fprintf(out, "\\u%04x", (unsigned)rune);
        else if (text_put_rune(bytes, rune) > 0)
            fputs(bytes, out);
    }
    putc('"', out);
}

/* As RFC 8259 has it: no leading zeros or points, no NaN. */
static bool is_json_number(const char *text, size_t length)
{
    const char *end = text + length;
    if (text < end && *text == '-')
        text++;
    if (text == end || *text < '0' || *text > '9')
        return false;
    if (*text == '0')
        text++;
    else
        while (text < end && *text >= '0' && *text <= '9')
            text++;
    if (text < end && *text == '.') {
        const char *digits = ++text;
        while (text < end && *text >= '0' && *text <= '9')
            text++;
        if (text == digits)
            return false;
    }
    if (text < end && (*text == 'e' || *text == 'E')) {
        text++;
        if (text < end && (*text == '+' || *text == '-'))
            text++;
        const char *digits = text;
        while (text < end && *text >= '0' && *text <= '9')
            text++;
        if (text == digits)
            return false;
    }
    return text == end;
}

static bool is_word(const struct result_cell *cell, const char *word)
{
    return cell->length == strlen(word) && strncasecmp(cell->text, word, cell->length) == 0;
}

static void put_json(FILE *out, const struct result_column *column, const struct result_cell *cell)
{
    if (!cell->text)
        fputs("null", out);
    else if (result_kind_is_number(column->kind) && is_json_number(cell->text, cell->length))
        fwrite(cell->text, 1, cell->length, out);
    else if (column->kind == RESULT_BOOL && (is_word(cell, "true") || is_word(cell, "false")))
        fputs(is_word(cell, "true") ? "true" : "false", out);
    else
        put_json_text(out, cell->text, cell->length);
}

/* ---- rows ---- */

struct export
{
    FILE *out;
    enum results_format format;
    size_t columns;
    struct result_column *column;
    int *width; /* of a table for people */
    int64_t rows;
};

static void put_padded(FILE *out, const char *text, int width, bool right, bool last)
{
    int blanks = width - text_width(text);
    if (right && blanks > 0)
        fprintf(out, "%*s", blanks, "");
    fputs(text, out);
    if (!right && !last && blanks > 0)
        fprintf(out, "%*s", blanks, "");
    fputs(last ? "\n" : "  ", out);
}

static const char *table_text(const struct result_cell *cell, char text[4 * TABLE_CELL + 1])
{
    if (!cell->text)
        return "–";
    text_sanitise(text, 4 * TABLE_CELL + 1, cell->text, cell->length);
    return text;
}

/* Widths by the first chunk; what comes later and is longer stands out. */
static void measure(struct export *export, const struct result_page *page)
{
    char text[4 * TABLE_CELL + 1];
    for (size_t i = 0; i < export->columns; i++)
        export->width[i] = text_width(export->column[i].name);
    for (size_t i = 0; page && i < page->rows * page->columns; i++) {
        int width = text_width(table_text(&page->cells[i], text));
        if (width > export->width[i % page->columns])
            export->width[i % page->columns] = width < TABLE_CELL ? width : TABLE_CELL;
    }
}

static void put_head(struct export *export)
{
    FILE *out = export->out;
    if (export->format == RESULTS_JSON)
        fputs("[", out);
    for (size_t i = 0; i < export->columns; i++) {
        const struct result_column *column = &export->column[i];
        bool last = i + 1 == export->columns;
        if (export->format == RESULTS_CSV) {
            put_csv(out, column->name, strlen(column->name));
            putc(last ? '\n' : ',', out);
        } else if (export->format == RESULTS_TABLE) {
            put_padded(out, column->name, export->width[i], result_kind_is_number(column->kind), last);
        }
    }
}

static void put_row(struct export *export, const struct result_cell *cells)
{
    FILE *out = export->out;
    char text[4 * TABLE_CELL + 1];
    bool objects = export->format == RESULTS_JSON || export->format == RESULTS_NDJSON;
    if (export->format == RESULTS_JSON)
        fputs(export->rows > 0 ? ",\n " : "\n ", out);
    if (objects)
        putc('{', out);
    for (size_t i = 0; i < export->columns; i++) {
        const struct result_column *column = &export->column[i];
        bool last = i + 1 == export->columns;
        if (objects) {
            put_json_text(out, column->name, strlen(column->name));
            putc(':', out);
            put_json(out, column, &cells[i]);
            if (!last)
                putc(',', out);
        } else if (export->format == RESULTS_CSV) {
            if (cells[i].text)
                put_csv(out, cells[i].text, cells[i].length);
            putc(last ? '\n' : ',', out);
        } else {
            put_padded(out, table_text(&cells[i], text), export->width[i],
                       result_kind_is_number(column->kind), last);
        }
    }
    if (objects)
        putc('}', out);
    if (export->format == RESULTS_NDJSON)
        putc('\n', out);
    export->rows++;
}

static int put_rows(struct export *export, struct results *results, int64_t id, int64_t max_rows,
                    results_progress_fn *progress, void *context, struct err *err)
{
    struct result_page page = {0};
    int more = results_read(results, id, 0, &page, err);
    if (more < 0)
        return -1;
    measure(export, more == 1 ? &page : NULL);
    put_head(export);
    while (more == 1 && (max_rows < 0 || export->rows < max_rows)) {
        for (size_t i = 0; i < page.rows && (max_rows < 0 || export->rows < max_rows); i++)
            put_row(export, page.cells + i * page.columns);
        if (progress && !progress(context, export->rows))
            more = err_set(err, ERR_CANCELLED, "cancelled");
        else
            more = results_read(results, id, export->rows, &page, err);
    }
    result_page_free(&page);
    if (more >= 0 && export->format == RESULTS_JSON)
        fputs(export->rows > 0 ? "\n]\n" : "]\n", export->out);
    if (more >= 0 && (fflush(export->out) != 0 || ferror(export->out)))
        return err_set_errno(err, errno == ENOSPC ? ERR_FULL : ERR_IO, errno, "cannot write the result");
    return more < 0 ? -1 : 0;
}

int64_t results_write(struct results *results, int64_t id, enum results_format format, int64_t max_rows,
                      FILE *out, results_progress_fn *progress, void *context, struct err *err)
{
    struct export export = {.out = out, .format = format};
    struct result_info info;
    if (!results_info(results, id, &info))
        return err_set(err, ERR_NOT_FOUND, "result %lld is not kept any more", (long long)id);
    export.column = mem_zero(RESULT_COLUMNS, sizeof *export.column);
    export.width = mem_zero(RESULT_COLUMNS, sizeof *export.width);
    export.columns = results_columns(results, info.id, export.column, RESULT_COLUMNS);
    int result = put_rows(&export, results, info.id, max_rows, progress, context, err);
    free(export.column);
    free(export.width);
    return result < 0 ? -1 : export.rows;
}

/* ---- files ---- */

static const char *parquet_type(const struct result_column *column)
{
    static const char *const types[RESULT_KINDS] = {
        [RESULT_TEXT] = "VARCHAR", [RESULT_INT] = "BIGINT", [RESULT_REAL] = "DOUBLE",
        [RESULT_BOOL] = "BOOLEAN", [RESULT_DATE] = "DATE",  [RESULT_TIME] = "TIMESTAMP"};
    return types[column->kind];
}

/* The result as NDJSON in `from`, as Parquet to `to`; the engine may touch nothing but their folder. */
static int make_parquet(struct results *results, int64_t id, const char *folder, const char *from,
                        const char *to, struct err *err)
{
    const char *const folders[] = {folder};
    struct duck_settings settings = {.folders = folders, .folder_count = 1};
    struct duck_db *db = duck_open(&settings, err);
    struct duck_connection *connection = db ? duck_connect(db, err) : NULL;
    struct result_column *columns = mem_zero(RESULT_COLUMNS, sizeof *columns);
    size_t count = results_columns(results, id, columns, RESULT_COLUMNS);
    struct buf sql;
    buf_init(&sql, 1 << 20);
    buf_text(&sql, "COPY (SELECT * FROM read_csv(");
    buf_sql_text(&sql, from);
    buf_text(&sql, ", header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
                   "allow_quoted_nulls = false, columns = {");
    for (size_t i = 0; i < count; i++) {
        buf_text(&sql, i > 0 ? ", " : "");
        buf_sql_text(&sql, columns[i].name);
        buf_printf(&sql, ": '%s'", parquet_type(&columns[i]));
    }
    buf_text(&sql, "})) TO ");
    buf_sql_text(&sql, to);
    buf_text(&sql, " (FORMAT parquet, COMPRESSION zstd)");
    int result = connection ? duck_exec(connection, sql.data, err) : -1;
    buf_free(&sql);
    free(columns);
    duck_disconnect(connection);
    duck_close(db);
    return result;
}

static int64_t export_parquet(struct results *results, int64_t id, const char *path, const char *temporary,
                              results_progress_fn *progress, void *context, struct err *err)
{
    char rows_path[FILE_PATH_SIZE + 40], folder[FILE_PATH_SIZE];
    char *real = realpath(temporary, NULL); /* it was just made; the engine wants whole paths */
    if (!real)
        return err_set_errno(err, ERR_IO, errno, "%s", path);
    snprintf(rows_path, sizeof rows_path, "%.*s.rows", FILE_PATH_SIZE, real);
    text_copy(folder, sizeof folder, real);
    *strrchr(folder, '/') = '\0';
    int64_t rows = results_export(results, id, RESULTS_CSV, rows_path, progress, context, err);
    if (rows >= 0 && make_parquet(results, id, folder[0] ? folder : "/", rows_path, real, err) < 0)
        rows = -1;
    unlink(rows_path);
    free(real);
    return rows;
}

int64_t results_export(struct results *results, int64_t id, enum results_format format, const char *path,
                       results_progress_fn *progress, void *context, struct err *err)
{
    char temporary[FILE_PATH_SIZE + 80];
    if (strlen(path) >= FILE_PATH_SIZE)
        return err_set(err, ERR_USAGE, "the path is too long");
    snprintf(temporary, sizeof temporary, "%s.%d.part", path, (int)getpid());
    FILE *out = fopen(temporary, "wxe");
    if (!out)
        return err_set_errno(err, ERR_IO, errno, "%s", path);
    int64_t rows = format == RESULTS_PARQUET
                       ? export_parquet(results, id, path, temporary, progress, context, err)
                       : results_write(results, id, format, -1, out, progress, context, err);
    bool synced = rows < 0 || fsync(fileno(out)) == 0;
    int closed = fclose(out);
    if (rows >= 0 && (!synced || closed != 0 || rename(temporary, path) != 0)) {
        err_set_errno(err, ERR_IO, errno, "%s", path);
        rows = -1;
    }
    if (rows < 0)
        unlink(temporary);
    return rows;
}
