//! The printed record of a batch: PDF/A-2b, from a typst template.
//!
//! The template gets two files: `record.json` (the facts, as `facts` gives them, everything
//! formatted for people) and `chart.svg`. It sees no other file, no network, no package and no
//! font but ours, and the time of production is an argument: the same inputs give the same
//! bytes.

mod facts;
mod figures;
mod limits;
mod world;

use jiff::Timestamp as Moment;
use jiff::tz::Offset;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst::syntax::DiagSpan;
use typst::{World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions as Export, PdfStandard, PdfStandards, Timestamp};

use super::RecordError;
use super::chart::{self, ChartOptions};
use super::judgement::Judgement;
use crate::software::Software;
use crate::store::model::BatchRecord;
use world::Desk;

/// The template that is used where a bank has none of its own.
pub const TEMPLATE: &str = include_str!("templates/batch.typ");

/// A template of a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its path, for messages.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// What the record itself does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PdfOptions {
    /// A template of the bank; `None` is ours.
    pub template: Option<Template>,
    /// When this is produced, milliseconds since 1970 UTC.
    pub produced_utc_ms: i64,
    /// The station is a training station: every page is marked TRAINING.
    pub training: bool,
}

/// The printed record of a batch.
///
/// # Errors
/// An error in the template, with file, line and column; or the chart or the document cannot
/// be made.
pub fn pdf(
    record: &BatchRecord,
    judgement: &Judgement,
    options: &PdfOptions,
) -> Result<Vec<u8>, RecordError> {
    let look = ChartOptions { training: options.training, ..ChartOptions::of(judgement) };
    let chart = chart::svg_by_name(record, &judgement.verdict, look)?;
    let facts = facts::facts(record, judgement, options)
        .map_err(|why| RecordError::Json { batch: record.header.code.clone(), why })?;
    let text = options.template.as_ref().map_or(TEMPLATE, |template| &template.text);
    let desk = Desk::new(text, facts, chart.into_bytes()).ok_or(RecordError::Font)?;
    let ident = format!("{}/{}", record.station, record.header.code);
    let made = print(&desk, &ident, options.produced_utc_ms);
    // The document engine remembers its work; a long-running station must not grow by it.
    typst::comemo::evict(2);
    made.map_err(|errors| fault(&desk, record, options, &errors))
}

/// Another document of this program, from a template of its own.
pub(crate) struct Sheet<'a> {
    /// What it is, for messages.
    pub(crate) what: &'a str,
    /// What tells it from every other document.
    pub(crate) ident: &'a str,
    /// The template.
    pub(crate) template: &'static str,
    /// `record.json` for the template.
    pub(crate) facts: Vec<u8>,
    /// `chart.svg` for the template.
    pub(crate) chart: Vec<u8>,
    /// When this is produced, milliseconds since 1970 UTC.
    pub(crate) produced_utc_ms: i64,
}

/// Prints it.
///
/// # Errors
/// The document cannot be made.
pub(crate) fn print_sheet(sheet: Sheet<'_>) -> Result<Vec<u8>, RecordError> {
    let desk = Desk::new(sheet.template, sheet.facts, sheet.chart).ok_or(RecordError::Font)?;
    let made = print(&desk, sheet.ident, sheet.produced_utc_ms);
    typst::comemo::evict(2);
    made.map_err(|errors| {
        let first = errors.first().map_or("no reason".to_owned(), |e| e.message.to_string());
        RecordError::Document { batch: sheet.what.to_owned(), what: first }
    })
}

fn print(desk: &Desk, ident: &str, produced_utc_ms: i64) -> Result<Vec<u8>, Vec<SourceDiagnostic>> {
    let document = typst::compile::<PagedDocument>(desk).output.map_err(|e| e.to_vec())?;
    let standards = PdfStandards::new(&[PdfStandard::A_2b]).map_err(|error| {
        vec![SourceDiagnostic::error(DiagSpan::detached(), error.message().clone())]
    })?;
    let export = Export {
        ident: Smart::Custom(ident.to_owned()),
        creator: Smart::Custom(Some(Software::this().to_string())),
        timestamp: timestamp(produced_utc_ms),
        standards,
        ..Export::default()
    };
    typst_pdf::pdf(&document, &export).map_err(|errors| errors.to_vec())
}

fn timestamp(utc_ms: i64) -> Option<Timestamp> {
    let at = Offset::UTC.to_datetime(Moment::from_millisecond(utc_ms).ok()?);
    let part = |value: i8| u8::try_from(value).ok();
    let datetime = Datetime::from_ymd_hms(
        i32::from(at.year()),
        part(at.month())?,
        part(at.day())?,
        part(at.hour())?,
        part(at.minute())?,
        part(at.second())?,
    )?;
    Some(Timestamp::new_utc(datetime))
}

