#include "localcloud/glue_private.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Crawls: running one and writing down what it did, their history, metrics. A crawl's document has the shape
 * of Glue's CrawlerHistory, and members of our own that begin with '_'. */

#define HISTORY_MAX 100 /* kept of a crawler */

/* ---- running ---------------------------------------------------------------------------------------- */

static void add_change(json_t *summary, const char *what, json_t *names, int64_t count)
{
    if (count == 0)
        return;
    json_t *change = json_pack("{s:i}", "Count", (int)count);
    if (names) {
        json_t *details = json_pack("{s:O}", "names", names);
        char *text = json_dumps(details, JSON_COMPACT);
        json_object_set_new(change, "Details", json_string(text ? text : ""));
        free(text);
        json_decref(details);
    }
    json_object_set_new(summary, what, change);
}

static void add_part(json_t *whole, const char *name, json_t *part)
{
    char *text = json_object_size(part) > 0 ? json_dumps(part, JSON_COMPACT) : NULL;
    if (text)
        json_object_set_new(whole, name, json_string(text));
    free(text);
    json_decref(part);
}

/* JSON in JSON in JSON, as AWS writes it. */
static json_t *summary_of(const struct glue_crawl_result *result)
{
    json_t *whole = json_object(), *tables = json_object(), *partitions = json_object();
    add_change(tables, "ADD", result->added, (int64_t)json_array_size(result->added));
    add_change(tables, "UPDATE", result->updated, (int64_t)json_array_size(result->updated));
    add_change(tables, "DELETE", result->deleted, (int64_t)json_array_size(result->deleted));
    add_change(partitions, "ADD", NULL, result->partitions_added);
    add_change(partitions, "UPDATE", NULL, result->partitions_updated);
    add_change(partitions, "DELETE", NULL, result->partitions_deleted);
    add_part(whole, "TABLE", tables);
    add_part(whole, "PARTITION", partitions);
    char *text = json_dumps(whole, JSON_COMPACT);
    json_t *summary = json_string(text ? text : "{}");
    free(text);
    json_decref(whole);
    return summary;
}

static bool collect_seconds(void *context, const char *name, const char *second, json_t *crawl)
{
    json_array_append_new(context, json_string(second));
    return true;
}

static void prune(struct glue *glue, const char *name)
{
    json_t *all = json_array();
    documents_list(glue->store, GLUE_CRAWL, name, collect_seconds, all, NULL);
    for (size_t i = 0; i + HISTORY_MAX < json_array_size(all); i++)
        documents_remove(glue->store, GLUE_CRAWL, name, json_string_value(json_array_get(all, i)), NULL,
                         NULL);
    json_decref(all);
}

/* Writes the end of a crawl into its document and the crawler's. The lock is held. */
static void finish(struct glue *glue, const char *name, const char *id,
                   const struct glue_crawl_result *result)
{
    struct err err = ERR_INIT;
    json_t *crawl, *crawler;
    int64_t now = clock_wall_us();
    const char *state = result->failed ? "FAILED" : result->stopped ? "STOPPED" : "COMPLETED";
    const char *status = result->failed ? "FAILED" : result->stopped ? "CANCELLED" : "SUCCEEDED";
    if (documents_get(glue->store, GLUE_CRAWL, name, id, &crawl, &err) != 1)
        crawl = json_object();
    int64_t started = json_integer_value(json_object_get(crawl, "_started"));
    json_object_set_new(crawl, "State", json_string(state));
    json_object_set_new(crawl, "EndTime", glue_time(now));
    json_object_set_new(crawl, "Summary", summary_of(result));
    json_object_set_new(crawl, "DPUHour", json_real((double)(now - started) / 3.6e9 * 2));
    json_object_set_new(crawl, "_seconds", json_real((double)(now - started) / 1e6));
    json_object_set_new(crawl, "_created", json_integer((json_int_t)json_array_size(result->added)));
    json_object_set_new(crawl, "_updated", json_integer((json_int_t)json_array_size(result->updated)));
    json_object_set_new(crawl, "_deleted", json_integer((json_int_t)json_array_size(result->deleted)));
    if (result->failed)
        json_object_set_new(crawl, "ErrorMessage", json_string(result->error));
    documents_put(glue->store, GLUE_CRAWL, name, id, crawl, &err);
    if (documents_get(glue->store, GLUE_CRAWLER, name, "", &crawler, &err) == 1) {
        json_t *last =
            json_pack("{s:s, s:s, s:s, s:O?, s:O?}", "Status", status, "LogGroup", "/aws-glue/crawlers",
                      "LogStream", name, "MessagePrefix", json_object_get(crawl, "MessagePrefix"),
                      "StartTime", json_object_get(crawl, "StartTime"));
        if (result->failed)
            json_object_set_new(last, "ErrorMessage", json_string(result->error));
        json_object_set_new(crawler, "LastCrawl", last);
        json_object_set_new(crawler, "State", json_string("READY"));
        json_object_set_new(crawler, "CrawlElapsedTime", json_integer(0));
        json_object_del(crawler, "_started");
        if (documents_put(glue->store, GLUE_CRAWLER, name, "", crawler, &err) < 0)
            log_write(glue->context.log, LOG_ERROR, "glue", "the end of a crawl cannot be kept: %s",
                      err.text);
        json_decref(crawler);
    }
    prune(glue, name);
    json_decref(crawl);
}

