//! Where the controller was gone: a gap that is drawn as a gap, with a word.

use plotters::prelude::DrawingBackend;

use super::curves::{Span, seconds};
use super::frame::Frame;
use super::labels;
use super::panel::SMALL_EM;
use super::pen::{BLACK, Drawn, Lettering, Pen, WHITE};
use crate::batch::curve::Interruption;
use crate::batch::words;
use crate::record::curve;
use crate::store::model::BatchRecord;

/// Rows of words above one another.
const ROWS: usize = 4;

/// Every outage, from the last reading before it to the moment at which the batch was continued.
pub(super) fn outages(record: &BatchRecord) -> Vec<Span<String>> {
    let one = |gone: Interruption| {
        let before = record.periods.iter().rev().find(|period| period.at.ms() < gone.at_ms);
        let from_s = seconds(before.map_or(gone.at_ms, |period| period.at.ms()));
        let what = match gone.outage_ms {
            Some(ms) => format!("nobody watched: {}", words::duration(ms)),
            None => "nobody watched, for an unknown time".to_owned(),
        };
        Span { from_s, to_s: seconds(gone.at_ms), what }
    };
    curve::interruptions(record).into_iter().map(one).collect()
}

/// Draws them into a plot: grey from top to bottom, with the words at its foot.
pub(super) fn draw<B: DrawingBackend>(
    pen: &mut Pen<B>,
    frame: &Frame,
    outages: &[Span<String>],
) -> Drawn<B> {
    let mut taken = [frame.left; ROWS];
    let lettering = Lettering::of(SMALL_EM).bold().centered();
    for outage in outages.iter().filter(|o| frame.shows_s(o.from_s) || frame.shows_s(o.to_s)) {
        let x = |t_s| frame.x(t_s).clamp(frame.left, frame.right);
        let (from, to) = (x(outage.from_s), x(outage.to_s));
        pen.fill((from, frame.top), (to.max(from + 2), frame.bottom), BLACK, 0.12)?;
        let half = lettering.width(&outage.what) / 2 + 6;
        let least = frame.left + half;
        let middle = ((from + to) / 2).clamp(least, (frame.right - half).max(least));
        // Where no row is free the grey says it alone.
        let Some(row) = labels::lane(&mut taken, middle - half, middle + half) else { continue };
        let y = frame.bottom - 34 - 26 * i32::try_from(row).unwrap_or(0);
        pen.fill((middle - half, y - 13), (middle + half, y + 13), WHITE, 0.8)?;
        pen.text(&outage.what, (middle, y), lettering)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use holder_hal::Tick;

    use super::*;
    use crate::record::chart::{ChartOptions, svg};
    use crate::record::fixture;

    #[test]
    fn an_outage_is_a_gap_with_a_word_from_the_last_reading_to_the_continuation() {
        let (mut record, verdict) = fixture::good();
        record.periods.retain(|period| !(600_000..780_000).contains(&period.at.ms()));
        let mut resumed = record.entries[0].clone();
        resumed.entry.at = Tick::from_ms(780_000);
        for (outage_ms, word) in [(Some(180_000), "3 min 00 s"), (None, "an unknown time")] {
            resumed.entry.event = crate::batch::event::Event::Resumed { outage_ms };
            record.entries.push(resumed.clone());
            let found = outages(&record);
            assert_eq!((found[0].from_s, found[0].to_s), (599.0, 780.0));
            assert!(found[0].what.contains(word), "{found:?}");
            let drawn = svg(&record, &verdict, ChartOptions::default()).expect("drawn");
            assert!(drawn.contains(word), "{word}");
            record.entries.pop();
        }
    }
}
