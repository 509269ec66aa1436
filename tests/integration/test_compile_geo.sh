#!/bin/sh
# The compiler of data/geo says file, line and reason for a table it cannot take, and fails the build.
compiler=build/gen/compile_geo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
test=0

report() { # STATUS NAME
    test=$((test + 1))
    if [ "$1" -eq 0 ]; then echo "ok $test - $2"; else echo "not ok $test - $2"; fi
}

# refuses NAME TABLE SED-SCRIPT MESSAGE: the tables with one of them edited so, and what must be said of it
refuses() {
    cp data/geo/*.tsv "$work/"
    sed "$3" "data/geo/$2" >"$work/$2"
    "$compiler" "$work" >"$work/out.c" 2>"$work/message"
    if [ $? -eq 1 ] && grep -q "^$work/$2:$4" "$work/message"; then
        report 0 "$1"
    else
        sed 's/^/# /' "$work/message"
        report 1 "$1"
    fi
}

make -s build/gen/compile_geo || { echo "Bail out! $compiler was not built"; exit 1; }
"$compiler" data/geo >"$work/first.c" && "$compiler" data/geo | cmp -s - "$work/first.c"
report $? "the tables compile, twice to the same bytes"
"$compiler" "$work/nowhere" >/dev/null 2>"$work/message"
[ $? -eq 1 ] && grep -q 'outline.tsv:0: cannot be opened' "$work/message"
report $? "a missing folder"
refuses "a changed heading"        towns.tsv     '1s/rank/order/'             '1: the columns are not'
refuses "a missing column"         towns.tsv     '5s/	[a-z]*$//'            '5: 5 columns, not 6'
refuses "a column too many"        towns.tsv     '5s/$/	more/'                '5: more than 6 columns'
refuses "a latitude out of range"  junctions.tsv '3s/	5[0-9.]*	/	91	/'    "3: latitude '91' is not a number from 49 to 61"
refuses "not a number"             junctions.tsv '3s/	5[0-9.]*	/	5x	/'    "3: latitude '5x' is not"
refuses "half a point"             outline.tsv   '4s/,[-0-9.]*//'             "4: point '[0-9.]*' is not latitude,longitude"
refuses "an unknown kind of road"  roads.tsv     '2s/^[a-z]*/canal/'          "2: kind 'canal' is not known"
refuses "a name with a quote"      towns.tsv     '3s/^/"/'                    '3: name .* may not stand in one'
refuses "an empty name"            towns.tsv     '3s/^[^	]*//'              '3: a name is empty'
refuses "towns out of order"       towns.tsv     '3{h;d};4G'                  '4: towns are not in order'
refuses "a junction twice"         junctions.tsv '3{p}'                       '4: M1 J2 is listed twice'
refuses "a jump in a route"        routes.tsv    '2s/51\.50690/51.60690/'     '2: a step of [0-9]* m'
refuses "an unknown route"         routes.tsv    '2s/^m40-nb/m50-nb/'         "2: route 'm50-nb' is not known"
refuses "no posts on a road"       markers.tsv   '2d'                         '2: no post on A4'
refuses "a post on another road"   markers.tsv   '2s/A4/A9/'                  '2: m40-nb does not run on A9'
refuses "posts that run backwards" markers.tsv   '7s/	[0-9.]*	hapms/	9.00	hapms/' '7: post 9.00 is'
echo "1..$test"
