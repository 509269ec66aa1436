/* TO_CHAR, TO_DATE, TO_TIMESTAMP: the template patterns of PostgreSQL, as Redshift documents them ("Datetime
 * format strings", "Numeric format strings"). The calendar is Howard Hinnant's days_from_civil. */
#include "localcloud/redshift_prelude.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DAY_US 86400000000ll

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

int64_t redshift_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void redshift_civil(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = years + era * 400 + (*month <= 2);
}

enum pattern {
    P_YYYY,
    P_YYY,
    P_YY,
    P_Y,
    P_MONTH,
    P_MON,
    P_MM,
    P_MI,
    P_MS,
    P_DAY,
    P_DDD,
    P_DD,
    P_DY,
    P_D,
    P_HH24,
    P_HH12,
    P_HH,
    P_SSSS,
    P_SS,
    P_US,
    P_Q,
    P_WW,
    P_IW,
    P_IYYY,
    P_W,
    P_CC,
    P_J,
    P_AM,
    P_AMP,
    P_TZ,
    P_OF,
    P_NONE
};

/* Longer ones first. */
static const struct {
    const char *text;
    enum pattern pattern;
} patterns[] = {
    {"YYYY", P_YYYY},   {"IYYY", P_IYYY}, {"YYY", P_YYY},  {"YY", P_YY},     {"Y", P_Y},
    {"MONTH", P_MONTH}, {"MON", P_MON},   {"MM", P_MM},    {"MI", P_MI},     {"MS", P_MS},
    {"DAY", P_DAY},     {"DDD", P_DDD},   {"DD", P_DD},    {"DY", P_DY},     {"D", P_D},
    {"HH24", P_HH24},   {"HH12", P_HH12}, {"HH", P_HH},    {"SSSS", P_SSSS}, {"SS", P_SS},
    {"US", P_US},       {"Q", P_Q},       {"WW", P_WW},    {"IW", P_IW},     {"W", P_W},
    {"CC", P_CC},       {"J", P_J},       {"A.M.", P_AMP}, {"P.M.", P_AMP},  {"AM", P_AM},
    {"PM", P_AM},       {"TZ", P_TZ},     {"OF", P_OF},
};

static enum pattern match(const char *text, size_t length, size_t *taken)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        size_t size = strlen(patterns[i].text);
        if (size <= length && strncasecmp(patterns[i].text, text, size) == 0) {
            *taken = size;
            return patterns[i].pattern;
        }
    }
    *taken = 1;
    return P_NONE;
}

/* In the case of the pattern: MONTH, Month, month; padded to nine unless FM. */
static void put_word(struct buf *out, const char *word, int shorten, const char *pattern, int pad)
{
    int length = shorten ? shorten : (int)strlen(word);
    for (int i = 0; i < length; i++) {
        bool upper = isupper((unsigned char)pattern[0]) && (i == 0 || isupper((unsigned char)pattern[1]));
        buf_char(out, (char)(upper ? toupper((unsigned char)word[i]) : tolower((unsigned char)word[i])));
    }
    for (; length < pad; length++)
        buf_char(out, ' ');
}

static void iso_week(int64_t days, int64_t *year, int *week)
{
    int64_t thursday = days - (days + 3 - 7 * ((days + 3) / 7 - ((days + 3) % 7 < 0))) + 3;
    int month, day;
    redshift_civil(thursday, year, &month, &day);
    *week = (int)((thursday - redshift_days(*year, 1, 1)) / 7) + 1;
}

