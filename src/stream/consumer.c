/*
 * Reading: batches out of librdkafka become records whose keys and values stay where librdkafka has them
 * until the next poll; only headers are copied, into one arena. Which partitions are read is
 * stream/assignment.h.
 */
#include "stream/consumer.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "stream/assignment.h"
#include "stream/client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_ARENA   (32u << 20)
#define END_TIMEOUT_MS 2000

#define GONE_INTERVAL_US  1000000
#define CLOSE_PATIENCE_US 3000000

struct counts {
    _Atomic uint64_t consumed, bytes, gaps;
};

struct consumer {
    struct client *client;
    struct assignment assignment;
    char group[128];
    rd_kafka_queue_t *queue;
    struct counts counts[EVENT_KIND_COUNT];
    _Atomic uint64_t foreign;
    bool troubled;
    int64_t next_gone_us;
    rd_kafka_message_t *messages[CONSUMER_BATCH];
    size_t message_count;
    struct buf headers;
};

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                         void *opaque)
{
    struct consumer *consumer = client_context(opaque);
    assignment_rebalance(&consumer->assignment, rk, code, list);
}

static void prepare_conf(rd_kafka_conf_t *conf, void *context)
{
    const struct consumer *consumer = context;
    if (consumer->assignment.grouped)
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
}

static struct client *make_client(struct consumer *consumer, const struct consumer_settings *settings,
                                  struct err *err)
{
    bool embedded = settings->kafka.embedded, durable = settings->durable && settings->group;
    bool from_end =
        settings->from == CONSUMER_FROM_END || (settings->from == CONSUMER_FROM_STORED && !durable);
    char queue[16];
    snprintf(queue, sizeof queue, "%d",
             settings->queue_kbytes > 0 ? settings->queue_kbytes
             : embedded                 ? 32768
                                        : 65536);
    const struct client_property ours[] = {
        {"client.id", "smartcity"},
        /* librdkafka wants a name even when no group is joined */
        {"group.id", settings->group ? settings->group : "smartcity-direct"},
        {"enable.auto.offset.store", "false"},
        {"enable.auto.commit", durable ? "true" : "false"},
        {"auto.commit.interval.ms", "1000"},
        {"auto.offset.reset", from_end ? "latest" : "earliest"},
        {"fetch.wait.max.ms",
         embedded && !settings->patient ? "75" : "500"}, /* the mock never answers early */
        {"fetch.error.backoff.ms", embedded ? "50" : "500"},
        {"fetch.message.max.bytes", "1048576"},
        {"fetch.max.bytes", "16777216"},
        /* A full queue makes librdkafka before 2.2 pause its fetching for a whole second. The embedded
         * broker's producer is held back long before these are reached. */
        /* By bytes alone, and roomy: librdkafka 2.0 looks again only after a second when a limit was met. On
         * the embedded broker the hold-back keeps what is queued below its window. */
        {"queued.min.messages", "10000000"},
        {"queued.max.messages.kbytes", queue},
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {"socket.connection.setup.timeout.ms", "10000"},
        {"reconnect.backoff.ms", embedded ? "20" : "100"},
        {"reconnect.backoff.max.ms", "1000"},
        {"topic.metadata.refresh.fast.interval.ms", embedded ? "20" : "250"},
        {"statistics.interval.ms", "1000"},
        {NULL, NULL},
    };
    const struct client_design design = {
        .type = RD_KAFKA_CONSUMER, .ours = ours, .prepare = prepare_conf, .context = consumer};
    return client_create(&settings->kafka, &design, err);
}

