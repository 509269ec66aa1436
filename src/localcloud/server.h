/*
 * The HTTP side of the local cloud, on libmicrohttpd: listens on 127.0.0.1, one thread a connection,
 * keep-alive, Expect: 100-continue, bodies in pieces, files by sendfile. Start and stop from one thread;
 * figures from any.
 */
#ifndef SMARTCITY_LOCALCLOUD_SERVER_H
#define SMARTCITY_LOCALCLOUD_SERVER_H

#include "base/log.h"
#include "localcloud/cloud.h"
#include "localcloud/connection.h"

#define SERVER_CONNECTIONS 256 /* more wait in the backlog */
#define SERVER_IDLE_S      120 /* a connection on which nothing comes is closed */

struct server;

/* Binds; *port is then the one in use. `context` must be complete before server_start(). */
struct server *server_create(int *port, struct err *err);
int server_start(struct server *server, const struct exchange_context *context, struct log *log,
                 void (*line)(void *context, const char *line), void *line_context, struct err *err);
/* Waits for the handlers in hand. */
void server_stop(struct server *server);
void server_destroy(struct server *server); /* NULL allowed; stopped */
void server_figures(struct server *server, struct cloud_figures *figures);

#endif
