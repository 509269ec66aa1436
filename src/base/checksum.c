#include "base/checksum.h"

#include "base/err.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The CRCs are reflected, with all ones before and after, as zlib's. Eight bytes a step by eight tables
 * ("slicing-by-8", Kounavis and Berry 2005); the tables follow from the polynomials. */

#define POLY_CRC32     0xEDB88320u
#define POLY_CRC32C    0x82F63B78u
#define POLY_CRC64NVME 0x9A6C9329AC4BC9B5u

static uint64_t tables[3][8][256]; /* constant after make_tables() */
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    static const uint64_t polynomials[3] = {POLY_CRC32, POLY_CRC32C, POLY_CRC64NVME};
    for (int kind = 0; kind < 3; kind++) {
        for (uint64_t byte = 0; byte < 256; byte++) {
            uint64_t crc = byte;
            for (int bit = 0; bit < 8; bit++)
                crc = crc & 1 ? crc >> 1 ^ polynomials[kind] : crc >> 1;
            tables[kind][0][byte] = crc;
        }
        for (int step = 1; step < 8; step++)
            for (int byte = 0; byte < 256; byte++) {
                uint64_t before = tables[kind][step - 1][byte];
                tables[kind][step][byte] = before >> 8 ^ tables[kind][0][before & 255];
            }
    }
}

static uint64_t crc_add(int kind, uint64_t crc, const unsigned char *bytes, size_t length)
{
    pthread_once(&tables_once, make_tables);
    uint64_t(*table)[256] = tables[kind];
    while (length >= 8) {
        uint64_t word = 0;
        for (int i = 7; i >= 0; i--)
            word = word << 8 | bytes[i];
        word ^= crc;
        crc = 0;
        for (int i = 0; i < 8; i++)
            crc ^= table[7 - i][word >> (8 * i) & 255];
        bytes += 8;
        length -= 8;
    }
    while (length-- > 0)
        crc = crc >> 8 ^ table[0][(crc ^ *bytes++) & 255];
    return crc;
}

uint32_t checksum_crc32(uint32_t crc, const void *bytes, size_t length)
{
    return ~(uint32_t)crc_add(0, (uint32_t)~crc, bytes, length);
}

uint32_t checksum_crc32c(uint32_t crc, const void *bytes, size_t length)
{
    return ~(uint32_t)crc_add(1, (uint32_t)~crc, bytes, length);
}

uint64_t checksum_crc64nvme(uint64_t crc, const void *bytes, size_t length)
{
    return ~crc_add(2, ~crc, bytes, length);
}

/* ---- joining ---------------------------------------------------------------------------------------- */

/* Product of two polynomials modulo the CRC's, all reflected: the highest bit is the coefficient of x^0. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t polynomial, uint64_t one)
{
    uint64_t product = 0;
    for (uint64_t mask = one; mask; mask >>= 1) {
        if (a & mask)
            product ^= b;
        b = b & 1 ? b >> 1 ^ polynomial : b >> 1;
    }
    return product;
}

bool checksum_can_join(enum checksum_kind kind)
{
    return kind == CHECKSUM_CRC32 || kind == CHECKSUM_CRC32C || kind == CHECKSUM_CRC64NVME;
}

uint64_t checksum_join(enum checksum_kind kind, uint64_t a, uint64_t b, uint64_t length_b)
{
    uint64_t one = kind == CHECKSUM_CRC64NVME ? 1ull << 63 : 1ull << 31;
    uint64_t polynomial = kind == CHECKSUM_CRC64NVME ? POLY_CRC64NVME
                          : kind == CHECKSUM_CRC32C  ? POLY_CRC32C
                                                     : POLY_CRC32;
    uint64_t power = one >> 8, shift = one; /* x^8; x^(8 * length_b) by squaring */
    for (; length_b; length_b >>= 1) {
        if (length_b & 1)
            shift = multiply(shift, power, polynomial, one);
        power = multiply(power, power, polynomial, one);
    }
    return multiply(shift, a, polynomial, one) ^ b;
}

/* ---- one interface ---------------------------------------------------------------------------------- */

