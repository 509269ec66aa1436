#include "localcloud/request.h"

#include "base/text.h"
#include "base/xml.h"
#include "localcloud/objects.h"
#include "localcloud/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct request_kept {
    struct request_kept *next;
    char text[];
};

void request_init(struct request *request)
{
    memset(request, 0, sizeof *request);
    request->bucket = request->key = request->query = "";
    buf_init(&request->body, 0);
    buf_init(&request->reply.body, REQUEST_XML_LIMIT);
    request->reply.status = 200;
    request->reply.fd = -1;
}

static void drop_answer(struct request *request)
{
    struct request_reply *reply = &request->reply;
    for (size_t i = 0; i < reply->header_count; i++) {
        free(reply->headers[i].name);
        free(reply->headers[i].value);
    }
    reply->header_count = 0;
    if (reply->fd >= 0)
        close(reply->fd);
    reply->fd = -1;
    reply->size_only = false;
    buf_reset(&reply->body);
    json_decref(reply->members);
    reply->members = NULL;
}

void request_free(struct request *request)
{
    drop_answer(request);
    buf_free(&request->reply.body);
    buf_free(&request->body);
    json_decref(request->json);
    objects_writer_destroy(request->upload);
    free(request->parameters);
    free(request->headers);
    while (request->kept) {
        struct request_kept *kept = request->kept;
        request->kept = kept->next;
        free(kept);
    }
}

char *request_keep(struct request *request, const char *text, size_t length)
{
    struct request_kept *kept = mem_alloc(sizeof *kept + length + 1);
    memcpy(kept->text, text, length);
    kept->text[length] = '\0';
    kept->next = request->kept;
    request->kept = kept;
    return kept->text;
}

/* ---- what was asked --------------------------------------------------------------------------------- */

const char *request_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

const char *request_parameter(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->parameter_count; i++)
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value;
    return NULL;
}

const char *request_parameter_text(const struct request *request, const char *name)
{
    const char *value = request_parameter(request, name);
    return value ? value : "";
}

const char *request_json_text(const struct request *request, const char *name)
{
    return json_string_value(json_object_get(request->json, name));
}

