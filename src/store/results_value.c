/* What values are: kinds from the engines' words of types, and numbers from their texts. */
#include "store/results.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum result_kind result_kind_of(const char *type)
{
    static const struct {
        const char *word;
        enum result_kind kind;
    } kinds[] = {{"timestamp", RESULT_TIME}, {"datetime", RESULT_TIME}, {"date", RESULT_DATE},
                 {"tinyint", RESULT_INT},    {"smallint", RESULT_INT},  {"integer", RESULT_INT},
                 {"bigint", RESULT_INT},     {"int2", RESULT_INT},      {"int4", RESULT_INT},
                 {"int8", RESULT_INT},       {"double", RESULT_REAL},   {"real", RESULT_REAL},
                 {"float", RESULT_REAL},     {"decimal", RESULT_REAL},  {"numeric", RESULT_REAL},
                 {"bool", RESULT_BOOL},      {"hugeint", RESULT_INT},   {"ubigint", RESULT_INT},
                 {"uinteger", RESULT_INT}};
    if (text_equal_fold(type, "int"))
        return RESULT_INT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_prefix_fold(type, kinds[i].word))
            return kinds[i].kind;
    return RESULT_TEXT;
}

bool result_kind_is_number(enum result_kind kind)
{
    return kind == RESULT_INT || kind == RESULT_REAL;
}

bool result_number(enum result_kind kind, const char *text, size_t length, double *value)
{
    char copy[64];
    if (length == 0 || length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (kind == RESULT_DATE || kind == RESULT_TIME) {
        int64_t ms;
        /* Athena appends a zone's name: "2026-01-12 08:00:00.000 UTC". */
        char *zone = length > 4 && strcmp(copy + length - 4, " UTC") == 0 ? copy + length - 4 : NULL;
        if (zone)
            *zone = '\0';
        if (strlen(copy) == 10)
            memcpy(copy + 10, " 00:00:00", 10);
        size_t used = strlen(copy);
        if (used >= 13 && used < sizeof copy - 8 && copy[used - 1] != 'Z' && !strpbrk(copy + 11, "+-")) {
            copy[used] = 'Z';
            copy[used + 1] = '\0';
        }
        if (!text_parse_time(copy, strlen(copy), &ms))
            return false;
        *value = (double)ms / 1e3;
        return true;
    }
    if (!result_kind_is_number(kind))
        return false;
    char *end;
    *value = strtod(copy, &end);
    return end != copy && *end == '\0' && isfinite(*value);
}
