/*
 * Faults on demand, for tests and for showing what happens. A rule is a line of words:
 *
 *     SERVICE OPERATION KIND [count=N] [probability=P] [after=N]
 *     s3      PutObject throttle                503 SlowDown, or the service's throttling error
 *     *       *         error=500               InternalError and its kin; any status of 400 to 599
 *     glue    *         slow=800ms              waits first
 *     s3      GetObject cut=1000                ends the connection after so many bytes of the answer's body
 *     s3      PutObject lost                    does it, then ends the connection without an answer
 *
 * SERVICE and OPERATION may be '*'. count: as many times, then the rule is gone (without: for ever);
 * probability: 0 to 1; after: let so many pass first. The first rule that applies is taken; slow goes
 * together with one of another kind. Any thread.
 */
#ifndef SMARTCITY_LOCALCLOUD_FAULT_H
#define SMARTCITY_LOCALCLOUD_FAULT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

enum fault_kind { FAULT_NONE, FAULT_THROTTLE, FAULT_ERROR, FAULT_CUT, FAULT_LOST };

struct fault {
    enum fault_kind kind;
    int status;       /* FAULT_ERROR */
    int64_t bytes;    /* FAULT_CUT */
    int64_t delay_us; /* 0 none */
};

struct faults;
struct faults *faults_create(void);
void faults_destroy(struct faults *faults);
int faults_add(struct faults *faults, const char *rule, struct err *err);
void faults_clear(struct faults *faults);
/* What befalls this request; counts it. */
struct fault faults_take(struct faults *faults, const char *service, const char *operation);
/* The rules, a line each, with how often each was taken: "s3 PutObject throttle count=2 taken=1". */
void faults_write(struct faults *faults, struct buf *out);

#endif
