#include "localcloud/redshift_type.h"

#include "base/text.h"

#include <string.h>

#define VARCHAR_MAX     65535
#define CHAR_MAX_LENGTH 4096

static const struct {
    const char *name, *brief, *duck;
    int precision; /* as the JDBC driver reports it; 0: the length, or given */
} kinds[RS_KINDS] = {
    [RS_SMALLINT] = {"smallint", "int2", "SMALLINT", 5},
    [RS_INTEGER] = {"integer", "int4", "INTEGER", 10},
    [RS_BIGINT] = {"bigint", "int8", "BIGINT", 19},
    [RS_DECIMAL] = {"numeric", "numeric", "DECIMAL", 0},
    [RS_REAL] = {"real", "float4", "FLOAT", 8},
    [RS_DOUBLE] = {"double precision", "float8", "DOUBLE", 17},
    [RS_BOOLEAN] = {"boolean", "bool", "BOOLEAN", 1},
    [RS_CHAR] = {"character", "bpchar", "VARCHAR", 0},
    [RS_VARCHAR] = {"character varying", "varchar", "VARCHAR", 0},
    [RS_DATE] = {"date", "date", "DATE", 13},
    [RS_TIMESTAMP] = {"timestamp without time zone", "timestamp", "TIMESTAMP", 29},
    [RS_TIMESTAMPTZ] = {"timestamp with time zone", "timestamptz", "TIMESTAMPTZ", 35},
    [RS_TIME] = {"time without time zone", "time", "TIME", 15},
    [RS_TIMETZ] = {"time with time zone", "timetz", "TIMETZ", 21},
    [RS_INTERVAL] = {"interval", "interval", "INTERVAL", 49},
    [RS_SUPER] = {"super", "super", "JSON", 16000000},
    [RS_VARBYTE] = {"binary varying", "varbyte", "BLOB", 0},
};

static const struct {
    const char *word;
    enum redshift_kind kind;
} words[] = {
    {"smallint", RS_SMALLINT},   {"int2", RS_SMALLINT},
    {"integer", RS_INTEGER},     {"int", RS_INTEGER},
    {"int4", RS_INTEGER},        {"bigint", RS_BIGINT},
    {"int8", RS_BIGINT},         {"decimal", RS_DECIMAL},
    {"numeric", RS_DECIMAL},     {"real", RS_REAL},
    {"float4", RS_REAL},         {"double", RS_DOUBLE},
    {"float8", RS_DOUBLE},       {"float", RS_DOUBLE},
    {"boolean", RS_BOOLEAN},     {"bool", RS_BOOLEAN},
    {"char", RS_CHAR},           {"character", RS_CHAR},
    {"nchar", RS_CHAR},          {"bpchar", RS_CHAR},
    {"varchar", RS_VARCHAR},     {"nvarchar", RS_VARCHAR},
    {"text", RS_VARCHAR},        {"date", RS_DATE},
    {"timestamp", RS_TIMESTAMP}, {"timestamptz", RS_TIMESTAMPTZ},
    {"time", RS_TIME},           {"timetz", RS_TIMETZ},
    {"interval", RS_INTERVAL},   {"super", RS_SUPER},
    {"varbyte", RS_VARBYTE},     {"varbinary", RS_VARBYTE},
    {"binary", RS_VARBYTE},
};

static const char *const absent[] = {"geometry", "geography", "hllsketch", "oid", "regclass"};

static bool length_of(const struct redshift_token *token, int64_t most, int64_t *value)
{
    char text[12];
    if (token->kind != RS_NUMBER || token->length >= sizeof text)
        return false;
    memcpy(text, token->text, token->length);
    text[token->length] = '\0';
    return text_parse_int(text, 0, most, value);
}

static int too_long(const struct redshift_type *type, int most, struct redshift_failure *failure)
{
    return redshift_fail(failure, "length for type %s cannot exceed %d", kinds[type->kind].name, most);
}

