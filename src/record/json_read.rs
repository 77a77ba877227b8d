//! The JSON export read back, so that `holder judge` judges it as this program would judge the record.
//!
//! Like the CSV it is no proof: whoever changes a file on purpose can change all of it. What
//! decides a verdict is read again from the raw readings and the frozen parameters; the verdict
//! that the file carries is not looked at.

use holder_hal::{
    Celsius, Command, Duty, Heat, MILK_PROBES_MAX, Quality, Reading, Sample, Switch, Tick,
};
use serde::Deserialize;

use super::curve;
use super::curve_csv::{ALTERED, Origin, ReadCurve};
use super::json::HeatCommand;
use crate::batch::event::Entry;
use crate::batch::params::BatchParams;
use crate::batch::phase::PhaseName;
use crate::batch::recipe::Recipe;
use crate::store::model::{BatchHeader, BatchRecord, Closing, Period, StampedEntry};

/// Why a JSON file is not an export of a batch.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON, or not of this form; the message has line and column.
    #[error("{file}: {why}; a JSON curve is what `holder batch export --format json` writes")]
    Form {
        /// The file.
        file: String,
        /// What the JSON library says. Not a `source`: the sentence has it.
        why: serde_json::Error,
    },
    /// It contradicts itself or holds what no export does.
    #[error("{file}: {rule}; export the batch again")]
    Rule {
        /// The file.
        file: String,
        /// The rule that is broken.
        rule: String,
    },
}

#[derive(Deserialize)]
struct Document {
    format: String,
    version: u32,
    station: String,
    time_zone: String,
    journal_head: Head,
    // Exports of earlier versions do not say it.
    #[serde(default = "fits")]
    fits: bool,
    header: Header,
    params: BatchParams,
    entries: Vec<Entry>,
    texts: Vec<Text>,
    periods: Vec<Line>,
}

const fn fits() -> bool {
    true
}

#[derive(Deserialize)]
struct Head {
    seq: i64,
    sha256: String,
}

#[derive(Deserialize)]
struct Header {
    code: String,
    simulated: bool,
    bottles: u16,
    // Exports of earlier versions do not say it.
    #[serde(default)]
    bottle_ul: i64,
    operator: String,
    started_utc_ms: i64,
    closed_utc_ms: Option<i64>,
    closing: Option<Closing>,
    phase: PhaseName,
    engine_accepts: Option<bool>,
}

#[derive(Deserialize)]
struct Text {
    kind: String,
    text: String,
}

#[derive(Deserialize)]
struct Line {
    tick_ms: u64,
    phase: PhaseName,
    milk: Vec<Option<Channel>>,
    bath: Channel,
    reference: Option<Channel>,
    lid: Option<Lid>,
    simulated: bool,
    heat: HeatCommand,
}

#[derive(Deserialize)]
struct Channel {
    raw_c: Option<f64>,
    quality: String,
    age_ms: u32,
}

#[derive(Deserialize)]
struct Lid {
    closed: Option<bool>,
    quality: String,
}

