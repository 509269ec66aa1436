/* The XML reader: bounded, and what it reads of what we write is what we wrote. */
#include "base/text.h"
#include "base/xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct xml_node *node, int depth)
{
    size_t count = 1;
    if (depth > XML_DEPTH_MAX)
        abort();
    if (strlen(node->name) + strlen(node->text) > 1000000 || !text_is_utf8(node->text, strlen(node->text)))
        abort();
    for (const struct xml_node *child = node->child; child; child = child->next)
        count += walk(child, depth + 1);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xml *xml = xml_read((const char *)data, size);
    if (xml && walk(xml_root(xml), 0) > XML_NODES_MAX)
        abort();
    xml_destroy(xml);

    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    struct buf out;
    buf_init(&out, 16 * size + 100);
    buf_text(&out, "<R>");
    xml_element(&out, "E", text);
    buf_text(&out, "</R>");
    xml = xml_read(out.data, out.length);
    if (!xml)
        abort();
    const char *again = xml_text(xml_root(xml), "E");
    bool plain = text_is_utf8(text, strlen(text));
    for (const char *at = text; *at; at++)
        plain = plain && ((unsigned char)*at >= 0x20 || *at == '\n' || *at == '\t' || *at == '\r') &&
                (unsigned char)*at != 0xEF;
    if (!again || (plain && strcmp(again, text) != 0))
        abort();
    xml_destroy(xml);
    buf_free(&out);
    free(text);
    return 0;
}
