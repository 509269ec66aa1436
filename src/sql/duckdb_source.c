#include "sql/duckdb_source.h"

#include "sql/duckdb_private.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct duck_source {
    const struct duck_api *api;
    const struct duck_source_column *columns;
    size_t column_count;
    uint64_t rows;
    duck_source_read_fn *read;
    void *context;
};

struct duck_chunk {
    const struct duck_api *api;
    void *handle;
};

void duck_string_set(union duck_string *string, const char *bytes, uint32_t length)
{
    if (length <= DUCK_STRING_INSIDE) {
        *string = (union duck_string){.inside = {.length = length}};
        memcpy(string->inside.bytes, bytes, length);
        return;
    }
    string->outside.length = length;
    memcpy(string->outside.prefix, bytes, sizeof string->outside.prefix);
    string->outside.bytes = bytes;
}

void *duck_chunk_data(struct duck_chunk *chunk, size_t column)
{
    return chunk->api->vector_get_data(chunk->api->data_chunk_get_vector(chunk->handle, column));
}

uint64_t *duck_chunk_validity(struct duck_chunk *chunk, size_t column)
{
    void *vector = chunk->api->data_chunk_get_vector(chunk->handle, column);
    chunk->api->vector_ensure_validity_writable(vector);
    return chunk->api->vector_get_validity(vector);
}

/* A callback reaches its source, and with it the API, only through a function of the API. These are the same
 * for every database, since the library is loaded once. */
static _Atomic(void *(*)(void *)) bind_source, init_source, read_source;

static void on_bind(void *info)
{
    const struct duck_source *source = atomic_load(&bind_source)(info);
    const struct duck_api *api = source->api;
    for (size_t i = 0; i < source->column_count; i++) {
        void *type = api->create_logical_type((int)source->columns[i].kind);
        api->bind_add_result_column(info, source->columns[i].name, type);
        api->destroy_logical_type(&type);
    }
    api->bind_set_cardinality(info, source->rows, true);
}

static void on_init(void *info)
{
    const struct duck_source *source = atomic_load(&init_source)(info);
    source->api->init_set_max_threads(info, 1); /* in order */
}

static void on_read(void *info, void *output)
{
    const struct duck_source *source = atomic_load(&read_source)(info);
    struct duck_chunk chunk = {.api = source->api, .handle = output};
    source->api->data_chunk_set_size(output, source->read(source->context, &chunk, DUCK_VECTOR_ROWS));
}

struct duck_source *duck_source_register(struct duck_connection *connection, const char *name,
                                         struct err *err)
{
    const struct duck_api *api = &connection->db->api;
    if (api->vector_size() < DUCK_VECTOR_ROWS) {
        err_set(err, ERR_UNSUPPORTED, "this DuckDB was built with vectors of fewer than %d rows",
                DUCK_VECTOR_ROWS);
        return NULL;
    }
    atomic_store(&bind_source, api->bind_get_extra_info);
    atomic_store(&init_source, api->init_get_extra_info);
    atomic_store(&read_source, api->function_get_extra_info);
    struct duck_source *source = mem_zero(1, sizeof *source);
    source->api = api;
    void *function = api->create_table_function();
    api->table_function_set_name(function, name);
    api->table_function_set_extra_info(function, source, NULL);
    api->table_function_set_bind(function, on_bind);
    api->table_function_set_init(function, on_init);
    api->table_function_set_function(function, on_read);
    int failed = api->register_table_function(connection->handle, function);
    api->destroy_table_function(&function);
    if (failed) {
        free(source);
        err_set(err, ERR_INTERNAL, "DuckDB does not take the table function %s", name);
        return NULL;
    }
    return source;
}

void duck_source_destroy(struct duck_source *source)
{
    free(source);
}

void duck_source_set(struct duck_source *source, const struct duck_source_column *columns, size_t count,
                     uint64_t rows, duck_source_read_fn *read, void *context)
{
    *source = (struct duck_source){.api = source->api,
                                   .columns = columns,
                                   .column_count = count,
                                   .rows = rows,
                                   .read = read,
                                   .context = context};
}
