/*
 * A JSON scanner for hostile text (RFC 8259): one pass, no tree, no allocation. The caller walks objects and
 * arrays with the functions below; the first thing wrong stops the walk and is kept with its byte position.
 * Strings are checked to be UTF-8, so what has been scanned is well formed. Pure; any thread.
 *
 *     struct json json;
 *     json_open(&json, text, length);
 *     for (bool first = json_begin(&json, '{'); json_next_key(&json, &first, &key);)
 *         …one value: json_string, json_number, json_literal, json_skip or a nested walk…
 *     if (json.problem) …
 */
#ifndef SMARTCITY_CITY_JSON_H
#define SMARTCITY_CITY_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    const char *start, *at, *end;
    const char *problem; /* NULL while all is well; else a fixed text */
    size_t problem_at;   /* byte position from 0 */
    int depth, max_depth;
};

/* The bytes between the quotes, as they stand. `plain`: printable ASCII without escapes, usable as it is. */
struct json_string {
    const char *text;
    size_t length;
    bool plain, escaped;
};

struct json_number {
    double value;    /* infinite when too large for a double */
    bool is_integer; /* written without fraction and exponent, and fits: `integer` holds it */
    int64_t integer;
    const char *text;
    size_t length;
};

void json_open(struct json *json, const char *text, size_t length, int max_depth);
/* Always false, so that `return json_fail(…)` reads well. The first problem is kept. */
bool json_fail(struct json *json, const char *at, const char *problem);

/* Skips white space; the next byte, or 0 at the end. '{' '[' '"' 't' 'f' 'n' '-' or a digit begin a value. */
int json_peek(struct json *json);
/* Consumes the opening bracket that json_peek has shown; false (problem set) when nested too deep. */
bool json_begin(struct json *json, char bracket);
/* To the next member or element; *first is true before the first. False after the closing bracket or on a
 * problem. */
bool json_next_key(struct json *json, bool *first, struct json_string *key);
bool json_next_element(struct json *json, bool *first);
/* The halves of json_next_key, for a caller that guesses keys: to the opening quote; the key and its colon.
 */
bool json_next_member(struct json *json, bool *first);
bool json_key(struct json *json, struct json_string *key);

bool json_string(struct json *json, struct json_string *string);
bool json_number(struct json *json, struct json_number *number);
/* One of true, false, null. */
bool json_literal(struct json *json, const char *word);
bool json_skip(struct json *json); /* any value */
/* Only white space is left. */
bool json_close(struct json *json);

/* Unescapes into out and makes it harmless (text_sanitise), whole code points only, NUL-terminated. Returns
 * bytes; *cut when it was longer. `size` at most 512. */
size_t json_string_copy(const struct json_string *string, char *out, size_t size, bool *cut);
/* The number that a string holds, as "12.5"; false when it holds anything else. */
bool json_string_number(const struct json_string *string, struct json_number *number);

#endif
