"""Uses the built program as a new user does, and holds it to what the README promises.

    python .ci/demo.py target/release/holder

Prints PASS or FAIL for each check and ends with the number of both.
"""

import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "peers"))
from clients import polled  # noqa: E402
from talk import check, closing_line, free_port, running, told  # noqa: E402

WATER = ["run", "demo", "--water", "--bottles", "48", "--yes", "--speed", "60"]
KILLS = 3
# Eurotherm 3200: instrument mode, 0 run, 1 standby with every output off.
MODE = 199


def document(holder, folder, *command):
    """The one JSON document of a command, and its exit code."""
    code, out, err = told(holder, "--dir", folder, "--json", *command, within_s=120)
    try:
        return json.loads(out), code
    except json.JSONDecodeError:
        raise RuntimeError(f"{command} exits {code} without a document: {out[:500]} {err[:500]}") from None


def the_demo_is_what_it_says(holder, folder):
    started = time.monotonic()
    code, out, err = told(holder, "--dir", folder, "--json", "demo", within_s=300)
    print(f"      holder demo took {time.monotonic() - started:.1f} s", flush=True)
    if not check("demo: ends well, with an acceptable batch", code == 0, f"{code} {out}{err}"):
        return
    name = json.loads(out)["batch"]
    shown, code = document(holder, folder, "batch", "show", name)
    verdict = shown["verdict"]
    check("demo: the batch is acceptable", code == 0 and verdict["outcome"] == "acceptable", verdict)
    curve = folder / "again.csv"
    code, out, err = told(holder, "--dir", folder, "batch", "export", name, "--format", "csv", "--output", curve)
    check("demo: its curve is exported", code == 0 and curve.exists(), out + err)
    judged, code = document(holder, folder, "judge", curve, "--recipe", "holder-hmbana")
    for field in ("outcome", "findings", "figures"):
        check(
            f"demo: judge on the exported curve gives the same {field}",
            code == 0 and judged.get(field) == verdict[field],
            f"{judged.get(field)} instead of {verdict[field]}",
        )
    a_curve_that_was_cut_is_not_acceptable(holder, folder, curve)
    code, out, err = told(holder, "--dir", folder, "db", "verify")
    check("demo: the record verifies", code == 0, out + err)
    code, out, err = told(holder, "--dir", folder, "batch", "verify", name, within_s=120)
    check("demo: replaying the stored inputs gives the same batch", code == 0, out + err)
    the_printed_record_reads(holder, folder, name, verdict)


