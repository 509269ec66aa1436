#include "ui/term_probe.h"

#include "base/text.h"

#include <linux/kd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* True when the console's font has the rune. */
static bool font_has(const struct unipair *pairs, size_t count, unsigned short rune)
{
    for (size_t i = 0; i < count; i++)
        if (pairs[i].unicode == rune)
            return true;
    return false;
}

static enum glyphs console_glyphs(int fd, const char **why)
{
    *why = "a Linux console whose font has no line drawing";
    static const unsigned short needed[] = {0x250C, 0x2500, 0x2588, 0x2584, 0x2598, 0x259A};
    struct unipair pairs[2048];
    struct unimapdesc map = {.entry_ct = 2048, .entries = pairs};
    if (fd < 0 || ioctl(fd, GIO_UNIMAP, &map) != 0)
        return GLYPHS_ASCII;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!font_has(pairs, map.entry_ct, needed[i]))
            return GLYPHS_ASCII;
    bool braille = font_has(pairs, map.entry_ct, 0x28FF) && font_has(pairs, map.entry_ct, 0x2801) &&
                   font_has(pairs, map.entry_ct, 0x256D) && font_has(pairs, map.entry_ct, 0x2583);
    *why = "a Linux console, by its font";
    return braille ? GLYPHS_BRAILLE : GLYPHS_BLOCK;
}

enum glyphs term_probe_glyphs(const char *charset, const char *term, int fd, const char **why)
{
    const char *ignored;
    if (why == NULL)
        why = &ignored;
    if (!text_equal_fold(charset, "UTF-8") && !text_equal_fold(charset, "utf8")) {
        *why = "the locale is not UTF-8 (try LANG=C.UTF-8)";
        return GLYPHS_ASCII;
    }
    if (strcmp(term, "linux") == 0)
        return console_glyphs(fd, why);
    static const char *const old[] = {"vt52", "vt1", "vt2", "vt3", "ansi", "cons25", "sun", "wy"};
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        if (strncmp(term, old[i], strlen(old[i])) == 0) {
            *why = "an old kind of terminal";
            return GLYPHS_ASCII;
        }
    *why = "a UTF-8 locale";
    return GLYPHS_BRAILLE;
}

enum depth term_probe_depth(int terminfo_colours, bool direct, const char *no_color, const char **why)
{
    *why = "what the terminal promises";
    if (no_color != NULL && no_color[0] != '\0') {
        *why = "NO_COLOR is set";
        return DEPTH_MONO;
    }
    if (direct)
        return DEPTH_RGB;
    if (terminfo_colours >= 256)
        return DEPTH_256;
    if (terminfo_colours >= 16)
        return DEPTH_16;
    return terminfo_colours >= 8 ? DEPTH_8 : DEPTH_MONO;
}

const char *term_probe_direct(const char *term, const char *colorterm)
{
    static const struct {
        const char *prefix, *direct;
    } families[] = {
        {"xterm", "xterm-direct"},     {"tmux", "tmux-direct"},   {"screen", "screen-direct"},
        {"konsole", "konsole-direct"}, {"kitty", "kitty-direct"}, {"alacritty", "alacritty-direct"},
        {"foot", "foot-direct"},       {"st-", "st-direct"},      {"mlterm", "mlterm-direct"},
        {"iterm2", "iterm2-direct"},   {"vte", "vte-direct"}};
    if (colorterm == NULL || (strcmp(colorterm, "truecolor") != 0 && strcmp(colorterm, "24bit") != 0))
        return NULL;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (strncmp(term, families[i].prefix, strlen(families[i].prefix)) == 0)
            return families[i].direct;
    return NULL;
}

static bool begins_with_any(const char *term, const char *const *families)
{
    for (; *families != NULL; families++)
        if (strncmp(term, *families, strlen(*families)) == 0)
            return true;
    return false;
}

bool term_probe_modern(const char *term)
{
    static const char *const families[] = {
        "xterm", "tmux",    "screen", "rxvt",   "foot",  "alacritty", "kitty",   "wezterm", "ghostty", "vte",
        "gnome", "konsole", "st",     "mlterm", "iterm", "mintty",    "contour", "rio",     "putty",   NULL};
    return begins_with_any(term, families);
}

bool term_probe_answers(const char *term, const char *program)
{
    static const char *const families[] = {"xterm",   "tmux",    "foot",   "alacritty", "kitty",
                                           "wezterm", "ghostty", "vte",    "gnome",     "konsole",
                                           "contour", "rio",     "mintty", NULL};
    return begins_with_any(term, families) && (program == NULL || strcmp(program, "Apple_Terminal") != 0);
}

bool term_probe_light(const char *colorfgbg)
{
    const char *last = colorfgbg != NULL ? strrchr(colorfgbg, ';') : NULL;
    return last != NULL && (strcmp(last, ";7") == 0 || strcmp(last, ";15") == 0);
}
