#include "localcloud/redshift_lexer.h"

#include "base/err.h"
#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int redshift_fail(struct redshift_failure *failure, const char *format, ...)
{
    char text[sizeof failure->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_sanitise(failure->text, sizeof failure->text, text, strlen(text));
    failure->validation = false;
    return -1;
}

int redshift_fail_at(const struct redshift_tokens *tokens, size_t at, struct redshift_failure *failure)
{
    const struct redshift_token *token = &tokens->list[at];
    if (token->kind == RS_END)
        return redshift_fail(failure, "syntax error at end of input Position: %zu",
                             (size_t)(token->text - tokens->sql) + 1);
    return redshift_fail(failure, "syntax error at or near \"%.*s\" Position: %zu",
                         (int)(token->length > 60 ? 60 : token->length), token->text,
                         (size_t)(token->text - tokens->sql) + 1);
}

struct lexer {
    const char *at;
    struct redshift_tokens *tokens;
    size_t capacity;
    struct redshift_parameter *parameters;
    size_t parameter_count;
    struct redshift_failure *failure;
};

static struct redshift_token *add(struct lexer *lexer, enum redshift_token_kind kind, const char *text,
                                  size_t length)
{
    struct redshift_tokens *tokens = lexer->tokens;
    if (tokens->count + 2 > lexer->capacity) {
        lexer->capacity = lexer->capacity ? lexer->capacity * 2 : 64;
        tokens->list = mem_resize(tokens->list, lexer->capacity, sizeof *tokens->list);
    }
    struct redshift_token *token = &tokens->list[tokens->count++];
    *token = (struct redshift_token){.kind = kind, .text = text, .length = length};
    tokens->list[tokens->count] = (struct redshift_token){.kind = RS_END, .text = text + length};
    return token;
}

static int unfinished(struct lexer *lexer, const char *begin, const char *what)
{
    return redshift_fail(lexer->failure, "unterminated %s at or near \"%.20s\" Position: %zu", what, begin,
                         (size_t)(begin - lexer->tokens->sql) + 1);
}

/* 1: there is more. 0: the end. -1: a comment that does not end. Comments nest. */
static int skip_blank(struct lexer *lexer)
{
    for (;;) {
        while (isspace((unsigned char)*lexer->at))
            lexer->at++;
        if (lexer->at[0] == '-' && lexer->at[1] == '-') {
            lexer->at += strcspn(lexer->at, "\n");
            continue;
        }
        if (lexer->at[0] != '/' || lexer->at[1] != '*')
            return *lexer->at != '\0';
        const char *begin = lexer->at;
        int depth = 0;
        do {
            if (lexer->at[0] == '/' && lexer->at[1] == '*') {
                depth++;
                lexer->at += 2;
            } else if (lexer->at[0] == '*' && lexer->at[1] == '/') {
                depth--;
                lexer->at += 2;
            } else if (*lexer->at) {
                lexer->at++;
            } else {
                return unfinished(lexer, begin, "/* comment");
            }
        } while (depth > 0);
    }
}

static char escaped(char byte)
{
    static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
    const char *found = strchr(from, byte);
    return byte && found ? to[found - from] : byte;
}

static int quoted(struct lexer *lexer)
{
    const char *begin = lexer->at, *at = begin + 1;
    char quote = *begin;
    struct buf value;
    buf_init(&value, REDSHIFT_SQL_LIMIT);
    for (;; at++) {
        if (!*at) {
            buf_free(&value);
            return unfinished(lexer, begin, quote == '"' ? "quoted identifier" : "quoted string");
        }
        if (*at == quote) {
            if (at[1] != quote)
                break;
            buf_char(&value, *++at);
        } else if (quote == '\'' && *at == '\\' && at[1]) {
            buf_char(&value, escaped(*++at));
        } else {
            buf_char(&value, quote == '"' ? (char)tolower((unsigned char)*at) : *at);
        }
    }
    struct redshift_token *token =
        add(lexer, quote == '"' ? RS_QUOTED : RS_STRING, begin, (size_t)(at - begin) + 1);
    token->value = mem_text(value.data ? value.data : "");
    buf_free(&value);
    lexer->at = at + 1;
    if (quote == '"' && !*token->value)
        return redshift_fail(lexer->failure, "zero-length delimited identifier");
    return 0;
}

/* $$text$$, $tag$text$tag$: nothing in it is special. 1: it is none. */
static int dollar_quoted(struct lexer *lexer)
{
    const char *begin = lexer->at, *at = begin + 1;
    while (isalnum((unsigned char)*at) || *at == '_')
        at++;
    if (*at != '$' || isdigit((unsigned char)begin[1]))
        return 1;
    size_t tag = (size_t)(at - begin) + 1;
    const char *text = begin + tag, *end = text;
    while ((end = strchr(end, '$')) && strncmp(end, begin, tag) != 0)
        end++;
    if (!end)
        return unfinished(lexer, begin, "dollar-quoted string");
    char *value = mem_alloc((size_t)(end - text) + 1);
    memcpy(value, text, (size_t)(end - text));
    value[end - text] = '\0';
    add(lexer, RS_STRING, begin, (size_t)(end - begin) + tag)->value = value;
    lexer->at = end + tag;
    return 0;
}

static void number(struct lexer *lexer)
{
    const char *at = lexer->at;
    while (isdigit((unsigned char)*at))
        at++;
    if (*at == '.')
        for (at++; isdigit((unsigned char)*at);)
            at++;
    if (*at == 'e' || *at == 'E') {
        const char *digits = at + 1 + (at[1] == '+' || at[1] == '-');
        if (isdigit((unsigned char)*digits))
            for (at = digits; isdigit((unsigned char)*at);)
                at++;
    }
    add(lexer, RS_NUMBER, lexer->at, (size_t)(at - lexer->at));
    lexer->at = at;
}

static bool in_name(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '$' || (unsigned char)byte >= 0x80;
}

static void word(struct lexer *lexer)
{
    const char *at = lexer->at + 1;
    while (in_name(*at))
        at++;
    size_t length = (size_t)(at - lexer->at);
    /* #name is a temporary table */
    struct redshift_token *token = add(lexer, *lexer->at == '#' ? RS_QUOTED : RS_WORD, lexer->at, length);
    token->value = mem_alloc(length + 1);
    for (size_t i = 0; i < length; i++)
        token->value[i] = (char)tolower((unsigned char)token->text[i]);
    token->value[length] = '\0';
    lexer->at = at;
}

/* :name */
static int parameter(struct lexer *lexer)
{
    const char *name = lexer->at + 1;
    size_t length = 0;
    while (isalnum((unsigned char)name[length]) || name[length] == '_')
        length++;
    for (size_t i = 0; i < lexer->parameter_count; i++) {
        struct redshift_parameter *given = &lexer->parameters[i];
        if (strlen(given->name) != length || memcmp(given->name, name, length) != 0)
            continue;
        given->used = true;
        add(lexer, RS_STRING, lexer->at, length + 1)->value = mem_text(given->value);
        lexer->at = name + length;
        return 0;
    }
    redshift_fail(lexer->failure, "Cannot find parameter: %.*s", (int)(length > 100 ? 100 : length), name);
    lexer->failure->validation = true;
    return -1;
}

static int next(struct lexer *lexer)
{
    static const char *const operators[] = {"!~*", "::", "<<", ">>", "<>", "<=", ">=", "!=", "||", "!~", "~*",
                                            "(",   ")",  "[",  "]",  ",",  ".",  "+",  "-",  "*",  "/",  "%",
                                            "<",   ">",  "=",  ";",  ":",  "~",  "^",  "&",  "|",  "@"};
    const char *at = lexer->at;
    if (*at == '\'' || *at == '"')
        return quoted(lexer);
    int dollars = *at == '$' ? dollar_quoted(lexer) : 1;
    if (dollars != 1)
        return dollars;
    if (isdigit((unsigned char)*at) || (*at == '.' && isdigit((unsigned char)at[1]))) {
        number(lexer);
        return 0;
    }
    if ((in_name(*at) && *at != '$') || (*at == '#' && in_name(at[1]))) {
        word(lexer);
        return 0;
    }
    if (*at == ':' && (isalpha((unsigned char)at[1]) || at[1] == '_'))
        return parameter(lexer);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        size_t length = strlen(operators[i]);
        if (strncmp(at, operators[i], length) == 0) {
            add(lexer, RS_OPERATOR, at, length);
            lexer->at = at + length;
            return 0;
        }
    }
    add(lexer, RS_OPERATOR, at, 1);
    return redshift_fail_at(lexer->tokens, lexer->tokens->count - 1, lexer->failure);
}

