/* The local cloud by raw HTTP: what clients of the usual kind never send, and what happens when things break.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "localcloud/cloud.h"
#include "localcloud/objects.h"
#include "tests/support/cloud_client.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct cloud *cloud;
static const struct cloud_address *address;
static struct cloud_client client;

static int port_of(const struct cloud_address *at)
{
    int64_t port;
    return text_parse_int(strrchr(at->endpoint, ':') + 1, 1, 65535, &port) ? (int)port : 0;
}

static void connect_client(void)
{
    cloud_client_close(&client);
    assert_true(cloud_client_open(&client, port_of(address), address->access_key, address->secret_key));
}

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    memcpy(folder, "/tmp/smartcity-cloud-XXXXXX", sizeof "/tmp/smartcity-cloud-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    struct cloud_settings settings = {.folder = folder, .faults = true};
    cloud = cloud_start(&settings, &err);
    if (!cloud) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    address = cloud_address(cloud);
    client.fd = -1;
    connect_client();
    struct cloud_answer answer;
    cloud_client_call(&client, "PUT", "/lake", NULL, NULL, 0, NULL, &answer);
    int status = answer.status;
    cloud_answer_free(&answer);
    return status == 200 ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    cloud_client_close(&client);
    cloud_stop(cloud);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Calls, and checks status and error code ("" for none). */
static void expect(const char *method, const char *target, const char *headers, const char *body,
                   const char *hash, int status, const char *code)
{
    struct cloud_answer answer;
    char element[100];
    cloud_client_call(&client, method, target, headers, body, body ? strlen(body) : 0, hash, &answer);
    snprintf(element, sizeof element, "<Code>%s</Code>", code);
    if (answer.status != status || (*code && !strstr(answer.body.data, element)))
        fail_msg("%s %s: %d %s instead of %d %s", method, target, answer.status, answer.body.data, status,
                 code);
    cloud_answer_free(&answer);
}

static void expect_object(const char *target, const char *content)
{
    struct cloud_answer answer;
    cloud_client_call(&client, "GET", target, NULL, NULL, 0, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body.data, content);
    cloud_answer_free(&answer);
}

/* ---- signatures ------------------------------------------------------------------------------------- */

static void test_signatures(void **state)
{
    expect("PUT", "/lake/a", NULL, "hello", NULL, 200, "");
    expect_object("/lake/a", "hello");
    expect("PUT", "/lake/a", NULL, "hello", SIGV4_UNSIGNED, 200, "");
    client.skew = -1000;
    expect("GET", "/lake/a", NULL, NULL, NULL, 403, "RequestTimeTooSkewed");
    client.skew = 1000;
    expect("GET", "/lake/a", NULL, NULL, NULL, 403, "RequestTimeTooSkewed");
    client.skew = 600;
    expect("GET", "/lake/a", NULL, NULL, NULL, 200, "");
    client.skew = 0;
    client.region = "eu-west-2";
    expect("GET", "/lake/a", NULL, NULL, NULL, 400, "AuthorizationHeaderMalformed");
    client.region = "us-east-1";
    client.access_key = "AKIANOBODY";
    expect("GET", "/lake/a", NULL, NULL, NULL, 403, "InvalidAccessKeyId");
    client.access_key = address->access_key;
    client.secret_key = "wrong-wrong-wrong";
    expect("GET", "/lake/a", NULL, NULL, NULL, 403, "SignatureDoesNotMatch");
    client.secret_key = address->secret_key;
    client.token = "c29tZXRoaW5nIGVsc2U=";
    expect("GET", "/lake/a", NULL, NULL, NULL, 400, "InvalidToken");
    client.token = NULL;
    /* the body is not the one that was signed: nothing is written */
    expect("PUT", "/lake/a", NULL, "other", SIGV4_EMPTY_HASH, 400, "XAmzContentSHA256Mismatch");
    expect_object("/lake/a", "hello");
    expect("PUT", "/lake/a", NULL, "other", "nonsense", 400, "InvalidRequest");
}

/* Headers slipped in behind the signature's back. */
static void test_unsigned_header(void **state)
{
    struct buf out;
    struct cloud_answer answer;
    buf_init(&out, 65536);
    cloud_client_head(&client, "PUT", "/lake/b", NULL, 0, SIGV4_EMPTY_HASH, &out, NULL, NULL);
    out.length -= 2;
    buf_text(&out, "x-amz-meta-evil: 1\r\n\r\n");
    cloud_client_raw(&client, out.data, out.length, false, &answer);
    assert_int_equal(answer.status, 403);
    assert_non_null(strstr(answer.body.data, "HeadersNotSigned"));
    cloud_answer_free(&answer);
    buf_free(&out);
    expect("GET", "/lake/b", NULL, NULL, NULL, 404, "NoSuchKey");
}

