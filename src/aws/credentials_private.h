/* The sources of keys, each in a file; for credentials.c alone. They block: the provider's thread calls them.
 */
#ifndef SMARTCITY_AWS_CREDENTIALS_PRIVATE_H
#define SMARTCITY_AWS_CREDENTIALS_PRIVATE_H

#include "aws/credentials.h"
#include "aws/http.h"
#include "base/buf.h"

#include <stdatomic.h>

enum keys_found { KEYS_FOUND, KEYS_ABSENT, KEYS_ERROR };

struct keys_search {
    const struct aws_config *config;
    struct http *http;
    const atomic_bool *stop;
    char origin[200];
};

/* The JSON of a process, a container or an instance. token_name: "SessionToken" or "Token". */
int keys_read_json(const char *text, size_t length, const char *token_name, struct aws_keys *keys,
                   struct err *err);
/* Copies; ERR_LIMIT when one is too long, ERR_AUTH when one is missing. token NULL: none. */
int keys_set(struct aws_keys *keys, const char *access_key, const char *secret_key, const char *token,
             struct err *err);

/* `command` in the words of a POSIX shell, without its expansions. At most 60 s. */
int keys_from_process(struct keys_search *search, const char *command, struct aws_keys *keys,
                      struct err *err);
enum keys_found keys_from_container(struct keys_search *search, struct aws_keys *keys, struct err *err);
enum keys_found keys_from_instance(struct keys_search *search, struct aws_keys *keys, struct err *err);

struct keys_role {
    const char *arn, *session_name, *external_id, *duration; /* NULL but for arn: not said */
    const char *token_file; /* of a web identity; NULL: signed with source keys */
};
int keys_from_role(struct keys_search *search, const struct keys_role *role, const struct aws_keys *source,
                   struct aws_keys *keys, struct err *err);
/* The answer of AssumeRole. */
int keys_read_role(const char *text, size_t length, struct aws_keys *keys, struct err *err);

#endif
