/*
 * Sending is one thread's business and takes no lock: what is in flight is known by counting (sent here,
 * reported by deliveries), so that librdkafka's own queue limit is never met. When there is no room the
 * sender waits at a gate (stream/holdback.h) that delivery reports and the consumer open. Reports are handled
 * by one thread at a time: the delivery thread, or the sender between two records while it is busy.
 *
 * On the embedded broker the partition is chosen here, with the function that librdkafka would use, because
 * the hold-back must know it beforehand. The opaque pointer of a message carries the lane's running total in
 * place of an allocation.
 */
#include "stream/producer.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/worker.h"
#include "city/codec.h"
#include "stream/broker.h"
#include "stream/client.h"
#include "stream/holdback.h"
#include "stream/latency.h"
#include "stream/outgoing.h"
#include "stream/topics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES             16  /* partitions of an embedded topic that can be held back */
#define RECORD_OVERHEAD   190 /* headers and framing, at worst a batch each */
#define LATENCY_SAMPLING  8
#define TOPICS_TIMEOUT_MS 500
#define REFUSED_US        50000
#define SERVE_EVERY       256 /* records */
#define SENDER_BUSY_TURNS 4
#define NAP_US            20000

struct topic {
    rd_kafka_topic_t *handle;
    int partitions; /* embedded only */
    _Atomic uint64_t produced, acknowledged, failed, bytes;
    struct holdback_lane *lanes;
};

struct producer {
    struct client *client;
    struct kafka_settings settings;
    char prefix[KAFKA_TOPIC_SIZE];
    struct worker *worker;
    rd_kafka_queue_t *events;
    atomic_bool stop;
    atomic_bool ready; /* the topics are there */
    atomic_bool expecting;
    struct topic topics[EVENT_KIND_COUNT];
    struct holdback_gate gate;     /* the sender waits here */
    pthread_mutex_t serving;       /* held by whoever handles delivery reports */
    struct holdback_gate nap;      /* the delivery thread waits here while the sender handles them */
    _Atomic uint64_t sender_turns; /* times the sender offered to */
    atomic_bool awaiting;          /* the sender waits: it handles none */

    /* sender */
    struct buf json;
    uint64_t sent_count, sent_bytes;
    struct trace_source trace;
    uint32_t next_partition;
    int64_t limit_count, limit_bytes, limit_message;
    _Atomic uint64_t waits;
    _Atomic int64_t waited_us;
    atomic_bool held;

    /* whoever holds `serving` */
    _Atomic uint64_t reported_count, reported_bytes;
    _Atomic uint64_t wake_count; /* reported_count from which the waiting sender wants to be woken */
    bool troubled;
    unsigned latency_turn;
    struct latency latency;
};

/* ---- delivery thread ---- */

static void on_statistics(struct client *client, void *context)
{
    struct producer *producer = context;
    if (producer->latency.total == 0)
        return; /* the last known values stand */
    struct kafka_figures *figures = client_lock(client);
    figures->latency_p50_ms = latency_ms(&producer->latency, 0.50);
    figures->latency_p95_ms = latency_ms(&producer->latency, 0.95);
    figures->latency_p99_ms = latency_ms(&producer->latency, 0.99);
    client_unlock(client);
    producer->latency = (struct latency){0};
}

/* These have one writer each: no locked instruction is needed. Whoever waits for them is woken behind a
 * fence. */
static void add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_release);
}

/* Not before there is room worth waking for: a sender that is woken for each record sends each in a batch of
 * its own and spends its time in the scheduler. */
