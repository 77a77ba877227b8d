#!/usr/bin/env python3
"""All mutants that cargo-mutants lists, in one build; MUTANT=n chooses the n-th.

    at_once.py NODES LIST [ARGUMENT OF THE TESTS ...]    in the folder of the crate

One mutant costs one run of the tests in place of a build. Where an operator, a guard or a field is
changed stands `match crate::mutant() { n => changed, _ => as it was }`, and a function that answers
something else begins with `if crate::mutant() == n { return … }`. Where the compiler finds that a
type lacks what the mutant asks of it (no default value, no such operator), it "does not compile";
what cannot be written so for another reason is "left" to cargo-mutants itself. `at_once.json` names
them all. Each mutant is shown to the tests of its own room first. What the tests without those of
`--skip` miss is run again with all of them.
"""
import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys

nodes, listed, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
mutants = dict(enumerate(json.loads(pathlib.Path(listed).read_text()), 1))
original = {m["file"]: pathlib.Path(m["file"]).read_text() for m in mutants.values()}
lib = pathlib.Path("src/lib.rs").read_text()


def written(file, left):
    """The text of the file with its mutants but for those that are left; adds what cannot be."""
    text = original[file]
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    asked = subprocess.run([nodes, file], capture_output=True, text=True, check=True).stdout
    expressions = {}
    for line in asked.splitlines():
        at, at_c, first, first_c, last, last_c = map(int, line.split())
        where = (starts[first - 1] + first_c, starts[last - 1] + last_c)
        expressions[starts[at - 1] + at_c] = where
    changes, answers = collections.defaultdict(list), collections.defaultdict(list)
    for n, m in ((n, m) for n, m in mutants.items() if m["file"] == file and n not in left):
        begin, end = (
            starts[m["span"][side]["line"] - 1] + m["span"][side]["column"] - 1
            for side in ("start", "end")
        )
        function = m.get("function")
        # A function that gives back an unnamed type can give back no other one.
        is_unnamed = function and "impl " in function["return_type"]
        if not function or (m["genre"] == "FnValue" and is_unnamed):
            left.add(n)
        elif m["genre"] == "FnValue":
            answers[begin].append((n, m["replacement"]))
        elif m["genre"] == "MatchArmGuard":
            changes[(begin, end)].append((n, m["replacement"]))
        elif begin in expressions:
            first, last = expressions[begin]
            if m["genre"] == "StructField":
                end += len(re.match(r"\s*,?", text[end:])[0])
            changes[(first, last)].append((n, text[first:begin] + m["replacement"] + text[end:last]))
        else:
            left.add(n)

    def one_line(changed):
        return re.sub(r"\s*\n\s*", " ", re.sub(r"//[^\n]*", "", changed))

    def emitted(first, last, own=None):
        out, at = [], first
        places = set(changes) | {(begin, begin) for begin in answers}
        inner = [
            (a, b) for a, b in places
            if first <= a and b <= last and (a, b) != own and not (own and a == b == first)
        ]
        # Answers before what begins at the same place, the longer before the shorter.
        for a, b in sorted(inner, key=lambda place: (place[0], place[0] != place[1], -place[1])):
            if a < at:
                continue
            out.append(text[at:a])
            for n, answer in answers[a] if a == b else []:
                out.append(f"\n/*{n}*/ if crate::mutant() == {n} {{ return {one_line(answer)}; }}\n")
            if a != b:
                arms = "".join(f"\n/*{n}*/ {n} => {{ {one_line(c)} }}" for n, c in changes[(a, b)])
                as_it_was = emitted(a, b, (a, b))
                out.append(f"(match crate::mutant() {{{arms}\n_ => {{ {as_it_was} }}\n}})")
            at = b
        return "".join(out) + text[at:last]

    return emitted(0, len(text))


def write(left, constant):
    """`constant` names the functions that the compiler must run; the others need not be `const`."""
    for file in original:
        pathlib.Path(file).write_text(original[file])
    plain = r"\bconst (?=fn (?!(?:%s)\b))" % "|".join(constant or ["-"])
    for file, text in {file: written(file, left) for file in original}.items():
        pathlib.Path(file).write_text(re.sub(plain, "", text))
    pathlib.Path("src/lib.rs").write_text(
        "#![allow(warnings, arithmetic_overflow, unconditional_panic)]\n" + lib + """
static MUTANT: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
    std::env::var("MUTANT").ok().and_then(|n| n.parse().ok()).unwrap_or(0)
});
pub fn mutant() -> u32 { *MUTANT }
""")


