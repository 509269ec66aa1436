#include "ui/tree.h"

#include "base/err.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void tree_init(struct tree *tree)
{
    *tree = (struct tree){0};
    buf_init(&tree->texts, TREE_BYTES);
    buf_char(&tree->texts, '\0'); /* position 0 is the empty text */
}

void tree_free(struct tree *tree)
{
    free(tree->nodes);
    free(tree->shown);
    buf_free(&tree->texts);
    *tree = (struct tree){0};
}

void tree_clear(struct tree *tree, bool forget)
{
    tree->count = tree->left_out = tree->shown_count = 0;
    tree->arranged = false;
    memset(tree->places, 0, sizeof tree->places);
    buf_reset(&tree->texts);
    buf_char(&tree->texts, '\0');
    if (forget) {
        tree->toggled_count = 0;
        tree->list = (struct list){0};
    }
}

static uint32_t keep(struct tree *tree, const char *text)
{
    uint32_t at = (uint32_t)tree->texts.length;
    if (text == NULL || text[0] == '\0' || !buf_append(&tree->texts, text, strlen(text) + 1))
        return 0;
    return at;
}

const char *tree_text(const struct tree *tree, uint32_t at)
{
    return tree->texts.data + at;
}

/* FNV-1a over the label, going on from the parent's path; the place among its siblings tells equal names
 * apart. */
static uint64_t path_of(struct tree *tree, int depth, const char *label)
{
    uint64_t hash = depth > 0 ? tree->paths[depth - 1] : UINT64_C(14695981039346656037);
    hash = (hash ^ tree->places[depth]++) * UINT64_C(1099511628211);
    for (; *label != '\0'; label++)
        hash = (hash ^ (unsigned char)*label) * UINT64_C(1099511628211);
    if (depth + 1 < TREE_DEPTH)
        tree->places[depth + 1] = 0;
    return tree->paths[depth] = hash;
}

bool tree_add(struct tree *tree, int depth, const char *label, const char *value, const char *note,
              enum role role)
{
    if (tree->count >= TREE_NODES) {
        tree->left_out++;
        return false;
    }
    if (tree->count == tree->capacity) {
        tree->capacity = tree->capacity ? tree->capacity * 2 : 64;
        tree->nodes = mem_resize(tree->nodes, tree->capacity, sizeof *tree->nodes);
        tree->shown = mem_resize(tree->shown, tree->capacity, sizeof *tree->shown);
    }
    if (depth >= TREE_DEPTH)
        depth = TREE_DEPTH - 1;
    struct tree_node node = {.depth = depth, .role = role, .path = path_of(tree, depth, label ? label : "")};
    node.label = keep(tree, label);
    node.value = keep(tree, value);
    node.note = keep(tree, note);
    tree->nodes[tree->count++] = node;
    tree->arranged = false;
    return true;
}

void tree_branch(struct tree *tree, bool folds)
{
    if (tree->count == 0)
        return;
    tree->nodes[tree->count - 1].branch = true;
    tree->nodes[tree->count - 1].folds = folds;
}

static bool folded(const struct tree *tree, const struct tree_node *node)
{
    for (size_t i = 0; i < tree->toggled_count; i++)
        if (tree->toggled[i] == node->path)
            return !node->folds;
    return node->folds;
}

static void toggle(struct tree *tree, const struct tree_node *node)
{
    tree->arranged = false;
    for (size_t i = 0; i < tree->toggled_count; i++)
        if (tree->toggled[i] == node->path) {
            tree->toggled[i] = tree->toggled[--tree->toggled_count];
            return;
        }
    if (tree->toggled_count == TREE_TOGGLE) /* the oldest folds back */
        memmove(tree->toggled, tree->toggled + 1, --tree->toggled_count * sizeof tree->toggled[0]);
    tree->toggled[tree->toggled_count++] = node->path;
}

static void arrange(struct tree *tree)
{
    if (tree->arranged)
        return;
    tree->arranged = true;
    tree->shown_count = 0;
    for (size_t i = 0; i < tree->count; i++) {
        tree->shown[tree->shown_count++] = (uint32_t)i;
        const struct tree_node *node = &tree->nodes[i];
        if (node->branch && folded(tree, node))
            while (i + 1 < tree->count && tree->nodes[i + 1].depth > node->depth)
                i++;
    }
    if (tree->list.selected >= tree->shown_count)
        tree->list.selected = tree->shown_count > 0 ? tree->shown_count - 1 : 0;
}

static struct tree_node *shown(const struct tree *tree, size_t row)
{
    return &tree->nodes[tree->shown[row]];
}

const struct tree_node *tree_selected(struct tree *tree)
{
    arrange(tree);
    return tree->shown_count > 0 ? shown(tree, tree->list.selected) : NULL;
}

/* ---- drawing ----------------------------------------------------------------------------------------- */

