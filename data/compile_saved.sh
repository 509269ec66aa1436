#!/bin/sh
# Saved queries as C: a row of saved_sql[] of each ENGINE/NAME.sql.
#   data/compile_saved.sh FILE...
echo '/* Written by data/compile_saved.sh. */'
echo '#include "app/saved_sql.h"'
echo '#include <stddef.h>'
echo 'const struct saved_sql saved_sql[] = {'
for file; do
    name=${file##*/} folder=${file%/*}
    echo "    {\"${name%.sql}\", \"${folder##*/}\","
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/     "&\\n"/' "$file"
    echo '    },'
done
echo '    {NULL, NULL, NULL}};'
