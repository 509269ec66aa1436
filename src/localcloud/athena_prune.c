#include "localcloud/athena_prune.h"

#include "localcloud/athena_task.h"
#include "localcloud/glue_expression.h"

#include <stdlib.h>
#include <string.h>

struct condition {
    struct glue_expression *whole;
    struct glue_expression *single; /* of its key alone; NULL: of several */
    size_t key;
    size_t mention;
    const char *text;
};

struct athena_prune {
    size_t mentions, count;
    const json_t *keys;
    struct condition *list;
};

struct athena_prune *athena_prune_open(const struct athena_table *table, const json_t *keys)
{
    size_t mentions = json_array_size(table->conditions), total = 0;
    if (mentions == 0 || mentions != table->mentions || json_array_size(keys) == 0)
        return NULL; /* some mention wants all rows */
    for (size_t i = 0; i < mentions; i++)
        total += json_array_size(json_array_get(table->conditions, i));
    struct athena_prune *prune = mem_zero(1, sizeof *prune);
    prune->mentions = mentions;
    prune->keys = keys;
    prune->list = mem_zero(total + 1, sizeof *prune->list);
    for (size_t i = 0; i < mentions; i++) {
        const json_t *texts = json_array_get(table->conditions, i);
        for (size_t j = 0; j < json_array_size(texts); j++) {
            const char *text = json_string_value(json_array_get(texts, j));
            struct err err = ERR_INIT;
            struct condition condition = {
                .whole = glue_expression_parse(text, keys, &err), .mention = i, .text = text};
            if (!condition.whole)
                continue; /* of something else than keys and literals */
            for (size_t key = 0; key < json_array_size(keys) && !condition.single; key++) {
                json_t *one = json_pack("[O]", json_array_get(keys, key));
                condition.single = glue_expression_parse(text, one, &err);
                condition.key = key;
                json_decref(one);
            }
            prune->list[prune->count++] = condition;
        }
    }
    return prune;
}

void athena_prune_close(struct athena_prune *prune)
{
    if (!prune)
        return;
    for (size_t i = 0; i < prune->count; i++) {
        glue_expression_destroy(prune->list[i].whole);
        glue_expression_destroy(prune->list[i].single);
    }
    free(prune->list);
    free(prune);
}

bool athena_prune_wants(const struct athena_prune *prune, const json_t *values)
{
    if (!prune)
        return true;
    for (size_t mention = 0; mention < prune->mentions; mention++) {
        bool all = true;
        for (size_t i = 0; i < prune->count && all; i++)
            all = prune->list[i].mention != mention || glue_expression_matches(prune->list[i].whole, values);
        if (all)
            return true;
    }
    return false;
}

bool athena_prune_wants_value(const struct athena_prune *prune, size_t key, const char *value)
{
    if (!prune)
        return true;
    json_t *values = json_pack("[s]", value);
    bool wanted = false;
    for (size_t mention = 0; mention < prune->mentions && !wanted; mention++) {
        bool all = true;
        for (size_t i = 0; i < prune->count && all; i++) {
            const struct condition *condition = &prune->list[i];
            if (condition->mention == mention && condition->single && condition->key == key)
                all = glue_expression_matches(condition->single, values);
        }
        wanted = all;
    }
    json_decref(values);
    return wanted;
}

/* key = 'x' or key IN ('x', 'y'): appends the literals; false when the text is neither. */
static bool literals(const char *text, json_t *out)
{
    struct athena_tokens tokens;
    struct athena_failure ignored;
    if (athena_lex(&tokens, text, &ignored) != 0)
        return false;
    const struct athena_token *list = tokens.list;
    bool equal = tokens.count == 3 && athena_is_op(&list[1], "="),
         in = tokens.count > 4 && athena_is(&list[1], "IN") && athena_is_op(&list[2], "(");
    bool fine = equal || in;
    for (size_t i = equal ? 2 : 3; fine && i < tokens.count - in; i += 2) {
        fine = list[i].kind == TOKEN_STRING || list[i].kind == TOKEN_INTEGER;
        if (fine) {
            char *value = athena_unquote(&list[i]);
            json_array_append_new(out, json_string(value));
            free(value);
        }
    }
    athena_tokens_free(&tokens);
    return fine;
}

json_t *athena_prune_equals(const struct athena_prune *prune, size_t key)
{
    json_t *values = json_array();
    bool said = prune != NULL;
    for (size_t mention = 0; said && mention < prune->mentions; mention++) {
        said = false;
        for (size_t i = 0; i < prune->count && !said; i++) {
            const struct condition *condition = &prune->list[i];
            if (condition->mention == mention && condition->single && condition->key == key)
                said = literals(condition->text, values);
        }
    }
    if (said)
        return values;
    json_decref(values);
    return NULL;
}
