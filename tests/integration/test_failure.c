/*
 * What must hold when the world misbehaves, with the real program: brokers that are absent, wrong, lost and
 * back; records made to harm; disks that are full, homes that cannot be written, caches that are damaged or
 * locked; two consoles; a kill while recording; a terminal too small; a pause that must cost nothing.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "tests/support/console_rig.h"

#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = console_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    console_destroy(*state);
    return 0;
}

static char *const SMALL[] = {"run", "--vehicles", "40", "--demand", "0.05", NULL};
static const char *const TOPICS[] = {"vehicle_data", "gps_data", "traffic_data", "weather_data",
                                     "emergency_data"};

/* A command that must be obeyed. */
static void obey(struct console *console, const char *command)
{
    json_t *answer = console_ask(console, command);
    const char *error = json_string_value(json_object_get(answer, "error"));
    if (error)
        fail_msg("%s: %s", command, error);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
}

/* A text of `status` by its name; the caller frees. */
static char *told(struct console *console, const char *name)
{
    json_t *answer = console_ask(console, "status");
    const char *text = json_string_value(json_object_get(json_object_get(answer, "data"), name));
    char *copy = mem_text(text ? text : "");
    json_decref(answer);
    return copy;
}

static char *journey_path(struct console *console)
{
    json_t *answer = console_ask(console, "status");
    json_t *journey = json_object_get(json_object_get(answer, "data"), "journey");
    const char *path = json_string_value(json_object_get(journey, "path"));
    char *copy = mem_text(path ? path : "");
    json_decref(answer);
    return copy;
}

static void quit(struct console *console)
{
    console_type(console, "q");
    assert_true(console_ended_well(console, console_wait_exit(console)));
}

static void write_file(const char *path, const char *text)
{
    struct err err = ERR_INIT;
    if (file_write_atomic(path, text, strlen(text), 0600, &err) < 0)
        fail_msg("%s", err.text);
}

/* ---- brokers ----------------------------------------------------------------------------------------- */

/* The screen, until it shows the text; how long that took is printed, and asserted against `limit_us`. */
static void assert_shows_within(struct console *console, const char *text, int64_t limit_us, const char *what)
{
    int64_t began = clock_mono_us();
    assert_true(console_shows(console, text));
    int64_t took = clock_mono_us() - began;
    printf("# %s: on the screen after %.1f s\n", what, (double)took / 1e6);
    assert_true(took < limit_us);
}

static void assert_nothing_lost(struct console *console)
{
    char path[64];
    obey(console, "pause on");
    for (size_t i = 0; i < sizeof TOPICS / sizeof *TOPICS; i++) {
        int64_t produced = -1;
        snprintf(path, sizeof path, "topics.%s.produced", TOPICS[i]);
        for (int64_t before = -2; before != produced; console_pump(console, 300000)) {
            before = produced; /* the tick that was under way when it paused */
            produced = console_figure(console, path);
        }
        snprintf(path, sizeof path, "topics.%s.acknowledged", TOPICS[i]);
        assert_true(console_wait_figure(console, path, produced));
        snprintf(path, sizeof path, "topics.%s.consumed", TOPICS[i]);
        assert_true(console_wait_figure(console, path, produced));
        snprintf(path, sizeof path, "topics.%s.gaps", TOPICS[i]);
        assert_int_equal(console_figure(console, path), 0);
    }
    assert_int_equal(console_figure(console, "lost"), 0);
}

static void test_embedded_down_and_up(void **state)
{
    struct console *console = *state;
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    for (int round = 0; round < 2; round++) {
        obey(console, "broker down");
        assert_shows_within(console, "kafka ✗ DOWN", 4000000, "broker lost"); /* 2 s without a sanitizer */
        int64_t consumed = console_figure(console, "topics.vehicle_data.consumed");
        obey(console, "broker up");
        assert_true(console_wait_figure(console, "topics.vehicle_data.consumed", consumed + 80));
        assert_true(console_shows(console, "kafka ● up"));
    }
    assert_nothing_lost(console);
    quit(console);
}

