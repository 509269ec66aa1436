/*
 * The rows round the panels. On top: what is running, when, how fast, and what it is connected to, in words;
 * then the screens as tabs, on the same row where rows are scarce. Below: what happened last, and the keys
 * that work now, from the command table. Each part of the top row has a long and a short form and a rank;
 * when the row is short of cells, parts shrink and then go, the highest rank first.
 */
#include "ui/screen_private.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TALL 30

struct part {
    char text[96], brief[48];
    enum role role;
    int rank; /* 0 stays */
    bool right;
    int form; /* 0 long, 1 brief, 2 gone */
};
#define PARTS 16
struct parts {
    size_t count;
    struct part list[PARTS];
};

int bars_top(const struct screen *screen)
{
    return screen->height >= TALL ? 2 : 1;
}

int bars_bottom(const struct screen *screen)
{
    (void)screen;
    return 2;
}

void bars_hit(struct screen *screen, int x, int y, int width, const char *line)
{
    if (screen->hit_count == SCREEN_HITS || width <= 0)
        return;
    struct hit *hit = &screen->hits[screen->hit_count++];
    hit->rect = (struct rect){x, y, width, 1};
    text_copy(hit->line, sizeof hit->line, line);
}

/* ---- top row ----------------------------------------------------------------------------------------- */

static struct part *add(struct parts *parts, bool right, enum role role, int rank)
{
    struct part *part = &parts->list[parts->count < PARTS - 1 ? parts->count++ : PARTS - 1];
    *part = (struct part){.role = role, .rank = rank, .right = right};
    return part;
}

static void set(struct part *part, const char *text, const char *brief)
{
    text_copy(part->text, sizeof part->text, text);
    text_copy(part->brief, sizeof part->brief, brief);
}

/* The word for what is going on; colour only repeats it. */
static const char *state_word(const struct screen *screen, enum role *role)
{
    const struct view *view = screen->view;
    *role = ROLE_PAUSED;
    if (screen->frozen)
        return "FROZEN";
    if (view->source == VIEW_REPLAY) {
        if (view->replay.ended)
            return "ENDED";
        if (view->replay.paused)
            return "PAUSED";
        *role = ROLE_REPLAY;
        return "REPLAY";
    }
    if (view->source == VIEW_LIVE && view->sim.present && view->sim.paused)
        return "PAUSED";
    *role = ROLE_LIVE;
    return view->source == VIEW_WATCH ? "WATCH" : "LIVE";
}

static void add_clock(struct parts *parts, const struct view *view)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t ms = view->city->simulated_ms;
    struct part *part = add(parts, false, ROLE_BAR, 3);
    char at[TEXT_TIME_SIZE]; /* 2026-01-12T08:14:32.000Z */
    if (ms <= 0) {
        set(part, "no event yet", "no event");
        return;
    }
    text_time(at, ms);
    int month = (at[5] - '0') * 10 + (at[6] - '0');
    int64_t day = ms / 86400000; /* 1 January 1970 was a Thursday */
    snprintf(part->text, sizeof part->text, "%s %s%c %s %.4s  %.8s UTC", days[(day + 4) % 7],
             at[8] == '0' ? "" : (char[]){at[8], '\0'}, at[9], months[(month + 11) % 12], at, at + 11);
    snprintf(part->brief, sizeof part->brief, "%.8sZ", at + 11);
}

static void add_speed(struct parts *parts, const struct view *view)
{
    struct part *part = add(parts, false, ROLE_BAR, 4);
    double speed = view->source == VIEW_REPLAY ? view->replay.speed : view->sim.speed;
    bool most = view->source == VIEW_REPLAY && speed <= 0;
    char text[32];
    snprintf(text, sizeof text, most ? "×max" : speed == floor(speed) ? "×%.0f" : "×%.1f", speed);
    set(part, text, text);
    bool runs = view->source == VIEW_LIVE && !view->sim.paused;
    if (runs && view->sim.reached > 0 && view->sim.reached < 0.85 * view->sim.speed) {
        snprintf(part->text, sizeof part->text, "%s, reaching ×%.3g", text, view->sim.reached);
        part->role = ROLE_WARNING;
    }
}

