#include "ui/prompt.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

void prompt_open(struct prompt *prompt, const char *label, const char *text,
                 const char (*history)[PROMPT_MAX], size_t history_count)
{
    *prompt = (struct prompt){.open = true, .history = history, .history_count = history_count};
    text_copy(prompt->label, sizeof prompt->label, label);
    prompt_insert(prompt, text);
}

void prompt_close(struct prompt *prompt)
{
    prompt->open = false;
    prompt->candidate_count = 0;
}

/* ---- editing ----------------------------------------------------------------------------------------- */

static void replace(struct prompt *prompt, size_t from, size_t to, const char *text, size_t length)
{
    size_t tail = prompt->length - to;
    if (from + length + tail >= PROMPT_MAX)
        length = PROMPT_MAX - 1 - from - tail;
    while (length > 0 && (text[length] & 0xC0) == 0x80)
        length--; /* whole code points only */
    memmove(prompt->text + from + length, prompt->text + to, tail);
    memcpy(prompt->text + from, text, length);
    prompt->length = from + length + tail;
    prompt->cursor = from + length;
    prompt->text[prompt->length] = '\0';
}

static void set_text(struct prompt *prompt, const char *text)
{
    prompt->length = prompt->cursor = 0;
    replace(prompt, 0, 0, text, strlen(text));
}

void prompt_insert(struct prompt *prompt, const char *text)
{
    char clean[PROMPT_MAX];
    size_t length = 0;
    for (const char *end = text + strlen(text); text < end;) {
        uint32_t rune = text_next_rune(&text, end);
        char bytes[5];
        if (rune == '\n' || rune == '\r' || rune == '\t')
            rune = ' ';
        if (text_is_control(rune) || rune == 0xFFFD)
            continue;
        size_t count = text_put_rune(bytes, rune);
        if (length + count >= sizeof clean)
            break;
        memcpy(clean + length, bytes, count);
        length += count;
    }
    clean[length] = '\0';
    replace(prompt, prompt->cursor, prompt->cursor, clean, length);
    prompt->candidate_count = 0;
}

/* The start of the character before `at`, its combining marks included. */
static size_t before(const struct prompt *prompt, size_t at)
{
    while (at > 0) {
        for (at--; at > 0 && at < PROMPT_MAX && (prompt->text[at] & 0xC0) == 0x80;)
            at--;
        const char *text = prompt->text + at;
        if (text_rune_width(text_next_rune(&text, prompt->text + prompt->length)) > 0)
            break;
    }
    return at;
}

static size_t after(const struct prompt *prompt, size_t at)
{
    const char *end = prompt->text + prompt->length, *text = prompt->text + at;
    if (text < end)
        text_next_rune(&text, end);
    while (text < end) {
        const char *next = text;
        if (text_rune_width(text_next_rune(&next, end)) > 0)
            break;
        text = next;
    }
    return (size_t)(text - prompt->text);
}

static size_t word_before(const struct prompt *prompt, size_t at)
{
    while (at > 0 && prompt->text[at - 1] == ' ')
        at--;
    while (at > 0 && prompt->text[at - 1] != ' ')
        at--;
    return at;
}

static size_t word_after(const struct prompt *prompt, size_t at)
{
    while (at < prompt->length && prompt->text[at] == ' ')
        at++;
    while (at < prompt->length && prompt->text[at] != ' ')
        at++;
    return at;
}

/* ---- history ----------------------------------------------------------------------------------------- */

/* Up and Down visit only lines that begin with what was typed. */
static void walk_history(struct prompt *prompt, bool back)
{
    if (prompt->history_at == 0)
        text_copy(prompt->typed, sizeof prompt->typed, prompt->text);
    for (size_t at = prompt->history_at; back ? at < prompt->history_count : at > 0;) {
        at = back ? at + 1 : at - 1;
        const char *line = at == 0 ? prompt->typed : prompt->history[at - 1];
        if (at > 0 && (!text_prefix_fold(line, prompt->typed) || strcmp(line, prompt->text) == 0))
            continue;
        prompt->history_at = at;
        set_text(prompt, line);
        return;
    }
}

/* Ctrl-R: the newest line older than `from` that holds the search. */
static void search_history(struct prompt *prompt, size_t from)
{
    for (size_t at = from; at < prompt->history_count; at++)
        if (text_find_fold(prompt->history[at], prompt->search) != NULL) {
            prompt->history_at = at + 1;
            set_text(prompt, prompt->history[at]);
            return;
        }
}

static bool feed_search(struct prompt *prompt, const struct key *key)
{
    size_t length = strlen(prompt->search);
    if (key->modifiers == KEYS_CTRL && key->code == 'r') {
        search_history(prompt, prompt->history_at);
    } else if (key->modifiers == 0 && key->code == KEYS_BACKSPACE) {
        while (length > 0 && (prompt->search[--length] & 0xC0) == 0x80)
            ;
        prompt->search[length] = '\0';
        search_history(prompt, 0);
    } else if (key->modifiers == 0 && key->code < KEYS_BEGIN && length + 5 < sizeof prompt->search) {
        text_put_rune(prompt->search + length, key->code);
        search_history(prompt, prompt->history_at > 0 ? prompt->history_at - 1 : 0);
    } else {
        prompt->searching = false;
        return false;
    }
    return true;
}

