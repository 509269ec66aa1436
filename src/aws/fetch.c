#include "aws/fetch.h"

#include "base/clock.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>

#define FETCH_LIMIT 65536u

struct waiter {
    struct http_transfer transfer; /* first: the transfer's address is the waiter's */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
};

static enum http_prepared on_prepare(struct http_transfer *transfer)
{
    return HTTP_START;
}

static void on_done(struct http_transfer *transfer)
{
    struct waiter *waiter = (struct waiter *)transfer;
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->ended);
    pthread_mutex_unlock(&waiter->lock);
}

int fetch_run(struct http *http, struct fetch *fetch, struct err *err)
{
    struct waiter waiter = {.done = false};
    http_transfer_init(&waiter.transfer);
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.ended, NULL);
    waiter.transfer.prepare = on_prepare;
    waiter.transfer.done = on_done;
    waiter.transfer.method = fetch->method;
    waiter.transfer.url = fetch->url;
    waiter.transfer.headers = fetch->headers;
    waiter.transfer.direct = fetch->direct;
    waiter.transfer.timeout_us = fetch->timeout_us;
    waiter.transfer.answer_limit = FETCH_LIMIT;
    if (fetch->body) {
        waiter.transfer.bytes = fetch->body;
        waiter.transfer.length = (int64_t)strlen(fetch->body);
    }
    fetch->status = 0;
    if (http_submit(http, &waiter.transfer)) {
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.done)
            pthread_cond_wait(&waiter.ended, &waiter.lock);
        pthread_mutex_unlock(&waiter.lock);
    } else {
        waiter.transfer.end = HTTP_CANCELLED;
    }
    pthread_cond_destroy(&waiter.ended);
    pthread_mutex_destroy(&waiter.lock);
    curl_slist_free_all(fetch->headers);
    fetch->headers = NULL;
    fetch->status = waiter.transfer.status;
    fetch->head = waiter.transfer.head;
    fetch->answer = waiter.transfer.body;
    switch (waiter.transfer.end) {
    case HTTP_ANSWERED:
        return 0;
    case HTTP_CANCELLED:
        return err_set(err, ERR_CANCELLED, "cancelled");
    case HTTP_TOO_LARGE:
        return err_set(err, ERR_LIMIT, "an answer of more than %u bytes", FETCH_LIMIT);
    default:
        return err_set(err, ERR_CONNECT, "%s", waiter.transfer.reason);
    }
}

void fetch_free(struct fetch *fetch)
{
    if (fetch->answer.data)
        OPENSSL_cleanse(fetch->answer.data, fetch->answer.capacity);
    buf_free(&fetch->answer);
    buf_free(&fetch->head);
}
