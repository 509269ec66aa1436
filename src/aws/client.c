#include "aws/client.h"

#include "aws/client_private.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND        1000000ll
#define INLINE_LENGTH 65536 /* a body up to here is hashed at once, by its caller */
#define BULK_LENGTH   (1 << 20)
#define KEY_MAX       1024

/* ---- calls ------------------------------------------------------------------------------------------ */

static void free_call(struct aws_call *call)
{
    char *texts[] = {call->operation, call->method, call->bucket,     call->key,
                     call->query,     call->origin, call->equivalent, call->bytes};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    for (size_t i = 0; i < call->header_count; i++) {
        free((char *)call->headers[i].name);
        free((char *)call->headers[i].value);
    }
    if (call->transfer.source_fd >= 0)
        close(call->transfer.source_fd);
    if (call->own_keys)
        OPENSSL_cleanse(call->own_keys, sizeof *call->own_keys);
    free(call->own_keys);
    json_decref(call->answer.json);
    buf_free(&call->url);
    http_transfer_free(&call->transfer); /* the answer's buffers are these */
    OPENSSL_cleanse(&call->keys, sizeof call->keys);
    free(call);
}

void aws_call_unreference(struct aws_call *call)
{
    if (atomic_fetch_sub(&call->references, 1) == 1)
        free_call(call);
}

static void write_log(const struct aws_call *call, struct log *log)
{
    const struct aws_answer *answer = &call->answer;
    char name[300], bytes[TEXT_FIGURE_SIZE];
    bool action = call->origin != NULL;
    if (answer->err.kind != ERR_NONE) {
        if (answer->err.kind != ERR_CANCELLED || action)
            log_write(log, action ? LOG_ERROR : LOG_DEBUG, action ? call->origin : "aws", "%s",
                      answer->err.text);
        return;
    }
    aws_call_name(call, name, sizeof name);
    int64_t moved = call->transfer.length > answer->bytes ? call->transfer.length : answer->bytes;
    text_bytes(bytes, (double)moved);
    if (action)
        log_action(log, call->origin, call->equivalent ? call->equivalent : "", "%s: done, %s in %.2f s",
                   name, bytes, (double)answer->duration_us / 1e6);
    else
        log_write(log, LOG_DEBUG, "aws", "%s: %d, %s in %.3f s", name, answer->status, bytes,
                  (double)answer->duration_us / 1e6);
}

void aws_client_complete(struct aws_call *call)
{
    struct aws_client *client = call->client;
    struct aws_answer *answer = &call->answer;
    int64_t now = clock_mono_us();
    answer->duration_us = now - call->started_us;
    write_log(call, client->log);
    if (call->on_done)
        call->on_done(call->context, call, answer);
    pthread_mutex_lock(&client->lock);
    struct aws_figures *figures = &client->figures;
    if (answer->err.kind == ERR_NONE) {
        figures->succeeded++;
        figures->last_success_us = now;
    } else if (answer->err.kind == ERR_CANCELLED) {
        figures->cancelled++;
    } else {
        figures->failed++;
        text_copy(figures->last_error, sizeof figures->last_error, answer->err.text);
    }
    figures->bytes_in += (uint64_t)answer->bytes;
    if (answer->err.kind == ERR_NONE && call->transfer.length > 0)
        figures->bytes_out += (uint64_t)call->transfer.length;
    if (call->previous)
        call->previous->next = call->next;
    else
        client->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    client->live--;
    if (call->bytes)
        client->live_bytes -= (size_t)call->transfer.length;
    atomic_store(&call->done, true);
    pthread_cond_broadcast(&client->ended);
    pthread_mutex_unlock(&client->lock);
    aws_call_unreference(call);
}

bool aws_call_done(const struct aws_call *call)
{
    return atomic_load(&call->done);
}

const struct aws_answer *aws_call_answer(const struct aws_call *call)
{
    return atomic_load(&call->done) ? &call->answer : NULL;
}

void aws_call_release(struct aws_call *call)
{
    if (call)
        aws_call_unreference(call);
}

void aws_call_cancel(struct aws_call *call)
{
    if (atomic_load(&call->done))
        return;
    atomic_store(&call->transfer.cancelled, true);
    http_wake(call->client->http);
}

void aws_call_progress(const struct aws_call *call, int64_t *sent, int64_t *received)
{
    *sent = atomic_load(&call->transfer.sent);
    *received = atomic_load(&call->transfer.arrived);
}

