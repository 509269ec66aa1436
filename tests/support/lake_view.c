#include "tests/support/lake_view.h"

#include "base/err.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define WALL_US INT64_C(1768205672000000) /* 2026-01-12T08:14:32Z */
#define MONO_US INT64_C(90000000)
#define BAD     "\x1b[31mred\x1b]0;owned\x07\xff\xfe\xe2\x80\xae"

const char *const lake_view_names[LAKE_VIEW_KINDS] = {"busy", "empty", "trouble", "hostile"};

static const uint64_t per_second[EVENT_KIND_COUNT] = {4120, 4118, 98, 148, 1};

static struct lake_batch_figures *batch_add(struct lake_figures *lake, enum event_kind kind,
                                            int32_t partition, enum lake_batch_state state, int64_t ago_us)
{
    struct lake_batch_figures *batch = &lake->recent[lake->recent_count++];
    uint64_t rows = per_second[kind] * 15;
    *batch = (struct lake_batch_figures){.sequence = 240 - lake->recent_count,
                                         .key = {.kind = kind,
                                                 .partition = partition,
                                                 .start = 1000000 - (int64_t)(rows * lake->recent_count),
                                                 .end = 1000000 - (int64_t)(rows * (lake->recent_count - 1))},
                                         .state = state,
                                         .rows = rows,
                                         .file_bytes = (int64_t)rows * 54,
                                         .files = 1,
                                         .opened_us = WALL_US - ago_us - 15000000,
                                         .closed_us = WALL_US - ago_us - 310000};
    if (state == LAKE_BATCH_LANDED)
        batch->landed_us = WALL_US - ago_us;
    return batch;
}

static void fill_kinds(struct lake_figures *lake)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        uint64_t rows = per_second[kind] * 240;
        lake->kinds[kind] = (struct lake_kind_figures){.taken = rows + per_second[kind] * 9,
                                                       .rows = rows,
                                                       .waiting = per_second[kind] * 9,
                                                       .objects = 16,
                                                       .object_bytes = rows * 54};
        lake->partitions[kind] =
            (struct lake_partition_figures){.kind = (enum event_kind)kind,
                                            .partition = kind % 2,
                                            .rows = (uint32_t)per_second[kind] * 9,
                                            .bytes = per_second[kind] * 9 * 460,
                                            .oldest_us = WALL_US - 9000000,
                                            .start = (int64_t)rows,
                                            .end = (int64_t)(rows + per_second[kind] * 9),
                                            .days = 1,
                                            .landed_end = (int64_t)rows};
        lake->open_rows += per_second[kind] * 9;
        lake->open_bytes += per_second[kind] * 9 * 460;
        lake->open_batches++;
        lake->open_files++;
        lake->open_file_bytes += (double)per_second[kind] * 9 * 54;
    }
    lake->partition_count = EVENT_KIND_COUNT;
    lake->partitions[EVENT_TRAFFIC].frames = 98;
    lake->open_frames = 98;
    lake->kinds[EVENT_VEHICLE].quarantined = 3;
    lake->kinds[EVENT_VEHICLE].rows -= 3;
    lake->kinds[EVENT_EMERGENCY].small = 2;
}

static void fill_batches(struct lake_figures *lake)
{
    batch_add(lake, EVENT_VEHICLE, 0, LAKE_BATCH_CLOSED, 0);
    batch_add(lake, EVENT_GPS, 1, LAKE_BATCH_SPOOLED, 0);
    batch_add(lake, EVENT_WEATHER, 0, LAKE_BATCH_LANDING, 1000000);
    lake->closed = lake->spooled = lake->landing = 1;
    for (int i = 0; i < 20; i++)
        batch_add(lake, (enum event_kind)(i % EVENT_KIND_COUNT), i % 2, LAKE_BATCH_LANDED,
                  INT64_C(14000000) + (int64_t)(i / EVENT_KIND_COUNT) * 61000000);
    lake->recent[3].quarantined = 3;
    lake->recent[5].frames = 147;
    lake->recent[6].tries = 2;
    lake->recent[7].redo = true;
}

static void fill_lake(struct view *view)
{
    struct lake_figures *lake = &view->lake.figures;
    view->lake.present = true;
    lake->batch_rows = 500000;
    lake->batch_bytes = 32 << 20;
    lake->batch_age_us = 15000000;
    lake->queue = (struct queue_figures){.depth = 3, .capacity = 64};
    lake->memory_limit = 96 << 20;
    lake->memory_bytes = 14 << 20;
    lake->spool_bytes = 3 << 20;
    lake->spool_limit = 2000000000;
    lake->oldest_us = WALL_US - 9000000;
    lake->next_close_us = MONO_US + 6000000;
    lake->batches = 212;
    lake->objects =
        (struct lake_landing_counts){.objects = 640, .bytes = 98400000, .found = 2, .partitions = 5};
    lake->retries = 2;
    lake->landed_us = WALL_US - 14000000;
    lake->landing_us = 310000;
    text_copy(lake->bucket, sizeof lake->bucket, "smartcity-lake");
    fill_kinds(lake);
    fill_batches(lake);
}

