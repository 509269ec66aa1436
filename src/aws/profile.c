#include "aws/profile.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT    (1u << 20)
#define ENTRIES_MAX   4096
#define VALUE_MAX     8192
#define NAME_MAX_SIZE 128

enum section { SECTION_OTHER, SECTION_PROFILE, SECTION_SERVICES };

struct entry {
    enum aws_profile_file file;
    enum section section;
    char name[NAME_MAX_SIZE]; /* of the profile or the services */
    char key[NAME_MAX_SIZE];  /* "" stands for the section itself */
    char *value;
};

struct aws_profiles {
    struct entry *entries;
    size_t count;
};

struct aws_profiles *aws_profiles_create(void)
{
    return mem_zero(1, sizeof(struct aws_profiles));
}

void aws_profiles_destroy(struct aws_profiles *profiles)
{
    if (!profiles)
        return;
    for (size_t i = 0; i < profiles->count; i++) {
        OPENSSL_cleanse(profiles->entries[i].value, strlen(profiles->entries[i].value));
        free(profiles->entries[i].value);
    }
    free(profiles->entries);
    free(profiles);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && is_blank(**text)) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && is_blank((*text)[*length - 1]))
        (*length)--;
}

/* False when it is too long: the setting is then skipped, since half a name is another name. */
static bool copy_name(char out[NAME_MAX_SIZE], const char *text, size_t length)
{
    if (length >= NAME_MAX_SIZE)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static int add(struct aws_profiles *profiles, const struct entry *entry, const char *value, size_t length,
               struct err *err)
{
    if (length > VALUE_MAX)
        return err_set(err, ERR_LIMIT, "the setting %s of [%s] is longer than %d bytes", entry->key,
                       entry->name, VALUE_MAX);
    if (profiles->count == ENTRIES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d settings in the AWS files", ENTRIES_MAX);
    profiles->entries = mem_resize(profiles->entries, profiles->count + 1, sizeof *profiles->entries);
    struct entry *made = &profiles->entries[profiles->count++];
    *made = *entry;
    made->value = mem_alloc(length + 1);
    memcpy(made->value, value, length);
    made->value[length] = '\0';
    return 0;
}

/* "[profile dev]", "[profile "two words"]", "[default]", "[services local]"; in the other file "[dev]". */
static void read_section(struct entry *at, const char *line, size_t length)
{
    const char *end = memchr(line, ']', length);
    const char *word = line + 1;
    size_t size = end ? (size_t)(end - word) : 0;
    at->section = SECTION_OTHER;
    if (!end)
        return;
    trim(&word, &size);
    if (at->file == AWS_FILE_CREDENTIALS) {
        at->section = copy_name(at->name, word, size) ? SECTION_PROFILE : SECTION_OTHER;
        return;
    }
    size_t kind = 0;
    while (kind < size && !is_blank(word[kind]))
        kind++;
    const char *name = word + kind;
    size_t name_size = size - kind;
    trim(&name, &name_size);
    if (name_size >= 2 && (*name == '"' || *name == '\'') && name[name_size - 1] == *name) {
        name++;
        name_size -= 2;
    }
    enum section section = SECTION_OTHER;
    if (kind == size && size == 7 && memcmp(word, "default", 7) == 0) {
        section = SECTION_PROFILE;
        name = word;
        name_size = size;
    } else if (kind == 7 && memcmp(word, "profile", 7) == 0) {
        section = SECTION_PROFILE;
    } else if (kind == 8 && memcmp(word, "services", 8) == 0) {
        section = SECTION_SERVICES;
    }
    at->section = name_size > 0 && copy_name(at->name, name, name_size) ? section : SECTION_OTHER;
}

/* "key = value" or "key: value"; the name goes to `key` in lower case. */
static bool read_setting(const char *line, size_t length, char key[NAME_MAX_SIZE], const char **value,
                         size_t *value_length)
{
    size_t at = 0;
    while (at < length && line[at] != '=' && line[at] != ':')
        at++;
    if (at == length)
        return false;
    const char *name = line;
    size_t size = at;
    trim(&name, &size);
    if (size == 0 || !copy_name(key, name, size))
        return false;
    lower(key);
    *value = line + at + 1;
    *value_length = length - at - 1;
    trim(value, value_length);
    return true;
}

int aws_profiles_add(struct aws_profiles *profiles, enum aws_profile_file file, const char *text,
                     size_t length, struct err *err)
{
    struct entry at = {.file = file};
    char parent[NAME_MAX_SIZE] = ""; /* the key whose value was empty: nested settings may follow */
    if (length > FILE_LIMIT)
        return err_set(err, ERR_LIMIT, "an AWS file has more than %u bytes", FILE_LIMIT);
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        length -= 3;
    }
    for (const char *end = text + length; text < end;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line = text, *value;
        size_t size = newline ? (size_t)(newline - text) : (size_t)(end - text), value_length;
        bool indented = size > 0 && is_blank(*line);
        char key[NAME_MAX_SIZE];
        text = newline ? newline + 1 : end;
        trim(&line, &size);
        if (size == 0 || *line == '#' || *line == ';' || memchr(line, '\0', size))
            continue;
        if (*line == '[' && !indented) {
            parent[0] = at.key[0] = '\0';
            read_section(&at, line, size);
            if (at.section != SECTION_OTHER && add(profiles, &at, "", 0, err) != 0)
                return -1;
            continue;
        }
        if (at.section == SECTION_OTHER || !read_setting(line, size, key, &value, &value_length))
            continue;
        if (indented) {
            int written = parent[0] ? snprintf(at.key, sizeof at.key, "%s.%s", parent, key) : -1;
            if (written < 0 || (size_t)written >= sizeof at.key)
                continue; /* the second line of a long value: none of ours */
        } else {
            memcpy(at.key, key, sizeof at.key);
            text_copy(parent, sizeof parent, value_length == 0 ? key : "");
        }
        if (add(profiles, &at, value, value_length, err) != 0)
            return -1;
    }
    return 0;
}

int aws_profiles_read(struct aws_profiles *profiles, enum aws_profile_file file, const char *path,
                      struct err *err)
{
    struct buf buf;
    struct err own = ERR_INIT;
    buf_init(&buf, FILE_LIMIT);
    int result = file_read(path, &buf, &own);
    if (result == 0)
        result = aws_profiles_add(profiles, file, buf.data, buf.length, &own);
    else if (own.kind == ERR_NOT_FOUND)
        result = 0;
    if (result != 0) {
        if (err)
            *err = own;
        err_prefix(err, "%s", path);
    }
    if (buf.data)
        OPENSSL_cleanse(buf.data, buf.capacity);
    buf_free(&buf);
    return result;
}

/* The last one counts, as in the SDKs. */
static const char *find(const struct aws_profiles *profiles, enum aws_profile_file file, enum section section,
                        const char *name, const char *key)
{
    for (size_t i = profiles ? profiles->count : 0; i-- > 0;) {
        const struct entry *entry = &profiles->entries[i];
        if (entry->file == file && entry->section == section && strcmp(entry->key, key) == 0 &&
            strcmp(entry->name, name) == 0 && entry->value[0] != '\0')
            return entry->value;
    }
    return NULL;
}

const char *aws_profile_get_from(const struct aws_profiles *profiles, enum aws_profile_file file,
                                 const char *profile, const char *key)
{
    return find(profiles, file, SECTION_PROFILE, profile, key);
}

const char *aws_profile_get(const struct aws_profiles *profiles, const char *profile, const char *key)
{
    const char *value = aws_profile_get_from(profiles, AWS_FILE_CREDENTIALS, profile, key);
    return value ? value : aws_profile_get_from(profiles, AWS_FILE_CONFIG, profile, key);
}

const char *aws_services_get(const struct aws_profiles *profiles, const char *name, const char *key)
{
    return find(profiles, AWS_FILE_CONFIG, SECTION_SERVICES, name, key);
}

bool aws_profile_exists(const struct aws_profiles *profiles, const char *profile)
{
    for (size_t i = 0; profiles && i < profiles->count; i++)
        if (profiles->entries[i].section == SECTION_PROFILE &&
            strcmp(profiles->entries[i].name, profile) == 0)
            return true;
    return false;
}

size_t aws_profile_names(const struct aws_profiles *profiles, const char **names, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; profiles && i < profiles->count && count < max; i++) {
        const struct entry *entry = &profiles->entries[i];
        bool seen = entry->section != SECTION_PROFILE || entry->key[0] != '\0';
        for (size_t j = 0; !seen && j < count; j++)
            seen = strcmp(names[j], entry->name) == 0;
        if (!seen)
            names[count++] = entry->name;
    }
    return count;
}
