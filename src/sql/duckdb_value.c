/* Reading DuckDB's vectors: types as plain trees, values as a place in a vector. */
#include "sql/duckdb.h"
#include "sql/duckdb_private.h"
#include "sql/duckdb_source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHILDREN_MAX 10000 /* fields of a struct, words of an enum beyond this are not read */

static char *taken_text(const struct duck_api *api, char *text)
{
    char *copy = mem_text(text ? text : "");
    api->free(text);
    return copy;
}

static void read_struct(struct duck_type *type, const struct duck_api *api, void *handle)
{
    size_t count = api->struct_type_child_count(handle);
    if (count > CHILDREN_MAX)
        count = CHILDREN_MAX;
    type->children = mem_zero(count + 1, sizeof *type->children);
    type->names = mem_zero(count + 1, sizeof *type->names);
    type->count = count;
    for (size_t i = 0; i < count; i++) {
        type->names[i] = taken_text(api, api->struct_type_child_name(handle, i));
        duck_type_read(&type->children[i], api, api->struct_type_child_type(handle, i));
    }
}

/* The API tells an enum's words one by one but their number by a function of its own width; words are few. */
static void read_enum(struct duck_type *type, const struct duck_api *api, void *handle)
{
    static const size_t most[] = {
        [DUCK_UTINYINT] = 256, [DUCK_USMALLINT] = 65536, [DUCK_UINTEGER] = CHILDREN_MAX};
    int internal = api->enum_internal_type(handle);
    type->width = (uint8_t)internal;
    size_t limit = internal >= DUCK_UTINYINT && internal <= DUCK_UINTEGER ? most[internal] : 0;
    size_t count = api->enum_dictionary_size(handle);
    if (count > limit)
        count = limit;
    type->words = mem_zero(count + 1, sizeof *type->words);
    type->word_count = count;
    for (size_t i = 0; i < count; i++)
        type->words[i] = taken_text(api, api->enum_dictionary_value(handle, i));
}

void duck_type_read(struct duck_type *type, const struct duck_api *api, void *handle)
{
    memset(type, 0, sizeof *type);
    if (!handle)
        return;
    type->kind = (enum duck_kind)api->get_type_id(handle);
    switch (type->kind) {
    case DUCK_DECIMAL:
        type->width = api->decimal_width(handle);
        type->scale = api->decimal_scale(handle);
        break;
    case DUCK_VARCHAR: {
        char *alias = api->logical_type_get_alias(handle);
        type->json = alias && strcmp(alias, "JSON") == 0;
        api->free(alias);
        break;
    }
    case DUCK_ENUM:
        read_enum(type, api, handle);
        break;
    case DUCK_LIST:
    case DUCK_ARRAY:
        type->count = 1;
        type->children = mem_zero(1, sizeof *type->children);
        if (type->kind == DUCK_ARRAY)
            type->length = api->array_type_array_size(handle);
        duck_type_read(&type->children[0], api,
                       type->kind == DUCK_LIST ? api->list_type_child_type(handle)
                                               : api->array_type_child_type(handle));
        break;
    case DUCK_MAP:
        type->count = 2;
        type->children = mem_zero(2, sizeof *type->children);
        duck_type_read(&type->children[0], api, api->map_type_key_type(handle));
        duck_type_read(&type->children[1], api, api->map_type_value_type(handle));
        break;
    case DUCK_STRUCT:
        read_struct(type, api, handle);
        break;
    default:
        break;
    }
    api->destroy_logical_type(&handle);
}

void duck_type_free(struct duck_type *type)
{
    for (size_t i = 0; i < type->count; i++) {
        duck_type_free(&type->children[i]);
        if (type->names)
            free(type->names[i]);
    }
    for (size_t i = 0; i < type->word_count; i++)
        free(type->words[i]);
    free(type->children);
    free(type->names);
    free(type->words);
    memset(type, 0, sizeof *type);
}

bool duck_is_null(struct duck_value value)
{
    if (value.type->kind == DUCK_SQLNULL || !value.vector)
        return true;
    const uint64_t *validity = value.api->vector_get_validity(value.vector);
    return validity && !(validity[value.row / 64] >> (value.row % 64) & 1);
}

#define READ(ctype) (((const ctype *)data)[value.row])

static __int128 read_decimal(struct duck_value value, const void *data)
{
    if (value.type->width <= 4)
        return READ(int16_t);
    if (value.type->width <= 9)
        return READ(int32_t);
    if (value.type->width <= 18)
        return READ(int64_t);
    return READ(__int128);
}

