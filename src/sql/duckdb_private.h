/* Between the files of sql/duckdb. */
#ifndef SMARTCITY_SQL_DUCKDB_PRIVATE_H
#define SMARTCITY_SQL_DUCKDB_PRIVATE_H

#include "sql/duckdb.h"
#include "sql/duckdb_library.h"

struct duck_db {
    struct duck_api api;
    void *handle;
    char name[64]; /* of the file's database; "" in memory */
};

struct duck_connection {
    struct duck_db *db;
    void *handle;
    enum duck_error_class error_class;
    char *error_text; /* NULL none */
};

/* Takes the handle of a logical type and destroys it. */
void duck_type_read(struct duck_type *type, const struct duck_api *api, void *handle);
void duck_type_free(struct duck_type *type);

/* Keeps class and text for duck_error() and fills err. Returns -1. */
int duck_fail(struct duck_connection *connection, int type, const char *text, struct err *err);

#endif
