/*
 * S3 and Glue in memory, for tests of the lake: conditional puts, partitions, and faults at the Nth call: not
 * done; done, but the answer is lost; or nothing is done any more, as if the program had been killed there.
 */
#ifndef SMARTCITY_TESTS_FAKE_REMOTE_H
#define SMARTCITY_TESTS_FAKE_REMOTE_H

#include "lake/remote.h"

#include <pthread.h>

enum fake_fault { FAKE_NONE, FAKE_REFUSED, FAKE_LOST, FAKE_CONFLICT, FAKE_DEAD };

struct fake_object {
    char key[300];
    char *bytes;
    int64_t length;
    char sha256[65];
    int writes;
};

struct fake_partition {
    char name[120]; /* database.table/dt */
    char location[300];
};

struct fake_remote {
    struct lake_remote remote;
    pthread_mutex_t mutex;
    pthread_cond_t called;
    struct fake_object *objects;
    size_t count;
    struct fake_partition partitions[200];
    size_t partition_count;
    bool tables; /* are there */
    uint64_t calls;
    uint64_t fault_at; /* the call it befalls, from 1; 0 never */
    enum fake_fault fault;
    bool away; /* nothing answers */
    /* JSON calls that are not Glue's catalogue; NULL: unknown. input is borrowed. */
    json_t *(*others)(void *context, enum aws_service_id service, const char *operation, const json_t *input,
                      char *code);
    void *others_context;
};

struct fake_remote *fake_remote_create(void);
void fake_remote_destroy(struct fake_remote *fake);
void fake_remote_fault(struct fake_remote *fake, enum fake_fault fault,
                       uint64_t at_call); /* counts from now */
void fake_remote_revive(struct fake_remote *fake);
void fake_remote_set_away(struct fake_remote *fake, bool away);
/* Copies what is there under the prefix into files of the folder, numbered; returns how many. */
size_t fake_remote_export(struct fake_remote *fake, const char *prefix, const char *suffix,
                          const char *folder);
const struct fake_object *fake_remote_find(struct fake_remote *fake, const char *key); /* NULL */
size_t fake_remote_count(struct fake_remote *fake, const char *prefix);
/* "" when there is none. */
const char *fake_remote_partition(struct fake_remote *fake, const char *name);
/* Waits until at least so many calls were made; false after ten seconds. */
bool fake_remote_wait_calls(struct fake_remote *fake, uint64_t calls);

#endif
