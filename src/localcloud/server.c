#include "localcloud/server.h"

#include "base/clock.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * libmicrohttpd calls handle_target() with the raw target, then handle_request(): once when the headers are
 * there, once for each piece of the body, once at its end. An answer can be given at the first or the last of
 * these calls. After an error a body that is not too long is read and dropped, so that the client reads the
 * answer and can use the connection again; a client that waits for 100-continue, or sends very much, gets the
 * answer at once and the connection is closed.
 */

#define CONNECTION_MEMORY (96 * 1024)
#define DRAIN_MAX         (64LL << 20)
#define STACK_SIZE        (512 * 1024)
#define SMALL_FILE        (32 * 1024) /* read into memory: header and body then go out together */

struct server {
    int listener;
    struct MHD_Daemon *daemon;
    const struct exchange_context *context;
    struct log *log;
    void (*line)(void *context, const char *line);
    void *line_context;
    atomic_uint_fast64_t requests, errors, bytes_in, bytes_out;
};

struct pending {
    struct exchange *exchange;
    bool begun, answered;
    struct request_pair headers[REQUEST_HEADERS_MAX];
    size_t header_count;
    bool too_many;
};

/* ---- answering -------------------------------------------------------------------------------------- */

struct cut {
    struct request *request;
    int64_t left;
};

/* The first bytes of the body, then the end of the connection. */
static ssize_t read_cut(void *context, uint64_t at, char *out, size_t size)
{
    struct cut *cut = context;
    const struct request_reply *reply = &cut->request->reply;
    if (cut->left <= 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t count = size < (size_t)cut->left ? size : (size_t)cut->left;
    ssize_t got;
    if (reply->fd >= 0) {
        got = pread(reply->fd, out, count, reply->from + (int64_t)at);
    } else {
        size_t left = at < reply->body.length ? reply->body.length - (size_t)at : 0;
        got = (ssize_t)(count < left ? count : left);
        if (got > 0)
            memcpy(out, reply->body.data + at, (size_t)got);
    }
    if (got <= 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    cut->left -= got;
    return got;
}

static void free_cut(void *context)
{
    free(context);
}

static ssize_t read_nothing(void *context, uint64_t at, char *out, size_t size)
{
    (void)context, (void)at, (void)out, (void)size;
    return MHD_CONTENT_READER_END_WITH_ERROR; /* never asked for: HEAD has no body */
}

static struct MHD_Response *small_file(struct request_reply *reply)
{
    char *bytes = mem_alloc((size_t)reply->size + 1);
    ssize_t got = pread(reply->fd, bytes, (size_t)reply->size, reply->from);
    if (got != reply->size) {
        free(bytes);
        return NULL;
    }
    return MHD_create_response_from_buffer((size_t)reply->size, bytes, MHD_RESPMEM_MUST_FREE);
}

static struct MHD_Response *make_response(struct exchange *exchange)
{
    struct request_reply *reply = &exchange->request.reply;
    int64_t size = reply->fd >= 0 ? reply->size : (int64_t)reply->body.length;
    if (reply->size_only)
        return MHD_create_response_from_callback((uint64_t)reply->size, 1024, read_nothing, NULL, NULL);
    if (exchange->fault.kind == FAULT_CUT && size > exchange->fault.bytes && !reply->failed) {
        struct cut *cut = mem_zero(1, sizeof *cut);
        *cut = (struct cut){&exchange->request, exchange->fault.bytes};
        return MHD_create_response_from_callback((uint64_t)size, 16384, read_cut, cut, free_cut);
    }
    if (reply->fd < 0)
        return MHD_create_response_from_buffer(reply->body.length,
                                               reply->body.data ? reply->body.data : (char[]){""},
                                               MHD_RESPMEM_PERSISTENT); /* lives as long as the exchange */
    if (reply->size <= SMALL_FILE)
        return small_file(reply);
    struct MHD_Response *response =
        MHD_create_response_from_fd_at_offset64((uint64_t)reply->size, reply->fd, (uint64_t)reply->from);
    if (response)
        reply->fd = -1; /* closed by the response */
    return response;
}

static void add_ids(struct exchange *exchange, struct MHD_Response *response)
{
    const struct request *request = &exchange->request;
    bool rest = !request->service || request->service->protocol == PROTOCOL_REST_XML;
    MHD_add_response_header(response, rest ? "x-amz-request-id" : "x-amzn-RequestId", request->id);
    if (rest)
        MHD_add_response_header(response, "x-amz-id-2", request->id);
    MHD_add_response_header(response, "Server", rest ? "AmazonS3" : "smartcity");
}

static enum MHD_Result answer(struct MHD_Connection *connection, struct pending *pending, bool close_after)
{
    struct exchange *exchange = pending->exchange;
    struct request_reply *reply = &exchange->request.reply;
    pending->answered = true;
    if (exchange->fault.kind == FAULT_LOST && !reply->failed)
        return MHD_NO; /* done, and nobody hears of it */
    struct MHD_Response *response = make_response(exchange);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < reply->header_count; i++)
        /* an empty value is refused by the library, a blank is the same to who reads it */
        MHD_add_response_header(response, reply->headers[i].name,
                                reply->headers[i].value[0] ? reply->headers[i].value : " ");
    add_ids(exchange, response);
    if (close_after)
        MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- callbacks -------------------------------------------------------------------------------------- */

static void *handle_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct server *server = context;
    uint64_t number = atomic_fetch_add(&server->requests, 1);
    struct pending *pending = mem_zero(1, sizeof *pending);
    pending->exchange = exchange_create(server->context, target, number);
    return pending;
}

static enum MHD_Result collect_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    struct pending *pending = context;
    if (pending->header_count == REQUEST_HEADERS_MAX) {
        pending->too_many = true;
        return MHD_NO;
    }
    pending->headers[pending->header_count++] = (struct request_pair){name, value ? value : ""};
    return MHD_YES;
}

