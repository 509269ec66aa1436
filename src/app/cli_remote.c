/* A command for the running console, given in another terminal: asked over its socket, and waited for. */
#include "app/cli.h"

#include "app/control.h"
#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US 100000

static int remote_print(const char *reply, int output)
{
    json_t *object = json_loads(reply, 0, NULL);
    struct err err = ERR_INIT;
    int exit_code = EXIT_OK;
    if (!json_is_true(json_object_get(object, "ok"))) {
        err_set(&err, ERR_REMOTE, "%s",
                json_string_value(json_object_get(object, "error"))
                    ?: "the console's answer is not understood");
        fprintf(stderr, "smartcity: %s\n", err.text);
        exit_code = (int)json_integer_value(json_object_get(object, "exit"));
        exit_code = exit_code > 0 ? exit_code : EXIT_FAILED;
    } else if (output == OUTPUT_JSON || output == OUTPUT_NDJSON) {
        puts(reply);
    } else {
        const char *text = json_string_value(json_object_get(object, "text"));
        char shown[400];
        text_sanitise(shown, sizeof shown, text && *text ? text : "done",
                      strlen(text && *text ? text : "done"));
        puts(shown);
    }
    json_decref(object);
    return exit_code;
}

/* The job that the answer names; 0: it is done already. */
static int64_t job_of(const char *reply)
{
    json_t *object = json_loads(reply, 0, NULL);
    int64_t job = json_integer_value(json_object_get(json_object_get(object, "data"), "job"));
    json_decref(object);
    return job;
}

/* Looks until the job is over; how far it is goes to a terminal's standard error. */
static int remote_wait(const struct options *options, int64_t job)
{
    char line[40];
    bool narrate = isatty(STDERR_FILENO);
    snprintf(line, sizeof line, "job %" PRId64, job);
    for (;;) {
        char *reply;
        struct err err = ERR_INIT;
        if (control_ask(options->console, line, &reply, &err) < 0)
            return cli_fail(&err);
        json_t *object = json_loads(reply, 0, NULL), *data = json_object_get(object, "data");
        const char *state = json_string_value(json_object_get(data, "state"));
        const char *text = json_string_value(json_object_get(data, "text"));
        char shown[240];
        text_sanitise(shown, sizeof shown, text ? text : "", text ? strlen(text) : 0);
        bool over = !state || (strcmp(state, "waiting") != 0 && strcmp(state, "running") != 0);
        bool done = state && strcmp(state, "done") == 0;
        if (narrate && !over)
            fprintf(stderr, "\r\033[K%s", shown);
        if (over && narrate)
            fputs("\r\033[K", stderr);
        int exit_code = done ? EXIT_OK : EXIT_FAILED;
        if (over && options->output == OUTPUT_JSON) {
            char *json = json_dumps(data, JSON_COMPACT);
            puts(json ? json : "{}");
            free(json);
        } else if (over && done) {
            puts(shown);
        }
        if (over && !done)
            fprintf(stderr, "smartcity: %s\n", state ? shown : "the console does not know that job any more");
        json_decref(object);
        free(reply);
        if (over)
            return exit_code;
        clock_sleep_until(clock_mono_us() + LOOK_US);
    }
}

bool cli_confirm(const struct options *options, const char *question, const char *wanted, struct err *err)
{
    char answer[128] = "";
    if (options->yes)
        return true;
    if (options->no_input || !isatty(STDIN_FILENO)) {
        err_set(err, ERR_USAGE, "this would %s; give --yes to do it without being asked", question);
        return false;
    }
    fprintf(stderr,
            wanted ? "This would %s and cannot be undone. Type %s to do it: "
                   : "This would %s. Do it? [y/N] ",
            question, wanted);
    if (fgets(answer, sizeof answer, stdin))
        answer[strcspn(answer, "\n")] = '\0';
    if (wanted ? strcmp(answer, wanted) == 0 : answer[0] == 'y' || answer[0] == 'Y')
        return true;
    err_set(err, ERR_CANCELLED, "nothing was done");
    return false;
}

static bool remote_confirm(const struct options *options, const struct command *command,
                           const char *const *words, size_t count, struct err *err)
{
    char question[200], target[96] = "";
    if (!(command->flags & (COMMAND_CONFIRM | COMMAND_CONFIRM_NAME)))
        return true;
    if (count > 0)
        text_sanitise(target, sizeof target, words[count - 1], strlen(words[count - 1]));
    snprintf(question, sizeof question, "%s%s%s in the running console", command->summary, count ? ": " : "",
             target);
    return cli_confirm(options, question, command->flags & COMMAND_CONFIRM_NAME && count ? target : NULL,
                       err);
}

int cli_remote(struct options *options, const struct command *command, const char *const *words, size_t count)
{
    char line[1024], *reply;
    struct err err = ERR_INIT;
    size_t used = (size_t)snprintf(line, sizeof line, "%s", command->name);
    for (size_t i = 0; i < count; i++) {
        if (strchr(words[i], '"') || used + strlen(words[i]) + 4 > sizeof line) {
            err_set(&err, ERR_USAGE, "a word is too long or holds a quote");
            return cli_fail(&err);
        }
        used += (size_t)snprintf(line + used, sizeof line - used, " \"%s\"", words[i]);
    }
    if (options->yes && command->price && used + 8 < sizeof line)
        snprintf(line + used, sizeof line - used, " --yes");
    if (!remote_confirm(options, command, words, count, &err) ||
        control_ask(options->console, line, &reply, &err) < 0)
        return cli_fail(&err);
    int64_t job = options->wait ? job_of(reply) : 0;
    int exit_code = job > 0 ? remote_wait(options, job) : remote_print(reply, options->output);
    free(reply);
    return exit_code;
}