static int pair(struct redshift_tokens *tokens, struct redshift_failure *failure)
{
    size_t open[REDSHIFT_DEPTH_LIMIT], depth = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        struct redshift_token *token = &tokens->list[i];
        if (token->kind != RS_OPERATOR || token->length != 1)
            continue;
        if (*token->text == '(' || *token->text == '[') {
            if (depth == REDSHIFT_DEPTH_LIMIT)
                return redshift_fail(failure, "parentheses are nested too deep");
            open[depth++] = i;
        } else if (*token->text == ')' || *token->text == ']') {
            if (depth == 0 || (*tokens->list[open[depth - 1]].text == '(') != (*token->text == ')'))
                return redshift_fail_at(tokens, i, failure);
            token->partner = open[--depth];
            tokens->list[open[depth]].partner = i;
        }
    }
    return depth > 0 ? redshift_fail_at(tokens, tokens->count, failure) : 0;
}

int redshift_lex(struct redshift_tokens *tokens, const char *text, struct redshift_parameter *parameters,
                 size_t parameter_count, struct redshift_failure *failure)
{
    struct lexer lexer = {.at = text,
                          .tokens = tokens,
                          .parameters = parameters,
                          .parameter_count = parameter_count,
                          .failure = failure};
    *tokens = (struct redshift_tokens){.sql = text};
    if (strlen(text) > REDSHIFT_SQL_LIMIT)
        return redshift_fail(failure, "Query text exceeds the limit of %d bytes", REDSHIFT_SQL_LIMIT);
    if (!text_is_utf8(text, strlen(text)))
        return redshift_fail(failure, "invalid byte sequence for encoding \"UTF8\"");
    add(&lexer, RS_END, text, 0);
    tokens->count = 0;
    int more;
    while ((more = skip_blank(&lexer)) == 1)
        if (next(&lexer) != 0) {
            more = -1;
            break;
        }
    while (more == 0 && tokens->count > 0 && redshift_is_op(&tokens->list[tokens->count - 1], ";")) {
        tokens->list[--tokens->count].kind = RS_END;
        tokens->list[tokens->count].length = 0;
    }
    if (more == 0 && pair(tokens, failure) == 0)
        return 0;
    redshift_tokens_free(tokens);
    return -1;
}

