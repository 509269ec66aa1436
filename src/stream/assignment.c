#include "stream/assignment.h"

#include "base/clock.h"
#include "stream/broker.h"

#include <stdlib.h>
#include <string.h>

#define STORE_INTERVAL_US 200000
#define METADATA_MS       500
#define COMMITTED_MS      5000
#define LOOK_AGAIN_US     300000   /* nothing known yet */
#define LOOK_MISSING_US   3000000  /* some topic is not there */
#define LOOK_REFRESH_US   60000000 /* partitions may be added */
#define NUDGE_FIRST_US    10000
#define NUDGE_LAST_US     1000000

void assignment_init(struct assignment *assignment, const struct consumer_settings *settings)
{
    *assignment = (struct assignment){.embedded = settings->kafka.embedded,
                                      .grouped = settings->group && !settings->kafka.embedded,
                                      .has_group = settings->group != NULL,
                                      .durable = settings->group && settings->durable,
                                      .from = settings->from,
                                      .from_time = settings->from_time,
                                      .place = settings->place,
                                      .revoked = settings->revoked,
                                      .context = settings->context,
                                      .nudge_wait_us = NUDGE_FIRST_US};
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct assignment_topic *topic = &assignment->topics[kind];
        kafka_topic(&settings->kafka, kind, topic->name);
        topic->parts = mem_zero(ASSIGNMENT_PARTITIONS, sizeof *topic->parts);
    }
}

void assignment_free(struct assignment *assignment)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        free(assignment->topics[kind].parts);
        if (assignment->topics[kind].handle)
            rd_kafka_topic_destroy(assignment->topics[kind].handle);
    }
}

static int kind_of(const struct assignment *assignment, const char *topic)
{
    return kafka_kind(client_prefix(assignment->client), topic);
}

static void open_part(struct assignment *assignment, int kind, int32_t partition, int64_t expected)
{
    struct part *part = assignment_part(assignment, kind, partition);
    if (!part)
        return;
    part->placed = true;
    part->handed = -1;
    atomic_store(&part->stored, -1);
    atomic_store(&part->position, expected);
    atomic_store(&part->active, true);
    struct assignment_topic *topic = &assignment->topics[kind];
    if (partition >= atomic_load(&topic->end))
        atomic_store(&topic->end, partition + 1);
}

static void open_all(struct assignment *assignment, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *entry = &list->elems[i];
        open_part(assignment, kind_of(assignment, entry->topic), entry->partition,
                  entry->offset >= 0 ? entry->offset : -1);
    }
}

static void apply_pause(struct assignment *assignment)
{
    rd_kafka_t *rk = client_handle(assignment->client);
    bool pause = atomic_load(&assignment->pause_wanted);
    rd_kafka_topic_partition_list_t *list;
    if (rd_kafka_assignment(rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (list->cnt > 0 && pause)
        rd_kafka_pause_partitions(rk, list);
    else if (list->cnt > 0)
        rd_kafka_resume_partitions(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    atomic_store(&assignment->paused, pause);
}

/* ---- where to begin ---- */

/* librdkafka's logical offset; for a time, the time until place() has asked what it means. */
static int64_t start_offset(const struct assignment *assignment)
{
    switch (assignment->from) {
    case CONSUMER_FROM_START:
        return RD_KAFKA_OFFSET_BEGINNING;
    case CONSUMER_FROM_END:
        return RD_KAFKA_OFFSET_END;
    case CONSUMER_FROM_TIME:
        return assignment->from_time;
    default:
        return assignment->grouped ? RD_KAFKA_OFFSET_STORED : RD_KAFKA_OFFSET_END;
    }
}

static void resolve_times(struct assignment *assignment, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *times = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(client_handle(assignment->client), times, 3000);
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].offset != assignment->from_time)
            continue;
        bool known = code == RD_KAFKA_RESP_ERR_NO_ERROR && !times->elems[i].err;
        list->elems[i].offset = known ? times->elems[i].offset : RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_topic_partition_list_destroy(times);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        client_trouble(assignment->client, false,
                       "offsets by time cannot be had (%s): reading from the start", rd_kafka_err2str(code));
}

/* Partitions seen before go on where they were (direct) or where the group committed. */
static void place(struct assignment *assignment, rd_kafka_topic_partition_list_t *list)
{
    bool fresh = false;
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *entry = &list->elems[i];
        const struct part *part =
            assignment_part(assignment, kind_of(assignment, entry->topic), entry->partition);
        int64_t position = part ? atomic_load(&part->position) : -1;
        if (!part || !part->placed) {
            entry->offset = start_offset(assignment);
            fresh = true;
        } else if (assignment->grouped)
            entry->offset = RD_KAFKA_OFFSET_STORED;
        else
            entry->offset = position >= 0 ? position : start_offset(assignment);
    }
    if (fresh && assignment->from == CONSUMER_FROM_TIME)
        resolve_times(assignment, list);
}

