/*
 * The whole screen without a terminal: golden screens at three sizes and in ASCII, keys and mouse to
 * commands, dialogs, the prompt, sizes that change, and what must not be drawn.
 */
#include "base/text.h"
#include "tests/support/drive_view.h"
#include "tests/support/golden.h"
#include "ui/layout.h"
#include "ui/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rig {
    struct drive_view *fixture;
    struct screen *screen;
    int64_t now_us;
    char executed[256], remembered[128], history[8][PROMPT_MAX];
    size_t history_count;
    int executions, views, quits, cancels;
    bool fails, can_cancel;
};

static const struct view *rig_view(void *context, int64_t now_us)
{
    struct rig *rig = context;
    rig->views++;
    return &rig->fixture->view;
}

static void rig_execute(void *context, const char *line, struct command_reply *reply)
{
    struct rig *rig = context;
    text_copy(rig->executed, sizeof rig->executed, line);
    rig->executions++;
    if (rig->fails)
        err_set(&reply->err, ERR_NOT_FOUND, "no such \033[31mthing");
    else
        snprintf(reply->text, sizeof reply->text, "done: %.100s", line);
    reply->json = mem_text("{}");
}

static void rig_quit(void *context)
{
    ((struct rig *)context)->quits++;
}

static bool rig_cancel(void *context)
{
    ((struct rig *)context)->cancels++;
    return ((struct rig *)context)->can_cancel;
}

static size_t rig_history(void *context, char (*lines)[PROMPT_MAX], size_t count)
{
    const struct rig *rig = context;
    for (size_t i = 0; i < rig->history_count && i < count; i++)
        memcpy(lines[i], rig->history[rig->history_count - 1 - i], PROMPT_MAX);
    return rig->history_count;
}

static void rig_history_add(void *context, const char *line)
{
    struct rig *rig = context;
    text_copy(rig->history[rig->history_count++ % 8], PROMPT_MAX, line);
}

static void rig_remember(void *context, const char *name, const char *value)
{
    struct rig *rig = context;
    snprintf(rig->remembered, sizeof rig->remembered, "%s=%s", name, value);
}

static void rig_open(struct rig *rig, enum drive_view_kind kind, int width, int height, enum glyphs glyphs)
{
    *rig = (struct rig){.fixture = drive_view_create(kind), .now_us = 1000000000};
    struct screen_settings settings = {.width = width,
                                       .height = height,
                                       .glyphs = glyphs,
                                       .depth = DEPTH_256,
                                       .host = {.context = rig,
                                                .view = rig_view,
                                                .execute = rig_execute,
                                                .quit = rig_quit,
                                                .cancel = rig_cancel,
                                                .history = rig_history,
                                                .history_add = rig_history_add,
                                                .remember = rig_remember}};
    settings.commands.count = command_table(&settings.commands.rows);
    rig->screen = screen_create(&settings);
}

static void rig_close(struct rig *rig)
{
    screen_destroy(rig->screen);
    drive_view_destroy(rig->fixture);
}

/* The screen as text after a due frame; free it. */
static char *drawn(struct rig *rig)
{
    rig->now_us += 40000;
    screen_draw(rig->screen, rig->now_us);
    return canvas_dump(screen_frame(rig->screen));
}

static bool shows(struct rig *rig, const char *text)
{
    char *dump = drawn(rig);
    bool found = strstr(dump, text) != NULL;
    free(dump);
    return found;
}

#define assert_shows(rig, text)                                                                              \
    do {                                                                                                     \
        if (!shows(rig, text)) {                                                                             \
            char *dump_ = drawn(rig);                                                                        \
            fprintf(stderr, "%s", dump_);                                                                    \
            free(dump_);                                                                                     \
            fail_msg("not shown: %s", text);                                                                 \
        }                                                                                                    \
    } while (0)

static void press(struct rig *rig, const char *names)
{
    while (*names != '\0') {
        char name[32];
        size_t length = strcspn(names, " ");
        snprintf(name, sizeof name, "%.*s", (int)length, names);
        struct input input = {.kind = INPUT_KEY};
        if (!keys_parse(name, &input.key))
            fail_msg("no key %s", name);
        rig->now_us += 1000;
        screen_feed(rig->screen, &input, rig->now_us);
        names += length + strspn(names + length, " ");
    }
}

