/*
 * Keys to commands, by the scopes that are valid now: what the focused panel allows goes before the screen's,
 * that before the global. Everything is read from the command table that the screen was given. Pure; main
 * thread.
 */
#ifndef SMARTCITY_UI_BINDINGS_H
#define SMARTCITY_UI_BINDINGS_H

#include "app/command.h"
#include "ui/keys.h"

struct commands {
    const struct command *rows;
    size_t count;
};

struct binding {
    const struct command *command;
    const struct command_key *key;
};

/* False when the key does nothing here. */
bool binding_find(const struct commands *commands, const struct key *key, unsigned scopes,
                  struct binding *binding);
/* "select page-up": a binding as a line to run. */
char *binding_line(const struct binding *binding, char *line, size_t size);

/* What the key bar shows, most important first. Bindings of one command with the same label are one entry. */
struct binding_label {
    struct binding binding;
    char keys[24];
    const char *label;
};
size_t binding_labels(const struct commands *commands, unsigned scopes, enum glyphs glyphs,
                      struct binding_label *labels, size_t count);

/* A command by name, alias or unique prefix of a name; NULL. */
const struct command *binding_command(const struct commands *commands, const char *name);
/* The first word of a line (bounded) and what follows it. */
const char *binding_split(const char *line, char *word, size_t size);

/* The scopes' name for help: "map", "list", "Drive"… by the narrowest bit. */
unsigned binding_narrowest(unsigned scopes);

#endif
