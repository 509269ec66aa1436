/* A named thread that blocks all signals (they belong to the main loop). */
#ifndef SMARTCITY_BASE_WORKER_H
#define SMARTCITY_BASE_WORKER_H

#include "base/err.h"

struct worker;
struct worker *worker_start(const char *name, void (*run)(void *context), void *context, struct err *err);
void worker_join(struct worker *worker); /* waits, frees; NULL allowed */

#endif