static void fill_cloud(struct view *view)
{
    struct view_cloud *cloud = &view->cloud;
    cloud->state = VIEW_CLOUD_READY;
    cloud->local = true;
    text_copy(cloud->endpoint, sizeof cloud->endpoint, "http://127.0.0.1:40223");
    text_copy(cloud->region, sizeof cloud->region, "eu-west-2");
    text_copy(cloud->account, sizeof cloud->account, "000000000000");
    text_copy(cloud->bucket, sizeof cloud->bucket, "smartcity-lake");
    text_copy(view->cloud_label, sizeof view->cloud_label, "LOCAL");
}

static void fill_stream(struct view *view)
{
    view->sim.present = true;
    view->recorder.state = RECORDER_ON;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        uint64_t taken = view->lake.figures.kinds[kind].taken;
        view->producer.topics[kind].produced = taken + per_second[kind];
        view->producer.topics[kind].acknowledged = taken + per_second[kind] / 2;
        view->consumer.topics[kind].consumed = taken + per_second[kind] / 4;
        view->recorder.journey.events[kind] = taken;
    }
}

static void fill_jobs(struct pipeline_figures *pipeline)
{
    static const enum ledger_state states[] = {LEDGER_NEW, LEDGER_RUNNING, LEDGER_RETRY, LEDGER_FAILED};
    for (int i = 0; i < 12; i++) {
        struct ledger_job *job = &pipeline->jobs[pipeline->job_count++];
        *job = (struct ledger_job){.id = 40 - i,
                                   .step = i % 2 ? LEDGER_TRANSFORMED : LEDGER_LOADED,
                                   .kind = (enum event_kind)(i % EVENT_KIND_COUNT),
                                   .state = i < 4 ? states[i] : LEDGER_DONE,
                                   .tries = 1 + (i == 2),
                                   .failures = i == 3,
                                   .made_ms = WALL_US / 1000 - i * 9000,
                                   .finished_ms = i < 4 ? 0 : WALL_US / 1000 - i * 9000 + 2400,
                                   .batches = 4,
                                   .rows = 61800};
        text_copy(job->days, sizeof job->days, "2026-01-11,2026-01-12");
        text_copy(job->remote_id, sizeof job->remote_id, "6f1c2a34-0000-4000-8000-000000000007");
        if (i == 3)
            text_copy(job->detail, sizeof job->detail,
                      "COPY: S3ServiceException: Access Denied, Status 403, Error AccessDenied");
    }
}

static void fill_pipeline(struct view *view)
{
    struct pipeline_figures *pipeline = &view->pipeline.figures;
    view->pipeline.present = true;
    fill_jobs(pipeline);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct ledger_totals *totals = &pipeline->totals[kind];
        int64_t rows = (int64_t)per_second[kind] * 900;
        for (int step = LEDGER_LANDED; step < LEDGER_STEP_COUNT; step++) {
            totals->rows[step] = rows - (step >= LEDGER_TRANSFORMED ? (int64_t)per_second[kind] * 15 : 0) -
                                 (step == LEDGER_LOADED && kind < 2 ? (int64_t)per_second[kind] * 60 : 0);
            totals->batches[step] = 60 - step;
            totals->last_ms[step] = WALL_US / 1000 - step * 9000;
        }
        totals->bytes = rows * 54;
    }
}

static void add_table(struct catalogue_snapshot *snapshot, const char *database, const char *name)
{
    struct catalogue_table *table = &snapshot->tables[snapshot->table_count++];
    text_copy(table->database, sizeof table->database, database);
    text_copy(table->name, sizeof table->name, name);
    text_copy(table->location, sizeof table->location, "s3://smartcity-lake/raw/");
    text_copy(table->format, sizeof table->format, "parquet");
    table->updated_ms = WALL_US / 1000 - 95000;
    table->columns = mem_zero(CATALOGUE_COLUMNS, sizeof *table->columns);
    table->kind = -1;
    catalogue_compare(table); /* all are missing: so they are what there is */
    for (size_t i = 0; i < table->column_count; i++)
        text_copy(table->columns[i].type, sizeof table->columns[i].type, table->columns[i].expected);
    if (table->kind < 0) {
        text_copy(table->columns[0].name, sizeof table->columns[0].name, "id");
        text_copy(table->columns[0].type, sizeof table->columns[0].type, "bigint");
        table->column_count = 1;
        return;
    }
    table->columns[table->column_count - 1].key = true;
    table->partition_count = 2;
    table->partitions = mem_zero(3, sizeof *table->partitions);
    for (int i = 0; i < 2; i++) {
        text_copy(table->partitions[i].values, sizeof table->partitions[i].values,
                  i ? "2026-01-12" : "2026-01-11");
        text_copy(table->partitions[i].location, sizeof table->partitions[i].location,
                  "s3://smartcity-lake/raw/dt=2026-01-12/");
        table->partitions[i].created_ms = WALL_US / 1000 - 86400000;
    }
    catalogue_compare(table);
}

