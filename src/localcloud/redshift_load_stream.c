/* Compressed files of a load as a FILE, in constant memory: gzip by zlib, zstd by libzstd. */
#include "localcloud/redshift_load.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define INPUT 65536

struct zstd_reader {
    FILE *in;
    ZSTD_DStream *stream;
    unsigned char bytes[INPUT];
    ZSTD_inBuffer input;
    size_t wanted; /* 0: a frame has just ended */
    bool ended;
};

static ssize_t gzip_read(void *cookie, char *bytes, size_t size)
{
    int got = gzread(cookie, bytes, size > INT32_MAX ? INT32_MAX : (unsigned)size);
    if (got < 0)
        errno = EIO;
    return got;
}

static int gzip_close(void *cookie)
{
    return gzclose(cookie) == Z_OK ? 0 : EOF;
}

static ssize_t zstd_read(void *cookie, char *bytes, size_t size)
{
    struct zstd_reader *reader = cookie;
    ZSTD_outBuffer output = {.dst = bytes, .size = size};
    while (output.pos == 0) {
        if (reader->input.pos == reader->input.size && !reader->ended) {
            reader->input = (ZSTD_inBuffer){
                .src = reader->bytes, .size = fread(reader->bytes, 1, sizeof reader->bytes, reader->in)};
            reader->ended = reader->input.size < sizeof reader->bytes;
        }
        size_t before = reader->input.pos;
        bool nothing = reader->input.pos == reader->input.size;
        if (nothing && reader->wanted == 0)
            return 0;
        reader->wanted = ZSTD_decompressStream(reader->stream, &output, &reader->input);
        if (ZSTD_isError(reader->wanted) || ferror(reader->in) ||
            (nothing && output.pos == 0 && reader->input.pos == before)) { /* it ends in the middle */
            errno = EIO;
            return -1;
        }
    }
    return (ssize_t)output.pos;
}

static int zstd_close(void *cookie)
{
    struct zstd_reader *reader = cookie;
    ZSTD_freeDStream(reader->stream);
    fclose(reader->in);
    free(reader);
    return 0;
}

static FILE *open_gzip(const char *path)
{
    cookie_io_functions_t functions = {.read = gzip_read, .close = gzip_close};
    gzFile file = gzopen(path, "rbe");
    if (!file)
        return NULL;
    FILE *stream = gzdirect(file) ? NULL : fopencookie(file, "r", functions);
    if (!stream)
        gzclose(file);
    return stream;
}

static FILE *open_zstd(const char *path)
{
    cookie_io_functions_t functions = {.read = zstd_read, .close = zstd_close};
    struct zstd_reader *reader = mem_zero(1, sizeof *reader);
    reader->in = fopen(path, "re");
    reader->stream = ZSTD_createDStream();
    FILE *stream = reader->in && reader->stream ? fopencookie(reader, "r", functions) : NULL;
    if (!stream) {
        ZSTD_freeDStream(reader->stream);
        if (reader->in)
            fclose(reader->in);
        free(reader);
    }
    return stream;
}

FILE *rs_open_text(const char *path, const char *compression)
{
    if (!compression)
        return fopen(path, "re");
    return strcmp(compression, "gzip") == 0 ? open_gzip(path) : open_zstd(path);
}
