/* The world as a whole: the same bytes for the same seed, every field filled, controls. */
#include "sim/world.h"

#include "base/buf.h"
#include "city/codec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct tally {
    uint64_t hash; /* FNV-1a of every encoded record */
    uint64_t counts[EVENT_KIND_COUNT];
    uint64_t absent[EVENT_KIND_COUNT]; /* union of the bits that were ever absent */
    uint64_t always[EVENT_KIND_COUNT]; /* bits present in all */
    uint32_t undecodable, unfit, invalid_words;
    bool first_seen;
    char first_vehicle[32];
    int64_t last_timestamp;
    bool unordered;
    struct buf buf;
};

static void tally_init(struct tally *tally)
{
    memset(tally, 0, sizeof *tally);
    tally->hash = 1469598103934665603u;
    memset(tally->always, 0xff, sizeof tally->always);
    buf_init(&tally->buf, 1 << 20);
}

static bool word_known(const struct event *event, const struct field *field)
{
    const char *text = event_field_const(event, field);
    size_t length = strlen(text);
    return schema_find_word(field, text, &length) != NULL;
}

static void count_event(void *context, const struct event *event)
{
    struct tally *tally = context;
    const struct schema *schema = schema_get(event->kind);
    buf_reset(&tally->buf);
    assert_true(codec_encode(event, &tally->buf));
    for (size_t i = 0; i < tally->buf.length; i++)
        tally->hash = (tally->hash ^ (unsigned char)tally->buf.data[i]) * 1099511628211u;
    tally->counts[event->kind]++;
    tally->always[event->kind] &= event->present;
    if (!tally->first_seen && event->kind == EVENT_VEHICLE) {
        tally->first_seen = true;
        memcpy(tally->first_vehicle, event->device_id, sizeof tally->first_vehicle);
    }
    tally->unordered = tally->unordered || event->timestamp < tally->last_timestamp;
    tally->last_timestamp = event->timestamp;

    struct event decoded;
    struct codec_report report;
    if (!codec_decode(event->kind, tally->buf.data, tally->buf.length, &decoded, &report))
        tally->undecodable++;
    else
        tally->unfit += report.unfit + report.coerced + report.unknown;
    for (size_t i = 0; i < schema->field_count; i++)
        if (schema->fields[i].words && schema->fields[i].type == FIELD_TEXT && event_has(event, (int)i) &&
            !word_known(event, &schema->fields[i]))
            tally->invalid_words++;
}

static struct world *make_world(struct world_settings *settings)
{
    struct err err = ERR_INIT;
    struct world *world = world_create(settings, &err);
    assert_non_null(world);
    return world;
}

static struct world_settings small_settings(void)
{
    struct world_settings settings;
    world_settings_init(&settings);
    settings.vehicles = 40;
    settings.demand = 0.05;
    settings.camera_interval = 20;
    settings.weather_interval = 30;
    return settings;
}

static void run(struct world *world, int ticks, struct tally *tally)
{
    for (int i = 0; i < ticks; i++)
        world_step(world, count_event, tally);
}

static void same_seed_gives_the_same_bytes(void **state)
{
    struct world_settings settings = small_settings();
    struct tally a, b, c;
    tally_init(&a);
    tally_init(&b);
    tally_init(&c);
    struct world *first = make_world(&settings), *second = make_world(&settings);
    settings.seed = 8;
    struct world *third = make_world(&settings);
    run(first, 60, &a);
    /* The second is stepped without a listener for a while: who listens must not matter. */
    run(second, 20, &b);
    assert_int_equal(world_ticks(second), 20);
    run(second, 40, &b);
    run(third, 60, &c);
    assert_int_equal(a.hash, b.hash);
    assert_int_not_equal(a.hash, c.hash);
    world_destroy(first);
    world_destroy(second);
    world_destroy(third);
    buf_free(&a.buf);
    buf_free(&b.buf);
    buf_free(&c.buf);
}

