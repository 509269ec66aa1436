/* The panels of Drive: golden screens at three sizes and in ASCII, bad data, keys, following, and what may
 * not change while nothing does. */
#include "base/text.h"
#include "tests/support/drive_view.h"
#include "tests/support/golden.h"
#include "ui/image.h"
#include "ui/panel.h"
#include "ui/panels/map.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct panel_class map_panel, vehicle_panel, camera_panel, weather_panel, emergencies_panel,
    throughput_panel, pipeline_panel;

static const struct panel_class *const panels[] = {&map_panel,     &vehicle_panel,     &camera_panel,
                                                   &weather_panel, &emergencies_panel, &throughput_panel,
                                                   &pipeline_panel};
#define PANELS (sizeof panels / sizeof panels[0])

/* What a panel asked of its host. */
struct asked {
    char sent[128], toast[200], copied[128];
    int sends;
};
static void on_send(void *context, const char *line)
{
    struct asked *asked = context;
    text_copy(asked->sent, sizeof asked->sent, line);
    asked->sends++;
}
static void on_toast(void *context, enum log_level level, const char *text)
{
    text_copy(((struct asked *)context)->toast, sizeof((struct asked *)context)->toast, text);
}
static void on_copy(void *context, const char *text)
{
    text_copy(((struct asked *)context)->copied, sizeof((struct asked *)context)->copied, text);
}

/* One panel alone, framed. */
struct bench {
    const struct panel_class *class;
    void *state;
    struct drive_view *fixture;
    struct canvas canvas, inside;
    struct panel_context context;
    struct panel_host host;
    struct asked asked;
};

static void bench_open(struct bench *bench, const struct panel_class *class, struct drive_view *fixture,
                       int width, int height, enum glyphs glyphs)
{
    *bench = (struct bench){.class = class, .fixture = fixture};
    bench->state = mem_zero(1, class->state_size);
    if (class->create != NULL)
        class->create(bench->state);
    bench->canvas = canvas_create(width, height, glyphs);
    bench->context =
        (struct panel_context){.images_rgb = glyphs != GLYPHS_ASCII, .filter = "", .focused = true};
    bench->host = (struct panel_host){on_send, on_toast, on_copy, &bench->asked};
}

static void bench_draw(struct bench *bench)
{
    char title[128], note[128] = "";
    struct canvas *canvas = &bench->canvas;
    canvas_clear(canvas, STYLE(ROLE_NONE));
    bench->inside = canvas_sub(canvas, 1, 1, canvas->width - 2, canvas->height - 2);
    bench->class->draw(bench->state, &bench->fixture->view, &bench->inside, &bench->context);
    text_copy(title, sizeof title, bench->class->title);
    if (bench->class->heading != NULL)
        bench->class->heading(bench->state, &bench->fixture->view, title, sizeof title);
    if (bench->class->note != NULL)
        bench->class->note(bench->state, &bench->fixture->view, note, sizeof note);
    canvas_frame(canvas, title, note, false);
}

static bool bench_run(struct bench *bench, const char *name, const char *argument)
{
    return bench->class->command(bench->state, &bench->fixture->view, name, argument, &bench->host);
}

static void bench_close(struct bench *bench)
{
    if (bench->class->destroy != NULL)
        bench->class->destroy(bench->state);
    free(bench->state);
    canvas_destroy(&bench->canvas);
}

static bool has_text(struct bench *bench, const char *text)
{
    bench_draw(bench);
    char *dump = canvas_dump(&bench->canvas);
    bool found = strstr(dump, text) != NULL;
    if (!found)
        fprintf(stderr, "no \"%s\" in\n%s", text, dump);
    free(dump);
    return found;
}

/* ---- golden screens ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum glyphs glyphs;
    struct {
        int width, height;
    } sizes[PANELS]; /* of the frames, as the layouts give them at that size; 0: not on that screen */
} screens[] = {
    {"80x24", GLYPHS_BRAILLE, {{49, 16}, {31, 7}, {0, 0}, {31, 5}, {31, 4}, {80, 4}, {0, 0}}},
    {"132x43", GLYPHS_BRAILLE, {{84, 27}, {48, 10}, {48, 12}, {84, 7}, {48, 5}, {48, 7}, {132, 5}}},
    {"200x50", GLYPHS_BRAILLE, {{136, 32}, {64, 12}, {64, 20}, {84, 8}, {52, 8}, {64, 8}, {200, 6}}},
    {"ascii", GLYPHS_ASCII, {{84, 27}, {48, 10}, {48, 12}, {84, 7}, {48, 5}, {48, 7}, {132, 5}}},
};