def a_curve_that_was_cut_is_not_acceptable(holder, folder, curve):
    lines = curve.read_text().splitlines(keepends=True)
    cut = folder / "cut.csv"
    cut.write_text("".join(lines[: len(lines) // 2]))
    judged, code = document(holder, folder, "judge", cut, "--recipe", "holder-hmbana")
    check("judge: half of the curve is not acceptable (exit 3)", code == 3 and judged["outcome"] != "acceptable", judged)


def the_printed_record_reads(holder, folder, name, verdict):
    pdf = folder / "again.pdf"
    code, out, err = told(holder, "--dir", folder, "batch", "record", name, "--output", pdf)
    if not check("record: is printed", code == 0 and pdf.exists(), out + err):
        return
    _, info, err = told("pdfinfo", pdf)
    pages = re.search(r"^Pages:\s+(\d+)", info, re.MULTILINE)
    check("record: opens, with 1 to 4 pages", pages and 1 <= int(pages[1]) <= 4, info + err)
    _, metadata, err = told("pdfinfo", "-meta", pdf)
    good = "<pdfaid:part>2</pdfaid:part>" in metadata and "<pdfaid:conformance>B<" in metadata
    check("record: says that it is PDF/A-2b", good, metadata + err)
    _, fonts, err = told("pdffonts", pdf)
    embedded = [line.split()[-5] for line in fonts.splitlines()[2:]]
    check("record: carries all of its fonts", embedded and set(embedded) == {"yes"}, fonts + err)
    _, text, err = told("pdftotext", "-layout", pdf, "-")
    for word in [name, verdict["outcome"], "SIMULATED", "TRAINING", "62.5", "holder-hmbana", "UTC"]:
        check(f"record: has the word {word}", word.lower() in text.lower(), text[:1500] + err)
    _, head, _ = told(holder, "--dir", folder, "--json", "db", "verify")
    check("record: has a hash of 64 digits", re.search(r"\b[0-9a-f]{64}\b", re.sub(r"\s", " ", text)), text[-1500:])


def practice(holder, folder):
    """A station for practice on free ports: gives the port of its bath controller."""
    code, out, err = told(holder, "init", folder, "--training", "--time-zone", "UTC")
    if code != 0:
        raise RuntimeError(f"holder init: {out}{err}")
    station, panel, probes = folder / "station.toml", free_port(), free_port()
    station.write_text(station.read_text().replace(":15021", f":{panel}").replace(":15022", f":{probes}"))
    return panel, probes


def started(holder, folder, minutes):
    """A water run in the background, once it has told of this many minutes; and the last of them."""
    log = (folder / "run.log").open("w+")
    command = [str(holder), "--dir", str(folder), *WATER]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None and told_minutes(folder) < minutes:
        time.sleep(0.02)
    return process


def told_minutes(folder):
    """The batch time of the last line of state, in whole minutes: that much was acknowledged."""
    text = (folder / "run.log").read_text()
    lines = re.findall(r"^(\d+):(\d\d):(\d\d)  \S+: .*bath", text, re.MULTILINE)
    return max((int(hours) * 60 + int(minutes) for hours, minutes, _ in lines), default=0)


def a_killed_program_loses_nothing(holder, folder):
    """kill -9 in the middle of a run, several times on one station."""
    panel, probes = practice(holder, folder)
    with running([holder, "sim", "--unit", f"{folder}/station.toml:demo", "--speed", "60"], panel, probes):
        for kill in range(1, KILLS + 1):
            process = started(holder, folder, 2 * kill)
            time.sleep(random.uniform(0, 0.3))
            process.kill()
            process.wait()
            acknowledged, log = told_minutes(folder), (folder / "run.log").read_text()
            check(f"kill -9 ({kill}): the run was in the middle", acknowledged >= 2 * kill, log[-500:])
            code, out, err = told(holder, "--dir", folder, "db", "verify")
            check(f"kill -9 ({kill}): the record verifies", code == 0, out + err)
            batches, _ = document(holder, folder, "batch", "list")
            name = max(batch["code"] for batch in batches)
            curve = folder / f"killed-{kill}.csv"
            told(holder, "--dir", folder, "batch", "export", name, "--format", "csv", "--output", curve)
            seconds = seconds_of(curve)
            last = seconds[-1] if seconds else -1
            slow = "disk is slow" in log
            check(
                f"kill -9 ({kill}): every acknowledged sample is there, to {acknowledged} min and on",
                slow or last >= 60 * acknowledged,
                f"stored to {last} s",
            )
            gaps = [late - early for early, late in zip(seconds, seconds[1:])]
            check(f"kill -9 ({kill}): without a gap of 10 s", gaps and max(gaps) < 10, max(gaps, default="no rows"))
            code, out, err = told(holder, "--dir", folder, *WATER)
            refused = code == 1 and name in err and "--resume" in err and "confirmed it" in err
            check(f"kill -9 ({kill}): the next run begins nothing, makes it safe, and says so", refused, f"{code} {err}")
            given_up = ["run", "demo", "--abandon", "killed on purpose", "--speed", "60"]
            code, out, err = told(holder, "--dir", folder, *given_up)
            check(f"kill -9 ({kill}): and the batch can be given up", code == 0, f"{code} {out}{err}")

        process = started(holder, folder, 2)
        batches, _ = document(holder, folder, "batch", "list")
        codes = sorted(batch["code"] for batch in batches)[:KILLS]
        killed = [document(holder, folder, "batch", "show", name)[0] for name in codes]
        outcomes = [one["verdict"]["outcome"] for one in killed]
        check("after kill -9: the batches that were given up are incomplete", outcomes == ["incomplete"] * KILLS, outcomes)
        code, out, err = told(holder, "--dir", folder, *WATER)
        check("a second program on the same unit is refused", code == 1, f"{code} {out}{err}")
        a_signal_makes_it_safe(process, panel)
        code, out, err = told(holder, "--dir", folder, "db", "verify")
        check("after all of it: the record verifies", code == 0, out + err)


def a_signal_makes_it_safe(process, panel):
    def heater():
        return polled("-m", "tcp", "-p", panel, "-a", 1, "-0", "-r", MODE, "-t", 4, "127.0.0.1")[1]

    check("SIGTERM: before it the heater was on", heater() == ["0"], heater())
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    check("SIGTERM: after it mbpoll sees the heater off", heater() == ["1"], heater())


def seconds_of(curve):
    rows = [line.split(",") for line in curve.read_text().splitlines() if line and not line.startswith("#")]
    column = rows[0].index("t_s")
    return [float(row[column]) for row in rows[1:]]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    holder = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="holder-demo-") as scratch:
        for story in (the_demo_is_what_it_says, a_killed_program_loses_nothing):
            folder = Path(scratch) / story.__name__
            try:
                story(holder, folder)
            except Exception as error:  # noqa: BLE001 - whatever it is, the story failed
                check(story.__name__, False, f"{type(error).__name__}: {error}")
    closing_line()


if __name__ == "__main__":
    main()
