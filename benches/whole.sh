#!/usr/bin/env bash
# The figures of the README that are about the whole program, with public tools only: bash's own
# clock, /proc, and a compiler. `benches/whole.sh demo list memory` needs the release build;
# `benches/whole.sh build test` builds everything again, in a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
holder=${CARGO_TARGET_DIR:-target}/release/holder
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# `date +%s%N` is milliseconds exact enough; TIMEFORMAT keeps `time` to one number.
TIMEFORMAT=%R
# The journal wants a name.
export HOLDER_USER=${HOLDER_USER:-bench}

build_once() {
    cargo build --locked --release --quiet
}

# Everything: machine, donors, pool, batch, record. The middle one of five.
demo() {
    build_once
    local n
    for n in 1 2 3 4 5; do
        { time "$holder" demo --dir "$scratch/demo-$n" >"$scratch/demo-$n.log" 2>&1; } 2>&1
    done | sort -n | sed -n 3p | sed 's/$/ s  holder demo (middle of 5)/'
}

# From nothing to the list of batches of a station that has one. The middle one of 51.
list() {
    build_once
    "$holder" demo --dir "$scratch/list" >/dev/null 2>&1
    local n
    for n in $(seq 51); do
        { time "$holder" --dir "$scratch/list" batch list >/dev/null; } 2>&1
    done | sort -n | sed -n 26p | sed 's/$/ s  holder batch list (middle of 51)/'
}

# The most that `run` ever had in memory (VmHWM), over a whole water batch at 60 times the speed
# against a machine in another process.
memory() {
    build_once
    local station=$scratch/memory
    "$holder" init "$station" --training >/dev/null
    "$holder" sim --unit "$station/station.toml:demo" --speed 60 >/dev/null 2>&1 &
    local sim=$!
    sleep 1
    "$holder" --dir "$station" run demo --water --bottles 48 --yes --speed 60 >/dev/null 2>&1 &
    local run=$! most=0 now
    while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$run/status" 2>/dev/null) && [ -n "$now" ]; do
        most=$now
        sleep 0.2
    done
    wait "$run"
    kill "$sim"
    echo "$((most / 1024)) MB  holder run, most resident memory over a whole batch"
}

# Fresh builds, in a folder that is thrown away; crates are already downloaded.
build() {
    cargo fetch --locked --quiet
    { time CARGO_TARGET_DIR=$scratch/build cargo build --locked --release --quiet; } 2>&1 |
        sed 's/$/ s  fresh release build/'
}

test() {
    cargo fetch --locked --quiet
    { time CARGO_TARGET_DIR=$scratch/test cargo test --workspace --quiet >"$scratch/test.log" 2>&1; } 2>&1 |
        sed 's/$/ s  fresh cargo test --workspace/'
}

if [ $# -eq 0 ]; then
    set -- demo list memory
fi
for figure in "$@"; do
    case $figure in
        demo | list | memory | build | test) "$figure" ;;
        *)
            echo "no figure named $figure: demo, list, memory, build, test" >&2
            exit 2
            ;;
    esac
done
