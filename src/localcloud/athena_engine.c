#include "localcloud/athena_engine.h"

#include "base/text.h"
#include "localcloud/athena_prelude.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct athena_engine {
    struct duck_db *db;
};

struct athena_engine *athena_engine_open(const char *const *folders, size_t count, const char *spill_folder,
                                         struct err *err)
{
    struct duck_settings settings = {.folders = folders, .folder_count = count, .spill_folder = spill_folder};
    struct duck_db *db = duck_open(&settings, err);
    if (!db)
        return NULL;
    struct duck_connection *connection = duck_connect(db, err);
    int result = connection ? athena_prelude(connection, err) : -1;
    duck_disconnect(connection);
    if (result != 0) {
        duck_close(db);
        return NULL;
    }
    struct athena_engine *engine = mem_zero(1, sizeof *engine);
    engine->db = db;
    return engine;
}

void athena_engine_close(struct athena_engine *engine)
{
    if (!engine)
        return;
    duck_close(engine->db);
    free(engine);
}

void athena_engine_trim(struct athena_engine *engine)
{
    duck_trim(engine->db);
}

struct duck_connection *athena_engine_connect(struct athena_engine *engine, struct err *err)
{
    return duck_connect(engine->db, err);
}

struct duck_statement *athena_prepare(struct duck_connection *connection, const struct athena_query *query,
                                      const char *text, struct athena_failure *failure)
{
    struct err err = ERR_INIT;
    struct duck_statement *statement = duck_prepare(connection, query->sql, &err);
    if (!statement)
        athena_failure_of(connection, text, failure);
    return statement;
}

void athena_column_name(const struct duck_statement *statement, size_t column, char *name, size_t size)
{
    const char *given = duck_column_name(statement, column);
    if (strncmp(given, ATHENA_UNNAMED, sizeof ATHENA_UNNAMED - 1) == 0)
        snprintf(name, size, "_col%zu", column);
    else
        text_copy(name, size, given);
}

/* ---- failures --------------------------------------------------------------------------------------- */

static const struct {
    const char *kind;
    int type, category;
} kinds[] = {{"TABLE_NOT_FOUND", 1301, 2},       {"COLUMN_NOT_FOUND", 1006, 2},
             {"TYPE_MISMATCH", 1002, 2},         {"FUNCTION_NOT_FOUND", 1303, 2},
             {"DIVISION_BY_ZERO", 1001, 2},      {"INVALID_CAST_ARGUMENT", 1100, 2},
             {"SCHEMA_NOT_FOUND", 1302, 2},      {"SYNTAX_ERROR", 1000, 2},
             {"EXCEEDED_MEMORY_LIMIT", 1200, 2}, {"GENERIC_INTERNAL_ERROR", 233, 1}};

int athena_error_type(const char *kind, int *category)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i].kind) == 0) {
            *category = kinds[i].category;
            return kinds[i].type;
        }
    *category = 2;
    return 1003;
}

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
    if (strstr(said, "No function matches") && between(said, "types", '\'', name, sizeof name)) {
        (void)athena_fail(failure,
                          name[0] && strchr("+-*/%|=<>", name[0]) ? "TYPE_MISMATCH" : "FUNCTION_NOT_FOUND",
                          "Unexpected parameters for function %s", name);
        return;
    }
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
