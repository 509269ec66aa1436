/*
 * Keys, from where the SDKs take them (botocore/credentials.py), found when first needed and renewed before
 * they expire, on a thread of its own since a role, a process or a metadata service may take seconds:
 *
 *     explicit ─ environment* ─ profile: role_arn, static keys, credential_process ─ container ─ instance
 * (IMDSv2)
 *     * not when a profile was named
 *
 * Any thread.
 */
#ifndef SMARTCITY_AWS_CREDENTIALS_H
#define SMARTCITY_AWS_CREDENTIALS_H

#include "aws/config.h"

struct aws_provider;
struct http;

enum aws_keys_state { AWS_KEYS_READY, AWS_KEYS_COMING, AWS_KEYS_FAILED };

/* `changed` is called on the provider's thread after each attempt. config and http must outlive it. */
struct aws_provider *aws_provider_create(const struct aws_config *config, struct http *http,
                                         void (*changed)(void *context), void *context, struct err *err);
void aws_provider_destroy(struct aws_provider *provider); /* NULL allowed; wipes */
/* Never blocks. COMING: they are being fetched, `changed` will be called. FAILED: err says why; a failure is
 * kept for a second, then tried again. Keys that expire within 10 minutes are renewed behind the scenes and
 * still given; expired ones are not. */
enum aws_keys_state aws_provider_get(struct aws_provider *provider, struct aws_keys *keys, struct err *err);
/* The service called these keys expired: fetch new ones, unless that has been done since. */
void aws_provider_reject(struct aws_provider *provider, const struct aws_keys *keys);
/* "environment", "profile dev: role arn:aws:iam::…", "instance role NAME"; "" before. No secret in it. */
void aws_provider_origin(struct aws_provider *provider, char *out, size_t size);

#endif
