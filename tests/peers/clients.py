"""Clients that we did not write, against our simulator: mbpoll (C, on libmodbus) and minimalmodbus
(Python, on pyserial), over TCP and over RTU on a pty."""

import re
import signal
import socket
import time

from talk import ENOUGH_S, check, free_port, running, told

AT = "127.0.0.1"


def polled(*how):
    """mbpoll's values, and all that it said."""
    code, out, err = told("mbpoll", "-1", "-q", *how)
    return code, re.findall(r"^\[\d+\]:\s+(\S+)", out, re.MULTILINE), out + err


def mbpoll_reads_the_simulator(holder, _scratch):
    port = free_port()
    how = ["-m", "tcp", "-p", port]
    command = [holder, "sim", "--device", "eurotherm-3200", "--tcp", f"{AT}:{port}"]
    with running(command, port) as sim:
        mbpoll_meets_a_eurotherm("mbpoll", how, AT, NO_PATH)
        started = time.monotonic()
        sim.send_signal(signal.SIGTERM)
        check("sim: SIGTERM ends it within 5 s", sim.wait(ENOUGH_S) == 0 and time.monotonic() - started < 5)

    port = free_port()
    with running([holder, "sim", "--device", "icpdas-tm-th8", "--tcp", f"{AT}:{port}"], port):
        _, values, said = polled("-m", "tcp", "-p", port, "-a", 1, "-0", "-r", 0, "-c", 8, "-t", 3, AT)
        check("mbpoll: eight bottles at 62.5 °C from the RTD input", values == ["625"] * 8, said)
    taken = socket.create_server((AT, 0))
    code, out, err = told(holder, "sim", "--device", "icpdas-tm-th8", "--tcp", f"{AT}:{taken.getsockname()[1]}")
    check("sim: a port in use is refused by number", code == 1 and str(taken.getsockname()[1]) in err, out + err)
    taken.close()


def mbpoll_reads_the_simulator_on_a_pty(holder, scratch):
    link = scratch / "mbpoll-pty"
    with running([holder, "sim", "--device", "eurotherm-3200", "--pty", link], link):
        mbpoll_meets_a_eurotherm("mbpoll, RTU", ["-m", "rtu", "-b", 9600, "-P", "none"], link, SILENCE)


# What comes of a unit id that nobody has: a gateway says so, a serial line is silent.
NO_PATH = ("is behind the gateway, but silent", "Target device failed to respond")
SILENCE = ("gets no answer at all", "timed out")


def mbpoll_meets_a_eurotherm(who, how, at, nobody):
    def asked(*what):
        return polled(*how, *what, at)

    _, values, said = asked("-a", 1, "-0", "-r", 1, "-t", 4)
    check(f"{who}: the bath at 62.5 °C is 625 at wire address 1", values == ["625"], said)
    _, values, said = asked("-a", 1, "-r", 2, "-t", 4)
    check(f"{who}: and at register 2 as the book counts, from 1", values == ["625"], said)
    _, values, said = asked("-a", 1, "-0", "-r", 0x8002, "-t", "4:float", "-B")
    check(f"{who}: and 62.5 as a float at 0x8002, high word first", values == ["62.5"], said)
    code, values, said = asked("-a", 9, "-0", "-r", 1, "-t", 4, "-o", 1)
    check(f"{who}: another unit id {nobody[0]}", code != 0 and not values and nobody[1] in said, said)
    code, values, said = asked("-a", 1, "-0", "-r", 1, "-t", 3)
    check(
        f"{who}: function 4, which this controller has not, is an illegal function",
        code != 0 and "Illegal function" in said and not values,
        said,
    )
    code, _, said = asked("-a", 1, "-0", "-r", 60000, "-t", 4)
    check(f"{who}: a register that it has not is an illegal address", code != 0 and "Illegal data address" in said, said)
    # Without -1: told a value, mbpoll writes it once.
    code, out, err = told("mbpoll", "-q", *how, "-a", 1, "-0", "-r", 26, "-t", 4, at, 630)
    check(f"{who}: writes a remote set point of 63.0 °C", code == 0 and "Written 1" in out, out + err)
    _, values, said = asked("-a", 1, "-0", "-r", 26, "-t", 4)
    check(f"{who}: and reads it back", values == ["630"], said)


def minimalmodbus_reads_the_simulator_on_a_pty(holder, scratch):
    import minimalmodbus

    link = scratch / "minimalmodbus-pty"
    with running([holder, "sim", "--device", "eurotherm-3200", "--pty", link], link):
        unit = minimalmodbus.Instrument(str(link), 1)
        unit.serial.baudrate, unit.serial.timeout = 9600, 1.0
        check("minimalmodbus: the bath is 62.5 °C in tenths", unit.read_register(1, 1) == 62.5)
        check("minimalmodbus: and 62.5 as a float, high word first", unit.read_float(0x8002) == 62.5)
        check("minimalmodbus: neighbours in one question", unit.read_registers(1, 2)[0] == 625)
        for function, celsius in [(6, 63.0), (16, 63.5)]:
            unit.write_register(26, celsius, 1, functioncode=function)
            back = unit.read_register(26, 1)
            check(f"minimalmodbus: writes a set point by function {function}", back == celsius, back)
        refused(minimalmodbus, "a register that it has not", lambda: unit.read_register(60000))
        refused(minimalmodbus, "a function that it has not", lambda: unit.read_register(1, functioncode=4))
        nobody = minimalmodbus.Instrument(str(link), 9)
        nobody.serial.timeout = 0.5
        try:
            check("minimalmodbus: another unit id is silent", False, nobody.read_register(1))
        except minimalmodbus.NoResponseError as silence:
            check("minimalmodbus: another unit id is silent", True, silence)
        check("minimalmodbus: and the first still answers", unit.read_register(1, 1) == 62.5)


def refused(minimalmodbus, what, ask):
    try:
        check(f"minimalmodbus: {what} is refused", False, ask())
    except minimalmodbus.IllegalRequestError as refusal:
        check(f"minimalmodbus: {what} is refused", True, refusal)


CONVERSATIONS = [
    mbpoll_reads_the_simulator,
    mbpoll_reads_the_simulator_on_a_pty,
    minimalmodbus_reads_the_simulator_on_a_pty,
]
