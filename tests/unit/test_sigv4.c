#include "aws/sigv4.h"

#include "sigv4_vectors.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct sigv4_credentials SUITE = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                               NULL};
static const struct sigv4_credentials MANUAL = {"AKIAIOSFODNN7EXAMPLE",
                                                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL};

/* Splits "Name:value\1Name:value" in place; returns the count. */
static size_t split_headers(char *text, struct sigv4_header *headers)
{
    size_t count = 0;
    while (*text) {
        char *end = text + strcspn(text, "\001");
        char *colon = strchr(text, ':');
        bool last = *end == '\0';
        *end = *colon = '\0';
        headers[count++] = (struct sigv4_header){text, colon + 1};
        text = last ? end : end + 1;
    }
    return count;
}

static void check_signature(const char *name, const char *text, const char *expected)
{
    const char *at = strstr(text, "Signature=");
    while (at && strstr(at + 1, "Signature="))
        at = strstr(at + 1, "Signature=");
    if (!at || strcmp(at + 10, expected) != 0)
        fail_msg("%s: %s instead of %s", name, at ? at + 10 : text, expected);
}

static void test_published(void **state)
{
    for (size_t i = 0; i < sizeof SIGV4_VECTORS / sizeof *SIGV4_VECTORS; i++) {
        const struct sigv4_vector *vector = &SIGV4_VECTORS[i];
        struct sigv4_header headers[16];
        char *text = strdup(vector->headers), hash[SIGV4_HEX];
        size_t count = split_headers(text, headers);
        sigv4_sha256(vector->body, strlen(vector->body), hash);
        struct sigv4_scope scope = {.time = "20150830T123600Z", .region = "us-east-1", .service = "service"};
        struct sigv4_request request = {vector->method,
                                        vector->path,
                                        vector->query,
                                        vector->normalise ? SIGV4_PATH_NORMAL : SIGV4_PATH_RAW,
                                        headers,
                                        count,
                                        hash};
        struct sigv4_credentials credentials = SUITE;
        credentials.token = vector->token_unsigned ? NULL : vector->token;
        struct buf out;
        buf_init(&out, 8192);

        headers[request.header_count++] = (struct sigv4_header){"X-Amz-Date", scope.time};
        if (vector->hash_header)
            headers[request.header_count++] = (struct sigv4_header){"x-amz-content-sha256", hash};
        if (credentials.token)
            headers[request.header_count++] =
                (struct sigv4_header){"X-Amz-Security-Token", credentials.token};
        assert_true(sigv4_sign(&request, &credentials, &scope, NULL, &out, NULL));
        check_signature(vector->name, out.data, vector->by_header);

        /* What was signed is verified, and nothing else is. */
        struct sigv4_claim claim;
        struct buf canonical, string;
        char reason[160];
        unsigned char key[SIGV4_HASH];
        headers[request.header_count++] = (struct sigv4_header){"Authorization", out.data};
        buf_init(&canonical, 65536);
        buf_init(&string, 65536);
        assert_int_equal(sigv4_read(&request, &claim, reason), SIGV4_CLAIM);
        assert_string_equal(claim.access_key, "AKIDEXAMPLE");
        sigv4_key(SUITE.secret_key, &claim.scope, key);
        assert_true(sigv4_verify(&request, &claim, key, &canonical, &string));
        request.method = "PATCH";
        buf_reset(&canonical);
        buf_reset(&string);
        assert_false(sigv4_verify(&request, &claim, key, &canonical, &string));

        request.method = vector->method;
        request.header_count = count;
        if (vector->hash_header)
            request.header_count = count;
        buf_reset(&out);
        assert_true(sigv4_presign(&request, &credentials, &scope, 3600, NULL, &out));
        check_signature(vector->name, out.data, vector->by_query);
        request.query = out.data;
        buf_reset(&canonical);
        buf_reset(&string);
        assert_int_equal(sigv4_read(&request, &claim, reason), SIGV4_CLAIM);
        assert_true(claim.presigned);
        assert_int_equal(claim.expires, 3600);
        assert_true(sigv4_verify(&request, &claim, key, &canonical, &string));
        buf_free(&canonical);
        buf_free(&string);
        buf_free(&out);
        free(text);
    }
}

