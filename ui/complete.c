#include "ui/complete.h"

#include "base/text.h"
#include "city/geo.h"
#include "ui/layout.h"
#include "ui/panel.h"
#include "ui/theme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORDS_MAX 400

/* Words gathered before they are sorted. */
struct words {
    const char *prefix;
    size_t count, used;
    const char *list[WORDS_MAX];
    char text[COMPLETE_SIZE - 2];
};

static void add(struct words *words, const char *word, size_t length)
{
    if (length == 0 || words->count == WORDS_MAX || words->used + length + 3 > sizeof words->text)
        return;
    if (length < strlen(words->prefix) || strncasecmp(word, words->prefix, strlen(words->prefix)) != 0)
        return;
    bool quoted = memchr(word, ' ', length) != NULL;
    char *at = words->text + words->used;
    int written =
        snprintf(at, sizeof words->text - words->used, quoted ? "\"%.*s\"" : "%.*s", (int)length, word);
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->list[i], at) == 0)
            return;
    words->list[words->count++] = at;
    words->used += (size_t)written + 1;
}

/* The words between blanks or bars of a usage that are meant as they stand: not <these>. */
static void add_usage(struct words *words, const char *usage, int index)
{
    for (int at = 0; *usage != '\0'; at++) {
        size_t length = strcspn(usage, " ");
        if (at == index)
            for (const char *word = usage, *end = usage + length; word < end;) {
                size_t run = strcspn(word, "|[] ");
                if (word + run > end)
                    run = (size_t)(end - word);
                if (run > 0 && word[0] != '<' && memchr(word, '<', run) == NULL &&
                    memchr(word, '.', run) == NULL && strchr(usage, '|') != NULL)
                    add(words, word, run);
                word += run + 1;
            }
        usage += length + strspn(usage + length, " ");
    }
}

static void add_screens(struct words *words)
{
    const struct screen_row *rows;
    size_t count = layout_screens(&rows);
    for (size_t i = 0; i < count; i++)
        add(words, rows[i].name, strlen(rows[i].name));
}

static void add_panels(struct words *words)
{
    const struct panel_class *const *classes;
    size_t count = panel_classes(&classes);
    for (size_t i = 0; i < count; i++)
        add(words, classes[i]->name, strlen(classes[i]->name));
}

static void add_places(struct words *words)
{
    const struct geo_place *places;
    size_t count = geo_towns(&places);
    for (size_t i = 0; i < count; i++)
        add(words, places[i].name, strlen(places[i].name));
    count = geo_junctions(&places);
    for (size_t i = 0; i < count; i++)
        add(words, places[i].name, strlen(places[i].name));
}

static void add_names(struct words *words, const struct commands *commands)
{
    for (size_t i = 0; i < commands->count; i++)
        if ((commands->rows[i].flags & COMMAND_HIDDEN) == 0 &&
            (commands->rows[i].execute != NULL || (commands->rows[i].flags & COMMAND_UI) != 0))
            add(words, commands->rows[i].name, strlen(commands->rows[i].name));
}

static void add_arguments(struct words *words, const struct commands *commands, struct session *session,
                          const struct command *command, int index)
{
    static const struct {
        const char *command;
        void (*add)(struct words *words);
    } own[] = {{"screen", add_screens}, {"panel", add_panels}, {"goto", add_places}};
    if (strcmp(command->name, "help") == 0)
        add_names(words, commands);
    if (command->arguments != NULL)
        add_usage(words, command->arguments, index);
    for (size_t i = 0; i < sizeof own / sizeof own[0] && index == 0; i++)
        if ((command->flags & COMMAND_UI) != 0 && strcmp(command->name, own[i].command) == 0)
            own[i].add(words);
    if (command->complete == NULL || session == NULL)
        return;
    char out[COMPLETE_SIZE] = "";
    command->complete(session, index, words->prefix, out, sizeof out);
    for (const char *at = out; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        add(words, at, length);
        at += length + (at[length] == '\n');
    }
}

static int by_text(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

void complete_line(const struct commands *commands, struct session *session, const char *line, size_t cursor,
                   struct completion *completion)
{
    char typed[512], name[64], prefix[256];
    snprintf(typed, sizeof typed, "%.*s", (int)cursor, line);
    /* The word at the cursor, with the quote that opens it. */
    size_t start = 0;
    int index = -1; /* of the argument; -1: the name */
    bool quoted = false;
    for (size_t i = 0; typed[i] != '\0'; i++) {
        if (typed[i] == '"')
            quoted = !quoted;
        if (typed[i] == ' ' && !quoted) {
            if (i > start)
                index++;
            start = i + 1;
        }
    }
    size_t skip = typed[start] == '"' ? 1 : 0;
    text_copy(prefix, sizeof prefix, typed + start + skip);
    struct words words = {.prefix = prefix};
    binding_split(typed, name, sizeof name);
    const struct command *command = binding_command(commands, name);
    if (index < 0)
        add_names(&words, commands);
    else if (command != NULL)
        add_arguments(&words, commands, session, command, index);
    qsort(words.list, words.count, sizeof words.list[0], by_text);
    *completion = (struct completion){.word_start = start};
    size_t used = 0;
    for (size_t i = 0; i < words.count; i++) {
        size_t length = strlen(words.list[i]) + 1;
        if (used + length > COMPLETE_SIZE)
            break;
        memcpy(completion->words + used, words.list[i], length);
        used += length;
        completion->count++;
    }
}
