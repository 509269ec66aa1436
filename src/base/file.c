#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const struct {
    const char *variable, *under_home;
} places[] = {
    [FILE_CONFIG] = {"XDG_CONFIG_HOME", ".config"}, [FILE_STATE] = {"XDG_STATE_HOME", ".local/state"},
    [FILE_CACHE] = {"XDG_CACHE_HOME", ".cache"},    [FILE_DATA] = {"XDG_DATA_HOME", ".local/share"},
    [FILE_RUN] = {"XDG_RUNTIME_DIR", NULL},
};

/* An absolute path from the environment, or NULL. */
static const char *absolute_variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

static int home_folder(char home[FILE_PATH_SIZE], struct err *err)
{
    const char *variable = absolute_variable("HOME");
    if (variable && strlen(variable) < FILE_PATH_SIZE) {
        memcpy(home, variable, strlen(variable) + 1);
        return 0;
    }
    struct passwd entry, *found = NULL;
    char text[4096];
    if (getpwuid_r(getuid(), &entry, text, sizeof text, &found) == 0 && found && found->pw_dir &&
        found->pw_dir[0] == '/' && strlen(found->pw_dir) < FILE_PATH_SIZE) {
        memcpy(home, found->pw_dir, strlen(found->pw_dir) + 1);
        return 0;
    }
    return err_set(err, ERR_CONFIG, "no home directory: set HOME (or the XDG_…_HOME variables) to one");
}

static int join(char path[FILE_PATH_SIZE], struct err *err, const char *a, const char *b, const char *c,
                const char *d)
{
    const char *parts[] = {a, b, c, d};
    size_t length = 0;
    path[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i][0] == '\0')
            continue;
        bool slash = length > 0 && path[length - 1] != '/';
        size_t part = strlen(parts[i]);
        if (length + slash + part >= FILE_PATH_SIZE)
            return err_set(err, ERR_LIMIT, "the path %s… is longer than %d bytes", path, FILE_PATH_SIZE - 1);
        if (slash)
            path[length++] = '/';
        memcpy(path + length, parts[i], part + 1);
        length += part;
    }
    return 0;
}

/* Absent, or a directory that nobody but us can enter. */
static int check_private(const char *path, struct err *err)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? 0 : err_set_errno(err, ERR_IO, errno, "cannot look at %s", path);
    if (!S_ISDIR(status.st_mode))
        return err_set(err, ERR_IO, "%s is not a directory (a link or a file): remove it", path);
    if (status.st_uid != geteuid())
        return err_set(err, ERR_IO,
                       "%s belongs to user %u: remove it, or set XDG_RUNTIME_DIR to a directory of yours",
                       path, (unsigned)status.st_uid);
    if (status.st_mode & 077)
        return err_set(err, ERR_IO, "%s is open to others (mode %03o): chmod 700 it", path,
                       (unsigned)status.st_mode & 0777);
    return 0;
}

/* The runtime directory of another user (after su or sudo), or one that is gone, is not ours to use. */
static const char *runtime_folder(void)
{
    const char *folder = absolute_variable(places[FILE_RUN].variable);
    struct stat status;
    if (!folder || stat(folder, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid())
        return NULL;
    return folder;
}

static int run_folder(char path[FILE_PATH_SIZE], struct err *err)
{
    const char *runtime = runtime_folder();
    if (runtime)
        return join(path, err, runtime, "smartcity", "", "");
    snprintf(path, FILE_PATH_SIZE, "/tmp/smartcity-%u", (unsigned)geteuid());
    return 0;
}

static int place_folder(enum file_place place, char path[FILE_PATH_SIZE], struct err *err)
{
    if (place == FILE_RUN)
        return run_folder(path, err);
    const char *folder = absolute_variable(places[place].variable);
    if (folder)
        return join(path, err, folder, "smartcity", "", "");
    char home[FILE_PATH_SIZE];
    if (home_folder(home, err) != 0)
        return -1;
    return join(path, err, home, places[place].under_home, "smartcity", "");
}

int file_place_path(enum file_place place, const char *name, char path[FILE_PATH_SIZE], struct err *err)
{
    char folder[FILE_PATH_SIZE];
    if (place_folder(place, folder, err) != 0)
        return -1;
    if (place == FILE_RUN && check_private(folder, err) != 0)
        return -1;
    return join(path, err, folder, name, "", "");
}

int file_make_place(enum file_place place, const char *name, char path[FILE_PATH_SIZE], struct err *err)
{
    char folder[FILE_PATH_SIZE];
    if (place_folder(place, folder, err) != 0 || file_make_dirs(folder, err) != 0)
        return -1;
    if (place == FILE_RUN && check_private(folder, err) != 0)
        return -1;
    return join(path, err, folder, name, "", "");
}

int file_make_dirs(const char *path, struct err *err)
{
    char *part = mem_text(path);
    int result = 0;
    for (char *at = part; result == 0 && *at;) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char slash = *at;
        *at = '\0';
        struct stat status;
        if (part[0] && mkdir(part, 0700) != 0) {
            int code = errno;
            /* A folder that is there may also answer EROFS or EACCES. */
            if (stat(part, &status) != 0)
                result = err_set_errno(err, ERR_IO, code, "cannot make the directory %s", part);
            else if (!S_ISDIR(status.st_mode))
                result = err_set(err, ERR_IO, "%s is not a directory: %s cannot be made", part, path);
        }
        *at = slash;
    }
    free(part);
    return result;
}

