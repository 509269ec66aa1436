/* Part of ui/term.c: keys that curses has a code for. False for codes that are no key of ours. */
#ifndef SMARTCITY_UI_TERM_KEYS_H
#define SMARTCITY_UI_TERM_KEYS_H

#include "ui/keys.h"

bool term_key_of_code(unsigned code, struct key *key);

#endif
