/* The local cloud's S3 beside nginx: the same small files put and got over keep-alive connections, by the
 * same client, on the same disk, in the same run. Ours also verifies a signature and a SHA-256, computes MD5
 * and two checksums, and keeps an index. Without nginx (apt-get install nginx-light) our own figures are
 * printed alone. */
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "localcloud/cloud.h"
#include "tests/support/cloud_client.h"
#include "tests/support/cloud_process.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES       4000
#define SIZE        4096
#define CONNECTIONS 8
#define ROUNDS      3

struct load {
    struct cloud_client client;
    struct buf *requests; /* FILES of them */
    size_t first, count;
    size_t body; /* expected in each answer */
    bool failed;
};

/* Sends a request, reads its answer in as few reads as it takes. */
static bool exchange(struct cloud_client *client, const struct buf *request, size_t body)
{
    static __thread char in[65536];
    size_t have = 0;
    if (!cloud_client_send(client, request->data, request->length))
        return false;
    for (;;) {
        ssize_t count = recv(client->fd, in + have, sizeof in - 1 - have, 0);
        if (count <= 0)
            return false;
        have += (size_t)count;
        in[have] = '\0';
        const char *end = strstr(in, "\r\n\r\n");
        if (end && have >= (size_t)(end + 4 - in) + body)
            return strncmp(in, "HTTP/1.1 20", 11) == 0;
    }
}

static void *run_load(void *context)
{
    struct load *load = context;
    for (size_t i = 0; i < load->count && !load->failed; i++)
        load->failed = !exchange(&load->client, &load->requests[load->first + i], load->body);
    return NULL;
}

/* Requests a second over so many connections; 0 when one failed. The best of three rounds. */
static double measure(int port, struct buf *requests, size_t body, int connections)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct load loads[CONNECTIONS];
        pthread_t threads[CONNECTIONS];
        for (int i = 0; i < connections; i++) {
            loads[i] = (struct load){.requests = requests,
                                     .first = (size_t)(FILES / connections * i),
                                     .count = (size_t)(FILES / connections),
                                     .body = body};
            if (!cloud_client_open(&loads[i].client, port, "", ""))
                return 0;
        }
        int64_t begun = clock_mono_us();
        for (int i = 0; i < connections; i++)
            pthread_create(&threads[i], NULL, run_load, &loads[i]);
        bool failed = false;
        for (int i = 0; i < connections; i++) {
            pthread_join(threads[i], NULL);
            cloud_client_close(&loads[i].client);
            failed |= loads[i].failed;
        }
        double rate = FILES / ((double)(clock_mono_us() - begun) / 1e6);
        if (failed)
            return 0;
        best = rate > best ? rate : best;
    }
    return best;
}

static struct buf *make_requests(struct cloud_client *signer, const char *method, int port, bool with_body)
{
    struct buf *requests = mem_zero(FILES, sizeof *requests);
    char body[SIZE], hash[SIGV4_HEX], target[64];
    for (int i = 0; i < FILES; i++) {
        memset(body, 'a' + i % 26, sizeof body);
        snprintf(target, sizeof target, "/lake/f%d", i);
        buf_init(&requests[i], 65536);
        if (signer) {
            sigv4_sha256(body, with_body ? sizeof body : 0, hash);
            cloud_client_head(signer, method, target, NULL, with_body ? sizeof body : 0, hash, &requests[i],
                              NULL, NULL);
        } else {
            buf_printf(&requests[i], "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %zu\r\n\r\n",
                       method, target, port, with_body ? sizeof body : 0);
        }
        if (with_body)
            buf_append(&requests[i], body, sizeof body);
    }
    return requests;
}

static void free_requests(struct buf *requests)
{
    for (int i = 0; i < FILES; i++)
        buf_free(&requests[i]);
    free(requests);
}

struct result {
    double put[2], get[2]; /* over one connection, over eight */
};

static void measure_all(int port, struct cloud_client *signer, struct result *result)
{
    struct buf *puts = make_requests(signer, "PUT", port, true),
               *gets = make_requests(signer, "GET", port, false);
    for (int i = 0; i < 2; i++)
        result->put[i] = measure(port, puts, 0, i ? CONNECTIONS : 1);
    for (int i = 0; i < 2; i++)
        result->get[i] = measure(port, gets, SIZE, i ? CONNECTIONS : 1);
    free_requests(puts);
    free_requests(gets);
}

