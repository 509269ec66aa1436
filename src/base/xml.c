#include "base/xml.h"

#include "base/err.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct xml {
    char *text; /* a copy, into which names and texts point after decoding in place */
    struct xml_node *nodes;
    size_t count, capacity;
    struct xml_node *root;
};

struct reader {
    char *at, *end;
    struct xml *xml;
    bool failed;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool begins(const struct reader *reader, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(reader->end - reader->at) >= length && memcmp(reader->at, word, length) == 0;
}

/* Behind the next `word`; false when there is none. */
static bool skip_past(struct reader *reader, const char *word)
{
    size_t length = strlen(word);
    char *found = memmem(reader->at, (size_t)(reader->end - reader->at), word, length);
    if (!found)
        return false;
    reader->at = found + length;
    return true;
}

/* Blanks, comments, processing instructions; a document type is refused. */
static bool skip_misc(struct reader *reader)
{
    for (;;) {
        while (reader->at < reader->end && is_blank(*reader->at))
            reader->at++;
        if (begins(reader, "<!--")) {
            reader->at += 4;
            if (!skip_past(reader, "-->"))
                return false;
        } else if (begins(reader, "<?")) {
            if (!skip_past(reader, "?>"))
                return false;
        } else {
            return true;
        }
    }
}

static uint32_t character_reference(const char *text, size_t length)
{
    uint32_t base = 10, rune = 0;
    size_t at = 1;
    if (length > 1 && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        at = 2;
    }
    if (at >= length)
        return 0;
    for (; at < length; at++) {
        uint32_t digit = text[at] >= '0' && text[at] <= '9'   ? (uint32_t)(text[at] - '0')
                         : text[at] >= 'a' && text[at] <= 'f' ? (uint32_t)(text[at] - 'a') + 10
                         : text[at] >= 'A' && text[at] <= 'F' ? (uint32_t)(text[at] - 'A') + 10
                                                              : 99;
        if (digit >= base || rune > 0x10FFFF)
            return 0;
        rune = rune * base + digit;
    }
    return rune > 0x10FFFF || (rune >= 0xD800 && rune < 0xE000) ? 0 : rune;
}

/* Decodes an entity at `at` ("&…;") into `to`, which never outruns it. */
static bool entity(struct reader *reader, char **to)
{
    static const struct {
        const char *name;
        char byte;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    char *name = reader->at + 1,
         *end = memchr(name, ';', (size_t)(reader->end - name) < 12 ? (size_t)(reader->end - name) : 12);
    if (!end)
        return false;
    size_t length = (size_t)(end - name);
    reader->at = end + 1;
    if (length > 0 && name[0] == '#') {
        char rune[5];
        uint32_t value = character_reference(name, length);
        if (value == 0)
            return false;
        size_t size = text_put_rune(rune, value);
        memcpy(*to, rune, size);
        *to += size;
        return true;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0) {
            *(*to)++ = known[i].byte;
            return true;
        }
    }
    return false;
}

static size_t name_length(const struct reader *reader)
{
    const char *at = reader->at;
    while (at < reader->end && !is_blank(*at) && !strchr("<>/=&\"'", *at))
        at++;
    return (size_t)(at - reader->at);
}

static struct xml_node *new_node(struct reader *reader)
{
    struct xml *xml = reader->xml;
    if (xml->count == xml->capacity)
        return NULL;
    struct xml_node *node = &xml->nodes[xml->count++];
    *node = (struct xml_node){.name = "", .text = ""};
    return node;
}

static struct xml_node *element(struct reader *reader, int depth);

/* Children and text up to the end tag. Text is decoded in place; an element with children has none, since
 * what stands between them would be written over them. */
static bool content(struct reader *reader, struct xml_node *node, int depth)
{
    char *text = reader->at, *to = reader->at, scratch[8];
    struct xml_node **link = &node->child;
    while (reader->at < reader->end) {
        if (*reader->at == '&') {
            char *unused = scratch;
            if (!entity(reader, node->child ? &unused : &to))
                return false;
        } else if (*reader->at != '<') {
            char byte = *reader->at++;
            if (!node->child)
                *to++ = byte;
        } else if (begins(reader, "<!--")) {
            reader->at += 4;
            if (!skip_past(reader, "-->"))
                return false;
        } else if (begins(reader, "<![CDATA[")) {
            char *from = reader->at += 9;
            if (!skip_past(reader, "]]>"))
                return false;
            size_t length = (size_t)(reader->at - 3 - from);
            if (!node->child) {
                memmove(to, from, length);
                to += length;
            }
        } else if (begins(reader, "</")) {
            reader->at += 2;
            if (!node->child) {
                node->text = text;
                *to = '\0'; /* at or before the '<' */
            }
            return true;
        } else {
            *link = element(reader, depth + 1);
            if (!*link)
                return false;
            link = &(*link)->next;
        }
    }
    return false;
}

static bool attributes(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at != '>' && *reader->at != '/') {
        if (is_blank(*reader->at)) {
            reader->at++;
            continue;
        }
        size_t length = name_length(reader);
        reader->at += length;
        if (length == 0 || reader->end - reader->at < 3 || *reader->at != '=' ||
            (reader->at[1] != '"' && reader->at[1] != '\''))
            return false;
        char quote[2] = {reader->at[1], '\0'};
        reader->at += 2;
        if (!skip_past(reader, quote))
            return false;
    }
    return reader->at < reader->end;
}

