#include "app/control.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PEERS       8
#define REQUEST_MAX (2 * COMMAND_LINE)
#define REPLY_US    10000000

struct control_peer {
    int fd; /* 0: free */
    struct control *control;
    struct buf line;
};

struct control {
    struct loop *loop;
    struct session *session;
    int fd;
    char socket_path[FILE_PATH_SIZE], info_path[FILE_PATH_SIZE];
    struct control_peer peers[PEERS];
};

/* ---- server ----------------------------------------------------------------------------------------- */

static void control_drop(struct control_peer *peer)
{
    loop_remove_fd(peer->control->loop, peer->fd);
    close(peer->fd);
    buf_free(&peer->line);
    peer->fd = 0;
}

static json_t *control_error(const struct err *err)
{
    return json_pack("{s:b,s:s,s:s,s:i}", "ok", 0, "error", err->text, "kind", err_kind_name(err->kind),
                     "exit", err_exit_code(err));
}

static json_t *control_execute(struct control *control, const char *line)
{
    struct command_call call;
    struct command_reply reply = {0};
    char scratch[COMMAND_LINE];
    session_view(control->session, clock_mono_us());
    if (command_parse(line, "socket", &call, scratch, sizeof scratch, &reply.err) < 0 ||
        command_execute(control->session, &call, &reply) < 0) {
        free(reply.json);
        return control_error(&reply.err);
    }
    json_t *object = json_pack("{s:b,s:s}", "ok", 1, "text", reply.text);
    json_t *data = reply.json ? json_loads(reply.json, 0, NULL) : NULL;
    if (data)
        json_object_set_new(object, "data", data);
    free(reply.json);
    return object;
}

/* One request, one answer; a peer that does not take its answer at once is dropped: the main thread never
 * waits. */
static void control_answer(struct control_peer *peer, char *line)
{
    json_t *request = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    const char *command = json_string_value(json_object_get(request, "command"));
    struct err err = ERR_INIT;
    json_t *answer;
    if (command) {
        answer = control_execute(peer->control, command);
    } else {
        err_set(&err, ERR_USAGE, "not {\"command\":\"…\"} on one line");
        answer = control_error(&err);
    }
    char *text = json_dumps(answer, JSON_COMPACT);
    if (text) {
        struct buf out;
        buf_init(&out, 1 << 20);
        buf_printf(&out, "%s\n", text);
        ssize_t sent = send(peer->fd, out.data, out.length, MSG_NOSIGNAL | MSG_DONTWAIT);
        buf_free(&out);
        if (sent < 0)
            control_drop(peer);
    }
    free(text);
    json_decref(answer);
    json_decref(request);
}

static void control_on_peer(struct loop *loop, void *context)
{
    struct control_peer *peer = context;
    char bytes[4096];
    ssize_t got = recv(peer->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || !buf_append(&peer->line, bytes, (size_t)got)) {
        control_drop(peer);
        return;
    }
    char *end;
    while (peer->fd && (end = memchr(peer->line.data, '\n', peer->line.length))) {
        *end = 0;
        size_t length = (size_t)(end - peer->line.data) + 1;
        control_answer(peer, peer->line.data);
        if (peer->fd)
            buf_consume(&peer->line, length);
    }
}

static void control_on_connect(struct loop *loop, void *context)
{
    struct control *control = context;
    /* cppcheck-suppress nullPointer ; accept4 takes NULL for an address nobody asks for */
    int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (fd < 0)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
        (peer.uid == getuid() || peer.uid == 0)) {
        for (int i = 0; i < PEERS; i++) {
            struct control_peer *slot = &control->peers[i];
            if (slot->fd)
                continue;
            *slot = (struct control_peer){.fd = fd, .control = control};
            buf_init(&slot->line, REQUEST_MAX);
            if (loop_add_fd(loop, fd, control_on_peer, slot, NULL) == 0)
                return;
            slot->fd = 0;
            break;
        }
    }
    close(fd);
}

static int control_address(const char *path, struct sockaddr_un *address, struct err *err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return err_set(err, ERR_CONFIG, "%s: too long for a socket; set XDG_RUNTIME_DIR to a shorter place",
                       path);
    memcpy(address->sun_path, path, strlen(path) + 1);
    return 0;
}