static bool must_close(const struct exchange *exchange)
{
    const char *expect = request_header(&exchange->request, "expect");
    const char *length = request_header(&exchange->request, "content-length");
    int64_t bytes = 0;
    if (expect && strcasecmp(expect, "100-continue") == 0)
        return true;
    return length && (!text_parse_int(length, 0, INT64_MAX / 2, &bytes) || bytes > DRAIN_MAX);
}

static enum MHD_Result handle_request(void *context, struct MHD_Connection *connection, const char *url,
                                      const char *method, const char *version, const char *bytes,
                                      size_t *size, void **state)
{
    struct server *server = context;
    struct pending *pending = *state;
    if (!pending)
        return MHD_NO;
    struct exchange *exchange = pending->exchange;
    if (!pending->begun) {
        pending->begun = true;
        MHD_get_connection_values(connection, MHD_HEADER_KIND, collect_header, pending);
        if (pending->too_many) {
            request_fail(&exchange->request, 400, "RequestHeaderSectionTooLarge",
                         "There are more than %d headers", REQUEST_HEADERS_MAX);
            exchange->failed = true;
            return answer(connection, pending, true);
        }
        if (!exchange_begin(exchange, method, pending->headers, pending->header_count) &&
            must_close(exchange))
            return answer(connection, pending, true);
        return MHD_YES;
    }
    if (*size > 0) {
        atomic_fetch_add(&server->bytes_in, *size);
        exchange_body(exchange, bytes, *size);
        /* dropped to the end, but not for ever */
        if (exchange->failed && exchange->raw_in > DRAIN_MAX && exchange->length > DRAIN_MAX)
            return MHD_NO;
        *size = 0;
        return MHD_YES;
    }
    if (pending->answered)
        return MHD_YES;
    exchange_end(exchange);
    return answer(connection, pending, false);
}

