#include "localcloud/redshift_run.h"

#include "base/text.h"
#include "localcloud/redshift_ddl.h"
#include "localcloud/redshift_load.h"
#include "localcloud/redshift_table.h"
#include "localcloud/redshift_type.h"
#include "localcloud/redshift_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void redshift_runner_init(struct redshift_runner *runner)
{
    *runner = (struct redshift_runner){
        .scope = {
            .database = REDSHIFT_DATABASE, .user = REDSHIFT_USER, .schema = "public", .last_copy_id = -1}};
    buf_init(&runner->after, 1u << 20);
}

void redshift_runner_free(struct redshift_runner *runner)
{
    buf_free(&runner->after);
}

void redshift_outcome_free(struct redshift_outcome *outcome)
{
    json_decref(outcome->columns);
    *outcome = (struct redshift_outcome){0};
}

int redshift_outcome_fail(struct redshift_outcome *outcome, const char *format, ...)
{
    char text[sizeof outcome->error - 16];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(outcome->error, sizeof outcome->error, "ERROR: ");
    text_sanitise(outcome->error + 7, sizeof outcome->error - 7, text, strlen(text));
    return -1;
}

static int engine_failed(struct redshift_runner *runner, const struct err *err,
                         struct redshift_outcome *outcome)
{
    char text[800];
    redshift_error_text(runner->connection, err, text, sizeof text);
    return redshift_outcome_fail(outcome, "%s", text);
}

int redshift_engine(struct redshift_runner *runner, const char *sql, struct redshift_outcome *outcome)
{
    struct err err = ERR_INIT;
    return duck_exec(runner->connection, sql, &err) == 0 ? 0 : engine_failed(runner, &err, outcome);
}

/* ---- results ---------------------------------------------------------------------------------------- */

struct pages {
    struct redshift_runner *runner;
    struct redshift_outcome *outcome;
    struct buf body;
    int64_t rows; /* of this page */
    const enum redshift_kind *kinds;
};

static int flush(struct pages *pages, struct err *err)
{
    if (!pages->runner->csv)
        buf_char(&pages->body, ']');
    int result = pages->body.overflow
                     ? err_set(err, ERR_LIMIT, "a page of the result is too large")
                     : pages->runner->page(pages->runner->page_context, pages->outcome->pages++,
                                           pages->body.data ? pages->body.data : "", err);
    buf_reset(&pages->body);
    pages->rows = 0;
    return result;
}

static int add_row(struct pages *pages, struct duck_statement *statement, struct err *err)
{
    size_t count = duck_column_count(statement), before = pages->body.length;
    if (pages->runner->csv) {
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                buf_char(&pages->body, ',');
            redshift_value_csv(duck_column(statement, i), &pages->body);
        }
        buf_text(&pages->body, "\r\n");
    } else {
        json_t *record = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(record, redshift_value_field(duck_column(statement, i), pages->kinds[i]));
        char *text = json_dumps(record, JSON_COMPACT);
        buf_char(&pages->body, pages->rows ? ',' : '[');
        buf_text(&pages->body, text ? text : "[]");
        free(text);
        json_decref(record);
    }
    size_t size = pages->body.length - before;
    pages->rows++;
    pages->outcome->rows++;
    pages->outcome->bytes += (int64_t)size;
    if (size > REDSHIFT_ROW_BYTES * 2)
        return err_set(err, ERR_LIMIT, "a row of the result is larger than 64 KB");
    if (pages->outcome->bytes > REDSHIFT_RESULT_BYTES)
        return err_set(err, ERR_LIMIT, "the result is larger than 500 MB");
    return pages->rows == REDSHIFT_PAGE_ROWS || pages->body.length > REDSHIFT_PAGE_BYTES ? flush(pages, err)
                                                                                         : 0;
}