__int128 duck_huge(struct duck_value value)
{
    const void *data = value.api->vector_get_data(value.vector);
    switch (value.type->kind) {
    case DUCK_BOOLEAN:
        return READ(uint8_t) != 0;
    case DUCK_TINYINT:
        return READ(int8_t);
    case DUCK_SMALLINT:
        return READ(int16_t);
    case DUCK_INTEGER:
    case DUCK_DATE:
        return READ(int32_t);
    case DUCK_BIGINT:
    case DUCK_TIMESTAMP:
    case DUCK_TIMESTAMP_S:
    case DUCK_TIMESTAMP_MS:
    case DUCK_TIMESTAMP_NS:
    case DUCK_TIMESTAMP_TZ:
    case DUCK_TIME:
        return READ(int64_t);
    case DUCK_TIME_TZ: /* 40 bits of microseconds, 24 bits of offset */
        return (__int128)(READ(uint64_t) >> 24);
    case DUCK_UTINYINT:
        return READ(uint8_t);
    case DUCK_USMALLINT:
        return READ(uint16_t);
    case DUCK_UINTEGER:
        return READ(uint32_t);
    case DUCK_UBIGINT:
        return (__int128)READ(uint64_t);
    case DUCK_HUGEINT:
    case DUCK_UUID:
        return READ(__int128);
    case DUCK_UHUGEINT: {
        unsigned __int128 wide = READ(unsigned __int128);
        const unsigned __int128 most = ~(unsigned __int128)0 >> 1;
        return (__int128)(wide > most ? most : wide);
    }
    case DUCK_DECIMAL:
        return read_decimal(value, data);
    default:
        return 0;
    }
}

int64_t duck_int(struct duck_value value)
{
    if (value.type->kind == DUCK_DOUBLE || value.type->kind == DUCK_FLOAT) {
        double number = duck_double(value);
        if (isnan(number))
            return 0;
        return number >= 9.2233720368547758e18    ? INT64_MAX
               : number <= -9.2233720368547758e18 ? INT64_MIN
                                                  : (int64_t)number;
    }
    __int128 wide = duck_huge(value);
    if (value.type->kind == DUCK_DECIMAL)
        for (int i = 0; i < value.type->scale; i++)
            wide /= 10;
    return wide > INT64_MAX ? INT64_MAX : wide < INT64_MIN ? INT64_MIN : (int64_t)wide;
}

double duck_double(struct duck_value value)
{
    const void *data = value.api->vector_get_data(value.vector);
    switch (value.type->kind) {
    case DUCK_FLOAT:
        return (double)READ(float);
    case DUCK_DOUBLE:
        return READ(double);
    case DUCK_DECIMAL:
        return (double)read_decimal(value, data) / pow(10, value.type->scale);
    default:
        return (double)duck_huge(value);
    }
}

const char *duck_text(struct duck_value value, size_t *length)
{
    const void *data = value.api->vector_get_data(value.vector);
    *length = 0;
    if (value.type->kind == DUCK_VARCHAR || value.type->kind == DUCK_BLOB) {
        const union duck_string *string = &((const union duck_string *)data)[value.row];
        *length = string->length;
        return string->length <= sizeof string->inside.bytes ? string->inside.bytes : string->outside.bytes;
    }
    if (value.type->kind == DUCK_ENUM) {
        uint64_t word = value.type->width == DUCK_UTINYINT    ? READ(uint8_t)
                        : value.type->width == DUCK_USMALLINT ? READ(uint16_t)
                                                              : READ(uint32_t);
        if (word < value.type->word_count) {
            *length = strlen(value.type->words[word]);
            return value.type->words[word];
        }
    }
    return "";
}

void duck_interval(struct duck_value value, int32_t *months, int32_t *days, int64_t *micros)
{
    const struct duck_raw_interval *interval =
        &((const struct duck_raw_interval *)value.api->vector_get_data(value.vector))[value.row];
    *months = interval->months;
    *days = interval->days;
    *micros = interval->micros;
}

static struct duck_raw_list list_of(struct duck_value value)
{
    return ((const struct duck_raw_list *)value.api->vector_get_data(value.vector))[value.row];
}

size_t duck_length(struct duck_value value)
{
    if (value.type->kind == DUCK_ARRAY)
        return value.type->length;
    return value.type->kind == DUCK_LIST || value.type->kind == DUCK_MAP ? list_of(value).length : 0;
}

struct duck_value duck_element(struct duck_value value, size_t index)
{
    struct duck_value element = {.type = &value.type->children[0], .api = value.api};
    if (value.type->kind == DUCK_ARRAY) {
        element.vector = value.api->array_vector_get_child(value.vector);
        element.row = value.row * value.type->length + index;
    } else {
        element.vector = value.api->list_vector_get_child(value.vector);
        element.row = list_of(value).offset + index;
    }
    return element;
}

static struct duck_value entry(struct duck_value value, size_t index, size_t part)
{
    void *entries = value.api->list_vector_get_child(value.vector);
    return (struct duck_value){.type = &value.type->children[part],
                               .api = value.api,
                               .vector = value.api->struct_vector_get_child(entries, part),
                               .row = list_of(value).offset + index};
}

struct duck_value duck_map_key(struct duck_value value, size_t index)
{
    return entry(value, index, 0);
}

struct duck_value duck_map_value(struct duck_value value, size_t index)
{
    return entry(value, index, 1);
}

struct duck_value duck_field(struct duck_value value, size_t index)
{
    return (struct duck_value){.type = &value.type->children[index],
                               .api = value.api,
                               .vector = value.api->struct_vector_get_child(value.vector, index),
                               .row = value.row};
}
