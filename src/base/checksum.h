/*
 * The checksums S3 knows, computed piece by piece: CRC-32 (zlib's), CRC-32C (Castagnoli), CRC-64/NVME, SHA-1,
 * SHA-256; and MD5 for ETags. Pure; a struct checksum belongs to one thread. The text form is base64 of the
 * big-endian value, as in the x-amz-checksum-* headers.
 */
#ifndef SMARTCITY_BASE_CHECKSUM_H
#define SMARTCITY_BASE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum checksum_kind {
    CHECKSUM_NONE,
    CHECKSUM_CRC32,
    CHECKSUM_CRC32C,
    CHECKSUM_CRC64NVME,
    CHECKSUM_SHA1,
    CHECKSUM_SHA256,
    CHECKSUM_MD5, /* not a client's choice: for ETags and Content-MD5 */
    CHECKSUM_KINDS
};

#define CHECKSUM_BYTES     32 /* the longest */
#define CHECKSUM_TEXT_SIZE 56 /* base64 of it, "-10000" of a composite one, and NUL */

struct checksum;
struct checksum *checksum_create(enum checksum_kind kind); /* NULL for CHECKSUM_NONE */
void checksum_add(struct checksum *checksum, const void *bytes, size_t length);
/* Returns the number of bytes; ends the computation. */
size_t checksum_end(struct checksum *checksum, unsigned char out[CHECKSUM_BYTES]);
void checksum_destroy(struct checksum *checksum); /* NULL allowed */

/* Of the whole at once. */
size_t checksum_of(enum checksum_kind kind, const void *bytes, size_t length,
                   unsigned char out[CHECKSUM_BYTES]);
size_t checksum_bytes(enum checksum_kind kind); /* 4, 8, 16, 20 or 32 */
void checksum_text(const unsigned char *bytes, size_t length, char text[CHECKSUM_TEXT_SIZE]);

/* "CRC32C" as in x-amz-checksum-algorithm; "" for none. */
const char *checksum_name(enum checksum_kind kind);
/* "x-amz-checksum-crc32c"; "" for none. */
const char *checksum_header(enum checksum_kind kind);
/* "ChecksumCRC32C", the element in S3's XML. */
const char *checksum_element(enum checksum_kind kind);
/* By name, in any case; CHECKSUM_NONE when it is none. */
enum checksum_kind checksum_kind_of(const char *name);
/* By header name, in lower case; CHECKSUM_NONE when it is none. */
enum checksum_kind checksum_kind_of_header(const char *header);
/* Can checksums of parts be joined to that of the whole without reading it (CRCs)? */
bool checksum_can_join(enum checksum_kind kind);
/* The checksum of A followed by B, from those of A and B and the length of B. CRCs only. */
uint64_t checksum_join(enum checksum_kind kind, uint64_t a, uint64_t b, uint64_t length_b);

/* The plain functions: crc is 0 at the start, or what came of the piece before. */
uint32_t checksum_crc32(uint32_t crc, const void *bytes, size_t length);
uint32_t checksum_crc32c(uint32_t crc, const void *bytes, size_t length);
uint64_t checksum_crc64nvme(uint64_t crc, const void *bytes, size_t length);

#endif
