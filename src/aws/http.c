/*
 * One thread turns the wheel: take what was submitted, start what is due while there are slots, let curl move
 * bytes, hand over what ended, sleep in curl_multi_poll() until a socket, a due time or http_wake(). The
 * submitted list is all that the threads share. Easy handles are kept and used again; connections belong to
 * the multi handle and are kept alive by it.
 */
#include "aws/http.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_LIMIT  65536u
#define ERROR_LIMIT (256u << 10) /* of an error's body when successes go to a file */
#define SPARES_MAX  32

struct http {
    struct http_settings settings;
    char ca_bundle[512];
    CURLM *multi;
    struct worker *worker;

    pthread_mutex_t lock;
    struct http_transfer *submitted, **submitted_end;
    bool stopping;
    size_t waiting_count, active_count;

    /* the loop's */
    struct http_transfer *waiting; /* in the order in which they came */
    struct http_transfer *active;
    size_t actives;
    CURL *spares[SPARES_MAX];
    size_t spare_count;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- what curl calls -------------------------------------------------------------------------------- */

static size_t on_read(char *out, size_t size, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    int64_t left = transfer->length - transfer->position;
    size_t room = size * count;
    ssize_t got = left < (int64_t)room ? (ssize_t)left : (ssize_t)room;
    if (transfer->source_fd < 0) {
        memcpy(out, (const char *)transfer->bytes + transfer->position, (size_t)got);
    } else if (got > 0) {
        do
            got = pread(transfer->source_fd, out, (size_t)got, transfer->source_offset + transfer->position);
        while (got < 0 && errno == EINTR);
        if (got <= 0) { /* unreadable, or shorter than it was */
            transfer->end = HTTP_SOURCE;
            transfer->sink_errno = got < 0 ? errno : 0;
            return CURL_READFUNC_ABORT;
        }
    }
    transfer->position += got;
    atomic_store(&transfer->sent, transfer->position);
    return (size_t)got;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct http_transfer *transfer = context;
    if (origin != SEEK_SET || offset < 0 || offset > transfer->length)
        return CURL_SEEKFUNC_FAIL;
    transfer->position = offset;
    return CURL_SEEKFUNC_OK;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    size_t length = size * count;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
        buf_reset(&transfer->head); /* the answer behind a 100 Continue, or a proxy's */
    return buf_append(&transfer->head, line, length) ? length : 0;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    size_t length = size * count, done = 0;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (transfer->sink_fd < 0 || status >= 300) {
        if (!buf_append(&transfer->body, bytes, length)) {
            transfer->end = HTTP_TOO_LARGE;
            return 0;
        }
    } else {
        while (done < length) {
            ssize_t wrote = pwrite(transfer->sink_fd, bytes + done, length - done,
                                   transfer->sink_offset + transfer->received + (int64_t)done);
            if (wrote < 0 && errno == EINTR)
                continue;
            if (wrote < 0) {
                transfer->end = HTTP_SINK;
                transfer->sink_errno = errno;
                return 0;
            }
            done += (size_t)wrote;
        }
    }
    transfer->received += (int64_t)length;
    atomic_store(&transfer->arrived, transfer->received);
    return length;
}

/* ---- a transfer's life ------------------------------------------------------------------------------ */

void http_transfer_init(struct http_transfer *transfer)
{
    memset(transfer, 0, sizeof *transfer);
    transfer->sink_fd = transfer->source_fd = -1;
    transfer->length = -1;
    buf_init(&transfer->head, HEAD_LIMIT);
    buf_init(&transfer->body, ERROR_LIMIT);
}

void http_transfer_free(struct http_transfer *transfer)
{
    buf_free(&transfer->head);
    buf_free(&transfer->body);
}

static void finish(struct http *http, struct http_transfer *transfer, enum http_end end)
{
    if (transfer->easy) {
        curl_multi_remove_handle(http->multi, transfer->easy);
        if (http->spare_count < SPARES_MAX)
            http->spares[http->spare_count++] = transfer->easy;
        else
            curl_easy_cleanup(transfer->easy);
        transfer->easy = NULL;
        http->actives--;
    }
    transfer->end = end;
    transfer->next = NULL;
    transfer->done(transfer); /* it may be freed or submitted again in there */
}

static long milliseconds(int64_t us)
{
    return us <= 0 ? 0 : us < 1000 ? 1 : (long)(us / 1000);
}

static void set_body(CURL *easy, struct http_transfer *transfer)
{
    if (transfer->length < 0) {
        if (strcmp(transfer->method, "HEAD") == 0)
            curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->length);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
}

static void start(struct http *http, struct http_transfer *transfer)
{
    const struct http_settings *settings = &http->settings;
    CURL *easy = http->spare_count > 0 ? http->spares[--http->spare_count] : curl_easy_init();
    int64_t now = clock_mono_us(), timeout = transfer->timeout_us;
    if (!easy) {
        finish(http, transfer, HTTP_UNSENT);
        return;
    }
    curl_easy_reset(easy);
    transfer->easy = easy;
    transfer->position = transfer->received = 0;
    transfer->status = transfer->sink_errno = 0;
    transfer->end = HTTP_ANSWERED; /* unless a callback says otherwise */
    transfer->reason[0] = '\0';
    transfer->body.limit = transfer->sink_fd < 0 ? transfer->answer_limit : ERROR_LIMIT;
    buf_reset(&transfer->head);
    buf_reset(&transfer->body);
    atomic_store(&transfer->sent, 0);
    atomic_store(&transfer->arrived, 0);

    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1000L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(settings->connect_timeout_us));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                     (milliseconds(transfer->stall_us > 0 ? transfer->stall_us : settings->stall_us) + 999) /
                         1000);
    /* On a connection that was kept, curl sends again by itself what broke off before an answer. */
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, transfer->once ? 1L : 0L);
    if (timeout > 0)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(timeout));
    if (http->ca_bundle[0])
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_bundle);
    if (settings->direct || transfer->direct)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    set_body(easy, transfer);
    transfer->expires_us = transfer->deadline_us > 0 ? transfer->deadline_us : now + (int64_t)1e15;
    if (curl_multi_add_handle(http->multi, easy) != CURLM_OK) {
        http->actives++; /* finish() counts it out */
        finish(http, transfer, HTTP_UNSENT);
        return;
    }
    http->actives++;
    transfer->next = http->active;
    http->active = transfer;
}

