/*
 * What was asked of the Data API and what came of it: FOLDER/redshift/history.sqlite. A statement is a JSON
 * document, as DescribeStatement gives it (members that begin with '_' are ours); its result is pages of
 * text. Kept for a day, as AWS does. A statement that a kill left unfinished is, at the next start, FINISHED
 * when the warehouse has its transaction, else FAILED.
 * Any thread.
 */
#ifndef SMARTCITY_LOCALCLOUD_REDSHIFT_HISTORY_H
#define SMARTCITY_LOCALCLOUD_REDSHIFT_HISTORY_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define REDSHIFT_KEPT_MS  (24ll * 3600 * 1000) /* statements and results */
#define REDSHIFT_TOKEN_MS (8ll * 3600 * 1000)  /* client tokens */

struct redshift_history;

struct redshift_history *redshift_history_open(const char *folder, int64_t now_ms, struct err *err);
void redshift_history_close(struct redshift_history *history); /* NULL allowed */
/* The document as it became, of a statement whose transaction was committed, a new reference; else NULL. */
typedef json_t *redshift_outcome_fn(void *context, const char *id);
/* Once, before the first statement. */
int redshift_history_recover(struct redshift_history *history, redshift_outcome_fn *committed, void *context,
                             int64_t now_ms, struct err *err);
/* A new statement; its number, which grows, or -1. token "" none; hash: of what was asked. */
int64_t redshift_history_add(struct redshift_history *history, const json_t *document, const char *name,
                             const char *token, const char *hash, int64_t now_ms, struct err *err);
int redshift_history_update(struct redshift_history *history, const json_t *document, struct err *err);
/* New reference; NULL when there is none (or with err). */
json_t *redshift_history_get(struct redshift_history *history, const char *id, struct err *err);
/* The statement of a client token; NULL none. *same: it asked the same. */
json_t *redshift_history_token(struct redshift_history *history, const char *token, const char *hash,
                               int64_t now_ms, bool *same, struct err *err);

struct redshift_history_query {
    const char *status;                         /* NULL: any */
    const char *name_prefix;                    /* "" any */
    const char *database, *cluster, *workgroup; /* NULL: any */
    int64_t before;                             /* numbers below this; 0: from the newest */
    int limit;
};
/* An array of documents, the newest first, each with "_number". New reference. */
json_t *redshift_history_list(struct redshift_history *history, const struct redshift_history_query *query,
                              struct err *err);

int redshift_history_page(struct redshift_history *history, const char *id, int64_t number, const char *body,
                          struct err *err);
/* 1: there it is; 0: none; -1: error. */
int redshift_history_read(struct redshift_history *history, const char *id, int64_t number, struct buf *body,
                          struct err *err);
void redshift_history_forget(struct redshift_history *history, int64_t now_ms);

#endif
