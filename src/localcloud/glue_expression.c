#include "localcloud/glue_expression.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A node a predicate, in one array that cannot outgrow the text. Literals are cut out of a copy of the text.
 */

#define NODES_MAX 1024
#define DEPTH_MAX 64

enum value_class { CLASS_TEXT, CLASS_NUMBER, CLASS_DATE, CLASS_TIMESTAMP };
enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_COMPARE, NODE_IN, NODE_BETWEEN, NODE_LIKE, NODE_NULL };
enum comparison { EQUAL, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };
enum logic { LOGIC_FALSE, LOGIC_TRUE, LOGIC_NULL };

struct operand {
    int column; /* -1: a literal */
    const char *text;
};

struct node {
    enum node_kind kind;
    enum comparison comparison;
    enum value_class value_class;
    bool negated;
    int left, right; /* AND, OR, NOT */
    struct operand operands[3];
    struct operand *list; /* IN */
    size_t list_count;
};

struct key {
    char *name;
    enum value_class value_class;
};

struct glue_expression {
    struct node nodes[NODES_MAX];
    int count, root;
    struct key *keys;
    size_t key_count;
    char *texts; /* literals, each NUL-terminated */
};

/* ---- values ----------------------------------------------------------------------------------------- */

static bool is_number(const char *text)
{
    size_t whole, part = 0;
    text += *text == '-' || *text == '+';
    whole = strspn(text, "0123456789");
    text += whole;
    if (*text == '.')
        part = strspn(++text, "0123456789"), text += part;
    return *text == '\0' && whole + part > 0;
}

static int compare_magnitude(const char *a, const char *b)
{
    size_t length_a, length_b;
    a += strspn(a, "0");
    b += strspn(b, "0");
    length_a = strspn(a, "0123456789");
    length_b = strspn(b, "0123456789");
    if (length_a != length_b)
        return length_a < length_b ? -1 : 1;
    int order = memcmp(a, b, length_a);
    if (order)
        return order;
    a += length_a + (a[length_a] == '.');
    b += length_b + (b[length_b] == '.');
    while (*a || *b) {
        int digit_a = *a ? *a++ : '0', digit_b = *b ? *b++ : '0';
        if (digit_a != digit_b)
            return digit_a - digit_b;
    }
    return 0;
}

/* Exact, of any length. */
static int compare_numbers(const char *a, const char *b)
{
    bool negative_a = *a == '-', negative_b = *b == '-';
    a += *a == '-' || *a == '+';
    b += *b == '-' || *b == '+';
    if (negative_a != negative_b) {
        bool zeros = strspn(a, "0.") == strlen(a) && strspn(b, "0.") == strlen(b);
        return zeros ? 0 : negative_a ? -1 : 1;
    }
    int order = compare_magnitude(a, b);
    return negative_a ? -order : order;
}

#define MOMENT_SIZE 30
/* "2026-01-12[ T]08:14:32.5" padded to one length, so that the order of texts is that of times. */
static bool normal_moment(const char *text, bool date_only, char out[MOMENT_SIZE])
{
    static const char pattern[] = "dddd-dd-dd dd:dd:dd.ddddddddd";
    size_t length = strlen(text);
    memcpy(out, "0000-00-00 00:00:00.000000000", MOMENT_SIZE);
    if (length >= MOMENT_SIZE || (length != 10 && (date_only || (length != 16 && length < 19))))
        return false;
    for (size_t i = 0; i < length; i++) {
        bool fits = pattern[i] == 'd'   ? isdigit((unsigned char)text[i]) != 0
                    : pattern[i] == ' ' ? text[i] == ' ' || text[i] == 'T'
                                        : text[i] == pattern[i];
        if (!fits)
            return false;
        if (pattern[i] == 'd')
            out[i] = text[i];
    }
    return true;
}

static bool fits_class(enum value_class value_class, const char *text)
{
    char moment[MOMENT_SIZE];
    switch (value_class) {
    case CLASS_NUMBER:
        return is_number(text);
    case CLASS_DATE:
        return normal_moment(text, true, moment);
    case CLASS_TIMESTAMP:
        return normal_moment(text, false, moment);
    case CLASS_TEXT:
        break;
    }
    return true;
}

static int compare_values(enum value_class value_class, const char *a, const char *b)
{
    char moment_a[MOMENT_SIZE], moment_b[MOMENT_SIZE];
    if (value_class == CLASS_NUMBER)
        return compare_numbers(a, b);
    if (value_class == CLASS_TEXT)
        return strcmp(a, b);
    normal_moment(a, value_class == CLASS_DATE, moment_a);
    normal_moment(b, value_class == CLASS_DATE, moment_b);
    return strcmp(moment_a, moment_b);
}

