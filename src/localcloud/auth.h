/*
 * Who sent a request? Verifies its SigV4 signature and answers in AWS's own codes, which differ by protocol,
 * when it does not hold. Any thread; const but for the key cache, which locks itself.
 */
#ifndef SMARTCITY_LOCALCLOUD_AUTH_H
#define SMARTCITY_LOCALCLOUD_AUTH_H

#include "aws/sigv4.h"
#include "localcloud/keys.h"
#include "localcloud/request.h"

#define AUTH_SKEW_S 900 /* S3 and STS allow 15 minutes; the JSON services 5 */

struct auth {
    const struct keys *keys;
    struct sigv4_cache *cache;
    const char *region;
};

/* What is needed later, to verify the chunks of the body. */
struct auth_result {
    struct sigv4_claim claim;
    unsigned char key[SIGV4_HASH];
};

/* The service named in the credential scope, or "". Nothing is verified. */
void auth_service(const struct request *request, char service[64]);
/* payload_hash: what the canonical request ends with. Fills access_key and principal of the request; else the
 * answer is made and -1 returned. */
int auth_check(const struct auth *auth, struct request *request, const char *payload_hash,
               struct auth_result *result);

/* Presigned URLs of S3 in the older form: is it one, and does it hold? (auth_v2.c) */
bool auth_is_v2(const struct request *request);
int auth_check_v2(const struct auth *auth, struct request *request);

#endif
