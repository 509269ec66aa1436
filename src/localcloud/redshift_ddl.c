#include "localcloud/redshift_ddl.h"

#include "base/err.h"
#include "base/text.h"
#include "localcloud/redshift_type.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 1600 /* of a table, as in Redshift */

struct column {
    const char *name;
    struct redshift_type type;
    const char *encode;
    bool distkey, not_null;
    int sortkey; /* from 1; 0 none */
    bool identity;
    long long seed, step;
};

struct ddl {
    const struct redshift_tokens *tokens;
    const struct redshift_scope *scope;
    size_t at;
    uint64_t unique;
    struct buf *out, *table;
    struct redshift_failure *failure;

    /* of CREATE TABLE */
    struct buf name;  /* as the engine knows it */
    struct buf lines; /* of columns */
    struct column *columns;
    size_t count;
    char style[160]; /* "KEY(id)" */
    char sort_first[128];
    int sort_count;
};

#define HERE(d) (&(d)->tokens->list[(d)->at])

static int unexpected(struct ddl *d)
{
    return redshift_fail_at(d->tokens, d->at, d->failure);
}

static bool take(struct ddl *d, const char *word)
{
    return redshift_take(d->tokens, &d->at, word);
}

static bool take_op(struct ddl *d, const char *text)
{
    return redshift_take_op(d->tokens, &d->at, text);
}

/* Behind a parenthesis, or the next token. */
static void skip(struct ddl *d)
{
    d->at = redshift_is_op(HERE(d), "(") ? HERE(d)->partner + 1 : d->at + (HERE(d)->kind != RS_END);
}

static bool if_exists(struct ddl *d, bool not )
{
    size_t at = d->at;
    if (take(d, "if") && (!not || take(d, "not")) && take(d, "exists"))
        return true;
    d->at = at;
    return false;
}

static int table_name(struct ddl *d, struct buf *out, char last[128])
{
    return redshift_rewrite_table(d->tokens, &d->at, d->scope, out, NULL, last, d->failure);
}

/* ---- CREATE TABLE ----------------------------------------------------------------------------------- */

static int identity(struct ddl *d, struct column *column)
{
    char digits[24];
    long long values[2] = {1, 1};
    if (take_op(d, "(")) {
        for (int i = 0; i < 2; i++) {
            bool negative = take_op(d, "-");
            int64_t value;
            snprintf(digits, sizeof digits, "%.*s", (int)HERE(d)->length, HERE(d)->text);
            if (HERE(d)->kind != RS_NUMBER || !text_parse_int(digits, 0, INT32_MAX, &value))
                return unexpected(d);
            values[i] = negative ? -value : value;
            d->at++;
            if (!take_op(d, i == 0 ? "," : ")"))
                return unexpected(d);
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
static int default_value(struct ddl *d, struct buf *line)
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
            skip(d);
    }
    if (d->at == from)
        return unexpected(d);
    buf_text(line, " DEFAULT (");
    if (redshift_rewrite(d->tokens, from, d->at, d->scope, false, line, d->failure) != 0)
        return -1;
    buf_char(line, ')');
    return 0;
}

static int attributes(struct ddl *d, struct column *column, struct buf *line)
{
    for (;;) {
        if (take(d, "not")) {
            if (!take(d, "null"))
                return unexpected(d);
            column->not_null = true;
        } else if (take(d, "null") || take(d, "unique")) {
            continue;
        } else if (take(d, "default")) {
            if (default_value(d, line) != 0)
                return -1;
        } else if (take(d, "identity")) {
            if (identity(d, column) != 0)
                return -1;
        } else if (take(d, "generated")) {
            if (!take(d, "by") || !take(d, "default") || !take(d, "as") || !take(d, "identity"))
                return unexpected(d);
            if (identity(d, column) != 0)
                return -1;
        } else if (take(d, "encode")) {
            if (!redshift_is_name(HERE(d)))
                return unexpected(d);
            column->encode = HERE(d)->value;
            d->at++;
        } else if (take(d, "distkey")) {
            column->distkey = true;
        } else if (take(d, "sortkey")) {
            column->sortkey = ++d->sort_count;
        } else if (take(d, "primary")) {
            if (!take(d, "key"))
                return unexpected(d);
            column->not_null = true;
        } else if (take(d, "references")) {
            struct buf ignored;
            buf_init(&ignored, 4096);
            int result = table_name(d, &ignored, NULL);
            buf_free(&ignored);
            if (result != 0)
                return -1;
            if (redshift_is_op(HERE(d), "("))
                skip(d);
        } else if (take(d, "collate")) {
            skip(d);
        } else {
            return 0;
        }
    }
}

static int column_line(struct ddl *d, struct column *column, struct buf *line)
{
    if (!redshift_is_name(HERE(d)) || strlen(HERE(d)->value) > 127)
        return unexpected(d);
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
static bool table_constraint(struct ddl *d)
{
    size_t begin = d->at;
    if (take(d, "constraint"))
        skip(d);
    if (!redshift_is(HERE(d), "primary") && !redshift_is(HERE(d), "unique") &&
        !redshift_is(HERE(d), "foreign")) {
        d->at = begin;
        return false;
    }
    while (HERE(d)->kind != RS_END && !redshift_is_op(HERE(d), ",") && !redshift_is_op(HERE(d), ")"))
        skip(d);
    return true;
}

static const char *encoding_of(const struct column *column)
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
static void write_declaration(struct ddl *d, struct buf *out, const struct column *column)
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

static struct column *find_column(struct ddl *d, const char *name)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->columns[i].name, name) == 0)
            return &d->columns[i];
    return NULL;
}

