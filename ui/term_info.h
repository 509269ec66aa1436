/* Part of ui/term.c: what terminfo knows of a terminal. In a file of its own since curses' <term.h> has a
 * struct term too. */
#ifndef SMARTCITY_UI_TERM_INFO_H
#define SMARTCITY_UI_TERM_INFO_H

#include <stdbool.h>

/* Loads the description of a name for the questions below; false when there is none. One at a time; the next
 * load, or term_info_free, ends it. Without a load they ask the description of the terminal that curses runs
 * on. */
bool term_info_load(const char *name);
void term_info_free(void);
const char *term_info_text(const char *capability); /* "" when it has none */
int term_info_number(const char *capability);       /* -1 */
bool term_info_flag(const char *capability);

#endif
