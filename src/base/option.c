#include "base/option.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *option_target(const struct option_set *set, size_t index)
{
    return (char *)set->target + set->options[index].offset;
}

static bool option_parse_bool(const char *text, bool *value)
{
    static const char *const yes[] = {"on", "yes", "true", "1"}, *const no[] = {"off", "no", "false", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (text_equal_fold(text, yes[i]) || text_equal_fold(text, no[i])) {
            *value = text_equal_fold(text, yes[i]);
            return true;
        }
    }
    return false;
}

static bool option_parse_word(const char *words, const char *text, int *index)
{
    size_t length = strlen(text);
    int i = 0;
    for (const char *word = words; word; i++) {
        const char *bar = strchr(word, '|');
        size_t word_length = bar ? (size_t)(bar - word) : strlen(word);
        if (word_length == length && strncasecmp(word, text, length) == 0) {
            *index = i;
            return true;
        }
        word = bar ? bar + 1 : NULL;
    }
    return false;
}

static void option_list_add(struct option_list *list, const char *text)
{
    if (list->count < OPTION_LIST_MAX)
        list->items[list->count++] = mem_text(text);
}

/* Parses into the target; the reason why not goes to `expected`. */
static bool option_parse(const struct option_set *set, size_t index, const char *text, char *expected,
                         size_t size)
{
    const struct option *option = &set->options[index];
    void *target = option_target(set, index);
    switch (option->type) {
    case OPTION_TEXT:
        if (strlen(text) >= option->size || !text_is_utf8(text, strlen(text))) {
            snprintf(expected, size, "at most %zu bytes of UTF-8", option->size - 1);
            return false;
        }
        text_copy(target, option->size, text);
        return true;
    case OPTION_INT:
        snprintf(expected, size, "a whole number from %.0f to %.0f", option->min, option->max);
        return text_parse_int(text, (int64_t)option->min, (int64_t)option->max, target);
    case OPTION_DOUBLE:
        snprintf(expected, size, "a number from %g to %g", option->min, option->max);
        if (strlen(text) > 1 &&
            (text[strlen(text) - 1] == 'x' || text[strlen(text) - 1] == 'X')) { /* "10x" */
            char plain[32];
            text_copy(plain, sizeof plain, text);
            plain[strlen(plain) - 1] = 0;
            return text_parse_double(plain, option->min, option->max, target);
        }
        return text_parse_double(text, option->min, option->max, target);
    case OPTION_BOOL:
        snprintf(expected, size, "on or off");
        return option_parse_bool(text, target);
    case OPTION_DURATION:
        snprintf(expected, size, "a duration as 500ms, 10s, 5m, 2h");
        return text_parse_duration(text, target);
    case OPTION_BYTES:
        snprintf(expected, size, "a size as 500k, 64M, 1G");
        return text_parse_bytes(text, target);
    case OPTION_TIME:
        snprintf(expected, size, "a time as 2026-01-12T08:00:00Z, or now");
        if (text_equal_fold(text, "now")) {
            *(int64_t *)target = clock_wall_us() / 1000;
            return true;
        }
        return text_parse_time(text, strlen(text), target);
    case OPTION_WORD:
        snprintf(expected, size, "one of %s", option->words);
        return option_parse_word(option->words, text, target);
    case OPTION_LIST:
        if (((struct option_list *)target)->count >= OPTION_LIST_MAX) {
            snprintf(expected, size, "at most %d of them", OPTION_LIST_MAX);
            return false;
        }
        option_list_add(target, text);
        return true;
    }
    return false;
}

void option_init(struct option_set *set, const struct option *options, size_t count, void *target)
{
    set->options = options;
    set->count = count;
    set->target = target;
    set->origins = mem_zero(count, sizeof *set->origins);
    set->places = mem_zero(count, sizeof *set->places);
    for (size_t i = 0; i < count; i++) {
        char expected[160];
        if (options[i].fallback && !option_parse(set, i, options[i].fallback, expected, sizeof expected)) {
            fprintf(stderr, "option table: %s: default '%s' is not %s\n", options[i].name,
                    options[i].fallback, expected);
            abort();
        }
    }
}

void option_free(struct option_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->options[i].type == OPTION_LIST) {
            struct option_list *list = option_target(set, i);
            for (size_t j = 0; j < list->count; j++)
                free(list->items[j]);
            list->count = 0;
        }
    }
    free(set->origins);
    free(set->places);
    set->origins = NULL;
    set->places = NULL;
}

int option_set_text(struct option_set *set, size_t index, const char *text, enum option_origin origin,
                    const char *place, struct err *err)
{
    if (set->origins[index] > origin && set->options[index].type != OPTION_LIST)
        return 0;
    char expected[160], shown[64];
    if (!option_parse(set, index, text, expected, sizeof expected)) {
        text_sanitise(shown, sizeof shown, text, strlen(text));
        return err_set(err, origin == ORIGIN_FLAG ? ERR_USAGE : ERR_CONFIG, "%s: '%s' is not %s", place,
                       shown, expected);
    }
    set->origins[index] = origin;
    text_copy(set->places[index], sizeof set->places[index], place);
    return 0;
}