/* ---- the servers ------------------------------------------------------------------------------------ */

static int free_port(void)
{
    struct err err = ERR_INIT;
    struct cloud_settings settings = {.folder = "/tmp/smartcity-bench-port"};
    struct cloud *cloud = cloud_start(&settings, &err);
    int port = 0;
    if (cloud) {
        for (const char *at = strrchr(cloud_address(cloud)->endpoint, ':') + 1; *at; at++)
            port = port * 10 + *at - '0';
        cloud_stop(cloud);
    }
    return port;
}

static pid_t start_nginx(const char *folder, int port)
{
    char path[200], text[2000];
    struct err err = ERR_INIT;
    snprintf(path, sizeof path, "%s/files/lake", folder);
    file_make_dirs(path, &err);
    int length = snprintf(
        text, sizeof text,
        "worker_processes auto;\nerror_log stderr;\npid %s/pid;\ndaemon off;\n%sevents { worker_connections "
        "512; }\n"
        "http {\n  access_log off;\n  sendfile on;\n  tcp_nopush on;\n  keepalive_requests 1000000;\n"
        "  client_body_temp_path %s/body;\n  proxy_temp_path %s/p;\n  fastcgi_temp_path %s/f;\n  "
        "uwsgi_temp_path %s/u;\n"
        "  scgi_temp_path %s/s;\n"
        "  server {\n    listen 127.0.0.1:%d;\n    location / { root %s/files; dav_methods PUT DELETE; }\n  "
        "}\n}\n",
        folder, getuid() == 0 ? "user root;\n" : "", folder, folder, folder, folder, folder, port, folder);
    snprintf(path, sizeof path, "%s/nginx.conf", folder);
    file_write_atomic(path, text, (size_t)length, 0600, &err);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("nginx", "nginx", "-c", path, "-p", folder, (char *)NULL);
        execl("/usr/sbin/nginx", "nginx", "-c", path, "-p", folder, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 100; i++) {
        struct cloud_client client;
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return -1;
        if (cloud_client_open(&client, port, "", "")) {
            cloud_client_close(&client);
            return pid;
        }
        clock_sleep_until(clock_mono_us() + 20000);
    }
    return -1;
}

static void print(const char *name, double ours, double theirs)
{
    printf("%-26s %10.0f/s", name, ours);
    if (theirs > 0)
        printf("   nginx %10.0f/s   %.2f of nginx", theirs, ours / theirs);
    putchar('\n');
}

int main(void)
{
    char folder[] = "/tmp/smartcity-bench-XXXXXX", data[64], web[64], command[100];
    struct cloud_address address;
    struct cloud_client client;
    struct cloud_answer answer;
    struct result ours = {0}, theirs = {0};
    int port = free_port();
    if (!mkdtemp(folder))
        return 1;
    snprintf(data, sizeof data, "%s/cloud", folder);
    snprintf(web, sizeof web, "%s/nginx", folder);
    pid_t nginx = start_nginx(web, port);
    if (nginx > 0) {
        measure_all(port, NULL, &theirs);
        kill(nginx, SIGTERM);
        waitpid(nginx, NULL, 0);
    } else {
        puts("nginx is not here; our own figures alone");
    }
    pid_t cloud = cloud_process_start(data, &address);
    if (cloud < 0)
        return 1;
    cloud_process_memory(cloud, "idle:");
    port = cloud_process_port(&address);
    cloud_client_open(&client, port, address.access_key, address.secret_key);
    cloud_client_call(&client, "PUT", "/lake", NULL, NULL, 0, NULL, &answer);
    cloud_answer_free(&answer);
    measure_all(port, &client, &ours);
    cloud_client_close(&client);
    print("PUT 4 KiB, 1 connection", ours.put[0], theirs.put[0]);
    print("PUT 4 KiB, 8 connections", ours.put[1], theirs.put[1]);
    print("GET 4 KiB, 1 connection", ours.get[0], theirs.get[0]);
    print("GET 4 KiB, 8 connections", ours.get[1], theirs.get[1]);
    cloud_process_memory(cloud, "after:");
    cloud_process_kill(cloud);
    snprintf(command, sizeof command, "rm -rf '%s' /tmp/smartcity-bench-port", folder);
    return system(command) != 0 || ours.get[1] <= 0;
}
