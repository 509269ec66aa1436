#include "localcloud/athena_parameters.h"

#include "base/buf.h"
#include "base/err.h"

#include <string.h>

#define APPLIED_LIMIT (1u << 20)

json_t *athena_parameters_split(const struct athena_tokens *tokens, size_t from, size_t to)
{
    json_t *values = json_array();
    size_t begun = from;
    for (size_t i = from; i <= to && from < to;) {
        const struct athena_token *token = &tokens->list[i];
        if (i == to || athena_is_op(token, ",")) {
            if (i == begun) {
                json_array_append_new(values, json_string(""));
            } else {
                const struct athena_token *first = &tokens->list[begun], *last = &tokens->list[i - 1];
                size_t length = (size_t)(last->text + last->length - first->text);
                json_array_append_new(values, json_stringn(first->text, length));
            }
            begun = ++i;
        } else {
            bool opens = athena_is_op(token, "(") || athena_is_op(token, "[");
            i = opens && token->partner > i ? token->partner + 1 : i + 1;
        }
    }
    return values;
}

/* One literal goes in as it is, so that it may stand where only a literal may (LIMIT ?); an expression in
 * parentheses, so that it stays one value. */
static int put(struct buf *out, const char *value, struct athena_failure *failure)
{
    struct athena_tokens tokens;
    if (athena_lex(&tokens, value, failure) != 0)
        return -1;
    size_t first = tokens.count > 0 && athena_is_op(&tokens.list[0], "-") ? 1 : 0;
    enum athena_token_kind kind = tokens.count == first + 1 ? tokens.list[first].kind : TOKEN_END;
    bool literal = kind == TOKEN_INTEGER || kind == TOKEN_DECIMAL || kind == TOKEN_DOUBLE ||
                   (first == 0 && (kind == TOKEN_STRING || kind == TOKEN_BINARY || kind == TOKEN_WORD));
    json_t *parts = athena_parameters_split(&tokens, 0, tokens.count);
    bool bad = tokens.count == 0 || json_array_size(parts) != 1;
    for (size_t i = 0; i < tokens.count; i++)
        bad |= tokens.list[i].kind == TOKEN_PARAMETER || athena_is_op(&tokens.list[i], ";");
    /* Rebuilt from its tokens: a comment at its end would swallow what follows. */
    buf_text(out, literal ? "" : "(");
    for (size_t i = 0; i < tokens.count; i++) {
        buf_text(out, i && !(literal && first) ? " " : "");
        buf_append(out, tokens.list[i].text, tokens.list[i].length);
    }
    buf_text(out, literal ? "" : ")");
    json_decref(parts);
    athena_tokens_free(&tokens);
    return bad ? athena_fail(failure, "SYNTAX_ERROR", "a parameter is not one expression") : 0;
}

char *athena_parameters_apply(const char *text, const json_t *values, struct athena_failure *failure)
{
    struct athena_tokens tokens;
    size_t given = json_array_size(values), used = 0;
    if (athena_lex(&tokens, text, failure) != 0)
        return NULL;
    struct buf out;
    buf_init(&out, APPLIED_LIMIT);
    buf_text(&out, "");
    const char *at = text;
    int failed = 0;
    for (size_t i = 0; i < tokens.count && !failed; i++) {
        const struct athena_token *token = &tokens.list[i];
        if (token->kind != TOKEN_PARAMETER)
            continue;
        buf_append(&out, at, (size_t)(token->text - at));
        at = token->text + token->length;
        const char *value = json_string_value(json_array_get(values, used++));
        if (value)
            failed = put(&out, value, failure);
    }
    buf_text(&out, at);
    athena_tokens_free(&tokens);
    if (!failed && used != given)
        failed = athena_fail(failure, "INVALID_PARAMETER_USAGE",
                             "Incorrect number of parameters: expected %zu but found %zu", used, given);
    if (!failed && out.overflow)
        failed = athena_fail(failure, "QUERY_TEXT_TOO_LARGE", "the query with its parameters is too long");
    char *applied = failed ? NULL : mem_text(out.data);
    buf_free(&out);
    return applied;
}