static void write_line(struct server *server, const struct exchange *exchange,
                       enum MHD_RequestTerminationCode code)
{
    const struct request *request = &exchange->request;
    const struct request_reply *reply = &request->reply;
    char line[512], took[32], resource[160];
    char target[sizeof resource * 2];
    snprintf(target, sizeof target, "%s%s%s", request->bucket, request->key[0] ? "/" : "", request->key);
    text_sanitise(resource, sizeof resource, target, strlen(target));
    snprintf(took, sizeof took, "%.1f ms", (double)(clock_mono_us() - exchange->begun_us) / 1000);
    int64_t out = reply->size_only ? 0 : reply->size > 0 ? reply->size : (int64_t)reply->body.length;
    snprintf(line, sizeof line, "%s %s %s%s%s %d %s%sin %lld out %lld %s%s",
             exchange_service(exchange)[0] ? exchange_service(exchange) : "-",
             exchange_operation(exchange)[0] ? exchange_operation(exchange) : request->method, resource,
             resource[0] ? " " : "", request->id, reply->status, reply->code, reply->code[0] ? " " : "",
             (long long)exchange->raw_in, (long long)out, took,
             code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "" : " broken off");
    log_write(server->log, reply->status >= 500 ? LOG_WARNING : LOG_DEBUG, "cloud", "%s", line);
    if (server->line)
        server->line(server->line_context, line);
    if (reply->status >= 400)
        atomic_fetch_add(&server->errors, 1);
    atomic_fetch_add(&server->bytes_out, (uint64_t)out);
}

static void handle_end(void *context, struct MHD_Connection *connection, void **state,
                       enum MHD_RequestTerminationCode code)
{
    struct pending *pending = *state;
    if (!pending)
        return;
    if (pending->begun)
        write_line(context, pending->exchange, code);
    exchange_destroy(pending->exchange);
    free(pending);
    *state = NULL;
}

/* The target stays as it was sent; connection.c decodes it. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    return strlen(text);
}

/* ---- start and stop --------------------------------------------------------------------------------- */

static int listen_on(int *port, struct err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (listener < 0)
        return err_set_errno(err, ERR_IO, errno, "no socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 511) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) < 0) {
        int code = errno;
        close(listener);
        return err_set_errno(err, code == EADDRINUSE ? ERR_BUSY : ERR_IO, code,
                             "127.0.0.1:%d cannot be listened on; --port 0 takes any that is free", *port);
    }
    *port = ntohs(address.sin_port);
    return listener;
}

struct server *server_create(int *port, struct err *err)
{
    int listener = listen_on(port, err);
    if (listener < 0)
        return NULL;
    struct server *server = mem_zero(1, sizeof *server);
    server->listener = listener;
    return server;
}

int server_start(struct server *server, const struct exchange_context *context, struct log *log,
                 void (*line)(void *context, const char *line), void *line_context, struct err *err)
{
    sigset_t all, before;
    server->context = context;
    server->log = log;
    server->line = line;
    server->line_context = line_context;
    /* Its threads take no signals: those are the main loop's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC, 0, NULL,
        NULL, handle_request, server, MHD_OPTION_LISTEN_SOCKET, server->listener, MHD_OPTION_URI_LOG_CALLBACK,
        handle_target, server, MHD_OPTION_NOTIFY_COMPLETED, handle_end, server, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_SIZE,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return server->daemon ? 0
                          : err_set(err, ERR_IO,
                                    "the local cloud's server cannot be started: too few threads or files?");
}

void server_stop(struct server *server)
{
    if (!server->daemon)
        return;
    MHD_stop_daemon(server->daemon); /* closes the listener */
    server->daemon = NULL;
    server->listener = -1;
}

void server_destroy(struct server *server)
{
    if (!server)
        return;
    server_stop(server);
    if (server->listener >= 0)
        close(server->listener);
    free(server);
}

void server_figures(struct server *server, struct cloud_figures *figures)
{
    const union MHD_DaemonInfo *info =
        server->daemon ? MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS) : NULL;
    *figures = (struct cloud_figures){
        .requests = atomic_load(&server->requests),
        .errors = atomic_load(&server->errors),
        .bytes_in = atomic_load(&server->bytes_in),
        .bytes_out = atomic_load(&server->bytes_out),
        .connections = info ? info->num_connections : 0,
    };
}
