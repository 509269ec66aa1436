#include "ui/table.h"

#include "base/text.h"

#include <string.h>

static int total_width(const struct table *table)
{
    int total = 0;
    for (size_t i = 0; i < table->count; i++)
        if (table->width[i] > 0)
            total += table->width[i] + (total > 0 ? TABLE_GAP : 0);
    return total;
}

/* The column to give up next: highest rank, the last among equals; -1 when all stay. */
static int least_wanted(const struct table *table)
{
    int found = -1, rank = 0;
    for (size_t i = 0; i < table->count; i++)
        if (table->width[i] > 0 && table->columns[i].rank > 0 && table->columns[i].rank >= rank) {
            rank = table->columns[i].rank;
            found = (int)i;
        }
    return found;
}

void table_fit(struct table *table, const struct table_column *columns, size_t count, int width)
{
    *table = (struct table){.columns = columns, .count = count < TABLE_COLUMNS ? count : TABLE_COLUMNS};
    int shares = 0;
    for (size_t i = 0; i < table->count; i++)
        table->width[i] = columns[i].width;
    for (int column; total_width(table) > width && (column = least_wanted(table)) >= 0;)
        table->width[column] = 0;
    for (size_t i = 0; i < table->count; i++)
        shares += table->width[i] > 0 ? columns[i].grow : 0;
    int left = width - total_width(table);
    for (size_t i = 0; i < table->count && left > 0 && shares > 0; i++) {
        if (table->width[i] == 0 || columns[i].grow == 0)
            continue;
        int more = left * columns[i].grow / shares;
        table->width[i] += more;
        left -= more;
        shares -= columns[i].grow;
    }
    for (size_t i = 0, x = 0; i < table->count; i++) {
        table->x[i] = (int)x;
        if (table->width[i] > 0)
            x += (size_t)table->width[i] + TABLE_GAP;
    }
}

void table_put(const struct table *table, struct canvas *canvas, int y, int column, struct style style,
               const char *text)
{
    int width = table->width[column], x = table->x[column];
    if (width <= 0)
        return;
    int taken = text_width(text);
    if (table->columns[column].right && taken < width)
        x += width - taken;
    canvas_text_fit(canvas, x, y, width < taken ? width : taken, style, text);
}

void table_heading(const struct table *table, struct canvas *canvas, int y, int order, bool falling)
{
    for (size_t i = 0; i < table->count; i++) {
        int width = table->width[i], x = table->x[i];
        bool orders = (int)i == order;
        int taken = text_width(table->columns[i].name);
        struct style style = orders ? STYLE_BOLD(ROLE_TITLE) : STYLE(ROLE_DIM);
        if (width <= 0)
            continue;
        if (table->columns[i].right && taken < width)
            x += width - taken;
        canvas_text_fit(canvas, x, y, width, style, table->columns[i].name);
        if (!orders)
            continue;
        /* The arrow stands in the gap, on the side that is free. */
        int arrow = table->columns[i].right && x > table->x[i] ? x - 1 : x + (taken < width ? taken : width);
        canvas_put(canvas, arrow, y, falling ? 0x25BC : 0x25B4, style);
    }
}

int table_column_named(const struct table_column *columns, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal_fold(columns[i].name, name))
            return (int)i;
    for (size_t i = 0; i < count && name[0] != '\0'; i++)
        if (text_prefix_fold(columns[i].name, name))
            return (int)i;
    return -1;
}

int table_column_at(const struct table *table, int x)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->width[i] > 0 && x >= table->x[i] && x < table->x[i] + table->width[i] + TABLE_GAP)
            return (int)i;
    return -1;
}

int table_column_beside(const struct table *table, int column, int step)
{
    int count = (int)table->count;
    if (count == 0)
        return column;
    if (column < 0)
        column = step > 0 ? count - 1 : 0;
    for (int i = 0; i < count; i++) {
        column = (column + step + count) % count;
        if (table->width[column] > 0)
            return column;
    }
    return column;
}

/* ---- the selection ----------------------------------------------------------------------------------- */

