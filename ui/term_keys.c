#include "ui/term_keys.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <limits.h>
#include <string.h>

bool term_key_of_code(unsigned code, struct key *key)
{
    static const struct {
        int code;
        struct key key;
    } codes[] = {
        {KEY_ENTER, {KEYS_ENTER, 0}},
        {KEY_BACKSPACE, {KEYS_BACKSPACE, 0}},
        {KEY_DC, {KEYS_DELETE, 0}},
        {KEY_IC, {KEYS_INSERT, 0}},
        {KEY_UP, {KEYS_UP, 0}},
        {KEY_DOWN, {KEYS_DOWN, 0}},
        {KEY_LEFT, {KEYS_LEFT, 0}},
        {KEY_RIGHT, {KEYS_RIGHT, 0}},
        {KEY_HOME, {KEYS_HOME, 0}},
        {KEY_END, {KEYS_END, 0}},
        {KEY_PPAGE, {KEYS_PGUP, 0}},
        {KEY_NPAGE, {KEYS_PGDN, 0}},
        {KEY_BTAB, {KEYS_TAB, KEYS_SHIFT}},
        {KEY_SR, {KEYS_UP, KEYS_SHIFT}},
        {KEY_SF, {KEYS_DOWN, KEYS_SHIFT}},
        {KEY_SLEFT, {KEYS_LEFT, KEYS_SHIFT}},
        {KEY_SRIGHT, {KEYS_RIGHT, KEYS_SHIFT}},
        {KEY_SHOME, {KEYS_HOME, KEYS_SHIFT}},
        {KEY_SEND, {KEYS_END, KEYS_SHIFT}},
        {KEY_SPREVIOUS, {KEYS_PGUP, KEYS_SHIFT}},
        {KEY_SNEXT, {KEYS_PGDN, KEYS_SHIFT}},
        {KEY_A1, {KEYS_HOME, 0}},
        {KEY_A3, {KEYS_PGUP, 0}},
        {KEY_C1, {KEYS_END, 0}},
        {KEY_C3, {KEYS_PGDN, 0}},
        {KEY_SUSPEND, {'z', KEYS_CTRL}},
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if ((unsigned)codes[i].code == code) {
            *key = codes[i].key;
            return true;
        }
    if (code >= (unsigned)KEY_F(1) && code <= (unsigned)KEY_F(12)) {
        *key = (struct key){.code = KEYS_F1 + (uint32_t)(code - (unsigned)KEY_F(1))};
        return true;
    }
    /* Terminfo's extensions, as "kUP5": the digit is xterm's modifier parameter. */
    static const struct {
        const char *name;
        uint32_t code;
    } extended[] = {{"kUP", KEYS_UP},     {"kDN", KEYS_DOWN},  {"kLFT", KEYS_LEFT}, {"kRIT", KEYS_RIGHT},
                    {"kHOM", KEYS_HOME},  {"kEND", KEYS_END},  {"kPRV", KEYS_PGUP}, {"kNXT", KEYS_PGDN},
                    {"kDC", KEYS_DELETE}, {"kIC", KEYS_INSERT}};
    const char *name = code <= INT_MAX ? keyname((int)code) : NULL;
    for (size_t i = 0; name != NULL && i < sizeof extended / sizeof extended[0]; i++) {
        size_t length = strlen(extended[i].name);
        if (strncmp(name, extended[i].name, length) == 0 && name[length] >= '3' && name[length] <= '8') {
            unsigned bits = (unsigned)(name[length] - '1');
            *key = (struct key){.code = extended[i].code,
                                .modifiers = ((bits & 1) != 0 ? KEYS_SHIFT : 0u) |
                                             ((bits & 2) != 0 ? KEYS_ALT : 0u) |
                                             ((bits & 4) != 0 ? KEYS_CTRL : 0u)};
            return true;
        }
    }
    return false;
}
