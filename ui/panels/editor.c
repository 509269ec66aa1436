/* The SQL editor. While somebody types here the keyboard is its own, as it is the prompt's; Esc gives it
 * back. */
#include "ui/editor.h"
#include "ui/panels/query.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct editor_state {
    struct editor editor;
    bool typing;
    size_t history_at; /* 0: what was typed */
    char *typed;       /* kept while the history is looked at */
    char ran[256];     /* the beginning of what was run last */
    int cursor_x, cursor_y;
    uint64_t changes;
};

static void editor_destroy(void *opaque)
{
    free(((struct editor_state *)opaque)->typed);
}

static unsigned editor_scopes(const void *opaque)
{
    return ((const struct editor_state *)opaque)->typing ? SCOPE_EDITOR : SCOPE_LIST;
}

static bool editor_typing(const void *opaque)
{
    return ((const struct editor_state *)opaque)->typing;
}

/* ---- history and completion -------------------------------------------------------------------------- */

static void go_history(struct editor_state *state, const struct view_query *query, int step)
{
    if (step > 0 && state->history_at >= query->history_count)
        return;
    if (step < 0 && state->history_at == 0)
        return;
    if (state->history_at == 0) {
        free(state->typed);
        state->typed = mem_text(state->editor.text);
    }
    state->history_at = step > 0 ? state->history_at + 1 : state->history_at - 1;
    /* What is the same as shown is passed over. */
    while (step > 0 && state->history_at < query->history_count &&
           strcmp(query->history[state->history_at - 1].sql, state->editor.text) == 0)
        state->history_at++;
    const char *text = state->history_at > 0 ? query->history[state->history_at - 1].sql : state->typed;
    editor_set(&state->editor, text != NULL ? text : "");
}

static void offer_word(struct editor_candidate *list, size_t *count, const char *word, size_t length,
                       const char *text, const char *detail)
{
    if (*count == EDITOR_CANDIDATES || strncasecmp(text, word, length) != 0)
        return;
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].text, text) == 0)
            return;
    struct editor_candidate *candidate = &list[(*count)++];
    text_copy(candidate->text, sizeof candidate->text, text);
    text_copy(candidate->detail, sizeof candidate->detail, detail);
}

/* Behind FROM, JOIN and INTO stand tables. */
static bool wants_table(const struct editor *editor, size_t start)
{
    static const char *const words[] = {"from", "join", "into", "table", "describe"};
    while (start > 0 && isspace((unsigned char)editor->text[start - 1]))
        start--;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (start >= length && strncasecmp(editor->text + start - length, words[i], length) == 0)
            return true;
    }
    return false;
}

static void complete(struct editor_state *state, const struct view_query *query)
{
    struct editor *editor = &state->editor;
    struct editor_candidate list[EDITOR_CANDIDATES];
    size_t start, count = 0, length = editor_word(editor, &start);
    const char *word = editor->text + start;
    unsigned engine = 1u << query->engine;
    bool table = wants_table(editor, start);
    if (length == 0 && !table) {
        editor_insert(editor, "    ");
        return;
    }
    for (int pass = 0; pass < 3; pass++) {
        if (pass == (table ? 0 : 1))
            for (size_t i = 0; i < query->word_count; i++) {
                const struct query_word *known = &query->words[i];
                const char *dot = strchr(known->name, '.');
                if ((known->engines & engine) == 0 || known->kind == QUERY_WORD_COLUMN)
                    continue;
                offer_word(list, &count, word, length, known->name, known->detail);
                if (dot != NULL && length > 0 && strncasecmp(dot + 1, word, length) == 0)
                    offer_word(list, &count, word, 0, known->name, known->detail);
            }
        if (pass == (table ? 1 : 0))
            for (size_t i = 0; i < query->word_count; i++)
                if ((query->words[i].engines & engine) != 0 && query->words[i].kind == QUERY_WORD_COLUMN)
                    offer_word(list, &count, word, length, query->words[i].name, query->words[i].detail);
    }
    bool lower = islower((unsigned char)word[0]) != 0;
    for (size_t i = 0; !table && query_functions[i] != NULL; i++)
        offer_word(list, &count, word, length, query_functions[i], "function");
    for (size_t i = 0; !table && query_keywords[i] != NULL; i++) {
        char text[24];
        text_copy(text, sizeof text, query_keywords[i]);
        for (char *at = text; lower && *at != '\0'; at++)
            *at = (char)tolower((unsigned char)*at);
        offer_word(list, &count, word, length, text, "keyword");
    }
    /* A table found by its own name takes the whole word's place. */
    editor_offer(editor, list, count);
}

