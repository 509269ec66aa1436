#include "ui/dialog.h"

#include "base/err.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- help: rows made from the command table ---------------------------------------------------------- */

#define HELP_ROWS 256
struct help_row {
    bool heading;
    const struct command *command;
    char keys[40];
    char words[48]; /* the command as it is typed */
    char text[120];
};
struct help {
    size_t count;
    struct help_row rows[HELP_ROWS];
};

static struct help_row *add_row(struct help *help)
{
    static const struct help_row empty = {0};
    struct help_row *row = &help->rows[help->count < HELP_ROWS - 1 ? help->count++ : HELP_ROWS - 1];
    *row = empty;
    return row;
}

static bool row_matches(const struct help_row *row, const char *filter)
{
    const char *texts[] = {row->keys, row->words, row->text};
    return list_matches(filter, texts, 3);
}

/* One row for each way of using a command, with all its keys. */
static void add_bindings(struct help *help, const struct dialog *dialog, const struct command *command,
                         unsigned scopes, enum glyphs glyphs)
{
    for (const struct command_key *key = command->keys;
         key < command->keys + COMMAND_KEYS && key->key != NULL; key++) {
        if ((binding_narrowest(key->scopes & dialog->scopes) & scopes) == 0)
            continue;
        const char *arguments = key->arguments != NULL ? key->arguments : "";
        struct help_row row = {0};
        bool again = false;
        for (const struct command_key *other = command->keys;
             other < command->keys + COMMAND_KEYS && other->key != NULL; other++) {
            char label[KEYS_NAME_SIZE];
            const char *same = other->arguments != NULL ? other->arguments : "";
            if ((other->scopes & dialog->scopes & scopes) == 0 || strcmp(same, arguments) != 0)
                continue;
            if (other < key)
                again = true;
            size_t length = strlen(row.keys);
            snprintf(row.keys + length, sizeof row.keys - length, "%s%s", length > 0 ? " " : "",
                     keys_label(other->key, glyphs, label));
        }
        if (again)
            continue;
        snprintf(row.words, sizeof row.words, "%s%s%s", command->name, arguments[0] != '\0' ? " " : "",
                 arguments);
        text_copy(row.text, sizeof row.text, command->summary);
        if (!row_matches(&row, dialog->filter))
            continue;
        /* What a command does is said once. */
        const struct help_row *above = help->count > 0 ? &help->rows[help->count - 1] : NULL;
        row.command = command;
        if (above != NULL && above->command == command)
            row.text[0] = '\0';
        *add_row(help) = row;
    }
}

static void add_group(struct help *help, const struct dialog *dialog, unsigned scopes, enum glyphs glyphs,
                      const char *heading)
{
    size_t before = help->count;
    struct help_row *row = add_row(help);
    row->heading = true;
    text_copy(row->text, sizeof row->text, heading);
    for (size_t i = 0; i < dialog->commands->count; i++)
        add_bindings(help, dialog, &dialog->commands->rows[i], scopes, glyphs);
    if (help->count == before + 1)
        help->count = before;
}

static void add_typed(struct help *help, const struct dialog *dialog)
{
    size_t before = help->count;
    struct help_row *row = add_row(help);
    row->heading = true;
    text_copy(row->text, sizeof row->text, "Typed after :");
    for (size_t i = 0; i < dialog->commands->count; i++) {
        const struct command *command = &dialog->commands->rows[i];
        if ((command->flags & COMMAND_HIDDEN) != 0 ||
            (command->execute == NULL && (command->flags & COMMAND_UI) == 0))
            continue;
        struct help_row typed = {.command = command};
        snprintf(typed.words, sizeof typed.words, "%s %s", command->name,
                 command->arguments != NULL ? command->arguments : "");
        text_copy(typed.text, sizeof typed.text, command->summary);
        if (row_matches(&typed, dialog->filter))
            *add_row(help) = typed;
    }
    if (help->count == before + 1)
        help->count = before;
}

static void make_help(const struct dialog *dialog, enum glyphs glyphs, struct help *help)
{
    char heading[96];
    help->count = 0;
    snprintf(heading, sizeof heading, "This panel: %s", dialog->panel_title);
    add_group(help, dialog, SCOPE_MAP | SCOPE_LIST, glyphs, heading);
    add_group(help, dialog, SCOPE_LIVE | SCOPE_REPLAY, glyphs, "Time");
    snprintf(heading, sizeof heading, "This screen: %s", dialog->screen_title);
    add_group(help, dialog, SCOPE_SCREENS, glyphs, heading);
    add_group(help, dialog, SCOPE_GLOBAL, glyphs, "Everywhere");
    add_typed(help, dialog);
}

