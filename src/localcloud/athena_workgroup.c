/* Work groups, their tags, and the versions of the engine. A work group is kept as GetWorkGroup answers it.
 */
#include "base/clock.h"
#include "base/text.h"
#include "localcloud/athena_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKGROUPS_MAX 1000 /* of an account */
#define TAGS_MAX       50
#define CUTOFF_LEAST   10000000

static json_t *engine_version(const json_t *asked)
{
    const char *selected = json_string_value(json_object_get(asked, "SelectedEngineVersion"));
    return json_pack("{s:s,s:s}", "SelectedEngineVersion", selected ? selected : "AUTO",
                     "EffectiveEngineVersion", ATHENA_ENGINE_VERSION);
}

/* Of Configuration, or of ConfigurationUpdates with `update`. */
static bool configuration_ok(struct request *request, const json_t *configuration, bool update)
{
    char bucket[64], key[1025];
    const json_t *results =
        json_object_get(configuration, update ? "ResultConfigurationUpdates" : "ResultConfiguration");
    const char *output = json_string_value(json_object_get(results, "OutputLocation"));
    const json_t *cutoff = json_object_get(configuration, "BytesScannedCutoffPerQuery");
    const char *engine = json_string_value(
        json_object_get(json_object_get(configuration, "EngineVersion"), "SelectedEngineVersion"));
    const json_t *managed = json_object_get(configuration, update ? "ManagedQueryResultsConfigurationUpdates"
                                                                  : "ManagedQueryResultsConfiguration");
    if (json_is_true(json_object_get(managed, "Enabled")))
        athena_invalid(request, "INVALID_INPUT", "Managed query results are not emulated locally");
    else if (output && !athena_s3_split(output, bucket, key))
        athena_invalid(request, "INVALID_INPUT", "outputLocation is not a valid S3 path.");
    else if (cutoff && json_integer_value(cutoff) < CUTOFF_LEAST)
        athena_invalid(request, "INVALID_INPUT",
                       "1 validation error detected: Value at 'bytesScannedCutoffPerQuery' failed to satisfy "
                       "constraint: Member must have value greater than or equal to %d",
                       CUTOFF_LEAST);
    else if (engine && strcmp(engine, "AUTO") != 0 && strcmp(engine, ATHENA_ENGINE_VERSION) != 0)
        athena_invalid(request, "INVALID_INPUT", "Engine version %.100s is not emulated locally", engine);
    else
        return true;
    return false;
}

static json_t *new_workgroup(const char *name, const char *description, const json_t *asked, bool enforce,
                             int64_t now_us)
{
    json_t *configuration =
        json_pack("{s:{},s:b,s:b,s:b}", "ResultConfiguration", "EnforceWorkGroupConfiguration", enforce,
                  "PublishCloudWatchMetricsEnabled", enforce, "RequesterPaysEnabled", 0);
    if (asked)
        json_object_update(configuration, (json_t *)(uintptr_t)asked);
    json_object_set_new(configuration, "EngineVersion",
                        engine_version(json_object_get(configuration, "EngineVersion")));
    return json_pack("{s:s,s:s,s:o,s:s,s:o}", "Name", name, "State", "ENABLED", "Configuration",
                     configuration, "Description", description ? description : "", "CreationTime",
                     athena_history_time(now_us));
}

int athena_workgroup_init(struct athena *athena, struct err *err)
{
    int found = documents_get(athena->documents, ATHENA_WORKGROUP, "primary", "", NULL, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    json_t *primary = new_workgroup("primary", NULL, NULL, false, clock_wall_us());
    int result = documents_put(athena->documents, ATHENA_WORKGROUP, "primary", "", primary, err);
    json_decref(primary);
    return result;
}

json_t *athena_workgroup_get(struct request *request, const char *name)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    json_t *workgroup = NULL;
    int found = documents_get(athena->documents, ATHENA_WORKGROUP, name, "", &workgroup, &err);
    if (found < 0)
        request_fail_internal(request, &err);
    else if (found == 0)
        athena_invalid(request, "INVALID_INPUT", "WorkGroup %s is not found.", name);
    return found == 1 ? workgroup : NULL;
}

static void put(struct request *request, const char *name, const json_t *workgroup)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    if (documents_put(athena->documents, ATHENA_WORKGROUP, name, "", workgroup, &err) != 0)
        request_fail_internal(request, &err);
    else
        request_reply_json(request, json_object());
}

/* ---- tags ------------------------------------------------------------------------------------------- */

