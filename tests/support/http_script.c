#include "tests/support/http_script.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/worker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_MAX 64

struct http_script {
    const struct http_scripted *answers;
    size_t count;
    int listener, stop;
    char url[40];
    struct worker *worker;
    pthread_mutex_t lock;
    char *kept[KEPT_MAX];
    size_t requests;
};

/* Waits for fd; false when told to stop. */
static bool ready(struct http_script *script, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = script->stop, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0)
        ;
    return fds[1].revents == 0;
}

static bool read_request(struct http_script *script, int fd, struct buf *request)
{
    int64_t length = 0;
    char *end = NULL, bytes[4096];
    while (!end || (int64_t)request->length < end + 4 - request->data + length) {
        ssize_t got = ready(script, fd) ? recv(fd, bytes, sizeof bytes, 0) : -1;
        if (got <= 0 || !buf_append(request, bytes, (size_t)got))
            return false;
        end = strstr(request->data, "\r\n\r\n");
        const char *header = end ? text_find_fold(request->data, "\r\ncontent-length: ") : NULL;
        if (header && header < end) {
            char digits[24];
            snprintf(digits, sizeof digits, "%.*s", (int)strspn(header + 18, "0123456789"), header + 18);
            text_parse_int(digits, 0, 1 << 20, &length);
        }
    }
    return true;
}

static void answer(struct http_script *script, int fd, const struct buf *request, size_t index)
{
    const struct http_scripted *row = &script->answers[index < script->count ? index : script->count - 1];
    bool fits = (!row->begins || strncmp(request->data, row->begins, strlen(row->begins)) == 0) &&
                (!row->holds || text_find_fold(request->data, row->holds));
    char head[2048];
    const char *body = fits && row->body ? row->body : "";
    if (fits && row->status == 0)
        return;
    if (fits && row->status < 0) {
        int never = eventfd(0, EFD_CLOEXEC);
        ready(script, never);
        close(never);
        return;
    }
    int length =
        snprintf(head, sizeof head, "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
                 fits ? row->status : 400, strlen(body), fits && row->headers ? row->headers : "");
    send(fd, head, (size_t)length, MSG_NOSIGNAL);
    send(fd, body, strlen(body), MSG_NOSIGNAL);
}

static void serve(void *context)
{
    struct http_script *script = context;
    while (ready(script, script->listener)) {
        struct buf request;
        int fd = accept(script->listener, NULL, NULL);
        if (fd < 0)
            continue;
        buf_init(&request, 1 << 20);
        if (read_request(script, fd, &request)) {
            pthread_mutex_lock(&script->lock);
            size_t index = script->requests++;
            if (index < KEPT_MAX)
                script->kept[index] = mem_text(request.data);
            pthread_mutex_unlock(&script->lock);
            answer(script, fd, &request, index);
        }
        buf_free(&request);
        close(fd);
    }
}

struct http_script *http_script_create(const struct http_scripted *answers, size_t count)
{
    struct http_script *script = mem_zero(1, sizeof *script);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    script->answers = answers;
    script->count = count;
    script->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    script->stop = eventfd(0, EFD_CLOEXEC);
    if (bind(script->listener, (struct sockaddr *)&address, size) != 0 || listen(script->listener, 16) != 0 ||
        getsockname(script->listener, (struct sockaddr *)&address, &size) != 0)
        abort();
    snprintf(script->url, sizeof script->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    pthread_mutex_init(&script->lock, NULL);
    script->worker = worker_start("script", serve, script, NULL);
    return script;
}

void http_script_destroy(struct http_script *script)
{
    uint64_t one = 1;
    if (write(script->stop, &one, sizeof one) != (ssize_t)sizeof one)
        abort();
    worker_join(script->worker);
    close(script->listener);
    close(script->stop);
    for (size_t i = 0; i < KEPT_MAX; i++)
        free(script->kept[i]);
    pthread_mutex_destroy(&script->lock);
    free(script);
}

const char *http_script_url(const struct http_script *script)
{
    return script->url;
}

size_t http_script_requests(struct http_script *script)
{
    pthread_mutex_lock(&script->lock);
    size_t requests = script->requests;
    pthread_mutex_unlock(&script->lock);
    return requests;
}

char *http_script_request(struct http_script *script, size_t index)
{
    pthread_mutex_lock(&script->lock);
    char *text = mem_text(index < KEPT_MAX && script->kept[index] ? script->kept[index] : "");
    pthread_mutex_unlock(&script->lock);
    return text;
}
