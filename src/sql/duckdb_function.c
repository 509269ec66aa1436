/* Functions of ours inside DuckDB: its chunks in, one call a row, its vector out. */
#include "sql/duckdb.h"
#include "sql/duckdb_private.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bound { /* what travels with a function inside the engine */
    const struct duck_api *api;
    const struct duck_function *function;
};

struct duck_return {
    const struct duck_api *api;
    void *vector;
    enum duck_kind kind;
    uint64_t row;
    bool given, failed;
    char error[400];
};

void duck_return_double(struct duck_return *out, double value)
{
    void *data = out->api->vector_get_data(out->vector);
    if (out->kind == DUCK_FLOAT)
        ((float *)data)[out->row] = (float)value;
    else
        ((double *)data)[out->row] = value;
    out->given = true;
}

void duck_return_int(struct duck_return *out, int64_t value)
{
    void *data = out->api->vector_get_data(out->vector);
    switch (out->kind) {
    case DUCK_BOOLEAN:
        ((uint8_t *)data)[out->row] = value != 0;
        break;
    case DUCK_TINYINT:
        ((int8_t *)data)[out->row] = (int8_t)value;
        break;
    case DUCK_SMALLINT:
        ((int16_t *)data)[out->row] = (int16_t)value;
        break;
    case DUCK_HUGEINT:
        ((__int128 *)data)[out->row] = value;
        break;
    case DUCK_INTEGER:
    case DUCK_DATE:
        ((int32_t *)data)[out->row] = (int32_t)value;
        break;
    case DUCK_FLOAT:
    case DUCK_DOUBLE:
        duck_return_double(out, (double)value);
        break;
    default: /* BIGINT, TIME, TIMESTAMP, TIMESTAMP_TZ */
        ((int64_t *)data)[out->row] = value;
        break;
    }
    out->given = true;
}

void duck_return_text(struct duck_return *out, const char *text, size_t length)
{
    out->api->vector_assign_string_element_len(out->vector, out->row, text, length);
    out->given = true;
}

void duck_return_error(struct duck_return *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->error, sizeof out->error, format, arguments);
    va_end(arguments);
    out->failed = true;
}

/* The only way from a callback to what belongs to it goes through the library, and a callback is told nothing
 * of where that is. All databases share one library, so this is written with the same value each time. */
static _Atomic(void *(*)(void *)) extra_info_of;

static void set_null(const struct duck_api *api, void *vector, uint64_t row)
{
    api->vector_ensure_validity_writable(vector);
    api->vector_get_validity(vector)[row / 64] &= ~(1ull << (row % 64));
}

static void call(void *info, void *chunk, void *output)
{
    void *(*get)(void *) = atomic_load(&extra_info_of);
    const struct bound *bound = get(info);
    const struct duck_api *api = bound->api;
    struct duck_type types[DUCK_PARAMETERS_MAX];
    struct duck_value arguments[DUCK_PARAMETERS_MAX];
    size_t count = api->data_chunk_get_column_count(chunk);
    for (size_t i = 0; i < count; i++) {
        void *vector = api->data_chunk_get_vector(chunk, i);
        duck_type_read(&types[i], api, api->vector_get_column_type(vector));
        arguments[i] = (struct duck_value){.type = &types[i], .api = api, .vector = vector};
    }
    struct duck_return out = {.api = api, .vector = output, .kind = bound->function->result};
    uint64_t rows = api->data_chunk_get_size(chunk);
    for (uint64_t row = 0; row < rows && !out.failed; row++) {
        bool skip = false;
        for (size_t i = 0; i < count; i++) {
            arguments[i].row = row;
            skip |= !bound->function->nulls && duck_is_null(arguments[i]);
        }
        out.row = row;
        out.given = false;
        if (!skip)
            bound->function->call(arguments, count, &out);
        if (!out.given)
            set_null(api, output, row);
    }
    if (out.failed)
        api->scalar_function_set_error(info, out.error);
    for (size_t i = 0; i < count; i++)
        duck_type_free(&types[i]);
}

static void *make_overload(const struct duck_api *api, const struct duck_function *function)
{
    void *made = api->create_scalar_function();
    api->scalar_function_set_name(made, function->name);
    for (size_t i = 0; i < DUCK_PARAMETERS_MAX && function->parameters[i] != DUCK_INVALID; i++) {
        void *type = api->create_logical_type((int)function->parameters[i]);
        api->scalar_function_add_parameter(made, type);
        api->destroy_logical_type(&type);
    }
    void *type = api->create_logical_type((int)function->result);
    api->scalar_function_set_return_type(made, type);
    api->destroy_logical_type(&type);
    /* Without this the engine answers null by itself and never calls; with it we do the same, row by row. */
    api->scalar_function_set_special_handling(made);
    struct bound *bound = mem_alloc(sizeof *bound);
    *bound = (struct bound){.api = api, .function = function};
    api->scalar_function_set_extra_info(made, bound, free);
    api->scalar_function_set_function(made, call);
    return made;
}

int duck_register(struct duck_connection *connection, const struct duck_function *functions, struct err *err)
{
    const struct duck_api *api = &connection->db->api;
    atomic_store(&extra_info_of, api->scalar_function_get_extra_info);
    while (functions->name) {
        const char *name = functions->name;
        void *set = api->create_scalar_function_set(name);
        int failed = 0;
        for (; functions->name && strcmp(functions->name, name) == 0 && !failed; functions++) {
            void *made = make_overload(api, functions);
            failed = api->add_scalar_function_to_set(set, made);
            api->destroy_scalar_function(&made);
        }
        if (!failed)
            failed = api->register_scalar_function_set(connection->handle, set);
        api->destroy_scalar_function_set(&set);
        if (failed)
            return err_set(err, ERR_INTERNAL, "DuckDB does not take the function %s", name);
    }
    return 0;
}
