/* The SQL script of a job: ${name} replaced by the job's arguments, cut into statements. Pure. */
#ifndef SMARTCITY_LOCALCLOUD_GLUE_SCRIPT_H
#define SMARTCITY_LOCALCLOUD_GLUE_SCRIPT_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>

/* ${dt} becomes the text of the argument "--dt"; -1 when there is none of that name. */
int glue_script_fill(const char *text, size_t length, const json_t *arguments, struct buf *out,
                     struct err *err);
/* The next statement at *at: without comments before it, blanks around it and the ';' behind it. NULL at the
 * end.
 * ';' in 'text', "name", `name`, -- comments and block comments separates nothing. */
const char *glue_script_next(const char **at, size_t *length);

#endif