static void fill_catalogue(struct view *view)
{
    struct catalogue_snapshot *snapshot = mem_zero(1, sizeof *snapshot);
    snapshot->generation = 7;
    snapshot->read_us = WALL_US;
    snapshot->database_count = 3;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        add_table(snapshot, LAKE_DATABASE_RAW, event_topic((enum event_kind)kind));
    add_table(snapshot, LAKE_DATABASE_CURATED, "gps_data");
    add_table(snapshot, "sales", "orders");
    snapshot->crawler_count = 1;
    struct catalogue_crawler *crawler = &snapshot->crawlers[0];
    text_copy(crawler->name, sizeof crawler->name, "smartcity_raw");
    text_copy(crawler->state, sizeof crawler->state, "RUNNING");
    text_copy(crawler->last, sizeof crawler->last, "SUCCEEDED");
    text_copy(crawler->target, sizeof crawler->target, "s3://smartcity-lake/raw/");
    crawler->elapsed_ms = 3100;
    crawler->last_ms = WALL_US / 1000 - 600000;
    crawler->created = 5;
    view->catalogue.snapshot = snapshot;
    view->job_count = 1;
    view->jobs[0] = (struct job_figures){.id = 3, .state = JOB_RUNNING, .fraction = -1};
    text_copy(view->jobs[0].kind, sizeof view->jobs[0].kind, "crawl");
    text_copy(view->jobs[0].title, sizeof view->jobs[0].title, "crawl smartcity_raw");
    text_copy(view->jobs[0].text, sizeof view->jobs[0].text, "RUNNING for 3 s");
}

/* A column of another type, one more and one less. */
static void spoil_catalogue(struct view *view)
{
    struct catalogue_snapshot *snapshot = (struct catalogue_snapshot *)(uintptr_t)view->catalogue.snapshot;
    struct catalogue_table *table = &snapshot->tables[0];
    text_copy(table->columns[2].type, sizeof table->columns[2].type, "string");
    text_copy(table->columns[6].name, sizeof table->columns[6].name, "mood");
    catalogue_compare(table);
    text_copy(snapshot->crawlers[0].state, sizeof snapshot->crawlers[0].state, "READY");
    text_copy(snapshot->crawlers[0].last, sizeof snapshot->crawlers[0].last, "FAILED");
    text_copy(snapshot->crawlers[0].message, sizeof snapshot->crawlers[0].message, "Access Denied on s3://…");
    view->jobs[0].state = JOB_FAILED;
    text_copy(view->jobs[0].text, sizeof view->jobs[0].text, "FAILED: Access Denied");
}

static void spoil(struct view *view)
{
    struct lake_figures *lake = &view->lake.figures;
    static const char away[] = "PUT s3://smartcity-lake/raw/…: 503 SlowDown, tried again in 4 s";
    lake->paused = true;
    spoil_catalogue(view);
    lake->next_close_us = 0;
    lake->blocked = true;
    lake->spool_bytes = lake->spool_limit;
    lake->memory_bytes = lake->memory_limit - 400000;
    lake->fenced = 1;
    lake->faults = 1;
    lake->retries = 18;
    lake->objects.conflicts = 4;
    lake->kinds[EVENT_GPS].missing = 17;
    lake->kinds[EVENT_WEATHER].repeated = 120;
    lake->kinds[EVENT_WEATHER].refused = 88;
    lake->kinds[EVENT_VEHICLE].small = 14;
    text_copy(lake->problem, sizeof lake->problem, away);
    text_copy(lake->warning, sizeof lake->warning,
              "vehicle_data: 14 small files, 63.8 kB on average: larger batches, or compact");
    lake->recent[0].state = LAKE_BATCH_WAITING;
    lake->recent[0].tries = 7;
    text_copy(lake->recent[0].problem, sizeof lake->recent[0].problem, away);
    lake->recent[1].state = LAKE_BATCH_FENCED;
    text_copy(lake->recent[1].problem, sizeof lake->recent[1].problem, "another writer landed 985000 first");
    lake->recent[2].state = LAKE_BATCH_FAULT;
    lake->partitions[3].state = LAKE_PARTITION_FENCED;
    text_copy(lake->partitions[3].problem, sizeof lake->partitions[3].problem,
              "another writer lands this partition: host-b, pid 4021");
    lake->partitions[4].state = LAKE_PARTITION_REDO;
    lake->kinds[EVENT_EMERGENCY].rows -= 2;
    view->producer.topics[EVENT_TRAFFIC].failed = 4;
    view->producer.topics[EVENT_TRAFFIC].produced += 4;
    view->consumer.topics[EVENT_GPS].gaps = 17;
    view->recorder.missed = 240;
    view->pipeline.figures.failed_jobs = 1;
    view->pipeline.figures.open_jobs = 2;
    text_copy(view->pipeline.figures.problem, sizeof view->pipeline.figures.problem,
              "load of vehicle_data: COPY: S3ServiceException: Access Denied");
}

