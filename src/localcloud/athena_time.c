/* Dates and times as Athena has them: MySQL's and Joda's patterns, date_add and date_trunc that keep the
 * type. */
#include "localcloud/athena_prelude.h"

#include "base/buf.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DAY_US        86400000000LL
#define PATTERN_LIMIT 4096

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
static const char *const day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

struct moment {
    int64_t year, month, day, hour, minute, second, micro;
};

/* Days of the proleptic Gregorian calendar (Howard Hinnant, chrono-compatible low-level date algorithms). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void split(int64_t us, struct moment *moment)
{
    int64_t days = floor_div(us, DAY_US), rest = us - days * DAY_US;
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    moment->day = doy - (153 * mp + 2) / 5 + 1;
    moment->month = mp < 10 ? mp + 3 : mp - 9;
    moment->year = yoe + era * 400 + (moment->month <= 2);
    moment->hour = rest / 3600000000;
    moment->minute = rest / 60000000 % 60;
    moment->second = rest / 1000000 % 60;
    moment->micro = rest % 1000000;
}

static int64_t join(const struct moment *m)
{
    return ((days_of(m->year, m->month, m->day) * 24 + m->hour) * 60 + m->minute) * 60000000 +
           m->second * 1000000 + m->micro;
}

static int64_t month_length(int64_t year, int64_t month)
{
    return days_of(year + month / 12, month % 12 + 1, 1) - days_of(year, month, 1);
}

static int64_t weekday(int64_t us) /* 0 Monday */
{
    int64_t days = floor_div(us, DAY_US) + 3;
    return days - floor_div(days, 7) * 7;
}

static int64_t day_of_year(const struct moment *m)
{
    return days_of(m->year, m->month, m->day) - days_of(m->year, 1, 1) + 1;
}

/* ISO week and its year: that of the Thursday. */
static int64_t iso_week(int64_t us, int64_t *year)
{
    struct moment thursday;
    split(us + (3 - weekday(us)) * DAY_US, &thursday);
    *year = thursday.year;
    return (day_of_year(&thursday) - 1) / 7 + 1;
}

/* ---- units ------------------------------------------------------------------------------------------ */

enum unit { MILLISECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR, UNITS };
static const char *const unit_names[] = {"millisecond", "second", "minute",  "hour", "day",
                                         "week",        "month",  "quarter", "year"};
static const int64_t unit_us[] = {1000, 1000000, 60000000, 3600000000, DAY_US, 7 * DAY_US};

static enum unit unit_of(struct duck_value value, struct duck_return *out, bool date)
{
    size_t length;
    const char *text = duck_text(value, &length);
    char name[24];
    if (length < sizeof name) {
        memcpy(name, text, length);
        name[length] = '\0';
        for (int i = date ? DAY : MILLISECOND; i < UNITS; i++)
            if (text_equal_fold(name, unit_names[i]))
                return (enum unit)i;
    }
    char shown[60];
    text_sanitise(shown, sizeof shown, text, length);
    duck_return_error(out, "INVALID_FUNCTION_ARGUMENT: '%s' is not a valid %s field", shown,
                      date ? "DATE" : "TIMESTAMP");
    return UNITS;
}

static int64_t value_us(struct duck_value value)
{
    return value.type->kind == DUCK_DATE ? duck_int(value) * DAY_US : duck_int(value);
}

static void return_us(struct duck_return *out, struct duck_value like, int64_t us)
{
    duck_return_int(out, like.type->kind == DUCK_DATE ? floor_div(us, DAY_US) : us);
}

