/* Glue without HTTP, with a SQL engine of our own and times of our own: jobs in their states, schedules, and
 * what a kill left behind. */
#include "base/clock.h"
#include "localcloud/glue_private.h"
#include "localcloud/sql_engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[64];
static struct service_context context;
static struct sql_engine engine;
static struct glue *glue;

/* The engine: notes what it was given; "WAIT" waits to be cancelled, "FAIL" fails. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char told[1024];
static bool waiting;

static int run_sql(void *self, const struct sql_engine_call *call, struct err *err)
{
    pthread_mutex_lock(&lock);
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s|%s\n", call->database, call->text);
    waiting = strcmp(call->text, "WAIT") == 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (strcmp(call->text, "FAIL") == 0)
        return err_set(err, ERR_REMOTE, "TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist");
    while (strcmp(call->text, "WAIT") == 0)
        if (call->cancelled(call->context))
            return err_set(err, ERR_CANCELLED, "cancelled");
        else
            clock_sleep_until(clock_mono_us() + 1000);
    return 0;
}

static int start_glue(void)
{
    struct err err = ERR_INIT;
    context.catalogue = catalogue_open(folder, "000000000000", &err);
    context.objects = objects_open(folder, &err);
    glue = context.catalogue && context.objects ? service_glue.create(&context, &err) : NULL;
    return glue ? 0 : -1;
}

static void stop_glue(void)
{
    if (glue) {
        service_glue.stop(glue);
        service_glue.destroy(glue);
    }
    glue = NULL;
    objects_close(context.objects);
    catalogue_close(context.catalogue);
}

static int set_up(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/smartcity-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    engine = (struct sql_engine){.run = run_sql};
    context = (struct service_context){
        .folder = folder, .region = "us-east-1", .account = "000000000000", .sql_engine = &engine};
    told[0] = '\0';
    waiting = false;
    if (start_glue() < 0)
        return -1;
    struct err err = ERR_INIT;
    return objects_bucket_create(context.objects, "lake", 1768204800000, &err) == OBJECTS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    stop_glue();
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Takes the input; the answer, or NULL with the error's code in `code`. */
static char code[64];
static json_t *call(const char *name, json_t *input)
{
    struct request request;
    const struct operation *operation = service_operation(&service_glue, name);
    assert_non_null(operation);
    request_init(&request);
    request.service = &service_glue;
    request.state = glue;
    request.json = input;
    request.now_us = clock_wall_us();
    operation->handle(&request);
    snprintf(code, sizeof code, "%s", request.reply.code);
    json_t *answer = request.reply.failed ? NULL : json_loads(request.reply.body.data, 0, NULL);
    request_free(&request);
    return answer;
}

static void must(const char *name, json_t *input)
{
    json_t *answer = call(name, input);
    if (!answer)
        fail_msg("%s: %s", name, code);
    json_decref(answer);
}

static void put(const char *key, const char *text)
{
    struct err err = ERR_INIT;
    assert_int_equal(objects_put(context.objects, "lake", key, text, strlen(text), NULL, &err), OBJECTS_OK);
}

static void make_job(const char *script)
{
    put("job.sql", script);
    must("CreateJob", json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}}", "Name", "job", "Role", "r",
                                "Command", "Name", "glueetl", "ScriptLocation", "s3://lake/job.sql",
                                "DefaultArguments", "--database", "city", "--dt", "2026-01-12"));
}

static void start_run(char id[80], json_t *arguments)
{
    json_t *answer = call("StartJobRun", json_pack("{s:s, s:o*}", "JobName", "job", "Arguments", arguments));
    assert_non_null(answer);
    snprintf(id, 80, "%s", json_string_value(json_object_get(answer, "JobRunId")));
    json_decref(answer);
}

