"""Kills a real run at random moments, as a power cut or the kernel would, and looks at what is left.

    python kills.py path/to/holder [number of kills] [seed]

A simulated machine, one of its lines on a pty, lives through all of it; `holder run` is killed with
SIGKILL and continued with `--resume`, again and again, over as many batches as it takes. After each
kill: the record verifies, and every input that the program had said to be on the disk is there. Each
continuation must go on with the batch by itself, or close it; at its end each batch verifies.
"""

import collections
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from talk import check, closing_line, free_port, running, told

SPEED = 30
# The machine did not answer in time, the program said so, and the batch stays open.
UNREACHABLE, UNREACHABLE_AT_MOST = 4, 3
BATCHES_AT_MOST_S = 900
ON_THE_DISK = re.compile(r"on the disk.*tick_ms=(\d+)")


def station(holder, folder):
    """A training station whose probes are on a serial line."""
    told(holder, "init", folder, "--training", "--time-zone", "UTC")
    text = (folder / "station.toml").read_text()
    panel, line = free_port(), folder / "line"
    text = text.replace("tcp://127.0.0.1:15021", f"tcp://127.0.0.1:{panel}")
    text = text.replace("tcp://127.0.0.1:15022", f"rtu://{line}?baud=115200")
    (folder / "station.toml").write_text(text)
    return panel, line


class Run:
    """One `holder run`, and what it has said to be on the disk."""

    def __init__(self, holder, folder, what):
        command = [holder, "--dir", folder, "-vv", "run", "demo", *what, "--yes", "--speed", SPEED]
        # As `holder` itself does, it may say more than a pipe holds: somebody always reads.
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )
        self.acknowledged, self.said = [], collections.deque(maxlen=40)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            found = ON_THE_DISK.search(line)
            if found:
                self.acknowledged.append(int(found[1]))
            else:
                self.said.append(line)

    def ended(self, within_s):
        """Its exit code if it ended by itself, else None: it was killed."""
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        killed = self.process.returncode < 0
        return None if killed else self.process.returncode


def open_batch(database):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        return db.execute("SELECT id, code, phase FROM batches WHERE closed_utc_ms IS NULL").fetchone()


def missing(database, batch, acknowledged):
    """What was said to be on the disk, and is not."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        kept = collections.Counter(
            tick for (tick,) in db.execute("SELECT tick_ms FROM inputs WHERE batch = ?", [batch])
        )
    return collections.Counter(acknowledged) - kept


class Tally:
    def __init__(self):
        self.kills, self.acknowledged = 0, 0
        self.phases, self.ends, self.faults = collections.Counter(), collections.Counter(), []

    def fault(self, text):
        self.faults.append(text)
        print(f"      after kill {self.kills}: {text}", flush=True)


def look(holder, folder, run, tally, batch_before):
    """After a kill: the record, against what the program had said."""
    database = folder / "holder.db"
    code, out, err = told(holder, "--dir", folder, "db", "verify", within_s=120)
    if code != 0:
        tally.fault(f"db verify: {code} {out}{err}")
    batch = open_batch(database)
    tally.phases[batch[2] if batch else "before the start"] += 1
    number = batch[0] if batch else batch_before
    if run.acknowledged:
        lost = missing(database, number, run.acknowledged)
        tally.acknowledged += len(run.acknowledged)
        if lost:
            tally.fault(f"{len(lost)} acknowledged inputs are missing: {sorted(lost)[:5]}")
    return number


def end_of_batch(holder, folder, code, tally, said):
    """A batch that came to its end by itself: its verdict, and that it verifies."""
    tally.ends[code] += 1
    if code not in (0, 3):
        tally.fault(f"holder run ended with {code}: {''.join(said)}")
        return
    told_code, out, err = told(holder, "--dir", folder, "--json", "batch", "list")
    newest = max(json.loads(out), key=lambda one: one["code"])
    if newest["closing"] != "ended":
        tally.fault(f"{newest['code']} was closed as {newest['closing']}")
    told_code, out, err = told(holder, "--dir", folder, "batch", "verify", newest["code"], within_s=120)
    if told_code != 0:
        tally.fault(f"{newest['code']} does not verify: {out}{err}")
    told_code, out, err = told(holder, "--dir", folder, "--json", "batch", "show", newest["code"])
    rules = {one["rule"] for one in json.loads(out)["verdict"]["findings"]}
    if "disputed" in rules:
        tally.fault(f"{newest['code']} is disputed: {out}")


def kill_again_and_again(holder, folder, kills, chance):
    tally, number = Tally(), None
    while tally.kills < kills and len(tally.faults) < 5:
        what = ["--resume"] if open_batch(folder / "holder.db") else ["--water", "--bottles", 48]
        run = Run(holder, folder, what)
        code = run.ended(chance.uniform(0.0, 9.0) if chance.random() < 0.8 else chance.uniform(0, 0.5))
        if code is None:
            tally.kills += 1
            number = look(holder, folder, run, tally, number)
        else:
            if code == UNREACHABLE and tally.ends[code] < UNREACHABLE_AT_MOST:
                # A busy computer: a person would try again, and the batch is still open.
                tally.ends[code] += 1
                continue
            end_of_batch(holder, folder, code, tally, run.said)
            if code not in (0, 3):
                break
    if open_batch(folder / "holder.db"):
        run = Run(holder, folder, ["--resume"])
        end_of_batch(holder, folder, run.ended(BATCHES_AT_MOST_S), tally, run.said)
    return tally


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    holder = Path(sys.argv[1]).resolve()
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else int(os.environ.get("N", "10"))
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else time.time_ns() % 1_000_000
    began = time.monotonic()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="holder-kills-", dir=memory if memory.is_dir() else None) as scratch:
        folder = Path(scratch) / "station"
        panel, line = station(holder, folder)
        machine = [holder, "sim", "--unit", f"{folder}/station.toml:demo", "--speed", SPEED]
        with running(machine, panel, line):
            tally = kill_again_and_again(holder, folder, kills, random.Random(seed))
        code, out, err = told(holder, "--dir", folder, "--json", "db", "verify", within_s=120)
    print(f"      seed {seed}, {tally.kills} kills in {time.monotonic() - began:.0f} s: {dict(tally.phases)}")
    print(f"      batches ended with exit code: {dict(tally.ends)}; db verify: {out.strip()}")
    check(f"{tally.kills} kills: every record verifies and every batch goes on", not tally.faults, tally.faults)
    check(f"{tally.acknowledged} acknowledged inputs: none is missing", tally.acknowledged > 0 and not tally.faults, tally)
    check("the record verifies at the end", code == 0, out + err)
    closing_line()


if __name__ == "__main__":
    main()
