/*
 * cache.sqlite: what the console remembers between runs. Now: prompt history, settings of the view,
 * downsampled throughput; the ledger of batches, jobs and query results join it. One thread. Two consoles may
 * share it (WAL, busy time-out). A damaged file is put aside under another name, said so, and made anew; an
 * unwritable or locked one, or one that is not ours, gives a memory database and a warning, never a failure
 * to start.
 */
#ifndef SMARTCITY_STORE_CACHE_H
#define SMARTCITY_STORE_CACHE_H

#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_LINE    256 /* of the prompt, with its NUL; longer ones are cut */
#define CACHE_HISTORY 500
#define CACHE_VALUE   4096

struct cache;
/* Makes the folder. path NULL: in memory from the start, without a warning. Never NULL. The log outlives it.
 */
struct cache *cache_open(const char *path, struct log *log);
void cache_close(struct cache *cache); /* writes what waits; NULL allowed */
/* "" or what was mended or is amiss, for a toast. May change with any call. */
const char *cache_problem(const struct cache *cache);

/* Newest last, CACHE_HISTORY kept; a line that was there before moves to the end. Blank lines are not kept.
 */
int cache_history_add(struct cache *cache, const char *line, struct err *err);
/* Newest first; harmless for a terminal. Returns how many. */
size_t cache_history(struct cache *cache, char (*lines)[CACHE_LINE], size_t count);

/* At most CACHE_VALUE bytes of value; NULL forgets it. */
int cache_set(struct cache *cache, const char *name, const char *value, struct err *err);
bool cache_get(struct cache *cache, const char *name, char *value,
               size_t size); /* false: absent, or too long */

/* What one topic did in the second of wall_us. Seconds become minutes after an hour; 30 days are kept.
 * Written some seconds later, several at once. */
int cache_throughput_add(struct cache *cache, int64_t wall_us, int kind, double events, double bytes,
                         struct err *err);
struct cache_throughput {
    int64_t at_s, seconds; /* since 1970; 1 or 60 */
    double events, bytes;  /* in all of those seconds */
};
/* Oldest first, the latest `count` of those in [from_us, to_us). */
size_t cache_throughput(struct cache *cache, int kind, int64_t from_us, int64_t to_us,
                        struct cache_throughput *points, size_t count);

#endif
