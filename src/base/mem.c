/* The allocation wrappers declared in err.h. */
#include "base/err.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(unsigned long count, unsigned long size)
{
    fprintf(stderr, "smartcity: out of memory (%lu x %lu bytes wanted)\n", count, size);
    exit(EXIT_FAILED);
}

void *mem_alloc(unsigned long size)
{
    void *block = malloc(size ? size : 1);
    if (!block)
        out_of_memory(1, size);
    return block;
}

void *mem_zero(unsigned long count, unsigned long size)
{
    void *block = calloc(count ? count : 1, size ? size : 1);
    if (!block)
        out_of_memory(count, size);
    return block;
}

void *mem_resize(void *block, unsigned long count, unsigned long size)
{
    void *resized = reallocarray(block, count ? count : 1, size ? size : 1);
    if (!resized)
        out_of_memory(count, size);
    return resized;
}

char *mem_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(mem_alloc(size), text, size);
}