static void notify_sender(struct producer *producer)
{
    if (atomic_load_explicit(&producer->reported_count, memory_order_relaxed) >=
        atomic_load(&producer->wake_count))
        holdback_gate_notify(&producer->gate);
}

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct producer *producer = client_context(opaque);
    struct topic *topic = rd_kafka_topic_opaque(message->rkt);
    (void)rk;
    bool good = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (good) {
        add(&topic->acknowledged, 1);
        add(&topic->bytes, message->len);
        client_seen(producer->client);
        if (producer->latency_turn++ % LATENCY_SAMPLING == 0)
            latency_add(&producer->latency, rd_kafka_message_latency(message));
        if (producer->troubled) {
            producer->troubled = false;
            client_mended(producer->client);
        }
    } else {
        add(&topic->failed, 1);
        if (message->err > 0)
            client_seen(producer->client); /* it was the broker who said no */
        if (message->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
            message->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
            const char *name = rd_kafka_topic_name(message->rkt), *reason = rd_kafka_err2str(message->err);
            client_trouble(producer->client, false, "%s: a record was given up: %s", name, reason);
            if (!producer->troubled)
                client_trouble(producer->client, true, "%s: records are refused: %s", name, reason);
            producer->troubled = true;
        }
    }
    if (topic->lanes && message->partition >= 0 && message->partition < LANES)
        holdback_acked(&topic->lanes[message->partition], (uint64_t)(uintptr_t)message->_private,
                       good ? message->offset : -1);
    add(&producer->reported_bytes, message->len + message->key_len);
    add(&producer->reported_count, 1);
    if ((atomic_load_explicit(&producer->reported_count, memory_order_relaxed) & 511) == 0)
        notify_sender(producer); /* in a long run of reports; the end of each run is told in delivery_main */
}

static int make_topic_handles(struct producer *producer)
{
    rd_kafka_t *rk = client_handle(producer->client);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct topic *topic = &producer->topics[kind];
        if (topic->handle)
            continue;
        char name[KAFKA_TOPIC_SIZE];
        rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(rk);
        rd_kafka_topic_conf_set_opaque(conf, topic);
        topic->handle = rd_kafka_topic_new(rk, kafka_topic(&producer->settings, kind, name), conf);
        if (!topic->handle) {
            client_trouble(producer->client, true, "topic %s: %s", name,
                           rd_kafka_err2str(rd_kafka_last_error()));
            return -1;
        }
    }
    return 0;
}

/* Milliseconds until it should be tried again; 0 when the topics are there. */
static int64_t prepare_topics(struct producer *producer)
{
    struct err err = ERR_INIT;
    if (topics_ensure(producer->client, &producer->settings, TOPICS_TIMEOUT_MS, &err) == 0) {
        if (make_topic_handles(producer) != 0)
            return 5000;
        client_seen(producer->client);
        client_mended(producer->client);
        atomic_store(&producer->ready, true);
        return 0;
    }
    if (err.kind == ERR_CONNECT)
        return 200;
    if (err.kind == ERR_BUSY)
        return 100;
    client_seen(producer->client);
    client_trouble(producer->client, false, "%s", err.text);
    client_trouble(producer->client, true, "%s", err.text);
    return 3000;
}

/* At full speed a report is best handled by the thread that sent the record: its memory goes back to where it
 * came from without two threads quarrelling about the heap, which costs a tenth of the throughput. */
static void leave_it_to_sender(struct producer *producer)
{
    uint32_t turn = holdback_gate_enter(&producer->nap);
    if (!atomic_load(&producer->stop) && !atomic_load(&producer->awaiting))
        holdback_gate_wait(&producer->nap, turn, clock_mono_us() + NAP_US);
    holdback_gate_leave(&producer->nap);
}

static void serve_as_sender(struct producer *producer)
{
    atomic_fetch_add_explicit(&producer->sender_turns, 1, memory_order_relaxed);
    if (pthread_mutex_trylock(&producer->serving) != 0)
        return; /* the delivery thread does, or waits for something to do; it will make room */
    rd_kafka_queue_poll_callback(producer->events, 0);
    pthread_mutex_unlock(&producer->serving);
}