void glue_crawl_run(struct glue *glue, struct glue_task *task)
{
    struct err err = ERR_INIT;
    struct glue_crawl_result result = {
        .added = json_array(), .updated = json_array(), .deleted = json_array()};
    json_t *crawler = NULL;
    glue_task_dawdle(glue, task, 40); /* AWS starts machines first */
    if (glue_task_cancelled(glue, task)) {
        result.stopped = true;
    } else if (documents_get(glue->store, GLUE_CRAWLER, task->name, "", &crawler, &err) == 1) {
        glue_crawl(glue, task, crawler, &result);
    } else {
        result.failed = true;
        text_copy(result.error, sizeof result.error, err.text);
    }
    log_write(glue->context.log, result.failed ? LOG_WARNING : LOG_INFO, "glue",
              "crawler %s: %zu tables made, %zu changed, %lld partitions added%s%s", task->name,
              json_array_size(result.added), json_array_size(result.updated),
              (long long)result.partitions_added, result.failed ? ": " : "", result.error);
    pthread_mutex_lock(&glue->lock);
    finish(glue, task->name, task->id, &result);
    pthread_mutex_unlock(&glue->lock);
    json_decref(crawler);
    json_decref(result.added);
    json_decref(result.updated);
    json_decref(result.deleted);
}

/* ---- after a kill ----------------------------------------------------------------------------------- */

static bool collect_running(void *context, const char *name, const char *second, json_t *document)
{
    const char *state = json_string_value(json_object_get(document, "State"));
    if (state && strcmp(state, "RUNNING") == 0)
        json_array_append_new(context, json_pack("[s,s]", name, second));
    return true;
}

int glue_crawlers_recover(struct glue *glue, struct err *err)
{
    struct glue_crawl_result result = {
        .failed = true, .error = "Internal Service Exception: the service was stopped during the crawl"};
    json_t *running = json_array(), *each;
    size_t index;
    int status = documents_list(glue->store, GLUE_CRAWL, NULL, collect_running, running, err);
    json_array_foreach(running, index, each) finish(glue, json_string_value(json_array_get(each, 0)),
                                                    json_string_value(json_array_get(each, 1)), &result);
    json_decref(running);
    return status;
}

/* ---- history ---------------------------------------------------------------------------------------- */

static bool compare(double left, const char *operator, double right)
{
    return strcmp(operator, "GT") == 0   ? left > right
           : strcmp(operator, "GE") == 0 ? left >= right
           : strcmp(operator, "LT") == 0 ? left < right
           : strcmp(operator, "LE") == 0 ? left <= right
           : strcmp(operator, "EQ") == 0 ? left == right
                                         : left != right;
}

/* {"FieldName": "STATE", "FilterOperator": "EQ", "FieldValue": "FAILED"}; times are milliseconds. */
static bool fits(const json_t *crawl, const json_t *filter)
{
    static const struct {
        const char *field, *member;
        double scale;
    } numbers[] = {
        {"START_TIME", "StartTime", 1000}, {"END_TIME", "EndTime", 1000}, {"DPU_HOUR", "DPUHour", 1}};
    const char *field = json_string_value(json_object_get(filter, "FieldName"));
    const char *operator= json_string_value(json_object_get(filter, "FilterOperator"));
    const char *value = json_string_value(json_object_get(filter, "FieldValue"));
    double number;
    if (!field || !operator|| !value)
        return true;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(field, numbers[i].field) == 0)
            return text_parse_double(value, -1e18, 1e18, &number) &&
                   json_object_get(crawl, numbers[i].member) &&
                   compare(json_number_value(json_object_get(crawl, numbers[i].member)) * numbers[i].scale,
                           operator, number);
    const char *own =
        json_string_value(json_object_get(crawl, strcmp(field, "CRAWL_ID") == 0 ? "CrawlId" : "State"));
    return own && (strcmp(own, value) == 0) == (strcmp(operator, "NE") != 0);
}

static bool collect_crawl(void *context, const char *name, const char *second, json_t *crawl)
{
    json_object_set_new(crawl, "_second", json_string(second));
    json_array_append(context, crawl);
    return true;
}

static void strip(json_t *document)
{
    void *next;
    for (void *at = json_object_iter(document); at; at = next) {
        next = json_object_iter_next(document, at);
        if (json_object_iter_key(at)[0] == '_')
            json_object_del(document, json_object_iter_key(at));
    }
}

