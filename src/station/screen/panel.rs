//! The temperatures in figures: each probe with what it is worth, and how far the coldest milk
//! is from the limit.

use holder_hal::Kelvin;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::advice;
use super::plain::degrees;
use super::state::{coldest, hottest};
use crate::batch::phase::PhaseName;
use crate::station::view::{Shown, View};

/// Columns that the longest line takes.
pub(super) const WIDTH: u16 = 33;

/// One line for each probe, or with few rows for all milk probes together, then the distance.
pub(super) fn lines(view: &View, rows: u16) -> Vec<Line<'static>> {
    let milk: Vec<Shown> = view.milk.into_iter().flatten().collect();
    let reference = view.reference.map(|probe| probe_line("reference", probe));
    let distance = distance(view);
    let rows_wanted = 1 + milk.len() + usize::from(reference.is_some()) + distance.len();
    let mut lines = vec![probe_line("bath", view.bath)];
    if rows_wanted <= usize::from(rows) {
        let named =
            |(index, probe): (usize, &Shown)| probe_line(&format!("milk {}", index + 1), *probe);
        lines.extend(milk.iter().enumerate().map(named));
        lines.extend(reference);
        lines.extend(distance);
    } else {
        // What is cut off at the bottom matters least.
        lines.extend(distance);
        lines.extend(milk.chunks(3).map(together));
        lines.extend(reference);
    }
    lines
}

/// Three milk probes in one line: figures only, a fault by its sign.
fn together(probes: &[Shown]) -> Line<'static> {
    let mut spans = vec![Span::raw("milk ")];
    for probe in probes {
        let (text, is_good) = figure(*probe);
        let sign = if is_good { " " } else { "!" };
        spans.push(Span::styled(format!("{text:>7}{sign} "), style(is_good)));
    }
    Line::from(spans)
}

fn figure(probe: Shown) -> (String, bool) {
    let is_good = advice::quality(probe.quality).is_empty() && probe.value.is_some();
    (probe.value.map_or_else(|| "--.--".to_owned(), degrees), is_good)
}

/// A value that does not count is shown in reverse, with the reason in words.
fn style(is_good: bool) -> Style {
    if is_good { Style::default() } else { Style::default().add_modifier(Modifier::REVERSED) }
}

fn probe_line(name: &str, probe: Shown) -> Line<'static> {
    let (text, is_good) = figure(probe);
    let fault = match advice::quality(probe.quality) {
        "" if !is_good => "no value",
        fault => fault,
    };
    let mut spans = vec![Span::styled(format!("{name:<10}{text:>6} °C"), style(is_good))];
    if !fault.is_empty() {
        spans.push(Span::styled(format!("  {fault}"), style(false)));
    }
    Line::from(spans)
}

/// What matters most of the milk in this phase.
fn distance(view: &View) -> Vec<Line<'static>> {
    let bold = Style::default().add_modifier(Modifier::BOLD);
    match view.phase {
        PhaseName::ComeUp | PhaseName::Hold => {
            let Some(milk) = coldest(view) else {
                return vec![Line::styled("coldest milk not known", style(false))];
            };
            let gap = milk - view.limit;
            let text = if gap < Kelvin::ZERO {
                format!("{} below limit {}", degrees_of(-gap, true), degrees(view.limit))
            } else {
                format!("{} above limit {}", degrees_of(gap, false), degrees(view.limit))
            };
            vec![Line::styled(format!("coldest   {:>6} °C", degrees(milk)), bold), text.into()]
        }
        PhaseName::Cool | PhaseName::Unload => {
            let hottest = match hottest(view) {
                Some(milk) => Line::styled(format!("hottest   {:>6} °C", degrees(milk)), bold),
                None => Line::styled("hottest milk not known", style(false)),
            };
            let target = format!("cool to   {:>6} °C", degrees(view.cooling_target));
            let is_cooling = view.phase == PhaseName::Cool;
            [hottest].into_iter().chain(is_cooling.then(|| target.into())).collect()
        }
        PhaseName::Preheat | PhaseName::Load | PhaseName::Finished | PhaseName::Aborted => {
            Vec::new()
        }
    }
}

/// Hundredths of a kelvin, rounded so that the milk never looks warmer than it is.
fn degrees_of(gap: Kelvin, up: bool) -> String {
    let milli = gap.milli();
    let hundredths = if up { -(-milli).div_euclid(10) } else { milli.div_euclid(10) };
    format!("{:.2} °C", Kelvin::from_milli(hundredths * 10))
}
