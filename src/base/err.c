#define SMARTCITY_ERR_ITSELF
#include "base/err.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[ERR_KINDS] = {
    [ERR_NONE] = "none",
    [ERR_USAGE] = "usage",
    [ERR_CONFIG] = "configuration",
    [ERR_IO] = "io",
    [ERR_FULL] = "full",
    [ERR_CONNECT] = "connection",
    [ERR_AUTH] = "authorisation",
    [ERR_CORRUPT] = "corrupt",
    [ERR_LIMIT] = "limit",
    [ERR_NOT_FOUND] = "not found",
    [ERR_BUSY] = "busy",
    [ERR_CANCELLED] = "cancelled",
    [ERR_REMOTE] = "remote",
    [ERR_UNSUPPORTED] = "unsupported",
    [ERR_INTERNAL] = "internal",
};

const char *err_kind_name(enum err_kind kind)
{
    return (unsigned)kind < ERR_KINDS ? kind_names[kind] : "unknown";
}

/* Reasons hold what others wrote: file names, keys, answers. They end on terminals, so nothing in them may
 * command one; of several lines one is made. A cut in the middle of a code point leaves nothing of it. */
static void take_text(struct err *err, char text[sizeof err->text])
{
    size_t length = strlen(text);
    if (length + 1 == sizeof err->text) {
        size_t lead = length;
        while (lead > 0 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
            lead--;
        if (lead > 0 && (unsigned char)text[lead - 1] >= 0xC0)
            length = lead - 1;
    }
    for (char *at = text; at < text + length; at++)
        if (*at == '\n' || *at == '\r' || *at == '\t')
            *at = ' ';
    text_sanitise(err->text, sizeof err->text, text, length);
}

static void set_kind(struct err *err, enum err_kind kind)
{
    err->kind = kind;
    err->retriable = kind == ERR_CONNECT || kind == ERR_BUSY || kind == ERR_FULL;
    err->fatal = false;
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    if (!err)
        return -1;
    char text[sizeof err->text]; /* the arguments may point into err->text */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    set_kind(err, kind);
    take_text(err, text);
    return -1;
}

int err_set_errno(struct err *err, enum err_kind kind, int code, const char *format, ...)
{
    if (!err)
        return -1;
    char text[sizeof err->text];
    char reason[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    bool full = code == ENOSPC || code == EDQUOT;
    set_kind(err, full ? ERR_FULL : kind);
    const char *because = strerror_r(code, reason, sizeof reason);
    /* The reason is what matters most: a long name gives way to it. */
    int room = (int)(sizeof err->text - strlen(because) - 3);
    char whole[sizeof err->text];
    snprintf(whole, sizeof whole, "%.*s: %s", room, text, because);
    take_text(err, whole);
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    if (!err)
        return -1;
    char prefix[sizeof err->text];
    char text[sizeof err->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    /* gcc cannot see that the cut is wanted */
    if (snprintf(text, sizeof text, "%.*s: %s", (int)sizeof prefix / 2, prefix, err->text) < 0)
        text[0] = '\0';
    take_text(err, text);
    return -1;
}

int err_exit_code(const struct err *err)
{
    switch (err->kind) {
    case ERR_NONE:
        return EXIT_OK;
    case ERR_USAGE:
    case ERR_CONFIG:
    case ERR_UNSUPPORTED: /* what was asked cannot be had here: another terminal, another option */
        return EXIT_USAGE;
    case ERR_CONNECT:
        return EXIT_CONNECTION;
    case ERR_CANCELLED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}
