/*
 * S3 for worker threads. A large body goes as parts, some at a time: a window over the parts, the oldest is
 * waited for, the next one submitted. What must be there once is compared with what is there.
 */
#include "aws/s3.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_BYTES    (16ll << 20)
#define PARALLEL      4
#define PARALLEL_MAX  32
#define LOOK_US       100000
#define COMPARE_BYTES (8ll << 20)

static void copy_code(char *code, const struct aws_call *call)
{
    const struct aws_answer *answer = call ? aws_call_answer(call) : NULL;
    if (code)
        text_copy(code, 80, answer ? answer->code : "");
}

/* ---- uploads in parts ------------------------------------------------------------------------------- */

struct upload {
    struct aws_client *client;
    const struct aws_s3_put *put;
    const struct aws_s3_options *options;
    const struct aws_s3_send *send;
    char id[AWS_S3_UPLOAD_SIZE];
    int64_t total, part_bytes;
    size_t count;              /* parts */
    struct aws_s3_part *parts; /* count of them */
    struct aws_call *window[PARALLEL_MAX];
    size_t first, next; /* parts under way are first to next-1 */
    int64_t done_bytes;
    unsigned char sums[CHECKSUM_BYTES]; /* of the parts' checksums */
    size_t sums_size;
};

static int64_t deadline_of(const struct aws_s3_send *send)
{
    return send && send->deadline_us > 0 ? send->deadline_us : -1;
}

static void show(const struct upload *upload)
{
    const struct aws_s3_send *send = upload->send;
    if (!send || !send->progress)
        return;
    int64_t sum = upload->done_bytes;
    for (size_t i = upload->first; i < upload->next; i++) {
        int64_t sent, received;
        aws_call_progress(upload->window[i % PARALLEL_MAX], &sent, &received);
        sum += sent;
    }
    send->progress(send->progress_context, sum, upload->total);
}

static struct aws_call *submit_part(struct upload *upload, size_t index, struct err *err)
{
    struct aws_s3_put part = *upload->put;
    int64_t offset = (int64_t)index * upload->part_bytes;
    int64_t length =
        upload->total - offset < upload->part_bytes ? upload->total - offset : upload->part_bytes;
    if (part.body.path) {
        part.body.offset += offset;
        part.body.length = length;
    } else {
        part.body.bytes = (const char *)part.body.bytes + offset;
        part.body.size = (size_t)length;
    }
    return aws_s3_upload_part(upload->client, &part, upload->id, (int)index + 1, upload->options, NULL, NULL,
                              err);
}

/* Waits for a call in slices, so that progress can be seen. */
static int wait_for(const struct upload *upload, struct aws_call *call, struct err *err)
{
    int64_t deadline = deadline_of(upload->send);
    while (call && !aws_call_done(call)) {
        int64_t now = clock_mono_us();
        if (deadline >= 0 && now >= deadline)
            break;
        aws_wait(call, deadline >= 0 && deadline < now + LOOK_US ? deadline : now + LOOK_US);
        show(upload);
    }
    return aws_wait_ok(call, deadline, err);
}

static int send_parts(struct upload *upload, char *code, struct err *err)
{
    size_t parallel = upload->send && upload->send->parallel ? upload->send->parallel : PARALLEL;
    int result = 0;
    if (parallel > PARALLEL_MAX)
        parallel = PARALLEL_MAX;
    while (result == 0 && upload->first < upload->count) {
        while (upload->next < upload->count && upload->next - upload->first < parallel) {
            struct aws_call *call = submit_part(upload, upload->next, err);
            if (!call) {
                /* Others fill the queue: our own parts go on. */
                if (upload->next == upload->first)
                    result = -1;
                break;
            }
            upload->window[upload->next++ % PARALLEL_MAX] = call;
        }
        if (result != 0)
            break;
        struct aws_call *oldest = upload->window[upload->first % PARALLEL_MAX];
        result = wait_for(upload, oldest, err);
        copy_code(code, oldest);
        if (result == 0) {
            aws_s3_part_read(aws_call_answer(oldest), (int)upload->first + 1, &upload->parts[upload->first]);
            int64_t left = upload->total - upload->done_bytes;
            upload->done_bytes += left < upload->part_bytes ? left : upload->part_bytes;
        }
        aws_call_release(oldest);
        upload->first++;
    }
    for (size_t i = upload->first; i < upload->next; i++) {
        struct aws_call *call = upload->window[i % PARALLEL_MAX];
        aws_call_cancel(call);
        aws_wait(call, -1);
        aws_call_release(call);
    }
    return result;
}