bool list_move(struct list *list, size_t count, const char *how)
{
    size_t last = count > 0 ? count - 1 : 0, page = list->rows > 1 ? list->rows - 1 : 1;
    size_t at = list->selected < last ? list->selected : last;
    if (strcmp(how, "next") == 0)
        at = at < last ? at + 1 : last;
    else if (strcmp(how, "previous") == 0)
        at = at > 0 ? at - 1 : 0;
    else if (strcmp(how, "page-down") == 0)
        at = last - at > page ? at + page : last;
    else if (strcmp(how, "page-up") == 0)
        at = at > page ? at - page : 0;
    else if (strcmp(how, "first") == 0)
        at = 0;
    else if (strcmp(how, "last") == 0)
        at = last;
    else
        return false;
    list->selected = at;
    return true;
}

void list_fit(struct list *list, size_t count, int rows)
{
    list->rows = rows > 0 ? (size_t)rows : 0;
    if (list->selected >= count)
        list->selected = count > 0 ? count - 1 : 0;
    if (list->rows == 0)
        return;
    if (list->selected < list->top)
        list->top = list->selected;
    else if (list->selected >= list->top + list->rows)
        list->top = list->selected - list->rows + 1;
    if (list->top + list->rows > count)
        list->top = count > list->rows ? count - list->rows : 0;
}

bool list_click(struct list *list, size_t count, int y)
{
    if (y < 0 || (size_t)y >= list->rows || list->top + (size_t)y >= count)
        return false;
    list->selected = list->top + (size_t)y;
    return true;
}

void list_mark(struct canvas *canvas, int y, bool focused)
{
    if (focused) {
        canvas_restyle(canvas, 0, y, canvas->width, STYLE(ROLE_SELECTED));
        return;
    }
    for (int x = 0; x < canvas->width; x++) {
        const struct cell *cell = canvas_at(canvas, x, y);
        if (cell == NULL)
            return;
        struct style style = cell->style;
        style.attributes |= ATTR_UNDERLINE;
        canvas_restyle(canvas, x, y, 1, style);
    }
}

void list_scroll_bar(const struct list *list, struct canvas *canvas, int x, int y, size_t count)
{
    if (count <= list->rows || list->rows == 0)
        return;
    size_t size = list->rows * list->rows / count, hidden = count - list->rows;
    if (size == 0)
        size = 1;
    size_t at = (list->rows - size) * list->top / hidden;
    if (list->top == hidden)
        at = list->rows - size;
    for (size_t row = 0; row < size; row++)
        canvas_put(canvas, x, y + (int)(at + row), 0x2503, STYLE(ROLE_DIM));
}

/* ---- the filter -------------------------------------------------------------------------------------- */

#define WORD_SIZE 64

/* Takes the next word off *filter; false when there is none. */
static bool next_word(const char **filter, char word[WORD_SIZE], bool *negated)
{
    const char *at = *filter + strspn(*filter, " ");
    size_t length = strcspn(at, " ");
    if (length == 0)
        return false;
    *filter = at + length;
    *negated = at[0] == '!' && length > 1;
    at += *negated;
    length -= *negated;
    if (length >= WORD_SIZE)
        length = WORD_SIZE - 1;
    memcpy(word, at, length);
    word[length] = '\0';
    return true;
}

bool list_matches(const char *filter, const char *const *texts, size_t count)
{
    char word[WORD_SIZE];
    bool negated;
    while (next_word(&filter, word, &negated)) {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++)
            found = text_find_fold(texts[i], word) != NULL;
        if (found == negated)
            return false;
    }
    return true;
}

static uint32_t fold(uint32_t rune)
{
    return rune >= 'A' && rune <= 'Z' ? rune - 'A' + 'a' : rune;
}

static bool stands_at(const struct canvas *canvas, int x, int y, const char *word, int length)
{
    for (int i = 0; i < length; i++) {
        const struct cell *cell = canvas_at(canvas, x + i, y);
        if (cell == NULL || fold(cell->rune) != fold((unsigned char)word[i]))
            return false;
    }
    return true;
}

void list_highlight(struct canvas *canvas, int x, int y, int width, const char *filter)
{
    char word[WORD_SIZE];
    bool negated;
    while (next_word(&filter, word, &negated)) {
        int length = (int)strlen(word);
        for (int at = x; !negated && at + length <= x + width; at++) {
            if (!stands_at(canvas, at, y, word, length))
                continue;
            for (int i = 0; i < length; i++) {
                struct style style = canvas_at(canvas, at + i, y)->style;
                style.attributes |= ATTR_UNDERLINE | ATTR_BOLD;
                canvas_restyle(canvas, at + i, y, 1, style);
            }
            at += length - 1;
        }
    }
}
