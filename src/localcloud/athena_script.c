#include "localcloud/athena_script.h"

#include "base/queue.h"
#include "base/worker.h"
#include "localcloud/athena_execution.h"

#include <stdlib.h>

#define POLL_US 100000

/* Asks whether to go on, since the statement itself cannot, and interrupts it until it has ended. */
struct watch {
    const struct sql_engine_call *call;
    struct duck_connection *connection;
    struct queue *end; /* something comes when it has ended */
    bool cancelled;
};

static void watch_run(void *context)
{
    struct watch *watch = context;
    while (!queue_pop(watch->end, POLL_US)) {
        watch->cancelled = watch->cancelled || watch->call->cancelled(watch->call->context);
        if (watch->cancelled)
            duck_interrupt(watch->connection);
    }
}

static int run_watched(const struct athena_run *run, struct athena_execution *execution,
                       const struct sql_engine_call *call, struct err *err)
{
    struct watch watch = {.call = call, .connection = run->connection, .end = queue_create(1, NULL)};
    struct athena_failure failure = {0};
    struct worker *worker = call->cancelled ? worker_start("athena watch", watch_run, &watch, err) : NULL;
    bool unwatched = call->cancelled && !worker;
    int result = unwatched ? -1 : athena_execution_run(run, execution, &failure);
    (void)queue_push(watch.end, &watch, 0);
    worker_join(worker);
    queue_destroy(watch.end);
    if (result == 0 || unwatched)
        return result;
    if (watch.cancelled)
        return err_set(err, ERR_CANCELLED, "Query cancelled by user");
    return err_set(err, ERR_REMOTE, "%s: %s", failure.kind, failure.text);
}

int athena_script_run(const struct service_context *context, struct duck_connection *connection,
                      const struct sql_engine_call *call, struct err *err)
{
    struct athena_run run = {.context = context, .connection = connection};
    struct athena_execution execution = {0};
    struct athena_statement statement;
    struct athena_failure failure;
    if (athena_statement_parse(&statement, call->text, &failure) != 0) {
        athena_statement_free(&statement);
        return err_set(err, ERR_REMOTE, "%s: %s", failure.kind, failure.text);
    }
    athena_execution_id(execution.id);
    execution.text = mem_text(call->text);
    execution.database = mem_text(call->database ? call->database : "default");
    execution.location =
        call->output ? athena_execution_location(&statement, call->output, execution.id) : NULL;
    athena_statement_free(&statement);
    int result = run_watched(&run, &execution, call, err);
    json_decref(execution.columns);
    free(execution.text);
    free(execution.database);
    free(execution.location);
    free(execution.manifest);
    return result;
}
