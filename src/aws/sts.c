#include "aws/sts.h"

#include "aws/client_private.h"
#include "base/text.h"
#include "base/xml.h"

#include <stdio.h>
#include <string.h>

struct aws_call *aws_identity(struct aws_client *client, struct aws_group *group, aws_done_fn *done,
                              void *context, struct err *err)
{
    static const char form[] = "Action=GetCallerIdentity&Version=2011-06-15";
    struct aws_header header = {"content-type", "application/x-www-form-urlencoded; charset=utf-8"};
    struct aws_request request = {.service = "sts",
                                  .operation = "GetCallerIdentity",
                                  .headers = &header,
                                  .header_count = 1,
                                  .body = {.bytes = form, .size = sizeof form - 1},
                                  .repeat = AWS_REPEAT_SAFE,
                                  .group = group};
    return aws_submit(client, &request, done, context, err);
}

int aws_identity_read(const struct aws_answer *answer, struct aws_identity *identity, struct err *err)
{
    struct xml *xml = answer->body.data ? xml_read(answer->body.data, answer->body.length) : NULL;
    const struct xml_node *result = xml ? xml_child(xml_root(xml), "GetCallerIdentityResult") : NULL;
    const char *account = xml_text(result, "Account"), *arn = xml_text(result, "Arn");
    memset(identity, 0, sizeof *identity);
    bool good = account && arn && strlen(account) == 12 && strspn(account, "0123456789") == 12;
    if (good) {
        text_copy(identity->account, sizeof identity->account, account);
        text_sanitise(identity->arn, sizeof identity->arn, arn, strlen(arn));
        /* arn:partition:service::account:what; a role's session says more without "assumed-role/". */
        const char *last = strrchr(identity->arn, ':');
        last = last ? last + 1 : identity->arn;
        if (strncmp(last, "assumed-role/", 13) == 0)
            last += 13;
        text_copy(identity->name, sizeof identity->name, last);
    }
    xml_destroy(xml);
    return good ? 0 : err_set(err, ERR_CORRUPT, "STS answered with something else than an identity");
}

int aws_identity_wait(struct aws_client *client, int64_t deadline_us, struct aws_identity *identity,
                      struct err *err)
{
    struct aws_call *call = aws_identity(client, NULL, NULL, NULL, err);
    int result = aws_wait_ok(call, deadline_us, err);
    if (result == 0)
        result = aws_identity_read(aws_call_answer(call), identity, err);
    aws_call_release(call);
    return result;
}

/* ---- doctor ----------------------------------------------------------------------------------------- */

struct findings {
    struct aws_finding *list;
    size_t count, max;
    struct aws_finding spare; /* for those that do not fit */
};

static struct aws_finding *add(struct findings *findings, const char *what, bool good)
{
    struct aws_finding *finding =
        findings->count < findings->max ? &findings->list[findings->count++] : &findings->spare;
    *finding = (struct aws_finding){.good = good};
    text_copy(finding->what, sizeof finding->what, what);
    return finding;
}

static const char *cure_of(const struct err *err)
{
    switch (err->kind) {
    case ERR_CONNECT:
        return "is the network up, is a proxy needed (HTTPS_PROXY), is the endpoint right?";
    case ERR_AUTH:
        return "look at the credentials named above: aws configure, AWS_PROFILE, or a new session";
    default:
        return "see the message";
    }
}

size_t aws_doctor(struct aws_client *client, int64_t deadline_us, struct aws_finding *list, size_t max)
{
    const struct aws_config *config = aws_client_config(client);
    struct findings findings = {.list = list, .max = max};
    struct aws_identity identity;
    struct err err = ERR_INIT;
    char origin[200];
    struct aws_finding *finding = add(&findings, "aws region", true);
    snprintf(finding->found, sizeof finding->found, "%s (%s)", config->region, config->region_origin);
    for (int id = 0; id < AWS_SERVICES; id++) {
        const struct aws_endpoint *endpoint = &config->endpoints[id];
        char what[24];
        snprintf(what, sizeof what, "endpoint %.14s", aws_services[id].name);
        finding = add(&findings, what, true);
        snprintf(finding->found, sizeof finding->found, "%s (%s)", endpoint->url, endpoint->origin);
    }
    int result = aws_identity_wait(client, deadline_us, &identity, &err);
    aws_provider_origin(client->provider, origin, sizeof origin);
    finding = add(&findings, "credentials", origin[0] != '\0');
    text_copy(finding->found, sizeof finding->found, origin[0] ? origin : err.text);
    if (!origin[0])
        text_copy(finding->cure, sizeof finding->cure, cure_of(&err));
    finding = add(&findings, "identity", result == 0);
    if (result == 0) {
        snprintf(finding->found, sizeof finding->found, "account %s, %s", identity.account, identity.name);
    } else {
        text_copy(finding->found, sizeof finding->found, err.text);
        text_copy(finding->cure, sizeof finding->cure, cure_of(&err));
    }
    return findings.count;
}
