#include "ui/bindings.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Narrowest first. */
static const unsigned order[] = {SCOPE_DIALOG,           SCOPE_EDITOR,
                                 SCOPE_MAP | SCOPE_LIST, SCOPE_REPLAY | SCOPE_LIVE,
                                 SCOPE_SCREENS,          SCOPE_GLOBAL};
#define ORDERS (sizeof order / sizeof order[0])

static size_t rank_of(unsigned scopes)
{
    size_t rank = 0;
    while (rank < ORDERS && (scopes & order[rank]) == 0)
        rank++;
    return rank;
}

unsigned binding_narrowest(unsigned scopes)
{
    size_t rank = rank_of(scopes);
    return rank < ORDERS ? scopes & order[rank] : 0;
}

#define EACH_KEY(commands, command, bound)                                                                   \
    for (const struct command *command = (commands)->rows; command < (commands)->rows + (commands)->count;   \
         command++)                                                                                          \
        for (const struct command_key *bound = command->keys;                                                \
             bound < command->keys + COMMAND_KEYS && bound->key != NULL; bound++)

bool binding_find(const struct commands *commands, const struct key *key, unsigned scopes,
                  struct binding *binding)
{
    size_t best = ORDERS;
    EACH_KEY(commands, command, bound)
    {
        struct key parsed;
        size_t rank = rank_of(bound->scopes & scopes);
        if (rank < best && keys_parse(bound->key, &parsed) && keys_equal(&parsed, key)) {
            best = rank;
            *binding = (struct binding){command, bound};
        }
    }
    return best < ORDERS;
}

char *binding_line(const struct binding *binding, char *line, size_t size)
{
    const char *arguments = binding->key->arguments;
    snprintf(line, size, "%s%s%s", binding->command->name, arguments != NULL ? " " : "",
             arguments != NULL ? arguments : "");
    return line;
}

static int by_rank(const void *a, const void *b)
{
    const struct binding_label *left = a, *right = b;
    int difference = left->binding.key->rank - right->binding.key->rank;
    if (difference != 0)
        return difference;
    return left->binding.command < right->binding.command ? -1
                                                          : left->binding.command > right->binding.command;
}

size_t binding_labels(const struct commands *commands, unsigned scopes, enum glyphs glyphs,
                      struct binding_label *labels, size_t count)
{
    size_t used = 0;
    EACH_KEY(commands, command, bound)
    {
        if (bound->label == NULL || (bound->scopes & scopes) == 0)
            continue;
        char word[KEYS_NAME_SIZE];
        keys_label(bound->key, glyphs, word);
        struct binding_label *before = used > 0 ? &labels[used - 1] : NULL;
        if (before != NULL && before->binding.command == command &&
            strcmp(before->label, bound->label) == 0) {
            size_t length = strlen(before->keys);
            snprintf(before->keys + length, sizeof before->keys - length, " %s", word);
            continue;
        }
        if (used == count)
            break;
        labels[used] = (struct binding_label){.binding = {command, bound}, .label = bound->label};
        text_copy(labels[used++].keys, sizeof labels->keys, word);
    }
    qsort(labels, used, sizeof *labels, by_rank);
    return used;
}

static bool has_alias(const struct command *command, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = command->aliases; at != NULL && *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == length && strncmp(at, name, word) == 0)
            return true;
        at += word + strspn(at + word, " ");
    }
    return false;
}

const struct command *binding_command(const struct commands *commands, const char *name)
{
    const struct command *found = NULL, *end = commands->rows + commands->count;
    if (name[0] == '\0')
        return NULL;
    for (const struct command *command = commands->rows; command < end; command++)
        if (strcmp(command->name, name) == 0 || has_alias(command, name))
            return command;
    for (const struct command *command = commands->rows; command < end; command++)
        if ((command->flags & COMMAND_HIDDEN) == 0 && text_prefix_fold(command->name, name)) {
            if (found != NULL)
                return NULL;
            found = command;
        }
    return found;
}

const char *binding_split(const char *line, char *word, size_t size)
{
    line += strspn(line, " ");
    size_t length = strcspn(line, " ");
    snprintf(word, size, "%.*s", (int)(length < size ? length : size - 1), line);
    line += length;
    return line + strspn(line, " ");
}
