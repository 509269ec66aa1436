/* Values for the '?' of a statement: EXECUTE … USING and ExecutionParameters. Pure. */
#ifndef SMARTCITY_LOCALCLOUD_ATHENA_PARAMETERS_H
#define SMARTCITY_LOCALCLOUD_ATHENA_PARAMETERS_H

#include "localcloud/athena_lexer.h"

#include <jansson.h>

/* The text with every '?' replaced by the expression that is its value, in order. `values` is an array of
 * texts (NULL none). The caller frees; NULL with failure: their number, or a value that is no expression by
 * itself. */
char *athena_parameters_apply(const char *text, const json_t *values, struct athena_failure *failure);
/* The expressions between the top-level commas of tokens [from, to): array of texts. */
json_t *athena_parameters_split(const struct athena_tokens *tokens, size_t from, size_t to);

#endif