static json_t *get_run(const char *id)
{
    json_t *answer = call("GetJobRun", json_pack("{s:s, s:s}", "JobName", "job", "RunId", id));
    assert_non_null(answer);
    json_t *run = json_incref(json_object_get(answer, "JobRun"));
    json_decref(answer);
    return run;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* Until the run is over; then its document. */
static json_t *end_of(const char *id)
{
    for (int64_t deadline = clock_mono_us() + 30000000; clock_mono_us() < deadline;) {
        json_t *run = get_run(id);
        if (json_object_get(run, "CompletedOn"))
            return run;
        json_decref(run);
        clock_sleep_until(clock_mono_us() + 1000);
    }
    fail_msg("the run did not end");
    return NULL;
}

static void expect_end(const char *id, const char *state, const char *message)
{
    json_t *run = end_of(id);
    assert_string_equal(text_of(run, "JobRunState"), state);
    assert_string_equal(text_of(run, "ErrorMessage"), message);
    assert_null(json_object_get(run, "_arguments"));
    json_decref(run);
}

static void jobs_run_their_statements(void **state)
{
    char id[80];
    make_job("-- raw becomes curated\nCREATE TABLE a AS SELECT ';';\nINSERT INTO a VALUES ('${dt}');");
    start_run(id, NULL);
    expect_end(id, "SUCCEEDED", "");
    assert_string_equal(told,
                        "city|CREATE TABLE a AS SELECT ';'\ncity|INSERT INTO a VALUES ('2026-01-12')\n");
    told[0] = '\0';
    start_run(id, json_pack("{s:s, s:s}", "--dt", "2026-01-13", "--database", "town"));
    expect_end(id, "SUCCEEDED", "");
    assert_non_null(strstr(told, "town|INSERT INTO a VALUES ('2026-01-13')"));
}

static void jobs_fail_plainly(void **state)
{
    char id[80];
    make_job("SELECT 1; FAIL; SELECT 2");
    start_run(id, NULL);
    expect_end(id, "FAILED", "statement 2: TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist");
    assert_null(strstr(told, "SELECT 2"));
    put("job.sql", "-- nothing");
    start_run(id, NULL);
    expect_end(id, "FAILED", "The script holds no statement");
    engine.run = NULL;
    put("job.sql", "SELECT 1");
    start_run(id, NULL);
    expect_end(id, "FAILED", "There is no SQL engine in this local cloud to run the script with");
}

static void wait_for_statement(void)
{
    pthread_mutex_lock(&lock);
    while (!waiting)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void jobs_are_stopped(void **state)
{
    char id[80];
    make_job("WAIT");
    start_run(id, NULL);
    wait_for_statement();
    assert_null(call("StartJobRun", json_pack("{s:s}", "JobName", "job")));
    assert_string_equal(code, "ConcurrentRunsExceededException");
    json_t *answer = call("BatchStopJobRun", json_pack("{s:s, s:[s]}", "JobName", "job", "JobRunIds", id));
    assert_int_equal(json_array_size(json_object_get(answer, "SuccessfulSubmissions")), 1);
    json_decref(answer);
    expect_end(id, "STOPPED", "");
}

static json_t *crawler_of(const char *name)
{
    json_t *answer = call("GetCrawler", json_pack("{s:s}", "Name", name));
    assert_non_null(answer);
    json_t *crawler = json_incref(json_object_get(answer, "Crawler"));
    json_decref(answer);
    return crawler;
}

static void wait_ready(const char *name)
{
    for (int64_t deadline = clock_mono_us() + 30000000; clock_mono_us() < deadline;) {
        json_t *crawler = crawler_of(name);
        bool ready = strcmp(text_of(crawler, "State"), "READY") == 0;
        json_decref(crawler);
        if (ready)
            return;
        clock_sleep_until(clock_mono_us() + 1000);
    }
    fail_msg("the crawler did not end");
}

static void make_crawler(const char *name, const char *schedule)
{
    must("CreateCrawler",
         json_pack("{s:s, s:s, s:s, s:s*, s:{s:[{s:s}]}}", "Name", name, "Role", "r", "DatabaseName", "city",
                   "Schedule", schedule, "Targets", "S3Targets", "Path", "s3://lake/raw/"));
}

static void schedules_start_crawlers(void **state)
{
    struct err err = ERR_INIT;
    must("CreateDatabase", json_pack("{s:{s:s}}", "DatabaseInput", "Name", "city"));
    put("raw/a.json", "{\"a\": 1}\n");
    make_crawler("nightly", "cron(0 3 * * ? *)");
    make_crawler("manual", NULL);
    const int64_t three = 1768186800; /* 2026-01-12T03:00:00Z */
    glue_crawlers_due(glue, three - 40, three - 20);
    assert_int_equal(catalogue_table_get(context.catalogue, "city", "raw", NULL, &err), CATALOGUE_NO_TABLE);
    glue_crawlers_due(glue, three - 20, three);
    wait_ready("nightly");
    assert_int_equal(catalogue_table_get(context.catalogue, "city", "raw", NULL, &err), CATALOGUE_OK);
    must("StopCrawlerSchedule", json_pack("{s:s}", "CrawlerName", "nightly"));
    glue_crawlers_due(glue, three - 20, three);
    json_t *answer = call("ListCrawls", json_pack("{s:s}", "CrawlerName", "nightly"));
    assert_int_equal(json_array_size(json_object_get(answer, "Crawls")), 1);
    json_decref(answer);
    json_t *crawler = crawler_of("manual");
    assert_null(json_object_get(crawler, "LastCrawl"));
    json_decref(crawler);
}

/* Documents as a kill leaves them. */
static void what_was_running_is_failed_after_a_kill(void **state)
{
    struct err err = ERR_INIT;
    char id[80];
    json_t *document;
    make_job("SELECT 1");
    start_run(id, NULL);
    json_decref(end_of(id));
    make_crawler("cut", NULL);
    must("StartCrawler", json_pack("{s:s}", "Name", "cut"));
    wait_ready("cut");
    assert_int_equal(documents_get(glue->store, GLUE_JOB_RUN, "job", id, &document, &err), 1);
    json_object_set_new(document, "JobRunState", json_string("RUNNING"));
    assert_int_equal(documents_put(glue->store, GLUE_JOB_RUN, "job", id, document, &err), 0);
    json_decref(document);
    assert_int_equal(documents_get(glue->store, GLUE_CRAWLER, "cut", "", &document, &err), 1);
    json_object_set_new(document, "State", json_string("RUNNING"));
    assert_int_equal(documents_put(glue->store, GLUE_CRAWLER, "cut", "", document, &err), 0);
    json_decref(document);
    document = json_pack("{s:s, s:s}", "CrawlId", "x", "State", "RUNNING");
    assert_int_equal(documents_put(glue->store, GLUE_CRAWL, "cut", "99999999999999999999", document, &err),
                     0);
    json_decref(document);
    stop_glue();
    assert_int_equal(start_glue(), 0);
    expect_end(id, "FAILED", "Internal service error: the service was stopped during the run");
    json_t *crawler = crawler_of("cut");
    assert_string_equal(text_of(crawler, "State"), "READY");
    assert_string_equal(text_of(json_object_get(crawler, "LastCrawl"), "Status"), "FAILED");
    json_decref(crawler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_run_their_statements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jobs_fail_plainly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jobs_are_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(schedules_start_crawlers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_running_is_failed_after_a_kill, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("glue", tests, NULL, NULL);
}
