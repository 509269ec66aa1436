/* Where keys come from: environment, files, roles, processes, containers, instances; renewal and expiry. */
#include "aws/client.h"
#include "aws/credentials.h"
#include "aws/http.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "tests/support/aws_rig.h"
#include "tests/support/http_script.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct err err;

/* A machine's environment, with files of its own. */
struct world {
    const char *variables[24][2];
    size_t count;
    char config[128], credentials[128];
};

static const char *look_up(void *context, const char *name)
{
    const struct world *world = context;
    for (size_t i = 0; i < world->count; i++)
        if (strcmp(world->variables[i][0], name) == 0)
            return world->variables[i][1];
    return NULL;
}

static void set(struct world *world, const char *name, const char *value)
{
    world->variables[world->count][0] = name;
    world->variables[world->count++][1] = value;
}

static void make_world(struct world *world, const char *config, const char *credentials)
{
    memset(world, 0, sizeof *world);
    snprintf(world->config, sizeof world->config, "%s/config", folder);
    snprintf(world->credentials, sizeof world->credentials, "%s/credentials", folder);
    assert_int_equal(file_write_atomic(world->config, config, strlen(config), 0600, NULL), 0);
    assert_int_equal(file_write_atomic(world->credentials, credentials, strlen(credentials), 0600, NULL), 0);
    set(world, "AWS_CONFIG_FILE", world->config);
    set(world, "AWS_SHARED_CREDENTIALS_FILE", world->credentials);
    set(world, "AWS_REGION", "us-east-1");
    set(world, "AWS_EC2_METADATA_DISABLED", "true");
}