static void test_golden_screens(void **state)
{
    static const char *const kinds[] = {"morning", "empty", "hostile"};
    bool same = true;
    for (int kind = 0; kind < 3; kind++) {
        struct drive_view *fixture = drive_view_create((enum drive_view_kind)kind);
        for (size_t s = 0; s < sizeof screens / sizeof screens[0]; s++)
            for (size_t i = 0; i < PANELS; i++) {
                if (screens[s].sizes[i].width == 0)
                    continue;
                struct bench bench;
                char name[96];
                bench_open(&bench, panels[i], fixture, screens[s].sizes[i].width, screens[s].sizes[i].height,
                           screens[s].glyphs);
                bench_draw(&bench);
                snprintf(name, sizeof name, "drive-%s-%s-%s", panels[i]->name, screens[s].name, kinds[kind]);
                same &= golden_is(name, canvas_dump(&bench.canvas));
                bench_close(&bench);
            }
        drive_view_destroy(fixture);
    }
    assert_true(same);
}

/* Colours and attributes: the golden texts cannot tell a jam from a free road. */
static void test_golden_colours(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    bool same = true;
    for (size_t i = 0; i < PANELS; i++) {
        struct bench bench;
        char name[96];
        bench_open(&bench, panels[i], fixture, screens[1].sizes[i].width, screens[1].sizes[i].height,
                   GLYPHS_BRAILLE);
        bench_draw(&bench);
        snprintf(name, sizeof name, "drive-%s-colours", panels[i]->name);
        same &= golden_is(name, canvas_dump_styles(&bench.canvas));
        bench_close(&bench);
    }
    drive_view_destroy(fixture);
    assert_true(same);
}

static void test_golden_maps_near_and_in_blocks(void **state)
{
    static const int steps[] = {3, 6, 9, 13};
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    bool same = true;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct bench bench;
        char name[96];
        bench_open(&bench, &map_panel, fixture, 100, 30, i % 2 ? GLYPHS_BRAILLE : GLYPHS_BLOCK);
        bench_draw(&bench);
        for (int step = 0; step < steps[i]; step++)
            bench_run(&bench, "zoom", "in");
        bench_draw(&bench);
        snprintf(name, sizeof name, "drive-map-zoom-%d", steps[i]);
        same &= golden_is(name, canvas_dump(&bench.canvas));
        bench_close(&bench);
    }
    drive_view_destroy(fixture);
    assert_true(same);
}

static void test_a_line_of_pipeline(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct canvas canvas = canvas_create(80, 1, GLYPHS_BRAILLE);
    struct panel_context context = {.filter = ""};
    pipeline_panel.draw(NULL, &fixture->view, &canvas, &context);
    assert_true(golden_is("drive-pipeline-80x24-morning", canvas_dump(&canvas)));
    canvas_destroy(&canvas);
    drive_view_destroy(fixture);
}

/* ---- every size, every kind of data ------------------------------------------------------------------- */

static void test_any_size_draws_inside(void **state)
{
    static const int widths[] = {1, 2, 5, 13, 26, 39, 61, 90, 200}, heights[] = {1, 2, 3, 4, 6, 9, 17, 60};
    for (int kind = 0; kind < 3; kind++) {
        struct drive_view *fixture = drive_view_create((enum drive_view_kind)kind);
        for (size_t i = 0; i < PANELS; i++)
            for (int glyphs = GLYPHS_BRAILLE; glyphs <= GLYPHS_ASCII; glyphs++) {
                /* One state through all sizes, as a resized terminal does it. */
                struct bench bench;
                bench_open(&bench, panels[i], fixture, 202, 62, (enum glyphs)glyphs);
                for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++)
                    for (size_t h = 0; h < sizeof heights / sizeof heights[0]; h++) {
                        canvas_fill(&bench.canvas, 0, 0, 202, 62, '~', STYLE(ROLE_NONE));
                        struct canvas inside = canvas_sub(&bench.canvas, 1, 1, widths[w], heights[h]);
                        canvas_clear(&inside, STYLE(ROLE_NONE));
                        panels[i]->draw(bench.state, &fixture->view, &inside, &bench.context);
                        assert_int_equal(canvas_at(&bench.canvas, widths[w] + 1, 1)->rune, '~');
                        assert_int_equal(canvas_at(&bench.canvas, 1, heights[h] + 1)->rune, '~');
                    }
                bench_close(&bench);
            }
        drive_view_destroy(fixture);
    }
}

