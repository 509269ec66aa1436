/* Types, casts and literals. */
#include "base/err.h"
#include "base/text.h"
#include "localcloud/athena_rewrite_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- types ------------------------------------------------------------------------------------------ */

static const char *const types[][2] = {{"boolean", "BOOLEAN"},
                                       {"tinyint", "TINYINT"},
                                       {"smallint", "SMALLINT"},
                                       {"integer", "INTEGER"},
                                       {"int", "INTEGER"},
                                       {"bigint", "BIGINT"},
                                       {"real", "FLOAT"},
                                       {"double", "DOUBLE"},
                                       {"varchar", "VARCHAR"},
                                       {"char", "VARCHAR"},
                                       {"varbinary", "BLOB"},
                                       {"json", "JSON"},
                                       {"date", "DATE"},
                                       {"time", "TIME"},
                                       {"timestamp", "TIMESTAMP"},
                                       {"decimal", "DECIMAL"},
                                       {"uuid", "UUID"},
                                       {"array", ""},
                                       {"map", ""},
                                       {"row", ""}};

static const char *type_word(const struct athena_token *token)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (athena_is(token, types[i][0]))
            return types[i][1];
    return NULL;
}

static int type_in(const struct athena_tokens *tokens, size_t at, size_t to, struct buf *out,
                   struct athena_failure *failure, int depth);

