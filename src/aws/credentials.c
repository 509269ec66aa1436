/*
 * One thread fetches, the others look. Keys that do not expire are fetched once. Those that do are renewed
 * while they are still good, so that no call waits for it; a failure to renew is no error as long as the old
 * ones are good.
 */
#include "aws/credentials.h"

#include "aws/credentials_private.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/worker.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND        1000000ll
#define RENEW_US      (600 * SECOND) /* before the end */
#define LAST_US       (5 * SECOND)   /* before the end they are given no more */
#define RETRY_US      SECOND         /* a failure is the answer for so long */
#define RENEW_FAIL_US (30 * SECOND)
#define CHAIN_MAX     6 /* profiles that refer to each other */

struct aws_provider {
    const struct aws_config *config;
    struct http *http;
    void (*changed)(void *context);
    void *context;
    struct worker *worker;
    atomic_bool stop;

    pthread_mutex_t lock;
    pthread_cond_t wanted_changed;
    bool wanted, valid;
    struct aws_keys keys;
    struct err err;
    int64_t failed_us; /* monotonic; 0 not */
    char origin[200];
};

/* ---- the chain -------------------------------------------------------------------------------------- */

static enum keys_found result_of(int result)
{
    return result == 0 ? KEYS_FOUND : KEYS_ERROR;
}

int keys_set(struct aws_keys *keys, const char *access_key, const char *secret_key, const char *token,
             struct err *err)
{
    memset(keys, 0, sizeof *keys);
    if (!access_key || !*access_key || !secret_key || !*secret_key)
        return err_set(err, ERR_AUTH, "access key or secret key is missing");
    if (strlen(access_key) >= sizeof keys->access_key || strlen(secret_key) >= sizeof keys->secret_key ||
        (token && strlen(token) >= sizeof keys->token))
        return err_set(err, ERR_LIMIT, "a key is too long");
    text_copy(keys->access_key, sizeof keys->access_key, access_key);
    text_copy(keys->secret_key, sizeof keys->secret_key, secret_key);
    text_copy(keys->token, sizeof keys->token, token ? token : "");
    return 0;
}