static void delivery_main(void *context)
{
    struct producer *producer = context;
    int64_t next_try = 0;
    uint64_t seen = 0;
    while (!atomic_load(&producer->stop)) {
        int timeout_ms = 1000;
        if (!atomic_load(&producer->ready)) {
            int64_t now = clock_mono_us();
            if (now >= next_try)
                next_try = now + 1000 * prepare_topics(producer);
            timeout_ms = 100;
        }
        uint64_t turns = atomic_load(&producer->sender_turns);
        if (turns - seen > SENDER_BUSY_TURNS)
            leave_it_to_sender(producer);
        seen = turns;
        pthread_mutex_lock(&producer->serving);
        rd_kafka_queue_poll_callback(producer->events, timeout_ms);
        pthread_mutex_unlock(&producer->serving);
        notify_sender(producer);
    }
}

/* ---- life ---- */

static void prepare_conf(rd_kafka_conf_t *conf, void *context)
{
    (void)context;
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
}

/* librdkafka refuses idempotence together with these; the operator's word wins over our default. */
static bool idempotence_possible(const struct kafka_settings *settings)
{
    static const char *const names[] = {"acks",
                                        "request.required.acks",
                                        "retries",
                                        "message.send.max.retries",
                                        "max.in.flight",
                                        "max.in.flight.requests.per.connection",
                                        "queuing.strategy"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (kafka_property_given(settings, names[i]))
            return false;
    return true;
}

static struct client *make_client(struct producer *producer, const struct kafka_settings *settings,
                                  struct err *err)
{
    const struct client_property ours[] = {
        {"client.id", "smartcity"},
        {"enable.idempotence", idempotence_possible(settings) ? "true" : "false"},
        {"compression.codec", "lz4"},
        {"partitioner", "murmur2_random"}, /* as Java's producer, so that keys land where others put them */
        {"linger.ms", "5"},
        {"batch.size",
         settings->embedded ? "524288" : "1000000"}, /* a fetch from the mock returns one batch */
        {"batch.num.messages", "10000"},
        {"message.max.bytes", settings->embedded ? BROKER_RECORD_TEXT : "1000000"},
        {"message.timeout.ms", "0"}, /* an outage may last; the queue is bounded and holds the source back */
        {"queue.buffering.max.messages", "100000"},
        {"queue.buffering.max.kbytes", settings->embedded ? "16384" : "32768"},
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {"socket.connection.setup.timeout.ms", "10000"},
        {"reconnect.backoff.ms", settings->embedded ? "20" : "100"},
        {"reconnect.backoff.max.ms", "1000"},
        {"topic.metadata.refresh.fast.interval.ms", settings->embedded ? "20" : "250"},
        {"statistics.interval.ms", "1000"},
        {NULL, NULL},
    };
    const struct client_design design = {.type = RD_KAFKA_PRODUCER,
                                         .ours = ours,
                                         .prepare = prepare_conf,
                                         .on_statistics = on_statistics,
                                         .context = producer};
    return client_create(settings, &design, err);
}

struct producer *producer_create(const struct kafka_settings *settings, struct err *err)
{
    struct producer *producer = mem_zero(1, sizeof *producer);
    producer->settings = *settings;
    producer->settings.bootstrap = NULL; /* kept by the client, as are the properties */
    producer->settings.property_count = 0;
    snprintf(producer->prefix, sizeof producer->prefix, "%s",
             settings->topic_prefix ? settings->topic_prefix : "");
    producer->settings.topic_prefix = producer->prefix;
    pthread_mutex_init(&producer->serving, NULL);
    buf_init(&producer->json, CODEC_MAX_RECORD);
    trace_source_init(&producer->trace);

    producer->client = make_client(producer, settings, err);
    if (!producer->client) {
        free(producer);
        return NULL;
    }
    producer->events = rd_kafka_queue_get_main(client_handle(producer->client));
    /* Below librdkafka's own limits, so that they are never met. */
    producer->limit_count = client_property_int(producer->client, "queue.buffering.max.messages", 100000) - 1;
    producer->limit_bytes =
        client_property_int(producer->client, "queue.buffering.max.kbytes", 16384) * 1024 * 15 / 16;
    producer->limit_message = client_property_int(producer->client, "message.max.bytes", 1000000);
    if (producer->limit_count < 0) /* 0: librdkafka's word for no limit */
        producer->limit_count = 10000000;

    if (settings->embedded) {
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            struct topic *topic = &producer->topics[kind];
            topic->partitions = broker_partitions(kind);
            topic->lanes = mem_zero((unsigned long)topic->partitions, sizeof *topic->lanes);
            for (int i = 0; i < topic->partitions; i++)
                holdback_init(&topic->lanes[i]);
        }
        atomic_store(&producer->ready, make_topic_handles(producer) == 0);
    }
    producer->worker = worker_start("kafka-delivery", delivery_main, producer, err);
    if (!producer->worker) {
        producer_destroy(producer, 0);
        return NULL;
    }
    return producer;
}

