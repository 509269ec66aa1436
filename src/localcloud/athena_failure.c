/* What the engine says of a query, in Athena's words: its texts are read, since it has nothing else to tell
 * one failure from another by. */
#include "localcloud/athena_engine.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a name stands first in the query, as "line L:C: ". */
static void place_of(const char *text, const char *name, size_t length, char place[40])
{
    struct athena_tokens tokens;
    struct athena_failure ignored;
    text_copy(place, 40, "");
    if (athena_lex(&tokens, text, &ignored) != 0)
        return;
    for (size_t i = 0; i < tokens.count; i++) {
        const struct athena_token *token = &tokens.list[i];
        size_t quote = token->kind == TOKEN_QUOTED;
        if (athena_is_name(token) && token->length == length + 2 * quote) {
            char a[128], b[128];
            snprintf(a, sizeof a, "%.*s", (int)length, token->text + quote);
            snprintf(b, sizeof b, "%.*s", (int)length, name);
            if (text_equal_fold(a, b)) {
                snprintf(place, 40, "line %d:%d: ", token->line, token->column);
                break;
            }
        }
    }
    athena_tokens_free(&tokens);
}

/* The part between the first two `quote`s behind `mark`. */
static bool between(const char *text, const char *mark, char quote, char *out, size_t size)
{
    const char *at = strstr(text, mark);
    at = at ? strchr(at, quote) : NULL;
    const char *end = at ? strchr(at + 1, quote) : NULL;
    if (!end)
        return false;
    snprintf(out, size, "%.*s", (int)(end - at - 1), at + 1);
    return true;
}

/* The engine's name of a type in Trino's words. */
static void shown_type(char *type, size_t size)
{
    static const char *const types[][2] = {{"STRING_LITERAL", "varchar"},
                                           {"INTEGER_LITERAL", "integer"},
                                           {"HUGEINT", "bigint"},
                                           {"FLOAT", "real"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i][0]) == 0)
            text_copy(type, size, types[i][1]);
    for (; *type; type++)
        *type = (char)tolower((unsigned char)*type);
}

/* Cannot compare values of type VARCHAR and type INTEGER_LITERAL: when the query has one comparison only, it
 * is that. */
static bool comparison_failure(const char *said, const char *text, struct athena_failure *failure)
{
    const char *at = strstr(said, "Cannot compare values of type "),
               *and = at ? strstr(at, " and type ") : NULL;
    const char *end = and? strstr(and, " - ") : NULL;
    if (!end || end - at > 150)
        return false;
    char left[80], right[80], place[40] = "", sign[4] = "=";
    snprintf(left, sizeof left, "%.*s", (int)(and-at - 30), at + 30);
    snprintf(right, sizeof right, "%.*s", (int)(end - and-10), and+10);
    shown_type(left, sizeof left);
    shown_type(right, sizeof right);
    struct athena_tokens tokens;
    struct athena_failure ignored;
    int found = 0;
    if (athena_lex(&tokens, text, &ignored) == 0) {
        for (size_t i = 0; i < tokens.count; i++) {
            const struct athena_token *token = &tokens.list[i];
            if (token->kind != TOKEN_OPERATOR || !strchr("=<>!", token->text[0]))
                continue;
            found++;
            snprintf(sign, sizeof sign, "%.*s", (int)(token->length < 3 ? token->length : 2), token->text);
            snprintf(place, sizeof place, "line %d:%d: ", token->line, token->column);
        }
        athena_tokens_free(&tokens);
    }
    (void)athena_fail(failure, "TYPE_MISMATCH", "%sCannot apply operator: %s %s %s", found == 1 ? place : "",
                      left, found == 1 ? sign : "=", right);
    return true;
}

/* add(STRING_LITERAL, INTEGER_LITERAL): Cannot apply operator: varchar + integer */
static bool operator_failure(const char *said, struct athena_failure *failure)
{
    static const char *const names[][2] = {{"add(", "+"},    {"subtract(", "-"}, {"multiply(", "*"},
                                           {"divide(", "/"}, {"mod(", "%"},      {"+(", "+"},
                                           {"-(", "-"},      {"*(", "*"},        {"athena_by_zero(", "/"}};
    if (!strstr(said, "No function matches") && !strstr(said, "Could not choose a best candidate"))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *at = strstr(said, names[i][0]);
        if (!at || at == said || (at[-1] != '"' && at[-1] != '\''))
            continue;
        at += strlen(names[i][0]);
        const char *comma = strchr(at, ','), *end = strchr(at, ')');
        if (!comma || !end || comma > end || end - at > 100)
            continue;
        char sides[2][80];
        snprintf(sides[0], sizeof sides[0], "%.*s", (int)(comma - at), at);
        snprintf(sides[1], sizeof sides[1], "%.*s", (int)(end - comma - 2), comma + 2);
        shown_type(sides[0], sizeof sides[0]);
        shown_type(sides[1], sizeof sides[1]);
        (void)athena_fail(failure, "TYPE_MISMATCH", "Cannot apply operator: %s %s %s", sides[0], names[i][1],
                          sides[1]);
        return true;
    }
    return false;
}

