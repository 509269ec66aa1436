/* The weather of two years at one station, and what is derived from it. */
#include "sim/sun.h"
#include "sim/weather.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NEW_YEAR INT64_C(1767225600000) /* 2026-01-01 */
#define MONDAY   INT64_C(1768204800000) /* 2026-01-12 08:00 */
#define DAY      INT64_C(86400000)

static void two_years_at_northolt(void **state)
{
    struct weather_model *model = weather_create(2, NEW_YEAR);
    double total = 0, day = 0, hour = 0, january = 0, july = 0;
    int wet_days = 0, wet_hours = 0, januaries = 0, julies = 0, contradictions = 0;
    enum { YEARS = 2, STEPS = YEARS * 365 * 288 };
    for (int i = 0; i < STEPS; i++) {
        int64_t now = NEW_YEAR + (int64_t)i * WEATHER_STEP_MS;
        weather_advance(model, now);
        struct weather weather = weather_at_station(model, 0);
        int month = weather_month(now);
        total += (double)weather.rain / 12;
        day += (double)weather.rain / 12;
        hour += (double)weather.rain / 12;
        if (i % 12 == 11) {
            wet_hours += hour >= 0.2;
            hour = 0;
        }
        if (i % 288 == 287) {
            wet_days += day >= 1;
            day = 0;
        }
        if (month == 0)
            january += (double)weather.temperature, januaries++;
        if (month == 6)
            july += (double)weather.temperature, julies++;
        if (i % 16)
            continue;
        struct weather_report report = weather_derive(&weather, month);
        bool falling = weather.rain >= 0.05F;
        contradictions +=
            weather.dew_point > weather.temperature || report.humidity > 100 || report.humidity < 10;
        contradictions += falling == (report.condition == WEATHER_SUNNY ||
                                      report.condition == WEATHER_CLOUDY || report.condition == WEATHER_FOG);
        contradictions += report.condition == WEATHER_SNOWY && weather.temperature > 3;
        contradictions +=
            report.condition == WEATHER_FOG && (report.humidity < 95 || weather.visibility >= 1000);
        contradictions += weather.gust < weather.wind || weather.wind < 0 || weather.wind_from < 0 ||
                          weather.wind_from >= 360;
        contradictions += weather.pressure < 940 || weather.pressure > 1060 || weather.visibility < 20;
        contradictions += report.daqi < 1 || report.daqi > 10 || report.aqi < 0 || report.aqi > 500;
        contradictions += falling && weather.cloud < 0.5F;
    }
    assert_true(fabs(total / YEARS / 617 - 1) < 0.10);
    assert_in_range(wet_days / YEARS, 100, 125);
    assert_in_range(wet_hours * 1000 / (YEARS * 8760), 60, 90);
    assert_true(fabs(january / januaries - 5.5) < 1.6);
    assert_true(fabs(july / julies - 19) < 1.6);
    assert_int_equal(contradictions, 0);
    weather_destroy(model);
}

static void neighbours_have_similar_weather(void **state)
{
    struct weather_model *model = weather_create(4, NEW_YEAR);
    double near = 0, far = 0, wind_near = 0, wind_far = 0;
    for (int i = 0; i < 90 * 24; i++) {
        weather_advance(model, NEW_YEAR + (int64_t)i * 3600000);
        struct weather benson = weather_at_station(model, 2), kidlington = weather_at_station(model, 3),
                       coventry = weather_at_station(model, 10);
        near += fabs((double)(benson.pressure - kidlington.pressure));
        far += fabs((double)(benson.pressure - coventry.pressure));
        wind_near += fabs((double)(benson.wind - kidlington.wind));
        wind_far += fabs((double)(benson.wind - coventry.wind));
    }
    assert_true(near < far * 0.85);
    assert_true(wind_near < wind_far * 0.85);
    weather_destroy(model);
}

/* What is reported does not depend on how often one asks. */
static void asking_changes_nothing(void **state)
{
    struct weather_model *often = weather_create(3, MONDAY), *seldom = weather_create(3, MONDAY);
    for (int64_t now = MONDAY; now <= MONDAY + 7200000; now += 500)
        weather_advance(often, now);
    weather_advance(seldom, MONDAY + 7200000);
    for (size_t i = 0; i < WEATHER_STATIONS; i++) {
        struct weather a = weather_at_station(often, i), b = weather_at_station(seldom, i);
        assert_memory_equal(&a, &b, sizeof a);
    }
    weather_destroy(often);
    weather_destroy(seldom);
}

