#include "ui/layout.h"

#include "app/command.h"

#include <ctype.h>
#include <string.h>

/* The area is the terminal without its bars: 80x24 leaves 80x21, 132x43 leaves 132x39, 200x50 leaves 200x46.
 */
static const struct screen_row screens[] = {
    {"1",
     "drive",
     "Drive",
     SCOPE_DRIVE,
     {{180, 40,
       "down(across(down(map, weather:7), down(across(vehicle, emergencies):12, camera, throughput:8):84), "
       "pipeline:5)"},
      {120, 36,
       "down(across(down(map, weather:7), down(vehicle:10, camera, emergencies:6, throughput:7):48), "
       "pipeline:5)"},
      {100, 26,
       "down(across(down(map, weather:7), down(vehicle:10, emergencies, throughput:7):42), pipeline!:1)"},
      {76, 34, "down(map, across(vehicle, emergencies:32):9, weather:7, throughput:4, pipeline!:1)"},
      {76, 21, "down(across(map, down(vehicle:7, weather:5, emergencies):31), throughput:4, pipeline!:1)"},
      {0, 0, "down(across(map, down(vehicle:7, emergencies):27), pipeline!:1)"}}},
    {"2",
     "stream",
     "Stream",
     SCOPE_STREAM,
     {{180, 36, "across(down(rates, latency:18):88, down(partitions:12, tail, quarantine:10))"},
      {120, 30, "down(across(rates, down(partitions, latency:13):60):23, tail)"},
      {76, 19, "down(across(rates, partitions:40):9, latency:4, tail)"},
      {0, 0, "down(rates:6, tail)"}}},
    {"3",
     "lake",
     "Lake",
     SCOPE_LAKE,
     {{180, 36, "down(across(objects, flush:66):14, batches)"},
      {120, 30, "down(across(objects, flush:50):14, batches)"},
      {76, 19, "down(across(objects, flush:38):10, batches)"},
      {0, 0, "down(flush:6, batches)"}}},
    {"4",
     "catalogue",
     "Catalogue",
     SCOPE_CATALOGUE,
     {{100, 30, "down(tables, crawlers:8)"}, {76, 19, "down(tables, crawlers:5)"}, {0, 0, "tables"}},
     "catalogue"},
    {"5",
     "query",
     "Query",
     SCOPE_QUERY,
     {{160, 40, "across(down(editor:15, querystate!:1, results), queries:52)"},
      {110, 30, "down(across(editor, queries:46):13, querystate!:1, results)"},
      {76, 19, "down(across(editor, queries:28):8, querystate!:1, results)"},
      {0, 0, "down(editor:6, querystate!:1, results)"}}},
    {"6", "warehouse", "Warehouse", SCOPE_WAREHOUSE, {{76, 19, "down(onwards:12, loads)"}, {0, 0, "loads"}}},
    {"7", "journeys", "Journeys", SCOPE_JOURNEYS, {{0, 0, "down(journeys, playback:5)"}}},
    {"8",
     "ledger",
     "Ledger",
     SCOPE_LEDGER,
     {{100, 30, "down(ledger, onwards:14)"}, {76, 19, "down(ledger:11, onwards)"}, {0, 0, "ledger"}}},
    {"9", "log", "Log", SCOPE_LOG, {{0, 0, "log"}}},
};

size_t layout_screens(const struct screen_row **rows)
{
    *rows = screens;
    return sizeof screens / sizeof screens[0];
}

bool rect_holds(const struct rect *rect, int x, int y)
{
    return x >= rect->x && y >= rect->y && x < rect->x + rect->width && y < rect->y + rect->height;
}

/* ---- a spec becomes a tree --------------------------------------------------------------------------- */

enum node_kind { NODE_PANEL, NODE_ACROSS, NODE_DOWN };
struct node {
    enum node_kind kind;
    char name[LAYOUT_NAME];
    bool bare;
    int fixed, percent; /* 0: what is left */
    int first, next;    /* indexes; 0 none */
};
#define NODES 40
struct tree {
    const char *at;
    int count;
    struct node nodes[NODES];
    bool (*has)(const char *panel);
    bool bad;
};

