/*
 * Open addressing with linear probing, at most three quarters full; removal shifts the run back, so there are
 * no tombstones and a lookup never degrades. The hash is SipHash-1-3 (Aumasson and Bernstein, "SipHash: a
 * fast short-input PRF", 2012, with the reduced rounds used by hash tables) under a random key per map.
 */
#include "base/map.h"
#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct slot {
    uint64_t hash;
    char *key; /* NULL: empty */
    uint32_t length;
    int32_t value;
};

struct map {
    uint64_t k0, k1;
    struct slot *slots;
    size_t mask; /* slots - 1, a power of two less one */
    size_t count;
};

static inline uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

#define SIP_ROUND                                                                                            \
    do {                                                                                                     \
        v0 += v1, v1 = rotate(v1, 13), v1 ^= v0, v0 = rotate(v0, 32);                                        \
        v2 += v3, v3 = rotate(v3, 16), v3 ^= v2;                                                             \
        v0 += v3, v3 = rotate(v3, 21), v3 ^= v0;                                                             \
        v2 += v1, v1 = rotate(v1, 17), v1 ^= v2, v2 = rotate(v2, 32);                                        \
    } while (0)

static uint64_t hash_key(const struct map *map, const char *key, size_t length)
{
    uint64_t v0 = map->k0 ^ 0x736f6d6570736575u, v1 = map->k1 ^ 0x646f72616e646f6du;
    uint64_t v2 = map->k0 ^ 0x6c7967656e657261u, v3 = map->k1 ^ 0x7465646279746573u;
    size_t left = length;
    uint64_t word;
    for (; left >= 8; left -= 8, key += 8) {
        memcpy(&word, key, 8);
        v3 ^= word;
        SIP_ROUND;
        v0 ^= word;
    }
    word = 0;
    memcpy(&word, key, left);
    word |= (uint64_t)length << 56;
    v3 ^= word;
    SIP_ROUND;
    v0 ^= word;
    v2 ^= 0xff;
    SIP_ROUND;
    SIP_ROUND;
    SIP_ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

struct map *map_create(void)
{
    struct map *map = mem_zero(1, sizeof *map);
    uint64_t seed[2];
    if (getentropy(seed, sizeof seed) != 0) {
        seed[0] = (uint64_t)clock_wall_us();
        seed[1] = (uint64_t)(uintptr_t)map ^ (uint64_t)clock_mono_us();
    }
    map->k0 = seed[0];
    map->k1 = seed[1];
    map->mask = 15;
    map->slots = mem_zero(map->mask + 1, sizeof *map->slots);
    return map;
}

void map_destroy(struct map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i <= map->mask; i++)
        free(map->slots[i].key);
    free(map->slots);
    free(map);
}

/* The slot that holds the key, or the empty one where it belongs. */
static struct slot *find(const struct map *map, uint64_t hash, const char *key, size_t length)
{
    for (size_t i = hash & map->mask;; i = (i + 1) & map->mask) {
        struct slot *slot = &map->slots[i];
        if (!slot->key)
            return slot;
        if (slot->hash == hash && slot->length == length && memcmp(slot->key, key, length) == 0)
            return slot;
    }
}

static void grow(struct map *map)
{
    struct slot *old = map->slots;
    size_t slots = map->mask + 1;
    map->slots = mem_zero(slots * 2, sizeof *map->slots);
    map->mask = slots * 2 - 1;
    for (size_t i = 0; i < slots; i++) {
        if (!old[i].key)
            continue;
        size_t at = old[i].hash & map->mask;
        while (map->slots[at].key)
            at = (at + 1) & map->mask;
        map->slots[at] = old[i];
    }
    free(old);
}

int32_t map_get(const struct map *map, const char *key, size_t length)
{
    const struct slot *slot = find(map, hash_key(map, key, length), key, length);
    return slot->key ? slot->value : -1;
}

void map_set(struct map *map, const char *key, size_t length, int32_t value)
{
    uint64_t hash = hash_key(map, key, length);
    struct slot *slot = find(map, hash, key, length);
    if (slot->key) {
        slot->value = value;
        return;
    }
    if ((map->count + 1) * 4 > (map->mask + 1) * 3) {
        grow(map);
        slot = find(map, hash, key, length);
    }
    slot->key = mem_alloc(length + 1);
    memcpy(slot->key, key, length);
    slot->key[length] = '\0';
    slot->length = (uint32_t)length;
    slot->hash = hash;
    slot->value = value;
    map->count++;
}

void map_remove(struct map *map, const char *key, size_t length)
{
    struct slot *slot = find(map, hash_key(map, key, length), key, length);
    if (!slot->key)
        return;
    free(slot->key);
    slot->key = NULL;
    map->count--;
    size_t hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & map->mask; map->slots[i].key; i = (i + 1) & map->mask) {
        size_t home = map->slots[i].hash & map->mask;
        /* It may move back only if the hole lies between its home and where it is. */
        if (((i - home) & map->mask) >= ((i - hole) & map->mask)) {
            map->slots[hole] = map->slots[i];
            map->slots[i].key = NULL;
            hole = i;
        }
    }
}

size_t map_count(const struct map *map)
{
    return map->count;
}
