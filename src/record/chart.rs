//! The curve of a batch as a picture: the whole run above, the hold enlarged below, since that
//! is where QA decides.
//!
//! Readable without colour: every line has its own dash and carries its sign (1, 2, … milk
//! probes, B bath, R reference, S set point). A missing reading is a gap and is marked at the
//! foot of the plot; nothing is ever drawn across it. Lengths are in pixels of a sheet of
//! [`SHEET_PX`], about an A4 page across.

mod curves;
mod frame;
mod labels;
mod legend;
mod outages;
mod panel;
mod pen;
mod sheet;

use plotters::prelude::{BitMapBackend, DrawingBackend, SVGBackend};

use super::judgement::Judgement;
use super::{RecordError, fonts};
use crate::batch::verdict::Verdict;
use crate::store::model::BatchRecord;
use pen::Pen;

/// Width and height of the sheet, pixels.
pub const SHEET_PX: (u32, u32) = (2000, 1300);

/// What the record itself does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChartOptions {
    /// The station is a training station: the sheet is marked TRAINING.
    pub training: bool,
    /// This program decides otherwise than the verdict on the sheet, which was kept.
    pub judged_otherwise: bool,
    /// The record is not what was written.
    pub altered: bool,
}

impl ChartOptions {
    /// What the judgement tells of the record.
    pub const fn of(judgement: &Judgement) -> Self {
        let (judged_otherwise, altered) = (judgement.otherwise.is_some(), !judgement.fits);
        Self { training: false, judged_otherwise, altered }
    }
}

/// The chart as SVG that carries its own font and looks the same in any browser.
///
/// # Errors
/// The embedded font is damaged, or the drawing library fails.
pub fn svg(
    record: &BatchRecord,
    verdict: &Verdict,
    options: ChartOptions,
) -> Result<String, RecordError> {
    let plain = svg_by_name(record, verdict, options)?;
    let style = fonts::svg_style();
    // The style goes right behind the opening tag.
    let (open, rest) = plain.split_once(">\n").unwrap_or(("", &plain));
    let mut whole = String::with_capacity(plain.len() + style.len() + 2);
    for part in [open, ">\n", style, rest] {
        whole.push_str(part);
    }
    Ok(whole)
}

/// The same, naming the font only: for a document that brings the font itself.
pub(crate) fn svg_by_name(
    record: &BatchRecord,
    verdict: &Verdict,
    options: ChartOptions,
) -> Result<String, RecordError> {
    let mut text = String::with_capacity(400_000);
    let backend = SVGBackend::with_string(&mut text, SHEET_PX);
    draw(Pen::new(backend, pen::SVG_SIZE_PER_EM), record, verdict, options)?;
    Ok(text)
}

/// The chart as a PNG file.
///
/// # Errors
/// The embedded font is damaged, or the drawing library fails.
pub fn png(
    record: &BatchRecord,
    verdict: &Verdict,
    options: ChartOptions,
) -> Result<Vec<u8>, RecordError> {
    let (width, height) = SHEET_PX;
    let mut pixels = vec![u8::MAX; 3 * width as usize * height as usize];
    let backend = BitMapBackend::with_buffer(&mut pixels, SHEET_PX);
    draw(Pen::new(backend, pen::BITMAP_SIZE_PER_EM), record, verdict, options)?;
    encode(&pixels).map_err(|error| fault(record, &error))
}

