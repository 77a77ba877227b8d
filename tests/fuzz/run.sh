#!/usr/bin/env bash
# Fuzzes each target for so many seconds, one after the other, and prints how often each was tried:
#
#     tests/fuzz/run.sh 600                     # all of them, 10 minutes each
#     tests/fuzz/run.sh 120 curve_csv bus_url   # only these
#
# Needs `cargo install cargo-fuzz --locked` and a C++ compiler. The decoders are safe Rust, so no
# address sanitizer: overflow checks and debug assertions are on. New inputs go to target/, so that
# the kept corpus stays small; what crashes is in artifacts/, and the run ends with exit code 1.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?how many seconds for each target}
shift
# libFuzzer's hooks are compiler options that a stable compiler has, but does not offer.
export RUSTC_BOOTSTRAP=1
all=$(cargo fuzz list --fuzz-dir .)
failed=0
for target in "${@:-$all}"; do
    # Without words as arguments this is one word with all names.
    for name in $target; do
        cargo fuzz build --fuzz-dir . -s none "$name" 2>/dev/null
        found=target/corpus/$name
        log=target/$name.log
        mkdir -p "$found"
        if cargo fuzz run --fuzz-dir . -s none "$name" "$found" "corpus/$name" -- \
            -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
            >"$log" 2>&1; then
            verdict=ok
        else
            verdict="CRASH, see tests/fuzz/$log"
            failed=1
        fi
        runs=$(awk '/^stat::number_of_executed_units/ { print $2 }' "$log")
        covered=$(grep -Eo 'cov: [0-9]+' "$log" | tail -1)
        echo "$name: ${runs:-?} executions in $seconds s, ${covered:-cov: ?}: $verdict"
    done
done
exit "$failed"
