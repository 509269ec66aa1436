#include "localcloud/athena_scan.h"

#include "localcloud/athena_bounds.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FOOTER_MAX (64u << 20)
#define PLAN_DEPTH 500
#define MARK       "filename IS DISTINCT FROM 'athena:"

struct file {
    char *path;
    int64_t size;
};

struct part {
    bool parquet;
    struct file *files;
    size_t count;
};

struct athena_scan {
    struct part *parts;
    size_t count;
};

struct athena_scan *athena_scan_create(void)
{
    return mem_zero(1, sizeof(struct athena_scan));
}

void athena_scan_destroy(struct athena_scan *scan)
{
    for (size_t i = 0; scan && i < scan->count; i++) {
        for (size_t j = 0; j < scan->parts[i].count; j++)
            free(scan->parts[i].files[j].path);
        free(scan->parts[i].files);
    }
    free(scan ? scan->parts : NULL);
    free(scan);
}

/* Room for one more; doubles. */
static void *grow(void *list, size_t count, size_t size)
{
    bool full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    return full ? mem_resize(list, count < 4 ? 4 : 2 * count, size) : list;
}

void athena_scan_part(struct athena_scan *scan, bool parquet)
{
    scan->parts = grow(scan->parts, scan->count, sizeof *scan->parts);
    scan->parts[scan->count++] = (struct part){.parquet = parquet};
}

void athena_scan_file(struct athena_scan *scan, const char *path, int64_t size)
{
    struct part *part = &scan->parts[scan->count - 1];
    part->files = grow(part->files, part->count, sizeof *part->files);
    part->files[part->count++] = (struct file){.path = mem_text(path), .size = size};
}

void athena_scan_mark(const struct athena_scan *scan, struct buf *sql)
{
    buf_printf(sql, " WHERE " MARK "%zu'", scan->count - 1);
}

/* ---- a relation of the plan ------------------------------------------------------------------------- */

struct relation {
    const json_t *columns; /* "Projections": a text or an array; NULL none is needed */
    const json_t *filters; /* the same */
    const char *above;     /* what a FILTER over it says; NULL none */
};

struct measure {
    const struct athena_scan *scan;
    int64_t bytes, rows;
    bool text; /* text is read */
};

/* The i-th of a text or of an array of texts; NULL behind the last. */
static const char *nth(const json_t *value, size_t i)
{
    return json_is_array(value) ? json_string_value(json_array_get(value, i))
           : i == 0             ? json_string_value(value)
                                : NULL;
}

/* The number in the mark of a text, or -1. */
static int64_t mark_in(const char *text)
{
    const char *at = text ? strstr(text, MARK) : NULL;
    int64_t number = 0;
    if (!at)
        return -1;
    for (at += sizeof MARK - 1; *at >= '0' && *at <= '9' && number < INT32_MAX; at++)
        number = 10 * number + *at - '0';
    return number;
}

/* Does it name the column, but for the mark? */
static bool mentions(const char *text, const char *column, size_t length)
{
    const char *mark = strstr(text, MARK);
    if (!mark)
        return athena_bounds_mention(text, column, length);
    char *before = mem_text(text);
    before[mark - text] = '\0';
    bool found = athena_bounds_mention(before, column, length) ||
                 athena_bounds_mention(mark + sizeof MARK - 1, column, length);
    free(before);
    return found;
}

static bool needs(const struct relation *relation, const char *leaf)
{
    size_t root = strcspn(leaf, ".");
    const char *text;
    for (size_t i = 0; (text = nth(relation->columns, i)); i++) {
        size_t length = strlen(text);
        bool below = strncasecmp(leaf, text, length) == 0 && (leaf[length] == '\0' || leaf[length] == '.');
        if (below || (strncasecmp(leaf, text, root) == 0 && text[root] == '['))
            return true;
    }
    for (size_t i = 0; (text = nth(relation->filters, i)); i++)
        if (mentions(text, leaf, root))
            return true;
    return relation->above && mentions(relation->above, leaf, root);
}

static void add_groups(struct measure *measure, const struct relation *relation,
                       const struct parquet_file *file)
{
    bool *needed = mem_zero(file->leaf_count + 1, sizeof *needed);
    for (size_t i = 0; i < file->leaf_count; i++)
        needed[i] = needs(relation, file->leaves[i].name);
    for (size_t i = 0; i < file->group_count; i++) {
        const struct parquet_group *group = &file->groups[i];
        const char *filter;
        bool pass = true;
        for (size_t j = 0; pass && (filter = nth(relation->filters, j)); j++)
            pass = athena_bounds_pass(file, group, filter);
        if (!pass)
            continue;
        measure->rows += group->rows;
        for (size_t j = 0; j < file->leaf_count; j++)
            measure->bytes += needed[j] ? group->chunks[j].bytes : 0;
    }
    free(needed);
}

