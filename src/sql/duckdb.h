/*
 * DuckDB behind a statement interface like sql.h's, with two things more: typed values of any depth (lists,
 * maps, structs), and functions of ours that SQL can call. The library is loaded by the first duck_open().
 *
 * An engine is closed to the outside from the moment it is open: SQL reads and writes only in the folders it
 * was given, loads no extension, attaches nothing, and cannot change that (lock_configuration). Whoever hands
 * it SQL of strangers must still decide which statements and functions to let through: inside of the allowed
 * folders SQL may read and write what it likes.
 *
 * Threads: a database may be used from any thread; a connection, its statements and values belong to one
 * thread at a time, except duck_interrupt() and duck_progress().
 *
 * Errors: ERR_NOT_FOUND, ERR_UNSUPPORTED no library (with the cure); ERR_CANCELLED interrupted; ERR_FULL out
 * of memory or disk; ERR_REMOTE what the engine says of the SQL: the text is in duck_error() with its class.
 */
#ifndef SMARTCITY_SQL_DUCKDB_H
#define SMARTCITY_SQL_DUCKDB_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct duck_db;
struct duck_connection;
struct duck_statement;

struct duck_settings {
    const char *path; /* of the database file, which is called by its name up to the dot; NULL: in memory */
    bool read_only;
    const char *const *folders; /* absolute; SQL may read and write below these only; may be none */
    size_t folder_count;
    const char *spill_folder; /* for what does not fit in memory; NULL: it fails instead */
    uint64_t memory_bytes;    /* 0: 512 MB */
    int threads;              /* 0: 2 */
};

/* 0 when the library is where it is looked for; else ERR_NOT_FOUND with the cure. Loads nothing. */
int duck_is_there(struct err *err);

struct duck_db *duck_open(const struct duck_settings *settings, struct err *err);
void duck_close(struct duck_db *db); /* its connections are gone before; NULL allowed */
/* Gives back what the engine's allocator keeps for later, and what resident_release() does: for when nothing
 * runs for a while. Takes a few milliseconds. Any thread. */
void duck_trim(struct duck_db *db);
const char *duck_version(const struct duck_db *db);

struct duck_connection *duck_connect(struct duck_db *db, struct err *err);
void duck_disconnect(struct duck_connection *connection); /* its statements are gone before; NULL allowed */
/* Ends what is running with ERR_CANCELLED. Any thread, while the connection is there. */
void duck_interrupt(struct duck_connection *connection);
/* Of the statement that is running: 0 to 1, or -1 not known. Any thread. */
double duck_progress(struct duck_connection *connection);

/* The engine's own classes of errors that callers tell apart. */
enum duck_error_class {
    DUCK_ERROR_NONE,
    DUCK_ERROR_OTHER,
    DUCK_ERROR_PARSER,
    DUCK_ERROR_BINDER,
    DUCK_ERROR_CATALOG,
    DUCK_ERROR_CONVERSION,
    DUCK_ERROR_RANGE,
    DUCK_ERROR_INPUT, /* also what error() and our own functions raise */
    DUCK_ERROR_PERMISSION,
    DUCK_ERROR_IO,
    DUCK_ERROR_MEMORY,
    DUCK_ERROR_INTERRUPT
};
/* Of the last call on the connection that failed: class and whole text (hostile, may quote data). */
enum duck_error_class duck_error(const struct duck_connection *connection, const char **text);

/* Runs any number of statements; rows are discarded. */
int duck_exec(struct duck_connection *connection, const char *text, struct err *err);

/* Exactly one statement. Parsed and bound; not yet run. NULL on error. */
struct duck_statement *duck_prepare(struct duck_connection *connection, const char *text, struct err *err);
void duck_finalize(struct duck_statement *statement); /* NULL allowed */
bool duck_is_select(const struct duck_statement *statement);
size_t duck_parameter_count(const struct duck_statement *statement);
/* From 1; copied. A bind that fails is reported by duck_run(). */
void duck_bind_int(struct duck_statement *statement, size_t index, int64_t value);
void duck_bind_double(struct duck_statement *statement, size_t index, double value);
void duck_bind_text(struct duck_statement *statement, size_t index, const char *text, size_t length);
void duck_bind_null(struct duck_statement *statement, size_t index);

/* Starts it (again); rows then come by duck_step(), in constant memory. */
int duck_run(struct duck_statement *statement, struct err *err);
/* 1: a row to read; 0: done; -1: error. Starts a statement that was not. */
int duck_step(struct duck_statement *statement, struct err *err);
int64_t duck_changes(const struct duck_statement *statement); /* rows inserted, updated, deleted */

/* ---- types and values ------------------------------------------------------------------------------- */

