/* What Glue keeps besides the catalogue, as JSON documents by kind, name and a second name:
 * FOLDER/glue.sqlite. Any thread; one mutex. */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_STORE_H
#define SMARTCITY_LOCALCLOUD_GLUE_STORE_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct glue_store;

#define GLUE_CRAWLER "crawler"
#define GLUE_CRAWL   "crawl" /* second name: counts upwards, so that order is time */
#define GLUE_JOB     "job"
#define GLUE_JOB_RUN "run"
#define GLUE_INDEX   "index" /* of partitions: "database.table", index */
#define GLUE_TAGS    "tags"  /* name: an ARN */

struct glue_store *glue_store_open(const char *folder, struct err *err);
void glue_store_close(struct glue_store *store); /* NULL allowed */
/* *document NULL and 0 when it is not there. document NULL: 1 or 0, whether it is. -1: error. */
int glue_store_get(struct glue_store *store, const char *kind, const char *name, const char *second,
                   json_t **document, struct err *err);
int glue_store_put(struct glue_store *store, const char *kind, const char *name, const char *second,
                   const json_t *document, struct err *err);
/* second NULL: all of the name. *removed (NULL allowed): how many. */
int glue_store_remove(struct glue_store *store, const char *kind, const char *name, const char *second,
                      int64_t *removed, struct err *err);
/* In the order of names and second names. name NULL: all of the kind. */
int glue_store_list(struct glue_store *store, const char *kind, const char *name,
                    bool (*each)(void *context, const char *name, const char *second, json_t *document),
                    void *context, struct err *err);

#endif