int option_find(const struct option_set *set, const char *name, const char **suggestion)
{
    int best = 4;
    if (suggestion)
        *suggestion = NULL;
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->options[i].name, name) == 0)
            return (int)i;
        int distance = text_distance(set->options[i].name, name, 3);
        if (distance < best) {
            best = distance;
            if (suggestion)
                *suggestion = set->options[i].name;
        }
    }
    return -1;
}

void option_format(const struct option_set *set, size_t index, char *out, size_t size)
{
    const struct option *option = &set->options[index];
    const void *target = option_target(set, index);
    char time[TEXT_TIME_SIZE];
    switch (option->type) {
    case OPTION_TEXT:
        snprintf(out, size, "%s", (const char *)target);
        break;
    case OPTION_BYTES: {
        static const char letters[] = {0, 'k', 'M', 'G', 'T'};
        int64_t bytes = *(const int64_t *)target;
        size_t letter = 0;
        for (; bytes != 0 && bytes % 1000 == 0 && letter + 1 < sizeof letters; letter++)
            bytes /= 1000;
        snprintf(out, size, "%lld%.1s", (long long)bytes, letter ? letters + letter : "");
        break;
    }
    case OPTION_INT:
        snprintf(out, size, "%lld", (long long)*(const int64_t *)target);
        break;
    case OPTION_DOUBLE:
        snprintf(out, size, "%g", *(const double *)target);
        break;
    case OPTION_BOOL:
        snprintf(out, size, "%s", *(const bool *)target ? "on" : "off");
        break;
    case OPTION_DURATION:
        snprintf(out, size, "%gs", (double)*(const int64_t *)target / 1e6);
        break;
    case OPTION_TIME:
        snprintf(out, size, "%s", text_time(time, *(const int64_t *)target));
        break;
    case OPTION_WORD: {
        const char *word = option->words ? option->words : "";
        for (int i = *(const int *)target; i > 0 && word[strcspn(word, "|")]; i--)
            word += strcspn(word, "|") + 1;
        snprintf(out, size, "%.*s", (int)strcspn(word, "|"), word);
        break;
    }
    case OPTION_LIST: {
        const struct option_list *list = target;
        size_t used = 0;
        out[0] = 0;
        for (size_t i = 0; i < list->count && used < size; i++)
            used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", list->items[i]);
        break;
    }
    }
}

static int option_unknown_flag(const struct option_set *set, const char *flag, unsigned command,
                               struct err *err)
{
    const char *name = flag + strspn(flag, "-"), *suggestion;
    char plain[64], shown[64];
    text_copy(plain, sizeof plain, name);
    plain[strcspn(plain, "=")] = 0;
    text_sanitise(shown, sizeof shown, flag, strcspn(flag, "="));
    int index = option_find(set, plain, &suggestion);
    if (index >= 0 && command)
        return err_set(err, ERR_USAGE, "%s does not go with this command; see its --help", shown);
    if (suggestion)
        return err_set(err, ERR_USAGE, "%s is not an option; did you mean --%s?", shown, suggestion);
    return err_set(err, ERR_USAGE, "%s is not an option; see --help", shown);
}

static int option_index_for_flag(const struct option_set *set, unsigned command, const char *name,
                                 char letter)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        if (option->commands && !(option->commands & command))
            continue;
        if (letter ? option->letter == letter : strcmp(option->name, name) == 0)
            return (int)i;
    }
    return -1;
}

int option_read_arguments(struct option_set *set, unsigned command, int argc, char **argv,
                          const char **positional, size_t max_positional, size_t *positional_count,
                          struct err *err)
{
    *positional_count = 0;
    bool only_positional = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (only_positional || word[0] != '-' || word[1] == 0) {
            if (*positional_count == max_positional)
                return err_set(err, ERR_USAGE, "too many arguments: '%.60s'", word);
            positional[(*positional_count)++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_positional = true;
            continue;
        }
        char name[64] = "", place[80];
        const char *value = NULL;
        bool negated = false;
        int index;
        if (word[1] == '-') {
            text_copy(name, sizeof name, word + 2);
            char *equals = strchr(name, '=');
            if (strchr(word, '='))
                value = strchr(word, '=') + 1;
            if (equals)
                *equals = 0;
            index = option_index_for_flag(set, command, name, 0);
            if (index < 0 && strncmp(name, "no-", 3) == 0) {
                index = option_index_for_flag(set, command, name + 3, 0);
                negated = index >= 0;
            }
        } else {
            index = option_index_for_flag(set, command, NULL, word[1]);
            if (word[2])
                value = word + 2;
        }
        if (index < 0)
            return option_unknown_flag(set, word, command, err);
        const struct option *option = &set->options[index];
        if (negated && (option->type != OPTION_BOOL || value))
            return option_unknown_flag(set, word, command, err);
        snprintf(place, sizeof place, "--%s%s", negated ? "no-" : "", option->name);
        if (option->type == OPTION_BOOL && !value)
            value = negated ? "off" : "on";
        if (!value) {
            if (i + 1 == argc)
                return err_set(err, ERR_USAGE, "%s needs %s", place,
                               option->argument ? option->argument : "a value");
            value = argv[++i];
        }
        if (option_set_text(set, (size_t)index, value, ORIGIN_FLAG, place, err) < 0)
            return -1;
    }
    return 0;
}

