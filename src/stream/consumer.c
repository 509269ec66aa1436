/*
 * Three ways to come by partitions, one way to read them. Embedded: the counts are known and the start is
 * offset 0, so partitions are assigned at once, without asking the broker anything; the first record arrives
 * within a tenth of a second. Group: subscribe, and the broker assigns. Neither: the cluster is asked for the
 * partitions from within consumer_poll, again and again until they are all there.
 *
 * The owner's thread writes the state of a partition, others read it for the figures: relaxed atomics, no
 * lock.
 */
#include "stream/consumer.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "stream/broker.h"
#include "stream/client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITION_MAX     1024 /* a topic; further ones are read but have no figures of their own */
#define HEADER_ARENA      (32u << 20)
#define STORE_INTERVAL_US 200000
#define METADATA_MS       500
#define ASSIGN_RETRY_US   300000
#define ASSIGN_MISSING_US 3000000
#define ASSIGN_REFRESH_US 60000000

struct part {
    _Atomic bool active;
    _Atomic int64_t position; /* next offset; -1 before the first record */
    _Atomic int64_t produced; /* newest consumed: wall us; 0 unknown */
    _Atomic int64_t stored;   /* next offset that is not yet safe; -1 */
    int64_t handed;           /* what of it librdkafka was told; owner */
    bool placed;              /* `from` was applied once; owner */
};
struct topic {
    char name[KAFKA_TOPIC_SIZE];
    struct part *parts;  /* PARTITION_MAX; pages that are never touched cost nothing */
    _Atomic int32_t end; /* one more than the highest active partition */
    _Atomic uint64_t consumed, bytes, gaps;
};

struct consumer {
    struct client *client;
    struct consumer_settings settings;
    char prefix[KAFKA_TOPIC_SIZE], group[128];
    rd_kafka_queue_t *queue;
    bool grouped; /* a member, by subscription */
    struct topic topics[EVENT_KIND_COUNT];
    _Atomic uint64_t foreign;
    _Atomic bool paused, pause_wanted;
    _Atomic bool dirty; /* something was stored */
    bool troubled;

    rd_kafka_message_t *messages[CONSUMER_BATCH];
    size_t message_count;
    struct buf headers;
    int64_t next_store_us, next_assign_us;
    _Atomic int assigned;
};

static struct part *part_of(struct consumer *consumer, int kind, int32_t partition)
{
    return kind >= 0 && partition >= 0 && partition < PARTITION_MAX ? &consumer->topics[kind].parts[partition]
                                                                    : NULL;
}

/* ---- partitions -----------------------------------------------------------------------------------------
 */

static void part_open(struct consumer *consumer, int kind, int32_t partition, int64_t expected)
{
    struct part *part = part_of(consumer, kind, partition);
    if (!part)
        return;
    part->placed = true;
    part->handed = -1;
    atomic_store(&part->stored, -1);
    atomic_store(&part->position, expected);
    atomic_store(&part->active, true);
    struct topic *topic = &consumer->topics[kind];
    if (partition >= atomic_load(&topic->end))
        atomic_store(&topic->end, partition + 1);
}

