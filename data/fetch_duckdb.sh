#!/bin/sh
# Fetches DuckDB's library (C API) into DIR and verifies it. Does nothing when the right one is there.
#   data/fetch_duckdb.sh [--quiet] DIR      quiet: never asks for a password
# The npm package of the Node bindings holds the official libduckdb.so; its SHA-512 is pinned here.
ask=
[ "$1" = --quiet ] && { ask=-n; shift; }
dir=${1:?DIR}
case $(uname -m) in
x86_64) version=1.5.6-r.1 package=@duckdb/node-bindings-linux-x64
    sha512=IXcrZJE6kEqM0Z4wwdVnGBHX/frOS33VPNAwDXQ/Q+Fs84b058Qe94chrCCIcNJlG8Y3UHIUU4eBeCQxW5mN1Q== ;;
aarch64) version=1.5.5-r.5 package=@duckdb/node-bindings-linux-arm64
    sha512=CafH2AIvXtpwDynG3KB/4uEOHRGlFoB7auCRMIwH3BKNIobsANV5LSpDJ3tfyRCFIsK6e8AT1eseWVnu2Dv3cw== ;;
*) echo "DuckDB has no library for $(uname -m)" >&2; exit 1 ;;
esac
[ -f "$dir/libduckdb.so" ] && [ "$(cat "$dir/libduckdb.version" 2>/dev/null)" = "$sha512" ] && exit 0
if ! command -v npm >/dev/null; then
    echo "smartcity needs this Debian package, installing it now: npm" >&2
    sudo=; [ "$(id -u)" = 0 ] || sudo="sudo $ask"
    if [ -n "$sudo" ] && ! command -v sudo >/dev/null; then
        echo "not root, and sudo is not here; as root: apt-get install npm" >&2; exit 1; fi
    $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends npm >&2 || exit 1
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
echo "  FETCH   $package@$version"
(cd "$work" && npm pack --silent "$package@$version" >/dev/null) || {
    echo "$package@$version cannot be fetched: check the network, or put libduckdb.so 1.5 into $dir by hand" >&2; exit 1; }
archive=$(ls "$work"/*.tgz) || exit 1
got=$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
[ "$got" = "$sha512" ] || { echo "$package@$version is not what was pinned (sha512-$got): not used" >&2; exit 1; }
tar -xzf "$archive" -C "$work" package/libduckdb.so package/LICENSE || exit 1
mkdir -p "$dir" || exit 1
mv "$work/package/LICENSE" "$dir/libduckdb.LICENSE"
mv "$work/package/libduckdb.so" "$dir/libduckdb.so.new" && mv "$dir/libduckdb.so.new" "$dir/libduckdb.so" &&
    printf '%s\n' "$sha512" >"$dir/libduckdb.version"
