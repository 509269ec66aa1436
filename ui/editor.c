#include "ui/editor.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define INDENT_MAX 40

/* ---- the text --------------------------------------------------------------------------------------- */

static size_t before(const struct editor *editor, size_t at)
{
    while (at > 0) {
        do
            at--;
        while (at > 0 && at < editor->length && ((unsigned char)editor->text[at] & 0xC0) == 0x80);
        const char *text = editor->text + at;
        if (editor->text[at] == '\n' ||
            text_rune_width(text_next_rune(&text, editor->text + editor->length)) > 0)
            break;
    }
    return at;
}

static size_t after(const struct editor *editor, size_t at)
{
    const char *text = editor->text + at, *end = editor->text + editor->length;
    if (text < end)
        text_next_rune(&text, end);
    while (text < end && *text != '\n') {
        const char *next = text;
        if (text_rune_width(text_next_rune(&next, end)) > 0)
            break;
        text = next;
    }
    return (size_t)(text - editor->text);
}

static size_t line_start(const struct editor *editor, size_t at)
{
    while (at > 0 && editor->text[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(const struct editor *editor, size_t at)
{
    while (at < editor->length && editor->text[at] != '\n')
        at++;
    return at;
}

static void replace(struct editor *editor, size_t from, size_t to, const char *text, size_t length)
{
    size_t tail = editor->length - to;
    if (from + length + tail >= EDITOR_MAX)
        length = EDITOR_MAX - 1 - from - tail;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--; /* whole code points only */
    memmove(editor->text + from + length, editor->text + to, tail);
    memcpy(editor->text + from, text, length);
    editor->length = from + length + tail;
    editor->cursor = from + length;
    editor->text[editor->length] = '\0';
    editor->column = -1;
}

void editor_insert(struct editor *editor, const char *text)
{
    for (const char *end = text + strlen(text); text < end;) {
        char clean[512];
        size_t length = 0;
        while (text < end && length + 5 < sizeof clean) {
            char bytes[5];
            uint32_t rune = text_next_rune(&text, end);
            if (rune == '\r' && text < end && *text == '\n')
                continue;
            if (rune == '\r')
                rune = '\n';
            if (rune == '\t') {
                memcpy(clean + length, "    ", 4);
                length += 4;
                continue;
            }
            if (rune == 0xFFFD || (rune != '\n' && text_is_control(rune)))
                continue;
            size_t count = text_put_rune(bytes, rune);
            memcpy(clean + length, bytes, count);
            length += count;
        }
        clean[length] = '\0';
        replace(editor, editor->cursor, editor->cursor, clean, length);
    }
    editor->candidate_count = 0;
}

void editor_set(struct editor *editor, const char *text)
{
    editor->length = editor->cursor = editor->top = 0;
    editor->left = 0;
    editor->text[0] = '\0';
    editor_insert(editor, text);
    while (editor->length > 0 && strchr(" \n", editor->text[editor->length - 1]))
        editor->text[--editor->length] = '\0';
    editor->cursor = editor->length;
}

/* ---- moving ----------------------------------------------------------------------------------------- */

static int cells_between(const struct editor *editor, size_t from, size_t to)
{
    int cells = 0;
    for (const char *at = editor->text + from, *end = editor->text + to; at < end;)
        cells += text_rune_width(text_next_rune(&at, end));
    return cells;
}

static size_t at_column(const struct editor *editor, size_t start, int column)
{
    size_t at = start, end = line_end(editor, start);
    while (at < end && cells_between(editor, start, after(editor, at)) <= column)
        at = after(editor, at);
    return at;
}

/* False at the edge. */
static bool move_line(struct editor *editor, int step)
{
    size_t start = line_start(editor, editor->cursor), end = line_end(editor, editor->cursor);
    if (step < 0 ? start == 0 : end == editor->length)
        return false;
    int column = editor->column >= 0 ? editor->column : cells_between(editor, start, editor->cursor);
    editor->cursor = at_column(editor, step < 0 ? line_start(editor, start - 1) : end + 1, column);
    editor->column = column;
    return true;
}

static bool is_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || (unsigned char)byte >= 0x80;
}

static size_t word_before(const struct editor *editor, size_t at)
{
    while (at > 0 && !is_word(editor->text[at - 1]))
        at--;
    while (at > 0 && is_word(editor->text[at - 1]))
        at--;
    return at;
}

static size_t word_after(const struct editor *editor, size_t at)
{
    while (at < editor->length && !is_word(editor->text[at]))
        at++;
    while (at < editor->length && is_word(editor->text[at]))
        at++;
    return at;
}

static void break_line(struct editor *editor)
{
    char text[INDENT_MAX + 2] = "\n";
    size_t start = line_start(editor, editor->cursor), indent = 0;
    while (indent < INDENT_MAX && start + indent < editor->cursor && editor->text[start + indent] == ' ')
        indent++;
    memset(text + 1, ' ', indent);
    replace(editor, editor->cursor, editor->cursor, text, indent + 1);
}

/* ---- candidates ------------------------------------------------------------------------------------- */

size_t editor_word(const struct editor *editor, size_t *start)
{
    size_t at = editor->cursor;
    while (at > 0 && (is_word(editor->text[at - 1]) || editor->text[at - 1] == '.'))
        at--;
    *start = at;
    return editor->cursor - at;
}

static void put_candidate(struct editor *editor, const char *text)
{
    size_t count = editor->candidate_count, at = editor->candidate_at;
    replace(editor, editor->word_start, editor->cursor, text, strlen(text));
    editor->candidate_count = count;
    editor->candidate_at = at;
}

void editor_offer(struct editor *editor, const struct editor_candidate *candidates, size_t count)
{
    editor_word(editor, &editor->word_start);
    editor->candidate_count = 0;
    if (count == 0)
        return;
    char common[sizeof candidates->text];
    text_copy(common, sizeof common, candidates[0].text);
    for (size_t i = 1; i < count; i++)
        for (size_t at = 0; common[at] != '\0'; at++)
            if (tolower((unsigned char)common[at]) != tolower((unsigned char)candidates[i].text[at]))
                common[at] = '\0';
    if (count == 1 || strlen(common) > editor->cursor - editor->word_start)
        put_candidate(editor, common);
    if (count == 1)
        return;
    count = count < EDITOR_CANDIDATES ? count : EDITOR_CANDIDATES;
    memcpy(editor->candidates, candidates, count * sizeof *candidates);
    editor->candidate_count = count;
    editor->candidate_at = count; /* none chosen */
}

static void cycle(struct editor *editor, bool back)
{
    size_t count = editor->candidate_count;
    editor->candidate_at = editor->candidate_at >= count ? (back ? count - 1 : 0)
                           : back                        ? (editor->candidate_at + count - 1) % count
                                                         : (editor->candidate_at + 1) % count;
    put_candidate(editor, editor->candidates[editor->candidate_at].text);
}

/* ---- keys ------------------------------------------------------------------------------------------- */

static enum editor_answer move_to(struct editor *editor, size_t at)
{
    editor->cursor = at;
    editor->column = -1;
    return EDITOR_MOVED;
}

static enum editor_answer erase(struct editor *editor, size_t from, size_t to)
{
    replace(editor, from, to, "", 0);
    return EDITOR_CHANGED;
}

static enum editor_answer control_key(struct editor *editor, uint32_t code)
{
    size_t at = editor->cursor;
    switch (code) {
    case 'a':
        return move_to(editor, line_start(editor, at));
    case 'e':
        return move_to(editor, line_end(editor, at));
    case 'u':
        return erase(editor, line_start(editor, at), at);
    case 'k':
        return erase(editor, at, line_end(editor, at) > at ? line_end(editor, at) : after(editor, at));
    case 'w':
        return erase(editor, word_before(editor, at), at);
    case 'd':
        return erase(editor, at, after(editor, at));
    case 'p':
        return EDITOR_OLDER;
    case 'n':
        return EDITOR_NEWER;
    case KEYS_LEFT:
        return move_to(editor, word_before(editor, at));
    case KEYS_RIGHT:
        return move_to(editor, word_after(editor, at));
    case KEYS_HOME:
        return move_to(editor, 0);
    case KEYS_END:
        return move_to(editor, editor->length);
    default:
        return EDITOR_NOTHING;
    }
}

static enum editor_answer plain_key(struct editor *editor, uint32_t code)
{
    size_t at = editor->cursor;
    char bytes[5];
    switch (code) {
    case KEYS_ENTER:
        break_line(editor);
        return EDITOR_CHANGED;
    case KEYS_BACKSPACE:
        return erase(editor, before(editor, at), at);
    case KEYS_DELETE:
        return erase(editor, at, after(editor, at));
    case KEYS_LEFT:
        return move_to(editor, before(editor, at));
    case KEYS_RIGHT:
        return move_to(editor, after(editor, at));
    case KEYS_HOME:
        return move_to(editor, line_start(editor, at));
    case KEYS_END:
        return move_to(editor, line_end(editor, at));
    case KEYS_UP:
        return move_line(editor, -1) ? EDITOR_MOVED : EDITOR_OLDER;
    case KEYS_DOWN:
        return move_line(editor, 1) ? EDITOR_MOVED : EDITOR_NEWER;
    case KEYS_PGUP:
    case KEYS_PGDN:
        for (int i = 0; i < 10 && move_line(editor, code == KEYS_PGUP ? -1 : 1); i++)
            ;
        return EDITOR_MOVED;
    case KEYS_ESC:
        return EDITOR_LEAVE;
    default:
        if (code >= KEYS_BEGIN || text_is_control(code))
            return EDITOR_NOTHING;
        replace(editor, at, at, bytes, text_put_rune(bytes, code));
        return EDITOR_CHANGED;
    }
}

enum editor_answer editor_key(struct editor *editor, const struct key *key)
{
    size_t shown = editor->candidate_count;
    unsigned modifiers = key->modifiers;
    if (key->code == KEYS_TAB && (modifiers & (KEYS_CTRL | KEYS_ALT)) == 0) {
        if (shown == 0)
            return (modifiers & KEYS_SHIFT) != 0 ? EDITOR_MOVED : EDITOR_COMPLETE;
        cycle(editor, (modifiers & KEYS_SHIFT) != 0);
        return EDITOR_CHANGED;
    }
    if (shown > 0 && modifiers == 0 && (key->code == KEYS_DOWN || key->code == KEYS_UP)) {
        cycle(editor, key->code == KEYS_UP);
        return EDITOR_CHANGED;
    }
    if (shown > 0 && modifiers == 0 &&
        (key->code == KEYS_ESC || (key->code == KEYS_ENTER && editor->candidate_at < shown))) {
        editor->candidate_count = 0;
        return EDITOR_MOVED;
    }
    enum editor_answer answer = EDITOR_NOTHING;
    if ((modifiers & KEYS_ALT) != 0 && (modifiers & KEYS_CTRL) == 0)
        answer = key->code == 'b'   ? move_to(editor, word_before(editor, editor->cursor))
                 : key->code == 'f' ? move_to(editor, word_after(editor, editor->cursor))
                                    : EDITOR_NOTHING;
    else if ((modifiers & KEYS_CTRL) != 0)
        answer = control_key(editor, key->code);
    else
        answer = plain_key(editor, key->code);
    if (answer != EDITOR_NOTHING)
        editor->candidate_count = 0;
    return answer;
}

/* ---- drawing ---------------------------------------------------------------------------------------- */

/* What a run of characters is, from `at`; its end. */
static size_t next_run(const struct editor *editor, size_t at,
                       bool (*keyword)(const char *word, size_t length), struct style *style)
{
    const char *text = editor->text;
    size_t end = at + 1;
    *style = STYLE(ROLE_TEXT);
    if (strncmp(text + at, "--", 2) == 0) {
        *style = STYLE(ROLE_DIM);
        return line_end(editor, at);
    }
    if (strncmp(text + at, "/*", 2) == 0) {
        const char *close = strstr(text + at + 2, "*/");
        *style = STYLE(ROLE_DIM);
        return close != NULL ? (size_t)(close - text) + 2 : editor->length;
    }
    if (text[at] == '\'' || text[at] == '"') {
        while (end < editor->length && text[end] != text[at])
            end++;
        *style = STYLE(text[at] == '\'' ? ROLE_GOOD : ROLE_TEXT);
        return end < editor->length ? end + 1 : end;
    }
    if (!is_word(text[at]))
        return end;
    while (end < editor->length && is_word(text[end]))
        end++;
    if (isdigit((unsigned char)text[at]))
        *style = STYLE(ROLE_WARNING);
    else if (keyword != NULL && keyword(text + at, end - at))
        *style = STYLE_BOLD(ROLE_INFO);
    else if (end < editor->length && text[end] == '(')
        *style = STYLE(ROLE_STRONG);
    return end;
}

static void draw_candidates(const struct editor *editor, struct canvas *canvas, int x, int y)
{
    int width = 0, rows = (int)editor->candidate_count < 8 ? (int)editor->candidate_count : 8;
    for (size_t i = 0; i < editor->candidate_count; i++) {
        int cells = text_width(editor->candidates[i].text) + 2 + text_width(editor->candidates[i].detail);
        width = cells > width ? cells : width;
    }
    width = width + 2 > canvas->width ? canvas->width : width + 2;
    if (canvas->height - y - 1 < rows && y > canvas->height - y - 1) { /* more room above */
        rows = y < rows ? y : rows;
        y -= rows + 1;
    } else if (canvas->height - y - 1 < rows) {
        rows = canvas->height - y - 1;
    }
    if (x + width > canvas->width)
        x = canvas->width - width;
    size_t chosen = editor->candidate_at, first = 0;
    if (chosen < editor->candidate_count && chosen >= (size_t)rows)
        first = chosen - (size_t)rows + 1;
    for (int i = 0; i < rows; i++) {
        const struct editor_candidate *candidate = &editor->candidates[first + (size_t)i];
        struct canvas row = canvas_sub(canvas, x, y + 1 + i, width, 1);
        bool selected = first + (size_t)i == chosen;
        struct style style = {.fg = COLOUR_ROLE(ROLE_TEXT), .bg = COLOUR_ROLE(ROLE_BAR)};
        if (selected)
            style = (struct style){.fg = COLOUR_ROLE(ROLE_SELECTED), .attributes = ATTR_REVERSE};
        struct style faint = style;
        if (!selected)
            faint.fg = COLOUR_ROLE(ROLE_DIM);
        canvas_fill(&row, 0, 0, width, 1, ' ', style);
        int end = canvas_text_fit(&row, 1, 0, width - 2, style, candidate->text);
        if (end + 2 < width)
            canvas_text_right(&row, width - 1, 0, faint, candidate->detail);
    }
}

void editor_draw(struct editor *editor, struct canvas *canvas, bool typing,
                 bool (*keyword)(const char *word, size_t length), int *x, int *y)
{
    size_t line = 0;
    for (size_t i = 0; i < editor->cursor; i++)
        line += editor->text[i] == '\n';
    int column = cells_between(editor, line_start(editor, editor->cursor), editor->cursor);
    if (line < editor->top)
        editor->top = line;
    if (canvas->height > 0 && line >= editor->top + (size_t)canvas->height)
        editor->top = line - (size_t)canvas->height + 1;
    if (column < editor->left)
        editor->left = column;
    if (column >= editor->left + canvas->width)
        editor->left = column - canvas->width + 1;
    size_t row = 0, run_end = 0;
    int cell = 0;
    struct style style = STYLE(ROLE_TEXT);
    for (size_t at = 0; at < editor->length;) {
        if (at >= run_end)
            run_end = next_run(editor, at, keyword, &style);
        if (editor->text[at] == '\n') {
            row++;
            cell = 0;
            at++;
            continue;
        }
        const char *text = editor->text + at;
        uint32_t rune = text_next_rune(&text, editor->text + editor->length);
        if (row >= editor->top && cell >= editor->left)
            canvas_put(canvas, cell - editor->left, (int)(row - editor->top), rune, style);
        cell += text_rune_width(rune);
        at = (size_t)(text - editor->text);
    }
    *x = column - editor->left;
    *y = (int)(line - editor->top);
    if (typing && editor->candidate_count > 0)
        draw_candidates(editor, canvas, *x, *y);
}
