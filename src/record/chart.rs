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
mod panel;
mod pen;
mod sheet;

use plotters::prelude::{BitMapBackend, DrawingBackend, SVGBackend};

use super::{RecordError, fonts};
use crate::batch::verdict::Verdict;
use crate::store::model::BatchRecord;
use pen::Pen;

/// Width and height of the sheet, pixels.
pub const SHEET_PX: (u32, u32) = (2000, 1400);

/// What the record itself does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChartOptions {
    /// The station is a training station: the sheet is marked TRAINING.
    pub training: bool,
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

    #[test]
    #[ignore]
    fn look() {
        let o = ChartOptions::default();
        for (name, (record, verdict)) in
            [("good", fixture::good()), ("troubled", fixture::troubled())]
        {
            std::fs::write(format!("/tmp/rec/{name}.svg"), svg(&record, &verdict, o).unwrap())
                .unwrap();
            std::fs::write(format!("/tmp/rec/{name}.png"), png(&record, &verdict, o).unwrap())
                .unwrap();
        }
    }
}
