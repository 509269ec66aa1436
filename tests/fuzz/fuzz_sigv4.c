/* Reading and verifying signatures of hostile requests: method, target and headers come from the input, a
 * line each. What we sign of it we verify. */
#include "aws/sigv4.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sigv4_request *request)
{
    struct sigv4_claim claim;
    struct buf canonical, string;
    unsigned char key[SIGV4_HASH];
    char reason[160];
    buf_init(&canonical, 1 << 20);
    buf_init(&string, 4096);
    if (sigv4_read(request, &claim, reason) == SIGV4_CLAIM) {
        sigv4_key("secret", &claim.scope, key);
        sigv4_verify(request, &claim, key, &canonical, &string);
    }
    buf_free(&canonical);
    buf_free(&string);
}

static void round_trip(struct sigv4_request request, struct sigv4_header *headers)
{
    struct sigv4_credentials credentials = {"AKID", "secret", NULL};
    struct sigv4_scope scope = {.time = "20150830T123600Z", .region = "us-east-1", .service = "s3"};
    struct sigv4_claim claim;
    struct buf out, canonical, string;
    unsigned char key[SIGV4_HASH];
    char reason[160];
    headers[request.header_count++] = (struct sigv4_header){"host", "127.0.0.1"};
    headers[request.header_count++] = (struct sigv4_header){"x-amz-date", scope.time};
    buf_init(&out, 1 << 16);
    buf_init(&canonical, 1 << 20);
    buf_init(&string, 4096);
    if (sigv4_sign(&request, &credentials, &scope, NULL, &out, NULL)) {
        memmove(headers + 1, headers, request.header_count * sizeof *headers);
        headers[0] = (struct sigv4_header){"authorization", out.data};
        request.header_count++;
        /* another date in front may rightly be refused */
        if (sigv4_read(&request, &claim, reason) == SIGV4_CLAIM &&
            strcmp(claim.scope.time, scope.time) == 0) {
            sigv4_key("secret", &claim.scope, key);
            if (!sigv4_verify(&request, &claim, key, &canonical, &string) && !canonical.overflow)
                abort();
        }
    }
    buf_free(&out);
    buf_free(&canonical);
    buf_free(&string);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *target, *query;
    struct sigv4_header headers[24];
    size_t count = 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char *at = text;
    char *method = at;
    at += strcspn(at, "\n");
    if (*at)
        *at++ = '\0';
    target = at;
    at += strcspn(at, "\n");
    if (*at)
        *at++ = '\0';
    query = strchr(target, '?');
    if (query)
        *query++ = '\0';
    while (*at && count < 20) {
        char *line = at, *colon;
        at += strcspn(at, "\n");
        if (*at)
            *at++ = '\0';
        colon = strchr(line, ':');
        if (!colon || colon == line)
            continue;
        *colon = '\0';
        headers[count++] = (struct sigv4_header){line, colon + 1};
    }
    for (int rule = SIGV4_PATH_NORMAL; rule <= SIGV4_PATH_S3; rule++) {
        struct sigv4_request request = {method,  target, query ? query : "", (enum sigv4_path)rule,
                                        headers, count,  SIGV4_UNSIGNED};
        struct sigv4_header copy[24];
        bool tokens = true; /* what HTTP lets through as names */
        check(&request);
        for (size_t i = 0; i < count; i++)
            tokens = tokens && strspn(headers[i].name,
                                      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
                                   strlen(headers[i].name);
        if (!tokens)
            continue;
        memcpy(copy, headers, sizeof copy);
        request.headers = copy;
        round_trip(request, copy);
    }
    free(text);
    return 0;
}
