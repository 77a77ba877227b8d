#!/usr/bin/env bash
# Round trips on the wire against other people's clients, in the same minutes on the same machine.
#
#     benches/wire.sh tcp     # Modbus TCP on loopback, ten registers, one connection
#     benches/wire.sh rtu     # Modbus RTU, ten registers, at 9600 and 19,200 baud
#
# `tcp`: a server on libmodbus; clients are libmodbus (C), pymodbus (Python), the same bytes over
# a bare socket, and ours: `WiredUnit::read`, from the question to ten temperatures with quality
# and age. They take short turns (ours, libmodbus, pymodbus, floor, ours, …), because other work on
# the machine comes and goes; the figure of each is the middle one of its turns, and a ratio is the
# middle one of those of neighbouring turns. Server and client sit on a core each: on one core there
# is no wake-up between them, which no real wire can do.
#
# `rtu`: a device on a pty that takes as long for each character as its wire would (paced.c); ours
# against what the wire allows: question, 3.5 characters of silence, answer, silence.
#
# Needs a C compiler, libmodbus (`apt-get install libmodbus-dev`) and pymodbus.
set -euo pipefail
cd "$(dirname "$0")/.."
turns=${TURNS:-31}
seconds=${SECONDS_PER_TURN:-0.3}
rtu_seconds=${RTU_SECONDS:-10}
python=${PYTHON:-python3}
here=benches/wire
work=$(mktemp -d)
background=()
trap 'kill "${background[@]}" 2>/dev/null; rm -rf "$work"' EXIT

build() {
    for name in server libmodbus_client; do
        cc -O2 -Wall -o "$work/$name" "$here/$name.c" $(pkg-config --cflags --libs libmodbus)
    done
    cc -O2 -Wall -o "$work/floor_client" "$here/floor_client.c"
    cc -O2 -Wall -o "$work/paced" "$here/paced.c"
    cargo build --locked --quiet --profile bench -p holder-hal --features wire --bench wire
    ours=$(cargo build --locked --quiet --profile bench -p holder-hal --features wire --bench wire \
        --message-format json | grep -o '"executable":"[^"]*/wire-[^"]*"' | cut -d'"' -f4)
}

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

middle() {
    sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"
}

# The middle one of the ratios of the turns that stood side by side.
ratio() {
    paste "$1" "$2" | awk '{ printf "%.3f\n", $1 / $2 }' >"$work/ratio"
    middle "$work/ratio"
}

# One turn of one client; what it prints is its round trips a second.
turn() {
    local name=$1
    shift
    taskset -c 1 "$@" "$seconds" >>"$work/$name"
}

tcp() {
    local port n
    port=$(free_port)
    taskset -c 0 "$work/server" "$port" >"$work/server.log" &
    background+=($!)
    until grep -q ready "$work/server.log"; do sleep 0.1; done
    for n in $(seq "$turns"); do
        turn ours "$ours" "tcp://127.0.0.1:$port"
        turn libmodbus "$work/libmodbus_client" "$port"
        turn pymodbus "$python" "$here/pymodbus_client.py" "$port"
        turn pymodbus-async "$python" "$here/pymodbus_client.py" --async "$port"
        turn floor "$work/floor_client" "$port"
    done
    for n in ours libmodbus pymodbus pymodbus-async floor; do
        echo "$n: $(middle "$work/$n") round trips a second"
    done
    echo "ours / libmodbus = $(ratio "$work/ours" "$work/libmodbus")   (goal 0.95)"
    echo "ours / pymodbus  = $(ratio "$work/ours" "$work/pymodbus")   (goal 1.8)"
    echo "ours / pymodbus-async = $(ratio "$work/ours" "$work/pymodbus-async")"
    echo "ours / floor     = $(ratio "$work/ours" "$work/floor")"
}

rtu() {
    local baud
    for baud in 9600 19200; do
        "$work/paced" "$work/line" "$baud" >"$work/paced.log" &
        local device=$!
        background+=("$device")
        until grep -q ready "$work/paced.log"; do sleep 0.1; done
        "$ours" "rtu://$work/line?baud=$baud" "$rtu_seconds" >"$work/rtu"
        kill "$device"
        wait "$device" || true
        # Question 8 characters, silence 3.5, answer 25, silence 3.5; ten bits each.
        awk -v baud="$baud" '{
            allowed = baud / 10 / 40
            printf "ours: %.2f round trips a second of %.2f that %d baud allow: %.1f %% (goal 98)\n",
                $1, allowed, baud, 100 * $1 / allowed
        }' "$work/rtu"
        tail -1 "$work/paced.log"
    done
}

build
if [ $# -eq 0 ]; then
    set -- tcp rtu
fi
for figure in "$@"; do
    case $figure in
        tcp | rtu) "$figure" ;;
        *)
            echo "no figure named $figure: tcp, rtu" >&2
            exit 2
            ;;
    esac
done
