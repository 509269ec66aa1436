#include "localcloud/connection.h"

#include "base/clock.h"
#include "base/rng.h"
#include "base/text.h"
#include "localcloud/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is asked: target, host, service, operation. The body is in connection_body.c. */

static void make_id(struct exchange *exchange, uint64_t number)
{
    struct rng_key key = {.seed = exchange->context->id_seed, .tick = number};
    rng_uuid(&key, exchange->request.id);
}

struct exchange *exchange_create(const struct exchange_context *context, const char *target, uint64_t number)
{
    struct exchange *exchange = mem_zero(1, sizeof *exchange);
    struct request *request = &exchange->request;
    request_init(request);
    exchange->context = context;
    exchange->begun_us = clock_mono_us();
    exchange->length = -1;
    request->now_us = clock_wall_us();
    request->region = context->auth.region;
    request->account = context->account;
    request->base = context->base;
    request->access_key = request->principal = "";
    request->method = "";
    make_id(exchange, number);
    size_t length = strnlen(target, EXCHANGE_TARGET_MAX + 1), path = strcspn(target, "?");
    exchange->failed =
        length > EXCHANGE_TARGET_MAX; /* said in exchange_begin(), when the protocol is known */
    request->path = request_keep(request, target, path > EXCHANGE_TARGET_MAX ? 0 : path);
    if (!exchange->failed && target[path] == '?')
        request->query = request_keep(request, target + path + 1, length - path - 1);
    return exchange;
}

void exchange_destroy(struct exchange *exchange)
{
    if (!exchange)
        return;
    checksum_destroy(exchange->sha256);
    chunked_destroy(exchange->chunked);
    request_free(&exchange->request);
    free(exchange);
}

const char *exchange_operation(const struct exchange *exchange)
{
    return exchange->request.operation ? exchange->request.operation->name : "";
}

const char *exchange_service(const struct exchange *exchange)
{
    return exchange->request.service ? exchange->request.service->name : "";
}

/* ---- parsing ---------------------------------------------------------------------------------------- */

static const char *decode(struct request *request, const char *text, size_t length, bool plus_is_blank)
{
    struct buf out;
    buf_init(&out, length + 1);
    buf_text(&out, "");
    sigv4_decode(&out, text, length, plus_is_blank);
    /* a NUL inside would hide what follows from one reader and not from another */
    bool good = strlen(out.data) == out.length && text_is_utf8(out.data, out.length);
    const char *kept = good ? request_keep(request, out.data, out.length) : NULL;
    buf_free(&out);
    return kept;
}

/* "a=1&b" into parameters, behind those that are there. */
static bool parse_parameters(struct request *request, const char *text)
{
    size_t count = request->parameter_count + 1;
    for (const char *at = text; *at; at++)
        count += *at == '&';
    if (count > REQUEST_PARAMETERS_MAX)
        return false;
    request->parameters = mem_resize(request->parameters, count, sizeof *request->parameters);
    while (*text) {
        size_t length = strcspn(text, "&"), name = strcspn(text, "=&");
        struct request_pair pair = {decode(request, text, name, true), ""};
        if (name < length)
            pair.value = decode(request, text + name + 1, length - name - 1, true);
        if (!pair.name || !pair.value)
            return false;
        if (length > 0)
            request->parameters[request->parameter_count++] = pair;
        text += length + (text[length] == '&');
    }
    return true;
}

/* "127.0.0.1:4566", "localhost", "lake.localhost:4566": nothing else, so that no web page can reach the
 * server under a name of its own. *bucket receives "lake". */
static bool check_host(struct request *request, const char **bucket)
{
    const char *host = request_header(request, "host");
    if (!host)
        return false;
    size_t length = strcspn(host, ":");
    const char *port = host + length;
    if (*port && (strlen(port) > 6 || strspn(port + 1, "0123456789") != strlen(port + 1)))
        return false;
    if ((length == 9 && strncasecmp(host, "127.0.0.1", 9) == 0) ||
        (length == 9 && strncasecmp(host, "localhost", 9) == 0))
        return true;
    if (length <= 10 || length > 10 + OBJECTS_BUCKET_MAX ||
        strncasecmp(host + length - 10, ".localhost", 10) != 0)
        return false;
    *bucket = request_keep(request, host, length - 10);
    return true;
}

