/* Figures as the product writes and reads them. Numbers use a point in every locale: the program sets
 * LC_CTYPE alone, so printf and strtod do what is needed. */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefixes[] = {0, 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'};

char *text_count(char out[TEXT_FIGURE_SIZE], int64_t value)
{
    char digits[TEXT_FIGURE_SIZE];
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)size);
    if (length + (length - 1) / 3 + 1 >= TEXT_FIGURE_SIZE) { /* 19 digits and a sign do not fit with commas */
        snprintf(out, TEXT_FIGURE_SIZE, "%lld", (long long)value);
        return out;
    }
    char *at = out;
    if (value < 0)
        *at++ = '-';
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

/* Divides by 1000 until what remains is written with at most three digits; returns the index of the prefix.
 */
static size_t scale(double *value)
{
    size_t prefix = 0;
    while (fabs(*value) >= 999.5 && prefix + 1 < sizeof prefixes) {
        *value /= 1000;
        prefix++;
    }
    return prefix;
}

char *text_si(char out[TEXT_FIGURE_SIZE], double value)
{
    if (!isfinite(value)) {
        snprintf(out, TEXT_FIGURE_SIZE, "%s", isnan(value) ? "-" : value > 0 ? "inf" : "-inf");
        return out;
    }
    size_t prefix = scale(&value);
    /* Small whole numbers stay whole: "7", but "0.4" and "4.1k". */
    bool tenths = prefix ? fabs(value) < 99.95 : fabs(value) < 9.95 && value != floor(value);
    snprintf(out, TEXT_FIGURE_SIZE, "%.*f%.1s", tenths, value + 0.0, prefix ? &prefixes[prefix] : "");
    return out;
}

char *text_bytes(char out[TEXT_FIGURE_SIZE], double bytes)
{
    if (!isfinite(bytes)) {
        snprintf(out, TEXT_FIGURE_SIZE, "-");
        return out;
    }
    size_t prefix = scale(&bytes);
    bool tenths = prefix && fabs(bytes) < 99.95;
    snprintf(out, TEXT_FIGURE_SIZE, "%.*f %.1sB", tenths, bytes, prefix ? &prefixes[prefix] : "");
    return out;
}

char *text_age(char out[TEXT_FIGURE_SIZE], int64_t microseconds)
{
    const char *sign = microseconds < 0 ? "-" : "";
    uint64_t us = microseconds < 0 ? 0 - (uint64_t)microseconds : (uint64_t)microseconds;
    unsigned long long seconds = us / 1000000, minutes = seconds / 60, hours = minutes / 60;
    if (us < 500)
        snprintf(out, TEXT_FIGURE_SIZE, "0 s");
    else if (us < 99500)
        snprintf(out, TEXT_FIGURE_SIZE, "%s%llu ms", sign, (unsigned long long)(us + 500) / 1000);
    else if (us < 9950000)
        snprintf(out, TEXT_FIGURE_SIZE, "%s%.1f s", sign, (double)us / 1e6);
    else if (us < 10000000)
        snprintf(out, TEXT_FIGURE_SIZE, "%s10 s", sign);
    else if (minutes == 0)
        snprintf(out, TEXT_FIGURE_SIZE, "%s%llu s", sign, seconds);
    else if (hours == 0)
        snprintf(out, TEXT_FIGURE_SIZE, "%s%llu m", sign, minutes);
    else if (hours < 24)
        snprintf(out, TEXT_FIGURE_SIZE, "%s%llu h %llu m", sign, hours, minutes % 60);
    else
        snprintf(out, TEXT_FIGURE_SIZE, "%s%llu d %llu h", sign, hours / 24, hours % 24);
    return out;
}

char *text_duration(char out[TEXT_FIGURE_SIZE], int64_t microseconds)
{
    uint64_t us = microseconds < 0 ? 0 - (uint64_t)microseconds : (uint64_t)microseconds;
    unsigned long long seconds = us / 1000000;
    snprintf(out, TEXT_FIGURE_SIZE, "%s%02llu:%02llu:%02llu", microseconds < 0 && seconds ? "-" : "",
             seconds / 3600, seconds / 60 % 60, seconds % 60);
    return out;
}

