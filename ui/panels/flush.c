/* Flush control: what closes a batch, what the next flush would write, and how full the stages before S3 are.
 */
#include "ui/panels/lake.h"

#include <stdio.h>
#include <string.h>

#define LABEL 11

struct line {
    const char *label;
    double fraction; /* of the gauge; below 0: none */
    enum role role;
    bool bold;
    char text[256];
};
#define LINES 14
struct lines {
    size_t count;
    struct line lines[LINES];
};

static struct line *line_add(struct lines *lines, const char *label, enum role role)
{
    struct line *line = &lines->lines[lines->count < LINES - 1 ? lines->count++ : LINES - 1];
    *line = (struct line){.label = label, .fraction = -1, .role = role};
    return line;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* "60 s, 500,000 rows or 32 MB" */
static void limits(const struct lake_figures *lake, char *out, size_t size)
{
    char age[TEXT_FIGURE_SIZE], rows[TEXT_FIGURE_SIZE], bytes[TEXT_FIGURE_SIZE];
    snprintf(out, size, "%s, %s rows, %s", text_age(age, lake->batch_age_us), text_si(rows, lake->batch_rows),
             text_bytes(bytes, (double)lake->batch_bytes));
}

static int64_t closes_in(const struct view *view)
{
    const struct lake_figures *lake = &view->lake.figures;
    if (lake->next_close_us == 0)
        return -1;
    int64_t span = stream_span(view->mono_us, lake->next_close_us);
    return span > 0 ? (span + 999999) / 1000000 : 0;
}

static void add_waiting(struct lines *lines, const struct view *view)
{
    const struct lake_figures *lake = &view->lake.figures;
    char rows[TEXT_FIGURE_SIZE], bytes[TEXT_FIGURE_SIZE], files[TEXT_FIGURE_SIZE];
    struct line *line = line_add(lines, "next flush", ROLE_STRONG);
    if (lake->open_batches == 0) {
        line->role = ROLE_DIM;
        snprintf(line->text, sizeof line->text, "nothing waits");
        return;
    }
    snprintf(line->text, sizeof line->text, "%s rows, %llu files", text_count(rows, (int64_t)lake->open_rows),
             (unsigned long long)lake->open_files);
    if (lake->open_frames > 0)
        snprintf(line->text + strlen(line->text), sizeof line->text - strlen(line->text), ", %llu pictures",
                 (unsigned long long)lake->open_frames);
    line = line_add(lines, "writes", ROLE_TEXT);
    snprintf(line->text, sizeof line->text, "about %s, %s in memory",
             text_bytes(files, lake->open_file_bytes), text_bytes(bytes, (double)lake->open_bytes));
}

static void add_age(struct lines *lines, const struct view *view)
{
    const struct lake_figures *lake = &view->lake.figures;
    char age[TEXT_FIGURE_SIZE];
    struct line *line = line_add(lines, "oldest", ROLE_TEXT);
    int64_t seconds = lake_seconds(view, lake->oldest_us), left = closes_in(view);
    lake_age(age, view, lake->oldest_us);
    if (seconds >= 0 && !lake->paused)
        line->fraction = share((double)seconds, (double)lake->batch_age_us / 1e6);
    if (left > 0)
        snprintf(line->text, sizeof line->text, "%s, closes in %lld s", age, (long long)left);
    else if (left == 0)
        snprintf(line->text, sizeof line->text, "%s, closes now", age);
    else
        snprintf(line->text, sizeof line->text, "%s", age);
}

static void add_stages(struct lines *lines, const struct lake_figures *lake)
{
    char part[TEXT_FIGURE_SIZE], whole[TEXT_FIGURE_SIZE];
    struct line *line = line_add(lines, "on the way", ROLE_TEXT);
    if (lake->closed + lake->spooled + lake->landing == 0) {
        line->role = ROLE_DIM;
        snprintf(line->text, sizeof line->text, "no batch");
    } else {
        line->role = ROLE_INFO;
        snprintf(line->text, sizeof line->text, "%llu closed, %llu in spool, %llu landing",
                 (unsigned long long)lake->closed, (unsigned long long)lake->spooled,
                 (unsigned long long)lake->landing);
    }
    line = line_add(lines, "memory", ROLE_TEXT);
    line->fraction = share((double)lake->memory_bytes, (double)lake->memory_limit);
    snprintf(line->text, sizeof line->text, "%s of %s", text_bytes(part, (double)lake->memory_bytes),
             text_bytes(whole, (double)lake->memory_limit));
    line = line_add(lines, "spool", ROLE_TEXT);
    line->fraction = share((double)lake->spool_bytes, (double)lake->spool_limit);
    snprintf(line->text, sizeof line->text, "%s of %s", text_bytes(part, (double)lake->spool_bytes),
             text_bytes(whole, (double)lake->spool_limit));
    line = line_add(lines, "queue", ROLE_TEXT);
    line->fraction = share((double)lake->queue.depth, (double)lake->queue.capacity);
    snprintf(line->text, sizeof line->text, "%zu of %zu", lake->queue.depth, lake->queue.capacity);
}

static void gather(struct lines *lines, const struct view *view)
{
    const struct lake_figures *lake = &view->lake.figures;
    char text[TEXT_FIGURE_SIZE], took[TEXT_FIGURE_SIZE];
    struct line *line = line_add(lines, lake->paused ? "PAUSED" : "AUTOMATIC", ROLE_TEXT);
    line->bold = true;
    if (lake->paused)
        snprintf(line->text, sizeof line->text, "only when told");
    else
        limits(lake, line->text, sizeof line->text);
    const char *problem = lake->problem[0] != '\0' ? lake->problem : view->lake.problem;
    if (lake->blocked) {
        line = line_add(lines, "BLOCKED", ROLE_BAD);
        snprintf(line->text, sizeof line->text, "no room: reading of Kafka waits");
    }
    if (problem[0] != '\0') {
        line = line_add(lines, "problem", ROLE_BAD);
        text_copy(line->text, sizeof line->text, problem);
    }
    add_waiting(lines, view);
    add_age(lines, view);
    line = line_add(lines, "landed", lake->landed_us > 0 ? ROLE_GOOD : ROLE_DIM);
    if (lake->landed_us > 0)
        snprintf(line->text, sizeof line->text, "%s ago in %s, %llu batches",
                 lake_age(text, view, lake->landed_us), stream_ms(took, (double)lake->landing_us / 1e3),
                 (unsigned long long)lake->batches);
    else
        snprintf(line->text, sizeof line->text, "nothing yet");
    add_stages(lines, lake);
}

static uint64_t flush_generation(const void *opaque, const struct view *view)
{
    struct lines lines = {0};
    uint64_t hash = stream_mix((uint64_t)view->lake.present, (uint64_t)view->cloud.state);
    gather(&lines, view);
    hash = stream_mix_bytes(hash, view->cloud.problem, strlen(view->cloud.problem));
    for (size_t i = 0; i < lines.count; i++) {
        hash = stream_mix_bytes(hash, lines.lines[i].text, strlen(lines.lines[i].text));
        hash = stream_mix(hash, (uint64_t)(int64_t)(lines.lines[i].fraction * 64));
        hash = stream_mix(hash, (uint64_t)lines.lines[i].role << 1 | view->lake.figures.paused);
    }
    return hash;
}

static void flush_draw(void *opaque, const struct view *view, struct canvas *canvas,
                       const struct panel_context *context)
{
    struct lines lines = {0};
    if (lake_absent(canvas, view))
        return;
    gather(&lines, view);
    int y = 0, keys = canvas->height > (int)lines.count + 1 ? 1 : 0;
    for (size_t i = 0; i < lines.count && y < canvas->height - keys; i++) {
        const struct line *line = &lines.lines[i];
        struct style style = line->bold ? STYLE_BOLD(line->role) : STYLE(line->role);
        /* A problem may take what is left over. */
        int spare = canvas->height - keys - y - (int)(lines.count - i);
        if (line->role == ROLE_BAD && spare > 0) {
            canvas_text_fit(canvas, 0, y, LABEL - 1, STYLE_BOLD(ROLE_BAD), line->label);
            int used = stream_wrap(canvas, LABEL, y, canvas->width - LABEL, 1 + (spare < 3 ? spare : 3),
                                   style, line->text);
            y += used > 0 ? used : 1;
            continue;
        }
        lake_fact(canvas, y, LABEL, line->label, line->fraction, style, line->text);
        if (i == 0)
            canvas_text_fit(canvas, 0, y, LABEL - 1,
                            STYLE_BOLD(view->lake.figures.paused ? ROLE_PAUSED : ROLE_LIVE), line->label);
        y++;
    }
    if (keys == 0)
        return;
    y = canvas->height - 1;
    int x = canvas_text(canvas, 0, y, STYLE_BOLD(ROLE_BAR_KEY), "f");
    x = canvas_text(canvas, x + 1, y, STYLE(ROLE_TEXT), "flush now") + 3;
    x = canvas_text(canvas, x, y, STYLE_BOLD(ROLE_BAR_KEY), "F");
    canvas_text_fit(canvas, x + 1, y, canvas->width - x - 1, STYLE(ROLE_TEXT),
                    view->lake.figures.paused ? "automatic again" : "only when told");
}

static void flush_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    int64_t left = closes_in(view);
    if (!view->lake.present)
        text[0] = '\0';
    else if (view->lake.figures.paused)
        snprintf(text, size, "paused");
    else if (left > 0)
        snprintf(text, size, "or in %lld s", (long long)left);
    else
        snprintf(text, size, "automatic");
}

static bool flush_command(void *opaque, const struct view *view, const char *name, const char *argument,
                          const struct panel_host *host)
{
    if (strcmp(name, "copy") != 0 || (argument != NULL && argument[0] != '\0'))
        return false;
    stream_copy(host, "smartcity flush --wait", "the command that flushes from another terminal");
    return true;
}

const struct panel_class flush_panel = {.name = "flush",
                                        .title = "Flush",
                                        .generation = flush_generation,
                                        .draw = flush_draw,
                                        .note = flush_note,
                                        .command = flush_command};
