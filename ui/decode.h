/*
 * What a terminal sends beside plain characters: escape sequences of keys and mouse (xterm's forms),
 * bracketed pastes, answers to questions. Fed with code points; anything it does not know is swallowed whole,
 * so that the rest of a sequence never acts as keys. Pure; one owner.
 */
#ifndef SMARTCITY_UI_DECODE_H
#define SMARTCITY_UI_DECODE_H

#include "ui/keys.h"

#define DECODE_PASTE_MAX    65536
#define DECODE_SEQUENCE_MAX 64

enum decode_state {
    DECODE_GROUND,
    DECODE_ESC,
    DECODE_CSI,
    DECODE_SS3,
    DECODE_STRING,
    DECODE_PASTE,
    DECODE_X10
};

struct decode {
    enum decode_state state;
    size_t length; /* of sequence */
    char sequence[DECODE_SEQUENCE_MAX];
    bool string_esc, button_down;
    unsigned x10[3];
    size_t paste_length, paste_match;
    bool paste_cut;               /* longer than the limit: the rest was dropped */
    bool knows_sync;              /* it answered that it knows mode 2026 */
    bool knows_background, light; /* it told its background (OSC 11) */
    int64_t pressed_us;
    int pressed_x, pressed_y;
    char paste[DECODE_PASTE_MAX + 8];
};

/* True when `input` was filled. now_us tells a double click. */
bool decode_feed(struct decode *decode, uint32_t rune, int64_t now_us, struct input *input);
/* Nothing more is there for now: an ESC alone was the key. */
bool decode_idle(struct decode *decode, struct input *input);

#endif