/* DISTSTYLE, DISTKEY(…), [COMPOUND | INTERLEAVED] SORTKEY(…), BACKUP, ENCODE AUTO. Without columns (AS) the
 * names of keys are not checked. */
static int table_attributes(struct ddl *d)
{
    for (;;) {
        if (take(d, "diststyle")) {
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
                return unexpected(d);
            d->at++;
        } else if (take(d, "distkey")) {
            if (!take_op(d, "(") || !redshift_is_name(HERE(d)))
                return unexpected(d);
            struct column *column = find_column(d, HERE(d)->value);
            if (column)
                column->distkey = true;
            else if (d->count > 0)
                return redshift_fail(d->failure, "distkey column \"%.127s\" not found in table",
                                     HERE(d)->value);
            snprintf(d->style, sizeof d->style, "KEY(%.127s)", HERE(d)->value);
            d->at++;
            if (!take_op(d, ")"))
                return unexpected(d);
        } else if (take(d, "sortkey") ||
                   (redshift_is(HERE(d), "compound") && (d->at++, take(d, "sortkey"))) ||
                   (redshift_is(HERE(d), "interleaved") && (d->at++, take(d, "sortkey")))) {
            if (take(d, "auto"))
                continue;
            if (!take_op(d, "("))
                return unexpected(d);
            do {
                if (!redshift_is_name(HERE(d)))
                    return unexpected(d);
                struct column *column = find_column(d, HERE(d)->value);
                if (!column && d->count > 0)
                    return redshift_fail(d->failure, "sortkey column \"%.127s\" not found in table",
                                         HERE(d)->value);
                d->sort_count++;
                if (column)
                    column->sortkey = d->sort_count;
                if (d->sort_count == 1)
                    text_copy(d->sort_first, sizeof d->sort_first, HERE(d)->value);
                d->at++;
            } while (take_op(d, ","));
            if (!take_op(d, ")"))
                return unexpected(d);
        } else if (take(d, "backup") || take(d, "encode")) {
            skip(d);
        } else {
            return 0;
        }
    }
}

static void write_table_comment(struct ddl *d, struct buf *out)
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

