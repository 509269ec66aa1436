/* SHOW: settings that clients ask for, and what the catalogue holds. */
#include "localcloud/redshift_run.h"

#include "base/text.h"

#include <string.h>

static const struct {
    const char *name, *query;
} settings[] = {
    {"timezone", "SELECT 'UTC' AS \"TimeZone\""},
    {"server_version", "SELECT '8.0.2' AS server_version"},
    {"datestyle", "SELECT 'ISO, MDY' AS \"DateStyle\""},
    {"client_encoding", "SELECT 'UTF8' AS client_encoding"},
    {"enable_case_sensitive_identifier", "SELECT 'off' AS enable_case_sensitive_identifier"},
};

static const struct {
    const char *word, *in, *query;
    int least, most; /* parts of the name behind FROM */
} lists[] = {
    {"databases", "", "SELECT * FROM _redshift.svv_redshift_databases WHERE true", 0, 0},
    {"schemas", "database", "SELECT * FROM _redshift.svv_all_schemas WHERE true", 1, 1},
    {"tables", "schema", "SELECT * FROM _redshift.svv_all_tables WHERE schema_name = ", 1, 2},
    {"columns", "table", "SELECT * FROM _redshift.svv_all_columns WHERE ", 2, 3},
};

/* What LIKE is applied to. */
static const char *const listed[] = {"database_name", "schema_name", "table_name", "column_name"};

static int list(const struct redshift_tokens *tokens, size_t which, struct buf *out,
                struct redshift_failure *failure)
{
    size_t at = 2;
    const char *parts[3] = {"", "", ""};
    int count = 0;
    if (redshift_take(tokens, &at, "from")) {
        redshift_take(tokens, &at, lists[which].in);
        do {
            if (count == lists[which].most || !redshift_is_name(&tokens->list[at]))
                return redshift_fail_at(tokens, at, failure);
            parts[count++] = tokens->list[at++].value;
        } while (redshift_take_op(tokens, &at, "."));
    }
    if (count < lists[which].least)
        return redshift_fail_at(tokens, at, failure);
    const char *last = count > 0 ? parts[count - 1] : "", *before = count > 1 ? parts[count - 2] : "";
    buf_text(out, lists[which].query);
    if (which == 3) {
        buf_text(out, "schema_name = ");
        redshift_put_string(out, before);
        buf_text(out, " AND table_name = ");
    }
    if (which >= 2)
        redshift_put_string(out, last);
    if (redshift_take(tokens, &at, "like")) {
        if (tokens->list[at].kind != RS_STRING)
            return redshift_fail_at(tokens, at, failure);
        buf_printf(out, " AND %s LIKE ", listed[which]);
        redshift_put_string(out, tokens->list[at++].value);
    }
    buf_text(out, which == 3 ? " ORDER BY ordinal_position" : " ORDER BY ALL");
    if (redshift_take(tokens, &at, "limit")) {
        if (tokens->list[at].kind != RS_NUMBER)
            return redshift_fail_at(tokens, at, failure);
        buf_printf(out, " LIMIT %.*s", (int)tokens->list[at].length, tokens->list[at].text);
        at++;
    }
    return tokens->list[at].kind == RS_END ? 0 : redshift_fail_at(tokens, at, failure);
}

int redshift_show(const struct redshift_tokens *tokens, const struct redshift_scope *scope, struct buf *out,
                  struct redshift_failure *failure)
{
    const char *name = tokens->list[1].value;
    if (!name)
        return redshift_fail_at(tokens, 1, failure);
    if (strcmp(name, "search_path") == 0) {
        buf_text(out, "SELECT ");
        redshift_put_string(out, scope->schema);
        buf_text(out, " AS search_path");
        return 0;
    }
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (strcmp(name, settings[i].name) == 0)
            return buf_text(out, settings[i].query) ? 0 : -1;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(name, lists[i].word) == 0)
            return list(tokens, i, out, failure);
    return redshift_fail(failure, "SHOW %.60s is not emulated locally", name);
}
