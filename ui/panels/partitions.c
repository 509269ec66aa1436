/* Every partition with its watermarks, where the consumer stands in it, and how far behind it is. */
#include "ui/panels/stream.h"
#include "ui/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column { TOPIC, PARTITION, LEADER, LOW, HIGH, POSITION, COMMITTED, LAG, BEHIND, COLUMNS };

static const struct table_column columns[COLUMNS] = {
    [TOPIC] = {"topic", 9, 2, false, 0},        [PARTITION] = {"part", 4, 0, true, 0},
    [LEADER] = {"leader", 6, 0, true, 7},       [LOW] = {"low", 7, 1, true, 6},
    [HIGH] = {"high", 9, 1, true, 1},           [POSITION] = {"position", 9, 1, true, 4},
    [COMMITTED] = {"committed", 9, 1, true, 3}, [LAG] = {"lag", 6, 1, true, 0},
    [BEHIND] = {"behind", 7, 0, true, 2}};

struct partitions {
    int order; /* column + 1; 0: as they come */
    bool falling;
    uint64_t selected; /* kind and partition, so that it stays where it is while rows move */
    bool chosen;
    struct list list;
    struct table table;
    char filter[64];
    uint64_t changes;
};

static uint64_t identity(const struct kafka_partition_figures *partition)
{
    return (uint64_t)(partition->kind + 1) << 32 | (uint32_t)partition->partition;
}

struct sorting {
    const struct kafka_partition_figures *partitions;
    const struct partitions *state;
};

static int64_t column_value(const struct kafka_partition_figures *partition, int column)
{
    switch (column) {
    case PARTITION:
        return partition->partition;
    case LEADER:
        return partition->leader;
    case LOW:
        return partition->low;
    case HIGH:
        return partition->high;
    case POSITION:
        return partition->position;
    case COMMITTED:
        return partition->committed;
    case LAG:
    case BEHIND:
        return partition->lag;
    default:
        return partition->kind;
    }
}

static int compare(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    const struct kafka_partition_figures *x = &sorting->partitions[*(const uint8_t *)a];
    const struct kafka_partition_figures *y = &sorting->partitions[*(const uint8_t *)b];
    int column = sorting->state->order - 1;
    int64_t left = column_value(x, column), right = column_value(y, column);
    if (left != right)
        return (left < right) == sorting->state->falling ? 1 : -1;
    uint64_t own = identity(x), other = identity(y);
    return (own > other) - (own < other);
}

/* The rows in their order, as indexes; returns their number. */
static size_t arrange(const struct partitions *state, const struct kafka_figures *kafka,
                      uint8_t rows[KAFKA_PARTITIONS])
{
    size_t count = 0;
    for (size_t i = 0; i < kafka->partition_count && i < KAFKA_PARTITIONS; i++) {
        char number[16];
        snprintf(number, sizeof number, "p%d", kafka->partitions[i].partition);
        const char *texts[] = {stream_topic(kafka->partitions[i].kind), number,
                               kafka->partitions[i].lag > 0 ? "lag behind" : ""};
        if (list_matches(state->filter, texts, 3))
            rows[count++] = (uint8_t)i;
    }
    struct sorting sorting = {kafka->partitions, state};
    qsort_r(rows, count, sizeof *rows, compare, &sorting);
    return count;
}

static void find_selected(struct partitions *state, const struct kafka_figures *kafka, const uint8_t *rows,
                          size_t count)
{
    for (size_t i = 0; i < count && state->chosen; i++)
        if (identity(&kafka->partitions[rows[i]]) == state->selected)
            state->list.selected = i;
}

