/* The AWS files: bounded, what is found is text without line ends, and reading the same text twice finds the
 * same. */
#include "aws/profile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct aws_profiles *profiles)
{
    static const char *const keys[] = {
        "region",   "aws_access_key_id",  "aws_secret_access_key", "aws_session_token",
        "services", "credential_process", "s3.endpoint_url",       "role_arn"};
    const char *names[64];
    size_t count = aws_profile_names(profiles, names, 64);
    for (size_t i = 0; i < count; i++) {
        if (!aws_profile_exists(profiles, names[i]))
            abort();
        for (size_t j = 0; j < sizeof keys / sizeof *keys; j++) {
            const char *value = aws_profile_get(profiles, names[i], keys[j]);
            if (value && (!*value || strlen(value) > 8192 || strchr(value, '\n')))
                abort();
            aws_services_get(profiles, names[i], keys[j]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aws_profiles *profiles = aws_profiles_create();
    size_t half = size > 0 ? data[0] * (size - 1) / 255 : 0;
    const char *text = size > 0 ? (const char *)data + 1 : "";
    aws_profiles_add(profiles, AWS_FILE_CONFIG, text, half, NULL);
    if (size > 0)
        aws_profiles_add(profiles, AWS_FILE_CREDENTIALS, text + half, size - 1 - half, NULL);
    look(profiles);
    aws_profiles_destroy(profiles);
    return 0;
}
