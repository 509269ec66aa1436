/* The condition of GetPartitions: whatever the text, it is parsed or refused, and decides. */
#include "localcloud/glue_expression.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    json_t *keys =
        json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "Name", "dt", "Type", "string", "Name", "n",
                  "Type", "bigint", "Name", "day", "Type", "date", "Name", "at", "Type", "timestamp");
    char *text = malloc(size + 1); /* exactly as long, so that a read beyond is seen */
    memcpy(text, data, size);
    text[size] = '\0';
    struct glue_expression *expression = glue_expression_parse(text, keys, &err);
    if (expression) {
        json_t *values = json_pack("[s,s,s,s]", "a", "12", "2026-01-12", "2026-01-12 08:00:00");
        glue_expression_matches(expression, values);
        json_decref(values);
    } else if (err.kind != ERR_USAGE) {
        abort();
    }
    glue_expression_destroy(expression);
    free(text);
    json_decref(keys);
    return 0;
}