/* ---- keys -------------------------------------------------------------------------------------------- */

static enum prompt_answer control_key(struct prompt *prompt, uint32_t code)
{
    switch (code) {
    case 'a':
        prompt->cursor = 0;
        break;
    case 'e':
        prompt->cursor = prompt->length;
        break;
    case 'b':
        prompt->cursor = before(prompt, prompt->cursor);
        break;
    case 'f':
        prompt->cursor = after(prompt, prompt->cursor);
        break;
    case 'd':
        replace(prompt, prompt->cursor, after(prompt, prompt->cursor), "", 0);
        break;
    case 'h':
        replace(prompt, before(prompt, prompt->cursor), prompt->cursor, "", 0);
        break;
    case 'k':
        replace(prompt, prompt->cursor, prompt->length, "", 0);
        break;
    case 'u':
        replace(prompt, 0, prompt->cursor, "", 0);
        break;
    case 'w':
        replace(prompt, word_before(prompt, prompt->cursor), prompt->cursor, "", 0);
        break;
    case 'p':
        walk_history(prompt, true);
        break;
    case 'n':
        walk_history(prompt, false);
        break;
    case 'r':
        prompt->searching = true;
        prompt->search[0] = '\0';
        break;
    case 'c':
    case 'g':
        return PROMPT_CANCEL;
    case KEYS_LEFT:
        prompt->cursor = word_before(prompt, prompt->cursor);
        break;
    case KEYS_RIGHT:
        prompt->cursor = word_after(prompt, prompt->cursor);
        break;
    default:
        return PROMPT_NOTHING;
    }
    return PROMPT_CHANGED;
}

static enum prompt_answer named_key(struct prompt *prompt, uint32_t code)
{
    switch (code) {
    case KEYS_ENTER:
        return PROMPT_ACCEPT;
    case KEYS_ESC:
        return PROMPT_CANCEL;
    case KEYS_TAB:
        return PROMPT_COMPLETE;
    case KEYS_UP:
        walk_history(prompt, true);
        break;
    case KEYS_DOWN:
        walk_history(prompt, false);
        break;
    case KEYS_LEFT:
        prompt->cursor = before(prompt, prompt->cursor);
        break;
    case KEYS_RIGHT:
        prompt->cursor = after(prompt, prompt->cursor);
        break;
    case KEYS_HOME:
        prompt->cursor = 0;
        break;
    case KEYS_END:
        prompt->cursor = prompt->length;
        break;
    case KEYS_DELETE:
        replace(prompt, prompt->cursor, after(prompt, prompt->cursor), "", 0);
        break;
    case KEYS_BACKSPACE:
        if (prompt->length == 0)
            return PROMPT_CANCEL;
        replace(prompt, before(prompt, prompt->cursor), prompt->cursor, "", 0);
        break;
    default:
        return PROMPT_NOTHING;
    }
    return PROMPT_CHANGED;
}

enum prompt_answer prompt_key(struct prompt *prompt, const struct key *key)
{
    if (prompt->searching && feed_search(prompt, key))
        return PROMPT_CHANGED;
    if (key->code == KEYS_TAB)
        return (key->modifiers & KEYS_SHIFT) != 0 ? PROMPT_COMPLETE_BACK : PROMPT_COMPLETE;
    bool history = key->code == KEYS_UP || key->code == KEYS_DOWN ||
                   (key->modifiers == KEYS_CTRL && (key->code == 'p' || key->code == 'n'));
    bool escape = key->code == KEYS_ESC && prompt->candidate_count > 0;
    prompt->candidate_count = 0;
    if (escape)
        return PROMPT_CHANGED; /* the first Esc puts the candidates away */
    enum prompt_answer answer = PROMPT_NOTHING;
    if ((key->modifiers & (KEYS_CTRL | KEYS_ALT)) == 0 && key->code < KEYS_BEGIN) {
        char bytes[5];
        text_put_rune(bytes, key->code);
        prompt_insert(prompt, bytes);
        answer = PROMPT_CHANGED;
    } else if ((key->modifiers & KEYS_CTRL) != 0) {
        answer = control_key(prompt, key->code);
    } else if ((key->modifiers & KEYS_ALT) != 0) {
        if (key->code == 'b')
            prompt->cursor = word_before(prompt, prompt->cursor);
        else if (key->code == 'f')
            prompt->cursor = word_after(prompt, prompt->cursor);
        else if (key->code == 'd')
            replace(prompt, prompt->cursor, word_after(prompt, prompt->cursor), "", 0);
        else if (key->code == KEYS_BACKSPACE)
            replace(prompt, word_before(prompt, prompt->cursor), prompt->cursor, "", 0);
        else
            return PROMPT_NOTHING;
        answer = PROMPT_CHANGED;
    } else {
        answer = named_key(prompt, key->code);
    }
    if (!history)
        prompt->history_at = 0;
    return answer;
}

