/* Cameras: where they stand, what they count, and their pictures. */
#include "sim/camera.h"

#include "city/schema.h"
#include "sim/demand.h"
#include "sim/picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include <cmocka.h>

#define MONDAY INT64_C(1768204800000) /* 2026-01-12 08:00 */
#define NOON   (MONDAY + 4 * 3600000)

struct scene {
    struct road *roads[GEO_ROUTES];
    struct traffic *traffic;
    struct weather_model *weather;
    struct incidents *incidents;
    struct cameras *cameras;
};

static void scene_open(struct scene *scene, unsigned mask)
{
    memset(scene, 0, sizeof *scene);
    for (int i = 0; i < GEO_ROUTES; i++)
        if (mask >> i & 1)
            scene->roads[i] = road_create((enum geo_route)i);
    scene->traffic = traffic_create(7, mask);
    scene->weather = weather_create(7, MONDAY);
    scene->incidents = incidents_create(7, scene->roads, scene->weather, 0);
    scene->cameras = cameras_create(7, scene->roads, scene->traffic, 30);
}

static void scene_close(struct scene *scene)
{
    cameras_destroy(scene->cameras);
    incidents_destroy(scene->incidents);
    weather_destroy(scene->weather);
    traffic_destroy(scene->traffic);
    for (int i = 0; i < GEO_ROUTES; i++)
        road_destroy(scene->roads[i]);
}