struct consumer *consumer_create(const struct consumer_settings *settings, struct err *err)
{
    struct consumer *consumer = mem_zero(1, sizeof *consumer);
    text_copy(consumer->group, sizeof consumer->group, settings->group ? settings->group : "");
    buf_init(&consumer->headers, HEADER_ARENA);
    assignment_init(&consumer->assignment, settings);
    consumer->client = make_client(consumer, settings, err);
    if (consumer->client) {
        rd_kafka_poll_set_consumer(client_handle(consumer->client));
        consumer->queue = rd_kafka_queue_get_consumer(client_handle(consumer->client));
        if (assignment_start(&consumer->assignment, consumer->client, err) == 0)
            return consumer;
    }
    consumer_destroy(consumer);
    return NULL;
}

static void release_messages(struct consumer *consumer)
{
    for (size_t i = 0; i < consumer->message_count; i++)
        rd_kafka_message_destroy(consumer->messages[i]);
    consumer->message_count = 0;
}

/* Leaves the group after the last commit was answered; false when that takes too long. What was not committed
 * will be read again. rd_kafka_consumer_close() would wait a whole session time-out. */
static bool close_politely(struct consumer *consumer)
{
    rd_kafka_t *rk = client_handle(consumer->client);
    int64_t until = clock_mono_us() + CLOSE_PATIENCE_US;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(rk, queue);
    bool closed = error != NULL; /* it never was open */
    while (!closed && clock_mono_us() < until) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(queue, 20); /* serves the rebalance callback */
        if (message)
            rd_kafka_message_destroy(message);
        closed = rd_kafka_consumer_closed(rk);
    }
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue); /* what librdkafka still puts there is thrown away */
    return closed;
}

static bool close_consumer(struct consumer *consumer)
{
    struct kafka_figures figures;
    assignment_hand_stored(&consumer->assignment);
    client_figures(consumer->client, &figures);
    bool up = figures.state == KAFKA_UP;
    bool closed = up ? close_politely(consumer) : !consumer->assignment.durable;
    if (!closed)
        client_trouble(consumer->client, false,
                       "%s did not answer the last commit: some records will be read twice",
                       client_address(consumer->client));
    return closed;
}

void consumer_destroy(struct consumer *consumer)
{
    if (!consumer)
        return;
    release_messages(consumer);
    bool closed = !consumer->queue || close_consumer(consumer);
    if (consumer->queue)
        rd_kafka_queue_destroy(consumer->queue);
    assignment_free(&consumer->assignment);
    if (consumer->client && closed)
        client_destroy(consumer->client);
    else if (consumer->client)
        client_abandon(consumer->client);
    buf_free(&consumer->headers);
    free(consumer);
}

/* ---- reading ---- */

/* 0, or -1 with a fatal error. */
static int handle_error(struct consumer *consumer, const rd_kafka_message_t *message, struct err *err)
{
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";
    bool blocking = false;
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        return 0;
    case RD_KAFKA_RESP_ERR__FATAL:
        if (!client_fatal(consumer->client, err)) {
            err_set(err, ERR_CONNECT, "reading cannot go on: %s", rd_kafka_message_errstr(message));
            if (err)
                err->fatal = true;
        }
        return -1;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        blocking = true;
        break;
    default:
        break;
    }
    char reason[200];
    const char *raw = rd_kafka_message_errstr(message);
    text_sanitise(reason, sizeof reason, raw, strlen(raw));
    client_trouble(consumer->client, false, "consumer: %s%s%s", topic, *topic ? ": " : "", reason);
    if (blocking && !consumer->troubled) {
        client_trouble(consumer->client, true, "%s", reason);
        consumer->troubled = true;
    }
    return 0;
}

static int64_t parse_micros(const char *text, size_t length)
{
    if (!text || length == 0 || length > 18)
        return 0;
    int64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)text[i] - '0';
        if (digit > 9)
            return 0;
        value = value * 10 + digit;
    }
    return value;
}

