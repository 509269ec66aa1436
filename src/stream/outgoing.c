#include "stream/outgoing.h"

#include "base/clock.h"
#include "city/schema.h"

#include <string.h>
#include <sys/random.h>

#define FOREIGN_HEADERS 64
#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

static const char *const own_names[] = {RECORD_HEADER_PRODUCED, RECORD_HEADER_TRACE, RECORD_HEADER_SCHEMA};

static bool own_header(const struct record_header *header)
{
    for (int i = 0; i < 3; i++)
        if (header->name_length == strlen(own_names[i]) &&
            !memcmp(header->name, own_names[i], header->name_length))
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
        if (!outgoing->foreign)
            outgoing->foreign = rd_kafka_headers_new(8);
        rd_kafka_header_add(outgoing->foreign, header.name, (ssize_t)header.name_length, header.value,
                            header.value ? (ssize_t)header.value_length : 0);
        taken++;
    }
}

void outgoing_drop_headers(struct outgoing *outgoing)
{
    if (outgoing->foreign)
        rd_kafka_headers_destroy(outgoing->foreign);
    outgoing->foreign = NULL;
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

    rd_kafka_vu_t parts[9];
    size_t count = 0;
    parts[count].vtype = RD_KAFKA_VTYPE_RKT;
    parts[count++].u.rkt = topic;
    parts[count].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts[count++].u.i32 = partition;
    parts[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[count++].u.i = RD_KAFKA_MSG_F_COPY;
    parts[count].vtype = RD_KAFKA_VTYPE_KEY;
    parts[count].u.mem.ptr = (void *)(uintptr_t)outgoing->key;
    parts[count++].u.mem.size = outgoing->key_length;
    parts[count].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[count].u.mem.ptr = (void *)(uintptr_t)outgoing->value;
    parts[count++].u.mem.size = outgoing->value_length;
    parts[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
    parts[count++].u.ptr = opaque;
    if (outgoing->foreign) {
        for (int i = 0; i < 3; i++) {
            rd_kafka_header_remove(outgoing->foreign, own_names[i]); /* of an attempt that found no room */
            rd_kafka_header_add(outgoing->foreign, own_names[i], -1, values[i], (ssize_t)lengths[i]);
        }
        parts[count].vtype = RD_KAFKA_VTYPE_HEADERS;
        parts[count++].u.headers = outgoing->foreign;
    } else
        for (int i = 0; i < 3; i++) {
            parts[count].vtype = RD_KAFKA_VTYPE_HEADER;
            parts[count].u.header.name = own_names[i];
            parts[count].u.header.val = values[i];
            parts[count++].u.header.size = (ssize_t)lengths[i];
        }
    rd_kafka_error_t *error = rd_kafka_produceva(rk, parts, count);
    if (!error) {
        outgoing->foreign = NULL;
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}
