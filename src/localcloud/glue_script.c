#include "localcloud/glue_script.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 128

int glue_script_fill(const char *text, size_t length, const json_t *arguments, struct buf *out,
                     struct err *err)
{
    const char *end = text + length;
    while (text < end) {
        if (end - text < 3 || text[0] != '$' || text[1] != '{') {
            buf_char(out, *text++);
            continue;
        }
        const char *close = memchr(text, '}', (size_t)(end - text));
        size_t size = close ? (size_t)(close - text) - 2 : 0;
        char name[NAME_MAX_BYTES + 3];
        if (size == 0 || size > NAME_MAX_BYTES)
            return err_set(err, ERR_USAGE, "the script holds a ${ without a name and }");
        snprintf(name, sizeof name, "--%.*s", (int)size, text + 2);
        const char *value = json_string_value(json_object_get(arguments, name));
        if (!value)
            return err_set(err, ERR_USAGE, "the script needs the argument %s", name);
        buf_text(out, value);
        text = close + 1;
    }
    return out->overflow ? err_set(err, ERR_LIMIT, "the script is too long") : 0;
}

/* Behind a comment, quoted text or one byte. */
static const char *behind(const char *at)
{
    const char *end;
    if (at[0] == '-' && at[1] == '-')
        return at + strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*')
        return (end = strstr(at + 2, "*/")) ? end + 2 : at + strlen(at);
    if (*at == '\'' || *at == '"' || *at == '`')
        return (end = strchr(at + 1, *at)) ? end + 1 : at + strlen(at);
    return at + 1;
}

static const char *skip_blank(const char *at)
{
    for (;;) {
        bool comment = (at[0] == '-' && at[1] == '-') || (at[0] == '/' && at[1] == '*');
        if (comment)
            at = behind(at);
        else if (isspace((unsigned char)*at) || *at == ';')
            at++;
        else
            return at;
    }
}

const char *glue_script_next(const char **at, size_t *length)
{
    const char *begin = skip_blank(*at), *end = begin;
    if (!*begin)
        return NULL;
    while (*end && *end != ';')
        end = behind(end);
    *at = *end ? end + 1 : end;
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    *length = (size_t)(end - begin);
    return begin;
}