/* Our own: "KIND: text" behind what the engine puts before it. */
static bool own_failure(const char *text, struct athena_failure *failure)
{
    const char *at = strstr(text, "Error: ");
    at = at ? at + 7 : text;
    const char *end = at;
    while (isupper((unsigned char)*end) || *end == '_')
        end++;
    if (end - at < 6 || strncmp(end, ": ", 2) != 0)
        return false;
    snprintf(failure->kind, sizeof failure->kind, "%.*s", (int)(end - at), at);
    text_copy(failure->text, sizeof failure->text, end + 2);
    return true;
}

/* No function matches … 'sum(VARCHAR)', or too many do "abs(STRING_LITERAL)". */
static bool function_failure(const char *said, const char *text, struct athena_failure *failure)
{
    char call[256], types[256] = "", place[40];
    if (!(strstr(said, "No function matches") && between(said, "types", '\'', call, sizeof call)) &&
        !(strstr(said, "Could not choose a best candidate") && between(said, "call", '"', call, sizeof call)))
        return false;
    char *open = strchr(call, '(');
    if (!open)
        return false;
    *open = '\0';
    size_t written = 0;
    for (char *part = open + 1, *end; *part; part = *end ? end + 1 + (end[1] == ' ') : end) {
        int depth = 0;
        for (end = part; *end && (depth > 0 || (*end != ',' && *end != ')')); end++)
            depth += (*end == '(') - (*end == ')');
        char type[120];
        bool last = *end == ')';
        snprintf(type, sizeof type, "%.*s", (int)(end - part), part);
        shown_type(type, sizeof type);
        int length = snprintf(types + written, sizeof types - written, "%s%s", written ? ", " : "", type);
        written += length > 0 ? (size_t)length : 0;
        if (last || written >= sizeof types)
            break;
    }
    const char *name = strncmp(call, "athena_", 7) == 0 ? call + 7 : call;
    place_of(text, name, strlen(name), place);
    (void)athena_fail(failure, "FUNCTION_NOT_FOUND", "%sUnexpected parameters (%s) for function %s", place,
                      types, name);
    return true;
}

/* Values that are no values of a type, and sums that do not fit. */
static bool value_failure(const char *said, struct athena_failure *failure)
{
    static const char *const types[][3] = {{"INT8", "tinyint", "TINYINT"},  {"INT16", "smallint", "SMALLINT"},
                                           {"INT32", "integer", "INTEGER"}, {"INT64", "bigint", "BIGINT"},
                                           {"BOOL", "boolean", "BOOLEAN"},  {"FLOAT", "real", "REAL"},
                                           {"DOUBLE", "double", "DOUBLE"},  {"INT128", "bigint", "BIGINT"}};
    char value[160];
    const char *at;
    bool date = strstr(said, "date field") != NULL;
    if ((date || strstr(said, "timestamp field")) && between(said, "field", '"', value, sizeof value)) {
        (void)athena_fail(failure, "INVALID_CAST_ARGUMENT", "Value cannot be cast to %s: %s",
                          date ? "date" : "timestamp", value);
        return true;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char mark[64];
        snprintf(mark, sizeof mark, "' to %s", types[i][0]);
        if (strstr(said, "Could not convert string") && strstr(said, mark) &&
            between(said, "string", '\'', value, sizeof value)) {
            (void)athena_fail(failure, "INVALID_CAST_ARGUMENT", "Cannot cast '%s' to %s", value, types[i][2]);
            return true;
        }
        snprintf(mark, sizeof mark, "destination type %s", types[i][0]);
        if (strstr(said, mark) && (at = strstr(said, "with value "))) {
            snprintf(value, sizeof value, "%.*s", (int)strcspn(at + 11, " "), at + 11);
            (void)athena_fail(failure, "INVALID_CAST_ARGUMENT", "Out of range for %s: %s", types[i][1],
                              value);
            return true;
        }
        static const char *const acts[] = {"addition", "subtraction", "multiplication"};
        for (size_t act = 0; act < 3; act++) {
            snprintf(mark, sizeof mark, "Overflow in %s of %s (", acts[act], types[i][0]);
            if (!(at = strstr(said, mark)))
                continue;
            at += strlen(mark);
            (void)athena_fail(failure, "NUMERIC_VALUE_OUT_OF_RANGE", "%s %s overflow: %.*s", types[i][1],
                              acts[act], (int)strcspn(at, ")"), at);
            return true;
        }
    }
    return false;
}

