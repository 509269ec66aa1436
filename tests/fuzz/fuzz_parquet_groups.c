/* Footers of Parquet files and the engine's filters against their bounds: hostile bytes must only be refused.
 * Input: a filter, a zero byte, a footer. */
#include "localcloud/athena_bounds.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const unsigned char *zero = size > 0 ? memchr(data, 0, size) : NULL;
    if (!zero)
        return 0;
    const char *filter = (const char *)data;
    size_t length = size - (size_t)(zero + 1 - data);
    unsigned char *footer = malloc(length + 1); /* of its own, so that reading past its end is seen */
    if (!footer)
        return 0;
    memcpy(footer, zero + 1, length);
    struct parquet_file file;
    if (parquet_file_read(&file, footer, length, NULL) == 0) {
        for (size_t i = 0; i < file.group_count; i++)
            (void)athena_bounds_pass(&file, &file.groups[i], filter);
        for (size_t i = 0; i < file.leaf_count; i++)
            (void)athena_bounds_mention(filter, file.leaves[i].name, strlen(file.leaves[i].name));
        parquet_file_free(&file);
    }
    free(footer);
    return 0;
}
