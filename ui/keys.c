#include "ui/keys.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const struct {
    uint32_t code;
    const char *name, *label, *plain;
} named[] = {
#define X(name, word, label, plain) {KEYS_##name, word, label, plain},
    KEYS(X)
#undef X
        {' ', "space", "space", "space"},
};
#define NAMED (sizeof named / sizeof named[0])

bool keys_parse(const char *name, struct key *key)
{
    static const struct {
        const char *prefix;
        unsigned modifier;
    } prefixes[] = {{"ctrl+", KEYS_CTRL}, {"alt+", KEYS_ALT}, {"shift+", KEYS_SHIFT}};
    *key = (struct key){0};
    for (size_t i = 0; i < 3;) {
        size_t length = strlen(prefixes[i].prefix);
        if (strncmp(name, prefixes[i].prefix, length) == 0 && name[length] != '\0') {
            key->modifiers |= prefixes[i].modifier;
            name += length;
            i = 0;
        } else {
            i++;
        }
    }
    for (size_t i = 0; i < NAMED; i++)
        if (strcmp(name, named[i].name) == 0) {
            key->code = named[i].code;
            return true;
        }
    const char *end = name + strlen(name);
    if (name == end)
        return false;
    key->code = text_next_rune(&name, end);
    return name == end && !text_is_control(key->code) && key->code != 0xFFFD;
}

char *keys_name(const struct key *key, char name[KEYS_NAME_SIZE])
{
    char rune[5];
    const char *word = NULL;
    for (size_t i = 0; i < NAMED; i++)
        if (named[i].code == key->code)
            word = named[i].name;
    if (word == NULL) {
        text_put_rune(rune, key->code < KEYS_BEGIN ? key->code : 0xFFFD);
        word = rune;
    }
    snprintf(name, KEYS_NAME_SIZE, "%s%s%s%s", (key->modifiers & KEYS_CTRL) != 0 ? "ctrl+" : "",
             (key->modifiers & KEYS_ALT) != 0 ? "alt+" : "",
             (key->modifiers & KEYS_SHIFT) != 0 ? "shift+" : "", word);
    return name;
}

bool keys_equal(const struct key *a, const struct key *b)
{
    return a->code == b->code && a->modifiers == b->modifiers;
}

char *keys_label(const char *name, enum glyphs glyphs, char label[KEYS_NAME_SIZE])
{
    struct key key;
    if (!keys_parse(name, &key)) {
        text_copy(label, KEYS_NAME_SIZE, name);
        return label;
    }
    char rune[5];
    const char *word = NULL;
    for (size_t i = 0; i < NAMED; i++)
        if (named[i].code == key.code)
            word = glyphs == GLYPHS_BRAILLE ? named[i].label : named[i].plain;
    if (word == NULL) {
        bool upper = (key.modifiers & KEYS_CTRL) != 0 && key.code >= 'a' && key.code <= 'z';
        text_put_rune(rune, upper ? key.code - 32 : key.code);
        word = rune;
    }
    snprintf(label, KEYS_NAME_SIZE, "%s%s%s%s", (key.modifiers & KEYS_CTRL) != 0 ? "^" : "",
             (key.modifiers & KEYS_ALT) != 0 ? "Alt-" : "", (key.modifiers & KEYS_SHIFT) != 0 ? "Shift-" : "",
             word);
    return label;
}
