//! The legend: each line with its ink, its sign, what it is, and where it is read. A source is
//! never cut while there is any room: QA must be able to tell one probe from another.

use plotters::prelude::DrawingBackend;

use super::curves::Line;
use super::panel::{self, SMALL_EM};
use super::pen::{Drawn, Lettering, Pen, Place};

/// Height of a row with a name and a source, where there is room, pixels.
const ROW: i32 = 48;
/// Height of a row with a name only.
const ROW_OF_NAME: i32 = 34;
/// Room for the ink and the sign at the left of a row.
const SAMPLE: i32 = 82;

/// Draws the legend from a place downwards and to the right, within the sheet's right edge and
/// the foot of the plot.
pub(super) fn draw<B: DrawingBackend>(
    pen: &mut Pen<B>,
    lines: &[Line],
    from: Place,
    (right, bottom): Place,
) -> Drawn<B> {
    let (x, mut y) = from;
    let height = |line: &Line| if line.source.is_empty() { ROW_OF_NAME } else { ROW };
    let wanted: i32 = lines.iter().map(height).sum();
    // Eight milk probes and all else stand closer together, in smaller letters.
    let is_tight = y + wanted > bottom;
    let (name_em, source_em, step) = if is_tight { (16.0, 14.0, 15) } else { (SMALL_EM, 17.0, 21) };
    let room = right - x - SAMPLE;
    let write = |pen: &mut Pen<B>, text: &str, at: Place, em: f64| {
        let lettering = Lettering::of(em).shrunk(text, room);
        pen.text(&lettering.fit(text, room), at, lettering)
    };
    for line in lines {
        let ink = panel::ink(line.channel);
        pen.line((x, y), (x + 70, y), ink)?;
        pen.sign((x + 35, y), &panel::sign(line.channel), ink.color, false)?;
        if line.source.is_empty() {
            write(pen, &line.name, (x + SAMPLE, y), name_em)?;
        } else {
            write(pen, &line.name, (x + SAMPLE, y - step / 2), name_em)?;
            write(pen, &line.source, (x + SAMPLE, y + step / 2), source_em)?;
        }
        let rows = i32::try_from(lines.len()).unwrap_or(i32::MAX).max(1);
        y += if is_tight { ((bottom - from.1) / rows).max(step * 2 - 1) } else { height(line) };
    }
    Ok(())
}
