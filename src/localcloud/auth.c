#include "localcloud/auth.h"

#include "base/text.h"
#include "localcloud/service.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum failure {
    MISSING,
    OTHER_SCHEME,
    MALFORMED,
    NO_DATE,
    UNKNOWN_KEY,
    BAD_TOKEN,
    EXPIRED_TOKEN,
    WRONG_REGION,
    WRONG_SERVICE,
    SKEWED,
    EXPIRED,
    MISMATCH
};

/* The codes of the three protocols, as observed. An empty message: the caller's. */
static const struct {
    int status[3];
    const char *code[3];
    const char *message[3];
} FAILURES[] = {
    [MISSING] = {{403, 400, 403},
                 {"AccessDenied", "MissingAuthenticationTokenException", "MissingAuthenticationToken"},
                 {"Access Denied", "Missing Authentication Token",
                  "Request is missing Authentication Token"}},
    [OTHER_SCHEME] =
        {{400, 400, 403},
         {"InvalidRequest", "IncompleteSignatureException", "IncompleteSignature"},
         {"The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
          "The authorization mechanism is not supported. Please use AWS4-HMAC-SHA256.",
          "The authorization mechanism is not supported. Please use AWS4-HMAC-SHA256."}},
    [MALFORMED] = {{400, 400, 400},
                   {"AuthorizationHeaderMalformed", "IncompleteSignatureException", "IncompleteSignature"},
                   {"", "", ""}},
    [NO_DATE] = {{403, 400, 400},
                 {"AccessDenied", "IncompleteSignatureException", "IncompleteSignature"},
                 {"AWS authentication requires a valid Date or x-amz-date header",
                  "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
                  "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."}},
    [UNKNOWN_KEY] = {{403, 400, 403},
                     {"InvalidAccessKeyId", "UnrecognizedClientException", "InvalidClientTokenId"},
                     {"The AWS Access Key Id you provided does not exist in our records.",
                      "The security token included in the request is invalid.",
                      "The security token included in the request is invalid."}},
    [BAD_TOKEN] = {{400, 400, 403},
                   {"InvalidToken", "UnrecognizedClientException", "InvalidClientTokenId"},
                   {"The provided token is malformed or otherwise invalid.",
                    "The security token included in the request is invalid.",
                    "The security token included in the request is invalid."}},
    [EXPIRED_TOKEN] = {{400, 400, 403},
                       {"ExpiredToken", "ExpiredTokenException", "ExpiredToken"},
                       {"The provided token has expired.",
                        "The security token included in the request is expired",
                        "The security token included in the request is expired"}},
    [WRONG_REGION] = {{400, 400, 403},
                      {"AuthorizationHeaderMalformed", "InvalidSignatureException", "SignatureDoesNotMatch"},
                      {"", "Credential should be scoped to a valid region.",
                       "Credential should be scoped to a valid region."}},
    [WRONG_SERVICE] = {{400, 400, 403},
                       {"AuthorizationHeaderMalformed", "InvalidSignatureException", "SignatureDoesNotMatch"},
                       {"", "", ""}},
    [SKEWED] = {{403, 400, 403},
                {"RequestTimeTooSkewed", "InvalidSignatureException", "SignatureDoesNotMatch"},
                {"", "", ""}},
    [EXPIRED] = {{403, 400, 403},
                 {"AccessDenied", "InvalidSignatureException", "SignatureDoesNotMatch"},
                 {"Request has expired", "Signature expired", "Signature expired"}},
    [MISMATCH] =
        {{403, 400, 403},
         {"SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch"},
         {"The request signature we calculated does not match the signature you provided. Check your key and "
          "signing method.",
          "The request signature we calculated does not match the signature you provided. Check your AWS "
          "Secret "
          "Access Key and signing method. Consult the service documentation for details.",
          "The request signature we calculated does not match the signature you provided. Check your AWS "
          "Secret "
          "Access Key and signing method. Consult the service documentation for details."}},
};

static int fail(struct request *request, enum failure failure, const char *message)
{
    int protocol = request->service ? (int)request->service->protocol : (int)PROTOCOL_REST_XML;
    const char *own = FAILURES[failure].message[protocol];
    return request_fail(request, FAILURES[failure].status[protocol], FAILURES[failure].code[protocol], "%s",
                        *own ? own : message);
}

