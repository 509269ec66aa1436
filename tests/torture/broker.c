/*
 * A Kafka broker in a process of its own, so that it outlives what is killed: librdkafka's mock cluster, and
 * a plain reader of it that knows nothing of the program under test.
 *
 *     broker [PARTITIONS]      prints {"bootstrap":"127.0.0.1:PORT"}, then reads commands, one a line:
 *     dump FILE                everything it holds, as lines "topic partition offset id"; answers the count
 *     down, up                 hangs up on everybody; takes them again
 *
 * It ends when its input does. The mock keeps 5 MiB a partition and drops the oldest silently: dump fails
 * when an offset of any partition is missing, so the comparison is never made with less than was
 * acknowledged.
 */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS  10000
#define FETCH_MS 200

static const char *const TOPICS[] = {"vehicle_data", "gps_data", "traffic_data", "weather_data",
                                     "emergency_data"};
#define TOPIC_COUNT (sizeof TOPICS / sizeof *TOPICS)

static rd_kafka_t *create(rd_kafka_type_t type, const char *const *properties)
{
    char problem[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (; *properties; properties += 2)
        if (rd_kafka_conf_set(conf, properties[0], properties[1], problem, sizeof problem) !=
            RD_KAFKA_CONF_OK) {
            fprintf(stderr, "broker: %s\n", problem);
            exit(1);
        }
    rd_kafka_t *rk = rd_kafka_new(type, conf, problem, sizeof problem);
    if (!rk) {
        fprintf(stderr, "broker: %s\n", problem);
        exit(1);
    }
    return rk;
}

static bool write_line(FILE *out, const rd_kafka_message_t *message)
{
    json_t *event = json_loadb(message->payload, message->len, 0, NULL);
    const char *id = json_string_value(json_object_get(event, "id"));
    fprintf(out, "%s %d %lld %s\n", rd_kafka_topic_name(message->rkt), message->partition,
            (long long)message->offset, id ? id : "-");
    json_decref(event);
    return id != NULL;
}

/* The count, or -1 when something is missing. */
static long long dump(const char *bootstrap, int partitions, FILE *out)
{
    const char *const properties[] = {"bootstrap.servers",
                                      bootstrap,
                                      "group.id",
                                      "torture-dump",
                                      "enable.auto.commit",
                                      "false",
                                      "auto.offset.reset",
                                      "error",
                                      "fetch.wait.max.ms",
                                      "10",
                                      NULL};
    rd_kafka_t *rk = create(RD_KAFKA_CONSUMER, properties);
    rd_kafka_poll_set_consumer(rk);
    long long count = 0;
    for (size_t t = 0; t < TOPIC_COUNT && count >= 0; t++)
        for (int p = 0; p < partitions && count >= 0; p++) {
            int64_t low = -1, high = -1, next = 0;
            if (rd_kafka_query_watermark_offsets(rk, TOPICS[t], p, &low, &high, WAIT_MS) != 0) {
                fprintf(stderr, "broker: %s [%d]: no watermarks\n", TOPICS[t], p);
                count = -1;
                break;
            }
            rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
            rd_kafka_topic_partition_list_add(list, TOPICS[t], p)->offset = 0;
            rd_kafka_assign(rk, list);
            rd_kafka_topic_partition_list_destroy(list);
            for (int idle = 0; next < high && idle * FETCH_MS < WAIT_MS;) {
                rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, FETCH_MS);
                if (message && message->err == 0) {
                    if (message->offset != next)
                        break;
                    write_line(out, message);
                    next++;
                    count++;
                    idle = 0;
                } else if (message && message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
                    rd_kafka_message_destroy(message);
                    break;
                } else {
                    idle++;
                }
                if (message)
                    rd_kafka_message_destroy(message);
            }
            if (next < high) {
                fprintf(stderr, "broker: %s [%d]: offset %lld of %lld is gone\n", TOPICS[t], p,
                        (long long)next, (long long)high);
                count = -1;
            }
        }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return count;
}

int main(int argc, char **argv)
{
    const char *const properties[] = {"test.mock.num.brokers", "1", NULL};
    int partitions = argc > 1 ? atoi(argv[1]) : 4;
    if (partitions < 1 || partitions > 64) {
        fprintf(stderr, "broker: 1 to 64 partitions\n");
        return 2;
    }
    rd_kafka_t *rk = create(RD_KAFKA_PRODUCER, properties);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(rk);
    for (size_t t = 0; t < TOPIC_COUNT; t++)
        rd_kafka_mock_topic_create(cluster, TOPICS[t], partitions, 1);
    const char *bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
    printf("{\"bootstrap\":\"%s\"}\n", bootstrap);
    fflush(stdout);
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "dump ", 5) == 0) {
            FILE *out = fopen(line + 5, "w");
            long long count = out ? dump(bootstrap, partitions, out) : -1;
            if (out && fclose(out) != 0)
                count = -1;
            printf("%lld\n", count);
        } else if (strcmp(line, "down") == 0) {
            rd_kafka_mock_broker_set_down(cluster, -1);
            puts("down");
        } else if (strcmp(line, "up") == 0) {
            rd_kafka_mock_broker_set_up(cluster, -1);
            puts("up");
        } else {
            puts("?");
        }
        fflush(stdout);
    }
    rd_kafka_destroy(rk);
    return 0;
}