static void skip_event(void *context, const struct event *event)
{
}

static void listeners_do_not_matter(void **state)
{
    struct world_settings settings = small_settings();
    settings.camera_frames = false;
    struct tally a, b;
    tally_init(&a);
    tally_init(&b);
    struct world *first = make_world(&settings), *second = make_world(&settings);
    struct tally ignored;
    tally_init(&ignored);
    run(first, 30, &ignored);
    for (int i = 0; i < 30; i++)
        world_step(second, i % 2 ? skip_event : NULL, NULL);
    run(first, 30, &a);
    run(second, 30, &b);
    assert_int_equal(a.hash, b.hash);
    world_destroy(first);
    world_destroy(second);
    buf_free(&a.buf);
    buf_free(&b.buf);
    buf_free(&ignored.buf);
}

static void every_field_is_filled(void **state)
{
    struct world_settings settings = small_settings();
    settings.incident_factor = 20;
    settings.demand = 0.2;
    struct tally tally;
    tally_init(&tally);
    struct world *world = make_world(&settings);
    char id[40];
    assert_int_equal(world_inject_incident(world, GEO_M40_NORTH, 80000, "Accident", 1, id, NULL), 0);
    run(world, 90, &tally);
    assert_string_equal(tally.first_vehicle, "veh-0001");
    assert_int_equal(tally.undecodable, 0);
    assert_int_equal(tally.unfit, 0);
    assert_int_equal(tally.invalid_words, 0);
    assert_false(tally.unordered);
    assert_int_equal(tally.counts[EVENT_VEHICLE], 40 * 45);
    assert_int_equal(tally.counts[EVENT_GPS], 40 * 45);
    assert_true(tally.counts[EVENT_EMERGENCY] > 0);
    assert_true(tally.counts[EVENT_WEATHER] >= 11 * 2);

    /* What may be absent, by kind. */
    static const uint64_t may[EVENT_KIND_COUNT] = {
        [EVENT_VEHICLE] = UINT64_C(1) << VEHICLE_FUEL_LEVEL | UINT64_C(1) << VEHICLE_BATTERY_LEVEL |
                          UINT64_C(1) << VEHICLE_FUEL_RATE | UINT64_C(1) << VEHICLE_FAULT_CODE,
        [EVENT_GPS] = UINT64_C(1) << GPS_SPEED | UINT64_C(1) << GPS_DIRECTION | UINT64_C(1) << GPS_LOCATION |
                      UINT64_C(1) << GPS_ALTITUDE | UINT64_C(1) << GPS_HEADING | UINT64_C(1) << GPS_HDOP |
                      UINT64_C(1) << GPS_ACCURACY,
        [EVENT_TRAFFIC] = UINT64_C(1) << TRAFFIC_AVERAGE_VEHICLE_SPEED,
        [EVENT_EMERGENCY] = UINT64_C(1) << EMERGENCY_ACTIVE_AT | UINT64_C(1) << EMERGENCY_RESPONDING_AT |
                            UINT64_C(1) << EMERGENCY_ON_SCENE_AT | UINT64_C(1) << EMERGENCY_CLEARING_AT |
                            UINT64_C(1) << EMERGENCY_RESOLVED_AT,
    };
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        uint64_t all = (UINT64_C(1) << schema_get((enum event_kind)kind)->field_count) - 1;
        assert_int_equal((tally.always[kind] | may[kind]) & all, all);
    }
    world_destroy(world);
    buf_free(&tally.buf);
}

