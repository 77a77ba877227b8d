//! Reads a curve.

use csv::{ReaderBuilder, StringRecord, Trim};
use holder_hal::{Celsius, Kelvin, MILK_PROBES_MAX, Quality};
use jiff::Timestamp;

use super::columns::{Columns, Milk, Time};
use super::preamble::{Preamble, milliseconds, of_recipe, part};
use super::{CsvError, Options, Origin, ReadCurve, Source, seal};
use crate::batch::curve::{Curve, Row};
use crate::batch::phase::PhaseName;
use crate::batch::recipe::Recipe;

/// More bytes than these are not the curve of a batch: they hold two days of our widest export
/// at 1 Hz.
pub const BYTES_MAX: usize = 64 << 20;

/// More rows than these are not the curve of a batch (11 days at 1 Hz).
const ROWS_MAX: usize = 1_000_000;

/// What a foreign logger can have measured in a pasteurizer, millidegrees.
const PLAUSIBLE_MILLI: std::ops::RangeInclusive<i32> = -60_000..=120_000;

/// Reads a curve from the bytes of `file`, whose name is for the errors. A file without any
/// row is an empty curve; the judge says what that means.
///
/// # Errors
/// What breaks a rule of the format, with file, line, column and value.
pub fn read(file: &str, bytes: &[u8], options: &Options) -> Result<ReadCurve, CsvError> {
    let from = Source { file };
    let text = text(from, bytes)?;
    let is_ours = part(from, text)?.0.is_some();
    let opened = if is_ours { seal::opened(from, text)? } else { seal::Opened::foreign(text) };
    let (preamble, before, body) = part(from, opened.lines)?;
    let origin = preamble.as_ref().map(|preamble| origin(from, preamble)).transpose()?;
    let mut curve = match &preamble {
        Some(preamble) => own(from, preamble, options)?,
        None => foreign(from, options)?,
    };
    let told = preamble.as_ref().map(|preamble| preamble.count("rows")).transpose()?;
    let table = Table { from, before, body, is_foreign: preamble.is_none() };
    table.fill(&mut curve)?;
    if let Some(told) = told {
        let rows = curve.rows.len();
        if rows > told {
            let rule = format!("{rows} rows, but its preamble tells {told}: rows were added");
            return Err(from.whole(rule));
        }
        curve.cut_off |= rows < told || opened.cut_off;
    }
    Ok(ReadCurve { curve, origin })
}

fn text<'a>(from: Source, bytes: &'a [u8]) -> Result<&'a str, CsvError> {
    if bytes.len() > BYTES_MAX {
        let mib = BYTES_MAX >> 20;
        return Err(from.whole(format!("more than {mib} MiB: this is not the curve of a batch")));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        from.line(line, "this is not UTF-8: save the file as CSV in UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn own(from: Source, preamble: &Preamble, options: &Options) -> Result<Curve, CsvError> {
    if options.uncertainty.is_some() || options.margin.is_some() {
        let rule = "this export carries its own uncertainty and margin: leave out \
                    --uncertainty-c and --margin-c";
        return Err(from.whole(rule));
    }
    let phases = "must be a phase";
    Ok(Curve {
        milk_uncertainty: preamble.kelvins("uncertainty_c")?,
        margin: preamble.kelvin("margin_c")?,
        margin_measured: preamble.flag("margin_measured")?,
        max_gap_ms: preamble.seconds("max_gap_s")?,
        half_resolution: preamble.kelvin("half_resolution_c")?,
        load_ms: preamble.maybe("load_s", "must be seconds or `none`", milliseconds)?,
        bottles_in: preamble
            .maybe("bottles_in", "must be a whole number or `none`", |v| v.parse().ok())?,
        counts_out: preamble.counts("bottles_out")?,
        has_reference: preamble.flag("has_reference")?,
        has_lid: preamble.flag("has_lid")?,
        own_record: true,
        engine_accepts: preamble.maybe(
            "engine_accepts",
            "must be `true`, `false` or `none`",
            |v| v.parse().ok(),
        )?,
        engine_holds_broken: preamble.maybe(
            "engine_holds_broken",
            "must be a whole number or `none`",
            |v| v.parse().ok(),
        )?,
        end_phase: preamble.maybe("end_phase", phases, PhaseName::from_word)?,
        cut_off: false,
        interruptions: preamble.interruptions("interruptions")?,
        rows: Vec::new(),
    })
}

fn foreign(from: Source, options: &Options) -> Result<Curve, CsvError> {
    let given = |value: Option<Kelvin>, flag: &str| match value.unwrap_or_default() {
        value if value < Kelvin::ZERO => {
            Err(from.whole(format!("{flag} {value}: it must not be below 0")))
        }
        value => Ok(value),
    };
    let uncertainty = given(options.uncertainty, "--uncertainty-c")?;
    Ok(Curve {
        // One for each milk column, as soon as those are known.
        milk_uncertainty: vec![uncertainty],
        margin: given(options.margin, "--margin-c")?,
        margin_measured: false,
        max_gap_ms: options.max_gap_foreign_ms,
        half_resolution: Kelvin::ZERO,
        load_ms: None,
        bottles_in: None,
        counts_out: Vec::new(),
        has_reference: false,
        has_lid: false,
        own_record: false,
        engine_accepts: None,
        engine_holds_broken: None,
        end_phase: None,
        cut_off: false,
        interruptions: Vec::new(),
        rows: Vec::new(),
    })
}

/// The export's own words, the recipe among them, with which the preamble must agree.
fn origin(from: Source, preamble: &Preamble) -> Result<Origin, CsvError> {
    preamble.fits()?;
    let recipe_text = preamble.recipe_text()?;
    let recipe = Recipe::parse(&format!("recipe in {}", from.file), &recipe_text)
        .map_err(|error| from.whole(error.to_string()))?;
    for (key, value) in of_recipe(&recipe) {
        preamble.agrees(key, &value)?;
    }
    Ok(Origin {
        batch: preamble.word("batch")?.to_owned(),
        simulated: preamble.flag("simulated")?,
        recipe_text,
        recipe,
        head_hash: preamble.word("head_hash")?.to_owned(),
    })
}

/// The columns and rows of a file.
struct Table<'a> {
    from: Source<'a>,
    /// Lines before the header.
    before: u64,
    body: &'a str,
    is_foreign: bool,
}

