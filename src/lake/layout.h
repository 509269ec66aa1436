/*
 * Names of objects in the lake. All of them follow from the batch's key, so that a repeat finds what it
 * wrote:
 *
 *     raw/vehicle_data/dt=2026-01-12/[CLUSTER-]PARTITION-START-END.parquet     data
 *     frames/traffic_data/dt=2026-01-12/[CLUSTER-]PARTITION-OFFSET.jpg         pictures that rows refer to
 *     quarantine/vehicle_data/[CLUSTER-]PARTITION-START-END.ndjson             what could not be decoded
 *     _sink/[CLUSTER/]vehicle_data/PARTITION/START.json                        intents; outside of any table
 *     curated/vehicle_data/dt=2026-01-12/…                                     what the transformation made
 *     compact/vehicle_data/dt=2026-01-12/…                                     closed partitions in one file
 *     load/[CLUSTER-]vehicle_data-PARTITION-START-END.manifest                 of Redshift's COPY
 *     _transform/vehicle_data/NUMBER.json, _transform/ended/TOKEN              turns (pipeline_turn.c)
 *
 * CLUSTER is there when the batch's key has one: brokers that begin again at offset 0, as the embedded one
 * does, must not meet in one name. START, END and OFFSET have 20 digits: they sort. Pure.
 */
#ifndef SMARTCITY_LAKE_LAYOUT_H
#define SMARTCITY_LAKE_LAYOUT_H

#include "lake/batch.h"

#define LAKE_OBJECT_KEY_SIZE 256
#define LAKE_URL_SIZE        (LAKE_OBJECT_KEY_SIZE + 80)

/* "_sink/…/PARTITION/" */
char *lake_layout_sink(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key);
char *lake_layout_intent(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key);
/* The start offset of an intent's key; -1 when it is none. */
int64_t lake_layout_intent_start(const char *object_key);
char *lake_layout_data(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key, const char *dt);
char *lake_layout_quarantine(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key);
char *lake_layout_frame(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key, int64_t offset,
                        const char *dt, const uint8_t *bytes, size_t length);
char *lake_layout_manifest(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key);
/* "raw/vehicle_data/" or "curated/vehicle_data/" */
char *lake_layout_table(char out[LAKE_OBJECT_KEY_SIZE], enum event_kind kind, enum lake_zone zone);
/* "raw/vehicle_data/dt=2026-01-12/" */
char *lake_layout_partition(char out[LAKE_OBJECT_KEY_SIZE], enum event_kind kind, enum lake_zone zone,
                            const char *dt);
/* Short, unique, for the ledger and for tokens: "CLUSTER/vehicle_data/0/120-240". */
char *lake_layout_batch_name(char out[LAKE_OBJECT_KEY_SIZE], const struct lake_batch_key *key);
/* The other way; false when it is none. */
bool lake_layout_batch_parse(const char *name, struct lake_batch_key *key);
/* True for a name that may stand for a cluster: [a-z0-9-], at most LAKE_CLUSTER_SIZE - 1, or "". */
bool lake_layout_cluster_valid(const char *cluster);

#endif