static void test_no_control_reaches_a_cell(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_HOSTILE);
    for (size_t i = 0; i < PANELS; i++) {
        struct bench bench;
        bench_open(&bench, panels[i], fixture, 132, 43, GLYPHS_BRAILLE);
        if (panels[i] == &map_panel) {
            bench_draw(&bench);
            bench_run(&bench, "list", "");
        }
        bench_draw(&bench);
        for (int y = 0; y < 43; y++)
            for (int x = 0; x < 132; x++)
                assert_false(text_is_control(canvas_at(&bench.canvas, x, y)->rune) &&
                             canvas_at(&bench.canvas, x, y)->rune != 0);
        bench_close(&bench);
    }
    drive_view_destroy(fixture);
}

/* ---- the map ------------------------------------------------------------------------------------------ */

/* Labels are placed on a grid that is independent of what is drawn: two texts never share or touch cells. */
static void test_labels_never_collide(void **state)
{
    struct map_ground ground = {0};
    struct map_sight sight = {.width = 40, .height = 12};
    map_sight_fit(&sight);
    map_ground_update(&ground, &sight, GLYPHS_BRAILLE);
    struct map_labels labels = map_labels_create(&ground, 40, 12);
    struct canvas canvas = canvas_create(40, 12, GLYPHS_BRAILLE);
    int placed = 0;
    uint32_t random = 1;
    for (int i = 0; i < 300; i++) {
        random = random * 1664525u + 1013904223u;
        char text[] = "abcd";
        text[0] = (char)('A' + placed % 26);
        placed += map_labels_put(&labels, &canvas, (int)(random >> 8) % 40, (int)(random >> 16) % 12, 0,
                                 STYLE(ROLE_TEXT), STYLE(ROLE_TEXT), text, 99);
    }
    assert_true(placed > 10);
    int begun = 0;
    for (int y = 0; y < 12; y++)
        for (int x = 0; x < 40; x++) {
            uint32_t rune = canvas_at(&canvas, x, y)->rune;
            if (rune < 'A' || rune > 'Z')
                continue;
            begun++;
            for (int i = 1; i < 4; i++)
                assert_int_equal(canvas_at(&canvas, x + i, y)->rune, "abcd"[i]);
            assert_true(x + 4 == 40 || canvas_at(&canvas, x + 4, y)->rune == ' ');
        }
    assert_int_equal(begun, placed);
    map_labels_destroy(&labels);
    canvas_destroy(&canvas);
    map_ground_destroy(&ground);
}

static void test_zoom_keeps_the_pointed_place(void **state)
{
    struct map_sight sight = {.width = 80, .height = 25};
    map_sight_fit(&sight);
    for (int i = 0; i < 12; i++) {
        struct geo_vertex before = map_sight_vertex(&sight, 20, 7);
        map_sight_zoom(&sight, i < 6 ? M_SQRT1_2 : M_SQRT2, 20, 7);
        struct map_cell after = map_sight_cell(&sight, before);
        assert_true(fabs(after.x - 20) < 1.01 &&
                    fabs(after.y - 7) < 1.01); /* the centre stays on whole cells */
    }
    for (int i = 0; i < 60; i++)
        map_sight_zoom(&sight, M_SQRT1_2, 40, 12);
    assert_true(map_sight_metres(&sight) > 3.5 && map_sight_metres(&sight) < 4.5);
    for (int i = 0; i < 90; i++)
        map_sight_zoom(&sight, M_SQRT2, 40, 12);
    assert_true(map_sight_metres(&sight) < 17000);
}