static void add_replay(struct parts *parts, const struct view *view)
{
    char at[TEXT_FIGURE_SIZE], of[TEXT_FIGURE_SIZE];
    struct part *part = add(parts, false, ROLE_BAR, 2);
    text_duration(at, view->replay.position_us);
    text_duration(of, view->replay.length_us);
    snprintf(part->text, sizeof part->text, "%s of %s", at, of);
    snprintf(part->brief, sizeof part->brief, "%s/%s", at, of);
    part = add(parts, false, ROLE_BAR, 6);
    snprintf(part->text, sizeof part->text, "%s%s", view->replay.name,
             view->replay.to_kafka ? " to Kafka" : "");
}

static void add_kafka(struct parts *parts, const struct view *view)
{
    static const struct {
        const char *sign, *word;
        enum role role;
    } states[] = {{"◐", "connecting", ROLE_WARNING}, {"●", "up", ROLE_GOOD}, {"✗", "DOWN", ROLE_BAD}};
    unsigned state = (unsigned)view_kafka(view)->state;
    if (state > KAFKA_DOWN)
        state = KAFKA_CONNECTING;
    struct part *part = add(parts, true, ROLE_STRONG, 5);
    set(part, view->kafka_label, view->kafka_label);
    part = add(parts, true, states[state].role, 0);
    snprintf(part->text, sizeof part->text, "kafka %s %s", states[state].sign, states[state].word);
    snprintf(part->brief, sizeof part->brief, "kafka %s%s", states[state].sign,
             state == KAFKA_CONNECTING ? "" : states[state].word);
    static const struct {
        const char *sign;
        enum role role;
    } clouds[] = {{"–", ROLE_DIM}, {"◐", ROLE_WARNING}, {"●", ROLE_GOOD}, {"✗", ROLE_BAD}};
    unsigned cloud = (unsigned)view->cloud.state % 4;
    part = add(parts, true, clouds[cloud].role, 7);
    snprintf(part->text, sizeof part->text, "cloud %s %s", clouds[cloud].sign, view->cloud_label);
    snprintf(part->brief, sizeof part->brief, "cloud %s", clouds[cloud].sign);
}

static void add_parts(const struct screen *screen, struct parts *parts)
{
    const struct view *view = screen->view;
    struct part *part = add(parts, false, ROLE_BAR_KEY, 6);
    set(part, "smartcity", "smartcity");
    enum role role;
    char word[24];
    snprintf(word, sizeof word, " %s ", state_word(screen, &role));
    part = add(parts, false, role, 0);
    set(part, word, word);
    if (view->source == VIEW_REPLAY)
        add_replay(parts, view);
    add_clock(parts, view);
    if (view->source != VIEW_WATCH)
        add_speed(parts, view);
    char count[TEXT_FIGURE_SIZE];
    text_count(count, (int64_t)view->city->vehicle_count);
    part = add(parts, false, ROLE_BAR, 8);
    snprintf(part->text, sizeof part->text, "%s vehicles", count);
    snprintf(part->brief, sizeof part->brief, "%s veh", count);
    if (view->source == VIEW_LIVE && view->sim.present) {
        part = add(parts, false, ROLE_BAR, 9);
        snprintf(part->text, sizeof part->text, "seed %llu", (unsigned long long)view->sim.seed);
    }
    if (view->sim.present && view->sim.world.weather_override[0] != '\0') {
        part = add(parts, false, ROLE_BAR, 10);
        snprintf(part->text, sizeof part->text, "weather set: %s", view->sim.world.weather_override);
    }
    if (view->read_only) {
        part = add(parts, true, ROLE_WARNING, 1);
        set(part, "READ-ONLY", "R/O");
    }
    add_kafka(parts, view);
}

static const char *part_text(const struct part *part)
{
    return part->form == 0 ? part->text : part->form == 1 ? part->brief : "";
}

static int parts_width(const struct parts *parts)
{
    int width = 2;
    for (size_t i = 0; i < parts->count; i++) {
        int cells = text_width(part_text(&parts->list[i]));
        width += cells > 0 ? cells + 2 : 0;
    }
    return width;
}

