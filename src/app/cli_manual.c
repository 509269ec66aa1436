/*
 * manual: the documents that come from the tables. `manual 1` and `manual 5` print the man pages, `manual
 * keys` the keys as Markdown, `manual bash` a completion script, `manual cloud` the operations of the local
 * cloud. `make docs` writes them, `make check`
 * compares.
 */
#include "app/cli.h"

#include "base/text.h"
#include "localcloud/service.h"

#include <stdio.h>
#include <string.h>

/* roff: a leading dot or quote, backslashes and hyphens mean something. */
static void roff(const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
        start = *text == '\n';
    }
}

static void roff_line(const char *text)
{
    roff(text);
    putchar('\n');
}

static void manual_options(unsigned command)
{
    const struct option *table;
    size_t count = options_table(&table);
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &table[i];
        if (command ? !(option->commands & command) : option->commands != 0)
            continue;
        fputs(".TP\n\\fB", stdout);
        if (option->letter)
            printf("\\-%c\\fR, \\fB", option->letter);
        fputs("\\-\\-", stdout);
        roff(option->name);
        fputs("\\fR", stdout);
        if (option->argument) {
            fputs(" \\fI", stdout);
            roff(option->argument);
            fputs("\\fR", stdout);
        }
        putchar('\n');
        roff(option->help);
        if (option->fallback && option->fallback[0] && option->type != OPTION_BOOL &&
            strcmp(option->fallback, "0") != 0) {
            fputs(" (", stdout);
            roff(option->fallback);
            putchar(')');
        }
        putchar('\n');
    }
}

static void manual_examples(const char *examples)
{
    fputs(".PP\n.nf\n.RS\n", stdout);
    roff_line(examples);
    fputs(".RE\n.fi\n", stdout);
}

static void manual_1(void)
{
    const struct command *table;
    size_t count = command_table(&table);
    printf(".TH SMARTCITY 1 \"\" \"smartcity %s\" \"User commands\"\n", SMARTCITY_VERSION);
    puts(".SH NAME\nsmartcity \\- drive a London to Birmingham smart city through Kafka, from a terminal");
    puts(".SH SYNOPSIS\n.B smartcity\n[\\fICOMMAND\\fR] [\\fIOPTION\\fR]... [\\fIWORD\\fR]...");
    puts(".SH DESCRIPTION\nWithout a command the console opens: a simulation is sent through Kafka, by "
         "default an embedded broker on\n"
         "127.0.0.1, and every panel shows what Kafka delivered. Data goes to standard output, narration to "
         "standard error.");
    puts(".SH COMMANDS");
    for (size_t i = 0; i < count; i++) {
        if (!table[i].batch || (table[i].flags & COMMAND_HIDDEN && !table[i].examples))
            continue;
        printf(".SS smartcity %s%s", table[i].name, table[i].arguments ? " " : "");
        roff_line(table[i].arguments ? table[i].arguments : "");
        roff_line(table[i].summary);
        manual_options(table[i].batch_options);
        if (table[i].examples)
            manual_examples(table[i].examples);
    }
    puts(".SS Options of every command");
    manual_options(0);
    puts(".SH CONSOLE COMMANDS\nGiven after \\fB:\\fR in the console, or from another terminal as "
         "\\fBsmartcity\\fR \\fICOMMAND\\fR, "
         "where the running console does them. Those marked * are the screen's own.");
    for (size_t i = 0; i < count; i++) {
        if ((!table[i].execute && !(table[i].flags & COMMAND_UI)) || strcmp(table[i].name, "status") == 0)
            continue;
        fputs(".TP\n\\fB", stdout);
        roff(table[i].name);
        fputs("\\fR ", stdout);
        roff(table[i].arguments ? table[i].arguments : "");
        puts(table[i].flags & COMMAND_UI ? " *" : "");
        roff(table[i].summary);
        if (table[i].help) {
            fputs(". ", stdout);
            roff(table[i].help);
        }
        for (int key = 0; key < COMMAND_KEYS && table[i].keys[key].key; key++) {
            fputs(key ? ", \\fB" : ". Keys: \\fB", stdout);
            roff(table[i].keys[key].key);
            fputs("\\fR", stdout);
        }
        putchar('\n');
    }
    puts(".SH FILES\n.TP\n~/.config/smartcity/smartcity.conf, ./smartcity.conf\nsettings, see "
         "smartcity.conf(5)\n"
         ".TP\n~/.local/share/smartcity/journeys\nrecorded journeys\n"
         ".TP\n~/.cache/smartcity/cache.sqlite\nhistory and throughput of past runs\n"
         ".TP\n~/.local/state/smartcity/smartcity.log\nthe log\n"
         ".TP\n$XDG_RUNTIME_DIR/smartcity\ncontrol sockets of running consoles\n.PP\nThe XDG_* variables "
         "move them.");
    puts(".SH ENVIRONMENT\nSMARTCITY_\\fINAME\\fR sets any option of smartcity.conf(5), in capitals with _ "
         "for \\-. NO_COLOR is honoured.");
    puts(".SH EXIT STATUS\n0 success; 1 the operation failed; 2 usage or configuration; 3 a connection "
         "failed, try again; 4 a threshold was\n"
         "breached; 130 interrupted.");
    puts(".SH SEE ALSO\nsmartcity.conf(5), kcat(1)");
}