/* Words of a text on `rows` rows at most. */
static void draw_wrapped(struct canvas *canvas, int x, int y, int width, int rows, struct style style,
                         const char *text)
{
    for (int row = 0; row < rows && *text != '\0'; row++) {
        char line[256];
        size_t length = 0, fits = 0;
        while (text[length] != '\0') {
            size_t word = length + strcspn(text + length, " ");
            snprintf(line, sizeof line, "%.*s", (int)word, text);
            if (text_width(line) > width || word >= sizeof line)
                break;
            fits = word;
            length = word + strspn(text + word, " ");
        }
        if (fits == 0 || row == rows - 1) {
            canvas_text_fit(canvas, x, y + row, width, style, text);
            return;
        }
        snprintf(line, sizeof line, "%.*s", (int)fits, text);
        canvas_text(canvas, x, y + row, style, line);
        text += fits;
        text += strspn(text, " ");
    }
}

/* What the selected row is, in full. */
static void draw_selected(const struct help *help, const struct dialog *dialog, struct canvas *canvas, int y)
{
    canvas_fill(canvas, 0, y, canvas->width, 1, 0x2500, STYLE(ROLE_FRAME));
    if (dialog->list.selected >= help->count || help->rows[dialog->list.selected].command == NULL)
        return;
    const struct command *command = help->rows[dialog->list.selected].command;
    char text[512];
    int x = canvas_printf(canvas, 1, y + 1, STYLE_BOLD(ROLE_TITLE), ":%s", command->name);
    if (command->arguments != NULL)
        canvas_text_fit(canvas, x + 1, y + 1, canvas->width - x - 2, STYLE(ROLE_TITLE), command->arguments);
    snprintf(text, sizeof text, "%s.%s%s", command->summary, command->help != NULL ? " " : "",
             command->help != NULL ? command->help : "");
    draw_wrapped(canvas, 1, y + 2, canvas->width - 2, 2, STYLE(ROLE_TEXT), text);
}

static void draw_help(struct dialog *dialog, struct canvas *whole)
{
    struct canvas rows =
        canvas_sub(whole, 0, 0, whole->width, whole->height > 12 ? whole->height - 4 : whole->height);
    struct canvas *canvas = &rows;
    struct help *help = mem_zero(1, sizeof *help);
    make_help(dialog, canvas->glyphs, help);
    dialog->row_count = help->count;
    list_fit(&dialog->list, help->count, canvas->height);
    int keys = 14, words = canvas->width >= 84 ? 30 : canvas->width >= 70 ? 22 : 0;
    for (int y = 0; y < canvas->height && dialog->list.top + (size_t)y < help->count; y++) {
        const struct help_row *row = &help->rows[dialog->list.top + (size_t)y];
        if (row->heading) {
            canvas_text_fit(canvas, 1, y, canvas->width - 2, STYLE_BOLD(ROLE_TITLE), row->text);
        } else if (row->keys[0] == '\0') {
            int wide = words > 0 ? keys + words : 30;
            canvas_text_fit(canvas, 2, y, wide - 3, STYLE(ROLE_TEXT), row->words);
            canvas_text_fit(canvas, wide, y, canvas->width - wide - 2, STYLE(ROLE_DIM), row->text);
        } else {
            canvas_text_fit(canvas, 2, y, keys - 2, STYLE_BOLD(ROLE_FOCUS), row->keys);
            if (words > 0)
                canvas_text_fit(canvas, keys + 1, y, words - 2, STYLE(ROLE_TEXT), row->words);
            int x = keys + words + 1;
            canvas_text_fit(canvas, x, y, canvas->width - x - 2, STYLE(words > 0 ? ROLE_DIM : ROLE_TEXT),
                            row->text);
        }
        if (dialog->list.top + (size_t)y == dialog->list.selected && !row->heading)
            list_mark(canvas, y, true);
    }
    if (help->count == 0)
        canvas_text(canvas, 2, 0, STYLE(ROLE_DIM), "no key or command has these words");
    list_scroll_bar(&dialog->list, canvas, canvas->width - 1, 0, help->count);
    if (rows.height < whole->height)
        draw_selected(help, dialog, whole, rows.height);
    free(help);
}

/* ---- both -------------------------------------------------------------------------------------------- */

void dialog_open_help(struct dialog *dialog, const struct commands *commands, unsigned scopes,
                      const char *screen_title, const char *panel_title)
{
    *dialog =
        (struct dialog){.kind = DIALOG_HELP, .commands = commands, .scopes = scopes, .list.selected = 1};
    text_copy(dialog->screen_title, sizeof dialog->screen_title, screen_title);
    text_copy(dialog->panel_title, sizeof dialog->panel_title, panel_title);
}

