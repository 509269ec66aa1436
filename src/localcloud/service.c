#include "localcloud/service.h"

#include <string.h>
#include <strings.h>

const struct service *service_find(const char *name)
{
    for (size_t i = 0; services[i]; i++)
        if (strcmp(services[i]->name, name) == 0)
            return services[i];
    return NULL;
}

const struct service *service_find_target(const char *target, const char **name)
{
    const char *dot = strrchr(target, '.');
    if (!dot)
        return NULL;
    for (size_t i = 0; services[i]; i++) {
        const char *own = services[i]->target;
        if (own && strlen(own) == (size_t)(dot - target) &&
            memcmp(own, target, (size_t)(dot - target)) == 0) {
            *name = dot + 1;
            return services[i];
        }
    }
    return NULL;
}

const struct operation *service_operation(const struct service *service, const char *name)
{
    for (const struct operation *operation = service->operations; operation->name; operation++)
        if (strcmp(operation->name, name) == 0)
            return operation;
    return NULL;
}

/* "partNumber&uploadId", "list-type=2" */
static bool has_parameters(const struct request *request, const char *wanted)
{
    while (wanted && *wanted) {
        size_t length = strcspn(wanted, "&"), name = strcspn(wanted, "=&");
        bool found = false;
        for (size_t i = 0; i < request->parameter_count && !found; i++) {
            const struct request_pair *pair = &request->parameters[i];
            found = strlen(pair->name) == name && memcmp(pair->name, wanted, name) == 0 &&
                    (name == length || (strlen(pair->value) == length - name - 1 &&
                                        memcmp(pair->value, wanted + name + 1, length - name - 1) == 0));
        }
        if (!found)
            return false;
        wanted += length + (wanted[length] == '&');
    }
    return true;
}

const struct operation *service_operation_rest(const struct service *service, const struct request *request)
{
    enum operation_level level = request->key[0] ? ON_OBJECT : request->bucket[0] ? ON_BUCKET : ON_SERVICE;
    for (const struct operation *operation = service->operations; operation->name; operation++)
        if (operation->level == level && strcmp(operation->method, request->method) == 0 &&
            has_parameters(request, operation->query) &&
            (!operation->header || request_header(request, operation->header)))
            return operation;
    return NULL;
}

static const char *protocol_text(enum service_protocol protocol)
{
    return protocol == PROTOCOL_REST_XML ? "REST, XML"
           : protocol == PROTOCOL_JSON   ? "JSON 1.1"
                                         : "query, XML";
}

void service_write_table(struct buf *out)
{
    buf_text(out,
             "# Operations of the local cloud\n\n"
             "Written by `smartcity manual cloud` from the dispatch table; do not edit. An operation that is "
             "not here is\n"
             "answered with `UnknownOperationException` (S3: `NotImplemented`, STS: `InvalidAction`).\n");
    for (size_t i = 0; services[i]; i++) {
        const struct service *service = services[i];
        buf_printf(out,
                   "\n## %s\n\nSigned for `%s`; %s.\n\n| operation | recognised by | changes | remarks "
                   "|\n|---|---|---|---|\n",
                   service->title, service->name, protocol_text(service->protocol));
        for (const struct operation *operation = service->operations; operation->name; operation++) {
            static const char *const levels[] = {"/", "/bucket", "/bucket/key"};
            if (!operation->handle)
                continue;
            if (service->protocol == PROTOCOL_REST_XML)
                buf_printf(out, "| %s | `%s %s%s%s`%s%s%s |", operation->name, operation->method,
                           levels[operation->level], operation->query ? "?" : "",
                           operation->query ? operation->query : "", operation->header ? " with `" : "",
                           operation->header ? operation->header : "", operation->header ? "`" : "");
            else if (service->protocol == PROTOCOL_JSON)
                buf_printf(out, "| %s | `X-Amz-Target: %s.%s` |", operation->name, service->target,
                           operation->name);
            else
                buf_printf(out, "| %s | `Action=%s` |", operation->name, operation->name);
            buf_printf(out, " %s | %s |\n", operation->mutates ? "yes" : "",
                       operation->note ? operation->note : "");
        }
    }
}