static void type(struct rig *rig, const char *text)
{
    for (; *text != '\0'; text++) {
        struct input input = {.kind = INPUT_KEY, .key.code = (unsigned char)*text};
        screen_feed(rig->screen, &input, rig->now_us);
    }
}

static void point(struct rig *rig, enum input_mouse what, int x, int y)
{
    struct input input = {.kind = INPUT_MOUSE, .mouse = what, .x = x, .y = y};
    screen_feed(rig->screen, &input, rig->now_us);
}

/* Where a text stands on the frame: cell of its first letter. */
static void find(struct rig *rig, const char *text, int *x, int *y)
{
    char *dump = drawn(rig);
    *y = 0;
    for (char *line = dump; *line != '\0'; (*y)++) {
        char *end = strchr(line, '\n'), *at;
        *end = '\0';
        if ((at = strstr(line, text)) != NULL) {
            *at = '\0';
            *x = text_width(line);
            free(dump);
            return;
        }
        line = end + 1;
    }
    fail_msg("not shown: %s", text);
}

/* ---- golden screens ---------------------------------------------------------------------------------- */

static void golden(const char *name, enum drive_view_kind kind, int width, int height, enum glyphs glyphs,
                   const char *keys)
{
    struct rig rig;
    char path[96];
    rig_open(&rig, kind, width, height, glyphs);
    free(drawn(&rig));
    press(&rig, keys);
    snprintf(path, sizeof path, "screen-%s", name);
    bool same = golden_is(path, drawn(&rig));
    snprintf(path, sizeof path, "screen-%s-colours", name);
    same = golden_is(path, canvas_dump_styles(screen_frame(rig.screen))) && same;
    rig_close(&rig);
    assert_true(same);
}

static void test_golden(void **state)
{
    golden("80x24", DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE, "");
    golden("132x43", DRIVE_VIEW_MORNING, 132, 43, GLYPHS_BRAILLE, "");
    golden("200x50", DRIVE_VIEW_MORNING, 200, 50, GLYPHS_BRAILLE, "");
    golden("100x30-block", DRIVE_VIEW_MORNING, 100, 30, GLYPHS_BLOCK, "");
    golden("80x24-ascii", DRIVE_VIEW_MORNING, 80, 24, GLYPHS_ASCII, "");
    golden("60x16", DRIVE_VIEW_MORNING, 60, 16, GLYPHS_BRAILLE, "");
    golden("132x43-empty", DRIVE_VIEW_EMPTY, 132, 43, GLYPHS_BRAILLE, "");
    golden("132x43-hostile", DRIVE_VIEW_HOSTILE, 132, 43, GLYPHS_BRAILLE, "");
}

static void test_golden_dialogs(void **state)
{
    golden("help-132x43", DRIVE_VIEW_MORNING, 132, 43, GLYPHS_BRAILLE, "?");
    golden("help-80x24-ascii", DRIVE_VIEW_MORNING, 80, 24, GLYPHS_ASCII, "?");
    golden("confirm-80x24", DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE, "R");
    golden("prompt-80x24", DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE, ": s tab tab");
    golden("full-80x24", DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE, "tab z");
    golden("small-40x10", DRIVE_VIEW_MORNING, 40, 10, GLYPHS_BRAILLE, "");
}

/* ---- keys to commands -------------------------------------------------------------------------------- */

static void test_session_commands(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 132, 43, GLYPHS_BRAILLE);
    press(&rig, "space");
    assert_string_equal(rig.executed, "pause");
    assert_shows(&rig, "done: pause");
    press(&rig, "]");
    assert_string_equal(rig.executed, "speed faster");
    press(&rig, "v");
    assert_string_equal(rig.executed, "follow next");
    press(&rig, "T");
    assert_string_equal(rig.executed, "camera previous");
    rig.fails = true;
    press(&rig, "space");
    assert_shows(&rig, "no such ␛[31mthing"); /* nothing raw */
    rig_close(&rig);
}

static void test_confirmation(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 132, 43, GLYPHS_BRAILLE);
    press(&rig, "R");
    assert_int_equal(rig.executions, 0);
    assert_shows(&rig, "reset?");
    press(&rig, "space x n");
    assert_int_equal(rig.executions, 0); /* space did not pause behind the question */
    press(&rig, "R esc");
    press(&rig, "R enter");
    assert_int_equal(rig.executions, 0);
    press(&rig, "R y");
    assert_string_equal(rig.executed, "reset");
    rig_close(&rig);
}

