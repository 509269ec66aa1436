/* What a terminal can show of a rune: the fall-backs of the block and ASCII levels, and the runes that differ
 * by level. */
#ifndef SMARTCITY_UI_GLYPHS_H
#define SMARTCITY_UI_GLYPHS_H

#include "ui/canvas.h"

/* The rune itself, or its stand-in of the same width at this level; '?' where there is none. */
uint32_t glyphs_fit(enum glyphs glyphs, uint32_t rune);

struct glyphs_frame {
    uint32_t top_left, top_right, bottom_left, bottom_right, horizontal, vertical;
};
const struct glyphs_frame *glyphs_frame(enum glyphs glyphs, bool focused);

/* Fill of `eighths` (0 to 8) of a cell from the left, or from the bottom. */
uint32_t glyphs_bar(enum glyphs glyphs, int eighths);
uint32_t glyphs_column(enum glyphs glyphs, int eighths);

const char *glyphs_name(enum glyphs glyphs); /* "braille", "block", "ascii" */

#endif
