/*
 * The state shown for a connection is derived from four facts, weighed in this order: a fatal error of the
 * library, whether any broker is connected, a trouble the owner reported (a missing topic, no permission),
 * and a broker that is connected but silent. librdkafka's error callback says at once when the last broker is
 * gone; the statistics, two a second, say when one is back, and a reconnection is tried once a second. Both
 * are inside the two seconds in which an operator must be told.
 *
 * A broker that is down for an hour makes thousands of equal log lines. They are compared with their digits
 * masked and written once in half a minute with the number of repeats.
 */
#include "stream/client.h"

#include "base/clock.h"
#include "base/text.h"
#include "stream/statistics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT_SLOTS    8
#define REPEAT_US       30000000
#define CONNECT_SLOW_US 1500000

struct repeat {
    uint64_t hash;
    int64_t written_us;
    unsigned held;
};

struct client {
    rd_kafka_t *rk;
    rd_kafka_type_t type;
    struct log *log;
    char prefix[KAFKA_TOPIC_SIZE];
    char address[200];
    void (*on_statistics)(struct client *client, void *context);
    void *context;

    atomic_bool connecting; /* never connected so far; a cheap gate for client_seen */
    pthread_mutex_t lock;   /* all below */
    struct kafka_figures figures;
    bool any_up, lost, fatal, embedded;
    char problem[200]; /* why no broker is connected */
    char trouble[200]; /* what the owner reported */
    char silent[200];
    int64_t started_us;
    struct statistics *statistics, *before;
    struct repeat repeats[REPEAT_SLOTS];
};

/* ---- log ---- */

static uint64_t masked_hash(const char *text)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */
    bool digit = false;
    for (; *text; text++) {
        bool now = *text >= '0' && *text <= '9';
        if (now && digit)
            continue;
        digit = now;
        hash = (hash ^ (now ? '#' : (unsigned char)*text)) * 1099511628211u;
    }
    return hash;
}

/* -1: keep quiet; else how many equal lines were kept quiet since the last. Under the lock. */
static int repeat_check(struct client *client, const char *text, int64_t now)
{
    uint64_t hash = masked_hash(text);
    struct repeat *oldest = &client->repeats[0];
    for (int i = 0; i < REPEAT_SLOTS; i++) {
        struct repeat *repeat = &client->repeats[i];
        if (repeat->hash == hash) {
            if (now - repeat->written_us < REPEAT_US) {
                repeat->held++;
                return -1;
            }
            int held = (int)repeat->held;
            *repeat = (struct repeat){hash, now, 0};
            return held;
        }
        if (repeat->written_us < oldest->written_us)
            oldest = repeat;
    }
    *oldest = (struct repeat){hash, now, 0};
    return 0;
}

static void client_write(struct client *client, enum log_level level, const char *text)
{
    pthread_mutex_lock(&client->lock);
    int held = client->log ? repeat_check(client, text, clock_mono_us()) : -1;
    if (held == 0)
        log_write(client->log, level, "kafka", "%s", text);
    else if (held > 0)
        log_write(client->log, level, "kafka", "%s (and %d times before)", text, held);
    pthread_mutex_unlock(&client->lock);
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    struct client *client = rk ? rd_kafka_opaque(rk) : NULL;
    if (!client)
        return;
    char line[240];
    snprintf(line, sizeof line, "%s: %s", facility, text);
    /* syslog levels; what the connection does is told once, in words, when the state changes (set_state) */
    static const char *const states[] = {"FAIL", "ERROR", "BROKERDOWN", "REQTMOUT", "CONNECT", "CONNECTED"};
    bool state = false;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        state = state || strcmp(facility, states[i]) == 0;
    client_write(client,
                 state        ? LOG_DEBUG
                 : level <= 2 ? LOG_ERROR
                 : level <= 4 ? LOG_WARNING
                 : level <= 6 ? LOG_INFO
                              : LOG_DEBUG,
                 line);
}

/* ---- state ---- */