/* Composite checksum: that of the parts' checksums, and how many. */
static void composite(const struct upload *upload, enum checksum_kind kind, char out[CHECKSUM_TEXT_SIZE])
{
    struct checksum *sum = checksum_create(kind);
    unsigned char bytes[CHECKSUM_TEXT_SIZE], end[CHECKSUM_BYTES];
    char text[CHECKSUM_TEXT_SIZE];
    bool good = true;
    for (size_t i = 0; i < upload->count; i++) {
        long length = text_base64_decode(bytes, upload->parts[i].checksum, strlen(upload->parts[i].checksum));
        good = good && length > 0;
        if (good)
            checksum_add(sum, bytes, (size_t)length);
    }
    size_t size = checksum_end(sum, end);
    checksum_destroy(sum);
    checksum_text(end, size, text);
    out[0] = '\0';
    if (good)
        snprintf(out, CHECKSUM_TEXT_SIZE, "%.40s-%zu", text, upload->count);
}

/* Compares what is there with the body, piece by piece: for servers that keep no checksum. */
static bool same_bytes(struct aws_client *client, const struct aws_s3_put *put,
                       const struct aws_s3_options *options, int64_t deadline_us,
                       const struct aws_s3_object *there)
{
    const struct aws_body *body = &put->body;
    char *local = body->path ? mem_alloc((size_t)COMPARE_BYTES) : NULL;
    int fd = body->path ? open(body->path, O_RDONLY | O_CLOEXEC) : -1;
    bool same = !body->path || fd >= 0;
    for (int64_t at = 0; same && at < there->size; at += COMPARE_BYTES) {
        int64_t length = there->size - at < COMPARE_BYTES ? there->size - at : COMPARE_BYTES;
        struct aws_s3_get get = {.bucket = put->bucket,
                                 .key = put->key,
                                 .from = at,
                                 .length = length,
                                 .if_match = there->etag[0] ? there->etag : NULL};
        struct aws_call *call = aws_s3_get(client, &get, options, NULL, NULL, NULL);
        same = aws_wait_ok(call, deadline_us, NULL) == 0;
        const struct aws_answer *answer = same ? aws_call_answer(call) : NULL;
        if (same && fd >= 0)
            same = pread(fd, local, (size_t)length, body->offset + at) == length;
        const char *mine = fd >= 0 ? local : (const char *)body->bytes + at;
        same = same && answer->body.length == (size_t)length &&
               memcmp(answer->body.data, mine, (size_t)length) == 0;
        aws_call_release(call);
    }
    if (fd >= 0)
        close(fd);
    free(local);
    return same;
}

/* Is what is there what was to be put? `wanted` holds its size and checksum. */
static bool is_there(struct aws_client *client, const struct aws_s3_put *put,
                     const struct aws_s3_options *options, int64_t deadline_us,
                     const struct aws_s3_object *wanted, struct aws_s3_object *there, struct err *err)
{
    if (aws_s3_head_wait(client, put->bucket, put->key, options, deadline_us, there, err) != 0)
        return false;
    err_set(err, ERR_BUSY, "s3://%s/%.200s is there already with another content: somebody else writes here",
            put->bucket, put->key);
    if (err)
        err->retriable = false;
    if (there->size != wanted->size)
        return false;
    if (there->checksum[0] && there->checksum_kind == wanted->checksum_kind &&
        !strchr(there->checksum, '-') == !strchr(wanted->checksum, '-'))
        return strcmp(there->checksum, wanted->checksum) == 0;
    return same_bytes(client, put, options, deadline_us, there);
}