static const struct {
    const char *name, *header, *element;
    size_t bytes;
} kinds[CHECKSUM_KINDS] = {
    [CHECKSUM_NONE] = {"", "", "", 0},
    [CHECKSUM_CRC32] = {"CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", 4},
    [CHECKSUM_CRC32C] = {"CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", 4},
    [CHECKSUM_CRC64NVME] = {"CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", 8},
    [CHECKSUM_SHA1] = {"SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", 20},
    [CHECKSUM_SHA256] = {"SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", 32},
    [CHECKSUM_MD5] = {"", "", "", 16},
};

struct checksum {
    enum checksum_kind kind;
    uint64_t crc;
    EVP_MD_CTX *digest;
};

static const EVP_MD *digest_of(enum checksum_kind kind)
{
    return kind == CHECKSUM_SHA1 ? EVP_sha1() : kind == CHECKSUM_SHA256 ? EVP_sha256() : EVP_md5();
}

struct checksum *checksum_create(enum checksum_kind kind)
{
    if (kind == CHECKSUM_NONE)
        return NULL;
    struct checksum *checksum = mem_zero(1, sizeof *checksum);
    checksum->kind = kind;
    if (!checksum_can_join(kind)) {
        checksum->digest = EVP_MD_CTX_new();
        if (!checksum->digest || !EVP_DigestInit_ex(checksum->digest, digest_of(kind), NULL))
            abort(); /* no memory, or a crypto library without the digests it is there for */
    }
    return checksum;
}

void checksum_add(struct checksum *checksum, const void *bytes, size_t length)
{
    if (checksum->kind == CHECKSUM_CRC32)
        checksum->crc = checksum_crc32((uint32_t)checksum->crc, bytes, length);
    else if (checksum->kind == CHECKSUM_CRC32C)
        checksum->crc = checksum_crc32c((uint32_t)checksum->crc, bytes, length);
    else if (checksum->kind == CHECKSUM_CRC64NVME)
        checksum->crc = checksum_crc64nvme(checksum->crc, bytes, length);
    else
        EVP_DigestUpdate(checksum->digest, bytes, length);
}

size_t checksum_end(struct checksum *checksum, unsigned char out[CHECKSUM_BYTES])
{
    size_t length = kinds[checksum->kind].bytes;
    if (checksum->digest)
        EVP_DigestFinal_ex(checksum->digest, out, NULL);
    else
        for (size_t i = 0; i < length; i++)
            out[i] = (unsigned char)(checksum->crc >> (8 * (length - 1 - i)));
    return length;
}

void checksum_destroy(struct checksum *checksum)
{
    if (!checksum)
        return;
    EVP_MD_CTX_free(checksum->digest);
    free(checksum);
}

size_t checksum_of(enum checksum_kind kind, const void *bytes, size_t length,
                   unsigned char out[CHECKSUM_BYTES])
{
    struct checksum *checksum = checksum_create(kind);
    checksum_add(checksum, bytes, length);
    size_t size = checksum_end(checksum, out);
    checksum_destroy(checksum);
    return size;
}

size_t checksum_bytes(enum checksum_kind kind)
{
    return kinds[kind].bytes;
}

void checksum_text(const unsigned char *bytes, size_t length, char text[CHECKSUM_TEXT_SIZE])
{
    text_base64_encode(text, bytes, length);
    text[text_base64_size(length)] = '\0';
}

const char *checksum_name(enum checksum_kind kind)
{
    return kinds[kind].name;
}

const char *checksum_header(enum checksum_kind kind)
{
    return kinds[kind].header;
}

const char *checksum_element(enum checksum_kind kind)
{
    return kinds[kind].element;
}

enum checksum_kind checksum_kind_of(const char *name)
{
    for (int kind = CHECKSUM_CRC32; kind <= CHECKSUM_SHA256; kind++)
        if (strcasecmp(kinds[kind].name, name) == 0)
            return (enum checksum_kind)kind;
    return CHECKSUM_NONE;
}

enum checksum_kind checksum_kind_of_header(const char *header)
{
    for (int kind = CHECKSUM_CRC32; kind <= CHECKSUM_SHA256; kind++)
        if (strcasecmp(kinds[kind].header, header) == 0)
            return (enum checksum_kind)kind;
    return CHECKSUM_NONE;
}