/* Asks the reader, who is told what the group committed. */
static void ask_reader(struct assignment *assignment, rd_kafka_topic_partition_list_t *list)
{
    if (!assignment->place)
        return;
    rd_kafka_topic_partition_list_t *committed = rd_kafka_topic_partition_list_copy(list);
    if (assignment->grouped && rd_kafka_committed(client_handle(assignment->client), committed,
                                                  COMMITTED_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        assignment->misplaced = true; /* nobody would know what was read */
    for (int i = 0; i < list->cnt && !assignment->misplaced; i++) {
        rd_kafka_topic_partition_t *entry = &list->elems[i];
        int kind = kind_of(assignment, entry->topic);
        int64_t offset = assignment->grouped && !committed->elems[i].err ? committed->elems[i].offset : -1;
        offset = offset < 0 ? -1 : offset;
        if (kind < 0)
            continue;
        if (!assignment->place(assignment->context, (enum event_kind)kind, entry->partition, &offset))
            assignment->misplaced = true;
        else if (offset >= 0)
            entry->offset = offset;
    }
    rd_kafka_topic_partition_list_destroy(committed);
}

/* ---- three ways ---- */

static int assign_embedded(struct assignment *assignment, struct err *err)
{
    /* An explicit 0 needs no question to the broker, and on one that was born with us it is both the start
     * and any time in the past. */
    int64_t offset = 0;
    if (assignment->from == CONSUMER_FROM_END)
        offset = RD_KAFKA_OFFSET_END;
    else if (assignment->from == CONSUMER_FROM_STORED && assignment->has_group)
        offset = RD_KAFKA_OFFSET_STORED;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        /* Only a handle asks for the topic's leader at once. Without one, an assignment that comes just after
         * the connection is served by a scan once a second (librdkafka 2.0, rd_kafka_topic_scan_all). */
        struct assignment_topic *topic = &assignment->topics[kind];
        topic->handle = rd_kafka_topic_new(client_handle(assignment->client), topic->name, NULL);
        for (int i = 0; i < broker_partitions(kind); i++)
            rd_kafka_topic_partition_list_add(list, topic->name, i)->offset = offset;
    }
    ask_reader(assignment, list);
    open_all(assignment, list);
    rd_kafka_resp_err_t code = rd_kafka_assign(client_handle(assignment->client), list);
    atomic_store(&assignment->count, list->cnt);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_INTERNAL, "partitions cannot be assigned: %s", rd_kafka_err2str(code));
    return 0;
}