static int complete(struct upload *upload, struct aws_s3_object *object, char *code, struct err *err)
{
    struct aws_call *call = aws_s3_upload_complete(upload->client, upload->put, upload->id, upload->parts,
                                                   upload->count, upload->options, NULL, NULL, err);
    int result = wait_for(upload, call, err);
    copy_code(code, call);
    if (result == 0) {
        struct aws_s3_object made;
        aws_s3_object_read(aws_call_answer(call), &made);
        text_copy(object->etag, sizeof object->etag, made.etag);
    } else if (call && aws_call_answer(call)->attempts > 1 &&
               (strcmp(aws_call_answer(call)->code, "NoSuchUpload") == 0 ||
                strcmp(aws_call_answer(call)->code, "PreconditionFailed") == 0)) {
        /* Perhaps an attempt whose answer was lost has done it. */
        struct aws_s3_object there;
        struct err ignored = ERR_INIT;
        if (is_there(upload->client, upload->put, upload->options, deadline_of(upload->send), object, &there,
                     &ignored)) {
            text_copy(object->etag, sizeof object->etag, there.etag);
            result = 0;
        }
    }
    aws_call_release(call);
    return result;
}

static int put_parts(struct upload *upload, struct aws_s3_object *object, char *code, struct err *err)
{
    struct aws_call *call =
        aws_s3_upload_create(upload->client, upload->put, upload->options, NULL, NULL, err);
    int result = wait_for(upload, call, err);
    copy_code(code, call);
    if (result == 0)
        result = aws_s3_upload_read(aws_call_answer(call), upload->id, err);
    aws_call_release(call);
    if (result != 0)
        return -1;
    result = send_parts(upload, code, err);
    if (result == 0) {
        composite(upload, object->checksum_kind, object->checksum);
        result = complete(upload, object, code, err);
    }
    /* Parts that stay cost money. Nobody waits for it; the group may be cancelled, this must go out all the
     * same. */
    if (result != 0) {
        struct aws_s3_options options =
            upload->options ? *upload->options : (struct aws_s3_options){.owner = NULL};
        options.group = NULL;
        aws_call_release(aws_s3_upload_abort(upload->client, upload->put->bucket, upload->put->key,
                                             upload->id, &options, NULL, NULL, NULL));
    }
    return result;
}

/* ---- puts ------------------------------------------------------------------------------------------- */

static int total_of(const struct aws_body *body, int64_t *total, struct err *err)
{
    struct stat status;
    if (!body->path) {
        *total = (int64_t)body->size;
        return 0;
    }
    if (body->length >= 0) {
        *total = body->length;
        return 0;
    }
    if (stat(body->path, &status) != 0)
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", body->path);
    *total = status.st_size - body->offset;
    return 0;
}

int aws_s3_put_wait(struct aws_client *client, const struct aws_s3_put *put,
                    const struct aws_s3_options *options, const struct aws_s3_send *send,
                    struct aws_s3_object *object, char *code, struct err *err)
{
    struct aws_s3_object own;
    int64_t total = 0, part_bytes = send && send->part_bytes ? send->part_bytes : PART_BYTES;
    if (!object)
        object = &own;
    memset(object, 0, sizeof *object);
    if (code)
        code[0] = '\0';
    if (total_of(&put->body, &total, err) != 0)
        return -1;
    if (part_bytes < AWS_S3_PART_MIN)
        part_bytes = AWS_S3_PART_MIN;
    while (total / part_bytes >= AWS_S3_PARTS_MAX)
        part_bytes *= 2;
    text_copy(object->key, sizeof object->key, put->key);
    object->size = total;
    object->checksum_kind = put->checksum == CHECKSUM_NONE ? CHECKSUM_CRC32 : put->checksum;
    struct upload upload = {.client = client,
                            .put = put,
                            .options = options,
                            .send = send,
                            .total = total,
                            .part_bytes = part_bytes,
                            .count = (size_t)((total + part_bytes - 1) / part_bytes)};
    if (upload.count > 1) {
        upload.parts = mem_zero(upload.count, sizeof *upload.parts);
        int result = put_parts(&upload, object, code, err);
        free(upload.parts);
        return result;
    }
    struct aws_call *call = aws_s3_put(client, put, options, NULL, NULL, err);
    if (call) {
        upload.window[0] = call;
        upload.next = 1;
    }
    int result = wait_for(&upload, call, err);
    copy_code(code, call);
    if (call) {
        aws_answer_header(aws_call_answer(call), "etag", object->etag, sizeof object->etag);
        text_copy(object->checksum, sizeof object->checksum, aws_call_answer(call)->checksum);
    }
    aws_call_release(call);
    return result;
}

