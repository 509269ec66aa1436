/* Saved queries: those of data/sql/saved/, compiled in, and the user's own, ENGINE/NAME.sql below sql/ in the
 * configuration folder. */
#include "app/query_private.h"
#include "app/saved_sql.h"

#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVED_MAX  200
#define SAVED_SIZE 65536

/* The first line's comment. */
static void read_title(struct query_saved *saved)
{
    const char *text = saved->sql + strspn(saved->sql, " \t\r\n");
    if (strncmp(text, "--", 2) == 0) {
        text += 2;
        text += strspn(text, " -");
        text_sanitise(saved->title, sizeof saved->title, text, strcspn(text, "\r\n"));
    }
    if (!saved->title[0])
        text_copy(saved->title, sizeof saved->title, saved->name);
}

static bool add(struct query_saved *list, size_t *count, enum query_engine engine, const char *name,
                const char *sql, bool own)
{
    if (*count == SAVED_MAX)
        return false;
    struct query_saved *saved = &list[(*count)++];
    *saved = (struct query_saved){.engine = engine, .own = own, .sql = mem_text(sql)};
    text_sanitise(saved->name, sizeof saved->name, name, strlen(name));
    read_title(saved);
    return true;
}

static void add_own(struct query_saved *list, size_t *count, enum query_engine engine)
{
    char folder[FILE_PATH_SIZE], place[32];
    snprintf(place, sizeof place, "sql/%s", query_engine_name(engine));
    DIR *dir = file_place_path(FILE_CONFIG, place, folder, NULL) == 0 ? opendir(folder) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[FILE_PATH_SIZE + 300], name[sizeof list->name];
        size_t length = strlen(entry->d_name);
        struct err err = ERR_INIT;
        struct buf text;
        if (length < 5 || length - 4 >= sizeof name || strcmp(entry->d_name + length - 4, ".sql") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(length - 4), entry->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        buf_init(&text, SAVED_SIZE);
        if (file_read(path, &text, &err) == 0 && text.data && text_is_utf8(text.data, text.length))
            add(list, count, engine, name, text.data, true);
        buf_free(&text);
    }
    if (dir)
        closedir(dir);
}

static int compare(const void *a, const void *b)
{
    const struct query_saved *left = a, *right = b;
    if (left->own != right->own)
        return right->own - left->own;
    int names = strcmp(left->name, right->name);
    return names ? names : (int)left->engine - (int)right->engine;
}

struct query_saved *query_saved_read(size_t *count)
{
    struct query_saved *list = mem_zero(SAVED_MAX, sizeof *list);
    *count = 0;
    for (int engine = 0; engine < QUERY_ENGINE_COUNT; engine++)
        add_own(list, count, (enum query_engine)engine);
    for (size_t i = 0; saved_sql[i].name; i++) {
        enum query_engine engine;
        if (query_engine_find(saved_sql[i].engine, &engine))
            add(list, count, engine, saved_sql[i].name, saved_sql[i].text, false);
    }
    qsort(list, *count, sizeof *list, compare);
    return list;
}

void query_saved_free(struct query_saved *saved, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)saved[i].sql);
    free(saved);
}

int queries_save(struct queries *queries, const char *name, enum query_engine engine, const char *sql,
                 struct err *err)
{
    char path[FILE_PATH_SIZE], folder[FILE_PATH_SIZE], file[128];
    if (name[0] == '\0' || strlen(name) >= 44 ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
        return err_set(err, ERR_USAGE, "a name of letters, digits, - and _, at most 43 of them");
    snprintf(file, sizeof file, "sql/%s", query_engine_name(engine));
    if (file_place_path(FILE_CONFIG, file, folder, err) < 0 || file_make_dirs(folder, err) < 0)
        return -1;
    snprintf(file, sizeof file, "sql/%s/%s.sql", query_engine_name(engine), name);
    if (file_place_path(FILE_CONFIG, file, path, err) < 0 ||
        file_write_atomic(path, sql, strlen(sql), 0644, err) < 0)
        return -1;
    queries->saved_read_us = 0;
    return 0;
}
