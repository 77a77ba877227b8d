"""A Holder pasteurizer played by pymodbus: a Modbus stack, register maps and a thermal plant that
share no line with `holder`. The maps were written from the manuals' tables (DEVICES.md), not from
the program's profiles.

Bus "panel":  unit 1 a Eurotherm 3200 (bath, set point), unit 2 a module of relays and inputs.
Bus "probes": unit 1 an ICP DAS tM-TH8 (milk probes 0 and 1, reference 2).
Unit 247 on bus "panel" is a person's hands: register 0 is the number of bottles in the bath.
With --serial, controller and input are on one RTU line instead, as units 1 and 3; relays and hands
stay on the panel.

    python pasteurizer.py --panel-port 15021 (--probes-port 15022 | --serial PATH) [--speed 60]
        [--fahrenheit]
"""

import argparse
import asyncio
import time

from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

HANDS = 247
EUROTHERM, RELAYS = 1, 2
TH8, TH8_ON_LINE = 1, 3

# Eurotherm 3200, holding registers.
PV, TARGET_SP, OUTPUT, WORKING_SP, REMOTE_SP = 1, 2, 4, 5, 26
STATUS, MODE, REMOTE_SELECT, UNITS, DECIMALS = 75, 199, 276, 516, 525
PV_FLOAT = 0x8002
STANDBY = 1

# tM-TH8, coils (0-based).
SCALE_COIL, FORMAT_COIL = 266, 268

READ_COILS, READ_INPUTS, READ_HOLDING, READ_INPUT_REGISTERS = 1, 2, 3, 4


def words(address, values):
    return SimData(address, values=values, datatype=DataType.REGISTERS)


def bits(address, values):
    return SimData(address, values=values, datatype=DataType.BITS)


def nothing():
    """What a block holds in which the device has nothing: one entry where nobody asks."""
    return [bits(60000, [False] * 16)], [words(60000, [0])]


def eurotherm(start_c):
    no_bits, no_words = nothing()
    holding = [
        words(PV, [tenths(start_c), 0]),
        words(OUTPUT, [0, 0]),
        words(REMOTE_SP, [0]),
        words(STATUS, [0]),
        words(MODE, [STANDBY]),
        words(REMOTE_SELECT, [0]),
        words(UNITS, [0]),
        words(DECIMALS, [1]),
        SimData(PV_FLOAT, values=[float(start_c)], datatype=DataType.FLOAT32),
    ]
    return SimDevice(EUROTHERM, (no_bits, no_bits, holding, no_words))


def relays():
    _, no_words = nothing()
    lid_closed = [True] + [False] * 7
    return SimDevice(
        RELAYS, ([bits(0, [False] * 8)], [bits(0, lid_closed)], no_words, no_words)
    )


def hands():
    no_bits, no_words = nothing()
    return SimDevice(HANDS, (no_bits, no_bits, [words(0, [0])], no_words))


def th8_at(unit_id, shown, fahrenheit=False):
    """A tM-TH8 whose eight channels all show the same tenths of a degree."""
    _, no_words = nothing()
    coils = [bits(SCALE_COIL, [not fahrenheit, False, True])]
    return SimDevice(
        unit_id, (coils, [bits(128, [False] * 8)], no_words, [words(0, [shown] * 8)])
    )


def tenths(celsius):
    return round(celsius * 10) & 0xFFFF


class Plant:
    """Bath of 40 l with 6 kW and a PI of its own; one bottle, wall and milk in one lump."""

    BATH_J_PER_K = 40 * 4180 + 6000
    HEATER_W = 6000.0
    LOSS_W_PER_K = 7.0
    BOTTLE_J_PER_K = 0.130 * 1.03 * 3930 + 40
    BOTTLE_W_PER_K = BOTTLE_J_PER_K / 330
    COOLANT_W_PER_K = 20 / 60 * 4180
    AMBIENT_C, MILK_START_C, COOLANT_C = 22.0, 4.0, 4.0
    PI_GAIN_PER_K, PI_INTEGRAL_S = 0.5, 200.0

    def __init__(self, start_c):
        self.bath_c = start_c
        self.milk_c = self.AMBIENT_C
        self.heater_w = 0.0
        self.integral = 0.0
        self.bottles = 0

    def step(self, seconds, setpoint_c, heat, cooling):
        duty = self.duty(seconds, setpoint_c) if heat else 0.0
        self.heater_w += (duty * self.HEATER_W - self.heater_w) * seconds / 12
        into_bottle_w = self.BOTTLE_W_PER_K * (self.bath_c - self.milk_c)
        bath_w = self.heater_w - self.LOSS_W_PER_K * (self.bath_c - self.AMBIENT_C)
        bath_w -= self.bottles * into_bottle_w
        if cooling:
            bath_w -= self.COOLANT_W_PER_K * (self.bath_c - self.COOLANT_C)
        self.bath_c += bath_w * seconds / self.BATH_J_PER_K
        self.milk_c += into_bottle_w * seconds / self.BOTTLE_J_PER_K
        return duty

    def duty(self, seconds, setpoint_c):
        error_k = setpoint_c - self.bath_c
        free = self.PI_GAIN_PER_K * error_k + self.integral
        if 0 < free < 1:
            self.integral += self.PI_GAIN_PER_K * error_k * seconds / self.PI_INTEGRAL_S
        return min(max(free, 0.0), 1.0)

    def load(self, bottles):
        if bottles and not self.bottles:
            self.milk_c = self.MILK_START_C
        self.bottles = bottles


