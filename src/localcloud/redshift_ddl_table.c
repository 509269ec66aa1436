/* CREATE TABLE: columns, keys, styles. */
#include "localcloud/redshift_ddl_private.h"

#include "base/err.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 1600 /* of a table, as in Redshift */

static int identity(struct rs_ddl *d, struct rs_column *column)
{
    char digits[24];
    long long values[2] = {1, 1};
    if (rs_ddl_take_op(d, "(")) {
        for (int i = 0; i < 2; i++) {
            bool negative = rs_ddl_take_op(d, "-");
            int64_t value;
            snprintf(digits, sizeof digits, "%.*s", (int)HERE(d)->length, HERE(d)->text);
            if (HERE(d)->kind != RS_NUMBER || !text_parse_int(digits, 0, INT32_MAX, &value))
                return rs_ddl_unexpected(d);
            values[i] = negative ? -value : value;
            d->at++;
            if (!rs_ddl_take_op(d, i == 0 ? "," : ")"))
                return rs_ddl_unexpected(d);
        }
    }
    if (values[1] == 0)
        return redshift_fail(d->failure, "IDENTITY step must not be zero");
    column->identity = true;
    column->seed = values[0];
    column->step = values[1];
    return 0;
}

/* DEFAULT expression: up to the next word of the grammar, comma or end. */
static int default_value(struct rs_ddl *d, struct buf *line)
{
    static const char *const stops[] = {"not",    "null",       "encode",   "distkey",   "sortkey", "primary",
                                        "unique", "references", "identity", "generated", "collate"};
    size_t from = d->at;
    bool stop = false;
    while (!stop && HERE(d)->kind != RS_END && !redshift_is_op(HERE(d), ",") &&
           !redshift_is_op(HERE(d), ")")) {
        for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
            stop |= d->at > from && redshift_is(HERE(d), stops[i]);
        if (!stop)
            rs_ddl_skip(d);
    }
    if (d->at == from)
        return rs_ddl_unexpected(d);
    buf_text(line, " DEFAULT (");
    if (redshift_rewrite(d->tokens, from, d->at, d->scope, false, line, d->failure) != 0)
        return -1;
    buf_char(line, ')');
    return 0;
}

static int attributes(struct rs_ddl *d, struct rs_column *column, struct buf *line)
{
    for (;;) {
        if (rs_ddl_take(d, "not")) {
            if (!rs_ddl_take(d, "null"))
                return rs_ddl_unexpected(d);
            column->not_null = true;
        } else if (rs_ddl_take(d, "null") || rs_ddl_take(d, "unique")) {
            continue;
        } else if (rs_ddl_take(d, "default")) {
            if (default_value(d, line) != 0)
                return -1;
        } else if (rs_ddl_take(d, "identity")) {
            if (identity(d, column) != 0)
                return -1;
        } else if (rs_ddl_take(d, "generated")) {
            if (!rs_ddl_take(d, "by") || !rs_ddl_take(d, "default") || !rs_ddl_take(d, "as") ||
                !rs_ddl_take(d, "identity"))
                return rs_ddl_unexpected(d);
            if (identity(d, column) != 0)
                return -1;
        } else if (rs_ddl_take(d, "encode")) {
            if (!redshift_is_name(HERE(d)))
                return rs_ddl_unexpected(d);
            column->encode = HERE(d)->value;
            d->at++;
        } else if (rs_ddl_take(d, "distkey")) {
            column->distkey = true;
        } else if (rs_ddl_take(d, "sortkey")) {
            column->sortkey = ++d->sort_count;
        } else if (rs_ddl_take(d, "primary")) {
            if (!rs_ddl_take(d, "key"))
                return rs_ddl_unexpected(d);
            column->not_null = true;
        } else if (rs_ddl_take(d, "references")) {
            struct buf ignored;
            buf_init(&ignored, 4096);
            int result = rs_ddl_table_name(d, &ignored, NULL);
            buf_free(&ignored);
            if (result != 0)
                return -1;
            if (redshift_is_op(HERE(d), "("))
                rs_ddl_skip(d);
        } else if (rs_ddl_take(d, "collate")) {
            rs_ddl_skip(d);
        } else {
            return 0;
        }
    }
}

int rs_ddl_column(struct rs_ddl *d, struct rs_column *column, struct buf *line)
{
    if (!redshift_is_name(HERE(d)) || strlen(HERE(d)->value) > 127)
        return rs_ddl_unexpected(d);
    column->name = HERE(d)->value;
    d->at++;
    if (redshift_type_parse(d->tokens, &d->at, &column->type, d->failure) != 0)
        return -1;
    redshift_put_name(line, column->name);
    buf_char(line, ' ');
    redshift_type_write_duck(&column->type, line);
    if (attributes(d, column, line) != 0)
        return -1;
    if (column->identity) {
        if (column->type.kind != RS_INTEGER && column->type.kind != RS_BIGINT)
            return redshift_fail(d->failure, "column \"%s\" of type %s cannot be an IDENTITY column",
                                 column->name, redshift_type_name(column->type.kind));
        buf_printf(d->out,
                   "CREATE SEQUENCE _redshift.\"identity_%016" PRIx64 "_%zu\" START %lld INCREMENT %lld %s; ",
                   d->unique, d->count, column->seed, column->step,
                   column->step < 0 ? "MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807" : "");
        buf_printf(line, " DEFAULT (nextval('_redshift.\"identity_%016" PRIx64 "_%zu\"'))", d->unique,
                   d->count);
        column->not_null = true;
    }
    if (column->not_null)
        buf_text(line, " NOT NULL");
    if (column->type.kind == RS_VARCHAR || column->type.kind == RS_CHAR) {
        buf_text(line, " CHECK (strlen(");
        redshift_put_name(line, column->name);
        buf_printf(line, ") <= %d)", column->type.length);
    }
    return 0;
}

