#include "localcloud/glue_private.h"

#include "base/clock.h"
#include "base/text.h"
#include "localcloud/glue_cron.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Crawlers: what is kept of them, their schedules and states. A crawler's document has the shape of Glue's
 * Crawler; states are READY, RUNNING (waiting for the worker counts as running) and STOPPING.
 */

/* ---- shapes ----------------------------------------------------------------------------------------- */

static const struct shape S3_TARGET[] = {
    {"Path", SHAPE_TEXT, .required = true},
    {"Exclusions", SHAPE_TEXT_LIST},
    {"ConnectionName", SHAPE_TEXT},
    {"SampleSize", SHAPE_INT},
    {"EventQueueArn", SHAPE_TEXT},
    {"DlqEventQueueArn", SHAPE_TEXT},
    {NULL},
};
static const struct shape TARGETS[] = {
    {"S3Targets", SHAPE_OBJECT_LIST, S3_TARGET},
    {NULL},
};
static const struct shape POLICY[] = {
    {"UpdateBehavior", SHAPE_TEXT},
    {"DeleteBehavior", SHAPE_TEXT},
    {NULL},
};
static const struct shape RECRAWL[] = {
    {"RecrawlBehavior", SHAPE_TEXT},
    {NULL},
};
static const struct shape LINEAGE[] = {
    {"CrawlerLineageSettings", SHAPE_TEXT},
    {NULL},
};
static const struct shape LAKE_FORMATION[] = {
    {"UseLakeFormationCredentials", SHAPE_BOOL},
    {"AccountId", SHAPE_TEXT},
    {NULL},
};
#define CRAWLER_MEMBERS                                                                                      \
    {"Description", SHAPE_TEXT}, {"DatabaseName", SHAPE_TEXT}, {"Schedule", SHAPE_TEXT},                     \
        {"Classifiers", SHAPE_TEXT_LIST}, {"TablePrefix", SHAPE_TEXT},                                       \
        {"SchemaChangePolicy", SHAPE_OBJECT, POLICY}, {"RecrawlPolicy", SHAPE_OBJECT, RECRAWL},              \
        {"LineageConfiguration", SHAPE_OBJECT, LINEAGE},                                                     \
        {"LakeFormationConfiguration", SHAPE_OBJECT, LAKE_FORMATION}, {"Configuration", SHAPE_TEXT},         \
    {                                                                                                        \
        "CrawlerSecurityConfiguration", SHAPE_TEXT                                                           \
    }
static const struct shape CREATE[] = {
    {"Name", SHAPE_TEXT, .required = true},
    {"Role", SHAPE_TEXT, .required = true},
    {"Targets", SHAPE_OBJECT, TARGETS, .required = true},
    CRAWLER_MEMBERS,
    {NULL},
};
static const struct shape UPDATE[] = {
    {"Name", SHAPE_TEXT, .required = true},
    {"Role", SHAPE_TEXT},
    {"Targets", SHAPE_OBJECT, TARGETS},
    CRAWLER_MEMBERS,
    {NULL},
};

/* ---- checks ----------------------------------------------------------------------------------------- */

