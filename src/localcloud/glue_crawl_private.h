/* A crawl in hand: what reading (glue_crawl_read.c) and writing (glue_crawl.c) share. */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_CRAWL_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_GLUE_CRAWL_PRIVATE_H

#include "localcloud/glue_private.h"
#include "localcloud/glue_tree.h"

struct glue_crawl {
    struct glue *glue;
    struct glue_task *task;
    const char *name, *database, *prefix;
    bool update, delete_tables, deprecate; /* SchemaChangePolicy */
    bool combine, merge_columns, inherit, new_only;
    int level;
    int64_t now_us;
    json_t *tables; /* location -> table's name, as they were */
    json_t *seen;   /* location -> true */
    struct glue_crawl_result *result;
    /* of the target in hand */
    char bucket[OBJECTS_BUCKET_MAX + 1];
    struct glue_folder root;
    const json_t *exclusions;
    int64_t sample; /* files read a folder; 0 all */
    size_t files;
};

/* The first failure is the one that is told. Returns -1. */
int glue_crawl_fail(struct glue_crawl *crawl, const char *text);
/* Lists a target's objects into crawl->root and reads their schemas; crawl->bucket, exclusions and sample are
 * of it then. The root is the caller's to free. 0, or -1: failed or stopped. */
int glue_crawl_read(struct glue_crawl *crawl, const json_t *target);

#endif
