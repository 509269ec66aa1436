/* The aws-chunked decoder: whatever comes, in whatever pieces, the same bytes come out and nothing past the
 * limits. */
#include "localcloud/chunked.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sink {
    uint64_t hash, count;
};

static bool take(void *context, const void *bytes, size_t length)
{
    struct sink *sink = context;
    for (size_t i = 0; i < length; i++)
        sink->hash = (sink->hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    sink->count += length;
    return true;
}

static enum chunked_result decode(const uint8_t *data, size_t size, size_t step, bool is_signed, bool trailer,
                                  struct sink *sink)
{
    static const unsigned char key[SIGV4_HASH];
    struct sigv4_scope scope = {.time = "20150830T123600Z", .region = "us-east-1", .service = "s3"};
    *sink = (struct sink){0};
    struct chunked *chunked =
        chunked_create(is_signed ? key : NULL, &scope, SIGV4_EMPTY_HASH, trailer, take, sink);
    enum chunked_result result = CHUNKED_OK;
    for (size_t at = 0; at < size && result == CHUNKED_OK; at += step)
        result = chunked_feed(chunked, data + at, size - at < step ? size - at : step);
    if (result == CHUNKED_OK)
        result = chunked_end(chunked);
    if (sink->count > size || (int64_t)sink->count != chunked_decoded(chunked))
        abort();
    chunked_trailer(chunked, "x-amz-checksum-crc32");
    chunked_destroy(chunked);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sink whole, pieces;
    for (int mode = 0; mode < 4; mode++) {
        enum chunked_result result = decode(data, size, size + 1, mode & 1, mode & 2, &whole);
        if (decode(data, size, 1, mode & 1, mode & 2, &pieces) != result)
            abort();
        if (result == CHUNKED_OK && (whole.hash != pieces.hash || whole.count != pieces.count))
            abort();
    }
    return 0;
}