static const struct command named[] = {
    {.name = "erase", .arguments = "<name>", .summary = "erase it", .flags = COMMAND_CONFIRM_NAME},
};

static void test_confirmation_by_name(void **state)
{
    struct rig rig = {.fixture = drive_view_create(DRIVE_VIEW_MORNING), .now_us = 1000000000};
    struct screen_settings settings = {.width = 80,
                                       .height = 24,
                                       .commands = {named, 1},
                                       .host = {.context = &rig, .view = rig_view, .execute = rig_execute}};
    rig.screen = screen_create(&settings);
    screen_run(rig.screen, "erase \"my journey\"");
    assert_shows(&rig, "Type my journey to confirm");
    type(&rig, "my journe");
    press(&rig, "enter");
    assert_int_equal(rig.executions, 0);
    type(&rig, "y");
    press(&rig, "enter");
    assert_string_equal(rig.executed, "erase \"my journey\"");
    rig_close(&rig);
}

static void test_quit_backs_out_first(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE);
    press(&rig, "? q");
    press(&rig, "z q");
    assert_int_equal(rig.quits, 0);
    press(&rig, "q");
    assert_int_equal(rig.quits, 1);
    press(&rig, "ctrl+c n");
    assert_int_equal(rig.quits, 1);
    rig.can_cancel = true;
    press(&rig, "ctrl+c y");
    assert_int_equal(rig.quits, 1); /* something was cancelled: no question */
    rig.can_cancel = false;
    press(&rig, "ctrl+c y");
    assert_int_equal(rig.quits, 2);
    assert_int_equal(rig.cancels, 3);
    struct input gone = {.kind = INPUT_GONE};
    screen_feed(rig.screen, &gone, rig.now_us);
    assert_int_equal(rig.quits, 3);
    rig_close(&rig);
}

static void test_focus_goes_round(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 132, 43, GLYPHS_BRAILLE);
    char *first = drawn(&rig);
    free(first);
    char *before = canvas_dump_styles(screen_frame(rig.screen));
    press(&rig, "tab");
    free(drawn(&rig));
    char *after = canvas_dump_styles(screen_frame(rig.screen));
    assert_string_not_equal(before, after);
    free(after);
    press(&rig, "shift+tab");
    free(drawn(&rig));
    after = canvas_dump_styles(screen_frame(rig.screen));
    assert_string_equal(before, after);
    for (int i = 0; i < 7; i++)
        press(&rig, "tab");
    free(after);
    free(drawn(&rig));
    after = canvas_dump_styles(screen_frame(rig.screen));
    assert_string_equal(before, after);
    free(before);
    free(after);
    /* One that has no room here fills the screen, and gives the focus back. */
    rig_close(&rig);
    rig_open(&rig, DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE);
    screen_run(rig.screen, "panel camera");
    assert_shows(&rig, "full screen, z returns");
    press(&rig, "z");
    assert_false(shows(&rig, "full screen"));
    rig_close(&rig);
}

static void test_prompt_runs_and_remembers(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE);
    press(&rig, ":");
    type(&rig, "speed 60");
    assert_shows(&rig, ":speed 60");
    assert_int_equal(rig.executions, 0); /* the space was typed, not the pause key */
    press(&rig, "enter");
    assert_string_equal(rig.executed, "speed 60");
    press(&rig, ": up");
    assert_shows(&rig, ":speed 60");
    press(&rig, "esc");
    press(&rig, ":");
    type(&rig, "no-such-thing");
    press(&rig, "enter");
    assert_string_equal(rig.executed, "no-such-thing"); /* the session answers with what it knows */
    press(&rig, ":");
    type(&rig, "theme contrast");
    press(&rig, "enter");
    assert_string_equal(rig.remembered, "theme=contrast");
    struct input paste = {.kind = INPUT_PASTE, .paste = "q\nspeed 3\n"};
    screen_feed(rig.screen, &paste, rig.now_us);
    assert_int_equal(rig.quits, 0); /* a paste is no keys */
    press(&rig, ":");
    screen_feed(rig.screen, &paste, rig.now_us);
    assert_shows(&rig, ":q speed 3");
    rig_close(&rig);
}

