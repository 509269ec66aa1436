/* Golden texts: what is drawn is compared with a file under tests/ui/golden. GENERATE=1 writes the files
 * anew; look at the difference before it is kept. */
#ifndef SMARTCITY_TESTS_GOLDEN_H
#define SMARTCITY_TESTS_GOLDEN_H

#include <stdbool.h>

/* Frees `text` (malloc). False, with the first line that differs on stderr, when the file is another or
 * absent. */
bool golden_is(const char *name, char *text);

#endif
