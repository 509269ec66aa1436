#include "app/cli.h"

#include "app/control.h"
#include "base/text.h"
#include "sql/sql.h"
#include "stream/version.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLI_WORDS 16

int cli_fail(const struct err *err)
{
    fprintf(stderr, "smartcity: %s\n", err->text);
    return err_exit_code(err);
}

/* ---- help ------------------------------------------------------------------------------------------- */

static void help_examples(const char *examples)
{
    for (const char *line = examples; line && *line;) {
        size_t length = strcspn(line, "\n");
        printf("  %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

#define HELP_COLUMN 33
#define HELP_WIDTH  79

/* From a column on, broken at blanks. */
static void help_wrap(const char *text)
{
    int column = HELP_COLUMN;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + (int)length > HELP_WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        column += printf("%s%.*s", column > HELP_COLUMN ? " " : "", (int)length, text);
        text += length + (text[length] == ' ');
    }
    puts("");
}

static void help_options(unsigned command)
{
    const struct option *table;
    size_t count = options_table(&table);
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &table[i];
        if (option->commands && !(option->commands & command))
            continue;
        char left[64];
        snprintf(left, sizeof left, "%c%c%c --%s%s%s", option->letter ? '-' : ' ',
                 option->letter ? option->letter : ' ', option->letter ? ',' : ' ', option->name,
                 option->argument ? " " : "", option->argument ? option->argument : "");
        bool default_shown = option->fallback && option->fallback[0] && option->type != OPTION_BOOL &&
                             strcmp(option->fallback, "0") != 0;
        char right[400];
        snprintf(right, sizeof right, "%s%s%s%s", option->help, default_shown ? " (" : "",
                 default_shown ? option->fallback : "", default_shown ? ")" : "");
        int gap = HELP_COLUMN - 3 - text_width(left);
        printf("  %s%*s ", left, gap > 0 ? gap : 0, "");
        if (gap < 0)
            printf("\n%*s", HELP_COLUMN, "");
        help_wrap(right);
    }
}

static void help_all(void)
{
    const struct command *table;
    size_t count = command_table(&table);
    puts("smartcity: drive a London to Birmingham smart city through Kafka, from a terminal\n");
    puts("Examples");
    help_examples("smartcity                                        the console, on an embedded broker\n"
                  "smartcity run --bootstrap kafka:9092             the console, on your Kafka\n"
                  "smartcity simulate --for 10m --stdout            events as NDJSON, no broker\n"
                  "smartcity journeys                               what was recorded\n"
                  "smartcity replay NAME --speed 10                 and plays it\n"
                  "smartcity status --output json                   figures of the running console");
    puts("\nCommands");
    for (size_t i = 0; i < count; i++)
        if (table[i].batch && table[i].examples)
            printf("  %-10s %s\n", table[i].name, table[i].summary);
    puts("\nCommands of the console's prompt go to the running one, as `smartcity speed 10`:");
    int column = printf(" ");
    for (size_t i = 0; i < count; i++) {
        if (table[i].batch || !table[i].execute || (table[i].flags & COMMAND_HIDDEN))
            continue;
        if (column + (int)strlen(table[i].name) + 2 > 78)
            column = printf("\n ") - 1;
        column += printf(" %s", table[i].name);
    }
    puts("\n\nOptions of the console (`smartcity COMMAND --help` for the others)");
    help_options(FOR_RUN);
    puts("\nSettings also come from ~/.config/smartcity/smartcity.conf, ./smartcity.conf and\n"
         "SMARTCITY_* variables.");
    puts("Exit codes: 0 success, 1 failed, 2 usage or configuration, 3 connection (try\n"
         "again), 4 threshold, 130 interrupted.");
}

static void help_command(const struct command *command)
{
    printf("smartcity %s%s%s: %s\n", command->name, command->arguments ? " " : "",
           command->arguments ? command->arguments : "", command->summary);
    if (command->help)
        printf("\n%s\n", command->help);
    if (command->examples) {
        puts("\nExamples");
        help_examples(command->examples);
    }
    puts("\nOptions");
    help_options(command->batch ? command->batch_options : FOR_SOCKET);
}

static void version_print(void)
{
    printf("smartcity %s\n", SMARTCITY_VERSION);
    printf("librdkafka %s, SQLite %s, jansson %s\n", kafka_version(), sql_version(), jansson_version_str());
}

void cli_narrate(struct log *log, struct narrator *narrator)
{
    struct log_entry entry;
    while (log_read(log, narrator->told, &entry, 1) == 1) {
        narrator->told = entry.sequence;
        if (entry.level < LOG_WARNING)
            continue;
        const char *what = entry.text;
        for (size_t i = 0; i < 2; i++) {
            const char *role = i ? "consumer: " : "producer: ";
            if (strncmp(what, role, strlen(role)) == 0)
                what += strlen(role);
        }
        if (strcmp(what, narrator->last) == 0)
            continue;
        text_copy(narrator->last, sizeof narrator->last, what);
        fprintf(stderr, "smartcity: %s: %s\n", entry.source, entry.text);
    }
}

/* ---- main ------------------------------------------------------------------------------------------- */

/* The command word is the first argument that is no option; options may stand before it. */
static const struct command *cli_command(int argc, char **argv, int *at, struct err *err)
{
    *at = 0;
    if (argc < 2 || argv[1][0] == '-')
        return command_find("run");
    const struct command *table;
    size_t count = command_table(&table);
    *at = 1;
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, argv[1]) == 0 && (table[i].batch || table[i].execute))
            return &table[i];
    const char *suggestion = command_suggest(argv[1]);
    char shown[48];
    text_sanitise(shown, sizeof shown, argv[1], strlen(argv[1]));
    err_set(err, ERR_USAGE,
            suggestion ? "'%s' is not a command; did you mean %s?"
                       : "'%s' is not a command; see smartcity --help",
            shown, suggestion);
    return NULL;
}

int cli_main(int argc, char **argv, struct options *options)
{
    const char *words[CLI_WORDS];
    size_t count = 0;
    int at;
    struct err err = ERR_INIT;
    memset(options, 0, sizeof *options);
    if (argc > 2 && strcmp(argv[1], "help") == 0) {
        static char help[] = "--help";
        argv[1] = argv[2];
        argv[2] = help;
    } else if (argc == 2 && strcmp(argv[1], "help") == 0) {
        help_all();
        return EXIT_OK;
    }
    const struct command *command = cli_command(argc, argv, &at, &err);
    if (!command)
        return cli_fail(&err);
    unsigned bits = command->batch ? command->batch_options : FOR_SOCKET | FOR_STATUS;
    int result = options_read(options, bits, argc - 1 - at, argv + 1 + at, words, CLI_WORDS, &count, &err);
    if (options->help) {
        if (at == 0)
            help_all();
        else
            help_command(command);
        return EXIT_OK;
    }
    if (options->version) {
        version_print();
        return EXIT_OK;
    }
    if (result < 0)
        return cli_fail(&err);
    if (!command->batch)
        return cli_remote(options, command, words, count);
    if (count > 0 && !command->arguments) {
        err_set(&err, ERR_USAGE, "%s takes no '%.60s'; see smartcity %s --help", command->name, words[0],
                command->name);
        return cli_fail(&err);
    }
    return command->batch(options, words, count);
}
