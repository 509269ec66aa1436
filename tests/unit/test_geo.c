/* The tables of data/geo/ as compiled, and the arithmetic on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "city/geo.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* cmocka's comparison of reals works in single precision, too coarse for metres along a road. */
#define assert_near(actual, expected, tolerance) expect_near(actual, expected, tolerance, __LINE__)

static void expect_near(double actual, double expected, double tolerance, int line)
{
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("line %d: %.9g is not within %g of %.9g", line, actual, tolerance, expected);
}

static double chainage_of(enum geo_route route, const char *junction)
{
    const struct geo_junction *junctions;
    size_t count = geo_route_junctions(route, &junctions);
    for (size_t i = 0; i < count; i++)
        if (strcmp(junctions[i].name, junction) == 0)
            return junctions[i].chainage;
    fail_msg("%s is not on %s", junction, geo_route_id(route));
    return -1;
}

static void test_projection(void **state)
{
    struct geo_vertex middle = geo_project(0, 0);
    assert_int_equal(middle.x, GEO_WORLD_UNITS / 2);
    assert_int_equal(middle.y, GEO_WORLD_UNITS / 2);
    /* EPSG 3857 of 51.5 N 0.1 W: -11131.949, 6710219.083 of the half circumference 20037508.343. */
    struct geo_vertex london = geo_project(51.5, -0.1);
    assert_near(london.x, (1 - 11131.949 / 20037508.343) * 0x1p29, 1);
    assert_near(london.y, (1 - 6710219.083 / 20037508.343) * 0x1p29, 1);
    for (double latitude = 49; latitude <= 61; latitude += 0.37)
        for (double longitude = -8; longitude <= 2; longitude += 0.41) {
            double back_latitude, back_longitude;
            geo_unproject(geo_project(latitude, longitude), &back_latitude, &back_longitude);
            assert_true(geo_distance(latitude, longitude, back_latitude, back_longitude) < 0.03);
        }
    struct geo_vertex pole = geo_project(90, 180), other = geo_project(-90, -180);
    assert_int_equal(pole.y, 0);
    assert_int_equal(pole.x, GEO_WORLD_UNITS);
    assert_int_equal(other.x, 0);
    assert_int_equal(other.y, GEO_WORLD_UNITS);
    (void)geo_project(NAN, NAN);
}

static void test_distance_and_bearing(void **state)
{
    assert_near(geo_distance(51.5074, -0.1278, 52.4862, -1.8904), 162700, 300);
    assert_near(geo_distance(0, 0, 0, 180), M_PI * 6371008.8, 1);
    assert_near(geo_distance(52, -1, 52, -1), 0, 1e-9);
    assert_near(geo_bearing(52, -1, 53, -1), 0, 1e-9);
    assert_near(geo_bearing(53, -1, 52, -1), 180, 1e-9);
    assert_near(geo_bearing(0, 0, 0, 1), 90, 1e-9);
    assert_near(geo_bearing(0, 0, 0, -1), 270, 1e-9);
    assert_near(geo_bearing(51.5074, -0.1278, 52.4862, -1.8904), 313, 1); /* London to Birmingham */
    assert_near(geo_unit_metres(52) * (geo_project(52, 0).x - geo_project(52, -1).x),
                geo_distance(52, 0, 52, -1), 5);
    assert_string_equal(geo_direction_name(0), "North");
    assert_string_equal(geo_direction_name(359), "North");
    assert_string_equal(geo_direction_name(22.6), "North-East");
    assert_string_equal(geo_direction_name(313), "North-West");
    assert_string_equal(geo_direction_name(-45), "North-West");
    assert_string_equal(geo_direction_name(INFINITY), "North");
}

static void test_offset(void **state)
{
    for (double heading = 0; heading < 360; heading += 45) {
        struct geo_position road = {52, -1, heading}, right = geo_offset(road, 10),
                            left = geo_offset(road, -10);
        assert_near(geo_distance(52, -1, right.latitude, right.longitude), 10, 0.01);
        assert_near(remainder(geo_bearing(52, -1, right.latitude, right.longitude) - heading - 90, 360), 0,
                    0.1);
        assert_near(remainder(geo_bearing(52, -1, left.latitude, left.longitude) - heading + 90, 360), 0,
                    0.1);
        assert_near(right.heading, heading, 0);
    }
}