static int parenthesis(const struct redshift_tokens *tokens, size_t *at, struct redshift_type *type,
                       struct redshift_failure *failure)
{
    int64_t first = 0, second = 0;
    size_t place = *at + 1;
    bool text = type->kind == RS_CHAR || type->kind == RS_VARCHAR || type->kind == RS_VARBYTE;
    if (redshift_is(&tokens->list[place], "max") && text && type->kind != RS_CHAR)
        first = VARCHAR_MAX;
    else if (!length_of(&tokens->list[place], 100000000, &first))
        return redshift_fail_at(tokens, place, failure);
    place++;
    if (redshift_take_op(tokens, &place, ",") && !length_of(&tokens->list[place++], 100, &second))
        return redshift_fail_at(tokens, place - 1, failure);
    if (!redshift_take_op(tokens, &place, ")"))
        return redshift_fail_at(tokens, place, failure);
    *at = place;
    if (type->kind == RS_DECIMAL) {
        if (first < 1 || first > 38)
            return redshift_fail(failure, "NUMERIC precision %d must be between 1 and 38", (int)first);
        if (second > first || second > 37)
            return redshift_fail(failure, "NUMERIC scale %d must be between 0 and precision %d", (int)second,
                                 (int)first);
        type->precision = (int)first;
        type->scale = (int)second;
    } else if (text) {
        int most = type->kind == RS_CHAR ? CHAR_MAX_LENGTH : VARCHAR_MAX;
        if (first < 1)
            return redshift_fail(failure, "length for type %s must be at least 1", kinds[type->kind].name);
        if (first > most)
            return too_long(type, most, failure);
        type->length = (int)first;
    } else if (type->kind == RS_DOUBLE && first <= 24) {
        type->kind = RS_REAL; /* FLOAT(24) */
    }
    return 0;
}

int redshift_type_parse(const struct redshift_tokens *tokens, size_t *at, struct redshift_type *type,
                        struct redshift_failure *failure)
{
    const struct redshift_token *token = &tokens->list[*at];
    size_t i, count = sizeof words / sizeof *words;
    for (i = 0; i < sizeof absent / sizeof *absent; i++)
        if (redshift_is(token, absent[i]))
            return redshift_fail(failure, "type %s is not emulated locally", absent[i]);
    for (i = 0; i < count && !redshift_is(token, words[i].word); i++)
        ;
    if (i == count && redshift_is_name(token))
        return redshift_fail(failure, "type \"%s\" does not exist", token->value);
    if (i == count)
        return redshift_fail_at(tokens, *at, failure);
    bool brief = strncmp(words[i].word, "bp", 2) == 0;
    *type = (struct redshift_type){.kind = words[i].kind, .precision = 18};
    ++*at;
    if (redshift_is(token, "character") || redshift_is(token, "char") || redshift_is(token, "binary"))
        if (redshift_take(tokens, at, "varying"))
            type->kind = type->kind == RS_CHAR ? RS_VARCHAR : RS_VARBYTE;
    if (redshift_is(token, "double"))
        redshift_take(tokens, at, "precision");
    type->length = type->kind == RS_VARCHAR || brief ? 256 : type->kind == RS_VARBYTE ? 64000 : 1;
    if (redshift_is_op(&tokens->list[*at], "(") && parenthesis(tokens, at, type, failure) != 0)
        return -1;
    bool with = redshift_is(&tokens->list[*at], "with"), without = redshift_is(&tokens->list[*at], "without");
    if ((type->kind == RS_TIMESTAMP || type->kind == RS_TIME) && (with || without) &&
        redshift_is(&tokens->list[*at + 1], "time") && redshift_is(&tokens->list[*at + 2], "zone")) {
        *at += 3;
        if (with)
            type->kind = type->kind == RS_TIMESTAMP ? RS_TIMESTAMPTZ : RS_TIMETZ;
    }
    return 0;
}

