/* The Redshift rewriter, definitions and the options of COPY under hostile SQL: they end, stay in bounds, and
 * what they let through calls nothing that is neither in the table of functions nor of our own making: the
 * output is lexed again, and every "name(" of it is looked up. */
#include "localcloud/redshift_ddl.h"
#include "localcloud/redshift_load.h"
#include "localcloud/redshift_rewrite.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_calls(const char *sql)
{
    static const char *const never[] = {"read_text",
                                        "read_blob",
                                        "read_csv",
                                        "read_parquet",
                                        "read_json",
                                        "getenv",
                                        "glob",
                                        "query",
                                        "query_table",
                                        "parquet_scan",
                                        "duckdb_settings",
                                        "read_json_objects",
                                        "sniff_csv",
                                        "read_ndjson",
                                        "parquet_schema",
                                        "pragma_database_list"};
    struct redshift_tokens tokens;
    struct redshift_failure ignored;
    if (redshift_lex(&tokens, sql, NULL, 0, &ignored) != 0)
        return; /* the engine's syntax is not all ours */
    for (size_t i = 0; i < tokens.count; i++) {
        const struct redshift_token *token = &tokens.list[i];
        if (token->kind == RS_STRING && i > 0 &&
            (redshift_is(token - 1, "from") || redshift_is(token - 1, "join")))
            abort(); /* a file as a table */
        if (!redshift_is_name(token) || i + 1 >= tokens.count || !redshift_is_op(token + 1, "("))
            continue;
        const struct redshift_token *before = i ? token - 1 : &tokens.list[tokens.count];
        if (redshift_is_op(before, ")") || before->kind == RS_QUOTED || redshift_is(before, "as") ||
            redshift_is(before, "into") || redshift_is(before, "row") || redshift_is(before, "first") ||
            redshift_is(before, "last"))
            continue; /* a list of columns behind an alias */
        for (size_t k = 0; k < sizeof never / sizeof *never; k++)
            if (strcmp(token->value, never[k]) == 0)
                abort();
    }
    redshift_tokens_free(&tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redshift_scope scope = {
        .database = "dev", .user = "awsuser", .schema = "public", .last_copy_id = -1};
    struct redshift_parameter parameter = {.name = "p", .value = "it's"};
    struct redshift_failure failure = {.text = ""};
    struct redshift_tokens tokens;
    struct buf out, table;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    buf_init(&out, 1u << 20);
    buf_init(&table, 1024);
    if (redshift_lex(&tokens, text, &parameter, 1, &failure) == 0) {
        static const char *const definitions[] = {"create", "drop", "alter", "truncate"};
        bool definition = false;
        size_t into;
        for (size_t i = 0; i < 4; i++)
            definition |= redshift_is(&tokens.list[0], definitions[i]);
        int result;
        if (redshift_is(&tokens.list[0], "copy") || redshift_is(&tokens.list[0], "unload")) {
            struct rs_options options;
            struct redshift_outcome outcome = {0};
            size_t at = 1;
            result =
                rs_options_read(&tokens, &at, &options, redshift_is(&tokens.list[0], "unload"), &outcome);
            if (result != 0 && !outcome.error[0])
                abort();
            redshift_outcome_free(&outcome);
        } else {
            result = definition ? redshift_ddl(&tokens, &scope, 7, &out, &table, &failure)
                     : redshift_ddl_select_into(&tokens, &into)
                         ? redshift_ddl_write_into(&tokens, &scope, into, &out, &table, &failure)
                         : redshift_rewrite(&tokens, 0, tokens.count, &scope, true, &out, &failure);
            if (result == 0 && out.data)
                check_calls(out.data);
            else if (result != 0 && !failure.text[0])
                abort();
        }
        redshift_tokens_free(&tokens);
    } else if (!failure.text[0]) {
        abort();
    }
    buf_free(&out);
    buf_free(&table);
    free(text);
    return 0;
}
