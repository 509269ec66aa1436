/* What results.c (opening, writing) and results_read.c share. */
#ifndef SMARTCITY_STORE_RESULTS_PRIVATE_H
#define SMARTCITY_STORE_RESULTS_PRIVATE_H

#include "store/results.h"

#include "base/file.h"
#include "sql/sql.h"

#include <pthread.h>
#include <stdatomic.h>

#define RESULTS_CHUNK_LIMIT (64u << 20) /* of a chunk, unpacked */

struct results {
    char path[FILE_PATH_SIZE];
    struct sql_db *write, *read; /* the same in memory */
    pthread_mutex_t write_lock, read_lock_own;
    pthread_mutex_t *read_lock;
    _Atomic uint64_t generation;
};

#endif