static void set_state(struct client *client, enum kafka_state state, const char *detail)
{
    struct kafka_figures *figures = &client->figures;
    text_sanitise(figures->detail, sizeof figures->detail, detail, strlen(detail));
    if (figures->state == state)
        return;
    enum kafka_state before = figures->state;
    figures->state = state;
    figures->state_since_us = clock_wall_us();
    figures->was_up |= state == KAFKA_UP;
    atomic_store_explicit(&client->connecting, state == KAFKA_CONNECTING, memory_order_relaxed);
    if (!client->log)
        return;
    const char *role = client->type == RD_KAFKA_PRODUCER ? "producer" : "consumer";
    if (state == KAFKA_UP)
        log_write(client->log, LOG_INFO, "kafka", "%s %s %s", role,
                  before == KAFKA_DOWN ? "is connected again to" : "is connected to", client->address);
    else if (state == KAFKA_DOWN)
        log_write(client->log, client->fatal ? LOG_ERROR : LOG_WARNING, "kafka", "%s: %s", role,
                  figures->detail);
}

/* Under the lock. */
static void derive_state(struct client *client)
{
    if (client->fatal)
        set_state(client, KAFKA_DOWN, client->problem);
    else if (!client->any_up && client->lost)
        set_state(client, KAFKA_DOWN, client->problem);
    else if (!client->any_up) {
        int64_t waited = clock_mono_us() - client->started_us;
        char text[300] = "";
        if (waited > CONNECT_SLOW_US)
            snprintf(text, sizeof text, "%s has not answered for %.0f s: check the address and the firewall",
                     client->address, (double)waited / 1e6);
        set_state(client, KAFKA_CONNECTING, text);
    } else if (*client->trouble)
        set_state(client, KAFKA_DOWN, client->trouble);
    else if (*client->silent)
        set_state(client, KAFKA_DOWN, client->silent);
    else
        set_state(client, KAFKA_UP, "");
}

/* What went wrong and what to do about it, the cure first since the text may be cut. */
static void explain(const struct client *client, rd_kafka_resp_err_t code, const char *reason, char out[200])
{
    const char *address = client->address;
    int width = (int)strlen(address) > 60 ? 60 : (int)strlen(address);
    if (client->embedded) {
        snprintf(out, 200, "%.*s: the embedded broker is down; `broker up` starts it again", width, address);
        return;
    }
    switch (code) {
    case RD_KAFKA_RESP_ERR__RESOLVE:
        snprintf(out, 200, "%.*s: the name cannot be resolved; check --bootstrap", width, address);
        return;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        snprintf(out, 200, "%.*s: not let in; check sasl.mechanism, sasl.username and sasl.password: %s",
                 width, address, reason);
        return;
    case RD_KAFKA_RESP_ERR__SSL:
        snprintf(out, 200, "%.*s: TLS failed; check security.protocol and ssl.ca.location: %s", width,
                 address, reason);
        return;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        snprintf(out, 200, "%.*s: no answer; check the address and the firewall: %s", width, address, reason);
        return;
    default:
        if (strstr(reason, "Connection refused"))
            snprintf(out, 200, "%.*s: nothing listens there; start the broker or correct --bootstrap", width,
                     address);
        else if (strstr(reason, "SSL_HANDSHAKE"))
            snprintf(out, 200, "%.*s: hangs up when TLS is spoken; check the port and security.protocol",
                     width, address);
        else if (strstr(reason, "incorrect security.protocol"))
            snprintf(out, 200, "%.*s: hangs up at once; does it want TLS or SASL? check security.protocol",
                     width, address);
        else
            snprintf(out, 200, "%.*s: connection lost, trying again: %s", width, address, reason);
    }
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct client *client = opaque;
    (void)rk;
    char line[240];
    snprintf(line, sizeof line, "%s: %s", rd_kafka_err2name(code), reason);
    client_write(client, LOG_DEBUG, line); /* becomes a state, which is told */
    pthread_mutex_lock(&client->lock);
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char cause[120];
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client->rk, cause, sizeof cause);
        snprintf(client->problem, sizeof client->problem,
                 "sending cannot go on, restart the console: %s (%s)", cause, rd_kafka_err2name(fatal));
        client->fatal = true;
    } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        client->any_up = false;
        client->lost = true;
        if (!*client->problem)
            explain(client, RD_KAFKA_RESP_ERR__TRANSPORT, reason, client->problem);
    } else if (!client->fatal) {
        explain(client, code, reason, client->problem);
        if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL)
            client->lost = true;
    }
    derive_state(client);
    pthread_mutex_unlock(&client->lock);
}

