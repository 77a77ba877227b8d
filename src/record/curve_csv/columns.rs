//! Which column of a file means what.

use csv::StringRecord;
use holder_hal::MILK_PROBES_MAX;

use super::{CsvError, Source};

/// The places of the columns that are read.
pub(super) struct Columns {
    pub(super) time: Time,
    pub(super) milk: Vec<Milk>,
    pub(super) bath: Option<usize>,
    pub(super) reference: Option<usize>,
    /// Where the quality of the reference stands, if the file has it.
    pub(super) reference_quality: Option<usize>,
    pub(super) lid: Option<usize>,
    pub(super) phase: Option<usize>,
    /// What the controller commanded, in files of our own.
    pub(super) heat: Option<usize>,
}

pub(super) enum Time {
    /// Seconds.
    Seconds(usize),
    /// RFC 3339.
    Stamp(usize),
}

pub(super) struct Milk {
    /// The column's name, without its unit.
    pub(super) name: String,
    pub(super) at: usize,
    /// Where its quality stands, if the file has it.
    pub(super) quality: Option<usize>,
}

/// A column's name in lower case, parted from its unit.
struct Name {
    base: String,
    unit: Option<String>,
}

fn name(header: &str) -> Name {
    const UNITS: [&str; 10] =
        ["c", "f", "k", "°c", "°f", "degc", "degf", "celsius", "fahrenheit", "kelvin"];
    let lower = header.trim().to_lowercase();
    let parted = lower.rsplit_once(['_', ' ', '(', '[']);
    if let Some((base, last)) = parted {
        let unit = last.trim_end_matches([')', ']']).trim();
        if UNITS.contains(&unit) {
            let base = base.trim_end_matches(['_', ' ', '(', '[']).to_owned();
            return Name { base, unit: Some(unit.to_owned()) };
        }
    }
    Name { base: lower, unit: None }
}

impl Columns {
    pub(super) fn find(from: Source, line: u64, headers: &StringRecord) -> Result<Self, CsvError> {
        check_separator(from, line, headers)?;
        let names: Vec<Name> = headers.iter().map(name).collect();
        let one = |wanted: &str| {
            let mut places = (0..).zip(&names).filter(|(_, name)| name.base == wanted);
            let first = places.next().map(|(at, _)| at);
            match places.next() {
                Some(_) => Err(from.line(line, format!("two columns are named `{wanted}`"))),
                None => Ok(first),
            }
        };
        let is_temperature = |name: &Name| {
            name.base.starts_with("milk") || name.base == "bath" || name.base == "reference"
        };
        for (name, header) in names.iter().zip(headers).filter(|(name, _)| is_temperature(name)) {
            check_unit(from, line, name, header)?;
        }
        let time = match (one("t_s")?, one("time")?) {
            (Some(at), _) => Time::Seconds(at),
            (None, Some(at)) => Time::Stamp(at),
            (None, None) => {
                let rule = "no column `t_s` (seconds) or `time` (RFC 3339): name one of them so";
                return Err(from.line(line, rule));
            }
        };
        let mut milk = Vec::new();
        for (at, name) in names.iter().enumerate().filter(|(_, name)| name.base.starts_with("milk"))
        {
            one(&name.base)?;
            let quality = one(&format!("q_{}", name.base))?;
            milk.push(Milk { name: name.base.clone(), at, quality });
        }
        if milk.is_empty() {
            let rule = "no column starts with `milk`: name each milk probe so, such as `milk_1`";
            return Err(from.line(line, rule));
        }
        if milk.len() > MILK_PROBES_MAX {
            let rule =
                format!("{} milk columns; at most {MILK_PROBES_MAX} can be judged", milk.len());
            return Err(from.line(line, rule));
        }
        Ok(Self {
            time,
            milk,
            bath: one("bath")?,
            reference: one("reference")?,
            reference_quality: one("q_reference")?,
            lid: one("lid")?,
            phase: one("phase")?,
            heat: one("heat")?,
        })
    }
}

fn check_separator(from: Source, line: u64, headers: &StringRecord) -> Result<(), CsvError> {
    let is_single = headers.len() == 1;
    let header = headers.get(0).unwrap_or("");
    let other = [(';', "semicolons"), ('\t', "tabs")];
    match other.into_iter().find(|(separator, _)| is_single && header.contains(*separator)) {
        Some((_, word)) => Err(from.line(
            line,
            format!(
                "fields are parted by {word}: save with commas, and numbers with a decimal point"
            ),
        )),
        None => Ok(()),
    }
}

fn check_unit(from: Source, line: u64, name: &Name, header: &str) -> Result<(), CsvError> {
    match name.unit.as_deref() {
        None | Some("c" | "°c" | "degc" | "celsius") => Ok(()),
        Some(unit) => Err(from.line(
            line,
            format!(
                "column `{}` is in {}: temperatures must be in °C; convert it, or rename it if \
                 that is not its unit",
                super::shortened(header),
                if unit.starts_with('k') { "kelvin" } else { "°F" }
            ),
        )),
    }
}
