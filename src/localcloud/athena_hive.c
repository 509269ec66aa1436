#include "localcloud/athena_hive.h"

#include <stdio.h>
#include <string.h>

static bool is_list(const struct duck_type *type)
{
    return type->kind == DUCK_LIST || type->kind == DUCK_ARRAY;
}

bool athena_hive_type(struct buf *out, const struct duck_type *type)
{
    static const struct {
        enum duck_kind kind;
        const char *name;
    } plain[] = {{DUCK_BOOLEAN, "boolean"},
                 {DUCK_TINYINT, "tinyint"},
                 {DUCK_SMALLINT, "smallint"},
                 {DUCK_INTEGER, "int"},
                 {DUCK_BIGINT, "bigint"},
                 {DUCK_FLOAT, "float"},
                 {DUCK_DOUBLE, "double"},
                 {DUCK_DATE, "date"},
                 {DUCK_VARCHAR, "string"},
                 {DUCK_BLOB, "binary"},
                 {DUCK_TIMESTAMP, "timestamp"},
                 {DUCK_TIMESTAMP_MS, "timestamp"},
                 {DUCK_ENUM, "string"},
                 {DUCK_TIMESTAMP_S, "timestamp"},
                 {DUCK_TIMESTAMP_NS, "timestamp"},
                 {DUCK_UTINYINT, "smallint"},
                 {DUCK_USMALLINT, "int"},
                 {DUCK_UINTEGER, "bigint"}};
    if (type->json)
        return false;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i].kind == type->kind)
            return buf_text(out, plain[i].name);
    if (type->kind == DUCK_HUGEINT || type->kind == DUCK_UBIGINT)
        return buf_text(out, "bigint");
    if (type->kind == DUCK_DECIMAL)
        return buf_printf(out, "decimal(%d,%d)", type->width, type->scale);
    if (!is_list(type) && type->kind != DUCK_MAP && type->kind != DUCK_STRUCT)
        return false;
    buf_text(out, is_list(type) ? "array<" : type->kind == DUCK_MAP ? "map<" : "struct<");
    for (size_t i = 0; i < type->count; i++) {
        buf_text(out, i ? "," : "");
        if (type->kind == DUCK_STRUCT && (!type->names[i] || !*type->names[i]))
            buf_printf(out, "field%zu:", i);
        else if (type->kind == DUCK_STRUCT)
            buf_printf(out, "%s:", type->names[i]);
        if (!athena_hive_type(out, &type->children[i]))
            return false;
    }
    return buf_char(out, '>');
}

/* Word by word: the brackets become parentheses, ':' a blank, and three words have other names. */
void athena_hive_shown(struct buf *out, const char *hive)
{
    static const char *const words[][2] = {{"int", "integer"}, {"string", "varchar"},
                                           {"float", "real"},  {"binary", "varbinary"},
                                           {"struct", "row"},  {"timestamp", "timestamp(3)"}};
    while (*hive) {
        size_t length = strcspn(hive, "<>,:");
        const char *colon = hive + length;
        bool name = *colon == ':'; /* of a field */
        bool known = false;
        for (size_t i = 0; i < sizeof words / sizeof *words && !name && !known; i++)
            if (strlen(words[i][0]) == length && strncmp(words[i][0], hive, length) == 0) {
                buf_text(out, words[i][1]);
                known = true;
            }
        if (!known)
            buf_append(out, hive, length);
        hive = colon;
        if (!*hive)
            break;
        buf_text(out, *hive == '<' ? "(" : *hive == '>' ? ")" : *hive == ',' ? ", " : " ");
        hive++;
    }
}

/* Whole numbers by size, then real, then double: each is stored by those behind it. */
static int rank(const struct duck_type *type)
{
    static const enum duck_kind order[] = {DUCK_TINYINT, DUCK_SMALLINT, DUCK_INTEGER,
                                           DUCK_BIGINT,  DUCK_FLOAT,    DUCK_DOUBLE};
    for (int i = 0; i < 6; i++)
        if (order[i] == type->kind)
            return i + 1;
    return type->kind == DUCK_HUGEINT || type->kind == DUCK_UBIGINT || type->kind == DUCK_UINTEGER ? 4 : 0;
}