static void draw_row(const struct partitions *state, const struct view *view, struct canvas *canvas, int y,
                     const struct kafka_partition_figures *partition)
{
    const struct table *table = &state->table;
    char text[TEXT_FIGURE_SIZE];
    const struct consumer_topic_figures *topic = partition->kind >= 0 && partition->kind < EVENT_KIND_COUNT
                                                     ? &view->consumer.topics[partition->kind]
                                                     : NULL;
    bool late = topic != NULL && topic->lag_seconds > 5;
    table_put(table, canvas, y, TOPIC, STYLE(stream_role(partition->kind)), stream_word(partition->kind));
    snprintf(text, sizeof text, "%d", partition->partition);
    table_put(table, canvas, y, PARTITION, STYLE(ROLE_TEXT), text);
    snprintf(text, sizeof text, "%d", partition->leader);
    table_put(table, canvas, y, LEADER, partition->leader < 0 ? STYLE(ROLE_BAD) : STYLE(ROLE_DIM),
              partition->leader < 0 ? "none" : text);
    table_put(table, canvas, y, LOW, STYLE(ROLE_DIM), stream_offset(text, partition->low));
    table_put(table, canvas, y, HIGH, STYLE(ROLE_TEXT), stream_offset(text, partition->high));
    table_put(table, canvas, y, POSITION, STYLE(ROLE_TEXT), stream_offset(text, partition->position));
    table_put(table, canvas, y, COMMITTED, STYLE(ROLE_DIM), stream_offset(text, partition->committed));
    struct style lag =
        partition->lag > 0 ? late ? STYLE_BOLD(ROLE_WARNING) : STYLE(ROLE_STRONG) : STYLE(ROLE_DIM);
    table_put(table, canvas, y, LAG, lag, stream_offset(text, partition->lag));
    if (partition->lag > 0 && topic != NULL)
        table_put(table, canvas, y, BEHIND, lag, stream_ms(text, topic->lag_seconds * 1000));
}

static void partitions_draw(void *opaque, const struct view *view, struct canvas *canvas,
                            const struct panel_context *context)
{
    struct partitions *state = opaque;
    const struct kafka_figures *kafka = &view->consumer.kafka;
    uint8_t rows[KAFKA_PARTITIONS];
    text_copy(state->filter, sizeof state->filter, context->filter != NULL ? context->filter : "");
    if (kafka->partition_count == 0) {
        bool down = kafka->state == KAFKA_DOWN;
        stream_nothing(canvas,
                       view->source == VIEW_REPLAY ? "a journey plays: Kafka is not used"
                                                   : "no partition is known yet",
                       down ? "the broker cannot be reached" : "");
        return;
    }
    size_t count = arrange(state, kafka, rows);
    table_fit(&state->table, columns, COLUMNS, canvas->width - 1);
    table_heading(&state->table, canvas, 0, state->order - 1, state->falling);
    find_selected(state, kafka, rows, count);
    list_fit(&state->list, count, canvas->height - 1);
    if (count == 0)
        stream_nothing(canvas, "no partition fits the filter", "Esc clears it");
    struct canvas body = canvas_sub(canvas, 0, 1, canvas->width - 1, canvas->height - 1);
    for (size_t row = 0; row < state->list.rows && state->list.top + row < count; row++) {
        size_t at = state->list.top + row;
        draw_row(state, view, &body, (int)row, &kafka->partitions[rows[at]]);
        if (context->focused && at == state->list.selected)
            list_mark(&body, (int)row, true);
    }
    list_scroll_bar(&state->list, canvas, canvas->width - 1, 1, count);
}

static uint64_t partitions_generation(const void *opaque, const struct view *view)
{
    const struct partitions *state = opaque;
    const struct kafka_figures *kafka = &view->consumer.kafka;
    uint64_t hash = stream_mix(state->changes, kafka->partition_count);
    hash = stream_mix(hash, (uint64_t)kafka->state << 8 | (uint64_t)view->source);
    hash = stream_mix_bytes(hash, view->consumer.topics, sizeof view->consumer.topics);
    return stream_mix_bytes(hash, kafka->partitions, kafka->partition_count * sizeof *kafka->partitions);
}

static void partitions_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    int64_t lag = 0;
    double seconds = 0;
    char figure[TEXT_FIGURE_SIZE], time[TEXT_FIGURE_SIZE];
    bool unknown = true;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct consumer_topic_figures *topic = &view->consumer.topics[kind];
        unknown = unknown && topic->lag < 0;
        if (topic->lag > 0 && __builtin_add_overflow(lag, topic->lag, &lag))
            lag = INT64_MAX;
        if (topic->lag_seconds > seconds)
            seconds = topic->lag_seconds;
    }
    if (view->consumer.kafka.partition_count == 0)
        text[0] = '\0';
    else if (unknown)
        snprintf(text, size, "%zu · lag unknown", view->consumer.kafka.partition_count);
    else if (lag == 0)
        snprintf(text, size, "%zu · no lag", view->consumer.kafka.partition_count);
    else
        snprintf(text, size, "%zu · lag %s · %s", view->consumer.kafka.partition_count,
                 text_count(figure, lag), stream_ms(time, seconds * 1000));
}

