/* Handlers and completions of the session's commands, for the table in app/command.c. Main thread. */
#ifndef SMARTCITY_APP_COMMANDS_SESSION_H
#define SMARTCITY_APP_COMMANDS_SESSION_H

#include "app/command.h"

typedef int command_fn(struct session *session, const struct command_call *call, struct command_reply *reply);
command_fn commands_pause, commands_step, commands_speed, commands_seek;
command_fn commands_vehicles, commands_demand, commands_gps, commands_frames, commands_weather,
    commands_reset;
command_fn commands_incident, commands_breakdown, commands_clear;
command_fn commands_follow, commands_camera, commands_tail;
command_fn commands_replay, commands_live, commands_record, commands_mark, commands_forget;
command_fn commands_flush, commands_compact, commands_stop, commands_job;
command_fn commands_transform, commands_load, commands_auto;
command_fn commands_crawl, commands_catalogue;
command_fn commands_query, commands_estimate, commands_engine, commands_result, commands_plot,
    commands_export, commands_keep, commands_saved;
command_fn commands_broker, commands_slow, commands_quit, commands_status;

#define COMMANDS_INCIDENT_TYPES 6
extern const char *const commands_incident_types[COMMANDS_INCIDENT_TYPES];

typedef size_t complete_fn(struct session *session, int index, const char *prefix, char *out, size_t size);
complete_fn complete_vehicle, complete_camera, complete_journey, complete_incident, complete_weather;
complete_fn complete_on_off, complete_speed, complete_broker, complete_tail, complete_flush, complete_crawl;
complete_fn complete_saved;

#endif