static void test_ground_is_made_once_a_sight(void **state)
{
    struct map_ground ground = {0};
    struct map_sight sight = {.width = 80, .height = 25};
    map_sight_fit(&sight);
    for (int i = 0; i < 5; i++)
        map_ground_update(&ground, &sight, GLYPHS_BRAILLE);
    assert_int_equal(ground.builds, 1);
    map_sight_move(&sight, 3, 0);
    map_ground_update(&ground, &sight, GLYPHS_BRAILLE);
    assert_int_equal(ground.builds, 2);
    map_ground_update(&ground, &sight, GLYPHS_BLOCK);
    assert_int_equal(ground.builds, 3);
    map_ground_destroy(&ground);
}

static void test_map_follows(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct bench bench;
    bench_open(&bench, &map_panel, fixture, 84, 27, GLYPHS_BRAILLE);
    bench_draw(&bench);
    for (int i = 0; i < 10; i++)
        assert_true(bench_run(&bench, "zoom", "in"));
    for (int i = 0; i < 40; i++) {
        drive_view_advance(fixture, 10);
        assert_true(has_text(&bench, "veh-0007"));
    }
    /* A pan lets it go, "centre" takes it back. */
    for (int i = 0; i < 20; i++)
        assert_true(bench_run(&bench, "pan", "left"));
    assert_true(has_text(&bench, "free"));
    assert_true(bench_run(&bench, "centre", ""));
    assert_true(has_text(&bench, "follow veh-0007"));
    assert_true(bench_run(&bench, "fit", ""));
    assert_true(has_text(&bench, "Birmingham"));
    bench_close(&bench);
    drive_view_destroy(fixture);
}

static void test_map_goes_to_places(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct bench bench;
    bench_open(&bench, &map_panel, fixture, 84, 27, GLYPHS_BRAILLE);
    bench_draw(&bench);
    assert_true(bench_run(&bench, "goto", "oxford"));
    assert_true(has_text(&bench, "Oxford"));
    assert_true(bench_run(&bench, "goto", "M40 J9"));
    assert_true(has_text(&bench, "J9"));
    assert_true(bench_run(&bench, "goto", "52.48 -1.9"));
    assert_true(has_text(&bench, "Birmingham"));
    assert_true(bench_run(&bench, "goto", "atlantis"));
    assert_non_null(strstr(bench.asked.toast, "atlantis"));
    bench_close(&bench);
    drive_view_destroy(fixture);
}

static void test_map_mouse(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct bench bench;
    bench_open(&bench, &map_panel, fixture, 84, 27, GLYPHS_BRAILLE);
    bench_draw(&bench);
    uint64_t before = map_panel.generation(bench.state, &fixture->view);
    assert_true(map_panel.mouse(bench.state, &fixture->view, MOUSE_WHEEL_UP, 10, 5, &bench.host));
    assert_true(map_panel.generation(bench.state, &fixture->view) != before);
    assert_true(map_panel.mouse(bench.state, &fixture->view, MOUSE_CLICK, 10, 5, &bench.host));
    assert_true(map_panel.mouse(bench.state, &fixture->view, MOUSE_DRAG, 14, 6, &bench.host));
    assert_true(has_text(&bench, "free"));
    bench_close(&bench);
    drive_view_destroy(fixture);
}

static void test_vehicle_list(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct bench bench;
    bench_open(&bench, &map_panel, fixture, 84, 27, GLYPHS_BRAILLE);
    assert_true(bench_run(&bench, "list", ""));
    bench_draw(&bench);
    assert_true(golden_is("drive-list", canvas_dump(&bench.canvas)));
    assert_true(bench_run(&bench, "select", "next"));
    assert_true(bench_run(&bench, "pan", "down"));
    assert_true(bench_run(&bench, "open", ""));
    assert_string_equal(bench.asked.sent, "follow \"veh-0003\"");
    /* The order changes, the chosen one stays chosen. */
    assert_true(bench_run(&bench, "sort", "speed"));
    bench_draw(&bench);
    assert_true(bench_run(&bench, "open", ""));
    assert_string_equal(bench.asked.sent, "follow \"veh-0003\"");
    assert_true(bench_run(&bench, "select", "first"));
    assert_true(bench_run(&bench, "open", ""));
    assert_string_equal(bench.asked.sent, "follow \"veh-0012\""); /* the one that broke down */
    bench.context.filter = "broken";
    assert_true(has_text(&bench, "veh-0012"));
    bench.context.filter = "nothing like it";
    assert_true(has_text(&bench, "no vehicle fits the filter"));
    assert_true(bench_run(&bench, "back", ""));
    bench.context.filter = "";
    assert_true(has_text(&bench, "Birmingham"));
    bench_close(&bench);
    drive_view_destroy(fixture);
}

