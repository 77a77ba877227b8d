"""Reads ten registers for so many seconds with pymodbus, and prints how often in a second.

    python pymodbus_client.py [--async] PORT SECONDS

`--async` is pymodbus's client for asyncio; without it, the quicker one that blocks.
"""

import asyncio
import sys
import time

from pymodbus.client import AsyncModbusTcpClient, ModbusTcpClient

READS_PER_LOOK = 100


def checked(answer):
    if answer.isError() or answer.registers[9] != 629:
        sys.exit(f"read: {answer}")


def blocking(port, seconds):
    client = ModbusTcpClient("127.0.0.1", port=port)
    if not client.connect():
        sys.exit("nobody there")
    began = now = time.monotonic()
    reads = 0
    while now < began + seconds:
        for _ in range(READS_PER_LOOK):
            checked(client.read_holding_registers(0, count=10, device_id=1))
        reads += READS_PER_LOOK
        now = time.monotonic()
    return reads / (now - began)


async def waiting(port, seconds):
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    if not await client.connect():
        sys.exit("nobody there")
    began = now = time.monotonic()
    reads = 0
    while now < began + seconds:
        for _ in range(READS_PER_LOOK):
            checked(await client.read_holding_registers(0, count=10, device_id=1))
        reads += READS_PER_LOOK
        now = time.monotonic()
    client.close()
    return reads / (now - began)


def main():
    words = [word for word in sys.argv[1:] if word != "--async"]
    port, seconds = int(words[0]), float(words[1])
    is_async = "--async" in sys.argv
    per_second = asyncio.run(waiting(port, seconds)) if is_async else blocking(port, seconds)
    print(f"{per_second:.0f}")


main()
