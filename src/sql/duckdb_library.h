/*
 * DuckDB's C API, found and loaded at run time: the program neither links with it nor needs it until the
 * first query. Declared here are the functions we use, after the public documentation of the C API
 * (duckdb.org/docs/stable/clients/c/api); handles are opaque pointers. Only sql/ includes this.
 */
#ifndef SMARTCITY_SQL_DUCKDB_LIBRARY_H
#define SMARTCITY_SQL_DUCKDB_LIBRARY_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DUCKDB_LIBRARY "libduckdb.so"
#define DUCKDB_SERIES  "v1.5." /* what was tested: another series may answer otherwise */

typedef uint64_t duck_idx; /* idx_t of the API */
typedef void duck_function_callback(void *info, void *chunk, void *output);

struct duck_raw_result { /* duckdb_result: passed by value by some functions */
    uint64_t deprecated_counts[3];
    void *deprecated_columns;
    char *deprecated_error;
    void *internal;
};

struct duck_raw_list {
    uint64_t offset, length;
};

struct duck_raw_interval {
    int32_t months, days;
    int64_t micros;
};

/* result, name, arguments: each is duckdb_NAME in the library. Those that return int return duckdb_state: 0
 * is success. */
#define DUCKDB_FUNCTIONS(F)                                                                                  \
    F(const char *, library_version, (void))                                                                 \
    F(void, free, (void *memory))                                                                            \
    F(int, create_config, (void **config))                                                                   \
    F(int, set_config, (void *config, const char *name, const char *value))                                  \
    F(void, destroy_config, (void **config))                                                                 \
    F(int, open_ext, (const char *path, void **database, void *config, char **error))                        \
    F(void, close, (void **database))                                                                        \
    F(int, connect, (void *database, void **connection))                                                     \
    F(void, disconnect, (void **connection))                                                                 \
    F(void, interrupt, (void *connection))                                                                   \
    F(duck_idx, extract_statements, (void *connection, const char *query, void **statements))                \
    F(int, prepare_extracted_statement,                                                                      \
      (void *connection, void *statements, duck_idx index, void **prepared))                                 \
    F(const char *, extract_statements_error, (void *statements))                                            \
    F(void, destroy_extracted, (void **statements))                                                          \
    F(const char *, prepare_error, (void *prepared))                                                         \
    F(void, destroy_prepare, (void **prepared))                                                              \
    F(duck_idx, nparams, (void *prepared))                                                                   \
    F(int, clear_bindings, (void *prepared))                                                                 \
    F(int, bind_int64, (void *prepared, duck_idx index, int64_t value))                                      \
    F(int, bind_double, (void *prepared, duck_idx index, double value))                                      \
    F(int, bind_varchar_length, (void *prepared, duck_idx index, const char *text, duck_idx length))         \
    F(int, bind_blob, (void *prepared, duck_idx index, const void *data, duck_idx length))                   \
    F(int, bind_null, (void *prepared, duck_idx index))                                                      \
    F(duck_idx, prepared_statement_column_count, (void *prepared))                                           \
    F(const char *, prepared_statement_column_name, (void *prepared, duck_idx column))                       \
    F(void *, prepared_statement_column_logical_type, (void *prepared, duck_idx column))                     \
    F(int, prepared_statement_type, (void *prepared))                                                        \
    F(int, execute_prepared_streaming, (void *prepared, struct duck_raw_result *result))                     \
    F(void, destroy_result, (struct duck_raw_result * result))                                               \
    F(const char *, result_error, (struct duck_raw_result * result))                                         \
    F(int, result_error_type, (struct duck_raw_result * result))                                             \
    F(duck_idx, rows_changed, (struct duck_raw_result * result))                                             \
    F(duck_idx, column_count, (struct duck_raw_result * result))                                             \
    F(const char *, column_name, (struct duck_raw_result * result, duck_idx column))                         \
    F(void *, column_logical_type, (struct duck_raw_result * result, duck_idx column))                       \
    F(void *, fetch_chunk, (struct duck_raw_result result))                                                  \
    F(void, destroy_data_chunk, (void **chunk))                                                              \
    F(duck_idx, data_chunk_get_size, (void *chunk))                                                          \
    F(duck_idx, data_chunk_get_column_count, (void *chunk))                                                  \
    F(void *, data_chunk_get_vector, (void *chunk, duck_idx column))                                         \
    F(void *, vector_get_column_type, (void *vector))                                                        \
    F(void *, vector_get_data, (void *vector))                                                               \
    F(uint64_t *, vector_get_validity, (void *vector))                                                       \
    F(void, vector_ensure_validity_writable, (void *vector))                                                 \
    F(void, vector_assign_string_element_len,                                                                \
      (void *vector, duck_idx index, const char *text, duck_idx length))                                     \
    F(void *, list_vector_get_child, (void *vector))                                                         \
    F(void *, struct_vector_get_child, (void *vector, duck_idx index))                                       \
    F(void *, array_vector_get_child, (void *vector))                                                        \
    F(void *, create_logical_type, (int type))                                                               \
    F(void, destroy_logical_type, (void **type))                                                             \
    F(int, get_type_id, (void *type))                                                                        \
    F(char *, logical_type_get_alias, (void *type))                                                          \
    F(uint8_t, decimal_width, (void *type))                                                                  \
    F(uint8_t, decimal_scale, (void *type))                                                                  \
    F(int, enum_internal_type, (void *type))                                                                 \
    F(uint32_t, enum_dictionary_size, (void *type))                                                          \
    F(char *, enum_dictionary_value, (void *type, duck_idx index))                                           \
    F(void *, list_type_child_type, (void *type))                                                            \
    F(void *, array_type_child_type, (void *type))                                                           \
    F(duck_idx, array_type_array_size, (void *type))                                                         \
    F(void *, map_type_key_type, (void *type))                                                               \
    F(void *, map_type_value_type, (void *type))                                                             \
    F(duck_idx, struct_type_child_count, (void *type))                                                       \
    F(char *, struct_type_child_name, (void *type, duck_idx index))                                          \
    F(void *, struct_type_child_type, (void *type, duck_idx index))                                          \
    F(void *, create_scalar_function, (void))                                                                \
    F(void, destroy_scalar_function, (void **function))                                                      \
    F(void, scalar_function_set_name, (void *function, const char *name))                                    \
    F(void, scalar_function_set_special_handling, (void *function))                                          \
    F(void, scalar_function_set_volatile, (void *function))                                                  \
    F(void, scalar_function_add_parameter, (void *function, void *type))                                     \
    F(void, scalar_function_set_return_type, (void *function, void *type))                                   \
    F(void, scalar_function_set_extra_info, (void *function, void *info, void (*destroy)(void *)))           \
    F(void, scalar_function_set_function, (void *function, duck_function_callback *callback))                \
    F(void *, scalar_function_get_extra_info, (void *info))                                                  \
    F(void, scalar_function_set_error, (void *info, const char *error))                                      \
    F(void *, create_scalar_function_set, (const char *name))                                                \
    F(void, destroy_scalar_function_set, (void **set))                                                       \
    F(int, add_scalar_function_to_set, (void *set, void *function))                                          \
    F(int, register_scalar_function_set, (void *connection, void *set))                                      \
    F(duck_idx, vector_size, (void))                                                                         \
    F(void, data_chunk_set_size, (void *chunk, duck_idx size))                                               \
    F(void *, create_table_function, (void))                                                                 \
    F(void, destroy_table_function, (void **function))                                                       \
    F(void, table_function_set_name, (void *function, const char *name))                                     \
    F(void, table_function_set_extra_info, (void *function, void *info, void (*destroy)(void *)))            \
    F(void, table_function_set_bind, (void *function, void (*bind)(void *info)))                             \
    F(void, table_function_set_init, (void *function, void (*init)(void *info)))                             \
    F(void, table_function_set_function, (void *function, void (*read)(void *info, void *output)))           \
    F(int, register_table_function, (void *connection, void *function))                                      \
    F(void *, bind_get_extra_info, (void *info))                                                             \
    F(void, bind_add_result_column, (void *info, const char *name, void *type))                              \
    F(void, bind_set_cardinality, (void *info, duck_idx rows, bool exact))                                   \
    F(void *, init_get_extra_info, (void *info))                                                             \
    F(void, init_set_max_threads, (void *info, duck_idx threads))                                            \
    F(void *, function_get_extra_info, (void *info))

/* double duckdb_query_progress_type.percentage, by value: three words */
struct duck_raw_progress {
    double percentage;
    uint64_t done, total;
};

struct duck_api {
#define F(result, name, arguments) result(*name) arguments;
    DUCKDB_FUNCTIONS(F)
#undef F
    struct duck_raw_progress (*query_progress)(void *connection);
    /* Of the allocator inside the library; NULL when it has none of its own. */
    int (*mallctl)(const char *name, void *old, size_t *old_length, void *new, size_t new_length);
};

/* Finds and loads the library: $SMARTCITY_DUCKDB (a file), build/lib and lib/smartcity around the program,
 * /usr/local/lib/smartcity, /usr/lib/smartcity. Never from the working directory. It stays loaded. 0 or -1:
 * ERR_NOT_FOUND (with the cure), ERR_UNSUPPORTED another version. */
int duck_api_load(struct duck_api *api, struct err *err);

#endif