/* Numbers are those of the C API. */
enum duck_kind {
    DUCK_INVALID = 0,
    DUCK_BOOLEAN = 1,
    DUCK_TINYINT = 2,
    DUCK_SMALLINT = 3,
    DUCK_INTEGER = 4,
    DUCK_BIGINT = 5,
    DUCK_UTINYINT = 6,
    DUCK_USMALLINT = 7,
    DUCK_UINTEGER = 8,
    DUCK_UBIGINT = 9,
    DUCK_FLOAT = 10,
    DUCK_DOUBLE = 11,
    DUCK_TIMESTAMP = 12, /* microseconds since 1970 */
    DUCK_DATE = 13,      /* days since 1970 */
    DUCK_TIME = 14,      /* microseconds */
    DUCK_INTERVAL = 15,
    DUCK_HUGEINT = 16,
    DUCK_VARCHAR = 17,
    DUCK_BLOB = 18,
    DUCK_DECIMAL = 19,
    DUCK_TIMESTAMP_S = 20,
    DUCK_TIMESTAMP_MS = 21,
    DUCK_TIMESTAMP_NS = 22,
    DUCK_ENUM = 23,
    DUCK_LIST = 24,
    DUCK_STRUCT = 25,
    DUCK_MAP = 26,
    DUCK_UUID = 27,
    DUCK_TIME_TZ = 30,
    DUCK_TIMESTAMP_TZ = 31, /* microseconds since 1970 UTC */
    DUCK_UHUGEINT = 32,
    DUCK_ARRAY = 33, /* a list of fixed length */
    DUCK_ANY = 34,   /* parameters of functions only */
    DUCK_SQLNULL = 36
};

struct duck_type {
    enum duck_kind kind;
    uint8_t width, scale; /* DECIMAL */
    bool json;            /* a VARCHAR that is called JSON */
    size_t count;         /* children: LIST and ARRAY 1, MAP 2 (key, value), STRUCT its fields */
    size_t length;        /* ARRAY */
    struct duck_type *children;
    char **names; /* STRUCT: "" when unnamed */
    char **words; /* ENUM: `word_count` of them */
    size_t word_count;
};

/* A place in a result. Valid until the next duck_step() of its statement. */
struct duck_value {
    const struct duck_type *type;
    const struct duck_api *api;
    void *vector;
    uint64_t row;
};

/* Columns count from 0. Known as soon as it is prepared; with parameters, when it runs. */
size_t duck_column_count(const struct duck_statement *statement);
const char *duck_column_name(const struct duck_statement *statement, size_t column);
const struct duck_type *duck_column_type(const struct duck_statement *statement, size_t column);
/* Valid after duck_step() returned 1. */
struct duck_value duck_column(const struct duck_statement *statement, size_t column);

bool duck_is_null(struct duck_value value);
/* Integers, BOOLEAN, dates and times in their own unit, DECIMAL and HUGEINT that fit; else saturated. */
int64_t duck_int(struct duck_value value);
__int128 duck_huge(struct duck_value value); /* the same, and DECIMAL unscaled, of any width */
double duck_double(struct duck_value value); /* of any number */
/* VARCHAR, BLOB, ENUM; not NUL-terminated; "" for others. */
const char *duck_text(struct duck_value value, size_t *length);
/* INTERVAL */
void duck_interval(struct duck_value value, int32_t *months, int32_t *days, int64_t *micros);
/* LIST, ARRAY: elements; MAP: entries. */
size_t duck_length(struct duck_value value);
struct duck_value duck_element(struct duck_value value, size_t index); /* LIST, ARRAY */
struct duck_value duck_map_key(struct duck_value value, size_t index);
struct duck_value duck_map_value(struct duck_value value, size_t index);
struct duck_value duck_field(struct duck_value value, size_t index); /* STRUCT */

/* ---- functions of ours ------------------------------------------------------------------------------ */

#define DUCK_PARAMETERS_MAX 6

/* What a function returns for one row: exactly one of these, or nothing for null. */
struct duck_return;
void duck_return_int(struct duck_return *out, int64_t value); /* also BOOLEAN, DATE, TIMESTAMP… */
void duck_return_double(struct duck_return *out, double value);
void duck_return_text(struct duck_return *out, const char *text, size_t length); /* VARCHAR, BLOB */
/* Ends the statement: DUCK_ERROR_INPUT with this text. */
void duck_return_error(struct duck_return *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Called once a row, on threads of the engine. */
typedef void duck_function_fn(const struct duck_value *arguments, size_t count, struct duck_return *out);

struct duck_function {
    const char *name; /* several rows of one name are its overloads */
    enum duck_kind result;
    duck_function_fn *call;
    bool nulls; /* called for null arguments too; else the result is null */
    enum duck_kind parameters[DUCK_PARAMETERS_MAX]; /* DUCK_INVALID ends them */
};

/* The table ends with a row without a name; it must outlive the database. Overloads stand together. */
int duck_register(struct duck_connection *connection, const struct duck_function *functions, struct err *err);

#endif
