/* Does a partition match an expression: three-valued logic over the typed values of its keys. */
#include "localcloud/glue_expression_private.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

bool glue_expression_fits(enum value_class value_class, const char *text)
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

bool glue_expression_class(const char *type, enum value_class *value_class)
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

/* ---- evaluation ------------------------------------------------------------------------------------- */

/* NULL: null. */
static const char *value_of(const struct operand *operand, const struct node *node, const json_t *values)
{
    if (operand->column < 0)
        return operand->text;
    const char *text = json_string_value(json_array_get(values, (size_t)operand->column));
    return text && strcmp(text, "__HIVE_DEFAULT_PARTITION__") != 0 &&
                   glue_expression_fits(node->value_class, text)
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
    unsigned char results[NODES_MAX] = {0};
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