impl Table<'_> {
    fn fill(&self, curve: &mut Curve) -> Result<(), CsvError> {
        let body = self.body;
        let mut reader =
            ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(body.as_bytes());
        let broken = |error: csv::Error| self.from.whole(error.to_string());
        let headers = reader.headers().map_err(broken)?.clone();
        if headers.is_empty() {
            curve.milk_uncertainty.truncate(if self.is_foreign { 0 } else { MILK_PROBES_MAX });
            return Ok(());
        }
        let header_line = self.line(&headers);
        let columns = Columns::find(self.from, header_line, &headers)?;
        self.fit_probes(header_line, &columns, curve)?;
        let row = Rows { table: self, headers: &headers, columns: &columns };
        let (mut record, mut clock) = (StringRecord::new(), Clock::default());
        while reader.read_record(&mut record).map_err(broken)? {
            if record.len() != headers.len() {
                let (line, fields) = (self.line(&record), record.len());
                let is_last = !reader.read_record(&mut record).map_err(broken)?;
                if is_last && !body.ends_with('\n') {
                    curve.cut_off = true;
                    return Ok(());
                }
                let rule = format!("{fields} fields, but the header has {}", headers.len());
                return Err(self.from.line(line, rule));
            }
            if curve.rows.len() == ROWS_MAX {
                let rule = format!("more than {ROWS_MAX} rows: this is not the curve of one batch");
                return Err(self.from.line(self.line(&record), rule));
            }
            curve.rows.push(row.read(&record, &mut clock)?);
        }
        Ok(())
    }

    /// The line of a record. Its position is told from before the line ends that precede it.
    fn line(&self, record: &StringRecord) -> u64 {
        let position = record.position();
        let start = position.and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(0);
        let bytes = self.body.as_bytes().get(start..).unwrap_or_default().iter();
        let ends = bytes.take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let passed = ends.filter(|byte| **byte == b'\n').count() as u64;
        self.before + position.map_or(1, csv::Position::line) + passed
    }

    fn fit_probes(&self, line: u64, columns: &Columns, curve: &mut Curve) -> Result<(), CsvError> {
        let (told, found) = (curve.milk_uncertainty.len(), columns.milk.len());
        if self.is_foreign {
            let uncertainty = curve.milk_uncertainty.first().copied().unwrap_or_default();
            curve.milk_uncertainty = vec![uncertainty; found];
        } else if told != found {
            let rule = format!("{found} milk columns, but the preamble tells {told} probes");
            return Err(self.from.line(line, rule));
        }
        if self.is_foreign {
            curve.has_reference = columns.reference.is_some();
            curve.has_lid = columns.lid.is_some();
            return Ok(());
        }
        match lacking(columns, curve) {
            Some(name) => {
                let rule = format!("column `{name}` is missing: export the batch again");
                Err(self.from.line(line, rule))
            }
            None => Ok(()),
        }
    }
}

/// The first column that our own export must have and has not.
fn lacking(columns: &Columns, curve: &Curve) -> Option<String> {
    let with_quality = |milk: &Milk| (format!("q_{}", milk.name), milk.quality.is_some());
    let of =
        |name: &str, is_due: bool, at: Option<usize>| (name.to_owned(), !is_due || at.is_some());
    let others = [
        of("lid", curve.has_lid, columns.lid),
        of("reference", curve.has_reference, columns.reference),
        of("q_reference", curve.has_reference, columns.reference_quality),
    ];
    let all = columns.milk.iter().map(with_quality).chain(others);
    all.into_iter().find(|(_, is_there)| !is_there).map(|(name, _)| name)
}

/// The times of the rows so far.
#[derive(Default)]
struct Clock {
    first: Option<Timestamp>,
    last_ms: Option<u64>,
}