static double rate(int64_t now, int64_t before, int64_t elapsed_us)
{
    return elapsed_us > 0 && now > before ? (double)(now - before) * 1e6 / (double)elapsed_us : 0;
}

static int on_statistics(rd_kafka_t *rk, char *json, size_t length, void *opaque)
{
    struct client *client = opaque;
    (void)rk;
    struct statistics *now = client->statistics, *before = client->before;
    if (statistics_parse(json, length, client->prefix, now, NULL) != 0)
        return 0;
    pthread_mutex_lock(&client->lock);
    struct kafka_figures *figures = &client->figures;
    int64_t elapsed = now->time_us - before->time_us;
    if (client->type == RD_KAFKA_PRODUCER) {
        figures->messages_per_s = rate(now->sent_messages, before->sent_messages, elapsed);
        figures->bytes_per_s = rate(now->sent_bytes, before->sent_bytes, elapsed);
    } else {
        figures->messages_per_s = rate(now->received_messages, before->received_messages, elapsed);
        figures->bytes_per_s = rate(now->received_bytes, before->received_bytes, elapsed);
    }
    figures->queue_messages = now->queue_messages;
    figures->queue_bytes = now->queue_bytes;
    figures->queue_limit = now->queue_limit;
    text_copy(figures->member_state, sizeof figures->member_state, now->member_state);
    figures->rebalances = now->rebalances;
    figures->broker_count = now->broker_count;
    memcpy(figures->brokers, now->brokers, sizeof figures->brokers);
    figures->partition_count = now->partition_count;
    memcpy(figures->partitions, now->partitions, sizeof figures->partitions);
    figures->statistics_count++;

    client->any_up = now->any_up;
    if (now->any_up) {
        client->lost = false;
        if (!client->fatal)
            *client->problem = '\0';
    } else if (!client->lost && *client->problem)
        client->lost = true;
    if (now->silent_us)
        snprintf(client->silent, sizeof client->silent,
                 "%s is connected but has not answered for %.0f s: it hangs, or the network is cut",
                 now->silent, (double)now->silent_us / 1e6);
    else
        *client->silent = '\0';
    derive_state(client);
    client->statistics = before;
    client->before = now;
    pthread_mutex_unlock(&client->lock);
    if (client->on_statistics)
        client->on_statistics(client, client->context);
    return 0; /* librdkafka frees the text */
}

/* ---- life ---- */

