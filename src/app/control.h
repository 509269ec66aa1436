/*
 * The control socket: a running console listens on a Unix socket in the run directory (mode 0700, the peer's
 * user is checked) and answers one JSON line with one JSON line: {"command":"speed 10"} gives
 * {"ok":true,"text":…,"data":…} or {"ok":false,"error":…,"kind":…,"exit":…}. Beside it PID.json (0600) says
 * its addresses.
 */
#ifndef SMARTCITY_APP_CONTROL_H
#define SMARTCITY_APP_CONTROL_H

#include "app/session.h"

struct control;

/* Main thread, on its loop. A run directory that cannot be had is an error the console can live with. */
struct control *control_create(struct loop *loop, struct session *session, struct err *err);
void control_destroy(struct control *control);

/* From another process: asks the console with this pid (0: the newest that answers). *reply is malloc'd JSON.
 * ERR_NOT_FOUND: none is running. */
int control_ask(int64_t pid, const char *line, char **reply, struct err *err);

#endif
