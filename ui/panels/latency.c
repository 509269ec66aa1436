/*
 * How long it takes, and what stands in the way: acknowledgement latency, the time from producing to the
 * model as a plot, the producer's queue and how often it held the source back, the group, and each broker.
 * The most important fact comes first; each gives way from below when the panel is low.
 */
#include "ui/panels/stream.h"
#include "ui/plot.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

#define LABEL 11

static char *write_ms(char out[PLOT_LABEL_SIZE], double value)
{
    snprintf(out, PLOT_LABEL_SIZE, value < 1000 ? "%.3g ms" : "%.3g s", value < 1000 ? value : value / 1000);
    return out;
}

static int draw_label(struct canvas *canvas, int y, const char *label)
{
    canvas_text_fit(canvas, 0, y, LABEL - 1, STYLE(ROLE_DIM), label);
    return LABEL;
}

/* "p50 1.2 ms" with the figure strong. */
static int draw_figure(struct canvas *canvas, int x, int y, const char *label, const char *figure,
                       struct style style)
{
    if (x + text_width(label) + 1 + text_width(figure) > canvas->width)
        return x;
    x = canvas_text(canvas, x, y, STYLE(ROLE_DIM), label);
    return canvas_text(canvas, x + 1, y, style, figure) + 3;
}

/* ---- brokers ----------------------------------------------------------------------------------------- */

enum column { BROKER, STATE, RTT_IN, RTT_OUT, WORST, QUEUE, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [BROKER] = {"broker", 15, 1, false, 0}, [STATE] = {"state", 6, 0, false, 0},
    [RTT_IN] = {"rtt in", 8, 0, true, 1},   [RTT_OUT] = {"rtt out", 8, 0, true, 2},
    [WORST] = {"p99", 8, 0, true, 3},       [QUEUE] = {"requests", 8, 0, true, 4}};

/* A client may hold several connections to one address (bootstrap, leader, coordinator): the one that is
 * used. */
static const struct kafka_broker_figures *find_broker(const struct kafka_figures *kafka, const char *name)
{
    const struct kafka_broker_figures *found = NULL;
    for (size_t i = 0; i < kafka->broker_count && i < KAFKA_BROKERS; i++) {
        const struct kafka_broker_figures *broker = &kafka->brokers[i];
        if (strcmp(broker->name, name) != 0)
            continue;
        if (found == NULL || (broker->up && !found->up) ||
            (broker->up == found->up && broker->rtt_p50_ms > found->rtt_p50_ms))
            found = broker;
    }
    return found;
}

/* Each address of both clients once. */
static size_t list_brokers(const struct view *view,
                           const struct kafka_broker_figures *rows[2 * KAFKA_BROKERS])
{
    const struct kafka_figures *clients[] = {&view->consumer.kafka, &view->producer.kafka};
    size_t count = 0;
    for (size_t client = 0; client < 2; client++)
        for (size_t i = 0; i < clients[client]->broker_count && i < KAFKA_BROKERS; i++) {
            const struct kafka_broker_figures *broker = &clients[client]->brokers[i];
            bool seen = false;
            for (size_t row = 0; row < count && !seen; row++)
                seen = strcmp(rows[row]->name, broker->name) == 0;
            if (!seen)
                rows[count++] = broker;
        }
    return count;
}

static bool broker_up(const struct view *view, const char *name)
{
    const struct kafka_broker_figures *in = find_broker(&view->consumer.kafka, name);
    const struct kafka_broker_figures *out = find_broker(&view->producer.kafka, name);
    return (in == NULL || in->up) && (out == NULL || out->up);
}