const struct aws_answer *aws_wait(struct aws_call *call, int64_t deadline_us)
{
    if (atomic_load(&call->done))
        return &call->answer;
    struct aws_client *client = call->client;
    struct timespec until = {.tv_sec = deadline_us / SECOND, .tv_nsec = deadline_us % SECOND * 1000};
    pthread_mutex_lock(&client->lock);
    int code = 0;
    while (!atomic_load(&call->done) && code != ETIMEDOUT)
        code = deadline_us < 0 ? pthread_cond_wait(&client->ended, &client->lock)
                               : pthread_cond_timedwait(&client->ended, &client->lock, &until);
    pthread_mutex_unlock(&client->lock);
    return aws_call_answer(call);
}

int aws_wait_ok(struct aws_call *call, int64_t deadline_us, struct err *err)
{
    if (!call)
        return -1;
    const struct aws_answer *answer = aws_wait(call, deadline_us);
    if (!answer) {
        aws_call_cancel(call);
        answer = aws_wait(call, -1);
        if (answer->err.kind == ERR_CANCELLED) {
            char name[300];
            aws_call_name(call, name, sizeof name);
            return err_set(err, ERR_CONNECT, "%s: no answer in time", name);
        }
    }
    if (answer->err.kind == ERR_NONE)
        return 0;
    if (err)
        *err = answer->err;
    return -1;
}

bool aws_answer_header(const struct aws_answer *answer, const char *name, char *out, size_t size)
{
    return http_header(&answer->head, name, out, size);
}

/* ---- submitting ------------------------------------------------------------------------------------- */

/* It becomes part of a host name. */
static bool is_bucket(const char *name)
{
    size_t length = strlen(name);
    return length >= 3 && length <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == length &&
           !strchr(".-", name[0]) && !strchr(".-", name[length - 1]) && !strstr(name, "..");
}

static int check(const struct aws_client *client, const struct aws_request *request, struct err *err)
{
    const size_t room = sizeof((struct aws_call *)NULL)->headers / sizeof(struct aws_header);
    if (request->header_count + 1 > room)
        return err_set(err, ERR_USAGE, "more than %zu headers", room - 1);
    if (request->bucket && !is_bucket(request->bucket))
        return err_set(err, ERR_USAGE, "'%.80s' is no name of a bucket", request->bucket);
    if (request->key && (request->key[0] == '\0' || strlen(request->key) > KEY_MAX))
        return err_set(err, ERR_USAGE, "the key of an object has 1 to %d bytes", KEY_MAX);
    if (!request->body.path && request->body.size > AWS_BODY_LIMIT)
        return err_set(err, ERR_LIMIT, "a body in memory has at most %u bytes", AWS_BODY_LIMIT);
    if (request->group && atomic_load(&request->group->cancelled))
        return err_set(err, ERR_CANCELLED, "%s: cancelled", request->operation);
    return 0;
}

static int open_body(struct aws_call *call, const struct aws_body *body, struct err *err)
{
    struct http_transfer *transfer = &call->transfer;
    struct stat status;
    transfer->source_fd = open(body->path, O_RDONLY | O_CLOEXEC);
    if (transfer->source_fd < 0 || fstat(transfer->source_fd, &status) != 0)
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", body->path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_USAGE, "%s is no plain file", body->path);
    transfer->source_offset = body->offset;
    transfer->length = body->length < 0 ? status.st_size - body->offset : body->length;
    if (body->offset < 0 || transfer->length < 0 || body->offset > status.st_size - transfer->length)
        return err_set(err, ERR_USAGE, "%s has only %lld bytes", body->path, (long long)status.st_size);
    return 0;
}

static char *copy(const char *text)
{
    return text ? mem_text(text) : NULL;
}

static void fill(struct aws_call *call, struct aws_client *client, const struct aws_request *request,
                 enum aws_service_id service)
{
    struct http_transfer *transfer = &call->transfer;
    call->client = client;
    call->service = service;
    call->operation = mem_text(request->operation);
    call->method = mem_text(request->method ? request->method : "POST");
    call->bucket = copy(request->bucket);
    call->key = copy(request->key);
    call->query = copy(request->query);
    call->origin = copy(request->origin);
    call->equivalent = copy(request->equivalent);
    for (size_t i = 0; i < request->header_count; i++)
        call->headers[call->header_count++] =
            (struct aws_header){mem_text(request->headers[i].name), mem_text(request->headers[i].value)};
    if (request->keys) {
        call->own_keys = mem_alloc(sizeof *call->own_keys);
        *call->own_keys = *request->keys;
    }
    call->repeat = request->repeat;
    call->group = request->group;
    call->anonymous = request->anonymous;
    call->checksum = request->checksum;
    call->started_us = clock_mono_us();
    buf_init(&call->url, 20000);
    transfer->prepare = aws_call_prepare;
    transfer->done = aws_call_ended;
    transfer->stall_us = request->stall_us;
    transfer->once = request->repeat == AWS_REPEAT_NEVER;
    transfer->yields = service == AWS_S3;
    transfer->answer_limit = request->sink.limit ? request->sink.limit : AWS_ANSWER_LIMIT;
    transfer->sink_fd = request->sink.file ? request->sink.fd : -1;
    transfer->sink_offset = request->sink.offset;
}

