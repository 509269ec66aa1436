#include "store/journeys.h"

#include "base/text.h"
#include "store/journey_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_suffix(const char *name)
{
    size_t length = strlen(name), suffix = strlen(JOURNEYS_SUFFIX);
    return length > suffix && strcmp(name + length - suffix, JOURNEYS_SUFFIX) == 0;
}

static void read_listing(struct journey_listing *listing, const char *path)
{
    struct err err = ERR_INIT;
    struct sql_db *db = journey_file_open(path, SQL_READ_ONLY, &err);
    if (!db || journey_file_info(db, &listing->info, NULL, &err) < 0) {
        listing->info = (struct journey_info){.file_bytes = file_size(path)};
        text_copy(listing->info.path, sizeof listing->info.path, path);
        text_sanitise(listing->problem, sizeof listing->problem, err.text, strlen(err.text));
    }
    sql_close(db);
}

/* Newest first; those that cannot be read, and so have no time, last. */
static int compare(const void *a, const void *b)
{
    const struct journey_info *x = &((const struct journey_listing *)a)->info;
    const struct journey_info *y = &((const struct journey_listing *)b)->info;
    if (x->started_us != y->started_us)
        return x->started_us < y->started_us ? 1 : -1;
    return strcmp(y->path, x->path);
}

int journeys_list(const char *folder, struct journey_listing **list, size_t *count, struct err *err)
{
    *list = NULL;
    *count = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return errno == ENOENT ? 0 : err_set_errno(err, ERR_IO, errno, "cannot read the folder %s", folder);
    size_t capacity = 0;
    const struct dirent *entry;
    while (*count < JOURNEYS_MAX && (entry = readdir(dir))) {
        char path[FILE_PATH_SIZE];
        if (entry->d_name[0] == '.' || !has_suffix(entry->d_name) ||
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path)
            continue;
        if (file_size(path) <= 0) /* gone, or only claimed */
            continue;
        if (*count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            *list = mem_resize(*list, capacity, sizeof **list);
        }
        struct journey_listing *listing = &(*list)[(*count)++];
        *listing = (struct journey_listing){0};
        read_listing(listing, path);
    }
    closedir(dir);
    if (*count > 1)
        qsort(*list, *count, sizeof **list, compare);
    return 0;
}

/* The lock of a journey that nobody records, for as long as it is changed. */
static int take_lock(const char *path, const char *what, struct err *err)
{
    struct err own = ERR_INIT;
    int lock = journey_file_lock(path, &own);
    if (lock >= 0)
        return lock;
    if (own.kind == ERR_BUSY)
        return err_set(err, ERR_BUSY, "%s is being recorded: stop that first, then %s it", path, what);
    if (err)
        *err = own;
    return -1;
}

int journeys_delete(const char *path, struct err *err)
{
    if (!has_suffix(path))
        return err_set(err, ERR_USAGE,
                       "%s is not called *" JOURNEYS_SUFFIX ": it is not deleted as a journey", path);
    if (access(path, F_OK) != 0)
        return err_set_errno(err, ERR_NOT_FOUND, errno, "cannot delete %s", path);
    int lock = take_lock(path, "delete", err);
    if (lock < 0)
        return -1;
    int result = journey_file_remove(path, err);
    journey_file_unlock(path, lock);
    return result;
}

int journeys_set_name(const char *path, const char *name, struct err *err)
{
    if (access(path, F_OK) != 0)
        return err_set_errno(err, ERR_NOT_FOUND, errno, "cannot name %s", path);
    if (strlen(name) >= sizeof((struct journey_info *)0)->name || !text_is_utf8(name, strlen(name)))
        return err_set(err, ERR_USAGE, "a journey's name has at most %zu bytes of UTF-8",
                       sizeof((struct journey_info *)0)->name - 1);
    int lock = take_lock(path, "name", err);
    if (lock < 0)
        return -1;
    int result = -1;
    struct sql_db *db = journey_file_open(path, 0, err);
    struct sql_statement *statement =
        db ? sql_prepare(db, "INSERT OR REPLACE INTO meta VALUES('name', ?)", err) : NULL;
    if (statement) {
        sql_bind_text(statement, 1, name, strlen(name));
        result = sql_run(statement, err);
    }
    sql_finalize(statement);
    sql_close(db);
    journey_file_unlock(path, lock);
    return result;
}

