"""What every conversation needs: programs in the background, a pair of serial ports, and a note
of what was found. A program that is missing is a FAIL, never a skip."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

# Whoever is logged in here, or nobody: the journal wants a name.
os.environ["HOLDER_USER"] = "peer"
ENOUGH_S = 20
passed, failed = [], []


def check(what, good, seen=""):
    """Notes one check; what was seen is printed when it is not what was wanted."""
    (passed if good else failed).append(what)
    print(f"{'PASS' if good else 'FAIL'}  {what}", flush=True)
    if not good:
        print(f"      saw: {str(seen).strip() or 'nothing'}", flush=True)
    return good


def closing_line():
    """Says how many checks passed and failed, and ends with exit code 1 unless all did."""
    print(f"{len(passed)} passed, {len(failed)} failed")
    sys.exit(1 if failed or not passed else 0)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command, *places, says=None):
    """A program in the background, once it listens on its ports, its links are there, and it has
    said what it `says`; stopped as Ctrl-C would. Its lines so far are in `process.said`."""
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    process.said = []
    reader = threading.Thread(target=lambda: process.said.extend(process.stdout), daemon=True)
    reader.start()
    try:
        for place in places:
            until(lambda place=place: is_there(place), process, f"{place} is not there")
        if says:
            heard = lambda: any(says in line for line in list(process.said))  # noqa: E731
            until(heard, process, f"does not say {says!r}")
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(ENOUGH_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(ENOUGH_S)


def is_there(place):
    if not isinstance(place, int):
        return os.path.exists(place)
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", place)) == 0


def until(good, process, otherwise):
    end = time.monotonic() + ENOUGH_S
    while time.monotonic() < end and process.poll() is None:
        if good():
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args}: {otherwise}: {''.join(process.said)[-2000:]}")


@contextmanager
def serial_pair(folder):
    """Two serial ports, each the other end of the other's cable: their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = [folder / "here", folder / "there"]
    with running(["socat", *(f"pty,raw,echo=0,link={end}" for end in ends)], *ends):
        yield ends


def told(*command, within_s=ENOUGH_S):
    """Runs a program to its end: exit code, stdout, stderr."""
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=within_s)
    return done.returncode, done.stdout, done.stderr