static int configure(struct client *client, rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                     const struct client_design *design, struct err *err)
{
    char reason[300];
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);
    rd_kafka_conf_set_opaque(conf, client);
    if (design->prepare)
        design->prepare(conf, design->context);
    for (const struct client_property *ours = design->ours; ours->name; ours++)
        if (rd_kafka_conf_set(conf, ours->name, ours->value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
            return err_set(err, ERR_INTERNAL, "%s", reason);
    if (settings->bootstrap && *settings->bootstrap &&
        rd_kafka_conf_set(conf, "bootstrap.servers", settings->bootstrap, reason, sizeof reason) !=
            RD_KAFKA_CONF_OK)
        return err_set(err, ERR_CONFIG, "%s", reason);
    for (size_t i = 0; i < settings->property_count; i++)
        if (kafka_property_set(conf, settings->properties[i], err) != 0)
            return -1;
    size_t size = sizeof client->address;
    if (rd_kafka_conf_get(conf, "bootstrap.servers", client->address, &size) != RD_KAFKA_CONF_OK ||
        !*client->address)
        return err_set(err, ERR_CONFIG, "no Kafka address: give one with --bootstrap HOST:PORT");
    size = sizeof client->figures.group;
    if (design->type != RD_KAFKA_CONSUMER ||
        rd_kafka_conf_get(conf, "group.id", client->figures.group, &size) != RD_KAFKA_CONF_OK)
        *client->figures.group = '\0';
    return 0;
}

struct client *client_create(const struct kafka_settings *settings, const struct client_design *design,
                             struct err *err)
{
    struct client *client = mem_zero(1, sizeof *client);
    client->type = design->type;
    client->log = settings->log;
    client->on_statistics = design->on_statistics;
    client->context = design->context;
    client->statistics = mem_zero(1, sizeof *client->statistics);
    client->before = mem_zero(1, sizeof *client->before);
    client->started_us = clock_mono_us();
    client->figures.state_since_us = clock_wall_us();
    atomic_init(&client->connecting, true);
    pthread_mutex_init(&client->lock, NULL);
    client->embedded = settings->embedded;
    if (settings->topic_prefix && !settings->embedded)
        text_copy(client->prefix, sizeof client->prefix, settings->topic_prefix);

    char reason[300];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (configure(client, conf, settings, design, err) != 0) {
        rd_kafka_conf_destroy(conf);
        client_destroy(client);
        return NULL;
    }
    client->rk = rd_kafka_new(design->type, conf, reason, sizeof reason);
    if (!client->rk) {
        rd_kafka_conf_destroy(conf);
        client_destroy(client);
        err_set(err, ERR_CONFIG, "%s", reason);
        return NULL;
    }
    return client;
}

void client_destroy(struct client *client)
{
    if (client->rk)
        rd_kafka_destroy_flags(client->rk,
                               RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); /* the consumer's decision */
    pthread_mutex_destroy(&client->lock);
    free(client->statistics);
    free(client->before);
    free(client);
}

void client_abandon(struct client *client)
{
    pthread_mutex_lock(&client->lock);
    client->log = NULL;
    pthread_mutex_unlock(&client->lock);
}

rd_kafka_t *client_handle(const struct client *client)
{
    return client->rk;
}

void *client_context(const struct client *client)
{
    return client->context;
}

struct log *client_log(const struct client *client)
{
    return client->log;
}

const char *client_address(const struct client *client)
{
    return client->address;
}

const char *client_prefix(const struct client *client)
{
    return client->prefix;
}

int64_t client_property_int(const struct client *client, const char *name, int64_t otherwise)
{
    char text[32];
    size_t size = sizeof text;
    int64_t value;
    if (rd_kafka_conf_get(rd_kafka_conf(client->rk), name, text, &size) != RD_KAFKA_CONF_OK ||
        !text_parse_int(text, INT64_MIN, INT64_MAX, &value))
        return otherwise;
    return value;
}

void client_seen(struct client *client)
{
    if (!atomic_load_explicit(&client->connecting, memory_order_relaxed))
        return;
    pthread_mutex_lock(&client->lock);
    if (client->figures.state == KAFKA_CONNECTING) {
        client->any_up = true;
        derive_state(client);
    }
    pthread_mutex_unlock(&client->lock);
}

void client_trouble(struct client *client, bool blocking, const char *format, ...)
{
    char text[240];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!blocking) {
        client_write(client, LOG_WARNING, text);
        return;
    }
    pthread_mutex_lock(&client->lock);
    text_copy(client->trouble, sizeof client->trouble, text);
    derive_state(client);
    pthread_mutex_unlock(&client->lock);
}

void client_mended(struct client *client)
{
    pthread_mutex_lock(&client->lock);
    *client->trouble = '\0';
    derive_state(client);
    pthread_mutex_unlock(&client->lock);
}

bool client_fatal(struct client *client, struct err *err)
{
    pthread_mutex_lock(&client->lock);
    bool fatal = client->fatal;
    if (fatal) {
        err_set(err, ERR_CONNECT, "%s", client->problem);
        if (err) {
            err->fatal = true;
            err->retriable = false;
        }
    }
    pthread_mutex_unlock(&client->lock);
    return fatal;
}

void client_figures(struct client *client, struct kafka_figures *figures)
{
    pthread_mutex_lock(&client->lock);
    /* While nothing was heard the clock alone changes what is to be said. */
    if (client->figures.state == KAFKA_CONNECTING)
        derive_state(client);
    *figures = client->figures;
    pthread_mutex_unlock(&client->lock);
}

struct kafka_figures *client_lock(struct client *client)
{
    pthread_mutex_lock(&client->lock);
    return &client->figures;
}

void client_unlock(struct client *client)
{
    pthread_mutex_unlock(&client->lock);
}
