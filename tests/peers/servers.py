"""Devices that we did not write, played by pymodbus, against our controller: a whole pasteurizer
(pasteurizer.py), and one controller of each of three makers (controllers.py)."""

import json
import signal
import struct
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from talk import ENOUGH_S, check, free_port, running, serial_pair, told

HERE = Path(__file__).parent


# --- a whole pasteurizer --------------------------------------------------------------------------


@contextmanager
def pasteurizer(holder, folder, *how, line=None):
    """A station for practice whose unit `demo` is played by pymodbus: gives its folder. With a
    `line`, its two ends, controller and probes are on RTU there."""
    panel, probes = free_port(), free_port()
    code, out, err = told(holder, "init", folder, "--training", "--time-zone", "UTC")
    if code != 0:
        raise RuntimeError(f"holder init: {out}{err}")
    station = folder / "station.toml"
    text = station.read_text().replace(":15021", f":{panel}")
    if line:
        # Relays, and the hands of the technician, stay on the panel.
        text = text.replace('"tcp://127.0.0.1:15022"', f'"rtu://{line[0]}?baud=115200"')
        text = text.replace('bus = "panel"\naddress = 1', 'bus = "probes"\naddress = 1')
        text = text.replace(
            'profile = "icpdas-tm-th8"\nbus = "probes"\naddress = 1',
            'profile = "icpdas-tm-th8"\nbus = "probes"\naddress = 3',
        )
        how = [*how, "--serial", line[1]]
    else:
        text = text.replace(":15022", f":{probes}")
        how = [*how, "--probes-port", probes]
    station.write_text(text)
    command = [sys.executable, HERE / "pasteurizer.py", "--panel-port", panel, *how]
    with running(command, panel, says="ready"):
        yield station


def pymodbus_is_checked_and_read(holder, scratch):
    folder = scratch / "read"
    with pasteurizer(holder, folder) as station:
        code, out, err = told(holder, "--dir", folder, "unit", "check", "demo")
        check("pymodbus: unit check finds nothing in the way", code == 0, out + err)
        channels = read_channels("pymodbus", holder, folder)
        bath = channels.get("bath", {})
        # The plant stands in standby and loses 0.1 °C a minute.
        near = 62.3 <= (bath.get("raw_c") or 0) <= 62.5
        check("pymodbus: the bath is read as 62.5 °C, good", near and bath["quality"] == "good", channels)
        milk = [channels.get(f"milk-{n}", {}).get("raw_c") or 0 for n in (0, 1)]
        check("pymodbus: empty bottle places are near 22 °C", all(21.9 <= c <= 23 for c in milk), channels)
        check("pymodbus: the lid is closed", channels.get("lid", {}).get("on") is True, channels)

        text = station.read_text()
        station.write_text(text.replace("address = 2", "address = 7"))
        code, out, err = told(holder, "--dir", folder, "unit", "check", "demo")
        check("pymodbus: a unit id that is not there is named", code in (1, 4) and "relays" in out + err, out + err)
    code, out, err = told(holder, "--dir", folder, "unit", "read", "demo")
    check("pymodbus: with the server gone the machine is unreachable (exit 4)", code == 4, f"{code} {out}{err}")


def read_channels(who, holder, folder):
    code, out, err = told(holder, "--dir", folder, "--json", "unit", "read", "demo")
    if not check(f"{who}: unit read gives one JSON document", code == 0, out + err):
        return {}
    return {one["role"]: one for one in json.loads(out)["channels"]}


def pymodbus_in_fahrenheit_is_refused(holder, scratch):
    folder = scratch / "fahrenheit"
    with pasteurizer(holder, folder, "--fahrenheit"):
        code, out, err = told(holder, "--dir", folder, "unit", "check", "demo")
        said = out + err
        check("pymodbus: probes set to °F are refused (exit 1)", code == 1, f"{code} {said}")
        check("pymodbus: and the message says °C and which device", "°C" in said and "bottles" in said, said)
        code, out, err = told(holder, "--dir", folder, "run", "demo", "--water", "--yes", "--speed", "60")
        check("pymodbus: and no batch begins on them", code in (1, 4), f"{code} {out}{err}")


def pymodbus_runs_water(holder, scratch):
    folder = scratch / "water"
    with pasteurizer(holder, folder, "--speed", 60, "--start-c", 60):
        runs_water("pymodbus", holder, folder, 60)


def pymodbus_runs_water_on_a_serial_line(holder, scratch):
    folder = scratch / "water-rtu"
    with serial_pair(scratch / "water-line") as line:
        with pasteurizer(holder, folder, "--speed", RTU_SPEED, "--start-c", 62, line=line):
            runs_water("pymodbus, RTU", holder, folder, RTU_SPEED)


