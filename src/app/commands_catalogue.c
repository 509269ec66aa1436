/* Handlers of `crawl` and `catalogue`: jobs that ask Glue. Main thread; what runs on the job's says so. */
#include "app/commands_session.h"

#include "app/session_private.h"
#include "aws/json.h"
#include "base/clock.h"
#include "base/text.h"
#include "lake/lake_schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_US 30000000
#define ROLE    "smartcity" /* of the crawler */

struct crawl {
    struct aws_client *client; /* as long as the backend, which outlives the jobs */
    struct catalogue *catalogue;
    char name[64], path[160]; /* crawler and database; "s3://bucket/raw/" */
    bool stop;
};

static struct aws_client *client_now(struct session *session, struct command_reply *reply)
{
    struct aws_client *client = session->backend ? backend_client(session->backend) : NULL;
    if (!client)
        err_set(&reply->err, ERR_CONNECT, "the cloud is not there: %s",
                session->view.cloud.problem[0]                ? session->view.cloud.problem
                : session->view.cloud.state == VIEW_CLOUD_OFF ? "it is off (--cloud off)"
                                                              : "it is still starting");
    return client;
}

/* ---- on the job's thread ---- */

static json_t *glue(const struct crawl *crawl, const char *operation, json_t *input, char code[80],
                    struct err *err)
{
    return aws_json_wait(crawl->client, AWS_GLUE, operation, input, NULL, clock_mono_us() + CALL_US, code,
                         err);
}

static int begin(const struct crawl *crawl, struct job *job, struct err *err)
{
    char code[80] = "";
    json_t *answer = glue(crawl, "StartCrawler", json_pack("{s:s}", "Name", crawl->name), code, err);
    if (!answer && strcmp(code, "EntityNotFoundException") == 0) {
        job_progress(job, -1, "making the crawler %s of %s", crawl->name, crawl->path);
        answer = glue(crawl, "CreateCrawler",
                      json_pack("{s:s, s:s, s:s, s:{s:[{s:s}]}}", "Name", crawl->name, "Role", ROLE,
                                "DatabaseName", crawl->name, "Targets", "S3Targets", "Path", crawl->path),
                      code, err);
        if (!answer && strcmp(code, "AlreadyExistsException") != 0)
            return -1;
        json_decref(answer);
        answer = glue(crawl, "StartCrawler", json_pack("{s:s}", "Name", crawl->name), code, err);
    }
    if (!answer && strcmp(code, "CrawlerRunningException") != 0)
        return -1;
    json_decref(answer);
    *err = (struct err)ERR_INIT;
    return 0;
}

struct counts {
    size_t tables, partitions, differences;
};

static int count(const struct crawl *crawl, struct counts *counts, struct err *err)
{
    *counts = (struct counts){0};
    if (catalogue_read(crawl->catalogue, crawl->client, err) < 0)
        return -1;
    const struct catalogue_snapshot *snapshot = catalogue_snapshot(crawl->catalogue);
    for (size_t i = 0; i < snapshot->table_count; i++) {
        if (strcmp(snapshot->tables[i].database, crawl->name) != 0)
            continue;
        counts->tables++;
        counts->partitions += snapshot->tables[i].partition_count;
        counts->differences += snapshot->tables[i].differences;
    }
    catalogue_release(snapshot);
    return 0;
}

/* Until it is ready again. The screen's catalogue follows now and then. */
static int follow(const struct crawl *crawl, struct job *job, struct err *err)
{
    struct aws_work work = {.state = AWS_WORK_RUNNING};
    for (int asked = 0;; asked++) {
        if (!job_sleep(job, aws_work_poll_us(asked))) {
            char code[80];
            json_decref(glue(crawl, "StopCrawler", json_pack("{s:s}", "Name", crawl->name), code, err));
            return err_set(err, ERR_CANCELLED, "cancelled: the crawler was told to stop");
        }
        char code[80] = "";
        json_t *answer = glue(crawl, "GetCrawler", json_pack("{s:s}", "Name", crawl->name), code, err);
        if (!answer)
            return -1;
        int result = aws_work_read(AWS_GLUE, "GetCrawler", answer, &work, err);
        int64_t elapsed_ms = aws_json_int(answer, "Crawler.CrawlElapsedTime", 0);
        json_decref(answer);
        if (result < 0)
            return -1;
        if (work.state >= AWS_WORK_DONE)
            break;
        job_progress(job, -1, "%s for %.0f s", work.word, (double)elapsed_ms / 1000);
        struct err quiet = ERR_INIT; /* the screen shows how far; the crawl goes on whether or not it can */
        if (asked % 4 == 3)
            catalogue_read(crawl->catalogue, crawl->client, &quiet);
    }
    if (work.state == AWS_WORK_DONE)
        return 0;
    return err_set(err, ERR_REMOTE, "%s%s%s", work.word, work.reason[0] ? ": " : "", work.reason);
}