static void skip_blanks(struct tree *tree)
{
    while (*tree->at == ' ')
        tree->at++;
}

static int parse_node(struct tree *tree);

static void parse_children(struct tree *tree, struct node *node)
{
    int last = 0;
    do {
        tree->at++; /* '(' or ',' */
        int child = parse_node(tree);
        if (child == 0)
            continue;
        if (last == 0)
            node->first = child;
        else
            tree->nodes[last].next = child;
        last = child;
        skip_blanks(tree);
    } while (*tree->at == ',' && !tree->bad);
    if (*tree->at == ')')
        tree->at++;
    else
        tree->bad = true;
}

/* Its index, or 0 when nothing of it is built. */
static int parse_node(struct tree *tree)
{
    if (tree->count + 1 >= NODES) {
        tree->bad = true;
        return 0;
    }
    int index = ++tree->count;
    struct node *node = &tree->nodes[index];
    skip_blanks(tree);
    size_t length = 0;
    while (isalnum((unsigned char)*tree->at) && length + 1 < LAYOUT_NAME)
        node->name[length++] = *tree->at++;
    if (length == 0)
        tree->bad = true;
    if (*tree->at == '(') {
        node->kind = strcmp(node->name, "across") == 0 ? NODE_ACROSS : NODE_DOWN;
        parse_children(tree, node);
    }
    if (*tree->at == '!') {
        node->bare = true;
        tree->at++;
    }
    if (*tree->at == ':') {
        int number = 0;
        while (isdigit((unsigned char)*++tree->at))
            number = number < 1000 ? number * 10 + (*tree->at - '0') : number;
        if (*tree->at == '%') {
            node->percent = number;
            tree->at++;
        } else {
            node->fixed = number;
        }
    }
    if (node->kind == NODE_PANEL)
        return tree->has == NULL || tree->has(node->name) ? index : 0;
    return node->first != 0 ? index : 0;
}

/* ---- a tree becomes rectangles ----------------------------------------------------------------------- */

static void place(const struct tree *tree, int index, struct rect rect, struct layout *layout)
{
    const struct node *node = &tree->nodes[index];
    if (node->kind == NODE_PANEL) {
        if (layout->count == LAYOUT_SLOTS || rect.width <= 0 || rect.height <= 0)
            return;
        struct layout_slot *slot = &layout->slots[layout->count++];
        *slot = (struct layout_slot){.rect = rect, .bare = node->bare};
        memcpy(slot->panel, node->name, LAYOUT_NAME);
        return;
    }
    bool down = node->kind == NODE_DOWN;
    int whole = down ? rect.height : rect.width, left = whole, open = 0;
    for (int child = node->first; child != 0; child = tree->nodes[child].next) {
        const struct node *part = &tree->nodes[child];
        left -= part->fixed + whole * part->percent / 100;
        open += part->fixed == 0 && part->percent == 0;
    }
    int at = 0;
    for (int child = node->first; child != 0; child = tree->nodes[child].next) {
        const struct node *part = &tree->nodes[child];
        int size = part->fixed + whole * part->percent / 100;
        if (part->fixed == 0 && part->percent == 0) {
            size = left > 0 && open > 0 ? left / open : 0;
            left -= size;
            open--;
        } else if (part->next == 0 && left > 0 && open == 0) {
            size += left; /* nobody else wants it: what was not built */
        }
        if (size > whole - at)
            size = whole - at;
        struct rect box = down ? (struct rect){rect.x, rect.y + at, rect.width, size}
                               : (struct rect){rect.x + at, rect.y, size, rect.height};
        place(tree, child, box, layout);
        at += size;
    }
}

bool layout_compute(const struct screen_row *row, struct rect area, bool (*has)(const char *panel),
                    struct layout *layout)
{
    *layout = (struct layout){0};
    const struct layout_row *chosen = row->layouts;
    while (area.width < chosen->width || area.height < chosen->height)
        chosen++;
    struct tree tree = {.at = chosen->spec, .has = has};
    int root = parse_node(&tree);
    if (tree.bad || *tree.at != '\0')
        return false;
    if (root != 0)
        place(&tree, root, area, layout);
    return true;
}