bool athena_hive_stores(const struct duck_type *from, const struct duck_type *to)
{
    if (from->kind == DUCK_SQLNULL)
        return true;
    if (to->kind == DUCK_DECIMAL) {
        static const int digits[] = {0, 3, 5, 10, 19, 39, 39};
        if (from->kind == DUCK_DECIMAL)
            return from->scale <= to->scale && from->width - from->scale <= to->width - to->scale;
        return rank(from) > 0 && digits[rank(from)] <= to->width - to->scale;
    }
    if (from->kind == DUCK_DECIMAL)
        return to->kind == DUCK_FLOAT || to->kind == DUCK_DOUBLE;
    if (rank(from) > 0 && rank(to) > 0)
        return rank(from) <= rank(to);
    if (from->kind == DUCK_DATE && to->kind == DUCK_TIMESTAMP)
        return true;
    if (is_list(from) && is_list(to))
        return athena_hive_stores(&from->children[0], &to->children[0]);
    bool timestamps = (from->kind == DUCK_TIMESTAMP_S || from->kind == DUCK_TIMESTAMP_MS ||
                       from->kind == DUCK_TIMESTAMP_NS) &&
                      to->kind == DUCK_TIMESTAMP;
    if (timestamps || (from->kind == DUCK_ENUM && to->kind == DUCK_VARCHAR))
        return true;
    if (from->kind != to->kind || from->json != to->json || from->count != to->count)
        return false;
    for (size_t i = 0; i < from->count; i++)
        if (!athena_hive_stores(&from->children[i], &to->children[i]))
            return false;
    return true;
}

/* ---- to the engine's words -------------------------------------------------------------------------- */

static bool type_at(const char **at, struct buf *out, int depth);

static void quoted(struct buf *out, const char *text, size_t length, char quote)
{
    buf_char(out, quote);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == quote)
            buf_char(out, quote);
        buf_char(out, text[i]);
    }
    buf_char(out, quote);
}

static bool fields(const char **at, struct buf *out, int depth)
{
    for (bool first = true;; first = false) {
        const char *colon = strchr(*at, ':');
        if (!colon || colon == *at)
            return false;
        buf_text(out, first ? "" : ", ");
        quoted(out, *at, (size_t)(colon - *at), '"');
        buf_char(out, ' ');
        *at = colon + 1;
        if (!type_at(at, out, depth + 1))
            return false;
        if (**at != ',')
            return true;
        ++*at;
    }
}

static bool type_at(const char **at, struct buf *out, int depth)
{
    static const char *const plain[][2] = {
        {"boolean", "BOOLEAN"}, {"tinyint", "TINYINT"},     {"smallint", "SMALLINT"}, {"integer", "INTEGER"},
        {"int", "INTEGER"},     {"bigint", "BIGINT"},       {"float", "FLOAT"},       {"double", "DOUBLE"},
        {"string", "VARCHAR"},  {"varchar", "VARCHAR"},     {"char", "VARCHAR"},      {"binary", "BLOB"},
        {"date", "DATE"},       {"timestamp", "TIMESTAMP"}, {"decimal", "DECIMAL"}};
    size_t length = strcspn(*at, "<>(),:");
    if (depth > 32)
        return false;
    bool array = length == 5 && strncmp(*at, "array", 5) == 0,
         map = length == 3 && strncmp(*at, "map", 3) == 0;
    if ((array || map || (length == 6 && strncmp(*at, "struct", 6) == 0)) && (*at)[length] == '<') {
        *at += length + 1;
        buf_text(out, array ? "" : map ? "MAP(" : "STRUCT(");
        if (!(array || map ? type_at(at, out, depth + 1) : fields(at, out, depth)))
            return false;
        if (map) {
            if (*(*at)++ != ',')
                return false;
            buf_char(out, ',');
            if (!type_at(at, out, depth + 1))
                return false;
        }
        buf_text(out, array ? "[]" : ")");
        return *(*at)++ == '>';
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strlen(plain[i][0]) != length || strncmp(*at, plain[i][0], length) != 0)
            continue;
        *at += length;
        buf_text(out, plain[i][1]);
        if (**at == '(') {
            size_t size = strspn(*at + 1, "0123456789, ");
            if ((*at)[size + 1] != ')')
                return false;
            if (strcmp(plain[i][0], "decimal") == 0)
                buf_append(out, *at, size + 2);
            *at += size + 2;
        }
        return true;
    }
    return false;
}

bool athena_hive_engine(struct buf *out, const char *hive)
{
    return type_at(&hive, out, 0) && *hive == '\0';
}