static int create_as(struct ddl *d)
{
    size_t from = d->at;
    while (redshift_is_op(&d->tokens->list[from], "(")) /* AS (SELECT …) */
        from++;
    if (!redshift_is(&d->tokens->list[from], "select") && !redshift_is(&d->tokens->list[from], "with") &&
        !redshift_is(&d->tokens->list[from], "values"))
        return unexpected(d);
    buf_text(d->out, " AS ");
    if (redshift_rewrite(d->tokens, d->at, d->tokens->count, d->scope, !redshift_is_op(HERE(d), "("), d->out,
                         d->failure) != 0)
        return -1;
    buf_text(d->table, d->name.data);
    write_table_comment(d, d->out);
    return 0;
}

static int create_columns(struct ddl *d)
{
    d->columns = mem_zero(COLUMNS_MAX, sizeof *d->columns);
    do {
        if (table_constraint(d))
            continue;
        if (take(d, "like"))
            return redshift_fail(d->failure, "LIKE among columns is not emulated locally");
        if (d->count == COLUMNS_MAX)
            return redshift_fail(d->failure, "tables can have at most %d columns", COLUMNS_MAX);
        if (d->count > 0)
            buf_text(&d->lines, ", ");
        if (column_line(d, &d->columns[d->count], &d->lines) != 0)
            return -1;
        d->count++;
    } while (take_op(d, ","));
    if (!take_op(d, ")"))
        return unexpected(d);
    if (table_attributes(d) != 0)
        return -1;
    return HERE(d)->kind == RS_END ? 0 : unexpected(d);
}

static int create_table(struct ddl *d, bool temporary)
{
    char last[128];
    bool maybe = if_exists(d, true);
    if (table_name(d, &d->name, last) != 0)
        return -1;
    temporary |= last[0] == '#';
    struct buf head;
    buf_init(&head, 8192);
    buf_printf(&head, "CREATE %sTABLE %s%s", temporary ? "TEMP " : "", maybe ? "IF NOT EXISTS " : "",
               d->name.data);
    int result;
    size_t open = d->at, close = redshift_is_op(HERE(d), "(") ? HERE(d)->partner : 0;
    bool columns_then_as = close && redshift_is(&d->tokens->list[close + 1], "as");
    if (close && !columns_then_as && redshift_is(&d->tokens->list[open + 1], "like")) {
        d->at = open + 2;
        buf_printf(d->out, "%s AS SELECT * FROM ", head.data);
        result = table_name(d, d->out, NULL);
        buf_text(d->out, " LIMIT 0");
    } else if (close && !columns_then_as) {
        d->at++;
        result = create_columns(d);
        buf_printf(d->out, "%s (%s)", head.data, d->lines.data ? d->lines.data : "");
        for (size_t i = 0; i < d->count && result == 0; i++)
            write_declaration(d, d->out, &d->columns[i]);
        if (result == 0)
            write_table_comment(d, d->out);
    } else {
        buf_text(d->out, head.data);
        if (columns_then_as) {
            result = redshift_rewrite(d->tokens, open, close + 1, d->scope, false, d->out, d->failure);
            d->at = close + 1;
        } else {
            result = table_attributes(d);
        }
        if (result == 0)
            result = take(d, "as") ? create_as(d) : unexpected(d);
    }
    buf_free(&head);
    return result;
}

static int create(struct ddl *d)
{
    bool replace = take(d, "or") && take(d, "replace");
    take(d, "local");
    bool temporary = take(d, "temporary") || take(d, "temp");
    if (take(d, "table"))
        return create_table(d, temporary);
    if (take(d, "view")) {
        buf_printf(d->out, "CREATE %sVIEW ", replace ? "OR REPLACE " : "");
        if (table_name(d, d->out, NULL) != 0)
            return -1;
        if (redshift_is_op(HERE(d), "(")) {
            size_t close = HERE(d)->partner;
            if (redshift_rewrite(d->tokens, d->at, close + 1, d->scope, false, d->out, d->failure) != 0)
                return -1;
            d->at = close + 1;
        }
        if (!take(d, "as"))
            return unexpected(d);
        size_t to = d->tokens->count;
        if (to > d->at + 4 && redshift_is(&d->tokens->list[to - 1], "binding") &&
            redshift_is(&d->tokens->list[to - 4], "with"))
            to -= 4; /* WITH NO SCHEMA BINDING */
        buf_text(d->out, " AS ");
        return redshift_rewrite(d->tokens, d->at, to, d->scope, true, d->out, d->failure);
    }
    if (take(d, "schema")) {
        bool maybe = if_exists(d, true);
        if (!redshift_is_name(HERE(d)) || redshift_is(HERE(d), "main"))
            return unexpected(d);
        buf_printf(d->out, "CREATE SCHEMA %s", maybe ? "IF NOT EXISTS " : "");
        return table_name(d, d->out, NULL);
    }
    if (take(d, "user") || take(d, "group") || take(d, "role"))
        return 0;
    return redshift_fail(d->failure, "CREATE %.40s is not emulated locally",
                         HERE(d)->value ? HERE(d)->value : "");
}