int journeys_prune(const char *folder, int64_t limit_bytes, uint32_t *deleted, struct err *err)
{
    struct journey_listing *list;
    size_t count;
    *deleted = 0;
    if (limit_bytes <= 0)
        return 0;
    if (journeys_list(folder, &list, &count, err) < 0)
        return -1;
    int64_t held = 0;
    for (size_t i = 0; i < count; i++)
        held += list[i].info.file_bytes;
    int result = 0;
    for (size_t i = count; i-- > 0 && held > limit_bytes;) {
        const struct journey_info *info = &list[i].info;
        if (list[i].problem[0] || info->name[0] || info->open)
            continue;
        struct err own = ERR_INIT;
        if (journeys_delete(info->path, &own) == 0) {
            held -= info->file_bytes;
            ++*deleted;
        } else if (own.kind != ERR_BUSY && own.kind != ERR_NOT_FOUND && result == 0) {
            result = -1;
            if (err)
                *err = own;
        }
    }
    free(list);
    return result;
}

/* A name as a file's: one path component, without controls, not hidden. */
static void file_name(char *out, size_t size, const char *name)
{
    text_sanitise(out, size, name, strlen(name));
    for (char *at = out; *at; at++)
        if (*at == '/' || (at == out && *at == '.'))
            *at = '-';
}

int journeys_new_path(const char *folder, const char *name, int64_t wall_us, char path[FILE_PATH_SIZE],
                      struct err *err)
{
    char time[TEXT_TIME_SIZE], base[128];
    if (file_make_dirs(folder, err) < 0)
        return -1;
    text_time(time, wall_us / 1000); /* 2026-01-12T08:14:32.000Z */
    if (name && *name)
        file_name(base, sizeof base, name);
    else
        snprintf(base, sizeof base, "journey-%.4s%.2s%.2s-%.2s%.2s%.2s", time, time + 5, time + 8, time + 11,
                 time + 14, time + 17);
    for (int i = 1; i < 1000; i++) {
        char suffix[8] = "";
        if (i > 1)
            snprintf(suffix, sizeof suffix, "-%d", i);
        if (snprintf(path, FILE_PATH_SIZE, "%s/%s%s" JOURNEYS_SUFFIX, folder, base, suffix) >=
            FILE_PATH_SIZE - 16)
            return err_set(err, ERR_USAGE, "the path is too long: %.200s", folder);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0) {
            close(fd);
            return 0;
        }
        if (errno != EEXIST)
            return err_set_errno(err, ERR_IO, errno, "cannot make a journey in %s", folder);
    }
    return err_set(err, ERR_USAGE, "a thousand journeys in %s are called %s: choose another name", folder,
                   base);
}

int journeys_find(const struct journey_listing *list, size_t count, const char *wanted, char path[512],
                  struct err *err)
{
    size_t matches = 0;
    text_copy(path, 512, wanted);
    if (strchr(wanted, '/'))
        return file_size(wanted) >= 0 ? 0 : err_set(err, ERR_NOT_FOUND, "%s: no such file", wanted);
    for (size_t i = 0; i < count; i++) {
        const char *slash = strrchr(list[i].info.path, '/'), *base = slash ? slash + 1 : list[i].info.path;
        bool exact = text_equal_fold(base, wanted) || text_equal_fold(list[i].info.name, wanted);
        if (!exact && !text_prefix_fold(base, wanted))
            continue;
        text_copy(path, 512, list[i].info.path);
        matches = exact ? 1 : matches + 1;
        if (exact)
            break;
    }
    if (matches > 1)
        return err_set(err, ERR_USAGE, "'%.60s' begins the name of %zu journeys; say more of it", wanted,
                       matches);
    return matches
               ? 0
               : err_set(err, ERR_NOT_FOUND, "no journey '%.60s'; `smartcity journeys` lists them", wanted);
}