void redshift_tokens_free(struct redshift_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++)
        free(tokens->list[i].value);
    free(tokens->list);
    *tokens = (struct redshift_tokens){0};
}

bool redshift_is(const struct redshift_token *token, const char *text)
{
    return token->kind == RS_WORD && strcmp(token->value, text) == 0;
}

bool redshift_is_op(const struct redshift_token *token, const char *text)
{
    return token->kind == RS_OPERATOR && strlen(text) == token->length &&
           memcmp(token->text, text, token->length) == 0;
}

bool redshift_is_name(const struct redshift_token *token)
{
    return token->kind == RS_WORD || token->kind == RS_QUOTED;
}

bool redshift_take(const struct redshift_tokens *tokens, size_t *at, const char *text)
{
    bool is = redshift_is(&tokens->list[*at], text);
    *at += is;
    return is;
}

bool redshift_take_op(const struct redshift_tokens *tokens, size_t *at, const char *text)
{
    bool is = redshift_is_op(&tokens->list[*at], text);
    *at += is;
    return is;
}

static void put_quoted(struct buf *out, const char *text, char quote)
{
    buf_char(out, quote);
    for (; *text; text++) {
        if (*text == quote)
            buf_char(out, quote);
        buf_char(out, *text);
    }
    buf_char(out, quote);
}

void redshift_put_string(struct buf *out, const char *text)
{
    put_quoted(out, text, '\'');
}

void redshift_put_name(struct buf *out, const char *name)
{
    put_quoted(out, name, '"');
}
