#include "ui/decode.h"

#include "base/text.h"

#include <string.h>

#define ESC       0x1B
#define DOUBLE_US 400000

static bool give_key(struct input *input, uint32_t code, unsigned modifiers)
{
    *input = (struct input){.kind = INPUT_KEY, .key = {.code = code, .modifiers = modifiers}};
    return true;
}

/* A character by itself, controls as the keys that send them. */
static bool give_rune(struct input *input, uint32_t rune, unsigned modifiers)
{
    if (rune == '\r' || rune == '\n')
        return give_key(input, KEYS_ENTER, modifiers);
    if (rune == '\t')
        return give_key(input, KEYS_TAB, modifiers);
    if (rune == 0x7F || rune == '\b')
        return give_key(input, KEYS_BACKSPACE, modifiers);
    if (rune == 0)
        return give_key(input, ' ', modifiers | KEYS_CTRL);
    if (rune <= 26)
        return give_key(input, rune + 'a' - 1, modifiers | KEYS_CTRL);
    if (rune < 0x20)
        return give_key(input, rune + 0x40, modifiers | KEYS_CTRL);
    if (text_is_control(rune))
        return false;
    return give_key(input, rune, modifiers);
}

static bool give_mouse(struct decode *decode, struct input *input, unsigned button, int x, int y,
                       bool release, int64_t now_us)
{
    *input = (struct input){.kind = INPUT_MOUSE, .x = x, .y = y};
    if ((button & 64) != 0) {
        input->mouse = (button & 1) != 0 ? INPUT_WHEEL_DOWN : INPUT_WHEEL_UP;
        return (button & 2) == 0;
    }
    if (release || (button & 3) == 3) {
        decode->button_down = false;
        return false;
    }
    if ((button & 3) != 0)
        return false; /* only the first button acts */
    if ((button & 32) != 0) {
        input->mouse = INPUT_MOVE;
        return decode->button_down;
    }
    bool again = now_us - decode->pressed_us < DOUBLE_US && decode->pressed_x == x && decode->pressed_y == y;
    input->mouse = again ? INPUT_DOUBLE : INPUT_PRESS;
    decode->button_down = true;
    decode->pressed_us = again ? 0 : now_us;
    decode->pressed_x = x;
    decode->pressed_y = y;
    return true;
}

/* xterm: modifier parameter is 1 + shift 1, alt 2, ctrl 4. */
static unsigned modifiers_of(int parameter)
{
    unsigned bits = parameter > 1 && parameter <= 16 ? (unsigned)parameter - 1 : 0;
    return ((bits & 1) != 0 ? KEYS_SHIFT : 0u) | ((bits & 2) != 0 ? KEYS_ALT : 0u) |
           ((bits & 4) != 0 ? KEYS_CTRL : 0u);
}

static uint32_t key_of_final(char final)
{
    static const struct {
        char final;
        uint32_t code;
    } keys[] = {{'A', KEYS_UP},   {'B', KEYS_DOWN}, {'C', KEYS_RIGHT}, {'D', KEYS_LEFT},
                {'H', KEYS_HOME}, {'F', KEYS_END},  {'P', KEYS_F1},    {'Q', KEYS_F2},
                {'R', KEYS_F3},   {'S', KEYS_F4},   {'M', KEYS_ENTER}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].final == final)
            return keys[i].code;
    return 0;
}

static uint32_t key_of_number(int number)
{
    static const uint32_t keys[25] = {
        [1] = KEYS_HOME, [2] = KEYS_INSERT, [3] = KEYS_DELETE, [4] = KEYS_END,  [5] = KEYS_PGUP,
        [6] = KEYS_PGDN, [7] = KEYS_HOME,   [8] = KEYS_END,    [11] = KEYS_F1,  [12] = KEYS_F2,
        [13] = KEYS_F3,  [14] = KEYS_F4,    [15] = KEYS_F5,    [17] = KEYS_F6,  [18] = KEYS_F7,
        [19] = KEYS_F8,  [20] = KEYS_F9,    [21] = KEYS_F10,   [23] = KEYS_F11, [24] = KEYS_F12};
    return number >= 0 && number < 25 ? keys[number] : 0;
}

