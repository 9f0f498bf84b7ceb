#!/usr/bin/env bash
# Prints how many crates a program with this framework builds, and what a clean build of them takes:
# for the core (no default features) and for the default features, as a debug build and as a release.
#
# Beside the time on the clock stands the processor time, which a busy machine changes less.
#
# Run with: service-runtime/benches/build_times.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo fetch --quiet

# crates <cargo arguments>: as `.ci/budget` counts them, the normal dependency tree with our own two.
crates() {
    cargo tree --quiet --package service-runtime --edges normal --prefix none "$@" |
        awk '{ print $1, $2 }' | sort -u | wc -l
}

# clean_build <cargo arguments>: seconds on the clock, and of processor time.
clean_build() {
    rm -rf "$work/target"
    local TIMEFORMAT='%R %U %S'
    { time cargo build --quiet --package service-runtime --lib --target-dir "$work/target" "$@" \
        >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }; } 2>&1 |
        awk '{ printf "%.0f s (%.0f s)", $1, $2 + $3 }'
}

echo "$(rustc --version), $(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg) at the start"
echo
printf '%-20s%8s%20s%20s\n' '' 'crates' 'debug (processor)' 'release (processor)'
row() {
    local name=$1
    shift
    printf '%-20s%8s%20s%20s\n' "$name" "$(crates "$@")" "$(clean_build "$@")" "$(clean_build --release "$@")"
}
row 'core' --no-default-features
row 'default features'
