//! The `# key = value` lines before the columns of our own exports.

use std::fmt::Write as _;

use holder_hal::Kelvin;
use sha2::{Digest, Sha256};

use super::{ALTERED, CsvError, Source};
use crate::batch::curve::Interruption;
use crate::batch::recipe::Recipe;

/// Version of the format, raised when a key changes its meaning.
pub(super) const VERSION: &str = "1";

/// What stands before a line of the recipe's text.
pub(super) const TEXT_MARK: &str = "# | ";

/// The lines, unparsed.
pub(super) struct Preamble<'a> {
    from: Source<'a>,
    entries: Vec<Entry<'a>>,
    text: Vec<&'a str>,
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    line: u64,
    key: &'a str,
    value: &'a str,
}

/// Parts a file into the preamble (`None` in a foreign file), the number of lines before the
/// columns, and the columns. Comment lines of a foreign file are passed over.
pub(super) fn part<'a>(
    from: Source<'a>,
    text: &'a str,
) -> Result<(Option<Preamble<'a>>, u64, &'a str), CsvError> {
    let mut preamble = Preamble { from, entries: Vec::new(), text: Vec::new() };
    let (mut rest, mut lines) = (text, 0);
    while rest.starts_with('#') {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        rest = after;
        lines += 1;
        if let Some(of_text) = line.strip_prefix(TEXT_MARK) {
            preamble.text.push(of_text);
        } else if let Some((key, value)) = line.trim_start_matches('#').split_once('=') {
            preamble.entries.push(Entry { line: lines, key: key.trim(), value: value.trim() });
        }
    }
    match preamble.entries.first() {
        Some(Entry { key: "holder", value: VERSION, .. }) => Ok((Some(preamble), lines, rest)),
        Some(Entry { key: "holder", value, line }) => Err(from.cell(
            *line,
            "holder",
            value,
            format!("this program reads format {VERSION}; use the program that wrote the file"),
        )),
        _ => Ok((None, lines, rest)),
    }
}

