/* What client.c (calls in and out), call.c (one call's way) and answer.c (what came back) share. */
#ifndef SMARTCITY_AWS_CLIENT_PRIVATE_H
#define SMARTCITY_AWS_CLIENT_PRIVATE_H

#include "aws/client.h"
#include "aws/credentials.h"
#include "aws/http.h"
#include "aws/retry.h"
#include "aws/service.h"
#include "aws/sigv4.h"
#include "base/queue.h"

#include <pthread.h>
#include <stdatomic.h>

struct aws_client {
    struct aws_settings settings;
    struct aws_config config;
    struct http *http;
    struct aws_provider *provider;
    struct sigv4_cache *cache;
    struct queue *to_hash; /* calls whose body must be read first */
    struct worker *hasher;
    struct log *log;

    pthread_mutex_t lock;
    pthread_cond_t ended;   /* some call is done */
    struct aws_call *calls; /* not done; guarded by lock */
    size_t live, live_bytes;
    bool stopping;
    struct aws_figures figures; /* waiting and active are filled when asked for */

    /* of the loop's thread */
    struct retry_quota quota;
    uint64_t draws; /* of random numbers */
    uint64_t seed;
};

struct aws_group {
    struct aws_client *client;
    atomic_bool cancelled;
};

struct aws_call {
    struct http_transfer transfer; /* first: its address is the call's */
    struct aws_client *client;     /* valid until done */
    atomic_int references;         /* the handle's and the client's */
    atomic_bool done;
    struct aws_call *next, *previous;
    aws_done_fn *on_done;
    void *context;

    /* the request, copied */
    enum aws_service_id service;
    char *operation, *method, *bucket, *key, *query, *origin, *equivalent;
    struct aws_header headers[40]; /* owned texts */
    size_t header_count;
    char *bytes;
    bool bulk; /* a body or answer too long for the usual time */
    enum aws_repeat repeat;
    struct aws_group *group;
    struct aws_keys *own_keys; /* given with the request */
    bool anonymous;
    enum checksum_kind checksum;
    char payload_hash[SIGV4_HEX];

    /* on the way */
    struct aws_keys keys; /* that signed the last attempt */
    struct curl_slist *lines;
    struct buf url;
    struct err early; /* why it was not sent */
    int64_t started_us;
    int quota_taken;
    bool skew_repaired, keys_renewed;
    struct aws_answer answer;
};

/* call.c: what the loop calls. */
enum http_prepared aws_call_prepare(struct http_transfer *transfer);
void aws_call_ended(struct http_transfer *transfer);
/* Reads the body for its hash and checksum; false: early says why, or it was cancelled. */
bool aws_call_hash(struct aws_call *call);

/* client.c: the end of a call, on the loop's thread. */
void aws_client_complete(struct aws_call *call);
void aws_call_unreference(struct aws_call *call);

/* answer.c. Fills code, message, request_id, json of call->answer from the transfer. True: it is a success.
 */
bool aws_answer_read(struct aws_call *call);
/* Fills answer.err: of the class of failure, in the operator's words. */
void aws_answer_fail(struct aws_call *call, enum retry_class class);
/* "S3 PutObject s3://lake/raw/a.parquet", "Glue StartCrawler" */
void aws_call_name(const struct aws_call *call, char *out, size_t size);

#endif