static void workgroup_arn(const struct athena *athena, const char *name, char arn[512])
{
    snprintf(arn, 512, "arn:aws:athena:%s:%s:workgroup/%s", athena->context->region, athena->context->account,
             name);
}

/* Adds to what is there. False after the answer was made. */
static bool add_tags(struct request *request, const char *arn, const json_t *tags)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    json_t *kept = NULL, *tag;
    size_t index;
    if (documents_get(athena->documents, ATHENA_TAGS, arn, "", &kept, &err) < 0) {
        request_fail_internal(request, &err);
        return false;
    }
    if (!kept)
        kept = json_object();
    bool good = true;
    json_array_foreach(tags, index, tag)
    {
        const char *key = json_string_value(json_object_get(tag, "Key"));
        json_t *value = json_object_get(tag, "Value");
        if (!key || !*key || strlen(key) > 128 || json_string_length(value) > 256)
            good = false;
        else
            json_object_set_new(kept, key, value ? json_incref(value) : json_string(""));
    }
    if (!good)
        athena_invalid(request, "INVALID_INPUT", "A tag has a key of 1 to 128 and a value of up to 256");
    else if (json_object_size(kept) > TAGS_MAX)
        athena_invalid(request, "INVALID_INPUT", "A resource has %d tags at most", TAGS_MAX);
    else if (documents_put(athena->documents, ATHENA_TAGS, arn, "", kept, &err) != 0)
        request_fail_internal(request, &err);
    json_decref(kept);
    return !request->reply.failed;
}

/* The ARN of a request, of something that is there; NULL after the answer was made. */
static const char *resource(struct request *request)
{
    struct athena *athena = request->state;
    char prefix[512];
    const char *arn = athena_text(request, "ResourceARN", 1, 1011);
    if (!arn)
        return NULL;
    workgroup_arn(athena, "", prefix);
    size_t length = strlen(prefix);
    bool there = strncmp(arn, prefix, length) == 0 &&
                 documents_get(athena->documents, ATHENA_WORKGROUP, arn + length, "", NULL, NULL) == 1;
    snprintf(prefix, sizeof prefix, "arn:aws:athena:%s:%s:datacatalog/AwsDataCatalog",
             athena->context->region, athena->context->account);
    if (there || text_equal_fold(arn, prefix))
        return arn;
    request_fail(request, 400, "ResourceNotFoundException", "Resource %.300s is not found", arn);
    request_fail_member(request, "ResourceName", json_string(arn));
    return NULL;
}

void athena_tag(struct request *request)
{
    struct athena *athena = request->state;
    const char *arn = resource(request);
    const json_t *tags = request_json_array(request, "Tags");
    if (!arn)
        return;
    pthread_mutex_lock(&athena->lock);
    bool good = tags ? add_tags(request, arn, tags) : false;
    pthread_mutex_unlock(&athena->lock);
    if (good)
        request_reply_json(request, json_object());
    else if (!tags)
        athena_invalid(request, "INVALID_INPUT", "Tags are needed");
}

void athena_untag(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    const char *arn = resource(request);
    json_t *kept = NULL, *key;
    size_t index;
    if (!arn)
        return;
    pthread_mutex_lock(&athena->lock);
    int result = documents_get(athena->documents, ATHENA_TAGS, arn, "", &kept, &err);
    json_array_foreach(request_json_array(request, "TagKeys"), index, key)
        json_object_del(kept, json_string_value(key) ? json_string_value(key) : "");
    if (result == 1)
        result = documents_put(athena->documents, ATHENA_TAGS, arn, "", kept, &err);
    pthread_mutex_unlock(&athena->lock);
    json_decref(kept);
    if (result < 0)
        request_fail_internal(request, &err);
    else
        request_reply_json(request, json_object());
}

void athena_list_tags(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    struct athena_page page;
    const char *arn = resource(request), *key;
    json_t *kept = NULL, *value;
    if (!arn || !athena_page_begin(request, &page, 75, INT64_MAX))
        return;
    if (documents_get(athena->documents, ATHENA_TAGS, arn, "", &kept, &err) < 0) {
        json_decref(page.items);
        request_fail_internal(request, &err);
        return;
    }
    json_object_foreach(kept, key, value) if (!athena_page_add(&page, json_pack("{s:s,s:O}", "Key", key,
                                                                                "Value", value))) break;
    json_decref(kept);
    athena_page_reply(request, &page, "Tags");
}

/* ---- operations ------------------------------------------------------------------------------------- */

static bool count_one(void *context, const char *name, const char *second, json_t *document)
{
    ++*(size_t *)context;
    return true;
}

