/* A closed batch in order of event time, and as rows for DuckDB. */
#include "base/err.h"
#include "base/text.h"
#include "lake/batch.h"

#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)

char *lake_dt(char out[LAKE_DT_SIZE], int64_t event_ms)
{
    char time[TEXT_TIME_SIZE];
    text_time(time, event_ms);
    text_copy(out, LAKE_DT_SIZE, time);
    return out;
}

static int64_t time_of(const struct lake_batch *batch, uint32_t row)
{
    const struct lake_block *block = batch->blocks[row / LAKE_BLOCK_ROWS];
    return ((const int64_t *)(const void *)block->values[batch->schema->time_column])[row % LAKE_BLOCK_ROWS];
}

struct sort_key {
    int64_t time;
    uint32_t row;
};

/* Merges runs that are in order already: records come nearly so. Equal times stay in order of their rows. */
static void sort(struct sort_key *keys, struct sort_key *spare, uint32_t count)
{
    for (uint32_t width = 1; width<count; width = width> count / 2 ? count : width * 2) {
        for (uint32_t from = 0; from + width < count;) {
            uint32_t middle = from + width, to = count - middle > width ? middle + width : count;
            if (keys[middle - 1].time > keys[middle].time) {
                uint32_t a = from, b = middle, out = from;
                while (a < middle && b < to)
                    spare[out++] = keys[b].time < keys[a].time ? keys[b++] : keys[a++];
                while (a < middle)
                    spare[out++] = keys[a++];
                memcpy(keys + from, spare + from, (out - from) * sizeof *keys);
            }
            if (count - from <= 2 * (uint64_t)width)
                break;
            from += 2 * width;
        }
    }
}

static void find_days(struct lake_order *order, const struct lake_batch *batch)
{
    int64_t current = INT64_MIN;
    for (uint32_t i = 0; i < batch->rows; i++) {
        int64_t time = time_of(batch, order->rows ? order->rows[i] : i);
        int64_t day = time >= 0 ? time / DAY_US : (time - DAY_US + 1) / DAY_US;
        if (day != current && order->day_count < LAKE_DAYS_MAX) {
            struct lake_day *next = &order->days[order->day_count++];
            *next = (struct lake_day){.from = i};
            lake_dt(next->dt, day * (DAY_US / 1000));
            current = day;
        }
        order->days[order->day_count - 1].to = i + 1;
    }
}

void lake_order_init(struct lake_order *order, const struct lake_batch *batch)
{
    *order = (struct lake_order){0};
    if (!batch->sorted && batch->rows > 0) {
        struct sort_key *keys = mem_alloc(batch->rows * sizeof *keys);
        struct sort_key *spare = mem_alloc(batch->rows * sizeof *spare);
        for (uint32_t i = 0; i < batch->rows; i++)
            keys[i] = (struct sort_key){.time = time_of(batch, i), .row = i};
        sort(keys, spare, batch->rows);
        order->rows = mem_alloc(batch->rows * sizeof *order->rows);
        for (uint32_t i = 0; i < batch->rows; i++)
            order->rows[i] = keys[i].row;
        free(keys);
        free(spare);
    }
    find_days(order, batch);
}

void lake_order_free(struct lake_order *order)
{
    free(order->rows);
    order->rows = NULL;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* Rows that lie together, of one block. */
static void copy_rows(const struct lake_block *block, uint32_t from, uint32_t count, size_t column,
                      size_t width, struct duck_chunk *chunk)
{
    memcpy(duck_chunk_data(chunk, column), block->values[column] + from * width, count * width);
    if (block->nulls[column] == 0)
        return;
    uint64_t *valid = duck_chunk_validity(chunk, column);
    const uint64_t *given = block->valid[column];
    for (uint32_t i = 0; i < count; i++)
        if (!(given[(from + i) / 64] >> (from + i) % 64 & 1))
            valid[i / 64] &= ~(UINT64_C(1) << i % 64);
}

static void gather_rows(const struct lake_batch *batch, const uint32_t *rows, uint32_t count, size_t column,
                        size_t width, struct duck_chunk *chunk)
{
    uint8_t *out = duck_chunk_data(chunk, column);
    uint64_t *valid = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct lake_block *block = batch->blocks[rows[i] / LAKE_BLOCK_ROWS];
        const uint32_t row = rows[i] % LAKE_BLOCK_ROWS;
        const uint8_t *value = block->values[column] + row * width;
        switch (width) { /* of known size each, so that the compiler makes moves of them */
        case 8:
            memcpy(out + (size_t)i * 8, value, 8);
            break;
        case 16:
            memcpy(out + (size_t)i * 16, value, 16);
            break;
        case 4:
            memcpy(out + (size_t)i * 4, value, 4);
            break;
        default:
            memcpy(out + i * width, value, width);
        }
        if (block->nulls[column] && !(block->valid[column][row / 64] >> row % 64 & 1)) {
            if (!valid)
                valid = duck_chunk_validity(chunk, column);
            valid[i / 64] &= ~(UINT64_C(1) << i % 64);
        }
    }
}

size_t lake_reader_read(void *context, struct duck_chunk *chunk, size_t limit)
{
    struct lake_reader *reader = context;
    const struct lake_batch *batch = reader->batch;
    const struct lake_schema *schema = batch->schema;
    uint32_t count = reader->to - reader->at;
    if (count > limit)
        count = (uint32_t)limit;
    const uint32_t first = reader->at % LAKE_BLOCK_ROWS;
    if (!reader->order->rows && count > LAKE_BLOCK_ROWS - first)
        count = LAKE_BLOCK_ROWS - first;
    for (size_t i = 0; count > 0 && i < schema->column_count; i++) {
        size_t width = lake_type_width(schema->columns[i].type);
        if (reader->order->rows)
            gather_rows(batch, reader->order->rows + reader->at, count, i, width, chunk);
        else
            copy_rows(batch->blocks[reader->at / LAKE_BLOCK_ROWS], first, count, i, width, chunk);
    }
    reader->at += count;
    return count;
}
