//! Commands of this program in messages, as a person can paste them into the shell in which this one
//! was typed: with the station's folder, if one was named, and for a batch that goes on with the pace
//! that was asked for.
//!
//! It is set once, by the command line, before anything is said; a library or a test has none.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();
static PACE: OnceLock<String> = OnceLock::new();

/// The station's folder, as it was named. Only the first call counts.
pub fn set_folder(dir: &Path) {
    // A second one cannot happen: there is one command line.
    let _ = FOLDER.set(dir.to_owned());
}

/// The options of `run` that say how time passes, such as `--speed 60`, which a batch that goes on
/// needs again. Only the first call counts.
pub fn set_pace(options: String) {
    let _ = PACE.set(options);
}

/// A command on the station of this one: `holder --dir bank db verify`.
pub fn command(words: impl Display) -> String {
    written(FOLDER.get().map(PathBuf::as_path), &words.to_string())
}

/// The same on the station in another folder.
pub fn command_in(dir: &Path, words: impl Display) -> String {
    written(Some(dir), &words.to_string())
}

/// `run` on a unit, at the pace of this one: `holder --dir bank run demo --resume --speed 60`.
pub fn run(unit: &str, task: &str) -> String {
    let pace = PACE.get().map(|pace| format!(" {pace}")).unwrap_or_default();
    command(format!("run {unit} {task}{}", pace.trim_end()))
}

fn written(dir: Option<&Path>, words: &str) -> String {
    match dir {
        Some(dir) => format!("holder --dir {} {words}", quoted(&dir.display().to_string())),
        None => format!("holder {words}"),
    }
}

/// A word as a shell takes it for one (POSIX, 2.2.2): in quotes if anything in it means something else.
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+=:,@%\\".contains(letter);
    // A Windows path is plain, too: its shells take a backslash for itself.
    let is_safe = |letter: char| is_plain(letter) && (cfg!(windows) || letter != '\\');
    if !word.is_empty() && word.chars().all(is_safe) {
        return word.to_owned();
    }
    if cfg!(windows) { format!("\"{word}\"") } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_folder_if_one_was_named() {
        assert_eq!(written(None, "db verify"), "holder db verify");
        let named = command_in(Path::new("bank"), "db verify");
        assert_eq!(named, "holder --dir bank db verify");
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_takes_a_folder_for_one_word() {
        assert_eq!(quoted("/srv/bank-2/x_1"), "/srv/bank-2/x_1");
        for word in ["our bank", "bank's", "$HOME", "", "a;b", "~", "a*", "a\\b"] {
            let shell = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output()
                .expect("a shell is there");
            assert_eq!(String::from_utf8_lossy(&shell.stdout), word);
        }
    }
}
