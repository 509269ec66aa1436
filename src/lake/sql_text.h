/* Statements of data/sql/, compiled in by data/compile_sql.sh. ${name} stands for what is filled in. */
#ifndef SMARTCITY_LAKE_SQL_TEXT_H
#define SMARTCITY_LAKE_SQL_TEXT_H

extern const char sql_text_raw_to_curated[];

#endif