static void test_wrong_address(void **state)
{
    struct console *console = *state;
    static char *const arguments[] = {"run", "--vehicles", "20", "--bootstrap", "127.0.0.1:1", NULL};
    assert_true(console_start(console, 132, 43, arguments));
    assert_shows_within(console, "nothing listens there", 6000000, "nobody at the address");
    console_type(console, "2");
    assert_true(console_shows(console, "127.0.0.1:1"));
    int64_t began = clock_mono_us();
    console_type(console, "q");
    int status = console_wait_exit(console);
    assert_true(WIFEXITED(status));
    assert_true(clock_mono_us() - began < 10000000);
    assert_false(
        console_wrote(console, "FAIL: [thrd", 11)); /* librdkafka's own words are details of the log */
}

/* An outside broker is killed under a console, and the console says so, lives, and ends. */
static void test_outside_broker_killed(void **state)
{
    struct console *console = *state, server = *console;
    static char *const serve[] = {"run", "--headless", "--vehicles", "10", "--demand", "0", NULL};
    assert_true(console_start_headless(&server, "server.txt", serve));
    assert_true(console_wait_figure(&server, "topics.vehicle_data.consumed", 10));
    char *address = told(&server, "broker");
    char *const arguments[] = {"run", "--vehicles", "20", "--demand", "0", "--bootstrap", address, NULL};
    assert_true(console_start(console, 132, 43, arguments));
    assert_true(console_wait_figure(console, "topics.vehicle_data.consumed", 20));
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
    assert_shows_within(console, "kafka ✗ DOWN", 6000000, "outside broker killed");
    assert_int_equal(console_figure(console, "lost"), 0);
    console_type(console, "q");
    assert_true(WIFEXITED(console_wait_exit(console)));
    free(address);
}

/* One that hangs: nothing is refused, nothing is answered. */
static void test_outside_broker_hangs(void **state)
{
    struct console *console = *state, server = *console;
    static char *const serve[] = {"run", "--headless", "--vehicles", "10", "--demand", "0", NULL};
    assert_true(console_start_headless(&server, "server.txt", serve));
    assert_true(console_wait_figure(&server, "topics.vehicle_data.consumed", 10));
    char *address = told(&server, "broker");
    char *const arguments[] = {"run", "--vehicles", "20", "--demand", "0", "--bootstrap", address, NULL};
    assert_true(console_start(console, 132, 43, arguments));
    assert_true(console_wait_figure(console, "topics.vehicle_data.consumed", 60));
    kill(server.pid, SIGSTOP);
    assert_shows_within(console, "kafka ✗ DOWN", 8000000, "outside broker hangs");
    kill(server.pid, SIGCONT);
    int64_t consumed = console_figure(console, "topics.vehicle_data.consumed");
    assert_true(console_wait_figure(console, "topics.vehicle_data.consumed", consumed + 60));
    assert_nothing_lost(console);
    kill(server.pid, SIGSTOP);
    int64_t began = clock_mono_us();
    quit(console);
    int64_t took = clock_mono_us() - began;
    printf("# ended after %.1f s beside a broker that hangs\n", (double)took / 1e6);
    assert_true(took < 15000000);
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
    free(address);
}

/* ---- records ----------------------------------------------------------------------------------------- */

#define MARK "\x1b]0;PWNED\x07"

static void send_record(rd_kafka_t *kafka, const char *topic, const char *key, const char *value,
                        size_t length)
{
    rd_kafka_resp_err_t code =
        rd_kafka_producev(kafka, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE((void *)value, length),
                          RD_KAFKA_V_HEADER("evil" MARK, "value" MARK, -1), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail_msg("cannot send: %s", rd_kafka_err2str(code));
}

static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *opaque)
{
    (void)kafka;
    (void)opaque;
    if (message->err)
        fail_msg("not delivered: %s", rd_kafka_err2str(message->err));
}

static rd_kafka_t *outsider(const char *bootstrap)
{
    char reason[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, reason, sizeof reason);
    rd_kafka_conf_set(conf, "message.max.bytes", "20000000", reason, sizeof reason);
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!kafka)
        fail_msg("%s", reason);
    return kafka;
}

static int64_t quarantined(struct console *console)
{
    char path[64];
    int64_t count = 0;
    for (size_t i = 0; i < sizeof TOPICS / sizeof *TOPICS; i++) {
        snprintf(path, sizeof path, "topics.%s.quarantined", TOPICS[i]);
        count += console_figure(console, path);
    }
    return count;
}

static int64_t wait_quarantined(struct console *console, int64_t expected)
{
    int64_t until = clock_mono_us() + CONSOLE_PATIENCE_US, seen;
    while ((seen = quarantined(console)) < expected && clock_mono_us() < until)
        console_pump(console, 20000);
    return seen;
}

