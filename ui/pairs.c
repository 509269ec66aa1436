#include "ui/pairs.h"

#include <string.h>

void pairs_init(struct pairs *pairs, int limit)
{
    memset(pairs, 0, sizeof *pairs);
    pairs->limit = limit < PAIRS_MAX - 1 ? limit : PAIRS_MAX - 1;
}

void pairs_begin(struct pairs *pairs)
{
    pairs->frame++;
}

void pairs_keep(struct pairs *pairs, int pair)
{
    pairs->list[pair].stamp = pairs->frame;
}

static unsigned bucket_of(int32_t fg, int32_t bg)
{
    return ((uint32_t)fg * 2654435761u ^ (uint32_t)bg * 40503u) % PAIRS_BUCKETS;
}

static int take_oldest(struct pairs *pairs)
{
    int oldest = 1;
    for (int i = 2; i <= pairs->count; i++)
        if (pairs->list[i].stamp < pairs->list[oldest].stamp)
            oldest = i;
    const struct pair *pair = &pairs->list[oldest];
    int *link = &pairs->buckets[bucket_of(pair->fg, pair->bg)];
    while (*link != oldest)
        link = &pairs->list[*link].next;
    *link = pair->next;
    return oldest;
}

int pairs_find(struct pairs *pairs, int32_t fg, int32_t bg, bool *fresh)
{
    *fresh = false;
    if ((fg < 0 && bg < 0) || pairs->limit < 1)
        return 0;
    unsigned bucket = bucket_of(fg, bg);
    for (int i = pairs->buckets[bucket]; i != 0; i = pairs->list[i].next)
        if (pairs->list[i].fg == fg && pairs->list[i].bg == bg) {
            pairs_keep(pairs, i);
            return i;
        }
    *fresh = true;
    int index = pairs->count < pairs->limit ? ++pairs->count : take_oldest(pairs);
    pairs->list[index] =
        (struct pair){.fg = fg, .bg = bg, .stamp = pairs->frame, .next = pairs->buckets[bucket]};
    pairs->buckets[bucket] = index;
    return index;
}