int redshift_ddl_write_into(const struct redshift_tokens *tokens, const struct redshift_scope *scope,
                            size_t into, struct buf *out, struct buf *table, struct redshift_failure *failure)
{
    size_t at = into + 1;
    bool temporary = redshift_take(tokens, &at, "temporary") || redshift_take(tokens, &at, "temp");
    redshift_take(tokens, &at, "table");
    char last[128];
    if (redshift_rewrite_table(tokens, &at, scope, table, NULL, last, failure) != 0)
        return -1;
    buf_printf(out, "CREATE %sTABLE %s AS ", temporary || last[0] == '#' ? "TEMP " : "", table->data);
    if (redshift_rewrite(tokens, 0, into, scope, true, out, failure) != 0)
        return -1;
    buf_char(out, ' ');
    return redshift_rewrite(tokens, at, tokens->count, scope, false, out, failure);
}

bool redshift_ddl_select_into(const struct redshift_tokens *tokens, size_t *into)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (redshift_is_op(&tokens->list[i], "("))
            i = tokens->list[i].partner;
        else if (redshift_is(&tokens->list[i], "into")) {
            *into = i;
            return true;
        }
    }
    return false;
}

/* ---- ALTER, DROP, TRUNCATE -------------------------------------------------------------------------- */

static int drop(struct ddl *d)
{
    static const char *const kinds[][2] = {{"table", "TABLE"}, {"view", "VIEW"}, {"schema", "SCHEMA"}};
    const char *kind = NULL;
    for (size_t i = 0; i < 3 && !kind; i++)
        if (take(d, kinds[i][0]))
            kind = kinds[i][1];
    if (!kind && (take(d, "user") || take(d, "group") || take(d, "role")))
        return 0;
    if (!kind)
        return redshift_fail(d->failure, "DROP %.40s is not emulated locally",
                             HERE(d)->value ? HERE(d)->value : "");
    bool maybe = if_exists(d, false);
    bool cascade = redshift_is(&d->tokens->list[d->tokens->count - 1], "cascade");
    do {
        buf_printf(d->out, "%sDROP %s %s", d->out->length > 0 ? "; " : "", kind, maybe ? "IF EXISTS " : "");
        if (table_name(d, d->out, NULL) != 0)
            return -1;
        if (cascade)
            buf_text(d->out, " CASCADE");
    } while (take_op(d, ","));
    if (!take(d, "cascade"))
        take(d, "restrict");
    return HERE(d)->kind == RS_END ? 0 : unexpected(d);
}

static int add_column(struct ddl *d)
{
    struct column column = {0};
    struct buf line;
    take(d, "column");
    if (table_constraint(d))
        return 0;
    buf_init(&line, 65536);
    d->count = 1;
    int result = column_line(d, &column, &line);
    char *check = line.data ? strstr(line.data, " CHECK (") : NULL;
    if (check)
        *check = '\0'; /* the engine adds no column with a constraint */
    char *null = line.data ? strstr(line.data, " NOT NULL") : NULL;
    if (null)
        *null = '\0';
    if (result == 0) {
        buf_printf(d->out, "ALTER TABLE %s ADD COLUMN %s", d->name.data, line.data);
        if (column.not_null && !column.identity) {
            buf_printf(d->out, "; ALTER TABLE %s ALTER COLUMN ", d->name.data);
            redshift_put_name(d->out, column.name);
            buf_text(d->out, " SET NOT NULL");
        }
        write_declaration(d, d->out, &column);
    }
    d->count = 0;
    buf_free(&line);
    return result;
}

