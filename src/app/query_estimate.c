/*
 * What a query may scan: the tables that its text names, the days (dt) that it asks for, and the sizes of the
 * objects there. It is an upper bound: columns that are not read, and files that statistics rule out, are in
 * it. Days narrow it only where that is certain: comparisons of dt with a literal, in a text without OR, NOT
 * and subqueries.
 */
#include "app/query_private.h"

#include "aws/s3.h"
#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES     16
#define PARTITIONS 20000
#define DAYS       32

struct word {
    const char *at;
    size_t length;
};

struct days {
    char from[16], to[16]; /* "" open */
    char exact[DAYS][16];
    size_t exact_count;
    bool certain;
};

struct sizes {
    int64_t bytes;
    size_t objects;
    struct query_run *run;
};

static bool is_name(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_';
}

/* The next word, quoted name, literal or single sign; comments are passed over. False: the end. */
static bool next_word(const char **at, struct word *word)
{
    for (;;) {
        while (isspace((unsigned char)**at))
            (*at)++;
        if (strncmp(*at, "--", 2) == 0)
            *at += strcspn(*at, "\n");
        else if (strncmp(*at, "/*", 2) == 0 && strstr(*at, "*/"))
            *at = strstr(*at, "*/") + 2;
        else
            break;
    }
    if (!**at)
        return false;
    word->at = *at;
    if (**at == '"' || **at == '\'' || **at == '`') {
        char quote = *(*at)++;
        while (**at && **at != quote)
            (*at)++;
        if (**at)
            (*at)++;
    } else if (is_name(**at)) {
        while (is_name(**at))
            (*at)++;
    } else {
        (*at)++;
    }
    word->length = (size_t)(*at - word->at);
    return true;
}

static bool is_word(const struct word *word, const char *text)
{
    return word->length == strlen(text) && strncasecmp(word->at, text, word->length) == 0;
}

/* A name without its quotes; "" when it is none. */
static void name_of(const struct word *word, char out[128])
{
    bool quoted = word->at[0] == '"' || word->at[0] == '`';
    size_t length = word->length - (quoted && word->length >= 2 ? 2 : 0);
    out[0] = '\0';
    if ((!quoted && !is_name(word->at[0])) || length >= 128)
        return;
    memcpy(out, word->at + quoted, length);
    out[length] = '\0';
}

static bool day_of(const struct word *word, char out[16])
{
    if (word->length != 12 || word->at[0] != '\'')
        return false;
    memcpy(out, word->at + 1, 10);
    out[10] = '\0';
    return true;
}

/* ---- days ---- */

static void find_days(const char *sql, struct days *days)
{
    struct word word, before = {"", 0};
    int selects = 0;
    *days = (struct days){.certain = true};
    for (const char *at = sql; next_word(&at, &word); before = word) {
        selects += is_word(&word, "select");
        if (is_word(&word, "or") || is_word(&word, "not") || is_word(&word, "case") || is_word(&word, "if") ||
            selects > 1)
            days->certain = false;
        if (!is_word(&word, "dt") || is_word(&before, "as") || is_word(&before, "'"))
            continue;
        const char *ahead = at;
        struct word sign, value;
        char day[16];
        if (!next_word(&ahead, &sign) || !next_word(&ahead, &value))
            continue;
        bool equal = is_word(&value, "=");
        if (equal && !next_word(&ahead, &value))
            continue;
        if (is_word(&sign, "=") && day_of(&value, day) && days->exact_count < DAYS) {
            memcpy(days->exact[days->exact_count++], day, sizeof day);
        } else if (is_word(&sign, ">") && day_of(&value, day)) {
            memcpy(days->from, day, sizeof day);
        } else if (is_word(&sign, "<") && day_of(&value, day)) {
            memcpy(days->to, day, sizeof day);
        } else if (is_word(&sign, "between") && day_of(&value, day)) {
            memcpy(days->from, day, sizeof day);
            if (next_word(&ahead, &sign) && next_word(&ahead, &value) && day_of(&value, day))
                memcpy(days->to, day, sizeof day);
        } else if (is_word(&sign, "in")) {
            size_t first = days->exact_count;
            while (next_word(&ahead, &value) && !is_word(&value, ")")) {
                if (is_word(&value, ","))
                    continue;
                if (!day_of(&value, day) || days->exact_count == DAYS) {
                    days->exact_count = first;
                    days->certain = false;
                    break;
                }
                memcpy(days->exact[days->exact_count++], day, sizeof day);
            }
        }
    }
}

