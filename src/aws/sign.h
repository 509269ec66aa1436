/* From a service, a path and headers to the very bytes that go out: URL and signed headers. Pure but for the
 * clock it is given. */
#ifndef SMARTCITY_AWS_SIGN_H
#define SMARTCITY_AWS_SIGN_H

#include "aws/client.h"
#include "aws/service.h"
#include "aws/sigv4.h"

#include <curl/curl.h>

struct aws_signing {
    enum aws_service_id service;
    const struct aws_endpoint *endpoint;
    const char *region;
    const char *method;
    const char *bucket, *key; /* S3; NULL none */
    const char *query;        /* encoded; NULL none */
    const struct aws_header *headers;
    size_t header_count;
    const char *payload_hash;    /* hexadecimal */
    const struct aws_keys *keys; /* NULL: not signed */
    int64_t wall_us;             /* the server's time, as far as known */
    bool expect;                 /* wait for 100 Continue before the body */
};

/* Fills url and *headers (to be freed by curl_slist_free_all()). ERR_LIMIT, ERR_USAGE. */
int aws_sign(const struct aws_signing *signing, struct sigv4_cache *cache, struct buf *url,
             struct curl_slist **headers, struct err *err);
/* Does the bucket stand in the host's name? */
bool aws_sign_virtual_host(const struct aws_endpoint *endpoint, const char *bucket);

#endif
