/*
 * Colour pairs, of which a terminal has a bounded number: made when first needed; when all are taken, the one
 * not used for longest becomes another. A frame keeps alive the pairs of the cells it shows. One owner.
 */
#ifndef SMARTCITY_UI_PAIRS_H
#define SMARTCITY_UI_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#define PAIRS_MAX     4096
#define PAIRS_BUCKETS 4096

struct pair {
    int32_t fg, bg;
    uint32_t stamp; /* the frame that used it last */
    int next;       /* in its bucket; 0 ends */
};
struct pairs {
    int limit, count;
    uint32_t frame;
    struct pair list[PAIRS_MAX];
    int buckets[PAIRS_BUCKETS];
};

/* `limit`: the greatest number the terminal takes. */
void pairs_init(struct pairs *pairs, int limit);
void pairs_begin(struct pairs *pairs); /* a frame */
/* The number of a pair, 0 for the terminal's own colours (-1, -1). *fresh: it was given to these colours just
 * now. */
int pairs_find(struct pairs *pairs, int32_t fg, int32_t bg, bool *fresh);
void pairs_keep(struct pairs *pairs, int pair);

#endif
