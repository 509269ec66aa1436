/*
 * What the session's commands do. Each handler checks its words, acts or asks the thread that owns the thing,
 * and leaves a line for the operator; what a thread does later it writes to the log itself.
 */
#include "app/commands_session.h"

#include "app/session_private.h"
#include "base/file.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *argument(const struct command_call *call, size_t index)
{
    return index < call->argument_count ? call->arguments[index] : "";
}

/* The words from `index` on, joined again: names with spaces need no quotes. */
static const char *arguments_from(const struct command_call *call, size_t index, char *out, size_t size)
{
    out[0] = 0;
    for (size_t i = index, used = 0; i < call->argument_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > index ? " " : "", call->arguments[i]);
    return out;
}

static int usage(const struct command_call *call, struct command_reply *reply)
{
    return err_set(&reply->err, ERR_USAGE, "usage: %s %s", call->command->name,
                   call->command->arguments ? call->command->arguments : "");
}

static struct simulator_request request_new(const struct command_call *call, enum simulator_order order,
                                            double number)
{
    struct simulator_request request = {.order = order, .number = number, .route = -1};
    text_copy(request.source, sizeof request.source, call->source);
    command_format(call, request.equivalent, sizeof request.equivalent);
    return request;
}

static int simulation_ask(struct session *session, struct simulator_request *request,
                          struct command_reply *reply)
{
    if (!session->simulator)
        return err_set(&reply->err, ERR_USAGE,
                       session->playback ? "a journey is playing: there is no simulation to control; "
                                           "`live` goes back when there is one"
                                         : "nothing is simulated here: this console only watches");
    if (!simulator_ask(session->simulator, request))
        return err_set(&reply->err, ERR_BUSY,
                       "the simulation has 64 orders waiting; it is held back by Kafka");
    return 0;
}

static int simulation_number(struct session *session, const struct command_call *call,
                             struct command_reply *reply, enum simulator_order order, double min, double max,
                             const char *what)
{
    double value;
    if (call->argument_count != 1 || !text_parse_double(argument(call, 0), min, max, &value))
        return err_set(&reply->err, ERR_USAGE, "%s: %s from %g to %g", call->command->name, what, min, max);
    struct simulator_request request = request_new(call, order, value);
    return simulation_ask(session, &request, reply);
}

/* ---- time ------------------------------------------------------------------------------------------- */

int commands_pause(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const char *word = argument(call, 0);
    double number = !*word ? -1 : text_equal_fold(word, "on") ? 1 : text_equal_fold(word, "off") ? 0 : NAN;
    if (isnan(number))
        return usage(call, reply);
    if (session->playback) {
        playback_ask(session->playback, PLAYBACK_PAUSE, number);
        return 0;
    }
    struct simulator_request request = request_new(call, SIMULATOR_PAUSE, number);
    return simulation_ask(session, &request, reply);
}

int commands_step(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    int64_t count = 1;
    if (call->argument_count > 1 ||
        (call->argument_count == 1 && !text_parse_int(argument(call, 0), 1, 3600, &count)))
        return usage(call, reply);
    if (session->playback) {
        playback_ask(session->playback, PLAYBACK_STEP, (double)count);
        return 0;
    }
    struct simulator_request request = request_new(call, SIMULATOR_STEP, (double)count);
    return simulation_ask(session, &request, reply);
}

static const double SPEEDS[] = {0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 2400, 3600};

/* The next step of the ladder above or below. */
static double speed_beside(double speed, bool faster)
{
    size_t count = sizeof SPEEDS / sizeof *SPEEDS;
    if (speed <= 0) /* as fast as possible */
        return faster ? 0 : SPEEDS[count - 1];
    for (size_t i = 0; faster && i < count; i++)
        if (SPEEDS[i] > speed * 1.001)
            return SPEEDS[i];
    for (size_t i = count; !faster && i > 0; i--)
        if (SPEEDS[i - 1] < speed * 0.999)
            return SPEEDS[i - 1];
    return faster ? SPEEDS[count - 1] : SPEEDS[0];
}

