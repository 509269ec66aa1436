#include "localcloud/glue_expression_private.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- words ------------------------------------------------------------------------------------------ */

enum token { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED_NAME, TOKEN_TEXT, TOKEN_NUMBER, TOKEN_SIGN, TOKEN_WRONG };

struct parser {
    struct glue_expression *expression;
    const char *whole, *at;
    char *out; /* next free byte of expression->texts */
    enum token token;
    const char *text; /* of the token: NUL-terminated in texts */
    int depth;
    bool failed;
    struct err *err;
};

static int fail(struct parser *parser)
{
    if (!parser->failed)
        err_set(parser->err, ERR_USAGE, "Unsupported expression '%.200s'", parser->whole);
    parser->failed = true;
    return -1;
}

/* 'it''s', "name", `name` */
static void next_quoted(struct parser *parser, char quote)
{
    const char *at = parser->at + 1;
    for (;; at++) {
        if (*at == '\0') {
            parser->token = TOKEN_WRONG;
            break;
        }
        if (*at == quote && at[1] != quote)
            break;
        *parser->out++ = *at;
        at += *at == quote;
    }
    parser->at = *at ? at + 1 : at;
}

static void next(struct parser *parser)
{
    size_t length;
    parser->at += strspn(parser->at, " \t\r\n");
    parser->text = parser->out;
    char first = *parser->at;
    if (first == '\0') {
        parser->token = TOKEN_END;
        length = 0;
    } else if (first == '\'' || first == '"' || first == '`') {
        parser->token = first == '\'' ? TOKEN_TEXT : TOKEN_QUOTED_NAME;
        next_quoted(parser, first);
        *parser->out++ = '\0';
        return;
    } else if (isdigit((unsigned char)first) ||
               (strchr("+-.", first) && (isdigit((unsigned char)parser->at[1]) || parser->at[1] == '.'))) {
        parser->token = TOKEN_NUMBER;
        length = 1 + strspn(parser->at + 1, "0123456789.");
    } else if (isalpha((unsigned char)first) || first == '_' || (unsigned char)first >= 0x80) {
        parser->token = TOKEN_WORD;
        for (length = 1; isalnum((unsigned char)parser->at[length]) || parser->at[length] == '_' ||
                         (unsigned char)parser->at[length] >= 0x80;)
            length++;
    } else {
        parser->token = TOKEN_SIGN;
        length = strncmp(parser->at, "<>", 2) == 0 || strncmp(parser->at, "!=", 2) == 0 ||
                         strncmp(parser->at, "<=", 2) == 0 || strncmp(parser->at, ">=", 2) == 0
                     ? 2
                     : 1;
    }
    memcpy(parser->out, parser->at, length);
    parser->out += length;
    *parser->out++ = '\0';
    parser->at += length;
}

static bool is_word(const struct parser *parser, const char *word)
{
    return parser->token == TOKEN_WORD && text_equal_fold(parser->text, word);
}

static bool is_sign(const struct parser *parser, const char *sign)
{
    return parser->token == TOKEN_SIGN && strcmp(parser->text, sign) == 0;
}

static bool take_word(struct parser *parser, const char *word)
{
    bool taken = is_word(parser, word);
    if (taken)
        next(parser);
    return taken;
}

/* ---- grammar ---------------------------------------------------------------------------------------- */

static int add(struct parser *parser, enum node_kind kind)
{
    struct glue_expression *expression = parser->expression;
    if (expression->count == NODES_MAX)
        return fail(parser);
    expression->nodes[expression->count].kind = kind;
    return expression->count++;
}

static int find_column(const struct glue_expression *expression, const char *name)
{
    for (size_t i = 0; i < expression->key_count; i++)
        if (text_equal_fold(expression->keys[i].name, name))
            return (int)i;
    return -1;
}