/* Appends the encoded headers to the arena; produce time when there is one, else 0. */
static int64_t read_headers(struct consumer *consumer, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    size_t before = consumer->headers.length, size;
    int64_t produced = 0;
    const char *name;
    const void *value;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        if (!record_headers_put(&consumer->headers, name, value, size)) {
            /* Bounded memory comes before the headers of one absurd record; its value is kept. */
            consumer->headers.length = before;
            consumer->headers.overflow = false;
            client_trouble(consumer->client, false, "%s [%d] offset %lld: headers too large, left out",
                           rd_kafka_topic_name(message->rkt), message->partition, (long long)message->offset);
            return produced;
        }
        if (!produced && !strcmp(name, RECORD_HEADER_PRODUCED))
            produced = parse_micros(value, size);
    }
    return produced;
}

/* Records from the part's position up to `to` will never come. */
static void count_gap(struct consumer *consumer, int kind, int32_t partition, struct part *part, int64_t to)
{
    int64_t from = atomic_load_explicit(&part->position, memory_order_relaxed);
    atomic_fetch_add_explicit(&consumer->counts[kind].gaps, (uint64_t)(to - from), memory_order_relaxed);
    client_trouble(consumer->client, false, "%s [%d]: %lld record%s from offset %lld %s never delivered",
                   consumer->assignment.topics[kind].name, partition, (long long)(to - from),
                   to - from == 1 ? "" : "s", (long long)from, to - from == 1 ? "was" : "were");
}

/* What the broker let go before it was read shows as a gap when the next record comes. When none comes, the
 * low watermark tells: seen above our position twice, a second apart, with nothing on its way to us. */
static void count_gone(struct consumer *consumer, int64_t now)
{
    if (now < consumer->next_gone_us)
        return;
    consumer->next_gone_us = now + GONE_INTERVAL_US;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct assignment_topic *topic = &consumer->assignment.topics[kind];
        for (int32_t i = 0; i < atomic_load(&topic->end); i++) {
            struct part *part = &topic->parts[i];
            int64_t low, high, position = atomic_load(&part->position);
            if (!atomic_load(&part->active) || position < 0 || atomic_load(&consumer->assignment.paused) ||
                rd_kafka_get_watermark_offsets(client_handle(consumer->client), topic->name, i, &low,
                                               &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
                low <= position) {
                part->gone_from = part->gone_to = -1;
            } else if (part->gone_from == position && part->gone_to == low) {
                count_gap(consumer, kind, i, part, low);
                atomic_store(&part->position, low);
            } else {
                part->gone_from = position;
                part->gone_to = low;
            }
        }
    }
}

static void count_record(struct consumer *consumer, int kind, const rd_kafka_message_t *message,
                         int64_t produced)
{
    if (kind < 0) {
        atomic_fetch_add_explicit(&consumer->foreign, 1, memory_order_relaxed);
        return;
    }
    struct counts *topic = &consumer->counts[kind];
    atomic_fetch_add_explicit(&topic->consumed, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&topic->bytes, message->len, memory_order_relaxed);
    struct part *part = assignment_part(&consumer->assignment, kind, message->partition);
    if (!part)
        return;
    int64_t expected = atomic_load_explicit(&part->position, memory_order_relaxed);
    if (expected >= 0 && message->offset > expected)
        count_gap(consumer, kind, message->partition, part, message->offset);
    atomic_store_explicit(&part->position, message->offset + 1, memory_order_relaxed);
    if (produced)
        atomic_store_explicit(&part->produced, produced, memory_order_relaxed);
}

static size_t take(struct consumer *consumer, size_t max, int timeout_ms)
{
    rd_kafka_message_t **end = consumer->messages + consumer->message_count;
    ssize_t count =
        rd_kafka_consume_batch_queue(consumer->queue, timeout_ms, end, max - consumer->message_count);
    if (count > 0)
        consumer->message_count += (size_t)count;
    return consumer->message_count;
}

int consumer_poll(struct consumer *consumer, struct record *records, int max, int64_t timeout_us,
                  struct err *err)
{
    release_messages(consumer);
    buf_reset(&consumer->headers);
    if (max > CONSUMER_BATCH)
        max = CONSUMER_BATCH;
    int64_t now = clock_mono_us();
    assignment_tick(&consumer->assignment, now);
    if (consumer->assignment.misplaced)
        return err_set(err, ERR_BUSY, "it is not known where to begin");