char *athena_mask_paths(const char *text, size_t length)
{
    char *out = mem_alloc(length + 1);
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '/') { /* to the end of the path; kept when it is none */
            size_t end = i;
            while (end < length && (isalnum((unsigned char)text[end]) || strchr("/._-", text[end])) &&
                   text[end])
                end++;
            if (memmem(text + i, end - i, "/blobs/", 7)) {
                out[written++] = '~';
                i = end - 1;
                continue;
            }
        }
        out[written++] = text[i];
    }
    out[written] = '\0';
    return out;
}

void athena_failure_of(const struct duck_connection *connection, const char *text,
                       struct athena_failure *failure)
{
    const char *said;
    enum duck_error_class class = duck_error(connection, &said);
    char name[128], place[40], reason[300];
    if (own_failure(said, failure))
        return;
    const char *body = strstr(said, "Error: ");
    body = body ? body + 7 : said;
    char *masked = athena_mask_paths(body, strcspn(body, "\n"));
    text_sanitise(reason, sizeof reason, masked, strlen(masked));
    free(masked);
    if (strstr(said, "Referenced column") || strstr(said, "does not have a column named") ||
        strstr(said, "Referenced table")) {
        const char *mark = strstr(said, "does not have a column named") ? "column named" : "Referenced";
        if (between(said, mark, '"', name, sizeof name)) {
            place_of(text, name, strlen(name), place);
            (void)athena_fail(failure, "COLUMN_NOT_FOUND", "%sColumn '%s' cannot be resolved", place, name);
            return;
        }
    }
    if (strstr(said, "Ambiguous reference to column") &&
        between(said, "column name", '"', name, sizeof name)) {
        place_of(text, name, strlen(name), place);
        (void)athena_fail(failure, "AMBIGUOUS_NAME", "%sColumn '%s' is ambiguous", place, name);
        return;
    }
    if (strstr(said, "must appear in the GROUP BY clause") &&
        between(said, "column", '"', name, sizeof name)) {
        place_of(text, name, strlen(name), place);
        (void)athena_fail(failure, "EXPRESSION_NOT_AGGREGATE",
                          "%s'%s' must be an aggregate expression or appear in GROUP BY clause", place, name);
        return;
    }
    if (operator_failure(said, failure) || comparison_failure(said, text, failure))
        return;
    if (function_failure(said, text, failure) || value_failure(said, failure))
        return;
    switch (class) {
    case DUCK_ERROR_PARSER:
        (void)athena_fail(failure, "SYNTAX_ERROR", "line 1:1: %s", reason);
        break;
    case DUCK_ERROR_CONVERSION:
        (void)athena_fail(failure, "INVALID_CAST_ARGUMENT", "%s", reason);
        break;
    case DUCK_ERROR_RANGE:
        (void)athena_fail(failure, "NUMERIC_VALUE_OUT_OF_RANGE", "%s", reason);
        break;
    case DUCK_ERROR_MEMORY:
        (void)athena_fail(failure, "EXCEEDED_MEMORY_LIMIT", "Query exhausted resources at this scale factor");
        break;
    case DUCK_ERROR_INPUT:
        (void)athena_fail(failure, "INVALID_FUNCTION_ARGUMENT", "%s", reason);
        break;
    case DUCK_ERROR_BINDER:
        (void)athena_fail(failure, "TYPE_MISMATCH", "%s", reason);
        break;
    case DUCK_ERROR_IO:
        (void)athena_fail(failure, "HIVE_CANNOT_OPEN_SPLIT", "%s", reason);
        break;
    case DUCK_ERROR_INTERRUPT:
        (void)athena_fail(failure, "USER_CANCELED", "Query cancelled by user");
        break;
    default:
        (void)athena_fail(failure, "GENERIC_INTERNAL_ERROR", "%s", reason);
        break;
    }
}