# A unit that was silent once is left alone for two seconds of real time, and each answer passes two
# more programs: at 60 times the speed a busy computer would end the batch, not the wire.
RTU_SPEED = 30


def runs_water(who, holder, folder, speed):
    at = ["--dir", folder]
    started = time.monotonic()
    how = ["--water", "--bottles", 48, "--yes", "--speed", speed]
    code, out, err = told(holder, *at, "run", "demo", *how, within_s=400)
    took_s = time.monotonic() - started
    check(f"{who}: a whole water run at {speed} times the speed ends well", code == 0, f"{code} {(out + err)[-3000:]}")
    print(f"      it took {took_s:.0f} s", flush=True)
    code, out, err = told(holder, *at, "--json", "batch", "list")
    batches = json.loads(out) if code == 0 else []
    if not check(f"{who}: the batch is in the list", len(batches) == 1, out + err):
        return
    code, out, err = told(holder, *at, "--json", "batch", "show", batches[0]["code"])
    verdict = json.loads(out)["verdict"] if code in (0, 3) else {}
    check(f"{who}: and its verdict is acceptable", verdict.get("outcome") == "acceptable", out + err)
    hold_s = verdict.get("figures", {}).get("hold_s") or 0
    check(f"{who}: with an unbroken hold of 30 min", hold_s >= 1800, verdict)
    code, out, err = told(holder, *at, "db", "verify")
    check(f"{who}: and the record verifies", code == 0, out + err)


# --- one controller of each of three makers -------------------------------------------------------

STATION = """\
name = "Peers"
time_zone = "UTC"
training = true

[unit.demo]
simulated = true
period_ms = {period_ms}
bottles_max = 4

[unit.demo.bus]
line = "{url}"

[unit.demo.device.controller]
profile = "{profile}"
bus = "line"
address = 1

[unit.demo.device.bottles]
profile = "icpdas-tm-th8"
bus = "line"
address = 2

[unit.demo.roles]
bath = "controller.pv"
milk = ["bottles.channel_0"]
setpoint = "controller.{setpoint}"
heater = "controller.{heater}"
"""

CERTIFICATE = """
[unit.demo.certificate."{probe}"]
number = "PEER-1"
date = "2026-01-01"
due = "2099-12-31"
by = "pymodbus"
reference = "none"
uncertainty_c = 0.1
"""

MAKERS = {
    "eurotherm": {"profile": "eurotherm-3200", "setpoint": "remote_setpoint", "heater": "instrument_mode"},
    "watlow": {"profile": "watlow-ez-zone-pm", "setpoint": "setpoint", "heater": "control_mode"},
    "delta": {"profile": "delta-dtb", "setpoint": "setpoint", "heater": "run"},
}


@contextmanager
def controller(holder, folder, maker, line, *how):
    """A station whose only controller is played by pymodbus, over TCP or on a `line`, its two
    ends: gives the server, with what it said."""
    port = free_port()
    url = f"rtu://{line[0]}?baud=9600" if line else f"tcp://127.0.0.1:{port}"
    code, out, err = told(holder, "init", folder, "--training", "--time-zone", "UTC")
    if code != 0:
        raise RuntimeError(f"holder init: {out}{err}")
    # Twenty exchanges at 9600 baud take about a second.
    text = STATION.format(url=url, period_ms=2000 if line else 1000, **MAKERS[maker])
    name = next(row for row in (folder / "station.toml").read_text().splitlines() if row.startswith("name"))
    text = text.replace('name = "Peers"', name)
    for probe in ["controller.pv", "bottles.channel_0"]:
        text += CERTIFICATE.format(probe=probe)
    (folder / "station.toml").write_text(text)
    at = ["--serial", line[1]] if line else ["--port", port]
    command = [sys.executable, HERE / "controllers.py", maker, *at, *how]
    with running(command, *([] if line else [port]), says="ready") as server:
        yield server


def controllers_over_tcp(holder, scratch):
    for maker in MAKERS:
        meets(holder, scratch / f"{maker}-tcp", maker, None)


def controllers_on_a_serial_line(holder, scratch):
    for maker in MAKERS:
        with serial_pair(scratch / f"{maker}-line") as line:
            meets(holder, scratch / f"{maker}-rtu", maker, line)


