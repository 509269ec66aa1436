/*
 * One librdkafka client as producer and consumer use it: configuration in layers (ours, then the operator's
 * properties), log lines into struct log, and the state of the connection in words.
 *
 * Internal to src/stream. The callbacks run on the thread that polls the client's main queue (or, for log
 * lines, on librdkafka's own threads); client_figures may be called from any thread.
 */
#ifndef SMARTCITY_STREAM_CLIENT_H
#define SMARTCITY_STREAM_CLIENT_H

#include "stream/kafka.h"

#include <librdkafka/rdkafka.h>

/* Sets one "key=value" (kafka.c). ERR_CONFIG; never repeats the value of a secret. */
int kafka_property_set(rd_kafka_conf_t *conf, const char *property, struct err *err);
/* Whether the operator set it. */
bool kafka_property_given(const struct kafka_settings *settings, const char *name);

struct client;

struct client_property {
    const char *name, *value;
};
struct client_design {
    rd_kafka_type_t type;
    const struct client_property *ours;                          /* ended by name NULL */
    void (*prepare)(rd_kafka_conf_t *conf, void *context);       /* more callbacks; may be NULL */
    void (*on_statistics)(struct client *client, void *context); /* after each report; may be NULL */
    void *context;
};

/* Does not wait for a connection. ERR_CONFIG for a bad property. The opaque of the handle is the client. */
struct client *client_create(const struct kafka_settings *settings, const struct client_design *design,
                             struct err *err);
void client_destroy(struct client *client); /* the handle too; nobody may poll it any more */
/* Instead: handle and client stay until the process ends and say nothing more. For a handle that cannot be
 * destroyed in an operator's time: librdkafka waits in there for commits that a broker which hangs or is gone
 * leaves unanswered, up to session.timeout.ms and socket.timeout.ms. */
void client_abandon(struct client *client);
rd_kafka_t *client_handle(const struct client *client);
void *client_context(const struct client *client);
struct log *client_log(const struct client *client);
const char *client_address(const struct client *client); /* bootstrap servers in force */
const char *client_prefix(const struct client *client);  /* of topics; "" when none */

/* The value in force of a property as a number; `otherwise` when it has none. */
int64_t client_property_int(const struct client *client, const char *name, int64_t otherwise);

/* Traffic was seen: cheap when the state is up already. */
void client_seen(struct client *client);
/* An error met by the owner (of a record, a topic, an assignment): logged, and KAFKA_DOWN when `blocking`. */
void client_trouble(struct client *client, bool blocking, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A blocking trouble was mended. */
void client_mended(struct client *client);
bool client_fatal(struct client *client, struct err *err); /* true when librdkafka raised a fatal error */

/* A copy under the lock. */
void client_figures(struct client *client, struct kafka_figures *figures);
/* For what the owner measures itself; lock, change, unlock. */
struct kafka_figures *client_lock(struct client *client);
void client_unlock(struct client *client);

#endif