static void test_route_lengths(void **state)
{
    static const double published[GEO_ROUTES] = {201200, 202200, 188800, 189000};
    for (int r = 0; r < GEO_ROUTES; r++) {
        assert_near(geo_route_length(r), published[r], published[r] * 0.005);
        assert_int_equal(geo_route_from_id(geo_route_id(r)), r);
    }
    assert_int_equal(geo_route_from_id("m40"), -1);
    assert_int_equal(geo_route_from_id(""), -1);
    assert_string_equal(geo_route_id(GEO_M1_SOUTH), "m1-sb");
    assert_string_equal(geo_route_name(GEO_M40_NORTH), "M40 northbound");
}

static void test_route_ends(void **state)
{
    for (int r = 0; r < GEO_ROUTES; r++) {
        bool north = r == GEO_M40_NORTH || r == GEO_M1_NORTH;
        struct geo_position start = geo_route_position(r, -1e9), end = geo_route_position(r, 1e9);
        struct geo_position london = north ? start : end, birmingham = north ? end : start;
        assert_true(geo_distance(london.latitude, london.longitude, 51.5074, -0.1278) < 50);
        assert_true(geo_distance(birmingham.latitude, birmingham.longitude, 52.4862, -1.8904) < 50);
        double way = geo_bearing(start.latitude, start.longitude, end.latitude, end.longitude);
        assert_string_equal(geo_direction_name(way), north ? "North-West" : "South-East");
        (void)geo_route_position(r, NAN);
    }
}

static void test_route_is_continuous(void **state)
{
    for (int r = 0; r < GEO_ROUTES; r++) {
        struct geo_position before = geo_route_position(r, 0);
        for (double at = 10; at < geo_route_length(r); at += 10) {
            struct geo_position here = geo_route_position(r, at);
            double step = geo_distance(before.latitude, before.longitude, here.latitude, here.longitude);
            assert_true(step < 10.05);
            assert_true(here.heading >= 0 && here.heading < 360);
            /* Between vertices nothing but the heading says where the road goes. */
            if (step > 9.9)
                assert_true(fabs(remainder(geo_bearing(before.latitude, before.longitude, here.latitude,
                                                       here.longitude) -
                                               here.heading,
                                           360)) < 65);
            before = here;
        }
    }
}

static void test_heading_turns_smoothly(void **state)
{
    for (int r = 0; r < GEO_ROUTES; r++) {
        size_t sharp = 0;
        double before = geo_route_position(r, 0).heading;
        for (double at = 1; at < geo_route_length(r); at++) {
            double heading = geo_route_position(r, at).heading;
            sharp += fabs(remainder(heading - before, 360)) > 10;
            before = heading;
        }
        assert_in_range(sharp, 0, 60); /* short segments of sharp corners; a step function has hundreds */
    }
}

static void test_sections_cover_the_route(void **state)
{
    for (int r = 0; r < GEO_ROUTES; r++) {
        const struct geo_section *sections;
        size_t count = geo_route_sections(r, &sections);
        assert_true(count > 10);
        assert_near(sections[0].from, 0, 0);
        assert_near(sections[count - 1].to, geo_route_length(r), 0.001);
        for (size_t i = 0; i < count; i++) {
            const struct geo_section *section = &sections[i];
            assert_true(section->to > section->from);
            if (i)
                assert_near(section->from, sections[i - 1].to, 0);
            assert_in_range(section->lanes, 1, 5);
            assert_in_range(section->limit_mph, 20, 70);
            assert_true(section->limit_mph % 10 == 0);
            assert_true(section->carriageway == 'A' || section->carriageway == 'B');
            if (section->kind == GEO_SECTION_MOTORWAY)
                assert_int_equal(section->road[0], 'M');
            assert_true(section->marker_km >= 0);
            assert_ptr_equal(geo_route_section_at(r, section->from), section);
            assert_ptr_equal(geo_route_section_at(r, (section->from + section->to) / 2), section);
        }
        assert_ptr_equal(geo_route_section_at(r, -5), sections);
        assert_ptr_equal(geo_route_section_at(r, NAN), sections);
        assert_ptr_equal(geo_route_section_at(r, 1e12), sections + count - 1);
    }
    assert_string_equal(geo_route_section_at(GEO_M40_NORTH, 90000)->road, "M40");
    assert_int_equal(geo_route_section_at(GEO_M40_NORTH, 90000)->lanes, 3);
    assert_int_equal(geo_route_section_at(GEO_M40_NORTH, 90000)->carriageway, 'A');
    assert_int_equal(geo_route_section_at(GEO_M40_SOUTH, 90000)->carriageway, 'B');
}

