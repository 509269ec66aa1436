#include "localcloud/athena_table.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "localcloud/athena_parser.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_LIMIT 131072

/* word, input format, output format, SerDe */
static const char *const formats[][4] = {
    {"PARQUET", "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
     "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
     "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    {"TEXTFILE", "org.apache.hadoop.mapred.TextInputFormat",
     "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
     "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"},
    {"JSON", "org.apache.hadoop.mapred.TextInputFormat",
     "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat", "org.openx.data.jsonserde.JsonSerDe"},
    {"ORC", "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
     "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat", "org.apache.hadoop.hive.ql.io.orc.OrcSerde"}};

const char *const *athena_table_format(const char *word)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (text_equal_fold(word, formats[i][0]))
            return formats[i] + 1;
    return NULL;
}

/* A Hive type, as it stands, in lower case and without blanks: array<struct<a:int>>, decimal(10,2). */
static char *type_text(struct parser *p)
{
    struct buf out;
    buf_init(&out, TYPE_LIMIT);
    int angles = 0;
    const struct athena_token *token = parser_peek(p, 0);
    if (!athena_is_name(token)) {
        parser_refuse(p);
        return NULL;
    }
    do {
        token = parser_peek(p, 0);
        if (token->kind == TOKEN_END)
            break;
        if (athena_is_op(token, "(")) { /* decimal(10,2), varchar(5) */
            for (size_t close = token->partner; p->at <= close; p->at++)
                buf_append(&out, parser_peek(p, 0)->text, parser_peek(p, 0)->length);
            continue;
        }
        /* ">>" comes as two; "<>" and ">=" cannot stand here */
        angles += athena_is_op(token, "<") - athena_is_op(token, ">");
        if (athena_is_name(token)) {
            char *name = athena_unquote(token);
            for (char *at = name; *at; at++)
                *at = (char)tolower((unsigned char)*at);
            buf_text(&out, name);
            free(name);
        } else if (athena_is_op(token, "<") || athena_is_op(token, ">") || athena_is_op(token, ":") ||
                   (athena_is_op(token, ",") && angles > 0)) {
            buf_append(&out, token->text, token->length);
        } else {
            break;
        }
        p->at++;
    } while (angles > 0 || athena_is_op(parser_peek(p, 0), "<") || athena_is_op(parser_peek(p, 0), "("));
    if (angles != 0 || out.overflow) {
        buf_free(&out);
        parser_refuse(p);
        return NULL;
    }
    return out.data;
}

static int add_column(struct parser *p, json_t *columns)
{
    char *name = parser_name(p);
    char *type = name ? type_text(p) : NULL;
    char *comment = NULL;
    bool wrong = !type || (parser_word(p, "COMMENT") && !(comment = parser_text(p)));
    if (!wrong) {
        json_t *column =
            json_pack("{s:s,s:s}", "Name", name, "Type", strcmp(type, "integer") == 0 ? "int" : type);
        if (comment)
            json_object_set_new(column, "Comment", json_string(comment));
        json_array_append_new(columns, column);
    }
    free(name);
    free(type);
    free(comment);
    return wrong ? -1 : 0;
}

json_t *athena_table_column(struct parser *p)
{
    json_t *columns = json_array();
    if (add_column(p, columns) == 0)
        return columns;
    json_decref(columns);
    return NULL;
}

json_t *athena_table_columns(struct parser *p)
{
    if (!parser_op(p, "("))
        return parser_refuse(p), NULL;
    json_t *columns = json_array();
    bool wrong;
    do
        wrong = add_column(p, columns) != 0;
    while (!wrong && parser_op(p, ","));
    if (!wrong && parser_op(p, ")"))
        return columns;
    json_decref(columns);
    if (!wrong)
        parser_refuse(p);
    return NULL;
}

