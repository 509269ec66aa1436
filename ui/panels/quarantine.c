/*
 * What could not be read, and how well the rest fits: the counts of each topic, and the last records that
 * went to the quarantine with the reason, newest first.
 */
#include "ui/panels/stream.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

enum count_column {
    COUNT_TOPIC,
    COUNT_READ,
    COUNT_BAD,
    COUNT_LOST,
    COUNT_UNFIT,
    COUNT_COERCED,
    COUNT_UNKNOWN,
    COUNT_MISSING,
    COUNT_COLUMNS
};
static const struct table_column count_columns[COUNT_COLUMNS] = {
    [COUNT_TOPIC] = {"topic", 9, 0, false, 0},     [COUNT_READ] = {"read", 9, 1, true, 1},
    [COUNT_BAD] = {"quarantined", 11, 0, true, 0}, [COUNT_LOST] = {"lost", 6, 0, true, 0},
    [COUNT_UNFIT] = {"unfit", 7, 0, true, 2},      [COUNT_COERCED] = {"coerced", 7, 0, true, 3},
    [COUNT_UNKNOWN] = {"unknown", 7, 0, true, 4},  [COUNT_MISSING] = {"null", 9, 0, true, 5}};

enum column { TIME, TOPIC, PLACE, SIZE, REASON, EXCERPT, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [TIME] = {"arrived", 12, 0, false, 2},     [TOPIC] = {"topic", 9, 0, false, 0},
    [PLACE] = {"part:offset", 11, 0, true, 1}, [SIZE] = {"size", 7, 0, true, 3},
    [REASON] = {"reason", 18, 3, false, 0},    [EXCERPT] = {"begins with", 14, 4, false, 4}};

struct quarantine {
    struct list list;
    int first_y; /* of the list, at the last draw */
    char filter[64];
    uint64_t changes;
};

static const char *reason(const struct city_quarantined *entry)
{
    return entry->reason[0] != '\0' ? entry->reason : "no reason given";
}

static size_t arrange(const struct quarantine *state, const struct view *view, uint8_t rows[CITY_QUARANTINE])
{
    size_t count = 0;
    for (size_t i = 0; i < view->city->quarantine_count && i < CITY_QUARANTINE; i++) {
        const struct city_quarantined *entry = &view->city->quarantine[i];
        const char *texts[] = {stream_topic(entry->kind), entry->reason, entry->excerpt};
        if (list_matches(state->filter, texts, 3))
            rows[count++] = (uint8_t)i;
    }
    return count;
}

static int draw_counts(struct canvas *canvas, const struct view *view)
{
    struct table table;
    char text[TEXT_FIGURE_SIZE];
    table_fit(&table, count_columns, COUNT_COLUMNS, canvas->width < 90 ? canvas->width : 90);
    table_heading(&table, canvas, 0, -1, false);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct city_topic *topic = &view->city->topics[kind];
        const uint64_t counts[COUNT_COLUMNS] = {
            [COUNT_READ] = topic->events,     [COUNT_BAD] = topic->quarantined,
            [COUNT_LOST] = topic->gaps,       [COUNT_UNFIT] = topic->unfit,
            [COUNT_COERCED] = topic->coerced, [COUNT_UNKNOWN] = topic->unknown_fields,
            [COUNT_MISSING] = topic->missing};
        table_put(&table, canvas, 1 + kind, COUNT_TOPIC, STYLE(stream_role(kind)), stream_word(kind));
        for (int column = COUNT_READ; column < COUNT_COLUMNS; column++) {
            bool bad = column == COUNT_BAD || column == COUNT_LOST;
            enum role role = counts[column] == 0     ? ROLE_DIM
                             : bad                   ? ROLE_BAD
                             : column == COUNT_UNFIT ? ROLE_WARNING
                                                     : ROLE_TEXT;
            table_put(&table, canvas, 1 + kind, column, STYLE(role),
                      text_count(text, (int64_t)counts[column]));
        }
    }
    return 1 + EVENT_KIND_COUNT;
}