/* ---- other panels ---------------------------------------------------------------------------------------
 */

static void test_nothing_changes_while_paused(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    for (size_t i = 0; i < PANELS; i++) {
        struct bench bench;
        bench_open(&bench, panels[i], fixture, 84, 27, GLYPHS_BRAILLE);
        bench_draw(&bench);
        fixture->view.sim.paused = true;
        uint64_t before = panels[i]->generation(bench.state, &fixture->view);
        fixture->view.wall_us += 5000000;
        assert_true(panels[i]->generation(bench.state, &fixture->view) == before);
        fixture->view.sim.paused = false;
        fixture->view.wall_us -= 5000000;
        bench_close(&bench);
    }
    drive_view_destroy(fixture);
}

static void test_incidents_are_chosen(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct bench bench;
    bench_open(&bench, &emergencies_panel, fixture, 60, 10, GLYPHS_BRAILLE);
    bench_draw(&bench);
    assert_true(bench_run(&bench, "select", "next"));
    assert_true(bench_run(&bench, "select", "next"));
    assert_true(bench_run(&bench, "open", ""));
    double latitude, longitude;
    assert_int_equal(sscanf(bench.asked.sent, "goto %lf %lf", &latitude, &longitude), 2);
    struct event_location at = fixture->city->incidents[1].event.emergency.location;
    assert_true(geo_distance(latitude, longitude, at.latitude, at.longitude) < 50);
    assert_true(bench_run(&bench, "cycle", "incident next"));
    assert_false(bench_run(&bench, "cycle", "camera next"));
    bench.context.filter = "breakdown";
    bench_draw(&bench);
    assert_true(bench_run(&bench, "select", "first"));
    assert_true(bench_run(&bench, "copy", ""));
    assert_string_equal(bench.asked.copied, "inc-2");
    bench.context.filter = "earthquake";
    assert_true(has_text(&bench, "no incident fits the filter"));
    bench_close(&bench);
    drive_view_destroy(fixture);
}

static void test_cameras_are_switched(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct bench bench;
    bench_open(&bench, &camera_panel, fixture, 48, 12, GLYPHS_BRAILLE);
    assert_true(bench_run(&bench, "cycle", "camera previous"));
    assert_string_equal(bench.asked.sent, "camera previous");
    /* Another picture is another drawing; the words stay right without one. */
    fixture->city->image.length = 0;
    fixture->city->image.generation++;
    assert_true(has_text(&bench, "7 vehicles"));
    bench_close(&bench);
    drive_view_destroy(fixture);
}

