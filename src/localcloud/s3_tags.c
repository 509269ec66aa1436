#include "localcloud/s3.h"

#include "aws/sigv4.h"
#include "base/text.h"
#include "base/xml.h"

#include <stdlib.h>
#include <string.h>

/* Object tags. They are kept as they come in x-amz-tagging: "a=1&b=2", URL-encoded. */

#define KEY_MAX   128 /* characters */
#define VALUE_MAX 256

struct tag_list {
    struct buf text; /* "a=1&b=2" */
    char *keys[S3_TAGS_MAX];
    int count;
};

static size_t characters(const char *text)
{
    size_t count = 0;
    for (const char *end = text + strlen(text); text < end; count++)
        text_next_rune(&text, end);
    return count;
}

static int bad_tag(struct request *request, const char *message)
{
    return request_fail(request, 400, "InvalidTag", "%s", message);
}

static int add_tag(struct request *request, struct tag_list *tags, const char *key, const char *value)
{
    if (tags->count == S3_TAGS_MAX)
        return request_fail(request, 400, "BadRequest", "Object tags cannot be greater than 10");
    if (!*key || characters(key) > KEY_MAX || !text_is_utf8(key, strlen(key)))
        return bad_tag(request, "The TagKey you have provided is invalid");
    if (characters(value) > VALUE_MAX || !text_is_utf8(value, strlen(value)))
        return bad_tag(request, "The TagValue you have provided is invalid");
    if (strncmp(key, "aws:", 4) == 0)
        return bad_tag(request, "System tags cannot be added/updated by requester");
    for (int i = 0; i < tags->count; i++)
        if (strcmp(tags->keys[i], key) == 0)
            return bad_tag(request, "Cannot provide multiple Tags with the same key");
    tags->keys[tags->count++] = mem_text(key);
    if (tags->text.length > 0)
        buf_char(&tags->text, '&');
    sigv4_encode(&tags->text, key, strlen(key), false);
    buf_char(&tags->text, '=');
    sigv4_encode(&tags->text, value, strlen(value), false);
    return 0;
}

static void init_tags(struct tag_list *tags)
{
    *tags = (struct tag_list){0};
    buf_init(&tags->text, 16384);
    buf_text(&tags->text, "");
}

static void free_tags(struct tag_list *tags)
{
    for (int i = 0; i < tags->count; i++)
        free(tags->keys[i]);
    buf_free(&tags->text);
}

/* Calls `each` for every pair of "a=1&b=2", decoded; stops at the first that does not return 0. */
static int each_tag(const char *text, int (*each)(void *context, const char *key, const char *value),
                    void *context)
{
    int result = 0;
    while (*text && result == 0) {
        size_t length = strcspn(text, "&"), name = strcspn(text, "=&");
        struct buf key, value;
        buf_init(&key, 4096);
        buf_init(&value, 4096);
        buf_text(&key, "");
        buf_text(&value, "");
        sigv4_decode(&key, text, name, true);
        if (name < length)
            sigv4_decode(&value, text + name + 1, length - name - 1, true);
        result = key.overflow || value.overflow ? -1 : each(context, key.data, value.data);
        buf_free(&key);
        buf_free(&value);
        text += length + (text[length] == '&');
    }
    return result;
}

struct check {
    struct request *request;
    struct tag_list tags;
};

static int check_tag(void *context, const char *key, const char *value)
{
    struct check *check = context;
    return add_tag(check->request, &check->tags, key, value);
}

int s3_check_tags(struct request *request, const char *tags, int *count)
{
    struct check check = {.request = request};
    init_tags(&check.tags);
    int result = each_tag(tags, check_tag, &check);
    *count = check.tags.count;
    free_tags(&check.tags);
    if (result < 0 && !request->reply.failed)
        return request_fail(request, 400, "InvalidArgument",
                            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded "
                            "URL query parameters without tag name duplicates.");
    return result;
}

static int write_tag(void *context, const char *key, const char *value)
{
    struct buf *out = context;
    buf_text(out, "<Tag>");
    xml_element(out, "Key", key);
    xml_element(out, "Value", value);
    buf_text(out, "</Tag>");
    return 0;
}

void s3_get_tags(struct request *request)
{
    struct object_info info;
    struct err err = ERR_INIT;
    enum objects_status status =
        objects_head(s3_objects(request), request->bucket, request->key, &info, &err);
    if (status != OBJECTS_OK) {
        s3_fail(request, status, &err);
        return;
    }
    struct buf *out = request_reply_xml(request);
    buf_printf(out, "<Tagging xmlns=\"%s\"><TagSet>", request->service->xmlns);
    each_tag(info.tags, write_tag, out);
    buf_text(out, "</TagSet></Tagging>");
    object_info_free(&info);
}

static void set_tags(struct request *request, const char *tags, int count, int answer)
{
    struct err err = ERR_INIT;
    enum objects_status status =
        objects_set_tags(s3_objects(request), request->bucket, request->key, tags, count, &err);
    if (status != OBJECTS_OK)
        s3_fail(request, status, &err);
    else
        request->reply.status = answer;
}

void s3_put_tags(struct request *request)
{
    struct xml *xml = request->body.length ? xml_read(request->body.data, request->body.length) : NULL;
    const struct xml_node *set =
        xml && strcmp(xml_root(xml)->name, "Tagging") == 0 ? xml_child(xml_root(xml), "TagSet") : NULL;
    struct tag_list tags;
    int result = 0;
    init_tags(&tags);
    if (!set)
        result = request_fail(
            request, 400, "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema");
    for (const struct xml_node *tag = set ? set->child : NULL; tag && result == 0; tag = tag->next) {
        const char *key = xml_text(tag, "Key"), *value = xml_text(tag, "Value");
        result = add_tag(request, &tags, key ? key : "", value ? value : "");
    }
    if (result == 0)
        set_tags(request, tags.text.data, tags.count, 200);
    free_tags(&tags);
    xml_destroy(xml);
}

void s3_delete_tags(struct request *request)
{
    set_tags(request, "", 0, 204);
}
