/*
 * What has become of each topic: rows waiting and landed, the objects they lie in and how large those are,
 * and, by name, all that did not go smoothly.
 */
#include "ui/panels/lake.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

enum column { TOPIC, WAITING, OLDEST, LANDED, OBJECTS, BYTES, MEAN, SMALL, BAD, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [TOPIC] = {"topic", 9, 0, false, 0},    [WAITING] = {"waiting", 7, 1, true, 0},
    [OLDEST] = {"oldest", 6, 0, true, 4},   [LANDED] = {"landed", 8, 1, true, 0},
    [OBJECTS] = {"objects", 7, 0, true, 1}, [BYTES] = {"bytes", 8, 0, true, 2},
    [MEAN] = {"mean", 8, 0, true, 5},       [SMALL] = {"small", 5, 0, true, 6},
    [BAD] = {"quarantined", 11, 0, true, 7}};

static int64_t oldest_of(const struct lake_figures *lake, int kind)
{
    int64_t oldest = 0;
    for (size_t i = 0; i < lake->partition_count && i < LAKE_SHOWN; i++) {
        const struct lake_partition_figures *partition = &lake->partitions[i];
        if ((int)partition->kind == kind && partition->oldest_us > 0 &&
            (oldest == 0 || partition->oldest_us < oldest))
            oldest = partition->oldest_us;
    }
    return oldest;
}

static void draw_kind(const struct table *table, const struct view *view, struct canvas *canvas, int y,
                      const struct lake_kind_figures *kind, int64_t oldest)
{
    char text[TEXT_FIGURE_SIZE];
    table_put(table, canvas, y, WAITING, STYLE(kind->waiting > 0 ? ROLE_INFO : ROLE_DIM),
              text_count(text, (int64_t)kind->waiting));
    table_put(table, canvas, y, OLDEST, STYLE(ROLE_DIM), lake_age(text, view, oldest));
    table_put(table, canvas, y, LANDED, STYLE(kind->rows > 0 ? ROLE_STRONG : ROLE_DIM),
              text_count(text, (int64_t)kind->rows));
    table_put(table, canvas, y, OBJECTS, STYLE(ROLE_TEXT), text_count(text, (int64_t)kind->objects));
    table_put(table, canvas, y, BYTES, STYLE(ROLE_TEXT), text_bytes(text, (double)kind->object_bytes));
    table_put(table, canvas, y, MEAN, STYLE(ROLE_DIM),
              kind->objects > 0 ? text_bytes(text, (double)kind->object_bytes / (double)kind->objects)
                                : stream_none(text));
    table_put(table, canvas, y, SMALL, STYLE(kind->small > 0 ? ROLE_WARNING : ROLE_DIM),
              text_count(text, (int64_t)kind->small));
    table_put(table, canvas, y, BAD, STYLE(kind->quarantined > 0 ? ROLE_WARNING : ROLE_DIM),
              text_count(text, (int64_t)kind->quarantined));
}

/* The sums of all topics. */
static struct lake_kind_figures sum(const struct lake_figures *lake)
{
    struct lake_kind_figures all = {0};
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct lake_kind_figures *one = &lake->kinds[kind];
        all.rows += one->rows;
        all.quarantined += one->quarantined;
        all.waiting += one->waiting;
        all.missing += one->missing;
        all.repeated += one->repeated;
        all.refused += one->refused;
        all.returned += one->returned;
        all.objects += one->objects;
        all.object_bytes += one->object_bytes;
        all.small += one->small;
    }
    return all;
}

/* What did not go smoothly: the bad ones first, then those that explain a figure. */
struct trouble {
    const char *word, *meaning;
    enum role role;
    uint64_t count;
};
#define TROUBLES 9
static void troubles(const struct lake_figures *lake, const struct lake_kind_figures *all,
                     struct trouble list[TROUBLES])
{
    const struct trouble known[TROUBLES] = {
        {"fenced", "partitions that somebody else writes", ROLE_BAD, lake->fenced},
        {"faults", "other bytes under a name of ours", ROLE_BAD, lake->faults},
        {"skipped", "offsets that Kafka does not have", ROLE_BAD, all->missing},
        {"refused", "records of fenced partitions", ROLE_BAD, all->refused},
        {"retries", "landings tried again", ROLE_WARNING, lake->retries},
        {"conflicts", "writes that met another", ROLE_WARNING, lake->objects.conflicts},
        {"found", "objects that were there already, the same", ROLE_TEXT, lake->objects.found},
        {"repeated", "records offered twice, taken once", ROLE_TEXT, all->repeated},
        {"returned", "records given back when partitions moved", ROLE_TEXT, all->returned}};
    memcpy(list, known, sizeof known);
}

static int draw_troubles_short(struct canvas *canvas, int y, const struct trouble *list)
{
    int x = 0;
    for (size_t i = 0; i < TROUBLES; i++) {
        char text[48];
        const struct trouble *trouble = &list[i];
        if (trouble->count == 0 && i != 0 && i != 1 && i != 4)
            continue; /* none of these is worth saying that there is none, but for three */
        snprintf(text, sizeof text, "%s %llu", trouble->word, (unsigned long long)trouble->count);
        if (x + text_width(text) > canvas->width) {
            if (++y >= canvas->height)
                return y;
            x = 0;
        }
        x = canvas_text(canvas, x, y, STYLE(trouble->count > 0 ? trouble->role : ROLE_DIM), text) + 3;
    }
    return y + 1;
}

