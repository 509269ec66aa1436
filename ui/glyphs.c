#include "ui/glyphs.h"

#include "base/text.h"

/* Sorted by rune. The block level is what a Linux console's font holds (the old PC set). */
static const struct stand_in {
    uint32_t rune;
    uint16_t block; /* 0: itself */
    char ascii;
} stand_ins[] = {
    {0x00A0, ' ', ' '},    {0x00A3, 0, 'L'},      {0x00A9, 0, 'c'},      {0x00AB, 0, '<'},
    {0x00B0, 0, 'o'},      {0x00B1, 0, '~'},      {0x00B2, 0, '2'},      {0x00B3, '3', '3'},
    {0x00B5, 0, 'u'},      {0x00B7, 0, '.'},      {0x00BB, 0, '>'},      {0x00D7, 'x', 'x'},
    {0x00F7, 0, '/'},      {0x2010, '-', '-'},    {0x2011, '-', '-'},    {0x2012, '-', '-'},
    {0x2013, '-', '-'},    {0x2014, '-', '-'},    {0x2018, '\'', '\''},  {0x2019, '\'', '\''},
    {0x201C, '"', '"'},    {0x201D, '"', '"'},    {0x2022, 0, '*'},      {0x2026, '~', '~'},
    {0x2032, '\'', '\''},  {0x2033, '"', '"'},    {0x2082, '2', '2'},    {0x2190, 0, '<'},
    {0x2191, 0, '^'},      {0x2192, 0, '>'},      {0x2193, 0, 'v'},      {0x2194, 0, '-'},
    {0x2195, 0, '|'},      {0x2196, '\\', '\\'},  {0x2197, '/', '/'},    {0x2198, '\\', '\\'},
    {0x2199, '/', '/'},    {0x21B5, '<', '<'},    {0x21E5, '>', '>'},    {0x21E7, '^', '^'},
    {0x2206, 'd', 'd'},    {0x2212, '-', '-'},    {0x2248, 0, '~'},      {0x2264, 0, '<'},
    {0x2265, 0, '>'},      {0x23CE, '<', '<'},    {0x23F5, 0x25BA, '>'}, {0x23F8, '"', '"'},
    {0x2500, 0, '-'},      {0x2501, 0x2550, '='}, {0x2502, 0, '|'},      {0x2503, 0x2551, '|'},
    {0x2504, 0x2500, '-'}, {0x2506, 0x2502, ':'}, {0x2508, 0x2500, '.'}, {0x250A, 0x2502, ':'},
    {0x250C, 0, '+'},      {0x2510, 0, '+'},      {0x2514, 0, '`'},      {0x2518, 0, '+'},
    {0x251C, 0, '|'},      {0x2524, 0, '|'},      {0x252C, 0, '+'},      {0x2534, 0, '+'},
    {0x253C, 0, '+'},      {0x2550, 0, '='},      {0x2551, 0, '|'},      {0x256D, 0x250C, '+'},
    {0x256E, 0x2510, '+'}, {0x256F, 0x2518, '+'}, {0x2570, 0x2514, '+'}, {0x2571, '/', '/'},
    {0x2572, '\\', '\\'},  {0x2574, 0x2500, '-'}, {0x2576, 0x2500, '-'}, {0x2580, 0, '"'},
    {0x2581, '_', '_'},    {0x2582, '_', '.'},    {0x2583, 0x2584, '-'}, {0x2584, 0, '-'},
    {0x2585, 0x2584, '='}, {0x2586, 0x2588, '*'}, {0x2587, 0x2588, '#'}, {0x2588, 0, '#'},
    {0x2589, 0x2588, '#'}, {0x258A, 0x2588, '#'}, {0x258B, 0x258C, '='}, {0x258C, 0, '='},
    {0x258D, 0x258C, '-'}, {0x258E, 0x2502, '|'}, {0x258F, 0x2502, '|'}, {0x2590, 0, '|'},
    {0x2591, 0, '.'},      {0x2592, 0, ':'},      {0x2593, 0, '%'},      {0x2594, 0x2580, '"'},
    {0x2595, 0x2502, '|'}, {0x25A0, 0, '#'},      {0x25A1, 'o', 'o'},    {0x25AA, 0x25A0, '#'},
    {0x25AE, 0x258C, '#'}, {0x25AF, 'o', 'o'},    {0x25B2, 0, '!'},      {0x25B3, 0x25B2, '!'},
    {0x25B4, 0x25B2, '^'}, {0x25B6, 0x25BA, '>'}, {0x25B8, 0x25BA, '>'}, {0x25BA, 0, '>'},
    {0x25BC, 0, 'v'},      {0x25BE, 0x25BC, 'v'}, {0x25C0, 0x25C4, '<'}, {0x25C4, 0, '<'},
    {0x25C6, 0, '*'},      {0x25C7, 0x25C6, 'o'}, {0x25C9, '@', '@'},    {0x25CB, 'o', 'o'},
    {0x25CE, '@', '@'},    {0x25CF, 0x2022, '*'}, {0x25D0, 'o', 'o'},    {0x25D1, 'o', 'o'},
    {0x25D4, 'o', 'o'},    {0x25D5, 'o', 'o'},    {0x25E6, 0xB0, 'o'},   {0x2605, '*', '*'},
    {0x2606, '*', '*'},    {0x2691, '!', '!'},    {0x26A0, '!', '!'},    {0x2713, 0x221A, '+'},
    {0x2714, 0x221A, '+'}, {0x2715, 'x', 'x'},    {0x2717, 'x', 'x'},    {0x2718, 'x', 'x'},
    {0x276F, '>', '>'},    {0x2B24, 0x2022, '*'},
};