static bool one_of(const json_t *object, const char *name, const char *const *words)
{
    const char *text = json_string_value(json_object_get(object, name));
    for (; text && *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return !text;
}

static int check_enums(const json_t *input, struct err *err)
{
    static const char *const updates[] = {"LOG", "UPDATE_IN_DATABASE", NULL};
    static const char *const deletes[] = {"LOG", "DELETE_FROM_DATABASE", "DEPRECATE_IN_DATABASE", NULL};
    static const char *const recrawls[] = {"CRAWL_EVERYTHING", "CRAWL_NEW_FOLDERS_ONLY", NULL};
    static const char *const lineages[] = {"ENABLE", "DISABLE", NULL};
    const json_t *policy = json_object_get(input, "SchemaChangePolicy");
    const json_t *recrawl = json_object_get(input, "RecrawlPolicy");
    if (!one_of(policy, "UpdateBehavior", updates) || !one_of(policy, "DeleteBehavior", deletes))
        return err_set(err, ERR_USAGE, "The SchemaChangePolicy is not valid");
    if (!one_of(recrawl, "RecrawlBehavior", recrawls))
        return err_set(err, ERR_USAGE,
                       "The RecrawlPolicy is not valid here: CRAWL_EVERYTHING or CRAWL_NEW_FOLDERS_ONLY");
    if (!one_of(json_object_get(input, "LineageConfiguration"), "CrawlerLineageSettings", lineages))
        return err_set(err, ERR_USAGE, "The LineageConfiguration is not valid");
    const char *behaviour = json_string_value(json_object_get(recrawl, "RecrawlBehavior"));
    const char *update = json_string_value(json_object_get(policy, "UpdateBehavior"));
    const char *delete = json_string_value(json_object_get(policy, "DeleteBehavior"));
    bool logs = update && strcmp(update, "LOG") == 0 && delete &&strcmp(delete, "LOG") == 0;
    if (behaviour && strcmp(behaviour, "CRAWL_NEW_FOLDERS_ONLY") == 0 && !logs)
        return err_set(err, ERR_USAGE,
                       "The SchemaChangePolicy for \"Crawl new folders only\" Amazon S3 target can have only "
                       "LOG DeleteBehavior value and LOG UpdateBehavior value.");
    return 0;
}

static int check_targets(const json_t *all, const json_t *targets, struct err *err)
{
    const char *name;
    json_t *value;
    const json_t *target;
    size_t index;
    json_object_foreach(json_object_get(all, "Targets"), name,
                        value) if (strcmp(name, "S3Targets") != 0 &&
                                   json_array_size(value) >
                                       0) return err_set(err, ERR_USAGE,
                                                         "%.40s are not emulated locally: S3Targets only",
                                                         name);
    if (json_array_size(json_object_get(targets, "S3Targets")) == 0)
        return err_set(err, ERR_USAGE, "At least one target is required");
    json_array_foreach(json_object_get(targets, "S3Targets"), index, target)
    {
        const char *path = json_string_value(json_object_get(target, "Path"));
        const json_t *sample = json_object_get(target, "SampleSize");
        if (strlen(path) > 1200)
            return err_set(err, ERR_USAGE, "The path of a target is too long");
        if (sample && (json_integer_value(sample) < 1 || json_integer_value(sample) > 249))
            return err_set(err, ERR_USAGE, "SampleSize must be between 1 and 249");
    }
    return 0;
}

static int check(const json_t *all, const json_t *input, struct err *err)
{
    const char *name = json_string_value(json_object_get(input, "Name"));
    const char *configuration = json_string_value(json_object_get(input, "Configuration"));
    const char *prefix = json_string_value(json_object_get(input, "TablePrefix"));
    const char *schedule = json_string_value(json_object_get(input, "Schedule"));
    struct glue_cron cron;
    if (strlen(name) > CATALOGUE_NAME_MAX)
        return err_set(
            err, ERR_USAGE,
            "1 validation error detected: Value at 'name' failed to satisfy constraint: Member must "
            "have length less than or equal to 255");
    if (prefix && strlen(prefix) > 128)
        return err_set(err, ERR_USAGE,
                       "1 validation error detected: Value at 'tablePrefix' failed to satisfy constraint: "
                       "Member must have length less than or equal to 128");
    if (schedule && *schedule && glue_cron_parse(schedule, &cron, err) < 0)
        return -1;
    if (configuration && *configuration) {
        json_t *parsed = json_loads(configuration, 0, NULL);
        bool object = json_is_object(parsed);
        json_decref(parsed);
        if (!object)
            return err_set(err, ERR_USAGE, "The crawler configuration is not valid JSON");
    }
    if (json_object_get(input, "Targets") && check_targets(all, json_object_get(input, "Targets"), err) < 0)
        return -1;
    return check_enums(input, err);
}

/* ---- documents -------------------------------------------------------------------------------------- */

static const char *state_of(const json_t *crawler)
{
    return json_string_value(json_object_get(crawler, "State"));
}

static bool in_state(const json_t *crawler, const char *state)
{
    return strcmp(state_of(crawler), state) == 0;
}

static void no_crawler(struct request *request, const char *name)
{
    request_fail(request, 400, "EntityNotFoundException", "Crawler entry with name %s does not exist", name);
}

/* With the lock held on success: change it, then save_crawler(). NULL after the answer, not locked. */
static json_t *open_crawler(struct request *request, const char *name)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *crawler;
    pthread_mutex_lock(&glue->lock);
    if (documents_get(glue->store, GLUE_CRAWLER, name, "", &crawler, &err) == 1)
        return crawler;
    pthread_mutex_unlock(&glue->lock);
    if (err.kind)
        request_fail_internal(request, &err);
    else
        no_crawler(request, name);
    return NULL;
}

