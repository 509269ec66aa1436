/* Keys, mouse and pastes become lines to run: the prompt and a dialog have them first, then the command table
 * decides. */
#include "ui/complete.h"
#include "ui/screen_private.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- prompt ------------------------------------------------------------------------------------------ */

static void apply_filter(struct screen *screen, const char *text)
{
    char *filter = screen_filter(screen);
    if (filter == NULL)
        return;
    bool dialog = screen->dialog.kind == DIALOG_HELP;
    text_copy(filter, dialog ? sizeof screen->dialog.filter : SCREEN_FILTER, text);
    if (dialog)
        screen->dialog.list = (struct list){0};
    else
        screen_filter_changed(screen);
}

static void complete(struct screen *screen, bool back)
{
    struct prompt *prompt = &screen->prompt;
    if (screen->prompt_use != PROMPT_FOR_COMMAND)
        return;
    if (prompt->candidate_count > 0) {
        prompt_cycle(prompt, back);
        return;
    }
    struct completion completion;
    complete_line(&screen->commands, screen->settings.session, prompt->text, prompt->cursor, &completion);
    prompt_offer(prompt, completion.word_start, completion.words, completion.count);
}

static void accept(struct screen *screen)
{
    char line[PROMPT_MAX];
    memcpy(line, screen->prompt.text, sizeof line);
    prompt_close(&screen->prompt);
    if (screen->prompt_use == PROMPT_FOR_FILTER || line[strspn(line, " ")] == '\0')
        return;
    const struct screen_host *host = &screen->settings.host;
    if (host->history_add != NULL)
        host->history_add(host->context, line);
    screen_run(screen, line);
}

/* False when the key means nothing there. */
static bool prompt_input(struct screen *screen, const struct key *key)
{
    struct prompt *prompt = &screen->prompt;
    switch (prompt_key(prompt, key)) {
    case PROMPT_ACCEPT:
        accept(screen);
        break;
    case PROMPT_CANCEL:
        prompt_close(prompt);
        if (screen->prompt_use == PROMPT_FOR_FILTER)
            apply_filter(screen, screen->filter_before);
        break;
    case PROMPT_COMPLETE:
        complete(screen, false);
        break;
    case PROMPT_COMPLETE_BACK:
        complete(screen, true);
        break;
    case PROMPT_CHANGED:
        if (screen->prompt_use == PROMPT_FOR_FILTER)
            apply_filter(screen, prompt->text);
        break;
    case PROMPT_NOTHING:
        return false;
    }
    return true;
}

/* ---- keys -------------------------------------------------------------------------------------------- */

static void run_binding(struct screen *screen, const struct binding *binding)
{
    char line[SCREEN_LINE];
    screen_run(screen, binding_line(binding, line, sizeof line));
}

/* Keys that help has beside those of the table's SCOPE_DIALOG. */
static bool dialog_input(struct screen *screen, const struct key *key)
{
    enum dialog_answer answer;
    if (dialog_key(&screen->dialog, key, &answer)) {
        char line[SCREEN_LINE];
        text_copy(line, sizeof line, screen->dialog.line);
        if (answer != DIALOG_STAYS)
            dialog_close(&screen->dialog);
        if (answer == DIALOG_CONFIRMED) {
            if (line[0] != '\0')
                commands_execute(screen, line);
            else if (screen->settings.host.quit != NULL)
                screen->settings.host.quit(screen->settings.host.context);
        }
        return true;
    }
    if (screen->dialog.kind == DIALOG_HELP && key->modifiers == 0 && key->code == '/') {
        screen_run(screen, "filter");
        return true;
    }
    if (screen->dialog.kind == DIALOG_HELP && key->modifiers == 0 &&
        (key->code == '?' || key->code == KEYS_F1)) {
        dialog_close(&screen->dialog);
        return true;
    }
    return false;
}

static void key_input(struct screen *screen, const struct key *key);

/* Esc and a key typed behind it arrive as Alt and that key when the line is slow: where such a chord means
 * nothing it is the two keys. */
static bool chord_split(struct screen *screen, const struct key *key)
{
    if ((key->modifiers & KEYS_ALT) == 0)
        return false;
    const struct key escape = {.code = KEYS_ESC},
                     rest = {.code = key->code, .modifiers = key->modifiers & ~(unsigned)KEYS_ALT};
    key_input(screen, &escape);
    key_input(screen, &rest);
    return true;
}

/* True when the panel that has the keyboard took it. */
static bool typed(struct screen *screen, const struct key *key)
{
    struct pane *focused = screen_focused(screen);
    struct panel_host host = screen_panel_host(screen);
    if (!screen_typing(screen) || !focused->class->key(focused->state, screen->view, key, &host))
        return false;
    focused->drawn = 0;
    return true;
}

static void key_input(struct screen *screen, const struct key *key)
{
    struct binding binding;
    if (screen_too_small(screen)) {
        /* What is not seen is not to be acted on. */
        if (binding_find(&screen->commands, key, SCOPE_GLOBAL, &binding) &&
            (strcmp(binding.command->name, "quit") == 0 || strcmp(binding.command->name, "suspend") == 0))
            run_binding(screen, &binding);
        return;
    }
    if (screen->prompt.open) {
        if (!prompt_input(screen, key))
            chord_split(screen, key);
        return;
    }
    unsigned scopes = screen_scopes(screen);
    if (screen->dialog.kind != DIALOG_NONE) {
        if (dialog_input(screen, key) || chord_split(screen, key))
            return;
        scopes = SCOPE_DIALOG;
    }
    if (screen->dialog.kind == DIALOG_NONE && typed(screen, key))
        return;
    if (binding_find(&screen->commands, key, scopes, &binding)) {
        run_binding(screen, &binding);
    } else if (screen->dialog.kind == DIALOG_NONE && !chord_split(screen, key)) {
        char name[KEYS_NAME_SIZE], label[KEYS_NAME_SIZE], text[96];
        keys_label(keys_name(key, name), screen->glyphs, label);
        snprintf(text, sizeof text, "%s does nothing here; ? shows what does", label);
        screen_toast(screen, LOG_INFO, text);
    }
}

