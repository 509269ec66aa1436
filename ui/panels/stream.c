#include "ui/panels/stream.h"

#include <stdio.h>
#include <string.h>

uint64_t stream_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

uint64_t stream_mix_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
    return stream_mix(hash, length);
}

const char *stream_word(int kind)
{
    return kind >= 0 && kind < EVENT_KIND_COUNT ? event_word((enum event_kind)kind) : "other";
}

const char *stream_topic(int kind)
{
    return kind >= 0 && kind < EVENT_KIND_COUNT ? event_topic((enum event_kind)kind) : "unknown";
}

enum role stream_role(int kind)
{
    static const enum role roles[EVENT_KIND_COUNT] = {[EVENT_VEHICLE] = ROLE_VEHICLE,
                                                      [EVENT_GPS] = ROLE_GPS,
                                                      [EVENT_TRAFFIC] = ROLE_TRAFFIC,
                                                      [EVENT_WEATHER] = ROLE_WEATHER,
                                                      [EVENT_EMERGENCY] = ROLE_EMERGENCY};
    return kind >= 0 && kind < EVENT_KIND_COUNT ? roles[kind] : ROLE_DIM;
}

size_t stream_series(const struct series *series, float *values)
{
    float all[SERIES_BUCKETS];
    size_t known = series_read(series, all, SERIES_BUCKETS, 0);
    memcpy(values, all + SERIES_BUCKETS - known, known * sizeof *values);
    return known;
}

size_t stream_window(size_t known)
{
    return known <= 62 ? 60 : known <= 122 ? 120 : SERIES_BUCKETS;
}

double stream_rate(const float *values, size_t count, size_t seconds)
{
    double sum = 0;
    size_t from = count > seconds ? count - seconds : 0;
    for (size_t i = from; i < count; i++)
        sum += (double)values[i];
    return count > from ? sum / (double)(count - from) : 0;
}

int64_t stream_span(int64_t from, int64_t to)
{
    int64_t span;
    return __builtin_sub_overflow(to, from, &span) ? (to > from ? INT64_MAX : INT64_MIN) : span;
}

int64_t stream_us(int64_t milliseconds)
{
    int64_t microseconds;
    return __builtin_mul_overflow(milliseconds, 1000, &microseconds)
               ? (milliseconds > 0 ? INT64_MAX : INT64_MIN)
               : microseconds;
}

char *stream_none(char out[TEXT_FIGURE_SIZE])
{
    text_copy(out, TEXT_FIGURE_SIZE, "–");
    return out;
}

char *stream_clock(char out[TEXT_FIGURE_SIZE], int64_t microseconds)
{
    char time[TEXT_TIME_SIZE];
    if (microseconds <= 0)
        return stream_none(out);
    text_time(time, microseconds / 1000);
    snprintf(out, TEXT_FIGURE_SIZE, "%.12s", time + 11);
    return out;
}

char *stream_date(char out[TEXT_FIGURE_SIZE], int64_t microseconds)
{
    char time[TEXT_TIME_SIZE];
    if (microseconds <= 0)
        return stream_none(out);
    text_time(time, microseconds / 1000);
    snprintf(out, TEXT_FIGURE_SIZE, "%.10s %.8s", time, time + 11);
    return out;
}

char *stream_ms(char out[TEXT_FIGURE_SIZE], double milliseconds)
{
    if (!(milliseconds > 0) || milliseconds > 1e12)
        return stream_none(out);
    if (milliseconds < 10)
        snprintf(out, TEXT_FIGURE_SIZE, "%.*f ms", milliseconds < 1 ? 2 : 1, milliseconds);
    else if (milliseconds < 1000)
        snprintf(out, TEXT_FIGURE_SIZE, "%.0f ms", milliseconds);
    else if (milliseconds < 100e3)
        snprintf(out, TEXT_FIGURE_SIZE, "%.1f s", milliseconds / 1000);
    else
        text_age(out, (int64_t)(milliseconds * 1000));
    return out;
}

char *stream_offset(char out[TEXT_FIGURE_SIZE], int64_t offset)
{
    return offset < 0 ? stream_none(out) : text_count(out, offset);
}

char *stream_kcat(char out[STREAM_COMMAND], const struct view *view, int kind, int32_t partition,
                  int64_t offset)
{
    const char *address = view->kafka_address[0] ? view->kafka_address : "HOST:PORT";
    int used = snprintf(out, STREAM_COMMAND, "kcat -C -b %.63s -t %.63s%s", address, view->topic_prefix,
                        stream_topic(kind));
    if (partition >= 0)
        used += snprintf(out + used, STREAM_COMMAND - (size_t)used, " -p %d", partition);
    if (offset >= 0)
        snprintf(out + used, STREAM_COMMAND - (size_t)used, " -o %lld -c 1 -e", (long long)offset);
    return out;
}

void stream_copy(const struct panel_host *host, const char *text, const char *what)
{
    char line[STREAM_TEXT];
    host->copy(host->context, text);
    snprintf(line, sizeof line, "copied %.100s", what);
    host->toast(host->context, LOG_INFO, line);
}

int stream_wrap(struct canvas *canvas, int x, int y, int width, int rows, struct style style,
                const char *text)
{
    int used = 0;
    while (*text != '\0' && used < rows && width > 0) {
        char line[512];
        size_t length = strcspn(text, "\n");
        if (length >= sizeof line)
            length = sizeof line - 1;
        text_sanitise(line, sizeof line, text, length);
        bool last = used + 1 == rows;
        if (text_width(line) > width && !last) {
            size_t fits = 0, cut = 0; /* bytes that fit, bytes up to the last blank among them */
            int taken = 0;
            for (const char *at = text, *end = text + length; at < end;) {
                const char *rune_at = at;
                taken += text_rune_width(text_next_rune(&at, end));
                if (taken > width)
                    break;
                if (*rune_at == ' ')
                    cut = (size_t)(rune_at - text);
                fits = (size_t)(at - text);
            }
            length = cut > 0 ? cut : fits > 0 ? fits : length;
            text_sanitise(line, sizeof line, text, length);
        }
        canvas_text_fit(canvas, x, y + used++, width, style, line);
        text += length;
        text += strspn(text, " \n");
    }
    return used;
}

void stream_nothing(struct canvas *canvas, const char *what, const char *cure)
{
    int y = canvas->height > 4 ? canvas->height / 2 - 1 : 0, width = text_width(what);
    int x = width < canvas->width ? (canvas->width - width) / 2 : 0;
    canvas_text_fit(canvas, x, y, canvas->width, STYLE(ROLE_TEXT), what);
    width = text_width(cure);
    x = width < canvas->width ? (canvas->width - width) / 2 : 0;
    canvas_text_fit(canvas, x, y + 1, canvas->width, STYLE(ROLE_DIM), cure);
}
