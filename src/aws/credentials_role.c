/* Keys of a role, from STS: AssumeRole, signed with source keys, or AssumeRoleWithWebIdentity, with a token.
 */
#include "aws/credentials_private.h"
#include "aws/fetch.h"
#include "aws/service.h"
#include "aws/sign.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/xml.h"

#include <stdio.h>
#include <string.h>

#define FORM_LIMIT 65536u

static void add(struct buf *form, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(form, "%s%s=", form->length ? "&" : "", name);
    sigv4_encode(form, value, strlen(value), false);
}

int keys_read_role(const char *text, size_t length, struct aws_keys *keys, struct err *err)
{
    struct xml *xml = xml_read(text, length);
    const struct xml_node *found = NULL;
    int64_t milliseconds = 0;
    int result = -1;
    if (xml) {
        const struct xml_node *root = xml_root(xml);
        found = xml_child(xml_child(root, "AssumeRoleResult"), "Credentials");
        if (!found)
            found = xml_child(xml_child(root, "AssumeRoleWithWebIdentityResult"), "Credentials");
    }
    const char *expires = xml_text(found, "Expiration");
    if (!found || !expires || !text_parse_time(expires, strlen(expires), &milliseconds))
        err_set(err, ERR_CORRUPT, "STS answered with something else than keys");
    else
        result = keys_set(keys, xml_text(found, "AccessKeyId"), xml_text(found, "SecretAccessKey"),
                          xml_text(found, "SessionToken"), err);
    if (result == 0)
        keys->expires_us = milliseconds * 1000;
    xml_destroy(xml);
    return result;
}

static void refused(const struct fetch *fetch, struct err *err)
{
    struct xml *xml = fetch->answer.data ? xml_read(fetch->answer.data, fetch->answer.length) : NULL;
    const struct xml_node *error = xml ? xml_child(xml_root(xml), "Error") : NULL;
    const char *code = xml_text(error, "Code"), *message = xml_text(error, "Message");
    char said[300];
    text_sanitise(said, sizeof said, message ? message : "", message ? strlen(message) : 0);
    err_set(err, ERR_AUTH, "STS: %.60s (%d): %s", code ? code : "refused", fetch->status, said);
    err->retriable = fetch->status >= 500;
    xml_destroy(xml);
}

int keys_from_role(struct keys_search *search, const struct keys_role *role, const struct aws_keys *source,
                   struct aws_keys *keys, struct err *err)
{
    const struct aws_config *config = search->config;
    struct buf form, url, token;
    char session[48], hash[SIGV4_HEX];
    struct aws_header type = {"content-type", "application/x-www-form-urlencoded; charset=utf-8"};
    struct fetch fetch = {.method = "POST", .timeout_us = 20000000, .direct = config->local};
    int64_t wall = clock_wall_us();
    buf_init(&form, FORM_LIMIT);
    buf_init(&url, 4096);
    buf_init(&token, 20000);
    snprintf(session, sizeof session, "smartcity-%lld", (long long)(wall / 1000000));
    int result = role->token_file ? file_read(role->token_file, &token, err) : 0;
    if (result == 0) {
        add(&form, "Action", role->token_file ? "AssumeRoleWithWebIdentity" : "AssumeRole");
        add(&form, "Version", "2011-06-15");
        add(&form, "RoleArn", role->arn);
        add(&form, "RoleSessionName", role->session_name ? role->session_name : session);
        add(&form, "ExternalId", role->token_file ? NULL : role->external_id);
        add(&form, "DurationSeconds", role->duration);
        add(&form, "WebIdentityToken", role->token_file ? token.data : NULL);
        sigv4_sha256(form.data, form.length, hash);
        struct aws_signing signing = {.service = AWS_STS,
                                      .endpoint = &config->endpoints[AWS_STS],
                                      .region = config->region,
                                      .method = "POST",
                                      .headers = &type,
                                      .header_count = 1,
                                      .payload_hash = hash,
                                      .keys = role->token_file ? NULL : source,
                                      .wall_us = wall};
        result = form.overflow ? err_set(err, ERR_LIMIT, "the request is too long")
                               : aws_sign(&signing, NULL, &url, &fetch.headers, err);
    }
    if (result == 0) {
        fetch.url = url.data;
        fetch.body = form.data;
        result = fetch_run(search->http, &fetch, err);
    }
    if (result == 0 && fetch.status != 200) {
        refused(&fetch, err);
        result = -1;
    }
    if (result == 0)
        result = keys_read_role(fetch.answer.data ? fetch.answer.data : "", fetch.answer.length, keys, err);
    fetch_free(&fetch);
    buf_free(&form);
    buf_free(&url);
    buf_free(&token);
    return result;
}