/* The digits at `at`; returns what follows them. Bounded, so that no sequence overflows it. */
static const char *read_number(const char *at, int *value)
{
    *value = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        if (*value < 100000)
            *value = *value * 10 + (*at - '0');
    return at;
}

static bool finish_csi(struct decode *decode, char final, int64_t now_us, struct input *input)
{
    const char *text = decode->sequence;
    decode->sequence[decode->length] = '\0';
    decode->state = DECODE_GROUND;
    if (text[0] == '<') {
        int numbers[3];
        const char *at = text;
        for (int i = 0; i < 3; i++) {
            if (*at != (i == 0 ? '<' : ';'))
                return false;
            at = read_number(at + 1, &numbers[i]);
        }
        if ((final == 'M' || final == 'm') && *at == '\0' && numbers[1] > 0 && numbers[2] > 0)
            return give_mouse(decode, input, (unsigned)numbers[0], numbers[1] - 1, numbers[2] - 1,
                              final == 'm', now_us);
        return false;
    }
    if (text[0] == '?') {
        if (final == 'y' && (strcmp(text, "?2026;1$") == 0 || strcmp(text, "?2026;2$") == 0))
            decode->knows_sync = true;
        return false;
    }
    if (final == 'M' && decode->length == 0) {
        decode->state = DECODE_X10;
        return false;
    }
    int first, second = 0;
    const char *rest = read_number(text, &first);
    if (*rest == ';')
        rest = read_number(rest + 1, &second);
    if (*rest != '\0')
        return false;
    if (final == 'Z')
        return give_key(input, KEYS_TAB, KEYS_SHIFT);
    if (final == '~' && first == 200) {
        decode->state = DECODE_PASTE;
        decode->paste_length = decode->paste_match = 0;
        decode->paste_cut = false;
        return false;
    }
    uint32_t code = final == '~' ? key_of_number(first) : final == 'M' ? 0 : key_of_final(final);
    return code != 0 && give_key(input, code, modifiers_of(second));
}

/* One component of "rgb:ffff/ffff/ffff", by its first digit: enough to tell light from dark. */
static const char *read_component(const char *at, int *value)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = *at != '\0' ? strchr(digits, *at | 0x20) : NULL;
    if (digit == NULL)
        return NULL;
    *value = (int)(digit - digits);
    return at + strspn(at, "0123456789abcdefABCDEF");
}

static void finish_string(struct decode *decode)
{
    static const char background[] = "]11;rgb:";
    const char *at = decode->sequence + sizeof background - 1;
    int parts[3];
    decode->state = DECODE_GROUND;
    decode->sequence[decode->length] = '\0';
    if (strncmp(decode->sequence, background, sizeof background - 1) != 0)
        return;
    for (int i = 0; i < 3; i++) {
        if ((i > 0 && *at++ != '/') || (at = read_component(at, &parts[i])) == NULL)
            return;
    }
    decode->knows_background = true;
    decode->light = 2 * parts[0] + 5 * parts[1] + parts[2] >= 8 * 8;
}

static bool feed_paste(struct decode *decode, uint32_t rune, struct input *input)
{
    static const char end[] = "\033[201~";
    if (rune == (uint32_t)(unsigned char)end[decode->paste_match]) {
        if (++decode->paste_match < sizeof end - 1)
            return false;
        decode->state = DECODE_GROUND;
        decode->paste[decode->paste_length] = '\0';
        *input = (struct input){.kind = INPUT_PASTE, .paste = decode->paste};
        return true;
    }
    /* What looked like the end was text (an ESC in it is left out). */
    for (size_t i = 1; i < decode->paste_match && decode->paste_length < DECODE_PASTE_MAX; i++)
        decode->paste[decode->paste_length++] = end[i];
    decode->paste_match = rune == ESC ? 1 : 0;
    if (rune == ESC || rune == 0)
        return false;
    if (decode->paste_length + 4 > DECODE_PASTE_MAX)
        decode->paste_cut = true;
    else
        decode->paste_length += text_put_rune(decode->paste + decode->paste_length, rune);
    return false;
}

