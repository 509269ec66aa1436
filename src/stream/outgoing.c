#include "stream/outgoing.h"

#include "base/clock.h"
#include "city/schema.h"

#include <string.h>
#include <sys/random.h>

#define FOREIGN_HEADERS 64
#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

static const char *const own_names[] = {RECORD_HEADER_PRODUCED, RECORD_HEADER_TRACE, RECORD_HEADER_SCHEMA};

static const size_t own_lengths[] = {sizeof RECORD_HEADER_PRODUCED - 1, sizeof RECORD_HEADER_TRACE - 1,
                                     sizeof RECORD_HEADER_SCHEMA - 1};

static bool own_header(const struct record_header *header)
{
    for (int i = 0; i < 3; i++)
        if (header->name_length == own_lengths[i] && !memcmp(header->name, own_names[i], header->name_length))
            return true;
    return false;
}

void outgoing_take_headers(struct outgoing *outgoing, const struct record *record)
{
    struct record_header header;
    size_t position = 0;
    int taken = 0;
    while (taken < FOREIGN_HEADERS && record_headers_next(record, &position, &header)) {
        if (own_header(&header))
            continue;
        if (!outgoing->headers)
            outgoing->headers = rd_kafka_headers_new(8);
        rd_kafka_header_add(outgoing->headers, header.name, (ssize_t)header.name_length, header.value,
                            header.value ? (ssize_t)header.value_length : 0);
        taken++;
    }
}

void outgoing_drop_headers(struct outgoing *outgoing)
{
    if (outgoing->headers)
        rd_kafka_headers_destroy(outgoing->headers);
    outgoing->headers = NULL;
}

void trace_source_init(struct trace_source *trace)
{
    if (getrandom(trace->state, sizeof trace->state, 0) != sizeof trace->state) {
        trace->state[0] = (uint64_t)clock_wall_us();
        trace->state[1] = (uint64_t)clock_mono_us();
    }
    trace->state[0] |= 1; /* all zeros would stay zeros */
}

/* xorshift128+ (S. Vigna, "Further scramblings of Marsaglia's xorshift generators", 2014). */
static uint64_t next_random(struct trace_source *trace)
{
    uint64_t a = trace->state[0], b = trace->state[1];
    trace->state[0] = b;
    a ^= a << 23;
    trace->state[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
    return trace->state[1] + b;
}

static char *put_hex(char *out, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 15; i >= 0; i--, value >>= 4)
        out[i] = digits[value & 15];
    return out + 16;
}

void trace_make(struct trace_source *trace, char out[TRACE_LENGTH])
{
    memcpy(out, "00-", 3);
    char *at = put_hex(out + 3, next_random(trace) | 1); /* ids of zeros are invalid */
    at = put_hex(at, next_random(trace));
    *at++ = '-';
    at = put_hex(at, next_random(trace) | 1);
    memcpy(at, "-01", 3);
}

rd_kafka_resp_err_t outgoing_hand_over(struct outgoing *outgoing, rd_kafka_t *rk, rd_kafka_topic_t *topic,
                                       int32_t partition, void *opaque, struct trace_source *trace)
{
    char produced[20], ids[TRACE_LENGTH];
    char *end = produced + sizeof produced, *digits = end;
    for (uint64_t now = (uint64_t)clock_wall_us(); now; now /= 10)
        *--digits = (char)('0' + now % 10);
    trace_make(trace, ids);
    const char *values[] = {digits, ids, TEXT(SCHEMA_VERSION)};
    size_t lengths[] = {(size_t)(end - digits), TRACE_LENGTH, sizeof TEXT(SCHEMA_VERSION) - 1};

    /* A list of our own rather than RD_KAFKA_VTYPE_HEADER one by one: with these, librdkafka 2.0 frees its
     * list twice when the message finds no partition. */
    if (!outgoing->headers)
        outgoing->headers = rd_kafka_headers_new(3);
    else
        for (int i = 0; i < 3; i++)
            rd_kafka_header_remove(outgoing->headers, own_names[i]); /* of an attempt that failed */
    for (int i = 0; i < 3; i++)
        rd_kafka_header_add(outgoing->headers, own_names[i], (ssize_t)own_lengths[i], values[i],
                            (ssize_t)lengths[i]);

    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)outgoing->key, outgoing->key_length}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)(uintptr_t)outgoing->value, outgoing->value_length}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = outgoing->headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(rk, parts, sizeof parts / sizeof parts[0]);
    if (!error) {
        outgoing->headers = NULL;
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}
