#!/usr/bin/env bash
# Breaks the rules of src/batch one by one and asks whether a test notices: every comparison
# turned round, every function that answers something else. `docs/mutants.md` says what came out.
#
#   tests/mutants/run.sh -f 'src/batch/judge/**'      the judge alone
#   tests/mutants/run.sh -f 'src/batch/engine.rs' -F start
#   tests/mutants/run.sh at-once 'src/batch/**' batch::  all of them in one build: see at_once.py
#   tests/mutants/run.sh cover                        which lines and regions the tests reach
#
# `src/batch` needs nothing of the program but how a TOML file is read and the shipped recipes, so
# it is built here as a crate of its own, with its own unit tests: a second or two for each mutant
# in place of a minute. What is missed here may still be seen by the tests that go through the
# whole program: nobody has counted that.
#
# Needs cargo-mutants; for `cover` cargo-nextest, cargo-llvm-cov and the LLVM tools of the
# compiler's version (Debian: llvm-22).
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
crate=${MUTANTS_DIR:-$root/target/mutants}

mkdir -p "$crate"
rm -rf "$crate/src" "$crate/profiles"
mkdir -p "$crate/src"
cp -r src/batch src/toml_file.rs src/profiles.rs "$crate/src/"
cp -r profiles "$crate/"
cp Cargo.lock clippy.toml "$crate/"

# These tests rehearse whole batches, for which they need the whole program.
rm "$crate/src/batch/judge/interruption/tests.rs"
sed -i '/^#\[cfg(test)\]$/{N;/mod tests;/d}' "$crate/src/batch/judge/interruption.rs"

cat >"$crate/src/lib.rs" <<'RUST'
pub mod batch;
pub mod profiles;
pub mod toml_file;
RUST
cat >"$crate/Cargo.toml" <<TOML
[package]
name = "holder"
version = "0.0.0"
edition = "2024"
[workspace]
[lib]
doctest = false
[dependencies]
holder-hal = { path = "$root/hal", features = ["wire"] }
holder-sim = { path = "$root/sim" }
jiff = { version = "1", features = ["tzdb-bundle-always"] }
rand = { version = "0.10", default-features = false }
rand_pcg = "0.10"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
strsim = "0.11"
thiserror = "2"
toml = "1"
[dev-dependencies]
insta = "1"
proptest = { version = "1", default-features = false, features = ["std"] }
[profile.dev]
debug = 0
opt-level = 1
lto = "off"
TOML
cd "$crate"

if [ "${1:-}" = cover ]; then
    shift
    export LLVM_COV=${LLVM_COV:-/usr/bin/llvm-cov-22} LLVM_PROFDATA=${LLVM_PROFDATA:-/usr/bin/llvm-profdata-22}
    # Without optimization: regions that were folded away would count as not reached.
    CARGO_PROFILE_DEV_OPT_LEVEL=0 cargo llvm-cov nextest --lib --ignore-filename-regex '(/hal/|/sim/|tests?\.rs|/tests/|fixture\.rs)' "$@"
    exit
fi
# All tests in one process: 1.9 s of a core for each mutant, beside 1.2 s to build it; with opt-level
# 0 they take 7 s and the build is no faster, with the compiler's thin LTO the build takes 1.7. Most
# mutants fall to the quick tests: `-- -- --skip oracle --skip plausible` after the other arguments
# takes 0.4 s, and only what that misses need be run again with all of them.
# The draw is the same for every mutant, and a failure is neither shrunk nor kept: a case kept from
# one mutant would be tried against the next.
export PROPTEST_RNG_SEED=1 PROPTEST_MAX_SHRINK_ITERS=0 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
if [ "${1:-}" = at-once ]; then
    mkdir -p nodes/src
    cp "$root/tests/mutants/nodes.rs" nodes/src/main.rs
    cat >nodes/Cargo.toml <<'TOML'
[package]
name = "nodes"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
proc-macro2 = { version = "1", features = ["span-locations"] }
syn = { version = "2", features = ["full", "visit"] }
TOML
    cargo build -q --manifest-path nodes/Cargo.toml
    cargo mutants --list --json -f "$2" >list.json
    exec python3 "$root/tests/mutants/at_once.py" nodes/target/debug/nodes list.json "${@:3}"
fi
exec cargo mutants --in-place --test-tool cargo --no-shuffle --colors never "$@"
