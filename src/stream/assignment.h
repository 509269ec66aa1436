/*
 * Which partitions a consumer reads, from where, and how far it has come. Three ways to come by them.
 * Embedded: the counts are known and the start is offset 0, so they are assigned at once, without asking the
 * broker anything; the first record arrives within a tenth of a second. Group: subscribe, and the broker
 * assigns. Neither: the cluster is asked for the partitions in assignment_tick, again and again until they
 * are all there.
 *
 * Internal to src/stream. The consumer's thread changes it; the figures of a partition are relaxed atomics,
 * so that others can read them without a lock.
 */
#ifndef SMARTCITY_STREAM_ASSIGNMENT_H
#define SMARTCITY_STREAM_ASSIGNMENT_H

#include "stream/client.h"
#include "stream/consumer.h"

#include <stdatomic.h>

#define ASSIGNMENT_PARTITIONS 1024 /* a topic; further ones are read but have no figures of their own */

struct part {
    _Atomic bool active;
    _Atomic int64_t position;   /* next offset; -1 before the first record */
    _Atomic int64_t produced;   /* newest consumed: wall us; 0 unknown */
    _Atomic int64_t stored;     /* next offset that is not yet safe; -1 */
    int64_t gone_from, gone_to; /* what seems to be gone from the broker unread; owner */
    int64_t handed;             /* what of it librdkafka was told; owner */
    bool placed;                /* `from` was applied; owner */
};

struct assignment_topic {
    char name[KAFKA_TOPIC_SIZE];
    struct part *parts;       /* ASSIGNMENT_PARTITIONS; pages that are never touched cost nothing */
    _Atomic int32_t end;      /* one more than the highest partition that was ever active */
    rd_kafka_topic_t *handle; /* embedded only */
};

struct assignment {
    struct client *client;
    bool embedded, grouped, durable, has_group;
    int from;
    int64_t from_time;
    struct assignment_topic topics[EVENT_KIND_COUNT];
    _Atomic int count; /* partitions assigned */
    _Atomic bool paused, pause_wanted;
    _Atomic bool dirty; /* something was stored */
    bool troubled;
    int64_t next_look_us, next_store_us;
    int64_t next_nudge_us, nudge_wait_us;
    bool (*place)(void *context, enum event_kind kind, int32_t partition, int64_t *offset);
    void (*revoked)(void *context, enum event_kind kind, int32_t partition);
    void *context;
    bool misplaced; /* place() said no */
};

void assignment_init(struct assignment *assignment, const struct consumer_settings *settings);
/* Before the client is destroyed, and when it never came to be. */
void assignment_free(struct assignment *assignment);
/* The client exists now. */
int assignment_start(struct assignment *assignment, struct client *client, struct err *err);
/* Before each poll: new partitions, pause wanted, offsets to be committed. May block for half a second, and
 * only on an outside cluster without group, while partitions are sought. */
void assignment_tick(struct assignment *assignment, int64_t now);
/* When a poll found nothing, and again when something came: gets fetching going that stopped because the
 * local queue was full. librdkafka 2.0 looks again only after a second, however fast the queue was emptied,
 * unless something else happens on the connection; here that is a question for the offsets of the partitions
 * that are behind, whose answer nobody waits for. */
void assignment_nudge(struct assignment *assignment, int64_t now);
void assignment_flowing(struct assignment *assignment);
/* Hands stored offsets to librdkafka, which commits them in the background. */
void assignment_hand_stored(struct assignment *assignment);
void assignment_rebalance(struct assignment *assignment, rd_kafka_t *rk, rd_kafka_resp_err_t code,
                          rd_kafka_topic_partition_list_t *list);

/* NULL when it has no figures. */
static inline struct part *assignment_part(struct assignment *assignment, int kind, int32_t partition)
{
    return kind >= 0 && partition >= 0 && partition < ASSIGNMENT_PARTITIONS
               ? &assignment->topics[kind].parts[partition]
               : NULL;
}

#endif
