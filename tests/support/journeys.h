/* What the tests of store/ share: a folder of their own, records that can be told apart, and a disk that is
 * full when told to be. */
#ifndef SMARTCITY_TESTS_SUPPORT_JOURNEYS_H
#define SMARTCITY_TESTS_SUPPORT_JOURNEYS_H

#include "store/journey.h"

/* Makes a new temporary folder; store_leave removes it with everything in it. */
void store_enter(char folder[64]);
void store_leave(const char *folder);

#define STORE_STEP_US  20000 /* between two arrivals: 50 records a second */
#define STORE_START_US 1767225600000000LL
#define STORE_DEVICES  100
struct store_record {
    struct record record;
    int64_t event_ms;
    char key[24], value[160];
    uint8_t headers[64];
};
/* Record number i: kinds in turn, its number in the value and as offset, arrival at i steps. */
void store_make(struct store_record *made, uint64_t i);
/* The number in a value; -1 when it is not one of ours, or anything else of the record differs from
 * store_make. */
int64_t store_check(const struct record *record, int64_t event_ms);
/* Adds records first … first + count - 1, committing every `commit_each` (0: never). */
int store_add(struct journey_writer *writer, uint64_t first, uint64_t count, uint64_t commit_each,
              struct err *err);
/* A closed journey of `count` records. */
void store_journey(const char *path, uint64_t count);

/* SQLite's default file system, whose writes fail with "disk full" while `full` is set. */
void store_disk_install(void);
void store_disk_full(bool full);

#endif