struct Rows<'a> {
    table: &'a Table<'a>,
    headers: &'a StringRecord,
    columns: &'a Columns,
}

impl Rows<'_> {
    fn read(&self, record: &StringRecord, clock: &mut Clock) -> Result<Row, CsvError> {
        let columns = self.columns;
        let t_ms = self.time(record, clock)?;
        let mut milk = [None; MILK_PROBES_MAX];
        let of = |column: Option<usize>, quality: Option<usize>| match column {
            Some(at) => {
                let is_good = |at: usize| record.get(at) == Some(Quality::Good.word());
                Ok(self.celsius(record, at)?.filter(|_| quality.is_none_or(is_good)))
            }
            None => Ok(None),
        };
        for (slot, Milk { at, quality, .. }) in milk.iter_mut().zip(&columns.milk) {
            *slot = of(Some(*at), *quality)?;
        }
        Ok(Row {
            t_ms,
            milk,
            bath: of(columns.bath, None)?,
            reference: of(columns.reference, columns.reference_quality)?,
            lid: self.word(record, columns.lid, "must be `closed` or `open`", lid)?,
            phase: self.word(record, columns.phase, PHASES, PhaseName::from_word)?,
            heats: columns.heat.and_then(|at| record.get(at)).and_then(heats),
        })
    }

    fn fault(&self, record: &StringRecord, at: usize, rule: impl Into<String>) -> CsvError {
        let column = self.headers.get(at).unwrap_or_default();
        let value = record.get(at).unwrap_or_default();
        self.table.from.cell(self.table.line(record), column, value, rule)
    }

    fn time(&self, record: &StringRecord, clock: &mut Clock) -> Result<u64, CsvError> {
        let (at, t_ms) = match self.columns.time {
            Time::Seconds(at) => {
                let parsed = record.get(at).and_then(milliseconds);
                (at, parsed.ok_or_else(|| self.fault(record, at, "must be seconds, from 0 on"))?)
            }
            Time::Stamp(at) => (at, self.stamp(record, at, clock)?),
        };
        if let Some(last_ms) = clock.last_ms
            && t_ms <= last_ms
        {
            let how = if t_ms == last_ms { "repeats" } else { "goes back from" };
            let last_s = last_ms as f64 / 1000.0;
            let rule = format!("the time {how} {last_s} s of the row before; times must rise");
            return Err(self.fault(record, at, rule));
        }
        clock.last_ms = Some(t_ms);
        Ok(t_ms)
    }

    /// Milliseconds since the first row.
    fn stamp(&self, record: &StringRecord, at: usize, clock: &mut Clock) -> Result<u64, CsvError> {
        let parsed: Option<Timestamp> = record.get(at).and_then(|value| value.parse().ok());
        let stamp = parsed.ok_or_else(|| {
            let rule = "must be RFC 3339 with its offset, such as 2026-03-14T08:12:00+01:00";
            self.fault(record, at, rule)
        })?;
        let first = *clock.first.get_or_insert(stamp);
        let since_ms = stamp.as_millisecond().saturating_sub(first.as_millisecond());
        u64::try_from(since_ms)
            .map_err(|_| self.fault(record, at, "the time lies before that of the first row"))
    }

    fn celsius(&self, record: &StringRecord, at: usize) -> Result<Option<Celsius>, CsvError> {
        let value = record.get(at).unwrap_or_default();
        if value.is_empty() {
            return Ok(None);
        }
        let celsius = value.parse().ok().and_then(Celsius::from_f64).ok_or_else(|| {
            let rule = if value.contains(',') {
                "must be a number with a decimal point, not a comma"
            } else {
                "must be a number in °C; leave the cell empty where there is no reading"
            };
            self.fault(record, at, rule)
        })?;
        if self.table.is_foreign && !PLAUSIBLE_MILLI.contains(&celsius.milli()) {
            let rule = "must lie between -60 and 120 °C: is it in °F, or a logger's mark for no \
                        reading? Convert it, or leave the cell empty";
            return Err(self.fault(record, at, rule));
        }
        Ok(Some(celsius))
    }

    fn word<T>(
        &self,
        record: &StringRecord,
        column: Option<usize>,
        rule: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, CsvError> {
        let cell = column.and_then(|at| Some((at, record.get(at)?)));
        match cell.filter(|(_, value)| !value.is_empty()) {
            Some((at, value)) => {
                parse(&value.to_lowercase()).map(Some).ok_or_else(|| self.fault(record, at, rule))
            }
            None => Ok(None),
        }
    }
}

/// What the phase column may say.
const PHASES: &str = "must be preheat, load, come-up, hold, cool, unload, finished or aborted; \
                      rename the column if it means something else";

/// Whether this command heats; a foreign logger's column of that name may say anything.
fn heats(word: &str) -> Option<bool> {
    match word.trim() {
        "" => None,
        word => Some(word != "off"),
    }
}

fn lid(word: &str) -> Option<bool> {
    match word {
        "closed" | "true" | "1" => Some(true),
        "open" | "false" | "0" => Some(false),
        _ => None,
    }
}
