/* What came back: errors in the forms of the three protocols, in the operator's words. */
#include "aws/client_private.h"
#include "base/text.h"
#include "base/xml.h"

#include <stdio.h>
#include <string.h>

static void set_text(char *out, size_t size, const char *text)
{
    text_sanitise(out, size, text ? text : "", text ? strlen(text) : 0);
}

void aws_call_name(const struct aws_call *call, char *out, size_t size)
{
    static const char *const names[AWS_SERVICES] = {"S3", "Glue", "Athena", "Redshift Data", "STS"};
    char where[200];
    snprintf(where, sizeof where, "%s%.64s%s%.120s", call->bucket ? " s3://" : "",
             call->bucket ? call->bucket : "", call->key ? "/" : "", call->key ? call->key : "");
    char harmless[260];
    set_text(harmless, sizeof harmless, where);
    snprintf(out, size, "%s %s%s", names[call->service], call->operation, harmless);
}

/* "com.amazonaws.glue#EntityNotFoundException:http://…" is EntityNotFoundException. */
static void set_code(struct aws_answer *answer, const char *text)
{
    const char *hash = strchr(text, '#');
    char code[sizeof answer->code];
    if (hash)
        text = hash + 1;
    snprintf(code, sizeof code, "%.*s", (int)(strcspn(text, ":") % sizeof code), text);
    set_text(answer->code, sizeof answer->code, code);
}

/* <Error>, or <ErrorResponse><Error>. False: it is neither. */
static bool read_xml_error(struct aws_answer *answer)
{
    struct xml *xml = answer->body.data ? xml_read(answer->body.data, answer->body.length) : NULL;
    const struct xml_node *root = xml ? xml_root(xml) : NULL, *error = NULL;
    if (root && strcmp(root->name, "Error") == 0)
        error = root;
    else if (root && strcmp(root->name, "ErrorResponse") == 0)
        error = xml_child(root, "Error");
    if (error) {
        const char *code = xml_text(error, "Code"), *id = xml_text(error, "RequestId");
        set_code(answer, code ? code : "");
        set_text(answer->message, sizeof answer->message, xml_text(error, "Message"));
        if (!id)
            id = xml_text(root, "RequestId");
        if (id)
            set_text(answer->request_id, sizeof answer->request_id, id);
    }
    xml_destroy(xml);
    return error != NULL;
}

static void read_json_error(struct aws_answer *answer)
{
    char type[200];
    const char *code = json_string_value(json_object_get(answer->json, "__type"));
    const char *message = json_string_value(json_object_get(answer->json, "message"));
    if (!code && http_header(&answer->head, "x-amzn-errortype", type, sizeof type))
        code = type;
    if (!message)
        message = json_string_value(json_object_get(answer->json, "Message"));
    set_code(answer, code ? code : "");
    set_text(answer->message, sizeof answer->message, message);
}

/* What has no body (HEAD) or none of AWS's (a proxy's). */
static void name_status(struct aws_answer *answer)
{
    static const struct {
        int status;
        const char *code;
    } rows[] = {{301, "PermanentRedirect"},  {304, "NotModified"},        {307, "TemporaryRedirect"},
                {400, "BadRequest"},         {403, "AccessDenied"},       {404, "NotFound"},
                {409, "Conflict"},           {412, "PreconditionFailed"}, {416, "InvalidRange"},
                {429, "TooManyRequests"},    {500, "InternalError"},      {502, "BadGateway"},
                {503, "ServiceUnavailable"}, {504, "GatewayTimeout"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == answer->status)
            text_copy(answer->code, sizeof answer->code, rows[i].code);
    if (!answer->code[0])
        snprintf(answer->code, sizeof answer->code, "HTTP%d", answer->status);
}

/* S3 sends 200 before it knows how copying and completing end. */
static bool may_fail_late(const struct aws_call *call)
{
    return call->service == AWS_S3 &&
           (strcmp(call->operation, "CompleteMultipartUpload") == 0 ||
            strcmp(call->operation, "CopyObject") == 0 || strcmp(call->operation, "UploadPartCopy") == 0);
}

bool aws_answer_read(struct aws_call *call)
{
    struct aws_answer *answer = &call->answer;
    struct http_transfer *transfer = &call->transfer;
    bool is_json = aws_services[call->service].target != NULL;
    char id[sizeof answer->request_id];
    answer->status = transfer->status;
    answer->bytes = transfer->received;
    /* The transfer's buffers stay its own; the answer looks at them. */
    answer->head = transfer->head;
    answer->body = transfer->body;
    answer->code[0] = answer->message[0] = answer->request_id[0] = '\0';
    json_decref(answer->json);
    answer->json = NULL;
    if (http_header(&answer->head, "x-amzn-requestid", id, sizeof id) ||
        http_header(&answer->head, "x-amz-request-id", id, sizeof id))
        set_text(answer->request_id, sizeof answer->request_id, id);
    if (is_json && answer->body.length > 0) {
        json_t *json = json_loadb(answer->body.data, answer->body.length, 0, NULL);
        if (json_is_object(json))
            answer->json = json_incref(json);
        json_decref(json);
    }
    if (answer->status >= 200 && answer->status < 300) {
        if (is_json && !answer->json && answer->body.length == 0)
            answer->json = json_object();
        if (is_json && !answer->json) {
            text_copy(answer->code, sizeof answer->code, "UnreadableAnswer");
            return false;
        }
        return !may_fail_late(call) || !read_xml_error(answer);
    }
    if (is_json)
        read_json_error(answer);
    else if (!read_xml_error(answer))
        answer->code[0] = '\0';
    if (!answer->code[0])
        name_status(answer);
    return false;
}

static bool is_among(const char *code, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(code, list[i]) == 0)
            return true;
    return false;
}
#define AMONG(code, list) is_among(code, list, sizeof(list) / sizeof *(list))