static enum keys_found from_environment(struct keys_search *search, struct aws_keys *keys, struct err *err)
{
    const char *access = aws_config_environment(search->config, "AWS_ACCESS_KEY_ID");
    const char *secret = aws_config_environment(search->config, "AWS_SECRET_ACCESS_KEY");
    const char *token = aws_config_environment(search->config, "AWS_SESSION_TOKEN");
    if (!access && !secret)
        return KEYS_ABSENT;
    if (!access || !secret) {
        err_set(err, ERR_CONFIG, "%s is set without %s",
                access ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
        return KEYS_ERROR;
    }
    text_copy(search->origin, sizeof search->origin, "environment");
    return result_of(keys_set(keys, access, secret, token, err));
}

static enum keys_found static_keys(struct keys_search *search, enum aws_profile_file file,
                                   const char *profile, struct aws_keys *keys, struct err *err)
{
    const struct aws_profiles *profiles = search->config->profiles;
    const char *access = aws_profile_get_from(profiles, file, profile, "aws_access_key_id");
    const char *secret = aws_profile_get_from(profiles, file, profile, "aws_secret_access_key");
    if (!access && !secret)
        return KEYS_ABSENT;
    if (!access || !secret) {
        err_set(err, ERR_CONFIG, "profile %s has %s but not the other half", profile,
                access ? "aws_access_key_id" : "aws_secret_access_key");
        return KEYS_ERROR;
    }
    snprintf(search->origin, sizeof search->origin, "profile %.100s", profile);
    return result_of(keys_set(keys, access, secret,
                              aws_profile_get_from(profiles, file, profile, "aws_session_token"), err));
}

/* What a profile holds besides a role. */
static enum keys_found from_own(struct keys_search *search, const char *profile, struct aws_keys *keys,
                                struct err *err)
{
    enum keys_found found = static_keys(search, AWS_FILE_CREDENTIALS, profile, keys, err);
    const char *process = aws_profile_get(search->config->profiles, profile, "credential_process");
    if (found == KEYS_ABSENT && process) {
        snprintf(search->origin, sizeof search->origin, "profile %.100s, credential_process", profile);
        found = result_of(keys_from_process(search, process, keys, err));
        if (found == KEYS_ERROR)
            err_prefix(err, "credential_process of profile %s", profile);
    }
    return found == KEYS_ABSENT ? static_keys(search, AWS_FILE_CONFIG, profile, keys, err) : found;
}

static enum keys_found from_profile(struct keys_search *search, const char *profile, int depth,
                                    struct aws_keys *keys, struct err *err);

/* The keys that a role's call is signed with. */
static enum keys_found source_keys(struct keys_search *search, const char *profile, int depth,
                                   struct aws_keys *keys, struct err *err)
{
    const struct aws_config *config = search->config;
    const char *source = aws_profile_get(config->profiles, profile, "source_profile");
    const char *place = aws_profile_get(config->profiles, profile, "credential_source");
    enum keys_found found = KEYS_ABSENT;
    if (source) {
        if (!aws_profile_exists(config->profiles, source)) {
            err_set(err, ERR_CONFIG, "profile %s: its source_profile %s does not exist", profile, source);
            return KEYS_ERROR;
        }
        /* Its own keys come before its own role, or a profile could not be its own source. */
        found = from_own(search, source, keys, err);
        if (found == KEYS_ABSENT && strcmp(source, profile) != 0)
            found = from_profile(search, source, depth + 1, keys, err);
    } else if (place && strcmp(place, "Environment") == 0) {
        found = from_environment(search, keys, err);
    } else if (place && strcmp(place, "EcsContainer") == 0) {
        found = keys_from_container(search, keys, err);
    } else if (place && strcmp(place, "Ec2InstanceMetadata") == 0) {
        found = keys_from_instance(search, keys, err);
    } else {
        err_set(err, ERR_CONFIG,
                "profile %s has role_arn: it needs source_profile, or credential_source = Environment, "
                "EcsContainer or "
                "Ec2InstanceMetadata",
                profile);
        return KEYS_ERROR;
    }
    if (found == KEYS_ABSENT) {
        err_set(err, ERR_AUTH, "profile %s: no keys in %s to assume its role with", profile,
                source ? source : place);
        return KEYS_ERROR;
    }
    return found;
}

static enum keys_found from_role(struct keys_search *search, const char *profile, int depth, const char *arn,
                                 struct aws_keys *keys, struct err *err)
{
    const struct aws_profiles *profiles = search->config->profiles;
    struct keys_role role = {.arn = arn,
                             .session_name = aws_profile_get(profiles, profile, "role_session_name"),
                             .external_id = aws_profile_get(profiles, profile, "external_id"),
                             .duration = aws_profile_get(profiles, profile, "duration_seconds"),
                             .token_file = aws_profile_get(profiles, profile, "web_identity_token_file")};
    if (aws_profile_get(profiles, profile, "mfa_serial")) {
        err_set(err, ERR_UNSUPPORTED,
                "profile %s asks for an MFA code; use credential_process with a tool that asks for it",
                profile);
        return KEYS_ERROR;
    }
    if (!role.session_name)
        role.session_name = aws_config_environment(search->config, "AWS_ROLE_SESSION_NAME");
    struct aws_keys *source = role.token_file ? NULL : mem_zero(1, sizeof *source);
    enum keys_found found = source ? source_keys(search, profile, depth, source, err) : KEYS_FOUND;
    if (found == KEYS_FOUND) {
        found = result_of(keys_from_role(search, &role, source, keys, err));
        if (found == KEYS_ERROR)
            err_prefix(err, "profile %s: assuming %s", profile, arn);
        snprintf(search->origin, sizeof search->origin, "profile %.60s: %.120s", profile, arn);
    }
    if (source)
        OPENSSL_cleanse(source, sizeof *source);
    free(source);
    return found;
}

static enum keys_found from_profile(struct keys_search *search, const char *profile, int depth,
                                    struct aws_keys *keys, struct err *err)
{
    const struct aws_profiles *profiles = search->config->profiles;
    const char *arn = aws_profile_get(profiles, profile, "role_arn");
    if (depth >= CHAIN_MAX) {
        err_set(err, ERR_CONFIG, "profile %s: source_profile goes round in a circle", profile);
        return KEYS_ERROR;
    }
    enum keys_found found =
        arn ? from_role(search, profile, depth, arn, keys, err) : from_own(search, profile, keys, err);
    if (found == KEYS_ABSENT && (aws_profile_get(profiles, profile, "sso_session") ||
                                 aws_profile_get(profiles, profile, "sso_start_url"))) {
        err_set(err, ERR_UNSUPPORTED,
                "profile %s signs in by SSO: make a profile with credential_process = aws configure "
                "export-credentials --profile %s --format process",
                profile, profile);
        return KEYS_ERROR;
    }
    return found;
}

static enum keys_found from_web_identity(struct keys_search *search, struct aws_keys *keys, struct err *err)
{
    const struct aws_config *config = search->config;
    struct keys_role role = {.arn = aws_config_environment(config, "AWS_ROLE_ARN"),
                             .session_name = aws_config_environment(config, "AWS_ROLE_SESSION_NAME"),
                             .token_file = aws_config_environment(config, "AWS_WEB_IDENTITY_TOKEN_FILE")};
    if (!role.arn || !role.token_file)
        return KEYS_ABSENT;
    snprintf(search->origin, sizeof search->origin, "web identity: %.120s", role.arn);
    return result_of(keys_from_role(search, &role, NULL, keys, err));
}

static int find_keys(struct keys_search *search, struct aws_keys *keys, struct err *err)
{
    const struct aws_config *config = search->config;
    enum keys_found found = KEYS_ABSENT;
    if (!config->profile_named)
        found = from_environment(search, keys, err);
    if (found == KEYS_ABSENT)
        found = from_profile(search, config->profile, 0, keys, err);
    if (found == KEYS_ABSENT && !config->profile_named)
        found = from_web_identity(search, keys, err);
    if (found == KEYS_ABSENT)
        found = keys_from_container(search, keys, err);
    if (found == KEYS_ABSENT)
        found = keys_from_instance(search, keys, err);
    if (found == KEYS_ABSENT)
        return err_set(
            err, ERR_AUTH,
            "no AWS credentials: none in the environment, in profile %s, nor from a container or instance; "
            "set AWS_PROFILE, or run aws configure",
            config->profile);
    return found == KEYS_FOUND ? 0 : -1;
}

/* ---- the provider ----------------------------------------------------------------------------------- */

static void fetch_loop(void *context)
{
    struct aws_provider *provider = context;
    struct aws_keys *keys = mem_zero(1, sizeof *keys);
    pthread_mutex_lock(&provider->lock);
    for (;;) {
        while (!provider->wanted && !atomic_load(&provider->stop))
            pthread_cond_wait(&provider->wanted_changed, &provider->lock);
        if (atomic_load(&provider->stop))
            break;
        pthread_mutex_unlock(&provider->lock);

        struct keys_search search = {
            .config = provider->config, .http = provider->http, .stop = &provider->stop};
        struct err err = ERR_INIT;
        int result = find_keys(&search, keys, &err);
        if (result == 0 && keys->expires_us && keys->expires_us - clock_wall_us() <= LAST_US)
            result = err_set(&err, ERR_AUTH, "the keys from %s have expired already", search.origin);

        pthread_mutex_lock(&provider->lock);
        provider->wanted = false;
        provider->failed_us = result == 0 ? 0 : clock_mono_us();
        provider->err = err;
        if (result == 0) {
            provider->keys = *keys;
            provider->valid = true;
            text_copy(provider->origin, sizeof provider->origin, search.origin);
        }
        pthread_mutex_unlock(&provider->lock);
        provider->changed(provider->context);
        pthread_mutex_lock(&provider->lock);
    }
    pthread_mutex_unlock(&provider->lock);
    OPENSSL_cleanse(keys, sizeof *keys);
    free(keys);
}

struct aws_provider *aws_provider_create(const struct aws_config *config, struct http *http,
                                         void (*changed)(void *context), void *context, struct err *err)
{
    struct aws_provider *provider = mem_zero(1, sizeof *provider);
    provider->config = config;
    provider->http = http;
    provider->changed = changed;
    provider->context = context;
    pthread_mutex_init(&provider->lock, NULL);
    pthread_cond_init(&provider->wanted_changed, NULL);
    if (config->keys.access_key[0]) { /* given: nothing to find, no thread */
        provider->keys = config->keys;
        provider->valid = true;
        text_copy(provider->origin, sizeof provider->origin, config->local ? "local cloud" : "settings");
        return provider;
    }
    provider->worker = worker_start("aws-keys", fetch_loop, provider, err);
    if (!provider->worker) {
        aws_provider_destroy(provider);
        return NULL;
    }
    return provider;
}

void aws_provider_destroy(struct aws_provider *provider)
{
    if (!provider)
        return;
    pthread_mutex_lock(&provider->lock);
    atomic_store(&provider->stop, true);
    pthread_cond_signal(&provider->wanted_changed);
    pthread_mutex_unlock(&provider->lock);
    worker_join(provider->worker);
    pthread_cond_destroy(&provider->wanted_changed);
    pthread_mutex_destroy(&provider->lock);
    OPENSSL_cleanse(provider, sizeof *provider);
    free(provider);
}

static void want(struct aws_provider *provider)
{
    provider->wanted = true;
    pthread_cond_signal(&provider->wanted_changed);
}

enum aws_keys_state aws_provider_get(struct aws_provider *provider, struct aws_keys *keys, struct err *err)
{
    enum aws_keys_state state = AWS_KEYS_COMING;
    int64_t wall = clock_wall_us(), now = clock_mono_us();
    pthread_mutex_lock(&provider->lock);
    int64_t left = provider->keys.expires_us ? provider->keys.expires_us - wall : INT64_MAX;
    int64_t since = provider->failed_us ? now - provider->failed_us : INT64_MAX;
    if (provider->valid && left > LAST_US) {
        *keys = provider->keys;
        state = AWS_KEYS_READY;
        if (left < RENEW_US && !provider->wanted && since > RENEW_FAIL_US)
            want(provider);
    } else if (!provider->worker || (!provider->wanted && since < RETRY_US)) {
        if (!provider->worker)
            err_set(&provider->err, ERR_AUTH, "the keys that were given are no longer accepted");
        *err = provider->err;
        state = AWS_KEYS_FAILED;
    } else if (!provider->wanted) {
        want(provider);
    }
    pthread_mutex_unlock(&provider->lock);
    return state;
}

void aws_provider_reject(struct aws_provider *provider, const struct aws_keys *keys)
{
    pthread_mutex_lock(&provider->lock);
    if (provider->valid && provider->worker && strcmp(provider->keys.access_key, keys->access_key) == 0 &&
        strcmp(provider->keys.token, keys->token) == 0) {
        provider->valid = false;
        provider->failed_us = 0;
        want(provider);
    }
    pthread_mutex_unlock(&provider->lock);
}

void aws_provider_origin(struct aws_provider *provider, char *out, size_t size)
{
    pthread_mutex_lock(&provider->lock);
    text_copy(out, size, provider->origin);
    pthread_mutex_unlock(&provider->lock);
}