static void they_stand_along_the_roads(void **state)
{
    struct scene scene;
    scene_open(&scene, 15);
    size_t count = cameras_count(scene.cameras), north = 0;
    assert_in_range(count, 120, CAMERAS);
    double widest = 0;
    bool at_j9 = false;
    for (size_t i = 0; i < count; i++) {
        struct camera_site site = cameras_site(scene.cameras, i);
        assert_memory_equal(site.id, "cam-", 4);
        assert_true(strspn(site.id, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(site.id));
        assert_true(strchr("ns", site.id[strlen(site.id) - 1]) != NULL);
        at_j9 = at_j9 || strncmp(site.id, "cam-m40-j9-", 11) == 0;
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(site.id, cameras_site(scene.cameras, j).id);
        double nearest = INFINITY;
        for (size_t j = 0; j < count; j++) {
            struct camera_site other = cameras_site(scene.cameras, j);
            if (j != i)
                nearest = fmin(nearest,
                               geo_distance(site.latitude, site.longitude, other.latitude, other.longitude));
        }
        widest = fmax(widest, nearest);
        north += site.route == GEO_M40_NORTH || site.route == GEO_M1_NORTH;
    }
    assert_true(at_j9);
    assert_true(widest < 4000);
    assert_in_range(north * 100 / count, 40, 60);
    scene_close(&scene);
}

struct tally {
    size_t reports, pictures;
    double intensity, wanted;
    const struct demand *demand;
    const struct cameras *cameras;
    size_t bytes;
    bool bad;
};

static const enum geo_route watched = GEO_M40_NORTH;

static void count_reports(void *context, const struct event *event)
{
    struct tally *tally = context;
    tally->reports++;
    tally->pictures += event_has(event, TRAFFIC_SNAPSHOT);
    tally->bytes += event_has(event, TRAFFIC_SNAPSHOT) ? event->traffic.snapshot.length : 0;
    tally->bad = tally->bad || event->traffic.occupancy < 0 || event->traffic.occupancy > 1;
    for (size_t i = 0; i < cameras_count(tally->cameras); i++) {
        struct camera_site site = cameras_site(tally->cameras, i);
        if (strcmp(site.id, event->traffic.camera_id) != 0 || site.route != watched || site.x < 30000 ||
            site.x > 165000)
            continue;
        struct demand_flow flow = demand_flow_at(demand_link_at(tally->demand, site.x), 11);
        tally->wanted += (double)(flow.light + flow.heavy) * 0.4;
        tally->intensity += event->traffic.intensity;
    }
}

static void they_measure_the_flow(void **state)
{
    struct scene scene;
    struct demand demand;
    struct tally tally = {.demand = &demand};
    scene_open(&scene, 1U << watched | 1U << GEO_M40_SOUTH);
    tally.cameras = scene.cameras;
    demand_build(&demand, watched);
    traffic_fill(scene.traffic, 0.4, 11);
    for (uint64_t tick = 1; tick <= 660; tick++) {
        traffic_step(scene.traffic, tick, 11);
        if (tick == 601)
            tally = (struct tally){.demand = &demand, .cameras = scene.cameras};
        cameras_emit(scene.cameras, tick, NOON, false, scene.weather, scene.incidents, count_reports, &tally);
    }
    assert_int_equal(tally.reports, cameras_count(scene.cameras)); /* each once in 30 s */
    assert_int_equal(tally.pictures, 0);
    assert_false(tally.bad);
    assert_true(fabs(tally.intensity / tally.wanted - 1) < 0.1);
    scene_close(&scene);
}

struct kept {
    struct event event;
    unsigned char *bytes;
    size_t length;
};

static void keep_first(void *context, const struct event *event)
{
    struct kept *kept = context;
    if (kept->bytes || !event_has(event, TRAFFIC_SNAPSHOT))
        return;
    kept->event = *event;
    kept->length = event->traffic.snapshot.length;
    kept->bytes = malloc(kept->length);
    memcpy(kept->bytes, event->traffic.snapshot.data, kept->length);
}

static void pictures_are_jpeg_of_what_the_road_holds(void **state)
{
    struct scene scene;
    struct kept kept = {.bytes = NULL};
    scene_open(&scene, 3);
    traffic_fill(scene.traffic, 0.5, 12);
    traffic_step(scene.traffic, 1, 12);
    cameras_emit(scene.cameras, 1, NOON, true, scene.weather, scene.incidents, keep_first, &kept);
    assert_non_null(kept.bytes);
    assert_in_range(kept.length, 5000, 14000);
    int width = 0, height = 0, sampling, space;
    tjhandle decoder = tjInitDecompress();
    assert_int_equal(
        tjDecompressHeader3(decoder, kept.bytes, kept.length, &width, &height, &sampling, &space), 0);
    tjDestroy(decoder);
    assert_int_equal(width, PICTURE_WIDTH);
    assert_int_equal(height, PICTURE_HEIGHT);
    assert_int_equal(kept.event.traffic.width, width);
    assert_int_equal(kept.event.traffic.height, height);
    assert_int_equal(kept.bytes[kept.length - 1], 0xD9);
    bool baseline = false;
    for (size_t i = 0; i + 1 < kept.length && !baseline; i++)
        baseline = kept.bytes[i] == 0xFF && kept.bytes[i + 1] == 0xC0;
    assert_true(baseline);
    assert_string_equal(kept.event.traffic.content_type, "image/jpeg");
    assert_int_equal(strlen(kept.event.traffic.snapshot_hash), 64);
    free(kept.bytes);
    scene_close(&scene);
}

static struct picture_scene *plain_scene(void)
{
    struct picture_scene *scene = calloc(1, sizeof *scene);
    scene->seed = 7;
    scene->camera = 5;
    scene->tick = 100;
    scene->lanes = scene->other_lanes = 3;
    scene->sun = 25;
    scene->cloud = 0.4F;
    scene->visibility = 20000;
    snprintf(scene->caption[0], sizeof scene->caption[0], "cam-m40-j9-n");
    return scene;
}

/* Mean of the luminance over a part of the picture. */
static double luminance(const unsigned char *bytes, size_t length, int y_from, int y_to)
{
    static unsigned char grey[PICTURE_WIDTH * PICTURE_HEIGHT];
    tjhandle decoder = tjInitDecompress();
    assert_int_equal(
        tjDecompress2(decoder, bytes, length, grey, PICTURE_WIDTH, 0, PICTURE_HEIGHT, TJPF_GRAY, 0), 0);
    tjDestroy(decoder);
    double sum = 0;
    for (int i = y_from * PICTURE_WIDTH; i < y_to * PICTURE_WIDTH; i++)
        sum += grey[i];
    return sum / ((y_to - y_from) * PICTURE_WIDTH);
}

static void the_same_scene_gives_the_same_bytes(void **state)
{
    struct picture_scene *scene = plain_scene();
    struct picture *one = picture_create(), *two = picture_create();
    size_t length, again, other;
    scene->vehicle_count = 2;
    scene->vehicles[0] = (struct picture_vehicle){.distance = 40, .side = 0, .class = 0, .look = 12345};
    scene->vehicles[1] = (struct picture_vehicle){.distance = 80, .side = -3, .class = 2, .look = 777};
    const unsigned char *a = picture_draw(one, scene, &length);
    unsigned char *copy = malloc(length);
    memcpy(copy, a, length);
    const unsigned char *b = picture_draw(two, scene, &again);
    assert_int_equal(length, again);
    assert_memory_equal(copy, b, length);
    /* And one that drew something else in between. */
    scene->rain = 4;
    picture_draw(one, scene, &other);
    scene->rain = 0;
    b = picture_draw(one, scene, &again);
    assert_int_equal(length, again);
    assert_memory_equal(copy, b, length);
    /* A vehicle more is seen. */
    scene->vehicle_count = 1;
    b = picture_draw(two, scene, &again);
    assert_true(again != length || memcmp(copy, b, length) != 0);
    free(copy);
    picture_destroy(one);
    picture_destroy(two);
    free(scene);
}

static void light_and_weather_show(void **state)
{
    struct picture_scene *scene = plain_scene();
    struct picture *picture = picture_create();
    size_t length;
    const unsigned char *bytes = picture_draw(picture, scene, &length);
    double day = luminance(bytes, length, 30, 220), ground = luminance(bytes, length, 130, 220),
           near = luminance(bytes, length, 180, 220);
    scene->sun = -20;
    bytes = picture_draw(picture, scene, &length);
    double night = luminance(bytes, length, 30, 220);
    assert_true(night < day / 3);
    scene->sun = 25;
    scene->snow = 3;
    bytes = picture_draw(picture, scene, &length);
    assert_true(luminance(bytes, length, 130, 220) > ground + 25);
    scene->snow = 0;
    scene->wetness = 2;
    bytes = picture_draw(picture, scene, &length);
    assert_true(luminance(bytes, length, 180, 220) < near - 3);
    /* Lights carry far at night. */
    scene->wetness = 0;
    scene->sun = -20;
    scene->vehicle_count = 1;
    scene->vehicles[0] = (struct picture_vehicle){.distance = 60, .side = 12, .towards = true};
    bytes = picture_draw(picture, scene, &length);
    assert_true(luminance(bytes, length, 30, 220) > night + 0.5);
    picture_destroy(picture);
    free(scene);
}

/* Nothing in a scene may make the drawing fail: places behind the mast, no lanes, thick fog, a full list. */
static void odd_scenes_are_drawn_too(void **state)
{
    struct picture_scene *scene = plain_scene();
    struct picture *picture = picture_create();
    size_t length;
    scene->lanes = 1;
    scene->other_lanes = 0;
    scene->visibility = 0;
    scene->rain = 100;
    scene->curvature = 0.01F;
    scene->slope = 0.2F;
    scene->town = true;
    scene->incident =
        (struct picture_incident){.shown = true, .attended = true, .fire = true, .distance = 15, .closed = 1};
    memset(scene->caption, 'W', sizeof scene->caption);
    for (int i = 0; i < 3; i++)
        scene->caption[i][sizeof scene->caption[i] - 1] = '\0';
    for (size_t i = 0; i < PICTURE_VEHICLES; i++)
        scene->vehicles[i] = (struct picture_vehicle){.distance = (float)i - 20,
                                                      .side = (float)(i % 9) - 4,
                                                      .class = (uint8_t)(i % 4),
                                                      .towards = i % 2,
                                                      .look = (uint32_t)i * 2654435761U};
    scene->vehicle_count = PICTURE_VEHICLES;
    assert_non_null(picture_draw(picture, scene, &length));
    scene->snowing = true;
    scene->town = false;
    scene->curvature = -0.01F;
    assert_non_null(picture_draw(picture, scene, &length));
    picture_destroy(picture);
    free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_stand_along_the_roads),
        cmocka_unit_test(they_measure_the_flow),
        cmocka_unit_test(pictures_are_jpeg_of_what_the_road_holds),
        cmocka_unit_test(the_same_scene_gives_the_same_bytes),
        cmocka_unit_test(light_and_weather_show),
        cmocka_unit_test(odd_scenes_are_drawn_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