static void test_host(void **state)
{
    expect("GET", "/lake/a", "host: evil.example", NULL, NULL, 400, "InvalidRequest");
    expect("GET", "/lake/a", "host: 127.0.0.1.evil.example", NULL, NULL, 400, "InvalidRequest");
    expect("GET", "/lake/a", "host: localhost:80", NULL, NULL, 200, "");
    expect("GET", "/a", "host: lake.localhost:4566", NULL, NULL, 200, "");
    expect("GET", "/a", "host: pond.localhost", NULL, NULL, 404, "NoSuchBucket");
}

/* ---- bodies ----------------------------------------------------------------------------------------- */

/* One aws-chunked body of two chunks; trailer NULL: the form without. */
static void put_chunks(const char *target, const char *mode, const char *trailer, bool spoil, int status,
                       const char *code)
{
    static const char *const pieces[] = {"first piece, ", "second", ""};
    bool is_signed = strncmp(mode, "STREAMING-AWS4", 14) == 0;
    struct buf body, out;
    struct sigv4_scope scope;
    struct cloud_answer answer;
    unsigned char key[SIGV4_HASH];
    char seed[SIGV4_HEX], headers[300], element[100];
    buf_init(&body, 65536);
    buf_init(&out, 65536);
    /* the length is the same whatever the signatures are, so a first pass finds it */
    for (int pass = 0; pass < 2; pass++) {
        size_t length = body.length;
        buf_reset(&body);
        buf_reset(&out);
        snprintf(headers, sizeof headers, "content-encoding: aws-chunked\nx-amz-decoded-content-length: 19%s",
                 trailer ? "\nx-amz-trailer: x-amz-checksum-crc32" : "");
        cloud_client_head(&client, "PUT", target, headers, length, mode, &out, &scope, seed);
        sigv4_key(client.secret_key, &scope, key);
        for (int i = 0; i < 3; i++) {
            char hash[SIGV4_HEX], signature[SIGV4_HEX];
            sigv4_sha256(pieces[i], strlen(pieces[i]), hash);
            sigv4_chunk(key, &scope, seed, hash, signature);
            memcpy(seed, signature, sizeof seed);
            buf_printf(&body, "%zx", strlen(pieces[i]));
            if (is_signed)
                buf_printf(&body, ";chunk-signature=%s", signature);
            buf_text(&body, "\r\n");
            if (i < 2)
                buf_printf(&body, "%s\r\n", spoil && i == 1 ? "secOnd" : pieces[i]);
        }
        if (trailer) {
            char line[100], signature[SIGV4_HEX];
            int size = snprintf(line, sizeof line, "x-amz-checksum-crc32:%s\n", trailer);
            sigv4_trailer(key, &scope, seed, line, (size_t)size, signature);
            buf_printf(&body, "x-amz-checksum-crc32:%s\r\n", trailer);
            if (is_signed)
                buf_printf(&body, "x-amz-trailer-signature:%s\r\n", signature);
        }
        buf_text(&body, "\r\n");
    }
    buf_append(&out, body.data, body.length);
    cloud_client_raw(&client, out.data, out.length, false, &answer);
    snprintf(element, sizeof element, "<Code>%s</Code>", code);
    if (answer.status != status || (*code && !strstr(answer.body.data, element)))
        fail_msg("%s: %d %s instead of %d %s", mode, answer.status, answer.body.data, status, code);
    cloud_answer_free(&answer);
    buf_free(&body);
    buf_free(&out);
}

