#include "tests/support/fake_remote.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With the mutex held. What befalls this call. */
static enum fake_fault begin(struct fake_remote *fake)
{
    pthread_mutex_lock(&fake->mutex);
    fake->calls++;
    pthread_cond_broadcast(&fake->called);
    if (fake->away)
        return FAKE_REFUSED;
    if (fake->fault == FAKE_DEAD && fake->fault_at && fake->calls >= fake->fault_at)
        return FAKE_DEAD;
    return fake->fault_at && fake->calls == fake->fault_at ? fake->fault : FAKE_NONE;
}

static int end(struct fake_remote *fake, enum fake_fault fault, int result, struct err *err)
{
    pthread_mutex_unlock(&fake->mutex);
    if (fault == FAKE_NONE || fault == FAKE_CONFLICT)
        return result;
    return err_set(err, ERR_CONNECT, fault == FAKE_LOST ? "the answer was lost" : "nobody answers");
}

static struct fake_object *find(struct fake_remote *fake, const char *key)
{
    for (size_t i = 0; i < fake->count; i++)
        if (strcmp(fake->objects[i].key, key) == 0)
            return &fake->objects[i];
    return NULL;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct fake_object *)a)->key, ((const struct fake_object *)b)->key);
}

static void store(struct fake_remote *fake, const char *key, const void *bytes, int64_t length,
                  const char *sha256)
{
    struct fake_object *object = find(fake, key);
    if (!object) {
        fake->objects = mem_resize(fake->objects, fake->count + 1, sizeof *fake->objects);
        object = &fake->objects[fake->count++];
        *object = (struct fake_object){0};
        text_copy(object->key, sizeof object->key, key);
    }
    free(object->bytes);
    object->bytes = mem_alloc((unsigned long)length + 1);
    memcpy(object->bytes, bytes, (size_t)length);
    object->bytes[length] = '\0';
    object->length = length;
    object->writes++;
    text_copy(object->sha256, sizeof object->sha256, sha256 ? sha256 : "");
    qsort(fake->objects, fake->count, sizeof *fake->objects, by_key);
}

static void put_object(struct fake_remote *fake, const struct lake_put *put, enum lake_put_end *put_end)
{
    *put_end = find(fake, put->key) ? LAKE_PUT_EXISTS : LAKE_PUT_DONE;
    if (*put_end == LAKE_PUT_EXISTS)
        return;
    char *bytes = mem_alloc((unsigned long)put->length + 1);
    if (put->path) {
        int fd = open(put->path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || pread(fd, bytes, (size_t)put->length, put->offset) != put->length)
            abort();
        close(fd);
    } else {
        memcpy(bytes, put->bytes, (size_t)put->length);
    }
    store(fake, put->key, bytes, put->length, put->sha256);
    free(bytes);
}

static int do_put(void *context, const struct lake_put *put, enum lake_put_end *put_end, struct err *err)
{
    struct fake_remote *fake = context;
    enum fake_fault fault = begin(fake);
    if (fault == FAKE_NONE || fault == FAKE_LOST)
        put_object(fake, put, put_end);
    else
        *put_end = LAKE_PUT_CONFLICT;
    return end(fake, fault, 0, err);
}

static int do_put_many(void *context, const struct lake_put *puts, size_t count, struct err *err)
{
    enum lake_put_end put_end;
    for (size_t i = 0; i < count; i++)
        if (do_put(context, &puts[i], &put_end, err) != 0)
            return -1;
    return 0;
}

static int do_replace(void *context, const char *key, const void *bytes, size_t length,
                      const char *content_type, struct err *err)
{
    struct fake_remote *fake = context;
    enum fake_fault fault = begin(fake);
    if (fault == FAKE_NONE || fault == FAKE_LOST)
        store(fake, key, bytes, (int64_t)length, NULL);
    return end(fake, fault, 0, err);
}

static int do_head(void *context, const char *key, struct lake_object *object, struct err *err)
{
    struct fake_remote *fake = context;
    enum fake_fault fault = begin(fake);
    const struct fake_object *there = find(fake, key);
    int result = there ? 0 : err_set(err, ERR_NOT_FOUND, "%s is not there", key);
    *object = (struct lake_object){.bytes = there ? there->length : -1};
    if (there)
        text_copy(object->sha256, sizeof object->sha256, there->sha256);
    return end(fake, fault, result, err);
}

static int do_get(void *context, const char *key, struct buf *out, struct err *err)
{
    struct fake_remote *fake = context;
    enum fake_fault fault = begin(fake);
    const struct fake_object *there = find(fake, key);
    int result = there && buf_append(out, there->bytes, (size_t)there->length)
                     ? 0
                     : err_set(err, ERR_NOT_FOUND, "%s is not there", key);
    return end(fake, fault, result, err);
}

