#include "localcloud/sts.h"

#include "base/text.h"
#include "base/xml.h"
#include "localcloud/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* There is one account and it may do everything, so a role is a name: AssumeRole checks its form and gives
 * keys that carry it. */

static struct buf *begin(struct request *request)
{
    struct buf *out = request_reply_xml(request);
    buf_printf(out, "<%sResponse xmlns=\"%s\"><%sResult>", request->operation->name, request->service->xmlns,
               request->operation->name);
    return out;
}

static void finish(struct request *request, struct buf *out)
{
    buf_printf(out, "</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>",
               request->operation->name, request->id, request->operation->name);
}

/* What AWS calls a user id: the account for the root, an id and the session's name for a role. */
static void user_id(const struct request *request, char out[160])
{
    const char *session = strrchr(request->principal, '/');
    if (strstr(request->principal, ":assumed-role/") && session)
        snprintf(out, 160, "AROALOCALCLOUDROLE00:%.64s", session + 1);
    else
        snprintf(out, 160, "%s", request->account);
}

static void get_caller_identity(struct request *request)
{
    char id[160];
    struct buf *out = begin(request);
    user_id(request, id);
    xml_element(out, "Arn", request->principal);
    xml_element(out, "UserId", id);
    xml_element(out, "Account", request->account);
    finish(request, out);
}

static int duration(struct request *request, int64_t fallback, int64_t min, int64_t max, int64_t *seconds)
{
    const char *text = request_parameter(request, "DurationSeconds");
    *seconds = fallback;
    if (!text || text_parse_int(text, min, max, seconds))
        return 0;
    return request_fail(request, 400, "ValidationError",
                        "1 validation error detected: Value '%.20s' at 'durationSeconds' failed to satisfy "
                        "constraint: Member must "
                        "have value between %lld and %lld",
                        text, (long long)min, (long long)max);
}

static int write_credentials(struct request *request, struct buf *out, const char *principal, int64_t seconds)
{
    const struct service_context *context = request->state;
    struct keys_session session;
    char time[TEXT_TIME_SIZE];
    int64_t expires = request->now_us / 1000000 + seconds;
    if (!keys_session_make(context->keys, principal, expires, &session))
        return request_fail(request, 400, "PackedPolicyTooLarge", "The role's name is too long");
    buf_text(out, "<Credentials>");
    xml_element(out, "AccessKeyId", session.access_key);
    xml_element(out, "SecretAccessKey", session.secret_key);
    xml_element(out, "SessionToken", session.token);
    xml_element(out, "Expiration", text_time(time, expires * 1000));
    buf_text(out, "</Credentials>");
    return 0;
}

static bool session_name_ok(const char *name)
{
    size_t length = strlen(name);
    return length >= 2 && length <= 64 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-") == length;
}

/* "arn:aws:iam::ACCOUNT:role/PATH/NAME": the name; NULL when it is none. */
static const char *role_name(const char *arn)
{
    if (strncmp(arn, "arn:aws:iam::", 13) != 0 || strspn(arn + 13, "0123456789") != 12 ||
        strncmp(arn + 25, ":role/", 6) != 0)
        return NULL;
    const char *name = strrchr(arn, '/') + 1;
    size_t length = strlen(name);
    bool good =
        length > 0 && length <= 64 && strlen(arn) <= 400 &&
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-") == length;
    return good ? name : NULL;
}

static void assume_role(struct request *request)
{
    const char *arn = request_parameter_text(request, "RoleArn"), *name = role_name(arn);
    const char *session = request_parameter_text(request, "RoleSessionName");
    char principal[KEYS_ARN_SIZE];
    int64_t seconds;
    if (!name) {
        request_fail(request, 400, "ValidationError", "%.200s is invalid", arn);
        return;
    }
    if (!session_name_ok(session)) {
        request_fail(request, 400, "ValidationError",
                     "1 validation error detected: Value '%.64s' at 'roleSessionName' failed to satisfy "
                     "constraint: Member must "
                     "satisfy regular expression pattern: [\\w+=,.@-]*",
                     session);
        return;
    }
    if (duration(request, 3600, 900, 43200, &seconds) < 0)
        return;
    snprintf(principal, sizeof principal, "arn:aws:sts::%.12s:assumed-role/%s/%s", arn + 13, name, session);
    struct buf *out = begin(request);
    if (write_credentials(request, out, principal, seconds) < 0)
        return;
    buf_printf(out, "<AssumedRoleUser><AssumedRoleId>AROALOCALCLOUDROLE00:%s</AssumedRoleId>", session);
    xml_element(out, "Arn", principal);
    buf_text(out, "</AssumedRoleUser>");
    finish(request, out);
}

static void get_session_token(struct request *request)
{
    int64_t seconds;
    if (duration(request, 43200, 900, 129600, &seconds) < 0)
        return;
    struct buf *out = begin(request);
    if (write_credentials(request, out, request->principal, seconds) == 0)
        finish(request, out);
}

static const struct operation OPERATIONS[] = {
    {"GetCallerIdentity", .handle = get_caller_identity},
    {"AssumeRole", assume_role, .note = "any role name; policies are not applied"},
    {"GetSessionToken", .handle = get_session_token},
    {.name = NULL},
};

static void *create(const struct service_context *context, struct err *err)
{
    struct service_context *state = mem_alloc(sizeof *state);
    *state = *context;
    return state;
}

static void destroy(void *state)
{
    free(state);
}

const struct service service_sts = {
    .name = "sts",
    .title = "AWS STS",
    .protocol = PROTOCOL_QUERY,
    .xmlns = "https://sts.amazonaws.com/doc/2011-06-15/",
    .version = "2011-06-15",
    .operations = OPERATIONS,
    .create = create,
    .destroy = destroy,
};
