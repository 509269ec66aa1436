/*
 * The folder of journeys: listing, naming, deleting, keeping it within a size. Any thread.
 */
#ifndef SMARTCITY_STORE_JOURNEYS_H
#define SMARTCITY_STORE_JOURNEYS_H

#include "base/file.h"
#include "store/journey.h"

#define JOURNEYS_SUFFIX ".sqlite"
#define JOURNEYS_MAX    10000 /* more in one folder are not listed */

struct journey_listing {
    struct journey_info info; /* path and file_bytes only, when there is a problem */
    char problem[160];        /* why it cannot be read; "" when it can */
};
/* The journeys of a folder, newest first. A damaged one is listed with its problem; a folder that is not
 * there holds none. The list is the caller's to free(). */
int journeys_list(const char *folder, struct journey_listing **list, size_t *count, struct err *err);

/* Refuses (ERR_BUSY) one that is being recorded, and (ERR_USAGE) what is not called *.sqlite. */
int journeys_delete(const char *path, struct err *err);

/* A named journey is never pruned. "" takes the name away. ERR_BUSY while it is being recorded. */
int journeys_set_name(const char *path, const char *name, struct err *err);

/* Deletes the oldest unnamed, closed journeys until the folder holds at most limit_bytes (0: no limit). What
 * is named, damaged or being recorded stays, so it may hold more. */
int journeys_prune(const char *folder, int64_t limit_bytes, uint32_t *deleted, struct err *err);

/* FOLDER/journey-YYYYMMDD-HHMMSS.sqlite (UTC), or FOLDER/NAME.sqlite when there is a name (what no file may
 * be called is made "-"), or with -2, -3 … behind; claimed by an empty file, so that two consoles never get
 * the same. The folder is made when missing. */
int journeys_new_path(const char *folder, const char *name, int64_t wall_us, char path[FILE_PATH_SIZE],
                      struct err *err);

/* The path of a journey by path, by file name with or without suffix, by recorded name, or by the beginning
 * of a file name that is unique in the list. ERR_NOT_FOUND, or ERR_USAGE when several begin so. */
int journeys_find(const struct journey_listing *list, size_t count, const char *wanted, char path[512],
                  struct err *err);

#endif
