/* Files and directories as the product uses them: XDG places, atomic writes, owner locks, limits. Any thread. */
#ifndef SMARTCITY_BASE_FILE_H
#define SMARTCITY_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

enum file_place {
    FILE_CONFIG,  /* $XDG_CONFIG_HOME/smartcity  or ~/.config/smartcity */
    FILE_STATE,   /* $XDG_STATE_HOME/smartcity   or ~/.local/state/smartcity */
    FILE_CACHE,   /* $XDG_CACHE_HOME/smartcity   or ~/.cache/smartcity */
    FILE_DATA,    /* $XDG_DATA_HOME/smartcity    or ~/.local/share/smartcity */
    FILE_RUN      /* $XDG_RUNTIME_DIR/smartcity  or /tmp/smartcity-UID (0700, checked to be ours) */
};

#define FILE_PATH_SIZE 512
/* The path of `name` in a place ("" for the folder itself); nothing is created. */
int file_place_path(enum file_place place, const char *name, char path[FILE_PATH_SIZE], struct err *err);
/* mkdir -p with mode 0700 for what is missing. */
int file_make_dirs(const char *path, struct err *err);
/* Appends the whole file; ERR_LIMIT when it is larger than the buffer's limit. */
int file_read(const char *path, struct buf *buf, struct err *err);
/* Temporary name beside it, fsync, rename, fsync of the folder. */
int file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode, struct err *err);
/* Takes the lock file (created 0600, holds our pid); ERR_BUSY names the owner's pid. Returns fd; close to release. */
int file_lock(const char *path, struct err *err);
int64_t file_size(const char *path); /* -1 when absent */
int64_t file_free_bytes(const char *path);

#endif