static int parse_operand(struct parser *parser, struct operand *operand)
{
    operand->column = -1;
    operand->text = parser->text;
    if (parser->token == TOKEN_WORD || parser->token == TOKEN_QUOTED_NAME) {
        bool quoted = parser->token == TOKEN_QUOTED_NAME;
        bool typed = is_word(parser, "date") || is_word(parser, "timestamp");
        operand->column = find_column(parser->expression, parser->text);
        next(parser);
        if (typed && parser->token == TOKEN_TEXT) {
            operand->column = -1;
            operand->text = parser->text;
            next(parser);
        } else if (operand->column < 0 && !quoted) {
            if (!parser->failed)
                err_set(parser->err, ERR_USAGE, "Unknown column '%.128s'", operand->text);
            parser->failed = true;
            return -1;
        }
        return 0; /* "text" that names no key is a text, as Hive's clients write it */
    }
    if (parser->token != TOKEN_TEXT && parser->token != TOKEN_NUMBER)
        return fail(parser);
    next(parser);
    return 0;
}

static int parse_list(struct parser *parser, struct node *node)
{
    if (!is_sign(parser, "("))
        return fail(parser);
    do {
        next(parser);
        node->list = mem_resize(node->list, node->list_count + 1, sizeof *node->list);
        if (parse_operand(parser, &node->list[node->list_count++]) < 0)
            return -1;
    } while (is_sign(parser, ","));
    if (!is_sign(parser, ")"))
        return fail(parser);
    next(parser);
    return 0;
}

