/*
 * The files of the AWS CLI: ~/.aws/config and ~/.aws/credentials. A section is a profile, or `[services
 * NAME]`; a setting is `key = value`; an indented line below an empty value is a nested setting and is read
 * as "key.nested". Why not inih: it cuts lines at 200 bytes, session tokens are longer.
 *
 * What is not understood is skipped; sizes are bounded: 1 MiB a file, 4096 settings, 8 KiB a value. Pure but
 * for aws_profiles_read(). Values may be secrets.
 */
#ifndef SMARTCITY_AWS_PROFILE_H
#define SMARTCITY_AWS_PROFILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct aws_profiles;

enum aws_profile_file {
    AWS_FILE_CONFIG,     /* "[profile NAME]", "[default]", "[services NAME]" */
    AWS_FILE_CREDENTIALS /* "[NAME]"; stronger than the other */
};

struct aws_profiles *aws_profiles_create(void);
void aws_profiles_destroy(struct aws_profiles *profiles); /* NULL allowed; wipes */
/* Adds a file's text. ERR_LIMIT. */
int aws_profiles_add(struct aws_profiles *profiles, enum aws_profile_file file, const char *text,
                     size_t length, struct err *err);
/* A missing file is fine; one that cannot be read is ERR_IO. */
int aws_profiles_read(struct aws_profiles *profiles, enum aws_profile_file file, const char *path,
                      struct err *err);

/* NULL when absent or empty. key in lower case; "s3.endpoint_url" for a nested one. The credentials file
 * wins. */
const char *aws_profile_get(const struct aws_profiles *profiles, const char *profile, const char *key);
const char *aws_profile_get_from(const struct aws_profiles *profiles, enum aws_profile_file file,
                                 const char *profile, const char *key);
/* Of a `[services NAME]` section. */
const char *aws_services_get(const struct aws_profiles *profiles, const char *name, const char *key);
bool aws_profile_exists(const struct aws_profiles *profiles, const char *profile);
/* Their names, each once, by appearance; for messages. Returns how many; at most `max` are written. */
size_t aws_profile_names(const struct aws_profiles *profiles, const char **names, size_t max);

#endif