struct redshift_type redshift_type_of(const struct duck_type *type)
{
    struct redshift_type out = {.kind = RS_VARCHAR, .length = 256, .precision = 18};
    switch (type->kind) {
    case DUCK_BOOLEAN:
        out.kind = RS_BOOLEAN;
        break;
    case DUCK_TINYINT:
    case DUCK_UTINYINT:
    case DUCK_SMALLINT:
        out.kind = RS_SMALLINT;
        break;
    case DUCK_USMALLINT:
    case DUCK_INTEGER:
        out.kind = RS_INTEGER;
        break;
    case DUCK_UINTEGER:
    case DUCK_BIGINT:
    case DUCK_HUGEINT: /* sums of integers */
    case DUCK_UBIGINT:
        out.kind = RS_BIGINT;
        break;
    case DUCK_FLOAT:
        out.kind = RS_REAL;
        break;
    case DUCK_DOUBLE:
        out.kind = RS_DOUBLE;
        break;
    case DUCK_DECIMAL:
        out.kind = RS_DECIMAL;
        out.precision = type->width;
        out.scale = type->scale;
        break;
    case DUCK_DATE:
        out.kind = RS_DATE;
        break;
    case DUCK_TIMESTAMP:
    case DUCK_TIMESTAMP_S:
    case DUCK_TIMESTAMP_MS:
    case DUCK_TIMESTAMP_NS:
        out.kind = RS_TIMESTAMP;
        break;
    case DUCK_TIMESTAMP_TZ:
        out.kind = RS_TIMESTAMPTZ;
        break;
    case DUCK_TIME:
        out.kind = RS_TIME;
        break;
    case DUCK_TIME_TZ:
        out.kind = RS_TIMETZ;
        break;
    case DUCK_INTERVAL:
        out.kind = RS_INTERVAL;
        break;
    case DUCK_BLOB:
        out.kind = RS_VARBYTE;
        out.length = 64000;
        break;
    default:
        if (type->json)
            out.kind = RS_SUPER;
        break;
    }
    return out;
}

static bool has_length(enum redshift_kind kind)
{
    return kind == RS_CHAR || kind == RS_VARCHAR || kind == RS_VARBYTE;
}

void redshift_type_write(const struct redshift_type *type, struct buf *out)
{
    buf_text(out, kinds[type->kind].name);
    if (has_length(type->kind))
        buf_printf(out, "(%d)", type->length);
    else if (type->kind == RS_DECIMAL)
        buf_printf(out, "(%d,%d)", type->precision, type->scale);
}

void redshift_type_write_duck(const struct redshift_type *type, struct buf *out)
{
    buf_text(out, kinds[type->kind].duck);
    if (type->kind == RS_DECIMAL)
        buf_printf(out, "(%d,%d)", type->precision, type->scale);
}

const char *redshift_type_name(enum redshift_kind kind)
{
    return kinds[kind].name;
}

const char *redshift_type_short(enum redshift_kind kind)
{
    return kinds[kind].brief;
}

int redshift_type_precision(const struct redshift_type *type)
{
    return has_length(type->kind)     ? type->length
           : type->kind == RS_DECIMAL ? type->precision
                                      : kinds[type->kind].precision;
}

json_t *redshift_type_metadata(const struct redshift_type *type, const char *name)
{
    bool is_signed = type->kind <= RS_DOUBLE;
    int scale = type->kind == RS_DECIMAL                                     ? type->scale
                : type->kind == RS_DOUBLE                                    ? 17
                : type->kind == RS_REAL                                      ? 8
                : type->kind == RS_TIMESTAMP || type->kind == RS_TIMESTAMPTZ ? 6
                                                                             : 0;
    return json_pack("{s:b,s:b,s:b,s:s,s:i,s:s,s:i,s:i,s:i,s:s,s:s,s:s}", "isCaseSensitive",
                     type->kind == RS_CHAR || type->kind == RS_VARCHAR || type->kind == RS_SUPER,
                     "isCurrency", 0, "isSigned", is_signed, "label", name, "length", 0, "name", name,
                     "nullable", 1, "precision", redshift_type_precision(type), "scale", scale, "schemaName",
                     "", "tableName", "", "typeName", kinds[type->kind].brief);
}