static enum http_end end_of(const struct http_transfer *transfer, CURLcode code)
{
    long status = 0;
    curl_off_t pretransfer_us = 0; /* 0: never connected */
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
    if (transfer->end != HTTP_ANSWERED)
        return transfer->end;
    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        return HTTP_UNTRUSTED;
    /* An answer that came while the body was still going out (a 503 and a closed door) is an answer. */
    if (code == CURLE_SEND_ERROR && status >= 400)
        return HTTP_ANSWERED;
    return pretransfer_us == 0 ? HTTP_UNSENT : HTTP_BROKEN;
}

/* ---- the loop --------------------------------------------------------------------------------------- */

static void unlink_active(struct http *http, const struct http_transfer *transfer)
{
    for (struct http_transfer **link = &http->active; *link; link = &(*link)->next)
        if (*link == transfer) {
            *link = transfer->next;
            return;
        }
}

static bool collect(struct http *http)
{
    struct CURLMsg *message;
    bool any = false;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct http_transfer *transfer = NULL;
        CURLcode code = message->data.result;
        long status = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        enum http_end end = end_of(transfer, code);
        transfer->status = end == HTTP_ANSWERED ? (int)status : 0;
        if (code != CURLE_OK && !transfer->reason[0])
            text_copy(transfer->reason, sizeof transfer->reason, curl_easy_strerror(code));
        if (end == HTTP_ANSWERED)
            transfer->reason[0] = '\0';
        unlink_active(http, transfer);
        finish(http, transfer, end);
        any = true;
    }
    return any;
}

/* Cancelled ones and those whose time is up. done() may submit, which only touches the submitted list. */
static void end_overdue(struct http *http, int64_t now, bool all)
{
    for (struct http_transfer **link = &http->active; *link;) {
        struct http_transfer *transfer = *link;
        bool cancelled = all || atomic_load(&transfer->cancelled);
        if (cancelled || now >= transfer->expires_us) {
            *link = transfer->next;
            finish(http, transfer, cancelled ? HTTP_CANCELLED : HTTP_DEADLINE);
        } else {
            link = &transfer->next;
        }
    }
}

/* Objects must not hold up a query: they never fill all transfers. */
static size_t room_for(const struct http *http, const struct http_transfer *transfer)
{
    size_t transfers = http->settings.transfers;
    return transfer->yields ? transfers - transfers / 4 : transfers;
}

/* Starts what is due. Returns when to look again. */
static int64_t start_due(struct http *http, int64_t now, bool all)
{
    int64_t next = now + 1000000;
    for (struct http_transfer **link = &http->waiting; *link;) {
        struct http_transfer *transfer = *link;
        bool cancelled = all || atomic_load(&transfer->cancelled);
        bool late = transfer->deadline_us > 0 && now >= transfer->deadline_us;
        enum http_prepared prepared = HTTP_LATER;
        if (!cancelled && !late) {
            int64_t when = transfer->deadline_us > 0 ? transfer->deadline_us : next;
            if (transfer->start_us > now)
                when = transfer->start_us < when ? transfer->start_us : when;
            else if (http->actives < room_for(http, transfer))
                prepared = transfer->prepare(transfer);
            if (prepared == HTTP_LATER) {
                next = when < next ? when : next;
                link = &transfer->next;
                continue;
            }
        }
        *link = transfer->next;
        if (cancelled || late)
            finish(http, transfer, cancelled ? HTTP_CANCELLED : HTTP_DEADLINE);
        else if (prepared == HTTP_GIVE_UP)
            finish(http, transfer, HTTP_ABANDONED);
        else
            start(http, transfer);
    }
    return next;
}