int64_t request_json_int(const struct request *request, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(request->json, name);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool request_json_bool(const struct request *request, const char *name, bool fallback)
{
    const json_t *value = json_object_get(request->json, name);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *request_json_object(const struct request *request, const char *name)
{
    json_t *value = json_object_get(request->json, name);
    return json_is_object(value) ? value : NULL;
}

json_t *request_json_array(const struct request *request, const char *name)
{
    json_t *value = json_object_get(request->json, name);
    return json_is_array(value) ? value : NULL;
}

/* ---- the answer ------------------------------------------------------------------------------------- */

void request_reply_header(struct request *request, const char *name, const char *value)
{
    struct request_reply *reply = &request->reply;
    if (reply->header_count == sizeof reply->headers / sizeof *reply->headers)
        return;
    for (const char *at = value; *at; at++)
        if (*at == '\n' || *at == '\r')
            return; /* would begin another header */
    reply->headers[reply->header_count++] =
        (struct request_reply_header){.name = mem_text(name), .value = mem_text(value)};
}

void request_reply_header_printf(struct request *request, const char *name, const char *format, ...)
{
    char value[2400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    request_reply_header(request, name, value);
}

struct buf *request_reply_body(struct request *request, const char *content_type)
{
    request_reply_header(request, "Content-Type", content_type);
    return &request->reply.body;
}

void request_reply_json(struct request *request, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    struct buf *body = request_reply_body(request, "application/x-amz-json-1.1");
    if (text)
        buf_text(body, text);
    free(text);
    json_decref(json);
}

struct buf *request_reply_xml(struct request *request)
{
    bool query = request->service && request->service->protocol == PROTOCOL_QUERY;
    struct buf *body = request_reply_body(request, query ? "text/xml" : "application/xml");
    buf_text(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    return body;
}

void request_reply_file(struct request *request, int fd, int64_t from, int64_t size)
{
    if (request->reply.fd >= 0)
        close(request->reply.fd);
    request->reply.fd = fd;
    request->reply.from = from;
    request->reply.size = size;
}

void request_reply_size(struct request *request, int64_t size)
{
    request->reply.size_only = true;
    request->reply.size = size;
}

/* ---- errors ----------------------------------------------------------------------------------------- */

static enum service_protocol protocol_of(const struct request *request)
{
    return request->service ? request->service->protocol : PROTOCOL_REST_XML;
}

static void write_members_xml(struct buf *out, const json_t *members)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)members, name, value)
    {
        if (json_is_string(value))
            xml_element(out, name, json_string_value(value));
        else if (json_is_integer(value))
            buf_printf(out, "<%s>%lld</%s>", name, (long long)json_integer_value(value), name);
    }
}

static void write_rest_error(struct request *request, struct buf *out)
{
    buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    xml_element(out, "Code", request->reply.code);
    xml_element(out, "Message", request->reply.message);
    write_members_xml(out, request->reply.members);
    if (request->key[0])
        xml_element(out, "Key", request->key);
    if (request->bucket[0])
        xml_element(out, "BucketName", request->bucket);
    xml_element(out, "Resource", request->path ? request->path : "/");
    xml_element(out, "RequestId", request->id);
    xml_element(out, "HostId", request->id);
    buf_text(out, "</Error>");
}

static void write_query_error(struct request *request, struct buf *out)
{
    buf_printf(out, "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type>", request->service->xmlns,
               request->reply.status < 500 ? "Sender" : "Receiver");
    xml_element(out, "Code", request->reply.code);
    xml_element(out, "Message", request->reply.message);
    write_members_xml(out, request->reply.members);
    buf_text(out, "</Error>");
    xml_element(out, "RequestId", request->id);
    buf_text(out, "</ErrorResponse>");
}

static void write_json_error(struct request *request, struct buf *out)
{
    const struct request_reply *reply = &request->reply;
    json_t *body = json_pack("{s:s, s:s, s:s}", "__type", reply->code, "message", reply->message, "Message",
                             reply->message);
    if (reply->members)
        json_object_update(body, reply->members);
    char *text = json_dumps(body, JSON_COMPACT);
    buf_text(out, text ? text : "{}");
    free(text);
    json_decref(body);
}

/* The body is made anew each time, since members may be added after request_fail(). */
static void write_error(struct request *request)
{
    struct buf *out = &request->reply.body;
    buf_reset(out);
    if (protocol_of(request) == PROTOCOL_JSON)
        write_json_error(request, out);
    else if (protocol_of(request) == PROTOCOL_QUERY)
        write_query_error(request, out);
    else if (!request->method || strcmp(request->method, "HEAD") != 0)
        write_rest_error(request, out);
}

int request_fail(struct request *request, int status, const char *code, const char *format, ...)
{
    struct request_reply *reply = &request->reply;
    char message[sizeof reply->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    drop_answer(request);
    text_sanitise(reply->message, sizeof reply->message, message, strlen(message));
    text_copy(reply->code, sizeof reply->code, code);
    reply->status = status;
    reply->failed = true;
    if (protocol_of(request) == PROTOCOL_JSON) {
        request_reply_header(request, "Content-Type", "application/x-amz-json-1.1");
        request_reply_header(request, "x-amzn-ErrorType", code);
    } else {
        request_reply_header(request, "Content-Type",
                             protocol_of(request) == PROTOCOL_QUERY ? "text/xml" : "application/xml");
    }
    write_error(request);
    return -1;
}

void request_fail_member(struct request *request, const char *name, json_t *value)
{
    if (!request->reply.members)
        request->reply.members = json_object();
    json_object_set_new(request->reply.members, name, value);
    write_error(request);
}

int request_fail_internal(struct request *request, const struct err *err)
{
    bool full = err->kind == ERR_FULL;
    if (protocol_of(request) == PROTOCOL_JSON)
        return request_fail(request, 500, "InternalServerException", "%s",
                            full ? err->text : "An internal error occurred.");
    if (protocol_of(request) == PROTOCOL_QUERY)
        return request_fail(request, 500, "InternalFailure", "%s",
                            full ? err->text : "An internal error occurred.");
    return request_fail(request, 500, "InternalError", "%s",
                        full ? err->text : "We encountered an internal error. Please try again.");
}