static void test_levels_of_detail(void **state)
{
    for (int r = 0; r < GEO_ROUTES; r++) {
        size_t finer = SIZE_MAX;
        const struct geo_vertex *fine;
        const float *fine_chainages;
        size_t fine_count = geo_route_line(r, 0, &fine, &fine_chainages);
        for (int detail = 0; detail < GEO_DETAILS; detail++) {
            const struct geo_vertex *vertices;
            const float *chainages;
            size_t count = geo_route_line(r, detail, &vertices, &chainages), at = 0;
            assert_true(count >= 2 && count < finer);
            finer = count;
            assert_near(chainages[0], 0, 0);
            assert_near(chainages[count - 1], geo_route_length(r), 0.1);
            for (size_t i = 0; i < count; i++) {
                if (i)
                    assert_true(chainages[i] > chainages[i - 1]);
                while (at < fine_count && fine_chainages[at] < chainages[i])
                    at++;
                assert_true(at < fine_count && memcmp(&fine[at], &vertices[i], sizeof *fine) == 0);
            }
            /* What a level leaves out lies within its tolerance. */
            for (size_t i = 0, v = 0; i + 1 < count; i++)
                for (; v < fine_count && fine_chainages[v] < chainages[i + 1]; v++) {
                    double dx = vertices[i + 1].x - vertices[i].x, dy = vertices[i + 1].y - vertices[i].y;
                    double px = fine[v].x - vertices[i].x, py = fine[v].y - vertices[i].y;
                    double t = fmin(1, fmax(0, (px * dx + py * dy) / (dx * dx + dy * dy)));
                    assert_true(hypot(px - t * dx, py - t * dy) * geo_unit_metres(52) <=
                                geo_detail_tolerance(detail) * 1.02 + 0.01);
                }
        }
    }
    size_t lines_before = SIZE_MAX, vertices_before = SIZE_MAX;
    for (int detail = 0; detail < GEO_DETAILS; detail++) {
        const struct geo_line *lines;
        size_t count = geo_lines(detail, &lines), vertices = 0;
        assert_true(count > 20 && count <= lines_before);
        for (size_t i = 0; i < count; i++) {
            assert_true(lines[i].vertex_count >= 2);
            vertices += lines[i].vertex_count;
            for (size_t v = 0; v < lines[i].vertex_count; v++) {
                struct geo_vertex at = lines[i].vertices[v];
                assert_true(at.x >= lines[i].min.x && at.x <= lines[i].max.x);
                assert_true(at.y >= lines[i].min.y && at.y <= lines[i].max.y);
            }
        }
        assert_true(vertices < vertices_before);
        lines_before = count;
        vertices_before = vertices;
        if (detail)
            assert_true(geo_detail_tolerance(detail) > geo_detail_tolerance(detail - 1));
    }
    assert_int_equal(geo_detail_for(0), 0);
    assert_int_equal(geo_detail_for(1e9), GEO_DETAILS - 1);
    for (double metres = 1; metres < 1e5; metres *= 1.3)
        assert_true(geo_detail_tolerance(geo_detail_for(metres)) <= metres / 2);
}

static void test_lines_hold_each_layer(void **state)
{
    static const char *const wanted[] = {"Great Britain", "England-Wales", "M40",  "M1", "M6",
                                         "M42",           "M25",           "A1(M)"};
    for (int detail = 0; detail < GEO_DETAILS; detail++) {
        const struct geo_line *lines;
        size_t count = geo_lines(detail, &lines);
        for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
            bool found = false;
            for (size_t i = 0; i < count && !found; i++)
                found = strcmp(lines[i].name, wanted[w]) == 0;
            if (!found)
                fail_msg("%s is not in level %d", wanted[w], detail);
        }
    }
}

static void test_nearest_is_the_inverse_of_position(void **state)
{
    for (int r = 0; r < GEO_ROUTES; r++)
        for (double at = 0; at <= geo_route_length(r); at += 61) {
            struct geo_position here = geo_route_position(r, at);
            double distance, back = geo_route_nearest(r, here.latitude, here.longitude, &distance);
            assert_near(back, at, 2);
            assert_true(distance < 0.5);
        }
}