static uint64_t in_flight(const struct producer *producer)
{
    return producer->sent_count - atomic_load(&producer->reported_count);
}

uint64_t producer_destroy(struct producer *producer, int64_t flush_us)
{
    if (!producer)
        return 0;
    if (producer->worker && flush_us > 0)
        producer_flush(producer, flush_us, NULL);
    atomic_store(&producer->stop, true);
    holdback_gate_notify(&producer->nap);
    rd_kafka_queue_yield(producer->events);
    worker_join(producer->worker);
    uint64_t left = in_flight(producer);
    rd_kafka_t *rk = client_handle(producer->client);
    if (left) {
        rd_kafka_purge(rk,
                       RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_poll(rk, 100);
        if (client_log(producer->client))
            log_write(client_log(producer->client), LOG_WARNING, "kafka",
                      "%llu records were not acknowledged when the producer closed",
                      (unsigned long long)left);
    }
    rd_kafka_queue_destroy(producer->events);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (producer->topics[kind].handle)
            rd_kafka_topic_destroy(producer->topics[kind].handle);
    client_destroy(producer->client);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        free(producer->topics[kind].lanes);
    buf_free(&producer->json);
    pthread_mutex_destroy(&producer->serving);
    free(producer);
    return left;
}

/* ---- sending ---- */

static bool room(struct producer *producer, struct holdback_lane *lane, uint64_t bytes)
{
    if (!atomic_load_explicit(&producer->ready, memory_order_acquire))
        return false;
    uint64_t count = in_flight(producer);
    if (count >= (uint64_t)producer->limit_count)
        return false;
    uint64_t queued = producer->sent_bytes - atomic_load(&producer->reported_bytes);
    if (count > 0 && queued + bytes > (uint64_t)producer->limit_bytes)
        return false;
    if (!lane)
        return true;
    if (!atomic_load_explicit(&producer->expecting, memory_order_relaxed)) {
        holdback_release(lane);
        return true;
    }
    return holdback_room(lane, bytes + RECORD_OVERHEAD, PRODUCER_WINDOW_BYTES);
}

/* Waits for room, or with lane and bytes 0 and `drain`, until nothing is in flight. */
static int await(struct producer *producer, struct holdback_lane *lane, uint64_t bytes, bool drain,
                 int64_t timeout_us, struct err *err)
{
    int64_t start = clock_mono_us(), deadline = start + timeout_us;
    int result = 0;
    if (!drain) {
        atomic_fetch_add_explicit(&producer->waits, 1, memory_order_relaxed);
        atomic_store_explicit(&producer->held, true, memory_order_relaxed);
    }
    atomic_store(&producer->awaiting, true);
    holdback_gate_notify(&producer->nap);
    for (;;) {
        uint64_t flying = in_flight(producer);
        atomic_store(&producer->wake_count,
                     drain ? producer->sent_count : producer->sent_count - flying + flying / 4);
        uint32_t turn = holdback_gate_enter(&producer->gate);
        if (drain ? in_flight(producer) == 0 : room(producer, lane, bytes))
            break;
        if (client_fatal(producer->client, err)) {
            result = -1;
            break;
        }
        if (clock_mono_us() >= deadline) {
            result = err_set(err, ERR_FULL, "%llu records are waiting for Kafka's acknowledgement",
                             (unsigned long long)in_flight(producer));
            break;
        }
        holdback_gate_wait(&producer->gate, turn, deadline);
    }
    holdback_gate_leave(&producer->gate);
    atomic_store(&producer->awaiting, false);
    if (!drain) {
        atomic_store_explicit(&producer->held, false, memory_order_relaxed);
        atomic_fetch_add_explicit(&producer->waited_us, clock_mono_us() - start, memory_order_relaxed);
    }
    return result;
}

/* The partition on the embedded broker: the one asked for when it exists, else by key, else in turn. */
static int32_t choose_partition(struct producer *producer, const struct topic *topic,
                                const struct outgoing *outgoing)
{
    if (!topic->lanes)
        return outgoing->partition >= 0 ? outgoing->partition : RD_KAFKA_PARTITION_UA;
    if (outgoing->partition >= 0 && outgoing->partition < topic->partitions)
        return outgoing->partition;
    if (!outgoing->key)
        return (int32_t)(producer->next_partition++ % (uint32_t)topic->partitions);
    return rd_kafka_msg_partitioner_murmur2(topic->handle, outgoing->key, outgoing->key_length,
                                            topic->partitions, NULL, NULL);
}

static int too_large(const struct outgoing *outgoing, struct err *err)
{
    return err_set(err, ERR_LIMIT, "a %s record of %zu bytes is larger than message.max.bytes",
                   event_word(outgoing->kind), outgoing->value_length);
}

/* What librdkafka refuses for a reason that may pass: a topic that was deleted, no right to write. Not at
 * once again. */
static int await_refused(struct producer *producer, rd_kafka_resp_err_t code, int64_t deadline,
                         struct err *err)
{
    int64_t now = clock_mono_us();
    if (now >= deadline)
        return err_set(err, ERR_FULL, "%s", rd_kafka_err2str(code));
    uint32_t turn = holdback_gate_enter(&producer->gate);
    holdback_gate_wait(&producer->gate, turn, now + REFUSED_US < deadline ? now + REFUSED_US : deadline);
    holdback_gate_leave(&producer->gate);
    return 0;
}

static int send_outgoing(struct producer *producer, struct outgoing *outgoing, int64_t timeout_us,
                         struct err *err)
{
    struct topic *topic = &producer->topics[outgoing->kind];
    int64_t deadline = 0;
    uint64_t bytes = outgoing->key_length + outgoing->value_length;
    if (bytes > (uint64_t)producer->limit_message) /* never mind whether there is room */
        return too_large(outgoing, err);
    int32_t partition = choose_partition(producer, topic, outgoing);
    struct holdback_lane *lane = topic->lanes ? &topic->lanes[partition] : NULL;
    for (;;) {
        if (!room(producer, lane, bytes)) {
            int64_t now = clock_mono_us();
            if (!deadline)
                deadline = now + timeout_us;
            if (await(producer, lane, bytes, false, deadline - now, err) != 0)
                return -1;
        }
        uint64_t total = lane ? holdback_sent(lane, bytes + RECORD_OVERHEAD) : 0;
        producer->sent_count++; /* before, since the report may come first */
        producer->sent_bytes += bytes;
        add(&topic->produced, 1);
        rd_kafka_resp_err_t code =
            outgoing_hand_over(outgoing, client_handle(producer->client), topic->handle, partition,
                               (void *)(uintptr_t)total, &producer->trace);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (producer->sent_count % SERVE_EVERY == 0)
                serve_as_sender(producer);
            return 0;
        }
        add(&topic->produced, (uint64_t)-1);
        producer->sent_count--;
        producer->sent_bytes -= bytes;
        if (lane)
            holdback_unsent(lane, bytes + RECORD_OVERHEAD);
        if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
            return too_large(outgoing, err);
        if (code == RD_KAFKA_RESP_ERR__FATAL && client_fatal(producer->client, err))
            return -1;
        if (code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION && partition != RD_KAFKA_PARTITION_UA && !lane) {
            partition = RD_KAFKA_PARTITION_UA; /* recorded on a topic with more partitions than this one */
            continue;
        }
        if (code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC && !lane) {
            atomic_store(&producer->ready,
                         false); /* it was deleted: the delivery thread looks, and makes it anew */
            rd_kafka_queue_yield(producer->events);
        }
        if (!deadline)
            deadline = clock_mono_us() + timeout_us;
        if (await_refused(producer, code, deadline, err) != 0)
            return -1;
    }
}