static struct xml_node *element(struct reader *reader, int depth)
{
    struct xml_node *node = depth < XML_DEPTH_MAX && begins(reader, "<") ? new_node(reader) : NULL;
    if (!node)
        return NULL;
    char *name = ++reader->at;
    size_t length = name_length(reader);
    reader->at += length;
    if (length == 0 || !attributes(reader))
        return NULL;
    bool empty = *reader->at == '/';
    reader->at += empty;
    if (reader->at >= reader->end || *reader->at != '>')
        return NULL;
    reader->at++;
    if (!empty) {
        if (!content(reader, node, depth) || (size_t)(reader->end - reader->at) <= length ||
            memcmp(reader->at, name, length) != 0)
            return NULL;
        reader->at += length;
        while (reader->at < reader->end && is_blank(*reader->at))
            reader->at++;
        if (reader->at >= reader->end || *reader->at++ != '>')
            return NULL;
    }
    name[length] = '\0';
    char *colon = memchr(name, ':', length);
    node->name = colon ? colon + 1 : name;
    return node;
}

struct xml *xml_read(const char *text, size_t length)
{
    struct xml *xml = mem_zero(1, sizeof *xml);
    xml->text = mem_alloc(length + 1);
    memcpy(xml->text, text, length);
    xml->text[length] = '\0';
    for (size_t i = 0; i + 1 < length; i++) /* each element takes a '<' that no '/' follows */
        xml->capacity += text[i] == '<' && text[i + 1] != '/';
    if (xml->capacity > XML_NODES_MAX)
        xml->capacity = XML_NODES_MAX;
    xml->nodes = mem_zero(xml->capacity + 1, sizeof *xml->nodes);
    struct reader reader = {.at = xml->text, .end = xml->text + length, .xml = xml};
    bool good = text_is_utf8(text, length) && !memchr(text, '\0', length) && skip_misc(&reader);
    if (good)
        xml->root = element(&reader, 0);
    if (!good || !xml->root || !skip_misc(&reader) || reader.at != reader.end) {
        xml_destroy(xml);
        return NULL;
    }
    return xml;
}

void xml_destroy(struct xml *xml)
{
    if (!xml)
        return;
    free(xml->nodes);
    free(xml->text);
    free(xml);
}

const struct xml_node *xml_root(const struct xml *xml)
{
    return xml->root;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
    for (const struct xml_node *child = node ? node->child : NULL; child; child = child->next)
        if (strcmp(child->name, name) == 0)
            return child;
    return NULL;
}

const char *xml_text(const struct xml_node *node, const char *name)
{
    const struct xml_node *child = xml_child(node, name);
    return child ? child->text : NULL;
}

void xml_escape(struct buf *out, const char *text)
{
    const char *end = text + strlen(text);
    while (text < end) {
        const char *from = text;
        uint32_t rune = text_next_rune(&text, end);
        if (rune == '&')
            buf_text(out, "&amp;");
        else if (rune == '<')
            buf_text(out, "&lt;");
        else if (rune == '>')
            buf_text(out, "&gt;");
        else if (rune == '"')
            buf_text(out, "&quot;");
        else if (rune == '\r')
            buf_text(out, "&#13;");
        else if ((rune < 0x20 && rune != '\t' && rune != '\n') || rune == 0xFFFE || rune == 0xFFFF)
            buf_text(out, "\xEF\xBF\xBD");
        else if (rune == 0xFFFD)
            buf_text(out, "\xEF\xBF\xBD");
        else
            buf_append(out, from, (size_t)(text - from));
    }
}

void xml_element(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "<%s>", name);
    xml_escape(out, text);
    buf_printf(out, "</%s>", name);
}