static int draw_troubles_long(struct canvas *canvas, int y, const struct trouble *list)
{
    for (size_t i = 0; i < TROUBLES && y < canvas->height; i++) {
        const struct trouble *trouble = &list[i];
        char text[TEXT_FIGURE_SIZE];
        if (trouble->count == 0)
            continue;
        canvas_text(canvas, 0, y, STYLE(trouble->role), trouble->word);
        canvas_text_right(canvas, 20, y, STYLE(trouble->role), text_count(text, (int64_t)trouble->count));
        canvas_text_fit(canvas, 22, y, canvas->width - 22, STYLE(ROLE_DIM), trouble->meaning);
        y++;
    }
    return y;
}

static int draw_trouble(const struct view *view, struct canvas *canvas, int y,
                        const struct lake_kind_figures *all)
{
    const struct lake_figures *lake = &view->lake.figures;
    struct trouble list[TROUBLES];
    troubles(lake, all, list);
    int named = 0;
    for (size_t i = 0; i < TROUBLES; i++)
        named += list[i].count > 0;
    int warning = lake->warning[0] != '\0' ? 2 : 0;
    if (named > 0 && canvas->height - y - warning >= named && canvas->width >= 60)
        y = draw_troubles_long(canvas, y, list);
    else
        y = draw_troubles_short(canvas, y, list);
    if (lake->warning[0] != '\0' && y < canvas->height)
        y += stream_wrap(canvas, 0, y, canvas->width, canvas->height - y, STYLE(ROLE_WARNING), lake->warning);
    return y;
}

static void objects_draw(void *opaque, const struct view *view, struct canvas *canvas,
                         const struct panel_context *context)
{
    const struct lake_figures *lake = &view->lake.figures;
    struct table table;
    if (lake_absent(canvas, view))
        return;
    table_fit(&table, columns, COLUMNS, canvas->width < 100 ? canvas->width : 100);
    table_heading(&table, canvas, 0, -1, false);
    int y = 1;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++, y++) {
        table_put(&table, canvas, y, TOPIC, STYLE(stream_role(kind)), stream_word(kind));
        draw_kind(&table, view, canvas, y, &lake->kinds[kind], oldest_of(lake, kind));
    }
    struct lake_kind_figures all = sum(lake);
    if (y < canvas->height) {
        table_put(&table, canvas, y, TOPIC, STYLE_BOLD(ROLE_STRONG), "all");
        draw_kind(&table, view, canvas, y++, &all, lake->oldest_us);
    }
    y += canvas->height - y >= 4;
    draw_trouble(view, canvas, y, &all);
}

static uint64_t objects_generation(const void *opaque, const struct view *view)
{
    const struct lake_figures *lake = &view->lake.figures;
    uint64_t hash = stream_mix((uint64_t)view->lake.present, (uint64_t)view->cloud.state);
    hash = stream_mix_bytes(hash, view->cloud.problem, strlen(view->cloud.problem));
    hash = stream_mix_bytes(hash, view->lake.problem, strlen(view->lake.problem));
    hash = stream_mix_bytes(hash, lake->kinds, sizeof lake->kinds);
    hash = stream_mix_bytes(hash, &lake->objects, sizeof lake->objects);
    hash = stream_mix_bytes(hash, lake->warning, strlen(lake->warning));
    hash = stream_mix(stream_mix(stream_mix(hash, lake->retries), lake->fenced), lake->faults);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        hash = stream_mix(hash, (uint64_t)lake_seconds(view, oldest_of(lake, kind)));
    return hash;
}

static void objects_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct lake_figures *lake = &view->lake.figures;
    char objects[TEXT_FIGURE_SIZE], bytes[TEXT_FIGURE_SIZE];
    if (!view->lake.present)
        text[0] = '\0';
    else
        snprintf(text, size, "s3://%.40s · %s written, %s", lake->bucket,
                 text_count(objects, (int64_t)lake->objects.objects),
                 text_bytes(bytes, (double)lake->objects.bytes));
}

static bool objects_command(void *opaque, const struct view *view, const char *name, const char *argument,
                            const struct panel_host *host)
{
    char line[STREAM_COMMAND];
    if (strcmp(name, "copy") != 0 || (argument != NULL && argument[0] != '\0') || !view->cloud.bucket[0])
        return false;
    snprintf(line, sizeof line, "aws s3 ls --recursive --summarize s3://%.63s/raw/", view->cloud.bucket);
    stream_copy(host, line, "the aws command that lists the raw zone");
    return true;
}

const struct panel_class objects_panel = {.name = "objects",
                                          .title = "Topics and objects",
                                          .generation = objects_generation,
                                          .draw = objects_draw,
                                          .note = objects_note,
                                          .command = objects_command};