static void apply_pause(struct consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list;
    if (rd_kafka_assignment(client_handle(consumer->client), &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (list->cnt > 0) {
        if (atomic_load(&consumer->pause_wanted))
            rd_kafka_pause_partitions(client_handle(consumer->client), list);
        else
            rd_kafka_resume_partitions(client_handle(consumer->client), list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    atomic_store(&consumer->paused, atomic_load(&consumer->pause_wanted));
}

/* Where a partition starts the first time, as librdkafka's logical offset or, for a time, the time. */
static int64_t start_offset(const struct consumer *consumer)
{
    switch (consumer->settings.from) {
    case CONSUMER_FROM_START:
        return RD_KAFKA_OFFSET_BEGINNING;
    case CONSUMER_FROM_END:
        return RD_KAFKA_OFFSET_END;
    case CONSUMER_FROM_TIME:
        return consumer->settings.from_time;
    default:
        return consumer->grouped ? RD_KAFKA_OFFSET_STORED : RD_KAFKA_OFFSET_END;
    }
}

/* Sets where to begin in `list`; partitions seen before go on where they were (direct) or were committed
 * (group). */
static void place(struct consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    int fresh = 0;
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *entry = &list->elems[i];
        struct part *part =
            part_of(consumer, kafka_kind(client_prefix(consumer->client), entry->topic), entry->partition);
        int64_t position = part ? atomic_load(&part->position) : -1;
        if (!part || !part->placed) {
            entry->offset = start_offset(consumer);
            fresh++;
        } else if (consumer->grouped)
            entry->offset = RD_KAFKA_OFFSET_STORED;
        else
            entry->offset = position >= 0 ? position : start_offset(consumer);
    }
    if (consumer->settings.from != CONSUMER_FROM_TIME || fresh == 0)
        return;
    rd_kafka_topic_partition_list_t *times = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(client_handle(consumer->client), times, 3000);
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].offset != consumer->settings.from_time)
            continue;
        bool known = code == RD_KAFKA_RESP_ERR_NO_ERROR && !times->elems[i].err;
        list->elems[i].offset = known ? times->elems[i].offset : RD_KAFKA_OFFSET_BEGINNING;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        client_trouble(consumer->client, false,
                       "offsets by time are not to be had (%s): reading from the start",
                       rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(times);
}

static void open_all(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *entry = &list->elems[i];
        part_open(consumer, kafka_kind(client_prefix(consumer->client), entry->topic), entry->partition,
                  entry->offset >= 0 ? entry->offset : -1);
    }
}

static void hand_stored(struct consumer *consumer);

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                         void *opaque)
{
    struct consumer *consumer = client_context(opaque);
    bool cooperative = !strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE");
    struct log *log = client_log(consumer->client);
    rd_kafka_error_t *error = NULL;
    rd_kafka_resp_err_t result = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        place(consumer, list);
        open_all(consumer, list);
        if (cooperative)
            error = rd_kafka_incremental_assign(rk, list);
        else
            result = rd_kafka_assign(rk, list);
        consumer->assigned = list->cnt;
        if (atomic_load(&consumer->pause_wanted))
            apply_pause(consumer);
        if (log)
            log_write(log, LOG_INFO, "kafka", "group %s gave us %d partitions", consumer->group, list->cnt);
    } else {
        hand_stored(consumer); /* librdkafka commits what it was told when partitions are taken away */
        for (int i = 0; i < list->cnt; i++) {
            struct part *part =
                part_of(consumer, kafka_kind(client_prefix(consumer->client), list->elems[i].topic),
                        list->elems[i].partition);
            if (part)
                atomic_store(&part->active, false);
        }
        if (cooperative)
            error = rd_kafka_incremental_unassign(rk, list);
        else
            result = rd_kafka_assign(rk, NULL);
        if (log)
            log_write(log, LOG_INFO, "kafka", "group %s took back %d partitions", consumer->group, list->cnt);
    }
    if (error || result)
        client_trouble(consumer->client, false, "assignment: %s",
                       error ? rd_kafka_error_string(error) : rd_kafka_err2str(result));
    if (error)
        rd_kafka_error_destroy(error);
}

static int assign_embedded(struct consumer *consumer, struct err *err)
{
    /* An explicit 0 needs no question to the broker, and on one that was born with us it is both the start
     * and any time in the past. */
    int64_t offset = 0;
    if (consumer->settings.from == CONSUMER_FROM_END)
        offset = RD_KAFKA_OFFSET_END;
    else if (consumer->settings.from == CONSUMER_FROM_STORED && consumer->settings.group)
        offset = RD_KAFKA_OFFSET_STORED;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        for (int i = 0; i < broker_partitions(kind); i++) {
            rd_kafka_topic_partition_list_add(list, consumer->topics[kind].name, i)->offset = offset;
            part_open(consumer, kind, i, offset == 0 ? 0 : -1);
        }
    rd_kafka_resp_err_t code = rd_kafka_assign(client_handle(consumer->client), list);
    consumer->assigned = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_INTERNAL, "partitions cannot be assigned: %s", rd_kafka_err2str(code));
    return 0;
}

/* Finds the partitions of the five topics and assigns all of them. Sets when to look again. */
static void assign_direct(struct consumer *consumer, int64_t now)
{
    rd_kafka_t *rk = client_handle(consumer->client);
    const struct rd_kafka_metadata *metadata;
    consumer->next_assign_us = now + ASSIGN_RETRY_US;
    if (rd_kafka_metadata(rk, 1, NULL, &metadata, METADATA_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(32);
    unsigned found = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        int kind = kafka_kind(client_prefix(consumer->client), topic->topic);
        if (kind < 0 || topic->partition_cnt == 0)
            continue;
        found |= 1u << kind;
        for (int j = 0; j < topic->partition_cnt; j++)
            rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[j].id);
    }
    rd_kafka_metadata_destroy(metadata);
    if (list->cnt > consumer->assigned) {
        place(consumer, list);
        rd_kafka_resp_err_t code = rd_kafka_assign(rk, list);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            open_all(consumer, list);
            consumer->assigned = list->cnt;
            if (atomic_load(&consumer->pause_wanted))
                apply_pause(consumer);
        } else
            client_trouble(consumer->client, false, "assignment: %s", rd_kafka_err2str(code));
    }
    rd_kafka_topic_partition_list_destroy(list);

    bool all = found == (1u << EVENT_KIND_COUNT) - 1;
    consumer->next_assign_us = now + (all ? ASSIGN_REFRESH_US : ASSIGN_MISSING_US);
    if (!found) {
        client_trouble(consumer->client, true,
                       "none of the topics is on %s: start a producer, or check --topic-prefix",
                       client_address(consumer->client));
        consumer->troubled = true;
    } else if (consumer->troubled) {
        consumer->troubled = false;
        client_mended(consumer->client);
    }
}