int commands_speed(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const char *word = argument(call, 0);
    char plain[32];
    double speed, now = session->playback ? session->view.replay.speed : session->view.sim.speed;
    double max = session->playback ? PLAYER_SPEED_MAX : SIMULATOR_SPEED_MAX;
    text_copy(plain, sizeof plain, word);
    size_t length = strlen(plain);
    if (length > 1 && (plain[length - 1] == 'x' || plain[length - 1] == 'X'))
        plain[length - 1] = 0;
    if (text_equal_fold(word, "faster") || text_equal_fold(word, "slower"))
        speed = speed_beside(now, text_equal_fold(word, "faster"));
    else if (text_equal_fold(word, "max"))
        speed = 0;
    else if (!text_parse_double(plain, SIMULATOR_SPEED_MIN, max, &speed))
        return err_set(&reply->err, ERR_USAGE, "speed: 0.1 to %g, max, faster or slower", max);
    if (speed > max)
        speed = max;
    if (session->playback) {
        playback_ask(session->playback, PLAYBACK_SPEED, speed);
        session->view.replay.speed = speed; /* so that two quick presses are two steps */
        return 0;
    }
    struct simulator_request request = request_new(call, SIMULATOR_SPEED, speed);
    session->view.sim.speed = speed;
    return simulation_ask(session, &request, reply);
}

int commands_seek(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const char *word = argument(call, 0);
    int64_t time;
    if (!session->playback)
        return err_set(&reply->err, ERR_USAGE, "seek: no journey is playing; `replay NAME` plays one");
    if (text_equal_fold(word, "start"))
        return playback_ask(session->playback, PLAYBACK_SEEK, 0) ? 0 : -1;
    if (text_equal_fold(word, "end"))
        return playback_ask(session->playback, PLAYBACK_SEEK, (double)session->view.replay.length_us) ? 0
                                                                                                      : -1;
    bool relative = word[0] == '+' || word[0] == '-';
    if (!text_parse_duration(word + relative, &time))
        return err_set(&reply->err, ERR_USAGE, "seek: 00:14:30, 90s, +5s, -5s, start or end");
    playback_ask(session->playback, relative ? PLAYBACK_SKIP : PLAYBACK_SEEK,
                 word[0] == '-' ? -(double)time : (double)time);
    return 0;
}

/* ---- the world -------------------------------------------------------------------------------------- */

int commands_vehicles(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    return simulation_number(session, call, reply, SIMULATOR_VEHICLES, 1, WORLD_MAX_VEHICLES, "a number");
}

int commands_demand(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    return simulation_number(session, call, reply, SIMULATOR_DEMAND, 0, 1, "a share");
}

int commands_gps(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    return simulation_number(session, call, reply, SIMULATOR_GPS, 0, 100, "a factor");
}

int commands_frames(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    bool on = text_equal_fold(argument(call, 0), "on");
    if (!on && !text_equal_fold(argument(call, 0), "off"))
        return usage(call, reply);
    struct simulator_request request = request_new(call, SIMULATOR_FRAMES, on);
    return simulation_ask(session, &request, reply);
}

int commands_weather(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    if (call->argument_count != 1)
        return usage(call, reply);
    struct simulator_request request = request_new(call, SIMULATOR_WEATHER, 0);
    if (!text_equal_fold(argument(call, 0), "off") && !text_equal_fold(argument(call, 0), "auto")) {
        text_copy(request.text, sizeof request.text, argument(call, 0));
        if (request.text[0] >= 'a' && request.text[0] <= 'z')
            request.text[0] = (char)(request.text[0] - 'a' + 'A');
    }
    return simulation_ask(session, &request, reply);
}

int commands_reset(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    int64_t seed = -1;
    if (call->argument_count > 1 ||
        (call->argument_count == 1 && !text_parse_int(argument(call, 0), 0, INT64_C(1) << 53, &seed)))
        return usage(call, reply);
    struct simulator_request request = request_new(call, SIMULATOR_RESET, (double)seed);
    return simulation_ask(session, &request, reply);
}