static int subscribe_group(struct assignment *assignment, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(EVENT_KIND_COUNT);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        rd_kafka_topic_partition_list_add(list, assignment->topics[kind].name, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(client_handle(assignment->client), list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_CONFIG, "cannot subscribe: %s", rd_kafka_err2str(code));
    return 0;
}

int assignment_start(struct assignment *assignment, struct client *client, struct err *err)
{
    assignment->client = client;
    if (assignment->embedded)
        return assign_embedded(assignment, err);
    return assignment->grouped ? subscribe_group(assignment, err) : 0;
}

void assignment_rebalance(struct assignment *assignment, rd_kafka_t *rk, rd_kafka_resp_err_t code,
                          rd_kafka_topic_partition_list_t *list)
{
    struct client *client = assignment->client;
    bool cooperative = !strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE");
    bool given = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    rd_kafka_error_t *error = NULL;
    rd_kafka_resp_err_t result = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (given) {
        place(assignment, list);
        ask_reader(assignment, list);
        open_all(assignment, list);
        if (cooperative)
            error = rd_kafka_incremental_assign(rk, list);
        else
            result = rd_kafka_assign(rk, list);
        if (atomic_load(&assignment->pause_wanted))
            apply_pause(assignment);
        client_mended(client);
    } else {
        assignment_hand_stored(assignment); /* librdkafka commits what it was told when it lets go */
        for (int i = 0; i < list->cnt; i++) {
            int kind = kind_of(assignment, list->elems[i].topic);
            struct part *part = assignment_part(assignment, kind, list->elems[i].partition);
            if (part)
                atomic_store(&part->active, false);
            if (assignment->revoked && kind >= 0)
                assignment->revoked(assignment->context, (enum event_kind)kind, list->elems[i].partition);
        }
        if (cooperative)
            error = rd_kafka_incremental_unassign(rk, list);
        else
            result = rd_kafka_assign(rk, NULL);
    }
    atomic_store(&assignment->count, cooperative
                                         ? atomic_load(&assignment->count) + (given ? list->cnt : -list->cnt)
                                         : (given ? list->cnt : 0));
    if (error || result)
        client_trouble(client, false, "assignment: %s",
                       error ? rd_kafka_error_string(error) : rd_kafka_err2str(result));
    else if (client_log(client))
        log_write(client_log(client), LOG_INFO, "kafka", "the group %s %d partitions",
                  given ? "gave us" : "took back", list->cnt);
    if (error)
        rd_kafka_error_destroy(error);
}

/* Finds the partitions of the five topics and assigns all of them. Sets when to look again. */
static void look(struct assignment *assignment, int64_t now)
{
    rd_kafka_t *rk = client_handle(assignment->client);
    const struct rd_kafka_metadata *metadata;
    assignment->next_look_us = now + LOOK_AGAIN_US;
    if (rd_kafka_metadata(rk, 1, NULL, &metadata, METADATA_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(32);
    unsigned found = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        int kind = kind_of(assignment, topic->topic);
        if (kind < 0 || topic->partition_cnt == 0)
            continue;
        found |= 1u << kind;
        for (int j = 0; j < topic->partition_cnt; j++)
            rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[j].id);
    }
    rd_kafka_metadata_destroy(metadata);
    client_seen(assignment->client);
    if (list->cnt > atomic_load(&assignment->count)) {
        place(assignment, list);
        ask_reader(assignment, list);
        rd_kafka_resp_err_t code = rd_kafka_assign(rk, list);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            open_all(assignment, list);
            atomic_store(&assignment->count, list->cnt);
            if (atomic_load(&assignment->pause_wanted))
                apply_pause(assignment);
        } else
            client_trouble(assignment->client, false, "assignment: %s", rd_kafka_err2str(code));
    }
    rd_kafka_topic_partition_list_destroy(list);

    bool all = found == (1u << EVENT_KIND_COUNT) - 1;
    assignment->next_look_us = now + (all ? LOOK_REFRESH_US : LOOK_MISSING_US);
    if (!found) {
        client_trouble(assignment->client, true,
                       "none of our topics is on %s: start a producer, or check the topic prefix",
                       client_address(assignment->client));
        assignment->troubled = true;
    } else if (assignment->troubled) {
        assignment->troubled = false;
        client_mended(assignment->client);
    }
}

/* ---- between polls ---- */

void assignment_hand_stored(struct assignment *assignment)
{
    if (!assignment->durable || !atomic_exchange(&assignment->dirty, false))
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct assignment_topic *topic = &assignment->topics[kind];
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
        rd_kafka_offsets_store(client_handle(assignment->client), list);
    rd_kafka_topic_partition_list_destroy(list);
}

void assignment_tick(struct assignment *assignment, int64_t now)
{
    if (!assignment->grouped && !assignment->embedded && now >= assignment->next_look_us)
        look(assignment, now);
    if (atomic_load(&assignment->pause_wanted) != atomic_load(&assignment->paused))
        apply_pause(assignment);
    if (now >= assignment->next_store_us) {
        assignment_hand_stored(assignment);
        assignment->next_store_us = now + STORE_INTERVAL_US;
    }
}

void assignment_flowing(struct assignment *assignment)
{
    assignment->nudge_wait_us = NUDGE_FIRST_US;
    assignment->next_nudge_us = 0;
}

void assignment_nudge(struct assignment *assignment, int64_t now)
{
    if (now < assignment->next_nudge_us || atomic_load(&assignment->paused))
        return;
    rd_kafka_t *rk = client_handle(assignment->client);
    rd_kafka_topic_partition_list_t *list = NULL;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct assignment_topic *topic = &assignment->topics[kind];
        for (int32_t i = 0; i < atomic_load(&topic->end); i++) {
            int64_t low, high, position = atomic_load(&topic->parts[i].position);
            if (!atomic_load(&topic->parts[i].active) || position < 0 ||
                rd_kafka_get_watermark_offsets(rk, topic->name, i, &low, &high) !=
                    RD_KAFKA_RESP_ERR_NO_ERROR ||
                high <= position || high <= low)
                continue;
            if (!list)
                list = rd_kafka_topic_partition_list_new(16);
            rd_kafka_topic_partition_list_add(list, topic->name, i)->offset = RD_KAFKA_OFFSET_END;
        }
    }
    assignment->next_nudge_us = now + assignment->nudge_wait_us;
    if (!list)
        return;
    /* One request to each leader; with no time to wait, the answers are thrown away. If it does not help, the
     * broker is slow or gone, and is asked less and less often. */
    rd_kafka_offsets_for_times(rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
    if (assignment->nudge_wait_us < NUDGE_LAST_US)
        assignment->nudge_wait_us *= 2;
}