/* A standing simulation, so that what the large record displaces has been read. */
static void test_hostile_records(void **state)
{
    struct console *console = *state;
    static const char *const values[] = {
        "not JSON at all",
        MARK,
        "{\"device_id\":\"" MARK "\"",
        "[1,2,3]",
        "{}",
        "",
        "null",
        "\xff\xfe\xfd",
        "{\"device_id\":\"\xc3\x28\",\"timestamp\":\"2026-06-15T07:00:00Z\"}",
        "{\"device_id\":7,\"timestamp\":true}",
        "{\"device_id\":\"x\",\"timestamp\":\"yesterday\"}",
        "\x9b"
        "31mC1 controls\x9c",
    };
    /* Fine but for its texts: it must be taken, and its texts be shown harmlessly. */
    static const char odd[] =
        "{\"deviceId\":\"veh-\\u001b]0;PWNED\\u0007\",\"timestamp\":\"2026-06-15T07:00:30Z\","
        "\"make\":\"\\u001b[2J\\u202e\\u001b]0;PWNED\\u0007\",\"model\":\"\\u009b31m\",\"year\":\"2023\","
        "\"location\":[51.7,-1.2],\"speed\":\"fast\"}";
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    obey(console, "pause on");
    assert_nothing_lost(console);
    char *bootstrap = told(console, "broker");
    rd_kafka_t *kafka = outsider(bootstrap);
    free(bootstrap);
    size_t count = sizeof values / sizeof *values;
    for (size_t topic = 0; topic < sizeof TOPICS / sizeof *TOPICS; topic++) {
        for (size_t i = 0; i < count; i++)
            send_record(kafka, TOPICS[topic], "key" MARK, values[i], strlen(values[i]));
    }
    send_record(kafka, "vehicle_data", "veh" MARK, odd, sizeof odd - 1);
    if (rd_kafka_flush(kafka, 30000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail_msg("%d were not taken by the broker", rd_kafka_outq_len(kafka));
    int64_t expected = (int64_t)(sizeof TOPICS / sizeof *TOPICS * count);
    assert_int_equal(wait_quarantined(console, expected), expected);
    assert_true(console_wait_figure(console, "vehicles", 41));
    /* Large ones come last: the embedded broker keeps 5 MiB a partition and lets everything older go for
     * them. One that is larger than that it takes and lets go at once, which is told. */
    char *big = mem_alloc(10 << 20);
    memset(big, 'x', 10 << 20);
    memcpy(big, "{\"device_id\":\"", 14);
    send_record(kafka, "gps_data", "big", big, 4 << 20);
    if (rd_kafka_flush(kafka, 30000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail_msg("%d were not taken by the broker", rd_kafka_outq_len(kafka));
    assert_int_equal(wait_quarantined(console, expected + 1), expected + 1);
    assert_int_equal(console_figure(console, "lost"), 0);
    send_record(kafka, "gps_data", "big", big, 10 << 20);
    if (rd_kafka_flush(kafka, 30000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail_msg("%d were not taken by the broker", rd_kafka_outq_len(kafka));
    assert_true(console_wait_figure(console, "topics.gps_data.gaps", 1));
    assert_int_equal(console_figure(console, "lost"), 1);
    free(big);
    rd_kafka_destroy(kafka);

    /* Every panel that shows records, in both sizes, with each of them opened. */
    for (int size = 0; size < 2; size++) {
        static const char *const keys[] = {"2",  "\t", "\x1bOH", "\r", "j", "j", "\x1b", "\x1bOF", "\r", "z",
                                           "z",  "\t", "\x1bOH", "\r", "j", "j", "\x1b", "\t",     "\r", "j",
                                           "\t", "\r", "9",      "1",  "m", "j", "j",    "\r",     "m",  "v"};
        console_resize(console, size ? 80 : 200, size ? 24 : 50);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            console_type(console, keys[i]);
            assert_true(console_settle(console));
        }
        console_type(console, "2");
        char *screen = console_screen(console, NULL, 0);
        assert_non_null(screen);
        for (const char *at = screen; *at; at++)
            assert_true((unsigned char)*at >= 32 || *at == '\n');
        free(screen);
    }
    console_resize(console, 132, 43);
    console_type(console, "9");
    assert_true(console_shows(console, "never delivered"));
    console_type(console, "2:panel quarantine\r");
    assert_true(console_shows(console, "PWNED")); /* shown, as text */
    assert_false(console_wrote(console, "\x1b]0;PWNED", 9));
    assert_false(console_wrote(console, "]0;PWNED\x07", 9));
    assert_false(console_wrote(console, "\xc2\x9b", 2));
    assert_false(console_wrote(console, "\xe2\x80\xae", 3));
    console_type(console, "q"); /* the panel fills the screen: first out of that */
    quit(console);
}

/* ---- disks and files --------------------------------------------------------------------------------- */

static void test_full_disk(void **state)
{
    struct console *console = *state;
    char disk[80], filler[100], environment[100];
    snprintf(disk, sizeof disk, "%s/disk", console->home);
    assert_int_equal(mkdir(disk, 0700), 0);
    if (mount("none", disk, "tmpfs", 0, "size=24m") < 0) {
        printf("# no small disk can be mounted here\n");
        skip();
    }
    snprintf(filler, sizeof filler, "%s/filler", disk);
    snprintf(environment, sizeof environment, "%s/data", disk);
    int fd = open(filler, O_WRONLY | O_CREAT, 0600);
    char block[4096] = "";
    while (write(fd, block, sizeof block) > 0)
        ;
    close(fd);
    setenv("XDG_DATA_HOME", environment, 1);
    setenv("XDG_STATE_HOME", environment, 1);
    setenv("XDG_CACHE_HOME", environment, 1);
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    console_type(console, "9");
    bool said = console_shows(console, "no room left on the disk");
    int64_t consumed = console_figure(console, "topics.vehicle_data.consumed");
    bool goes_on = console_wait_figure(console, "topics.vehicle_data.consumed", consumed + 80);
    unlink(filler); /* the operator made room */
    bool resumed = console_wait_figure(console, "journey.recorded", 100);
    console_type(console, "q");
    int status = console_wait_exit(console);
    umount(disk);
    assert_true(said);
    assert_true(goes_on);
    assert_true(resumed);
    assert_true(console_ended_well(console, status));
}

/* A file in the place of a folder: what root cannot write either. */
static void test_home_that_cannot_be_written(void **state)
{
    struct console *console = *state;
    char place[80];
    snprintf(place, sizeof place, "%s/place", console->home);
    write_file(place, "a file, not a folder\n");
    setenv("HOME", place, 1);
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    console_type(console, "9");
    char *screen = console_screen(console, "not a directory", CONSOLE_PATIENCE_US);
    assert_non_null(screen);
    free(screen);
    console_type(console, ":speed 2\r7");
    assert_true(console_settle(console));
    quit(console);
}

static void cache_path(const struct console *console, char path[FILE_PATH_SIZE])
{
    struct err err = ERR_INIT;
    (void)console;
    if (file_make_place(FILE_CACHE, "cache.sqlite", path, &err) < 0)
        fail_msg("%s", err.text);
}

static void test_damaged_cache(void **state)
{
    struct console *console = *state;
    char path[FILE_PATH_SIZE];
    cache_path(console, path);
    write_file(path, "this is no database, and longer than a header of one hundred bytes would have to be, "
                     "so that it is read as one and found wanting\n");
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 1));
    console_type(console, "9");
    assert_true(console_shows(console, "cache.sqlite"));
    console_type(console, ":speed 2\r");
    assert_true(console_settle(console));
    quit(console);
    assert_true(console_start(console, 132, 43, SMALL)); /* and the new one keeps what was typed */
    assert_true(console_wait_figure(console, "vehicles", 1));
    console_type(console, ":\x1bOA");
    assert_true(console_settle(console));
    console_type(console, "\r");
    assert_true(console_settle(console));
    quit(console);
}

static void test_locked_cache(void **state)
{
    struct console *console = *state;
    char path[FILE_PATH_SIZE];
    sqlite3 *other;
    cache_path(console, path);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE mine (x); BEGIN EXCLUSIVE", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    console_type(console, ":speed 2\r9");
    assert_true(console_shows(console, "nothing is remembered"));
    quit(console);
    sqlite3_close(other);
}

static void test_two_consoles(void **state)
{
    struct console *first = *state, second = *first;
    static char *const other[] = {"run", "--headless", "--vehicles", "10", "--demand", "0", NULL};
    assert_true(console_start(first, 132, 43, SMALL));
    assert_true(console_start_headless(&second, "second.txt", other));
    assert_true(console_wait_figure(first, "journey.recorded", 100));
    assert_true(console_wait_figure(&second, "journey.recorded", 20));
    char *one = journey_path(first), *two = journey_path(&second);
    assert_string_not_equal(one, two);
    assert_int_equal(console_figure(first, "pid"), first->pid);
    assert_int_equal(console_figure(&second, "pid"), second.pid);
    obey(&second, "pause on");
    json_t *answer = console_ask(first, "status");
    assert_false(json_is_true(json_object_get(json_object_get(json_object_get(answer, "data"), "simulation"),
                                              "paused"))); /* the other was meant */
    json_decref(answer);
    kill(second.pid, SIGTERM);
    waitpid(second.pid, NULL, 0);
    quit(first);
    assert_true(file_size(one) > 0);
    assert_true(file_size(two) > 0);
    free(one);
    free(two);
}

static void test_kill_while_recording(void **state)
{
    struct console *console = *state;
    char command[FILE_PATH_SIZE + 400], line[200];
    long long records = -1;
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "journey.recorded", 300));
    char *path = journey_path(console);
    int64_t recorded = console_figure(console, "journey.recorded");
    kill(console->pid, SIGKILL);
    console_wait_exit(console);
    snprintf(command, sizeof command, "%s journeys show '%s'", console->program, path);
    FILE *show = popen(command, "r");
    assert_non_null(show);
    while (fgets(line, sizeof line, show))
        if (strncmp(line, "records", 7) == 0)
            for (const char *at = line; *at; at++) { /* "1,234" */
                if (*at >= '0' && *at <= '9')
                    records = (records < 0 ? 0 : records) * 10 + (*at - '0');
                else if (records >= 0 && *at != ',')
                    break;
            }
    assert_int_equal(pclose(show), 0);
    printf("# %lld recorded when it was killed, %lld in the journey\n", (long long)recorded, records);
    assert_true(records >= recorded);
    free(path);
}

/* ---- the terminal ------------------------------------------------------------------------------------ */

static void test_tiny_terminal(void **state)
{
    struct console *console = *state;
    assert_true(console_start(console, 20, 5, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    assert_true(console_wrote(console, "too small", 9));
    console_type(console, "i:x?");
    assert_true(console_settle(console));
    assert_int_equal(console_figure(console, "incidents_open") > 5, 0);
    quit(console);
}

static int64_t cpu_us(pid_t pid)
{
    char path[64];
    struct buf text;
    struct err err = ERR_INIT;
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    buf_init(&text, 4096);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    assert_int_equal(file_read(path, &text, &err), 0);
    const char *at = strrchr(text.data, ')');
    int64_t ticks = 0;
    for (int field = 2; at && field < 15; field++) {
        at = strchr(at + 1, ' ');
        if (at && (field == 13 || field == 14)) /* utime, stime: fields 14 and 15, `)` ends field 2 */
            ticks += strtoll(at + 1, NULL, 10);
    }
    buf_free(&text);
    return ticks * 1000000 / sysconf(_SC_CLK_TCK);
}

static void test_a_pause_costs_nothing(void **state)
{
    struct console *console = *state;
    assert_true(console_start(console, 132, 43, SMALL));
    assert_true(console_wait_figure(console, "vehicles", 40));
    obey(console, "pause on");
    /* Toasts go, rates sink to zero, the camera's age stands: then a stretch without one byte. */
    const int64_t stretch = 4000000;
    int64_t until = clock_mono_us() + CONSOLE_PATIENCE_US, began, cpu;
    uint64_t before;
    do {
        before = console_pump(console, 0);
        began = clock_mono_us();
        cpu = cpu_us(console->pid);
    } while (console_pump(console, stretch) != before && clock_mono_us() < until);
    double share = (double)(cpu_us(console->pid) - cpu) * 100 / (double)(clock_mono_us() - began);
    printf("# paused: %.1f %% of a core, %llu bytes in %.0f s\n", share,
           (unsigned long long)(console_pump(console, 0) - before), (double)stretch / 1e6);
    assert_int_equal(console_pump(console, 0), before);
    obey(console, "pause off");
    assert_true(console_pump(console, CONSOLE_PATIENCE_US) > before); /* and it was not dead */
    quit(console);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_embedded_down_and_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_address, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outside_broker_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outside_broker_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_records, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_home_that_cannot_be_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_cache, setup, teardown),
        cmocka_unit_test_setup_teardown(test_locked_cache, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_consoles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kill_while_recording, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tiny_terminal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_pause_costs_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
