/* Keys from a program, and the JSON in which programs and metadata services write them. */
#include "aws/credentials_private.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX    64
#define OUTPUT_LIMIT 65536u
#define TIME_US      60000000ll

extern char **environ;

int keys_read_json(const char *text, size_t length, const char *token_name, struct aws_keys *keys,
                   struct err *err)
{
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    const char *expires = json_string_value(json_object_get(json, "Expiration"));
    int64_t milliseconds = 0;
    int result = -1;
    if (!json_is_object(json))
        err_set(err, ERR_CORRUPT, "what came is no JSON object");
    else if (expires && !text_parse_time(expires, strlen(expires), &milliseconds))
        err_set(err, ERR_CORRUPT, "Expiration is no time");
    else
        result = keys_set(keys, json_string_value(json_object_get(json, "AccessKeyId")),
                          json_string_value(json_object_get(json, "SecretAccessKey")),
                          json_string_value(json_object_get(json, token_name)), err);
    if (result == 0)
        keys->expires_us = milliseconds * 1000;
    json_decref(json);
    return result;
}

/* Words as POSIX shells split them: blanks, '…', "…", backslash. Writes into `line`. False: too many, or a
 * quotation mark is open. */
static bool split(char *line, char *words[WORDS_MAX + 1])
{
    size_t count = 0;
    char *to = line, quote = '\0';
    bool in_word = false;
    for (const char *at = line; *at; at++) {
        bool blank = *at == ' ' || *at == '\t';
        if (!quote && blank) {
            if (in_word)
                *to++ = '\0';
            in_word = false;
            continue;
        }
        if (!in_word) {
            if (count == WORDS_MAX)
                return false;
            words[count++] = to;
            in_word = true;
        }
        if (!quote && (*at == '\'' || *at == '"'))
            quote = *at;
        else if (quote && *at == quote)
            quote = '\0';
        else if (*at == '\\' && quote != '\'' && at[1] && (!quote || at[1] == '"' || at[1] == '\\'))
            *to++ = *++at;
        else
            *to++ = *at;
    }
    *to = '\0';
    words[count] = NULL;
    return !quote && count > 0;
}

/* Reads both pipes to their end. False: time, limit, or told to stop. */
static bool drain(struct keys_search *search, struct pollfd pipes[2], struct buf out[2])
{
    int64_t until = clock_mono_us() + TIME_US;
    char bytes[4096];
    int open = 2;
    while (open > 0) {
        if (clock_mono_us() > until || atomic_load(search->stop))
            return false;
        if (poll(pipes, 2, 100) <= 0)
            continue;
        for (int i = 0; i < 2; i++) {
            if (pipes[i].fd < 0 || !pipes[i].revents)
                continue;
            ssize_t got = read(pipes[i].fd, bytes, sizeof bytes);
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0) {
                pipes[i].fd = -1;
                open--;
            } else if (!buf_append(&out[i], bytes, (size_t)got) && i == 0) {
                return false; /* of its complaints the first 64 KB are enough */
            }
        }
    }
    return true;
}

static int start(char **words, const int out[2], const int complaints[2], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    /* Never the terminal: the screen is on it. */
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, complaints[1], 2);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int code = posix_spawnp(pid, words[0], &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* The last line of what it complained. */
static void last_line(const struct buf *complaints, char *out, size_t size)
{
    const char *text = complaints->data ? complaints->data : "", *line = text;
    size_t length = complaints->length;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\n')
            line = text + i + 1;
    text_sanitise(out, size, line, (size_t)(text + length - line));
}

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

int keys_from_process(struct keys_search *search, const char *command, struct aws_keys *keys, struct err *err)
{
    char *line = mem_text(command), *words[WORDS_MAX + 1], why[200];
    int out[2] = {-1, -1}, complaints[2] = {-1, -1}, status = 0, code = 0;
    struct buf buf[2];
    pid_t pid = -1;
    int result = -1;
    buf_init(&buf[0], OUTPUT_LIMIT);
    buf_init(&buf[1], OUTPUT_LIMIT);
    if (!split(line, words)) {
        err_set(err, ERR_CONFIG, "an open quotation mark, or no command");
    } else if (pipe2(out, O_CLOEXEC) != 0 || pipe2(complaints, O_CLOEXEC) != 0) {
        err_set_errno(err, ERR_IO, errno, "no pipe");
    } else if ((code = start(words, out, complaints, &pid)) != 0) {
        err_set_errno(err, ERR_CONFIG, code, "%.100s cannot be started", words[0]);
    } else {
        close(out[1]);
        close(complaints[1]);
        out[1] = complaints[1] = -1;
        struct pollfd pipes[2] = {{.fd = out[0], .events = POLLIN}, {.fd = complaints[0], .events = POLLIN}};
        bool whole = drain(search, pipes, buf);
        if (!whole)
            kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        last_line(&buf[1], why, sizeof why);
        if (!whole)
            err_set(err, atomic_load(search->stop) ? ERR_CANCELLED : ERR_AUTH,
                    "%.100s gave no answer within %d s, or too long a one", words[0],
                    (int)(TIME_US / 1000000));
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            err_set(err, ERR_AUTH, "%.100s failed (%d): %s", words[0],
                    WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), why);
        else
            result = keys_read_json(buf[0].data ? buf[0].data : "", buf[0].length, "SessionToken", keys, err);
    }
    close_pair(out);
    close_pair(complaints);
    buf_free(&buf[0]);
    buf_free(&buf[1]);
    free(line);
    return result;
}