int aws_s3_put_once_wait(struct aws_client *client, const struct aws_s3_put *put,
                         const struct aws_s3_options *options, const struct aws_s3_send *send, bool *existed,
                         struct aws_s3_object *object, struct err *err)
{
    struct aws_s3_put once = *put;
    struct aws_s3_object own, there;
    char code[80];
    once.if_absent = true;
    if (!object)
        object = &own;
    *existed = false;
    if (aws_s3_put_wait(client, &once, options, send, object, code, err) == 0)
        return 0;
    if (strcmp(code, "PreconditionFailed") != 0 ||
        !is_there(client, put, options, deadline_of(send), object, &there, err))
        return -1;
    *existed = true;
    text_copy(object->etag, sizeof object->etag, there.etag);
    if (err)
        *err = ERR_INIT;
    return 0;
}

/* ---- gets ------------------------------------------------------------------------------------------- */

/* What came is what was put, as far as the checksum covers the whole. */
static int verify(const struct aws_s3_object *object, const void *bytes, size_t length, int fd,
                  struct err *err)
{
    unsigned char sum[CHECKSUM_BYTES];
    char text[CHECKSUM_TEXT_SIZE], piece[65536];
    if (object->checksum_kind == CHECKSUM_NONE || strchr(object->checksum, '-'))
        return 0;
    struct checksum *checksum = checksum_create(object->checksum_kind);
    ssize_t got = 0;
    if (fd < 0)
        checksum_add(checksum, bytes, length);
    for (int64_t at = 0; fd >= 0 && (got = pread(fd, piece, sizeof piece, at)) > 0; at += got)
        checksum_add(checksum, piece, (size_t)got);
    checksum_text(sum, checksum_end(checksum, sum), text);
    checksum_destroy(checksum);
    if (got < 0 || strcmp(text, object->checksum) != 0)
        return err_set(err, ERR_CORRUPT, "what came is not what was stored: %s is %s instead of %s",
                       checksum_name(object->checksum_kind), text, object->checksum);
    return 0;
}

static int get_wait(struct aws_client *client, const struct aws_s3_get *get,
                    const struct aws_s3_options *options, int64_t deadline_us, struct buf *out,
                    struct aws_s3_object *object, struct err *err)
{
    struct aws_s3_object own;
    struct aws_call *call = aws_s3_get(client, get, options, NULL, NULL, err);
    int result = aws_wait_ok(call, deadline_us, err);
    if (!object)
        object = &own;
    if (result == 0) {
        const struct aws_answer *answer = aws_call_answer(call);
        aws_s3_object_read(answer, object);
        text_copy(object->key, sizeof object->key, get->key);
        const char *bytes = answer->body.data ? answer->body.data : "";
        /* An attempt that was cut may have brought more, of an older and longer object. */
        if (get->sink.file && ftruncate(get->sink.fd, answer->bytes) != 0)
            result = err_set_errno(err, ERR_IO, errno, "%s", get->key);
        if (result == 0)
            result = verify(object, bytes, answer->body.length, get->sink.file ? get->sink.fd : -1, err);
        if (result == 0 && out && !buf_append(out, bytes, answer->body.length))
            result = err_set(err, ERR_LIMIT, "%s is longer than %zu bytes", get->key, out->limit);
    }
    aws_call_release(call);
    return result;
}

int aws_s3_get_wait(struct aws_client *client, const char *bucket, const char *key,
                    const struct aws_s3_options *options, int64_t deadline_us, struct buf *out,
                    struct aws_s3_object *object, struct err *err)
{
    size_t room = out->limit - out->length;
    struct aws_s3_get get = {.bucket = bucket, .key = key, .sink = {.limit = room ? room : 1}};
    return get_wait(client, &get, options, deadline_us, out, object, err);
}

