#include "localcloud/objects_private.h"

#include "aws/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Blobs: their names, and when those that nothing names any more are removed. */

void objects_blob_name(struct objects *objects, char blob[OBJECTS_BLOB_SIZE])
{
    unsigned char text[sizeof objects->seed + sizeof(uint64_t)];
    char hex[SIGV4_HEX];
    pthread_mutex_lock(&objects->lock);
    uint64_t count = objects->blob_count++;
    pthread_mutex_unlock(&objects->lock);
    memcpy(text, objects->seed, sizeof objects->seed);
    memcpy(text + sizeof objects->seed, &count, sizeof count);
    sigv4_sha256(text, sizeof text, hex);
    memcpy(blob, hex, OBJECTS_BLOB_SIZE - 1);
    blob[OBJECTS_BLOB_SIZE - 1] = '\0';
}

char *objects_path(const struct objects *objects, const char *blob, char path[OBJECTS_PATH_SIZE])
{
    snprintf(path, OBJECTS_PATH_SIZE, "%s/blobs/%.2s/%s", objects->folder, blob, blob);
    return path;
}

int objects_blob_folder(struct objects *objects, const char *blob, struct err *err)
{
    char path[OBJECTS_PATH_SIZE];
    snprintf(path, sizeof path, "%s/blobs/%.2s", objects->folder, blob);
    return file_make_dirs(path, err);
}

void objects_drop(struct objects *objects, const char *blob)
{
    char path[OBJECTS_PATH_SIZE];
    pthread_mutex_lock(&objects->lock);
    bool leased = objects->leases != NULL;
    if (leased) {
        if (objects->dropped_count == objects->dropped_capacity) {
            objects->dropped_capacity = objects->dropped_capacity ? objects->dropped_capacity * 2 : 64;
            objects->dropped =
                mem_resize(objects->dropped, objects->dropped_capacity, sizeof *objects->dropped);
        }
        struct objects_dropped *dropped = &objects->dropped[objects->dropped_count++];
        memcpy(dropped->blob, blob, OBJECTS_BLOB_SIZE);
        dropped->when = ++objects->clock;
    }
    pthread_mutex_unlock(&objects->lock);
    if (!leased)
        unlink(objects_path(objects, blob, path));
}

struct objects_lease *objects_lease(struct objects *objects)
{
    struct objects_lease *lease = mem_zero(1, sizeof *lease);
    lease->objects = objects;
    pthread_mutex_lock(&objects->lock);
    lease->since = ++objects->clock;
    lease->next = objects->leases;
    objects->leases = lease;
    pthread_mutex_unlock(&objects->lock);
    return lease;
}

void objects_release(struct objects_lease *lease)
{
    if (!lease)
        return;
    struct objects *objects = lease->objects;
    char path[OBJECTS_PATH_SIZE];
    pthread_mutex_lock(&objects->lock);
    struct objects_lease **link = &objects->leases;
    while (*link != lease)
        link = &(*link)->next;
    *link = lease->next;
    uint64_t oldest = UINT64_MAX;
    for (const struct objects_lease *other = objects->leases; other; other = other->next)
        oldest = other->since < oldest ? other->since : oldest;
    size_t kept = 0;
    for (size_t i = 0; i < objects->dropped_count; i++) {
        if (objects->dropped[i].when < oldest)
            unlink(objects_path(objects, objects->dropped[i].blob, path));
        else
            objects->dropped[kept++] = objects->dropped[i];
    }
    objects->dropped_count = kept;
    pthread_mutex_unlock(&objects->lock);
    free(lease);
}
