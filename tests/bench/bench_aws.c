/* The AWS client against the local cloud: small puts a second beside the same requests by a bare loop on one
 * socket each, and a large file in parts beside what cannot be saved, reading it once for SHA-256 and CRC-32.
 */
#include "aws/s3.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "tests/support/aws_rig.h"
#include "tests/support/cloud_client.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PUTS = 4000, SIZE = 4096, LOOPS = 8, WINDOW = 128, FILE_MIB = 256 };

static struct aws_rig rig;
static char body[SIZE];

struct bare {
    struct cloud_client client;
    int first;
    bool failed;
};

static bool exchange(struct cloud_client *client, const char *target)
{
    struct buf request;
    char hash[SIGV4_HEX], in[4096] = "";
    size_t have = 0;
    buf_init(&request, 65536);
    sigv4_sha256(body, SIZE, hash);
    cloud_client_head(client, "PUT", target, NULL, SIZE, hash, &request, NULL, NULL);
    buf_append(&request, body, SIZE);
    bool good = cloud_client_send(client, request.data, request.length);
    while (good && !strstr(in, "\r\n\r\n")) {
        ssize_t got = have + 1 < sizeof in ? recv(client->fd, in + have, sizeof in - 1 - have, 0) : 0;
        good = got > 0;
        have += good ? (size_t)got : 0;
        in[have] = '\0';
    }
    buf_free(&request);
    return good && strncmp(in, "HTTP/1.1 200", 12) == 0;
}

static void *put_bare(void *context)
{
    struct bare *bare = context;
    for (int i = bare->first; i < PUTS && !bare->failed; i += LOOPS) {
        char target[64];
        snprintf(target, sizeof target, "/lake/bare/%05d", i);
        bare->failed = !exchange(&bare->client, target);
    }
    return NULL;
}

static double bare_loop(void)
{
    struct bare bare[LOOPS];
    pthread_t threads[LOOPS];
    int64_t port, start = clock_mono_us();
    text_parse_int(strrchr(rig.address->endpoint, ':') + 1, 1, 65535, &port);
    for (int i = 0; i < LOOPS; i++) {
        bare[i] = (struct bare){.first = i};
        if (!cloud_client_open(&bare[i].client, (int)port, rig.address->access_key, rig.address->secret_key))
            exit(1);
        pthread_create(&threads[i], NULL, put_bare, &bare[i]);
    }
    for (int i = 0; i < LOOPS; i++) {
        pthread_join(threads[i], NULL);
        cloud_client_close(&bare[i].client);
        if (bare[i].failed)
            exit(1);
    }
    return PUTS * 1e6 / (double)(clock_mono_us() - start);
}

static double by_client(void)
{
    struct aws_call *window[WINDOW] = {NULL};
    struct err err = ERR_INIT;
    int64_t start = clock_mono_us();
    for (int i = 0; i < PUTS + WINDOW; i++) {
        struct aws_call **slot = &window[i % WINDOW];
        if (*slot && aws_wait_ok(*slot, -1, &err) != 0) {
            fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
        aws_call_release(*slot);
        char key[64];
        snprintf(key, sizeof key, "ours/%05d", i);
        struct aws_s3_put put = {.bucket = "lake", .key = key, .body = {.bytes = body, .size = SIZE}};
        *slot = i < PUTS ? aws_s3_put(rig.client, &put, NULL, NULL, NULL, &err) : NULL;
    }
    return PUTS * 1e6 / (double)(clock_mono_us() - start);
}

static double hash_alone(const char *path)
{
    struct buf bytes;
    unsigned char hash[EVP_MAX_MD_SIZE];
    int64_t start = clock_mono_us();
    buf_init(&bytes, (size_t)FILE_MIB << 20);
    if (file_read(path, &bytes, NULL) != 0)
        exit(1);
    EVP_Digest(bytes.data, bytes.length, hash, NULL, EVP_sha256(), NULL);
    checksum_crc32(0, bytes.data, bytes.length);
    buf_free(&bytes);
    return FILE_MIB * 1e6 / (double)(clock_mono_us() - start);
}

static double upload(const char *path)
{
    struct err err = ERR_INIT;
    struct aws_s3_put put = {.bucket = "lake", .key = "large", .body = {.path = path, .length = -1}};
    int64_t start = clock_mono_us();
    if (aws_s3_put_wait(rig.client, &put, NULL, NULL, NULL, NULL, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return FILE_MIB * 1e6 / (double)(clock_mono_us() - start);
}

int main(void)
{
    struct err err = ERR_INIT;
    char path[128];
    char *large = mem_zero((size_t)FILE_MIB << 20, 1);
    if (!aws_rig_open(&rig, NULL) || aws_s3_bucket_wait(rig.client, "lake", NULL, -1, NULL, &err) != 0)
        return 1;
    snprintf(path, sizeof path, "%s/large", rig.folder);
    for (size_t i = 0; i < (size_t)FILE_MIB << 20; i += 4096)
        memcpy(large + i, &i, sizeof i);
    if (file_write_atomic(path, large, (size_t)FILE_MIB << 20, 0600, &err) != 0)
        return 1;
    free(large);
    bare_loop();
    double bare = bare_loop(), ours = by_client();
    printf("put of %d bytes, bare loop on %d sockets   %8.0f a second\n", SIZE, LOOPS, bare);
    printf("put of %d bytes, by the client             %8.0f a second, %.2f of it\n", SIZE, ours,
           ours / bare);
    double alone = hash_alone(path), sent = upload(path);
    printf("%d MiB, read, SHA-256 and CRC-32 alone     %8.0f MiB/s\n", FILE_MIB, alone);
    printf("%d MiB, put in parts                       %8.0f MiB/s, %.2f of it\n", FILE_MIB, sent,
           sent / alone);
    aws_rig_close(&rig);
    return 0;
}
