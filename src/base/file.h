/* Files and directories as the product uses them: XDG places, atomic writes, owner locks, limits. Any thread.
 */
#ifndef SMARTCITY_BASE_FILE_H
#define SMARTCITY_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

enum file_place {
    FILE_CONFIG, /* $XDG_CONFIG_HOME/smartcity  or ~/.config/smartcity */
    FILE_STATE,  /* $XDG_STATE_HOME/smartcity   or ~/.local/state/smartcity */
    FILE_CACHE,  /* $XDG_CACHE_HOME/smartcity   or ~/.cache/smartcity */
    FILE_DATA,   /* $XDG_DATA_HOME/smartcity    or ~/.local/share/smartcity */
    FILE_RUN     /* $XDG_RUNTIME_DIR/smartcity  or /tmp/smartcity-UID (0700, checked to be ours) */
};

#define FILE_PATH_SIZE 512
/* The path of `name` in a place ("" for the folder itself); nothing is created. Relative XDG values are
 * ignored, as the specification asks; without HOME the user's entry in passwd counts. A run directory that is
 * there but is not ours alone (owner, mode, symbolic link) is an error. */
int file_place_path(enum file_place place, const char *name, char path[FILE_PATH_SIZE], struct err *err);
/* The same, and makes the place's folder; the run directory is checked after it was made, so nobody can slip
 * one under us. */
int file_make_place(enum file_place place, const char *name, char path[FILE_PATH_SIZE], struct err *err);
/* mkdir -p with mode 0700 for what is missing. */
int file_make_dirs(const char *path, struct err *err);
/* Appends the whole file; ERR_NOT_FOUND, or ERR_LIMIT when it does not fit the buffer's limit (the buffer is
 * then as it was). */
int file_read(const char *path, struct buf *buf, struct err *err);
/* Temporary name beside it, fsync, rename, fsync of the folder: afterwards the old or the new file is there,
 * whole, with exactly `mode`. */
int file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode, struct err *err);
/* Takes the lock file (created 0600, holds our pid); ERR_BUSY names the owner's pid. Returns fd; close to
 * release. */
int file_lock(const char *path, struct err *err);
int64_t file_size(const char *path); /* -1 when absent */
/* For a file that may not exist yet: of its nearest existing folder; -1 when that cannot be told. */
int64_t file_free_bytes(const char *path);

#endif