static void set_body(struct aws_call *call, const struct aws_body *body)
{
    bool has_body = strcmp(call->method, "PUT") == 0 || strcmp(call->method, "POST") == 0;
    if (has_body || body->size > 0) {
        call->bytes = mem_alloc(body->size);
        if (body->size > 0)
            memcpy(call->bytes, body->bytes, body->size);
        call->transfer.bytes = call->bytes;
        call->transfer.length = (int64_t)body->size;
    }
}

/* Takes a place among the calls. */
static int enlist(struct aws_client *client, struct aws_call *call, struct err *err)
{
    size_t bytes = call->bytes ? (size_t)call->transfer.length : 0;
    pthread_mutex_lock(&client->lock);
    bool full =
        client->live >= client->settings.queue + client->settings.transfers ||
        (bytes > 0 && client->live_bytes > 0 && client->live_bytes + bytes > client->settings.queue_bytes);
    /* A group that is cancelled from now on finds the call in the list. */
    bool stopping = client->stopping || (call->group && atomic_load(&call->group->cancelled));
    if (!full && !stopping) {
        call->next = client->calls;
        if (call->next)
            call->next->previous = call;
        client->calls = call;
        client->live++;
        client->live_bytes += bytes;
        client->figures.calls++;
        if (client->live > client->figures.high_water)
            client->figures.high_water = client->live;
    } else if (full) {
        client->figures.refused++;
    }
    pthread_mutex_unlock(&client->lock);
    if (stopping)
        return err_set(err, ERR_CANCELLED, "%s: cancelled", call->operation);
    return full ? err_set(err, ERR_FULL, "%s: %zu calls to AWS are waiting already", call->operation,
                          client->settings.queue)
                : 0;
}

/* On to the loop, or, when it has ended, to the call's own end. */
static void pass_on(struct aws_call *call)
{
    if (http_submit(call->client->http, &call->transfer))
        return;
    call->transfer.end = HTTP_CANCELLED;
    aws_call_ended(&call->transfer);
}

struct aws_call *aws_submit(struct aws_client *client, const struct aws_request *request, aws_done_fn *done,
                            void *context, struct err *err)
{
    enum aws_service_id service = aws_service_find(request->service);
    if (service == AWS_SERVICES) {
        err_set(err, ERR_USAGE, "there is no service '%.40s'", request->service);
        return NULL;
    }
    if (check(client, request, err) != 0)
        return NULL;
    struct aws_call *call = mem_zero(1, sizeof *call);
    http_transfer_init(&call->transfer);
    fill(call, client, request, service);
    call->on_done = done;
    call->context = context;
    int result = 0;
    if (request->body.path)
        result = open_body(call, &request->body, err);
    else
        set_body(call, &request->body);
    call->bulk = call->transfer.length > BULK_LENGTH || request->sink.file;
    int64_t timeout = request->timeout_us ? request->timeout_us
                      : call->bulk        ? 0
                                          : client->settings.timeout_us;
    call->transfer.deadline_us = timeout > 0 ? call->started_us + timeout : 0;
    atomic_store(&call->references, 2);
    if (result != 0 || enlist(client, call, err) != 0) {
        free_call(call);
        return NULL;
    }
    /* From here on it may be done, and gone but for our reference, at any moment. */
    bool small = call->transfer.source_fd < 0 && call->transfer.length <= INLINE_LENGTH;
    if (small) {
        aws_call_hash(call);
        pass_on(call);
    } else if (!queue_push(client->to_hash, call, 0)) {
        pass_on(call); /* only when it is closed: the loop ends too */
    }
    return call;
}

static void hash_bodies(void *context)
{
    struct aws_client *client = context;
    struct aws_call *call;
    while ((call = queue_pop(client->to_hash, -1))) {
        aws_call_hash(call);
        pass_on(call);
    }
}

/* ---- the client ------------------------------------------------------------------------------------- */