static bool wants_day(const struct days *days, const char *dt)
{
    if (!days->certain)
        return true;
    if (days->from[0] && strcmp(dt, days->from) < 0)
        return false;
    if (days->to[0] && strcmp(dt, days->to) > 0)
        return false;
    for (size_t i = 0; i < days->exact_count; i++)
        if (strcmp(dt, days->exact[i]) == 0)
            return true;
    return days->exact_count == 0;
}

/* ---- sizes ---- */

static bool add_object(void *context, const struct aws_s3_object *object)
{
    struct sizes *sizes = context;
    if (object->size > 0)
        sizes->bytes += object->size;
    return ++sizes->objects % 1000 != 0 || query_run_wants_more(sizes->run);
}

static int add_place(struct query_run *run, const char *url, struct sizes *sizes, struct err *err)
{
    char bucket[128], prefix[AWS_S3_KEY_SIZE];
    if (strncmp(url, "s3://", 5) != 0)
        return err_set(err, ERR_UNSUPPORTED, "a table lies elsewhere than in S3");
    size_t length = strcspn(url + 5, "/");
    if (length == 0 || length >= sizeof bucket || strlen(url) >= sizeof prefix)
        return err_set(err, ERR_CORRUPT, "the catalogue holds a strange place");
    snprintf(bucket, sizeof bucket, "%.*s", (int)length, url + 5);
    snprintf(prefix, sizeof prefix, "%s", url[5 + length] ? url + 6 + length : "");
    size_t used = strlen(prefix);
    if (used > 0 && prefix[used - 1] != '/' && used + 1 < sizeof prefix && !strrchr(url + 5 + length, '.'))
        memcpy(prefix + used, "/", 2);
    struct aws_s3_list list = {.bucket = bucket, .prefix = prefix};
    const struct options *own = run->queries->settings.options;
    struct aws_s3_options options = {
        .owner = own->bucket_owner[0] && strcmp(bucket, own->bucket) == 0 ? own->bucket_owner : NULL};
    return aws_s3_list_wait(run->client, &list, &options, clock_mono_us() + QUERY_REQUEST_US, add_object,
                            sizes, err);
}

static int add_table(struct query_run *run, const char *database, const char *table, const struct days *days,
                     struct sizes *sizes, size_t *partitions, struct err *err)
{
    char code[80];
    json_t *answer =
        query_run_ask(run, AWS_GLUE, "GetTable",
                      json_pack("{s:s,s:s}", "DatabaseName", database, "Name", table), false, code, err);
    if (!answer)
        return -1;
    bool view = strcmp(aws_json_text(answer, "Table.TableType"), "VIRTUAL_VIEW") == 0;
    size_t keys = json_array_size(aws_json_at(answer, "Table.PartitionKeys"));
    bool by_day = keys > 0 &&
                  strcmp(aws_json_text(json_array_get(aws_json_at(answer, "Table.PartitionKeys"), 0), "Name"),
                         "dt") == 0;
    int result = view ? err_set(err, ERR_UNSUPPORTED, "%s is a view", table)
                 : keys == 0
                     ? add_place(run, aws_json_text(answer, "Table.StorageDescriptor.Location"), sizes, err)
                     : 0;
    json_decref(answer);
    if (result < 0 || keys == 0)
        return result;
    json_t *list = aws_json_pages_wait(
        run->client, AWS_GLUE, "GetPartitions",
        json_pack("{s:s,s:s,s:b}", "DatabaseName", database, "TableName", table, "ExcludeColumnSchema", 1),
        "Partitions", PARTITIONS, NULL, clock_mono_us() + QUERY_REQUEST_US, code, err);
    if (!list)
        return -1;
    size_t i;
    json_t *partition;
    json_array_foreach(list, i, partition)
    {
        const char *dt = json_string_value(json_array_get(json_object_get(partition, "Values"), 0));
        if (by_day && dt && !wants_day(days, dt))
            continue;
        (*partitions)++;
        if (result == 0 && query_run_wants_more(run))
            result = add_place(run, aws_json_text(partition, "StorageDescriptor.Location"), sizes, err);
    }
    json_decref(list);
    return result;
}