static bool is_rest(const struct request *request)
{
    return !request->service || request->service->protocol == PROTOCOL_REST_XML;
}

/* Both hold name and value in this order. */
static void view(const struct request *request, const char *payload_hash,
                 struct sigv4_header headers[REQUEST_HEADERS_MAX], struct sigv4_request *out)
{
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = (struct sigv4_header){request->headers[i].name, request->headers[i].value};
    *out = (struct sigv4_request){
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .path_rule = is_rest(request) ? SIGV4_PATH_S3 : SIGV4_PATH_NORMAL,
        .headers = headers,
        .header_count = request->header_count,
        .payload_hash = payload_hash,
    };
}

void auth_service(const struct request *request, char service[64])
{
    struct sigv4_header headers[REQUEST_HEADERS_MAX];
    struct sigv4_request raw;
    struct sigv4_claim claim;
    char reason[160];
    view(request, "", headers, &raw);
    sigv4_read(&raw, &claim, reason);
    text_copy(service, 64, claim.scope.service);
}

static int check_time(struct request *request, const struct sigv4_claim *claim)
{
    char message[200], now_text[SIGV4_TIME_SIZE], limit_text[SIGV4_TIME_SIZE];
    int64_t now = request->now_us / 1000000;
    int64_t skew = request->service && request->service->protocol == PROTOCOL_JSON ? 300 : AUTH_SKEW_S;
    if (claim->presigned) {
        if (claim->seconds > now + skew)
            return request_fail(request, 403, is_rest(request) ? "AccessDenied" : "InvalidSignatureException",
                                "Request is not yet valid");
        if (now <= claim->seconds + claim->expires)
            return 0;
        fail(request, EXPIRED, "");
        if (is_rest(request)) {
            char text[TEXT_TIME_SIZE];
            request_fail_member(request, "X-Amz-Expires", json_integer(claim->expires));
            request_fail_member(request, "Expires",
                                json_string(text_time(text, (claim->seconds + claim->expires) * 1000)));
            request_fail_member(request, "ServerTime", json_string(text_time(text, now * 1000)));
        }
        return -1;
    }
    if (claim->seconds >= now - skew && claim->seconds <= now + skew)
        return 0;
    bool early = claim->seconds < now;
    sigv4_time(now_text, now);
    sigv4_time(limit_text, early ? now - skew : now + skew);
    if (is_rest(request))
        snprintf(message, sizeof message,
                 "The difference between the request time and the current time is too large.");
    else
        snprintf(message, sizeof message,
                 early ? "Signature expired: %s is now earlier than %s (%s - %d min.)"
                       : "Signature not yet current: %s is still later than %s (%s + %d min.)",
                 claim->scope.time, limit_text, now_text, (int)(skew / 60));
    fail(request, SKEWED, message);
    if (is_rest(request)) {
        char text[TEXT_TIME_SIZE];
        request_fail_member(request, "RequestTime", json_string(claim->scope.time));
        request_fail_member(request, "ServerTime", json_string(text_time(text, now * 1000)));
        request_fail_member(request, "MaxAllowedSkewMilliseconds", json_integer(skew * 1000));
    }
    return -1;
}

static int check_scope(const struct auth *auth, struct request *request, const struct sigv4_claim *claim)
{
    char message[400];
    const char *service = request->service ? request->service->name : "s3";
    if (strcmp(claim->scope.service, service) != 0) {
        if (is_rest(request))
            snprintf(message, sizeof message,
                     "The authorization header is malformed; incorrect service \"%s\". This endpoint belongs "
                     "to \"%s\".",
                     claim->scope.service, service);
        else
            snprintf(message, sizeof message, "Credential should be scoped to correct service: '%s'.",
                     service);
        return fail(request, WRONG_SERVICE, message);
    }
    if (strcmp(claim->scope.region, auth->region) == 0 ||
        (strcmp(service, "sts") == 0 && strcmp(claim->scope.region, "us-east-1") == 0))
        return 0;
    snprintf(message, sizeof message,
             "The authorization header is malformed; the region '%s' is wrong; expecting '%s'",
             claim->scope.region, auth->region);
    fail(request, WRONG_REGION, message);
    if (is_rest(request))
        request_fail_member(request, "Region", json_string(auth->region));
    return -1;
}

