/* Between the files that take Athena's statements apart. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_PARSER_H
#define SMARTCITY_LOCALCLOUD_ATHENA_PARSER_H

#include "localcloud/athena_statement.h"

struct parser {
    struct athena_statement *statement;
    size_t at;
    struct athena_failure *failure;
};

const struct athena_token *parser_peek(const struct parser *p, size_t ahead);
int parser_refuse(struct parser *p); /* -1: mismatched input */
/* True when it was there; it is then behind us. */
bool parser_word(struct parser *p, const char *word);
bool parser_words(struct parser *p, const char *first, const char *second);
bool parser_op(struct parser *p, const char *op);
int parser_need(struct parser *p, const char *word);
/* Caller frees; NULL and failed when it is none. A name in lower case; a text in either quotes. */
char *parser_name(struct parser *p);
char *parser_text(struct parser *p);
/* (name = value, …); names quoted or not; values texts, numbers, words, ARRAY[…]. NULL and failed. */
json_t *parser_properties(struct parser *p);

#endif
