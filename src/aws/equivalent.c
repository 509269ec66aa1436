#include "aws/equivalent.h"

#include "aws/service.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "ListObjectsV2": "list-objects-v2", "SQLText": "sql-text" */
static void kebab(struct buf *out, const char *name)
{
    for (size_t i = 0; name[i]; i++) {
        bool upper = isupper((unsigned char)name[i]) != 0;
        bool before = i > 0 && !isupper((unsigned char)name[i - 1]);
        bool after = i > 0 && name[i + 1] && islower((unsigned char)name[i + 1]);
        if (upper && (before || after))
            buf_char(out, '-');
        buf_char(out, (char)tolower((unsigned char)name[i]));
    }
}

static bool is_secret(const char *text)
{
    return text_find_fold(text, "secret_access_key") || text_find_fold(text, "session_token") ||
           text_find_fold(text, "password");
}

static void quoted(struct buf *out, const char *text)
{
    if (is_secret(text))
        text = "***";
    bool plain =
        *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%") ==
                     strlen(text);
    if (plain) {
        buf_text(out, text);
        return;
    }
    buf_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_text(out, "'\\''");
        else
            buf_char(out, *text);
    }
    buf_char(out, '\'');
}

void aws_equivalent_begin(struct buf *out, enum aws_service_id service, const char *operation)
{
    buf_printf(out, "aws %s ", service == AWS_S3 ? "s3api" : aws_services[service].name);
    kebab(out, operation);
}

void aws_equivalent_option(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(out, " --%s ", name);
    quoted(out, value);
}

static bool all_text(const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!json_is_string(json_array_get(array, i)))
            return false;
    return json_array_size(array) > 0;
}

void aws_equivalent_json(struct buf *out, const json_t *input)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)input, name, value)
    {
        buf_text(out, json_is_false(value) ? " --no-" : " --");
        kebab(out, name);
        if (json_is_boolean(value))
            continue;
        if (json_is_string(value) || all_text(value)) {
            size_t count = json_is_array(value) ? json_array_size(value) : 1;
            for (size_t i = 0; i < count; i++) {
                buf_char(out, ' ');
                quoted(out, json_string_value(json_is_array(value) ? json_array_get(value, i) : value));
            }
            continue;
        }
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        buf_char(out, ' ');
        quoted(out, text ? text : "");
        free(text);
    }
}

void aws_equivalent_end(struct buf *out, const struct aws_config *config, enum aws_service_id service)
{
    const struct aws_endpoint *endpoint = &config->endpoints[service];
    if (endpoint->custom)
        aws_equivalent_option(out, "endpoint-url", endpoint->url);
    aws_equivalent_option(out, "region", config->region);
    if (config->profile_named)
        aws_equivalent_option(out, "profile", config->profile);
}