int commands_breakdown(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    struct simulator_request request = request_new(call, SIMULATOR_BREAKDOWN, 0);
    if (call->argument_count > 1)
        return usage(call, reply);
    text_copy(request.device_id, sizeof request.device_id,
              call->argument_count ? argument(call, 0) : session->view.city->followed.vehicle.device_id);
    if (!request.device_id[0])
        return err_set(&reply->err, ERR_USAGE, "breakdown: no vehicle is followed; name one, as veh-0012");
    return simulation_ask(session, &request, reply);
}

/* "incident", "incident fire", "incident accident M40 J9 2": type, place (else ahead of the followed
 * vehicle), lanes. */
int commands_incident(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    struct simulator_request request = request_new(call, SIMULATOR_INCIDENT, 0);
    size_t first = 0, last = call->argument_count;
    char place_name[96];
    for (size_t i = 0; call->argument_count > 0 && i < COMMANDS_INCIDENT_TYPES; i++) {
        if (text_equal_fold(argument(call, 0), commands_incident_types[i])) {
            text_copy(request.text, sizeof request.text, commands_incident_types[i]);
            first = 1;
        }
    }
    int64_t lanes = 0;
    if (last > first && text_parse_int(argument(call, last - 1), 1, 6, &lanes)) {
        request.number = (double)lanes;
        last--;
    }
    if (last > first) {
        struct command_call words = *call;
        words.argument_count = last;
        arguments_from(&words, first, place_name, sizeof place_name);
        const struct geo_place *place = geo_find_place(place_name);
        if (!place)
            return err_set(&reply->err, ERR_USAGE,
                           "incident: no place '%s'; a junction as M40 J9, or a town; types are accident, "
                           "breakdown, debris, fire, medical, police",
                           place_name);
        double latitude, longitude, nearest = 5000;
        geo_unproject(place->at, &latitude, &longitude);
        for (int route = 0; route < GEO_ROUTES; route++) {
            double distance,
                chainage = geo_route_nearest((enum geo_route)route, latitude, longitude, &distance);
            if (distance < nearest) {
                nearest = distance;
                request.route = route;
                request.chainage = chainage;
            }
        }
        if (request.route < 0)
            return err_set(&reply->err, ERR_USAGE, "incident: %s is not on either route", place->name);
    } else {
        text_copy(request.device_id, sizeof request.device_id,
                  session->view.city->followed.vehicle.device_id);
    }
    return simulation_ask(session, &request, reply);
}

int commands_clear(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const struct city_snapshot *city = session->view.city;
    const char *wanted = argument(call, 0);
    size_t cleared = 0;
    if (call->argument_count != 1)
        return usage(call, reply);
    for (size_t i = 0; i < city->incident_count; i++) {
        const struct city_incident *incident = &city->incidents[i];
        if (!incident->open || (!text_equal_fold(wanted, "all") &&
                                !text_prefix_fold(incident->event.emergency.incident_id, wanted)))
            continue;
        struct simulator_request request = request_new(call, SIMULATOR_CLEAR, 0);
        text_copy(request.text, sizeof request.text, incident->event.emergency.incident_id);
        if (simulation_ask(session, &request, reply) < 0)
            return -1;
        cleared++;
    }
    if (cleared == 0)
        return err_set(&reply->err, ERR_NOT_FOUND,
                       "clear: no open incident '%.40s'; the start of its id, or all", wanted);
    return 0;
}

/* ---- what is looked at ------------------------------------------------------------------------------ */

/* Steps through a list by the words next and previous, or takes a name; index -1: none. */
static long chosen_index(const char *word, size_t count, long current, bool *named)
{
    *named = false;
    if (count == 0)
        return -1;
    if (text_equal_fold(word, "next"))
        return (current + 1) % (long)count;
    if (text_equal_fold(word, "previous"))
        return (current + (long)count - 1) % (long)count;
    *named = true;
    return -1;
}