/* Unlocks, frees, answers {}. */
static void save_crawler(struct request *request, json_t *crawler, bool changed)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    int result = changed
                     ? documents_put(glue->store, GLUE_CRAWLER,
                                     json_string_value(json_object_get(crawler, "Name")), "", crawler, &err)
                     : 0;
    pthread_mutex_unlock(&glue->lock);
    json_decref(crawler);
    glue_done(request, result < 0 ? CATALOGUE_FAILED : CATALOGUE_OK, &err);
}

static void drop_crawler(struct request *request, json_t *crawler)
{
    struct glue *glue = request->state;
    pthread_mutex_unlock(&glue->lock);
    json_decref(crawler);
}

/* Input becomes document: the schedule is an object there, defaults are said. */
static void complete(json_t *crawler, const json_t *old, int64_t now_us)
{
    const json_t *schedule = json_object_get(crawler, "Schedule");
    if (json_is_string(schedule)) {
        if (json_string_length(schedule) > 0)
            json_object_set_new(
                crawler, "Schedule",
                json_pack("{s:O, s:s}", "ScheduleExpression", schedule, "State", "SCHEDULED"));
        else
            json_object_del(crawler, "Schedule");
    }
    json_t *defaults =
        json_pack("{s:[], s:{s:s}, s:{s:s, s:s}, s:{s:s}, s:{s:b, s:s}, s:s, s:i}", "Classifiers",
                  "RecrawlPolicy", "RecrawlBehavior", "CRAWL_EVERYTHING", "SchemaChangePolicy",
                  "UpdateBehavior", "UPDATE_IN_DATABASE", "DeleteBehavior", "DEPRECATE_IN_DATABASE",
                  "LineageConfiguration", "CrawlerLineageSettings", "DISABLE", "LakeFormationConfiguration",
                  "UseLakeFormationCredentials", 0, "AccountId", "", "State", "READY", "CrawlElapsedTime", 0);
    json_object_update_missing(crawler, defaults);
    json_decref(defaults);
    json_object_set_new(crawler, "LastUpdated", glue_time(now_us));
    json_object_set_new(crawler, "CreationTime",
                        old ? json_incref(json_object_get(old, "CreationTime")) : glue_time(now_us));
    json_object_set_new(crawler, "Version",
                        json_integer(old ? json_integer_value(json_object_get(old, "Version")) + 1 : 1));
}

