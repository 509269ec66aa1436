/* What clients ask the catalogue: views of ours over what the engine knows and over the ledger of loads.
 * Those of information_schema are called information_schema_x here. Names that begin with '_' are for the
 * others. */
#include "localcloud/redshift_prelude.h"
#include "localcloud/redshift_rewrite.h"

#include <string.h>

const struct redshift_view redshift_views[] = {
    {"_columns",
     "SELECT * REPLACE (CASE WHEN starts_with(column_default, 'nextval(') THEN '\"identity\"(0, 0, "
     "''1,1''::text)' ELSE column_default END AS column_default), try_cast(comment AS JSON) AS j, "
     "CASE WHEN database_name = 'temp' THEN 'pg_temp_1' ELSE schema_name END AS place, "
     "coalesce(CAST(try_cast(comment AS JSON)->>'kind' AS INTEGER), _redshift.rs_kind(data_type)) "
     "AS kind, CASE WHEN coalesce(CAST(try_cast(comment AS JSON)->>'kind' AS INTEGER), "
     "_redshift.rs_kind(data_type)) IN (7, 8) THEN coalesce(CAST(try_cast(comment AS "
     "JSON)->>'length' AS INTEGER), 65535) END AS length, coalesce(try_cast(comment AS "
     "JSON)->>'name', _redshift.rs_type(data_type)) AS type_name FROM duckdb_columns() WHERE NOT "
     "internal AND (database_name = 'temp' OR (database_name = 'warehouse' AND schema_name NOT IN "
     "('_redshift', 'main')))"},
    {"_relations",
     "SELECT CASE WHEN database_name = 'temp' THEN 'pg_temp_1' ELSE schema_name END AS place, "
     "schema_oid, table_name AS name, table_oid AS oid, 'r' AS kind, try_cast(comment AS JSON) AS "
     "j, estimated_size AS size, column_count, NULL::VARCHAR AS sql FROM duckdb_tables() WHERE NOT "
     "internal AND (database_name = 'temp' OR (database_name = 'warehouse' AND schema_name NOT IN "
     "('_redshift', 'main'))) UNION ALL SELECT schema_name, schema_oid, view_name, view_oid, 'v', "
     "NULL, 0, column_count, sql FROM duckdb_views() WHERE NOT internal AND database_name = "
     "'warehouse' AND schema_name NOT IN ('_redshift', 'main')"},
    {"_schemas",
     "SELECT oid, schema_name AS name FROM duckdb_schemas() WHERE database_name = 'warehouse' AND "
     "NOT internal AND schema_name NOT IN ('_redshift', 'main') UNION ALL SELECT * FROM (VALUES "
     "(11, 'pg_catalog'), (12, 'information_schema'))"},
    {"sys_load_history",
     "SELECT 100 AS user_id, query_id, 0::BIGINT AS transaction_id, 0 AS session_id, 'dev' AS "
     "database_name, status, table_name, start_time, end_time, date_diff('microsecond', "
     "start_time, end_time) AS duration, data_source, file_format, loaded_rows, loaded_bytes, "
     "loaded_bytes AS source_file_bytes, source_file_count, source_file_count AS "
     "file_count_scanned, loaded_bytes AS file_bytes_scanned, error_count, error_message FROM "
     "_redshift.loads"},
    {"sys_load_error_detail",
     "SELECT 100 AS user_id, query_id, 0::BIGINT AS transaction_id, 0 AS session_id, 'dev' AS "
     "database_name, table_id, start_time, file_name, line_number, column_name, column_type, "
     "column_length, position, error_code, error_message FROM _redshift.load_errors"},
    {"stl_load_errors",
     "SELECT 100 AS userid, 0 AS slice, table_id AS tbl, start_time AS starttime, 0 AS session, "
     "query_id AS query, file_name AS filename, line_number, column_name AS colname, column_type "
     "AS type, column_length AS col_length, position, raw_line, raw_field_value, error_code AS "
     "err_code, error_message AS err_reason, 0 AS is_partial, 0 AS start_offset, 0::BIGINT AS "
     "copy_job_id FROM _redshift.load_errors"},
    {"stl_load_commits",
     "SELECT 100 AS userid, query_id AS query, 0 AS slice, data_source AS filename, loaded_rows AS "
     "lines_scanned, error_count AS errors, CASE status WHEN 'completed' THEN 1 ELSE 0 END AS "
     "status, start_time AS curtime, file_format FROM _redshift.loads"},
    {"svv_columns",
     "SELECT 'dev' AS table_catalog, place AS table_schema, table_name, column_name, column_index "
     "AS ordinal_position, column_default, CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS "
     "is_nullable, type_name AS data_type, length AS character_maximum_length, numeric_precision, "
     "10 AS numeric_precision_radix, numeric_scale, CASE WHEN kind IN (10, 11) THEN 6 END AS "
     "datetime_precision, NULL::VARCHAR AS remarks FROM _redshift._columns"},
    {"svv_all_columns",
     "SELECT 'dev' AS database_name, place AS schema_name, table_name, column_name, column_index "
     "AS ordinal_position, column_default, CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS "
     "is_nullable, type_name AS data_type, length AS character_maximum_length, numeric_precision, "
     "numeric_scale, NULL::VARCHAR AS remarks FROM _redshift._columns"},
    {"svv_redshift_columns",
     "SELECT 'dev' AS database_name, place AS schema_name, table_name, column_name, column_index "
     "AS ordinal_position, type_name AS data_type, column_default, CASE WHEN is_nullable THEN "
     "'YES' ELSE 'NO' END AS is_nullable, coalesce(j->>'encode', 'none') AS encoding, "
     "coalesce(j->>'distkey' = 'true', false) AS distkey, coalesce(CAST(j->>'sortkey' AS INTEGER), "
     "0) AS sortkey, NULL::VARCHAR AS column_acl, NULL::VARCHAR AS remarks FROM _redshift._columns"},
    {"pg_table_def",
     "SELECT place AS schemaname, table_name AS tablename, column_name AS \"column\", "
     "coalesce(j->>'type', type_name || CASE WHEN kind IN (7, 8) THEN '(' || length || ')' WHEN "
     "kind = 3 THEN '(' || numeric_precision || ',' || numeric_scale || ')' ELSE '' END) AS "
     "\"type\", coalesce(j->>'encode', 'none') AS encoding, coalesce(j->>'distkey' = 'true', false) "
     "AS distkey, coalesce(CAST(j->>'sortkey' AS INTEGER), 0) AS sortkey, NOT is_nullable AS "
     "\"notnull\" FROM _redshift._columns"},
    {"svv_tables",
     "SELECT 'dev' AS table_catalog, place AS table_schema, name AS table_name, CASE kind WHEN 'r' "
     "THEN 'BASE TABLE' ELSE 'VIEW' END AS table_type, NULL::VARCHAR AS remarks FROM "
     "_redshift._relations"},
    {"svv_all_tables",
     "SELECT 'dev' AS database_name, place AS schema_name, name AS table_name, NULL::VARCHAR AS "
     "table_acl, CASE kind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END AS table_type, NULL::VARCHAR AS "
     "remarks FROM _redshift._relations"},
    {"svv_redshift_tables",
     "SELECT 'dev' AS database_name, place AS schema_name, name AS table_name, CASE kind WHEN 'r' "
     "THEN 'TABLE' ELSE 'VIEW' END AS table_type, NULL::VARCHAR AS table_acl, NULL::VARCHAR AS "
     "remarks FROM _redshift._relations"},
    {"svv_table_info",
     "SELECT 'dev' AS \"database\", place AS \"schema\", oid AS table_id, name AS \"table\", 'Y, "
     "AUTO(ENCODE)' AS encoded, coalesce(j->>'diststyle', 'AUTO(ALL)') AS diststyle, "
     "coalesce(j->>'sortkey1', 'AUTO(SORTKEY)') AS sortkey1, (SELECT coalesce(max(length), 0) FROM "
     "_redshift._columns c WHERE c.place = r.place AND c.table_name = r.name) AS max_varchar, "
     "NULL::VARCHAR AS sortkey1_enc, coalesce(CAST(j->>'sortkeys' AS INTEGER), 0) AS sortkey_num, "
     "greatest(1, r.size * column_count * 8 // 1048576) AS \"size\", 0.0::DECIMAL(10,4) AS pct_used, "
     "0::BIGINT AS empty, 0.0::DECIMAL(5,2) AS unsorted, 0.0::DECIMAL(5,2) AS stats_off, "
     "r.size::DECIMAL(38,0) AS tbl_rows, 1.0::DECIMAL(19,2) AS skew_sortkey1, 1.0::DECIMAL(19,2) "
     "AS skew_rows, r.size::DECIMAL(38,0) AS estimated_visible_rows FROM _redshift._relations r "
     "WHERE kind = 'r' AND r.size > 0"},
    {"svv_all_schemas",
     "SELECT 'dev' AS database_name, name AS schema_name, 100 AS schema_owner, 'local' AS "
     "schema_type, NULL::VARCHAR AS schema_acl, NULL::VARCHAR AS source_database, NULL::VARCHAR AS "
     "schema_option FROM _redshift._schemas"},
    {"svv_redshift_schemas",
     "SELECT 'dev' AS database_name, name AS schema_name, 100 AS schema_owner, 'local' AS "
     "schema_type, NULL::VARCHAR AS schema_acl, NULL::VARCHAR AS schema_option FROM "
     "_redshift._schemas"},
    {"svv_redshift_databases",
     "SELECT 'dev' AS database_name, 100 AS database_owner, 'local' AS database_type, "
     "NULL::VARCHAR AS database_acl, NULL::VARCHAR AS database_options, 'Snapshot Isolation' AS "
     "database_isolation_level"},
    {"svv_external_schemas",
     "SELECT 0 AS esoid, 0 AS eskind, '' AS schemaname, 0 AS esowner, '' AS databasename, '' AS "
     "esoptions WHERE false"},
    {"svv_external_tables",
     "SELECT '' AS redshift_database_name, '' AS schemaname, '' AS tablename, '' AS tabletype, '' "
     "AS location, '' AS input_format, '' AS output_format, '' AS serialization_lib, '' AS "
     "serde_parameters, 0 AS compressed, '' AS parameters WHERE false"},
    {"svv_external_columns",
     "SELECT '' AS redshift_database_name, '' AS schemaname, '' AS tablename, '' AS columnname, '' "
     "AS external_type, 0 AS columnnum, 0 AS part_key, '' AS is_nullable WHERE false"},
    {"svv_external_partitions",
     "SELECT '' AS schemaname, '' AS tablename, '' AS \"values\", '' AS location WHERE false"},
    {"pg_tables", "SELECT place AS schemaname, name AS tablename, 'awsuser' AS tableowner, NULL::VARCHAR AS "
                  "tablespace, false AS hasindexes, false AS hasrules, false AS hastriggers FROM "
                  "_redshift._relations WHERE kind = 'r'"},
    {"pg_views", "SELECT place AS schemaname, name AS viewname, 'awsuser' AS viewowner, NULL::VARCHAR AS "
                 "definition FROM _redshift._relations WHERE kind = 'v'"},
    {"pg_namespace", "SELECT oid, name AS nspname, 100 AS nspowner FROM _redshift._schemas"},
    {"pg_class", "SELECT oid, name AS relname, schema_oid AS relnamespace, 100 AS relowner, kind AS relkind, "
                 "size::DOUBLE AS reltuples, column_count AS relnatts FROM _redshift._relations"},
    {"pg_attribute",
     "SELECT table_oid AS attrelid, column_name AS attname, column_index AS attnum, NOT "
     "is_nullable AS attnotnull, column_default IS NOT NULL AS atthasdef, false AS attisdropped "
     "FROM _redshift._columns"},
    {"pg_database", "SELECT 'dev' AS datname, 100 AS datdba, false AS datistemplate, true AS datallowconn"},
    {"pg_user",
     "SELECT 'awsuser' AS usename, 100 AS usesysid, true AS usecreatedb, true AS usesuper, false "
     "AS usecatupd, '********' AS passwd, NULL::TIMESTAMP AS valuntil, NULL::VARCHAR AS useconfig"},
    {"information_schema_tables",
     "SELECT 'dev' AS table_catalog, place AS table_schema, name AS table_name, CASE WHEN kind = "
     "'v' THEN 'VIEW' WHEN place = 'pg_temp_1' THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END AS "
     "table_type FROM _redshift._relations"},
    {"information_schema_columns",
     "SELECT table_catalog, table_schema, table_name, column_name, ordinal_position, "
     "column_default, is_nullable, data_type, character_maximum_length, numeric_precision, "
     "numeric_precision_radix, numeric_scale, datetime_precision FROM _redshift.svv_columns"},
    {"information_schema_schemata",
     "SELECT 'dev' AS catalog_name, name AS schema_name, 'awsuser' AS schema_owner FROM "
     "_redshift._schemas"},
    {"information_schema_views",
     "SELECT 'dev' AS table_catalog, place AS table_schema, name AS table_name, NULL::VARCHAR AS "
     "view_definition, 'NONE' AS check_option, 'NO' AS is_updatable FROM _redshift._relations "
     "WHERE kind = 'v'"},
    {"information_schema_table_constraints",
     "SELECT '' AS constraint_catalog, '' AS constraint_schema, '' AS constraint_name, '' AS "
     "table_schema, '' AS table_name, '' AS constraint_type WHERE false"},
    {"information_schema_key_column_usage",
     "SELECT '' AS constraint_schema, '' AS constraint_name, '' AS table_schema, '' AS table_name, "
     "'' AS column_name, 0 AS ordinal_position WHERE false"},
    {NULL, NULL},
};

bool redshift_is_view(const char *name)
{
    for (const struct redshift_view *view = redshift_views; view->name; view++)
        if (strcmp(view->name, name) == 0)
            return name[0] != '_';
    return false;
}
