/* What base/text makes of hostile bytes: output is bounded, valid UTF-8 and free of controls; what is read
 * back is what was written. */
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void sanitised(const char *text, size_t length)
{
    char out[64];
    for (size_t room = 1; room <= sizeof out; room += 7) {
        size_t written = text_sanitise(out, room, text, length);
        require(written < room && out[written] == '\0' && text_is_utf8(out, written));
        for (const char *at = out, *end = out + written; at < end;)
            require(!text_is_control(text_next_rune(&at, end)));
        require(text_width(out) >= 0);
    }
}

static void parsed(const char *text, size_t length)
{
    int64_t value;
    double number;
    char figure[TEXT_FIGURE_SIZE], time[TEXT_TIME_SIZE];
    if (text_parse_time(text, length, &value)) {
        int64_t again;
        text_time(time, value);
        require(text_parse_time(time, strlen(time), &again) && again == value);
    }
    if (text_parse_duration(text, &value)) {
        require(value >= 0);
        text_duration(figure, value);
        text_age(figure, value);
    }
    if (text_parse_bytes(text, &value)) {
        require(value >= 0);
        text_bytes(figure, (double)value);
    }
    if (text_parse_int(text, -1000, 1000, &value))
        require(value >= -1000 && value <= 1000);
    if (text_parse_double(text, -1e9, 1e9, &number)) {
        require(number >= -1e9 && number <= 1e9);
        text_si(figure, number);
    }
    text_distance(text, "journeys", 3);
}

static void coded(const char *text, size_t length)
{
    unsigned char *bytes = malloc(text_base64_max(length));
    long count = text_base64_decode(bytes, text, length);
    if (count >= 0) {
        size_t size = text_base64_size((size_t)count);
        char *again = malloc(size + 1);
        text_base64_encode(again, bytes, (size_t)count);
        require(size >= length && memcmp(again, text, length) == 0); /* all but the padding */
        free(again);
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* exactly as long, so that a read beyond is seen */
    memcpy(text, data, size);
    text[size] = '\0';
    sanitised(text, size);
    parsed(text, size);
    coded(text, size);
    free(text);
    return 0;
}