int producer_send(struct producer *producer, const struct event *event, int64_t timeout_us, struct err *err)
{
    buf_reset(&producer->json);
    if (!codec_encode(event, &producer->json))
        return err_set(err, ERR_LIMIT, "a %s event is larger than %u bytes", event_word(event->kind),
                       CODEC_MAX_RECORD);
    struct outgoing outgoing = {.kind = event->kind,
                                .partition = -1,
                                .key = event->device_id,
                                .key_length = strlen(event->device_id),
                                .value = producer->json.data,
                                .value_length = producer->json.length};
    int result = send_outgoing(producer, &outgoing, timeout_us, err);
    if (result != 0)
        outgoing_drop_headers(&outgoing);
    return result;
}

int producer_send_record(struct producer *producer, const struct record *record, int64_t timeout_us,
                         struct err *err)
{
    if (record->kind < 0 || record->kind >= EVENT_KIND_COUNT)
        return err_set(err, ERR_UNSUPPORTED,
                       "a record of a topic that is not one of the five cannot be sent");
    struct outgoing outgoing = {.kind = (enum event_kind)record->kind,
                                .partition = record->partition,
                                .key = record->key,
                                .key_length = record->key ? record->key_length : 0,
                                .value = record->value,
                                .value_length = record->value ? record->value_length : 0};
    outgoing_take_headers(&outgoing, record);
    int result = send_outgoing(producer, &outgoing, timeout_us, err);
    if (result != 0)
        outgoing_drop_headers(&outgoing);
    return result;
}

