/*
 * The mock cluster is driven by operations that its thread takes from a queue, and two races in
 * librdkafka 2.0 make its caller wait for up to a second.
 *
 * The byte that wakes the thread can be drained together with the one before it when two operations follow
 * each other closely (rdkafka_mock.c, rd_kafka_mock_cluster_io_poll: the queue is served before the pipe is
 * emptied): seen at one start in five. Anything that happens on a socket makes the thread look too, so
 * operations run on a worker while the caller, if they take longer than they should, knocks: it opens and
 * closes a connection.
 *
 * And at the end the thread of the mock's dummy broker is told to stop before the reference is dropped by
 * which it sees that it should (rd_kafka_mock_cluster_destroy0): every other time. That thread writes a debug
 * line between hearing and looking; the callback for it takes its time.
 */
#include "stream/broker.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/worker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KNOCK_MS      4
#define TERM_PAUSE_US 3000

struct broker {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    char bootstrap[64];
    struct sockaddr_in address;
};

struct operation {
    struct broker *broker;
    void (*run)(struct broker *broker, int argument);
    int argument;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

int broker_partitions(enum event_kind kind)
{
    (void)kind;
    return 1;
}

static void knock(const struct broker *broker)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* Refused or not yet complete: both are fine, a later knock will do. */
    (void)!connect(fd, (const struct sockaddr *)&broker->address, sizeof broker->address);
    close(fd);
    rd_kafka_purge(broker->rk,
                   RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING); /* it holds no messages */
}

static void operation_main(void *context)
{
    struct operation *operation = context;
    operation->run(operation->broker, operation->argument);
    pthread_mutex_lock(&operation->lock);
    operation->done = true;
    pthread_cond_signal(&operation->changed);
    pthread_mutex_unlock(&operation->lock);
}

static void operate(struct broker *broker, void (*run)(struct broker *, int), int argument)
{
    struct operation operation = {.broker = broker, .run = run, .argument = argument};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&operation.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&operation.lock, NULL);

    struct worker *worker = worker_start("broker-op", operation_main, &operation, NULL);
    if (!worker)
        run(broker, argument); /* slower at worst */
    pthread_mutex_lock(&operation.lock);
    while (worker && !operation.done) {
        int64_t at = clock_mono_us() + KNOCK_MS * 1000;
        struct timespec until = {.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000};
        if (pthread_cond_timedwait(&operation.changed, &operation.lock, &until) != 0 && !operation.done)
            knock(broker);
    }
    pthread_mutex_unlock(&operation.lock);
    worker_join(worker);
    pthread_mutex_destroy(&operation.lock);
    pthread_cond_destroy(&operation.changed);
}

static void run_create_topics(struct broker *broker, int argument)
{
    (void)argument;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        rd_kafka_mock_topic_create(broker->cluster, event_topic(kind), broker_partitions(kind), 1);
}

static void run_set_up(struct broker *broker, int up)
{
    if (up)
        rd_kafka_mock_broker_set_up(broker->cluster, -1);
    else
        rd_kafka_mock_broker_set_down(broker->cluster, -1);
}

static void run_set_rtt(struct broker *broker, int milliseconds)
{
    rd_kafka_mock_broker_set_rtt(broker->cluster, -1, milliseconds);
}

static void run_destroy(struct broker *broker, int argument)
{
    (void)argument;
    rd_kafka_mock_cluster_destroy(broker->cluster);
}

/* The mock's own remarks are of no use to an operator; what matters reaches its clients as errors. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk, (void)level, (void)text;
    if (!strcmp(facility, "TERM"))
        clock_sleep_until(clock_mono_us() + TERM_PAUSE_US);
}

struct broker *broker_create(struct err *err)
{
    struct broker *broker = mem_zero(1, sizeof *broker);
    char reason[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set(conf, "debug", "broker", NULL,
                      0); /* for the line of which the head of this file speaks */
    rd_kafka_conf_set(conf, "client.id", "smartcity-broker", NULL, 0);
    broker->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!broker->rk) {
        rd_kafka_conf_destroy(conf);
        free(broker);
        err_set(err, ERR_INTERNAL, "the embedded broker cannot start: %s", reason);
        return NULL;
    }
    broker->cluster = rd_kafka_mock_cluster_new(broker->rk, 1);
    int64_t port = 0;
    if (broker->cluster) {
        snprintf(broker->bootstrap, sizeof broker->bootstrap, "%s",
                 rd_kafka_mock_cluster_bootstraps(broker->cluster));
        const char *colon = strrchr(broker->bootstrap, ':');
        if (!colon || !text_parse_int(colon + 1, 1, 65535, &port))
            port = 0;
    }
    if (port == 0) {
        broker_destroy(broker);
        err_set(err, ERR_IO, "the embedded broker cannot listen on 127.0.0.1; use --bootstrap HOST:PORT");
        return NULL;
    }
    broker->address = (struct sockaddr_in){.sin_family = AF_INET,
                                           .sin_port = htons((uint16_t)port),
                                           .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    operate(broker, run_create_topics, 0);
    return broker;
}

void broker_destroy(struct broker *broker)
{
    if (!broker)
        return;
    if (broker->cluster)
        operate(broker, run_destroy, 0);
    rd_kafka_destroy(broker->rk);
    free(broker);
}

const char *broker_bootstrap(const struct broker *broker)
{
    return broker->bootstrap;
}

void broker_set_up(struct broker *broker, bool up)
{
    operate(broker, run_set_up, up);
}

void broker_set_rtt(struct broker *broker, int milliseconds)
{
    operate(broker, run_set_rtt, milliseconds);
}

#define API_PRODUCE 0 /* Kafka protocol, API keys */
#define API_FETCH   1

static void fail_requests(struct broker *broker, int16_t api, int code, int count)
{
    if (count < 0 || count > 100000)
        count = 0;
    rd_kafka_resp_err_t *codes = mem_zero((unsigned long)count + 1, sizeof *codes);
    for (int i = 0; i < count; i++)
        codes[i] = (rd_kafka_resp_err_t)code;
    rd_kafka_mock_clear_request_errors(broker->cluster, api);
    rd_kafka_mock_push_request_errors_array(broker->cluster, api, (size_t)count, codes);
    free(codes);
}

void broker_fail_produce(struct broker *broker, int code, int count)
{
    fail_requests(broker, API_PRODUCE, code, count);
}

void broker_fail_fetch(struct broker *broker, int code, int count)
{
    fail_requests(broker, API_FETCH, code, count);
}