static void on_keys(void *context)
{
    struct aws_client *client = context;
    http_wake(client->http);
}

static void set_defaults(struct aws_settings *settings, const struct aws_config *config)
{
    if (settings->transfers == 0)
        settings->transfers = 16;
    if (settings->queue == 0)
        settings->queue = 256;
    if (settings->queue_bytes == 0)
        settings->queue_bytes = 64u << 20;
    if (settings->attempts <= 0)
        settings->attempts = config->max_attempts > 0 ? config->max_attempts : 3;
    if (settings->retry_wait_us <= 0)
        settings->retry_wait_us = 20 * SECOND;
    if (settings->connect_timeout_us <= 0)
        settings->connect_timeout_us = 5 * SECOND;
    if (settings->timeout_us <= 0)
        settings->timeout_us = 60 * SECOND;
    if (settings->stall_us <= 0)
        settings->stall_us = 20 * SECOND;
}

struct aws_client *aws_client_create(const struct aws_settings *settings, struct err *err)
{
    struct aws_client *client = mem_zero(1, sizeof *client);
    pthread_condattr_t attributes;
    client->settings = *settings;
    client->log = settings->log;
    pthread_mutex_init(&client->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&client->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    retry_quota_init(&client->quota);
    if (getrandom(&client->seed, sizeof client->seed, 0) != (ssize_t)sizeof client->seed)
        client->seed = (uint64_t)clock_wall_us();
    bool good = aws_config_read(&client->config, &settings->config, err) == 0;
    if (good) {
        set_defaults(&client->settings, &client->config);
        /* The texts that the settings point to are the caller's. */
        memset(&client->settings.config, 0, sizeof client->settings.config);
        struct http_settings http = {.transfers = client->settings.transfers,
                                     .connect_timeout_us = client->settings.connect_timeout_us,
                                     .stall_us = client->settings.stall_us,
                                     .ca_bundle = client->config.ca_bundle,
                                     .direct = client->config.local};
        client->cache = sigv4_cache_create();
        client->to_hash = queue_create(client->settings.queue + client->settings.transfers, NULL);
        client->http = http_create(&http, err);
    }
    if (client->http)
        client->provider = aws_provider_create(&client->config, client->http, on_keys, client, err);
    if (client->provider)
        client->hasher = worker_start("aws-hash", hash_bodies, client, err);
    if (!client->hasher) {
        aws_client_destroy(client);
        return NULL;
    }
    return client;
}

static void cancel_calls(struct aws_client *client, const struct aws_group *group)
{
    pthread_mutex_lock(&client->lock);
    for (struct aws_call *call = client->calls; call; call = call->next)
        if (!group || call->group == group)
            atomic_store(&call->transfer.cancelled, true);
    pthread_mutex_unlock(&client->lock);
    http_wake(client->http);
}

void aws_client_destroy(struct aws_client *client)
{
    if (!client)
        return;
    pthread_mutex_lock(&client->lock);
    client->stopping = true;
    pthread_mutex_unlock(&client->lock);
    if (client->http)
        cancel_calls(client, NULL);
    if (client->to_hash)
        queue_close(client->to_hash);
    worker_join(client->hasher);
    if (client->http)
        http_stop(client->http); /* ends every call, and what the provider waits for */
    aws_provider_destroy(client->provider);
    http_destroy(client->http);
    if (client->to_hash)
        queue_destroy(client->to_hash);
    sigv4_cache_destroy(client->cache);
    aws_config_free(&client->config);
    pthread_cond_destroy(&client->ended);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

const struct aws_config *aws_client_config(const struct aws_client *client)
{
    return &client->config;
}

void aws_client_figures(struct aws_client *client, struct aws_figures *figures)
{
    size_t waiting, active;
    http_depth(client->http, &waiting, &active);
    pthread_mutex_lock(&client->lock);
    *figures = client->figures;
    figures->active = active < client->live ? active : client->live;
    figures->waiting = client->live - figures->active;
    pthread_mutex_unlock(&client->lock);
}

/* ---- groups ----------------------------------------------------------------------------------------- */

struct aws_group *aws_group_create(struct aws_client *client)
{
    struct aws_group *group = mem_zero(1, sizeof *group);
    group->client = client;
    return group;
}

void aws_group_cancel(struct aws_group *group)
{
    atomic_store(&group->cancelled, true);
    cancel_calls(group->client, group);
}

bool aws_group_cancelled(const struct aws_group *group)
{
    return atomic_load(&group->cancelled);
}

void aws_group_destroy(struct aws_group *group)
{
    free(group);
}