/* An unsigned decimal number with at most 18 digits before the point. NULL when there is none. */
static const char *scan_decimal(const char *text, double *value)
{
    int whole = 0, fraction = 0;
    double number = 0, place = 1;
    for (; *text >= '0' && *text <= '9' && whole < 18; text++, whole++)
        number = number * 10 + (*text - '0');
    if (*text == '.') {
        text++;
        for (; *text >= '0' && *text <= '9' && fraction < 18; text++, fraction++)
            number += (*text - '0') * (place /= 10);
        if (fraction == 0)
            return NULL;
    }
    *value = number;
    return whole + fraction > 0 ? text : NULL;
}

static bool store_rounded(double value, int64_t *out)
{
    if (!(value >= 0 && value < 9.2e18))
        return false;
    *out = (int64_t)llround(value);
    return true;
}

static bool parse_clock(const char *text, int64_t *microseconds)
{
    double parts[3], seconds = 0;
    int count = 0;
    for (;;) {
        text = scan_decimal(text, &parts[count]);
        if (!text)
            return false;
        count++;
        if (*text == '\0')
            break;
        if (*text != ':' || count == 3 || parts[count - 1] != floor(parts[count - 1]))
            return false;
        text++;
    }
    for (int i = 0; i < count; i++) {
        if (i > 0 && parts[i] >= 60)
            return false;
        seconds = seconds * 60 + parts[i];
    }
    return store_rounded(seconds * 1e6, microseconds);
}

bool text_parse_duration(const char *text, int64_t *microseconds)
{
    static const struct {
        const char *unit;
        double microseconds;
    } units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"min", 6e7}, {"m", 6e7}, {"h", 3.6e9}, {"d", 8.64e10}};
    if (strchr(text, ':'))
        return parse_clock(text, microseconds);
    double total = 0;
    const char *at = text;
    do { /* "1h30m" */
        double value;
        at = scan_decimal(at, &value);
        if (!at)
            return false;
        if (*at == '\0' && strspn(text, "0123456789.") == strlen(text)) {
            total = value * 1e6;
            break;
        }
        size_t i = 0, count = sizeof units / sizeof units[0];
        while (i < count && !text_prefix_fold(at, units[i].unit))
            i++;
        if (i == count)
            return false;
        at += strlen(units[i].unit);
        total += value * units[i].microseconds;
    } while (*at);
    return store_rounded(total, microseconds);
}

bool text_parse_int(const char *text, int64_t min, int64_t max, int64_t *value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits < '0' || *digits > '9')
        return false;
    char *end;
    errno = 0;
    long long parsed = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || parsed < min || parsed > max)
        return false;
    *value = parsed;
    return true;
}

bool text_parse_double(const char *text, double min, double max, double *value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    /* strtod also takes spaces, hexadecimal, "inf" and "nan" */
    if (*text == '\0' || strspn(digits, "0123456789.eE+-") != strlen(digits))
        return false;
    char *end;
    double parsed = strtod(text, &end);
    if (end == text || *end != '\0' || !(parsed >= min && parsed <= max) || isinf(parsed))
        return false;
    *value = parsed;
    return true;
}

bool text_parse_bytes(const char *text, int64_t *bytes)
{
    double value, factor = 1;
    const char *at = scan_decimal(text, &value);
    if (!at)
        return false;
    if (*at == ' ')
        at++;
    static const char letters[] = "kmgtp";
    for (size_t i = 0; i < sizeof letters - 1; i++) {
        if (*at != letters[i] && *at != letters[i] - 32)
            continue;
        at++;
        bool binary = *at == 'i';
        at += binary;
        factor = pow(binary ? 1024 : 1000, (double)(i + 1));
        break;
    }
    if (*at == 'B' || *at == 'b')
        at++;
    return *at == '\0' && store_rounded(value * factor, bytes);
}