void athena_create_workgroup(struct request *request)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    const char *name = athena_text(request, "Name", 1, 128);
    const json_t *configuration = request_json_object(request, "Configuration");
    size_t count = 0;
    if (!name ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(name)) {
        if (name)
            athena_invalid(
                request, "INVALID_INPUT",
                "1 validation error detected: Value at 'name' failed to satisfy constraint: Member "
                "must satisfy regular expression pattern: [a-zA-Z0-9._-]{1,128}");
        return;
    }
    if (!configuration_ok(request, configuration, false))
        return;
    char arn[512];
    workgroup_arn(athena, name, arn);
    pthread_mutex_lock(&athena->lock);
    documents_list(athena->documents, ATHENA_WORKGROUP, NULL, count_one, &count, NULL);
    int found = documents_get(athena->documents, ATHENA_WORKGROUP, name, "", NULL, &err);
    if (found < 0) {
        request_fail_internal(request, &err);
    } else if (found == 1) {
        athena_invalid(request, "INVALID_INPUT", "WorkGroup %s is already created", name);
    } else if (count >= WORKGROUPS_MAX) {
        athena_invalid(request, "INVALID_INPUT", "An account has %d work groups at most", WORKGROUPS_MAX);
    } else if (add_tags(request, arn, request_json_array(request, "Tags"))) {
        json_t *workgroup = new_workgroup(name, request_json_text(request, "Description"), configuration,
                                          true, request->now_us);
        put(request, name, workgroup);
        json_decref(workgroup);
    }
    pthread_mutex_unlock(&athena->lock);
}

void athena_get_workgroup(struct request *request)
{
    const char *name = athena_text(request, "WorkGroup", 1, 128);
    json_t *workgroup = name ? athena_workgroup_get(request, name) : NULL;
    if (workgroup)
        request_reply_json(request, json_pack("{s:o}", "WorkGroup", workgroup));
}

static bool add_summary(void *context, const char *name, const char *second, json_t *document)
{
    json_t *summary =
        json_pack("{s:O,s:O,s:O,s:O,s:O}", "Name", json_object_get(document, "Name"), "State",
                  json_object_get(document, "State"), "Description", json_object_get(document, "Description"),
                  "CreationTime", json_object_get(document, "CreationTime"), "EngineVersion",
                  json_object_get(json_object_get(document, "Configuration"), "EngineVersion"));
    return athena_page_add(context, summary);
}

void athena_list_workgroups(struct request *request)
{
    struct athena *athena = request->state;
    struct athena_page page;
    struct err err = ERR_INIT;
    if (!athena_page_begin(request, &page, 50, 50))
        return;
    if (documents_list(athena->documents, ATHENA_WORKGROUP, NULL, add_summary, &page, &err) != 0) {
        json_decref(page.items);
        request_fail_internal(request, &err);
        return;
    }
    athena_page_reply(request, &page, "WorkGroups");
}

/* Sets what is given, removes what is to be removed. */
static void change(json_t *object, const json_t *updates, const char *name, const char *remove)
{
    if (json_is_true(json_object_get(updates, remove)))
        json_object_del(object, name);
    else if (json_object_get(updates, name))
        json_object_set(object, name, json_object_get(updates, name));
}

