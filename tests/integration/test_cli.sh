#!/bin/sh
# The command line as its users see it: exit codes, data on stdout, narration on stderr, bad input named with its cure.
smartcity=${SMARTCITY_BUILD:-build/asan}/smartcity
[ -x "$smartcity" ] || smartcity=build/smartcity
dir=$(mktemp -d)
trap 'kill $running 2>/dev/null; rm -rf "$dir"' EXIT
export HOME="$dir" XDG_RUNTIME_DIR="$dir" LC_ALL=C.UTF-8 TERM=xterm
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_CACHE_HOME XDG_DATA_HOME SMARTCITY_VEHICLES
n=0 bad=0
check() { # NAME COMMAND…: the command must succeed
    n=$((n + 1)); name=$1; shift
    if "$@" >"$dir/check.log" 2>&1; then echo "ok $n - $name"; else echo "not ok $n - $name"; bad=1; sed 's/^/# /' "$dir/check.log" | head -20; fi
}
run() { "$smartcity" "$@" >"$dir/out" 2>"$dir/err"; rc=$?; }
exits() { [ "$rc" = "$1" ] || { echo "exit $rc, not $1"; cat "$dir/err"; return 1; }; }
says() { grep -q -- "$1" "$dir/err" || { echo "stderr does not say '$1':"; cat "$dir/err"; return 1; }; }
prints() { grep -q -- "$1" "$dir/out" || { echo "stdout does not print '$1':"; head -c 2000 "$dir/out"; return 1; }; }
silent() { [ ! -s "$dir/out" ] || { echo "stdout holds:"; head -5 "$dir/out"; return 1; }; }

run --version;                 check "version" exits 0; check "version is on stdout" prints '^smartcity [0-9]'
run --help;                    check "help" exits 0; check "help leads with examples" prints '^Examples'
run simulate --help;           check "help of a command" prints '--stdout'
run frobnicate;                check "unknown command" exits 2; check "and nothing on stdout" silent
run simulat;                   check "nearly a command" says 'did you mean simulate'
run run --vehicels 3;          check "nearly an option" says 'did you mean --vehicles'; check "is a usage error" exits 2
run run --vehicles 0;          check "out of range names the range" says 'from 1 to 50000'
run run --to-kafka;            check "an option of another command" says 'does not go with'
run run surplus;               check "a surplus word" says "takes no 'surplus'"
run status;                    check "no console running" exits 1; check "and how to start one" says 'starts one'
run speed 10;                  check "a command for the console" exits 1
run replay nowhere;            check "no such journey" says 'smartcity journeys'
run replay /nowhere/x.sqlite;  check "no such file" says 'no such file'
run journeys show;             check "a missing word" exits 2
run --config /nowhere/x.conf config; check "no such configuration" exits 2

mkdir -p "$dir/.config/smartcity"
printf '[smartcity]\nvehicles = 33\ntheme = contrast\n[kafka]\nsasl.password = hunter2\nlinger.ms = 7\n' >"$dir/.config/smartcity/smartcity.conf"
SMARTCITY_VEHICLES=44; export SMARTCITY_VEHICLES
run config --seed 5;           check "environment beats file" prints 'vehicles *= 44 *; environment SMARTCITY_VEHICLES'
check "flag" prints 'seed *= 5 *; flag'
check "file" prints 'theme *= contrast *; user file'
check "librdkafka's properties" prints '^linger.ms=7'
check "a secret is not shown" sh -c "! grep -r hunter2 '$dir/out' '$dir/err'"
unset SMARTCITY_VEHICLES
printf 'vehicels = 3\n' >"$dir/.config/smartcity/smartcity.conf"
run config;                    check "a bad line is named" says 'smartcity.conf:1.*did you mean .vehicles'; check "is exit 2" exits 2
rm "$dir/.config/smartcity/smartcity.conf"