    /* librdkafka waits the whole time-out for a full batch. So: what is there; else wait for one, then the
     * rest. */
    size_t limit = (size_t)max;
    if (take(consumer, limit, 0) == 0) {
        assignment_nudge(&consumer->assignment, now);
        if (timeout_us > 0 && take(consumer, 1, (int)((timeout_us + 999) / 1000)) > 0)
            take(consumer, limit, 0);
        if (consumer->message_count == 0)
            count_gone(consumer, now);
    } else
        assignment_flowing(&consumer->assignment);

    int64_t arrived = clock_wall_us();
    const rd_kafka_topic_t *known = NULL; /* topics come in runs */
    int kind = -1, count = 0;
    for (size_t i = 0; i < consumer->message_count; i++) {
        const rd_kafka_message_t *message = consumer->messages[i];
        if (message->err) {
            if (handle_error(consumer, message, err) != 0)
                return -1;
            continue;
        }
        if (message->rkt != known) {
            known = message->rkt;
            kind = kafka_kind(client_prefix(consumer->client), rd_kafka_topic_name(known));
        }
        struct record *record = &records[count++];
        size_t before = consumer->headers.length;
        int64_t produced = read_headers(consumer, message);
        rd_kafka_timestamp_type_t type;
        int64_t timestamp = rd_kafka_message_timestamp(message, &type);
        *record = (struct record){.kind = kind,
                                  .partition = message->partition,
                                  .offset = message->offset,
                                  .timestamp = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : timestamp,
                                  .arrived_us = arrived,
                                  .key = message->key,
                                  .key_length = message->key_len,
                                  .value = message->payload,
                                  .value_length = message->len,
                                  .headers_length = consumer->headers.length - before};
        count_record(consumer, kind, message, produced);
    }
    /* The arena may have moved while it grew. */
    const uint8_t *arena = (const uint8_t *)consumer->headers.data;
    for (int i = 0; i < count; i++)
        if (records[i].headers_length) {
            records[i].headers = arena;
            arena += records[i].headers_length;
        }
    if (count > 0) {
        client_seen(consumer->client);
        if (consumer->troubled) {
            consumer->troubled = false;
            client_mended(consumer->client);
        }
    }
    return count;
}

void consumer_wake(struct consumer *consumer)
{
    rd_kafka_queue_yield(consumer->queue);
}

void consumer_store(struct consumer *consumer, const struct record *record)
{
    struct part *part = assignment_part(&consumer->assignment, record->kind, record->partition);
    if (!part || record->offset < 0)
        return;
    int64_t next = record->offset + 1, stored = atomic_load_explicit(&part->stored, memory_order_relaxed);
    while (stored < next && !atomic_compare_exchange_weak(&part->stored, &stored, next))
        ;
    atomic_store(&consumer->assignment.dirty, true);
}

void consumer_pause(struct consumer *consumer, bool on)
{
    atomic_store(&consumer->assignment.pause_wanted, on);
    consumer_wake(consumer);
}

/* ---- figures ---- */

static void part_figures(struct consumer *consumer, int kind, int32_t partition,
                         const struct kafka_figures *reported, struct kafka_partition_figures *figures)
{
    struct assignment_topic *topic = &consumer->assignment.topics[kind];
    *figures = (struct kafka_partition_figures){.kind = (int8_t)kind,
                                                .partition = partition,
                                                .low = -1,
                                                .high = -1,
                                                .position = atomic_load(&topic->parts[partition].position),
                                                .committed = -1,
                                                .lag = -1,
                                                .leader = -1};
    for (size_t i = 0; i < reported->partition_count; i++) {
        const struct kafka_partition_figures *report = &reported->partitions[i];
        if (report->kind != kind || report->partition != partition)
            continue;
        figures->committed = report->committed;
        figures->leader = report->leader;
        if (figures->position < 0)
            figures->position = report->position;
        break;
    }
    int64_t low, high;
    if (rd_kafka_get_watermark_offsets(client_handle(consumer->client), topic->name, partition, &low,
                                       &high) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        figures->low = low < 0 ? -1 : low;
        figures->high = high < 0 ? -1 : high;
    }
    if (figures->high >= 0 && figures->position >= 0) {
        /* What lies below the low watermark is gone; it is counted as a gap when the next record comes. */
        int64_t from = figures->low > figures->position ? figures->low : figures->position;
        figures->lag = figures->high > from ? figures->high - from : 0;
    }
}

