#include "localcloud/auth.h"

#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Presigned URLs in S3's older form (Signature Version 2): `aws s3 presign` and boto3 still make them in
 * us-east-1. Only that: AWSAccessKeyId, Expires and Signature in the query; the Authorization header "AWS …"
 * is not taken. The string to sign is that of "Signing and authenticating REST requests (Signature Version
 * 2)" of the S3 documentation.
 */

static bool is_subresource(const char *name)
{
    static const char *const names[] = {"acl",
                                        "cors",
                                        "delete",
                                        "lifecycle",
                                        "location",
                                        "logging",
                                        "notification",
                                        "partNumber",
                                        "policy",
                                        "requestPayment",
                                        "response-cache-control",
                                        "response-content-disposition",
                                        "response-content-encoding",
                                        "response-content-language",
                                        "response-content-type",
                                        "response-expires",
                                        "restore",
                                        "tagging",
                                        "torrent",
                                        "uploadId",
                                        "uploads",
                                        "versionId",
                                        "versioning",
                                        "versions",
                                        "website"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static int compare_pairs(const void *left, const void *right)
{
    const struct request_pair *a = left, *b = right;
    return strcasecmp(a->name, b->name);
}

static void write_amz(const struct request *request, struct buf *out)
{
    size_t count = 0;
    struct request_pair *pairs =
        mem_alloc((request->header_count + request->parameter_count + 1) * sizeof *pairs);
    for (size_t i = 0; i < request->header_count; i++)
        if (strncasecmp(request->headers[i].name, "x-amz-", 6) == 0)
            pairs[count++] = request->headers[i];
    for (size_t i = 0; i < request->parameter_count; i++)
        if (strncasecmp(request->parameters[i].name, "x-amz-", 6) == 0)
            pairs[count++] = request->parameters[i];
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        for (const char *at = pairs[i].name; *at; at++)
            buf_char(out, *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at);
        buf_printf(out, ":%s\n", pairs[i].value);
    }
    free(pairs);
}

static void write_resource(const struct request *request, struct buf *out)
{
    const char *host = request_header(request, "host");
    size_t count = 0;
    struct request_pair *pairs = mem_alloc((request->parameter_count + 1) * sizeof *pairs);
    if (host && text_find_fold(host, ".localhost"))
        buf_printf(out, "/%s", request->bucket);
    buf_text(out, request->path);
    for (size_t i = 0; i < request->parameter_count; i++)
        if (is_subresource(request->parameters[i].name))
            pairs[count++] = request->parameters[i];
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%c%s", i ? '&' : '?', pairs[i].name);
        if (pairs[i].value[0])
            buf_printf(out, "=%s", pairs[i].value);
    }
    free(pairs);
}

static const char *header_or_empty(const struct request *request, const char *name)
{
    const char *value = request_header(request, name);
    return value ? value : "";
}

bool auth_is_v2(const struct request *request)
{
    return request_parameter(request, "AWSAccessKeyId") && request_parameter(request, "Signature") &&
           !request_header(request, "authorization");
}

int auth_check_v2(const struct auth *auth, struct request *request)
{
    const char *access_key = request_parameter_text(request, "AWSAccessKeyId");
    const char *token = request_parameter(request, "x-amz-security-token");
    char secret[KEYS_TEXT], principal[KEYS_ARN_SIZE], signature[64];
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    int64_t expires, now = request->now_us / 1000000;
    if (!text_parse_int(request_parameter_text(request, "Expires"), 0, INT64_MAX / 2, &expires))
        return request_fail(request, 403, "AccessDenied",
                            "Query-string authentication requires the Signature, Expires and "
                            "AWSAccessKeyId parameters");
    switch (keys_find(auth->keys, access_key, token, now, secret, principal)) {
    case KEYS_OK:
        break;
    case KEYS_UNKNOWN:
        return request_fail(request, 403, "InvalidAccessKeyId",
                            "The AWS Access Key Id you provided does not exist in our records.");
    case KEYS_TOKEN_EXPIRED:
        return request_fail(request, 400, "ExpiredToken", "The provided token has expired.");
    default:
        return request_fail(request, 400, "InvalidToken",
                            "The provided token is malformed or otherwise invalid.");
    }
    if (now > expires)
        return request_fail(request, 403, "AccessDenied", "Request has expired");
    struct buf string;
    buf_init(&string, 1 << 16);
    buf_printf(&string, "%s\n%s\n%s\n%lld\n", request->method, header_or_empty(request, "content-md5"),
               header_or_empty(request, "content-type"), (long long)expires);
    write_amz(request, &string);
    write_resource(request, &string);
    HMAC(EVP_sha1(), secret, (int)strlen(secret), (const unsigned char *)string.data, string.length, mac,
         &length);
    OPENSSL_cleanse(secret, sizeof secret);
    text_base64_encode(signature, mac, length);
    signature[text_base64_size(length)] = '\0';
    bool good = !string.overflow && sigv4_equal(signature, request_parameter_text(request, "Signature"));
    buf_free(&string);
    if (!good)
        return request_fail(request, 403, "SignatureDoesNotMatch",
                            "The request signature we calculated does not match the signature you provided. "
                            "Check your key and "
                            "signing method.");
    request->access_key = request_keep(request, access_key, strlen(access_key));
    request->principal = request_keep(request, principal, strlen(principal));
    return 0;
}
