/* What parsing (glue_expression.c) and matching (glue_expression_match.c) of a partition expression share. */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_EXPRESSION_PRIVATE_H
#define SMARTCITY_LOCALCLOUD_GLUE_EXPRESSION_PRIVATE_H

#include "localcloud/glue_expression.h"

/* A node a predicate, in one array that cannot outgrow the text. Literals are cut out of a copy of the text.
 */

#define NODES_MAX 1024
#define DEPTH_MAX 64

enum value_class { CLASS_TEXT, CLASS_NUMBER, CLASS_DATE, CLASS_TIMESTAMP };
enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_COMPARE, NODE_IN, NODE_BETWEEN, NODE_LIKE, NODE_NULL };
enum comparison { EQUAL, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };
enum logic { LOGIC_FALSE, LOGIC_TRUE, LOGIC_NULL };

struct operand {
    int column; /* -1: a literal */
    const char *text;
};

struct node {
    enum node_kind kind;
    enum comparison comparison;
    enum value_class value_class;
    bool negated;
    int left, right; /* AND, OR, NOT */
    struct operand operands[3];
    struct operand *list; /* IN */
    size_t list_count;
};

struct key {
    char *name;
    enum value_class value_class;
};

struct glue_expression {
    struct node nodes[NODES_MAX];
    int count, root;
    struct key *keys;
    size_t key_count;
    char *texts; /* literals, each NUL-terminated */
};

/* The class of a column type: "int" and its kin are numbers. */
bool glue_expression_class(const char *type, enum value_class *value_class);
/* Can this literal be compared with a column of the class? */
bool glue_expression_fits(enum value_class value_class, const char *text);

#endif
