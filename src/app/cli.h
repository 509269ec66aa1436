/* `smartcity NAME …`: the commands that run in a process of their own. Each returns the exit code. */
#ifndef SMARTCITY_APP_CLI_H
#define SMARTCITY_APP_CLI_H

#include "app/command.h"
#include "app/options.h"

/* What main() is to do: either it was done here (exit code), or the console is wanted. */
struct cli_plan {
    bool console;
    char replay_path[512]; /* "" live */
};

/* Reads argv, prints help and version, runs batch commands. Options stay the caller's to free. */
int cli_main(int argc, char **argv, struct options *options, struct cli_plan *plan);

int cli_run_headless(struct options *options);
int cli_simulate(struct options *options);
int cli_replay_to_kafka(struct options *options, const char *path);
int cli_journeys(struct options *options, const char *const *words, size_t count);
int cli_status(struct options *options);
int cli_doctor(struct options *options);
int cli_config(struct options *options);
/* Any other command of the table, on the running console. */
int cli_remote(struct options *options, const char *line);

/* "smartcity: text" on stderr; returns the exit code of the error. */
int cli_fail(const struct err *err);
void cli_help(const char *command);
/* Journeys by path or by name in the folder. */
int cli_journey_path(const struct options *options, const char *wanted, char path[512], struct err *err);

#endif
