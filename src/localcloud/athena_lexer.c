#include "localcloud/athena_lexer.h"

#include "base/err.h"
#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHOWN_MAX 60 /* of a token in a message */

int athena_fail(struct athena_failure *failure, const char *kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    text_copy(failure->kind, sizeof failure->kind, kind);
    return -1;
}

int athena_fail_at(struct athena_failure *failure, const struct athena_token *token, const char *kind,
                   const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return athena_fail(failure, kind, "line %d:%d: %s", token->line, token->column, text);
}

struct lexer {
    const char *at;
    int line;
    const char *line_start;
    struct athena_tokens *tokens;
    size_t capacity;
    struct athena_failure *failure;
};

static struct athena_token *add(struct lexer *lexer, enum athena_token_kind kind, const char *text,
                                size_t length)
{
    struct athena_tokens *tokens = lexer->tokens;
    if (tokens->count + 1 >= lexer->capacity) {
        lexer->capacity = lexer->capacity ? lexer->capacity * 2 : 64;
        tokens->list = mem_resize(tokens->list, lexer->capacity, sizeof *tokens->list);
    }
    struct athena_token *token = &tokens->list[tokens->count++];
    *token = (struct athena_token){.kind = kind,
                                   .text = text,
                                   .length = length,
                                   .line = lexer->line,
                                   .column = (int)(text - lexer->line_start) + 1};
    tokens->list[tokens->count] =
        (struct athena_token){.kind = TOKEN_END,
                              .text = "",
                              .line = lexer->line,
                              .column = (int)(text - lexer->line_start + (long)length) + 1};
    return token;
}

static int refuse(struct lexer *lexer, const char *at, const char *what)
{
    struct athena_token token = {.line = lexer->line, .column = (int)(at - lexer->line_start) + 1};
    return athena_fail_at(lexer->failure, &token, "SYNTAX_ERROR", "%s", what);
}

static void new_line(struct lexer *lexer, const char *at)
{
    lexer->line++;
    lexer->line_start = at + 1;
}

/* 1: there is a token. 0: the end. -1: a comment that does not end. */
static int skip_blank(struct lexer *lexer)
{
    for (;; lexer->at++) {
        if (*lexer->at == '\n')
            new_line(lexer, lexer->at);
        if (isspace((unsigned char)*lexer->at))
            continue;
        if (lexer->at[0] == '-' && lexer->at[1] == '-') {
            while (lexer->at[1] && lexer->at[1] != '\n')
                lexer->at++;
            continue;
        }
        if (lexer->at[0] == '/' && lexer->at[1] == '*') {
            const char *begin = lexer->at;
            for (lexer->at += 2; lexer->at[0] && !(lexer->at[0] == '*' && lexer->at[1] == '/'); lexer->at++)
                if (*lexer->at == '\n')
                    new_line(lexer, lexer->at);
            if (!*lexer->at)
                return refuse(lexer, begin, "a comment that does not end");
            lexer->at++;
            continue;
        }
        return *lexer->at != '\0';
    }
}

/* From the opening quote; a doubled one inside stands for itself. */
static int quoted(struct lexer *lexer, enum athena_token_kind kind, const char *begin, char quote)
{
    const char *at = strchr(begin, quote) + 1;
    struct lexer start = *lexer;
    for (; *at; at++) {
        if (*at == '\n')
            new_line(lexer, at);
        if (*at == quote) {
            if (at[1] != quote)
                break;
            at++;
        }
    }
    int line = lexer->line;
    const char *line_start = lexer->line_start;
    lexer->line = start.line;
    lexer->line_start = start.line_start;
    if (!*at)
        return refuse(lexer, begin,
                      kind == TOKEN_QUOTED ? "a quoted name that does not end"
                                           : "a string that does not end");
    add(lexer, kind, begin, (size_t)(at - begin) + 1);
    lexer->line = line;
    lexer->line_start = line_start;
    lexer->at = at + 1;
    return 0;
}

static int number(struct lexer *lexer)
{
    const char *begin = lexer->at, *at = begin;
    enum athena_token_kind kind = TOKEN_INTEGER;
    while (isdigit((unsigned char)*at))
        at++;
    if (*at == '.') {
        kind = TOKEN_DECIMAL;
        for (at++; isdigit((unsigned char)*at);)
            at++;
    }
    if (*at == 'e' || *at == 'E') {
        const char *digits = at + 1 + (at[1] == '+' || at[1] == '-');
        if (isdigit((unsigned char)*digits)) {
            kind = TOKEN_DOUBLE;
            for (at = digits; isdigit((unsigned char)*at);)
                at++;
        }
    }
    if (isalpha((unsigned char)*at) || *at == '_')
        return refuse(lexer, begin,
                      "identifiers must not start with a digit; surround the identifier with double quotes");
    add(lexer, kind, begin, (size_t)(at - begin));
    lexer->at = at;
    return 0;
}

