#include "sim/camera.h"

#include "base/text.h"
#include "city/schema.h"
#include "sim/connected.h"
#include "sim/noise.h"
#include "sim/picture.h"
#include "sim/sun.h"

#include <ctype.h>
#include <math.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPACING       2600.0 /* m between cameras where no junction is near */
#define JUNCTION_NEAR 900.0  /* m: no other camera this close to a junction's */
#define SAME_PLACE    350.0  /* m: routes that share a road share its cameras */
#define SIGHT         260.0  /* m in which vehicles are counted */
#define WINDOW_S      300U   /* flow is a mean of five minutes */
#define WINDOW        16U
#define CAPTION_PLACE 28 /* characters that fit */
#define TRUSTED_S     90 /* s of counting before the counts are believed */

struct sample {
    float count, speed, covered, seconds;
};

struct camera {
    char id[24];
    enum geo_route route, other;
    double x, other_x;
    bool has_other;
    int32_t detector;
    double latitude, longitude, heading;
    float curvature, slope;
    uint64_t phase; /* tick of its first report */
    uint64_t last;
    uint32_t number;
    size_t samples; /* ever */
    struct sample window[WINDOW];
    char place[48]; /* for the picture */
};

struct cameras {
    uint64_t seed;
    struct road *const *roads;
    struct traffic *traffic;
    uint64_t interval; /* ticks */
    size_t count;
    struct camera list[CAMERAS];
    struct picture *picture;
    struct picture_scene scene;
    struct event event;
};

/* ---- where they stand ------------------------------------------------------------------------------- */

/* "cam-m40-j9-n", "cam-m40-62.9-s". */
static void name_camera(struct camera *camera, const struct geo_junction *junction)
{
    char road[12] = "", marker[GEO_MARKER_SIZE];
    const char *name = geo_route_section_at(camera->route, camera->x)->road;
    size_t length = 0;
    for (; *name && *name != '/' && length + 1 < sizeof road; name++)
        if (isalnum((unsigned char)*name))
            road[length++] = (char)tolower((unsigned char)*name);
    char side = camera->route == GEO_M40_NORTH || camera->route == GEO_M1_NORTH ? 'n' : 's';
    if (junction) {
        char shortname[8] = "";
        for (size_t i = 0; junction->shortname[i] && i + 1 < sizeof shortname; i++)
            shortname[i] = (char)tolower((unsigned char)junction->shortname[i]);
        snprintf(camera->id, sizeof camera->id, "cam-%.6s-%.6s-%c", road, shortname, side);
        return;
    }
    geo_marker(camera->route, camera->x, marker);
    char *km = strrchr(marker, ' ');
    for (char *at = km; *at; at++)
        if (*at == '/')
            *at = '.';
    snprintf(camera->id, sizeof camera->id, "cam-%.6s-%.7s-%c", road, km + 1, side);
}

