#!/usr/bin/env bash
# Thirty-two units of five devices each at 1 Hz, the controllers in one process, the simulated
# machines in another: how late control periods begin, processor, and memory.
#
#     benches/fleet.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
port=${PORT:-21000}
scratch=$(mktemp -d)
cargo build --locked --quiet --profile bench --no-default-features --bench fleet
fleet=$(cargo build --locked --quiet --profile bench --no-default-features --bench fleet \
    --message-format json | grep -o '"executable":"[^"]*/fleet-[^"]*"' | cut -d'"' -f4)
"$fleet" machines "$port" >"$scratch/machines.log" &
machines=$!
trap 'kill "$machines" 2>/dev/null; rm -rf "$scratch"' EXIT
until grep -q ready "$scratch/machines.log"; do
    kill -0 "$machines"
    sleep 0.2
done
"$fleet" controllers "$port" "$seconds"
