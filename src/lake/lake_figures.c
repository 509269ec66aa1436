/* What the screen and `status` show of the lake. */
#include "base/clock.h"
#include "base/text.h"
#include "lake/lake_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BYTES_A_ROW 55.0 /* of a file, before one was written */

const char *lake_partition_state_name(enum lake_partition_state state)
{
    static const char *const names[] = {"open", "redo", "fenced", "fault"};
    return (size_t)state < sizeof names / sizeof *names ? names[state] : "?";
}

const char *lake_batch_state_name(enum lake_batch_state state)
{
    static const char *const names[] = {"closed", "spooled", "landing", "waiting",
                                        "landed", "fenced",  "fault"};
    return (size_t)state < sizeof names / sizeof *names ? names[state] : "?";
}

static double bytes_a_row(const struct lake_kind_figures *kind)
{
    return kind->rows > 0 ? (double)kind->object_bytes / (double)kind->rows : BYTES_A_ROW;
}

static void fill_partitions(struct lake *lake, struct lake_figures *out)
{
    for (size_t i = 0; i < lake->used_count; i++) {
        const struct lake_partition *partition = lake->used[i];
        struct lake_partition_figures shown = partition->shown;
        shown.kind = partition->kind;
        shown.partition = partition->number;
        shown.state = partition->state;
        shown.landed_end = partition->landed_end;
        text_copy(shown.problem, sizeof shown.problem, partition->problem);
        if (!out->problem[0])
            text_copy(out->problem, sizeof out->problem, partition->problem);
        if (shown.oldest_us > 0) {
            out->open_rows += shown.rows;
            out->open_bytes += shown.bytes;
            out->open_batches++;
            out->open_files += shown.days;
            out->open_frames += shown.frames;
            out->open_file_bytes += shown.rows * bytes_a_row(&lake->figures.kinds[partition->kind]);
            if (out->oldest_us == 0 || shown.oldest_us < out->oldest_us)
                out->oldest_us = shown.oldest_us;
        }
        out->kinds[partition->kind].waiting += shown.rows;
        if (out->partition_count < LAKE_SHOWN && !partition->revoked)
            out->partitions[out->partition_count++] = shown;
    }
}

static void fill_ways(struct lake *lake, struct lake_figures *out)
{
    for (const struct lake_way *way = lake->ways; way; way = way->next) {
        out->kinds[way->partition->kind].waiting += way->rows;
        if (way->batch)
            out->closed++;
        else if (way->taken)
            out->landing++;
        else
            out->spooled++;
    }
}

static void fill_recent(struct lake *lake, struct lake_figures *out)
{
    out->recent_count = 0;
    for (uint64_t i = 0; i < LAKE_RECENT && i < lake->sequence; i++) {
        const struct lake_batch_figures *recent = lake_recent(lake, lake->sequence - i);
        if (recent)
            out->recent[out->recent_count++] = *recent;
    }
}

static void warn(struct lake_figures *out)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct lake_kind_figures *figures = &out->kinds[kind];
        if (figures->small < LAKE_SMALL_WARN)
            continue;
        char size[TEXT_FIGURE_SIZE];
        snprintf(out->warning, sizeof out->warning,
                 "%s: %" PRIu64 " small files, %s on average: larger batches, or compact",
                 event_topic((enum event_kind)kind), figures->small,
                 text_bytes(size, (double)figures->object_bytes / (double)figures->objects));
        return;
    }
}

void lake_figures(struct lake *lake, struct lake_figures *out)
{
    pthread_mutex_lock(&lake->mutex);
    *out = lake->figures;
    out->problem[0] = out->warning[0] = '\0';
    text_copy(out->problem, sizeof out->problem, lake->file_problem);
    out->paused = lake->paused;
    out->batch_rows = lake->batch_rows;
    out->batch_bytes = lake->batch_bytes;
    out->batch_age_us = lake->batch_age_us;
    out->spool_bytes = lake->spooled_bytes;
    out->spool_limit = lake->spool_limit;
    out->memory_limit = lake->memory_limit;
    out->blocked = lake->blocked_memory || lake->blocked_spool;
    text_copy(out->bucket, sizeof out->bucket, lake->bucket);
    text_copy(out->cluster, sizeof out->cluster, lake->cluster);
    out->partition_count = 0;
    fill_partitions(lake, out);
    fill_ways(lake, out);
    fill_recent(lake, out);
    out->memory_bytes = out->open_bytes + lake->closed_bytes;
    if (out->oldest_us > 0 && !out->paused)
        out->next_close_us = clock_mono_us() + out->batch_age_us - (clock_wall_us() - out->oldest_us);
    warn(out);
    pthread_mutex_unlock(&lake->mutex);
    queue_figures(lake->queue, &out->queue);
}