/* ---- tables ---- */

struct named {
    char database[128], table[128];
};

/* What stands behind FROM, JOIN and the commas between; names that WITH gives are left out. */
static size_t find_tables(const char *sql, struct named tables[TABLES], bool *all)
{
    char with[TABLES][128];
    size_t count = 0, with_count = 0;
    struct word word, before = {"", 0}, earlier = {"", 0};
    bool expected = false, listed = false;
    *all = true;
    for (const char *at = sql; next_word(&at, &word); earlier = before, before = word) {
        char name[128];
        if (is_word(&word, "(") && is_word(&before, "as") && with_count < TABLES) {
            name_of(&earlier, with[with_count]);
            with_count += with[with_count][0] != '\0';
        }
        if (is_word(&word, "from") || is_word(&word, "join") || (listed && is_word(&word, ","))) {
            expected = listed = true;
            continue;
        }
        if (is_word(&word, "where") || is_word(&word, "group") || is_word(&word, "order") ||
            is_word(&word, "on") || is_word(&word, ")") || is_word(&word, "select"))
            listed = false;
        if (!expected)
            continue;
        expected = false;
        name_of(&word, name);
        if (!name[0]) {
            continue; /* a subquery; its own FROM comes */
        }
        struct named named = {.database = "smartcity_raw"};
        text_copy(named.table, sizeof named.table, name);
        while (*at == '.') {
            struct word part;
            at++;
            if (!next_word(&at, &part))
                break;
            name_of(&part, name);
            memcpy(named.database, named.table, sizeof named.database);
            text_copy(named.table, sizeof named.table, name);
            before = word;
            word = part;
        }
        bool known =
            text_equal_fold(named.table, "unnest") || text_equal_fold(named.database, "information_schema");
        for (size_t i = 0; i < with_count; i++)
            known = known || text_equal_fold(with[i], named.table);
        for (size_t i = 0; i < count; i++)
            known = known || (text_equal_fold(tables[i].table, named.table) &&
                              text_equal_fold(tables[i].database, named.database));
        if (!known && count == TABLES)
            *all = false;
        else if (!known)
            tables[count++] = named;
    }
    return count;
}

int query_estimate(struct query_run *run, int64_t *bytes, char *text, size_t size, struct err *err)
{
    struct named tables[TABLES];
    struct days days;
    bool all;
    size_t count = find_tables(run->sql, tables, &all), partitions = 0;
    struct sizes sizes = {.run = run};
    find_days(run->sql, &days);
    if (!all)
        return err_set(err, ERR_LIMIT, "it names more than %d tables", TABLES);
    for (size_t i = 0; i < count; i++)
        if (add_table(run, tables[i].database, tables[i].table, &days, &sizes, &partitions, err) < 0)
            return -1;
    *bytes = sizes.bytes;
    if (count == 0)
        snprintf(text, size, "no table");
    else
        snprintf(text, size, "%zu object%s%s%s", sizes.objects, sizes.objects == 1 ? "" : "s",
                 partitions > 0 ? ", days: " : "", "");
    if (partitions > 0) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%zu", partitions);
    }
    return 0;
}
