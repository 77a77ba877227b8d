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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import clients
import servers
from talk import check, closing_line


def is_asked_for(conversation, words):
    return not words or any(word in conversation.__name__ for word in words)


def hold(conversation, holder, scratch):
    name, started = conversation.__name__, time.monotonic()
    try:
        conversation(holder, scratch)
    except Exception as error:  # noqa: BLE001 - whatever it is, the conversation failed
        check(name, False, f"{type(error).__name__}: {error}")
    print(f"      {name}: {time.monotonic() - started:.0f} s", flush=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    holder, words = Path(sys.argv[1]).resolve(), sys.argv[2:]
    for program in ["mbpoll", "socat"]:
        if not shutil.which(program):
            check(f"{program} is installed", False, f"apt-get install {program}")
    named = [one for one in [*servers.CONVERSATIONS, *clients.CONVERSATIONS] if is_asked_for(one, words)]
    with tempfile.TemporaryDirectory(prefix="holder-peers-") as scratch:
        # Two at a time: they mostly wait, and the whole water runs take more than a minute each.
        with ThreadPoolExecutor(max_workers=2) as both:
            list(both.map(lambda one: hold(one, holder, Path(scratch)), named))
    closing_line()


if __name__ == "__main__":
    main()
