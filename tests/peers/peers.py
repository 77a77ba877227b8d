"""Conversations with programs that we did not write: each is one end of the wire, `holder` the
other. A test that only ever speaks to our own simulator proves that two halves of one
misunderstanding agree.

    python peers.py path/to/holder [word of the conversation ...]

Prints PASS or FAIL for each check and ends with the number of both. A program that is missing is
a FAIL, never a skip.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import clients
import servers
from talk import check, closing_line


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    holder, words = Path(sys.argv[1]).resolve(), sys.argv[2:]
    for program in ["mbpoll", "socat"]:
        if not shutil.which(program):
            check(f"{program} is installed", False, f"apt-get install {program}")
    with tempfile.TemporaryDirectory(prefix="holder-peers-") as scratch:
        for conversation in [*clients.CONVERSATIONS, *servers.CONVERSATIONS]:
            name = conversation.__name__
            if words and not any(word in name for word in words):
                continue
            started = time.monotonic()
            try:
                conversation(holder, Path(scratch))
            except Exception as error:  # noqa: BLE001 - whatever it is, the conversation failed
                check(name, False, f"{type(error).__name__}: {error}")
            print(f"      {name}: {time.monotonic() - started:.0f} s", flush=True)
    closing_line()


if __name__ == "__main__":
    main()
