/*
 * Keys and what a terminal may send, free of curses. A key's name is what the command table and the documents
 * say: "a", "G", "?", "space", "enter", "tab", "shift+tab", "esc", "backspace", "up", "pgdn", "f1", "ctrl+l",
 * "alt+x". Pure; any thread.
 */
#ifndef SMARTCITY_UI_KEYS_H
#define SMARTCITY_UI_KEYS_H

#include "ui/canvas.h"

/* Keys that are no character, above the code points of Unicode. X(NAME, name, label in UTF-8, label in ASCII)
 */
#define KEYS(X)                                                                                              \
    X(ENTER, "enter", "↵", "Enter")                                                                          \
    X(TAB, "tab", "Tab", "Tab")                                                                              \
    X(ESC, "esc", "Esc", "Esc")                                                                              \
    X(BACKSPACE, "backspace", "Backspace", "Backspace")                                                      \
    X(DELETE, "delete", "Del", "Del")                                                                        \
    X(INSERT, "insert", "Ins", "Ins")                                                                        \
    X(UP, "up", "↑", "Up")                                                                                   \
    X(DOWN, "down", "↓", "Down")                                                                             \
    X(LEFT, "left", "←", "Left")                                                                             \
    X(RIGHT, "right", "→", "Right")                                                                          \
    X(HOME, "home", "Home", "Home")                                                                          \
    X(END, "end", "End", "End")                                                                              \
    X(PGUP, "pgup", "PgUp", "PgUp")                                                                          \
    X(PGDN, "pgdn", "PgDn", "PgDn")                                                                          \
    X(F1, "f1", "F1", "F1")                                                                                  \
    X(F2, "f2", "F2", "F2")                                                                                  \
    X(F3, "f3", "F3", "F3")                                                                                  \
    X(F4, "f4", "F4", "F4")                                                                                  \
    X(F5, "f5", "F5", "F5")                                                                                  \
    X(F6, "f6", "F6", "F6")                                                                                  \
    X(F7, "f7", "F7", "F7")                                                                                  \
    X(F8, "f8", "F8", "F8")                                                                                  \
    X(F9, "f9", "F9", "F9")                                                                                  \
    X(F10, "f10", "F10", "F10")                                                                              \
    X(F11, "f11", "F11", "F11")                                                                              \
    X(F12, "f12", "F12", "F12")
enum key_code {
    KEYS_BEGIN = 0x110000,
#define X(name, word, label, plain) KEYS_##name,
    KEYS(X)
#undef X
        KEYS_LIMIT
};

enum key_modifier { KEYS_CTRL = 1, KEYS_ALT = 2, KEYS_SHIFT = 4 };

struct key {
    uint32_t code; /* code point, or enum key_code; 0: none */
    unsigned modifiers;
};

#define KEYS_NAME_SIZE 24
/* False when it is no key's name. */
bool keys_parse(const char *name, struct key *key);
char *keys_name(const struct key *key, char name[KEYS_NAME_SIZE]);
bool keys_equal(const struct key *a, const struct key *b);
/* For people, short: "↵", "Tab", "^L", "space". */
char *keys_label(const char *name, enum glyphs glyphs, char label[KEYS_NAME_SIZE]);

enum input_kind { INPUT_KEY, INPUT_MOUSE, INPUT_PASTE, INPUT_GONE /* the terminal went away */ };
enum input_mouse {
    INPUT_PRESS,
    INPUT_DOUBLE,
    INPUT_MOVE /* with the button down */,
    INPUT_WHEEL_UP,
    INPUT_WHEEL_DOWN
};
struct input {
    enum input_kind kind;
    struct key key;
    enum input_mouse mouse;
    int x, y;          /* cells */
    const char *paste; /* UTF-8 as it came, bounded; until the next read */
};

#endif
