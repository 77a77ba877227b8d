//! Reading TOML so that the error says file, line, key and rule, and names the nearest known
//! key for one that is unknown.

use serde::de::DeserializeOwned;

/// Why a TOML file was not accepted.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct TomlError {
    file: String,
    line: usize,
    what: String,
}

impl TomlError {
    /// A rule that the value of `key` breaks; the line is that of the first such key.
    pub fn rule(file: &str, text: &str, key: &str, rule: String) -> Self {
        Self::rule_in(file, text, "", key, rule)
    }

    /// The same below the line that begins with `section`, such as `[unit.a]`; without such a
    /// key, the line is that of the section.
    pub fn rule_in(file: &str, text: &str, section: &str, key: &str, rule: String) -> Self {
        let begins = |(_, line): &(usize, &str)| line.trim_start().starts_with(section);
        let is_key = |(_, line): &(usize, &str)| {
            line.trim_start().strip_prefix(key).is_some_and(starts_value)
        };
        let mut lines = text.lines().enumerate().skip_while(|line| !begins(line)).peekable();
        let head = lines.peek().copied().filter(|_| !section.is_empty());
        let found = lines.find(is_key).or(head);
        let (line, shown) = found.map_or((1, key), |(index, line)| (index + 1, line.trim()));
        Self { file: file.to_owned(), line, what: format!("`{shown}`: {rule}") }
    }
}

fn starts_value(rest: &str) -> bool {
    rest.trim_start().starts_with('=')
}

/// Reads `text` into `T`.
///
/// # Errors
/// Malformed TOML or a value that `T` refuses, with file and line.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
        let shown = text.lines().nth(line - 1).unwrap_or("").trim();
        let message = error.message();
        let nearest = nearest_key(message).map(|key| format!("; did you mean `{key}`?"));
        let what = format!("`{shown}`: {message}{}", nearest.unwrap_or_default());
        TomlError { file: file.to_owned(), line, what }
    })
}

/// The known key nearest to the unknown one in serde's message, if one is near.
fn nearest_key(message: &str) -> Option<&str> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(2))
        .min()
        .map(|(_, known)| known)
}