static void test_chunked(void **state)
{
    /* CRC-32 of "first piece, second" */
    unsigned char crc[CHECKSUM_BYTES];
    char text[CHECKSUM_TEXT_SIZE];
    size_t length = checksum_of(CHECKSUM_CRC32, "first piece, second", 19, crc);
    checksum_text(crc, length, text);
    put_chunks("/lake/c1", SIGV4_STREAMING, NULL, false, 200, "");
    expect_object("/lake/c1", "first piece, second");
    put_chunks("/lake/c2", SIGV4_STREAMING_TRAILER, text, false, 200, "");
    expect_object("/lake/c2", "first piece, second");
    put_chunks("/lake/c3", SIGV4_UNSIGNED_TRAILER, text, false, 200, "");
    expect_object("/lake/c3", "first piece, second");
    put_chunks("/lake/c4", SIGV4_STREAMING, NULL, true, 403, "SignatureDoesNotMatch");
    put_chunks("/lake/c4", SIGV4_STREAMING_TRAILER, text, true, 403, "SignatureDoesNotMatch");
    put_chunks("/lake/c4", SIGV4_UNSIGNED_TRAILER, text, true, 400, "BadDigest");
    put_chunks("/lake/c4", SIGV4_STREAMING_TRAILER, "AAAAAA==", false, 400, "BadDigest");
    expect("GET", "/lake/c4", NULL, NULL, NULL, 404, "NoSuchKey");
}

static void test_continue(void **state)
{
    struct buf out;
    struct cloud_answer answer;
    char hash[SIGV4_HEX];
    buf_init(&out, 65536);
    sigv4_sha256("hello", 5, hash);
    cloud_client_head(&client, "PUT", "/lake/e", "expect: 100-continue", 5, hash, &out, NULL, NULL);
    cloud_client_send(&client, out.data, out.length);
    char byte[26] = "";
    assert_int_equal(read(client.fd, byte, 25), 25); /* "HTTP/1.1 100 Continue\r\n\r\n" */
    assert_string_equal(byte, "HTTP/1.1 100 Continue\r\n\r\n");
    cloud_client_send(&client, "hello", 5);
    cloud_client_read(&client, false, &answer);
    assert_int_equal(answer.status, 200);
    cloud_answer_free(&answer);
    /* refused by its headers alone: the body is never asked for */
    buf_reset(&out);
    client.secret_key = "wrong-wrong-wrong";
    cloud_client_head(&client, "PUT", "/lake/e", "expect: 100-continue", 5000000, hash, &out, NULL, NULL);
    client.secret_key = address->secret_key;
    cloud_client_raw(&client, out.data, out.length, false, &answer);
    assert_int_equal(answer.status, 403);
    assert_false(answer.continued);
    cloud_answer_free(&answer);
    buf_free(&out);
    connect_client();
    expect_object("/lake/e", "hello");
}