def cargo(*words):
    command = ["cargo", *words, "--lib", "--message-format", "json"]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def lines_of(span):
    """The line on which an error is; where the compiler runs a function, it may choose no mutant, and
    the error is on the line that chooses: then the lines of those it chooses from as well."""
    first, *rest = pathlib.Path(span["file_name"]).read_text().split("\n")[span["line_start"] - 1 :]
    if first.endswith("(match crate::mutant() {"):
        return [first, *itertools.takewhile(lambda line: line.startswith("/*"), rest)]
    return [first]


# A type lacks a trait, an operator, or a function of a trait: so it is without the other mutants.
LACKS = {"E0277", "E0369", "E0599"}


def refused(messages):
    """The mutants on whose lines the compiler found an error, with the codes of all of theirs, the
    functions that it must run, and the other errors."""
    found, must, other = collections.defaultdict(set), set(), []
    for message in (m["message"] for m in messages if m["reason"] == "compiler-message"):
        if message["level"] != "error":
            continue
        is_const = (message["code"] or {}).get("code") == "E0015"
        lines = [
            line
            for span in message["spans"] if span["is_primary"] or span["line_start"] == span["line_end"]
            for line in lines_of(span)[: None if is_const else 1]
        ]
        on = {int(n) for line in lines for n in re.findall(r"^/\*(\d+)\*/", line)}
        for n in on:
            found[n].add((message["code"] or {}).get("code"))
        if not on and is_const:
            must |= set(re.findall(r"function `(?:\S*::)?(\w+)`", message["message"]))
        elif not on and message["spans"]:
            other.append(message["rendered"])
    return found, must, other


left, lacking, constant = set(), set(), set()
while True:
    write(left, constant)
    built = cargo("test", "--no-run", "--quiet")
    bad, must, other = refused(built)
    if not bad and must <= constant:
        break
    constant |= must
    left |= bad.keys()
    lacking |= {n for n, codes in bad.items() if codes <= LACKS}
if other:
    sys.exit("".join(other))
binary = [m["executable"] for m in built if m["reason"] == "compiler-artifact" and m["executable"]][-1]


def failed(n, arguments, limit_s=60):
    """Whether a test fails with this mutant; None if they do not come to an end."""
    command = [binary, "-Zunstable-options", "--fail-fast", "--test-threads", "1", *arguments]
    # The switch for the unstable option; nothing is built with it.
    environment = {**os.environ, "MUTANT": str(n), "RUSTC_BOOTSTRAP": "1", "RUST_BACKTRACE": "0"}
    try:
        ended = subprocess.run(command, env=environment, timeout=limit_s, capture_output=True)
    except subprocess.TimeoutExpired:
        return None
    return ended.returncode != 0


HOW = {None: "timeout", True: "caught", False: "missed"}


def tried(n):
    """The tests of the mutant's own room first: most fall to them, in a hundredth of the time."""
    room = mutants[n]["file"].removeprefix("src/").removesuffix(".rs").removesuffix("/mod")
    skips = arguments[arguments.index("--skip") :] if "--skip" in arguments else []
    own = [room.replace("/", "::") + "::", *skips]
    fails = failed(n, own)
    how = HOW[failed(n, arguments) if fails is False else fails]
    if how != "caught":
        print(how, mutants[n]["name"], sep="\t", file=sys.stderr, flush=True)
    return n, how


if failed(0, arguments) is not False:
    sys.exit("the tests fail without a mutant")
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    came = dict(pool.map(tried, (n for n in mutants if n not in left)))
    if "--skip" in arguments:
        unskipped = arguments[: arguments.index("--skip")]
        missed = [n for n, how in came.items() if how == "missed"]
        # On a loaded machine all of them take a minute without any mutant.
        seen = pool.map(lambda n: failed(n, unskipped, 600), missed)
        came |= {n: HOW[fails] for n, fails in zip(missed, seen)}
came |= {n: "does not compile" for n in lacking}
names = collections.defaultdict(list)
for n, m in mutants.items():
    names[came.get(n, "left")].append(m["name"])
pathlib.Path("at_once.json").write_text(json.dumps(names, indent=1))
for how, which in sorted(names.items()):
    print(len(which), how)
print(*names["missed"], *names["left"], sep="\n")
