#include "localcloud/glue_tree.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the tree --------------------------------------------------------------------------------------- */

void glue_folder_free(struct glue_folder *folder)
{
    for (size_t i = 0; i < folder->child_count; i++)
        glue_folder_free(&folder->children[i]);
    for (size_t i = 0; i < folder->file_count; i++) {
        hive_type_free(&folder->files[i].schema);
        free(folder->files[i].key);
    }
    hive_type_free(&folder->schema);
    free(folder->children);
    free(folder->files);
    free(folder->name);
    free(folder->path);
    *folder = (struct glue_folder){0};
}

/* Arrays double at powers of two. */
static void *grow(void *array, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? mem_resize(array, count ? 2 * count : 1, size) : array;
}

/* Keys come sorted, so a folder that is there is the last one. */
static struct glue_folder *subfolder(struct glue_folder *folder, const char *key, size_t path, size_t name)
{
    if (folder->child_count > 0) {
        struct glue_folder *last = &folder->children[folder->child_count - 1];
        if (strlen(last->name) == name && memcmp(last->name, key + path, name) == 0)
            return last;
    }
    folder->children = grow(folder->children, folder->child_count, sizeof *folder->children);
    struct glue_folder *child = &folder->children[folder->child_count++];
    *child = (struct glue_folder){.name = mem_alloc(name + 1), .path = mem_alloc(path + name + 2)};
    memcpy(child->name, key + path, name);
    child->name[name] = '\0';
    memcpy(child->path, key, path + name + 1);
    child->path[path + name + 1] = '\0';
    return child;
}

struct glue_file *glue_tree_add(struct glue_folder *root, const char *key)
{
    size_t path = strlen(root->path);
    struct glue_folder *folder = root;
    const char *slash;
    int depth = 0;
    if (strncmp(key, root->path, path) != 0)
        return NULL;
    for (; (slash = strchr(key + path, '/')); path = (size_t)(slash - key) + 1) {
        if (++depth > GLUE_TREE_DEPTH)
            return NULL;
        folder = subfolder(folder, key, path, (size_t)(slash - key) - path);
    }
    folder->files = grow(folder->files, folder->file_count, sizeof *folder->files);
    struct glue_file *file = &folder->files[folder->file_count++];
    *file = (struct glue_file){.key = mem_text(key), .records = -1};
    return file;
}

/* ---- what belongs together -------------------------------------------------------------------------- */

static bool alike(enum glue_format a_format, const struct hive_type *a, enum glue_format b_format,
                  const struct hive_type *b, bool combine)
{
    if (a_format != b_format)
        return false;
    return combine ? hive_type_compatible(a, b) : hive_type_similarity(a, b) >= GLUE_SIMILAR;
}

static void count_file(struct glue_figures *figures, const struct glue_file *file)
{
    figures->objects++;
    figures->bytes += file->size;
    figures->records += file->records > 0 ? file->records : 0;
}

/* Files that were sampled out count by the mean of those that were read. */
static void estimate_records(struct glue_folder *folder)
{
    int64_t bytes = 0, records = 0;
    for (size_t i = 0; i < folder->file_count; i++)
        if (folder->files[i].records >= 0) {
            bytes += folder->files[i].size;
            records += folder->files[i].records;
        }
    for (size_t i = 0; i < folder->file_count; i++)
        if (folder->files[i].records < 0)
            folder->files[i].records =
                bytes > 0 ? (int64_t)((double)records * (double)folder->files[i].size / (double)bytes) : 0;
}

static void settle_files(struct glue_folder *folder, bool combine)
{
    folder->uniform = true;
    estimate_records(folder);
    for (size_t i = 0; i < folder->file_count; i++) {
        struct glue_file *file = &folder->files[i];
        count_file(&folder->figures, file);
        if (!file->read || file->format == GLUE_UNKNOWN)
            continue;
        if (folder->format == GLUE_UNKNOWN)
            folder->format = file->format;
        else if (!alike(folder->format, &folder->schema, file->format, &file->schema, combine))
            folder->uniform = false;
        if (folder->uniform)
            hive_type_merge(&folder->schema, &file->schema);
    }
}

/* The key of "key=value", or 0. */
static size_t key_length(const char *name)
{
    const char *equals = strchr(name, '=');
    return equals ? (size_t)(equals - name) : 0;
}