static void test_limits(void **state)
{
    struct cloud_answer answer;
    char *big = malloc(40000);
    memset(big, 'k', 39999);
    big[39999] = '\0';
    char *target = malloc(40100);
    snprintf(target, 40100, "/lake/%.2000s", big);
    expect("GET", target, NULL, NULL, NULL, 400, "KeyTooLongError");
    /* a head larger than the connection's memory, or than we take: refused, and the server lives */
    char *head = malloc(400000);
    size_t length = (size_t)snprintf(head, 400000, "GET /lake HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    for (int i = 0; i < 9; i++)
        length += (size_t)snprintf(head + length, 400000 - length, "x-%d: %s\r\n", i, big);
    length += (size_t)snprintf(head + length, 400000 - length, "\r\n");
    cloud_client_raw(&client, head, length, false, &answer);
    assert_true(answer.status >= 400 || answer.status == 0);
    cloud_answer_free(&answer);
    free(head);
    free(target);
    free(big);
    connect_client();
    expect("PUT", "/lake/x%00y", NULL, "1", NULL, 400, "InvalidURI");
    expect("PUT", "/lake/x%ff", NULL, "1", NULL, 400, "InvalidURI");
    expect("POST", "/lake?delete", "content-md5: AAAA", "<Delete>", NULL, 400, "InvalidDigest");
    expect("PATCH", "/lake/a", NULL, NULL, NULL, 405, "MethodNotAllowed");
    expect("GET", "/lake?policy", NULL, NULL, NULL, 501, "NotImplemented");
    expect("GET", "/lake?list-type=2&prefix=%", NULL, NULL, NULL, 200, "");
    /* without a signature nothing is told, not even what there is */
    static const char bare[] = "GET /lake?policy HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    cloud_client_raw(&client, bare, sizeof bare - 1, false, &answer);
    assert_int_equal(answer.status, 403);
    assert_non_null(strstr(answer.body.data, "AccessDenied"));
    cloud_answer_free(&answer);
    static const char junk[] = "\x16\x03\x01 this is not HTTP\r\n\r\n";
    cloud_client_raw(&client, junk, sizeof junk - 1, false, &answer);
    cloud_answer_free(&answer);
    connect_client();
    expect_object("/lake/a", "hello");
}

/* A client that goes away in the middle leaves nothing behind. */
static void test_broken_upload(void **state)
{
    struct buf out;
    buf_init(&out, 65536);
    cloud_client_head(&client, "PUT", "/lake/broken", NULL, 100000, SIGV4_UNSIGNED, &out, NULL, NULL);
    buf_text(&out, "only this much");
    cloud_client_send(&client, out.data, out.length);
    buf_free(&out);
    connect_client();
    expect("GET", "/lake/broken", NULL, NULL, NULL, 404, "NoSuchKey");
}

/* ---- faults ----------------------------------------------------------------------------------------- */

static void test_faults(void **state)
{
    struct err err = ERR_INIT;
    struct cloud_answer answer;
    assert_int_equal(cloud_fault(cloud, "s3 PutObject throttle count=2", &err), 0);
    expect("PUT", "/lake/f", NULL, "1", NULL, 503, "SlowDown");
    expect("GET", "/lake/a", NULL, NULL, NULL, 200, "");
    expect("PUT", "/lake/f", NULL, "1", NULL, 503, "SlowDown");
    expect("PUT", "/lake/f", NULL, "1", NULL, 200, "");
    assert_int_equal(cloud_fault(cloud, "* * error=500 count=1 after=1", &err), 0);
    expect("GET", "/lake/a", NULL, NULL, NULL, 200, "");
    expect("GET", "/lake/a", NULL, NULL, NULL, 500, "InternalError");

    /* done, but nobody hears of it */
    assert_int_equal(cloud_fault(cloud, "s3 PutObject lost count=1", &err), 0);
    cloud_client_call(&client, "PUT", "/lake/lost", NULL, "kept", 4, NULL, &answer);
    assert_int_equal(answer.status, 0);
    cloud_answer_free(&answer);
    connect_client();
    expect_object("/lake/lost", "kept");

    assert_int_equal(cloud_fault(cloud, "s3 GetObject cut=3 count=1", &err), 0);
    cloud_client_call(&client, "GET", "/lake/a", NULL, NULL, 0, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(answer.broken);
    assert_int_equal(answer.body.length, 3);
    cloud_answer_free(&answer);
    connect_client();

    int64_t begun = clock_mono_us();
    assert_int_equal(cloud_fault(cloud, "s3 * slow=50ms count=1", &err), 0);
    expect_object("/lake/a", "hello");
    assert_true(clock_mono_us() - begun >= 50000);
    assert_int_equal(cloud_fault(cloud, "s3 PutObject explode", &err), -1);
    assert_int_equal(cloud_fault(cloud, "s3", &err), -1);

    /* by HTTP, with the token */
    char text[300];
    int length = snprintf(text, sizeof text,
                          "POST /_smartcity/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nx-smartcity-control: %s\r\n"
                          "Content-Length: 26\r\n\r\ns3 GetObject error=418 \n\n\n",
                          address->control_token);
    cloud_client_raw(&client, text, (size_t)length, false, &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body.data, "s3 GetObject error=418 taken=0\n"));
    cloud_answer_free(&answer);
    expect("GET", "/lake/a", NULL, NULL, NULL, 418, "InvalidRequest");
    length =
        snprintf(text, sizeof text,
                 "DELETE /_smartcity/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nx-smartcity-control: %s\r\n\r\n",
                 address->control_token);
    cloud_client_raw(&client, text, (size_t)length, false, &answer);
    assert_string_equal(answer.body.data, "");
    cloud_answer_free(&answer);
    static const char bare[] =
        "GET /_smartcity/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nx-smartcity-control: no\r\n\r\n";
    cloud_client_raw(&client, bare, sizeof bare - 1, false, &answer);
    assert_int_equal(answer.status, 403);
    cloud_answer_free(&answer);
}

static void test_one_owner(void **state)
{
    struct err err = ERR_INIT;
    struct cloud_settings settings = {.folder = folder};
    assert_null(cloud_start(&settings, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    assert_non_null(strstr(err.text, pid));
}

/* ---- kill -9 ---------------------------------------------------------------------------------------- */

static size_t count_blobs(const char *data)
{
    size_t count = 0;
    for (int i = 0; i < 256; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/blobs/%02x", data, (unsigned)i);
        DIR *directory = opendir(path);
        const struct dirent *entry;
        while (directory && (entry = readdir(directory)))
            count += entry->d_name[0] != '.';
        if (directory)
            closedir(directory);
    }
    return count;
}

/* The cloud in a process of its own; its address comes through a pipe. */
static pid_t start_child(const char *data, struct cloud_address *out)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = ERR_INIT;
        struct cloud_settings settings = {.folder = data};
        struct cloud *own = cloud_start(&settings, &err);
        if (!own || write(ends[1], cloud_address(own), sizeof *out) != sizeof *out)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], out, sizeof *out), sizeof *out);
    close(ends[0]);
    return pid;
}