fn encode(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::with_capacity(300_000);
    let mut encoder = png::Encoder::new(&mut file, SHEET_PX.0, SHEET_PX.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

fn draw<B: DrawingBackend>(
    mut pen: Pen<B>,
    record: &BatchRecord,
    verdict: &Verdict,
    options: ChartOptions,
) -> Result<(), RecordError> {
    fonts::register()?;
    sheet::draw(&mut pen, record, verdict, options)
        .and_then(|()| pen.finish())
        .map_err(|error| fault(record, &error))
}

fn fault(record: &BatchRecord, error: &dyn std::fmt::Display) -> RecordError {
    RecordError::Chart { batch: record.header.code.clone(), what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::fixture;

    fn svg_of((record, verdict): (BatchRecord, Verdict)) -> String {
        svg_by_name(&record, &verdict, ChartOptions::default()).expect("drawn")
    }

    #[test]
    fn the_chart_is_as_it_was_looked_at() {
        insta::assert_binary_snapshot!("troubled.svg", svg_of(fixture::troubled()).into_bytes());
    }

    #[test]
    fn what_qa_must_see_is_written_on_the_chart() {
        let text = svg_of(fixture::troubled());
        for said in [
            "SIMULATED — not a real machine",
            "Europe/Berlin, UTC+01:00",
            "B-2026-0001",
            "holder-hmbana",
            "limit 62.80 °C",
            "floor 62.50 °C",
            "hold 30.0 min",
            "broken after 7.0 min",
        ] {
            assert!(text.contains(said), "{said} is not on the chart");
        }
        assert!(!text.contains("TRAINING") && !text.contains("OTHERWISE"));
        let (record, verdict) = fixture::troubled();
        let options = ChartOptions { judged_otherwise: true, ..ChartOptions::default() };
        let text = svg_by_name(&record, &verdict, options).expect("drawn");
        assert!(text.contains("JUDGED OTHERWISE TODAY"));
    }

    #[test]
    fn real_water_in_a_training_station_is_marked_so() {
        let (mut record, verdict) = fixture::good();
        record.header.simulated = false;
        record.header.purpose = crate::batch::params::Purpose::Water;
        let text =
            svg(&record, &verdict, ChartOptions { training: true, ..ChartOptions::default() })
                .expect("drawn");
        assert!(text.contains("TRAINING") && text.contains("WATER — no milk"));
        assert!(!text.contains("SIMULATED"));
    }

    #[test]
    fn a_browser_needs_no_font_and_no_network() {
        let (record, verdict) = fixture::good();
        let text = svg(&record, &verdict, ChartOptions::default()).expect("drawn");
        assert!(text.starts_with("<svg ") && text.trim_end().ends_with("</svg>"));
        assert_eq!(text.matches("@font-face").count(), 2);
        assert_eq!(text.matches("http").count(), 1, "only the namespace");
    }

    #[test]
    fn a_png_has_the_size_of_the_sheet_and_is_the_same_every_time() {
        let (record, verdict) = fixture::good();
        let file = png(&record, &verdict, ChartOptions::default()).expect("drawn");
        let reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().expect("a PNG");
        assert_eq!((reader.info().width, reader.info().height), SHEET_PX);
        assert!(file == png(&record, &verdict, ChartOptions::default()).expect("drawn again"));
    }

    /// Every text of an SVG with its place.
    fn texts(svg: &str) -> Vec<(i32, i32, String)> {
        let number = |tag: &str, key: &str| -> i32 {
            let (_, rest) = tag.split_once(&format!(" {key}=\"")).expect("it has a place");
            rest.split('"').next().expect("quoted").parse().expect("a number")
        };
        let tags = svg.split("<text").skip(1);
        tags.map(|rest| {
            let (tag, rest) = rest.split_once('>').expect("closed");
            let (text, _) = rest.split_once('<').expect("ended");
            (number(tag, "x"), number(tag, "y"), text.trim().to_owned())
        })
        .collect()
    }

    #[test]
    fn every_source_can_be_read_in_the_legend_also_of_eight_probes() {
        let (mut record, verdict) = fixture::good();
        for probes in [record.params.milk.len(), holder_hal::MILK_PROBES_MAX] {
            let probe = record.params.milk[0].clone();
            record.params.milk = (0..probes)
                .map(|index| crate::batch::params::Probe {
                    source: format!("bottles_left.channel_{index}"),
                    ..probe.clone()
                })
                .collect();
            for period in &mut record.periods {
                let sample = period.reading.milk[0];
                period.reading.milk[..probes].fill(sample);
            }
            let svg = svg_by_name(&record, &verdict, ChartOptions::default()).expect("drawn");
            let texts = texts(&svg);
            let mut rows: Vec<i32> = Vec::new();
            for source in record.params.milk.iter().map(|probe| &probe.source) {
                let (_, y, _) = texts.iter().find(|(_, _, text)| text == source).expect("whole");
                rows.push(*y);
            }
            assert!(rows.is_sorted_by(|a, b| a + 25 < *b), "they cover each other: {rows:?}");
            assert!(rows.iter().all(|y| *y < 670), "they leave the plot: {rows:?}");
        }
    }

    #[test]
    fn words_over_the_holds_cover_neither_each_other_nor_the_edge_of_the_plot() {
        let svg = svg_of(fixture::troubled());
        let texts = texts(&svg);
        let height = |of: &str| {
            let found = texts.iter().find(|(_, _, text)| text == of);
            found.map(|(_, y, _)| *y).unwrap_or_else(|| panic!("no {of}"))
        };
        let (broken, whole) = (height("broken after 7.0 min"), height("hold 30.0 min"));
        assert!(broken + 30 <= whole, "{broken} and {whole}");
        assert!(height("90") + 20 <= broken, "the upper edge, and {broken}");
    }

    #[test]
    fn the_last_tick_leaves_the_name_of_the_zone_alone() {
        let (mut record, verdict) = fixture::good();
        record.time_zone = "America/Argentina/ComodRivadavia".into();
        // The run ends at a whole ten minutes: a tick stands at the very edge of the plot.
        let whole = |at: holder_hal::Tick| at.ms() <= 70 * 60_000;
        record.periods.retain(|period| whole(period.at));
        let svg = svg_by_name(&record, &verdict, ChartOptions::default()).expect("drawn");
        let texts = texts(&svg);
        let (zone_x, zone_y, _) = texts
            .iter()
            .find(|(_, _, text)| text == "America/Argentina/ComodRivadavia, UTC-03:00")
            .expect("the whole name of the zone");
        let clocks = texts.iter().filter(|(x, y, text)| {
            y == zone_y && *x > 1_600 && text.len() == 5 && text.contains(':')
        });
        let last = clocks.map(|(x, _, _)| *x).max().expect("a tick at the edge");
        let half = 30;
        assert!(last + half < *zone_x, "{last} and {zone_x}");
    }

    #[test]
    fn odd_records_are_drawn_without_a_panic() {
        let (mut record, mut verdict) = fixture::good();
        record.time_zone = "nowhere".into();
        record.header.code = "<B & \"x\">".repeat(40);
        verdict.findings = Vec::new();
        verdict.figures.hold_s = None;
        svg(&record, &verdict, ChartOptions::default()).expect("without findings");
        record.entries.clear();
        svg(&record, &verdict, ChartOptions::default()).expect("without entries");
        record.periods.truncate(1);
        svg(&record, &verdict, ChartOptions::default()).expect("one period");
        record.periods[0].at = holder_hal::Tick::from_ms(u64::MAX);
        png(&record, &verdict, ChartOptions::default()).expect("at the end of time");
        record.periods.clear();
        png(&record, &verdict, ChartOptions::default()).expect("no period");
    }
}
