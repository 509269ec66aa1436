#include "localcloud/keys.h"

#include "aws/sigv4.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MASTER 32 /* bytes */

struct keys {
    char account[16];
    char access[KEYS_TEXT], secret[KEYS_TEXT], control[40];
    char master[SIGV4_HEX]; /* authenticates session tokens; hexadecimal */
};

/* `count` characters of an alphabet of 32 or 64, each with all its bits. */
static int random_text(char *out, size_t count, const char *alphabet, struct err *err)
{
    unsigned char bytes[128];
    size_t mask = strlen(alphabet) - 1;
    if (getrandom(bytes, count, 0) != (ssize_t)count)
        return err_set_errno(err, ERR_IO, errno, "no random numbers");
    for (size_t i = 0; i < count; i++)
        out[i] = alphabet[bytes[i] & mask];
    out[count] = '\0';
    return 0;
}

static const char BASE32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789ab";
static const char HEX32[] = "0123456789abcdef0123456789abcdef";

static int make_keys(struct keys *keys, const char *path, struct err *err)
{
    memcpy(keys->access, "AKIA", 4);
    if (random_text(keys->access + 4, 16, BASE32, err) < 0 ||
        random_text(keys->secret, 40, BASE64, err) < 0 || random_text(keys->control, 32, HEX32, err) < 0 ||
        random_text(keys->master, 2 * MASTER, HEX32, err) < 0)
        return -1;
    char text[600];
    int length =
        snprintf(text, sizeof text,
                 "{\n  \"access_key\": \"%s\",\n  \"secret_key\": \"%s\",\n  \"control_token\": \"%s\",\n"
                 "  \"session_key\": \"%s\"\n}\n",
                 keys->access, keys->secret, keys->control, keys->master);
    int result = file_write_atomic(path, text, (size_t)length, 0600, err);
    OPENSSL_cleanse(text, sizeof text);
    return result;
}

static bool take(const json_t *object, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text || !*text || strlen(text) >= size)
        return false;
    text_copy(out, size, text);
    return true;
}

static int read_keys(struct keys *keys, const char *path, struct err *err)
{
    struct buf text;
    buf_init(&text, 4096);
    int result = file_read(path, &text, err);
    if (result == 0) {
        json_t *object = json_loadb(text.data, text.length, 0, NULL);
        if (!take(object, "access_key", keys->access, sizeof keys->access) ||
            !take(object, "secret_key", keys->secret, sizeof keys->secret) ||
            !take(object, "control_token", keys->control, sizeof keys->control) ||
            !take(object, "session_key", keys->master, sizeof keys->master))
            result = err_set(err, ERR_CORRUPT, "%s is damaged: remove it, and new keys are made", path);
        json_decref(object);
        OPENSSL_cleanse(text.data, text.length);
    }
    buf_free(&text);
    return result;
}