static bool same_manner(const char *a, const char *b)
{
    size_t length = key_length(a);
    return length == key_length(b) && strncmp(a, b, length) == 0;
}

static bool holds_data(const struct glue_folder *folder)
{
    if (folder->format != GLUE_UNKNOWN)
        return true;
    for (size_t i = 0; i < folder->child_count; i++)
        if (holds_data(&folder->children[i]))
            return true;
    return false;
}

void glue_tree_settle(struct glue_folder *folder, bool combine)
{
    const struct glue_folder *first = NULL;
    settle_files(folder, combine);
    bool own = folder->format != GLUE_UNKNOWN;
    for (size_t i = 0; i < folder->child_count; i++) {
        struct glue_folder *child = &folder->children[i];
        glue_tree_settle(child, combine);
        folder->figures.objects += child->figures.objects;
        folder->figures.bytes += child->figures.bytes;
        folder->figures.records += child->figures.records;
        if (!holds_data(child))
            continue;
        if (own || !child->uniform ||
            (first && (child->levels != first->levels || !same_manner(child->name, first->name) ||
                       !alike(first->format, &folder->schema, child->format, &child->schema, combine)))) {
            folder->uniform = false;
        } else if (folder->uniform) {
            folder->format = child->format;
            folder->levels = child->levels + 1;
            hive_type_merge(&folder->schema, &child->schema);
        }
        first = first ? first : child;
    }
    /* Deeper keys must go by the same names too: city=a/dt=1 beside city=b/day=1 are two tables. */
    for (size_t i = 0; folder->uniform && first && i < folder->child_count; i++)
        for (int level = 0; folder->uniform && level < first->levels; level++) {
            char a[HIVE_NAME_MAX + 1], b[HIVE_NAME_MAX + 1];
            if (!holds_data(&folder->children[i]))
                continue;
            glue_tree_key(first, level, a);
            glue_tree_key(&folder->children[i], level, b);
            folder->uniform = strcmp(a, b) == 0;
        }
}

/* ---- tables ----------------------------------------------------------------------------------------- */

/* TableLevelConfiguration: what is below is taken together as far as it can be. */
static void give_level(const struct glue_folder *folder, int level, int at,
                       void (*each)(void *context, const struct glue_found *found), void *context)
{
    if (at == level) {
        if (holds_data(folder))
            each(context, &(struct glue_found){.folder = folder});
        return;
    }
    for (size_t i = 0; i < folder->child_count; i++)
        give_level(&folder->children[i], level, at + 1, each, context);
}

static void give(const struct glue_folder *folder,
                 void (*each)(void *context, const struct glue_found *found), void *context)
{
    if (folder->uniform) {
        if (folder->format != GLUE_UNKNOWN)
            each(context, &(struct glue_found){.folder = folder});
        return;
    }
    for (size_t i = 0; i < folder->file_count; i++)
        if (folder->files[i].format != GLUE_UNKNOWN)
            each(context, &(struct glue_found){.folder = folder, .file = &folder->files[i]});
    for (size_t i = 0; i < folder->child_count; i++)
        give(&folder->children[i], each, context);
}

void glue_tree_tables(const struct glue_folder *root, int level, int root_level,
                      void (*each)(void *context, const struct glue_found *found), void *context)
{
    if (level > root_level)
        give_level(root, level, root_level, each, context);
    else
        give(root, each, context);
}

/* ---- partitions ------------------------------------------------------------------------------------- */

struct partition_walk {
    const char *values[GLUE_TREE_DEPTH];
    void (*each)(void *context, const struct glue_folder *leaf, const char *const *values, size_t count);
    void *context;
};

static void walk(struct partition_walk *self, const struct glue_folder *folder, size_t depth, size_t levels)
{
    if (depth == levels) {
        if (holds_data(folder))
            self->each(self->context, folder, self->values, levels);
        return;
    }
    for (size_t i = 0; i < folder->child_count && depth < GLUE_TREE_DEPTH; i++) {
        const char *equals =
            key_length(folder->children[i].name) ? strchr(folder->children[i].name, '=') : NULL;
        self->values[depth] = equals ? equals + 1 : folder->children[i].name;
        walk(self, &folder->children[i], depth + 1, levels);
    }
}