static int next(struct lexer *lexer)
{
    static const char *const operators[] = {"<>", "<=", ">=", "!=", "||", "->", "=>", "(", ")",
                                            "[",  "]",  ",",  ".",  "+",  "-",  "*",  "/", "%",
                                            "<",  ">",  "=",  ";",  ":",  "{",  "}"};
    const char *at = lexer->at;
    if ((*at == 'x' || *at == 'X') && at[1] == '\'')
        return quoted(lexer, TOKEN_BINARY, at, '\'');
    if (isalpha((unsigned char)*at) || *at == '_') {
        const char *begin = at;
        while (isalnum((unsigned char)*at) || *at == '_')
            at++;
        add(lexer, TOKEN_WORD, begin, (size_t)(at - begin));
        lexer->at = at;
        return 0;
    }
    if (*at == '"' || *at == '`')
        return quoted(lexer, TOKEN_QUOTED, at, *at);
    if (*at == '\'')
        return quoted(lexer, TOKEN_STRING, at, '\'');
    if (isdigit((unsigned char)*at) || (*at == '.' && isdigit((unsigned char)at[1])))
        return number(lexer);
    if (*at == '?') {
        add(lexer, TOKEN_PARAMETER, at, 1);
        lexer->at = at + 1;
        return 0;
    }
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        size_t length = strlen(operators[i]);
        if (strncmp(at, operators[i], length) == 0) {
            add(lexer, TOKEN_OPERATOR, at, length);
            lexer->at = at + length;
            return 0;
        }
    }
    char shown[80], message[SHOWN_MAX + 60];
    const char *end = at;
    (void)text_next_rune(&end, at + strlen(at));
    text_sanitise(shown, sizeof shown, at, (size_t)(end - at));
    snprintf(message, sizeof message, "mismatched input '%s'", shown);
    return refuse(lexer, at, message);
}

static int pair(struct athena_tokens *tokens, struct athena_failure *failure)
{
    size_t open[ATHENA_DEPTH_LIMIT], depth = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        struct athena_token *token = &tokens->list[i];
        if (token->kind != TOKEN_OPERATOR || token->length != 1)
            continue;
        char byte = *token->text;
        if (byte == '(' || byte == '[') {
            if (depth == ATHENA_DEPTH_LIMIT)
                return athena_fail_at(failure, token, "SYNTAX_ERROR", "parentheses are nested too deep");
            open[depth++] = i;
        } else if (byte == ')' || byte == ']') {
            if (depth == 0 || (*tokens->list[open[depth - 1]].text == '(') != (byte == ')'))
                return athena_fail_at(failure, token, "SYNTAX_ERROR", "mismatched input '%c'", byte);
            token->partner = open[--depth];
            tokens->list[open[depth]].partner = i;
        }
    }
    if (depth > 0)
        return athena_fail_at(failure, &tokens->list[tokens->count], "SYNTAX_ERROR",
                              "mismatched input '<EOF>'. Expecting: '%c'",
                              *tokens->list[open[depth - 1]].text == '(' ? ')' : ']');
    return 0;
}

int athena_lex(struct athena_tokens *tokens, const char *text, struct athena_failure *failure)
{
    struct lexer lexer = {.at = text, .line = 1, .line_start = text, .tokens = tokens, .failure = failure};
    *tokens = (struct athena_tokens){0};
    if (strlen(text) > ATHENA_SQL_LIMIT)
        return athena_fail(failure, "QUERY_TEXT_TOO_LARGE",
                           "query text length (%zu) exceeds the maximum length (%d)", strlen(text),
                           ATHENA_SQL_LIMIT);
    if (!text_is_utf8(text, strlen(text)))
        return athena_fail(failure, "SYNTAX_ERROR", "line 1:1: the query is not valid UTF-8");
    add(&lexer, TOKEN_END, text, 0);
    tokens->count = 0;
    int more;
    while ((more = skip_blank(&lexer)) == 1)
        if (next(&lexer) != 0) {
            more = -1;
            break;
        }
    /* One trailing semicolon is no statement. */
    if (more == 0 && tokens->count > 0 && athena_is_op(&tokens->list[tokens->count - 1], ";")) {
        tokens->count--;
        tokens->list[tokens->count].kind = TOKEN_END;
        tokens->list[tokens->count].length = 0;
    }
    if (more != 0 || pair(tokens, failure) != 0) {
        athena_tokens_free(tokens);
        return -1;
    }
    return 0;
}

void athena_tokens_free(struct athena_tokens *tokens)
{
    free(tokens->list);
    *tokens = (struct athena_tokens){0};
}

bool athena_is(const struct athena_token *token, const char *word)
{
    return token->kind == TOKEN_WORD && strlen(word) == token->length &&
           strncasecmp(token->text, word, token->length) == 0;
}

bool athena_is_op(const struct athena_token *token, const char *text)
{
    return token->kind == TOKEN_OPERATOR && strlen(text) == token->length &&
           memcmp(token->text, text, token->length) == 0;
}

bool athena_is_name(const struct athena_token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
}

char *athena_unquote(const struct athena_token *token)
{
    char *out = mem_alloc(token->length + 1), *at = out;
    if (token->kind == TOKEN_WORD) {
        for (size_t i = 0; i < token->length; i++)
            *at++ = (char)tolower((unsigned char)token->text[i]);
    } else if (token->kind == TOKEN_QUOTED || token->kind == TOKEN_STRING) {
        char quote = token->text[0];
        for (size_t i = 1; i + 1 < token->length; i++) {
            *at++ = token->text[i];
            if (token->text[i] == quote)
                i++;
        }
    } else {
        memcpy(at, token->text, token->length);
        at += token->length;
    }
    *at = '\0';
    return out;
}
