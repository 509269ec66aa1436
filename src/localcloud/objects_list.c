#include "localcloud/objects_private.h"

#include <stdlib.h>
#include <string.h>

/* Listing objects by prefix and delimiter, and unfinished uploads. */

/* The least text behind everything that begins with `text`. */
static void successor(struct buf *text)
{
    while (text->length > 0 && (unsigned char)text->data[text->length - 1] == 0xFF)
        text->length--;
    if (text->length > 0)
        text->data[text->length - 1] = (char)((unsigned char)text->data[text->length - 1] + 1);
    text->data[text->length] = '\0';
}

/* Walks keys in order; at a common prefix it jumps behind it, so that a page costs about as many steps as it
 * has entries, however many objects lie under each prefix. */
static int walk(struct objects *objects, int64_t bucket, const struct objects_query *query,
                objects_each_fn *each, void *context, bool *truncated, struct err *err)
{
    size_t prefix_length = strlen(query->prefix), delimiter_length = strlen(query->delimiter), given = 0;
    bool behind = strcmp(query->after, query->prefix) >= 0 && query->after[0];
    struct buf from;
    int result = 0;
    buf_init(&from, 8 * OBJECTS_KEY_MAX);
    buf_text(&from, behind ? query->after : query->prefix);
    for (bool more = true; more && !from.overflow;) {
        struct sql_statement *row = objects_prepare(objects, behind ? ST_LIST_BEHIND : ST_LIST_FROM, err);
        if (!row) {
            result = -1;
            break;
        }
        sql_bind_int(row, 1, bucket);
        sql_bind_text(row, 2, from.data, from.length);
        more = false;
        while ((result = sql_step(row, err)) == 1) {
            struct object_info info;
            objects_borrow_row(row, &info);
            if (strncmp(info.key, query->prefix, prefix_length) != 0)
                break;
            const char *found = delimiter_length ? strstr(info.key + prefix_length, query->delimiter) : NULL;
            char *common = NULL;
            if (found) {
                size_t length = (size_t)(found - info.key) + delimiter_length;
                common = mem_alloc(length + 1);
                memcpy(common, info.key, length);
                common[length] = '\0';
            }
            bool stop = false;
            if (!common || strcmp(common, query->after) != 0) {
                stop = query->limit && given == query->limit;
                if (stop)
                    *truncated = true;
                else if (!each(context, common ? NULL : &info, common))
                    stop = true;
                given++;
            }
            if (common && !stop) {
                buf_reset(&from);
                buf_text(&from, common);
                successor(&from);
                behind = false;
                more = true;
            }
            free(common);
            if (stop || more)
                break;
        }
        sql_reset(row);
        if (result < 0)
            break;
    }
    buf_free(&from);
    return result < 0 ? -1 : 0;
}

enum objects_status objects_list(struct objects *objects, const char *bucket,
                                 const struct objects_query *query, objects_each_fn *each, void *context,
                                 bool *truncated, struct err *err)
{
    int64_t id;
    bool unused = false;
    truncated = truncated ? truncated : &unused;
    *truncated = false;
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &id, err);
    if (status == OBJECTS_OK && walk(objects, id, query, each, context, truncated, err) < 0)
        status = OBJECTS_FAILED;
    pthread_mutex_unlock(&objects->lock);
    return status;
}

enum objects_status objects_upload_list(struct objects *objects, const char *bucket, const char *prefix,
                                        const char *after_key, const char *after_id,
                                        bool (*each)(void *context, const struct upload_info *info),
                                        void *context, struct err *err)
{
    int64_t bucket_id;
    size_t prefix_length = strlen(prefix);
    pthread_mutex_lock(&objects->lock);
    enum objects_status status = objects_bucket_id(objects, bucket, &bucket_id, err);
    struct sql_statement *row = status == OBJECTS_OK ? objects_prepare(objects, ST_UPLOAD_LIST, err) : NULL;
    if (row) {
        const char *from = strcmp(after_key, prefix) < 0 ? prefix : after_key;
        int result;
        sql_bind_int(row, 1, bucket_id);
        sql_bind_text(row, 2, from, strlen(from));
        sql_bind_text(row, 3, from == after_key ? after_id : "", from == after_key ? strlen(after_id) : 0);
        while ((result = sql_step(row, err)) == 1) {
            struct upload_info info;
            if (strncmp(sql_column_text(row, 0), prefix, prefix_length) != 0)
                break;
            objects_copy_upload(row, &info);
            bool more = each(context, &info);
            upload_info_free(&info);
            if (!more)
                break;
        }
        sql_reset(row);
        status = result < 0 ? OBJECTS_FAILED : OBJECTS_OK;
    }
    pthread_mutex_unlock(&objects->lock);
    return status;
}