static void add_camera(struct cameras *cameras, enum geo_route route, double x,
                       const struct geo_junction *junction)
{
    static const enum geo_route opposites[GEO_ROUTES] = {GEO_M40_SOUTH, GEO_M40_NORTH, GEO_M1_SOUTH,
                                                         GEO_M1_NORTH};
    if (cameras->count == CAMERAS || !cameras->roads[route])
        return;
    struct camera *camera = &cameras->list[cameras->count];
    *camera = (struct camera){.route = route, .other = opposites[route], .number = (uint32_t)cameras->count};
    struct geo_position at = geo_route_position(route, x);
    for (size_t i = 0; i < cameras->count; i++)
        if (cameras->list[i].route / 2 != route / 2 &&
            geo_distance(at.latitude, at.longitude, cameras->list[i].latitude, cameras->list[i].longitude) <
                SAME_PLACE)
            return;
    camera->detector = traffic_add_detector(cameras->traffic, route, x);
    camera->x = traffic_detector(cameras->traffic, camera->detector)->x;
    at = geo_route_position(route, camera->x);
    int lanes = geo_route_section_at(route, camera->x)->lanes;
    double distance;
    camera->other_x = geo_route_nearest(camera->other, at.latitude, at.longitude, &distance);
    camera->has_other = cameras->roads[camera->other] && distance < 70;
    struct geo_position mast = geo_offset(at, -(lanes * 3.65 / 2 + 5));
    struct geo_position ahead = geo_route_position(route, camera->x + 300);
    double turn = remainder(ahead.heading - geo_route_position(route, camera->x + 40).heading, 360);
    camera->curvature = (float)(turn * 3.14159265358979 / 180 / 260);
    camera->slope = (road_altitude(cameras->roads[route], camera->x + 400) -
                     road_altitude(cameras->roads[route], camera->x)) /
                    400;
    camera->latitude = mast.latitude;
    camera->longitude = mast.longitude;
    camera->heading = at.heading;
    name_camera(camera, junction);
    for (size_t i = 0; i < cameras->count; i++)
        if (strcmp(cameras->list[i].id, camera->id) == 0)
            return; /* two within 100 m: one is enough */

    char marker[GEO_MARKER_SIZE], between[GEO_BETWEEN_SIZE];
    geo_marker(route, camera->x, marker);
    geo_between(route, camera->x, between);
    char *dash = strstr(between, "–"); /* captions are ASCII */
    if (dash)
        memmove(dash + 1, dash + strlen("–"), strlen(dash + strlen("–")) + 1), *dash = '-';
    snprintf(camera->place, sizeof camera->place, "%s  %.20s", marker, between);
    cameras->count++;
}

/* Along the northbound route; the camera looks north or, every other time, south. */
static void place_along(struct cameras *cameras, enum geo_route north)
{
    enum geo_route south = (enum geo_route)(north + 1);
    const struct geo_junction *junctions;
    size_t count = geo_route_junctions(north, &junctions);
    double length = geo_route_length(north), at = 1300;
    size_t next = 0;
    for (unsigned turn = 0; at < length - 500; turn++) {
        while (next < count && junctions[next].chainage < at - JUNCTION_NEAR)
            next++;
        const struct geo_junction *junction = NULL;
        double x = at;
        if (next < count && junctions[next].chainage < at + JUNCTION_NEAR) {
            junction = &junctions[next++];
            x = junction->chainage;
        }
        if (turn % 2 == 0) {
            add_camera(cameras, north, x, junction);
        } else {
            struct geo_position position = geo_route_position(north, x);
            add_camera(cameras, south, geo_route_nearest(south, position.latitude, position.longitude, NULL),
                       junction);
        }
        double follow = x + SPACING;
        /* Not a few hundred metres before the next junction: at it. */
        if (next < count && junctions[next].chainage < follow + JUNCTION_NEAR)
            follow = fmax(junctions[next].chainage, x + JUNCTION_NEAR);
        at = follow;
    }
}

