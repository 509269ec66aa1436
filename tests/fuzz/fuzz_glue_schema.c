/* What a crawler reads of files, and the small languages of crawlers and jobs: footers of Parquet, JSON
 * lines, exclusion patterns, schedules, scripts. */
#include "localcloud/glue_cron.h"
#include "localcloud/glue_schema.h"
#include "localcloud/glue_script.h"
#include "localcloud/glue_tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_type(const struct hive_type *schema)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    hive_type_write(schema, &out);
    buf_free(&out);
    json_decref(hive_type_columns(schema));
}

static void languages(const char *text, size_t size)
{
    struct err err = ERR_INIT;
    struct glue_cron cron;
    if (glue_cron_parse(text, &cron, &err) == 0)
        glue_cron_between(&cron, 1768204800, 1768208400);
    const char *half = text + size / 2;
    glue_glob(half, text);
    const char *at = text;
    size_t length;
    while (glue_script_next(&at, &length))
        if (length == 0 || at > text + size)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct hive_type parquet = {0}, json = {0};
    int64_t rows;
    size_t needed;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if (glue_parquet_schema(data, size, (int64_t)size + 4, &parquet, &rows, &needed, &err) == 0)
        write_type(&parquet);
    if (glue_json_schema((const char *)data, size, true, &json, &err) >= 0)
        write_type(&json);
    if (parquet.count > 0 && json.count > 0)
        hive_type_merge(&parquet, &json);
    hive_type_free(&parquet);
    hive_type_free(&json);
    languages(text, size);
    free(text);
    return 0;
}
