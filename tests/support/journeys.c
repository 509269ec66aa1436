#include "tests/support/journeys.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void store_enter(char folder[64])
{
    snprintf(folder, 64, "/tmp/smartcity-test-XXXXXX");
    if (!mkdtemp(folder))
        abort();
}

void store_leave(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "chmod -R u+rwx '%s' && rm -rf '%s'", folder, folder);
    if (system(command) != 0)
        abort();
}

void store_make(struct store_record *made, uint64_t i)
{
    memset(made, 0, sizeof *made);
    int device = (int)(i / EVENT_KIND_COUNT % STORE_DEVICES);
    snprintf(made->key, sizeof made->key, "device-%d", device);
    snprintf(made->value, sizeof made->value, "{\"deviceId\":\"device-%d\",\"n\":%llu,\"speed\":%d.5}",
             device, (unsigned long long)i, (int)(i * 7 % 130));
    /* One header, as record_headers_put writes it. */
    char number[24];
    int length = snprintf(number, sizeof number, "%llu", (unsigned long long)i);
    uint8_t *at = made->headers;
    *at++ = 1, *at++ = 0, *at++ = 'n', *at++ = (uint8_t)length, *at++ = 0, *at++ = 0, *at++ = 0;
    memcpy(at, number, (size_t)length);
    made->event_ms = STORE_START_US / 1000 + (int64_t)i * 100;
    made->record = (struct record){
        .kind = (int)(i % EVENT_KIND_COUNT),
        .partition = (int32_t)(i % 3),
        .offset = (int64_t)i,
        .timestamp = STORE_START_US / 1000 + (int64_t)i * 20,
        .arrived_us = STORE_START_US + (int64_t)i * STORE_STEP_US,
        .key = made->key,
        .key_length = strlen(made->key),
        .value = made->value,
        .value_length = strlen(made->value),
        .headers = made->headers,
        .headers_length = (size_t)length + 7,
    };
}

static bool same_bytes(const void *a, size_t a_length, const void *b, size_t b_length)
{
    return a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0);
}

int64_t store_check(const struct record *record, int64_t event_ms)
{
    struct store_record made;
    if (record->offset < 0)
        return -1;
    store_make(&made, (uint64_t)record->offset);
    const struct record *expected = &made.record;
    bool same =
        record->kind == expected->kind && record->partition == expected->partition &&
        record->timestamp == expected->timestamp && record->arrived_us == expected->arrived_us &&
        event_ms == made.event_ms &&
        same_bytes(record->key, record->key_length, expected->key, expected->key_length) &&
        same_bytes(record->value, record->value_length, expected->value, expected->value_length) &&
        same_bytes(record->headers, record->headers_length, expected->headers, expected->headers_length);
    return same ? record->offset : -1;
}

int store_add(struct journey_writer *writer, uint64_t first, uint64_t count, uint64_t commit_each,
              struct err *err)
{
    struct store_record made;
    for (uint64_t i = first; i < first + count; i++) {
        store_make(&made, i);
        if (journey_add(writer, &made.record, made.event_ms, err) < 0)
            return -1;
        if (commit_each && (i - first) % commit_each == commit_each - 1 && journey_commit(writer, err) < 0)
            return -1;
    }
    return 0;
}

void store_journey(const char *path, uint64_t count)
{
    struct err err = ERR_INIT;
    struct journey_settings settings = {.path = path, .name = "test", .seed = "7", .source = "LOCAL"};
    struct journey_writer *writer = journey_create(&settings, &err);
    if (!writer || store_add(writer, 0, count, 50, &err) < 0 || journey_close(writer, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

/* ---- the disk ---- */

/* Wraps SQLite's default VFS: each open file has our methods, and the real file behind our header. */
struct disk_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs disk_vfs;
static sqlite3_io_methods disk_methods;
static atomic_bool disk_is_full;

#define REAL(file) (((struct disk_file *)(file))->real)

static int disk_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset)
{
    return disk_is_full ? SQLITE_FULL : REAL(file)->pMethods->xWrite(REAL(file), bytes, length, offset);
}
static int disk_close(sqlite3_file *file)
{
    return REAL(file)->pMethods->xClose(REAL(file));
}
static int disk_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset)
{
    return REAL(file)->pMethods->xRead(REAL(file), bytes, length, offset);
}
static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return REAL(file)->pMethods->xTruncate(REAL(file), size);
}
static int disk_sync(sqlite3_file *file, int flags)
{
    return REAL(file)->pMethods->xSync(REAL(file), flags);
}
static int disk_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return REAL(file)->pMethods->xFileSize(REAL(file), size);
}
static int disk_lock(sqlite3_file *file, int level)
{
    return REAL(file)->pMethods->xLock(REAL(file), level);
}
static int disk_unlock(sqlite3_file *file, int level)
{
    return REAL(file)->pMethods->xUnlock(REAL(file), level);
}
static int disk_check_lock(sqlite3_file *file, int *result)
{
    return REAL(file)->pMethods->xCheckReservedLock(REAL(file), result);
}
static int disk_control(sqlite3_file *file, int op, void *argument)
{
    return REAL(file)->pMethods->xFileControl(REAL(file), op, argument);
}
static int disk_sector(sqlite3_file *file)
{
    return REAL(file)->pMethods->xSectorSize(REAL(file));
}
static int disk_device(sqlite3_file *file)
{
    return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}
static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return REAL(file)->pMethods->xShmMap(REAL(file), page, size, extend, out);
}
static int disk_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return REAL(file)->pMethods->xShmLock(REAL(file), offset, count, flags);
}
static void disk_shm_barrier(sqlite3_file *file)
{
    REAL(file)->pMethods->xShmBarrier(REAL(file));
}
static int disk_shm_unmap(sqlite3_file *file, int remove)
{
    return REAL(file)->pMethods->xShmUnmap(REAL(file), remove);
}

static int disk_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
    struct disk_file *disk = (struct disk_file *)file;
    disk->real = (sqlite3_file *)(disk + 1);
    int code = real_vfs->xOpen(real_vfs, name, disk->real, flags, out_flags);
    disk->base.pMethods = disk->real->pMethods ? &disk_methods : NULL;
    return code;
}

void store_disk_install(void)
{
    if (real_vfs)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    disk_vfs = *real_vfs;
    disk_vfs.zName = "disk";
    disk_vfs.szOsFile = (int)sizeof(struct disk_file) + real_vfs->szOsFile;
    disk_vfs.xOpen = disk_open;
    disk_methods = (sqlite3_io_methods){.iVersion = 2,
                                        .xClose = disk_close,
                                        .xRead = disk_read,
                                        .xWrite = disk_write,
                                        .xTruncate = disk_truncate,
                                        .xSync = disk_sync,
                                        .xFileSize = disk_size,
                                        .xLock = disk_lock,
                                        .xUnlock = disk_unlock,
                                        .xCheckReservedLock = disk_check_lock,
                                        .xFileControl = disk_control,
                                        .xSectorSize = disk_sector,
                                        .xDeviceCharacteristics = disk_device,
                                        .xShmMap = disk_shm_map,
                                        .xShmLock = disk_shm_lock,
                                        .xShmBarrier = disk_shm_barrier,
                                        .xShmUnmap = disk_shm_unmap};
    sqlite3_vfs_register(&disk_vfs, 1);
}

void store_disk_full(bool full)
{
    disk_is_full = full;
}
