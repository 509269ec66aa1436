/*
 * Themes: what each role looks like. A theme gives every role a true colour and one of the terminal's
 * sixteen; the 256-colour number is the nearest to the true colour, 8 colours are the sixteen without their
 * bright half. Without colours (NO_COLOR, --color=never, mono) only bold, reverse and underline are used. The
 * terminal's own background is never painted over, so both dark and light ones work. Pure; any thread.
 */
#ifndef SMARTCITY_UI_THEME_H
#define SMARTCITY_UI_THEME_H

#include "ui/canvas.h"

enum theme { THEME_DEFAULT, THEME_CONTRAST, THEME_COLOURBLIND, THEME_MONO, THEME_COUNT };
enum depth { DEPTH_MONO, DEPTH_8, DEPTH_16, DEPTH_256, DEPTH_RGB };

const char *theme_name(enum theme theme); /* "default", "contrast", "colourblind", "mono" */
int theme_from_name(const char *name);    /* or -1 */
const char *depth_name(enum depth depth); /* "no colours", "256 colours", … */

/* What to tell a terminal: colour numbers of its depth (0xRRGGBB at DEPTH_RGB), -1 for its own. */
struct paint {
    int32_t fg, bg;
    uint8_t attributes;
};
/* `light`: the terminal's own background is light; what stands on it becomes darker, furniture paler. */
struct paint theme_resolve(enum theme theme, enum depth depth, bool light, struct style style);

/* 0xRRGGBB of a role's foreground or background, -1 for the terminal's own. For tests and documents. */
int32_t theme_colour(enum theme theme, enum role role, bool background);
/* The nearest of xterm's 240 fixed colours (16 to 255; cube 0, 95, 135, 175, 215, 255 and 24 greys), by
 * distance weighted for the eye; and the colour of a number. */
int theme_nearest_256(uint32_t rgb);
uint32_t theme_rgb_of_256(int number);

#endif
