#include "tests/support/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    enum { MOST = 1 << 20 };
    char *text = calloc(1, MOST);
    size_t length = text != NULL ? fread(text, 1, MOST - 1, file) : 0;
    fclose(file);
    if (text != NULL)
        text[length] = '\0';
    return text;
}

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    bool whole = fputs(text, file) >= 0;
    return fclose(file) == 0 && whole;
}

static void tell_difference(const char *path, const char *expected, const char *text)
{
    int line = 1;
    while (*expected != '\0' && *text != '\0') {
        size_t a = strcspn(expected, "\n"), b = strcspn(text, "\n");
        if (a != b || memcmp(expected, text, a) != 0)
            break;
        expected += a + (expected[a] != '\0');
        text += b + (text[b] != '\0');
        line++;
    }
    fprintf(stderr, "%s:%d differs (GENERATE=1 writes it anew)\n  expected |%.*s|\n  drawn    |%.*s|\n", path,
            line, (int)strcspn(expected, "\n"), expected, (int)strcspn(text, "\n"), text);
}

bool golden_is(const char *name, char *text)
{
    char path[256];
    snprintf(path, sizeof path, "tests/ui/golden/%s.txt", name);
    const char *generate = getenv("GENERATE");
    bool same;
    if (generate != NULL && generate[0] == '1') {
        same = write_file(path, text);
        if (!same)
            perror(path);
    } else {
        char *expected = read_file(path);
        same = expected != NULL && strcmp(expected, text) == 0;
        if (!same)
            tell_difference(path, expected != NULL ? expected : "", text);
        free(expected);
    }
    free(text);
    return same;
}