static int crawl_run(struct job *job, void *context, struct err *err)
{
    const struct crawl *crawl = context;
    struct counts before, after;
    int64_t begun_us = clock_mono_us();
    if (crawl->stop) {
        char code[80] = "";
        json_t *answer = glue(crawl, "StopCrawler", json_pack("{s:s}", "Name", crawl->name), code, err);
        json_decref(answer);
        if (answer)
            job_progress(job, 1, "the crawler was told to stop");
        return answer ? 0 : -1;
    }
    if (count(crawl, &before, err) < 0 || begin(crawl, job, err) < 0 || follow(crawl, job, err) < 0 ||
        count(crawl, &after, err) < 0)
        return -1;
    int64_t tables = (int64_t)after.tables - (int64_t)before.tables,
            partitions = (int64_t)after.partitions - (int64_t)before.partitions;
    job_progress(job, 1, "%zu tables (%+" PRId64 "), %zu partitions (%+" PRId64 ")%s in %.1f s", after.tables,
                 tables, after.partitions, partitions, after.differences > 0 ? ", schemas differ" : "",
                 (double)(clock_mono_us() - begun_us) / 1e6);
    json_t *data = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "crawler", crawl->name, "tables",
                             (json_int_t)after.tables, "tables_new", (json_int_t)tables, "partitions",
                             (json_int_t)after.partitions, "partitions_new", (json_int_t)partitions,
                             "differences", (json_int_t)after.differences);
    job_leave(job, json_dumps(data, JSON_COMPACT));
    json_decref(data);
    return 0;
}

static int catalogue_run(struct job *job, void *context, struct err *err)
{
    const struct crawl *crawl = context;
    if (catalogue_read(crawl->catalogue, crawl->client, err) < 0)
        return -1;
    const struct catalogue_snapshot *snapshot = catalogue_snapshot(crawl->catalogue);
    job_progress(job, 1, "%zu databases, %zu tables, %zu crawlers", snapshot->database_count,
                 snapshot->table_count, snapshot->crawler_count);
    catalogue_release(snapshot);
    return 0;
}

/* ---- the commands ---- */

static int start(struct session *session, const struct command_call *call, const struct crawl *crawl,
                 const char *kind, job_fn *fn, struct command_reply *reply)
{
    char title[96];
    uint64_t id;
    bool quiet = fn == catalogue_run;
    if (quiet)
        text_copy(title, sizeof title, "read the catalogue");
    else
        snprintf(title, sizeof title, "%s %s", crawl->stop ? "stop the crawl of" : "crawl", crawl->name);
    struct crawl *own = mem_alloc(sizeof *own);
    *own = *crawl;
    struct job_start job = {.kind = kind,
                            .title = title,
                            .source = call->source,
                            .fn = fn,
                            .context = own,
                            .release = free,
                            .quiet = quiet};
    if (jobs_start(session->jobs, &job, &id, &reply->err) < 0)
        return -1;
    if (!quiet)
        text_copy(reply->text, sizeof reply->text, title);
    json_t *data = json_pack("{s:I}", "job", (json_int_t)id);
    reply->json = json_dumps(data, JSON_COMPACT);
    json_decref(data);
    return 0;
}

int commands_crawl(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    struct crawl crawl = {.client = client_now(session, reply), .catalogue = session->catalogue};
    bool curated = false;
    if (!crawl.client)
        return -1;
    for (size_t i = 0; i < call->argument_count; i++) {
        const char *word = call->arguments[i];
        if (text_equal_fold(word, "stop"))
            crawl.stop = true;
        else if (text_equal_fold(word, "curated"))
            curated = true;
        else if (!text_equal_fold(word, "raw"))
            return err_set(&reply->err, ERR_USAGE, "usage: %s %s", call->command->name,
                           call->command->arguments);
    }
    text_copy(crawl.name, sizeof crawl.name, curated ? LAKE_DATABASE_CURATED : LAKE_DATABASE_RAW);
    snprintf(crawl.path, sizeof crawl.path, "s3://%s/%s/", backend_bucket(session->backend),
             curated ? "curated" : "raw");
    return start(session, call, &crawl, "crawl", crawl_run, reply);
}

int commands_catalogue(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    struct crawl crawl = {.client = client_now(session, reply), .catalogue = session->catalogue};
    if (!crawl.client)
        return -1;
    if (catalogue_reading(session->catalogue))
        return 0;
    return start(session, call, &crawl, "catalogue", catalogue_run, reply);
}