static int check_key(const struct auth *auth, struct request *request, const struct sigv4_claim *claim,
                     char secret[KEYS_TEXT])
{
    char principal[KEYS_ARN_SIZE];
    const char *token = request_header(request, "x-amz-security-token");
    if (!token)
        token = request_parameter(request, "X-Amz-Security-Token");
    switch (keys_find(auth->keys, claim->access_key, token, request->now_us / 1000000, secret, principal)) {
    case KEYS_UNKNOWN:
        fail(request, UNKNOWN_KEY, "");
        if (is_rest(request))
            request_fail_member(request, "AWSAccessKeyId", json_string(claim->access_key));
        return -1;
    case KEYS_TOKEN_BAD:
        return fail(request, BAD_TOKEN, "");
    case KEYS_TOKEN_EXPIRED:
        return fail(request, EXPIRED_TOKEN, "");
    default:
        request->access_key = request_keep(request, claim->access_key, strlen(claim->access_key));
        request->principal = request_keep(request, principal, strlen(principal));
        return 0;
    }
}

static bool is_listed(const char *signed_headers, const char *name)
{
    size_t wanted = strlen(name);
    for (const char *at = signed_headers; *at;) {
        size_t length = strcspn(at, ";");
        if (length == wanted && strncasecmp(at, name, length) == 0)
            return true;
        at += length + (at[length] == ';');
    }
    return false;
}

/* S3 takes no x-amz-* header that the signature does not cover: somebody on the way could have added it. */
static int check_covered(struct request *request, const struct sigv4_claim *claim)
{
    if (!is_rest(request))
        return 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const char *name = request->headers[i].name;
        if (strncasecmp(name, "x-amz-", 6) != 0 || is_listed(claim->signed_headers, name))
            continue;
        request_fail(request, 403, "AccessDenied",
                     "There were headers present in the request which were not signed");
        request_fail_member(request, "HeadersNotSigned", json_string(name));
        return -1;
    }
    return 0;
}

static void explain_mismatch(struct request *request, const struct sigv4_claim *claim,
                             const struct buf *canonical, const struct buf *string)
{
    if (!is_rest(request))
        return;
    request_fail_member(request, "AWSAccessKeyId", json_string(claim->access_key));
    request_fail_member(request, "SignatureProvided", json_string(claim->signature));
    if (string->data && text_is_utf8(string->data, string->length))
        request_fail_member(request, "StringToSign", json_string(string->data));
    if (canonical->data && canonical->length < 16384 && text_is_utf8(canonical->data, canonical->length))
        request_fail_member(request, "CanonicalRequest", json_string(canonical->data));
}

int auth_check(const struct auth *auth, struct request *request, const char *payload_hash,
               struct auth_result *result)
{
    struct sigv4_header headers[REQUEST_HEADERS_MAX];
    struct sigv4_request raw;
    char reason[160], secret[KEYS_TEXT];
    struct sigv4_claim *claim = &result->claim;
    view(request, payload_hash, headers, &raw);
    switch (sigv4_read(&raw, claim, reason)) {
    case SIGV4_NONE:
        return fail(request, MISSING, "");
    case SIGV4_OTHER:
        return fail(request, OTHER_SCHEME, "");
    case SIGV4_NO_DATE:
        return fail(request, NO_DATE, "");
    case SIGV4_MALFORMED:
        if (is_rest(request) && claim->presigned)
            return request_fail(request, 400, "AuthorizationQueryParametersError", "%s", reason);
        return fail(request, MALFORMED, reason);
    default:
        break;
    }
    if (check_key(auth, request, claim, secret) < 0 || check_scope(auth, request, claim) < 0 ||
        check_time(request, claim) < 0 || check_covered(request, claim) < 0)
        return -1;
    struct buf canonical, string;
    buf_init(&canonical, 1 << 20);
    buf_init(&string, 4096);
    sigv4_cache_key(auth->cache, secret, &claim->scope, result->key);
    OPENSSL_cleanse(secret, sizeof secret);
    int outcome = 0;
    if (!sigv4_verify(&raw, claim, result->key, &canonical, &string)) {
        outcome = fail(request, MISMATCH, "");
        explain_mismatch(request, claim, &canonical, &string);
    }
    buf_free(&canonical);
    buf_free(&string);
    return outcome;
}