void glue_create_crawler(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    json_t *crawler = shape_copy(CREATE, request->json, "", &err);
    if (!crawler || check(request->json, crawler, &err) < 0) {
        json_decref(crawler);
        glue_fail_input(request, &err);
        return;
    }
    const char *name = json_string_value(json_object_get(crawler, "Name"));
    complete(crawler, NULL, request->now_us);
    pthread_mutex_lock(&glue->lock);
    int found = documents_get(glue->store, GLUE_CRAWLER, name, "", NULL, &err);
    if (found == 0)
        found = documents_put(glue->store, GLUE_CRAWLER, name, "", crawler, &err);
    pthread_mutex_unlock(&glue->lock);
    if (found == 1) {
        request_fail(request, 400, "AlreadyExistsException", "Crawler with name %s already exists", name);
    } else {
        if (found == 0 && request_json_object(request, "Tags"))
            glue_set_tags(glue, "crawler", name, request_json_object(request, "Tags"));
        glue_done(request, found < 0 ? CATALOGUE_FAILED : CATALOGUE_OK, &err);
    }
    json_decref(crawler);
}

void glue_update_crawler(struct request *request)
{
    struct err err = ERR_INIT;
    json_t *input = shape_copy(UPDATE, request->json, "", &err);
    if (!input || check(request->json, input, &err) < 0) {
        json_decref(input);
        glue_fail_input(request, &err);
        return;
    }
    json_t *crawler = open_crawler(request, json_string_value(json_object_get(input, "Name")));
    if (crawler && !in_state(crawler, "READY")) {
        request_fail(request, 400, "CrawlerRunningException", "Crawler with name %s is running",
                     json_string_value(json_object_get(input, "Name")));
        drop_crawler(request, crawler);
    } else if (crawler) {
        json_t *old = json_copy(crawler);
        json_object_update(crawler, input);
        complete(crawler, old, request->now_us);
        json_decref(old);
        save_crawler(request, crawler, true);
    }
    json_decref(input);
}

void glue_delete_crawler(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *name = glue_text(request, "Name");
    json_t *crawler = name ? open_crawler(request, name) : NULL;
    if (!crawler)
        return;
    if (!in_state(crawler, "READY")) {
        request_fail(request, 400, "CrawlerRunningException", "Crawler with name %s is running", name);
        drop_crawler(request, crawler);
        return;
    }
    int result = documents_remove(glue->store, GLUE_CRAWLER, name, "", NULL, &err);
    if (result == 0)
        result = documents_remove(glue->store, GLUE_CRAWL, name, NULL, NULL, &err);
    drop_crawler(request, crawler);
    glue_set_tags(glue, "crawler", name, NULL);
    glue_done(request, result < 0 ? CATALOGUE_FAILED : CATALOGUE_OK, &err);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* Elapsed time while it runs; the rest is as it is kept. */
static json_t *shown(json_t *crawler, int64_t now_us)
{
    const json_t *started = json_object_get(crawler, "_started");
    if (started)
        json_object_set_new(crawler, "CrawlElapsedTime",
                            json_integer((now_us - json_integer_value(started)) / 1000));
    json_object_del(crawler, "_started");
    return crawler;
}

void glue_get_crawler(struct request *request)
{
    const char *name = glue_text(request, "Name");
    json_t *crawler = name ? open_crawler(request, name) : NULL;
    if (!crawler)
        return;
    request_reply_json(request, json_pack("{s:O}", "Crawler", shown(crawler, request->now_us)));
    drop_crawler(request, crawler);
}

struct listing {
    struct glue_page *page;
    int64_t now_us;
    bool names;
};

static bool add_crawler(void *context, const char *name, const char *second, json_t *crawler)
{
    const struct listing *listing = context;
    if (strcmp(name, listing->page->after) <= 0)
        return true;
    if (!listing->names)
        return glue_page_add(listing->page, shown(crawler, listing->now_us));
    json_t *text = json_string(name);
    bool more = glue_page_add(listing->page, text);
    json_decref(text);
    return more;
}

static void list(struct request *request, bool names, const char *member)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    struct glue_page page;
    if (!glue_page_begin(request, &page, 100))
        return;
    struct listing listing = {&page, request->now_us, names};
    if (documents_list(glue->store, GLUE_CRAWLER, NULL, add_crawler, &listing, &err) < 0) {
        json_decref(page.items);
        request_fail_internal(request, &err);
        return;
    }
    const json_t *last = json_array_get(page.items, json_array_size(page.items) - 1);
    glue_page_reply(request, &page, member, json_string_value(names ? last : json_object_get(last, "Name")));
}