static int do_get_file(void *context, const char *key, const char *path, struct err *err)
{
    struct fake_remote *fake = context;
    enum fake_fault fault = begin(fake);
    const struct fake_object *there = find(fake, key);
    int result = there ? file_write_atomic(path, there->bytes, (size_t)there->length, 0600, err)
                       : err_set(err, ERR_NOT_FOUND, "%s is not there", key);
    return end(fake, fault, result, err);
}

static int do_list(void *context, const char *prefix, const char *after,
                   bool (*each)(void *each_context, const char *key, int64_t bytes), void *each_context,
                   struct err *err)
{
    struct fake_remote *fake = context;
    enum fake_fault fault = begin(fake);
    for (size_t i = 0; i < fake->count && fault == FAKE_NONE; i++)
        if (strncmp(fake->objects[i].key, prefix, strlen(prefix)) == 0 &&
            (!after || strcmp(fake->objects[i].key, after) > 0) &&
            !each(each_context, fake->objects[i].key, fake->objects[i].length))
            break;
    return end(fake, fault, 0, err);
}

/* ---- Glue's catalogue -------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static struct fake_partition *partition_of(struct fake_remote *fake, const json_t *input, const char *dt)
{
    char name[120];
    snprintf(name, sizeof name, "%.40s.%.40s/%.20s", text_of(input, "DatabaseName"),
             text_of(input, "TableName"), dt ? dt : "");
    for (size_t i = 0; i < fake->partition_count; i++)
        if (strcmp(fake->partitions[i].name, name) == 0)
            return &fake->partitions[i];
    struct fake_partition *partition = &fake->partitions[fake->partition_count];
    text_copy(partition->name, sizeof partition->name, name);
    partition->location[0] = '\0';
    return partition;
}

static void set_location(struct fake_partition *partition, const json_t *input)
{
    text_copy(partition->location, sizeof partition->location,
              text_of(json_object_get(input, "StorageDescriptor"), "Location"));
}

static json_t *create_partitions(struct fake_remote *fake, const json_t *input)
{
    json_t *errors = json_array(), *one;
    size_t i;
    json_array_foreach(json_object_get(input, "PartitionInputList"), i, one)
    {
        const char *dt = json_string_value(json_array_get(json_object_get(one, "Values"), 0));
        struct fake_partition *partition = partition_of(fake, input, dt);
        if (partition->location[0]) {
            json_array_append_new(errors,
                                  json_pack("{s:[s], s:{s:s, s:s}}", "PartitionValues", dt, "ErrorDetail",
                                            "ErrorCode", "AlreadyExistsException", "ErrorMessage", "there"));
            continue;
        }
        set_location(partition, one);
        fake->partition_count++;
    }
    return json_pack("{s:o}", "Errors", errors);
}

static json_t *catalogue(struct fake_remote *fake, const char *operation, const json_t *input, char *code)
{
    if (strncmp(operation, "Create", 6) == 0) {
        fake->tables = fake->tables || strcmp(operation, "CreateTable") == 0;
        return json_object();
    }
    if (!fake->tables) {
        text_copy(code, LAKE_CODE_SIZE, "EntityNotFoundException");
        return NULL;
    }
    if (strcmp(operation, "GetTable") == 0)
        return json_object();
    if (strcmp(operation, "BatchCreatePartition") == 0)
        return create_partitions(fake, input);
    const char *member = strcmp(operation, "UpdatePartition") == 0 ? "PartitionValueList" : "PartitionValues";
    struct fake_partition *partition =
        partition_of(fake, input, json_string_value(json_array_get(json_object_get(input, member), 0)));
    if (!partition->location[0]) {
        text_copy(code, LAKE_CODE_SIZE, "EntityNotFoundException");
        return NULL;
    }
    if (strcmp(operation, "UpdatePartition") == 0) {
        set_location(partition, json_object_get(input, "PartitionInput"));
        return json_object();
    }
    return json_pack("{s:{s:{s:s}}}", "Partition", "StorageDescriptor", "Location", partition->location);
}

static bool is_catalogue(enum aws_service_id service, const char *operation)
{
    static const char *const known[] = {
        "CreateDatabase", "CreateTable",     "GetTable", "BatchCreatePartition",
        "GetPartition",   "UpdatePartition", NULL};
    for (int i = 0; known[i] && service == AWS_GLUE; i++)
        if (strcmp(known[i], operation) == 0)
            return true;
    return false;
}

static json_t *do_call(void *context, enum aws_service_id service, const char *operation, json_t *input,
                       char code[LAKE_CODE_SIZE], struct err *err)
{
    struct fake_remote *fake = context;
    code[0] = '\0';
    if (!input) {
        err_set(err, ERR_INTERNAL, "%s without input", operation);
        return NULL;
    }
    enum fake_fault fault = begin(fake);
    json_t *answer = NULL;
    if (fault == FAKE_NONE || fault == FAKE_LOST) {
        if (is_catalogue(service, operation))
            answer = catalogue(fake, operation, input, code);
        else if (fake->others)
            answer = fake->others(fake->others_context, service, operation, input, code);
        if (!answer)
            err_set(err, ERR_REMOTE, "%s: %s", operation, code[0] ? code : "UnknownOperationException");
    }
    json_decref(input);
    if (fault == FAKE_CONFLICT)
        fault = FAKE_REFUSED;
    if (end(fake, fault, 0, err) == 0)
        return answer;
    json_decref(answer);
    code[0] = '\0';
    return NULL;
}

/* ---- for tests --------------------------------------------------------------------------------------- */

