#include "aws/config.h"

#include "aws/service.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *process_environment(void *context, const char *name)
{
    return getenv(name);
}

const char *aws_config_environment(const struct aws_config *config, const char *name)
{
    const char *value = config->local ? NULL : config->environment(config->environment_context, name);
    return value && *value ? value : NULL;
}

static bool given(const char *text)
{
    return text && *text;
}

/* Copies what must fit, since a cut name is another name. */
static int copy(char *out, size_t size, const char *text, const char *what, struct err *err)
{
    if (strlen(text) >= size)
        return err_set(err, ERR_CONFIG, "%s is longer than %zu bytes", what, size - 1);
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

static bool is_true(const char *text)
{
    return text && text_equal_fold(text, "true");
}

static const char *profile_value(const struct aws_config *config, const char *key)
{
    return aws_profile_get(config->profiles, config->profile, key);
}

/* ---- files and profile ------------------------------------------------------------------------------ */

static int file_path(const struct aws_config *config, const char *variable, const char *name, char *out,
                     size_t size, struct err *err)
{
    const char *path = aws_config_environment(config, variable),
               *home = aws_config_environment(config, "HOME");
    int length;
    if (path && path[0] == '~' && path[1] == '/')
        length = snprintf(out, size, "%s%s", home ? home : "", path + 1);
    else if (path)
        length = snprintf(out, size, "%s", path);
    else if (home)
        length = snprintf(out, size, "%s/.aws/%s", home, name);
    else
        length = snprintf(out, size, "%s", "");
    return length < 0 || (size_t)length >= size ? err_set(err, ERR_CONFIG, "%s is too long a path", variable)
                                                : 0;
}

static int read_files(struct aws_config *config, struct err *err)
{
    config->profiles = aws_profiles_create();
    if (file_path(config, "AWS_CONFIG_FILE", "config", config->config_file, sizeof config->config_file,
                  err) != 0 ||
        file_path(config, "AWS_SHARED_CREDENTIALS_FILE", "credentials", config->credentials_file,
                  sizeof config->credentials_file, err) != 0)
        return -1;
    if (config->config_file[0] &&
        aws_profiles_read(config->profiles, AWS_FILE_CONFIG, config->config_file, err) != 0)
        return -1;
    return config->credentials_file[0]
               ? aws_profiles_read(config->profiles, AWS_FILE_CREDENTIALS, config->credentials_file, err)
               : 0;
}

static int choose_profile(struct aws_config *config, const struct aws_config_settings *settings,
                          struct err *err)
{
    const char *name = given(settings->profile) ? settings->profile : NULL;
    config->profile_named = name != NULL;
    if (!name)
        name = aws_config_environment(config, "AWS_PROFILE");
    if (!name)
        name = aws_config_environment(config, "AWS_DEFAULT_PROFILE");
    bool chosen = name != NULL;
    if (copy(config->profile, sizeof config->profile, chosen ? name : "default", "the AWS profile's name",
             err) != 0)
        return -1;
    if (!chosen || aws_profile_exists(config->profiles, config->profile))
        return 0;
    const char *names[12];
    size_t count = aws_profile_names(config->profiles, names, sizeof names / sizeof *names), length = 0;
    char list[240] = "there is none";
    for (size_t i = 0; i < count && length < sizeof list; i++)
        length +=
            (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "there are: ", names[i]);
    return err_set(err, ERR_CONFIG, "the AWS profile '%s' is not in %s; %s", config->profile,
                   config->config_file, list);
}

/* ---- region ----------------------------------------------------------------------------------------- */

static int choose_region(struct aws_config *config, const struct aws_config_settings *settings,
                         struct err *err)
{
    const char *region = given(settings->region) ? settings->region : NULL;
    text_copy(config->region_origin, sizeof config->region_origin, "settings");
    for (int i = 0; !region && i < 2; i++) {
        const char *name = i ? "AWS_DEFAULT_REGION" : "AWS_REGION";
        region = aws_config_environment(config, name);
        text_copy(config->region_origin, sizeof config->region_origin, name);
    }
    if (!region) {
        region = profile_value(config, "region");
        snprintf(config->region_origin, sizeof config->region_origin, "profile %.80s", config->profile);
    }
    if (!region)
        return err_set(err, ERR_CONFIG,
                       config->local ? "the local cloud needs its region"
                                     : "no AWS region: set AWS_REGION, or region in the profile "
                                       "(aws configure set region eu-west-2)");
    /* It becomes part of a host name. */
    if (strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region))
        return err_set(err, ERR_CONFIG, "'%.64s' is no AWS region", region);
    return copy(config->region, sizeof config->region, region, "the AWS region", err);
}

/* ---- endpoints -------------------------------------------------------------------------------------- */

/* scheme://host[:port][/path], nothing else. */
static int set_endpoint(struct aws_endpoint *endpoint, const char *url, const char *origin, struct err *err)
{
    bool tls = text_prefix_fold(url, "https://"), plain = text_prefix_fold(url, "http://");
    const char *host = url + (tls ? 8 : 7);
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    if ((!tls && !plain) || host >= url + length || *host == '/' || *host == ':' ||
        length >= sizeof endpoint->url)
        return err_set(err, ERR_CONFIG, "%s: '%.160s' is no endpoint: http(s)://HOST[:PORT] is needed",
                       origin, url);
    for (const char *at = url; at < url + length; at++)
        if (*at <= ' ' || *at >= 0x7F || strchr("@?#\\\"<>%", *at))
            return err_set(err, ERR_CONFIG, "%s: an endpoint has no '%c'", origin,
                           *at > ' ' && *at < 0x7F ? *at : '?');
    *endpoint = (struct aws_endpoint){.custom = true, .tls = tls};
    memcpy(endpoint->url, url, length);
    text_copy(endpoint->origin, sizeof endpoint->origin, origin);
    return 0;
}