void redshift_format_time(int64_t micros, const char *pattern, size_t length, struct buf *out)
{
    int64_t days = micros / DAY_US - (micros % DAY_US < 0), rest = micros - days * DAY_US, year, iso_year;
    int month, day, week;
    redshift_civil(days, &year, &month, &day);
    iso_week(days, &iso_year, &week);
    int hour = (int)(rest / 3600000000ll), minute = (int)(rest / 60000000 % 60),
        second = (int)(rest / 1000000 % 60), micro = (int)(rest % 1000000);
    int weekday = (int)(((days + 4) % 7 + 7) % 7), of_year = (int)(days - redshift_days(year, 1, 1)) + 1;
    int hour12 = hour % 12 ? hour % 12 : 12;
    bool fill = true;
    for (size_t i = 0; i < length;) {
        size_t taken;
        const char *at = pattern + i;
        if (i + 2 <= length && strncasecmp(at, "FM", 2) == 0) {
            fill = false;
            i += 2;
            continue;
        }
        if (*at == '"') {
            for (i++; i < length && pattern[i] != '"'; i++)
                buf_char(out, pattern[i]);
            i++;
            continue;
        }
        int wide = fill ? 2 : 0;
        switch (match(at, length - i, &taken)) {
        case P_YYYY:
            buf_printf(out, "%0*lld", fill ? 4 : 0, (long long)year);
            break;
        case P_IYYY:
            buf_printf(out, "%0*lld", fill ? 4 : 0, (long long)iso_year);
            break;
        case P_YYY:
            buf_printf(out, "%03lld", (long long)(year % 1000));
            break;
        case P_YY:
            buf_printf(out, "%02lld", (long long)(year % 100));
            break;
        case P_Y:
            buf_printf(out, "%lld", (long long)(year % 10));
            break;
        case P_MONTH:
            put_word(out, months[month - 1], 0, at, fill ? 9 : 0);
            break;
        case P_MON:
            put_word(out, months[month - 1], 3, at, 0);
            break;
        case P_MM:
            buf_printf(out, "%0*d", wide, month);
            break;
        case P_MI:
            buf_printf(out, "%0*d", wide, minute);
            break;
        case P_MS:
            buf_printf(out, "%03d", micro / 1000);
            break;
        case P_DAY:
            put_word(out, weekdays[weekday], 0, at, fill ? 9 : 0);
            break;
        case P_DY:
            put_word(out, weekdays[weekday], 3, at, 0);
            break;
        case P_DDD:
            buf_printf(out, "%0*d", fill ? 3 : 0, of_year);
            break;
        case P_DD:
            buf_printf(out, "%0*d", wide, day);
            break;
        case P_D:
            buf_printf(out, "%d", weekday + 1);
            break;
        case P_HH24:
            buf_printf(out, "%0*d", wide, hour);
            break;
        case P_HH12:
        case P_HH:
            buf_printf(out, "%0*d", wide, hour12);
            break;
        case P_SSSS:
            buf_printf(out, "%d", hour * 3600 + minute * 60 + second);
            break;
        case P_SS:
            buf_printf(out, "%0*d", wide, second);
            break;
        case P_US:
            buf_printf(out, "%06d", micro);
            break;
        case P_Q:
            buf_printf(out, "%d", (month - 1) / 3 + 1);
            break;
        case P_WW:
            buf_printf(out, "%0*d", wide, (of_year - 1) / 7 + 1);
            break;
        case P_IW:
            buf_printf(out, "%0*d", wide, week);
            break;
        case P_W:
            buf_printf(out, "%d", (day - 1) / 7 + 1);
            break;
        case P_CC:
            buf_printf(out, "%02" PRId64, (year + 99) / 100);
            break;
        case P_J:
            buf_printf(out, "%" PRId64, days + 2440588);
            break;
        case P_AM:
            put_word(out, hour < 12 ? "am" : "pm", 0, at, 0);
            break;
        case P_AMP:
            put_word(out, hour < 12 ? "a.m." : "p.m.", 0, isupper((unsigned char)*at) ? "AA" : "aa", 0);
            break;
        case P_TZ:
            put_word(out, "utc", 0, at, 0);
            break;
        case P_OF:
            buf_text(out, "+00");
            break;
        default:
            buf_char(out, *at);
            break;
        }
        i += taken;
        fill = true; /* FM is of one pattern */
    }
}

/* 9 and 0 places, . D, G ',', S, MI, PL, $, FM. */
void redshift_format_number(double number, const char *pattern, size_t length, struct buf *out)
{
    int whole = 0, fraction = 0, zeros = 0;
    bool point = false, fill = true, sign = false;
    for (size_t i = 0; i < length; i++) {
        char byte = (char)toupper((unsigned char)pattern[i]);
        if (byte == '9' || byte == '0') {
            if (point)
                fraction++;
            else if (zeros || byte == '0')
                zeros++, whole++;
            else
                whole++;
        } else if (byte == '.' || byte == 'D') {
            point = true;
        } else if (byte == 'F' && i + 1 < length && toupper((unsigned char)pattern[i + 1]) == 'M') {
            fill = false;
            i++;
        } else if (byte == 'S' || byte == 'M' || byte == 'P') {
            sign = true;
        }
    }
    char digits[128];
    if (whole > 40 || fraction > 40 || !isfinite(number) ||
        snprintf(digits, sizeof digits, "%.*f", fraction, fabs(number)) >= (int)sizeof digits) {
        buf_text(out, "#");
        return;
    }
    int have = (int)strcspn(digits, "."), place = 0;
    if (have == 1 && digits[0] == '0' && (fraction > 0 || zeros > 0))
        have = 0; /* .5 */
    bool over = have > whole, negative = number < 0, signed_out = sign;
    const char *all = digits + ((int)strcspn(digits, ".") - have);
    for (size_t i = 0; i < length; i++) {
        char byte = (char)toupper((unsigned char)pattern[i]);
        bool digit = byte == '9' || byte == '0';
        if (byte == 'F') {
            i++;
        } else if (digit && place < whole) {
            int left = whole - place++;
            bool shown = left <= have, zero = left <= zeros;
            if (!signed_out && (shown || zero)) {
                if (negative)
                    buf_char(out, '-');
                else if (fill)
                    buf_char(out, ' ');
                signed_out = true;
            }
            if (over)
                buf_char(out, '#');
            else if (shown)
                buf_char(out, all[have - left]);
            else if (zero)
                buf_char(out, '0');
            else if (fill)
                buf_char(out, ' ');
        } else if (digit) {
            int index = place++ - whole;
            buf_char(out, over ? '#' : digits[strcspn(digits, ".") + 1 + (size_t)index]);
        } else if (byte == '.' || byte == 'D') {
            if (!signed_out) {
                buf_text(out, negative ? "-" : fill ? " " : "");
                signed_out = true;
            }
            buf_char(out, '.');
        } else if (byte == ',' || byte == 'G') {
            if (whole - place < have || whole - place < zeros)
                buf_char(out, ',');
            else if (fill)
                buf_char(out, ' ');
        } else if (byte == 'S') {
            buf_char(out, negative ? '-' : '+');
        } else if (byte == 'M' || byte == 'P') { /* MI, PL */
            buf_char(out, byte == 'M' ? (negative ? '-' : ' ') : (negative ? ' ' : '+'));
            i++;
        } else {
            buf_char(out, pattern[i]);
        }
    }
}

