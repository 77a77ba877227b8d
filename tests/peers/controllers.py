"""One controller of another maker, played by pymodbus: its register map as its manual's table has
it (DEVICES.md, section A), not as the program's profile does. Beside it, as unit 2, an ICP DAS
tM-TH8 with the milk probes.

    python controllers.py eurotherm|watlow|delta (--port N | --serial PATH) [--celsius] [--broken]

Prints `ready`, and each write that it was asked for as `wrote FUNCTION ADDRESS VALUES`.
`--celsius`: a Watlow that talks °C over the wire. `--broken`: nothing is at its sensor terminals.
"""

import argparse
import asyncio
import struct
import sys

from pasteurizer import bits, listening, nothing, tenths, th8_at, words
from pasteurizer import eurotherm as eurotherm_device
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import SimDevice

CONTROLLER, PROBES = 1, 2
BATH_C = 62.5
READ_FUNCTIONS = (1, 2, 3, 4)


def note(function, address, values):
    if function not in READ_FUNCTIONS and values is not None:
        print(f"wrote {function} {address} {[int(value) for value in values]}", flush=True)


async def noted(function, _start, address, _count, _now, values):
    note(function, address, values)


# --- Eurotherm 3200 -------------------------------------------------------------------------------

SENSOR_BREAK = 1 << 5


def eurotherm(told):
    device = eurotherm_device(BATH_C)
    device.action = noted
    if told.broken:
        for block in device.simdata[2]:
            if block.address == 75:
                block.values = [SENSOR_BREAK]
    return SimDevice(CONTROLLER, device.simdata, action=noted)


# --- Watlow EZ-ZONE PM: floats with the low word first, °F unless 2490 says otherwise ----------------

FAHRENHEIT, CELSIUS = 30, 15
INPUT_OPEN, INPUT_GOOD = 65, 61
MODE_OFF, SAVE_YES = 62, 106


def low_word_first(number):
    high, low = struct.unpack(">HH", struct.pack(">f", number))
    return [low, high]


def watlow(told):
    def shown(celsius):
        return low_word_first(celsius if told.celsius else celsius * 9 / 5 + 32)

    no_bits, no_words = nothing()
    holding = [
        words(360, shown(BATH_C)),
        words(362, [INPUT_OPEN if told.broken else INPUT_GOOD]),
        words(1880, [MODE_OFF]),
        words(1904, low_word_first(0)),
        words(2160, shown(20)),
        words(2172, shown(20)),
        words(2490, [CELSIUS if told.celsius else FAHRENHEIT, 0]),
        words(2494, [SAVE_YES, 0]),
    ]
    return SimDevice(CONTROLLER, (no_bits, no_bits, holding, no_words), action=noted)


# --- Delta DTB: no function 16, at most 8 words and 16 bits, writing to be enabled first --------------

WRITE_ENABLE, IS_CELSIUS, ONE_DECIMAL, RUN = 0x0810, 0x0811, 0x0812, 0x0814
NO_SENSOR = 0x8003


def delta(told):
    enabled = False

    async def manners(function, _start, address, count, _now, values):
        nonlocal enabled
        note(function, address, values)
        if function not in (2, 3, 5, 6):
            return ExcCodes.ILLEGAL_FUNCTION
        if function == 3 and count > 8:
            return ExcCodes.ILLEGAL_VALUE
        # pymodbus reads what was written once more, for its answer: that has no values.
        if function == 5 and address == WRITE_ENABLE:
            enabled = enabled if values is None else bool(values[0])
            return None
        if function in (5, 6) and not enabled:
            return ExcCodes.ILLEGAL_FUNCTION
        return None

    flags = [False] * 16
    flags[IS_CELSIUS - WRITE_ENABLE] = flags[ONE_DECIMAL - WRITE_ENABLE] = True
    memory = [
        # Bits are counted in words of sixteen; coils and inputs are two names for the same.
        bits(WRITE_ENABLE // 16, flags),
        words(0x1000, [NO_SENSOR if told.broken else tenths(BATH_C), 200, 4000, 0, 0, 0]),
        words(0x1012, [0]),
    ]
    return SimDevice(CONTROLLER, memory, use_bit_addressing=True, action=manners)


KINDS = {"eurotherm": eurotherm, "watlow": watlow, "delta": delta}


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--port", type=int, help="Modbus TCP")
    parser.add_argument("--serial", help="Modbus RTU, 9600 8N1")
    parser.add_argument("--celsius", action="store_true")
    parser.add_argument("--broken", action="store_true")
    told = parser.parse_args()
    devices = [KINDS[told.kind](told), th8_at(PROBES, tenths(BATH_C))]
    # A unit id that nobody has gets no answer, on whatever wire.
    if told.serial:
        make = lambda: ModbusSerialServer(  # noqa: E731
            devices, port=told.serial, baudrate=9600, ignore_missing_devices=True
        )
    else:
        make = lambda: ModbusTcpServer(  # noqa: E731
            devices, address=("127.0.0.1", told.port), ignore_missing_devices=True
        )
    _server = await listening(make)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
