/*
 * The configuration file and the command line, over the program's own table of options. Lines up to the first
 * that is `--` are the file, each further one is a word of the command line. Whatever they hold,
 *   - reading ends well, or with a reason that is harmless for a terminal;
 *   - every value is then within its bounds, and is the same when it is written and read again;
 *   - librdkafka properties are key=value, or the words were refused.
 */
#include "app/options.h"
#include "base/buf.h"
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_reason(const struct err *err)
{
    size_t length = strnlen(err->text, sizeof err->text);
    require(err->kind != ERR_NONE && length > 0 && length < sizeof err->text);
    require(text_is_utf8(err->text, length));
    for (const char *at = err->text; at < err->text + length;)
        require(!text_is_control(text_next_rune(&at, err->text + length)));
}

static void require_sane(struct option_set *set)
{
    char text[1024], again[1024];
    struct err err = ERR_INIT;
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        require(memchr(set->places[i], '\0', sizeof set->places[i]) != NULL);
        if (option->type == OPTION_LIST)
            continue;
        const char *value = (const char *)set->target + option->offset;
        if (option->type == OPTION_TEXT)
            require(memchr(value, '\0', option->size) != NULL);
        if (option->type == OPTION_INT && option->max > option->min)
            require((double)*(const int64_t *)value >= option->min &&
                    (double)*(const int64_t *)value <= option->max);
        if (option->type == OPTION_DOUBLE && option->max > option->min)
            require(*(const double *)value >= option->min && *(const double *)value <= option->max);
        option_format(set, i, text, sizeof text);
        require(memchr(text, '\0', sizeof text) != NULL);
        if (option->type == OPTION_TEXT && strlen(text) >= sizeof text - 1)
            continue;
        require(option_set_text(set, i, text, ORIGIN_FLAG, "again", &err) == 0);
        option_format(set, i, again, sizeof again);
        require(strcmp(text, again) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct options options = {0};
    struct err err = ERR_INIT;
    const struct option *table;
    const char *positional[4];
    char *words[WORDS], *text = malloc(size + 1);
    size_t count = options_table(&table), positional_count = 0;
    int word_count = 0;
    for (size_t i = 0; i < size; i++) /* neither a file that was read nor an argument holds a NUL within */
        text[i] = data[i] ? (char)data[i] : ' ';
    text[size] = '\0';
    char *flags = strstr(text, "\n--\n");
    if (flags) {
        *flags = '\0';
        for (char *at = strtok(flags + 4, "\n"); at && word_count < WORDS; at = strtok(NULL, "\n"))
            words[word_count++] = at;
    }
    option_init(&options.set, table, count, &options);
    options.set.section = "kafka";
    options.set.section_offset = offsetof(struct options, properties);
    unsigned command = size ? 1U << (data[0] % 9) : FOR_RUN;
    if (option_read_text(&options.set, text, "fuzz.conf", ORIGIN_USER_FILE, &err) < 0)
        require_reason(&err);
    err = ERR_INIT;
    if (option_read_arguments(&options.set, command, word_count, words, positional, 4, &positional_count,
                              &err) < 0)
        require_reason(&err);
    require(positional_count <= 4 && options.properties.count <= OPTION_LIST_MAX);
    require_sane(&options.set);
    options_free(&options);
    free(text);
    return 0;
}