/* PRIMARY KEY (…), UNIQUE (…), FOREIGN KEY (…) REFERENCES t (…), CONSTRAINT x … */
bool rs_ddl_constraint(struct rs_ddl *d)
{
    size_t begin = d->at;
    if (rs_ddl_take(d, "constraint"))
        rs_ddl_skip(d);
    if (!redshift_is(HERE(d), "primary") && !redshift_is(HERE(d), "unique") &&
        !redshift_is(HERE(d), "foreign")) {
        d->at = begin;
        return false;
    }
    while (HERE(d)->kind != RS_END && !redshift_is_op(HERE(d), ",") && !redshift_is_op(HERE(d), ")"))
        rs_ddl_skip(d);
    return true;
}

static const char *encoding_of(const struct rs_column *column)
{
    if (column->encode)
        return column->encode;
    if (column->sortkey > 0 || column->type.kind == RS_BOOLEAN || column->type.kind == RS_REAL ||
        column->type.kind == RS_DOUBLE)
        return "none";
    return column->type.kind == RS_CHAR || column->type.kind == RS_VARCHAR || column->type.kind == RS_SUPER ||
                   column->type.kind == RS_VARBYTE
               ? "lzo"
               : "az64";
}

/* COMMENT ON COLUMN …: what the system views and DescribeTable read. */
void rs_ddl_declare_column(struct rs_ddl *d, struct buf *out, const struct rs_column *column)
{
    struct buf type;
    buf_init(&type, 256);
    redshift_type_write(&column->type, &type);
    const char *encoding = encoding_of(column);
    json_t *json = json_pack("{s:s,s:s,s:s,s:i,s:i,s:b,s:i}", "type", type.data, "name",
                             redshift_type_name(column->type.kind), "encode", encoding, "length",
                             redshift_type_precision(&column->type), "kind", (int)column->type.kind,
                             "distkey", column->distkey, "sortkey", column->sortkey);
    if (column->identity)
        json_object_set_new(json, "identity", json_true());
    char *dumped = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    buf_printf(out, "; COMMENT ON COLUMN %s.", d->name.data);
    redshift_put_name(out, column->name);
    buf_text(out, " IS ");
    redshift_put_string(out, dumped ? dumped : "{}");
    free(dumped);
    json_decref(json);
    buf_free(&type);
}

static struct rs_column *find_column(struct rs_ddl *d, const char *name)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->columns[i].name, name) == 0)
            return &d->columns[i];
    return NULL;
}

/* DISTSTYLE, DISTKEY(…), [COMPOUND | INTERLEAVED] SORTKEY(…), BACKUP, ENCODE AUTO. Without columns (AS) the
 * names of keys are not checked. */
int rs_ddl_attributes(struct rs_ddl *d)
{
    for (;;) {
        if (rs_ddl_take(d, "diststyle")) {
            static const char *const styles[] = {"auto", "even", "key", "all"};
            bool good = false;
            for (size_t i = 0; i < 4; i++)
                if (redshift_is(HERE(d), styles[i])) {
                    static const char *const shown[] = {"AUTO(ALL)", "EVEN", "KEY", "ALL"};
                    good = true;
                    if (!d->style[0])
                        text_copy(d->style, sizeof d->style, shown[i]);
                }
            if (!good)
                return rs_ddl_unexpected(d);
            d->at++;
        } else if (rs_ddl_take(d, "distkey")) {
            if (!rs_ddl_take_op(d, "(") || !redshift_is_name(HERE(d)))
                return rs_ddl_unexpected(d);
            struct rs_column *column = find_column(d, HERE(d)->value);
            if (column)
                column->distkey = true;
            else if (d->count > 0)
                return redshift_fail(d->failure, "distkey column \"%.127s\" not found in table",
                                     HERE(d)->value);
            snprintf(d->style, sizeof d->style, "KEY(%.127s)", HERE(d)->value);
            d->at++;
            if (!rs_ddl_take_op(d, ")"))
                return rs_ddl_unexpected(d);
        } else if (rs_ddl_take(d, "sortkey") ||
                   (redshift_is(HERE(d), "compound") && (d->at++, rs_ddl_take(d, "sortkey"))) ||
                   (redshift_is(HERE(d), "interleaved") && (d->at++, rs_ddl_take(d, "sortkey")))) {
            if (rs_ddl_take(d, "auto"))
                continue;
            if (!rs_ddl_take_op(d, "("))
                return rs_ddl_unexpected(d);
            do {
                if (!redshift_is_name(HERE(d)))
                    return rs_ddl_unexpected(d);
                struct rs_column *column = find_column(d, HERE(d)->value);
                if (!column && d->count > 0)
                    return redshift_fail(d->failure, "sortkey column \"%.127s\" not found in table",
                                         HERE(d)->value);
                d->sort_count++;
                if (column)
                    column->sortkey = d->sort_count;
                if (d->sort_count == 1)
                    text_copy(d->sort_first, sizeof d->sort_first, HERE(d)->value);
                d->at++;
            } while (rs_ddl_take_op(d, ","));
            if (!rs_ddl_take_op(d, ")"))
                return rs_ddl_unexpected(d);
        } else if (rs_ddl_take(d, "backup") || rs_ddl_take(d, "encode")) {
            rs_ddl_skip(d);
        } else {
            return 0;
        }
    }
}

