/* What a service keeps besides objects and the catalogue, as JSON documents by kind, name and a second name:
 * FOLDER/FILE. Any thread; one mutex. */
#ifndef SMARTCITY_LOCALCLOUD_DOCUMENTS_H
#define SMARTCITY_LOCALCLOUD_DOCUMENTS_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct documents;

/* file: "glue.sqlite". NULL on error. */
struct documents *documents_open(const char *folder, const char *file, struct err *err);
void documents_close(struct documents *store); /* NULL allowed */
/* *document NULL and 0 when it is not there. document NULL: 1 or 0, whether it is. -1: error. */
int documents_get(struct documents *store, const char *kind, const char *name, const char *second,
                  json_t **document, struct err *err);
int documents_put(struct documents *store, const char *kind, const char *name, const char *second,
                  const json_t *document, struct err *err);
/* second NULL: all of the name. *removed (NULL allowed): how many. */
int documents_remove(struct documents *store, const char *kind, const char *name, const char *second,
                     int64_t *removed, struct err *err);
/* In the order of names and second names. name NULL: all of the kind. The store is locked meanwhile: do not
 * call back into it. */
int documents_list(struct documents *store, const char *kind, const char *name,
                   bool (*each)(void *context, const char *name, const char *second, json_t *document),
                   void *context, struct err *err);

#endif
