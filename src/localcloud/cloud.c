#include "localcloud/cloud.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/resident.h"
#include "base/text.h"
#include "localcloud/catalogue.h"
#include "localcloud/objects.h"
#include "localcloud/server.h"
#include "localcloud/service.h"
#include "localcloud/sql_engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct cloud {
    char folder[FILE_PATH_SIZE];
    struct cloud_address address;
    int lock;
    struct log *log, *own_log; /* own_log: made here */
    struct keys *keys;
    struct objects *objects;
    struct catalogue *catalogue;
    struct server *server;
    struct exchange_context exchange;
    struct service_context service;
    struct sql_engine sql_engine; /* filled by a service */
    size_t service_count;         /* created */
    void **states;
};

static int lock_folder(struct cloud *cloud, struct err *err)
{
    char path[FILE_PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/lock", cloud->folder);
    if (file_make_dirs(cloud->folder, err) < 0 || (cloud->lock = file_lock(path, err)) < 0)
        return err_prefix(err, "the local cloud's folder %s", cloud->folder);
    return 0;
}

static int open_log(struct cloud *cloud, const struct cloud_settings *settings, struct err *err)
{
    char path[FILE_PATH_SIZE + 32];
    cloud->log = settings->log;
    if (cloud->log)
        return 0;
    cloud->log = cloud->own_log = log_create(256);
    snprintf(path, sizeof path, "%s/requests.log", cloud->folder);
    return log_open_file(cloud->own_log, path, err);
}

static int create_services(struct cloud *cloud, struct err *err)
{
    size_t count = 0;
    while (services[count])
        count++;
    cloud->states = mem_zero(count + 1, sizeof *cloud->states);
    for (; cloud->service_count < count; cloud->service_count++) {
        const struct service *service = services[cloud->service_count];
        void *state = service->create(&cloud->service, err);
        if (!state)
            return err_prefix(err, "%s", service->title);
        cloud->states[cloud->service_count] = state;
    }
    return 0;
}

static int start(struct cloud *cloud, const struct cloud_settings *settings, struct err *err)
{
    const char *region = settings->region && *settings->region ? settings->region : CLOUD_REGION;
    int port = settings->port;
    if (lock_folder(cloud, err) < 0 || open_log(cloud, settings, err) < 0)
        return -1;
    cloud->keys = keys_open(cloud->folder, CLOUD_ACCOUNT, settings->access_key, settings->secret_key, err);
    if (!cloud->keys || !(cloud->objects = objects_open(cloud->folder, err)) ||
        !(cloud->catalogue = catalogue_open(cloud->folder, CLOUD_ACCOUNT, err)) ||
        !(cloud->server = server_create(&port, err)))
        return -1;
    text_copy(cloud->address.region, sizeof cloud->address.region, region);
    snprintf(cloud->address.endpoint, sizeof cloud->address.endpoint, "http://127.0.0.1:%d", port);
    text_copy(cloud->address.access_key, sizeof cloud->address.access_key, keys_access(cloud->keys));
    text_copy(cloud->address.secret_key, sizeof cloud->address.secret_key, keys_secret(cloud->keys));
    if (settings->faults)
        text_copy(cloud->address.control_token, sizeof cloud->address.control_token,
                  keys_control(cloud->keys));
    cloud->service = (struct service_context){
        .folder = cloud->folder,
        .region = cloud->address.region,
        .account = CLOUD_ACCOUNT,
        .objects = cloud->objects,
        .catalogue = cloud->catalogue,
        .sql_engine = &cloud->sql_engine,
        .keys = cloud->keys,
        .log = cloud->log,
        .realistic = settings->realistic,
    };
    if (create_services(cloud, err) < 0)
        return -1;
    cloud->exchange = (struct exchange_context){
        .auth = {.keys = cloud->keys, .cache = sigv4_cache_create(), .region = cloud->address.region},
        .faults = settings->faults ? faults_create() : NULL,
        .objects = cloud->objects,
        .account = CLOUD_ACCOUNT,
        .base = cloud->address.endpoint,
        .states = cloud->states,
        .realistic = settings->realistic,
    };
    if (getrandom(&cloud->exchange.id_seed, sizeof cloud->exchange.id_seed, 0) < 0)
        return err_set_errno(err, ERR_IO, errno, "no random numbers");
    return server_start(cloud->server, &cloud->exchange, cloud->log, settings->line, settings->line_context,
                        err);
}

struct cloud *cloud_start(const struct cloud_settings *settings, struct err *err)
{
    struct cloud *cloud = mem_zero(1, sizeof *cloud);
    cloud->lock = -1;
    text_copy(cloud->folder, sizeof cloud->folder, settings->folder);
    if (start(cloud, settings, err) == 0) {
        resident_release();
        return cloud;
    }
    cloud_stop(cloud);
    return NULL;
}

void cloud_stop(struct cloud *cloud)
{
    if (!cloud)
        return;
    /* Services first, so that handlers that wait for them end; then the server waits for its handlers. */
    for (size_t i = 0; i < cloud->service_count; i++)
        if (services[i]->stop)
            services[i]->stop(cloud->states[i]);
    if (cloud->server)
        server_stop(cloud->server);
    for (size_t i = cloud->service_count; i-- > 0;)
        services[i]->destroy(cloud->states[i]);
    server_destroy(cloud->server);
    faults_destroy(cloud->exchange.faults);
    sigv4_cache_destroy(cloud->exchange.auth.cache);
    catalogue_close(cloud->catalogue);
    objects_close(cloud->objects);
    keys_destroy(cloud->keys);
    log_destroy(cloud->own_log);
    if (cloud->lock >= 0)
        close(cloud->lock);
    free(cloud->states);
    free(cloud);
}

const struct cloud_address *cloud_address(const struct cloud *cloud)
{
    return &cloud->address;
}

void cloud_figures(struct cloud *cloud, struct cloud_figures *figures)
{
    server_figures(cloud->server, figures);
}

int cloud_fault(struct cloud *cloud, const char *rule, struct err *err)
{
    if (!cloud->exchange.faults)
        return err_set(err, ERR_UNSUPPORTED, "faults are off: start the local cloud with --faults");
    return faults_add(cloud->exchange.faults, rule, err);
}
