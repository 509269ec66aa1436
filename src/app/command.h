/*
 * One table of everything an operator can do. Keys, the `:` prompt with completion, the command line, the
 * control socket, the key bar, `?` help and the manual all come from a row. Adding a command is one row and
 * one handler.
 *
 * A row has up to two handlers: `execute` acts on the running session (by key, prompt or socket), `batch` is
 * `smartcity NAME …` in a process of its own. Rows flagged COMMAND_UI have no `execute`: the screen does them
 * (ui/screen.c), offering them to the focused panel first.
 */
#ifndef SMARTCITY_APP_COMMAND_H
#define SMARTCITY_APP_COMMAND_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;
struct options;

/* Where a key is valid: bit sets of screens, or panels with focus. */
enum command_scope {
    SCOPE_GLOBAL = 1 << 0,
    SCOPE_DRIVE = 1 << 1,
    SCOPE_STREAM = 1 << 2,
    SCOPE_JOURNEYS = 1 << 3,
    SCOPE_LOG = 1 << 4,
    SCOPE_MAP = 1 << 5,    /* the map has the focus */
    SCOPE_LIST = 1 << 6,   /* a list or the tail has the focus */
    SCOPE_REPLAY = 1 << 7, /* a journey is playing */
    SCOPE_LIVE = 1 << 8,   /* the simulation is ours to control */
    SCOPE_DIALOG = 1 << 9,
    SCOPE_LAKE = 1 << 10,
    SCOPE_CATALOGUE = 1 << 11,
    SCOPE_QUERY = 1 << 12,
    SCOPE_WAREHOUSE = 1 << 13,
    SCOPE_LEDGER = 1 << 14,
    SCOPE_EDITOR = 1 << 17 /* somebody types there: only what is flagged so is a key */
};
#define SCOPE_SCREENS                                                                                        \
    (SCOPE_DRIVE | SCOPE_STREAM | SCOPE_JOURNEYS | SCOPE_LOG | SCOPE_LAKE | SCOPE_CATALOGUE | SCOPE_QUERY |  \
     SCOPE_WAREHOUSE | SCOPE_LEDGER)

enum command_flag {
    COMMAND_UI = 1 << 0,
    COMMAND_CHANGES = 1 << 1,      /* refused when read-only */
    COMMAND_CONFIRM = 1 << 2,      /* asks first, naming the target */
    COMMAND_HIDDEN = 1 << 3,       /* not in the prompt's completion */
    COMMAND_CONFIRM_NAME = 1 << 4, /* and has the last argument typed again: for what cannot be undone */
    COMMAND_TEXT = 1 << 5          /* all behind the name is one argument, as it is: SQL */
};

struct command_key {
    const char *key; /* "space", "ctrl+l", "tab", "shift+tab", "f1", "+", "up" … as ui/keys.h names them */
    unsigned scopes;
    const char *arguments; /* given to the command, or NULL */
    const char *label;     /* in the key bar: "pause"; NULL: only in help */
    int rank;              /* bar order, 0 first */
};

/* A call, split into words. */
#define COMMAND_ARGUMENTS 16
#define COMMAND_LINE      65536 /* a whole line, with its NUL */
struct command_call {
    const struct command *command;
    size_t argument_count;
    const char *arguments[COMMAND_ARGUMENTS];
    const char *source; /* "operator", "socket", "scenario" */
    bool yes;           /* --yes stood behind it */
};

/* What comes of it: a line for the operator (status line, toast), and data for who asked by socket. */
struct command_reply {
    struct err err; /* kind ERR_NONE: it worked */
    char text[400];
    char *json; /* malloc, or NULL */
};

#define COMMAND_KEYS 16
struct command {
    const char *name;
    const char *aliases;   /* space-separated, or NULL */
    const char *arguments; /* "[on|off]", "<journey>" for usage and completion; NULL: none */
    const char *summary;   /* one line, lower case, no full stop */
    const char *help;      /* more, or NULL */
    unsigned flags;
    struct command_key keys[COMMAND_KEYS]; /* ends at the first without a key */
    int (*execute)(struct session *session, const struct command_call *call, struct command_reply *reply);
    /* Words that may stand at argument `index`, newline-separated into out; NULL: none known. */
    size_t (*complete)(struct session *session, int index, const char *prefix, char *out, size_t size);
    /* `smartcity NAME`: its words without options; returns the exit code, or CLI_CONSOLE (app/cli.h). */
    int (*batch)(struct options *options, const char *const *words, size_t count);
    unsigned batch_options; /* FOR_… of app/options.h: the options it takes */
    const char *examples;   /* of --help, a line each */
    const char *price;      /* what AWS asks for it: there it is asked first; NULL: nothing */
};

size_t command_table(const struct command **commands);
const struct command *command_find(const char *name); /* name, alias or unique prefix; NULL */
/* "did you mean": the nearest name or NULL. */
const char *command_suggest(const char *name);

/* Splits and finds; quotes "…" group. ERR_USAGE with suggestion. `scratch` holds the words. */
int command_parse(const char *line, const char *source, struct command_call *call, char *scratch, size_t size,
                  struct err *err);
/* "smartcity speed 10": the call as a shell would take it, for the log. Returns out. */
const char *command_format(const struct command_call *call, char *out, size_t size);
/* Runs one on the session (main thread). UI commands give ERR_UNSUPPORTED here. Logs, checks read-only. */
int command_execute(struct session *session, const struct command_call *call, struct command_reply *reply);

#endif