static bool add_parquet(struct measure *measure, const struct relation *relation, const struct file *of)
{
    unsigned char tail[PARQUET_TAIL];
    struct parquet_file file;
    int fd = open(of->path, O_RDONLY | O_CLOEXEC);
    size_t length = fd >= 0 && of->size > PARQUET_TAIL &&
                            pread(fd, tail, sizeof tail, of->size - PARQUET_TAIL) == (ssize_t)sizeof tail
                        ? parquet_footer_length(tail, of->size)
                        : 0;
    bool good = length > 0 && length <= FOOTER_MAX;
    char *footer = good ? mem_alloc(length) : NULL;
    good = good && pread(fd, footer, length, of->size - PARQUET_TAIL - (int64_t)length) == (ssize_t)length &&
           parquet_file_read(&file, footer, length, NULL) == 0;
    if (good) {
        add_groups(measure, relation, &file);
        parquet_file_free(&file);
    }
    free(footer);
    if (fd >= 0)
        close(fd);
    return good;
}

static void add_relation(struct measure *measure, const struct relation *relation)
{
    int64_t number = mark_in(relation->above);
    const char *filter;
    for (size_t i = 0; number < 0 && (filter = nth(relation->filters, i)); i++)
        number = mark_in(filter);
    if (number < 0 || (size_t)number >= measure->scan->count)
        return;
    const struct part *part = &measure->scan->parts[number];
    for (size_t i = 0; i < part->count; i++)
        if (!add_parquet(measure, relation, &part->files[i]))
            measure->bytes += part->files[i].size; /* whoever reads it will find out */
}

/* ---- the plan --------------------------------------------------------------------------------------- */

/* Between a relation and the FILTER or PROJECTION that speaks of it stand only these. */
static bool passes_on(const char *name)
{
    return strncmp(name, "PROJECTION", 10) == 0 || strncmp(name, "FILTER", 6) == 0 ||
           strncmp(name, "UNION", 5) == 0;
}

/* unused: what is above counts rows and looks at no column. */
static void walk(struct measure *measure, const json_t *node, const char *above, bool unused, int depth)
{
    const char *name = json_string_value(json_object_get(node, "name"));
    const json_t *info = json_object_get(node, "extra_info"), *child;
    if (!name || depth > PLAN_DEPTH)
        return;
    if (strncmp(name, "READ_PARQUET", 12) == 0) {
        struct relation relation = {.columns = unused ? NULL : json_object_get(info, "Projections"),
                                    .filters = json_object_get(info, "Filters"),
                                    .above = above};
        add_relation(measure, &relation);
    }
    measure->text |= strncmp(name, "READ_CSV", 8) == 0 || strncmp(name, "READ_JSON", 9) == 0;
    const char *projected = json_string_value(json_object_get(info, "Projections"));
    if (!passes_on(name)) {
        above = NULL;
        unused = false;
    } else if (strncmp(name, "FILTER", 6) == 0) {
        above = nth(json_object_get(info, "Expression"), 0);
    } else if (projected && strcmp(projected, "42") == 0) { /* as the engine plans count(*) */
        unused = true;
    }
    size_t index;
    json_array_foreach(json_object_get(node, "children"), index, child)
        walk(measure, child, above, unused, depth + 1);
}

static json_t *plan_of(struct duck_connection *connection, const char *sql)
{
    struct err err = ERR_INIT;
    size_t length = strlen(sql);
    char *explain = mem_alloc(length + 40);
    snprintf(explain, length + 40, "EXPLAIN (FORMAT json) %s", sql);
    struct duck_statement *statement = duck_prepare(connection, explain, &err);
    free(explain);
    json_t *plan = NULL;
    if (statement && duck_step(statement, &err) == 1) {
        const char *text = duck_text(duck_column(statement, duck_column_count(statement) - 1), &length);
        plan = json_loadb(text, length, 0, NULL);
    }
    duck_finalize(statement);
    return plan;
}

void athena_scan_measure(const struct athena_scan *scan, struct duck_connection *connection, const char *sql,
                         int64_t *bytes, int64_t *rows)
{
    struct measure measure = {.scan = scan};
    *bytes = *rows = 0;
    if (scan->count == 0)
        return;
    json_t *plan = plan_of(connection, sql), *node;
    size_t index;
    json_array_foreach(plan, index, node) walk(&measure, node, NULL, false, 0);
    json_decref(plan);
    for (size_t i = 0; measure.text && i < scan->count; i++)
        for (size_t j = 0; !scan->parts[i].parquet && j < scan->parts[i].count; j++)
            measure.bytes += scan->parts[i].files[j].size;
    *bytes = measure.bytes;
    *rows = measure.rows;
}