/* Against the plain search through every vertex, from all over the country. */
static void test_nearest_misses_nothing(void **state)
{
    for (int r = 0; r < GEO_ROUTES; r++)
        for (double latitude = 50; latitude < 56; latitude += 0.31)
            for (double longitude = -5; longitude < 2; longitude += 0.37) {
                double distance, at = geo_route_nearest(r, latitude, longitude, &distance);
                assert_true(at >= 0 && at <= geo_route_length(r));
                double plain = 1e9;
                for (double c = 0; c < geo_route_length(r); c += 100) {
                    struct geo_position p = geo_route_position(r, c);
                    plain = fmin(plain, geo_distance(latitude, longitude, p.latitude, p.longitude));
                }
                /* Nearest on the map's plane; the ground differs by the projection's change of scale. */
                assert_true(distance < plain * 1.02 + 1);
            }
    assert_true(geo_route_nearest(GEO_M1_NORTH, 52, -1, NULL) > 0);
}

static void test_junctions(void **state)
{
    for (int r = 0; r < GEO_ROUTES; r++) {
        const struct geo_junction *junctions;
        size_t count = geo_route_junctions(r, &junctions);
        assert_true(count > 20);
        for (size_t i = 0; i < count; i++) {
            assert_true(junctions[i].chainage >= 0 && junctions[i].chainage <= geo_route_length(r));
            if (i)
                assert_true(junctions[i].chainage >= junctions[i - 1].chainage);
            assert_non_null(strstr(junctions[i].name, junctions[i].shortname));
            assert_non_null(geo_find_place(junctions[i].name));
        }
    }
    assert_near(chainage_of(GEO_M40_NORTH, "M40 J9"), 95290, 300);
    assert_near(chainage_of(GEO_M40_NORTH, "M42 J6"), 181430, 300);
    assert_near(chainage_of(GEO_M1_NORTH, "M1 J1"), 12400, 700);  /* mended: 36 km away in its source */
    assert_near(chainage_of(GEO_M1_NORTH, "M6 J6"), 185200, 700); /* mended */
    assert_near(chainage_of(GEO_M1_NORTH, "M6 J3"), 157330, 300);
    assert_near(chainage_of(GEO_M40_SOUTH, "M40 J9") + chainage_of(GEO_M40_NORTH, "M40 J9"), 202000, 2500);
    assert_null(geo_find_place("M6 J7"));
    assert_null(geo_find_place("M11 J4"));
}

static void test_places(void **state)
{
    const struct geo_place *towns, *junctions;
    size_t town_count = geo_towns(&towns), junction_count = geo_junctions(&junctions);
    assert_true(town_count > 300 && junction_count > 150);
    struct geo_vertex low = geo_project(60.9, -8.7), high = geo_project(49.8, 1.8);
    for (size_t i = 0; i < town_count + junction_count; i++) {
        const struct geo_place *place = i < town_count ? &towns[i] : &junctions[i - town_count];
        assert_true(place->at.x > low.x && place->at.x < high.x);
        assert_true(place->at.y > low.y && place->at.y < high.y);
        assert_in_range(place->rank, 0, 9);
        assert_true(strlen(place->name) > 1);
    }
    for (size_t i = 1; i < town_count; i++)
        assert_true(towns[i].population <= towns[i - 1].population);
    assert_string_equal(towns[0].name, "London");
    assert_int_equal(towns[0].rank, 0);
}

static void test_find_place(void **state)
{
    static const char *const spellings[] = {"M40 J9", "m40j9", "m40 j9", "M40-J9", " M40  J9 "};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        const struct geo_place *place = geo_find_place(spellings[i]);
        assert_non_null(place);
        assert_string_equal(place->name, "M40 J9");
    }
    assert_string_equal(geo_find_place("m40 j1")->name, "M40 J1"); /* not J10, not J1A */
    assert_string_equal(geo_find_place("m40 j8a")->name, "M40 J8A");
    assert_string_equal(geo_find_place("banbury")->name, "Banbury");
    assert_string_equal(geo_find_place("banb")->name, "Banbury");
    assert_string_equal(geo_find_place("BIRMINGHAM")->name, "Birmingham");
    assert_string_equal(geo_find_place("milton k")->name, "Milton Keynes");
    static const char *const nowhere[] = {"J9",     "", " ", "-", "m40", "m40 j99", "zzz", "London\xff\xfe",
                                          "\x1b[2J"};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        assert_null(geo_find_place(nowhere[i]));
}