static json_t *property_value(struct parser *p)
{
    const struct athena_token *token = parser_peek(p, 0);
    if (token->kind == TOKEN_STRING || token->kind == TOKEN_QUOTED || token->kind == TOKEN_WORD) {
        if (athena_is(token, "ARRAY") && athena_is_op(parser_peek(p, 1), "[")) {
            json_t *list = json_array();
            p->at += 2;
            do {
                json_t *item = property_value(p);
                if (!item) {
                    json_decref(list);
                    return NULL;
                }
                json_array_append_new(list, item);
            } while (parser_op(p, ","));
            if (parser_op(p, "]"))
                return list;
            json_decref(list);
            return parser_refuse(p), NULL;
        }
        p->at++;
        if (athena_is(token, "TRUE") || athena_is(token, "FALSE"))
            return json_boolean(athena_is(token, "TRUE"));
        char *text = athena_unquote(token);
        json_t *value = json_string(text);
        free(text);
        return value;
    }
    int64_t number;
    char digits[24];
    if (token->kind == TOKEN_INTEGER && token->length < sizeof digits) {
        text_copy(digits, token->length + 1, token->text);
        if (text_parse_int(digits, 0, INT64_MAX, &number)) {
            p->at++;
            return json_integer(number);
        }
    }
    return parser_refuse(p), NULL;
}

json_t *parser_properties(struct parser *p)
{
    if (!parser_op(p, "("))
        return parser_refuse(p), NULL;
    json_t *properties = json_object();
    do {
        const struct athena_token *token = parser_peek(p, 0);
        char *name =
            token->kind == TOKEN_STRING || token->kind == TOKEN_QUOTED ? athena_unquote(token) : NULL;
        if (name)
            p->at++;
        else
            name = parser_name(p);
        json_t *value = NULL;
        if (name && (parser_op(p, "=") || (parser_refuse(p), false)))
            value = property_value(p);
        if (value)
            json_object_set_new(properties, name, value);
        free(name);
        if (!value) {
            json_decref(properties);
            return NULL;
        }
    } while (parser_op(p, ","));
    if (parser_op(p, ")"))
        return properties;
    json_decref(properties);
    return parser_refuse(p), NULL;
}

static void use_format(json_t *storage, json_t *serde, const char *const *format)
{
    json_object_set_new(storage, "InputFormat", json_string(format[0]));
    json_object_set_new(storage, "OutputFormat", json_string(format[1]));
    if (!json_object_get(serde, "SerializationLibrary"))
        json_object_set_new(serde, "SerializationLibrary", json_string(format[2]));
}

static int set_text(struct parser *p, json_t *object, const char *name)
{
    char *text = parser_text(p);
    if (!text)
        return -1;
    json_object_set_new(object, name, json_string(text));
    free(text);
    return 0;
}

/* \t, \n, \\, \001, \u0001 … as Hive reads them in a literal, in place. */
static void unescape(char *text)
{
    static const char from[] = "tnrb0Z", to[] = "\t\n\r\b\0\x1a";
    char *out = text;
    for (const char *at = text; *at; at++) {
        if (*at != '\\' || !at[1]) {
            *out++ = *at;
            continue;
        }
        const char *known = strchr(from, *++at);
        if (strspn(at, "01234567") >= 3 && *at < '2') {
            *out++ = (char)((at[0] - '0') * 64 + (at[1] - '0') * 8 + at[2] - '0');
            at += 2;
        } else if (*at == 'u' && strspn(at + 1, "0123456789abcdefABCDEF") >= 4) {
            char rune[5];
            uint32_t value = 0;
            for (int i = 1; i <= 4; i++)
                value = value * 16 + (uint32_t)(at[i] <= '9' ? at[i] - '0' : (at[i] | 32) - 'a' + 10);
            size_t length = text_put_rune(rune, value);
            memcpy(out, rune, length);
            out += length;
            at += 4;
        } else if (*at == '%' || *at == '_') {
            *out++ = '\\';
            *out++ = *at;
        } else {
            *out++ = known ? to[known - from] : *at;
        }
    }
    *out = '\0';
}

static void unescape_member(json_t *object, const char *name)
{
    char *text = mem_text(json_string_value(json_object_get(object, name)));
    unescape(text);
    json_object_set_new(object, name, json_string(text));
    free(text);
}