int aws_s3_get_file_wait(struct aws_client *client, const char *bucket, const char *key, const char *path,
                         const struct aws_s3_options *options, int64_t deadline_us,
                         struct aws_s3_object *object, struct err *err)
{
    char part[4096];
    int length = snprintf(part, sizeof part, "%s.part", path);
    if (length < 0 || (size_t)length >= sizeof part)
        return err_set(err, ERR_LIMIT, "%s: too long a path", path);
    int fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "%s", part);
    struct aws_s3_get get = {.bucket = bucket, .key = key, .sink = {.file = true, .fd = fd}};
    int result = get_wait(client, &get, options, deadline_us, NULL, object, err);
    if (result == 0 && (fsync(fd) != 0 || rename(part, path) != 0))
        result = err_set_errno(err, ERR_IO, errno, "%s", path);
    close(fd);
    if (result != 0)
        unlink(part);
    return result;
}

/* ---- heads, lists, buckets -------------------------------------------------------------------------- */

int aws_s3_head_wait(struct aws_client *client, const char *bucket, const char *key,
                     const struct aws_s3_options *options, int64_t deadline_us, struct aws_s3_object *object,
                     struct err *err)
{
    struct aws_call *call = aws_s3_head(client, bucket, key, options, NULL, NULL, err);
    int result = aws_wait_ok(call, deadline_us, err);
    if (result == 0) {
        aws_s3_object_read(aws_call_answer(call), object);
        text_copy(object->key, sizeof object->key, key);
    }
    aws_call_release(call);
    return result;
}

int aws_s3_list_wait(struct aws_client *client, const struct aws_s3_list *list,
                     const struct aws_s3_options *options, int64_t deadline_us,
                     bool (*each)(void *context, const struct aws_s3_object *object), void *context,
                     struct err *err)
{
    struct aws_s3_list asked = *list;
    char continuation[sizeof((struct aws_s3_page *)NULL)->continuation] = "";
    for (;;) {
        struct aws_s3_page page = {.objects = NULL};
        asked.continuation = continuation[0] ? continuation : list->continuation;
        struct aws_call *call = aws_s3_list(client, &asked, options, NULL, NULL, err);
        int result = aws_wait_ok(call, deadline_us, err);
        if (result == 0)
            result = aws_s3_page_read(aws_call_answer(call), &page, err);
        aws_call_release(call);
        bool more = result == 0 && page.truncated;
        for (size_t i = 0; result == 0 && i < page.object_count; i++)
            if (!each(context, &page.objects[i])) {
                more = false;
                break;
            }
        if (more && strcmp(continuation, page.continuation) == 0) { /* it would go on for ever */
            result = err_set(err, ERR_CORRUPT, "s3://%s: the same page of the list again", list->bucket);
            more = false;
        }
        memcpy(continuation, page.continuation, sizeof continuation);
        aws_s3_page_free(&page);
        if (!more)
            return result;
    }
}

int aws_s3_bucket_wait(struct aws_client *client, const char *bucket, const struct aws_s3_options *options,
                       int64_t deadline_us, bool *made, struct err *err)
{
    struct err own = ERR_INIT;
    if (made)
        *made = false;
    struct aws_call *call = aws_s3_head_bucket(client, bucket, options, NULL, NULL, &own);
    int result = aws_wait_ok(call, deadline_us, &own);
    aws_call_release(call);
    if (result == 0 || own.kind != ERR_NOT_FOUND) {
        if (result != 0 && err)
            *err = own;
        return result;
    }
    call = aws_s3_create_bucket(client, bucket, options, NULL, NULL, err);
    result = aws_wait_ok(call, deadline_us, err);
    if (made)
        *made = result == 0;
    /* Somebody of ours was quicker, or an answer was lost. */
    if (result != 0 && call && strcmp(aws_call_answer(call)->code, "BucketAlreadyOwnedByYou") == 0)
        result = 0;
    aws_call_release(call);
    return result;
}
