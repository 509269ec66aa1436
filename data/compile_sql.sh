#!/bin/sh
# Texts of SQL as C: `const char sql_text_NAME[]` of each NAME.sql.
#   data/compile_sql.sh FILE...
echo '/* Written by data/compile_sql.sh. */'
echo '#include "lake/sql_text.h"'
for file; do
    name=${file##*/}
    echo "const char sql_text_${name%.sql}[] ="
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n"/' "$file"
    echo '    "";'
done