static void test_filter(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 132, 43, GLYPHS_BRAILLE);
    press(&rig, "m /");
    type(&rig, "zzz");
    press(&rig, "enter");
    assert_shows(&rig, "filter \"zzz\", Esc clears");
    press(&rig, "/ x esc");
    assert_shows(&rig, "filter \"zzz\""); /* Esc undoes the edit only */
    press(&rig, "m");
    press(&rig, "esc");
    assert_false(shows(&rig, "filter \"zzz\""));
    press(&rig, "? /");
    type(&rig, "clipboard");
    press(&rig, "enter");
    assert_shows(&rig, "copy what is selected");
    assert_false(shows(&rig, "draw everything again"));
    rig_close(&rig);
}

static void test_freeze(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 132, 43, GLYPHS_BRAILLE);
    press(&rig, "P");
    free(drawn(&rig));
    int views = rig.views;
    assert_shows(&rig, " FROZEN ");
    assert_int_equal(rig.views, views); /* what is shown stays; data goes on */
    press(&rig, "tab P");
    assert_shows(&rig, " LIVE ");
    assert_true(rig.views > views);
    rig_close(&rig);
}

static void test_mouse(void **state)
{
    struct rig rig;
    int x, y;
    rig_open(&rig, DRIVE_VIEW_MORNING, 132, 43, GLYPHS_BRAILLE);
    find(&rig, "pause", &x, &y);
    if (y < 40) /* the pipeline names it too */
        y = 42;
    char *dump = drawn(&rig);
    free(dump);
    find(&rig, "? help", &x, &y);
    point(&rig, INPUT_PRESS, x + 3, y);
    assert_shows(&rig, "This panel: Map");
    point(&rig, INPUT_WHEEL_DOWN, 60, 20);
    point(&rig, INPUT_PRESS, 0, 3); /* beside it: closes */
    assert_false(shows(&rig, "This panel"));
    char *before = canvas_dump_styles(screen_frame(rig.screen));
    find(&rig, " Throughput ", &x, &y);
    point(&rig, INPUT_PRESS, x + 2, y + 1);
    free(drawn(&rig));
    char *after = canvas_dump_styles(screen_frame(rig.screen));
    assert_string_not_equal(before, after); /* the focus moved */
    free(before);
    free(after);
    /* Far outside of everything, and drags that began nowhere. */
    point(&rig, INPUT_MOVE, 500, 500);
    point(&rig, INPUT_PRESS, -1, -1);
    point(&rig, INPUT_WHEEL_UP, 131, 42);
    free(drawn(&rig));
    rig_close(&rig);
}

static void test_unknown_key_is_told(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE);
    press(&rig, "f7");
    assert_shows(&rig, "F7 does nothing here");
    rig_close(&rig);
}

/* Over a slow line Esc and the next key come as one: Alt and that key. */
static void test_escape_with_a_key_behind(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE);
    press(&rig, ": alt+:");
    type(&rig, "speed 60");
    press(&rig, "alt+b enter"); /* a chord that the prompt knows stays one */
    assert_string_equal(rig.executed, "speed 60");
    press(&rig, "? alt+:");
    type(&rig, "speed 7");
    press(&rig, "enter");
    assert_string_equal(rig.executed, "speed 7");
    press(&rig, "R alt+y");
    assert_int_equal(rig.executions, 2); /* Esc closed the question before y could answer it */
    rig_close(&rig);
}

/* ---- sizes ------------------------------------------------------------------------------------------- */

static void test_too_small_ignores_keys(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 50, 12, GLYPHS_BRAILLE);
    assert_shows(&rig, "50 x 12 is too small");
    assert_shows(&rig, "60 x 16 is needed");
    press(&rig, "space R y i :");
    type(&rig, "speed 3");
    press(&rig, "enter");
    assert_int_equal(rig.executions, 0);
    press(&rig, "q");
    assert_int_equal(rig.quits, 1);
    screen_set_size(rig.screen, 20, 5);
    assert_shows(&rig, "20 x 5 is too small");
    screen_set_size(rig.screen, 1, 1);
    free(drawn(&rig));
    screen_set_size(rig.screen, 80, 24);
    assert_shows(&rig, "Throughput");
    rig_close(&rig);
}

