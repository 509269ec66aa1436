/*
 * Keys from where the program runs: a container's agent, or the instance itself (IMDS, version 2 only).
 * Sources: "Container credential provider" and "IMDS credential provider" of the SDK reference guide.
 */
#include "aws/credentials_private.h"
#include "aws/fetch.h"
#include "base/file.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define HEADER_LIMIT 8192u
#define TOKEN_LIMIT  4096u

/* ---- container -------------------------------------------------------------------------------------- */

/* Keys must not be asked of just anybody over plain http. */
static bool is_allowed(const char *url)
{
    static const char *const hosts[] = {"127.0.0.1",     "localhost",      "[::1]",
                                        "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
    if (text_prefix_fold(url, "https://"))
        return true;
    if (!text_prefix_fold(url, "http://"))
        return false;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t length = strlen(hosts[i]);
        if (text_prefix_fold(url + 7, hosts[i]) &&
            (url[7 + length] == '/' || url[7 + length] == ':' || !url[7 + length]))
            return !strchr(url + 7, '@');
    }
    return false;
}

static int container_token(struct keys_search *search, struct buf *token, struct err *err)
{
    const char *path = aws_config_environment(search->config, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *text = aws_config_environment(search->config, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (path && file_read(path, token, err) != 0)
        return -1;
    if (!path && text)
        buf_text(token, text);
    while (token->length > 0 && strchr("\r\n ", token->data[token->length - 1]))
        token->data[--token->length] = '\0';
    if (token->overflow || (token->data && strpbrk(token->data, "\r\n")))
        return err_set(err, ERR_CONFIG,
                       "the container's authorization token has several lines or is too long");
    return 0;
}

enum keys_found keys_from_container(struct keys_search *search, struct aws_keys *keys, struct err *err)
{
    const char *relative = aws_config_environment(search->config, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_config_environment(search->config, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    char url[1024];
    struct buf token, header;
    struct fetch fetch = {.method = "GET", .url = url, .timeout_us = 5000000, .direct = true};
    if (!relative && !full)
        return KEYS_ABSENT;
    int length = relative ? snprintf(url, sizeof url, "http://169.254.170.2%s%s", *relative == '/' ? "" : "/",
                                     relative)
                          : snprintf(url, sizeof url, "%s", full);
    if (length < 0 || (size_t)length >= sizeof url || !is_allowed(url)) {
        err_set(err, ERR_CONFIG,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI: https, or http to this machine's own agent");
        return KEYS_ERROR;
    }
    buf_init(&token, TOKEN_LIMIT);
    buf_init(&header, HEADER_LIMIT);
    int result = container_token(search, &token, err);
    if (result == 0 && token.length > 0) {
        buf_printf(&header, "Authorization: %s", token.data);
        fetch.headers = curl_slist_append(NULL, header.data);
    }
    if (result == 0)
        result = fetch_run(search->http, &fetch, err);
    if (result == 0 && fetch.status != 200)
        result = err_set(err, ERR_AUTH, "status %d", fetch.status);
    if (result == 0)
        result = keys_read_json(fetch.answer.data ? fetch.answer.data : "", fetch.answer.length, "Token",
                                keys, err);
    if (result != 0)
        err_prefix(err, "container credentials");
    text_copy(search->origin, sizeof search->origin, "container");
    fetch_free(&fetch);
    buf_free(&header);
    buf_free(&token);
    return result == 0 ? KEYS_FOUND : KEYS_ERROR;
}

/* ---- instance --------------------------------------------------------------------------------------- */

static int ask(struct keys_search *search, const char *method, const char *path, const char *header,
               struct buf *answer, int *status, struct err *err)
{
    const char *base = aws_config_environment(search->config, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    char url[512];
    snprintf(url, sizeof url, "%s", base ? base : "http://169.254.169.254");
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        url[--length] = '\0';
    if ((size_t)snprintf(url + length, sizeof url - length, "%s", path) >= sizeof url - length)
        return err_set(err, ERR_CONFIG, "AWS_EC2_METADATA_SERVICE_ENDPOINT is too long");
    struct fetch fetch = {.method = method,
                          .url = url,
                          .headers = curl_slist_append(NULL, header),
                          .timeout_us = 1000000, /* where there is none, nothing answers at all */
                          .direct = true};
    int result = fetch_run(search->http, &fetch, err);
    *status = fetch.status;
    buf_reset(answer);
    if (result == 0 && fetch.answer.data && !buf_append(answer, fetch.answer.data, fetch.answer.length))
        result = err_set(err, ERR_LIMIT, "an answer that is too long");
    fetch_free(&fetch);
    return result;
}

enum keys_found keys_from_instance(struct keys_search *search, struct aws_keys *keys, struct err *err)
{
    static const char folder[] = "/latest/meta-data/iam/security-credentials/";
    const char *off = aws_config_environment(search->config, "AWS_EC2_METADATA_DISABLED");
    struct buf answer, header;
    char path[256], role[128];
    int status = 0;
    if (off && text_equal_fold(off, "true"))
        return KEYS_ABSENT;
    buf_init(&answer, 65536);
    buf_init(&header, HEADER_LIMIT);
    enum keys_found found = KEYS_ABSENT; /* nobody there: this is no instance */
    if (ask(search, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 21600", &answer,
            &status, err) != 0 ||
        status != 200 || answer.length == 0)
        goto done;
    if (strcspn(answer.data, "\r\n") != answer.length ||
        !buf_printf(&header, "X-aws-ec2-metadata-token: %s", answer.data))
        goto done;
    if (ask(search, "GET", folder, header.data, &answer, &status, err) != 0 || status != 200)
        goto done; /* an instance without a role */
    /* The first line; it becomes part of a path. */
    size_t length = answer.data ? strcspn(answer.data, "\r\n") : 0;
    if (length == 0 || length >= sizeof role || memchr(answer.data, '/', length))
        goto done;
    snprintf(role, sizeof role, "%.*s", (int)length, answer.data);
    snprintf(path, sizeof path, "%s%s", folder, role);
    found = KEYS_ERROR;
    if (ask(search, "GET", path, header.data, &answer, &status, err) == 0 && status != 200)
        err_set(err, ERR_AUTH, "status %d", status);
    else if (status == 200 && keys_read_json(answer.data, answer.length, "Token", keys, err) == 0)
        found = KEYS_FOUND;
    if (found == KEYS_ERROR)
        err_prefix(err, "the instance's role %s", role);
    snprintf(search->origin, sizeof search->origin, "instance role %.100s", role);
done:
    if (answer.data)
        OPENSSL_cleanse(answer.data, answer.capacity);
    if (header.data)
        OPENSSL_cleanse(header.data, header.capacity);
    buf_free(&answer);
    buf_free(&header);
    return found;
}
