/*
 * Keyframes: while a journey is written, the last record of each device is kept, and now and then all of them
 * are written out, so that a seek can show the city without replaying from the start. One thread.
 */
#ifndef SMARTCITY_STORE_KEYFRAME_H
#define SMARTCITY_STORE_KEYFRAME_H

#include "store/chunk.h"

#define KEYFRAME_INTERVAL_US 30000000
#define KEYFRAME_RECORDS     50000       /* or after so many, which bounds what a seek must replay */
#define KEYFRAME_DEVICES     65536       /* more devices than this are not kept */
#define KEYFRAME_INLINE      4096        /* bytes; a larger record (a camera frame) is only referred to */
#define KEYFRAME_BYTES       (48u << 20) /* of copies in memory; what is beyond is only referred to */
#define KEYFRAME_REFERENCES  1024

/* Where a large record lies: the record at `index` of chunk `chunk`. */
struct keyframe_reference {
    int64_t chunk;
    uint32_t index;
};

struct keyframe;
/* limit_bytes: a state that would take more in the file is not written. */
struct keyframe *keyframe_create(size_t limit_bytes);
void keyframe_destroy(struct keyframe *keyframe);
void keyframe_note(struct keyframe *keyframe, const struct record *record, int64_t event_ms,
                   int64_t position_us, int64_t chunk, uint32_t index);
/* True when one should be written before the record at position_us. */
bool keyframe_due(const struct keyframe *keyframe, int64_t position_us);
/* Appends the state as chunks, one behind the other (chunk_frame_length parts them), to `out`, and the places
 * of the large ones to references[KEYFRAME_REFERENCES]; ERR_LIMIT when it is too large; forgets devices that
 * have been silent for long. */
int keyframe_build(struct keyframe *keyframe, int64_t position_us, int64_t origin_us, struct buf *out,
                   uint32_t *records, struct keyframe_reference *references, size_t *reference_count,
                   struct err *err);

#endif
