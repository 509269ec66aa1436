/* cloud: the local cloud alone, for the aws CLI, boto3 or any SDK. */
#include "app/cli.h"

#include "base/file.h"
#include "base/loop.h"
#include "base/text.h"
#include "localcloud/cloud.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_json(const struct cloud_address *address)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s}", "endpoint", address->endpoint, "region", address->region,
                  "access_key", address->access_key, "secret_key", address->secret_key);
    if (address->control_token[0])
        json_object_set_new(object, "control_token", json_string(address->control_token));
    char *text = json_dumps(object, JSON_COMPACT);
    puts(text ? text : "{}");
    free(text);
    json_decref(object);
}

/* 'single quotes', so that the shell takes it as it is. */
static void print_export(const char *name, const char *value)
{
    printf("export %s='", name);
    for (; *value; value++) {
        if (*value == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*value);
    }
    puts("'");
}

static void print_exports(const struct cloud_address *address)
{
    print_export("AWS_ENDPOINT_URL", address->endpoint);
    print_export("AWS_REGION", address->region);
    print_export("AWS_DEFAULT_REGION", address->region);
    print_export("AWS_ACCESS_KEY_ID", address->access_key);
    print_export("AWS_SECRET_ACCESS_KEY", address->secret_key);
    puts("unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CA_BUNDLE");
}

static void print_table(const struct cloud_address *address)
{
    printf("endpoint    %s\nregion      %s\naccess key  %s\nsecret key  %s\n", address->endpoint,
           address->region, address->access_key, address->secret_key);
    if (address->control_token[0])
        printf("faults      %s/_smartcity/faults, x-smartcity-control: %s\n", address->endpoint,
               address->control_token);
}

static void on_signal(struct loop *loop, void *context)
{
    loop_stop(loop);
}

/* On connection threads; one call of stdio, so that lines stay whole. */
static void narrate(void *context, const char *line)
{
    fprintf(stderr, "%s\n", line);
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

int cli_cloud(struct options *options, const char *const *words, size_t count)
{
    struct err err = ERR_INIT;
    char folder[FILE_PATH_SIZE];
    text_copy(folder, sizeof folder, options->cloud_data);
    if (!folder[0] && file_make_place(FILE_DATA, "cloud", folder, &err) < 0)
        return cli_fail(&err);
    if ((options->access_key[0] == '\0') != (options->secret_key[0] == '\0')) {
        err_set(&err, ERR_USAGE, "an access key needs its secret key, and the other way round");
        return cli_fail(&err);
    }
    struct loop *loop = loop_create(&err);
    if (!loop)
        return cli_fail(&err);
    loop_add_signal(loop, SIGINT, on_signal, NULL, NULL);
    loop_add_signal(loop, SIGTERM, on_signal, NULL, NULL);
    struct cloud_settings settings = {
        .folder = folder,
        .port = (int)options->port,
        .region = or_null(options->region),
        .access_key = or_null(options->access_key),
        .secret_key = or_null(options->secret_key),
        .faults = options->faults,
        .realistic = options->realistic,
        .line = options->verbose ? narrate : NULL,
    };
    struct cloud *cloud = cloud_start(&settings, &err);
    if (cloud) {
        if (options->export_lines)
            print_exports(cloud_address(cloud));
        else if (options->output == OUTPUT_JSON || options->output == OUTPUT_NDJSON)
            print_json(cloud_address(cloud));
        else
            print_table(cloud_address(cloud));
        fflush(stdout);
        fprintf(stderr, "data in %s; ends with Ctrl-C\n", folder);
        loop_run(loop);
        cloud_stop(cloud);
    }
    loop_destroy(loop);
    return cloud ? EXIT_OK : cli_fail(&err);
}
