/*
 * `smartcity NAME …`: the commands that run in a process of their own, reached through the command table.
 * Each takes its words and returns the exit code. Data goes to stdout, narration to stderr.
 */
#ifndef SMARTCITY_APP_CLI_H
#define SMARTCITY_APP_CLI_H

#include "app/command.h"
#include "app/options.h"
#include "base/log.h"

#define CLI_CONSOLE (-1) /* main() is to open the console; options->replay_path says on what */

/* Reads argv into options, prints help and version, runs batch commands. Options stay the caller's to free.
 */
int cli_main(int argc, char **argv, struct options *options);

typedef int cli_fn(struct options *options, const char *const *words, size_t count);
cli_fn cli_query;
cli_fn cli_run, cli_simulate, cli_replay, cli_journeys, cli_status, cli_doctor, cli_config, cli_manual,
    cli_cloud, cli_sink;

/* "smartcity: text" on stderr; returns the exit code of the error. */
int cli_fail(const struct err *err);
/* Asks on the terminal "This would QUESTION. Do it?", or has `wanted` typed when given; --yes answers. False
 * with the reason: a refusal, or nobody to ask (ERR_USAGE). */
bool cli_confirm(const struct options *options, const char *question, const char *wanted, struct err *err);
/* What went wrong meanwhile, on stderr: warnings and errors of the log since the last call, once each; what
 * producer and consumer both say of one broker is one line. */
struct narrator {
    uint64_t told;
    char last[sizeof((struct log_entry *)NULL)->text];
};
void cli_narrate(struct log *log, struct narrator *narrator);
/* Journeys by path or by name in the folder. */
int cli_journey_path(const struct options *options, const char *wanted, char path[512], struct err *err);

/* Gives the command to the running console (--console PID), waits with --wait; the exit code. */
int cli_remote(struct options *options, const struct command *command, const char *const *words,
               size_t count);

#endif