impl<'a> Preamble<'a> {
    fn entry(&self, key: &str) -> Result<Entry<'a>, CsvError> {
        let mut found = self.entries.iter().filter(|entry| entry.key == key);
        let Some(first) = found.next() else {
            let rule = format!("the preamble lacks `# {key} = …`: export the batch again");
            return Err(self.from.whole(rule));
        };
        match found.next() {
            Some(again) => {
                Err(self.fault(again, "this key is there twice: export the batch again"))
            }
            None => Ok(*first),
        }
    }

    fn fault(&self, entry: &Entry, rule: impl Into<String>) -> CsvError {
        self.from.cell(entry.line, entry.key, entry.value, rule)
    }

    fn parsed<T>(
        &self,
        key: &str,
        rule: &str,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Result<T, CsvError> {
        let entry = self.entry(key)?;
        parse(entry.value).ok_or_else(|| self.fault(&entry, rule))
    }

    pub(super) fn word(&self, key: &str) -> Result<&'a str, CsvError> {
        Ok(self.entry(key)?.value)
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, CsvError> {
        self.parsed(key, "must be `true` or `false`", |value| value.parse().ok())
    }

    pub(super) fn count(&self, key: &str) -> Result<usize, CsvError> {
        self.parsed(key, "must be a whole number", |value| value.parse().ok())
    }

    /// Fails if this key tells another value than the recipe in the file.
    pub(super) fn agrees(&self, key: &str, in_recipe: &str) -> Result<(), CsvError> {
        let entry = self.entry(key)?;
        if entry.value == in_recipe {
            return Ok(());
        }
        let rule = format!("the recipe in this file says {in_recipe}: they must agree");
        Err(self.fault(&entry, rule))
    }

    pub(super) fn kelvin(&self, key: &str) -> Result<Kelvin, CsvError> {
        self.parsed(key, "must be a difference in °C, not below 0", kelvin)
    }

    pub(super) fn kelvins(&self, key: &str) -> Result<Vec<Kelvin>, CsvError> {
        self.parsed(key, "must be differences in °C, not below 0, parted by commas", |value| {
            value.split(',').map(kelvin).collect()
        })
    }

    pub(super) fn seconds(&self, key: &str) -> Result<u64, CsvError> {
        self.parsed(key, "must be seconds", milliseconds)
    }

    /// A value that may be missing: `none`.
    pub(super) fn maybe<T>(
        &self,
        key: &str,
        rule: &str,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Result<Option<T>, CsvError> {
        let known = |value| if value == "none" { Some(None) } else { parse(value).map(Some) };
        self.parsed(key, rule, known)
    }

    /// Every count of the bottles that came out.
    pub(super) fn counts(&self, key: &str) -> Result<Vec<u16>, CsvError> {
        let rule = "must be `none`, or whole numbers, parted by commas: the last one counts";
        let all = |value: &'a str| value.split(',').map(|one| one.trim().parse().ok()).collect();
        Ok(self.maybe(key, rule, all)?.unwrap_or_default())
    }

    /// When the controller was gone. An export of before there was such a thing lacks the key.
    pub(super) fn interruptions(&self, key: &str) -> Result<Vec<Interruption>, CsvError> {
        if self.entries.iter().all(|entry| entry.key != key) {
            return Ok(Vec::new());
        }
        let rule = "must be `none`, or times with outages, parted by commas: `61.000:12.500`";
        let all = |value: &'a str| value.split(',').map(interruption).collect();
        Ok(self.maybe(key, rule, all)?.unwrap_or_default())
    }

    /// Fails if the record did not fit its hashes. An export of before that was told lacks the key.
    pub(super) fn fits(&self) -> Result<(), CsvError> {
        if self.entries.iter().all(|entry| entry.key != "fits") || self.flag("fits")? {
            return Ok(());
        }
        Err(self.from.whole(ALTERED.to_owned()))
    }

    /// The recipe's text, if it fits its hash. Line ends that another system changed are put
    /// right again before the text is given up.
    pub(super) fn recipe_text(&self) -> Result<String, CsvError> {
        let entry = self.entry("recipe_sha256")?;
        let as_read = self.text.join("\n");
        let plain = || {
            let lines = self.text.iter().map(|line| line.strip_suffix('\r').unwrap_or(line));
            lines.collect::<Vec<_>>().join("\n")
        };
        [as_read, plain()]
            .into_iter()
            .find(|text| sha256(text) == entry.value)
            .ok_or_else(|| self.fault(&entry, "the recipe in this file is not the frozen one"))
    }
}

fn kelvin(value: &str) -> Option<Kelvin> {
    let parsed = value.trim().parse().ok().and_then(Kelvin::from_f64);
    parsed.filter(|kelvin| *kelvin >= Kelvin::ZERO)
}

/// Seconds with a fraction, as milliseconds.
pub(super) fn milliseconds(value: &str) -> Option<u64> {
    let seconds: f64 = value.parse().ok()?;
    // Up to here every millisecond is exact as f64; NaN and negatives fail the comparison.
    (0.0..=1e12).contains(&seconds).then(|| (seconds * 1000.0).round() as u64)
}

/// When a batch was continued, and how long the controller was gone: `61.000:12.500`.
fn interruption(value: &str) -> Option<Interruption> {
    let (at, outage) = value.trim().split_once(':')?;
    let outage_ms = match outage {
        "unknown" => None,
        known => Some(milliseconds(known)?),
    };
    Some(Interruption { at_ms: milliseconds(at)?, outage_ms })
}

/// The same, written.
pub(super) fn interruptions(all: &[Interruption]) -> String {
    let one = |one: &Interruption| {
        let outage = one.outage_ms.map_or("unknown".to_owned(), seconds);
        format!("{}:{outage}", seconds(one.at_ms))
    };
    let all: Vec<String> = all.iter().map(one).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// Every count of the bottles that came out, written.
pub(super) fn counts(all: &[u16]) -> String {
    let all: Vec<String> = all.iter().map(u16::to_string).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// Milliseconds as seconds with a fraction.
pub(super) fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// What the preamble repeats of the recipe, for people: key and value.
pub(super) fn of_recipe(recipe: &Recipe) -> [(&'static str, String); 4] {
    [
        ("recipe", recipe.name.clone()),
        ("floor_c", recipe.hold.floor.to_string()),
        ("hold_s", seconds(recipe.hold.hold_ms)),
        ("max_gap_s", seconds(recipe.hold.max_gap_ms)),
    ]
}

/// SHA-256 of a text, hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
