/*
 * The XML that S3 and STS speak: small documents of elements and text. The reader knows no document types, no
 * external entities and no namespaces (a prefix is dropped, attributes are skipped); depth, nodes and size
 * are bounded. Pure.
 */
#ifndef SMARTCITY_BASE_XML_H
#define SMARTCITY_BASE_XML_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define XML_DEPTH_MAX 32
#define XML_NODES_MAX 65536

struct xml_node {
    const char *name; /* without prefix */
    const char *text; /* decoded; "" none, or when there are children */
    struct xml_node *child, *next;
};

struct xml;
/* NULL when it is not well formed or past a limit. The text is copied. */
struct xml *xml_read(const char *text, size_t length);
void xml_destroy(struct xml *xml); /* NULL allowed */
const struct xml_node *xml_root(const struct xml *xml);
/* The first child of that name; NULL when absent, or when node is NULL. */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
/* Its text; NULL when absent. */
const char *xml_text(const struct xml_node *node, const char *name);

/* Escapes text for an element's content; what XML 1.0 cannot hold becomes U+FFFD. */
void xml_escape(struct buf *out, const char *text);
/* <name>text</name> */
void xml_element(struct buf *out, const char *name, const char *text);

#endif