static void controls_take_effect_at_the_next_tick(void **state)
{
    struct world_settings settings = small_settings();
    settings.camera_frames = false;
    struct world *world = make_world(&settings);
    struct world_figures figures;
    world_step(world, NULL, NULL);
    world_set_vehicles(world, 300);
    world_figures(world, &figures);
    assert_int_equal(figures.connected, 40);
    world_step(world, NULL, NULL);
    world_figures(world, &figures);
    assert_int_equal(figures.connected, 300);
    world_set_vehicles(world, 10);
    world_set_demand(world, 0);
    world_step(world, NULL, NULL);
    world_figures(world, &figures);
    assert_int_equal(figures.connected, 10);
    assert_int_equal(figures.background, 0);
    world_set_demand(world, 0.5);
    world_step(world, NULL, NULL);
    world_figures(world, &figures);
    assert_in_range(figures.background, 8000, 16000);
    world_destroy(world);
}

struct weather_seen {
    char word[16];
    double humidity;
};

static void see_weather(void *context, const struct event *event)
{
    struct weather_seen *seen = context;
    if (event->kind != EVENT_WEATHER)
        return;
    memcpy(seen->word, event->weather.weather_condition, sizeof seen->word);
    seen->humidity = event->weather.humidity;
}

static void an_override_reaches_the_stations(void **state)
{
    static const char *const words[] = {"Sunny", "Cloudy",  "Rainy",       "Snowy",
                                        "Fog",   "Drizzle", "Thunderstorm"};
    struct world_settings settings = small_settings();
    settings.camera_frames = false;
    settings.demand = 0;
    struct world *world = make_world(&settings);
    struct err err = ERR_INIT;
    assert_int_equal(world_override_weather(world, "Plague", &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct weather_seen seen = {"", 0};
        assert_int_equal(world_override_weather(world, words[i], &err), 0);
        for (int tick = 0; tick < 70; tick++)
            world_step(world, see_weather, &seen);
        assert_string_equal(seen.word, words[i]);
    }
    struct world_figures figures;
    world_figures(world, &figures);
    assert_string_equal(figures.weather_override, "Thunderstorm");
    world_destroy(world);
}

static void bad_settings_are_refused(void **state)
{
    struct world_settings settings = small_settings();
    struct err err = ERR_INIT;
    settings.vehicles = WORLD_MAX_VEHICLES + 1;
    assert_null(world_create(&settings, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    settings = small_settings();
    settings.demand = NAN;
    assert_null(world_create(&settings, &err));
    settings = small_settings();
    settings.camera_interval = 0;
    assert_null(world_create(&settings, &err));
}

static void one_route_is_only_one_route(void **state)
{
    struct world_settings settings = small_settings();
    settings.routes = WORLD_ROUTES_M1;
    struct world *world = make_world(&settings);
    struct tally tally;
    tally_init(&tally);
    run(world, 45, &tally);
    char id[40];
    struct err err = ERR_INIT;
    assert_int_equal(world_inject_incident(world, GEO_M40_NORTH, 80000, "", 0, id, &err), -1);
    enum geo_route route;
    double x;
    assert_true(world_find_vehicle(world, "veh-0001", &route, &x));
    assert_true(route == GEO_M1_NORTH || route == GEO_M1_SOUTH);
    assert_false(world_find_vehicle(world, "veh-0041", &route, &x));
    assert_false(world_find_vehicle(world, "veh-1", &route, &x));
    assert_int_equal(world_inject_incident(world, GEO_M1_NORTH, 80000, "fire", 9, id, &err), -1);
    assert_int_equal(world_inject_incident(world, GEO_M1_NORTH, 1e9, "fire", 1, id, &err), -1);
    assert_int_equal(world_inject_incident(world, GEO_M1_NORTH, 80000, "flood", 1, id, &err), -1);
    assert_int_equal(world_clear_incident(world, "inc-none", &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    world_destroy(world);
    buf_free(&tally.buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_the_same_bytes),
        cmocka_unit_test(listeners_do_not_matter),
        cmocka_unit_test(every_field_is_filled),
        cmocka_unit_test(controls_take_effect_at_the_next_tick),
        cmocka_unit_test(an_override_reaches_the_stations),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(one_route_is_only_one_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