/* ---- life -----------------------------------------------------------------------------------------------
 */

static void prepare_conf(rd_kafka_conf_t *conf, void *context)
{
    struct consumer *consumer = context;
    if (consumer->grouped)
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
}

static struct client *make_client(struct consumer *consumer, const struct consumer_settings *settings,
                                  struct err *err)
{
    bool embedded = settings->kafka.embedded, durable = settings->durable && settings->group;
    bool from_end =
        settings->from == CONSUMER_FROM_END || (settings->from == CONSUMER_FROM_STORED && !durable);
    const struct client_property ours[] = {
        {"client.id", "smartcity"},
        /* librdkafka wants a name even when no group is joined */
        {"group.id", settings->group ? settings->group : "smartcity-direct"},
        {"enable.auto.offset.store", "false"},
        {"enable.auto.commit", durable ? "true" : "false"},
        {"auto.commit.interval.ms", "1000"},
        {"auto.offset.reset", from_end ? "latest" : "earliest"},
        {"fetch.wait.max.ms", embedded ? "25" : "500"}, /* the mock never answers early */
        {"fetch.error.backoff.ms", embedded ? "50" : "500"},
        {"fetch.message.max.bytes", "1048576"},
        {"fetch.max.bytes", "16777216"},
        {"queued.min.messages", "20000"},
        {"queued.max.messages.kbytes", embedded ? "4096" : "16384"},
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

static int begin(struct consumer *consumer, struct err *err)
{
    if (consumer->settings.kafka.embedded)
        return assign_embedded(consumer, err);
    if (!consumer->grouped)
        return 0; /* in consumer_poll */
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(EVENT_KIND_COUNT);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        rd_kafka_topic_partition_list_add(list, consumer->topics[kind].name, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(client_handle(consumer->client), list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_CONFIG, "cannot subscribe: %s", rd_kafka_err2str(code));
    return 0;
}

struct consumer *consumer_create(const struct consumer_settings *settings, struct err *err)
{
    struct consumer *consumer = mem_zero(1, sizeof *consumer);
    consumer->settings = *settings;
    text_copy(consumer->prefix, sizeof consumer->prefix,
              settings->kafka.topic_prefix ? settings->kafka.topic_prefix : "");
    text_copy(consumer->group, sizeof consumer->group, settings->group ? settings->group : "");
    consumer->settings.kafka.bootstrap = NULL; /* kept by the client */
    consumer->settings.kafka.properties = NULL;
    consumer->settings.kafka.property_count = 0;
    consumer->settings.kafka.topic_prefix = consumer->prefix;
    consumer->settings.group = settings->group ? consumer->group : NULL;
    consumer->grouped = settings->group && !settings->kafka.embedded;
    buf_init(&consumer->headers, HEADER_ARENA);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        kafka_topic(&settings->kafka, kind, consumer->topics[kind].name);
        consumer->topics[kind].parts = mem_zero(PARTITION_MAX, sizeof *consumer->topics[kind].parts);
    }
    consumer->client = make_client(consumer, settings, err);
    if (consumer->client) {
        rd_kafka_poll_set_consumer(client_handle(consumer->client));
        consumer->queue = rd_kafka_queue_get_consumer(client_handle(consumer->client));
        if (begin(consumer, err) == 0)
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

void consumer_destroy(struct consumer *consumer)
{
    if (!consumer)
        return;
    release_messages(consumer);
    if (consumer->client) {
        hand_stored(consumer);
        struct kafka_figures figures;
        client_figures(consumer->client, &figures);
        /* Closing waits for commits, which a broker that is away cannot answer; they will be repeated. */
        if (consumer->queue && figures.state == KAFKA_UP)
            rd_kafka_consumer_close(client_handle(consumer->client));
        if (consumer->queue)
            rd_kafka_queue_destroy(consumer->queue);
        client_destroy(consumer->client);
    }
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        free(consumer->topics[kind].parts);
    buf_free(&consumer->headers);
    free(consumer);
}

/* ---- reading --------------------------------------------------------------------------------------------
 */

/* Tells librdkafka what may be committed. */
static void hand_stored(struct consumer *consumer)
{
    if (!consumer->settings.durable || !consumer->settings.group || !atomic_exchange(&consumer->dirty, false))
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct topic *topic = &consumer->topics[kind];
        for (int32_t i = 0; i < atomic_load(&topic->end); i++) {
            struct part *part = &topic->parts[i];
            int64_t stored = atomic_load(&part->stored);
            if (!atomic_load(&part->active) || stored <= part->handed)
                continue;
            rd_kafka_topic_partition_list_add(list, topic->name, i)->offset = stored;
            part->handed = stored;
        }
    }
    if (list->cnt > 0)
        rd_kafka_offsets_store(client_handle(consumer->client), list);
    rd_kafka_topic_partition_list_destroy(list);
}

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

static void count_record(struct consumer *consumer, int kind, const rd_kafka_message_t *message,
                         int64_t produced)
{
    if (kind < 0) {
        atomic_fetch_add_explicit(&consumer->foreign, 1, memory_order_relaxed);
        return;
    }
    struct topic *topic = &consumer->topics[kind];
    atomic_fetch_add_explicit(&topic->consumed, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&topic->bytes, message->len, memory_order_relaxed);
    struct part *part = part_of(consumer, kind, message->partition);
    if (!part)
        return;
    int64_t expected = atomic_load_explicit(&part->position, memory_order_relaxed);
    if (expected >= 0 && message->offset > expected) {
        atomic_fetch_add_explicit(&topic->gaps, (uint64_t)(message->offset - expected), memory_order_relaxed);
        client_trouble(consumer->client, false, "%s [%d]: %lld records from offset %lld were never delivered",
                       topic->name, message->partition, (long long)(message->offset - expected),
                       (long long)expected);
    }
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
    if (!consumer->grouped && !consumer->settings.kafka.embedded && now >= consumer->next_assign_us)
        assign_direct(consumer, now);
    if (atomic_load(&consumer->pause_wanted) != atomic_load(&consumer->paused))
        apply_pause(consumer);
    if (now >= consumer->next_store_us) {
        hand_stored(consumer);
        consumer->next_store_us = now + STORE_INTERVAL_US;
    }

    /* librdkafka waits the whole time-out for a full batch. So: what is there; else wait for one, then the
     * rest. */
    size_t limit = (size_t)max;
    if (take(consumer, limit, 0) == 0 && timeout_us > 0 &&
        take(consumer, 1, (int)((timeout_us + 999) / 1000)) > 0)
        take(consumer, limit, 0);

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
    struct part *part = part_of(consumer, record->kind, record->partition);
    if (!part || record->offset < 0)
        return;
    int64_t next = record->offset + 1, stored = atomic_load_explicit(&part->stored, memory_order_relaxed);
    while (stored < next && !atomic_compare_exchange_weak(&part->stored, &stored, next))
        ;
    atomic_store(&consumer->dirty, true);
}

void consumer_pause(struct consumer *consumer, bool on)
{
    atomic_store(&consumer->pause_wanted, on);
    consumer_wake(consumer);
}

/* ---- figures --------------------------------------------------------------------------------------------
 */

static void part_figures(struct consumer *consumer, int kind, int32_t partition,
                         const struct kafka_figures *reported, struct kafka_partition_figures *figures)
{
    struct topic *topic = &consumer->topics[kind];
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
    if (figures->high >= 0 && figures->position >= 0)
        figures->lag = figures->high > figures->position ? figures->high - figures->position : 0;
}

void consumer_figures(struct consumer *consumer, struct consumer_figures *figures)
{
    memset(figures, 0, sizeof *figures);
    client_figures(consumer->client, &figures->kafka);
    struct kafka_partition_figures *live = mem_alloc(KAFKA_PARTITIONS * sizeof *live);
    size_t count = 0;
    int64_t now = clock_wall_us();
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct topic *topic = &consumer->topics[kind];
        struct consumer_topic_figures *out = &figures->topics[kind];
        out->consumed = atomic_load(&topic->consumed);
        out->bytes = atomic_load(&topic->bytes);
        out->gaps = atomic_load(&topic->gaps);
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
    figures->paused = atomic_load(&consumer->paused);
    figures->kafka.partition_count = count;
    memcpy(figures->kafka.partitions, live, count * sizeof *live);
    free(live);
    text_copy(figures->kafka.group, sizeof figures->kafka.group, consumer->group);
    if (!consumer->grouped)
        text_copy(figures->kafka.member_state, sizeof figures->kafka.member_state,
                  consumer->assigned ? "assigned" : "waiting");
}

bool consumer_at_end(struct consumer *consumer)
{
    struct consumer_figures *figures = mem_alloc(sizeof *figures);
    consumer_figures(consumer, figures);
    bool end = figures->kafka.partition_count > 0;
    for (size_t i = 0; i < figures->kafka.partition_count; i++)
        if (figures->kafka.partitions[i].lag != 0)
            end = false;
    free(figures);
    return end;
}
