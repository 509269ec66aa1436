/* GetQueryResults: rows read back from the result object, a page at a time from where the token says. */
#include "base/buf.h"
#include "base/text.h"
#include "localcloud/athena_private.h"
#include "localcloud/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_LIMIT (64u << 20)
#define PAGE_BYTES  (32u << 20) /* a page of long rows is shorter */

/* A file from an offset on, a byte at a time. */
struct source {
    int fd;
    int64_t offset; /* of what is next */
    size_t at, length;
    char bytes[65536];
};

static int peek(struct source *source)
{
    if (source->at == source->length) {
        ssize_t count = pread(source->fd, source->bytes, sizeof source->bytes, source->offset);
        if (count <= 0)
            return -1;
        source->at = 0;
        source->length = (size_t)count;
    }
    return (unsigned char)source->bytes[source->at];
}

static int take(struct source *source)
{
    int byte = peek(source);
    if (byte >= 0) {
        source->at++;
        source->offset++;
    }
    return byte;
}

/* The next value: quoted, with "" for ", or to the end of the line. Nothing between commas is null. */
static json_t *next_value(struct source *source, bool csv)
{
    struct buf value;
    int byte;
    buf_init(&value, VALUE_LIMIT);
    buf_text(&value, "");
    bool quoted = csv && peek(source) == '"';
    if (quoted) {
        take(source);
        while ((byte = take(source)) >= 0) {
            if (byte == '"' && peek(source) != '"')
                break;
            if (byte == '"')
                take(source);
            buf_char(&value, (char)byte);
        }
    } else {
        while ((byte = peek(source)) >= 0 && byte != '\n' && !(csv && byte == ','))
            buf_char(&value, (char)take(source));
    }
    json_t *text = csv && !quoted ? NULL : json_stringn(value.data, value.length);
    json_t *datum = text ? json_pack("{s:o}", "VarCharValue", text) : json_object();
    buf_free(&value);
    return datum;
}

static json_t *next_row(struct source *source, bool csv)
{
    if (peek(source) < 0)
        return NULL;
    json_t *data = json_array();
    do
        json_array_append_new(data, next_value(source, csv));
    while (take(source) == ',' && csv);
    return json_pack("{s:o}", "Data", data);
}

static void reply(struct request *request, const char *location, const json_t *details, int64_t most,
                  int64_t offset)
{
    struct athena *athena = request->state;
    char bucket[64], key[1025];
    struct object_info info = {0};
    struct err err = ERR_INIT;
    struct source *source = mem_zero(1, sizeof *source);
    source->fd = -1;
    source->offset = offset;
    bool rows_in_it = athena_execution_has_rows(location);
    if (!athena_s3_split(location, bucket, key) ||
        (rows_in_it &&
         objects_get(athena->context->objects, bucket, key, &info, &source->fd, &err) != OBJECTS_OK)) {
        athena_invalid(request, "RESULT_NOT_FOUND", "Could not find results");
        free(source);
        return;
    }
    size_t length = strlen(key);
    bool csv = length > 4 && strcmp(key + length - 4, ".csv") == 0;
    json_t *rows = json_array(), *row;
    while (rows_in_it && (int64_t)json_array_size(rows) < most && source->offset - offset < PAGE_BYTES &&
           (row = next_row(source, csv)))
        json_array_append_new(rows, row);
    json_t *columns = json_object_get(details, "columns");
    json_t *answer = json_pack("{s:{s:o,s:{s:o}}}", "ResultSet", "Rows", rows, "ResultSetMetadata",
                               "ColumnInfo", columns ? json_incref(columns) : json_array());
    bool insert = json_is_true(json_object_get(details, "insert"));
    json_object_set_new(answer, "UpdateCount",
                        insert ? json_copy(json_object_get(details, "rows")) : json_integer(0));
    if (rows_in_it && peek(source) >= 0)
        json_object_set_new(answer, "NextToken", json_sprintf("%lld", (long long)source->offset));
    if (source->fd >= 0)
        close(source->fd);
    object_info_free(&info);
    free(source);
    request_reply_json(request, answer);
}

void athena_get_results(struct request *request)
{
    json_t *description, *details;
    const char *next = request_json_text(request, "NextToken");
    int64_t most = request_json_int(request, "MaxResults", 1000), offset = 0;
    if (most < 1 || most > 1000 || (next && !text_parse_int(next, 0, INT64_MAX, &offset))) {
        athena_invalid(request, "INVALID_INPUT",
                       most > 1000 ? "MaxResults is more than maximum allowed length 1000."
                       : most < 1  ? "MaxResults is less than 1."
                                   : "NextToken is not valid");
        return;
    }
    if (!athena_query_look_up(request, &description, &details))
        return;
    const char *state = json_string_value(json_object_get(json_object_get(description, "Status"), "State"));
    if (strcmp(state, "SUCCEEDED") == 0)
        reply(request,
              json_string_value(
                  json_object_get(json_object_get(description, "ResultConfiguration"), "OutputLocation")),
              details, most, offset);
    else if (strcmp(state, "CANCELLED") == 0)
        athena_invalid(request, "RESULT_NOT_FOUND", "Could not find results");
    else if (strcmp(state, "FAILED") == 0)
        athena_invalid(request, "INVALID_QUERY_EXECUTION_STATE",
                       "Query did not finish successfully. Final query state: %s", state);
    else
        athena_invalid(request, "INVALID_QUERY_EXECUTION_STATE",
                       "Query has not yet finished. Current state: %s", state);
    json_decref(description);
    json_decref(details);
}
