/*
 * One small statement interface over an embedded database: SQLite. It says nothing that DuckDB could not be
 * put behind later. A database and its statements belong to one thread at a time; only sql_interrupt() may be
 * called from another.
 *
 *     struct sql_statement *insert = sql_prepare(db, "INSERT INTO marker VALUES (?, ?)", err);
 *     sql_bind_int(insert, 1, at);
 *     sql_bind_text(insert, 2, text, strlen(text));
 *     if (sql_run(insert, err) != 0) …
 *
 * Files come from outside (journeys are handed around): schemas are not trusted, damaged pages are found when
 * they are read, and what is read (text need not be UTF-8) is for the caller to check.
 *
 * Errors name the file and the cure: ERR_FULL no room on the disk, ERR_BUSY locked by another program for
 * longer than the busy timeout, ERR_CORRUPT damaged or no database at all, ERR_NOT_FOUND no such file, ERR_IO
 * not to be opened or written, ERR_LIMIT a value of more than SQL_VALUE_LIMIT bytes, ERR_CANCELLED
 * interrupted, ERR_INTERNAL wrong SQL or a violated constraint.
 */
#ifndef SMARTCITY_SQL_SQL_H
#define SMARTCITY_SQL_SQL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sql_db;
struct sql_statement;

enum sql_flags {
    SQL_READ_ONLY = 1, /* also from a read-only file system */
    SQL_CREATE = 2,    /* make the file when it is absent; else ERR_NOT_FOUND */
    SQL_MEMORY = 4     /* private, gone when closed; path is only a name for messages */
};

enum sql_type { SQL_NULL, SQL_INT, SQL_DOUBLE, SQL_TEXT, SQL_BLOB };

/* The longest text or blob, and the longest statement, that is taken or read. */
#define SQL_VALUE_LIMIT 64000000

/* Reads the header, so that a damaged or locked file is an error here rather than later. NULL on error. */
struct sql_db *sql_open(const char *path, unsigned flags, int busy_timeout_ms, struct err *err);
/* Every statement must be finalized before; an open transaction is rolled back. NULL allowed. */
void sql_close(struct sql_db *db);
const char *sql_path(const struct sql_db *db);
const char *sql_version(void); /* of the engine */

/* PRAGMA name = value; both are words or numbers. */
int sql_pragma(struct sql_db *db, const char *name, const char *value, struct err *err);
int sql_pragma_int(struct sql_db *db, const char *name, int64_t *value, struct err *err);
/* Runs any number of statements without parameters; rows are discarded. */
int sql_exec(struct sql_db *db, const char *text, struct err *err);
/* The first column of the first row of a statement; 0 when there is no row. */
int sql_query_int(struct sql_db *db, const char *text, int64_t *value, struct err *err);

/* BEGIN IMMEDIATE: the wait for a lock, and ERR_BUSY, are here. On a read-only database a plain BEGIN. */
int sql_begin(struct sql_db *db, struct err *err);
/* When it fails the transaction is still open: try again (ERR_BUSY) or roll back. */
int sql_commit(struct sql_db *db, struct err *err);
/* Without an open transaction nothing happens: an error may have ended it already. */
void sql_rollback(struct sql_db *db);
bool sql_in_transaction(const struct sql_db *db);
int64_t sql_last_id(const struct sql_db *db); /* rowid of the last insert */
int64_t sql_changes(const struct sql_db *db); /* rows of the last statement */

/* Ends what is running with ERR_CANCELLED. Any thread, while the database is open. */
void sql_interrupt(struct sql_db *db);
/* Another file beside this one, as NAME.table. ERR_NOT_FOUND when it is not there. */
int sql_attach(struct sql_db *db, const char *path, const char *name, struct err *err);
/* From now on only what reads is prepared: for the SQL of strangers. `stop` is asked now and then while a
 * statement runs; true ends it with ERR_CANCELLED. */
void sql_restrict(struct sql_db *db, bool (*stop)(void *context), void *context);
/* Reads the whole file (SQLite's quick_check); ERR_CORRUPT names the first damage. */
int sql_check(struct sql_db *db, struct err *err);

/* One statement. It is compiled once; keep it for what is run often. NULL on error. */
struct sql_statement *sql_prepare(struct sql_db *db, const char *text, struct err *err);
void sql_finalize(struct sql_statement *statement); /* NULL allowed */

/* Parameters count from 1. A bind that fails is reported by the next sql_step(). Text and blobs are not
 * copied: they must stay as they are until the last sql_step() of this run. data NULL binds null. */
void sql_bind_int(struct sql_statement *statement, int index, int64_t value);
void sql_bind_double(struct sql_statement *statement, int index, double value);
void sql_bind_text(struct sql_statement *statement, int index, const char *text, size_t length);
void sql_bind_blob(struct sql_statement *statement, int index, const void *data, size_t length);
void sql_bind_null(struct sql_statement *statement, int index);

/* 1: a row to read; 0: done; -1: error. After 0 or -1 reset it before the next run. */
int sql_step(struct sql_statement *statement, struct err *err);
/* Ready to run again; all parameters are null. */
void sql_reset(struct sql_statement *statement);
/* For what returns no rows: steps to the end and resets. 0 or -1. */
int sql_run(struct sql_statement *statement, struct err *err);

/* Columns count from 0; valid after sql_step() returned 1. Pointers hold until the next step or reset. */
int sql_column_count(const struct sql_statement *statement);
const char *sql_column_name(const struct sql_statement *statement, int column);
enum sql_type sql_column_type(const struct sql_statement *statement, int column);
int64_t sql_column_int(const struct sql_statement *statement, int column);
double sql_column_double(const struct sql_statement *statement, int column);
const char *sql_column_text(const struct sql_statement *statement,
                            int column); /* "" for null; NUL-terminated */
const void *sql_column_blob(const struct sql_statement *statement, int column); /* NULL when empty or null */
size_t sql_column_bytes(const struct sql_statement *statement,
                        int column); /* of the text or blob, without NUL */

#endif