/// Whether these bytes are JSON rather than CSV: their first character is a brace.
pub fn is_json(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Reads the JSON export of a batch.
///
/// # Errors
/// It has another form, or contradicts itself.
pub fn read(file: &str, bytes: &[u8]) -> Result<ReadCurve, JsonError> {
    let form = |why| JsonError::Form { file: file.to_owned(), why };
    let document: Document = serde_json::from_slice(bytes).map_err(form)?;
    document.curve().map_err(|rule| JsonError::Rule { file: file.to_owned(), rule })
}

impl Document {
    fn curve(self) -> Result<ReadCurve, String> {
        if (self.format.as_str(), self.version) != (super::json::FORMAT, super::json::VERSION) {
            return Err(format!("{} {} is another format", self.format, self.version));
        }
        if !self.fits {
            return Err(ALTERED.to_owned());
        }
        let recipe_text = self.texts.iter().find(|text| text.kind == "recipe");
        let recipe_text = recipe_text.ok_or("it has no recipe")?.text.clone();
        let recipe = Recipe::parse("its recipe", &recipe_text).map_err(|e| e.to_string())?;
        if recipe != self.params.recipe {
            return Err("its recipe and its params contradict each other".to_owned());
        }
        self.params.check().map_err(|fault| fault.to_string())?;
        let periods = self.periods.iter().map(Line::period).collect::<Result<Vec<_>, _>>()?;
        let origin = Origin {
            batch: self.header.code.clone(),
            simulated: self.header.simulated,
            recipe_text,
            recipe,
            head_hash: self.journal_head.sha256.clone(),
        };
        Ok(ReadCurve { curve: curve::curve(&self.record(periods)), origin: Some(origin) })
    }

    fn record(self, periods: Vec<Period>) -> BatchRecord {
        let Self { params, header, entries, .. } = self;
        let stamped = |entry: Entry| StampedEntry { seq: 0, utc_ms: 0, who: String::new(), entry };
        BatchRecord {
            header: BatchHeader {
                code: header.code,
                unit: params.unit.clone(),
                purpose: params.purpose,
                simulated: header.simulated,
                recipe: params.recipe.name.clone(),
                pool: None,
                bottles: header.bottles,
                bottle_ul: header.bottle_ul,
                operator: header.operator,
                started_utc_ms: header.started_utc_ms,
                closed_utc_ms: header.closed_utc_ms,
                closing: header.closing,
                phase: header.phase,
                engine_accepts: header.engine_accepts,
            },
            station: self.station,
            time_zone: self.time_zone,
            params,
            texts: Vec::new(),
            periods,
            entries: entries.into_iter().map(stamped).collect(),
            actions: Vec::new(),
            remarks: Vec::new(),
            pool: None,
            head_seq: self.journal_head.seq,
            head_hash: self.journal_head.sha256,
        }
    }
}

impl Line {
    fn period(&self) -> Result<Period, String> {
        if self.milk.len() > MILK_PROBES_MAX {
            return Err(format!("{} milk probes at {} ms", self.milk.len(), self.tick_ms));
        }
        let mut milk = [None; MILK_PROBES_MAX];
        for (slot, channel) in milk.iter_mut().zip(&self.milk) {
            *slot = channel.as_ref().map(Channel::sample).transpose()?;
        }
        let lid = self.lid.as_ref();
        let lid = lid.map(|lid| Ok(Switch { on: lid.closed, quality: quality(&lid.quality)? }));
        let reading = Reading {
            bath: self.bath.sample()?,
            milk,
            reference: self.reference.as_ref().map(Channel::sample).transpose()?,
            lid: lid.transpose().map_err(|rule: String| rule)?,
            simulated: self.simulated,
        };
        // Of the commands, the judge looks at the heat alone.
        let command = Command { heat: self.heat.command()?, ..Command::safe(false) };
        Ok(Period { at: Tick::from_ms(self.tick_ms), reading, command, phase: self.phase })
    }
}

impl HeatCommand {
    fn command(&self) -> Result<Heat, String> {
        Ok(match self {
            Self::Off => Heat::Off,
            Self::SetpointC(wanted) => Heat::Setpoint(
                Celsius::from_f64(*wanted).ok_or(format!("{wanted} is no temperature"))?,
            ),
            Self::DutyPermille(duty) => Heat::Duty(
                Duty::from_permille(*duty).ok_or(format!("{duty} is no share in thousandths"))?,
            ),
        })
    }
}

impl Channel {
    fn sample(&self) -> Result<Sample, String> {
        let celsius = |raw_c| Celsius::from_f64(raw_c).ok_or(format!("{raw_c} is no temperature"));
        let raw = self.raw_c.map(celsius).transpose()?;
        Ok(Sample { raw, age_ms: self.age_ms, quality: quality(&self.quality)? })
    }
}

fn quality(word: &str) -> Result<Quality, String> {
    Quality::from_word(word).ok_or_else(|| format!("{word:?} is no quality of a reading"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::judge::judge;
    use crate::batch::verdict::Outcome;
    use crate::record::judgement::Judgement;
    use crate::record::{fixture, json};

    fn exported(record: &BatchRecord) -> String {
        let verdict = judge(&record.params.recipe, &curve::curve(record));
        json::export(record, &Judgement::now(verdict), 0).expect("exported")
    }

    /// The fixture with the recipe's text, as every stored batch has it.
    fn stored(mut record: BatchRecord) -> BatchRecord {
        let name = record.params.recipe.name.clone();
        let text = crate::profiles::recipe(&name).expect("a shipped recipe").to_owned();
        record.texts.retain(|text| text.kind != "recipe");
        let (kind, sha256) = ("recipe".to_owned(), String::new());
        record.texts.push(crate::store::model::FrozenText { kind, name, sha256, text });
        record
    }

    #[test]
    fn an_export_is_read_back_to_the_curve_and_verdict_of_the_record() {
        for record in [stored(fixture::good().0), stored(fixture::troubled().0)] {
            let read = read("batch.json", exported(&record).as_bytes()).expect("our own");
            assert_eq!(read.curve, curve::curve(&record));
            let recipe = &record.params.recipe;
            assert_eq!(judge(recipe, &read.curve), judge(recipe, &curve::curve(&record)));
            assert_eq!(read.origin.expect("ours").batch, record.header.code);
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused_and_a_cut_end_is_not_json() {
        let text = exported(&stored(fixture::good().0));
        for (good, bad) in [
            ("\"version\": 1", "\"version\": 2"),
            ("\"quality\":\"good\"", "\"quality\":\"fine\""),
            ("floor_c = 62.5", "floor_c = 62.0"),
            ("\"margin_c\": 0.2", "\"margin_c\": -0.2"),
        ] {
            let changed = text.replacen(good, bad, 1);
            assert_ne!(changed, text, "{good} is not in the export");
            read("batch.json", changed.as_bytes()).expect_err(bad);
        }
        let cut = text.get(..text.len() / 2).expect("ASCII up to there");
        let message = read("batch.json", cut.as_bytes()).expect_err("cut").to_string();
        assert!(message.contains("line"), "{message}");
    }

    #[test]
    fn colder_readings_in_the_file_are_not_acceptable() {
        let record = stored(fixture::good().0);
        let colder = exported(&record).replace("{\"raw_c\":63.", "{\"raw_c\":62.");
        let read = read("batch.json", colder.as_bytes()).expect("well formed");
        let verdict = judge(&record.params.recipe, &read.curve);
        assert_ne!(verdict.outcome, Outcome::Acceptable);
    }
}