static int indent(const struct tree_node *node)
{
    return node->depth * 2 + 2;
}

/* Values stand in one column, behind the widest label in sight. */
static int value_column(const struct tree *tree, int width)
{
    int column = 0;
    for (size_t row = 0; row < tree->list.rows && tree->list.top + row < tree->shown_count; row++) {
        const struct tree_node *node = shown(tree, tree->list.top + row);
        int end = indent(node) + text_width(tree_text(tree, node->label));
        if (node->value != 0 && end > column)
            column = end;
    }
    column += 2;
    return column < width / 2 ? column : width / 2;
}

static void draw_node(const struct tree *tree, struct canvas *canvas, int y, int column,
                      const struct tree_node *node)
{
    int x = indent(node), width = canvas->width;
    bool closed = node->branch && folded(tree, node);
    if (node->branch)
        canvas_put(canvas, x - 2, y, closed ? 0x25B8 : 0x25BE, STYLE(ROLE_INFO));
    const char *label = tree_text(tree, node->label), *value = tree_text(tree, node->value);
    struct style style = node->branch ? STYLE_BOLD(ROLE_TEXT) : STYLE(ROLE_DIM);
    int room = node->value != 0 ? column - 1 - x : width - x;
    canvas_text_fit(canvas, x, y, room, style, label);
    if (node->value == 0 || (node->branch && !closed && node->depth > 0))
        return;
    struct style value_style = node->branch ? STYLE(ROLE_DIM) : STYLE(node->role);
    x = canvas_text_fit(canvas, column, y, width - column, value_style, value);
    if (node->note != 0 && x + 3 < width)
        canvas_text_fit(canvas, x + 1, y, width - x - 1, STYLE(ROLE_DIM), tree_text(tree, node->note));
}

void tree_draw(struct tree *tree, struct canvas *canvas, bool focused, const char *filter)
{
    arrange(tree);
    list_fit(&tree->list, tree->shown_count, canvas->height);
    struct canvas body = canvas_sub(canvas, 0, 0, canvas->width - 1, canvas->height);
    int column = value_column(tree, body.width);
    for (size_t row = 0; row < tree->list.rows && tree->list.top + row < tree->shown_count; row++) {
        draw_node(tree, &body, (int)row, column, shown(tree, tree->list.top + row));
        if (tree->list.top + row == tree->list.selected)
            list_mark(&body, (int)row, focused);
        list_highlight(&body, 0, (int)row, body.width, filter);
    }
    list_scroll_bar(&tree->list, canvas, canvas->width - 1, 0, tree->shown_count);
}

/* ---- moving ------------------------------------------------------------------------------------------ */

static bool step_out(struct tree *tree)
{
    size_t at = tree->list.selected;
    int depth = shown(tree, at)->depth;
    while (at > 0 && shown(tree, at)->depth >= depth)
        at--;
    if (shown(tree, at)->depth < depth)
        tree->list.selected = at;
    return true;
}

static bool holds(const struct tree *tree, const struct tree_node *node, const char *filter)
{
    const char *texts[] = {tree_text(tree, node->label), tree_text(tree, node->value)};
    return list_matches(filter, texts, 2);
}

static bool match(struct tree *tree, bool forward, const char *filter)
{
    size_t count = tree->shown_count, at = tree->list.selected;
    for (size_t i = 0; i < count && filter[0] != '\0'; i++) {
        at = forward ? (at + 1) % count : (at + count - 1) % count;
        if (holds(tree, shown(tree, at), filter)) {
            tree->list.selected = at;
            return true;
        }
    }
    return false;
}

bool tree_command(struct tree *tree, const char *name, const char *argument, const char *filter)
{
    arrange(tree);
    if (tree->shown_count == 0)
        return false;
    const struct tree_node *node = shown(tree, tree->list.selected);
    bool closed = node->branch && folded(tree, node);
    if (strcmp(name, "match") == 0)
        return match(tree, strcmp(argument, "previous") != 0, filter);
    if (strcmp(name, "open") == 0 ||
        (strcmp(name, "select") == 0 && strcmp(argument, "right") == 0 && closed)) {
        if (node->branch)
            toggle(tree, node);
        return true;
    }
    if (strcmp(name, "select") != 0)
        return false;
    if (strcmp(argument, "right") == 0)
        return list_move(&tree->list, tree->shown_count, "next");
    if (strcmp(argument, "left") == 0) {
        if (!node->branch || closed)
            return step_out(tree);
        toggle(tree, node);
        return true;
    }
    return list_move(&tree->list, tree->shown_count, argument);
}

bool tree_click(struct tree *tree, int y, bool twice)
{
    arrange(tree);
    if (!list_click(&tree->list, tree->shown_count, y))
        return false;
    const struct tree_node *node = shown(tree, tree->list.selected);
    if (twice && node->branch)
        toggle(tree, node);
    return true;
}