static bool parse_comparison(struct parser *parser, enum comparison *comparison)
{
    static const struct {
        const char *sign;
        enum comparison comparison;
    } signs[] = {{"=", EQUAL},       {"<>", UNEQUAL}, {"!=", UNEQUAL},      {"<", LESS},
                 {"<=", LESS_EQUAL}, {">", GREATER},  {">=", GREATER_EQUAL}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (is_sign(parser, signs[i].sign)) {
            *comparison = signs[i].comparison;
            next(parser);
            return true;
        }
    return false;
}

static int check_literal(struct parser *parser, const struct node *node, const struct operand *operand)
{
    static const char *const names[] = {"text", "a number", "a date", "a timestamp"};
    if (operand->column >= 0 || node->kind == NODE_NULL ||
        glue_expression_fits(node->value_class, operand->text))
        return 0;
    if (!parser->failed)
        err_set(parser->err, ERR_USAGE, "'%.128s' is not %s.", operand->text, names[node->value_class]);
    parser->failed = true;
    return -1;
}

/* The class of a predicate is that of its first column; literals must be values of it. */
static int settle_class(struct parser *parser, struct node *node, size_t operands)
{
    node->value_class = CLASS_TEXT;
    for (size_t i = operands; i-- > 0;)
        if (node->operands[i].column >= 0)
            node->value_class = parser->expression->keys[node->operands[i].column].value_class;
    if (node->kind == NODE_LIKE)
        node->value_class = CLASS_TEXT;
    for (size_t i = 0; i < operands; i++)
        if (check_literal(parser, node, &node->operands[i]) < 0)
            return -1;
    for (size_t i = 0; i < node->list_count; i++)
        if (check_literal(parser, node, &node->list[i]) < 0)
            return -1;
    return 0;
}

static int parse_predicate(struct parser *parser)
{
    int index = add(parser, NODE_COMPARE);
    if (index < 0)
        return -1;
    struct node *node = &parser->expression->nodes[index];
    size_t operands = 2;
    if (parse_operand(parser, &node->operands[0]) < 0)
        return -1;
    if (take_word(parser, "is")) {
        node->kind = NODE_NULL;
        node->negated = take_word(parser, "not");
        if (!take_word(parser, "null"))
            return fail(parser);
        return index;
    }
    if (parse_comparison(parser, &node->comparison)) {
        if (parse_operand(parser, &node->operands[1]) < 0)
            return -1;
        return settle_class(parser, node, operands) < 0 ? -1 : index;
    }
    node->negated = take_word(parser, "not");
    if (take_word(parser, "in")) {
        node->kind = NODE_IN;
        operands = 1;
        if (parse_list(parser, node) < 0)
            return -1;
    } else if (take_word(parser, "between")) {
        node->kind = NODE_BETWEEN;
        operands = 3;
        if (parse_operand(parser, &node->operands[1]) < 0)
            return -1;
        if (!take_word(parser, "and"))
            return fail(parser);
        if (parse_operand(parser, &node->operands[2]) < 0)
            return -1;
    } else if (take_word(parser, "like")) {
        node->kind = NODE_LIKE;
        if (parse_operand(parser, &node->operands[1]) < 0)
            return -1;
    } else {
        return fail(parser);
    }
    return settle_class(parser, node, operands) < 0 ? -1 : index;
}

static int parse_or(struct parser *parser);

static int parse_not(struct parser *parser)
{
    int index;
    if (++parser->depth > DEPTH_MAX)
        return fail(parser);
    if (take_word(parser, "not")) {
        int inner = parse_not(parser);
        index = inner < 0 ? -1 : add(parser, NODE_NOT);
        if (index >= 0)
            parser->expression->nodes[index].left = inner;
    } else if (is_sign(parser, "(")) {
        next(parser);
        index = parse_or(parser);
        if (index >= 0 && !is_sign(parser, ")"))
            index = fail(parser);
        else if (index >= 0)
            next(parser);
    } else {
        index = parse_predicate(parser);
    }
    parser->depth--;
    return index;
}

static int parse_joined(struct parser *parser, enum node_kind kind)
{
    const char *word = kind == NODE_AND ? "and" : "or";
    int left = kind == NODE_AND ? parse_not(parser) : parse_joined(parser, NODE_AND);
    while (left >= 0 && take_word(parser, word)) {
        int right = kind == NODE_AND ? parse_not(parser) : parse_joined(parser, NODE_AND);
        int index = right < 0 ? -1 : add(parser, kind);
        if (index < 0)
            return -1;
        parser->expression->nodes[index].left = left;
        parser->expression->nodes[index].right = right;
        left = index;
    }
    return left;
}

static int parse_or(struct parser *parser)
{
    return parse_joined(parser, NODE_OR);
}

static int take_keys(struct glue_expression *expression, const json_t *keys, struct err *err)
{
    const json_t *key;
    size_t index;
    expression->keys = mem_zero(json_array_size(keys) + 1, sizeof *expression->keys);
    json_array_foreach(keys, index, key)
    {
        const char *name = json_string_value(json_object_get(key, "Name"));
        const char *type = json_string_value(json_object_get(key, "Type"));
        struct key *own = &expression->keys[expression->key_count++];
        own->name = mem_text(name ? name : "");
        if (!glue_expression_class(type ? type : "", &own->value_class))
            return err_set(err, ERR_USAGE, "Unsupported type %.64s of the partition key %.128s", type,
                           own->name);
    }
    return 0;
}

struct glue_expression *glue_expression_parse(const char *text, const json_t *keys, struct err *err)
{
    struct glue_expression *expression = mem_zero(1, sizeof *expression);
    struct parser parser = {.expression = expression, .whole = text, .at = text, .err = err};
    size_t length = strlen(text);
    /* A token is written once with its NUL; a sign of one byte becomes two. */
    expression->texts = mem_alloc(2 * length + 2);
    parser.out = expression->texts;
    expression->root = -1;
    if (length > GLUE_EXPRESSION_MAX)
        err_set(err, ERR_USAGE, "The expression is longer than %d bytes", GLUE_EXPRESSION_MAX);
    else if (take_keys(expression, keys, err) == 0) {
        next(&parser);
        expression->root = parse_or(&parser);
        if (expression->root >= 0 && parser.token != TOKEN_END)
            expression->root = fail(&parser);
    }
    if (expression->root >= 0)
        return expression;
    glue_expression_destroy(expression);
    return NULL;
}

void glue_expression_destroy(struct glue_expression *expression)
{
    if (!expression)
        return;
    for (int i = 0; i < expression->count; i++)
        free(expression->nodes[i].list);
    for (size_t i = 0; i < expression->key_count; i++)
        free(expression->keys[i].name);
    free(expression->keys);
    free(expression->texts);
    free(expression);
}