static int read_rows(struct redshift_runner *runner, struct duck_statement *statement,
                     struct redshift_outcome *outcome)
{
    struct err err = ERR_INIT;
    struct pages pages = {.runner = runner, .outcome = outcome};
    int step = duck_run(statement, &err);
    size_t count = duck_column_count(statement);
    enum redshift_kind *kinds = mem_zero(count + 1, sizeof *kinds);
    outcome->columns = json_array();
    for (size_t i = 0; i < count; i++) {
        struct redshift_type type = redshift_type_of(duck_column_type(statement, i));
        kinds[i] = type.kind;
        json_array_append_new(outcome->columns,
                              redshift_type_metadata(&type, duck_column_name(statement, i)));
    }
    pages.kinds = kinds;
    outcome->has_result = true;
    buf_init(&pages.body, 64u << 20);
    bool own = false;
    while (step == 0 && (step = duck_step(statement, &err)) == 1) {
        step = add_row(&pages, statement, &err);
        own = step != 0;
    }
    if (step == 0 && pages.rows > 0) {
        step = flush(&pages, &err);
        own = step != 0;
    }
    buf_free(&pages.body);
    free(kinds);
    if (step == 0)
        return 0;
    return own ? redshift_outcome_fail(outcome, "%s", err.text) : engine_failed(runner, &err, outcome);
}

/* ---- kinds of statements ---------------------------------------------------------------------------- */

static int failed(struct redshift_outcome *outcome, const struct redshift_failure *failure)
{
    return redshift_outcome_fail(outcome, "%s", failure->text);
}

static int run_rewritten(struct redshift_runner *runner, const char *sql, bool query,
                         struct redshift_outcome *outcome)
{
    struct err err = ERR_INIT;
    struct duck_statement *statement = duck_prepare(runner->connection, sql, &err);
    if (!statement)
        return engine_failed(runner, &err, outcome);
    int result;
    if (query) {
        result = read_rows(runner, statement, outcome);
    } else {
        result = duck_run(statement, &err) == 0 ? 0 : engine_failed(runner, &err, outcome);
        int step = result;
        while (result == 0 && (step = duck_step(statement, &err)) == 1) /* the number of rows, as a row */
            outcome->rows = duck_column_count(statement) == 1 ? duck_int(duck_column(statement, 0)) : 0;
        if (result == 0 && step < 0)
            result = engine_failed(runner, &err, outcome);
    }
    duck_finalize(statement);
    return result;
}

static int run_query(struct redshift_runner *runner, const struct redshift_tokens *tokens, bool query,
                     struct redshift_outcome *outcome)
{
    struct buf sql;
    struct redshift_failure failure;
    buf_init(&sql, 8u << 20);
    int result = redshift_rewrite(tokens, 0, tokens->count, &runner->scope, query, &sql, &failure) == 0
                     ? run_rewritten(runner, sql.data, query, outcome)
                     : failed(outcome, &failure);
    buf_free(&sql);
    return result;
}

/* Sums of integers are wider in the engine than anything Redshift has. */
static int narrow(struct redshift_runner *runner, const char *table, struct redshift_outcome *outcome)
{
    struct err err = ERR_INIT;
    struct buf sql;
    buf_init(&sql, 1u << 20);
    buf_printf(&sql, "SELECT * FROM %s LIMIT 0", table);
    struct duck_statement *statement = duck_prepare(runner->connection, sql.data, &err);
    buf_reset(&sql);
    for (size_t i = 0; statement && i < duck_column_count(statement); i++)
        if (duck_column_type(statement, i)->kind == DUCK_HUGEINT) {
            buf_printf(&sql, "ALTER TABLE %s ALTER COLUMN ", table);
            redshift_put_name(&sql, duck_column_name(statement, i));
            buf_text(&sql, " TYPE BIGINT; ");
        }
    duck_finalize(statement);
    int result = sql.length > 0 ? redshift_engine(runner, sql.data, outcome) : 0;
    buf_free(&sql);
    return result;
}

static int run_definition(struct redshift_runner *runner, const struct redshift_tokens *tokens, size_t into,
                          struct redshift_outcome *outcome)
{
    struct buf sql, table;
    struct redshift_failure failure;
    uint64_t unique = 0;
    buf_init(&sql, 8u << 20);
    buf_init(&table, 1024);
    if (getrandom(&unique, sizeof unique, 0) < 0)
        unique = (uint64_t)runner->query_id;
    int result = into ? redshift_ddl_write_into(tokens, &runner->scope, into, &sql, &table, &failure)
                      : redshift_ddl(tokens, &runner->scope, unique, &sql, &table, &failure);
    bool own = !runner->in_transaction;
    if (result != 0)
        failed(outcome, &failure);
    else if (sql.length > 0 || redshift_is(&tokens->list[0], "alter")) {
        result = own ? redshift_engine(runner, "BEGIN", outcome) : 0;
        if (result == 0 && sql.length > 0)
            result = redshift_engine(runner, sql.data, outcome);
        if (result == 0 && table.length > 0)
            result = narrow(runner, table.data, outcome);
        if (result == 0)
            result = redshift_table_alter(runner, tokens, outcome);
        if (own) {
            struct redshift_outcome ignored = {0};
            if (result == 0)
                result = redshift_engine(runner, "COMMIT", outcome);
            if (result != 0)
                redshift_engine(runner, "ROLLBACK", &ignored);
        }
    }
    buf_free(&sql);
    buf_free(&table);
    return result;
}