static void date_add(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    enum unit unit = unit_of(arguments[0], out, arguments[2].type->kind == DUCK_DATE);
    if (unit == UNITS)
        return;
    int64_t amount = duck_int(arguments[1]), us = value_us(arguments[2]), step;
    if (unit <= WEEK) {
        if (__builtin_mul_overflow(amount, unit_us[unit], &step) || __builtin_add_overflow(us, step, &us)) {
            duck_return_error(out, "NUMERIC_VALUE_OUT_OF_RANGE: date_add overflow");
            return;
        }
    } else {
        struct moment moment;
        split(us, &moment);
        if (amount > 120000 || amount < -120000) {
            duck_return_error(out, "NUMERIC_VALUE_OUT_OF_RANGE: date_add overflow");
            return;
        }
        int64_t months = moment.year * 12 + moment.month - 1 +
                         amount * (unit == MONTH     ? 1
                                   : unit == QUARTER ? 3
                                                     : 12);
        moment.year = floor_div(months, 12);
        moment.month = months - moment.year * 12 + 1;
        int64_t last = month_length(moment.year, moment.month);
        moment.day = moment.day > last ? last : moment.day;
        us = join(&moment);
    }
    return_us(out, arguments[2], us);
}

static void date_trunc(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    enum unit unit = unit_of(arguments[0], out, arguments[1].type->kind == DUCK_DATE);
    if (unit == UNITS)
        return;
    int64_t us = value_us(arguments[1]);
    if (unit <= DAY) {
        us = floor_div(us, unit_us[unit]) * unit_us[unit];
    } else if (unit == WEEK) {
        us = (floor_div(us, DAY_US) - weekday(us)) * DAY_US;
    } else {
        struct moment moment;
        split(us, &moment);
        int64_t month = unit == YEAR ? 1 : unit == QUARTER ? (moment.month - 1) / 3 * 3 + 1 : moment.month;
        us = days_of(moment.year, month, 1) * DAY_US;
    }
    return_us(out, arguments[1], us);
}

/* ---- MySQL's patterns -------------------------------------------------------------------------------- */

static void date_format(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    int64_t us = duck_int(arguments[0]), year;
    struct moment m;
    split(us, &m);
    size_t length;
    const char *pattern = duck_text(arguments[1], &length);
    struct buf text;
    buf_init(&text, PATTERN_LIMIT);
    for (size_t i = 0; i < length; i++) {
        if (pattern[i] != '%' || i + 1 == length) {
            buf_char(&text, pattern[i]);
            continue;
        }
        int64_t twelve = (m.hour + 11) % 12 + 1;
#define TWO(x)   buf_printf(&text, "%02lld", (long long)(x))
#define PLAIN(x) buf_printf(&text, "%lld", (long long)(x))
        switch (pattern[++i]) {
        case 'a':
            buf_append(&text, day_names[weekday(us)], 3);
            break;
        case 'b':
            buf_append(&text, month_names[m.month - 1], 3);
            break;
        case 'c':
            PLAIN(m.month);
            break;
        case 'd':
            TWO(m.day);
            break;
        case 'e':
            PLAIN(m.day);
            break;
        case 'f':
            buf_printf(&text, "%06lld", (long long)m.micro);
            break;
        case 'H':
            TWO(m.hour);
            break;
        case 'h':
        case 'I':
            TWO(twelve);
            break;
        case 'i':
            TWO(m.minute);
            break;
        case 'j':
            buf_printf(&text, "%03lld", (long long)day_of_year(&m));
            break;
        case 'k':
            PLAIN(m.hour);
            break;
        case 'l':
            PLAIN(twelve);
            break;
        case 'M':
            buf_text(&text, month_names[m.month - 1]);
            break;
        case 'm':
            TWO(m.month);
            break;
        case 'p':
            buf_text(&text, m.hour < 12 ? "AM" : "PM");
            break;
        case 'r':
            buf_printf(&text, "%02lld:%02lld:%02lld %s", (long long)twelve, (long long)m.minute,
                       (long long)m.second, m.hour < 12 ? "AM" : "PM");
            break;
        case 'S':
        case 's':
            TWO(m.second);
            break;
        case 'T':
            buf_printf(&text, "%02lld:%02lld:%02lld", (long long)m.hour, (long long)m.minute,
                       (long long)m.second);
            break;
        case 'v':
            TWO(iso_week(us, &year));
            break;
        case 'W':
            buf_text(&text, day_names[weekday(us)]);
            break;
        case 'x':
            (void)iso_week(us, &year);
            buf_printf(&text, "%04lld", (long long)year);
            break;
        case 'Y':
            buf_printf(&text, "%04lld", (long long)m.year);
            break;
        case 'y':
            TWO(m.year % 100);
            break;
        case '%':
            buf_char(&text, '%');
            break;
        case 'D':
        case 'U':
        case 'u':
        case 'V':
        case 'w':
        case 'X':
            duck_return_error(out, "INVALID_FUNCTION_ARGUMENT: %%%c not supported in date format string",
                              pattern[i]);
            buf_free(&text);
            return;
        default:
            buf_char(&text, pattern[i]);
            break;
        }
    }
    duck_return_text(out, text.data ? text.data : "", text.length);
    buf_free(&text);
}