/* AWS's own: the partitions that other suffixes serve. */
static const char *dns_suffix(const char *region)
{
    static const struct {
        const char *prefix, *suffix;
    } rows[] = {{"cn-", "amazonaws.com.cn"},
                {"us-isob-", "sc2s.sgov.gov"},
                {"us-iso-", "c2s.ic.gov"},
                {"eusc-", "amazonaws.eu"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strncmp(region, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].suffix;
    return "amazonaws.com";
}

static int choose_endpoint(struct aws_config *config, const struct aws_config_settings *settings, int id,
                           struct err *err)
{
    const struct aws_service *service = &aws_services[id];
    struct aws_endpoint *endpoint = &config->endpoints[id];
    char name[96], origin[96];
    if (given(settings->endpoint))
        return set_endpoint(endpoint, settings->endpoint, "settings", err);
    if (config->local)
        return err_set(err, ERR_CONFIG, "the local cloud needs its endpoint");
    bool ignored = is_true(aws_config_environment(config, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) ||
                   is_true(profile_value(config, "ignore_configured_endpoint_urls"));
    const char *url = NULL;
    if (!ignored) {
        snprintf(origin, sizeof origin, "AWS_ENDPOINT_URL_%s", service->environment);
        url = aws_config_environment(config, origin);
        if (!url) {
            text_copy(origin, sizeof origin, "AWS_ENDPOINT_URL");
            url = aws_config_environment(config, origin);
        }
        const char *section = url ? NULL : profile_value(config, "services");
        if (section) {
            snprintf(name, sizeof name, "%s.endpoint_url", service->section);
            snprintf(origin, sizeof origin, "services %.80s", section);
            url = aws_services_get(config->profiles, section, name);
        }
        if (!url) {
            snprintf(origin, sizeof origin, "profile %.80s", config->profile);
            url = profile_value(config, "endpoint_url");
        }
    }
    if (url)
        return set_endpoint(endpoint, url, origin, err);
    const char *fips = aws_config_environment(config, "AWS_USE_FIPS_ENDPOINT");
    bool is_fips = is_true(fips ? fips : profile_value(config, "use_fips_endpoint"));
    *endpoint = (struct aws_endpoint){.tls = true};
    text_copy(endpoint->origin, sizeof endpoint->origin, "AWS");
    snprintf(endpoint->url, sizeof endpoint->url, "https://%s%s.%s.%s", service->name, is_fips ? "-fips" : "",
             config->region, dns_suffix(config->region));
    return 0;
}

/* ---- all of it -------------------------------------------------------------------------------------- */

static int choose_keys(struct aws_config *config, const struct aws_config_settings *settings, struct err *err)
{
    bool access = given(settings->access_key), secret = given(settings->secret_key);
    if (access != secret)
        return err_set(err, ERR_CONFIG, "an access key needs its secret key, and the other way round");
    if (!access)
        return config->local ? err_set(err, ERR_CONFIG, "the local cloud needs its keys") : 0;
    if (copy(config->keys.access_key, sizeof config->keys.access_key, settings->access_key, "the access key",
             err) ||
        copy(config->keys.secret_key, sizeof config->keys.secret_key, settings->secret_key, "the secret key",
             err))
        return -1;
    return given(settings->token) ? copy(config->keys.token, sizeof config->keys.token, settings->token,
                                         "the session token", err)
                                  : 0;
}

static int read_rest(struct aws_config *config, struct err *err)
{
    const char *bundle = aws_config_environment(config, "AWS_CA_BUNDLE");
    const char *attempts = aws_config_environment(config, "AWS_MAX_ATTEMPTS");
    int64_t value = 0;
    if (!bundle)
        bundle = profile_value(config, "ca_bundle");
    if (bundle && copy(config->ca_bundle, sizeof config->ca_bundle, bundle, "AWS_CA_BUNDLE", err) != 0)
        return -1;
    if (!attempts)
        attempts = profile_value(config, "max_attempts");
    if (attempts && !text_parse_int(attempts, 1, 100, &value))
        return err_set(err, ERR_CONFIG, "max_attempts is 1 to 100, not '%.40s'", attempts);
    config->max_attempts = (int)value;
    return 0;
}

int aws_config_read(struct aws_config *config, const struct aws_config_settings *settings, struct err *err)
{
    memset(config, 0, sizeof *config);
    config->local = settings->local;
    config->environment = settings->environment ? settings->environment : process_environment;
    config->environment_context = settings->environment_context;
    int result = 0;
    if (!config->local && (read_files(config, err) != 0 || choose_profile(config, settings, err) != 0))
        result = -1;
    if (result == 0 && (choose_keys(config, settings, err) != 0 ||
                        choose_region(config, settings, err) != 0 || read_rest(config, err) != 0))
        result = -1;
    for (int id = 0; result == 0 && id < AWS_SERVICES; id++)
        result = choose_endpoint(config, settings, id, err);
    if (result != 0)
        aws_config_free(config);
    return result;
}

void aws_config_free(struct aws_config *config)
{
    aws_profiles_destroy(config->profiles);
    config->profiles = NULL;
    OPENSSL_cleanse(&config->keys, sizeof config->keys);
}

bool aws_config_is_aws(const struct aws_config *config)
{
    for (int id = 0; id < AWS_SERVICES; id++)
        if (!config->endpoints[id].custom)
            return true;
    return false;
}
