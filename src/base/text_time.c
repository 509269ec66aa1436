/*
 * RFC 3339 times, written and read at the rate of events, so without the C library's calendar. The civil
 * calendar arithmetic is that of Howard Hinnant, "chrono-compatible low-level date algorithms"
 * (days_from_civil and civil_from_days): a year begins in March, so that the leap day is its last, and an era
 * is 400 years.
 */
#include "base/text.h"

#define DAY_MS INT64_C(86400000)
/* 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z */
#define TIME_MIN INT64_C(-62135596800000)
#define TIME_MAX INT64_C(253402300799999)

static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void put2(char *out, uint32_t value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
}

char *text_time(char out[TEXT_TIME_SIZE], int64_t milliseconds)
{
    if (milliseconds < TIME_MIN)
        milliseconds = TIME_MIN;
    if (milliseconds > TIME_MAX)
        milliseconds = TIME_MAX;
    /* Counted from 0000-03-01, so everything is positive and small enough for 32 bits. */
    uint64_t shifted = (uint64_t)(milliseconds + 719468 * DAY_MS);
    uint32_t days = (uint32_t)(shifted / (uint64_t)DAY_MS);
    uint32_t ms = (uint32_t)(shifted % (uint64_t)DAY_MS);

    uint32_t era = days / 146097, day_of_era = days % 146097;
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t march_month = (5 * day_of_year + 2) / 153;
    uint32_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
    uint32_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    uint32_t year = year_of_era + era * 400 + (month <= 2);

    put2(out, year / 100);
    put2(out + 2, year % 100);
    out[4] = '-';
    put2(out + 5, month);
    out[7] = '-';
    put2(out + 8, day);
    out[10] = 'T';
    put2(out + 11, ms / 3600000);
    out[13] = ':';
    put2(out + 14, ms / 60000 % 60);
    out[16] = ':';
    put2(out + 17, ms / 1000 % 60);
    out[19] = '.';
    uint32_t thousandths = ms % 1000;
    out[20] = (char)('0' + thousandths / 100);
    put2(out + 21, thousandths % 100);
    out[23] = 'Z';
    out[24] = '\0';
    return out;
}

/* `count` digits at text; -1 when one is no digit. */
static int digits(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        unsigned digit = (unsigned)text[i] - '0';
        if (digit > 9)
            return -1;
        value = value * 10 + (int)digit;
    }
    return value;
}

static int month_days(int year, int month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

bool text_parse_time(const char *text, size_t length, int64_t *milliseconds)
{
    if (length < 20 || length > 35)
        return false;
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
        text[13] != ':' || text[16] != ':')
        return false;
    int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
    int hour = digits(text + 11, 2), minute = digits(text + 14, 2), second = digits(text + 17, 2);
    /* 60 is a leap second: the next second, as POSIX counts. */
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;

    const char *at = text + 19, *end = text + length;
    int64_t thousandths = 0;
    if (*at == '.') {
        int count = 0, place = 100;
        for (at++; at < end && *at >= '0' && *at <= '9'; at++, count++) {
            thousandths += (*at - '0') * place; /* beyond the third, place is 0: cut, not rounded */
            place /= 10;
        }
        if (count == 0 || count > 9)
            return false;
    }

    int64_t offset = 0; /* minutes */
    if (at == end)
        return false;
    if (*at == 'Z' || *at == 'z') {
        at++;
    } else if (*at == '+' || *at == '-') {
        if (end - at < 6 || at[3] != ':')
            return false;
        int hours = digits(at + 1, 2), minutes = digits(at + 4, 2);
        if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
            return false;
        offset = (*at == '-' ? -1 : 1) * (hours * 60 + minutes);
        at += 6;
    }
    if (at != end)
        return false;

    int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    int64_t result = (seconds - offset * 60) * 1000 + thousandths;
    if (result < TIME_MIN || result > TIME_MAX)
        return false;
    *milliseconds = result;
    return true;
}
