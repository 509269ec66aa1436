#include "ui/term_info.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
#include <unistd.h>

void term_info_free(void)
{
    if (cur_term != NULL)
        del_curterm(cur_term);
}

bool term_info_load(const char *name)
{
    int status = 0;
    term_info_free();
    return setupterm(name, STDOUT_FILENO, &status) == OK;
}

const char *term_info_text(const char *capability)
{
    const char *text = tigetstr(capability);
    return text != NULL && text != (char *)-1 ? text : "";
}

int term_info_number(const char *capability)
{
    int number = tigetnum(capability);
    return number >= 0 ? number : -1;
}

bool term_info_flag(const char *capability)
{
    return tigetflag(capability) > 0;
}
