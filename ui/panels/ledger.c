/* The Ledger: where every event of this run is, and, by name, whatever does not come out even. */
#include "ui/panels/ledger.h"
#include "ui/panels/lake.h"
#include "ui/table.h"

#include <stdio.h>
#include <string.h>

/* ---- the account ------------------------------------------------------------------------------------- */

static int64_t figure(uint64_t value)
{
    return value > INT64_MAX / 16 ? INT64_MAX / 16 : (int64_t)value;
}

static int64_t over_zero(int64_t value)
{
    return value > 0 ? value : 0;
}

static void account_kind(const struct view *view, int kind, struct account *account)
{
    const struct producer_topic_figures *producer = &view->producer.topics[kind];
    const struct lake_kind_figures *lake = &view->lake.figures.kinds[kind];
    *account = (struct account){
        .simulated_here = view->sim.present,
        .simulated = figure(producer->produced),
        .acknowledged = figure(producer->acknowledged),
        .failed = figure(producer->failed),
        .consumed = figure(view->consumer.topics[kind].consumed),
        .gaps = figure(view->consumer.topics[kind].gaps),
        .recorded = view->recorder.state == RECORDER_OFF ? -1 : figure(view->recorder.journey.events[kind]),
        .taken = figure(lake->taken),
        .landed = figure(lake->rows),
        .quarantined = figure(lake->quarantined),
        .in_lake = figure(lake->waiting),
        .returned = figure(lake->returned),
        .refused = figure(lake->refused),
        .repeated = figure(lake->repeated),
        .missing = figure(lake->missing)};
    if (!account->simulated_here) /* somebody else's: what we read is what there is */
        account->simulated = account->acknowledged = account->consumed;
    account->in_producer = over_zero(account->simulated - account->acknowledged - account->failed);
    if (!view->lake.present) { /* nothing takes it further */
        account->in_flight = account->in_producer;
        return;
    }
    account->residual = account->taken - account->landed - account->quarantined - account->in_lake;
    /* What was given back is read, and counted, again; not all of it had been counted before. */
    if (account->residual > 0 && account->returned > 0) {
        int64_t again = account->residual < account->returned ? account->residual : account->returned;
        account->taken -= again;
        account->residual -= again;
    }
    account->in_kafka =
        over_zero(account->acknowledged - account->taken - account->missing - account->refused);
    /* An open batch tells only its rows: what the panels could not read either is in it, quarantined. */
    int64_t unreadable = figure(view->city->topics[kind].quarantined) - account->quarantined;
    if (account->residual > 0 && unreadable > 0) {
        int64_t pending = account->residual < unreadable ? account->residual : unreadable;
        account->in_lake += pending;
        account->residual -= pending;
    }
    account->in_flight = account->in_producer + account->in_kafka + account->in_lake;
}

void ledger_account(const struct view *view, int kind, struct account *account)
{
    if (kind < EVENT_KIND_COUNT) {
        account_kind(view, kind, account);
        return;
    }
    *account = (struct account){.simulated_here = view->sim.present,
                                .recorded = view->recorder.state == RECORDER_OFF ? -1 : 0};
    for (int one = 0; one < EVENT_KIND_COUNT; one++) {
        struct account part;
        account_kind(view, one, &part);
        account->simulated += part.simulated;
        account->acknowledged += part.acknowledged;
        account->consumed += part.consumed;
        account->recorded += part.recorded > 0 ? part.recorded : 0;
        account->failed += part.failed;
        account->taken += part.taken;
        account->landed += part.landed;
        account->quarantined += part.quarantined;
        account->in_producer += part.in_producer;
        account->in_kafka += part.in_kafka;
        account->in_lake += part.in_lake;
        account->in_flight += part.in_flight;
        account->returned += part.returned;
        account->refused += part.refused;
        account->repeated += part.repeated;
        account->missing += part.missing;
        account->gaps += part.gaps;
        account->residual +=
            part.residual < 0 ? -part.residual : part.residual; /* they never make each other good */
    }
}

/* ---- the table --------------------------------------------------------------------------------------- */