/* ---- keys -------------------------------------------------------------------------------------------- */

static bool editor_on_key(void *opaque, const struct view *view, const struct key *key,
                          const struct panel_host *host)
{
    struct editor_state *state = opaque;
    if (!state->typing)
        return false;
    switch (editor_key(&state->editor, key)) {
    case EDITOR_NOTHING:
        return false;
    case EDITOR_MOVED:
        break;
    case EDITOR_CHANGED:
        state->history_at = 0;
        break;
    case EDITOR_LEAVE:
        state->typing = false;
        break;
    case EDITOR_COMPLETE:
        complete(state, &view->query);
        break;
    case EDITOR_OLDER:
        go_history(state, &view->query, 1);
        break;
    case EDITOR_NEWER:
        go_history(state, &view->query, -1);
        break;
    }
    state->changes++;
    return true;
}

static bool editor_on_paste(void *opaque, const char *text)
{
    struct editor_state *state = opaque;
    if (!state->typing)
        return false;
    editor_insert(&state->editor, text);
    state->changes++;
    return true;
}

static bool editor_cursor(const void *opaque, int *x, int *y)
{
    const struct editor_state *state = opaque;
    *x = state->cursor_x;
    *y = state->cursor_y;
    return state->typing;
}

/* ---- commands ---------------------------------------------------------------------------------------- */

static void send_text(const struct panel_host *host, const char *before, const char *text)
{
    size_t size = strlen(before) + strlen(text) + 1;
    char *line = mem_alloc(size);
    snprintf(line, size, "%s%s", before, text);
    host->send(host->context, line);
    free(line);
}

static void run(struct editor_state *state, const struct view *view, const struct panel_host *host,
                const char *what)
{
    char before[48];
    const char *text = state->editor.text;
    if (text[strspn(text, " \n;")] == '\0') {
        host->toast(host->context, LOG_INFO, "there is no SQL to run yet");
        return;
    }
    char beginning[sizeof state->ran];
    text_copy(beginning, sizeof beginning, text);
    if (view->query.state == QUERY_ASKING && strcmp(what, "query") == 0 &&
        strcmp(beginning, state->ran) == 0) {
        host->send(host->context, "query yes");
        return;
    }
    memcpy(state->ran, beginning, sizeof beginning);
    state->history_at = 0;
    snprintf(before, sizeof before, "%s %s: ", what, query_engine_name(view->query.engine));
    send_text(host, before, text);
}

static const char *find_text(const struct view_query *query, const char *argument, enum query_engine *engine)
{
    int64_t number;
    if (strncmp(argument, "result ", 7) == 0 && text_parse_int(argument + 7, 1, INT64_MAX, &number)) {
        for (size_t i = 0; i < query->history_count; i++)
            if (query->history[i].info.id == number) {
                for (int j = 0; j < QUERY_ENGINE_COUNT; j++)
                    if (strcmp(query_engine_name((enum query_engine)j), query->history[i].info.engine) == 0)
                        *engine = (enum query_engine)j;
                return query->history[i].sql;
            }
        return NULL;
    }
    if (strncmp(argument, "saved ", 6) == 0) {
        char name[64] = "";
        size_t length = strcspn(argument + 6, " ");
        if (length >= sizeof name)
            return NULL;
        memcpy(name, argument + 6, length);
        const char *wanted = argument + 6 + length + strspn(argument + 6 + length, " ");
        for (size_t i = 0; i < query->saved_count; i++)
            if (strcmp(query->saved[i].name, name) == 0 &&
                (*wanted == '\0' || strcmp(wanted, query_engine_name(query->saved[i].engine)) == 0)) {
                *engine = query->saved[i].engine;
                return query->saved[i].sql;
            }
        return NULL;
    }
    return argument;
}

static void edit(struct editor_state *state, const struct view *view, const char *argument,
                 const struct panel_host *host)
{
    enum query_engine engine = view->query.engine;
    if (argument[0] != '\0') {
        const char *text = find_text(&view->query, argument, &engine);
        if (text == NULL) {
            host->toast(host->context, LOG_WARNING, "no such query");
            return;
        }
        editor_set(&state->editor, text);
        state->editor.cursor = state->editor.top = 0;
        state->history_at = 0;
        if (engine != view->query.engine) {
            char line[32];
            snprintf(line, sizeof line, "engine %s", query_engine_name(engine));
            host->send(host->context, line);
        }
    } else {
        state->typing = true;
    }
    host->send(host->context, "panel editor");
}