static void draw_brokers(struct canvas *canvas, int y, int rows, const struct view *view)
{
    const struct kafka_broker_figures *brokers[2 * KAFKA_BROKERS];
    size_t count = list_brokers(view, brokers);
    struct table table;
    char text[TEXT_FIGURE_SIZE];
    table_fit(&table, columns, COLUMNS, canvas->width);
    table_heading(&table, canvas, y, -1, false);
    for (size_t i = 0; i < count && (int)i + 1 < rows; i++) {
        const struct kafka_broker_figures *in = find_broker(&view->consumer.kafka, brokers[i]->name);
        const struct kafka_broker_figures *out = find_broker(&view->producer.kafka, brokers[i]->name);
        int row = y + 1 + (int)i;
        bool last = (int)i + 2 == rows && i + 1 < count;
        if (last) {
            canvas_printf(canvas, 0, row, STYLE(ROLE_DIM), "and %zu more", count - i);
            break;
        }
        bool up = broker_up(view, brokers[i]->name);
        double worst = in != NULL ? in->rtt_p99_ms : 0;
        if (out != NULL && out->rtt_p99_ms > worst)
            worst = out->rtt_p99_ms;
        table_put(&table, canvas, row, BROKER, STYLE(ROLE_TEXT), brokers[i]->name);
        table_put(&table, canvas, row, STATE, up ? STYLE(ROLE_GOOD) : STYLE(ROLE_BAD), up ? "up" : "DOWN");
        table_put(&table, canvas, row, RTT_IN, STYLE(ROLE_TEXT),
                  stream_ms(text, in != NULL ? in->rtt_p50_ms : 0));
        table_put(&table, canvas, row, RTT_OUT, STYLE(ROLE_TEXT),
                  stream_ms(text, out != NULL ? out->rtt_p50_ms : 0));
        table_put(&table, canvas, row, WORST, STYLE(ROLE_TEXT), stream_ms(text, worst));
        table_put(&table, canvas, row, QUEUE, STYLE(ROLE_DIM),
                  text_count(text, out != NULL ? out->out_queue : brokers[i]->out_queue));
    }
}

/* ---- facts ------------------------------------------------------------------------------------------- */

struct connection {
    enum kafka_state state;
    const char *detail;
    int64_t since_us;
    size_t brokers, up;
};

/* The worse of the two clients. */
static struct connection connection_of(const struct view *view)
{
    const struct kafka_figures *worse = view_kafka(view);
    struct connection connection = {
        .state = worse->state, .detail = worse->detail, .since_us = worse->state_since_us};
    const struct kafka_broker_figures *brokers[2 * KAFKA_BROKERS];
    connection.brokers = list_brokers(view, brokers);
    for (size_t i = 0; i < connection.brokers; i++)
        connection.up += broker_up(view, brokers[i]->name);
    return connection;
}

/* "● up  LOCAL 127.0.0.1:40211  1 of 1 brokers"; when down, why and the cure below. Returns rows. */
static int draw_connection(struct canvas *canvas, int y, int rows, const struct view *view)
{
    struct connection connection = connection_of(view);
    static const char *const words[] = {"connecting", "up", "DOWN"};
    static const enum role roles[] = {ROLE_WARNING, ROLE_GOOD, ROLE_BAD};
    char text[TEXT_FIGURE_SIZE];
    int x = draw_label(canvas, y, "Kafka");
    canvas_put(canvas, x, y, connection.state == KAFKA_UP ? 0x25CF : 0x25CB, STYLE(roles[connection.state]));
    x = canvas_text(canvas, x + 2, y, STYLE_BOLD(roles[connection.state]), words[connection.state]) + 2;
    if (connection.state == KAFKA_DOWN && connection.since_us > 0)
        x = canvas_printf(canvas, x, y, STYLE(ROLE_TEXT), "since %.8s",
                          stream_clock(text, connection.since_us)) +
            2;
    bool named = strcmp(view->kafka_label, view->kafka_address) != 0;
    char address[160];
    snprintf(address, sizeof address, "%s%s%s", named ? view->kafka_label : "", named ? " " : "",
             view->kafka_address);
    x = canvas_text_fit(canvas, x, y, canvas->width - x, STYLE(ROLE_TEXT), address) + 2;
    if (connection.brokers > 0 && x + 16 <= canvas->width)
        canvas_printf(canvas, x, y, connection.up < connection.brokers ? STYLE(ROLE_BAD) : STYLE(ROLE_DIM),
                      "%zu of %zu up", connection.up, connection.brokers);
    if (connection.state == KAFKA_UP || connection.detail[0] == '\0' || rows < 2)
        return 1;
    return 1 + stream_wrap(canvas, LABEL, y + 1, canvas->width - LABEL, rows - 1 < 3 ? rows - 1 : 3,
                           STYLE(ROLE_WARNING), connection.detail);
}

static void draw_producer(struct canvas *canvas, int y, const struct view *view)
{
    const struct kafka_figures *kafka = &view->producer.kafka;
    char text[TEXT_FIGURE_SIZE];
    int x = draw_label(canvas, y, "to broker");
    if (kafka->statistics_count == 0) {
        canvas_text_fit(canvas, x, y, canvas->width - x, STYLE(ROLE_DIM),
                        view->sim.present ? "not measured yet" : "nothing is sent from here");
        return;
    }
    x = draw_figure(canvas, x, y, "p50", stream_ms(text, kafka->latency_p50_ms), STYLE(ROLE_STRONG));
    x = draw_figure(canvas, x, y, "p95", stream_ms(text, kafka->latency_p95_ms), STYLE(ROLE_STRONG));
    draw_figure(canvas, x, y, "p99", stream_ms(text, kafka->latency_p99_ms), STYLE(ROLE_STRONG));
}