static void test_pictures_are_limited_before_decoding(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct city_image *city_image = &fixture->city->image;
    struct image image;
    struct err err = ERR_INIT;
    assert_int_equal(image_decode(&image, city_image->bytes, city_image->length, &err), 0);
    assert_int_equal(image.width, 320);
    image_destroy(&image);
    /* The frame header (SOF0) holds height and width, big-endian, five bytes after its marker. */
    for (size_t i = 0; i + 9 < city_image->length; i++)
        if (city_image->bytes[i] == 0xff && city_image->bytes[i + 1] == 0xc0) {
            city_image->bytes[i + 5] = city_image->bytes[i + 7] = 0x7f;
            break;
        }
    assert_int_equal(image_decode(&image, city_image->bytes, city_image->length, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(image_decode(&image, "no picture", 10, &err), -1);
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_int_equal(image_decode(&image, city_image->bytes, IMAGE_MAX_BYTES + 1, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    drive_view_destroy(fixture);
}

static void test_a_cut_picture_is_shown_as_far_as_it_goes(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct image image;
    struct err err = ERR_INIT;
    assert_int_equal(
        image_decode(&image, fixture->city->image.bytes, fixture->city->image.length * 2 / 3, &err), 0);
    assert_true(image.damaged);
    image_destroy(&image);
    drive_view_destroy(fixture);
}

static void test_southbound_weather_still_begins_in_london(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct event_vehicle *vehicle = &fixture->city->followed.vehicle.vehicle;
    struct bench north, south;
    bench_open(&north, &weather_panel, fixture, 84, 7, GLYPHS_ASCII);
    bench_draw(&north);
    char *before = canvas_dump(&north.canvas);
    text_copy(vehicle->route_id, sizeof vehicle->route_id, "m40-sb");
    vehicle->chainage = geo_route_length(GEO_M40_SOUTH) / 1000 - vehicle->chainage;
    bench_open(&south, &weather_panel, fixture, 84, 7, GLYPHS_ASCII);
    bench_draw(&south);
    char *after = canvas_dump(&south.canvas);
    /* The strips: both roads are within a kilometre of each other, so the pictures are all but the same. */
    int differs = 0;
    for (size_t i = 0; before[i] != '\0' && after[i] != '\0'; i++)
        differs += before[i] != after[i];
    assert_true(differs < 40);
    free(before);
    free(after);
    bench_close(&north);
    bench_close(&south);
    drive_view_destroy(fixture);
}

static void test_trouble_is_said_in_words(void **state)
{
    struct drive_view *fixture = drive_view_create(DRIVE_VIEW_MORNING);
    struct bench bench;
    bench_open(&bench, &throughput_panel, fixture, 64, 8, GLYPHS_BRAILLE);
    assert_true(has_text(&bench, "3 quarantined"));
    fixture->city->topics[EVENT_VEHICLE].gaps = 12;
    assert_true(has_text(&bench, "12 lost"));
    bench_close(&bench);
    drive_view_destroy(fixture);
}

static void test_words(void **state)
{
    char text[DRIVE_TEXT], figure[TEXT_FIGURE_SIZE];
    assert_string_equal(drive_words("brokenDown", text), "broken down");
    assert_string_equal(drive_words("North-West", text), "north-west");
    assert_string_equal(drive_words("OnScene", text), "on scene");
    assert_string_equal(drive_distance(850, figure), "850 m");
    assert_string_equal(drive_distance(1600, figure), "1.6 km");
    assert_string_equal(drive_distance(14000, figure), "14 km");
    assert_string_equal(drive_distance(NAN, figure), "–");
    assert_string_equal(drive_minutes(66, figure), "66 s");
    assert_string_equal(drive_minutes(5460, figure), "1 h 31 min");
    assert_string_equal(drive_compass(225), "SW");
    assert_string_equal(drive_compass(359), "N");
    assert_string_equal(drive_clock(INT64_C(1768205672000), figure), "08:14");
    assert_string_equal(drive_marker("M40 A 62/9"), "A 62/9");
    assert_string_equal(drive_place("nowhere", "A1", 3, true, text), "A1");
    assert_string_equal(drive_place("m40-nb", "", NAN, true, text), "place unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_screens),
        cmocka_unit_test(test_golden_colours),
        cmocka_unit_test(test_golden_maps_near_and_in_blocks),
        cmocka_unit_test(test_a_line_of_pipeline),
        cmocka_unit_test(test_any_size_draws_inside),
        cmocka_unit_test(test_no_control_reaches_a_cell),
        cmocka_unit_test(test_labels_never_collide),
        cmocka_unit_test(test_zoom_keeps_the_pointed_place),
        cmocka_unit_test(test_ground_is_made_once_a_sight),
        cmocka_unit_test(test_map_follows),
        cmocka_unit_test(test_map_goes_to_places),
        cmocka_unit_test(test_map_mouse),
        cmocka_unit_test(test_vehicle_list),
        cmocka_unit_test(test_nothing_changes_while_paused),
        cmocka_unit_test(test_incidents_are_chosen),
        cmocka_unit_test(test_cameras_are_switched),
        cmocka_unit_test(test_pictures_are_limited_before_decoding),
        cmocka_unit_test(test_a_cut_picture_is_shown_as_far_as_it_goes),
        cmocka_unit_test(test_southbound_weather_still_begins_in_london),
        cmocka_unit_test(test_trouble_is_said_in_words),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
