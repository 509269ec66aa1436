/*
 * What the writer, the reader and the list of journeys share about the file: its tables, opening it with
 * suspicion, its summary, and who records it. Private to store/.
 */
#ifndef SMARTCITY_STORE_JOURNEY_FILE_H
#define SMARTCITY_STORE_JOURNEY_FILE_H

#include "sql/sql.h"
#include "store/journey.h"

#define JOURNEY_APPLICATION_ID 0x534a524e /* "SJRN" */
#define JOURNEY_VERSION        1
#define JOURNEY_PAGE           8192

/* The lock that a writer holds lies beside the file: SQLite's own locks are of fcntl, which any close of the
 * file in this process would drop, so the file itself is never opened but by SQLite. A lock file without a
 * living holder means nothing. */
int journey_file_lock(const char *path, struct err *err); /* fd, or -1: ERR_BUSY names the holder */
void journey_file_unlock(const char *path, int fd);       /* also removes the lock file; -1 allowed */
bool journey_file_is_locked(const char *path);

/* A new database with empty tables, in WAL mode. The file must not be there. */
struct sql_db *journey_file_create(const char *path, struct err *err);
/* flags of sql_open. Refuses, with the cure: what is no SQLite file, no journey, of a newer version, or holds
 * more than tables. */
struct sql_db *journey_file_open(const char *path, unsigned flags, struct err *err);
/* Takes the WAL in and leaves one file without free pages. */
int journey_file_settle(struct sql_db *db, struct err *err);
/* Removes the file and what SQLite keeps beside it. */
int journey_file_remove(const char *path, struct err *err);

/* Everything but `damaged_*`. base_us (NULL allowed): the stored position that is a reader's position 0, that
 * of the first record held. */
int journey_file_info(struct sql_db *db, struct journey_info *info, int64_t *base_us, struct err *err);

#endif