/* ROW FORMAT SERDE 'x' [WITH SERDEPROPERTIES (…)] | DELIMITED FIELDS TERMINATED BY ',' … */
static int row_format(struct parser *p, json_t *serde)
{
    json_t *parameters = json_object_get(serde, "Parameters");
    if (parser_word(p, "SERDE")) {
        if (set_text(p, serde, "SerializationLibrary") != 0)
            return -1;
        if (parser_words(p, "WITH", "SERDEPROPERTIES")) {
            json_t *given = parser_properties(p);
            if (!given)
                return -1;
            const char *name;
            json_t *value;
            json_object_foreach(given, name, value) if (json_is_string(value)) unescape_member(given, name);
            json_object_update(parameters, given);
            json_decref(given);
        }
        return 0;
    }
    if (parser_need(p, "DELIMITED") != 0)
        return -1;
    static const char *const parts[][3] = {
        {"FIELDS", "TERMINATED", "field.delim"},     {"ESCAPED", "BY", "escape.delim"},
        {"COLLECTION", "ITEMS", "collection.delim"}, {"MAP", "KEYS", "mapkey.delim"},
        {"LINES", "TERMINATED", "line.delim"},       {"NULL", "DEFINED", "serialization.null.format"}};
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            if (!parser_words(p, parts[i][0], parts[i][1]))
                continue;
            (void)parser_word(p, "TERMINATED");
            (void)(parser_word(p, "BY") || parser_word(p, "AS"));
            if (set_text(p, parameters, parts[i][2]) != 0)
                return -1;
            unescape_member(parameters, parts[i][2]);
            if (i == 0)
                json_object_set(parameters, "serialization.format",
                                json_object_get(parameters, "field.delim"));
            more = true;
        }
    }
    return 0;
}

static int stored_as(struct parser *p, json_t *storage, json_t *serde)
{
    if (parser_word(p, "INPUTFORMAT")) {
        if (set_text(p, storage, "InputFormat") != 0 || parser_need(p, "OUTPUTFORMAT") != 0)
            return -1;
        return set_text(p, storage, "OutputFormat");
    }
    char *word = parser_name(p);
    if (!word)
        return -1;
    const char *const *format = athena_table_format(word);
    if (!format) {
        p->at--;
        athena_fail_at(p->failure, parser_peek(p, 0), "NOT_SUPPORTED",
                       "STORED AS %.40s is not emulated locally", word);
    } else {
        use_format(storage, serde, format);
    }
    free(word);
    return format ? 0 : -1;
}

int athena_table_parse(struct parser *p)
{
    struct athena_statement *s = p->statement;
    s->verb = VERB_CREATE_TABLE;
    json_t *columns = athena_table_columns(p);
    if (!columns)
        return -1;
    json_t *serde = json_pack("{s:{}}", "Parameters");
    json_t *storage = json_pack("{s:o,s:o}", "Columns", columns, "SerdeInfo", serde);
    json_t *parameters = json_pack("{s:s}", "EXTERNAL", "TRUE");
    s->input = json_pack("{s:s,s:s,s:o,s:o,s:[]}", "Name", s->name, "TableType", "EXTERNAL_TABLE",
                         "StorageDescriptor", storage, "Parameters", parameters, "PartitionKeys");
    while (parser_peek(p, 0)->kind != TOKEN_END) {
        int failed;
        if (parser_word(p, "COMMENT")) {
            failed = set_text(p, s->input, "Description");
        } else if (parser_words(p, "PARTITIONED", "BY")) {
            json_t *keys = athena_table_columns(p);
            failed = keys ? 0 : -1;
            if (keys)
                json_object_set_new(s->input, "PartitionKeys", keys);
        } else if (parser_words(p, "ROW", "FORMAT")) {
            failed = row_format(p, serde);
        } else if (parser_words(p, "STORED", "AS")) {
            failed = stored_as(p, storage, serde);
        } else if (parser_word(p, "LOCATION")) {
            failed = set_text(p, storage, "Location");
        } else if (parser_word(p, "TBLPROPERTIES")) {
            json_t *given = parser_properties(p);
            failed = given ? 0 : -1;
            if (given)
                json_object_update(parameters, given);
            json_decref(given);
        } else {
            failed = athena_is(parser_peek(p, 0), "CLUSTERED")
                         ? athena_fail_at(p->failure, parser_peek(p, 0), "NOT_SUPPORTED",
                                          "CLUSTERED BY is not emulated locally")
                         : parser_refuse(p);
        }
        if (failed)
            return -1;
    }
    if (!json_object_get(storage, "InputFormat"))
        use_format(storage, serde, athena_table_format("TEXTFILE"));
    if (!json_object_get(storage, "Location"))
        return athena_fail_at(p->failure, parser_peek(p, 0), "SYNTAX_ERROR",
                              "no viable alternative: LOCATION is needed");
    return 0;
}