enum column { TOPIC, SIMULATED, ACKED, CONSUMED, RECORDED, LANDED, FLIGHT, BAD, RESIDUAL, COLUMNS };
static const struct table_column columns[COLUMNS] = {
    [TOPIC] = {"topic", 9, 0, false, 0},        [SIMULATED] = {"simulated", 9, 1, true, 0},
    [ACKED] = {"acknowledged", 12, 1, true, 4}, [CONSUMED] = {"consumed", 9, 1, true, 2},
    [RECORDED] = {"recorded", 9, 1, true, 3},   [LANDED] = {"landed", 9, 1, true, 0},
    [FLIGHT] = {"in flight", 9, 1, true, 0},    [BAD] = {"quarantined", 11, 0, true, 5},
    [RESIDUAL] = {"residual", 8, 0, true, 0}};

static void draw_row(const struct table *table, struct canvas *canvas, int y, const struct account *account)
{
    char text[TEXT_FIGURE_SIZE];
    table_put(table, canvas, y, SIMULATED, STYLE(ROLE_STRONG),
              account->simulated_here ? text_count(text, account->simulated) : stream_none(text));
    table_put(table, canvas, y, ACKED, STYLE(ROLE_TEXT),
              account->simulated_here ? text_count(text, account->acknowledged) : stream_none(text));
    table_put(table, canvas, y, CONSUMED, STYLE(ROLE_TEXT), text_count(text, account->consumed));
    table_put(table, canvas, y, RECORDED, STYLE(ROLE_TEXT), stream_offset(text, account->recorded));
    table_put(table, canvas, y, LANDED, STYLE(ROLE_STRONG), text_count(text, account->landed));
    table_put(table, canvas, y, FLIGHT, STYLE(account->in_flight > 0 ? ROLE_INFO : ROLE_DIM),
              text_count(text, account->in_flight));
    table_put(table, canvas, y, BAD, STYLE(account->quarantined > 0 ? ROLE_WARNING : ROLE_DIM),
              text_count(text, account->quarantined));
    table_put(table, canvas, y, RESIDUAL, account->residual == 0 ? STYLE(ROLE_GOOD) : STYLE_BOLD(ROLE_BAD),
              text_count(text, account->residual));
}

/* "2,040,000 simulated = 1,960,000 landed + 80,000 in flight + 3 quarantined + 0 lost + 0 residual" */
static int draw_equation(struct canvas *canvas, int y, const struct account *all)
{
    char text[200], whole[TEXT_FIGURE_SIZE], landed[TEXT_FIGURE_SIZE], flight[TEXT_FIGURE_SIZE],
        bad[TEXT_FIGURE_SIZE], failed[TEXT_FIGURE_SIZE], residual[TEXT_FIGURE_SIZE];
    snprintf(text, sizeof text, "%s %s = %s landed + %s in flight + %s quarantined + %s lost + %s residual",
             text_count(whole, all->simulated), all->simulated_here ? "simulated" : "read",
             text_count(landed, all->landed), text_count(flight, all->in_flight),
             text_count(bad, all->quarantined), text_count(failed, all->failed + all->missing + all->refused),
             text_count(residual, all->residual));
    y += stream_wrap(canvas, 0, y, canvas->width, 2,
                     all->residual == 0 ? STYLE_BOLD(ROLE_GOOD) : STYLE_BOLD(ROLE_BAD), text);
    snprintf(text, sizeof text, "in flight: %s in the producer, %s in Kafka, %s in the lake writer",
             text_count(whole, all->in_producer), text_count(landed, all->in_kafka),
             text_count(flight, all->in_lake));
    if (y < canvas->height)
        canvas_text_fit(canvas, 0, y, canvas->width, STYLE(ROLE_DIM), text);
    return y + 1;
}

/* ---- what does not come out even --------------------------------------------------------------------- */

static int say(struct canvas *canvas, int y, int kind, int64_t count, enum role role, const char *what)
{
    char text[TEXT_FIGURE_SIZE];
    if (count == 0 || y >= canvas->height)
        return y;
    int x = canvas_text(canvas, 0, y, STYLE(kind < 0 ? ROLE_STRONG : stream_role(kind)),
                        kind < 0 ? "all" : stream_word(kind));
    canvas_text_right(canvas, 24, y, STYLE(role), text_count(text, count));
    canvas_text_fit(canvas, x < 26 ? 26 : x + 1, y, canvas->width - 26, STYLE(ROLE_TEXT), what);
    return y + 1;
}