int commands_follow(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const struct city_snapshot *city = session->view.city;
    struct feed *feed = session_feed(session);
    struct model_focus focus;
    bool named;
    if (call->argument_count != 1)
        return usage(call, reply);
    feed_focus(feed, &focus);
    long current = city->followed.known ? (long)city->followed.index : -1;
    long index = chosen_index(argument(call, 0), city->vehicle_count, current, &named);
    for (size_t i = 0; named && index < 0 && i < city->vehicle_count; i++)
        if (text_equal_fold(city->vehicles[i].device_id, argument(call, 0)))
            index = (long)i;
    for (size_t i = 0; named && index < 0 && i < city->vehicle_count; i++)
        if (text_find_fold(city->vehicles[i].device_id, argument(call, 0)))
            index = (long)i;
    if (index < 0)
        return err_set(&reply->err, ERR_NOT_FOUND, "follow: no vehicle '%.40s' was seen", argument(call, 0));
    text_copy(focus.device_id, sizeof focus.device_id, city->vehicles[index].device_id);
    focus.camera_id[0] = 0; /* the camera goes with the vehicle again */
    feed_set_focus(feed, &focus);
    snprintf(reply->text, sizeof reply->text, "following %s", focus.device_id);
    return 0;
}

int commands_camera(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const struct city_snapshot *city = session->view.city;
    struct feed *feed = session_feed(session);
    struct model_focus focus;
    bool named;
    if (call->argument_count != 1)
        return usage(call, reply);
    feed_focus(feed, &focus);
    if (text_equal_fold(argument(call, 0), "auto")) {
        focus.camera_id[0] = 0;
        feed_set_focus(feed, &focus);
        snprintf(reply->text, sizeof reply->text, "the camera nearest to the followed vehicle");
        return 0;
    }
    long current = -1;
    for (size_t i = 0; i < city->camera_count; i++)
        if (city->image.known && strcmp(city->cameras[i].camera_id, city->image.event.traffic.camera_id) == 0)
            current = (long)i;
    long index = chosen_index(argument(call, 0), city->camera_count, current, &named);
    for (size_t i = 0; named && index < 0 && i < city->camera_count; i++)
        if (text_find_fold(city->cameras[i].camera_id, argument(call, 0)))
            index = (long)i;
    if (index < 0)
        return err_set(&reply->err, ERR_NOT_FOUND, "camera: none called '%.40s' was seen", argument(call, 0));
    text_copy(focus.camera_id, sizeof focus.camera_id, city->cameras[index].camera_id);
    feed_set_focus(feed, &focus);
    snprintf(reply->text, sizeof reply->text, "camera %s", focus.camera_id);
    return 0;
}

int commands_tail(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    struct tail *tail = feed_tail(session_feed(session));
    const char *what = argument(call, 0);
    char filter[96];
    int64_t sequence;
    if (text_equal_fold(what, "filter")) {
        tail_set_filter(tail, arguments_from(call, 1, filter, sizeof filter));
        return 0;
    }
    if (text_equal_fold(what, "freeze") || text_equal_fold(what, "follow")) {
        tail_freeze(tail, text_equal_fold(what, "freeze"));
        return 0;
    }
    if (text_equal_fold(what, "open") && text_parse_int(argument(call, 1), 1, INT64_MAX, &sequence)) {
        tail_open(tail, (uint64_t)sequence);
        return 0;
    }
    if (text_equal_fold(what, "close")) {
        tail_open(tail, 0);
        return 0;
    }
    return usage(call, reply);
}

/* ---- journeys --------------------------------------------------------------------------------------- */

/* As the folder is now: what the view shows may be seconds old, and without a screen nobody looks. */
static int find_journey(struct session *session, const char *name, char path[FILE_PATH_SIZE], struct err *err)
{
    struct journey_listing *list = NULL;
    size_t count = 0;
    if (journeys_list(session->options->journeys, &list, &count, err) < 0)
        return -1;
    int result = journeys_find(list, count, name, path, err);
    free(list);
    return result;
}

