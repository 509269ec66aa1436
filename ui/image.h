/*
 * Pictures from outside: JPEG bytes to cells. What a picture claims to be is checked before anything of that
 * size is allocated. Main thread only (chafa is told to start no threads of its own).
 */
#ifndef SMARTCITY_UI_IMAGE_H
#define SMARTCITY_UI_IMAGE_H

#include "base/err.h"
#include "ui/canvas.h"

#define IMAGE_MAX_SIDE  2048       /* pixels */
#define IMAGE_MAX_BYTES (2u << 20) /* of the JPEG */

struct image {
    int width, height;
    bool damaged;    /* decoded as far as it could be */
    uint8_t *pixels; /* RGB, width * height * 3 */
};

/* 0, or -1 with ERR_LIMIT (too large), ERR_CORRUPT (no JPEG). The image owns its pixels. */
int image_decode(struct image *image, const void *bytes, size_t length, struct err *err);
void image_destroy(struct image *image);

enum image_look {
    IMAGE_COLOURS, /* half and quarter blocks in true colour */
    IMAGE_GREYS    /* characters by how light a place is */
};

/* Fills cells[width * height] with the picture, filling the area: it is cropped (more of the sky than of the
 * road) and stretched a little rather than drawn small; where even that leaves room, cells at the sides stay
 * blank. */
void image_render(const struct image *image, enum image_look look, enum glyphs glyphs, int width, int height,
                  struct cell *cells);

#endif