static bool read_digits(const char **at, const char *end, int most, int64_t *value)
{
    const char *begin = *at;
    for (*value = 0; *at < end && *at - begin < most && isdigit((unsigned char)**at); (*at)++)
        *value = *value * 10 + (**at - '0');
    return *at > begin;
}

static bool read_word(const char **at, const char *end, const char *const *words, int64_t count, size_t least,
                      int64_t *value)
{
    for (int64_t i = 0; i < count; i++) {
        size_t length = least ? least : strlen(words[i]);
        if ((size_t)(end - *at) >= length) {
            char part[16];
            memcpy(part, *at, length);
            part[length] = '\0';
            char word[16];
            memcpy(word, words[i], length);
            word[length] = '\0';
            if (text_equal_fold(part, word)) {
                *at += length;
                *value = i + 1;
                return true;
            }
        }
    }
    return false;
}

static bool parse(const char *at, const char *end, const char *pattern, const char *pattern_end,
                  struct moment *m)
{
    bool afternoon = false, twelve = false;
    int64_t ignored, yearday = 0;
    for (; pattern < pattern_end; pattern++) {
        if (*pattern != '%' || pattern + 1 == pattern_end) {
            if (at == end || *at++ != *pattern)
                return false;
            continue;
        }
        bool ok = true;
        switch (*++pattern) {
        case 'Y':
            ok = read_digits(&at, end, 4, &m->year);
            break;
        case 'y':
            ok = read_digits(&at, end, 2, &m->year);
            m->year += m->year < 70 ? 2000 : 1900;
            break;
        case 'm':
        case 'c':
            ok = read_digits(&at, end, 2, &m->month);
            break;
        case 'd':
        case 'e':
            ok = read_digits(&at, end, 2, &m->day);
            break;
        case 'H':
        case 'k':
            ok = read_digits(&at, end, 2, &m->hour);
            break;
        case 'h':
        case 'I':
        case 'l':
            twelve = true;
            ok = read_digits(&at, end, 2, &m->hour);
            break;
        case 'i':
            ok = read_digits(&at, end, 2, &m->minute);
            break;
        case 'S':
        case 's':
            ok = read_digits(&at, end, 2, &m->second);
            break;
        case 'j':
            ok = read_digits(&at, end, 3, &yearday);
            break;
        case 'M':
            ok = read_word(&at, end, month_names, 12, 0, &m->month);
            break;
        case 'b':
            ok = read_word(&at, end, month_names, 12, 3, &m->month);
            break;
        case 'W':
            ok = read_word(&at, end, day_names, 7, 0, &ignored);
            break;
        case 'a':
            ok = read_word(&at, end, day_names, 7, 3, &ignored);
            break;
        case 'p':
            ok = end - at >= 2 && (*at == 'A' || *at == 'a' || *at == 'P' || *at == 'p');
            if (ok) {
                afternoon = *at == 'P' || *at == 'p';
                twelve = true;
                at += 2;
            }
            break;
        case 'f': {
            const char *begin = at;
            ok = read_digits(&at, end, 6, &m->micro);
            for (long i = at - begin; i < 6; i++)
                m->micro *= 10;
            while (at < end && isdigit((unsigned char)*at) && at - begin < 9)
                at++;
            break;
        }
        case 'T': {
            ok = read_digits(&at, end, 2, &m->hour) && at < end && *at++ == ':' &&
                 read_digits(&at, end, 2, &m->minute) && at < end && *at++ == ':' &&
                 read_digits(&at, end, 2, &m->second);
            break;
        }
        case '%':
            ok = at < end && *at++ == '%';
            break;
        default:
            return false;
        }
        if (!ok)
            return false;
    }
    if (twelve)
        m->hour = m->hour % 12 + (afternoon ? 12 : 0);
    if (at != end || m->month < 1 || m->month > 12 || m->day < 1 ||
        m->day > month_length(m->year, m->month) || m->hour > 23 || m->minute > 59 || m->second > 59)
        return false;
    if (yearday > 0)
        m->day += yearday - 1; /* of January: join() carries over */
    return true;
}

