/* The saved queries of data/sql/saved/, compiled in by data/compile_saved.sh. */
#ifndef SMARTCITY_APP_SAVED_SQL_H
#define SMARTCITY_APP_SAVED_SQL_H

struct saved_sql {
    const char *name, *engine, *text;
};
extern const struct saved_sql saved_sql[]; /* ends with a row without a name */

#endif