static void poison(struct view *view)
{
    struct lake_figures *lake = &view->lake.figures;
    spoil(view);
    memcpy(lake->problem, BAD, sizeof BAD);
    memcpy(lake->warning, BAD, sizeof BAD);
    memcpy(lake->bucket, BAD, sizeof BAD);
    struct catalogue_snapshot *snapshot = (struct catalogue_snapshot *)(uintptr_t)view->catalogue.snapshot;
    for (size_t i = 0; i < snapshot->table_count; i++) {
        memcpy(snapshot->tables[i].name, BAD, sizeof BAD);
        memcpy(snapshot->tables[i].columns[0].type, BAD, sizeof BAD);
        snapshot->tables[i].updated_ms = INT64_MIN;
    }
    memcpy(snapshot->crawlers[0].message, BAD, sizeof BAD);
    memcpy(view->jobs[0].text, BAD, sizeof BAD);
    memcpy(view->pipeline.figures.jobs[0].detail, BAD, sizeof BAD);
    view->pipeline.figures.jobs[0].made_ms = INT64_MIN;
    memcpy(view->pipeline.figures.problem, BAD, sizeof BAD);
    memcpy(view->cloud.problem, BAD, sizeof BAD);
    for (size_t i = 0; i < lake->recent_count; i++) {
        memcpy(lake->recent[i].problem, BAD, sizeof BAD);
        lake->recent[i].rows = UINT64_MAX;
        lake->recent[i].file_bytes = INT64_MAX;
        lake->recent[i].key.start = INT64_MIN;
        lake->recent[i].key.end = INT64_MAX;
        lake->recent[i].landed_us = i % 2 ? INT64_MAX : INT64_MIN;
        lake->recent[i].state = (enum lake_batch_state)(i * 3 % 11);
    }
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        view->producer.topics[kind].produced = UINT64_MAX;
        view->recorder.journey.events[kind] = UINT64_MAX;
        view->pipeline.figures.totals[kind].last_ms[LEDGER_LOADED] = INT64_MIN;
        view->pipeline.figures.totals[kind].rows[LEDGER_LANDED] = INT64_MAX / 8;
        lake->kinds[kind].rows = UINT64_MAX;
        lake->kinds[kind].waiting = UINT64_MAX / 3;
        lake->kinds[kind].object_bytes = UINT64_MAX;
    }
    lake->oldest_us = INT64_MAX;
    lake->next_close_us = INT64_MIN;
    lake->batch_age_us = 0;
    lake->memory_limit = 0;
    lake->queue.capacity = 0;
}

struct view *lake_view_create(enum lake_view_kind kind)
{
    struct view *view = mem_zero(1, sizeof *view);
    view->wall_us = WALL_US;
    view->mono_us = MONO_US;
    view->city = mem_zero(1, sizeof *view->city);
    if (kind == LAKE_VIEW_EMPTY) {
        view->cloud.state = VIEW_CLOUD_STARTING;
        view->cloud.local = true;
        return view;
    }
    fill_cloud(view);
    fill_lake(view);
    fill_stream(view);
    fill_pipeline(view);
    fill_catalogue(view);
    if (kind == LAKE_VIEW_TROUBLE)
        spoil(view);
    if (kind == LAKE_VIEW_HOSTILE)
        poison(view);
    return view;
}

void lake_view_destroy(struct view *view)
{
    struct catalogue_snapshot *snapshot = (struct catalogue_snapshot *)(uintptr_t)view->catalogue.snapshot;
    for (size_t i = 0; snapshot != NULL && i < snapshot->table_count; i++) {
        free(snapshot->tables[i].columns);
        free(snapshot->tables[i].partitions);
    }
    free(snapshot);
    free((void *)(uintptr_t)view->city);
    free(view);
}