/* The examples of the S3 manual. */
static void test_manual(void **state)
{
    static const struct {
        const char *method, *path, *query, *headers, *hash, *signature;
    } cases[] = {
        {"GET", "/test.txt", "", "range:bytes=0-9", SIGV4_EMPTY_HASH,
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT", "/test%24file.text", "",
         "date:Fri, 24 May 2013 00:00:00 GMT\001x-amz-storage-class:REDUCED_REDUNDANCY",
         "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET", "/", "lifecycle", "", SIGV4_EMPTY_HASH,
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"GET", "/", "max-keys=2&prefix=J", "", SIGV4_EMPTY_HASH,
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    struct sigv4_scope scope = {.time = "20130524T000000Z", .region = "us-east-1", .service = "s3"};
    struct sigv4_cache *cache = sigv4_cache_create();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sigv4_header headers[8];
        char *text = strdup(cases[i].headers);
        size_t count = split_headers(text, headers);
        headers[count++] = (struct sigv4_header){"host", "examplebucket.s3.amazonaws.com"};
        headers[count++] = (struct sigv4_header){"x-amz-content-sha256", cases[i].hash};
        headers[count++] = (struct sigv4_header){"x-amz-date", scope.time};
        struct sigv4_request request = {cases[i].method, cases[i].path, cases[i].query, SIGV4_PATH_S3,
                                        headers,         count,         cases[i].hash};
        struct buf out;
        buf_init(&out, 4096);
        assert_true(sigv4_sign(&request, &MANUAL, &scope, cache, &out, NULL));
        check_signature(cases[i].path, out.data, cases[i].signature);
        buf_free(&out);
        free(text);
    }
    struct sigv4_header host = {"host", "examplebucket.s3.amazonaws.com"};
    struct sigv4_request request = {"GET", "/test.txt", "", SIGV4_PATH_S3, &host, 1, SIGV4_UNSIGNED};
    struct buf out;
    buf_init(&out, 4096);
    assert_true(sigv4_presign(&request, &MANUAL, &scope, 86400, cache, &out));
    check_signature("presigned", out.data,
                    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    buf_free(&out);
    sigv4_cache_destroy(cache);
}

/* The manual's examples of a body in chunks, without and with a trailer. */
static void test_chunks(void **state)
{
    char *body = malloc(65536), first[SIGV4_HEX], second[SIGV4_HEX], signature[SIGV4_HEX],
         previous[SIGV4_HEX];
    memset(body, 'a', 65536);
    sigv4_sha256(body, 65536, first);
    sigv4_sha256(body, 1024, second);
    free(body);
    struct sigv4_scope scope = {.time = "20130524T000000Z", .region = "us-east-1", .service = "s3"};
    unsigned char key[SIGV4_HASH];
    sigv4_key(MANUAL.secret_key, &scope, key);

    struct sigv4_header headers[] = {{"content-encoding", "aws-chunked"},
                                     {"host", "s3.amazonaws.com"},
                                     {"x-amz-content-sha256", SIGV4_STREAMING},
                                     {"x-amz-date", scope.time},
                                     {"x-amz-decoded-content-length", "66560"},
                                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                     {"content-length", "66824"}};
    struct sigv4_request request = {
        "PUT", "/examplebucket/chunkObject.txt", "", SIGV4_PATH_S3, headers, 7, SIGV4_STREAMING};
    struct buf out;
    buf_init(&out, 4096);
    assert_true(sigv4_sign(&request, &MANUAL, &scope, NULL, &out, previous));
    assert_string_equal(previous, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    sigv4_chunk(key, &scope, previous, first, signature);
    assert_string_equal(signature, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
    sigv4_chunk(key, &scope, signature, second, previous);
    assert_string_equal(previous, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
    sigv4_chunk(key, &scope, previous, SIGV4_EMPTY_HASH, signature);
    assert_string_equal(signature, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");

    headers[2].value = request.payload_hash = SIGV4_STREAMING_TRAILER;
    headers[6] = (struct sigv4_header){"x-amz-trailer", "x-amz-checksum-crc32c"};
    buf_reset(&out);
    assert_true(sigv4_sign(&request, &MANUAL, &scope, NULL, &out, previous));
    assert_string_equal(previous, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
    sigv4_chunk(key, &scope, previous, first, signature);
    assert_string_equal(signature, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
    sigv4_chunk(key, &scope, signature, second, previous);
    assert_string_equal(previous, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
    sigv4_chunk(key, &scope, previous, SIGV4_EMPTY_HASH, signature);
    assert_string_equal(signature, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
    static const char trailer[] = "x-amz-checksum-crc32c:sOO8/Q==\n";
    sigv4_trailer(key, &scope, signature, trailer, sizeof trailer - 1, previous);
    assert_string_equal(previous, "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
    buf_free(&out);
}

/* What no published vector covers: S3's paths and queries, as botocore signs them. */
static void test_s3_forms(void **state)
{
    static const struct {
        const char *path, *query, *signature;
    } cases[] = {
        {"/lake/raw/gps/dt%3D2024-05-01/a.parquet", "",
         "b9c3af3623d884b0f8125e9a2ce88b12c81aeefebd3627eeefedd41e9a49365a"},
        {"/lake/raw/gps/dt=2024-05-01/a.parquet", "",
         "b9c3af3623d884b0f8125e9a2ce88b12c81aeefebd3627eeefedd41e9a49365a"},
        {"/b/a//b/../c", "", "7b203918cffdbc4baad926c86ac694c3386181f9c3aea43746f7d80663a31b0f"},
        {"/b/key%20with%20blank%2Bplus", "",
         "ba9f9f74497e5da08654f0a5740485b1ab6eb57817b9cef9a8d83459facbdd52"},
        {"/b/%E2%98%83", "", "c20351200f19bb42370713dc1b82b062b9b09d68721f8f49d622566165c88a8f"},
        {"/b", "uploads", "770dbf88f03052256c947a5904da75c51ffdf974225634d3219fdd66936ffdab"},
        {"/b", "list-type=2&continuation-token=1%2Fab%2Bcd%3D%3D&prefix=a%2Fb&delimiter=%2F",
         "49b2271380ce1977bd36167d260264fc12119bf572da4fd892e1f0ced0b8d07d"},
        {"/b/k", "partNumber=2&uploadId=AbC",
         "6ebb3a85c05672d11dc3e1f06a517ecf6467d1ee9b29006a88d6740c208b4f62"},
        {"/b/k~-._%21%2A%27%28%29", "", "d8620e36899547b363371b602d0a4bff044879e7a76fb816b7c6887197d82dbc"},
    };
    struct sigv4_scope scope = {.time = "20150830T123600Z", .region = "us-east-1", .service = "s3"};
    struct sigv4_header headers[] = {{"Host", "127.0.0.1:4566"},
                                     {"x-amz-meta-a-b", "2"},
                                     {"x-amz-meta-a", "1"},
                                     {"X-Amz-Date", scope.time},
                                     {"X-Amz-Content-SHA256", SIGV4_EMPTY_HASH}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sigv4_request request = {"GET", cases[i].path,   cases[i].query, SIGV4_PATH_S3, headers,
                                        5,     SIGV4_EMPTY_HASH};
        struct buf out;
        buf_init(&out, 4096);
        assert_true(sigv4_sign(&request, &SUITE, &scope, NULL, &out, NULL));
        check_signature(cases[i].path, out.data, cases[i].signature);
        buf_free(&out);
    }
}

#define SCOPE "20150830/us-east-1/s3/aws4_request"
#define SIG   "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
static void test_hostile_claims(void **state)
{
    static const struct {
        const char *authorization, *query, *date;
        enum sigv4_found found;
    } cases[] = {
        {NULL, "", NULL, SIGV4_NONE},
        {"Basic Zm9v", "", NULL, SIGV4_OTHER},
        {"AWS AKID:sig", "", NULL, SIGV4_OTHER},
        {"AWS4-HMAC-SHA256X Credential=", "", NULL, SIGV4_OTHER},
        {"AWS4-HMAC-SHA256", "", NULL, SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 ,,,", "", NULL, SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 junk", "", NULL, SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=A/" SCOPE ", SignedHeaders=host, Signature=" SIG, "",
         "20150830T123600Z", SIGV4_CLAIM},
        {"AWS4-HMAC-SHA256 Credential=A/B/" SCOPE ",SignedHeaders=host,Signature=" SIG, "",
         "20150830T123600Z", SIGV4_CLAIM},
        {"AWS4-HMAC-SHA256 Credential=A/" SCOPE ", SignedHeaders=host, Signature=" SIG, "",
         "20150831T123600Z", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=A/" SCOPE ", SignedHeaders=host, Signature=" SIG, "", NULL,
         SIGV4_NO_DATE},
        {"AWS4-HMAC-SHA256 Credential=A/" SCOPE ", SignedHeaders=host, Signature=" SIG, "",
         "Sun, 30 Aug 2015 12:36:00 GMT", SIGV4_CLAIM},
        {"AWS4-HMAC-SHA256 Credential=A/" SCOPE ", SignedHeaders=host, Signature=" SIG, "", "yesterday",
         SIGV4_NO_DATE},
        {"AWS4-HMAC-SHA256 Credential=A/" SCOPE ", SignedHeaders=date, Signature=" SIG, "",
         "20150830T123600Z", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=A/" SCOPE ", SignedHeaders=host, Signature=XY", "", "20150830T123600Z",
         SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=/" SCOPE ", SignedHeaders=host, Signature=" SIG, "", "20150830T123600Z",
         SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=A/2015/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=" SIG,
         "", "20150830T123600Z", SIGV4_MALFORMED},
        {NULL, "X-Amz-Algorithm=AWS4-HMAC-SHA256", NULL, SIGV4_MALFORMED},
        {NULL, "X-Amz-Signature=00", NULL, SIGV4_MALFORMED},
        {NULL, "Signature=abc&AWSAccessKeyId=x&Expires=1", NULL, SIGV4_OTHER},
        {NULL,
         "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&X-"
         "Amz-Date="
         "20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" SIG,
         NULL, SIGV4_CLAIM},
        {NULL,
         "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&X-"
         "Amz-Date="
         "20150830T123600Z&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-Signature=" SIG,
         NULL, SIGV4_MALFORMED},
        {NULL,
         "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&X-"
         "Amz-Date="
         "20150830T123600Z&X-Amz-Expires=-1&X-Amz-SignedHeaders=host&X-Amz-Signature=" SIG,
         NULL, SIGV4_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sigv4_header headers[3] = {{"Host", "127.0.0.1"}};
        struct sigv4_request request = {"GET",   "/", cases[i].query, SIGV4_PATH_S3,
                                        headers, 1,   SIGV4_UNSIGNED};
        struct sigv4_claim claim;
        char reason[160];
        if (cases[i].authorization)
            headers[request.header_count++] = (struct sigv4_header){"Authorization", cases[i].authorization};
        if (cases[i].date)
            headers[request.header_count++] = (struct sigv4_header){"X-Amz-Date", cases[i].date};
        enum sigv4_found found = sigv4_read(&request, &claim, reason);
        if (found != cases[i].found)
            fail_msg("case %zu: %d instead of %d (%s)", i, found, cases[i].found, reason);
        assert_int_equal(found == SIGV4_MALFORMED, reason[0] != '\0');
    }
}

static void test_times(void **state)
{
    int64_t seconds;
    char text[SIGV4_TIME_SIZE];
    assert_true(sigv4_parse_time("20150830T123600Z", &seconds));
    assert_int_equal(seconds, 1440938160);
    assert_string_equal(sigv4_time(text, seconds), "20150830T123600Z");
    assert_true(sigv4_parse_time("Sun, 30 Aug 2015 12:36:00 GMT", &seconds));
    assert_int_equal(seconds, 1440938160);
    assert_false(sigv4_parse_time("20151330T123600Z", &seconds));
    assert_false(sigv4_parse_time("20150830 123600Z", &seconds));
    assert_false(sigv4_parse_time("Sun, 30 Xxx 2015 12:36:00 GMT", &seconds));
    assert_false(sigv4_parse_time("", &seconds));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),      cmocka_unit_test(test_manual),
        cmocka_unit_test(test_chunks),         cmocka_unit_test(test_s3_forms),
        cmocka_unit_test(test_hostile_claims), cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