struct fake_remote *fake_remote_create(void)
{
    struct fake_remote *fake = mem_zero(1, sizeof *fake);
    pthread_mutex_init(&fake->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&fake->called, &attributes);
    pthread_condattr_destroy(&attributes);
    fake->remote = (struct lake_remote){.context = fake,
                                        .bucket = "lake",
                                        .put = do_put,
                                        .put_many = do_put_many,
                                        .replace = do_replace,
                                        .head = do_head,
                                        .get = do_get,
                                        .get_file = do_get_file,
                                        .list = do_list,
                                        .call = do_call};
    return fake;
}

void fake_remote_destroy(struct fake_remote *fake)
{
    for (size_t i = 0; i < fake->count; i++)
        free(fake->objects[i].bytes);
    free(fake->objects);
    pthread_cond_destroy(&fake->called);
    pthread_mutex_destroy(&fake->mutex);
    free(fake);
}

void fake_remote_fault(struct fake_remote *fake, enum fake_fault fault, uint64_t at_call)
{
    pthread_mutex_lock(&fake->mutex);
    fake->calls = 0;
    fake->fault = fault;
    fake->fault_at = at_call;
    pthread_mutex_unlock(&fake->mutex);
}

void fake_remote_revive(struct fake_remote *fake)
{
    fake_remote_fault(fake, FAKE_NONE, 0);
}

void fake_remote_set_away(struct fake_remote *fake, bool away)
{
    pthread_mutex_lock(&fake->mutex);
    fake->away = away;
    pthread_mutex_unlock(&fake->mutex);
}

static bool is_of(const struct fake_object *object, const char *prefix, const char *suffix)
{
    size_t length = strlen(object->key), end_length = strlen(suffix);
    return strncmp(object->key, prefix, strlen(prefix)) == 0 && length >= end_length &&
           strcmp(object->key + length - end_length, suffix) == 0;
}

size_t fake_remote_export(struct fake_remote *fake, const char *prefix, const char *suffix,
                          const char *folder)
{
    size_t count = 0;
    pthread_mutex_lock(&fake->mutex);
    for (size_t i = 0; i < fake->count; i++) {
        const struct fake_object *object = &fake->objects[i];
        if (!is_of(object, prefix, suffix))
            continue;
        char path[FILE_PATH_SIZE];
        struct err err = ERR_INIT;
        snprintf(path, sizeof path, "%.300s/%zu%s", folder, count++, suffix);
        if (file_write_atomic(path, object->bytes, (size_t)object->length, 0600, &err) != 0)
            abort();
    }
    pthread_mutex_unlock(&fake->mutex);
    return count;
}

const struct fake_object *fake_remote_find(struct fake_remote *fake, const char *key)
{
    pthread_mutex_lock(&fake->mutex);
    const struct fake_object *object = find(fake, key);
    pthread_mutex_unlock(&fake->mutex);
    return object;
}

size_t fake_remote_count(struct fake_remote *fake, const char *prefix)
{
    size_t count = 0;
    pthread_mutex_lock(&fake->mutex);
    for (size_t i = 0; i < fake->count; i++)
        count += is_of(&fake->objects[i], prefix, "");
    pthread_mutex_unlock(&fake->mutex);
    return count;
}

const char *fake_remote_partition(struct fake_remote *fake, const char *name)
{
    for (size_t i = 0; i < fake->partition_count; i++)
        if (strcmp(fake->partitions[i].name, name) == 0)
            return fake->partitions[i].location;
    return "";
}

bool fake_remote_wait_calls(struct fake_remote *fake, uint64_t calls)
{
    int64_t until_us = clock_mono_us() + 10000000;
    const struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    bool good = true;
    pthread_mutex_lock(&fake->mutex);
    while (good && fake->calls < calls)
        good = pthread_cond_timedwait(&fake->called, &fake->mutex, &until) == 0;
    pthread_mutex_unlock(&fake->mutex);
    return good;
}