static bool digits(const char *text, size_t length, size_t *at, int most, int64_t *value)
{
    size_t begin = *at;
    *value = 0;
    while (*at < length && *at - begin < (size_t)most && isdigit((unsigned char)text[*at]))
        *value = *value * 10 + (text[(*at)++] - '0');
    return *at > begin;
}

static bool name(const char *text, size_t length, size_t *at, const char *const *names, int count, int size,
                 int *found)
{
    for (int i = 0; i < count; i++) {
        size_t full = strlen(names[i]), take = size ? (size_t)size : full;
        if (take <= length - *at && strncasecmp(text + *at, names[i], take) == 0) {
            *found = i;
            *at += take;
            return true;
        }
    }
    return false;
}

bool redshift_parse_time(const char *text, size_t length, const char *pattern, size_t pattern_length,
                         int64_t *micros)
{
    int64_t year = 1, value, of_year = 0, hour = 0, minute = 0, second = 0, micro = 0, julian = -1;
    int month = 1, day = 1, which;
    bool twelve = false, pm = false;
    size_t at = 0;
    for (size_t i = 0; i < pattern_length;) {
        size_t taken, begin;
        if (pattern_length - i >= 2 && strncasecmp(pattern + i, "FM", 2) == 0) {
            i += 2;
            continue;
        }
        enum pattern kind = match(pattern + i, pattern_length - i, &taken);
        if (kind != P_NONE)
            while (at < length && text[at] == ' ')
                at++;
        if (at >= length && kind != P_NONE)
            break; /* the rest keeps its default */
        i += taken;
        switch (kind) {
        case P_YYYY:
            if (!digits(text, length, &at, 4, &year))
                return false;
            break;
        case P_YY:
            if (!digits(text, length, &at, 2, &year))
                return false;
            year += year < 70 ? 2000 : 1900;
            break;
        case P_MONTH:
        case P_MON:
            if (!name(text, length, &at, months, 12, kind == P_MON ? 3 : 0, &which))
                return false;
            month = which + 1;
            break;
        case P_DAY:
        case P_DY:
            if (!name(text, length, &at, weekdays, 7, kind == P_DY ? 3 : 0, &which))
                return false;
            break;
        case P_MM:
        case P_DD:
            if (!digits(text, length, &at, 2, &value) || value < 1 || value > (kind == P_MM ? 12 : 31))
                return false;
            *(kind == P_MM ? &month : &day) = (int)value;
            break;
        case P_DDD:
            if (!digits(text, length, &at, 3, &of_year))
                return false;
            break;
        case P_HH24:
        case P_HH12:
        case P_HH:
            if (!digits(text, length, &at, 2, &hour) || hour > 23)
                return false;
            twelve |= kind != P_HH24;
            break;
        case P_MI:
            if (!digits(text, length, &at, 2, &minute) || minute > 59)
                return false;
            break;
        case P_SS:
            if (!digits(text, length, &at, 2, &second) || second > 59)
                return false;
            break;
        case P_MS:
        case P_US:
            begin = at;
            if (!digits(text, length, &at, kind == P_MS ? 3 : 6, &micro))
                return false;
            for (size_t k = at - begin; k < 6; k++)
                micro *= 10;
            break;
        case P_AM:
        case P_AMP:
            pm = at < length && tolower((unsigned char)text[at]) == 'p';
            at += kind == P_AM ? 2 : 4;
            break;
        case P_J:
            if (!digits(text, length, &at, 7, &julian))
                return false;
            break;
        case P_NONE:
            at++; /* any one character */
            break;
        default:
            return false;
        }
    }
    if (at < length && strspn(text + at, " ") < length - at && at > length)
        return false;
    if (twelve)
        hour = hour % 12 + (pm ? 12 : 0);
    int64_t days = julian >= 0   ? julian - 2440588
                   : of_year > 0 ? redshift_days(year, 1, 1) + of_year - 1
                                 : redshift_days(year, month, day);
    int64_t real_year;
    int real_month, real_day;
    redshift_civil(days, &real_year, &real_month, &real_day);
    if (julian < 0 && of_year == 0 && real_month != month)
        return false; /* 31 February */
    *micros = days * DAY_US + ((hour * 60 + minute) * 60 + second) * 1000000 + micro;
    return true;
}