/* Shrinks what can be shrunk, the highest rank first, then lets go in the same order. */
static void parts_fit(struct parts *parts, int width)
{
    for (size_t i = 0; i < parts->count; i++)
        if (parts->list[i].brief[0] == '\0')
            text_copy(parts->list[i].brief, sizeof parts->list[i].brief, parts->list[i].text);
    for (int form = 1; form <= 2; form++)
        while (parts_width(parts) > width) {
            struct part *worst = NULL;
            for (size_t i = 0; i < parts->count; i++) {
                struct part *part = &parts->list[i];
                bool can = part->form < form && (form == 1 || part->rank > 0);
                if (can && (worst == NULL || part->rank > worst->rank))
                    worst = part;
            }
            if (worst == NULL)
                break;
            worst->form = form;
        }
}

/* On the bar's background, in the colour of the role. */
static struct style on_bar(enum role role)
{
    if (role == ROLE_LIVE || role == ROLE_REPLAY || role == ROLE_PAUSED || role == ROLE_BAR ||
        role == ROLE_BAR_KEY)
        return STYLE(role);
    if (role == ROLE_STRONG)
        return STYLE_BOLD(ROLE_BAR);
    return (struct style){.fg = COLOUR_ROLE(role), .bg = COLOUR_ROLE(ROLE_BAR)};
}

/* Tabs as "1 Drive  2 Stream"; short: "1 Drive 2 7 9". Returns the cells used. */
static int draw_tabs(struct screen *screen, struct canvas *canvas, int x, int y, bool brief, bool draw)
{
    int start = x;
    for (size_t i = 0; i < screen->row_count; i++) {
        const struct screen_row *row = &screen->rows[i];
        if (!screen_row_built(row))
            continue;
        bool here = i == screen->row;
        char text[48], line[64];
        if (brief && !here)
            snprintf(text, sizeof text, " %s ", row->key);
        else
            snprintf(text, sizeof text, " %s %s ", row->key, row->title);
        int width = text_width(text);
        if (draw) {
            canvas_text(canvas, x, y,
                        here    ? STYLE(ROLE_SELECTED)
                        : brief ? on_bar(ROLE_BAR)
                                : STYLE(ROLE_DIM),
                        text);
            if (!here && !brief)
                canvas_text(canvas, x + 1, y, STYLE_BOLD(ROLE_NONE), row->key);
            snprintf(line, sizeof line, "screen %s", row->name);
            bars_hit(screen, x, y, width, line);
        }
        x += width + (brief ? 0 : 1);
    }
    return x - start;
}

static void draw_top(struct screen *screen, struct canvas *canvas)
{
    struct parts parts = {0};
    add_parts(screen, &parts);
    bool one_row = bars_top(screen) == 1;
    int tabs = one_row ? draw_tabs(screen, canvas, 0, 0, true, false) + 1 : 0;
    parts_fit(&parts, canvas->width - tabs);
    canvas_fill(canvas, 0, 0, canvas->width, 1, ' ', STYLE(ROLE_BAR));
    int x = 1, right = canvas->width - tabs - 1;
    for (size_t i = 0; i < parts.count; i++) {
        const struct part *part = &parts.list[i];
        if (part->right || part_text(part)[0] == '\0')
            continue;
        x = canvas_text(canvas, x, 0, on_bar(part->role), part_text(part)) + 2;
    }
    for (size_t i = parts.count; i-- > 0;) {
        const struct part *part = &parts.list[i];
        if (!part->right || part_text(part)[0] == '\0')
            continue;
        right = canvas_text_right(canvas, right, 0, on_bar(part->role), part_text(part)) - 2;
    }
    if (one_row)
        draw_tabs(screen, canvas, canvas->width - tabs, 0, true, true);
}