async def listening(make):
    """A server that `make` makes, once it listens. A serial port that was opened just now may be
    locked for a moment."""
    for _ in range(20):
        try:
            server = make()
            await server.serve_forever(background=True)
            return server
        except RuntimeError as refusal:
            why = refusal
            await asyncio.sleep(0.1)
    raise why


async def live(plant, panel, controller, probes, speed):
    """Lets the plant live on `speed` times the wall clock, between registers and physics.

    `panel` has relays and hands; `probes` is a server and the unit id of the input on it.
    """
    probes, th8 = probes
    last = time.monotonic()
    while True:
        await asyncio.sleep(0.004)
        now = time.monotonic()
        seconds, last = (now - last) * speed, now

        async def holding(address, server=controller, device=EUROTHERM):
            return (await server.async_getValues(device, READ_HOLDING, address, 1))[0]

        remote = await holding(REMOTE_SELECT) == 1
        setpoint = await holding(REMOTE_SP if remote else TARGET_SP)
        heat = await holding(MODE) == 0
        _agitator, cooling = await panel.async_getValues(RELAYS, READ_COILS, 0, 2)
        plant.load(await holding(0, panel, HANDS))
        duty = 0.0
        for _ in range(max(1, round(seconds / 0.25))):
            part = seconds / max(1, round(seconds / 0.25))
            duty = plant.step(part, setpoint / 10, heat, cooling)

        bath, milk = tenths(plant.bath_c), tenths(plant.milk_c)
        await controller.async_setValues(EUROTHERM, READ_HOLDING, PV, [bath])
        await controller.async_setValues(EUROTHERM, READ_HOLDING, OUTPUT, [round(duty * 1000)])
        await controller.async_setValues(EUROTHERM, READ_HOLDING, WORKING_SP, [setpoint])
        shown = [milk, milk, milk] + [tenths(plant.AMBIENT_C)] * 5
        await probes.async_setValues(th8, READ_INPUT_REGISTERS, 0, shown)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panel-port", type=int, required=True)
    parser.add_argument("--probes-port", type=int)
    parser.add_argument("--serial", help="an RTU line for controller and input")
    parser.add_argument("--baud", type=int, default=115200)
    parser.add_argument("--start-c", type=float, default=62.5, help="bath at the start")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--fahrenheit", action="store_true", help="the probes are set to °F")
    told = parser.parse_args()

    controller, panel_devices = eurotherm(told.start_c), [relays(), hands()]
    if told.serial:
        on_line = [controller, th8_at(TH8_ON_LINE, 0, told.fahrenheit)]
        line = await listening(
            lambda: ModbusSerialServer(
                on_line, port=told.serial, baudrate=told.baud, ignore_missing_devices=True
            )
        )
        controlled_by, probes = line, (line, TH8_ON_LINE)
    else:
        panel_devices.append(controller)
        inputs = [th8_at(TH8, 0, told.fahrenheit)]
        at = ("127.0.0.1", told.probes_port)
        probes = (await listening(lambda: ModbusTcpServer(inputs, address=at)), TH8)
        controlled_by = None
    at = ("127.0.0.1", told.panel_port)
    panel = await listening(lambda: ModbusTcpServer(panel_devices, address=at))
    print("ready", flush=True)
    await live(Plant(told.start_c), panel, controlled_by or panel, probes, told.speed)


if __name__ == "__main__":
    asyncio.run(main())