static bool editor_command(void *opaque, const struct view *view, const char *name, const char *argument,
                           const struct panel_host *host)
{
    struct editor_state *state = opaque;
    argument = argument != NULL ? argument : "";
    state->changes++;
    if (strcmp(name, "execute") == 0) {
        run(state, view, host, "query");
    } else if (strcmp(name, "cost") == 0) {
        run(state, view, host, "estimate");
    } else if (strcmp(name, "edit") == 0) {
        edit(state, view, argument, host);
    } else if (strcmp(name, "open") == 0) {
        state->typing = true;
    } else if (strcmp(name, "save") == 0 && argument[0] != '\0') {
        char before[128];
        snprintf(before, sizeof before, "keep %.60s %s: ", argument, query_engine_name(view->query.engine));
        send_text(host, before, state->editor.text);
    } else if (strcmp(name, "copy") == 0 && argument[0] == '\0') {
        stream_copy(host, state->editor.text, "the SQL");
    } else {
        return false;
    }
    return true;
}

static bool editor_mouse(void *opaque, const struct view *view, enum panel_mouse what, int x, int y,
                         const struct panel_host *host)
{
    struct editor_state *state = opaque;
    (void)view;
    (void)host;
    struct key key = {.code = what == MOUSE_WHEEL_UP ? KEYS_UP : KEYS_DOWN};
    state->changes++;
    if (what == MOUSE_WHEEL_UP || what == MOUSE_WHEEL_DOWN) {
        if (state->typing)
            editor_key(&state->editor, &key);
        return state->typing;
    }
    if (what != MOUSE_CLICK && what != MOUSE_DOUBLE)
        return false;
    state->typing = true;
    key = (struct key){.code = KEYS_HOME, .modifiers = KEYS_CTRL};
    editor_key(&state->editor, &key);
    size_t line = state->editor.top + (size_t)(y > 0 ? y : 0);
    key = (struct key){.code = KEYS_DOWN};
    for (size_t i = 0; i < line && editor_key(&state->editor, &key) == EDITOR_MOVED; i++)
        ;
    key.code = KEYS_RIGHT;
    for (int i = 0; i < x + state->editor.left && state->editor.text[state->editor.cursor] != '\n' &&
                    state->editor.cursor < state->editor.length;
         i++)
        editor_key(&state->editor, &key);
    return true;
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

static void editor_panel_draw(void *opaque, const struct view *view, struct canvas *canvas,
                              const struct panel_context *context)
{
    struct editor_state *state = opaque;
    struct canvas inside = canvas_sub(canvas, 1, 0, canvas->width - 1, canvas->height);
    if (state->editor.length == 0 && !state->typing) {
        canvas_text_fit(&inside, 0, 0, inside.width, STYLE(ROLE_DIM), "e or Enter to write SQL, ^R runs it");
        if (inside.height > 2)
            canvas_text_fit(&inside, 0, 2, inside.width, STYLE(ROLE_DIM),
                            "saved queries are in the list (Tab); ^T changes the engine");
    }
    int x, y;
    bool typing = state->typing && context->focused;
    editor_draw(&state->editor, &inside, typing, query_is_keyword, &x, &y);
    state->cursor_x = x + 1;
    state->cursor_y = y;
    (void)view;
}

static uint64_t editor_generation(const void *opaque, const struct view *view)
{
    const struct editor_state *state = opaque;
    return stream_mix(state->changes * 2 + state->typing, view->query.engine);
}

static void editor_heading(const void *opaque, const struct view *view, char *text, size_t size)
{
    (void)opaque;
    snprintf(text, size, "SQL · %s", query_engine_title(view->query.engine));
}

static void editor_note(const void *opaque, const struct view *view, char *text, size_t size)
{
    const struct editor_state *state = opaque;
    (void)view;
    snprintf(text, size, "%s", state->typing ? "typing · Esc leaves" : "");
}

const struct panel_class editor_panel = {.name = "editor",
                                         .title = "SQL",
                                         .scopes = SCOPE_LIST,
                                         .state_size = sizeof(struct editor_state),
                                         .scopes_now = editor_scopes,
                                         .destroy = editor_destroy,
                                         .generation = editor_generation,
                                         .draw = editor_panel_draw,
                                         .note = editor_note,
                                         .heading = editor_heading,
                                         .command = editor_command,
                                         .mouse = editor_mouse,
                                         .typing = editor_typing,
                                         .key = editor_on_key,
                                         .paste = editor_on_paste,
                                         .cursor = editor_cursor};