void consumer_figures(struct consumer *consumer, struct consumer_figures *figures)
{
    memset(figures, 0, sizeof *figures);
    client_figures(consumer->client, &figures->kafka);
    struct kafka_partition_figures *live = mem_alloc(KAFKA_PARTITIONS * sizeof *live);
    size_t count = 0;
    int64_t now = clock_wall_us();
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct assignment_topic *topic = &consumer->assignment.topics[kind];
        const struct counts *counts = &consumer->counts[kind];
        struct consumer_topic_figures *out = &figures->topics[kind];
        out->consumed = atomic_load(&counts->consumed);
        out->bytes = atomic_load(&counts->bytes);
        out->gaps = atomic_load(&counts->gaps);
        out->lag = -1;
        for (int32_t i = 0; i < atomic_load(&topic->end); i++) {
            if (!atomic_load(&topic->parts[i].active))
                continue;
            struct kafka_partition_figures part;
            part_figures(consumer, kind, i, &figures->kafka, &part);
            if (count < KAFKA_PARTITIONS)
                live[count++] = part;
            if (part.lag < 0)
                continue;
            out->lag = (out->lag < 0 ? 0 : out->lag) + part.lag;
            int64_t produced = atomic_load(&topic->parts[i].produced);
            double behind = produced && part.lag > 0 ? (double)(now - produced) / 1e6 : 0;
            if (behind > out->lag_seconds)
                out->lag_seconds = behind;
        }
    }
    figures->foreign = atomic_load(&consumer->foreign);
    figures->paused = atomic_load(&consumer->assignment.paused);
    figures->kafka.partition_count = count;
    memcpy(figures->kafka.partitions, live, count * sizeof *live);
    free(live);
    text_copy(figures->kafka.group, sizeof figures->kafka.group, consumer->group);
    if (!consumer->assignment.grouped)
        text_copy(figures->kafka.member_state, sizeof figures->kafka.member_state,
                  atomic_load(&consumer->assignment.count) ? "assigned" : "waiting");
}

bool consumer_at_end(struct consumer *consumer)
{
    struct consumer_figures *figures = mem_alloc(sizeof *figures);
    consumer_figures(consumer, figures);
    const struct kafka_partition_figures *partitions = figures->kafka.partitions;
    size_t count = figures->kafka.partition_count;
    bool end = count > 0;
    for (size_t i = 0; i < count && end; i++)
        end = partitions[i].lag == 0;
    /* That was the last fetch's word, which may be old. Only the leaders know. */
    if (end) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
        for (size_t i = 0; i < count; i++)
            rd_kafka_topic_partition_list_add(list, consumer->assignment.topics[partitions[i].kind].name,
                                              partitions[i].partition)
                ->offset = RD_KAFKA_OFFSET_END;
        end = rd_kafka_offsets_for_times(client_handle(consumer->client), list, END_TIMEOUT_MS) ==
              RD_KAFKA_RESP_ERR_NO_ERROR;
        for (size_t i = 0; i < count && end; i++) {
            const rd_kafka_topic_partition_t *answer = &list->elems[i];
            end = !answer->err && answer->offset <= partitions[i].high;
        }
        rd_kafka_topic_partition_list_destroy(list);
    }
    free(figures);
    return end;
}
