/* The librdkafka that is linked. Any thread. */
#ifndef SMARTCITY_STREAM_VERSION_H
#define SMARTCITY_STREAM_VERSION_H

#include <stddef.h>

const char *kafka_version(void);
void kafka_features(char *out, size_t size); /* "gzip,snappy,ssl,…" */

#endif