/* The newcomers, behind those that wait. True: the end was asked for. */
static bool take_submitted(struct http *http)
{
    struct http_transfer **link = &http->waiting;
    size_t waiting = 0;
    for (; *link; link = &(*link)->next)
        waiting++;
    pthread_mutex_lock(&http->lock);
    *link = http->submitted;
    http->submitted = NULL;
    http->submitted_end = &http->submitted;
    for (; *link; link = &(*link)->next)
        waiting++;
    http->waiting_count = waiting;
    http->active_count = http->actives;
    bool stopping = http->stopping;
    pthread_mutex_unlock(&http->lock);
    return stopping;
}

static bool has_submitted(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    bool has = http->submitted != NULL;
    pthread_mutex_unlock(&http->lock);
    return has;
}

static void loop(void *context)
{
    struct http *http = context;
    bool stopping;
    do {
        int running = 0;
        stopping = take_submitted(http);
        int64_t now = clock_mono_us();
        end_overdue(http, now, stopping);
        int64_t next = start_due(http, now, stopping);
        curl_multi_perform(http->multi, &running);
        bool freed = collect(http);
        if (stopping || has_submitted(http) || (freed && http->waiting))
            continue;
        for (const struct http_transfer *at = http->active; at; at = at->next)
            next = at->expires_us < next ? at->expires_us : next;
        int64_t wait = next - clock_mono_us();
        curl_multi_poll(http->multi, NULL, 0, wait < 0 ? 0 : (int)(wait / 1000) + 1, NULL);
    } while (!stopping || http->waiting || http->active || has_submitted(http));
}

/* ---- the interface ---------------------------------------------------------------------------------- */

struct http *http_create(const struct http_settings *settings, struct err *err)
{
    pthread_once(&curl_once, start_curl);
    struct http *http = mem_zero(1, sizeof *http);
    http->settings = *settings;
    text_copy(http->ca_bundle, sizeof http->ca_bundle, settings->ca_bundle ? settings->ca_bundle : "");
    http->submitted_end = &http->submitted;
    pthread_mutex_init(&http->lock, NULL);
    http->multi = curl_multi_init();
    if (http->multi) {
        curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)settings->transfers + 8);
        http->worker = worker_start("aws", loop, http, err);
    } else {
        err_set(err, ERR_INTERNAL, "curl cannot start");
    }
    if (!http->worker) {
        http_destroy(http);
        return NULL;
    }
    return http;
}

void http_stop(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    http->stopping = true;
    pthread_mutex_unlock(&http->lock);
    if (http->worker)
        http_wake(http);
    worker_join(http->worker);
    http->worker = NULL;
}

void http_destroy(struct http *http)
{
    if (!http)
        return;
    http_stop(http);
    for (size_t i = 0; i < http->spare_count; i++)
        curl_easy_cleanup(http->spares[i]);
    if (http->multi)
        curl_multi_cleanup(http->multi);
    pthread_mutex_destroy(&http->lock);
    free(http);
}

bool http_submit(struct http *http, struct http_transfer *transfer)
{
    transfer->next = NULL;
    pthread_mutex_lock(&http->lock);
    bool taken = !http->stopping;
    if (taken) {
        *http->submitted_end = transfer;
        http->submitted_end = &transfer->next;
    }
    pthread_mutex_unlock(&http->lock);
    if (taken)
        http_wake(http);
    return taken;
}

void http_wake(struct http *http)
{
    curl_multi_wakeup(http->multi);
}

void http_depth(struct http *http, size_t *waiting, size_t *active)
{
    pthread_mutex_lock(&http->lock);
    *waiting = http->waiting_count;
    *active = http->active_count;
    for (const struct http_transfer *at = http->submitted; at; at = at->next)
        ++*waiting;
    pthread_mutex_unlock(&http->lock);
}

bool http_header(const struct buf *head, const char *name, char *out, size_t size)
{
    size_t length = strlen(name);
    for (const char *line = head->data; line && *line;) {
        size_t end = strcspn(line, "\r\n");
        if (end > length && line[length] == ':' && text_prefix_fold(line, name)) {
            const char *value = line + length + 1;
            value += strspn(value, " \t");
            size_t value_length = value < line + end ? (size_t)(line + end - value) : 0;
            while (value_length > 0 && (value[value_length - 1] == ' ' || value[value_length - 1] == '\t'))
                value_length--;
            if (value_length >= size)
                return false; /* half a value is another value */
            memcpy(out, value, value_length);
            out[value_length] = '\0';
            return true;
        }
        line += end;
        line += strspn(line, "\r\n");
    }
    return false;
}