int option_read_environment(struct option_set *set, const char *prefix, struct err *err)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->options[i].flag_only)
            continue;
        char name[96];
        snprintf(name, sizeof name, "%s%s", prefix, set->options[i].name);
        for (char *c = name + strlen(prefix); *c; c++)
            *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
        const char *value = getenv(name);
        if (value && *value && option_set_text(set, i, value, ORIGIN_ENVIRONMENT, name, err) < 0)
            return -1;
    }
    return 0;
}

struct option_reading {
    struct option_set *set;
    const char *path;
    enum option_origin origin;
    struct err *err;
};

/* inih stops counting at the first handler that returns 0 and gives its line: the error text gets it
 * afterwards. */
static int option_on_line(void *user, const char *section, const char *name, const char *value)
{
    struct option_reading *reading = user;
    struct option_set *set = reading->set;
    char shown[64];
    text_sanitise(shown, sizeof shown, name, strlen(name));
    if (reading->err->kind != ERR_NONE)
        return 0;
    if (set->section && strcmp(section, set->section) == 0) {
        struct option_list *list = (struct option_list *)((char *)set->target + set->section_offset);
        char pair[512];
        if (list->count >= OPTION_LIST_MAX ||
            (size_t)snprintf(pair, sizeof pair, "%s=%s", name, value) >= sizeof pair) {
            err_set(reading->err, ERR_CONFIG, "[%s] %s: too many or too long", section, shown);
            return 0;
        }
        option_list_add(list, pair);
        return 1;
    }
    if (section[0] && strcmp(section, "smartcity") != 0) {
        text_sanitise(shown, sizeof shown, section, strlen(section));
        err_set(reading->err, ERR_CONFIG, "[%s] is not a section here; there are [smartcity]%s%s%s", shown,
                set->section ? " and [" : "", set->section ? set->section : "", set->section ? "]" : "");
        return 0;
    }
    const char *suggestion;
    int index = option_find(set, name, &suggestion);
    if (index < 0 || set->options[index].flag_only) {
        err_set(reading->err, ERR_CONFIG, "'%s' is not a setting%s%s%s", shown,
                suggestion ? "; did you mean '" : "", suggestion ? suggestion : "", suggestion ? "'?" : "");
        return 0;
    }
    return option_set_text(set, (size_t)index, value, reading->origin, name, reading->err) == 0;
}

/* inih keeps the rest of an over-long line as the next one; a NUL ends its view of the text. Both are
 * refused. */
int option_read_text(struct option_set *set, const char *text, const char *path, enum option_origin origin,
                     struct err *err)
{
    struct err local = ERR_INIT;
    struct option_reading reading = {.set = set, .path = path, .origin = origin, .err = &local};
    int line = 1;
    for (const char *start = text; *start; line++) {
        size_t length = strcspn(start, "\n");
        if (length > 190)
            return err_set(err, ERR_CONFIG, "%s:%d: the line is longer than 190 characters", path, line);
        start += length + (start[length] == '\n');
    }
    /* What a setting's place says needs its line: parse line by line is inih's job, so places are fixed
     * afterwards. */
    enum option_origin *before = mem_alloc(set->count * sizeof *before);
    memcpy(before, set->origins, set->count * sizeof *before);
    int at = ini_parse_string(text, option_on_line, &reading);
    for (size_t i = 0; i < set->count; i++)
        if (set->origins[i] == origin && before[i] != origin)
            text_copy(set->places[i], sizeof set->places[i], path);
    free(before);
    if (local.kind != ERR_NONE) {
        err_set(err, ERR_CONFIG, "%s:%d: %s", path, at, local.text);
        return -1;
    }
    if (at != 0)
        return err_set(err, ERR_CONFIG, "%s:%d: not 'name = value'", path, at);
    return 0;
}

int option_read_file(struct option_set *set, const char *path, enum option_origin origin, struct err *err)
{
    struct err local = ERR_INIT;
    struct buf buf;
    if (file_size(path) < 0)
        return 0;
    buf_init(&buf, 1 << 20);
    int result = file_read(path, &buf, &local);
    if (result < 0) {
        err_set(err, ERR_CONFIG, "%s", local.text);
    } else if (buf.length > 0 && (strlen(buf.data) != buf.length || !text_is_utf8(buf.data, buf.length))) {
        result = err_set(err, ERR_CONFIG, "%s: not a text file in UTF-8", path);
    } else if (buf.length > 0) {
        result = option_read_text(set, buf.data, path, origin, err);
    }
    buf_free(&buf);
    return result;
}
