/*
 * cache.sqlite: what the console remembers between runs. Now: prompt history, settings of the view,
 * downsampled throughput; the ledger of batches, jobs and query results join it. One thread. Two consoles may
 * share it (WAL, busy time-out). A damaged file is put aside under another name, said so, and made anew; an
 * unwritable place gives a memory database and a warning, never a failure to start.
 */
#ifndef SMARTCITY_STORE_CACHE_H
#define SMARTCITY_STORE_CACHE_H

#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;
struct cache *cache_open(const char *path, struct log *log);
void cache_close(struct cache *cache);
const char *cache_problem(const struct cache *cache); /* "" or what was mended or is amiss, for a toast */

int cache_history_add(struct cache *cache, const char *line, struct err *err); /* newest last, 500 kept */
size_t cache_history(struct cache *cache, char (*lines)[256], size_t count);   /* newest first */
int cache_set(struct cache *cache, const char *name, const char *value, struct err *err);
bool cache_get(struct cache *cache, const char *name, char *value, size_t size);
/* Throughput per topic and second, downsampled to minutes after an hour; 30 days kept. */
int cache_throughput_add(struct cache *cache, int64_t wall_us, int kind, double events, double bytes,
                         struct err *err);

#endif