struct keys *keys_open(const char *folder, const char *account, const char *access_key,
                       const char *secret_key, struct err *err)
{
    struct keys *keys = mem_zero(1, sizeof *keys);
    char path[FILE_PATH_SIZE + 16];
    text_copy(keys->account, sizeof keys->account, account);
    snprintf(path, sizeof path, "%s/keys.json", folder);
    if ((file_size(path) < 0 ? make_keys(keys, path, err) : read_keys(keys, path, err)) < 0) {
        keys_destroy(keys);
        return NULL;
    }
    if (access_key && secret_key) {
        if (!*access_key || strlen(access_key) >= KEYS_TEXT || strlen(secret_key) < 8 ||
            strlen(secret_key) >= KEYS_TEXT ||
            access_key[strspn(access_key,
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")]) {
            keys_destroy(keys);
            err_set(err, ERR_USAGE,
                    "the access key holds letters, digits, '-' and '_' (at most %d), the secret at least 8 "
                    "characters",
                    KEYS_TEXT - 1);
            return NULL;
        }
        text_copy(keys->access, sizeof keys->access, access_key);
        text_copy(keys->secret, sizeof keys->secret, secret_key);
    }
    return keys;
}

void keys_destroy(struct keys *keys)
{
    if (!keys)
        return;
    OPENSSL_cleanse(keys, sizeof *keys);
    free(keys);
}

const char *keys_access(const struct keys *keys)
{
    return keys->access;
}

const char *keys_secret(const struct keys *keys)
{
    return keys->secret;
}

const char *keys_control(const struct keys *keys)
{
    return keys->control;
}

/* ---- temporary keys --------------------------------------------------------------------------------- */

/* Token: base64 of "1 ACCESS EXPIRES PRINCIPAL MAC". The secret follows from the same key and the same text.
 */
static void derive(const struct keys *keys, const char *purpose, const char *text, char out[SIGV4_HEX])
{
    unsigned char key[SIGV4_HASH];
    struct sigv4_scope scope = {.time = "00000000T000000Z", .region = "session"};
    text_copy(scope.service, sizeof scope.service, purpose);
    sigv4_key(keys->master, &scope, key);
    sigv4_signature(key, text, strlen(text), out);
    OPENSSL_cleanse(key, sizeof key);
}

bool keys_session_make(const struct keys *keys, const char *principal, int64_t expires,
                       struct keys_session *session)
{
    char text[KEYS_TOKEN_SIZE], mac[SIGV4_HEX], secret[SIGV4_HEX];
    memcpy(session->access_key, "ASIA", 4);
    if (random_text(session->access_key + 4, 16, BASE32, NULL) < 0)
        return false;
    int length =
        snprintf(text, sizeof text, "1 %s %lld %s", session->access_key, (long long)expires, principal);
    if (length < 0 || length > 900)
        return false;
    derive(keys, "token", text, mac);
    derive(keys, "secret", text, secret);
    snprintf(session->secret_key, sizeof session->secret_key, "%.40s", secret);
    length += snprintf(text + length, sizeof text - (size_t)length, " %s", mac);
    text_base64_encode(session->token, text, (size_t)length);
    session->token[text_base64_size((size_t)length)] = '\0';
    return true;
}

static enum keys_found find_session(const struct keys *keys, const char *access_key, const char *token,
                                    int64_t now, char secret[KEYS_TEXT], char principal[KEYS_ARN_SIZE])
{
    char text[KEYS_TOKEN_SIZE], mac[SIGV4_HEX];
    size_t length = strlen(token);
    if (length >= KEYS_TOKEN_SIZE)
        return KEYS_TOKEN_BAD;
    long count = text_base64_decode(text, token, length);
    if (count < SIGV4_HEX + 4)
        return KEYS_TOKEN_BAD;
    text[count] = '\0';
    char *claimed = text + count - SIGV4_HEX;
    if (strlen(text) != (size_t)count || *claimed != ' ')
        return KEYS_TOKEN_BAD;
    *claimed++ = '\0';
    derive(keys, "token", text, mac);
    if (!sigv4_equal(mac, claimed))
        return KEYS_TOKEN_BAD;
    derive(keys, "secret", text, mac);
    snprintf(secret, KEYS_TEXT, "%.40s", mac);
    /* authentic from here on */
    char *access = text + 2, *expires = access + strcspn(access, " "), *arn;
    *expires++ = '\0';
    arn = expires + strcspn(expires, " ");
    *arn++ = '\0';
    int64_t end;
    if (strcmp(access, access_key) != 0 || !text_parse_int(expires, 0, INT64_MAX / 2, &end))
        return KEYS_TOKEN_BAD;
    text_copy(principal, KEYS_ARN_SIZE, arn);
    return now < end ? KEYS_OK : KEYS_TOKEN_EXPIRED;
}

enum keys_found keys_find(const struct keys *keys, const char *access_key, const char *token, int64_t now,
                          char secret[KEYS_TEXT], char principal[KEYS_ARN_SIZE])
{
    if (strcmp(access_key, keys->access) == 0) {
        if (token && *token)
            return KEYS_TOKEN_BAD;
        text_copy(secret, KEYS_TEXT, keys->secret);
        snprintf(principal, KEYS_ARN_SIZE, "arn:aws:iam::%s:root", keys->account);
        return KEYS_OK;
    }
    if (token && *token && strncmp(access_key, "ASIA", 4) == 0)
        return find_session(keys, access_key, token, now, secret, principal);
    return KEYS_UNKNOWN;
}
