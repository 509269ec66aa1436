/* What the environment says a terminal can do, free of curses. Main thread (it reads the environment). */
#ifndef SMARTCITY_UI_TERM_PROBE_H
#define SMARTCITY_UI_TERM_PROBE_H

#include "ui/theme.h"

/* The level for a locale's character set and $TERM; a Linux console is asked for its font (fd; -1: not
 * asked). `why` (NULL allowed) receives a few words for `smartcity doctor`. */
enum glyphs term_probe_glyphs(const char *charset, const char *term, int fd, const char **why);
/* Colours that terminfo and the environment promise. no_color: NO_COLOR's value or NULL. */
enum depth term_probe_depth(int terminfo_colours, bool direct, const char *no_color, const char **why);
/* A description for true colour of the same terminal ("xterm-direct"), or NULL when it promises none. */
const char *term_probe_direct(const char *term, const char *colorterm);
/* Speaks xterm's private modes: mouse, pastes, title. */
bool term_probe_modern(const char *term);
/* Answers questions, and swallows those that it does not know. program: $TERM_PROGRAM or NULL. */
bool term_probe_answers(const char *term, const char *program);
/* $COLORFGBG ("0;15", NULL allowed) names a light background. */
bool term_probe_light(const char *colorfgbg);

#endif
