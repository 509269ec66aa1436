#include "geo_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void table_fail(const struct table *table, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", table->path, table->line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void *array_grow(void *array, size_t count, size_t size)
{
    void *grown = realloc(array, (count ? count : 1) * size);
    if (!grown) {
        fputs("compile_geo: out of memory\n", stderr);
        exit(1);
    }
    return grown;
}

double table_number(const struct table *table, const char *text, double low, double high, const char *what)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= low && value <= high))
        table_fail(table, "%s '%s' is not a number from %g to %g", what, text, low, high);
    return value;
}

int table_word(const struct table *table, const char *text, const char *const *words, int count,
               const char *what)
{
    for (int i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    table_fail(table, "%s '%s' is not known", what, text);
}

char *table_name(const struct table *table, const char *text)
{
    if (!*text)
        table_fail(table, "a name is empty");
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\' || *p == 0x7f)
            table_fail(table, "name '%s' holds a character that may not stand in one", text);
    return strcpy(array_grow(NULL, strlen(text) + 1, 1), text);
}

static void add_points(struct table *table, char *text)
{
    for (char *pair = strtok(text, " "); pair; pair = strtok(NULL, " ")) {
        char *comma = strchr(pair, ',');
        if (!comma)
            table_fail(table, "point '%s' is not latitude,longitude", pair);
        *comma = 0;
        if (table->point_count == table->point_room)
            table->points = array_grow(table->points, table->point_room = table->point_room * 2 + 64,
                                       sizeof *table->points);
        double *point = table->points[table->point_count++];
        point[0] = table_number(table, pair, 49, 61, "latitude");
        point[1] = table_number(table, comma + 1, -9, 3, "longitude");
    }
}

void table_open(struct table *table, const char *directory, const char *name, const char *header)
{
    *table = (struct table){.line = 0};
    if (snprintf(table->path, sizeof table->path, "%s/%s", directory, name) >= (int)sizeof table->path)
        table_fail(table, "the path is too long");
    table->file = fopen(table->path, "r");
    if (!table->file)
        table_fail(table, "cannot be opened: %s", strerror(errno));
    ssize_t length = getline(&table->text, &table->text_size, table->file);
    table->line = table->lines_read = 1;
    if (length > 0 && table->text[length - 1] == '\n')
        table->text[length - 1] = 0;
    for (char *p = length > 0 ? table->text : NULL; p && *p; p++)
        if (*p == '\t')
            *p = ' ';
    if (length <= 0 || strcmp(table->text, header) != 0)
        table_fail(table, "the columns are not '%s'", header);
    table->column_count = 1;
    for (const char *p = header; *p; p++)
        table->column_count += *p == ' ';
    table->has_points = strlen(header) >= 6 && strcmp(header + strlen(header) - 6, "points") == 0;
}

bool table_next(struct table *table)
{
    ssize_t length = getline(&table->text, &table->text_size, table->file);
    if (length < 0) {
        if (ferror(table->file))
            table_fail(table, "cannot be read: %s", strerror(errno));
        fclose(table->file);
        free(table->text);
        free(table->points);
        return false;
    }
    table->line = ++table->lines_read;
    if (length > 0 && table->text[length - 1] == '\n')
        table->text[length - 1] = 0;
    int columns = 0;
    for (char *rest = table->text, *column; (column = strsep(&rest, "\t"));) {
        if (columns == table->column_count)
            table_fail(table, "more than %d columns", table->column_count);
        table->columns[columns++] = column;
    }
    if (columns != table->column_count)
        table_fail(table, "%d columns, not %d", columns, table->column_count);
    if (!table->has_points)
        return true;

    int row = table->line;
    table->point_count = 0;
    add_points(table, table->columns[columns - 1]);
    char *more = NULL;
    size_t more_size = 0;
    for (int c; (c = getc(table->file)) == '\t' || (c != EOF && (ungetc(c, table->file), false));) {
        table->line = ++table->lines_read;
        length = getline(&more, &more_size, table->file);
        if (length > 0 && more[length - 1] == '\n')
            more[length - 1] = 0;
        if (length > 0)
            add_points(table, more);
    }
    free(more);
    table->line = row;
    if (table->point_count < 2)
        table_fail(table, "a line of fewer than two points");
    return true;
}