void rs_ddl_declare_table(struct rs_ddl *d, struct buf *out)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->columns[i].distkey)
            snprintf(d->style, sizeof d->style, "KEY(%.127s)", d->columns[i].name);
        if (d->columns[i].sortkey == 1)
            text_copy(d->sort_first, sizeof d->sort_first, d->columns[i].name);
    }
    json_t *json = json_object();
    if (d->style[0])
        json_object_set_new(json, "diststyle", json_string(d->style));
    if (d->sort_first[0])
        json_object_set_new(json, "sortkey1", json_string(d->sort_first));
    json_object_set_new(json, "sortkeys", json_integer(d->sort_count));
    char *dumped = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    buf_printf(out, "; COMMENT ON TABLE %s IS ", d->name.data);
    redshift_put_string(out, dumped ? dumped : "{}");
    free(dumped);
    json_decref(json);
}

static int create_as(struct rs_ddl *d)
{
    size_t from = d->at;
    while (redshift_is_op(&d->tokens->list[from], "(")) /* AS (SELECT …) */
        from++;
    if (!redshift_is(&d->tokens->list[from], "select") && !redshift_is(&d->tokens->list[from], "with") &&
        !redshift_is(&d->tokens->list[from], "values"))
        return rs_ddl_unexpected(d);
    buf_text(d->out, " AS ");
    if (redshift_rewrite(d->tokens, d->at, d->tokens->count, d->scope, !redshift_is_op(HERE(d), "("), d->out,
                         d->failure) != 0)
        return -1;
    buf_text(d->table, d->name.data);
    rs_ddl_declare_table(d, d->out);
    return 0;
}

static int create_columns(struct rs_ddl *d)
{
    d->columns = mem_zero(COLUMNS_MAX, sizeof *d->columns);
    do {
        if (rs_ddl_constraint(d))
            continue;
        if (rs_ddl_take(d, "like"))
            return redshift_fail(d->failure, "LIKE among columns is not emulated locally");
        if (d->count == COLUMNS_MAX)
            return redshift_fail(d->failure, "tables can have at most %d columns", COLUMNS_MAX);
        if (d->count > 0)
            buf_text(&d->lines, ", ");
        if (rs_ddl_column(d, &d->columns[d->count], &d->lines) != 0)
            return -1;
        d->count++;
    } while (rs_ddl_take_op(d, ","));
    if (!rs_ddl_take_op(d, ")"))
        return rs_ddl_unexpected(d);
    if (rs_ddl_attributes(d) != 0)
        return -1;
    return HERE(d)->kind == RS_END ? 0 : rs_ddl_unexpected(d);
}

int rs_ddl_create_table(struct rs_ddl *d, bool temporary)
{
    char last[128];
    bool maybe = rs_ddl_if_exists(d, true);
    if (rs_ddl_table_name(d, &d->name, last) != 0)
        return -1;
    temporary |= last[0] == '#';
    struct buf head;
    buf_init(&head, 8192);
    buf_printf(&head, "CREATE %sTABLE %s%s", temporary ? "TEMP " : "", maybe ? "IF NOT EXISTS " : "",
               d->name.data);
    int result;
    size_t open = d->at, close = redshift_is_op(HERE(d), "(") ? HERE(d)->partner : 0;
    bool columns_then_as = close && redshift_is(&d->tokens->list[close + 1], "as");
    if (close && !columns_then_as) {
        d->at++;
        result = create_columns(d);
        buf_printf(d->out, "%s (%s)", head.data, d->lines.data ? d->lines.data : "");
        for (size_t i = 0; i < d->count && result == 0; i++)
            rs_ddl_declare_column(d, d->out, &d->columns[i]);
        if (result == 0)
            rs_ddl_declare_table(d, d->out);
    } else {
        buf_text(d->out, head.data);
        if (columns_then_as) {
            result = redshift_rewrite(d->tokens, open, close + 1, d->scope, false, d->out, d->failure);
            d->at = close + 1;
        } else {
            result = rs_ddl_attributes(d);
        }
        if (result == 0)
            result = rs_ddl_take(d, "as") ? create_as(d) : rs_ddl_unexpected(d);
    }
    buf_free(&head);
    return result;
}
