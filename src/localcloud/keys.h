/*
 * The keys of a local cloud: one pair made at the first start and kept beside the data (FOLDER/keys.json,
 * 0600), and temporary ones for STS. Temporary keys are not stored: the session token holds what they are,
 * authenticated by a key of the cloud's own, so that they stay good across restarts. Const after keys_open();
 * any thread.
 */
#ifndef SMARTCITY_LOCALCLOUD_KEYS_H
#define SMARTCITY_LOCALCLOUD_KEYS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define KEYS_TEXT       132
#define KEYS_TOKEN_SIZE 1400
#define KEYS_ARN_SIZE   600

struct keys;

/* access_key and secret_key: given, and not stored; NULL: those of the folder. */
struct keys *keys_open(const char *folder, const char *account, const char *access_key,
                       const char *secret_key, struct err *err);
void keys_destroy(struct keys *keys); /* NULL allowed */
const char *keys_access(const struct keys *keys);
const char *keys_secret(const struct keys *keys);
const char *keys_control(const struct keys *keys); /* the token of the control interface */

/* Temporary keys for a principal (an ARN), good until `expires` (seconds since 1970). */
struct keys_session {
    char access_key[KEYS_TEXT], secret_key[KEYS_TEXT], token[KEYS_TOKEN_SIZE];
};
bool keys_session_make(const struct keys *keys, const char *principal, int64_t expires,
                       struct keys_session *session);

enum keys_found { KEYS_OK, KEYS_UNKNOWN, KEYS_TOKEN_BAD, KEYS_TOKEN_EXPIRED };
/* The secret and principal behind an access key. token: of the request, or NULL. */
enum keys_found keys_find(const struct keys *keys, const char *access_key, const char *token, int64_t now,
                          char secret[KEYS_TEXT], char principal[KEYS_ARN_SIZE]);

#endif
