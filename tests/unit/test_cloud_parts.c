/* The pure parts of the local cloud: checksums, aws-chunked, XML, faults, keys. */
#include "base/checksum.h"
#include "base/err.h"
#include "base/xml.h"
#include "localcloud/chunked.h"
#include "localcloud/fault.h"
#include "localcloud/keys.h"
#include "localcloud/s3.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* ---- checksums -------------------------------------------------------------------------------------- */

/* Check values of "123456789": the catalogue of parametrised CRC algorithms; RFC 1321, FIPS 180. */
static void test_checksums(void **state)
{
    static const struct {
        enum checksum_kind kind;
        const char *text;
    } cases[] = {
        {CHECKSUM_CRC32, "y/Q5Jg=="},
        {CHECKSUM_CRC32C, "4waSgw=="},
        {CHECKSUM_CRC64NVME, "rosUhgp5mIg="},
        {CHECKSUM_SHA1, "98O8HYCOBHMq32eZZczDTKeuNEE="},
        {CHECKSUM_SHA256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="},
        {CHECKSUM_MD5, "JfnnlDI7RTiF9RgfG2JNCw=="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char value[CHECKSUM_BYTES];
        char text[CHECKSUM_TEXT_SIZE];
        size_t length = checksum_of(cases[i].kind, "123456789", 9, value);
        assert_int_equal(length, checksum_bytes(cases[i].kind));
        checksum_text(value, length, text);
        assert_string_equal(text, cases[i].text);
        /* in pieces of every size */
        for (size_t cut = 0; cut <= 9; cut++) {
            unsigned char again[CHECKSUM_BYTES];
            struct checksum *checksum = checksum_create(cases[i].kind);
            checksum_add(checksum, "123456789", cut);
            checksum_add(checksum, "123456789" + cut, 9 - cut);
            checksum_end(checksum, again);
            checksum_destroy(checksum);
            assert_memory_equal(again, value, length);
        }
        if (cases[i].kind != CHECKSUM_MD5)
            assert_int_equal(checksum_kind_of(checksum_name(cases[i].kind)), cases[i].kind);
    }
    assert_int_equal(checksum_kind_of_header("X-Amz-Checksum-Crc32c"), CHECKSUM_CRC32C);
    assert_int_equal(checksum_kind_of_header("x-amz-checksum-md5"), CHECKSUM_NONE);
    assert_int_equal(checksum_kind_of("crc64"), CHECKSUM_NONE);
}

static void test_joined(void **state)
{
    unsigned char bytes[3000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 7);
    for (size_t cut = 0; cut <= sizeof bytes; cut += 271) {
        size_t rest = sizeof bytes - cut;
        assert_int_equal(checksum_join(CHECKSUM_CRC32, checksum_crc32(0, bytes, cut),
                                       checksum_crc32(0, bytes + cut, rest), rest),
                         checksum_crc32(0, bytes, sizeof bytes));
        assert_int_equal(checksum_join(CHECKSUM_CRC32C, checksum_crc32c(0, bytes, cut),
                                       checksum_crc32c(0, bytes + cut, rest), rest),
                         checksum_crc32c(0, bytes, sizeof bytes));
        assert_true(checksum_join(CHECKSUM_CRC64NVME, checksum_crc64nvme(0, bytes, cut),
                                  checksum_crc64nvme(0, bytes + cut, rest),
                                  rest) == checksum_crc64nvme(0, bytes, sizeof bytes));
    }
}

/* ---- aws-chunked ------------------------------------------------------------------------------------ */

static bool collect(void *context, const void *bytes, size_t length)
{
    return buf_append(context, bytes, length);
}

/* In pieces of `step` bytes. */
static enum chunked_result decode(const char *text, bool trailer, size_t step, struct buf *out,
                                  struct chunked **kept)
{
    struct chunked *chunked = chunked_create(NULL, NULL, NULL, trailer, collect, out);
    size_t length = strlen(text);
    enum chunked_result result = CHUNKED_OK;
    for (size_t at = 0; at < length && result == CHUNKED_OK; at += step)
        result = chunked_feed(chunked, text + at, length - at < step ? length - at : step);
    if (result == CHUNKED_OK)
        result = chunked_end(chunked);
    if (kept)
        *kept = chunked;
    else
        chunked_destroy(chunked);
    return result;
}

static void test_chunked(void **state)
{
    static const struct {
        const char *text;
        bool trailer;
        enum chunked_result result;
        const char *out;
    } cases[] = {
        {"5\r\nhello\r\n0\r\n\r\n", false, CHUNKED_OK, "hello"},
        {"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", false, CHUNKED_OK, "hello!"},
        {"0\r\n\r\n", false, CHUNKED_OK, ""},
        {"0\r\n", false, CHUNKED_OK, ""}, /* some leave the last line out */
        {"A;x=1\r\n0123456789\r\n0\r\n\r\n", false, CHUNKED_OK, "0123456789"},
        {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", true, CHUNKED_OK, "hello"},
        {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\n\r\n\r\n", true, CHUNKED_OK, "hello"},
        {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", false, CHUNKED_MALFORMED, "hello"},
        {"5\r\nhello\r\n", false, CHUNKED_MALFORMED, "hello"},
        {"5\r\nhel", false, CHUNKED_MALFORMED, "hel"},
        {"", false, CHUNKED_MALFORMED, ""},
        {"5\r\nhelloX\r\n0\r\n\r\n", false, CHUNKED_MALFORMED, "hello"},
        {"5\nhello\r\n0\r\n\r\n", false, CHUNKED_MALFORMED, ""},
        {"g\r\nhello\r\n", false, CHUNKED_MALFORMED, ""},
        {"-5\r\nhello\r\n", false, CHUNKED_MALFORMED, ""},
        {"fffffffffffffffff\r\n", false, CHUNKED_MALFORMED, ""},
        {"\r\n", false, CHUNKED_MALFORMED, ""},
        {"0\r\n\r\nmore", false, CHUNKED_MALFORMED, ""},
        {"0\r\nno colon\r\n\r\n", true, CHUNKED_MALFORMED, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t step = 1; step < 40; step += 3) {
            struct buf out;
            buf_init(&out, 1000);
            buf_text(&out, "");
            enum chunked_result result = decode(cases[i].text, cases[i].trailer, step, &out, NULL);
            if (result != cases[i].result || strcmp(out.data, cases[i].out) != 0)
                fail_msg("case %zu, step %zu: %d \"%s\"", i, step, result, out.data);
            buf_free(&out);
        }
    }
    struct chunked *chunked;
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(decode("1\r\nx\r\n0\r\nX-Amz-Checksum-Crc32 : AAAA \r\n\r\n", true, 5, &out, &chunked),
                     CHUNKED_OK);
    assert_int_equal(chunked_decoded(chunked), 1);
    chunked_destroy(chunked);
    assert_int_equal(decode("1\r\nx\r\n0\r\nX-Amz-Checksum-Crc32:  AAAA \r\n\r\n", true, 5, &out, &chunked),
                     CHUNKED_OK);
    assert_string_equal(chunked_trailer(chunked, "x-amz-checksum-crc32"), "AAAA");
    assert_null(chunked_trailer(chunked, "x-amz-checksum-sha1"));
    chunked_destroy(chunked);
    /* a sink that refuses ends it */
    buf_free(&out);
    buf_init(&out, 3);
    assert_int_equal(decode("5\r\nhello\r\n0\r\n\r\n", false, 100, &out, NULL), CHUNKED_STOPPED);
    buf_free(&out);
}

/* ---- XML -------------------------------------------------------------------------------------------- */

static void test_xml(void **state)
{
    static const char text[] = "<?xml version='1.0'?><!-- c --><s:Delete xmlns=\"x>y\" a='1'>\n "
                               "<Object><Key>a&amp;b&lt;&#x41;&#233;</Key>"
                               "</Object><Quiet>true</Quiet><Empty/><C><![CDATA[<raw>&amp;]]> "
                               "tail</C><Object><Key> two </Key></Object>"
                               "</s:Delete>\n<!-- end -->";
    struct xml *xml = xml_read(text, sizeof text - 1);
    assert_non_null(xml);
    const struct xml_node *root = xml_root(xml);
    assert_string_equal(root->name, "Delete");
    assert_string_equal(xml_text(xml_child(root, "Object"), "Key"), "a&b<A\xC3\xA9");
    assert_string_equal(xml_text(root, "Quiet"), "true");
    assert_string_equal(xml_text(root, "Empty"), "");
    assert_string_equal(xml_text(root, "C"), "<raw>&amp; tail");
    assert_null(xml_text(root, "None"));
    const struct xml_node *last = root->child;
    while (last->next)
        last = last->next;
    assert_string_equal(xml_text(last, "Key"), " two ");
    xml_destroy(xml);

    static const char *const refused[] = {"",
                                          "text",
                                          "<a>",
                                          "<a></b>",
                                          "<a></a><b></b>",
                                          "<a",
                                          "<a b></a>",
                                          "<a b='1></a>",
                                          "<a>&unknown;</a>",
                                          "<a>&#0;</a>",
                                          "<a>&#xD800;</a>",
                                          "<a>&#x110000;</a>",
                                          "<a>&amp</a>",
                                          "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
                                          "<a><![CDATA[x</a>",
                                          "<a>\xFF</a>",
                                          "<a><!-- </a>",
                                          "</a>",
                                          "<>x</>"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        xml = xml_read(refused[i], strlen(refused[i]));
        if (xml)
            fail_msg("taken: %s", refused[i]);
    }
    struct buf deep;
    buf_init(&deep, 100000);
    for (int i = 0; i < 10000; i++)
        buf_text(&deep, "<a>");
    assert_null(xml_read(deep.data, deep.length));
    buf_free(&deep);
    struct buf out;
    buf_init(&out, 1000);
    xml_element(&out, "K", "a<b>&\"\x01\r\xC3\xA9\xFFz");
    assert_string_equal(out.data, "<K>a&lt;b&gt;&amp;&quot;\xEF\xBF\xBD&#13;\xC3\xA9\xEF\xBF\xBDz</K>");
    buf_free(&out);
}

/* ---- ranges, faults, keys --------------------------------------------------------------------------- */

static void test_ranges(void **state)
{
    static const struct {
        const char *text;
        int64_t size;
        bool taken, bad;
        int64_t from, length;
    } cases[] = {
        {"bytes=0-9", 100, true, false, 0, 10},      {"bytes=90-", 100, true, false, 90, 10},
        {"bytes=-10", 100, true, false, 90, 10},     {"bytes=-1000", 100, true, false, 0, 100},
        {"bytes=50-1000", 100, true, false, 50, 50}, {"bytes=100-", 100, true, true, 0, 0},
        {"bytes=-0", 100, true, true, 0, 0},         {"bytes=0-0", 0, true, true, 0, 0},
        {"bytes=5-4", 100, false, false, 0, 0},      {"bytes=", 100, false, false, 0, 0},
        {"bytes=-", 100, false, false, 0, 0},        {"bytes=0-1,3-4", 100, false, false, 0, 0},
        {"items=0-1", 100, false, false, 0, 0},      {"bytes=99999999999999999999-", 100, false, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t from = 0, length = 0;
        bool bad;
        bool taken = s3_range(cases[i].text, cases[i].size, &from, &length, &bad);
        if (taken != cases[i].taken || (taken && bad != cases[i].bad) ||
            (taken && !bad && (from != cases[i].from || length != cases[i].length)))
            fail_msg("%s: %d %d %lld %lld", cases[i].text, taken, bad, (long long)from, (long long)length);
    }
}

static void test_dates(void **state)
{
    char out[S3_HTTP_DATE_SIZE];
    assert_string_equal(s3_http_date(out, 0), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_string_equal(s3_http_date(out, 1440938160999), "Sun, 30 Aug 2015 12:36:00 GMT");
}

static void test_faults(void **state)
{
    struct err err = ERR_INIT;
    struct faults *faults = faults_create();
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(faults_take(faults, "s3", "PutObject").kind, FAULT_NONE);
    assert_int_equal(faults_add(faults, "s3 PutObject throttle count=1", &err), 0);
    assert_int_equal(faults_add(faults, "s3 * error=503 after=1", &err), 0);
    assert_int_equal(faults_add(faults, "* * slow=10ms", &err), 0);
    assert_int_equal(faults_add(faults, "glue * cut=7 probability=0", &err), 0);
    struct fault fault = faults_take(faults, "s3", "PutObject");
    assert_int_equal(fault.kind, FAULT_THROTTLE);
    assert_int_equal(fault.delay_us, 10000);
    assert_int_equal(faults_take(faults, "s3", "PutObject").kind, FAULT_NONE); /* passed by after=1 */
    fault = faults_take(faults, "s3", "PutObject");
    assert_int_equal(fault.kind, FAULT_ERROR);
    assert_int_equal(fault.status, 503);
    assert_int_equal(faults_take(faults, "glue", "GetTable").kind, FAULT_NONE);
    faults_write(faults, &out);
    assert_non_null(strstr(out.data, "s3 PutObject throttle count=0 taken=1\n"));
    static const char *const refused[] = {"",
                                          "s3",
                                          "s3 X",
                                          "s3 X nonsense",
                                          "s3 X error=200",
                                          "s3 X cut=-1",
                                          "s3 X slow=eternity",
                                          "s3 X lost count=0",
                                          "s3 X lost probability=2",
                                          "s3 X lost after=x"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(faults_add(faults, refused[i], &err), -1);
    faults_clear(faults);
    assert_int_equal(faults_take(faults, "s3", "PutObject").delay_us, 0);
    for (int i = 0; i < 64; i++)
        assert_int_equal(faults_add(faults, "s3 X lost", &err), 0);
    assert_int_equal(faults_add(faults, "s3 X lost", &err), -1);
    assert_int_equal(err.kind, ERR_FULL);
    faults_destroy(faults);
    buf_free(&out);
}

static void test_keys(void **state)
{
    char folder[] = "/tmp/smartcity-keys-XXXXXX", path[64], secret[KEYS_TEXT], principal[KEYS_ARN_SIZE],
         command[64];
    struct err err = ERR_INIT;
    struct stat status;
    assert_non_null(mkdtemp(folder));
    struct keys *keys = keys_open(folder, "000000000000", NULL, NULL, &err);
    assert_non_null(keys);
    snprintf(path, sizeof path, "%s/keys.json", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(keys_find(keys, keys_access(keys), NULL, 0, secret, principal), KEYS_OK);
    assert_string_equal(secret, keys_secret(keys));
    assert_string_equal(principal, "arn:aws:iam::000000000000:root");
    assert_int_equal(keys_find(keys, "AKIAOTHER", NULL, 0, secret, principal), KEYS_UNKNOWN);

    struct keys_session session;
    const char *arn = "arn:aws:sts::000000000000:assumed-role/r/me";
    assert_true(keys_session_make(keys, arn, 1000, &session));
    assert_int_equal(keys_find(keys, session.access_key, session.token, 999, secret, principal), KEYS_OK);
    assert_string_equal(secret, session.secret_key);
    assert_string_equal(principal, arn);
    assert_int_equal(keys_find(keys, session.access_key, session.token, 1000, secret, principal),
                     KEYS_TOKEN_EXPIRED);
    assert_int_equal(keys_find(keys, session.access_key, NULL, 1, secret, principal), KEYS_UNKNOWN);
    assert_int_equal(keys_find(keys, "ASIAANOTHERONE", session.token, 1, secret, principal), KEYS_TOKEN_BAD);
    for (size_t i = 0; i + 2 < strlen(session.token); i += 7) { /* no character of it may be changed */
        char spoilt[KEYS_TOKEN_SIZE];
        snprintf(spoilt, sizeof spoilt, "%s", session.token);
        spoilt[i] = spoilt[i] == 'A' ? 'B' : 'A';
        assert_int_equal(keys_find(keys, session.access_key, spoilt, 1, secret, principal), KEYS_TOKEN_BAD);
    }
    /* the same after a restart; other keys given are not stored */
    struct keys *again = keys_open(folder, "000000000000", NULL, NULL, &err);
    assert_string_equal(keys_secret(again), keys_secret(keys));
    assert_int_equal(keys_find(again, session.access_key, session.token, 1, secret, principal), KEYS_OK);
    struct keys *given = keys_open(folder, "000000000000", "mine", "my-own-secret", &err);
    assert_string_equal(keys_access(given), "mine");
    assert_null(keys_open(folder, "000000000000", "mi ne", "my-own-secret", &err));
    keys_destroy(given);
    keys_destroy(again);
    keys_destroy(keys);
    FILE *file = fopen(path, "w");
    fputs("{\"access_key\": 5}", file);
    fclose(file);
    assert_null(keys_open(folder, "000000000000", NULL, NULL, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksums), cmocka_unit_test(test_joined), cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_xml),       cmocka_unit_test(test_ranges), cmocka_unit_test(test_dates),
        cmocka_unit_test(test_faults),    cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
