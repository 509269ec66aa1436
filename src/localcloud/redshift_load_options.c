/* The options of COPY and UNLOAD, in any order, as Redshift takes them. */
#include "localcloud/redshift_load.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct reader {
    const struct redshift_tokens *tokens;
    size_t at;
    struct rs_options *options;
    struct redshift_outcome *outcome;
};

static int unexpected(struct reader *r)
{
    struct redshift_failure failure;
    redshift_fail_at(r->tokens, r->at, &failure);
    return redshift_outcome_fail(r->outcome, "%s", failure.text);
}

static bool take(struct reader *r, const char *word)
{
    return redshift_take(r->tokens, &r->at, word);
}

/* [AS] 'text' */
static int string(struct reader *r, const char **value)
{
    take(r, "as");
    if (r->tokens->list[r->at].kind != RS_STRING)
        return unexpected(r);
    *value = r->tokens->list[r->at++].value;
    return 0;
}

static int character(struct reader *r, char *value)
{
    const char *text = NULL;
    if (string(r, &text) != 0 || !text)
        return -1;
    if (strcmp(text, "\\t") == 0)
        text = "\t";
    if (strlen(text) != 1)
        return redshift_outcome_fail(r->outcome, "COPY delimiter must be a single character");
    *value = *text;
    return 0;
}

static int number(struct reader *r, int64_t most, int64_t *value)
{
    char text[24];
    take(r, "as");
    const struct redshift_token *token = &r->tokens->list[r->at];
    snprintf(text, sizeof text, "%.*s", (int)(token->length < 20 ? token->length : 20), token->text);
    if (token->kind != RS_NUMBER || !text_parse_int(text, 0, most, value))
        return unexpected(r);
    r->at++;
    return 0;
}

/* IAM_ROLE default | 'arn', CREDENTIALS [AS] 'text', ACCESS_KEY_ID 'x' SECRET_ACCESS_KEY 'y' [SESSION_TOKEN
 * 'z']. Whoever may sign a request may read every bucket, so what they say is not looked at. 1: it was none.
 */
static int authorisation(struct reader *r)
{
    const char *ignored;
    if (take(r, "iam_role")) {
        r->options->authorised = true;
        return take(r, "default") ? 0 : string(r, &ignored);
    }
    static const char *const words[] = {"credentials", "access_key_id", "secret_access_key", "session_token"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (take(r, words[i])) {
            if (take(r, "as") && i > 0)
                return unexpected(r);
            r->options->authorised = true;
            return string(r, &ignored);
        }
    return 1;
}

/* 1: it was none. */
static int format(struct reader *r, bool named)
{
    struct rs_options *o = r->options;
    if (take(r, "parquet")) {
        o->format = RS_FORMAT_PARQUET;
    } else if (take(r, "csv")) {
        o->format = RS_FORMAT_CSV;
        if (!o->delimiter)
            o->delimiter = ',';
    } else if (take(r, "json")) {
        o->format = RS_FORMAT_JSON;
        size_t at = r->at;
        take(r, "as");
        if (r->tokens->list[r->at].kind == RS_STRING)
            o->json = r->tokens->list[r->at++].value;
        else
            r->at = at;
    } else if (redshift_is(&r->tokens->list[r->at], "orc") || redshift_is(&r->tokens->list[r->at], "avro") ||
               redshift_is(&r->tokens->list[r->at], "fixedwidth") ||
               redshift_is(&r->tokens->list[r->at], "shapefile")) {
        return redshift_outcome_fail(r->outcome, "format %s is not emulated locally",
                                     r->tokens->list[r->at].value);
    } else {
        return named ? unexpected(r) : 1;
    }
    return 0;
}

struct flag {
    const char *word;
    size_t member;
};
#define FLAG(word, name)                                                                                     \
    {                                                                                                        \
        word, offsetof(struct rs_options, name)                                                              \
    }

static const struct flag copy_flags[] = {
    FLAG("manifest", manifest),
    FLAG("emptyasnull", empty_as_null),
    FLAG("blanksasnull", blanks_as_null),
    FLAG("truncatecolumns", truncate),
    FLAG("trimblanks", trim),
    FLAG("fillrecord", fill),
    FLAG("escape", escape),
    FLAG("removequotes", remove_quotes),
    FLAG("explicit_ids", explicit_ids),
    FLAG("noload", no_load),
    FLAG("ignoreblanklines", skip_blank),
    FLAG("serializetojson", serialize),
    {NULL, 0},
};
static const struct flag unload_flags[] = {
    FLAG("manifest", manifest),
    FLAG("header", header),
    FLAG("addquotes", add_quotes),
    FLAG("escape", escape),
    FLAG("allowoverwrite", overwrite),
    FLAG("cleanpath", clean),
    {NULL, 0},
};

/* Those that mean nothing here, with a word or number behind them, or a text. */
static int accepted(struct reader *r)
{
    static const char *const words[] = {"compupdate",     "statupdate",  "region",
                                        "encoding",       "comprows",    "readratio",
                                        "acceptinvchars", "maxfilesize", "rowgroupsize"};
    static const char *const alone[] = {"acceptanydate", "roundec", "verbose", "mb", "gb"};
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        if (take(r, alone[i]))
            return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!take(r, words[i]))
            continue;
        take(r, "as");
        const struct redshift_token *token = &r->tokens->list[r->at];
        if (token->kind == RS_STRING || token->kind == RS_NUMBER || redshift_is(token, "on") ||
            redshift_is(token, "off") || redshift_is(token, "true") || redshift_is(token, "false") ||
            redshift_is(token, "preset") || redshift_is(token, "auto") || redshift_is(token, "utf8"))
            r->at++;
        return 0;
    }
    return 1;
}

