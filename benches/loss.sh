#!/usr/bin/env bash
# How soon a lost device is seen and how soon it is back, silent or unplugged, over TCP and a pty
# at 9600 baud, in real time:
#
#     benches/loss.sh [TRIALS]
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo bench --locked --quiet -p holder-sim --bench loss -- "${1:-10}"