static bool split_path(struct request *request, const char *bucket)
{
    const char *path = decode(request, request->path, strlen(request->path), false);
    if (!path || path[0] != '/')
        return false;
    path++;
    if (bucket) {
        request->bucket = bucket;
        request->key = path;
        return true;
    }
    size_t length = strcspn(path, "/");
    request->bucket = request_keep(request, path, length);
    request->key = path[length] ? path + length + 1 : "";
    return true;
}

/* ---- recognising ------------------------------------------------------------------------------------ */

static bool is_form(const struct request *request)
{
    const char *type = request_header(request, "content-type");
    return type && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0;
}

static void set_service(struct exchange *exchange, const struct service *service)
{
    exchange->request.service = service;
    for (size_t i = 0; services[i]; i++)
        if (services[i] == service)
            exchange->request.state = exchange->context->states[i];
}

/* The form of the answer to a target that is nobody's. */
static const struct service unknown_json = {.name = "",
                                            .title = "unknown",
                                            .protocol = PROTOCOL_JSON,
                                            .operations = &(const struct operation){.name = NULL}};

static void recognise_service(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    const char *target = request_header(request, "x-amz-target"), *name = NULL;
    char scope[64];
    if (target) {
        set_service(exchange, service_find_target(target, &name));
        if (request->service)
            request->operation = service_operation(request->service, name);
        else
            request->service = &unknown_json;
        return;
    }
    auth_service(request, scope);
    const struct service *service = service_find(scope);
    if (service && service->protocol == PROTOCOL_QUERY)
        set_service(exchange, service);
    else if (!scope[0] && strcmp(request->method, "POST") == 0 && strcmp(request->path, "/") == 0 &&
             is_form(request))
        set_service(exchange, service_find("sts"));
    else if (service && service->protocol == PROTOCOL_JSON)
        set_service(exchange, service); /* without a target: no operation */
    else
        set_service(exchange, service_find("s3"));
}