/* At the right of the tabs: what is being recorded. */
static void draw_recorder(struct screen *screen, struct canvas *canvas, int left)
{
    const struct recorder_figures *recorder = &screen->view->recorder;
    char text[320], bytes[TEXT_FIGURE_SIZE], count[TEXT_FIGURE_SIZE];
    enum role role = ROLE_DIM;
    if (screen->view->source == VIEW_REPLAY)
        return;
    if (recorder->state == RECORDER_ON) {
        text_bytes(bytes, (double)recorder->journey.file_bytes);
        text_count(count, (int64_t)recorder->recorded);
        snprintf(text, sizeof text, "● recording%s%s · %s events · %s",
                 recorder->journey.name[0] != 0 ? " " : "", recorder->journey.name, count, bytes);
    } else if (recorder->state == RECORDER_FAILED) {
        text_count(count, (int64_t)recorder->missed);
        snprintf(text, sizeof text, "▲ not recording, %s missed: %s", count, recorder->problem);
        role = ROLE_BAD;
    } else {
        snprintf(text, sizeof text, "not recording");
    }
    int width = text_width(text), room = canvas->width - left - 3;
    if (width <= room)
        canvas_text_right(canvas, canvas->width - 1, 1, STYLE(role), text);
    else if (room > 24)
        canvas_text_fit(canvas, left + 2, 1, room, STYLE(role), text);
}

/* ---- bottom rows ------------------------------------------------------------------------------------- */

static void draw_message(struct canvas *canvas, int y, int room, enum log_level level, const char *text)
{
    static const struct {
        const char *sign;
        enum role role;
    } looks[] = {[LOG_DEBUG] = {"·", ROLE_DIM},
                 [LOG_INFO] = {"·", ROLE_TEXT},
                 [LOG_DONE] = {"✓", ROLE_GOOD},
                 [LOG_WARNING] = {"▲", ROLE_WARNING},
                 [LOG_ERROR] = {"✗", ROLE_BAD}};
    unsigned index = (unsigned)level <= LOG_ERROR ? (unsigned)level : LOG_INFO;
    int x = canvas_text(canvas, 1, y, STYLE(looks[index].role), looks[index].sign) + 1;
    canvas_text_fit(canvas, x, y, room - x, STYLE(looks[index].role), text);
}

/* What stays wrong is said as long as it is so; else what was said last, then what the log holds last. */
static void draw_status(struct screen *screen, struct canvas *canvas, int y)
{
    const struct view *view = screen->view;
    const char *filter = screen_filter(screen);
    int right = canvas->width - 1;
    canvas_fill(canvas, 0, y, canvas->width, 1, ' ', STYLE(ROLE_NONE));
    if (screen->full)
        right = canvas_text_right(canvas, right, y, STYLE(ROLE_DIM), "full screen, z returns") - 2;
    if (filter != NULL && filter[0] != '\0') {
        char text[SCREEN_FILTER + 32];
        snprintf(text, sizeof text, "filter \"%s\", Esc clears", filter);
        right = canvas_text_right(canvas, right, y, STYLE(ROLE_WARNING), text) - 2;
    } else if (screen->row_count > 0 && !screen->full && view->log_count > 0 && canvas->width >= 100 &&
               screen->rows[screen->row].scope != SCOPE_LOG) {
        right = canvas_text_right(canvas, right, y, STYLE(ROLE_DIM), "log: 9") - 2;
    }
    bool own = screen->toast[0] != '\0' && screen->now_us < screen->toast_until_us;
    bool theirs = view->toast.text[0] != '\0' && view->toast.until_us > screen->now_us;
    if (own && (!theirs || screen->toast_until_us >= view->toast.until_us)) {
        draw_message(canvas, y, right, screen->toast_level, screen->toast);
    } else if (theirs) {
        draw_message(canvas, y, right, view->toast.level, view->toast.text);
    } else if (view_kafka(view)->state == KAFKA_DOWN) {
        char text[300];
        snprintf(text, sizeof text, "%s%s",
                 canvas->width < 100 ? "" : "Kafka is down: ", view_kafka(view)->detail);
        draw_message(canvas, y, right, LOG_ERROR, text);
    } else if (view->recorder.state == RECORDER_FAILED) {
        draw_message(canvas, y, right, LOG_ERROR, view->recorder.problem);
    } else if (view->sim.present && view->sim.held) {
        draw_message(canvas, y, right, LOG_WARNING, "the simulation waits for Kafka: nothing is lost");
    } else {
        const struct log_entry *entry = NULL; /* the newest that is no detail */
        for (size_t i = view->log_count; i > 0 && entry == NULL; i--)
            if (view->log[i - 1].level > LOG_DEBUG)
                entry = &view->log[i - 1];
        if (entry == NULL)
            return;
        char text[280], clock[TEXT_TIME_SIZE];
        text_time(clock, entry->wall_us / 1000);
        snprintf(text, sizeof text, "%.8s %s: %s", clock + 11, entry->source, entry->text);
        canvas_text_fit(canvas, 1, y, right - 1, STYLE(ROLE_DIM), text);
    }
}

