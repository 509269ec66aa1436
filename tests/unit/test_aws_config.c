/* The AWS files and the resolution of profile, region and endpoints. */
#include "aws/config.h"
#include "aws/service.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- files ------------------------------------------------------------------------------------------ */

static struct aws_profiles *profiles_of(const char *config, const char *credentials)
{
    struct err err = ERR_INIT;
    struct aws_profiles *profiles = aws_profiles_create();
    assert_int_equal(aws_profiles_add(profiles, AWS_FILE_CONFIG, config, strlen(config), &err), 0);
    assert_int_equal(aws_profiles_add(profiles, AWS_FILE_CREDENTIALS, credentials, strlen(credentials), &err),
                     0);
    return profiles;
}

static void assert_value(const char *found, const char *expected)
{
    if (!expected)
        assert_null(found);
    else if (!found)
        fail_msg("nothing instead of %s", expected);
    else
        assert_string_equal(found, expected);
}

static void test_profiles(void **state)
{
    struct aws_profiles *profiles = profiles_of("# a comment\n"
                                                "[default]\n"
                                                "region = eu-west-2\n"
                                                "  \n"
                                                "; another\n"
                                                "[profile dev]\r\n"
                                                "Region=us-west-2\r\n"
                                                "role_arn : arn:aws:iam::123456789012:role/x=y\n"
                                                "services = local\n"
                                                "s3 =\n"
                                                "    max_concurrent_requests = 20\n"
                                                "    addressing_style=path\n"
                                                "output = json\n"
                                                "    stray = 1\n"
                                                "[profile \"two words\"]\n"
                                                "region = ap-south-1\n"
                                                "[dev]\n"
                                                "region = wrong\n"
                                                "[services local]\n"
                                                "s3 =\n"
                                                "  endpoint_url = http://127.0.0.1:9000\n"
                                                "redshift_data = \n"
                                                "  endpoint_url = http://127.0.0.1:9001\n"
                                                "[sso-session corp]\n"
                                                "region = wrong\n"
                                                "[broken\n"
                                                "region = wrong\n"
                                                "[default]\n"
                                                "output = text\n",
                                                "[dev]\n"
                                                "aws_access_key_id = AKID\n"
                                                "aws_secret_access_key = a+b/c==\n"
                                                "[cred only]\n"
                                                "aws_access_key_id=X\n");
    assert_value(aws_profile_get(profiles, "default", "region"), "eu-west-2");
    assert_value(aws_profile_get(profiles, "default", "output"), "text");
    assert_value(aws_profile_get(profiles, "dev", "region"), "us-west-2");
    assert_value(aws_profile_get(profiles, "dev", "role_arn"), "arn:aws:iam::123456789012:role/x=y");
    assert_value(aws_profile_get(profiles, "dev", "s3.addressing_style"), "path");
    assert_value(aws_profile_get(profiles, "dev", "s3.max_concurrent_requests"), "20");
    assert_value(aws_profile_get(profiles, "dev", "output.stray"), NULL);
    assert_value(aws_profile_get(profiles, "dev", "stray"), NULL);
    assert_value(aws_profile_get(profiles, "dev", "aws_secret_access_key"), "a+b/c==");
    assert_value(aws_profile_get_from(profiles, AWS_FILE_CONFIG, "dev", "aws_access_key_id"), NULL);
    assert_value(aws_profile_get(profiles, "two words", "region"), "ap-south-1");
    assert_value(aws_services_get(profiles, "local", "s3.endpoint_url"), "http://127.0.0.1:9000");
    assert_value(aws_services_get(profiles, "local", "redshift_data.endpoint_url"), "http://127.0.0.1:9001");
    assert_value(aws_services_get(profiles, "corp", "region"), NULL);
    assert_true(aws_profile_exists(profiles, "cred only"));
    assert_false(aws_profile_exists(profiles, "corp"));
    const char *names[10];
    assert_int_equal(aws_profile_names(profiles, names, 10), 4);
    assert_string_equal(names[3], "cred only");
    aws_profiles_destroy(profiles);
}