static void changes_are_smooth(void **state)
{
    struct weather_model *model = weather_create(3, MONDAY);
    struct weather before = weather_at(model, GEO_M40_NORTH, 80000);
    for (int64_t now = MONDAY; now <= MONDAY + DAY; now += 30000) {
        weather_advance(model, now);
        struct weather weather = weather_at(model, GEO_M40_NORTH, 80000);
        assert_true(fabsf(weather.temperature - before.temperature) < 0.1F);
        assert_true(fabsf(weather.wind - before.wind) < 0.6F);
        before = weather;
    }
    /* Along the road too: no step at a station. */
    for (double x = 0; x < geo_route_length(GEO_M1_NORTH); x += 500) {
        struct weather a = weather_at(model, GEO_M1_NORTH, x), b = weather_at(model, GEO_M1_NORTH, x + 500);
        assert_true(fabsf(a.temperature - b.temperature) < 0.4F);
    }
    weather_destroy(model);
}

static void conditions_are_derived(void **state)
{
    struct weather weather = {.temperature = 8, .dew_point = 7.5F, .rain = 5, .cloud = 1, .visibility = 4000};
    struct weather_report report = weather_derive(&weather, 3);
    assert_string_equal(weather_condition_word(report.condition), "Rainy");
    assert_int_equal(report.wmo_code, 65);
    weather.temperature = -1;
    weather.dew_point = -1.5F;
    assert_string_equal(weather_condition_word(weather_derive(&weather, 0).condition), "Snowy");
    weather.temperature = 1.5F;
    weather.dew_point = 0.8F;
    assert_string_equal(weather_condition_word(weather_derive(&weather, 0).condition), "Sleet");
    weather.rain = 0.1F;
    weather.temperature = 9;
    weather.dew_point = 8.8F;
    assert_string_equal(weather_condition_word(weather_derive(&weather, 0).condition), "Drizzle");
    weather.rain = 9;
    assert_string_equal(weather_condition_word(weather_derive(&weather, 6).condition), "Thunderstorm");
    weather.rain = 0;
    weather.visibility = 300;
    assert_string_equal(weather_condition_word(weather_derive(&weather, 6).condition), "Fog");
    weather.visibility = 20000;
    weather.cloud = 0.1F;
    weather.pm25 = 9;
    report = weather_derive(&weather, 6);
    assert_string_equal(weather_condition_word(report.condition), "Sunny");
    assert_int_equal(report.wmo_code, 0);
    assert_float_equal(report.aqi, 50, 0.01);
    assert_int_equal(report.daqi, 1);
    assert_string_equal(report.surface, "dry");
    weather.wetness = 1;
    assert_string_equal(weather_derive(&weather, 6).surface, "wet");
    weather.temperature = -2;
    assert_string_equal(weather_derive(&weather, 0).surface, "icy");
}

static void rain_slows_the_traffic(void **state)
{
    struct weather weather = {.temperature = 10, .dew_point = 9, .visibility = 9000};
    float capacity, speed, before = 1.01F;
    static const float rates[] = {0, 1, 4, 9};
    static const float capacities[] = {1, .98F, .93F, .86F};
    for (int i = 0; i < 4; i++) {
        weather.rain = rates[i];
        weather_effect(&weather, &capacity, &speed);
        assert_float_equal(capacity, capacities[i], 1e-6);
        assert_true(speed < before);
        before = speed;
    }
    assert_float_equal(weather_risk(&weather), 1.5F, 1e-6);
    weather.temperature = weather.dew_point = -2;
    assert_float_equal(weather_risk(&weather), 3, 1e-6);
}

static void the_sun_stands_where_it_should(void **state)
{
    /* London: noon of the winter and summer solstice of 2026, and sunrise on 12 January at 08:02. */
    assert_true(fabs(sun_elevation(INT64_C(1797854400000), 51.5, 0) - 15.1) < 0.4);
    assert_true(fabs(sun_elevation(INT64_C(1782043200000), 51.5, 0) - 61.9) < 0.4);
    assert_true(fabs(sun_elevation(MONDAY + 120000, 51.5, -0.12) - -0.8) < 0.4);
    assert_true(fabs(sun_azimuth(INT64_C(1797854400000), 51.5, 0) - 180) < 2);
    double morning = sun_azimuth(MONDAY + 120000, 51.5, -0.12);
    assert_true(morning > 120 && morning < 132);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_years_at_northolt),          cmocka_unit_test(neighbours_have_similar_weather),
        cmocka_unit_test(asking_changes_nothing),         cmocka_unit_test(changes_are_smooth),
        cmocka_unit_test(conditions_are_derived),         cmocka_unit_test(rain_slows_the_traffic),
        cmocka_unit_test(the_sun_stands_where_it_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
