/* Every function that SQL may call, and what it becomes. docs/redshift-dialect.md is written from here. */
#include "localcloud/redshift_rewrite.h"

#include <string.h>

#define E REDSHIFT_EXACT
#define A REDSHIFT_APPROXIMATE
#define N REDSHIFT_ABSENT

const struct redshift_function redshift_functions[] = {
    /* aggregates */
    {"any_value", 1, 1, NULL, E, NULL},
    {"avg", 1, 1, "@", A, "of integers truncated to an integer; of NUMERIC it gives a double"},
    {"bit_and", 1, 1, NULL, E, NULL},
    {"bit_or", 1, 1, NULL, E, NULL},
    {"bool_and", 1, 1, NULL, E, NULL},
    {"bool_or", 1, 1, NULL, E, NULL},
    {"count", 1, 1, NULL, E, "also APPROXIMATE COUNT(DISTINCT x), which estimates with another sketch"},
    {"listagg", 1, 2, "@", E, NULL},
    {"max", 1, 1, NULL, E, NULL},
    {"median", 1, 1, NULL, E, NULL},
    {"min", 1, 1, NULL, E, NULL},
    {"percentile_cont", 1, 1, NULL, E, NULL},
    {"percentile_disc", 1, 1, NULL, E, NULL},
    {"stddev", 1, 1, NULL, E, NULL},
    {"stddev_pop", 1, 1, NULL, E, NULL},
    {"stddev_samp", 1, 1, NULL, E, NULL},
    {"sum", 1, 1, NULL, A, "of BIGINT it gives int8, not numeric(38,0)"},
    {"var_pop", 1, 1, NULL, E, NULL},
    {"var_samp", 1, 1, NULL, E, NULL},
    {"variance", 1, 1, "var_samp", E, NULL},
    /* windows */
    {"cume_dist", 0, 0, NULL, E, NULL},
    {"dense_rank", 0, 0, NULL, E, NULL},
    {"first_value", 1, 1, NULL, E, NULL},
    {"lag", 1, 3, NULL, E, NULL},
    {"last_value", 1, 1, NULL, E, NULL},
    {"lead", 1, 3, NULL, E, NULL},
    {"nth_value", 2, 2, NULL, E, NULL},
    {"ntile", 1, 1, NULL, E, NULL},
    {"percent_rank", 0, 0, NULL, E, NULL},
    {"rank", 0, 0, NULL, E, NULL},
    {"ratio_to_report", 1, 1, "@", E, NULL},
    {"row_number", 0, 0, NULL, E, NULL},
    /* conditions */
    {"coalesce", 1, -1, NULL, E, NULL},
    {"decode", 3, -1, "@", E, NULL},
    {"greatest", 1, -1, NULL, E, NULL},
    {"isnull", 2, 2, "coalesce", E, NULL},
    {"least", 1, -1, NULL, E, NULL},
    {"nullif", 2, 2, NULL, E, NULL},
    {"nvl", 1, -1, "coalesce", E, NULL},
    {"nvl2", 3, 3, "(CASE WHEN ($1) IS NOT NULL THEN ($2) ELSE ($3) END)", E, NULL},
    /* numbers */
    {"abs", 1, 1, NULL, E, NULL},
    {"acos", 1, 1, NULL, E, NULL},
    {"asin", 1, 1, NULL, E, NULL},
    {"atan", 1, 1, NULL, E, NULL},
    {"atan2", 2, 2, NULL, E, NULL},
    {"cbrt", 1, 1, "rs_cbrt", E, NULL},
    {"ceil", 1, 1, NULL, E, NULL},
    {"ceiling", 1, 1, "ceil", E, NULL},
    {"cos", 1, 1, NULL, E, NULL},
    {"cot", 1, 1, NULL, E, NULL},
    {"degrees", 1, 1, NULL, E, NULL},
    {"dexp", 1, 1, "exp", E, NULL},
    {"dlog1", 1, 1, "ln", E, NULL},
    {"dlog10", 1, 1, "log10", E, NULL},
    {"exp", 1, 1, NULL, E, NULL},
    {"floor", 1, 1, NULL, E, NULL},
    {"ln", 1, 1, NULL, E, NULL},
    {"log", 1, 1, "log10", E, NULL},
    {"mod", 2, 2, "(($1) % ($2))", E, NULL},
    {"pi", 0, 0, NULL, E, NULL},
    {"pow", 2, 2, NULL, E, NULL},
    {"power", 2, 2, NULL, E, NULL},
    {"radians", 1, 1, NULL, E, NULL},
    {"random", 0, 0, NULL, E, NULL},
    {"round", 1, 2, NULL, E, NULL},
    {"sign", 1, 1, NULL, E, NULL},
    {"sin", 1, 1, NULL, E, NULL},
    {"sqrt", 1, 1, NULL, E, NULL},
    {"tan", 1, 1, NULL, E, NULL},
    {"to_hex", 1, 1, "lower(to_hex($1))", E, NULL},
    {"to_number", 2, 2, "CAST(regexp_replace($1, '[^0-9.+-]', '', 'g') AS DECIMAL(38,10))", A,
     "the format is not looked at"},
    {"trunc", 1, 2, "rs_trunc", A, "of timestamps too; of NUMERIC it gives a double"},
    /* text */
    {"ascii", 1, 1, NULL, E, NULL},
    {"bit_length", 1, 1, "(8 * strlen($1))", E, NULL},
    {"btrim", 1, 2, "trim", E, NULL},
    {"char_length", 1, 1, "length", E, NULL},
    {"character_length", 1, 1, "length", E, NULL},
    {"charindex", 2, 2, "strpos($2, $1)", E, NULL},
    {"chr", 1, 1, NULL, E, NULL},
    {"concat", 2, 2, "(($1) || ($2))", E, NULL},
    {"crc32", 1, 1, NULL, N, NULL},
    {"func_sha1", 1, 1, "sha1", E, NULL},
    {"initcap", 1, 1, "rs_initcap", A, "of ASCII letters"},
    {"left", 2, 2, NULL, E, NULL},
    {"len", 1, 1, "length", E, NULL},
    {"length", 1, 1, NULL, E, NULL},
    {"lower", 1, 1, NULL, E, NULL},
    {"lpad", 2, 2, "lpad($1, $2, ' ')", E, NULL},
    {"lpad", 3, 3, NULL, E, NULL},
    {"ltrim", 1, 2, NULL, E, NULL},
    {"md5", 1, 1, NULL, E, NULL},
    {"octet_length", 1, 1, "strlen", E, NULL},
    {"position", 2, 2, "strpos($2, $1)", E, "also POSITION(a IN b)"},
    {"quote_ident", 1, 1, "('\"' || replace($1, '\"', '\"\"') || '\"')", A, "always quotes"},
    {"quote_literal", 1, 1, "('''' || replace($1, '''', '''''') || '''')", E, NULL},
    {"regexp_count", 2, 2, "length(regexp_extract_all($1, $2))", A, "RE2 syntax"},
    {"regexp_instr", 2, 2, "rs_regexp_instr", A, "RE2 syntax"},
    {"regexp_replace", 2, 2, "regexp_replace($1, $2, '', 'g')", A, "RE2 syntax"},
    {"regexp_replace", 3, 3, "regexp_replace($1, $2, $3, 'g')", A, "RE2 syntax; \\1 for groups"},
    {"regexp_substr", 2, 2, "regexp_extract($1, $2)", A, "RE2 syntax"},
    {"repeat", 2, 2, NULL, E, NULL},
    {"replace", 3, 3, NULL, E, NULL},
    {"replicate", 2, 2, "repeat", E, NULL},
    {"reverse", 1, 1, NULL, E, NULL},
    {"right", 2, 2, NULL, E, NULL},
    {"rpad", 2, 2, "rpad($1, $2, ' ')", E, NULL},
    {"rpad", 3, 3, NULL, E, NULL},
    {"rtrim", 1, 2, NULL, E, NULL},
    {"sha", 1, 1, "sha1", E, NULL},
    {"sha1", 1, 1, NULL, E, NULL},
    {"sha2", 2, 2, "rs_digest", E, NULL},
    {"sha512", 1, 1, "rs_digest($1, 512)", E, NULL},
    {"split_part", 3, 3, NULL, E, NULL},
    {"strpos", 2, 2, NULL, E, NULL},
    {"strtol", 2, 2, "rs_strtol", E, NULL},
    {"substr", 2, 3, "rs_substring", E, NULL},
    {"substring", 2, 3, "rs_substring", E, "also FROM … FOR …"},
    {"textlen", 1, 1, "length", E, NULL},
    {"translate", 3, 3, NULL, E, NULL},
    {"trim", 1, 2, NULL, E, "also BOTH, LEADING, TRAILING … FROM …"},
    {"upper", 1, 1, NULL, E, NULL},
    /* dates and times */
    {"add_months", 2, 2, "rs_add_months", E, NULL},
    {"convert_timezone", 2, 2, "timezone($1, timezone('UTC', CAST($2 AS TIMESTAMP)))", E, NULL},
    {"convert_timezone", 3, 3, "timezone($2, timezone($1, CAST($3 AS TIMESTAMP)))", E, NULL},
    {"date", 1, 1, "CAST($1 AS DATE)", E, NULL},
    {"date_part", 2, 2, "CAST(date_part($p1, CAST($2 AS TIMESTAMP)) AS DOUBLE)", E, NULL},
    {"date_part_year", 1, 1, "CAST(date_part('year', CAST($1 AS DATE)) AS INTEGER)", E, NULL},
    {"date_trunc", 2, 2, "date_trunc($p1, CAST($2 AS TIMESTAMP))", A, "the zone of a timestamptz is lost"},
    {"date_cmp", 2, 2, "CAST(sign(date_diff('day', CAST($2 AS DATE), CAST($1 AS DATE))) AS INTEGER)", E,
     NULL},
    {"dateadd", 3, 3, "@", A, "the zone of a timestamptz is lost"},
    {"datediff", 3, 3, "date_diff($p1, CAST($2 AS TIMESTAMP), CAST($3 AS TIMESTAMP))", E, NULL},
    {"getdate", 0, 0, "date_trunc('second', CAST(now() AS TIMESTAMP))", E, NULL},
    {"last_day", 1, 1, "last_day(CAST($1 AS DATE))", E, NULL},
    {"months_between", 2, 2, "rs_months_between", E, NULL},
    {"next_day", 2, 2, "rs_next_day", E, NULL},
    {"now", 0, 0, NULL, E, NULL},
    {"timestamp_cmp", 2, 2,
     "CAST(sign(date_diff('us', CAST($2 AS TIMESTAMP), CAST($1 AS TIMESTAMP))) AS INTEGER)", E, NULL},
    {"to_char", 2, 2, "rs_to_char", A, "the patterns of PostgreSQL but TH, V, EEEE, RN"},
    {"to_date", 2, 3, "CAST(rs_to_timestamp($1, $2) AS DATE)", A,
     "patterns as TO_CHAR; the fill of D is not looked at"},
    {"to_timestamp", 2, 3, "timezone('UTC', rs_to_timestamp($1, $2))", A, "patterns as TO_CHAR"},
    /* JSON and SUPER */
    {"get_array_length", 1, 1, "CAST(json_array_length($1) AS BIGINT)", E, NULL},
    {"can_json_parse", 1, 1, "json_valid(CAST($1 AS VARCHAR))", E, NULL},
    {"split_to_array", 2, 2, "to_json(string_split($1, $2))", E, NULL},
    {"is_valid_json", 1, 1, "json_valid(CAST($1 AS VARCHAR))", E, NULL},
    {"is_valid_json_array", 1, 1, "(json_valid($1) AND json_type($1) = 'ARRAY')", E, NULL},
    {"json_array_length", 1, 1, "CAST(json_array_length(CAST($1 AS JSON)) AS INTEGER)", E, NULL},
    {"json_extract_array_element_text", 2, 2,
     "coalesce(json_extract_string(CAST($1 AS JSON), CAST($2 AS BIGINT)), '')", A, "\"\" for null"},
    {"json_extract_path_text", 2, -1, "@", E, NULL},
    {"json_parse", 1, 1, "CAST($1 AS JSON)", E, NULL},
    {"json_serialize", 1, 1, "CAST($1 AS VARCHAR)", E, NULL},
    {"json_typeof", 1, 1, "lower(json_type($1))", A, "engine's own names of number types"},
    {"object", 0, -1, "json_object", E, NULL},
    {"array", 0, -1, "json_array", E, NULL},
    /* the session and the system */
    {"current_database", 0, 0, "@", E, NULL},
    {"current_schema", 0, 0, "@", E, NULL},
    {"has_database_privilege", 2, 3, "(true)", A, "there is one user, who may all"},
    {"has_schema_privilege", 2, 3, "(true)", A, "the same"},
    {"has_table_privilege", 2, 3, "(true)", A, "the same"},
    {"generate_series", 2, 3, NULL, E, NULL},
    {"pg_backend_pid", 0, 0, "(1073815778)", A, "always the same"},
    {"pg_last_copy_count", 0, 0, "@", E, NULL},
    {"pg_last_copy_id", 0, 0, "@", E, NULL},
    {"version", 0, 0,
     "'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat "
     "3.4.2-6.fc3), Redshift 1.0.115000'",
     A, "of no real cluster"},
    /* not here */
    {"approximate_percentile_disc", 0, -1, NULL, N, NULL},
    {"fnv_hash", 1, 2, NULL, N, NULL},
    {"farmfingerprint64", 1, 1, NULL, N, NULL},
    {"hll", 1, 1, NULL, N, NULL},
    {"hll_cardinality", 1, 1, NULL, N, NULL},
    {"to_varbyte", 2, 2, NULL, N, NULL},
    {"from_varbyte", 2, 2, NULL, N, NULL},
    {"array_concat", 2, 2, NULL, N, NULL},
    {"array_flatten", 1, 1, NULL, N, NULL},
    {"bpcharcmp", 2, 2, NULL, N, NULL},
    {"bttext_pattern_cmp", 2, 2, NULL, N, NULL},
    {"checksum", 1, 1, NULL, N, NULL},
    {"current_setting", 1, 1, NULL, N, NULL},
    {"difference", 2, 2, NULL, N, NULL},
    {"interval_cmp", 2, 2, NULL, N, NULL},
    {"isfinite", 1, 1, NULL, N, NULL},
    {"pg_cancel_backend", 1, 1, NULL, N, NULL},
    {"pg_get_viewdef", 1, 2, NULL, N, NULL},
    {"pg_last_query_id", 0, 0, NULL, N, NULL},
    {"pg_last_unload_count", 0, 0, NULL, N, NULL},
    {"pg_last_unload_id", 0, 0, NULL, N, NULL},
    {"pg_terminate_backend", 1, 1, NULL, N, NULL},
    {"set_config", 3, 3, NULL, N, NULL},
    {"soundex", 1, 1, NULL, N, NULL},
    {"subarray", 3, 3, NULL, N, NULL},
    {"timeofday", 0, 0, NULL, N, NULL},
    {"timezone", 2, 2, NULL, N, NULL},
    {"width_bucket", 4, 4, NULL, N, NULL},
    {"st_point", 2, 2, NULL, N, "no spatial function"},
    {NULL, 0, 0, NULL, E, NULL},
};