static void draw_end_to_end(struct canvas *canvas, int y, const struct view *view, const float *values,
                            size_t count)
{
    char text[TEXT_FIGURE_SIZE];
    int x = draw_label(canvas, y, "to screen");
    double now = count > 0 ? (double)values[count - 1] : 0;
    for (size_t i = count; i > 0 && !(now > 0); i--) /* the last second in which anything came */
        now = (double)values[i - 1];
    x = draw_figure(canvas, x, y, "now", stream_ms(text, now), STYLE(ROLE_STRONG));
    x = draw_figure(canvas, x, y, "worst", stream_ms(text, plot_max(values, count, count)),
                    STYLE(ROLE_STRONG));
    double behind = 0;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (view->consumer.topics[kind].lag_seconds > behind)
            behind = view->consumer.topics[kind].lag_seconds;
    draw_figure(canvas, x, y, "lag", behind > 0 ? stream_ms(text, behind * 1000) : "none",
                behind > 5 ? STYLE_BOLD(ROLE_WARNING) : STYLE(ROLE_STRONG));
}

static void draw_queue(struct canvas *canvas, int y, const struct view *view)
{
    const struct producer_figures *producer = &view->producer;
    const struct kafka_figures *kafka = &producer->kafka;
    char depth[TEXT_FIGURE_SIZE], limit[TEXT_FIGURE_SIZE], text[TEXT_FIGURE_SIZE * 2 + 8];
    int x = draw_label(canvas, y, "queue");
    double part = kafka->queue_limit > 0 ? (double)kafka->queue_messages / (double)kafka->queue_limit : 0;
    struct style style = part > 0.8 ? STYLE_BOLD(ROLE_WARNING) : STYLE(ROLE_STRONG);
    snprintf(text, sizeof text, "%s of %s", text_si(depth, (double)kafka->queue_messages),
             text_si(limit, (double)kafka->queue_limit));
    if (kafka->queue_limit <= 0)
        snprintf(text, sizeof text, "%s", text_si(depth, (double)kafka->queue_messages));
    x = canvas_text_fit(canvas, x, y, canvas->width - x, style, text) + 1;
    if (kafka->queue_limit > 0 && canvas->width - x >= 30) {
        canvas_bar(canvas, x, y, 10, part, STYLE(part > 0.8 ? ROLE_WARNING : ROLE_GOOD));
        x += 11;
    }
    char times[TEXT_FIGURE_SIZE], waited[TEXT_FIGURE_SIZE], held[80] = "never held back";
    if (producer->held)
        snprintf(held, sizeof held, "HELD BACK now, %s in all", text_age(waited, producer->waited_us));
    else if (producer->waits > 0)
        snprintf(held, sizeof held, "held back %s×, %s", text_count(times, (int64_t)producer->waits),
                 text_age(waited, producer->waited_us));
    canvas_text_fit(canvas, x + 1, y, canvas->width - x - 1,
                    producer->held ? STYLE_BOLD(ROLE_WARNING) : STYLE(ROLE_DIM), held);
}

static void draw_group(struct canvas *canvas, int y, const struct view *view)
{
    const struct kafka_figures *kafka = &view->consumer.kafka;
    char count[TEXT_FIGURE_SIZE];
    int x = draw_label(canvas, y, "group");
    if (kafka->group[0] == '\0') {
        canvas_text_fit(canvas, x, y, canvas->width - x, STYLE(ROLE_TEXT),
                        view->source == VIEW_REPLAY    ? "none: a journey plays"
                        : kafka->statistics_count == 0 ? "–"
                                                       : "none: partitions are assigned directly");
        return;
    }
    x = canvas_text_fit(canvas, x, y, canvas->width - x, STYLE(ROLE_TEXT), kafka->group) + 2;
    x = canvas_text_fit(canvas, x, y, canvas->width - x,
                        STYLE(strcmp(kafka->member_state, "up") == 0 ? ROLE_GOOD : ROLE_TEXT),
                        kafka->member_state[0] ? kafka->member_state : "joining") +
        2;
    if (x < canvas->width)
        canvas_text_fit(canvas, x, y, canvas->width - x, STYLE(ROLE_DIM),
                        view->consumer.paused ? "PAUSED: recorder behind" : "");
    if (!view->consumer.paused && x + 14 <= canvas->width)
        canvas_printf(canvas, x, y, STYLE(ROLE_DIM), "%s rebalance%s",
                      text_count(count, (int64_t)kafka->rebalances), kafka->rebalances == 1 ? "" : "s");
}

