#include "stream/version.h"

#include <librdkafka/rdkafka.h>

const char *kafka_version(void)
{
    return rd_kafka_version_str();
}

void kafka_features(char *out, size_t size)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_get(conf, "builtin.features", out, &size) != RD_KAFKA_CONF_OK)
        out[0] = 0;
    rd_kafka_conf_destroy(conf);
}