/* LIKE is written out first: only the catalogue knows what it means. */
static int run_create(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                      struct redshift_outcome *outcome)
{
    struct buf sql;
    struct redshift_tokens expanded;
    struct redshift_failure failure;
    int there = redshift_table_exists(runner, tokens, outcome);
    if (there != 0)
        return there < 0 ? -1 : 0;
    buf_init(&sql, 1u << 20);
    int result = redshift_table_expand_like(runner, tokens, &sql, outcome);
    if (result == 0) {
        result = run_definition(runner, tokens, 0, outcome);
    } else if (result == 1 && redshift_lex(&expanded, sql.data, NULL, 0, &failure) == 0) {
        result = run_definition(runner, &expanded, 0, outcome);
        redshift_tokens_free(&expanded);
    } else if (result == 1) {
        result = failed(outcome, &failure);
    }
    buf_free(&sql);
    return result;
}

/* SET search_path TO a, b: the rest is accepted and means nothing here. */
static int run_set(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                   struct redshift_outcome *outcome)
{
    size_t at = 1;
    redshift_take(tokens, &at, "session");
    redshift_take(tokens, &at, "local");
    if (!redshift_take(tokens, &at, "search_path"))
        return 0;
    if (!redshift_take(tokens, &at, "to"))
        redshift_take_op(tokens, &at, "=");
    struct buf path, sql;
    buf_init(&path, 4096);
    buf_init(&sql, 8192);
    char first[128] = "";
    for (; tokens->list[at].kind != RS_END; at++) {
        const char *name = tokens->list[at].value;
        if (!name || strcmp(name, "$user") == 0 || strchr(name, ',') || strcmp(name, "main") == 0)
            continue;
        if (!first[0])
            text_copy(first, sizeof first, name);
        redshift_put_name(&path, name);
        buf_char(&path, ',');
    }
    buf_text(&path, "_redshift");
    buf_text(&sql, "SET search_path=");
    redshift_put_string(&sql, path.data);
    int result = redshift_engine(runner, sql.data, outcome);
    if (result == 0) {
        text_copy(runner->schema, sizeof runner->schema, first[0] ? first : "public");
        runner->scope.schema = runner->schema;
    }
    buf_free(&path);
    buf_free(&sql);
    return result;
}

static int run_show(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                    struct redshift_outcome *outcome)
{
    struct buf sql;
    struct redshift_failure failure;
    buf_init(&sql, 8192);
    int result = redshift_show(tokens, &runner->scope, &sql, &failure) == 0
                     ? run_rewritten(runner, sql.data, true, outcome)
                     : failed(outcome, &failure);
    buf_free(&sql);
    return result;
}

static int run_transaction(struct redshift_runner *runner, const char *word, struct redshift_outcome *outcome)
{
    bool begin = strcmp(word, "begin") == 0 || strcmp(word, "start") == 0;
    bool commit = strcmp(word, "commit") == 0 || strcmp(word, "end") == 0;
    if (runner->whole && !begin)
        return redshift_outcome_fail(outcome,
                                     "%s is not emulated locally in a batch, which is one transaction", word);
    if (begin == runner->in_transaction)
        return 0; /* a warning, no error, there as here */
    int result = redshift_engine(runner, begin ? "BEGIN" : commit ? "COMMIT" : "ROLLBACK", outcome);
    if (begin ? result == 0 : true)
        runner->in_transaction = begin;
    return result;
}

#define CONTROLS " begin start commit end rollback abort "

static bool one_of(const char *word, const char *words)
{
    char padded[40];
    return snprintf(padded, sizeof padded, " %s ", word) < (int)sizeof padded && strstr(words, padded);
}

