#include "tests/support/cloud_client.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

bool cloud_client_open(struct cloud_client *client, int port, const char *access_key, const char *secret_key)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *client = (struct cloud_client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                                    .port = port,
                                    .access_key = access_key,
                                    .secret_key = secret_key,
                                    .region = "us-east-1",
                                    .service = "s3"};
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return true;
    cloud_client_close(client);
    return false;
}

void cloud_client_close(struct cloud_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

bool cloud_client_send(struct cloud_client *client, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t count = send(client->fd, at, length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        at += count;
        length -= (size_t)count;
    }
    return true;
}

bool cloud_answer_header(const struct cloud_answer *answer, const char *name, char *out, size_t size)
{
    const char *at = answer->head.data ? answer->head.data : "";
    while ((at = strchr(at, '\n'))) {
        at++;
        size_t length = strlen(name), line = strcspn(at, "\r\n");
        if (line > length && strncasecmp(at, name, length) == 0 && at[length] == ':') {
            const char *value = at + length + 1 + strspn(at + length + 1, " ");
            snprintf(out, size, "%.*s", (int)(at + line - value), value);
            return true;
        }
    }
    return false;
}

/* One byte at a time is slow and never reads into the next answer. */
static bool read_head(struct cloud_client *client, struct buf *head)
{
    buf_reset(head);
    buf_text(head, "");
    while (head->length < 4 || memcmp(head->data + head->length - 4, "\r\n\r\n", 4) != 0) {
        char byte;
        ssize_t count = recv(client->fd, &byte, 1, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0 || !buf_char(head, byte))
            return false;
    }
    return true;
}

void cloud_client_read(struct cloud_client *client, bool head, struct cloud_answer *answer)
{
    char text[64];
    int64_t length = 0;
    memset(answer, 0, sizeof *answer);
    buf_init(&answer->head, 65536);
    buf_init(&answer->body, (size_t)1 << 30);
    buf_text(&answer->body, "");
    do {
        answer->continued |= answer->status == 100;
        answer->status = 0;
        if (!read_head(client, &answer->head))
            return;
        answer->status = (int)(answer->head.data[9] - '0') * 100 + (answer->head.data[10] - '0') * 10 +
                         answer->head.data[11] - '0';
    } while (answer->status == 100);
    if (head || !cloud_answer_header(answer, "content-length", text, sizeof text) ||
        !text_parse_int(text, 0, INT64_MAX / 2, &length))
        return;
    buf_reserve(&answer->body, (size_t)length);
    while ((int64_t)answer->body.length < length) {
        ssize_t count = recv(client->fd, answer->body.data + answer->body.length,
                             (size_t)length - answer->body.length, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            answer->broken = true;
            break;
        }
        answer->body.length += (size_t)count;
    }
    answer->body.data[answer->body.length] = '\0';
}

void cloud_client_raw(struct cloud_client *client, const void *bytes, size_t length, bool head,
                      struct cloud_answer *answer)
{
    cloud_client_send(client, bytes, length);
    cloud_client_read(client, head, answer);
}

void cloud_client_head(struct cloud_client *client, const char *method, const char *target,
                       const char *headers, size_t length, const char *payload_hash, struct buf *out,
                       struct sigv4_scope *scope, char seed[SIGV4_HEX])
{
    struct sigv4_header list[32];
    struct sigv4_scope own;
    size_t count = 0, path = strcspn(target, "?");
    char host[40], *copy = mem_text(headers ? headers : ""), *raw_path = mem_text(target);
    struct buf authorization;
    scope = scope ? scope : &own;
    memset(scope, 0, sizeof *scope);
    raw_path[path] = '\0';
    sigv4_time(scope->time, clock_wall_us() / 1000000 + client->skew);
    text_copy(scope->region, sizeof scope->region, client->region);
    text_copy(scope->service, sizeof scope->service, client->service);
    snprintf(host, sizeof host, "127.0.0.1:%d", client->port);
    bool own_host = false;
    for (char *at = copy; *at;) {
        char *end = at + strcspn(at, "\n"), *colon = strchr(at, ':');
        bool last = *end == '\0';
        *end = *colon = '\0';
        list[count++] = (struct sigv4_header){at, colon + 1 + strspn(colon + 1, " ")};
        own_host |= strcasecmp(at, "host") == 0;
        at = last ? end : end + 1;
    }
    if (!own_host)
        list[count++] = (struct sigv4_header){"host", host};
    list[count++] = (struct sigv4_header){"x-amz-date", scope->time};
    list[count++] = (struct sigv4_header){"x-amz-content-sha256", payload_hash};
    if (client->token)
        list[count++] = (struct sigv4_header){"x-amz-security-token", client->token};
    bool s3 = strcmp(client->service, "s3") == 0;
    struct sigv4_request request = {method,
                                    raw_path,
                                    target[path] ? target + path + 1 : "",
                                    s3 ? SIGV4_PATH_S3 : SIGV4_PATH_NORMAL,
                                    list,
                                    count,
                                    payload_hash};
    struct sigv4_credentials credentials = {client->access_key, client->secret_key, client->token};
    buf_init(&authorization, 8192);
    sigv4_sign(&request, &credentials, scope, NULL, &authorization, seed);
    buf_printf(out, "%s %s HTTP/1.1\r\n", method, target);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s: %s\r\n", list[i].name, list[i].value);
    buf_printf(out, "Authorization: %s\r\nContent-Length: %zu\r\n\r\n", authorization.data, length);
    buf_free(&authorization);
    free(copy);
    free(raw_path);
}

void cloud_client_call(struct cloud_client *client, const char *method, const char *target,
                       const char *headers, const void *body, size_t length, const char *payload_hash,
                       struct cloud_answer *answer)
{
    struct buf out;
    char hash[SIGV4_HEX];
    sigv4_sha256(body ? body : "", length, hash);
    buf_init(&out, ((size_t)1 << 20) + length);
    cloud_client_head(client, method, target, headers, length, payload_hash ? payload_hash : hash, &out, NULL,
                      NULL);
    if (length > 0)
        buf_append(&out, body, length);
    cloud_client_raw(client, out.data, out.length, strcmp(method, "HEAD") == 0, answer);
    buf_free(&out);
}

void cloud_answer_free(struct cloud_answer *answer)
{
    buf_free(&answer->head);
    buf_free(&answer->body);
}