const struct redshift_function *redshift_function_find(const char *name, int arguments, bool *known)
{
    *known = false;
    for (const struct redshift_function *row = redshift_functions; row->name; row++) {
        if (strcmp(row->name, name) != 0)
            continue;
        *known = true;
        if (arguments >= row->least && (row->most < 0 || arguments <= row->most))
            return row;
    }
    return NULL;
}

static const struct {
    const char *name, *words;
} parts[] = {
    {"millennium", " millennium mil mils millennia "},
    {"century", " century c cent cents "},
    {"decade", " decade decades dec decs "},
    {"epoch", " epoch "},
    {"year", " year years y yr yrs "},
    {"quarter", " quarter quarters qtr qtrs "},
    {"month", " month months mon mons "},
    {"week", " week weeks w "},
    {"dayofweek", " dayofweek dow dw weekday "},
    {"dayofyear", " dayofyear doy dy yearday "},
    {"day", " day days d "},
    {"hour", " hour hours h hr hrs "},
    {"minute", " minute minutes m min mins "},
    {"second", " second seconds s sec secs "},
    {"millisecond",
     " millisecond milliseconds ms msec msecs msecond mseconds millisec millisecs millisecon "},
    {"microsecond",
     " microsecond microseconds us usec usecs usecond useconds microsec microsecs microsecond "},
};

const char *redshift_date_part(const char *word)
{
    char padded[32];
    size_t length = strlen(word);
    if (length == 0 || length + 3 > sizeof padded || strchr(word, ' '))
        return NULL;
    padded[0] = ' ';
    memcpy(padded + 1, word, length);
    memcpy(padded + 1 + length, " ", 2);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(parts[i].words, padded))
            return parts[i].name;
    return NULL;
}