static enum err_kind kind_of(const struct aws_answer *answer, enum retry_class class)
{
    static const char *const busy[] = {"CrawlerRunningException",
                                       "CrawlerStoppingException",
                                       "ConcurrentRunsExceededException",
                                       "ConcurrentModificationException",
                                       "ActiveStatementsExceededException",
                                       "ActiveSessionsExceededException",
                                       "ActiveWaitingRequestsExceededException"};
    static const char *const absent[] = {"EntityNotFoundException", "ResourceNotFoundException", "NoSuchKey",
                                         "NoSuchBucket", "NoSuchUpload"};
    static const char *const refused[] = {"AccessDeniedException",
                                          "UnrecognizedClientException",
                                          "InvalidAccessKeyId",
                                          "InvalidClientTokenId",
                                          "MissingAuthenticationToken",
                                          "SignatureDoesNotMatch",
                                          "InvalidSignatureException",
                                          "IncompleteSignature",
                                          "ExpiredToken",
                                          "ExpiredTokenException",
                                          "MissingAuthenticationTokenException"};
    if (strcmp(answer->code, "UnreadableAnswer") == 0)
        return ERR_CORRUPT;
    if (class == RETRY_THROTTLED || AMONG(answer->code, busy))
        return ERR_BUSY;
    if (class == RETRY_TRANSIENT)
        return ERR_REMOTE;
    if (answer->status == 404 || AMONG(answer->code, absent))
        return ERR_NOT_FOUND;
    if (answer->status == 401 || answer->status == 403 || AMONG(answer->code, refused))
        return ERR_AUTH;
    return ERR_REMOTE;
}

/* Of a request that got an answer. */
static void fail_answered(struct aws_call *call, const char *name, enum retry_class class)
{
    struct aws_answer *answer = &call->answer;
    char region[64], cure[120] = "", tried[32] = "";
    if (answer->attempts > 1)
        snprintf(tried, sizeof tried, ", %d attempts", answer->attempts);
    if ((answer->status == 301 || strcmp(answer->code, "AuthorizationHeaderMalformed") == 0) &&
        aws_answer_header(answer, "x-amz-bucket-region", region, sizeof region) &&
        strcmp(region, call->client->config.region) != 0) {
        char harmless[64];
        set_text(harmless, sizeof harmless, region);
        snprintf(cure, sizeof cure, "; the bucket is in %s: set the region to that", harmless);
    } else if (strcmp(answer->code, "UnreadableAnswer") == 0) {
        text_copy(cure, sizeof cure, "; is this the address of an AWS service?");
    }
    err_set(&answer->err, kind_of(answer, class), "%s: %s%s%.200s (%d%s%s%s)%s", name, answer->code,
            answer->message[0] ? ": " : "", answer->message, answer->status,
            answer->request_id[0] ? ", request " : "", answer->request_id, tried, cure);
    answer->err.retriable = answer->err.retriable || class == RETRY_TRANSIENT;
    answer->err.fatal = answer->err.kind == ERR_AUTH;
}

void aws_answer_fail(struct aws_call *call, enum retry_class class)
{
    struct aws_answer *answer = &call->answer;
    const struct http_transfer *transfer = &call->transfer;
    const char *endpoint = call->client->config.endpoints[call->service].url;
    char name[300], reason[CURL_ERROR_SIZE + 1];
    aws_call_name(call, name, sizeof name);
    set_text(reason, sizeof reason, transfer->reason);
    switch (transfer->end) {
    case HTTP_ANSWERED:
        fail_answered(call, name, class);
        break;
    case HTTP_UNSENT:
        err_set(&answer->err, ERR_CONNECT, "%s: cannot reach %s: %s", name, endpoint, reason);
        break;
    case HTTP_UNTRUSTED:
        err_set(&answer->err, ERR_CONFIG,
                "%s: %s is not trusted: %s; AWS_CA_BUNDLE names a file of authorities to trust", name,
                endpoint, reason);
        break;
    case HTTP_BROKEN:
        err_set(&answer->err, ERR_CONNECT, "%s: the connection to %s broke: %s", name, endpoint, reason);
        break;
    case HTTP_DEADLINE:
        err_set(&answer->err, ERR_CONNECT, "%s: no answer from %s in time", name, endpoint);
        break;
    case HTTP_TOO_LARGE:
        err_set(&answer->err, ERR_LIMIT, "%s: the answer is longer than %zu bytes", name,
                transfer->answer_limit);
        break;
    case HTTP_SINK:
        err_set_errno(&answer->err, ERR_IO, transfer->sink_errno, "%s: the answer cannot be written", name);
        break;
    case HTTP_SOURCE:
        if (transfer->sink_errno)
            err_set_errno(&answer->err, ERR_IO, transfer->sink_errno, "%s: the file cannot be read", name);
        else
            err_set(&answer->err, ERR_IO, "%s: the file became shorter while it was sent", name);
        break;
    case HTTP_CANCELLED:
        err_set(&answer->err, ERR_CANCELLED, "%s: cancelled", name);
        break;
    case HTTP_ABANDONED:
        answer->err = call->early;
        err_prefix(&answer->err, "%s", name);
        break;
    }
}
