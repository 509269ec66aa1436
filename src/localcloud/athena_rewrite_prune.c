/* Conditions for pruning: what the WHERE of a SELECT demands of the tables in its FROM, cut at AND. */
#include "base/err.h"
#include "localcloud/athena_rewrite_private.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT 4096 /* longer than what is read of a condition */

/* The text of tokens [from, to), without the qualifier `alias`. NULL: it has another one, or something that
 * no condition on a partition has. */
static char *condition_text(const struct rewriter *r, size_t from, size_t to, const char *alias)
{
    struct buf out;
    buf_init(&out, TEXT_LIMIT);
    bool fine = true;
    for (size_t i = from; i < to && fine; i++) {
        const struct athena_token *token = AT(r, i);
        bool name = athena_is_name(token);
        if (name && i + 2 < to && athena_is_op(AT(r, i + 1), ".")) {
            char *qualifier = rewrite_lower_name(token);
            fine = strcmp(qualifier, alias) == 0 && athena_is_name(AT(r, i + 2));
            free(qualifier);
            i++;
            continue;
        }
        buf_char(&out, ' ');
        if (token->kind == TOKEN_QUOTED) {
            /* Bare, since a quoted name that is no key may be taken for a text there. */
            char *lower = rewrite_lower_name(token);
            fine = fine && *lower && lower[strspn(lower, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
            buf_text(&out, lower);
            free(lower);
        } else {
            fine = fine && token->kind != TOKEN_PARAMETER && token->kind != TOKEN_BINARY;
            buf_append(&out, token->text, token->length);
        }
    }
    if (fine && !out.overflow && out.data)
        return out.data;
    buf_free(&out);
    return NULL;
}

/* Cut at AND, into parentheses; an OR or a CASE outside of them keeps all of it together. */
static void conjuncts(const struct rewriter *r, size_t from, size_t to, const char *alias, json_t *texts)
{
    while (to > from + 1 && athena_is_op(AT(r, from), "(") && AT(r, from)->partner == to - 1) {
        from++;
        to--;
    }
    bool between = false, whole = false;
    for (size_t i = from; i < to; i = rewrite_skip(r, i))
        whole = whole || athena_is(AT(r, i), "OR") || athena_is(AT(r, i), "CASE");
    size_t begin = from;
    for (size_t i = from; i <= to; i = i == to ? i + 1 : rewrite_skip(r, i)) {
        bool and = i < to && athena_is(AT(r, i), "AND");
        if (i < to && athena_is(AT(r, i), "BETWEEN"))
            between = true;
        else if (and&&between)
            and = between = false;
        if (i < to && (whole || !and))
            continue;
        if (begin < i && begin == from && i == to) {
            char *text = condition_text(r, begin, i, alias);
            if (text)
                json_array_append_new(texts, json_string(text));
            free(text);
        } else if (begin < i) {
            conjuncts(r, begin, i, alias, texts);
        }
        begin = i + 1;
    }
}

static struct athena_table *find_table(struct rewriter *r, const char *database, const char *name)
{
    for (size_t i = 0; i < r->query->table_count; i++)
        if (strcmp(r->query->tables[i].database, database) == 0 &&
            strcmp(r->query->tables[i].name, name) == 0)
            return &r->query->tables[i];
    return NULL;
}

/* A relation at `at` that is a table by its name: its conditions. */
static void note_relation(struct rewriter *r, size_t at, size_t to, size_t where_from, size_t where_to)
{
    size_t parts[3], count = 0;
    while (at < to && count < 3 && athena_is_name(AT(r, at)) && !rewrite_is_keyword(AT(r, at))) {
        parts[count++] = at++;
        if (at >= to || !athena_is_op(AT(r, at), "."))
            break;
        at++;
    }
    if (count == 0 || (at < to && athena_is_op(AT(r, at), "(")))
        return;
    char *name = rewrite_lower_name(AT(r, parts[count - 1])), *alias = NULL;
    char *database = count > 1 ? rewrite_lower_name(AT(r, parts[count - 2]))
                               : mem_text(r->database ? r->database : "default");
    bool common = count == 1 && rewrite_is_common(r, name);
    struct athena_table *table = common ? NULL : find_table(r, database, name);
    at += at < to && athena_is(AT(r, at), "AS");
    if (at < to && athena_is_name(AT(r, at)) && !rewrite_is_join(AT(r, at)) &&
        !rewrite_is_keyword(AT(r, at)) && !athena_is(AT(r, at), "TABLESAMPLE"))
        alias = rewrite_lower_name(AT(r, at++));
    bool renamed = alias && at < to && athena_is_op(AT(r, at), "("); /* t(a, b): other names */
    if (table && !renamed) {
        json_t *texts = json_array();
        conjuncts(r, where_from, where_to, alias ? alias : name, texts);
        if (!table->conditions)
            table->conditions = json_array();
        json_array_append_new(table->conditions, texts);
    }
    free(name);
    free(database);
    free(alias);
}

void rewrite_note_conditions(struct rewriter *r, size_t from, size_t to, size_t where_from, size_t where_to)
{
    bool left = false, right = false;
    for (size_t i = from; i < to; i = rewrite_skip(r, i)) {
        left = left || athena_is(AT(r, i), "LEFT");
        right = right || athena_is(AT(r, i), "RIGHT") || athena_is(AT(r, i), "FULL");
    }
    /* A row that an outer join fills with nulls depends on what was not found: there nothing is left out. */
    if (right)
        return;
    bool first = true, begins = true;
    for (size_t i = from; i < to; i = rewrite_skip(r, i)) {
        if (begins && (first || !left))
            note_relation(r, i, to, where_from, where_to);
        first = first && !begins;
        begins = athena_is_op(AT(r, i), ",") || athena_is(AT(r, i), "JOIN");
    }
}