static void date_parse(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    size_t length, pattern_length;
    const char *text = duck_text(arguments[0], &length), *pattern = duck_text(arguments[1], &pattern_length);
    struct moment moment = {.year = 1970, .month = 1, .day = 1};
    if (parse(text, text + length, pattern, pattern + pattern_length, &moment)) {
        duck_return_int(out, join(&moment));
        return;
    }
    char shown[100];
    text_sanitise(shown, sizeof shown, text, length);
    duck_return_error(out, "INVALID_FUNCTION_ARGUMENT: Invalid format: \"%s\"", shown);
}

/* ---- Joda's patterns --------------------------------------------------------------------------------- */

static bool joda(struct buf *text, char letter, size_t width, int64_t us, const struct moment *m)
{
    int64_t year, number;
    switch (letter) {
    case 'y':
    case 'Y':
        number = width == 2 ? m->year % 100 : m->year;
        break;
    case 'x':
        (void)iso_week(us, &year);
        number = year;
        break;
    case 'w':
        number = iso_week(us, &year);
        break;
    case 'D':
        number = day_of_year(m);
        break;
    case 'd':
        number = m->day;
        break;
    case 'e':
        number = weekday(us) + 1;
        break;
    case 'H':
        number = m->hour;
        break;
    case 'k':
        number = m->hour ? m->hour : 24;
        break;
    case 'K':
        number = m->hour % 12;
        break;
    case 'h':
        number = (m->hour + 11) % 12 + 1;
        break;
    case 'm':
        number = m->minute;
        break;
    case 's':
        number = m->second;
        break;
    case 'S':
        for (size_t i = 0; i < width; i++) {
            static const int64_t unit[] = {100000, 10000, 1000};
            buf_char(text, i < 3 ? "0123456789"[m->micro / unit[i] % 10] : '0');
        }
        return true;
    case 'M':
        if (width >= 3) {
            buf_append(text, month_names[m->month - 1], width == 3 ? 3 : strlen(month_names[m->month - 1]));
            return true;
        }
        number = m->month;
        break;
    case 'E':
        buf_append(text, day_names[weekday(us)], width <= 3 ? 3 : strlen(day_names[weekday(us)]));
        return true;
    case 'a':
        buf_text(text, m->hour < 12 ? "AM" : "PM");
        return true;
    case 'Z':
        buf_text(text, width == 1 ? "+0000" : width == 2 ? "+00:00" : "UTC");
        return true;
    case 'z':
        buf_text(text, "UTC");
        return true;
    default:
        return false;
    }
    buf_printf(text, "%0*lld", (int)(width > 20 ? 20 : width), (long long)number);
    return true;
}