/* The types of array(…), map(…), row(…), split at their commas. */
static int nested_types(const struct athena_tokens *tokens, size_t word, size_t to, struct buf *out,
                        struct athena_failure *failure, int depth)
{
    const struct athena_token *list = tokens->list;
    bool row = athena_is(&list[word], "row"), array = athena_is(&list[word], "array");
    if (word + 1 >= to || !athena_is_op(&list[word + 1], "(") || list[word + 1].partner != to - 1)
        return athena_fail_at(failure, &list[word], "SYNTAX_ERROR", "a type is not complete");
    size_t begin = word + 2, number = 0;
    buf_text(out, row ? "STRUCT(" : array ? "" : "MAP(");
    for (size_t i = begin; i < to; i = athena_is_op(&list[i], "(") ? list[i].partner + 1 : i + 1) {
        if (i != to - 1 && !athena_is_op(&list[i], ","))
            continue;
        if (number > 0)
            buf_text(out, array ? " " : ", ");
        if (row && i - begin > 1 && athena_is_name(&list[begin]) && !athena_is_op(&list[begin + 1], "(")) {
            buf_char(out, '"');
            char *name = athena_unquote(&list[begin++]);
            for (const char *at = name; *at; at++)
                buf_append(out, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
            free(name);
            buf_text(out, "\" ");
        } else if (row) {
            buf_printf(out, "field%zu ", number);
        }
        if (type_in(tokens, begin, i, out, failure, depth + 1) != 0)
            return -1;
        number++;
        begin = i + 1;
    }
    if (!row && number != (array ? 1u : 2u))
        return athena_fail_at(failure, &list[word], "SYNTAX_ERROR", "a type is not complete");
    buf_text(out, array ? "[]" : ")");
    return 0;
}

static int type_in(const struct athena_tokens *tokens, size_t at, size_t to, struct buf *out,
                   struct athena_failure *failure, int depth)
{
    const struct athena_token *list = tokens->list, *token = &list[at];
    const char *word = at < to && depth < 32 ? type_word(token) : NULL;
    if (!word)
        return athena_fail_at(failure, token, "TYPE_NOT_FOUND", "Unknown type: %.*s", (int)token->length,
                              token->text);
    if (!*word)
        return nested_types(tokens, at, to, out, failure, depth);
    bool timestamp = athena_is(token, "timestamp");
    buf_text(out, word);
    at++;
    if (athena_is(token, "double") && at < to && athena_is(&list[at], "precision"))
        at++;
    bool sized = at < to && athena_is_op(&list[at], "(");
    if (athena_is(token, "decimal")) {
        size_t close = sized ? list[at].partner : 0;
        if (!sized)
            buf_text(out, "(38,0)");
        else if (close == at + 2)
            buf_printf(out, "(%.*s,0)", (int)list[at + 1].length, list[at + 1].text);
        else if (close == at + 4)
            buf_printf(out, "(%.*s,%.*s)", (int)list[at + 1].length, list[at + 1].text,
                       (int)list[at + 3].length, list[at + 3].text);
    }
    if (sized)
        at = list[at].partner + 1; /* precision of timestamps, length of varchar: see the cast */
    if (timestamp && at + 2 < to && athena_is(&list[at], "WITH") && athena_is(&list[at + 1], "TIME") &&
        athena_is(&list[at + 2], "ZONE")) {
        buf_text(out, "TZ");
        at += 3;
    }
    if (at != to)
        return athena_fail_at(failure, &list[at], "SYNTAX_ERROR", "mismatched input '%.*s'",
                              (int)list[at].length, list[at].text);
    return 0;
}

int athena_rewrite_type(const struct athena_tokens *tokens, size_t from, size_t to, struct buf *out,
                        struct athena_failure *failure)
{
    return type_in(tokens, from, to, out, failure, 0);
}

bool rewrite_is_type(const struct athena_token *token)
{
    const char *word = type_word(token);
    return word && *word;
}

int rewrite_cast(struct rewriter *r, size_t at)
{
    size_t open = at + 1, close = AT(r, open)->partner, as = open + 1;
    while (as < close && !athena_is(AT(r, as), "AS"))
        as = rewrite_skip(r, as);
    if (as >= close || as == open + 1)
        return rewrite_refuse(r, as);
    bool try = athena_is(AT(r, at), "TRY_CAST");
    const struct athena_token *word = AT(r, as + 1);
    struct buf type;
    buf_init(&type, 65536);
    if (athena_rewrite_type(r->tokens, as + 1, close, &type, r->failure) != 0) {
        buf_free(&type);
        return -1;
    }
    char *value = rewrite_argument_text(r, open + 1, as);
    if (!value) {
        buf_free(&type);
        return -1;
    }
    const char *begin = try ? " TRY(" : " (";
    if (strcmp(type.data, "VARCHAR") == 0) {
        bool sized = as + 2 < close && athena_is_op(AT(r, as + 2), "(");
        buf_printf(&r->out, sized ? "%sleft(athena_varchar(" : "%s(athena_varchar(", begin);
        buf_text(&r->out, value);
        if (sized)
            buf_printf(&r->out, "), %.*s))", (int)AT(r, as + 3)->length, AT(r, as + 3)->text);
        else
            buf_text(&r->out, ")))");
    } else if (athena_is(word, "tinyint") || athena_is(word, "smallint") || athena_is(word, "integer") ||
               athena_is(word, "int") || athena_is(word, "bigint")) {
        buf_printf(&r->out, "%sCAST(athena_whole(", begin);
        buf_text(&r->out, value);
        buf_printf(&r->out, ") AS %s))", type.data);
    } else {
        buf_text(&r->out, try ? " TRY_CAST(" : " CAST(");
        buf_text(&r->out, value);
        buf_printf(&r->out, " AS %s)", type.data);
    }
    free(value);
    buf_free(&type);
    return 0;
}

/* ---- literals --------------------------------------------------------------------------------------- */

int rewrite_literal(struct rewriter *r, size_t at)
{
    const struct athena_token *token = AT(r, at);
    switch (token->kind) {
    case TOKEN_INTEGER: {
        char digits[24];
        if (token->length < sizeof digits) {
            memcpy(digits, token->text, token->length);
            digits[token->length] = '\0';
        }
        int64_t value;
        if (token->length >= sizeof digits || !text_parse_int(digits, 0, INT64_MAX, &value))
            return athena_fail_at(r->failure, token, "SYNTAX_ERROR", "Invalid numeric literal: %.*s",
                                  (int)(token->length > 60 ? 60 : token->length), token->text);
        rewrite_raw(r, token);
        return 0;
    }
    case TOKEN_DECIMAL: /* a double in Athena */
        rewrite_raw(r, token);
        buf_text(&r->out, "e0");
        return 0;
    case TOKEN_BINARY:
        buf_text(&r->out, " unhex(");
        buf_append(&r->out, token->text + 1, token->length - 1);
        buf_char(&r->out, ')');
        return 0;
    case TOKEN_PARAMETER:
        r->query->parameter_count++;
        rewrite_raw(r, token);
        return 0;
    default:
        rewrite_raw(r, token);
        return 0;
    }
}

/* DATE '…', TIMESTAMP '…', DECIMAL '…' and the like; at is the word, the next token the string. */
int rewrite_typed(struct rewriter *r, size_t at)
{
    const struct athena_token *word = AT(r, at), *text = AT(r, at + 1);
    const char *type = athena_is(word, "INTERVAL") ? "INTERVAL" : type_word(word);
    if (athena_is(word, "TIMESTAMP")) {
        /* With a zone behind the time it is a timestamp with time zone. */
        const char *at_text = text->text + 1, *end = text->text + text->length - 1;
        const char *space = memchr(at_text, ' ', (size_t)(end - at_text));
        for (const char *byte = space ? space : end; byte < end; byte++)
            if (*byte == '+' || *byte == '-' || (*byte >= 'A' && *byte <= 'Z'))
                type = "TIMESTAMPTZ";
    }
    if (strcmp(type, "DECIMAL") == 0) {
        size_t digits = 0, scale = 0;
        bool point = false;
        for (size_t i = 1; i + 1 < text->length; i++) {
            point |= text->text[i] == '.';
            digits += text->text[i] >= '0' && text->text[i] <= '9';
            scale += point && text->text[i] >= '0' && text->text[i] <= '9';
        }
        if (digits == 0 || digits > 38)
            return athena_fail_at(r->failure, word, "INVALID_LITERAL", "%.*s is not a valid decimal literal",
                                  (int)text->length, text->text);
        buf_printf(&r->out, " CAST(%.*s AS DECIMAL(%zu,%zu))", (int)text->length, text->text, digits, scale);
        return 0;
    }
    if (strcmp(type, "INTERVAL") == 0) {
        static const char *const units[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "WEEK", NULL};
        for (size_t i = 0; units[i]; i++)
            if (athena_is(AT(r, at + 2), units[i]) && !athena_is(AT(r, at + 3), "TO")) {
                buf_printf(&r->out, " INTERVAL %.*s %s", (int)text->length, text->text, units[i]);
                return 0;
            }
        return athena_fail_at(r->failure, AT(r, at + 2), "NOT_SUPPORTED",
                              "this kind of interval is not emulated locally");
    }
    buf_printf(&r->out, " CAST(%.*s AS %s)", (int)text->length, text->text, type);
    return 0;
}