/* Newest first. */
void glue_list_crawls(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    struct glue_page page;
    char last[32] = "";
    const char *name = glue_text(request, "CrawlerName");
    const json_t *filters = request_json_array(request, "Filters"), *filter;
    if (!name)
        return;
    if (documents_get(glue->store, GLUE_CRAWLER, name, "", NULL, &err) != 1) {
        request_fail(request, 400, "EntityNotFoundException", "Crawler entry with name %s does not exist",
                     name);
        return;
    }
    if (!glue_page_begin(request, &page, 20))
        return;
    json_t *all = json_array();
    int result = documents_list(glue->store, GLUE_CRAWL, name, collect_crawl, all, &err);
    for (size_t i = json_array_size(all); i-- > 0 && !page.more;) {
        json_t *crawl = json_array_get(all, i);
        char second[32];
        bool wanted = true;
        size_t index;
        text_copy(second, sizeof second, json_string_value(json_object_get(crawl, "_second")));
        json_array_foreach(filters, index, filter) wanted = wanted && fits(crawl, filter);
        if (!wanted || (page.after[0] && strcmp(second, page.after) >= 0))
            continue;
        strip(crawl);
        if (glue_page_add(&page, crawl))
            text_copy(last, sizeof last, second);
    }
    json_decref(all);
    if (result < 0) {
        json_decref(page.items);
        request_fail_internal(request, &err);
        return;
    }
    glue_page_reply(request, &page, "Crawls", last);
}

/* ---- metrics ---------------------------------------------------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static json_t *metrics_of(struct glue *glue, const json_t *crawler, int64_t now_us)
{
    const char *name = json_string_value(json_object_get(crawler, "Name"));
    double seconds[HISTORY_MAX + 1], last = 0, median = 0;
    size_t count = 0, index;
    json_int_t created = 0, updated = 0, deleted = 0;
    json_t *all = json_array();
    const json_t *crawl, *started = json_object_get(crawler, "_started");
    documents_list(glue->store, GLUE_CRAWL, name, collect_crawl, all, NULL);
    json_array_foreach(all, index, crawl)
    {
        if (!json_object_get(crawl, "_seconds"))
            continue;
        last = json_real_value(json_object_get(crawl, "_seconds"));
        if (count < HISTORY_MAX)
            seconds[count++] = last;
        created = json_integer_value(json_object_get(crawl, "_created"));
        updated = json_integer_value(json_object_get(crawl, "_updated"));
        deleted = json_integer_value(json_object_get(crawl, "_deleted"));
    }
    json_decref(all);
    if (count > 0) {
        qsort(seconds, count, sizeof *seconds, compare_doubles);
        median = (seconds[(count - 1) / 2] + seconds[count / 2]) / 2;
    }
    double left = started ? median - (double)(now_us - json_integer_value(started)) / 1e6 : 0;
    return json_pack("{s:s, s:f, s:b, s:f, s:f, s:I, s:I, s:I}", "CrawlerName", name, "TimeLeftSeconds",
                     left > 0 ? left : 0.0, "StillEstimating", started && count == 0, "LastRuntimeSeconds",
                     last, "MedianRuntimeSeconds", median, "TablesCreated", created, "TablesUpdated", updated,
                     "TablesDeleted", deleted);
}

static bool collect_named(void *context, const char *name, const char *second, json_t *crawler)
{
    json_array_append(context, crawler);
    return true;
}

void glue_get_crawler_metrics(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    struct glue_page page;
    const json_t *names = request_json_array(request, "CrawlerNameList"), *each;
    json_t *crawlers = json_array(), *crawler;
    size_t index, at;
    if (!glue_page_begin(request, &page, 100)) {
        json_decref(crawlers);
        return;
    }
    int result = documents_list(glue->store, GLUE_CRAWLER, NULL, collect_named, crawlers, &err);
    json_array_foreach(crawlers, index, crawler)
    {
        const char *name = json_string_value(json_object_get(crawler, "Name"));
        bool wanted = json_array_size(names) == 0;
        json_array_foreach(names, at, each) wanted =
            wanted || (json_is_string(each) && strcmp(json_string_value(each), name) == 0);
        if (!wanted || strcmp(name, page.after) <= 0)
            continue;
        json_t *metrics = metrics_of(glue, crawler, request->now_us);
        bool more = glue_page_add(&page, metrics);
        json_decref(metrics);
        if (!more)
            break;
    }
    json_decref(crawlers);
    if (result < 0) {
        json_decref(page.items);
        request_fail_internal(request, &err);
        return;
    }
    const json_t *last = json_array_get(page.items, json_array_size(page.items) - 1);
    glue_page_reply(request, &page, "CrawlerMetricsList",
                    json_string_value(json_object_get(last, "CrawlerName")));
}