static void test_resize_storm(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE);
    uint32_t seed = 1;
    static const char *const keys[] = {"tab", "z", "?", "esc", ": s tab", "esc",
                                       "m",   "j", "+", "1",   "P",       "/ a enter"};
    for (int i = 0; i < 400; i++) {
        seed = seed * 1664525u + 1013904223u;
        screen_set_size(rig.screen, (int)(seed >> 8 & 255), (int)(seed >> 20 & 63));
        press(&rig, keys[seed >> 4 & 7]);
        point(&rig, INPUT_PRESS, (int)(seed >> 9 & 255), (int)(seed >> 21 & 63));
        point(&rig, INPUT_MOVE, (int)(seed >> 10 & 255), (int)(seed >> 22 & 63));
        free(drawn(&rig));
        drive_view_advance(rig.fixture, 1);
    }
    rig_close(&rig);
}

/* Every key of the table, on every screen and in every focus: nothing breaks, and nothing confirmed is done.
 */
static void test_every_key(void **state)
{
    const struct command *rows;
    size_t count = command_table(&rows);
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 132, 43, GLYPHS_BRAILLE);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < COMMAND_KEYS && rows[i].keys[k].key != NULL; k++)
            for (int focus = 0; focus < 7; focus++) {
                press(&rig, rows[i].keys[k].key);
                free(drawn(&rig));
                press(&rig, "esc esc esc esc");
                press(&rig, "tab");
                assert_string_not_equal(rig.executed, "reset");
            }
    rig_close(&rig);
}

/* ---- frames ------------------------------------------------------------------------------------------ */

static void test_frames_are_paced(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE);
    rig.now_us += 40000;
    screen_draw(rig.screen, rig.now_us);
    int views = rig.views;
    int64_t wait = screen_draw(rig.screen, rig.now_us + 10000);
    assert_true(wait > 20000 && wait <= 33334);
    assert_int_equal(rig.views, views); /* too early: not even looked */
    int64_t idle = 0;
    for (int i = 0; i < 8; i++)
        idle = screen_draw(rig.screen, rig.now_us += 300000);
    assert_true(idle >= 250000); /* nothing moves: looked at ever more seldom */
    press(&rig, "tab");
    assert_true(screen_draw(rig.screen, rig.now_us += 300000) <= 33334);
    rig_close(&rig);
}

static void test_no_control_reaches_a_cell(void **state)
{
    static const struct {
        int width, height;
    } sizes[] = {{60, 16}, {80, 24}, {132, 43}, {200, 50}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (enum glyphs glyphs = GLYPHS_BRAILLE; glyphs <= GLYPHS_ASCII; glyphs++) {
            struct rig rig;
            rig_open(&rig, DRIVE_VIEW_HOSTILE, sizes[i].width, sizes[i].height, glyphs);
            free(drawn(&rig));
            const struct canvas *frame = screen_frame(rig.screen);
            for (int y = 0; y < frame->height; y++)
                for (int x = 0; x < frame->width; x++) {
                    const struct cell *cell = canvas_at(frame, x, y);
                    assert_false(cell->rune != 0 && text_is_control(cell->rune));
                    assert_false(glyphs == GLYPHS_ASCII && cell->rune > 0x7E);
                }
            rig_close(&rig);
        }
}

static void test_kafka_down_is_said(void **state)
{
    struct rig rig;
    rig_open(&rig, DRIVE_VIEW_MORNING, 80, 24, GLYPHS_BRAILLE);
    rig.fixture->view.consumer.kafka.state = KAFKA_DOWN;
    text_copy(rig.fixture->view.consumer.kafka.detail, 100, "127.0.0.1:9092 refuses: is it running?");
    assert_shows(&rig, "DOWN");
    assert_shows(&rig, " 127.0.0.1:9092 refuses: is it running?");
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_golden_dialogs),
        cmocka_unit_test(test_session_commands),
        cmocka_unit_test(test_confirmation),
        cmocka_unit_test(test_confirmation_by_name),
        cmocka_unit_test(test_quit_backs_out_first),
        cmocka_unit_test(test_focus_goes_round),
        cmocka_unit_test(test_prompt_runs_and_remembers),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_freeze),
        cmocka_unit_test(test_mouse),
        cmocka_unit_test(test_unknown_key_is_told),
        cmocka_unit_test(test_escape_with_a_key_behind),
        cmocka_unit_test(test_too_small_ignores_keys),
        cmocka_unit_test(test_resize_storm),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_frames_are_paced),
        cmocka_unit_test(test_no_control_reaches_a_cell),
        cmocka_unit_test(test_kafka_down_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