/* Content follows from key and round, and its length is odd, so that a torn or mixed object is seen. */
static size_t content(char *out, int key, int round)
{
    size_t length = (size_t)(1000 + 7919 * key + 131 * round) % 60000 + 20;
    memset(out, 'a' + (key + round) % 26, length);
    memcpy(out, &round, sizeof round);
    return length;
}

#define KEYS 8
static void test_kill(void **state)
{
    char data[100], *body = malloc(70000);
    int written[KEYS];
    memset(written, -1, sizeof written);
    snprintf(data, sizeof data, "%s/killed", folder);
    int round = 0;
    for (int life = 0; life < 6; life++) {
        struct cloud_address at;
        struct cloud_client own;
        struct cloud_answer answer;
        pid_t pid = start_child(data, &at);
        assert_true(cloud_client_open(&own, port_of(&at), at.access_key, at.secret_key));
        if (life == 0) {
            cloud_client_call(&own, "PUT", "/lake", NULL, NULL, 0, NULL, &answer);
            cloud_answer_free(&answer);
        }
        /* a second process kills it while we write; how far we get differs from run to run */
        pid_t killer = fork();
        if (killer == 0) {
            clock_sleep_until(clock_mono_us() + 20000 + 15000 * life);
            kill(pid, SIGKILL);
            _exit(0);
        }
        int last_key = -1;
        for (bool alive = true; alive; round++) {
            char target[40];
            int key = round % KEYS;
            size_t length = content(body, key, round);
            snprintf(target, sizeof target, "/lake/k%d", key);
            cloud_client_call(&own, "PUT", target, NULL, body, length, SIGV4_UNSIGNED, &answer);
            alive = answer.status == 200;
            if (alive)
                written[key] = round;
            else
                last_key = key;
            cloud_answer_free(&answer);
        }
        cloud_client_close(&own);
        waitpid(pid, NULL, 0);
        waitpid(killer, NULL, 0);

        struct err err = ERR_INIT;
        struct objects *objects = objects_open(data, &err);
        assert_non_null(objects);
        size_t there = 0;
        for (int key = 0; key < KEYS; key++) {
            char name[20];
            struct buf got;
            buf_init(&got, 100000);
            snprintf(name, sizeof name, "k%d", key);
            enum objects_status status = objects_read(objects, "lake", name, &got, &err);
            there += status == OBJECTS_OK;
            if (written[key] >= 0)
                assert_int_equal(status, OBJECTS_OK);
            if (status == OBJECTS_OK) {
                int found;
                memcpy(&found, got.data, sizeof found);
                /* what was acknowledged; or what was under way when it was killed */
                assert_true(found == written[key] || (key == last_key && found == round - 1));
                written[key] = found;
                size_t length = content(body, key, found);
                assert_int_equal(got.length, length);
                assert_memory_equal(got.data, body, length);
            }
            buf_free(&got);
        }
        assert_int_equal(count_blobs(data), there); /* nothing is left of what was broken off */
        objects_close(objects);
    }
    assert_true(round > KEYS);
    free(body);
}

/* Acknowledged objects and keys are there again after an orderly end. */
static void test_restart(void **state)
{
    struct err err = ERR_INIT;
    char before[132];
    snprintf(before, sizeof before, "%s", address->secret_key);
    cloud_client_close(&client);
    cloud_stop(cloud);
    struct cloud_settings settings = {.folder = folder, .faults = true};
    cloud = cloud_start(&settings, &err);
    assert_non_null(cloud);
    address = cloud_address(cloud);
    assert_string_equal(address->secret_key, before);
    connect_client();
    expect_object("/lake/a", "hello");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures),    cmocka_unit_test(test_unsigned_header),
        cmocka_unit_test(test_host),          cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_continue),      cmocka_unit_test(test_limits),
        cmocka_unit_test(test_broken_upload), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_one_owner),     cmocka_unit_test(test_kill),
        cmocka_unit_test(test_restart),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