static int control_listen(struct control *control, struct err *err)
{
    struct sockaddr_un address;
    char folder[FILE_PATH_SIZE], early[FILE_PATH_SIZE], name[32];
    if (file_place_path(FILE_RUN, "", folder, err) < 0 || file_make_dirs(folder, err) < 0)
        return -1;
    snprintf(name, sizeof name, "%d.sock", (int)getpid());
    if (file_place_path(FILE_RUN, name, control->socket_path, err) < 0)
        return -1;
    snprintf(name, sizeof name, "%d.json", (int)getpid());
    if (file_place_path(FILE_RUN, name, control->info_path, err) < 0 ||
        control_address(control->socket_path, &address, err) < 0)
        return -1;
    /* Under its name only when it listens: whoever met it before would be refused, and take it for one that a
     * killed console left. */
    snprintf(name, sizeof name, "%d.new", (int)getpid());
    if (file_place_path(FILE_RUN, name, early, err) < 0 || control_address(early, &address, err) < 0)
        return -1;
    unlink(early);
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd < 0 || bind(control->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(control->fd, PEERS) < 0 || chmod(early, 0600) < 0 || rename(early, control->socket_path) < 0) {
        err_set_errno(err, ERR_IO, errno, "%s", control->socket_path);
        unlink(early);
        return -1;
    }
    json_t *info = json_pack("{s:i,s:s,s:s,s:s}", "pid", (int)getpid(), "version", SMARTCITY_VERSION,
                             "broker", session_broker(control->session), "socket", control->socket_path);
    char *text = json_dumps(info, JSON_INDENT(2));
    int result = text ? file_write_atomic(control->info_path, text, strlen(text), 0600, err) : -1;
    free(text);
    json_decref(info);
    if (result < 0)
        return -1;
    return loop_add_fd(control->loop, control->fd, control_on_connect, control, err);
}

struct control *control_create(struct loop *loop, struct session *session, struct err *err)
{
    struct control *control = mem_zero(1, sizeof *control);
    control->loop = loop;
    control->session = session;
    control->fd = -1;
    if (control_listen(control, err) < 0) {
        control_destroy(control);
        return NULL;
    }
    return control;
}

void control_destroy(struct control *control)
{
    if (!control)
        return;
    for (int i = 0; i < PEERS; i++)
        if (control->peers[i].fd)
            control_drop(&control->peers[i]);
    if (control->fd >= 0) {
        loop_remove_fd(control->loop, control->fd);
        close(control->fd);
        unlink(control->socket_path);
        unlink(control->info_path);
    }
    free(control);
}

/* ---- client ----------------------------------------------------------------------------------------- */

static int control_connect(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (control_address(path, &address, NULL) < 0 ||
                    connect(fd, (struct sockaddr *)&address, sizeof address) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The newest socket that somebody answers; what a killed console left behind is cleared away. */
static int control_find(int64_t pid, struct err *err)
{
    char folder[FILE_PATH_SIZE], path[FILE_PATH_SIZE + 300];
    if (file_place_path(FILE_RUN, "", folder, err) < 0)
        return -1;
    DIR *dir = opendir(folder);
    int best = -1;
    time_t newest = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *end = strchr(entry->d_name, '.');
        char digits[16];
        int64_t owner = 0;
        text_copy(digits, sizeof digits, entry->d_name);
        digits[strcspn(digits, ".")] = 0;
        struct stat status;
        if (!end || strcmp(end, ".sock") != 0 || !text_parse_int(digits, 1, INT32_MAX, &owner) ||
            (pid && owner != pid))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &status) < 0 || status.st_uid != getuid())
            continue;
        int fd = control_connect(path);
        if (fd < 0) {
            if (errno == ECONNREFUSED && kill((pid_t)owner, 0) < 0 && errno == ESRCH)
                unlink(path);
            continue;
        }
        if (best < 0 || status.st_mtime >= newest) {
            if (best >= 0)
                close(best);
            best = fd;
            newest = status.st_mtime;
        } else {
            close(fd);
        }
    }
    if (dir)
        closedir(dir);
    if (best >= 0)
        return best;
    return pid ? err_set(err, ERR_NOT_FOUND, "no console with pid %lld is running", (long long)pid)
               : err_set(err, ERR_NOT_FOUND, "no console is running here; `smartcity` starts one");
}

int control_ask(int64_t pid, const char *line, char **reply, struct err *err)
{
    int fd = control_find(pid, err);
    if (fd < 0)
        return -1;
    json_t *request = json_pack("{s:s}", "command", line);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (!text) {
        close(fd);
        return err_set(err, ERR_USAGE, "the command is not UTF-8");
    }
    struct buf answer;
    buf_init(&answer, 1 << 20);
    bool sent = send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0 && send(fd, "\n", 1, MSG_NOSIGNAL) == 1;
    free(text);
    int64_t until = clock_mono_us() + REPLY_US;
    bool whole = false;
    while (sent && !whole) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left = until - clock_mono_us();
        char bytes[4096];
        if (left <= 0 || poll(&ready, 1, (int)(left / 1000) + 1) <= 0)
            break;
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        if (got <= 0 || !buf_append(&answer, bytes, (size_t)got))
            break;
        whole = memchr(answer.data, '\n', answer.length) != NULL;
    }
    close(fd);
    if (!whole) {
        buf_free(&answer);
        return err_set(err, ERR_CONNECT, "the console did not answer within 10 s");
    }
    answer.data[strcspn(answer.data, "\n")] = 0;
    *reply = answer.data;
    return 0;
}