/* Fixed hints where the keys are not the table's. */
static void draw_hints(struct canvas *canvas, int y, const char *const *hints, size_t count)
{
    int x = 1;
    for (size_t i = 0; i + 1 < count; i += 2) {
        if (x + text_width(hints[i]) + text_width(hints[i + 1]) + 1 >= canvas->width)
            return;
        x = canvas_text(canvas, x, y, STYLE(ROLE_BAR_KEY), hints[i]) + 1;
        x = canvas_text(canvas, x, y, STYLE(ROLE_BAR), hints[i + 1]) + 2;
    }
}

static int label_width(const struct binding_label *label)
{
    return text_width(label->keys) + 1 + text_width(label->label) + 2;
}

static void draw_keys(struct screen *screen, struct canvas *canvas, int y)
{
    static const char *const prompting[] = {"↵",       "run", "Tab",    "complete", "↑",
                                            "history", "^R",  "search", "Esc",      "leave"};
    static const char *const filtering[] = {"↵", "keep", "Esc", "undo", "^U", "empty"};
    static const char *const asking[] = {"y", "yes", "n", "no", "Esc", "no"};
    static const char *const typing[] = {"↵", "confirm", "Esc", "leave it"};
    static const char *const helping[] = {"↑ ↓", "scroll", "/", "filter", "Esc", "close"};
    canvas_fill(canvas, 0, y, canvas->width, 1, ' ', STYLE(ROLE_BAR));
#define HINTS(list) draw_hints(canvas, y, list, sizeof(list) / sizeof(list)[0])
    if (screen->prompt.open) {
        if (screen->prompt_use == PROMPT_FOR_COMMAND)
            HINTS(prompting);
        else
            HINTS(filtering);
        return;
    }
    if (screen->dialog.kind == DIALOG_HELP) {
        HINTS(helping);
        return;
    }
    if (screen->dialog.kind == DIALOG_CONFIRM) {
        if (screen->dialog.name[0] != '\0')
            HINTS(typing);
        else
            HINTS(asking);
        return;
    }
#undef HINTS
    struct binding_label labels[64];
    size_t count = binding_labels(&screen->commands, screen_scopes(screen), screen->glyphs, labels, 64);
    /* The way out is always there, whatever has to go. */
    int way_out = 0;
    size_t quit = count;
    for (size_t i = 0; i < count; i++)
        if (strcmp(labels[i].binding.command->name, "quit") == 0)
            quit = i;
    if (quit < count)
        way_out = label_width(&labels[quit]);
    int x = 1;
    for (size_t i = 0; i < count; i++) {
        bool fits = x + label_width(&labels[i]) - 2 + (i == quit ? 0 : way_out) < canvas->width;
        if (!fits && i != quit)
            continue;
        char line[64];
        int start = x;
        x = canvas_text(canvas, x, y, STYLE(ROLE_BAR_KEY), labels[i].keys) + 1;
        x = canvas_text(canvas, x, y, STYLE(ROLE_BAR), labels[i].label);
        bars_hit(screen, start, y, x - start, binding_line(&labels[i].binding, line, sizeof line));
        x += 2;
    }
}

void bars_draw(struct screen *screen, struct canvas *canvas)
{
    screen->hit_count = 0;
    draw_top(screen, canvas);
    if (bars_top(screen) == 2) {
        canvas_fill(canvas, 0, 1, canvas->width, 1, ' ', STYLE(ROLE_NONE));
        int x = 1 + draw_tabs(screen, canvas, 1, 1, false, true);
        draw_recorder(screen, canvas, x);
    }
    draw_status(screen, canvas, canvas->height - 2);
    draw_keys(screen, canvas, canvas->height - 1);
}
