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

/* ---- the way back ----------------------------------------------------------------------------------- */

struct rs_sink {
    struct objects_writer *writer;
    z_stream *gzip; /* one of both, or none */
    ZSTD_CStream *zstd;
    unsigned char bytes[INPUT];
};

struct rs_sink *rs_sink_create(struct objects_writer *writer, const char *compression)
{
    struct rs_sink *sink = mem_zero(1, sizeof *sink);
    sink->writer = writer;
    if (compression && strcmp(compression, "gzip") == 0) {
        sink->gzip = mem_zero(1, sizeof *sink->gzip);
        if (deflateInit2(sink->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
                         Z_DEFAULT_STRATEGY) != Z_OK) {
            free(sink->gzip);
            sink->gzip = NULL;
        }
    } else if (compression) {
        sink->zstd = ZSTD_createCStream();
    }
    if (compression && !sink->gzip && !sink->zstd) {
        free(sink);
        return NULL;
    }
    return sink;
}

void rs_sink_destroy(struct rs_sink *sink)
{
    if (!sink)
        return;
    if (sink->gzip)
        deflateEnd(sink->gzip);
    free(sink->gzip);
    ZSTD_freeCStream(sink->zstd);
    free(sink);
}

static int write_gzip(struct rs_sink *sink, const char *bytes, size_t length, bool finish, struct err *err)
{
    sink->gzip->next_in = (unsigned char *)bytes;
    sink->gzip->avail_in = (unsigned)length;
    int state;
    do {
        sink->gzip->next_out = sink->bytes;
        sink->gzip->avail_out = sizeof sink->bytes;
        state = deflate(sink->gzip, finish ? Z_FINISH : Z_NO_FLUSH);
        if (state == Z_STREAM_ERROR)
            return err_set(err, ERR_INTERNAL, "gzip failed");
        if (objects_writer_write(sink->writer, sink->bytes, sizeof sink->bytes - sink->gzip->avail_out,
                                 err) != 0)
            return -1;
    } while (sink->gzip->avail_out == 0 || (finish && state != Z_STREAM_END));
    return 0;
}

static int write_zstd(struct rs_sink *sink, const char *bytes, size_t length, bool finish, struct err *err)
{
    ZSTD_inBuffer input = {.src = bytes, .size = length};
    size_t left;
    do {
        ZSTD_outBuffer output = {.dst = sink->bytes, .size = sizeof sink->bytes};
        left = ZSTD_compressStream2(sink->zstd, &output, &input, finish ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return err_set(err, ERR_INTERNAL, "zstd failed: %s", ZSTD_getErrorName(left));
        if (objects_writer_write(sink->writer, sink->bytes, output.pos, err) != 0)
            return -1;
    } while (finish ? left != 0 : input.pos < input.size);
    return 0;
}

int rs_sink_write(struct rs_sink *sink, const char *bytes, size_t length, bool finish, struct err *err)
{
    if (sink->gzip)
        return write_gzip(sink, bytes, length, finish, err);
    if (sink->zstd)
        return write_zstd(sink, bytes, length, finish, err);
    return objects_writer_write(sink->writer, bytes, length, err);
}
