/* The registration list: a panel is its file and a line here. */
#include "ui/panel.h"

#include <string.h>

/* In the order in which `:panel` completes them. X(name of the class in its file) */
#define PANELS(X)                                                                                            \
    X(map_panel)                                                                                             \
    X(vehicle_panel)                                                                                         \
    X(camera_panel)                                                                                          \
    X(weather_panel)                                                                                         \
    X(emergencies_panel)                                                                                     \
    X(throughput_panel)                                                                                      \
    X(pipeline_panel)                                                                                        \
    X(rates_panel)                                                                                           \
    X(partitions_panel)                                                                                      \
    X(latency_panel)                                                                                         \
    X(tail_panel)                                                                                            \
    X(quarantine_panel)                                                                                      \
    X(objects_panel)                                                                                         \
    X(flush_panel)                                                                                           \
    X(batches_panel)                                                                                         \
    X(tables_panel)                                                                                          \
    X(crawlers_panel)                                                                                        \
    X(loads_panel)                                                                                           \
    X(ledger_panel)                                                                                          \
    X(onwards_panel)                                                                                         \
    X(editor_panel)                                                                                          \
    X(querystate_panel)                                                                                      \
    X(results_panel)                                                                                         \
    X(queries_panel)                                                                                         \
    X(journeys_panel)                                                                                        \
    X(playback_panel)                                                                                        \
    X(log_panel)

#define X(name) extern const struct panel_class name;
PANELS(X)
#undef X

static const struct panel_class *const classes[] = {
#define X(name) &name,
    PANELS(X)
#undef X
        NULL};

size_t panel_classes(const struct panel_class *const **list)
{
    *list = classes;
    return sizeof classes / sizeof classes[0] - 1;
}

const struct panel_class *panel_find(const char *name)
{
    for (const struct panel_class *const *at = classes; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}
