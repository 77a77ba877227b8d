//! What every story needs: a folder of its own, and the program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

/// Today in UTC, the zone of the training stations here.
pub(crate) fn today() -> jiff::civil::Date {
    #[expect(clippy::disallowed_methods, reason = "a story happens today, as for the program")]
    let now = jiff::Timestamp::now();
    now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date()
}

/// A folder of its own, in which the program runs as user `ana`.
pub(crate) struct Desk {
    folder: TempDir,
}

/// What the program answered.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn empty() -> Self {
        // Thousands of commits with FULL: in memory where the system has such a folder, so that
        // the stories do not wait for a disk. What the disk costs is measured in benches/.
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { folder: folder.expect("a folder") }
    }

    /// A training station, in the zone UTC.
    pub(crate) fn training() -> Self {
        let desk = Self::empty();
        desk.run("init --training --time-zone UTC").expect_code(0);
        desk
    }

    /// Another folder with the same files.
    pub(crate) fn copy(&self) -> Self {
        let other = Self::empty();
        copy(self.folder.path(), other.folder.path());
        other
    }

    /// The program, in this folder, untouched by the environment of the test.
    pub(crate) fn program(&self) -> Command {
        #[cfg(unix)]
        hear_signals();
        let mut program = Command::new(cargo_bin("holder"));
        program.current_dir(self.folder.path()).env_remove("HOLDER_DIR").env("HOLDER_USER", "ana");
        program
    }

    /// Runs the program with the words of `line` as its arguments.
    pub(crate) fn run(&self, line: &str) -> Answer {
        let output = self.program().args(line.split_whitespace()).output().expect("it starts");
        Answer::of(output)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
        fs::write(path, text).expect("it can be written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it can be read")
    }

    /// The names of all files, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// Whoever began the stories in the background may have them ignore signals (`&`, nohup), and their
/// programs would inherit that. What a program handles is not inherited (execve(2)).
#[cfg(unix)]
fn hear_signals() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT};

    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        for signal in [SIGHUP, SIGINT, SIGQUIT] {
            let always = std::sync::Arc::new(true.into());
            let heard = signal_hook::flag::register_conditional_default(signal, always);
            heard.expect("registered");
        }
    });
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            fs::create_dir(&target).expect("a new folder");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

impl Answer {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// The exit code is this one; else both outputs are shown.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Refused with exit code 1, no word on stdout, and a reason that names all of `words`.
    #[track_caller]
    pub(crate) fn expect_refusal(self, words: &[&str]) -> Self {
        let answer = self.expect_code(1);
        assert_eq!(answer.stdout, "");
        for word in words {
            assert!(answer.stderr.contains(word), "no {word:?} in: {}", answer.stderr);
        }
        answer
    }

    /// The one document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}