void glue_tree_partitions(const struct glue_folder *table,
                          void (*each)(void *context, const struct glue_folder *leaf,
                                       const char *const *values, size_t count),
                          void *context)
{
    struct partition_walk self = {.each = each, .context = context};
    if (table->levels > 0)
        walk(&self, table, 0, (size_t)table->levels);
}

void glue_tree_key(const struct glue_folder *table, int level, char name[HIVE_NAME_MAX + 1])
{
    const struct glue_folder *folder = table;
    for (int i = 0; i <= level; i++) {
        const struct glue_folder *next = NULL;
        for (size_t child = 0; child < folder->child_count && !next; child++)
            next = holds_data(&folder->children[child]) ? &folder->children[child] : NULL;
        if (!next)
            break;
        folder = next;
    }
    size_t length = folder == table ? 0 : key_length(folder->name);
    if (length == 0 || length > HIVE_NAME_MAX) {
        snprintf(name, HIVE_NAME_MAX + 1, "partition_%d", level);
        return;
    }
    for (size_t i = 0; i < length; i++)
        name[i] = (char)tolower((unsigned char)folder->name[i]);
    name[length] = '\0';
}

/* ---- names and patterns ----------------------------------------------------------------------------- */

void glue_table_name(const char *prefix, const char *folder, char name[129])
{
    size_t length = 0;
    for (int part = 0; part < 2; part++)
        for (const char *at = part ? folder : prefix; *at && length < 128; at++) {
            unsigned char byte = (unsigned char)tolower((unsigned char)*at);
            name[length++] = isalnum(byte) && byte < 0x80 ? (char)byte : '_';
        }
    name[length] = '\0';
}

#define GLOB_STEPS 100000

static bool glob(const char *pattern, const char *text, int *steps);

/* {a,b}: each choice followed by the rest. */
static bool glob_choice(const char *pattern, const char *text, int *steps)
{
    const char *close = strchr(pattern, '}');
    if (!close || close - pattern > 512)
        return false;
    char whole[2100];
    for (const char *from = pattern + 1; from <= close;) {
        size_t length = strcspn(from, ",}");
        if (snprintf(whole, sizeof whole, "%.*s%s", (int)length, from, close + 1) >= (int)sizeof whole)
            return false;
        if (glob(whole, text, steps))
            return true;
        from += length + 1;
    }
    return false;
}

static const char *glob_class(const char *pattern, char byte, bool *holds)
{
    const char *at = pattern + 1;
    bool negated = *at == '!' || *at == '^', found = false;
    at += negated;
    for (const char *first = at; *at && (*at != ']' || at == first); at++)
        if (at[1] == '-' && at[2] && at[2] != ']') {
            found = found || (byte >= at[0] && byte <= at[2]);
            at += 2;
        } else {
            found = found || *at == byte;
        }
    *holds = found != negated && byte != '/';
    return *at ? at + 1 : NULL;
}

static bool glob(const char *pattern, const char *text, int *steps)
{
    for (;; pattern++, text++) {
        if (++*steps > GLOB_STEPS)
            return false;
        if (*pattern == '*') {
            bool across = pattern[1] == '*';
            pattern += across ? 2 : 1;
            for (;; text++) {
                if (glob(pattern, text, steps))
                    return true;
                if (!*text || (!across && *text == '/') || *steps > GLOB_STEPS)
                    return false;
            }
        }
        if (*pattern == '{')
            return glob_choice(pattern, text, steps);
        if (*pattern == '\0')
            return *text == '\0';
        if (*text == '\0')
            return false;
        if (*pattern == '[') {
            bool holds;
            const char *behind = glob_class(pattern, *text, &holds);
            if (!behind || !holds)
                return false;
            pattern = behind - 1;
        } else if (*pattern == '?') {
            if (*text == '/')
                return false;
        } else {
            pattern += *pattern == '\\' && pattern[1];
            if (*pattern != *text)
                return false;
        }
    }
}

bool glue_glob(const char *pattern, const char *text)
{
    int steps = 0, braces = 0;
    for (const char *at = pattern; *at; at++)
        braces += *at == '{';
    return strlen(pattern) < 2048 && braces <= 16 && glob(pattern, text, &steps);
}