static bool type_class(const char *type, enum value_class *value_class)
{
    static const char *const numbers[] = {"tinyint", "smallint", "int",   "integer",
                                          "bigint",  "long",     "short", "byte"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (text_equal_fold(type, numbers[i])) {
            *value_class = CLASS_NUMBER;
            return true;
        }
    if (text_prefix_fold(type, "decimal"))
        *value_class = CLASS_NUMBER;
    else if (text_equal_fold(type, "date"))
        *value_class = CLASS_DATE;
    else if (text_prefix_fold(type, "timestamp"))
        *value_class = CLASS_TIMESTAMP;
    else if (text_equal_fold(type, "string") || text_prefix_fold(type, "varchar") ||
             text_prefix_fold(type, "char") || !*type)
        *value_class = CLASS_TEXT;
    else
        return false;
    return true;
}

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
    if (operand->column >= 0 || node->kind == NODE_NULL || fits_class(node->value_class, operand->text))
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
        if (!type_class(type ? type : "", &own->value_class))
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

/* ---- evaluation ------------------------------------------------------------------------------------- */

/* NULL: null. */
static const char *value_of(const struct operand *operand, const struct node *node, const json_t *values)
{
    if (operand->column < 0)
        return operand->text;
    const char *text = json_string_value(json_array_get(values, (size_t)operand->column));
    return text && strcmp(text, "__HIVE_DEFAULT_PARTITION__") != 0 && fits_class(node->value_class, text)
               ? text
               : NULL;
}

static enum logic compare(const struct node *node, enum comparison comparison, const struct operand *a,
                          const struct operand *b, const json_t *values)
{
    const char *left = value_of(a, node, values), *right = value_of(b, node, values);
    if (!left || !right)
        return LOGIC_NULL;
    int order = compare_values(node->value_class, left, right);
    bool holds = comparison == EQUAL        ? order == 0
                 : comparison == UNEQUAL    ? order != 0
                 : comparison == LESS       ? order < 0
                 : comparison == LESS_EQUAL ? order <= 0
                 : comparison == GREATER    ? order > 0
                                            : order >= 0;
    return holds ? LOGIC_TRUE : LOGIC_FALSE;
}

/* % and _ ; linear but for one step back to the last %. */
static bool like(const char *text, const char *pattern)
{
    const char *back = NULL, *from = NULL;
    while (*text) {
        if (*pattern == '%') {
            back = ++pattern;
            from = text;
        } else if (*pattern && (*pattern == '_' || *pattern == *text)) {
            const char *start = text;
            if (*pattern == '_')
                text_next_rune(&text, start + strlen(start));
            else
                text++;
            pattern++;
        } else if (back) {
            pattern = back;
            text = ++from;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "%")] == '\0';
}

static enum logic negate(enum logic logic)
{
    return logic == LOGIC_NULL ? LOGIC_NULL : logic == LOGIC_TRUE ? LOGIC_FALSE : LOGIC_TRUE;
}

static enum logic both(enum logic a, enum logic b)
{
    return a == LOGIC_FALSE || b == LOGIC_FALSE ? LOGIC_FALSE
           : a == LOGIC_NULL || b == LOGIC_NULL ? LOGIC_NULL
                                                : LOGIC_TRUE;
}

static enum logic evaluate_predicate(const struct node *node, const json_t *values)
{
    enum logic result = LOGIC_FALSE;
    if (node->kind == NODE_NULL) {
        result = value_of(&node->operands[0], node, values) ? LOGIC_FALSE : LOGIC_TRUE;
    } else if (node->kind == NODE_COMPARE) {
        result = compare(node, node->comparison, &node->operands[0], &node->operands[1], values);
    } else if (node->kind == NODE_BETWEEN) {
        result = both(compare(node, GREATER_EQUAL, &node->operands[0], &node->operands[1], values),
                      compare(node, LESS_EQUAL, &node->operands[0], &node->operands[2], values));
    } else if (node->kind == NODE_LIKE) {
        const char *text = value_of(&node->operands[0], node, values);
        const char *pattern = value_of(&node->operands[1], node, values);
        result = !text || !pattern ? LOGIC_NULL : like(text, pattern) ? LOGIC_TRUE : LOGIC_FALSE;
    } else {
        for (size_t i = 0; i < node->list_count && result != LOGIC_TRUE; i++) {
            enum logic one = compare(node, EQUAL, &node->operands[0], &node->list[i], values);
            result = one == LOGIC_FALSE ? result : one;
        }
    }
    return node->negated ? negate(result) : result;
}

/* Children stand before their parents, so one pass over the array decides without recursion: AND and OR of
 * many terms nest as deep as they are many. */
bool glue_expression_matches(const struct glue_expression *expression, const json_t *values)
{
    unsigned char results[NODES_MAX];
    for (int i = 0; i <= expression->root; i++) {
        const struct node *node = &expression->nodes[i];
        if (node->kind == NODE_AND)
            results[i] = (unsigned char)both(results[node->left], results[node->right]);
        else if (node->kind == NODE_OR)
            results[i] =
                (unsigned char)negate(both(negate(results[node->left]), negate(results[node->right])));
        else if (node->kind == NODE_NOT)
            results[i] = (unsigned char)negate(results[node->left]);
        else
            results[i] = (unsigned char)evaluate_predicate(node, values);
    }
    return results[expression->root] == LOGIC_TRUE;
}