/* "12 × not JSON · 3 × no timestamp": the reasons of those kept, the most frequent first. */
static void draw_reasons(struct canvas *canvas, int y, const struct view *view, const uint8_t *rows,
                         size_t count)
{
    bool told[CITY_QUARANTINE] = {false};
    int x = 0;
    for (;;) {
        size_t best = 0, best_times = 0;
        for (size_t i = 0; i < count; i++) {
            size_t times = 0;
            for (size_t j = i; j < count && !told[i]; j++)
                times += strcmp(reason(&view->city->quarantine[rows[i]]),
                                reason(&view->city->quarantine[rows[j]])) == 0;
            if (times > best_times) {
                best_times = times;
                best = i;
            }
        }
        if (best_times == 0 || x + 8 > canvas->width)
            return;
        const char *name = reason(&view->city->quarantine[rows[best]]);
        for (size_t j = best; j < count; j++)
            told[j] = told[j] || strcmp(name, reason(&view->city->quarantine[rows[j]])) == 0;
        x = canvas_printf(canvas, x, y, STYLE(ROLE_BAD), "%zu×", best_times) + 1;
        x = canvas_text_fit(canvas, x, y, canvas->width - x, STYLE(ROLE_TEXT), name) + 3;
    }
}

#define DETAIL_ROWS 5

/* The selected one in full. */
static void draw_detail(struct canvas *canvas, const struct view *view, const struct city_quarantined *entry)
{
    char command[STREAM_COMMAND];
    canvas_fill(canvas, 0, 0, canvas->width, 1, 0x2500, STYLE(ROLE_FRAME));
    int y = 1 + stream_wrap(canvas, 0, 1, canvas->width, 2, STYLE(ROLE_BAD), reason(entry));
    canvas_text_fit(canvas, 0, y++, canvas->width, STYLE(ROLE_TEXT), entry->excerpt);
    if (y >= canvas->height || entry->kind < 0)
        return;
    int x = canvas_text(canvas, 0, y, STYLE(ROLE_INFO), "$ ");
    canvas_text_fit(canvas, x, y, canvas->width - x, STYLE(ROLE_STRONG),
                    stream_kcat(command, view, entry->kind, entry->partition, entry->offset));
}

static void quarantine_draw(void *opaque, const struct view *view, struct canvas *canvas,
                            const struct panel_context *context)
{
    struct quarantine *state = opaque;
    uint8_t rows[CITY_QUARANTINE];
    struct table table;
    char text[64];
    int y = 0;
    text_copy(state->filter, sizeof state->filter, context->filter != NULL ? context->filter : "");
    size_t count = arrange(state, view, rows);
    if (canvas->height >= EVENT_KIND_COUNT + 6)
        y = draw_counts(canvas, view) + 1;
    if (count == 0) {
        struct canvas rest = canvas_sub(canvas, 0, y, canvas->width, canvas->height - y);
        bool filtered = state->filter[0] != '\0' && view->city->quarantine_count > 0;
        stream_nothing(&rest, filtered ? "nothing in quarantine fits the filter" : "nothing is in quarantine",
                       filtered ? "Esc clears it"
                                : "records that cannot be read are kept here with the reason");
        return;
    }
    if (canvas->height - y >= 4)
        draw_reasons(canvas, y++, view, rows, count);
    table_fit(&table, columns, COLUMNS, canvas->width - 1);
    table_heading(&table, canvas, y++, -1, false);
    state->first_y = y;
    int detail = canvas->height - y >= DETAIL_ROWS + 4 ? DETAIL_ROWS : 0;
    struct canvas body = canvas_sub(canvas, 0, y, canvas->width - 1, canvas->height - y - detail);
    list_fit(&state->list, count, body.height);
    if (detail > 0) {
        struct canvas below = canvas_sub(canvas, 0, canvas->height - detail, canvas->width, detail);
        draw_detail(&below, view, &view->city->quarantine[rows[state->list.selected]]);
    }
    for (size_t row = 0; row < state->list.rows && state->list.top + row < count; row++) {
        const struct city_quarantined *entry = &view->city->quarantine[rows[state->list.top + row]];
        int at = (int)row;
        table_put(&table, &body, at, TIME, STYLE(ROLE_DIM), stream_clock(text, entry->arrived_us));
        table_put(&table, &body, at, TOPIC, STYLE(stream_role(entry->kind)), stream_word(entry->kind));
        snprintf(text, sizeof text, "%d:%lld", entry->partition, (long long)entry->offset);
        table_put(&table, &body, at, PLACE, STYLE(ROLE_DIM), text);
        table_put(&table, &body, at, SIZE, STYLE(ROLE_DIM), text_bytes(text, (double)entry->length));
        table_put(&table, &body, at, REASON, STYLE(ROLE_BAD), reason(entry));
        table_put(&table, &body, at, EXCERPT, STYLE(ROLE_TEXT), entry->excerpt);
        list_highlight(&body, 0, at, body.width, state->filter);
        if (context->focused && state->list.top + row == state->list.selected)
            list_mark(&body, at, true);
    }
    list_scroll_bar(&state->list, canvas, canvas->width - 1, y, count);
}

