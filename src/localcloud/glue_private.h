/* What the files of the Glue service share. */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_GLUE_PRIVATE_H

#include "localcloud/catalogue.h"
#include "localcloud/documents.h"
#include "localcloud/glue.h"
#include "localcloud/objects.h"
#include "localcloud/service.h"
#include "localcloud/shape.h"

#include <pthread.h>

struct worker;

/* Kinds of documents in glue.sqlite. */
#define GLUE_CRAWLER "crawler"
#define GLUE_CRAWL   "crawl" /* second name: counts upwards, so that order is time */
#define GLUE_JOB     "job"
#define GLUE_JOB_RUN "run"
#define GLUE_INDEX   "index" /* of partitions: "database.table", index */
#define GLUE_TAGS    "tags"  /* name: an ARN */

/* A crawl or job run in hand or waiting. */
struct glue_task {
    struct glue_task *next;
    char *name, *id; /* of crawler and crawl, of job and run */
    bool cancelled;  /* under glue->lock */
};

/* Crawls do not wait for jobs: each kind has a worker that takes one after the other. */
enum glue_lane { LANE_CRAWLS, LANE_JOBS, LANES };

struct glue_worker {
    struct glue *glue;
    enum glue_lane lane;
    struct glue_task *tasks; /* the first is in hand while `running` */
    bool running;
    struct worker *worker;
};

struct glue {
    struct service_context context;
    struct catalogue *catalogue;
    struct objects *objects;
    struct documents *store;

    pthread_mutex_t lock; /* of what follows, and of read-change-write of a crawler's or job's document */
    pthread_cond_t wake;
    bool stopping;
    struct glue_worker workers[LANES];
    int64_t scheduled_s; /* schedules were looked at up to here; LANE_CRAWLS */
};

/* ---- answering (glue.c) ----------------------------------------------------------------------------- */

/* A required member, or NULL after the answer was made. */
const char *glue_text(struct request *request, const char *name);
json_t *glue_object(struct request *request, const char *name);
json_t *glue_array(struct request *request, const char *name, size_t max);
/* Answers {} or why not. */
void glue_done(struct request *request, enum catalogue_status status, const struct err *err);
void glue_fail(struct request *request, enum catalogue_status status, const struct err *err);
/* InvalidInputException with the text of err, or ValidationException. */
void glue_fail_input(struct request *request, const struct err *err);

/* A page of a list: items up to `limit`, and the token of the last. */
struct glue_page {
    json_t *items;
    size_t limit;
    char after[2 * CATALOGUE_NAME_MAX + 2048]; /* decoded NextToken; "" from the start */
    bool more;
};
/* False after the answer was made. */
bool glue_page_begin(struct request *request, struct glue_page *page, int64_t limit);
/* False when the page is full. */
bool glue_page_add(struct glue_page *page, json_t *item);
/* {member: items, "NextToken": of last}; last: the key of the last item, copied. */
void glue_page_reply(struct request *request, struct glue_page *page, const char *member, const char *last);

/* "crawler", "job": arn:aws:glue:REGION:ACCOUNT:KIND/NAME */
void glue_arn(const struct glue *glue, const char *kind, const char *name, char arn[512]);
/* Seconds with milliseconds, as Glue writes times of crawls and jobs. */
json_t *glue_time(int64_t now_us);
/* A random id: 36 characters with dashes, or "jr_" and 64. */
void glue_new_id(char *id, bool dashes);
/* Tags of CreateX; absent is fine. */
void glue_set_tags(struct glue *glue, const char *kind, const char *name, const json_t *tags);

/* ---- work (glue_work.c) ----------------------------------------------------------------------------- */

/* Appends; the lock is held. */
void glue_task_add(struct glue *glue, enum glue_lane lane, const char *name, const char *id);
/* Marks those of the name (id NULL: any) cancelled; how many. The lock is held. */
int glue_task_cancel(struct glue *glue, enum glue_lane lane, const char *name, const char *id);
bool glue_task_cancelled(struct glue *glue, struct glue_task *task);
/* Waits, when the cloud is to be as slow as AWS; returns early when cancelled. */
void glue_task_dawdle(struct glue *glue, struct glue_task *task, int seconds);
int glue_work_start(struct glue *glue, struct err *err);
void glue_work_stop(struct glue *glue);    /* returns at once */
void glue_work_destroy(struct glue *glue); /* joins */

/* On the workers. */
void glue_crawl_run(struct glue *glue, struct glue_task *task);
void glue_job_run(struct glue *glue, struct glue_task *task);
/* Starts the crawlers whose schedule came in (from, to]. */
void glue_crawlers_due(struct glue *glue, int64_t from_s, int64_t to_s);
/* After a kill: what was running is told as failed. */
int glue_crawlers_recover(struct glue *glue, struct err *err);
int glue_jobs_recover(struct glue *glue, struct err *err);

/* What a crawl did. */
struct glue_crawl_result {
    bool failed, stopped;
    char error[400];
    json_t *added, *updated, *deleted; /* names of tables */
    int64_t partitions_added, partitions_updated, partitions_deleted;
};
/* Does the work of a crawl (glue_crawl.c). */
void glue_crawl(struct glue *glue, struct glue_task *task, const json_t *crawler,
                struct glue_crawl_result *result);

/* ---- operations ------------------------------------------------------------------------------------- */

operation_fn glue_create_database, glue_get_database, glue_get_databases, glue_update_database,
    glue_delete_database;
operation_fn glue_create_table, glue_get_table, glue_get_tables, glue_search_tables, glue_update_table,
    glue_delete_table, glue_batch_delete_table;
operation_fn glue_get_table_version, glue_get_table_versions, glue_delete_table_version,
    glue_batch_delete_table_version;
operation_fn glue_create_partition, glue_batch_create_partition, glue_get_partition, glue_get_partitions,
    glue_batch_get_partition, glue_update_partition, glue_batch_update_partition, glue_delete_partition,
    glue_batch_delete_partition;
operation_fn glue_create_partition_index, glue_get_partition_indexes, glue_delete_partition_index;
operation_fn glue_tag_resource, glue_untag_resource, glue_get_tags;
operation_fn glue_create_crawler, glue_get_crawler, glue_get_crawlers, glue_update_crawler,
    glue_delete_crawler, glue_list_crawlers, glue_batch_get_crawlers, glue_start_crawler, glue_stop_crawler,
    glue_get_crawler_metrics, glue_start_crawler_schedule, glue_stop_crawler_schedule,
    glue_update_crawler_schedule, glue_list_crawls;
operation_fn glue_create_job, glue_get_job, glue_get_jobs, glue_update_job, glue_delete_job, glue_list_jobs,
    glue_batch_get_jobs, glue_start_job_run, glue_get_job_run, glue_get_job_runs, glue_batch_stop_job_run;

/* Keeps an index of partitions; false after the answer was made. */
bool glue_index_add(struct request *request, const char *database, const char *table, const json_t *input);
/* A table and its indexes go together. */
void glue_indexes_remove(struct glue *glue, const char *database, const char *table);

#endif