/* Sub-resources of S3 that are not there: without this list, GET /bucket?policy would list the bucket. */
static const char *foreign_subresource(const struct request *request)
{
    static const char *const names[] = {"accelerate",
                                        "acl",
                                        "analytics",
                                        "attributes",
                                        "cors",
                                        "encryption",
                                        "intelligent-tiering",
                                        "inventory",
                                        "legal-hold",
                                        "lifecycle",
                                        "logging",
                                        "metrics",
                                        "notification",
                                        "object-lock",
                                        "ownershipControls",
                                        "policy",
                                        "policyStatus",
                                        "publicAccessBlock",
                                        "replication",
                                        "requestPayment",
                                        "restore",
                                        "retention",
                                        "select",
                                        "tagging",
                                        "torrent",
                                        "versioning",
                                        "versions",
                                        "website",
                                        "metadataTable",
                                        "session",
                                        "uploads",
                                        "location",
                                        "delete",
                                        "renameObject",
                                        "abac",
                                        "metadataConfiguration"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (request_parameter(request, names[i]))
            return names[i];
    return NULL;
}

static int recognise_rest(struct exchange *exchange, const char *bucket)
{
    struct request *request = &exchange->request;
    if (!split_path(request, bucket))
        return request_fail(request, 400, "InvalidURI", "Couldn't parse the specified URI.");
    if (strlen(request->key) > OBJECTS_KEY_MAX) {
        request->key = "";
        return request_fail(request, 400, "KeyTooLongError", "Your key is too long");
    }
    request->operation = service_operation_rest(request->service, request);
    const char *foreign = foreign_subresource(request);
    bool used = request->operation && request->operation->query && foreign &&
                strncmp(request->operation->query, foreign, strlen(foreign)) == 0;
    if ((foreign && !used) || (request->operation && !request->operation->handle))
        request->operation = NULL;
    return 0;
}

int exchange_refuse_rest(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    const char *foreign = foreign_subresource(request);
    if (foreign)
        return request_fail(
            request, 501, "NotImplemented",
            "A header or query you provided implies functionality that is not implemented: ?%s", foreign);
    return request_fail(request, 405, "MethodNotAllowed",
                        "The specified method is not allowed against this resource.");
}

static int unknown_operation(struct request *request)
{
    const char *target = request_header(request, "x-amz-target");
    if (request->service->protocol == PROTOCOL_QUERY)
        return request_fail(request, 400, "InvalidAction", "Could not find operation %.64s for version %s",
                            request_parameter_text(request, "Action"), request->service->version);
    return request_fail(request, 400, "UnknownOperationException",
                        "The operation %.100s is not emulated locally", target ? target : "(none)");
}

/* ---- beginning -------------------------------------------------------------------------------------- */

static int throttle(struct request *request)
{
    if (request->service->protocol == PROTOCOL_REST_XML)
        return request_fail(request, 503, "SlowDown", "Please reduce your request rate.");
    if (request->service->protocol == PROTOCOL_QUERY)
        return request_fail(request, 400, "Throttling", "Rate exceeded");
    if (strcmp(request->service->name, "athena") == 0)
        return request_fail(request, 400, "TooManyRequestsException", "Rate exceeded");
    return request_fail(request, 400, "ThrottlingException", "Rate exceeded");
}

int exchange_inject(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    if (!exchange->context->faults || exchange->control)
        return 0;
    exchange->fault =
        faults_take(exchange->context->faults, exchange_service(exchange), exchange_operation(exchange));
    if (exchange->fault.delay_us > 0)
        clock_sleep_until(clock_mono_us() + exchange->fault.delay_us);
    if (exchange->fault.kind == FAULT_THROTTLE)
        return throttle(request);
    if (exchange->fault.kind == FAULT_ERROR) {
        bool rest = request->service->protocol == PROTOCOL_REST_XML;
        int status = exchange->fault.status;
        return request_fail(request, status,
                            status == 503   ? (rest ? "ServiceUnavailable" : "ServiceUnavailableException")
                            : status >= 500 ? (rest ? "InternalError" : "InternalServerException")
                                            : (rest ? "InvalidRequest" : "InvalidRequestException"),
                            "A fault was injected.");
    }
    return 0;
}

static int begin(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    const char *bucket = NULL;
    size_t size = 0;
    for (size_t i = 0; i < request->header_count; i++)
        size += strlen(request->headers[i].name) + strlen(request->headers[i].value) + 4;
    if (!check_host(request, &bucket)) {
        request->service = service_find("s3");
        return request_fail(request, 400, "InvalidRequest",
                            "The Host header must be 127.0.0.1, localhost or BUCKET.localhost");
    }
    if (exchange->context->faults && strncmp(request->path, "/_smartcity/", 12) == 0) {
        exchange->control = true;
        return exchange_open_body(exchange);
    }
    recognise_service(exchange);
    if (exchange->failed)
        return request_fail(request, 414, "RequestURITooLarge", "The target is longer than %d bytes",
                            EXCHANGE_TARGET_MAX);
    if (size > EXCHANGE_HEADERS_MAX)
        return request_fail(request, 400, "RequestHeaderSectionTooLarge",
                            "Your request header section exceeds the maximum size allowed of %d bytes",
                            EXCHANGE_HEADERS_MAX);
    if (!parse_parameters(request, request->query))
        return request_fail(request, 400, "InvalidURI", "Couldn't parse the specified URI.");
    if (request->service->protocol == PROTOCOL_REST_XML && recognise_rest(exchange, bucket) < 0)
        return -1;
    if (request->service->protocol == PROTOCOL_JSON && (!request->operation || !request->operation->handle))
        return unknown_operation(request);
    return exchange_open_body(exchange);
}

bool exchange_begin(struct exchange *exchange, const char *method, const struct request_pair *headers,
                    size_t header_count)
{
    struct request *request = &exchange->request;
    request->method = request_keep(request, method, strnlen(method, 16));
    request->headers = mem_alloc((header_count + 1) * sizeof *request->headers);
    memcpy(request->headers, headers, header_count * sizeof *headers);
    request->header_count = header_count;
    exchange->failed = begin(exchange) < 0;
    return !exchange->failed;
}

int exchange_find_action(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    if (request->body.length > 0 && !parse_parameters(request, request->body.data))
        return request_fail(request, 400, "MalformedInput", "The form cannot be read");
    request->operation = service_operation(request->service, request_parameter_text(request, "Action"));
    return request->operation && request->operation->handle ? 0 : unknown_operation(request);
}
