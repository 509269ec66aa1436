/* Athena's statements and its rewriter under hostile SQL: it ends, it stays in bounds, and what it lets
 * through calls nothing that is not in the table of functions: every "name(" in the output is checked by
 * lexing it again. */
#include "localcloud/athena_rewrite.h"
#include "localcloud/athena_statement.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool never(const struct athena_token *token)
{
    static const char *const names[] = {"read_text",   "read_blob",    "read_csv",       "read_parquet",
                                        "read_json",   "getenv",       "glob",           "query",
                                        "query_table", "parquet_scan", "duckdb_settings"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (athena_is(token, names[i]))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    struct athena_query query;
    struct athena_failure failure = {0};
    if (athena_rewrite_text(text, "db", &query, &failure) == 0) {
        struct athena_tokens tokens;
        struct athena_failure ignored;
        if (athena_lex(&tokens, query.sql, &ignored) == 0) {
            for (size_t i = 0; i < tokens.count; i++)
                if (never(&tokens.list[i]) && athena_is_op(&tokens.list[i + 1], "("))
                    abort();
            athena_tokens_free(&tokens);
        }
        athena_query_free(&query);
    } else if (!*failure.kind || !*failure.text) {
        abort();
    }
    struct athena_statement statement;
    struct athena_failure refused = {0};
    if (athena_statement_parse(&statement, text, &refused) != 0 && (!*refused.kind || !*refused.text))
        abort();
    athena_statement_free(&statement);
    free(text);
    return 0;
}
