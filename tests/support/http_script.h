/* An HTTP server for tests that says what it is told to: a list of answers, given one a request, each request
 * kept to be looked at. 127.0.0.1, one connection at a time, closed after each answer. */
#ifndef SMARTCITY_TESTS_HTTP_SCRIPT_H
#define SMARTCITY_TESTS_HTTP_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct http_script;

struct http_scripted {
    const char *begins; /* of the request line, "GET /latest"; NULL: any request */
    const char *holds; /* a piece the request must hold, in any case; NULL: none. Otherwise 400 is answered */
    int status; /* 0: closes without an answer; -1: holds the connection until the script is destroyed */
    const char *headers; /* "name: value\r\n…"; NULL none */
    const char *body;
};

/* Answers in order of the list; the last one goes on for ever. The list must outlive it. */
struct http_script *http_script_create(const struct http_scripted *answers, size_t count);
void http_script_destroy(struct http_script *script);
const char *http_script_url(const struct http_script *script); /* "http://127.0.0.1:1234" */
size_t http_script_requests(struct http_script *script);
/* The nth request, whole; a copy to be freed. */
char *http_script_request(struct http_script *script, size_t index);

#endif