static void test_profile_limits(void **state)
{
    struct err err = ERR_INIT;
    struct aws_profiles *profiles = aws_profiles_create();
    /* a session token that the usual readers cut */
    char *text = mem_alloc(20000);
    int length = snprintf(text, 20000, "[dev]\naws_session_token = ");
    memset(text + length, 'x', 8000);
    assert_int_equal(aws_profiles_add(profiles, AWS_FILE_CREDENTIALS, text, (size_t)length + 8000, &err), 0);
    assert_int_equal(strlen(aws_profile_get(profiles, "dev", "aws_session_token")), 8000);
    memset(text + length, 'x', 9000);
    assert_int_equal(aws_profiles_add(profiles, AWS_FILE_CREDENTIALS, text, (size_t)length + 9000, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    free(text);
    aws_profiles_destroy(profiles);
}

/* ---- resolution ------------------------------------------------------------------------------------- */

struct world {
    const char *environment[12][2];
    char folder[64];
};

static const char *look_up(void *context, const char *name)
{
    const struct world *world = context;
    for (size_t i = 0; world->environment[i][0]; i++)
        if (strcmp(world->environment[i][0], name) == 0)
            return world->environment[i][1];
    return NULL;
}

static char config_path[128], credentials_path[128];

static int set_up(void **state)
{
    static char folder[] = "/tmp/smartcity-awsconfig-XXXXXX";
    static const char config[] = "[default]\nregion = eu-west-2\n"
                                 "[profile dev]\nregion = us-west-2\nservices = local\n"
                                 "endpoint_url = http://127.0.0.1:1\nmax_attempts = 7\n"
                                 "[profile off]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\n"
                                 "ignore_configured_endpoint_urls = true\n"
                                 "[profile fips]\nregion = us-east-1\nuse_fips_endpoint = true\n"
                                 "[profile none]\noutput = json\n"
                                 "[services local]\nglue =\n  endpoint_url = http://127.0.0.1:2/aws/\n";
    if (!mkdtemp(folder))
        return -1;
    snprintf(config_path, sizeof config_path, "%s/config", folder);
    snprintf(credentials_path, sizeof credentials_path, "%s/credentials", folder);
    return file_write_atomic(config_path, config, sizeof config - 1, 0600, NULL);
}

static int tear_down(void **state)
{
    unlink(config_path);
    *strrchr(config_path, '/') = '\0';
    return rmdir(config_path);
}

/* Reads with these variables (name, value, …, NULL) besides the two files. */
static int resolve(struct aws_config *config, const struct aws_config_settings *given,
                   const char *const *variables, struct err *err)
{
    struct world world = {
        .environment = {{"AWS_CONFIG_FILE", config_path}, {"AWS_SHARED_CREDENTIALS_FILE", credentials_path}}};
    struct aws_config_settings settings = given ? *given : (struct aws_config_settings){.local = false};
    for (size_t i = 0; variables && variables[2 * i]; i++) {
        world.environment[i + 2][0] = variables[2 * i];
        world.environment[i + 2][1] = variables[2 * i + 1];
    }
    settings.environment = look_up;
    settings.environment_context = &world;
    *err = ERR_INIT;
    return aws_config_read(config, &settings, err);
}

#define VARIABLES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_resolves(const struct aws_config_settings *given, const char *const *variables,
                            const char *region, const char *glue, const char *s3)
{
    struct aws_config config;
    struct err err;
    if (resolve(&config, given, variables, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(config.region, region);
    assert_string_equal(config.endpoints[AWS_GLUE].url, glue);
    assert_string_equal(config.endpoints[AWS_S3].url, s3);
    assert_int_equal(config.endpoints[AWS_S3].custom, strstr(s3, "amazonaws") == NULL);
    aws_config_free(&config);
}

static void test_resolution(void **state)
{
    const struct aws_config_settings dev = {.profile = "dev"}, region = {.region = "ap-south-1"},
                                     endpoint = {.endpoint = "https://gateway:8443/x/"};
    assert_resolves(NULL, NULL, "eu-west-2", "https://glue.eu-west-2.amazonaws.com",
                    "https://s3.eu-west-2.amazonaws.com");
    assert_resolves(NULL, VARIABLES("AWS_DEFAULT_REGION", "cn-north-1"), "cn-north-1",
                    "https://glue.cn-north-1.amazonaws.com.cn", "https://s3.cn-north-1.amazonaws.com.cn");
    assert_resolves(NULL, VARIABLES("AWS_DEFAULT_REGION", "eu-west-1", "AWS_REGION", "eu-north-1"),
                    "eu-north-1", "https://glue.eu-north-1.amazonaws.com",
                    "https://s3.eu-north-1.amazonaws.com");
    assert_resolves(&region, VARIABLES("AWS_REGION", "eu-north-1"), "ap-south-1",
                    "https://glue.ap-south-1.amazonaws.com", "https://s3.ap-south-1.amazonaws.com");
    /* services section, then the profile */
    assert_resolves(&dev, NULL, "us-west-2", "http://127.0.0.1:2/aws", "http://127.0.0.1:1");
    assert_resolves(NULL, VARIABLES("AWS_PROFILE", "dev"), "us-west-2", "http://127.0.0.1:2/aws",
                    "http://127.0.0.1:1");
    /* a service's own variable, then the one for all, then the files */
    assert_resolves(
        &dev,
        VARIABLES("AWS_ENDPOINT_URL", "http://127.0.0.1:3", "AWS_ENDPOINT_URL_S3", "http://127.0.0.1:4"),
        "us-west-2", "http://127.0.0.1:3", "http://127.0.0.1:4");
    assert_resolves(
        &dev,
        VARIABLES("AWS_ENDPOINT_URL", "http://127.0.0.1:3", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        "us-west-2", "https://glue.us-west-2.amazonaws.com", "https://s3.us-west-2.amazonaws.com");
    assert_resolves(NULL, VARIABLES("AWS_PROFILE", "off"), "eu-west-1",
                    "https://glue.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com");
    /* what the settings say is above all of it, ignored or not */
    assert_resolves(
        &endpoint,
        VARIABLES("AWS_ENDPOINT_URL", "http://127.0.0.1:3", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        "eu-west-2", "https://gateway:8443/x", "https://gateway:8443/x");
    assert_resolves(NULL, VARIABLES("AWS_PROFILE", "fips"), "us-east-1",
                    "https://glue-fips.us-east-1.amazonaws.com", "https://s3-fips.us-east-1.amazonaws.com");
}

static void test_attempts(void **state)
{
    struct aws_config config;
    struct err err;
    assert_int_equal(resolve(&config, NULL, VARIABLES("AWS_PROFILE", "dev"), &err), 0);
    assert_int_equal(config.max_attempts, 7);
    assert_false(config.profile_named);
    aws_config_free(&config);
    assert_int_equal(
        resolve(&config, NULL,
                VARIABLES("AWS_PROFILE", "dev", "AWS_MAX_ATTEMPTS", "2", "AWS_CA_BUNDLE", "/ca.pem"), &err),
        0);
    assert_int_equal(config.max_attempts, 2);
    assert_string_equal(config.ca_bundle, "/ca.pem");
    aws_config_free(&config);
}

static void assert_refused(const struct aws_config_settings *given, const char *const *variables,
                           const char *says)
{
    struct aws_config config;
    struct err err;
    assert_int_equal(resolve(&config, given, variables, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    if (!strstr(err.text, says))
        fail_msg("'%s' does not say '%s'", err.text, says);
}

static void test_refusals(void **state)
{
    const struct aws_config_settings absent = {.profile = "prod"}, half = {.access_key = "AKID"};
    assert_refused(&absent, NULL, "default, dev, off, fips, none");
    assert_refused(NULL, VARIABLES("AWS_PROFILE", "prod"), "'prod'");
    assert_refused(NULL, VARIABLES("AWS_PROFILE", "none"), "no AWS region");
    assert_refused(NULL, VARIABLES("AWS_REGION", "evil.example.com/"), "no AWS region");
    assert_refused(NULL, VARIABLES("AWS_ENDPOINT_URL", "ftp://x"), "AWS_ENDPOINT_URL");
    assert_refused(NULL, VARIABLES("AWS_ENDPOINT_URL_STS", "http://user:secret@x"), "AWS_ENDPOINT_URL_STS");
    assert_refused(NULL, VARIABLES("AWS_ENDPOINT_URL", "http://"), "AWS_ENDPOINT_URL");
    assert_refused(NULL, VARIABLES("AWS_ENDPOINT_URL", "http://x/?a=b"), "AWS_ENDPOINT_URL");
    assert_refused(NULL, VARIABLES("AWS_MAX_ATTEMPTS", "many"), "max_attempts");
    assert_refused(&half, NULL, "secret key");
}

/* Nothing of the user's is read, whatever stands there. */
static void test_local(void **state)
{
    const struct aws_config_settings local = {.local = true,
                                              .region = "us-east-1",
                                              .endpoint = "http://127.0.0.1:4566",
                                              .access_key = "local",
                                              .secret_key = "secret"},
                                     bare = {.local = true};
    struct aws_config config;
    struct err err;
    assert_resolves(
        &local, VARIABLES("AWS_ENDPOINT_URL", "http://127.0.0.1:3", "AWS_PROFILE", "prod", "AWS_REGION", "x"),
        "us-east-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566");
    assert_int_equal(resolve(&config, &local, VARIABLES("AWS_MAX_ATTEMPTS", "9"), &err), 0);
    assert_null(config.profiles);
    assert_int_equal(config.max_attempts, 0);
    assert_null(aws_config_environment(&config, "AWS_CONFIG_FILE"));
    assert_false(aws_config_is_aws(&config));
    aws_config_free(&config);
    assert_refused(&bare, NULL, "local cloud");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profiles),   cmocka_unit_test(test_profile_limits),
        cmocka_unit_test(test_resolution), cmocka_unit_test(test_attempts),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_local),
    };
    return cmocka_run_group_tests_name("aws_config", tests, set_up, tear_down);
}