void dialog_open_confirm(struct dialog *dialog, const char *question, const char *detail, const char *line,
                         const char *name)
{
    *dialog = (struct dialog){.kind = DIALOG_CONFIRM};
    text_copy(dialog->question, sizeof dialog->question, question);
    text_copy(dialog->detail, sizeof dialog->detail, detail);
    text_copy(dialog->line, sizeof dialog->line, line);
    text_copy(dialog->name, sizeof dialog->name, name);
    if (name[0] != '\0')
        prompt_open(&dialog->typed, "> ", "", NULL, 0);
}

void dialog_close(struct dialog *dialog)
{
    dialog->kind = DIALOG_NONE;
}

bool dialog_key(struct dialog *dialog, const struct key *key, enum dialog_answer *answer)
{
    *answer = DIALOG_STAYS;
    if (dialog->kind != DIALOG_CONFIRM)
        return false;
    if (dialog->name[0] != '\0') {
        enum prompt_answer typed = prompt_key(&dialog->typed, key);
        if (typed == PROMPT_CANCEL)
            *answer = DIALOG_CLOSED;
        else if (typed == PROMPT_ACCEPT)
            *answer = strcmp(dialog->typed.text, dialog->name) == 0 ? DIALOG_CONFIRMED : DIALOG_STAYS;
        return typed != PROMPT_NOTHING || (key->modifiers & KEYS_ALT) == 0;
    }
    if (key->modifiers == 0 && (key->code == 'y' || key->code == 'Y'))
        *answer = DIALOG_CONFIRMED;
    else if (key->modifiers == 0 && (key->code == 'n' || key->code == 'N' || key->code == KEYS_ENTER))
        *answer = DIALOG_CLOSED;
    else
        return false;
    return true;
}

bool dialog_command(struct dialog *dialog, const char *name, const char *argument)
{
    if (dialog->kind != DIALOG_HELP || argument == NULL)
        return false;
    if (strcmp(name, "select") == 0)
        return list_move(&dialog->list, dialog->row_count, argument);
    if (strcmp(name, "match") == 0)
        return list_move(&dialog->list, dialog->row_count, argument);
    return false;
}

static void draw_confirm(const struct dialog *dialog, struct canvas *canvas, int *cursor_x)
{
    canvas_text_fit(canvas, 1, 1, canvas->width - 2, STYLE(ROLE_STRONG), dialog->question);
    canvas_text_fit(canvas, 1, 2, canvas->width - 2, STYLE(ROLE_DIM), dialog->detail);
    if (dialog->name[0] == '\0') {
        int x = canvas_text(canvas, 1, 4, STYLE_BOLD(ROLE_FOCUS), "y");
        x = canvas_text(canvas, x, 4, STYLE(ROLE_TEXT), " yes   ");
        x = canvas_text(canvas, x, 4, STYLE_BOLD(ROLE_FOCUS), "N");
        canvas_text(canvas, x, 4, STYLE(ROLE_TEXT), " no (also Esc and Enter)");
        return;
    }
    char text[200];
    snprintf(text, sizeof text, "Type %s to confirm; Esc leaves it.", dialog->name);
    canvas_text_fit(canvas, 1, 3, canvas->width - 2, STYLE(ROLE_WARNING), text);
    struct canvas line = canvas_sub(canvas, 1, 4, canvas->width - 2, 1);
    *cursor_x = 1 + prompt_draw(&dialog->typed, &line, 0);
}

void dialog_draw(struct dialog *dialog, struct canvas *canvas, int *cursor_x, int *cursor_y)
{
    bool help = dialog->kind == DIALOG_HELP;
    dialog->width = canvas->width - 4 < (help ? 104 : 66) ? canvas->width - 4 : help ? 104 : 66;
    dialog->height = help ? canvas->height - 2 : 8;
    dialog->x = (canvas->width - dialog->width) / 2;
    dialog->y = (canvas->height - dialog->height) / 2;
    struct canvas box = canvas_sub(canvas, dialog->x, dialog->y, dialog->width, dialog->height);
    canvas_clear(&box, STYLE(ROLE_NONE));
    char note[DIALOG_FILTER + 32];
    if (dialog->filter[0] != '\0')
        snprintf(note, sizeof note, "filter: %s", dialog->filter);
    else
        snprintf(note, sizeof note, "%s", help ? "/ filter · Esc close" : "");
    struct canvas inside = canvas_frame(&box, help ? "Help" : "Confirm", note, true);
    int x = -1;
    if (help)
        draw_help(dialog, &inside);
    else
        draw_confirm(dialog, &inside, &x);
    if (x >= 0) {
        *cursor_x = dialog->x + 1 + x;
        *cursor_y = dialog->y + 1 + 4;
    }
}