static void set_phases(struct cameras *cameras)
{
    size_t order[CAMERAS];
    double distance[CAMERAS];
    enum geo_route first = cameras->roads[GEO_M40_NORTH] ? GEO_M40_NORTH : GEO_M1_NORTH;
    struct geo_position cluster = geo_route_position(first, connected_cluster(first));
    for (size_t i = 0; i < cameras->count; i++) {
        distance[i] = geo_distance(cluster.latitude, cluster.longitude, cameras->list[i].latitude,
                                   cameras->list[i].longitude);
        size_t at = i;
        for (; at > 0 && distance[order[at - 1]] > distance[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (size_t rank = 0; rank < cameras->count; rank++)
        cameras->list[order[rank]].phase = 1 + rank * cameras->interval / cameras->count;
}

struct cameras *cameras_create(uint64_t seed, struct road *const roads[GEO_ROUTES], struct traffic *traffic,
                               uint32_t interval)
{
    struct cameras *cameras = mem_zero(1, sizeof *cameras);
    cameras->seed = seed;
    cameras->roads = roads;
    cameras->traffic = traffic;
    cameras->interval = (uint64_t)interval * 2;
    if (roads[GEO_M40_NORTH])
        place_along(cameras, GEO_M40_NORTH);
    if (roads[GEO_M1_NORTH])
        place_along(cameras, GEO_M1_NORTH);
    set_phases(cameras);
    return cameras;
}

void cameras_destroy(struct cameras *cameras)
{
    if (!cameras)
        return;
    picture_destroy(cameras->picture);
    free(cameras);
}

size_t cameras_count(const struct cameras *cameras)
{
    return cameras->count;
}

struct camera_site cameras_site(const struct cameras *cameras, size_t index)
{
    const struct camera *camera = &cameras->list[index];
    struct camera_site site = {
        .route = camera->route, .x = camera->x, .latitude = camera->latitude, .longitude = camera->longitude};
    text_copy(site.id, sizeof site.id, camera->id);
    return site;
}

/* ---- what passes ------------------------------------------------------------------------------------ */

struct sight {
    struct event_counts counts;
    float total, speed; /* vehicles in sight, sum of their m/s */
};

static struct sight look(const struct cameras *cameras, const struct camera *camera)
{
    struct sight sight = {0};
    const struct traffic_vehicle *seen[128];
    for (int lane = 0; lane < TRAFFIC_LANES; lane++) {
        size_t count =
            traffic_look(cameras->traffic, camera->route, lane, camera->x, camera->x + SIGHT, seen, 128);
        for (size_t i = 0; i < count; i++) {
            sight.counts.by_class[seen[i]->class]++;
            sight.speed += seen[i]->v;
            sight.total++;
        }
    }
    return sight;
}

static void measure(struct cameras *cameras, struct camera *camera, uint64_t tick, const struct sight *sight,
                    struct event *event)
{
    struct traffic_detector *detector = traffic_detector(cameras->traffic, camera->detector);
    struct sample *sample = &camera->window[camera->samples++ % WINDOW];
    *sample = (struct sample){.speed = detector->speed_sum,
                              .covered = detector->covered,
                              .seconds = (float)(tick - camera->last) * TRAFFIC_DT};
    for (int class = 0; class < EVENT_COUNT_CLASSES; class ++) {
        sample->count += (float)detector->count[class];
        detector->count[class] = 0;
    }
    detector->speed_sum = detector->covered = 0;
    camera->last = tick;

    struct sample sum = {0};
    for (size_t back = 0; back < WINDOW && back < camera->samples && sum.seconds < WINDOW_S; back++) {
        const struct sample *one = &camera->window[(camera->samples - 1 - back) % WINDOW];
        sum.count += one->count;
        sum.speed += one->speed;
        sum.covered += one->covered;
        sum.seconds += one->seconds;
    }
    const struct geo_section *section = geo_route_section_at(camera->route, camera->x);
    struct event_traffic *data = &event->traffic;
    float mean = sum.count > 0 ? sum.speed / sum.count : sight->total > 0 ? sight->speed / sight->total : -1;
    if (sum.seconds >= TRUSTED_S) {
        data->intensity = (double)(sum.count * 3600 / sum.seconds);
        data->occupancy = (double)(sum.covered / (sum.seconds * section->lanes));
    } else { /* density times speed, until enough has been counted */
        data->intensity = (double)sight->speed / SIGHT * 3600;
        float length = 0;
        for (int class = 0; class < EVENT_COUNT_CLASSES; class ++)
            length += (float)sight->counts.by_class[class] * (traffic_class_length(class) + 2);
        data->occupancy = (double)length / (SIGHT * section->lanes);
    }
    data->occupancy = fmin(data->occupancy, 1);
    if (mean >= 0)
        data->average_vehicle_speed = (double)mean * 3.6;
    else
        event->present &= ~(UINT64_C(1) << TRAFFIC_AVERAGE_VEHICLE_SPEED);
    data->congested =
        mean >= 0 && mean < 0.55F * (float)section->limit_mph * 0.44704F && data->occupancy > 0.12;
    data->vehicle_counts = sight->counts;
}

/* ---- the picture ------------------------------------------------------------------------------------ */

static void add_to_scene(struct picture_scene *scene, const struct traffic_vehicle *vehicle, double distance,
                         double side, bool towards)
{
    if (scene->vehicle_count == PICTURE_VEHICLES)
        return;
    scene->vehicles[scene->vehicle_count++] = (struct picture_vehicle){
        .distance = (float)distance,
        .side = (float)side,
        .class = vehicle->class,
        .towards = towards,
        .braking = vehicle->a < -0.6F || vehicle->v < 0.5F,
        .look = vehicle->serial * 2654435761U,
    };
}

static void see_vehicles(struct cameras *cameras, const struct camera *camera)
{
    struct picture_scene *scene = &cameras->scene;
    const struct traffic_vehicle *seen[64];
    for (int lane = 0; lane < TRAFFIC_LANES; lane++) {
        size_t count = traffic_look(cameras->traffic, camera->route, lane, camera->x + 10,
                                    camera->x + (double)PICTURE_REACH, seen, 64);
        for (size_t i = 0; i < count; i++)
            add_to_scene(scene, seen[i],
                         seen[i]->x - (double)traffic_class_length(seen[i]->class) - camera->x,
                         road_lane_offset(seen[i]->lane, scene->lanes), false);
    }
    if (!camera->has_other)
        return;
    double apart = (scene->lanes + scene->other_lanes) * 3.65 / 2 + 5; /* with the central reservation */
    for (int lane = 0; lane < TRAFFIC_LANES; lane++) {
        size_t count = traffic_look(cameras->traffic, camera->other, lane,
                                    camera->other_x - (double)PICTURE_REACH, camera->other_x - 10, seen, 64);
        for (size_t i = 0; i < count; i++)
            add_to_scene(scene, seen[i], camera->other_x - seen[i]->x,
                         apart - road_lane_offset(seen[i]->lane, scene->other_lanes), true);
    }
}

static void see_incident(struct cameras *cameras, const struct camera *camera,
                         const struct incidents *incidents)
{
    const struct incident *list;
    size_t count = incidents_list(incidents, &list);
    for (size_t i = 0; i < count; i++) {
        double distance = list[i].x - camera->x;
        if (list[i].route != camera->route || distance < 15 || distance > (double)PICTURE_REACH ||
            list[i].status == INCIDENT_RESOLVED)
            continue;
        cameras->scene.incident = (struct picture_incident){
            .shown = true,
            .attended = list[i].status >= INCIDENT_ON_SCENE,
            .fire = list[i].type == INCIDENT_FIRE && list[i].status <= INCIDENT_ON_SCENE,
            .distance = (float)distance,
            .closed = list[i].closed,
        };
        return;
    }
}

static void take_picture(struct cameras *cameras, const struct camera *camera, uint64_t tick, int64_t now,
                         const struct weather_model *weather, const struct incidents *incidents,
                         struct event *event)
{
    struct picture_scene *scene = &cameras->scene;
    const struct geo_section *section = geo_route_section_at(camera->route, camera->x);
    struct weather at = weather_at(weather, camera->route, camera->x);
    struct weather_report report = weather_derive(&at, weather_month(now));
    char time[TEXT_TIME_SIZE];
    memset(scene, 0, offsetof(struct picture_scene, vehicles));
    scene->seed = cameras->seed;
    scene->camera = camera->number;
    scene->tick = tick;
    scene->lanes = section->lanes;
    scene->other_lanes = camera->has_other ? geo_route_section_at(camera->other, camera->other_x)->lanes : 0;
    scene->town = section->kind == GEO_SECTION_URBAN;
    scene->curvature = camera->curvature;
    scene->slope = camera->slope;
    scene->sun = (float)sun_elevation(now, camera->latitude, camera->longitude);
    scene->sun_side =
        (float)remainder(sun_azimuth(now, camera->latitude, camera->longitude) - camera->heading, 360);
    scene->cloud = at.cloud;
    scene->rain = at.rain;
    scene->visibility = at.visibility;
    scene->wetness = at.wetness;
    scene->snow = at.snow;
    scene->snowing = report.condition == WEATHER_SNOWY || report.condition == WEATHER_SLEET;
    text_copy(scene->caption[0], sizeof scene->caption[0], camera->id);
    text_copy(scene->caption[1], CAPTION_PLACE, camera->place); /* the time stands beside it */
    text_time(time, now);
    snprintf(scene->caption[2], sizeof scene->caption[2], "%.10s %.8s UTC", time, time + 11);
    see_vehicles(cameras, camera);
    see_incident(cameras, camera, incidents);

    if (!cameras->picture)
        cameras->picture = picture_create();
    struct event_traffic *data = &event->traffic;
    size_t length;
    const unsigned char *bytes = picture_draw(cameras->picture, scene, &length);
    if (!bytes)
        return;
    data->snapshot = (struct event_blob){(const char *)bytes, length};
    text_copy(data->content_type, sizeof data->content_type, "image/jpeg");
    data->width = PICTURE_WIDTH;
    data->height = PICTURE_HEIGHT;
    snprintf(data->snapshot_ref, sizeof data->snapshot_ref, "snapshots/%s/%.10s/%.2s%.2s%.2s.jpg", camera->id,
             time, time + 11, time + 14, time + 17);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(bytes, length, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(data->snapshot_hash + 2 * i, 3, "%02x", digest[i]);
    event->present |= UINT64_C(1) << TRAFFIC_SNAPSHOT | UINT64_C(1) << TRAFFIC_CONTENT_TYPE |
                      UINT64_C(1) << TRAFFIC_WIDTH | UINT64_C(1) << TRAFFIC_HEIGHT |
                      UINT64_C(1) << TRAFFIC_SNAPSHOT_REF | UINT64_C(1) << TRAFFIC_SNAPSHOT_HASH;
}

static void report(struct cameras *cameras, struct camera *camera, uint64_t tick, int64_t now, bool frames,
                   const struct weather_model *weather, const struct incidents *incidents)
{
    struct event *event = &cameras->event;
    struct event_traffic *data = &event->traffic;
    const struct geo_section *section = geo_route_section_at(camera->route, camera->x);
    struct rng_key key = {cameras->seed, camera->number, tick, NOISE_CAMERA_ID};
    memset(event, 0, sizeof *event);
    event->kind = EVENT_TRAFFIC;
    event->present = ((UINT64_C(1) << TRAFFIC_FIELDS) - 1) &
                     ~(UINT64_C(1) << TRAFFIC_SNAPSHOT | UINT64_C(1) << TRAFFIC_CONTENT_TYPE |
                       UINT64_C(1) << TRAFFIC_WIDTH | UINT64_C(1) << TRAFFIC_HEIGHT |
                       UINT64_C(1) << TRAFFIC_SNAPSHOT_REF | UINT64_C(1) << TRAFFIC_SNAPSHOT_HASH);
    event->timestamp = now;
    rng_uuid(&key, event->id);
    text_copy(event->device_id, sizeof event->device_id, camera->id);
    text_copy(data->camera_id, sizeof data->camera_id, camera->id);
    data->location = (struct event_location){camera->latitude, camera->longitude};
    text_copy(data->road, sizeof data->road, section->road);
    data->carriageway[0] = section->carriageway;
    geo_marker(camera->route, camera->x, data->marker);
    struct sight sight = look(cameras, camera);
    measure(cameras, camera, tick, &sight, event);
    if (frames)
        take_picture(cameras, camera, tick, now, weather, incidents, event);
}

void cameras_emit(struct cameras *cameras, uint64_t tick, int64_t now, bool frames,
                  const struct weather_model *weather, const struct incidents *incidents,
                  camera_emit_fn *emit, void *context)
{
    for (size_t i = 0; i < cameras->count; i++) {
        struct camera *camera = &cameras->list[i];
        if (tick < camera->phase || (tick - camera->phase) % cameras->interval != 0)
            continue;
        report(cameras, camera, tick, now, frames, weather, incidents);
        emit(context, &cameras->event);
    }
}