/* U+00C0 to U+017F without their marks. */
static const char letters[] = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty"
                              "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiJjJjKkkLlLlLlLlLlNnNnNnnNn"
                              "OoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

static const struct stand_in *find(uint32_t rune)
{
    size_t low = 0, high = sizeof stand_ins / sizeof stand_ins[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (stand_ins[middle].rune < rune)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sizeof stand_ins / sizeof stand_ins[0] && stand_ins[low].rune == rune ? &stand_ins[low]
                                                                                       : NULL;
}

/* U+2400 pictures of controls: ^X would take two cells, so the letter alone is what is left. */
static uint32_t ascii_of(uint32_t rune)
{
    if (rune >= 0xC0 && rune < 0xC0 + sizeof letters - 1)
        return (uint32_t)letters[rune - 0xC0];
    if (rune >= 0x2800 && rune <= 0x28FF)
        return rune == 0x2800 ? ' ' : ':';
    if (rune >= 0xFF01 && rune <= 0xFF5E)
        return '?';
    return '?';
}

uint32_t glyphs_fit(enum glyphs glyphs, uint32_t rune)
{
    if (rune < 0x80 || glyphs == GLYPHS_BRAILLE)
        return rune;
    const struct stand_in *stand_in = find(rune);
    if (glyphs == GLYPHS_BLOCK) {
        if (stand_in != NULL)
            return stand_in->block != 0 ? stand_in->block : rune;
        if (rune >= 0x2800 && rune <= 0x28FF)
            return ascii_of(rune);
        return rune;
    }
    return stand_in != NULL ? (uint32_t)stand_in->ascii : ascii_of(rune);
}

const struct glyphs_frame *glyphs_frame(enum glyphs glyphs, bool focused)
{
    static const struct glyphs_frame round = {0x256D, 0x256E, 0x2570, 0x256F, 0x2500, 0x2502};
    static const struct glyphs_frame square = {0x250C, 0x2510, 0x2514, 0x2518, 0x2500, 0x2502};
    static const struct glyphs_frame plain = {'+', '+', '+', '+', '-', '|'};
    static const struct glyphs_frame plain_focused = {'+', '+', '+', '+', '=', '|'};
    if (glyphs == GLYPHS_ASCII)
        return focused ? &plain_focused : &plain;
    return glyphs == GLYPHS_BLOCK ? &square : &round;
}

uint32_t glyphs_bar(enum glyphs glyphs, int eighths)
{
    if (eighths <= 0)
        return ' ';
    if (eighths >= 8)
        return glyphs == GLYPHS_ASCII ? '#' : 0x2588;
    if (glyphs == GLYPHS_BRAILLE)
        return 0x2590u - (uint32_t)eighths;
    if (glyphs == GLYPHS_BLOCK)
        return eighths >= 4 ? 0x258C : ' ';
    return eighths >= 4 ? '=' : ' ';
}

uint32_t glyphs_column(enum glyphs glyphs, int eighths)
{
    static const char plain[] = " __.--=*#";
    if (eighths <= 0)
        return ' ';
    if (eighths > 8)
        eighths = 8;
    if (glyphs == GLYPHS_ASCII)
        return (uint32_t)plain[eighths];
    if (glyphs == GLYPHS_BLOCK)
        return eighths >= 6 ? 0x2588 : eighths >= 3 ? 0x2584 : '_';
    return 0x2580u + (uint32_t)eighths;
}

const char *glyphs_name(enum glyphs glyphs)
{
    static const char *const names[] = {"braille", "block", "ascii"};
    return names[glyphs];
}
