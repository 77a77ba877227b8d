//! The truth of one run as a picture, with its faults: it lies beside the chart of the record,
//! which shows only what the probes said.

use std::fmt::Write as _;

use super::run::{Done, Seen};
use super::scenario::Scenario;

/// Pixels of the sheet and of its margins.
const WIDTH: f64 = 1_400.0;
const HEIGHT: f64 = 700.0;
const LEFT: f64 = 80.0;
const TOP: f64 = 120.0;
/// The sheet shows this range, °C.
const RANGE_C: (f64, f64) = (0.0, 80.0);

/// Where a moment and a temperature stand on the sheet.
struct Scale {
    end_s: f64,
}

impl Scale {
    fn x(&self, at_s: f64) -> f64 {
        LEFT + (WIDTH - 2.0 * LEFT) * at_s / self.end_s.max(1.0)
    }

    fn y(&self, value_c: f64) -> f64 {
        let (low, high) = RANGE_C;
        let share = (value_c.clamp(low, high) - low) / (high - low);
        HEIGHT - LEFT - (HEIGHT - LEFT - TOP) * share
    }

    fn line(&self, seen: &[Seen], value: impl Fn(&Seen) -> Option<f64>, style: &str) -> String {
        let mut text = String::new();
        for part in seen.split(|seen| value(seen).is_none()) {
            let _ = write!(text, "<polyline fill=\"none\" {style} points=\"");
            for (seen, value_c) in part.iter().filter_map(|seen| Some((seen, value(seen)?))) {
                let (x, y) = (self.x(seen.at.ms() as f64 / 1_000.0), self.y(value_c));
                let _ = write!(text, "{x:.1},{y:.1} ");
            }
            text.push_str("\"/>\n");
        }
        text
    }
}

/// What the axes show.
fn titles() -> String {
    let (middle, foot) = ((HEIGHT - LEFT + TOP) / 2.0, HEIGHT - LEFT + 48.0);
    format!(
        "<text x=\"24\" y=\"{middle}\" transform=\"rotate(-90 24 {middle})\" \
         text-anchor=\"middle\">true temperature, °C</text>\n\
         <text x=\"{}\" y=\"{foot}\" text-anchor=\"middle\">minutes since the start</text>\n",
        WIDTH / 2.0
    )
}

/// Minutes between two ticks, so that their numbers do not cover each other.
fn step_min(end_s: f64) -> usize {
    let wanted = end_s / 60.0 / 24.0;
    [10_u16, 30, 60, 240]
        .into_iter()
        .find(|step| f64::from(*step) >= wanted)
        .map_or(1440, usize::from)
}

/// The truth as SVG: bath (dashed), coldest and hottest milk of all, the floor, and each fault
/// from its beginning on.
pub(crate) fn svg(scenario: &Scenario, done: &Done, commit: &str) -> String {
    let seen = &done.seen;
    let scale = Scale { end_s: done.lasted.ms() as f64 / 1_000.0 };
    let floor_c = scenario.params.recipe.hold.floor.as_f64();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"18\">SIMULATED: the truth of seed {}, commit \
         {commit}: coldest milk (blue), hottest (red), bath (dashed)</text>\n",
        scenario.seed
    );
    for value_c in [0.0, 10.0, 20.0, 40.0, floor_c, 66.0, 80.0] {
        let (y, end) = (scale.y(value_c), WIDTH - LEFT);
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {y:.1}H{end}\" stroke=\"silver\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{value_c}</text>",
            LEFT - 8.0,
            y + 5.0
        );
    }
    text += &titles();
    for minutes in (0..)
        .step_by(step_min(scale.end_s))
        .take_while(|minutes| f64::from(*minutes) * 60.0 < scale.end_s)
    {
        let (x, y) = (scale.x(f64::from(minutes) * 60.0), HEIGHT - LEFT + 20.0);
        let _ = writeln!(
            text,
            "<path d=\"M{x:.1} {}v6\" stroke=\"black\"/><text x=\"{x:.1}\" y=\"{y}\" \
             text-anchor=\"middle\">{minutes}</text>",
            HEIGHT - LEFT
        );
    }
    for (index, (fault, became)) in scenario.faults.iter().zip(&done.became).enumerate() {
        let y = 48.0 + 20.0 * index as f64;
        let Some(began) = became.began else {
            let _ = writeln!(text, "<text x=\"{LEFT}\" y=\"{y}\">{fault}: never began</text>");
            continue;
        };
        let began_s = began.ms() as f64 / 1_000.0;
        let (x, foot) = (scale.x(began_s), HEIGHT - LEFT);
        let _ = writeln!(
            text,
            "<text x=\"{LEFT}\" y=\"{y}\">{fault}: began at {:.1} min</text>\
             <path d=\"M{x:.1} {TOP}V{foot}\" stroke=\"orange\" stroke-dasharray=\"2 3\"/>",
            began_s / 60.0
        );
    }
    text += &scale.line(seen, |s| Some(s.bath_c), "stroke=\"black\" stroke-dasharray=\"6 4\"");
    text += &scale.line(seen, |s| s.hottest_c, "stroke=\"red\"");
    text += &scale.line(seen, |s| s.coldest_c, "stroke=\"blue\" stroke-width=\"2\"");
    text + "</svg>\n"
}
