/* What the screen may show of everything past Kafka. Part of the view (app/view.h). */
#ifndef SMARTCITY_APP_VIEW_CLOUD_H
#define SMARTCITY_APP_VIEW_CLOUD_H

#include "app/catalogue.h"
#include "aws/client.h"
#include "lake/lake.h"
#include "lake/pipeline.h"

enum view_cloud_state {
    VIEW_CLOUD_OFF,
    VIEW_CLOUD_STARTING, /* the local one starts, or nobody has answered yet */
    VIEW_CLOUD_READY,    /* we know who we are */
    VIEW_CLOUD_BAD       /* problem says why; tried again */
};

struct view_cloud {
    enum view_cloud_state state;
    bool local;         /* served by this process */
    bool billable;      /* AWS's own endpoints */
    char endpoint[128]; /* of S3 */
    char region[64], account[16], identity[128];
    char bucket[64];
    char problem[240];
    struct aws_figures aws;
};

/* What has landed, on its way to the warehouse. */
struct view_pipeline {
    bool present;
    struct pipeline_figures figures;
};

/* What Glue's catalogue holds, as of the last reading; snapshot NULL before the first. */
struct view_catalogue {
    const struct catalogue_snapshot *snapshot;
    bool reading;
};

struct view_lake {
    bool present; /* a writer runs; else problem says why not */
    char problem[240];
    struct lake_figures figures;
};

#endif