/* ---- the panel --------------------------------------------------------------------------------------- */

static void draw_plot(struct canvas *canvas, const float *values, size_t count)
{
    size_t window = stream_window(count);
    struct plot plot = {.values = values,
                        .count = count,
                        .window = window,
                        .top = plot_top(plot_max(values, count, window)),
                        .style = STYLE(ROLE_INFO)};
    struct canvas area = canvas_sub(canvas, LABEL, 0, canvas->width - LABEL, canvas->height - 1);
    plot_axis(canvas, LABEL - 1, 0, canvas->height - 1, plot.top, write_ms);
    plot_draw(&plot, &area);
    plot_time_axis(canvas, LABEL, canvas->height - 1, canvas->width - LABEL, (int64_t)window);
}

static void latency_draw(void *state, const struct view *view, struct canvas *canvas,
                         const struct panel_context *context)
{
    float values[SERIES_BUCKETS];
    size_t count = stream_series(&view->city->latency_series, values);
    const struct kafka_broker_figures *brokers[2 * KAFKA_BROKERS];
    int rows = canvas->height, broker_rows = (int)list_brokers(view, brokers) + 1;
    int y = 0;
    if (rows >= 3 || connection_of(view).state != KAFKA_UP)
        y += draw_connection(canvas, y, rows - (rows > 3 ? 2 : 0), view);
    if (y < rows)
        draw_producer(canvas, y++, view);
    if (y < rows)
        draw_end_to_end(canvas, y++, view, values, count);
    int left = rows - y - 2; /* behind queue and group */
    int plot = left - broker_rows >= 4 ? left - broker_rows : left >= 8 ? left / 2 : 0;
    if (plot > 10)
        plot = rows > 40 ? 16 : 10;
    if (plot > 0 && canvas->width >= LABEL + 16) {
        struct canvas area = canvas_sub(canvas, 0, y, canvas->width, plot);
        draw_plot(&area, values, count);
        y += plot;
    }
    if (y < rows)
        draw_queue(canvas, y++, view);
    if (y < rows)
        draw_group(canvas, y++, view);
    if (rows - y >= 2)
        draw_brokers(canvas, y, rows - y, view);
}

static uint64_t latency_generation(const void *state, const struct view *view)
{
    const struct kafka_figures *clients[] = {&view->producer.kafka, &view->consumer.kafka};
    uint64_t hash = stream_mix(1, view->city->generation);
    for (size_t i = 0; i < 2; i++) {
        const struct kafka_figures *kafka = clients[i];
        hash = stream_mix(hash, kafka->statistics_count);
        hash = stream_mix(hash, (uint64_t)kafka->state << 32 | kafka->rebalances);
        hash = stream_mix_bytes(hash, kafka->detail, strlen(kafka->detail));
        hash = stream_mix_bytes(hash, kafka->member_state, strlen(kafka->member_state));
        hash = stream_mix(hash, (uint64_t)kafka->queue_messages);
        for (size_t b = 0; b < kafka->broker_count && b < KAFKA_BROKERS; b++)
            hash = stream_mix(hash, kafka->brokers[b].up);
    }
    hash = stream_mix(hash, view->producer.waits * 4 + view->producer.held * 2u + view->consumer.paused);
    hash = stream_mix(hash, (uint64_t)view->producer.waited_us);
    return stream_mix_bytes(hash, view->consumer.topics, sizeof view->consumer.topics);
}

static bool latency_command(void *state, const struct view *view, const char *name, const char *argument,
                            const struct panel_host *host)
{
    if (strcmp(name, "copy") != 0 || view->kafka_address[0] == '\0')
        return false;
    char command[STREAM_TEXT];
    snprintf(command, sizeof command, "kcat -b %.63s -L", view->kafka_address);
    stream_copy(host, command, "the kcat command that lists brokers and topics");
    return true;
}

const struct panel_class latency_panel = {.name = "latency",
                                          .title = "Latency and brokers",
                                          .generation = latency_generation,
                                          .draw = latency_draw,
                                          .command = latency_command};
