/*
 * Lists and tables: columns that share a width and give way when it is short, headings that tell the order, a
 * selection that stays in sight, a scroll bar, and the words of a filter. What is shown is the caller's;
 * these keep only how it is looked at. Pure; main thread.
 */
#ifndef SMARTCITY_UI_TABLE_H
#define SMARTCITY_UI_TABLE_H

#include "ui/canvas.h"

#define TABLE_COLUMNS 16
#define TABLE_GAP     2 /* cells between columns */

struct table_column {
    const char *name; /* the heading, and the word for `sort` */
    int width;        /* cells at least */
    int grow;         /* share of the cells that are left over; 0: none */
    bool right;       /* figures */
    int rank;         /* the highest goes first when there is no room; 0 stays */
};

/* Where the columns came to stand; width 0: no room. */
struct table {
    const struct table_column *columns;
    size_t count;
    int x[TABLE_COLUMNS], width[TABLE_COLUMNS];
};
void table_fit(struct table *table, const struct table_column *columns, size_t count, int width);
/* `order` is the column that orders, -1 none; `falling`: largest first. */
void table_heading(const struct table *table, struct canvas *canvas, int y, int order, bool falling);
/* Cut with an ellipsis, aligned as the column is. */
void table_put(const struct table *table, struct canvas *canvas, int y, int column, struct style style,
               const char *text);
/* The column of that name, or whose heading is at cell x; -1. */
int table_column_named(const struct table_column *columns, size_t count, const char *name);
int table_column_at(const struct table *table, int x);
/* The next column that is shown, to the right or (step -1) left. */
int table_column_beside(const struct table *table, int column, int step);

struct list {
    size_t selected, top;
    size_t rows; /* in sight at the last draw */
};
/* "next", "previous", "page-up", "page-down", "first", "last": false for another word. */
bool list_move(struct list *list, size_t count, const char *how);
/* Scrolls so that the selection is in sight; call before drawing. */
void list_fit(struct list *list, size_t count, int rows);
/* The row of a click `y` cells below the first row; false outside. */
bool list_click(struct list *list, size_t count, int y);
/* Shows row `y` as the selected one. */
void list_mark(struct canvas *canvas, int y, bool focused);
/* In one column of cells; nothing when all is in sight. */
void list_scroll_bar(const struct list *list, struct canvas *canvas, int x, int y, size_t count);

/* All words of the filter, separated by spaces, are in one of the texts; `!` in front: in none. Case does not
 * matter. */
bool list_matches(const char *filter, const char *const *texts, size_t count);
/* Underlines where the filter's words stand in the cells of row y from x on. ASCII words only. */
void list_highlight(struct canvas *canvas, int x, int y, int width, const char *filter);

#endif
