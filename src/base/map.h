/* A hash map from short text keys to small integers (indexes into the owner's array). One thread. Keyed
 * SipHash-like seed per map, since keys come from outside. */
#ifndef SMARTCITY_BASE_MAP_H
#define SMARTCITY_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map;
struct map *map_create(void);
void map_destroy(struct map *map);
/* -1 when absent. */
int32_t map_get(const struct map *map, const char *key, size_t length);
void map_set(struct map *map, const char *key, size_t length, int32_t value);
void map_remove(struct map *map, const char *key, size_t length);
size_t map_count(const struct map *map);

#endif
