#include "localcloud/glue_cron.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define FIELDS 6

struct field {
    const char *name;
    int min, max;
    const char *words; /* three letters each, for min and up; NULL none */
};

static const struct field FIELD[FIELDS] = {
    {"minutes", 0, 59, NULL},
    {"hours", 0, 23, NULL},
    {"day-of-month", 1, 31, NULL},
    {"month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
    {"day-of-week", 1, 7, "SUNMONTUEWEDTHUFRISAT"},
    {"year", 1970, 2199, NULL},
};

static void set(struct glue_cron *cron, int field, int value)
{
    switch (field) {
    case 0:
        cron->minutes |= 1ull << value;
        break;
    case 1:
        cron->hours |= 1u << value;
        break;
    case 2:
        cron->days |= 1u << value;
        break;
    case 3:
        cron->months |= 1u << value;
        break;
    case 4:
        cron->weekdays |= 1u << value;
        break;
    default:
        cron->years[(value - 1970) / 8] |= (unsigned char)(1u << ((value - 1970) % 8));
    }
}

/* A number or name within the field; advances. */
static bool take_value(const char **at, const struct field *field, int *value)
{
    if (isdigit((unsigned char)**at)) {
        for (*value = 0; isdigit((unsigned char)**at) && *value < 10000; ++*at)
            *value = *value * 10 + (**at - '0');
        return *value >= field->min && *value <= field->max;
    }
    for (int i = 0; field->words && field->min + i <= field->max; i++) {
        char word[4] = {field->words[3 * i], field->words[3 * i + 1], field->words[3 * i + 2], '\0'};
        if (text_prefix_fold(*at, word)) {
            *value = field->min + i;
            *at += 3;
            return true;
        }
    }
    return false;
}

static bool take_step(const char **at, int *step)
{
    *step = 0;
    if (**at != '/')
        return true;
    ++*at;
    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at) && *step < 10000; ++*at)
        *step = *step * 10 + (**at - '0');
    return *step > 0;
}

/* One of a comma-separated list. */
static bool take_item(struct glue_cron *cron, int index, const char **at)
{
    const struct field *field = &FIELD[index];
    int from, to, step;
    if (index == 2 && **at == 'L') {
        ++*at;
        return cron->last_day = true;
    }
    if (**at == '*') {
        ++*at;
        from = field->min;
        to = field->max;
        if (!take_step(at, &step))
            return false;
    } else {
        if (!take_value(at, field, &from))
            return false;
        if (index == 4 && (**at == '#' || **at == 'L')) {
            bool last = *(*at)++ == 'L';
            if (!last && (**at < '1' || **at > '5'))
                return false;
            cron->nth[from] |= last ? 1u : 1u << (*(*at)++ - '0');
            return true;
        }
        to = from;
        if (**at == '-') {
            ++*at;
            if (!take_value(at, field, &to))
                return false;
        }
        bool range = to != from;
        if (!take_step(at, &step))
            return false;
        if (step && !range)
            to = field->max; /* 5/15 */
    }
    if (to < from) { /* 22-2, FRI-MON: around the end */
        for (int value = from; value <= field->max; value += step ? step : 1)
            set(cron, index, value);
        from = field->min;
    }
    for (int value = from; value <= to; value += step ? step : 1)
        set(cron, index, value);
    return true;
}

static bool take_field(struct glue_cron *cron, int index, const char *text)
{
    for (;;) {
        if (!take_item(cron, index, &text))
            return false;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

static int wrong(const char *text, struct err *err)
{
    return err_set(err, ERR_USAGE, "The schedule expression is not valid: %.200s", text);
}

int glue_cron_parse(const char *text, struct glue_cron *cron, struct err *err)
{
    char inner[256], *at = inner;
    size_t length = strlen(text);
    memset(cron, 0, sizeof *cron);
    if (length < 7 || length - 6 >= sizeof inner || strncmp(text, "cron(", 5) != 0 || text[length - 1] != ')')
        return wrong(text, err);
    memcpy(inner, text + 5, length - 6);
    inner[length - 6] = '\0';
    bool open[FIELDS] = {false};
    for (int i = 0; i < FIELDS; i++) {
        at += strspn(at, " ");
        size_t size = strcspn(at, " ");
        bool more = at[size] == ' ';
        at[size] = '\0';
        open[i] = strcmp(at, "?") == 0;
        if ((open[i] && i != 2 && i != 4) || (!open[i] && !take_field(cron, i, at)))
            return wrong(text, err);
        at += size + more;
    }
    at += strspn(at, " ");
    if (*at != '\0' || open[2] == open[4])
        return wrong(text, err);
    cron->by_weekday = open[2];
    return 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month] + (leap && month == 1);
}

/* The digits of a time as text_time() writes it. */
static int digits(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

bool glue_cron_matches(const struct glue_cron *cron, int64_t seconds)
{
    char time[TEXT_TIME_SIZE];
    if (seconds < 0 || seconds >= 7258118400) /* the year 2200 */
        return false;
    text_time(time, seconds * 1000);
    int year = digits(time, 4), month = digits(time + 5, 2), day = digits(time + 8, 2);
    int hour = digits(time + 11, 2), minute = digits(time + 14, 2);
    int last = days_in_month(year, month - 1), weekday = (int)((seconds / 86400 + 4) % 7) + 1;
    year -= 1970;
    if (!(cron->minutes >> minute & 1) || !(cron->hours >> hour & 1) || !(cron->months >> month & 1) ||
        !(cron->years[year / 8] >> (year % 8) & 1))
        return false;
    if (!cron->by_weekday)
        return (cron->days >> day & 1) || (cron->last_day && day == last);
    uint32_t nth = cron->nth[weekday];
    return (cron->weekdays >> weekday & 1) || (nth >> ((day - 1) / 7 + 1) & 1) ||
           ((nth & 1) && day + 7 > last);
}

bool glue_cron_between(const struct glue_cron *cron, int64_t from, int64_t to)
{
    if (to - from > 86400)
        from = to - 86400;
    for (int64_t minute = (from / 60 + 1) * 60; minute <= to; minute += 60)
        if (glue_cron_matches(cron, minute))
            return true;
    return false;
}