"$smartcity" simulate --seed 7 --vehicles 20 --demand 0.02 --for 20s --stdout >"$dir/a" 2>/dev/null
"$smartcity" simulate --seed 7 --vehicles 20 --demand 0.02 --for 20s --stdout >"$dir/b" 2>/dev/null
"$smartcity" simulate --seed 8 --vehicles 20 --demand 0.02 --for 20s --stdout >"$dir/c" 2>/dev/null
check "the same seed gives the same bytes" cmp "$dir/a" "$dir/b"
check "another seed gives others" sh -c "! cmp -s '$dir/a' '$dir/c'"
check "every line is topic, key, timestamp, value" sh -c "! grep -v '^{\"topic\":\"[a-z_]*\",\"key\":\"[^\"]*\",\"timestamp\":\"2026-06-15T07:[0-9:.]*Z\",\"value\":{.*}}\$' '$dir/a'"
for topic in vehicle_data gps_data traffic_data weather_data; do check "$topic is there" grep -q "\"$topic\"" "$dir/a"; done
check "20 vehicles a second for 20 s" sh -c "[ \$(grep -c vehicle_data '$dir/a') -eq 400 ]"
"$smartcity" simulate --for 1m --stdout 2>"$dir/err" | head -1 >/dev/null
run simulate --for 5s --stdout --vehicles 20 --demand 0 >/dev/full 2>&1
check "a full disk behind stdout is said" sh -c "\"$smartcity\" simulate --for 5s --stdout --demand 0 >/dev/full 2>'$dir/err'; [ \$? = 1 ] && grep -qi 'space' '$dir/err'"
run simulate --bootstrap 127.0.0.1:1 --for 1s --vehicles 5 --demand 0 --max-speed -X message.timeout.ms=1000 -X socket.connection.setup.timeout.ms=1000
check "a broker that is not there" sh -c "[ $rc -ne 0 ]"
run run --headless --for 1s -X no.such.property=1
check "an unknown property is named" says 'no.such.property'; check "as a configuration error" exits 2

"$smartcity" run --headless --vehicles 30 --demand 0.02 --output json --speed 20 >"$dir/run.json" 2>"$dir/run.err" &
running=$!
tries=0
until "$smartcity" status --output json 2>/dev/null | grep -q '"consumed": [1-9]' || [ $((tries += 1)) -gt 200 ]; do sleep 0.1; done
run status;                    check "status of a running console" prints '^lost 0'
run speed 2;                   check "a command over the socket" exits 0
run sped 2;                    check "a wrong one" exits 2
run follow nobody-at-all;      check "an error comes back" exits 1; check "with its text" says 'no vehicle'
run incident fire M40 J9;      check "an incident at a junction" exits 0
run replay --to-kafka nowhere; check "replay of nothing" exits 1
kill -INT $running; wait $running; rc=$?
cp "$dir/run.json" "$dir/out"; cp "$dir/run.err" "$dir/err"
check "interrupted is 130" exits 130
check "the broker's address was said" says '^broker 127.0.0.1:'
check "one JSON object at the end" sh -c "[ \$(wc -l <'$dir/out') -eq 1 ]"
for word in produced acknowledged consumed quarantined lag; do check "it holds $word" prints "\"$word\":"; done
check "nothing was lost" prints '"lost":0'

run journeys --output ndjson;  check "the run was recorded" prints '"state": *"complete"'
journey=$(sed -n 's/.*"path":"[^"]*\/\([^"/]*\)".*/\1/p' "$dir/out" | head -1)
run journeys show "$journey";     check "show" prints '^records'
"$smartcity" journeys export "$journey" >"$dir/export.ndjson" 2>/dev/null
check "export" grep -q '"topic":"vehicle_data"' "$dir/export.ndjson"
printf 'not json\n' >>"$dir/export.ndjson"
run journeys import "$dir/export.ndjson" --name again; check "a bad line is counted" says '1 lines not understood'; check "and told by the exit code" exits 1
"$smartcity" journeys export again >"$dir/again.ndjson" 2>/dev/null
sed '$d' "$dir/export.ndjson" >"$dir/export.clean"
check "what was imported comes out the same" cmp "$dir/export.clean" "$dir/again.ndjson"
run journeys import "$dir/export.ndjson" --name again; check "never over another" says 'is there already'
run journeys delete again --no-input; check "delete asks" says 'give --yes'; check "and is refused unasked" exits 2
run journeys delete again --yes; check "delete" exits 0
head -c 3000 /dev/urandom >"$dir/noise.sqlite"
run journeys show "$dir/noise.sqlite"; check "not a journey" sh -c "[ $rc -ne 0 ]"
[ $bad = 0 ]