static int set_up(void **state)
{
    memcpy(folder, "/tmp/smartcity-keys-XXXXXX", sizeof "/tmp/smartcity-keys-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* ---- a provider by itself --------------------------------------------------------------------------- */

struct rig {
    struct aws_config config;
    struct http *http;
    struct aws_provider *provider;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int changes;
};

static void on_changed(void *context)
{
    struct rig *rig = context;
    pthread_mutex_lock(&rig->lock);
    rig->changes++;
    pthread_cond_signal(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static void open_rig(struct rig *rig, struct world *world, const char *profile)
{
    struct aws_config_settings settings = {
        .profile = profile, .environment = look_up, .environment_context = world};
    struct http_settings http = {.transfers = 4, .connect_timeout_us = 2000000, .stall_us = 5000000};
    memset(rig, 0, sizeof *rig);
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->changed, NULL);
    if (aws_config_read(&rig->config, &settings, &err) != 0)
        fail_msg("%s", err.text);
    rig->http = http_create(&http, &err);
    rig->provider = aws_provider_create(&rig->config, rig->http, on_changed, rig, &err);
    assert_non_null(rig->provider);
}

static void close_rig(struct rig *rig)
{
    http_stop(rig->http);
    aws_provider_destroy(rig->provider);
    http_destroy(rig->http);
    aws_config_free(&rig->config);
    pthread_cond_destroy(&rig->changed);
    pthread_mutex_destroy(&rig->lock);
}

/* Asks until there is an answer. */
static enum aws_keys_state wait_keys(struct rig *rig, struct aws_keys *keys)
{
    enum aws_keys_state state;
    while ((state = aws_provider_get(rig->provider, keys, &err)) == AWS_KEYS_COMING) {
        pthread_mutex_lock(&rig->lock);
        while (rig->changes == 0)
            pthread_cond_wait(&rig->changed, &rig->lock);
        rig->changes = 0;
        pthread_mutex_unlock(&rig->lock);
    }
    return state;
}

static void expect_keys(struct world *world, const char *profile, const char *access, const char *token,
                        const char *origin)
{
    struct rig rig;
    struct aws_keys keys;
    char from[200];
    open_rig(&rig, world, profile);
    if (wait_keys(&rig, &keys) != AWS_KEYS_READY)
        fail_msg("%s", err.text);
    assert_string_equal(keys.access_key, access);
    assert_string_equal(keys.token, token);
    aws_provider_origin(rig.provider, from, sizeof from);
    assert_string_equal(from, origin);
    close_rig(&rig);
}

static void expect_refusal(struct world *world, const char *profile, enum err_kind kind, const char *says)
{
    struct rig rig;
    struct aws_keys keys;
    open_rig(&rig, world, profile);
    assert_int_equal(wait_keys(&rig, &keys), AWS_KEYS_FAILED);
    if (err.kind != kind || !strstr(err.text, says))
        fail_msg("%s: %s", err_kind_name(err.kind), err.text);
    close_rig(&rig);
}

/* ---- environment and files -------------------------------------------------------------------------- */

static void test_order(void **state)
{
    struct world world;
    make_world(&world,
               "[default]\naws_access_key_id = CONFIG\naws_secret_access_key = s\n"
               "[profile dev]\naws_access_key_id = DEVCONFIG\naws_secret_access_key = s\n",
               "[dev]\naws_access_key_id = DEV\naws_secret_access_key = s\naws_session_token = t\n");
    expect_keys(&world, NULL, "CONFIG", "", "profile default");
    expect_keys(&world, "dev", "DEV", "t", "profile dev");
    set(&world, "AWS_ACCESS_KEY_ID", "ENV");
    set(&world, "AWS_SECRET_ACCESS_KEY", "s");
    set(&world, "AWS_SESSION_TOKEN", "envtoken");
    expect_keys(&world, NULL, "ENV", "envtoken", "environment");
    expect_keys(&world, "dev", "DEV", "t", "profile dev"); /* named: the environment counts for nothing */
    set(&world, "AWS_PROFILE", "dev");
    expect_keys(&world, NULL, "ENV", "envtoken", "environment"); /* not named by us */
}

static void test_refusals(void **state)
{
    struct world world;
    make_world(&world,
               "[profile half]\naws_access_key_id = A\n"
               "[profile sso]\nsso_session = corp\nsso_account_id = 1\n"
               "[profile mfa]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = half\nmfa_serial = x\n"
               "[profile alone]\nrole_arn = arn:aws:iam::1:role/r\n"
               "[profile lost]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = nobody\n"
               "[profile a]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\n"
               "[profile b]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = a\n"
               "[profile empty]\noutput = json\n",
               "");
    expect_refusal(&world, "half", ERR_CONFIG, "profile half has aws_access_key_id but not the other half");
    expect_refusal(&world, "sso", ERR_UNSUPPORTED, "aws configure export-credentials --profile sso");
    expect_refusal(&world, "mfa", ERR_UNSUPPORTED, "MFA");
    expect_refusal(&world, "alone", ERR_CONFIG, "source_profile");
    expect_refusal(&world, "lost", ERR_CONFIG, "nobody");
    expect_refusal(&world, "a", ERR_CONFIG, "circle");
    expect_refusal(&world, "empty", ERR_AUTH, "no AWS credentials");
    set(&world, "AWS_ACCESS_KEY_ID", "A");
    expect_refusal(&world, NULL, ERR_CONFIG, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY");
}

/* ---- processes -------------------------------------------------------------------------------------- */

static void test_process(void **state)
{
    struct world world;
    make_world(
        &world,
        "[profile good]\ncredential_process = printf "
        "'{\"Version\":1,\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"s\","
        "\"SessionToken\":\"t\"}' \"FROM PROCESS\"\n"
        "[profile fails]\ncredential_process = sh -c 'echo first >&2; echo \"log in first\" >&2; exit 3'\n"
        "[profile talks]\ncredential_process = echo hello\n"
        "[profile missing]\ncredential_process = /nowhere/program --x\n"
        "[profile open]\ncredential_process = echo 'open\n",
        "");
    expect_keys(&world, "good", "FROM PROCESS", "t", "profile good, credential_process");
    expect_refusal(&world, "fails", ERR_AUTH, "sh failed (3): log in first");
    expect_refusal(&world, "talks", ERR_CORRUPT, "no JSON");
    expect_refusal(&world, "missing", ERR_CONFIG, "/nowhere/program cannot be started");
    expect_refusal(&world, "open", ERR_CONFIG, "quotation mark");
}

/* A process that never ends does not hold up the program's end. */
static void test_process_stopped(void **state)
{
    struct world world;
    struct rig rig;
    struct aws_keys keys;
    make_world(&world, "[default]\ncredential_process = sleep 600\n", "");
    open_rig(&rig, &world, NULL);
    int64_t start = clock_mono_us();
    assert_int_equal(aws_provider_get(rig.provider, &keys, &err), AWS_KEYS_COMING);
    close_rig(&rig);
    assert_true(clock_mono_us() - start < 5000000);
}

/* ---- containers and instances ----------------------------------------------------------------------- */

static const char container_json[] =
    "{\"AccessKeyId\":\"CONTAINER\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
    "\"Expiration\":\"2099-01-01T00:00:00Z\"}";

static void test_container(void **state)
{
    static const struct http_scripted answers[] = {{.begins = "GET /creds ",
                                                    .holds = "authorization: Bearer abc",
                                                    .status = 200,
                                                    .body = container_json}};
    struct world world;
    char url[80], token[128];
    struct http_script *script = http_script_create(answers, 1);
    make_world(&world, "", "");
    snprintf(url, sizeof url, "%s/creds", http_script_url(script));
    set(&world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    set(&world, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer abc");
    expect_keys(&world, NULL, "CONTAINER", "t", "container");
    snprintf(token, sizeof token, "%s/token", folder);
    assert_int_equal(file_write_atomic(token, "Bearer wrong\n", 13, 0600, NULL), 0);
    set(&world, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token);
    expect_refusal(&world, NULL, ERR_AUTH, "container credentials: status 400");
    http_script_destroy(script);

    make_world(&world, "", "");
    set(&world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/creds");
    expect_refusal(&world, NULL, ERR_CONFIG, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    make_world(&world, "", "");
    set(&world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1@example.com/creds");
    expect_refusal(&world, NULL, ERR_CONFIG, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
}

static void test_instance(void **state)
{
    static const struct http_scripted answers[] = {
        {.begins = "PUT /latest/api/token ",
         .holds = "x-aws-ec2-metadata-token-ttl-seconds: 21600",
         .status = 200,
         .body = "TOK"},
        {.begins = "GET /latest/meta-data/iam/security-credentials/ ",
         .holds = "x-aws-ec2-metadata-token: TOK",
         .status = 200,
         .body = "lake-role\n"},
        {.begins = "GET /latest/meta-data/iam/security-credentials/lake-role ",
         .holds = "x-aws-ec2-metadata-token: TOK",
         .status = 200,
         .body = container_json}};
    struct world world;
    struct http_script *script = http_script_create(answers, 3);
    make_world(&world, "", "");
    world.count--; /* AWS_EC2_METADATA_DISABLED */
    set(&world, "AWS_EC2_METADATA_SERVICE_ENDPOINT", http_script_url(script));
    expect_keys(&world, NULL, "CONTAINER", "t", "instance role lake-role");
    http_script_destroy(script);
}

/* ---- roles ------------------------------------------------------------------------------------------ */

#define ROLE_ANSWER(access, expires)                                                                         \
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" access "</AccessKeyId>"               \
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>" expires                 \
    "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"

static void test_role(void **state)
{
    static const struct http_scripted answers[] = {
        {.status = 200,
         .holds = "authorization: AWS4-HMAC-SHA256 Credential=BASE/",
         .body = ROLE_ANSWER("MIDDLE", "2099-01-01T00:00:00Z")},
        {.status = 200,
         .holds = "authorization: AWS4-HMAC-SHA256 Credential=MIDDLE/",
         .body = ROLE_ANSWER("ROLE", "2099-01-01T00:00:00Z")},
        {.status = 403,
         .body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not "
                 "you</Message></Error></ErrorResponse>"}};
    struct world world;
    struct http_script *script = http_script_create(answers, 3);
    make_world(&world,
               "[profile end]\nrole_arn = arn:aws:iam::123456789012:role/End\nsource_profile = middle\n"
               "role_session_name = my session\nexternal_id = a&b\nduration_seconds = 1800\n"
               "[profile middle]\nrole_arn = arn:aws:iam::123456789012:role/Middle\nsource_profile = base\n",
               "[base]\naws_access_key_id = BASE\naws_secret_access_key = s\n");
    set(&world, "AWS_ENDPOINT_URL_STS", http_script_url(script));
    expect_keys(&world, "end", "ROLE", "t", "profile end: arn:aws:iam::123456789012:role/End");
    char *request = http_script_request(script, 1);
    assert_non_null(strstr(
        request, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FEnd"
                 "&RoleSessionName=my%20session&ExternalId=a%26b&DurationSeconds=1800"));
    assert_non_null(text_find_fold(request, "x-amz-security-token: t"));
    free(request);
    expect_refusal(&world, "middle", ERR_AUTH,
                   "assuming arn:aws:iam::123456789012:role/Middle: STS: AccessDenied (403): not you");
    http_script_destroy(script);
}

/* Against the local cloud's STS, and on with the role's keys. */
static void test_role_for_real(void **state)
{
    struct aws_rig cloud;
    struct world world;
    struct aws_identity identity;
    char credentials[400];
    assert_true(aws_rig_open(&cloud, NULL));
    snprintf(credentials, sizeof credentials, "[base]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
             cloud.address->access_key, cloud.address->secret_key);
    make_world(&world,
               "[profile role]\nrole_arn = arn:aws:iam::000000000000:role/Operator\nsource_profile = base\n"
               "role_session_name = ann\n",
               credentials);
    set(&world, "AWS_ENDPOINT_URL", cloud.address->endpoint);
    struct aws_settings settings = {
        .config = {.profile = "role", .environment = look_up, .environment_context = &world},
        .log = cloud.log};
    struct aws_client *client = aws_client_create(&settings, &err);
    assert_non_null(client);
    if (aws_identity_wait(client, clock_mono_us() + 30000000, &identity, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(identity.name, "Operator/ann");
    aws_client_destroy(client);
    aws_rig_close(&cloud);
}

static void test_web_identity(void **state)
{
    static const struct http_scripted answers[] = {
        {.status = 200,
         .holds = "WebIdentityToken=eyJ.a.b",
         .body = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><"
                 "AccessKeyId>WEB</AccessKeyId>"
                 "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</"
                 "SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
                 "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"}};
    struct world world;
    char token[128];
    struct http_script *script = http_script_create(answers, 1);
    make_world(&world, "", "");
    snprintf(token, sizeof token, "%s/jwt", folder);
    assert_int_equal(file_write_atomic(token, "eyJ.a.b", 7, 0600, NULL), 0);
    set(&world, "AWS_ENDPOINT_URL_STS", http_script_url(script));
    set(&world, "AWS_ROLE_ARN", "arn:aws:iam::1:role/w");
    set(&world, "AWS_WEB_IDENTITY_TOKEN_FILE", token);
    expect_keys(&world, NULL, "WEB", "t", "web identity: arn:aws:iam::1:role/w");
    char *request = http_script_request(script, 0);
    assert_null(text_find_fold(request, "authorization:")); /* the token says who it is */
    free(request);
    http_script_destroy(script);
}

/* ---- renewal ---------------------------------------------------------------------------------------- */

static void test_renewal(void **state)
{
    char soon[TEXT_TIME_SIZE], near_json[300], past_json[300];
    int64_t now_ms = clock_wall_us() / 1000;
    snprintf(near_json, sizeof near_json,
             "{\"AccessKeyId\":\"NEAR\",\"SecretAccessKey\":\"s\",\"Expiration\":\"%s\"}",
             text_time(soon, now_ms + 120000));
    snprintf(past_json, sizeof past_json,
             "{\"AccessKeyId\":\"PAST\",\"SecretAccessKey\":\"s\",\"Expiration\":\"%s\"}",
             text_time(soon, now_ms - 1000));
    const struct http_scripted answers[] = {{.status = 200, .body = past_json},
                                            {.status = 200, .body = near_json},
                                            {.status = 500},
                                            {.status = 200, .body = container_json}};
    struct world world;
    struct rig rig;
    struct aws_keys keys;
    struct http_script *script = http_script_create(answers, 4);
    make_world(&world, "", "");
    set(&world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", http_script_url(script));
    open_rig(&rig, &world, NULL);
    /* expired ones are not given */
    assert_int_equal(wait_keys(&rig, &keys), AWS_KEYS_FAILED);
    assert_non_null(strstr(err.text, "expired already"));
    assert_int_equal(aws_provider_get(rig.provider, &keys, &err), AWS_KEYS_FAILED); /* for a second */
    assert_int_equal(http_script_requests(script), 1);
    close_rig(&rig);
    open_rig(&rig, &world, NULL);
    assert_int_equal(wait_keys(&rig, &keys), AWS_KEYS_READY);
    assert_string_equal(keys.access_key, "NEAR");
    assert_int_equal(http_script_requests(script), 2);
    /* two minutes left: they are given, and renewed behind the scenes; that this fails harms nobody */
    pthread_mutex_lock(&rig.lock);
    while (rig.changes == 0)
        pthread_cond_wait(&rig.changed, &rig.lock);
    pthread_mutex_unlock(&rig.lock);
    assert_int_equal(aws_provider_get(rig.provider, &keys, &err), AWS_KEYS_READY);
    assert_string_equal(keys.access_key, "NEAR");
    assert_int_equal(http_script_requests(script), 3);
    /* the service says they are expired */
    rig.changes = 0;
    aws_provider_reject(rig.provider, &keys);
    assert_int_equal(wait_keys(&rig, &keys), AWS_KEYS_READY);
    assert_string_equal(keys.access_key, "CONTAINER");
    close_rig(&rig);
    http_script_destroy(script);
}

/* A call whose keys the service calls expired goes out once more with new ones. */
static void test_expired_call(void **state)
{
    static const struct http_scripted keys[] = {
        {.status = 200, .body = "{\"AccessKeyId\":\"OLD\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"}"},
        {.status = 200, .body = "{\"AccessKeyId\":\"NEW\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"}"}};
    static const struct http_scripted answers[] = {
        {.status = 400,
         .holds = "Credential=OLD/",
         .body =
             "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>m</Message></Error></ErrorResponse>"},
        {.status = 200,
         .holds = "Credential=NEW/",
         .body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/"
                 "ann</Arn>"
                 "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"}};
    struct world world;
    struct aws_identity identity;
    struct http_script *agent = http_script_create(keys, 2), *sts = http_script_create(answers, 2);
    make_world(&world, "", "");
    set(&world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", http_script_url(agent));
    set(&world, "AWS_ENDPOINT_URL", http_script_url(sts));
    struct aws_settings settings = {.config = {.environment = look_up, .environment_context = &world}};
    struct aws_client *client = aws_client_create(&settings, &err);
    assert_non_null(client);
    if (aws_identity_wait(client, clock_mono_us() + 30000000, &identity, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(identity.name, "user/ann");
    aws_client_destroy(client);
    http_script_destroy(agent);
    http_script_destroy(sts);
}

/* No keys anywhere: a call says so, and doctor says the cure. */
static void test_no_keys(void **state)
{
    struct world world;
    struct aws_finding findings[12];
    struct aws_identity identity;
    make_world(&world, "", "");
    struct aws_settings settings = {.config = {.environment = look_up, .environment_context = &world}};
    struct aws_client *client = aws_client_create(&settings, &err);
    assert_non_null(client);
    assert_int_equal(aws_identity_wait(client, clock_mono_us() + 30000000, &identity, &err), -1);
    assert_int_equal(err.kind, ERR_AUTH);
    size_t count = aws_doctor(client, clock_mono_us() + 30000000, findings, 12);
    assert_false(findings[count - 2].good);
    assert_non_null(strstr(findings[count - 2].found, "no AWS credentials"));
    assert_true(findings[count - 2].cure[0] != '\0');
    aws_client_destroy(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_process),      cmocka_unit_test(test_process_stopped),
        cmocka_unit_test(test_container),    cmocka_unit_test(test_instance),
        cmocka_unit_test(test_role),         cmocka_unit_test(test_role_for_real),
        cmocka_unit_test(test_web_identity), cmocka_unit_test(test_renewal),
        cmocka_unit_test(test_expired_call), cmocka_unit_test(test_no_keys),
    };
    return cmocka_run_group_tests_name("aws_credentials", tests, set_up, tear_down);
}