static bool feed_esc(struct decode *decode, uint32_t rune, struct input *input)
{
    decode->length = 0;
    decode->string_esc = false;
    switch (rune) {
    case ESC:
        return give_key(input, KEYS_ESC, 0); /* and this one begins anew */
    case '[':
        decode->state = DECODE_CSI;
        return false;
    case 'O':
        decode->state = DECODE_SS3;
        return false;
    case ']':
    case 'P':
    case '_':
    case '^':
    case 'X':
        decode->state = DECODE_STRING;
        decode->sequence[0] = (char)rune;
        return false;
    default:
        decode->state = DECODE_GROUND;
        return give_rune(input, rune, KEYS_ALT);
    }
}

bool decode_feed(struct decode *decode, uint32_t rune, int64_t now_us, struct input *input)
{
    switch (decode->state) {
    case DECODE_GROUND:
        if (rune != ESC)
            return give_rune(input, rune, 0);
        decode->state = DECODE_ESC;
        return false;
    case DECODE_ESC:
        return feed_esc(decode, rune, input);
    case DECODE_CSI:
        if (rune == ESC) {
            decode->state = DECODE_ESC;
            return false;
        }
        if (rune >= 0x40 && rune <= 0x7E)
            return finish_csi(decode, (char)rune, now_us, input);
        if (rune < 0x20 || rune > 0x7E || decode->length + 1 >= DECODE_SEQUENCE_MAX)
            decode->state = DECODE_GROUND;
        else
            decode->sequence[decode->length++] = (char)rune;
        return false;
    case DECODE_SS3:
        decode->state = DECODE_GROUND;
        uint32_t code = rune < 0x7F ? key_of_final((char)rune) : 0;
        return code != 0 && give_key(input, code, 0);
    case DECODE_STRING:
        if (rune == 7 || (decode->string_esc && rune == '\\') || rune == 0x9C)
            finish_string(decode);
        else if (decode->length == 0)
            decode->length = 1;
        if (rune >= 0x20 && rune < 0x7F && decode->length + 1 < DECODE_SEQUENCE_MAX)
            decode->sequence[decode->length++] = (char)rune;
        decode->string_esc = rune == ESC;
        return false;
    case DECODE_PASTE:
        return feed_paste(decode, rune, input);
    case DECODE_X10:
        decode->x10[decode->length++] = rune;
        if (decode->length < 3)
            return false;
        decode->state = DECODE_GROUND;
        if (decode->x10[0] < 32 || decode->x10[1] <= 32 || decode->x10[2] <= 32 || decode->x10[1] > 4096 ||
            decode->x10[2] > 4096)
            return false;
        return give_mouse(decode, input, decode->x10[0] - 32, (int)decode->x10[1] - 33,
                          (int)decode->x10[2] - 33, false, now_us);
    }
    return false;
}

bool decode_idle(struct decode *decode, struct input *input)
{
    enum decode_state state = decode->state;
    if (state == DECODE_ESC) {
        decode->state = DECODE_GROUND;
        return give_key(input, KEYS_ESC, 0);
    }
    if (decode->length > 0 || state == DECODE_GROUND || state == DECODE_PASTE || state == DECODE_X10)
        return false;
    /* Alt with a key that also begins sequences. */
    decode->state = DECODE_GROUND;
    uint32_t rune = state == DECODE_CSI   ? '['
                    : state == DECODE_SS3 ? 'O'
                                          : (unsigned char)decode->sequence[0];
    return give_key(input, rune, KEYS_ALT);
}