static int compression(struct reader *r)
{
    static const char *const known[] = {"gzip", "zstd"}, *const unknown[] = {"bzip2", "lzop"};
    for (size_t i = 0; i < 2; i++) {
        if (take(r, known[i])) {
            r->options->compression = known[i];
            return 0;
        }
        if (take(r, unknown[i]))
            return redshift_outcome_fail(r->outcome, "%s is not emulated locally", unknown[i]);
    }
    return 1;
}

/* BY (a, b) [INCLUDE] */
static int partition(struct reader *r)
{
    struct rs_options *o = r->options;
    if (!take(r, "by") || !redshift_take_op(r->tokens, &r->at, "("))
        return unexpected(r);
    do {
        const struct redshift_token *token = &r->tokens->list[r->at];
        if (!redshift_is_name(token) || o->partition_count == RS_PARTITIONS_MAX)
            return unexpected(r);
        o->partition[o->partition_count++] = token->value;
        r->at++;
    } while (redshift_take_op(r->tokens, &r->at, ","));
    if (!redshift_take_op(r->tokens, &r->at, ")"))
        return unexpected(r);
    o->include = take(r, "include");
    return 0;
}

static int one(struct reader *r, bool unload)
{
    struct rs_options *o = r->options;
    int result = authorisation(r);
    if (result == 1)
        result = compression(r);
    if (result == 1 && take(r, "format")) {
        take(r, "as");
        return format(r, true);
    }
    if (result == 1)
        result = format(r, false);
    if (result != 1)
        return result;
    for (const struct flag *flag = unload ? unload_flags : copy_flags; flag->word; flag++)
        if (take(r, flag->word)) {
            *(bool *)((char *)o + flag->member) = true;
            return 0;
        }
    if (take(r, "delimiter"))
        return character(r, &o->delimiter);
    if (take(r, "quote"))
        return character(r, &o->quote);
    if (take(r, "null"))
        return string(r, &o->null_as);
    if (unload && take(r, "extension"))
        return string(r, &o->extension);
    if (unload && take(r, "partition"))
        return partition(r);
    if (unload && take(r, "parallel")) {
        o->serial = take(r, "off") || take(r, "false");
        if (!o->serial && !take(r, "on"))
            take(r, "true");
        return 0;
    }
    if (!unload && take(r, "dateformat"))
        return string(r, &o->date_format);
    if (!unload && take(r, "timeformat"))
        return string(r, &o->time_format);
    if (!unload && take(r, "ignoreheader"))
        return number(r, 1000000, &o->ignore_header);
    if (!unload && take(r, "maxerror"))
        return number(r, 100000, &o->max_error);
    result = accepted(r);
    return result == 1 ? unexpected(r) : result;
}

int rs_options_read(const struct redshift_tokens *tokens, size_t *at, struct rs_options *options, bool unload,
                    struct redshift_outcome *outcome)
{
    struct reader r = {.tokens = tokens, .at = *at, .options = options, .outcome = outcome};
    *options = (struct rs_options){.json = "auto", .quote = '"'};
    while (tokens->list[r.at].kind != RS_END)
        if (one(&r, unload) != 0)
            return -1;
    if (!options->delimiter)
        options->delimiter = '|';
    *at = r.at;
    if (!options->authorised)
        return redshift_outcome_fail(outcome,
                                     "%s requires an authorization parameter: IAM_ROLE or CREDENTIALS",
                                     unload ? "UNLOAD" : "COPY");
    if (options->overwrite && options->clean)
        return redshift_outcome_fail(outcome, "CLEANPATH and ALLOWOVERWRITE cannot be used together");
    if (options->format == RS_FORMAT_PARQUET && !unload) {
        /* Columnar files take few of them. */
        const char *bad = options->max_error                             ? "MAXERROR"
                          : options->ignore_header                       ? "IGNOREHEADER"
                          : options->null_as                             ? "NULL"
                          : options->truncate                            ? "TRUNCATECOLUMNS"
                          : options->time_format || options->date_format ? "TIMEFORMAT"
                          : options->compression                         ? "compression"
                          : options->empty_as_null                       ? "EMPTYASNULL"
                                                                         : NULL;
        if (bad)
            return redshift_outcome_fail(outcome, "%s argument is not supported for PARQUET based COPY", bad);
    }
    return 0;
}