void glue_get_crawlers(struct request *request)
{
    list(request, false, "Crawlers");
}

void glue_list_crawlers(struct request *request)
{
    list(request, true, "CrawlerNames");
}

void glue_batch_get_crawlers(struct request *request)
{
    struct glue *glue = request->state;
    const json_t *names = glue_array(request, "CrawlerNames", 100), *each;
    size_t index;
    if (!names)
        return;
    json_t *found = json_array(), *absent = json_array(), *crawler;
    json_array_foreach(names, index, each)
    {
        const char *name = json_string_value(each) ? json_string_value(each) : "";
        if (documents_get(glue->store, GLUE_CRAWLER, name, "", &crawler, NULL) == 1)
            json_array_append_new(found, shown(crawler, request->now_us));
        else
            json_array_append_new(absent, json_string(name));
    }
    request_reply_json(request, json_pack("{s:o, s:o}", "Crawlers", found, "CrawlersNotFound", absent));
}

/* ---- schedules -------------------------------------------------------------------------------------- */

static void schedule_state(struct request *request, bool start)
{
    const char *name = glue_text(request, "CrawlerName");
    json_t *crawler = name ? open_crawler(request, name) : NULL;
    if (!crawler)
        return;
    json_t *schedule = json_object_get(crawler, "Schedule");
    const char *state = json_string_value(json_object_get(schedule, "State"));
    bool scheduled = state && strcmp(state, "SCHEDULED") == 0;
    if (!schedule)
        request_fail(request, 400, "NoScheduleException", "There is no schedule for crawler %s", name);
    else if (start && scheduled)
        request_fail(request, 400, "SchedulerRunningException", "The scheduler of crawler %s is running",
                     name);
    else if (!start && !scheduled)
        request_fail(request, 400, "SchedulerNotRunningException",
                     "The scheduler of crawler %s is not running", name);
    if (request->reply.failed) {
        drop_crawler(request, crawler);
        return;
    }
    json_object_set_new(schedule, "State", json_string(start ? "SCHEDULED" : "NOT_SCHEDULED"));
    save_crawler(request, crawler, true);
}

void glue_start_crawler_schedule(struct request *request)
{
    schedule_state(request, true);
}

void glue_stop_crawler_schedule(struct request *request)
{
    schedule_state(request, false);
}

void glue_update_crawler_schedule(struct request *request)
{
    struct err err = ERR_INIT;
    struct glue_cron cron;
    const char *name = glue_text(request, "CrawlerName");
    const char *text = request_json_text(request, "Schedule");
    if (!name)
        return;
    if (text && *text && glue_cron_parse(text, &cron, &err) < 0) {
        glue_fail_input(request, &err);
        return;
    }
    json_t *crawler = open_crawler(request, name);
    if (!crawler)
        return;
    if (text && *text)
        json_object_set_new(crawler, "Schedule",
                            json_pack("{s:s, s:s}", "ScheduleExpression", text, "State", "SCHEDULED"));
    else
        json_object_del(crawler, "Schedule");
    save_crawler(request, crawler, true);
}

/* ---- start and stop --------------------------------------------------------------------------------- */