/* The word that says what the statement does: the first, or the one behind WITH x AS (…), y AS (…). */
static const struct redshift_token *verb_of(const struct redshift_tokens *tokens)
{
    static const char *const verbs[] = {"select", "update", "delete", "insert", "merge", "values"};
    const struct redshift_token *first = &tokens->list[0];
    if (!redshift_is(first, "with"))
        return first;
    for (size_t i = 1; i < tokens->count; i++) {
        if (redshift_is_op(&tokens->list[i], "(")) {
            i = tokens->list[i].partner;
            continue;
        }
        for (size_t k = 0; k < sizeof verbs / sizeof *verbs; k++)
            if (redshift_is(&tokens->list[i], verbs[k]))
                return &tokens->list[i];
    }
    return first;
}

static int dispatch(struct redshift_runner *runner, const struct redshift_tokens *tokens,
                    struct redshift_outcome *outcome)
{
    const struct redshift_token *first = &tokens->list[0];
    size_t into = 0;
    if (tokens->count == 0)
        return redshift_outcome_fail(outcome, "the statement is empty");
    const char *word = first->kind == RS_WORD ? first->value : "";
    const struct redshift_token *verb = verb_of(tokens);
    if (verb != first && (redshift_is(verb, "insert") || redshift_is(verb, "merge"))) {
        struct redshift_failure failure;
        redshift_fail_at(tokens, (size_t)(verb - first), &failure);
        return failed(outcome, &failure);
    }
    if (verb != first && (redshift_is(verb, "update") || redshift_is(verb, "delete")))
        return run_query(runner, tokens, false, outcome);
    if (redshift_is_op(first, "(") || one_of(word, " select with values ")) {
        if (strcmp(word, "select") == 0 && redshift_ddl_select_into(tokens, &into))
            return run_definition(runner, tokens, into, outcome);
        return run_query(runner, tokens, true, outcome);
    }
    if (one_of(word, " insert update delete merge "))
        return run_query(runner, tokens, false, outcome);
    if (one_of(word, " create drop alter truncate "))
        return run_create(runner, tokens, outcome);
    if (strcmp(word, "copy") == 0)
        return redshift_copy(runner, tokens, outcome);
    if (strcmp(word, "unload") == 0)
        return redshift_unload(runner, tokens, outcome);
    if (one_of(word, CONTROLS))
        return run_transaction(runner, word, outcome);
    if (strcmp(word, "set") == 0)
        return run_set(runner, tokens, outcome);
    if (strcmp(word, "show") == 0)
        return run_show(runner, tokens, outcome);
    if (one_of(word, " analyze vacuum grant revoke lock comment reset discard "))
        return 0;
    if (one_of(word, " explain call declare fetch close prepare execute deallocate cancel use "))
        return redshift_outcome_fail(outcome, "%s is not emulated locally", word);
    struct redshift_failure failure;
    redshift_fail_at(tokens, 0, &failure);
    return failed(outcome, &failure);
}

int redshift_run(struct redshift_runner *runner, const char *sql, struct redshift_parameter *parameters,
                 size_t parameter_count, struct redshift_outcome *outcome)
{
    struct redshift_tokens tokens;
    struct redshift_failure failure;
    if (redshift_lex(&tokens, sql, parameters, parameter_count, &failure) != 0)
        return failed(outcome, &failure);
    int result = 0;
    for (size_t i = 0; i < tokens.count && result == 0; i++)
        if (redshift_is_op(&tokens.list[i], ";")) { /* one statement at a time */
            redshift_fail_at(&tokens, i, &failure);
            result = failed(outcome, &failure);
        }
    if (result == 0)
        result = dispatch(runner, &tokens, outcome);
    redshift_tokens_free(&tokens);
    return result;
}

void redshift_run_after(struct redshift_runner *runner)
{
    struct redshift_outcome ignored = {0};
    if (runner->in_transaction) /* that of a session, which may be broken: when it has ended */
        return;
    if (runner->after.length > 0 && !runner->after.overflow)
        redshift_engine(runner, runner->after.data, &ignored);
    buf_reset(&runner->after);
}

bool redshift_controls(const struct redshift_tokens *tokens)
{
    return tokens->count > 0 && tokens->list[0].kind == RS_WORD && one_of(tokens->list[0].value, CONTROLS);
}

bool redshift_only_reads(const struct redshift_tokens *tokens)
{
    size_t into;
    return tokens->count > 0 &&
           (redshift_is_op(&tokens->list[0], "(") ||
            (tokens->list[0].kind == RS_WORD &&
             one_of(tokens->list[0].value, " select with values show set begin ") &&
             !one_of(verb_of(tokens)->value ? verb_of(tokens)->value : "",
                     " update delete insert merge "))) &&
           !redshift_ddl_select_into(tokens, &into);
}
