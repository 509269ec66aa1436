/*
 * A tree of names and values: what is folded, which row is selected, and the drawing. The caller fills it
 * anew when its data changes; what was folded stays so, by the path of names. Bounded: past TREE_NODES nodes
 * the rest is left out and counted. Texts are copied and made harmless when drawn. Main thread.
 */
#ifndef SMARTCITY_UI_TREE_H
#define SMARTCITY_UI_TREE_H

#include "base/buf.h"
#include "ui/table.h"

#define TREE_NODES  4096
#define TREE_BYTES  (1u << 20)
#define TREE_TOGGLE 256
#define TREE_DEPTH  40 /* deeper nodes stand at this depth */

struct tree_node {
    uint64_t path; /* hash of the names from the root */
    int depth;
    bool branch, folds;          /* has children; folded unless toggled */
    uint32_t label, value, note; /* in `texts` */
    enum role role;              /* of the value */
};

struct tree {
    struct tree_node *nodes;
    size_t count, capacity, left_out;
    uint64_t paths[TREE_DEPTH]; /* of the last node at each depth */
    uint32_t places[TREE_DEPTH];
    struct buf texts;
    uint64_t toggled[TREE_TOGGLE]; /* paths whose fold is not as at birth */
    size_t toggled_count;
    uint32_t *shown; /* indexes of the visible nodes */
    size_t shown_count;
    bool arranged;
    struct list list;
};

void tree_init(struct tree *tree);
void tree_free(struct tree *tree);
/* Empties it; what was folded is kept, unless `forget`. */
void tree_clear(struct tree *tree, bool forget);
/* The next node in order, at most one deeper than the one before. A branch's value is its summary, shown
 * while it is folded. Note: units and meaning, after the value. NULL stands for "". False when it is full. */
bool tree_add(struct tree *tree, int depth, const char *label, const char *value, const char *note,
              enum role role);
/* The last node added has children; `folds`: closed until it is opened. */
void tree_branch(struct tree *tree, bool folds);

void tree_draw(struct tree *tree, struct canvas *canvas, bool focused, const char *filter);
/* "select" with its words, left and right fold and unfold, "open" does either, "match" goes to the next node
 * that holds the filter. */
bool tree_command(struct tree *tree, const char *name, const char *argument, const char *filter);
bool tree_click(struct tree *tree, int y, bool twice);
/* Label and value of the selected node; NULL when empty. */
const struct tree_node *tree_selected(struct tree *tree);
const char *tree_text(const struct tree *tree, uint32_t at);

#endif