static void manual_5(void)
{
    const struct option *table;
    size_t count = options_table(&table);
    printf(".TH SMARTCITY.CONF 5 \"\" \"smartcity %s\" \"File formats\"\n", SMARTCITY_VERSION);
    puts(".SH NAME\nsmartcity.conf \\- settings of smartcity(1)");
    puts(".SH DESCRIPTION\nLines of \\fIname\\fR = \\fIvalue\\fR under [smartcity], and any librdkafka "
         "property under [kafka]. A flag overrides\n"
         "the environment, that the file in the working directory, that the user's file, that the default.\n"
         "\\fBsmartcity config\\fR shows what is in force and where it came from.");
    puts(".SH SETTINGS");
    for (size_t i = 0; i < count; i++) {
        if (table[i].flag_only || table[i].type == OPTION_LIST)
            continue;
        fputs(".TP\n\\fB", stdout);
        roff(table[i].name);
        fputs("\\fR = ", stdout);
        roff_line(table[i].fallback && table[i].fallback[0] ? table[i].fallback : "");
        roff_line(table[i].help);
    }
    puts(".SH EXAMPLE\n.nf\n.RS\n[smartcity]\nvehicles = 1000\ntheme = "
         "contrast\n\n[kafka]\nsecurity.protocol = SASL_SSL\n"
         "sasl.mechanisms = PLAIN\nsasl.username = operator\nsasl.password = ...\n.RE\n.fi");
    puts(".SH SEE ALSO\nsmartcity(1)");
}

static void manual_keys(void)
{
    const struct command *table;
    static const struct {
        unsigned scope;
        const char *title;
    } groups[] = {{SCOPE_GLOBAL, "Everywhere"},
                  {SCOPE_LIVE, "While a simulation runs here"},
                  {SCOPE_REPLAY, "While a journey plays"},
                  {SCOPE_DRIVE, "Drive"},
                  {SCOPE_MAP, "Map with the focus"},
                  {SCOPE_LIST, "Lists and the tail"},
                  {SCOPE_STREAM, "Stream"},
                  {SCOPE_LAKE, "Lake"},
                  {SCOPE_CATALOGUE, "Catalogue"},
                  {SCOPE_QUERY, "Query"},
                  {SCOPE_EDITOR, "Query, while SQL is typed"},
                  {SCOPE_WAREHOUSE, "Warehouse"},
                  {SCOPE_JOURNEYS, "Journeys"},
                  {SCOPE_LEDGER, "Ledger"},
                  {SCOPE_LOG, "Log"}};
    size_t count = command_table(&table);
    for (size_t group = 0; group < sizeof groups / sizeof *groups; group++) {
        bool titled = false;
        for (size_t i = 0; i < count; i++) {
            for (int key = 0; key < COMMAND_KEYS && table[i].keys[key].key; key++) {
                const struct command_key *binding = &table[i].keys[key];
                if (!(binding->scopes & groups[group].scope))
                    continue;
                if (!titled)
                    printf("%s### %s\n\n| key | command | |\n|---|---|---|\n", group ? "\n" : "",
                           groups[group].title);
                titled = true;
                printf("| `%s` | %s%s%s | %s |\n", strcmp(binding->key, "|") == 0 ? "\\|" : binding->key,
                       table[i].name, binding->arguments ? " " : "",
                       binding->arguments ? binding->arguments : "", table[i].summary);
            }
        }
    }
}

static void manual_bash(void)
{
    const struct command *table;
    const struct option *options;
    size_t count = command_table(&table), option_count = options_table(&options);
    puts("# bash completion for smartcity, made by `smartcity manual bash`\n_smartcity()\n{\n    local "
         "word=${COMP_WORDS[COMP_CWORD]} options\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ] && [ \"${word#-}\" = \"$word\" ]; then");
    fputs("        COMPREPLY=($(compgen -W '", stdout);
    for (size_t i = 0; i < count; i++)
        if ((table[i].batch || table[i].execute) && (table[i].examples || !(table[i].flags & COMMAND_HIDDEN)))
            printf("%s ", table[i].name);
    puts("' -- \"$word\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in");
    for (size_t i = 0; i < count; i++) {
        if (!table[i].batch)
            continue;
        printf("    %s) options='", table[i].name);
        for (size_t k = 0; k < option_count; k++)
            if (!options[k].commands || (options[k].commands & table[i].batch_options))
                printf("--%s ", options[k].name);
        puts("' ;;");
    }
    puts("    *) options='--help --output --console' ;;\n    esac\n    if [ \"${word#-}\" != \"$word\" ]; "
         "then\n"
         "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n    else\n        "
         "COMPREPLY=($(compgen -f -- \"$word\"))\n    fi\n}\n"
         "complete -F _smartcity smartcity");
}

static void manual_cloud(void)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    service_write_table(&out);
    fputs(out.data, stdout);
    buf_free(&out);
}

int cli_manual(struct options *options, const char *const *words, size_t count)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } pages[] = {{"1", manual_1},
                 {"5", manual_5},
                 {"keys", manual_keys},
                 {"bash", manual_bash},
                 {"cloud", manual_cloud}};
    struct err err = ERR_INIT;
    for (size_t i = 0; count == 1 && i < sizeof pages / sizeof *pages; i++) {
        if (strcmp(words[0], pages[i].name) == 0) {
            pages[i].print();
            return EXIT_OK;
        }
    }
    err_set(&err, ERR_USAGE, "manual 1, 5, keys, bash or cloud");
    return cli_fail(&err);
}
