/* EXPLAIN: the engine's own plan, which is not Trino's; what a person looks for (which tables are read, what
 * is pushed down, how they are joined) is in it. */
#include "localcloud/athena_task.h"

#include "localcloud/athena_engine.h"
#include "localcloud/objects.h"

#include <stdlib.h>
#include <string.h>

#define SQL_LIMIT (16u << 20)

/* Between EXPLAIN and the query: (TYPE x, FORMAT y). */
static bool says(const struct athena_task *task, const char *word)
{
    const struct athena_statement *s = task->statement;
    for (size_t i = 0; i < s->query_from; i++)
        if (athena_is(&s->tokens.list[i], word))
            return true;
    return false;
}

static int plan(struct athena_task *task, const struct athena_query *query)
{
    struct buf sql;
    struct err err = ERR_INIT;
    buf_init(&sql, SQL_LIMIT);
    buf_printf(&sql, "EXPLAIN %s%s", task->statement->analyze ? "ANALYZE " : "",
               says(task, "JSON")       ? "(FORMAT json) "
               : says(task, "GRAPHVIZ") ? "(FORMAT graphviz) "
                                        : "");
    buf_text(&sql, query->sql);
    struct duck_statement *statement =
        sql.overflow ? NULL : duck_prepare(task->run->connection, sql.data, &err);
    int more = statement ? 0 : -1;
    buf_text(task->lines, "Query Plan\n");
    while (statement && (more = duck_step(statement, &err)) == 1) {
        size_t length;
        const char *text = duck_text(duck_column(statement, 1), &length);
        char *masked = athena_mask_paths(text, length);
        buf_text(task->lines, masked);
        buf_text(task->lines, length > 0 && text[length - 1] == '\n' ? "" : "\n");
        free(masked);
    }
    if (more < 0)
        athena_failure_of(task->run->connection, task->execution->text, task->failure);
    duck_finalize(statement);
    buf_free(&sql);
    return more;
}

int athena_explain_run(struct athena_task *task)
{
    const struct athena_statement *s = task->statement;
    struct athena_query query;
    if (says(task, "IO"))
        return athena_fail(task->failure, "NOT_SUPPORTED", "EXPLAIN (TYPE IO) is not emulated locally");
    struct objects_lease *lease = objects_lease(athena_task_objects(task));
    int result = athena_task_query(task, s->query_from, s->query_to, &query);
    if (result == 0) {
        struct duck_statement *bound =
            athena_prepare(task->run->connection, &query, task->execution->text, task->failure);
        result = !bound ? -1 : says(task, "VALIDATE") ? 0 : plan(task, &query);
        duck_finalize(bound);
        athena_query_free(&query);
    }
    objects_release(lease);
    if (result == 0 && says(task, "VALIDATE"))
        buf_text(task->lines, "Valid\ntrue\n");
    if (result == 0)
        athena_task_column(task, says(task, "VALIDATE") ? "Valid" : "Query Plan",
                           says(task, "VALIDATE") ? "boolean" : "varchar");
    return result;
}
