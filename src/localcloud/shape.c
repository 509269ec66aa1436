#include "localcloud/shape.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PATH_SIZE 160

static int wrong_type(const char *path, const char *wanted, struct err *err)
{
    return err_set(err, ERR_USAGE, "%s must be %s", path, wanted);
}

static json_t *copy_texts(const json_t *value, const char *path, struct err *err)
{
    json_t *copy = json_is_object(value) ? json_object() : json_array();
    const char *name;
    json_t *each;
    size_t index = 0;
    bool good = true;
    if (json_is_object(value))
        json_object_foreach((json_t *)value, name, each)
        {
            if (json_is_null(each))
                continue;
            good = good && json_is_string(each);
            json_object_set(copy, name, each);
        }
    else
        json_array_foreach(value, index, each)
        {
            good = good && json_is_string(each);
            json_array_append(copy, each);
        }
    if (good)
        return copy;
    json_decref(copy);
    wrong_type(path, "of text only", err);
    return NULL;
}

static json_t *copy_map_list(const json_t *value, const char *path, struct err *err)
{
    json_t *copy = json_array(), *each;
    size_t index = 0;
    json_array_foreach(value, index, each)
    {
        json_t *map = json_is_object(each) ? copy_texts(each, path, err) : NULL;
        if (!map) {
            if (!json_is_object(each))
                wrong_type(path, "a list of maps", err);
            json_decref(copy);
            return NULL;
        }
        json_array_append_new(copy, map);
    }
    return copy;
}

static json_t *copy_objects(const struct shape *shape, const json_t *value, const char *path, struct err *err)
{
    bool map = json_is_object(value);
    json_t *copy = map ? json_object() : json_array(), *each, *one;
    const char *name;
    size_t index = 0;
    if (map)
        json_object_foreach((json_t *)value, name, each)
        {
            if (!(one = shape_copy(shape, each, path, err)))
                goto failed;
            json_object_set_new(copy, name, one);
        }
    else
        json_array_foreach(value, index, each)
        {
            char member[PATH_SIZE];
            snprintf(member, sizeof member, "%s.%zu.member", path, index + 1);
            if (!(one = shape_copy(shape, each, member, err)))
                goto failed;
            json_array_append_new(copy, one);
        }
    return copy;
failed:
    json_decref(copy);
    return NULL;
}

static json_t *copy_member(const struct shape *shape, json_t *value, const char *path, struct err *err)
{
    switch (shape->kind) {
    case SHAPE_TEXT:
        return json_is_string(value) ? json_incref(value) : (wrong_type(path, "text", err), NULL);
    case SHAPE_INT:
        return json_is_integer(value) ? json_incref(value) : (wrong_type(path, "an integer", err), NULL);
    case SHAPE_NUMBER:
        return json_is_number(value) ? json_incref(value) : (wrong_type(path, "a number", err), NULL);
    case SHAPE_BOOL:
        return json_is_boolean(value) ? json_incref(value) : (wrong_type(path, "true or false", err), NULL);
    case SHAPE_TEXT_MAP:
        return json_is_object(value) ? copy_texts(value, path, err) : (wrong_type(path, "a map", err), NULL);
    case SHAPE_TEXT_LIST:
        return json_is_array(value) ? copy_texts(value, path, err) : (wrong_type(path, "a list", err), NULL);
    case SHAPE_TEXT_MAP_LIST:
        return json_is_array(value) ? copy_map_list(value, path, err)
                                    : (wrong_type(path, "a list", err), NULL);
    case SHAPE_OBJECT:
        return shape_copy(shape->members, value, path, err);
    case SHAPE_OBJECT_LIST:
        return json_is_array(value) ? copy_objects(shape->members, value, path, err)
                                    : (wrong_type(path, "a list", err), NULL);
    case SHAPE_OBJECT_MAP:
        return json_is_object(value) ? copy_objects(shape->members, value, path, err)
                                     : (wrong_type(path, "a map", err), NULL);
    }
    return NULL;
}

json_t *shape_copy(const struct shape *shape, const json_t *input, const char *path, struct err *err)
{
    if (!json_is_object(input)) {
        err_set(err, ERR_USAGE,
                "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must "
                "not be null",
                path);
        return NULL;
    }
    json_t *copy = json_object();
    for (; shape->name; shape++) {
        char member[PATH_SIZE];
        json_t *value = json_object_get(input, shape->name);
        snprintf(member, sizeof member, "%s%s%c%s", path, *path ? "." : "", tolower(shape->name[0]),
                 shape->name + 1);
        if (!value || json_is_null(value)) {
            if (!shape->required)
                continue;
            err_set(err, ERR_USAGE,
                    "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member "
                    "must not be null",
                    member);
            json_decref(copy);
            return NULL;
        }
        json_t *own = copy_member(shape, value, member, err);
        if (shape->required && json_is_string(own) && json_string_length(own) == 0) {
            err_set(err, ERR_USAGE,
                    "1 validation error detected: Value '' at '%s' failed to satisfy constraint: Member "
                    "must have length greater than or equal to 1",
                    member);
            json_decref(own);
            own = NULL;
        }
        if (!own) {
            json_decref(copy);
            return NULL;
        }
        json_object_set_new(copy, shape->name, own);
    }
    return copy;
}