/// The first error, with its place in the template if it has one.
fn fault(
    desk: &Desk,
    record: &BatchRecord,
    options: &PdfOptions,
    errors: &[SourceDiagnostic],
) -> RecordError {
    let Some(error) = errors.first() else {
        return RecordError::Document {
            batch: record.header.code.clone(),
            what: "the document engine gives no reason".to_owned(),
        };
    };
    let what = error.message.to_string();
    // An error inside of a library function has its place in the trace.
    let traced = error.trace.iter().map(|point| DiagSpan::from(point.span));
    let place = std::iter::once(error.span).chain(traced).find_map(|span| {
        let source = desk.source(span.id()?).ok()?;
        let start = desk.range(span)?.start;
        source.lines().byte_to_line_column(start)
    });
    let Some((line, column)) = place else {
        return RecordError::Document { batch: record.header.code.clone(), what };
    };
    let file = options.template.as_ref().map_or("batch.typ", |template| &template.file);
    RecordError::Template { file: file.to_owned(), line: line + 1, column: column + 1, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::verdict::{Outcome, Verdict};
    use crate::record::fixture;
    use crate::record::judgement::Basis;

    const PRODUCED_UTC_MS: i64 = 1_773_480_000_000;

    fn made(template: Option<&str>) -> Result<Vec<u8>, RecordError> {
        let (record, verdict) = fixture::troubled();
        let template =
            template.map(|text| Template { file: "bank.typ".into(), text: text.to_owned() });
        let options =
            PdfOptions { template, produced_utc_ms: PRODUCED_UTC_MS, ..PdfOptions::default() };
        pdf(&record, &Judgement::now(verdict), &options)
    }

    fn contains(bytes: &[u8], text: &str) -> bool {
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }

    #[test]
    fn the_record_is_an_archival_pdf_and_the_same_every_time() {
        let first = made(None).expect("our template is right");
        assert!(first.starts_with(b"%PDF-1.7"));
        // The identification that ISO 19005-2, 6.6.4 asks for.
        assert!(contains(&first, "<pdfaid:part>2</pdfaid:part>"));
        assert!(contains(&first, "<pdfaid:conformance>B</pdfaid:conformance>"));
        assert!(contains(&first, "2026-03-14T09:20:00"), "the date is not the argument");
        assert!(first == made(None).expect("made again"), "two runs differ");
    }

    #[test]
    fn a_template_with_a_mistake_is_refused_with_file_line_and_column() {
        let message = made(Some("= Record\n\n#let a = (1,\n")).expect_err("refused").to_string();
        assert!(message.starts_with("bank.typ:3:10: unclosed delimiter"), "{message}");
        let wrong_key = "#let record = json(\"record.json\")\n#record.bath.code\n";
        let message = made(Some(wrong_key)).expect_err("refused").to_string();
        assert!(message.starts_with("bank.typ:2:9: ") && message.contains("bath"), "{message}");
    }

    #[test]
    fn a_template_reaches_no_other_file_and_no_package() {
        for (text, said) in [
            ("#read(\"/etc/passwd\")", "a record has no file `etc/passwd`"),
            ("#import \"@preview/cetz:0.4.0\": canvas", "a record has no file"),
            ("#datetime.today()", "date"),
        ] {
            let message = made(Some(text)).expect_err("refused").to_string();
            assert!(message.starts_with("bank.typ:1:") && message.contains(said), "{message}");
        }
    }

    #[test]
    fn words_in_any_script_never_keep_a_record_from_being_printed() {
        let (mut record, mut verdict) = fixture::troubled();
        for text in [&mut record.header.operator, &mut record.station, &mut record.header.unit] {
            *text = "山田 😀 \u{0} #let x = [ \\ $ *bold* \u{202E}שלום".into();
        }
        verdict.findings[0].text = "#panic(\"not a template\")".repeat(300);
        pdf(&record, &Judgement::now(verdict), &PdfOptions::default()).expect("printed");
    }

    #[test]
    fn a_template_of_a_bank_is_used() {
        let plain = "#let record = json(\"record.json\")\n#record.batch.code";
        let bytes = made(Some(plain)).expect("a small template");
        assert!(bytes.starts_with(b"%PDF") && bytes.len() < 60_000);
    }

    #[test]
    fn a_page_on_which_this_program_decides_otherwise_says_so() {
        let (record, verdict) = fixture::troubled();
        let today = Verdict { outcome: Outcome::Unacceptable, ..verdict.clone() };
        let (basis, otherwise, made_by) = (Basis::Kept, Some(today), Vec::new());
        let judgement = Judgement { verdict, basis, otherwise, made_by, fits: true };
        let options = PdfOptions::default();
        let facts = facts::facts(&record, &judgement, &options).expect("facts");
        let facts: serde_json::Value = serde_json::from_slice(&facts).expect("JSON");
        assert_eq!(facts["marks"][0], "JUDGED OTHERWISE TODAY");
        assert_eq!(facts["verdict"]["outcome"], "acceptable");
        assert_eq!(facts["today"]["outcome"], "unacceptable");
        let meaning = facts["verdict"]["meaning"].as_str().expect("text");
        assert!(meaning.contains("ATTENTION: it was decided acceptable"), "{meaning}");
        let said = facts["batch"]["rows"].to_string();
        assert!(said.contains("decided when the record was closed; by: not recorded"), "{said}");
        let page = pdf(&record, &judgement, &options).expect("our template is right");
        let plain = Judgement { otherwise: None, ..judgement };
        assert!(
            page != pdf(&record, &plain, &options).expect("printed"),
            "both pages are the same"
        );
    }
}