static void format_datetime(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    int64_t us = duck_int(arguments[0]);
    struct moment moment;
    split(us, &moment);
    size_t length;
    const char *pattern = duck_text(arguments[1], &length);
    struct buf text;
    buf_init(&text, PATTERN_LIMIT);
    for (size_t i = 0; i < length;) {
        if (pattern[i] == '\'') {
            if (i + 1 < length && pattern[i + 1] == '\'') {
                buf_char(&text, '\'');
                i += 2;
                continue;
            }
            for (i++; i < length && pattern[i] != '\''; i++)
                buf_char(&text, pattern[i]);
            i++;
            continue;
        }
        size_t width = 1;
        while (i + width < length && pattern[i + width] == pattern[i])
            width++;
        if (isalpha((unsigned char)pattern[i])) {
            if (!joda(&text, pattern[i], width, us, &moment)) {
                duck_return_error(out, "INVALID_FUNCTION_ARGUMENT: Illegal pattern component: %c",
                                  pattern[i]);
                buf_free(&text);
                return;
            }
        } else {
            buf_append(&text, pattern + i, width);
        }
        i += width;
    }
    duck_return_text(out, text.data ? text.data : "", text.length);
    buf_free(&text);
}

static void iso8601(const struct duck_value *arguments, size_t count, struct duck_return *out)
{
    struct moment m;
    split(value_us(arguments[0]), &m);
    char text[64];
    enum duck_kind kind = arguments[0].type->kind;
    int length = snprintf(text, sizeof text, "%04lld-%02lld-%02lld", (long long)m.year, (long long)m.month,
                          (long long)m.day);
    if (kind != DUCK_DATE)
        length += snprintf(text + length, sizeof text - (size_t)length, "T%02lld:%02lld:%02lld.%03lld%s",
                           (long long)m.hour, (long long)m.minute, (long long)m.second,
                           (long long)(m.micro / 1000), kind == DUCK_TIMESTAMP_TZ ? "Z" : "");
    duck_return_text(out, text, (size_t)length);
}

const struct duck_function athena_time_functions[] = {
    {"athena_date_add", DUCK_DATE, date_add, false, {DUCK_VARCHAR, DUCK_BIGINT, DUCK_DATE}},
    {"athena_date_add", DUCK_TIMESTAMP, date_add, false, {DUCK_VARCHAR, DUCK_BIGINT, DUCK_TIMESTAMP}},
    {"athena_date_add", DUCK_TIMESTAMP_TZ, date_add, false, {DUCK_VARCHAR, DUCK_BIGINT, DUCK_TIMESTAMP_TZ}},
    {"athena_date_trunc", DUCK_DATE, date_trunc, false, {DUCK_VARCHAR, DUCK_DATE}},
    {"athena_date_trunc", DUCK_TIMESTAMP, date_trunc, false, {DUCK_VARCHAR, DUCK_TIMESTAMP}},
    {"athena_date_trunc", DUCK_TIMESTAMP_TZ, date_trunc, false, {DUCK_VARCHAR, DUCK_TIMESTAMP_TZ}},
    {"athena_date_format", DUCK_VARCHAR, date_format, false, {DUCK_TIMESTAMP, DUCK_VARCHAR}},
    {"athena_date_parse", DUCK_TIMESTAMP, date_parse, false, {DUCK_VARCHAR, DUCK_VARCHAR}},
    {"athena_format_datetime", DUCK_VARCHAR, format_datetime, false, {DUCK_TIMESTAMP, DUCK_VARCHAR}},
    {"athena_iso8601", DUCK_VARCHAR, iso8601, false, {DUCK_DATE}},
    {"athena_iso8601", DUCK_VARCHAR, iso8601, false, {DUCK_TIMESTAMP}},
    {"athena_iso8601", DUCK_VARCHAR, iso8601, false, {DUCK_TIMESTAMP_TZ}},
    {0}};
