/*
 * Reads the tables of data/geo/ for compile_geo.c. They are tab separated, first line the column names. Where
 * the last column is `points`, it holds "latitude,longitude" pairs separated by spaces, and a line that
 * begins with a tab continues the pairs of the row above. Anything not understood ends the program with
 * "file:line: why".
 */
#ifndef SMARTCITY_DATA_GEO_READER_H
#define SMARTCITY_DATA_GEO_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define MAX_COLUMNS 8

struct table {
    FILE *file;
    char path[512];
    int line; /* named in messages: where the row begins */
    int lines_read;
    char *text; /* the row as read, cut at its tabs */
    size_t text_size;
    char *columns[MAX_COLUMNS];
    int column_count;
    double (*points)[2]; /* latitude, longitude: of a row with a `points` column */
    size_t point_count, point_room;
    bool has_points;
};

/* Opens DIRECTORY/NAME, whose columns must be `header`: their names between single spaces. */
void table_open(struct table *table, const char *directory, const char *name, const char *header);

/* Reads the next row with its continuation lines; false, and the table closed, at the end. */
bool table_next(struct table *table);

_Noreturn void table_fail(const struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What a cell holds. `what` names it in the message. */
double table_number(const struct table *table, const char *text, double low, double high, const char *what);
int table_word(const struct table *table, const char *text, const char *const *words, int count,
               const char *what);

/* A name to be printed as a C string and on the screen: no quotes, escapes or control characters. The caller
 * frees. */
char *table_name(const struct table *table, const char *text);

/* realloc to count * size bytes that does not fail. */
void *array_grow(void *array, size_t count, size_t size);

#endif