def meets(holder, folder, maker, line):
    who = f"{maker}, {'RTU' if line else 'TCP'}"
    at = ["--dir", folder]
    with controller(holder, folder, maker, line) as server:
        code, out, err = told(holder, *at, "unit", "check", "demo")
        check(f"{who}: unit check finds nothing in the way", code == 0, f"{code} {out}{err}")
        check(f"{who}: and wrote nothing", not writes(server), server.said)
        channels = read_channels(who, holder, folder)
        for role in ["bath", "milk-0"]:
            seen = channels.get(role, {})
            right = seen.get("raw_c") == 62.5 and seen.get("quality") == "good"
            check(f"{who}: {role} is 62.5 °C, good", right, channels)
        heats_and_stops(who, holder, folder, server, WRITTEN[maker])
    broken = folder.with_name(folder.name + "-broken")
    with controller(holder, broken, maker, line, "--broken") as server:
        bath = read_channels(who, holder, broken).get("bath", {})
        check(f"{who}: a broken sensor is sensor-open, never a value", bath.get("quality") == "sensor-open", bath)
        never_heats(who, holder, broken, server, *WRITTEN[maker][:2])


def writes(server):
    """(function, address, values) in the order in which the server was asked."""
    found = []
    for said in list(server.said):
        if said.startswith("wrote "):
            _, function, address, values = said.split(" ", 3)
            found.append((int(function), int(address), json.loads(values)))
    return found


def heats_and_stops(who, holder, folder, server, expected):
    """Begins a water run, stops it as soon as it heats, and looks at what was written."""
    heat_on, heat_off, before, setpoint, celsius = expected
    command = [holder, "--dir", folder, "run", "demo", "--water", "--bottles", 4, "--yes"]
    with running(command) as run:
        end = time.monotonic() + ENOUGH_S
        while time.monotonic() < end and heat_on not in writes(server) and run.poll() is None:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        run.wait(ENOUGH_S)
    asked = writes(server)
    if not check(f"{who}: a water run switches the heat on", heat_on in asked, [asked, run.said]):
        return
    told_so_far = asked[: asked.index(heat_on)]
    points = [at for at, one in enumerate(told_so_far) if one[:2] == setpoint]
    if check(f"{who}: after a set point", bool(points), asked):
        degrees = celsius(asked[points[-1]][2])
        check(f"{who}: for a hold at 62.5 °C", 62.5 <= degrees <= 66, asked)
        prepared = all(must in asked[: points[-1]] for must in before)
        check(f"{who}: and after what the maker wants to be set before", prepared, asked)
    if who.startswith("delta"):
        check(f"{who}: function 16, which it has not, is never tried", all(one[0] != 16 for one in asked), asked)
    last = [one for one in asked if one[:2] == heat_on[:2]][-1]
    check(f"{who}: Ctrl-C takes the heat away", last == heat_off, asked)


def never_heats(who, holder, folder, server, heat_on, heat_off):
    """A water run on a broken sensor: the safe state is written, and heat never."""
    command = [holder, "--dir", folder, "run", "demo", "--water", "--bottles", 4, "--yes"]
    with running(command) as run:
        time.sleep(PERIODS_S)
        run.send_signal(signal.SIGINT)
        run.wait(ENOUGH_S)
    asked = writes(server)
    check(f"{who}: on it heat is taken away and never given", heat_off in asked and heat_on not in asked, asked)


# Two control periods on a serial line, more over TCP.
PERIODS_S = 5


def tenths(values):
    return values[0] / 10


def fahrenheit_low_word_first(values):
    low, high = values
    return (struct.unpack(">f", struct.pack(">HH", high, low))[0] - 32) * 5 / 9


# Heat on, heat off, what comes before the set point, its function and address, its °C.
WRITTEN = {
    "eurotherm": ((6, 199, [0]), (6, 199, [1]), [(6, 276, [1])], (6, 26), tenths),
    "watlow": ((6, 1880, [10]), (6, 1880, [62]), [(6, 2494, [59])], (16, 2160), fahrenheit_low_word_first),
    "delta": ((5, 0x0814, [1]), (5, 0x0814, [0]), [(5, 0x0810, [1])], (6, 0x1001), tenths),
}


def a_watlow_that_talks_celsius_is_refused(holder, scratch):
    folder = scratch / "watlow-celsius"
    with controller(holder, folder, "watlow", None, "--celsius"):
        code, out, err = told(holder, "--dir", folder, "unit", "check", "demo")
        said = out + err
        named = "controller" in said and "°F" in said and "0x000F" in said.replace("0x0F", "0x000F")
        check("watlow: one that talks °C is refused, by name and register", code == 1 and named, f"{code} {said}")
        code, out, err = told(holder, "--dir", folder, "run", "demo", "--water", "--yes")
        check("watlow: and no batch begins on it", code in (1, 4), f"{code} {out}{err}")


# The longest first: two are held at a time.
CONVERSATIONS = [
    pymodbus_runs_water,
    pymodbus_runs_water_on_a_serial_line,
    controllers_over_tcp,
    controllers_on_a_serial_line,
    pymodbus_is_checked_and_read,
    pymodbus_in_fahrenheit_is_refused,
    a_watlow_that_talks_celsius_is_refused,
]