int producer_flush(struct producer *producer, int64_t timeout_us, struct err *err)
{
    return in_flight(producer) == 0 ? 0 : await(producer, NULL, 0, true, timeout_us, err);
}

void producer_figures(struct producer *producer, struct producer_figures *figures)
{
    memset(figures, 0, sizeof *figures);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct topic *topic = &producer->topics[kind];
        /* In this order an event is never seen acknowledged before it was produced. */
        figures->topics[kind].failed = atomic_load(&topic->failed);
        figures->topics[kind].acknowledged = atomic_load(&topic->acknowledged);
        figures->topics[kind].bytes = atomic_load(&topic->bytes);
        figures->topics[kind].produced = atomic_load(&topic->produced);
    }
    figures->waits = atomic_load(&producer->waits);
    figures->waited_us = atomic_load(&producer->waited_us);
    figures->held = atomic_load(&producer->held);
    client_figures(producer->client, &figures->kafka);
}

/* ---- the consumer's word ---- */

void producer_note_consumed(struct producer *producer, enum producer_reader reader, enum event_kind kind,
                            int32_t partition, int64_t next_offset)
{
    struct topic *topic = &producer->topics[kind];
    if (!topic->lanes || partition < 0 || partition >= topic->partitions)
        return;
    holdback_consumed(&topic->lanes[partition], reader, next_offset);
    holdback_gate_notify(&producer->gate);
}

void producer_expect_consumer(struct producer *producer, bool on)
{
    atomic_store(&producer->expecting, on);
    holdback_gate_notify(&producer->gate);
}
