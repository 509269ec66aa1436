#include "aws/sign.h"

#include "base/text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define URL_LIMIT   16384
#define HEADERS_MAX 48

bool aws_sign_virtual_host(const struct aws_endpoint *endpoint, const char *bucket)
{
    return !endpoint->custom && !strchr(bucket, '.');
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    struct buf line;
    buf_init(&line, 32768);
    /* curl takes "Name:" as "do not send", "Name;" as an empty one. */
    bool good = *value ? buf_printf(&line, "%s: %s", name, value) : buf_printf(&line, "%s;", name);
    struct curl_slist *longer = good ? curl_slist_append(*list, line.data) : NULL;
    if (longer)
        *list = longer;
    if (line.data)
        OPENSSL_cleanse(line.data, line.capacity);
    buf_free(&line);
    return longer != NULL;
}

/* Nothing may end a header's line and begin another. */
static bool is_clean(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            return false;
    return true;
}

static void build_path(const struct aws_signing *signing, const char *endpoint_path, bool virtual_host,
                       struct buf *path)
{
    buf_text(path, endpoint_path);
    if (signing->bucket && !virtual_host) {
        buf_char(path, '/');
        sigv4_encode(path, signing->bucket, strlen(signing->bucket), false);
    }
    if (signing->key) {
        buf_char(path, '/');
        sigv4_encode(path, signing->key, strlen(signing->key), true);
    } else if (path->length == 0 || virtual_host || !signing->bucket) {
        buf_char(path, '/');
    }
}

int aws_sign(const struct aws_signing *signing, struct sigv4_cache *cache, struct buf *url,
             struct curl_slist **headers, struct err *err)
{
    struct sigv4_header list[HEADERS_MAX];
    struct sigv4_scope scope = {.time = ""};
    struct buf host, path, authorization;
    size_t count = 0;
    bool s3 = signing->service == AWS_S3, good = true;
    bool virtual_host = signing->bucket && aws_sign_virtual_host(signing->endpoint, signing->bucket);
    const char *endpoint = strstr(signing->endpoint->url, "://") + 3;
    const char *endpoint_path = endpoint + strcspn(endpoint, "/");
    *headers = NULL;
    if (signing->header_count + 5 > HEADERS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d headers", HEADERS_MAX - 5);
    for (size_t i = 0; i < signing->header_count; i++)
        if (!is_clean(signing->headers[i].name) || !is_clean(signing->headers[i].value))
            return err_set(err, ERR_USAGE, "the header %.40s holds a control character",
                           signing->headers[i].name);
    buf_init(&host, 512);
    buf_init(&path, URL_LIMIT);
    buf_init(&authorization, 8192);
    buf_text(&path, "");
    if (virtual_host)
        buf_printf(&host, "%s.", signing->bucket);
    buf_append(&host, endpoint, (size_t)(endpoint_path - endpoint));
    build_path(signing, endpoint_path, virtual_host, &path);
    buf_reset(url);
    buf_printf(url, "%s://%s%s", signing->endpoint->tls ? "https" : "http", host.data, path.data);
    if (signing->query && *signing->query)
        buf_printf(url, "?%s", signing->query);

    text_copy(scope.region, sizeof scope.region, signing->region);
    text_copy(scope.service, sizeof scope.service, aws_services[signing->service].name);
    sigv4_time(scope.time, signing->wall_us / 1000000);
    list[count++] = (struct sigv4_header){"host", host.data};
    if (signing->keys) {
        list[count++] = (struct sigv4_header){"x-amz-date", scope.time};
        if (s3)
            list[count++] = (struct sigv4_header){"x-amz-content-sha256", signing->payload_hash};
        if (signing->keys->token[0])
            list[count++] = (struct sigv4_header){"x-amz-security-token", signing->keys->token};
    }
    for (size_t i = 0; i < signing->header_count; i++)
        list[count++] = (struct sigv4_header){signing->headers[i].name, signing->headers[i].value};
    if (signing->keys) {
        struct sigv4_request request = {signing->method,
                                        path.data,
                                        signing->query ? signing->query : "",
                                        s3 ? SIGV4_PATH_S3 : SIGV4_PATH_NORMAL,
                                        list,
                                        count,
                                        signing->payload_hash};
        struct sigv4_credentials credentials = {signing->keys->access_key, signing->keys->secret_key, NULL};
        good = sigv4_sign(&request, &credentials, &scope, cache, &authorization, NULL) &&
               add_header(headers, "Authorization", authorization.data);
    }
    for (size_t i = 0; good && i < count; i++)
        good = add_header(headers, list[i].name, list[i].value);
    good = good && add_header(headers, "User-Agent", "smartcity/" SMARTCITY_VERSION) && !url->overflow &&
           !path.overflow && !host.overflow;
    /* curl's own: not asked for, or said here. */
    struct curl_slist *rest =
        good ? curl_slist_append(*headers, signing->expect ? "Expect: 100-continue" : "Expect:") : NULL;
    good = rest && curl_slist_append(*headers, "Accept:");
    buf_free(&host);
    buf_free(&path);
    buf_free(&authorization);
    if (good)
        return 0;
    curl_slist_free_all(*headers);
    *headers = NULL;
    return err_set(err, ERR_LIMIT, "the request's address or headers are too long");
}
