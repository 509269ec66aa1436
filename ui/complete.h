/*
 * Completion of a command line: names, then what may stand at an argument, by the row's own `complete`, by
 * the words of its usage ("[on|off]"), and for the screen's commands by what the screen has (screens, panels,
 * themes, towns).
 */
#ifndef SMARTCITY_UI_COMPLETE_H
#define SMARTCITY_UI_COMPLETE_H

#include "ui/bindings.h"

#define COMPLETE_SIZE 4096
struct completion {
    size_t word_start; /* bytes from the start of the line */
    size_t count;
    char words[COMPLETE_SIZE]; /* sorted, each ends with NUL; those with blanks in quotes */
};

/* `cursor` bytes of the line count. session may be NULL. */
void complete_line(const struct commands *commands, struct session *session, const char *line, size_t cursor,
                   struct completion *completion);

#endif