/* The lock is held; the crawler is READY. */
static int start(struct glue *glue, json_t *crawler, int64_t now_us, struct err *err)
{
    const char *name = json_string_value(json_object_get(crawler, "Name"));
    char id[37], second[32];
    glue_new_id(id, true);
    snprintf(second, sizeof second, "%020lld", (long long)now_us);
    json_t *crawl = json_pack("{s:s, s:s, s:o, s:s, s:s, s:s}", "CrawlId", id, "State", "RUNNING",
                              "StartTime", glue_time(now_us), "LogGroup", "/aws-glue/crawlers", "LogStream",
                              name, "MessagePrefix", id);
    json_object_set_new(crawler, "State", json_string("RUNNING"));
    json_object_set_new(crawler, "_started", json_integer(now_us));
    json_object_set_new(crawl, "_started", json_integer(now_us));
    int result = documents_put(glue->store, GLUE_CRAWL, name, second, crawl, err);
    if (result == 0)
        result = documents_put(glue->store, GLUE_CRAWLER, name, "", crawler, err);
    if (result == 0)
        glue_task_add(glue, LANE_CRAWLS, name, second);
    json_decref(crawl);
    return result;
}

void glue_start_crawler(struct request *request)
{
    struct glue *glue = request->state;
    struct err err = ERR_INIT;
    const char *name = glue_text(request, "Name");
    json_t *crawler = name ? open_crawler(request, name) : NULL;
    if (!crawler)
        return;
    int result = 0;
    if (!in_state(crawler, "READY"))
        request_fail(request, 400, "CrawlerRunningException", "Crawler with name %s has already started",
                     name);
    else
        result = start(glue, crawler, request->now_us, &err);
    drop_crawler(request, crawler);
    if (!request->reply.failed)
        glue_done(request, result < 0 ? CATALOGUE_FAILED : CATALOGUE_OK, &err);
}

void glue_stop_crawler(struct request *request)
{
    struct glue *glue = request->state;
    const char *name = glue_text(request, "Name");
    json_t *crawler = name ? open_crawler(request, name) : NULL;
    if (!crawler)
        return;
    if (in_state(crawler, "READY"))
        request_fail(request, 400, "CrawlerNotRunningException", "Crawler with name %s isn't running", name);
    else if (in_state(crawler, "STOPPING"))
        request_fail(request, 400, "CrawlerStoppingException", "Crawler with name %s is stopping", name);
    if (request->reply.failed) {
        drop_crawler(request, crawler);
        return;
    }
    json_object_set_new(crawler, "State", json_string("STOPPING"));
    glue_task_cancel(glue, LANE_CRAWLS, name, NULL);
    save_crawler(request, crawler, true);
}

/* ---- schedules come due ----------------------------------------------------------------------------- */

struct due {
    json_t *crawlers;
    int64_t from, to;
};

static bool collect_due(void *context, const char *name, const char *second, json_t *crawler)
{
    const struct due *due = context;
    const json_t *schedule = json_object_get(crawler, "Schedule");
    const char *state = json_string_value(json_object_get(schedule, "State"));
    const char *text = json_string_value(json_object_get(schedule, "ScheduleExpression"));
    struct glue_cron cron;
    if (state && strcmp(state, "SCHEDULED") == 0 && in_state(crawler, "READY") && text &&
        glue_cron_parse(text, &cron, NULL) == 0 && glue_cron_between(&cron, due->from, due->to))
        json_array_append(due->crawlers, crawler);
    return true;
}

void glue_crawlers_due(struct glue *glue, int64_t from_s, int64_t to_s)
{
    struct err err = ERR_INIT;
    struct due due = {.crawlers = json_array(), .from = from_s, .to = to_s};
    json_t *crawler;
    size_t index;
    pthread_mutex_lock(&glue->lock);
    if (documents_list(glue->store, GLUE_CRAWLER, NULL, collect_due, &due, &err) < 0)
        log_write(glue->context.log, LOG_ERROR, "glue", "schedules cannot be read: %s", err.text);
    json_array_foreach(due.crawlers, index, crawler) if (start(glue, crawler, to_s * 1000000, &err) < 0)
        log_write(glue->context.log, LOG_ERROR, "glue", "a scheduled crawler did not start: %s", err.text);
    pthread_mutex_unlock(&glue->lock);
    json_decref(due.crawlers);
}