static int draw_named(struct canvas *canvas, int y, const struct view *view)
{
    int first = y;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct account account;
        ledger_account(view, kind, &account);
        y = say(canvas, y, kind, account.residual, ROLE_BAD, "unexplained: compare the batches of screen 3");
        y = say(canvas, y, kind, account.failed, ROLE_BAD, "given up by the producer: the log says why");
        y = say(canvas, y, kind, account.missing, ROLE_BAD,
                "offsets that Kafka let go before the lake read them");
        y = say(canvas, y, kind, account.gaps, ROLE_BAD, "offsets that the panels' reader never got");
        y = say(canvas, y, kind, account.refused, ROLE_BAD, "refused: another writer has the partition");
        y = say(canvas, y, kind, account.returned, ROLE_WARNING,
                "given back uncommitted: read from Kafka again");
        y = say(canvas, y, kind, account.quarantined, ROLE_WARNING,
                "quarantined: landed beside the rows, with the reason");
        y = say(canvas, y, kind, account.repeated, ROLE_DIM, "offered twice, taken once");
    }
    y = say(canvas, y, -1, figure(view->recorder.missed), ROLE_BAD,
            "not recorded: the journey has a gap there");
    y = say(canvas, y, -1, figure(view->recorder.journey.dropped_oldest), ROLE_DIM,
            "recorded, and let go by the journey's ring");
    if (y == first && y < canvas->height)
        canvas_text_fit(canvas, 0, y++, canvas->width, STYLE(ROLE_DIM),
                        "nothing was lost, refused, quarantined or seen twice");
    return y;
}

static void ledger_draw(void *opaque, const struct view *view, struct canvas *canvas,
                        const struct panel_context *context)
{
    struct table table;
    struct account account;
    table_fit(&table, columns, COLUMNS, canvas->width < 140 ? canvas->width : 140);
    table_heading(&table, canvas, 0, -1, false);
    int y = 1;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++, y++) {
        ledger_account(view, kind, &account);
        table_put(&table, canvas, y, TOPIC, STYLE(stream_role(kind)), stream_word(kind));
        draw_row(&table, canvas, y, &account);
    }
    ledger_account(view, EVENT_KIND_COUNT, &account);
    table_put(&table, canvas, y, TOPIC, STYLE_BOLD(ROLE_STRONG), "all");
    draw_row(&table, canvas, y++, &account);
    y += canvas->height - y > 6;
    y = draw_equation(canvas, y, &account);
    y += canvas->height - y > 4;
    draw_named(canvas, y, view);
}

static uint64_t ledger_generation(const void *opaque, const struct view *view)
{
    uint64_t hash = stream_mix(view->recorder.missed, view->recorder.journey.dropped_oldest);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct account account;
        memset(&account, 0, sizeof account);
        ledger_account(view, kind, &account);
        const int64_t figures[] = {
            account.simulated_here, account.simulated, account.acknowledged, account.consumed,
            account.recorded,       account.failed,    account.taken,        account.landed,
            account.quarantined,    account.in_flight, account.returned,     account.refused,
            account.repeated,       account.missing,   account.gaps,         account.residual};
        hash = stream_mix_bytes(hash, figures, sizeof figures);
    }
    return hash;
}

static void ledger_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    struct account all;
    char figures[TEXT_FIGURE_SIZE];
    ledger_account(view, EVENT_KIND_COUNT, &all);
    snprintf(text, size, "this run · residual %s", text_count(figures, all.residual));
}

static bool ledger_command(void *opaque, const struct view *view, const char *name, const char *argument,
                           const struct panel_host *host)
{
    if (strcmp(name, "copy") != 0 || (argument != NULL && argument[0] != '\0'))
        return false;
    stream_copy(host, "smartcity status --output json", "the command that prints these figures");
    return true;
}

const struct panel_class ledger_panel = {.name = "ledger",
                                         .title = "Ledger",
                                         .generation = ledger_generation,
                                         .draw = ledger_draw,
                                         .note = ledger_note,
                                         .command = ledger_command};