/* ---- mouse ------------------------------------------------------------------------------------------- */

static size_t pane_at(struct screen *screen, int x, int y, const struct layout_slot **slot)
{
    for (size_t i = 0; i < screen->layout.count; i++) {
        size_t index;
        if (rect_holds(&screen->layout.slots[i].rect, x, y) &&
            screen_pane(screen, screen->layout.slots[i].panel, &index) != NULL) {
            *slot = &screen->layout.slots[i];
            return index;
        }
    }
    return SCREEN_PANES;
}

static void to_pane(struct screen *screen, size_t index, const struct layout_slot *slot,
                    enum panel_mouse what, const struct input *input)
{
    struct pane *pane = &screen->panes[index];
    struct rect inside = screen_inside(slot);
    struct panel_host host = screen_panel_host(screen);
    if (pane->class->mouse == NULL || (what != MOUSE_DRAG && !rect_holds(&inside, input->x, input->y)))
        return;
    if (pane->class->mouse(pane->state, screen->view, what, input->x - inside.x, input->y - inside.y, &host))
        pane->drawn = 0;
}

static void dialog_mouse(struct screen *screen, const struct input *input)
{
    struct dialog *dialog = &screen->dialog;
    struct rect box = {dialog->x, dialog->y + bars_top(screen), dialog->width, dialog->height};
    if (input->mouse == INPUT_WHEEL_UP || input->mouse == INPUT_WHEEL_DOWN)
        for (int i = 0; i < 3; i++)
            dialog_command(dialog, "select", input->mouse == INPUT_WHEEL_UP ? "previous" : "next");
    else if (input->mouse == INPUT_PRESS && dialog->kind == DIALOG_HELP &&
             !rect_holds(&box, input->x, input->y))
        dialog_close(dialog);
}

static void mouse_input(struct screen *screen, const struct input *input)
{
    static const enum panel_mouse whats[] = {[INPUT_PRESS] = MOUSE_CLICK,
                                             [INPUT_DOUBLE] = MOUSE_DOUBLE,
                                             [INPUT_MOVE] = MOUSE_DRAG,
                                             [INPUT_WHEEL_UP] = MOUSE_WHEEL_UP,
                                             [INPUT_WHEEL_DOWN] = MOUSE_WHEEL_DOWN};
    enum panel_mouse what = whats[input->mouse];
    const struct layout_slot *slot;
    if (screen_too_small(screen) || screen->view == NULL || screen->prompt.open)
        return;
    if (screen->dialog.kind != DIALOG_NONE) {
        dialog_mouse(screen, input);
        return;
    }
    if (what == MOUSE_DRAG) {
        /* It belongs to the panel where it began, also outside of it. */
        size_t index = screen->dragged - 1;
        if (screen->dragged != 0 && (slot = screen_slot(screen, &screen->panes[index])) != NULL)
            to_pane(screen, index, slot, what, input);
        return;
    }
    if (what == MOUSE_CLICK || what == MOUSE_DOUBLE) {
        screen->dragged = 0;
        for (size_t i = 0; i < screen->hit_count; i++)
            if (rect_holds(&screen->hits[i].rect, input->x, input->y)) {
                char line[sizeof screen->hits[i].line];
                memcpy(line, screen->hits[i].line, sizeof line);
                screen_run(screen, line);
                return;
            }
    }
    size_t index = pane_at(screen, input->x, input->y, &slot);
    if (index == SCREEN_PANES)
        return;
    if (what == MOUSE_CLICK || what == MOUSE_DOUBLE) {
        screen->dragged = index + 1;
        if (index != screen->focus[screen->row])
            commands_focus(screen, index);
        screen_arrange(screen);
        slot = screen_slot(screen, &screen->panes[index]);
        if (slot == NULL)
            return;
    }
    to_pane(screen, index, slot, what, input);
}

/* ---- all --------------------------------------------------------------------------------------------- */

void screen_feed(struct screen *screen, const struct input *input, int64_t now_us)
{
    screen->now_us = now_us;
    screen->changed = true;
    if (screen->view == NULL)
        screen->view = screen->settings.host.view(screen->settings.host.context, now_us);
    screen_arrange(screen);
    switch (input->kind) {
    case INPUT_KEY:
        key_input(screen, &input->key);
        break;
    case INPUT_MOUSE:
        mouse_input(screen, input);
        break;
    case INPUT_PASTE:
        if (screen->prompt.open) {
            prompt_insert(&screen->prompt, input->paste);
            if (screen->prompt_use == PROMPT_FOR_FILTER)
                apply_filter(screen, screen->prompt.text);
        } else if (!screen_too_small(screen) && screen->dialog.kind == DIALOG_NONE && screen_typing(screen)) {
            screen_focused(screen)->class->paste(screen_focused(screen)->state, input->paste);
        } else if (!screen_too_small(screen)) {
            screen_toast(screen, LOG_INFO, "a paste goes into the prompt: open it with : first");
        }
        break;
    case INPUT_GONE:
        if (screen->settings.host.quit != NULL)
            screen->settings.host.quit(screen->settings.host.context);
        break;
    }
}

void screen_read(struct screen *screen, int64_t now_us)
{
    struct input input;
    while (screen->term != NULL && term_read(screen->term, &input))
        screen_feed(screen, &input, now_us);
}
