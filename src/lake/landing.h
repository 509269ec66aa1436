/*
 * Landing: a closed batch, as files in the spool, becomes objects in S3, exactly once.
 *
 *     1  the intent, if there is none            fences a second writer; fixes the end
 *     2  pictures, quarantine, then data files   under names of the offsets, if there are none
 *     3  partitions in the catalogue
 *     4  the caller commits the offset to Kafka
 *
 * Each step may be repeated: what is there already and is the same counts as done. So a landing that failed
 * half-way, or whose answer was lost, or that another run began, is simply landed again.
 *
 * After the last data file nothing of the batch is missing: it is landed when all files of its intent are
 * there. Two batches of one partition are never landed at the same time, so only the newest intent of a
 * partition can be unfinished. Recovery therefore reads one intent.
 */
#ifndef SMARTCITY_LAKE_LANDING_H
#define SMARTCITY_LAKE_LANDING_H

#include "base/log.h"
#include "lake/intent.h"
#include "lake/remote.h"

struct lake_spooled_frame {
    char *key;
    char content_type[24];
    int64_t offset, length; /* in the file of frames */
};

/* A closed batch, out of memory. Files are removed with it. */
struct lake_item {
    struct lake_intent intent;
    char paths[LAKE_DAYS_MAX][FILE_PATH_SIZE]; /* of intent.files */
    struct lake_spooled_frame *frames;
    char frames_path[FILE_PATH_SIZE], quarantine_path[FILE_PATH_SIZE]; /* "" none */
    int64_t quarantine_bytes;
    int64_t spool_bytes; /* of all files */
    uint64_t sequence;   /* of closing, from 1 */
    int64_t opened_us, closed_us, first_ms, last_ms;
    uint64_t records;
    bool redo; /* the intent is there already, from another run */
    bool intended;
};

/* Writes the files; the batch is not needed afterwards. writer_id: LAKE_WRITER_SIZE. */
struct lake_item *lake_spool(struct lake_writer *writer, const struct lake_batch *batch, const char *folder,
                             const char *writer_id, struct err *err);
void lake_item_destroy(struct lake_item *item); /* NULL allowed */

enum lake_landed {
    LAKE_LANDED,
    LAKE_LATER,  /* err says why; the same again may succeed */
    LAKE_FENCED, /* another writer has taken the range */
    LAKE_FAULT   /* what is there under its name is not the same: nothing is overwritten */
};

struct lake_landing_counts {
    uint64_t objects, bytes; /* written */
    uint64_t found;          /* were there already, and the same */
    uint64_t conflicts;      /* 409 */
    uint64_t partitions;     /* made in the catalogue */
};

struct lake_landing {
    const struct lake_remote *remote;
    struct lake_writer *writer; /* for comparing files; of the calling thread */
    const char *folder;
    const struct lake_schema *schemas; /* EVENT_KIND_COUNT of LAKE_RAW */
    bool catalogue;                    /* register partitions */
    struct log *log;
    struct lake_landing_counts counts; /* summed up */
};

/* Steps 1 to 3. Blocks. */
enum lake_landed lake_land(struct lake_landing *landing, struct lake_item *item, struct err *err);

/* ---- recovery --------------------------------------------------------------------------------------- */

enum lake_recovered {
    LAKE_RECOVERED_NOTHING, /* no intent: the consumer group, or the beginning, says where to start */
    LAKE_RECOVERED_END,     /* the newest is finished: go on at its end */
    LAKE_RECOVERED_REDO     /* it is not: take [start, end) again, exactly */
};
/* Reads the newest intent of key's cluster, topic and partition. intent (free it) is set unless NOTHING. -1
 * and err, or an enum lake_recovered. */
int lake_recover_intent(const struct lake_remote *remote, const struct lake_batch_key *key,
                        struct lake_intent *intent, struct err *err);
/* All files of the intent are there: 1, 0, or -1. */
int lake_intent_landed(const struct lake_remote *remote, const struct lake_intent *intent, struct err *err);

/* ---- the catalogue ---------------------------------------------------------------------------------- */

/* "s3://bucket/KEY" */
char *lake_url(char out[LAKE_URL_SIZE], const struct lake_remote *remote, const char *key);
/* Database and table, made when they are missing, given the columns that were added since; *made (NULL
 * allowed) when something was. */
int lake_catalogue_ensure(const struct lake_remote *remote, const struct lake_schema *schema, bool *made,
                          struct err *err);
/* Makes the partition, or, when it points elsewhere (compacted), points it back to where everything is. */
int lake_catalogue_register(const struct lake_remote *remote, const struct lake_schema *schema,
                            const char *dt, bool *made, struct err *err);
int lake_catalogue_move(const struct lake_remote *remote, const struct lake_schema *schema, const char *dt,
                        const char *location, struct err *err);
/* Into out; ERR_NOT_FOUND when there is no such partition. */
int lake_catalogue_location(const struct lake_remote *remote, const struct lake_schema *schema,
                            const char *dt, char out[LAKE_URL_SIZE], struct err *err);

#endif
