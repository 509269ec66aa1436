/* What the panels of the Query screen share. */
#ifndef SMARTCITY_UI_PANELS_QUERY_H
#define SMARTCITY_UI_PANELS_QUERY_H

#include "ui/panels/stream.h"

/* Keywords and functions of SQL, upper and lower case; NULL ends them. */
extern const char *const query_keywords[];
extern const char *const query_functions[];
bool query_is_keyword(const char *word, size_t length);

enum role query_state_role(enum query_state state);
enum role query_result_role(enum result_state state);
/* A cell as one harmless line; "null" for null. */
const char *query_cell_text(const struct result_cell *cell, char *text, size_t size);
/* The plot of view->query.plot over the whole canvas. */
void query_plot_draw(struct canvas *canvas, const struct view_query *query);

#endif