static void update_configuration(json_t *configuration, const json_t *updates)
{
    static const char *const plain[] = {"EnforceWorkGroupConfiguration",
                                        "PublishCloudWatchMetricsEnabled",
                                        "RequesterPaysEnabled",
                                        "AdditionalConfiguration",
                                        "ExecutionRole",
                                        "EnableMinimumEncryptionConfiguration",
                                        "MonitoringConfiguration",
                                        "EngineConfiguration",
                                        "QueryResultsS3AccessGrantsConfiguration"};
    static const char *const results[][2] = {{"OutputLocation", "RemoveOutputLocation"},
                                             {"EncryptionConfiguration", "RemoveEncryptionConfiguration"},
                                             {"ExpectedBucketOwner", "RemoveExpectedBucketOwner"},
                                             {"AclConfiguration", "RemoveAclConfiguration"}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        change(configuration, updates, plain[i], "");
    change(configuration, updates, "BytesScannedCutoffPerQuery", "RemoveBytesScannedCutoffPerQuery");
    change(configuration, updates, "CustomerContentEncryptionConfiguration",
           "RemoveCustomerContentEncryptionConfiguration");
    if (json_object_get(updates, "EngineVersion"))
        json_object_set_new(configuration, "EngineVersion",
                            engine_version(json_object_get(updates, "EngineVersion")));
    json_t *result = json_object_get(configuration, "ResultConfiguration");
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        change(result, json_object_get(updates, "ResultConfigurationUpdates"), results[i][0], results[i][1]);
}

void athena_update_workgroup(struct request *request)
{
    struct athena *athena = request->state;
    const char *name = athena_text(request, "WorkGroup", 1, 128);
    const char *state = request_json_text(request, "State");
    const json_t *updates = request_json_object(request, "ConfigurationUpdates"), *description;
    if (!name || !configuration_ok(request, updates, true))
        return;
    if (state && strcmp(state, "ENABLED") != 0 && strcmp(state, "DISABLED") != 0) {
        athena_invalid(request, "INVALID_INPUT", "State is ENABLED or DISABLED");
        return;
    }
    pthread_mutex_lock(&athena->lock);
    json_t *workgroup = athena_workgroup_get(request, name);
    if (workgroup) {
        if (state)
            json_object_set_new(workgroup, "State", json_string(state));
        if ((description = json_object_get(request->json, "Description")))
            json_object_set(workgroup, "Description", (json_t *)(uintptr_t)description);
        update_configuration(json_object_get(workgroup, "Configuration"), updates);
        put(request, name, workgroup);
    }
    pthread_mutex_unlock(&athena->lock);
    json_decref(workgroup);
}

struct removal {
    const char *workgroup;
    json_t *named; /* ids */
    size_t prepared;
};

static bool find_named(void *context, const char *name, const char *second, json_t *document)
{
    struct removal *removal = context;
    const char *workgroup = json_string_value(json_object_get(document, "WorkGroup"));
    if (workgroup && strcmp(workgroup, removal->workgroup) == 0)
        json_array_append_new(removal->named, json_string(name));
    return true;
}

/* With the lock held. */
static void delete_workgroup(struct request *request, const char *name, bool recursive)
{
    struct athena *athena = request->state;
    struct err err = ERR_INIT;
    struct removal removal = {.workgroup = name, .named = json_array()};
    json_t *ids = json_array(), *id;
    size_t index;
    int64_t next;
    char arn[512];
    int failed =
        documents_list(athena->documents, ATHENA_NAMED, NULL, find_named, &removal, &err) ||
        documents_list(athena->documents, ATHENA_PREPARED, name, count_one, &removal.prepared, &err) ||
        athena_history_list(athena->history, name, INT64_MAX, 1, ids, &next, &err);
    bool empty = json_array_size(removal.named) == 0 && removal.prepared == 0 && json_array_size(ids) == 0;
    if (!failed && !empty && !recursive) {
        athena_invalid(request, "INVALID_INPUT", "WorkGroup %s is not empty", name);
    } else {
        workgroup_arn(athena, name, arn);
        json_array_foreach(removal.named, index, id) failed |=
            documents_remove(athena->documents, ATHENA_NAMED, json_string_value(id), NULL, NULL, &err);
        failed = failed || documents_remove(athena->documents, ATHENA_PREPARED, name, NULL, NULL, &err) ||
                 documents_remove(athena->documents, ATHENA_TAGS, arn, NULL, NULL, &err) ||
                 athena_history_forget(athena->history, name, &err) ||
                 documents_remove(athena->documents, ATHENA_WORKGROUP, name, NULL, NULL, &err);
        if (failed)
            request_fail_internal(request, &err);
        else
            request_reply_json(request, json_object());
    }
    json_decref(removal.named);
    json_decref(ids);
}

void athena_delete_workgroup(struct request *request)
{
    struct athena *athena = request->state;
    const char *name = athena_text(request, "WorkGroup", 1, 128);
    if (!name)
        return;
    if (strcmp(name, "primary") == 0) {
        athena_invalid(request, "INVALID_INPUT", "The primary WorkGroup cannot be deleted");
        return;
    }
    pthread_mutex_lock(&athena->lock);
    json_t *workgroup = athena_workgroup_get(request, name);
    if (workgroup)
        delete_workgroup(request, name, request_json_bool(request, "RecursiveDeleteOption", false));
    pthread_mutex_unlock(&athena->lock);
    json_decref(workgroup);
}

void athena_list_engine_versions(struct request *request)
{
    struct athena_page page;
    if (!athena_page_begin(request, &page, 10, 10))
        return;
    json_t *three = json_pack("{s:s}", "SelectedEngineVersion", ATHENA_ENGINE_VERSION);
    if (athena_page_add(&page, engine_version(NULL)))
        athena_page_add(&page, engine_version(three));
    json_decref(three);
    athena_page_reply(request, &page, "EngineVersions");
}