int file_read(const char *path, struct buf *buf, struct err *err)
{
    size_t before = buf->length;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "cannot read %s", path);
    int result = 0;
    for (;;) {
        size_t room = buf->limit - buf->length;
        char extra;
        char *into = &extra; /* full: a further byte would be too many */
        if (room > 0) {
            room = room < 65536 ? room : 65536;
            buf_reserve(buf, room);
            into = buf->data + buf->length;
        }
        ssize_t count = read(fd, into, room > 0 ? room : 1);
        if (count == 0)
            break;
        if (count < 0) {
            if (errno == EINTR)
                continue;
            result = err_set_errno(err, ERR_IO, errno, "cannot read %s", path);
            break;
        }
        if (room == 0) {
            result =
                err_set(err, ERR_LIMIT, "%s is larger than the %zu bytes allowed", path, buf->limit - before);
            break;
        }
        buf->length += (size_t)count;
    }
    close(fd);
    if (result != 0)
        buf->length = before;
    if (buf->data)
        buf->data[buf->length] = '\0';
    return result;
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        if (count < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}

/* The name is durable only when its folder is; file systems that cannot sync one are left in peace. */
static void sync_folder_of(const char *path)
{
    char *folder = mem_text(path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

int file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode, struct err *err)
{
    size_t size = strlen(path) + sizeof ".XXXXXX";
    char *temporary = mem_alloc(size);
    snprintf(temporary, size, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        err_set_errno(err, ERR_IO, errno, "cannot write beside %s", path);
        free(temporary);
        return -1;
    }
    int code = 0;
    if (write_all(fd, bytes, length) != 0 || fchmod(fd, mode) != 0 || fsync(fd) != 0)
        code = errno;
    if (close(fd) != 0 && code == 0)
        code = errno;
    if (code == 0 && rename(temporary, path) != 0)
        code = errno;
    if (code != 0)
        unlink(temporary);
    else
        sync_folder_of(path);
    free(temporary);
    return code == 0 ? 0 : err_set_errno(err, ERR_IO, code, "cannot write %s", path);
}

int file_lock(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open the lock %s", path);
    char pid[32] = "";
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int code = errno;
        if (code == EWOULDBLOCK) {
            ssize_t count = pread(fd, pid, sizeof pid - 1, 0);
            pid[count > 0 ? strspn(pid, "0123456789") : 0] = '\0'; /* the file is not ours to trust */
            err_set(err, ERR_BUSY, "%s is held by %s%s", path, pid[0] ? "process " : "another process", pid);
        } else {
            err_set_errno(err, ERR_IO, code, "cannot take the lock %s", path);
        }
        close(fd);
        return -1;
    }
    /* The lock is what counts; the number is for whoever meets it. */
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)length, 0) != length) {
        err_set_errno(err, ERR_IO, errno, "cannot write the lock %s", path);
        close(fd);
        return -1;
    }
    return fd;
}

int64_t file_size(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (int64_t)status.st_size : -1;
}

int64_t file_free_bytes(const char *path)
{
    char *part = mem_text(path);
    struct statvfs status;
    int result;
    while ((result = statvfs(part, &status)) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        char *slash = strrchr(part, '/');
        if (!slash) {
            result = statvfs(".", &status);
            break;
        }
        if (slash == part) { /* "/name": its folder is the root */
            if (part[1] == '\0')
                break;
            part[1] = '\0';
        } else {
            *slash = '\0';
        }
    }
    free(part);
    return result == 0 ? (int64_t)(status.f_bavail * status.f_frsize) : -1;
}