static void test_markers(void **state)
{
    char text[GEO_MARKER_SIZE];
    /* Highways England's network has a section "A MP 62/92 to 63/50" that begins at junction 5. */
    assert_string_equal(geo_marker(GEO_M40_NORTH, chainage_of(GEO_M40_NORTH, "M40 J5"), text), "M40 A 62/9");
    assert_string_equal(geo_marker(GEO_M40_NORTH, 0, text), "A4 A 0/0");
    assert_memory_equal(geo_marker(GEO_M40_SOUTH, 1e9, text), "A4 B 0/", 7);
    for (int r = 0; r < GEO_ROUTES; r++) {
        char road[16] = "", letter = 0;
        double before = 0;
        for (double at = 0; at < geo_route_length(r); at += 50) {
            char here[16], side;
            int km, tenth;
            assert_int_equal(sscanf(geo_marker(r, at, text), "%15s %c %d/%1d", here, &side, &km, &tenth), 4);
            double marker = km + tenth / 10.0;
            if (strcmp(here, road) == 0) {
                assert_int_equal(side, letter);
                double step = side == 'A' ? marker - before : before - marker;
                assert_true(step > -1e-9 && step < 0.21);
            }
            strcpy(road, here);
            letter = side;
            before = marker;
        }
    }
    /* Both carriageways count from the same end: across the central reservation the post reads the same. */
    static const double places[][2] = {
        {51.80, -1.15}, {52.19, -1.46}, {52.26, -1.62}, {52.42, -1.74}, {52.51, -1.80}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int up, up_tenth, down, down_tenth;
        double there = geo_route_nearest(GEO_M40_NORTH, places[i][0], places[i][1], NULL);
        struct geo_position p = geo_route_position(GEO_M40_NORTH, there);
        double back = geo_route_nearest(GEO_M40_SOUTH, p.latitude, p.longitude, NULL);
        assert_int_equal(sscanf(geo_marker(GEO_M40_NORTH, there, text), "%*s A %d/%d", &up, &up_tenth), 2);
        assert_int_equal(sscanf(geo_marker(GEO_M40_SOUTH, back, text), "%*s B %d/%d", &down, &down_tenth), 2);
        assert_near(up + up_tenth / 10.0, down + down_tenth / 10.0, 0.41);
    }
}

static void test_between(void **state)
{
    char text[GEO_BETWEEN_SIZE];
    double j9 = chainage_of(GEO_M40_NORTH, "M40 J9");
    assert_string_equal(geo_between(GEO_M40_NORTH, j9, text), "J9");
    assert_string_equal(geo_between(GEO_M40_NORTH, j9 - 3000, text), "J8A–J9");
    assert_string_equal(geo_between(GEO_M40_NORTH, j9 + 3000, text), "J9–J10");
    double back = chainage_of(GEO_M40_SOUTH, "M40 J9");
    assert_string_equal(geo_between(GEO_M40_SOUTH, back + 3000, text), "J9–J8A");
    assert_string_equal(geo_between(GEO_M40_NORTH, 1000, text), "Park Lane");
    assert_string_equal(geo_between(GEO_M40_NORTH, 20000, text), "Western Avenue");
    assert_string_equal(geo_between(GEO_M40_NORTH, chainage_of(GEO_M40_NORTH, "M40 J16") + 1200, text),
                        "J16–M42");
    assert_string_equal(geo_between(GEO_M1_NORTH, chainage_of(GEO_M1_NORTH, "M6 J1") - 2000, text), "M1–J1");
    assert_string_equal(geo_between(GEO_M1_NORTH, 187000, text), "Aston Expressway");
    for (int r = 0; r < GEO_ROUTES; r++)
        for (double at = -10; at < geo_route_length(r) + 200; at += 100)
            assert_in_range(strlen(geo_between(r, at, text)), 2, GEO_BETWEEN_SIZE - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_projection),
        cmocka_unit_test(test_distance_and_bearing),
        cmocka_unit_test(test_offset),
        cmocka_unit_test(test_route_lengths),
        cmocka_unit_test(test_route_ends),
        cmocka_unit_test(test_route_is_continuous),
        cmocka_unit_test(test_heading_turns_smoothly),
        cmocka_unit_test(test_sections_cover_the_route),
        cmocka_unit_test(test_levels_of_detail),
        cmocka_unit_test(test_lines_hold_each_layer),
        cmocka_unit_test(test_nearest_is_the_inverse_of_position),
        cmocka_unit_test(test_nearest_misses_nothing),
        cmocka_unit_test(test_junctions),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_find_place),
        cmocka_unit_test(test_markers),
        cmocka_unit_test(test_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