int commands_replay(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    char name[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
    if (call->argument_count == 0)
        return usage(call, reply);
    arguments_from(call, 0, name, sizeof name);
    if (find_journey(session, name, path, &reply->err) < 0 ||
        session_replay(session, path, 1, &reply->err) < 0)
        return -1;
    snprintf(reply->text, sizeof reply->text, "replaying %.200s", path);
    return 0;
}

int commands_live(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    if (!session->playback)
        return err_set(&reply->err, ERR_USAGE, "live: this is live already");
    if (!session->live)
        return err_set(&reply->err, ERR_USAGE,
                       "live: this console was started to replay one journey; `quit` ends it");
    if (session_replay(session, NULL, 0, &reply->err) < 0)
        return -1;
    snprintf(reply->text, sizeof reply->text, "live again");
    return 0;
}

int commands_record(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    char name[64];
    const char *word = argument(call, 0);
    if (!session->live)
        return err_set(&reply->err, ERR_USAGE, "record: nothing is live here to be recorded");
    bool on = call->argument_count == 0 ? session->recorder == NULL : !text_equal_fold(word, "off");
    arguments_from(call, 0, name, sizeof name);
    if (call->argument_count == 0 || text_equal_fold(word, "on") || text_equal_fold(word, "off"))
        name[0] = 0;
    if (session_record(session, on, name, &reply->err) < 0)
        return -1;
    if (on)
        snprintf(reply->text, sizeof reply->text, "recording to %.300s", session->journey_path);
    else
        snprintf(reply->text, sizeof reply->text, "recording off");
    return 0;
}

int commands_mark(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    char text[120];
    if (!session->recorder)
        return err_set(&reply->err, ERR_USAGE, "mark: nothing is being recorded; `record on` first");
    arguments_from(call, 0, text, sizeof text);
    recorder_mark(session->recorder, session->view.city->simulated_ms, call->source, text[0] ? text : "mark");
    snprintf(reply->text, sizeof reply->text, "marked%s%s", text[0] ? ": " : "", text);
    return 0;
}

int commands_forget(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    char name[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
    if (call->argument_count == 0)
        return usage(call, reply);
    arguments_from(call, 0, name, sizeof name);
    if (find_journey(session, name, path, &reply->err) < 0 || journeys_delete(path, &reply->err) < 0)
        return -1;
    session_journeys_changed(session);
    snprintf(reply->text, sizeof reply->text, "deleted %.300s", path);
    return 0;
}

/* ---- Kafka, for the demonstration of failure -------------------------------------------------------- */

int commands_broker(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    const char *what = argument(call, 0);
    int64_t rtt;
    if (!session->broker)
        return err_set(&reply->err, ERR_USAGE, "broker: only the embedded one can be taken down from here");
    if (text_equal_fold(what, "down") || text_equal_fold(what, "up")) {
        broker_set_up(session->broker, text_equal_fold(what, "up"));
        snprintf(reply->text, sizeof reply->text, "embedded broker %s",
                 text_equal_fold(what, "up") ? "up" : "down");
        return 0;
    }
    if (text_equal_fold(what, "rtt") && text_parse_int(argument(call, 1), 0, 60000, &rtt)) {
        broker_set_rtt(session->broker, (int)rtt);
        snprintf(reply->text, sizeof reply->text, "embedded broker answers after %lld ms", (long long)rtt);
        return 0;
    }
    return usage(call, reply);
}

int commands_slow(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    int64_t wait;
    if (!session->ingest || call->argument_count != 1 || !text_parse_duration(argument(call, 0), &wait) ||
        wait > 60000000)
        return usage(call, reply);
    ingest_slow(session->ingest, wait);
    snprintf(reply->text, sizeof reply->text,
             wait ? "consumer waits %s after each batch" : "consumer at full speed%s",
             wait ? argument(call, 0) : "");
    return 0;
}

int commands_quit(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    session->quit = true;
    return 0;
}

int commands_status(struct session *session, const struct command_call *call, struct command_reply *reply)
{
    reply->json = session_status_json(session);
    return 0;
}