static void choose(struct partitions *state, const struct kafka_figures *kafka, const uint8_t *rows,
                   size_t count)
{
    state->chosen = state->list.selected < count;
    if (state->chosen)
        state->selected = identity(&kafka->partitions[rows[state->list.selected]]);
    state->changes++;
}

static void order_by(struct partitions *state, int column)
{
    state->falling =
        state->order == column + 1 ? !state->falling : columns[column].right && column != PARTITION;
    state->order = column + 1;
    state->changes++;
}

static bool partitions_command(void *opaque, const struct view *view, const char *name, const char *argument,
                               const struct panel_host *host)
{
    struct partitions *state = opaque;
    const struct kafka_figures *kafka = &view->consumer.kafka;
    uint8_t rows[KAFKA_PARTITIONS];
    size_t count = arrange(state, kafka, rows);
    if (argument == NULL)
        argument = "";
    find_selected(state, kafka, rows, count);
    if (strcmp(name, "sort") == 0) {
        int column = argument[0] != '\0' ? table_column_named(columns, COLUMNS, argument) : state->order - 1;
        if (column < 0 && argument[0] != '\0')
            return false;
        order_by(state, column < 0 ? LAG : column);
        return true;
    }
    if (strcmp(name, "select") == 0 && (strcmp(argument, "left") == 0 || strcmp(argument, "right") == 0)) {
        order_by(state, table_column_beside(&state->table, state->order - 1, argument[0] == 'l' ? -1 : 1));
        return true;
    }
    if (strcmp(name, "select") == 0 && list_move(&state->list, count, argument)) {
        choose(state, kafka, rows, count);
        return true;
    }
    if (strcmp(name, "copy") == 0 && count > 0 && strcmp(argument, "") == 0) {
        char command[STREAM_COMMAND];
        const struct kafka_partition_figures *partition =
            &kafka->partitions[rows[state->list.selected < count ? state->list.selected : 0]];
        stream_copy(host, stream_kcat(command, view, partition->kind, partition->partition, -1),
                    "the kcat command that follows this partition");
        return true;
    }
    if (strcmp(name, "open") == 0 && count > 0) {
        const struct kafka_partition_figures *partition =
            &kafka->partitions[rows[state->list.selected < count ? state->list.selected : 0]];
        char line[STREAM_TEXT];
        snprintf(line, sizeof line, "tail filter topic:%s partition:%d", stream_topic(partition->kind),
                 partition->partition);
        host->send(host->context, line);
        snprintf(line, sizeof line, "the tail shows %s partition %d", stream_topic(partition->kind),
                 partition->partition);
        host->toast(host->context, LOG_INFO, line);
        return true;
    }
    return false;
}

static bool partitions_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                             const struct panel_host *host)
{
    struct partitions *state = opaque;
    const struct kafka_figures *kafka = &view->consumer.kafka;
    uint8_t rows[KAFKA_PARTITIONS];
    size_t count = arrange(state, kafka, rows);
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN) {
        for (int i = 0; i < 3; i++)
            list_move(&state->list, count, what == MOUSE_WHEEL_UP ? "previous" : "next");
        choose(state, kafka, rows, count);
        return true;
    }
    if (what == MOUSE_CLICK && y == 0) {
        int column = table_column_at(&state->table, x);
        if (column >= 0)
            order_by(state, column);
        return column >= 0;
    }
    if ((what != MOUSE_CLICK && what != MOUSE_DOUBLE) || !list_click(&state->list, count, y - 1))
        return false;
    choose(state, kafka, rows, count);
    return what != MOUSE_DOUBLE || partitions_command(opaque, view, "open", "", host);
}

const struct panel_class partitions_panel = {.name = "partitions",
                                             .title = "Partitions",
                                             .scopes = SCOPE_LIST,
                                             .state_size = sizeof(struct partitions),
                                             .generation = partitions_generation,
                                             .draw = partitions_draw,
                                             .note = partitions_note,
                                             .command = partitions_command,
                                             .mouse = partitions_mouse};