/* ---- candidates -------------------------------------------------------------------------------------- */

static const char *candidate(const struct prompt *prompt, size_t index)
{
    const char *at = prompt->candidates;
    while (index-- > 0)
        at += strlen(at) + 1;
    return at;
}

bool prompt_offer(struct prompt *prompt, size_t word_start, const char *candidates, size_t count)
{
    prompt->candidate_count = 0;
    prompt->word_start = word_start;
    if (count == 0)
        return false;
    size_t used = 0, common = strlen(candidates);
    const char *at = candidates;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(at), same = 0;
        if (used + length + 1 > PROMPT_CANDIDATES)
            break;
        memcpy(prompt->candidates + used, at, length + 1);
        used += length + 1;
        while (same < common && candidates[same] == at[same])
            same++;
        common = same;
        prompt->candidate_count++;
        at += length + 1;
    }
    while (common > 0 && (candidates[common] & 0xC0) == 0x80)
        common--;
    size_t typed = prompt->cursor - word_start;
    prompt->candidate_at = prompt->candidate_count;
    if (prompt->candidate_count == 1) {
        replace(prompt, word_start, prompt->cursor, candidates, strlen(candidates));
        if (prompt->cursor == prompt->length)
            prompt_insert(prompt, " ");
        prompt->candidate_count = 0;
        return true;
    }
    if (common <= typed)
        return false;
    size_t offered = prompt->candidate_count;
    replace(prompt, word_start, prompt->cursor, candidates, common);
    prompt->candidate_count = prompt->candidate_at = offered;
    return true;
}

void prompt_cycle(struct prompt *prompt, bool back)
{
    size_t count = prompt->candidate_count;
    if (count == 0)
        return;
    if (prompt->candidate_at == count)
        prompt->candidate_at = back ? count - 1 : 0;
    else
        prompt->candidate_at = (prompt->candidate_at + (back ? count - 1 : 1)) % count;
    const char *word = candidate(prompt, prompt->candidate_at);
    replace(prompt, prompt->word_start, prompt->cursor, word, strlen(word));
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

static void draw_candidates(const struct prompt *prompt, struct canvas *canvas, int y)
{
    canvas_fill(canvas, 0, y, canvas->width, 1, ' ', STYLE(ROLE_BAR));
    /* The page that holds the chosen one. */
    size_t first = 0;
    int x = 1;
    for (size_t i = 0; i < prompt->candidate_count && i <= prompt->candidate_at; i++) {
        x += text_width(candidate(prompt, i)) + 2;
        if (x > canvas->width - 3 && i > first && prompt->candidate_at < prompt->candidate_count) {
            first = i;
            x = 3 + text_width(candidate(prompt, i)) + 2;
        }
    }
    x = 1;
    if (first > 0)
        x = canvas_text(canvas, 0, y, STYLE(ROLE_BAR), "…") + 1;
    for (size_t i = first; i < prompt->candidate_count; i++) {
        const char *word = candidate(prompt, i);
        if (x + text_width(word) > canvas->width - 2) {
            canvas_text(canvas, canvas->width - 1, y, STYLE(ROLE_BAR), "…");
            break;
        }
        x = canvas_text(canvas, x, y, i == prompt->candidate_at ? STYLE(ROLE_SELECTED) : STYLE(ROLE_BAR),
                        word) +
            2;
    }
}

int prompt_draw(const struct prompt *prompt, struct canvas *canvas, int y)
{
    if (prompt->candidate_count > 1 && y > 0)
        draw_candidates(prompt, canvas, y - 1);
    canvas_fill(canvas, 0, y, canvas->width, 1, ' ', STYLE(ROLE_NONE));
    int x = canvas_text(canvas, 0, y, STYLE_BOLD(ROLE_FOCUS), prompt->label);
    if (prompt->searching)
        x = canvas_printf(canvas, x, y, STYLE(ROLE_DIM), "(history: %s) ", prompt->search);
    int room = canvas->width - x - 1;
    if (room <= 0)
        return canvas->width - 1;
    /* Scrolled so that the cursor is in sight. */
    size_t from = 0;
    char left[PROMPT_MAX];
    for (;;) {
        text_copy(left, prompt->cursor - from + 1, prompt->text + from);
        if (text_width(left) <= room || from >= prompt->cursor)
            break;
        from = after(prompt, from);
    }
    struct canvas line = canvas_sub(canvas, x, y, room + 1, 1);
    canvas_text(&line, 0, 0, STYLE(ROLE_TEXT), prompt->text + from);
    return x + text_width(left);
}
