#include "localcloud/fault.h"

#include "base/clock.h"
#include "base/rng.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 64

struct rule {
    char service[32], operation[64];
    enum fault_kind kind; /* FAULT_NONE: slow */
    int status;
    int64_t bytes, delay_us;
    int64_t left, after; /* left -1: for ever */
    double probability;
    uint64_t taken;
};

struct faults {
    pthread_mutex_t lock;
    struct rule rules[RULES_MAX];
    size_t count;
    struct rng_key key;
};

struct faults *faults_create(void)
{
    struct faults *faults = mem_zero(1, sizeof *faults);
    pthread_mutex_init(&faults->lock, NULL);
    faults->key.seed = (uint64_t)clock_wall_us();
    return faults;
}

void faults_destroy(struct faults *faults)
{
    if (!faults)
        return;
    pthread_mutex_destroy(&faults->lock);
    free(faults);
}

/* The next word into out; false at the end or when it is too long. */
static bool next_word(const char **at, char *out, size_t size)
{
    *at += strspn(*at, " \t\r\n");
    size_t length = strcspn(*at, " \t\r\n");
    if (length == 0 || length >= size)
        return false;
    memcpy(out, *at, length);
    out[length] = '\0';
    *at += length;
    return true;
}

static bool parse_kind(struct rule *rule, const char *word)
{
    int64_t value;
    if (strcmp(word, "throttle") == 0) {
        rule->kind = FAULT_THROTTLE;
    } else if (strcmp(word, "lost") == 0) {
        rule->kind = FAULT_LOST;
    } else if (strncmp(word, "error=", 6) == 0 && text_parse_int(word + 6, 400, 599, &value)) {
        rule->kind = FAULT_ERROR;
        rule->status = (int)value;
    } else if (strncmp(word, "cut=", 4) == 0 && text_parse_int(word + 4, 0, INT64_MAX / 2, &value)) {
        rule->kind = FAULT_CUT;
        rule->bytes = value;
    } else if (strncmp(word, "slow=", 5) == 0 && text_parse_duration(word + 5, &value) &&
               value <= 600000000) {
        rule->kind = FAULT_NONE;
        rule->delay_us = value;
    } else {
        return false;
    }
    return true;
}

static bool parse_option(struct rule *rule, const char *word)
{
    if (strncmp(word, "count=", 6) == 0)
        return text_parse_int(word + 6, 1, 1000000000, &rule->left);
    if (strncmp(word, "after=", 6) == 0)
        return text_parse_int(word + 6, 0, 1000000000, &rule->after);
    return strncmp(word, "probability=", 12) == 0 && text_parse_double(word + 12, 0, 1, &rule->probability);
}

int faults_add(struct faults *faults, const char *text, struct err *err)
{
    struct rule rule = {.left = -1, .probability = 1};
    char word[64], shown[64];
    const char *at = text;
    if (!next_word(&at, rule.service, sizeof rule.service) ||
        !next_word(&at, rule.operation, sizeof rule.operation) || !next_word(&at, word, sizeof word))
        return err_set(err, ERR_USAGE,
                       "a fault is SERVICE OPERATION KIND [count=N] [probability=P] [after=N]");
    bool good = parse_kind(&rule, word);
    while (good && next_word(&at, word, sizeof word))
        good = parse_option(&rule, word);
    if (!good || at[strspn(at, " \t\r\n")]) {
        text_sanitise(shown, sizeof shown, word, strlen(word));
        return err_set(err, ERR_USAGE,
                       "'%s' is none of throttle, error=STATUS, slow=TIME, cut=BYTES, lost, count=N, "
                       "probability=P, after=N",
                       shown);
    }
    pthread_mutex_lock(&faults->lock);
    bool room = faults->count < RULES_MAX;
    if (room)
        faults->rules[faults->count++] = rule;
    pthread_mutex_unlock(&faults->lock);
    return room ? 0 : err_set(err, ERR_FULL, "there are %d faults already: clear them first", RULES_MAX);
}

void faults_clear(struct faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    faults->count = 0;
    pthread_mutex_unlock(&faults->lock);
}

static bool applies(struct faults *faults, struct rule *rule, const char *service, const char *operation)
{
    if ((strcmp(rule->service, "*") != 0 && strcmp(rule->service, service) != 0) ||
        (strcmp(rule->operation, "*") != 0 && strcmp(rule->operation, operation) != 0) || rule->left == 0)
        return false;
    if (rule->after > 0) {
        rule->after--;
        return false;
    }
    faults->key.tick++;
    return rule->probability >= 1 || rng_uniform(&faults->key) < rule->probability;
}

struct fault faults_take(struct faults *faults, const char *service, const char *operation)
{
    struct fault fault = {0};
    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->count; i++) {
        struct rule *rule = &faults->rules[i];
        bool slow = rule->kind == FAULT_NONE;
        if ((slow ? fault.delay_us != 0 : fault.kind != FAULT_NONE) ||
            !applies(faults, rule, service, operation))
            continue;
        rule->taken++;
        rule->left -= rule->left > 0;
        if (slow) {
            fault.delay_us = rule->delay_us;
        } else {
            fault.kind = rule->kind;
            fault.status = rule->status;
            fault.bytes = rule->bytes;
        }
    }
    pthread_mutex_unlock(&faults->lock);
    return fault;
}

void faults_write(struct faults *faults, struct buf *out)
{
    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->count; i++) {
        const struct rule *rule = &faults->rules[i];
        buf_printf(out, "%s %s ", rule->service, rule->operation);
        if (rule->kind == FAULT_THROTTLE)
            buf_text(out, "throttle");
        else if (rule->kind == FAULT_ERROR)
            buf_printf(out, "error=%d", rule->status);
        else if (rule->kind == FAULT_CUT)
            buf_printf(out, "cut=%lld", (long long)rule->bytes);
        else if (rule->kind == FAULT_LOST)
            buf_text(out, "lost");
        else
            buf_printf(out, "slow=%lldms", (long long)rule->delay_us / 1000);
        if (rule->left >= 0)
            buf_printf(out, " count=%lld", (long long)rule->left);
        if (rule->probability < 1)
            buf_printf(out, " probability=%g", rule->probability);
        buf_printf(out, " taken=%llu\n", (unsigned long long)rule->taken);
    }
    pthread_mutex_unlock(&faults->lock);
}