static uint64_t quarantine_generation(const void *opaque, const struct view *view)
{
    const struct quarantine *state = opaque;
    return stream_mix(state->changes, view->city->generation);
}

static void quarantine_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    uint64_t bad = 0, lost = 0;
    char figure[TEXT_FIGURE_SIZE], gone[TEXT_FIGURE_SIZE];
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        bad += view->city->topics[kind].quarantined;
        lost += view->city->topics[kind].gaps;
    }
    snprintf(text, size, "%s in all · %s lost", text_count(figure, (int64_t)bad),
             text_count(gone, (int64_t)lost));
}

static bool quarantine_command(void *opaque, const struct view *view, const char *name, const char *argument,
                               const struct panel_host *host)
{
    struct quarantine *state = opaque;
    uint8_t rows[CITY_QUARANTINE];
    size_t count = arrange(state, view, rows);
    char line[STREAM_COMMAND];
    if (argument == NULL)
        argument = "";
    if (strcmp(name, "select") == 0 && list_move(&state->list, count, argument)) {
        state->changes++;
        return true;
    }
    if (count == 0)
        return false;
    size_t at = state->list.selected < count ? state->list.selected : 0;
    const struct city_quarantined *entry = &view->city->quarantine[rows[at]];
    if (strcmp(name, "copy") == 0 && argument[0] == '\0') {
        stream_copy(host, stream_kcat(line, view, entry->kind, entry->partition, entry->offset),
                    "the kcat command that prints this record");
        return true;
    }
    if (strcmp(name, "open") == 0) { /* the tail still has it, or says that it has not */
        snprintf(line, sizeof line, "tail filter topic:%s partition:%d offset:%lld",
                 stream_topic(entry->kind), entry->partition, (long long)entry->offset);
        host->send(host->context, line);
        host->toast(host->context, LOG_INFO,
                    "the tail looks for this record; if it has let it go, y copies the kcat command");
        return true;
    }
    return false;
}

static bool quarantine_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                             const struct panel_host *host)
{
    struct quarantine *state = opaque;
    uint8_t rows[CITY_QUARANTINE];
    size_t count = arrange(state, view, rows);
    state->changes++;
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN) {
        for (int i = 0; i < 3; i++)
            list_move(&state->list, count, what == MOUSE_WHEEL_UP ? "previous" : "next");
        return true;
    }
    if ((what != MOUSE_CLICK && what != MOUSE_DOUBLE) || !list_click(&state->list, count, y - state->first_y))
        return false;
    return what != MOUSE_DOUBLE || quarantine_command(opaque, view, "open", "", host);
}

const struct panel_class quarantine_panel = {.name = "quarantine",
                                             .title = "Quarantine",
                                             .scopes = SCOPE_LIST,
                                             .state_size = sizeof(struct quarantine),
                                             .generation = quarantine_generation,
                                             .draw = quarantine_draw,
                                             .note = quarantine_note,
                                             .command = quarantine_command,
                                             .mouse = quarantine_mouse};