static int alter(struct ddl *d)
{
    if (!take(d, "table"))
        return redshift_is(HERE(d), "user") || redshift_is(HERE(d), "schema") || redshift_is(HERE(d), "group")
                   ? 0
                   : redshift_fail(d->failure, "ALTER %.40s is not emulated locally",
                                   HERE(d)->value ? HERE(d)->value : "");
    if (table_name(d, &d->name, NULL) != 0)
        return -1;
    if (take(d, "add"))
        return add_column(d);
    if (take(d, "drop")) {
        if (take(d, "constraint"))
            return 0;
        take(d, "column");
        if (!redshift_is_name(HERE(d)))
            return unexpected(d);
        buf_printf(d->out, "ALTER TABLE %s DROP COLUMN ", d->name.data);
        redshift_put_name(d->out, HERE(d)->value);
        return 0;
    }
    if (take(d, "rename")) {
        bool column = take(d, "column");
        const char *from = column && redshift_is_name(HERE(d)) ? HERE(d)->value : NULL;
        if (column)
            d->at++;
        if (!take(d, "to") || !redshift_is_name(HERE(d)))
            return unexpected(d);
        buf_printf(d->out, "ALTER TABLE %s RENAME ", d->name.data);
        if (from)
            redshift_put_name(d->out, from);
        buf_text(d->out, " TO ");
        redshift_put_name(d->out, HERE(d)->value);
        return 0;
    }
    if (take(d, "alter")) {
        if (redshift_is(HERE(d), "distkey") || redshift_is(HERE(d), "sortkey") ||
            redshift_is(HERE(d), "diststyle") || redshift_is(HERE(d), "compound") ||
            redshift_is(HERE(d), "encode")) {
            if (table_attributes(d) != 0)
                return -1;
            write_table_comment(d, d->out);
            buf_consume(d->out, 2); /* "; " */
            return 0;
        }
        take(d, "column");
        struct column column = {.name = HERE(d)->value};
        if (!redshift_is_name(HERE(d)))
            return unexpected(d);
        d->at++;
        if (take(d, "encode"))
            return 0;
        if (!take(d, "type"))
            return unexpected(d);
        if (redshift_type_parse(d->tokens, &d->at, &column.type, d->failure) != 0)
            return -1;
        if (column.type.kind != RS_VARCHAR)
            return redshift_fail(d->failure, "ALTER COLUMN TYPE is only supported for VARCHAR columns");
        write_declaration(d, d->out, &column);
        buf_consume(d->out, 2);
        return 0;
    }
    if (take(d, "owner") || take(d, "row"))
        return 0;
    return unexpected(d);
}

int redshift_ddl(const struct redshift_tokens *tokens, const struct redshift_scope *scope, uint64_t unique,
                 struct buf *out, struct buf *table, struct redshift_failure *failure)
{
    struct ddl d = {
        .tokens = tokens, .scope = scope, .unique = unique, .out = out, .table = table, .failure = failure};
    buf_init(&d.name, 1024);
    buf_init(&d.lines, 1u << 20);
    int result;
    if (take(&d, "create")) {
        result = create(&d);
    } else if (take(&d, "drop")) {
        result = drop(&d);
    } else if (take(&d, "alter")) {
        result = alter(&d);
    } else { /* TRUNCATE */
        d.at++;
        take(&d, "table");
        buf_text(out, "DELETE FROM ");
        result = table_name(&d, out, NULL);
        if (result == 0 && HERE(&d)->kind != RS_END)
            result = unexpected(&d);
    }
    free(d.columns);
    buf_free(&d.name);
    buf_free(&d.lines);
    return result == 0 && out->overflow ? redshift_fail(failure, "the statement is too complex") : result;
}
