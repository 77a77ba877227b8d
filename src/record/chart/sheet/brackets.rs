//! The brackets over the holds: their words, their rows, and the room that they need.

use super::Scene;
use crate::record::chart::curves::{HoldEnd, Span};
use crate::record::chart::frame::Frame;
use crate::record::chart::labels;

/// A bracket stands this far above the line of the last ceiling, and the next one as far above it.
pub(super) const BRACKET_FOOT: i32 = 14;
pub(super) const BRACKET_ROW: i32 = 40;

/// A bracket over a hold: its words, and its row above the curves.
pub(super) struct Bracket<'a> {
    pub(super) hold: &'a Span<HoldEnd>,
    pub(super) text: String,
    pub(super) row: i32,
}

impl Scene<'_> {
    /// The line above which no curve of a good batch goes.
    pub(super) fn fail_c(&self) -> f64 {
        self.rules.last().map_or(66.0, |rule| rule.c)
    }

    /// The temperature at the upper edge of a plot in which these brackets cover neither each other
    /// nor that edge.
    pub(super) fn room_for(&self, brackets: &[Bracket<'_>], frame: &Frame) -> f64 {
        let Some(highest) = brackets.iter().map(|bracket| bracket.row).max() else { return 0.0 };
        let above_px = f64::from(BRACKET_FOOT + BRACKET_ROW * (highest + 1));
        // A plot is several times as high as its brackets.
        let share = (above_px / f64::from((frame.bottom - frame.top).max(1))).min(0.8);
        let low = frame.c.0;
        ((low + (self.fail_c() - low) / (1.0 - share)) / 10.0).ceil() * 10.0
    }

    /// The complete hold is marked next to its curve, the others above it.
    pub(super) fn brackets(&self, frame: &Frame) -> Vec<Bracket<'_>> {
        let panel = self.panel(*frame, &[], &[], 10.0);
        let length = |hold: &Span<HoldEnd>| hold.to_s - hold.from_s;
        let longest = self.holds.iter().map(length).fold(0.0, f64::max);
        let mut taken = [i32::MIN; 2];
        let mut brackets = Vec::new();
        for hold in &self.holds {
            let judged = self.verdict.figures.hold_s.filter(|_| length(hold) >= longest);
            let minutes = judged.unwrap_or(length(hold)) / 60.0;
            // Rounded down: 29.96 min is not a hold of 30.
            let minutes = (minutes * 10.0).floor() / 10.0;
            let text = match (hold.what, judged) {
                (HoldEnd::Complete, Some(_)) => format!("hold {minutes:.1} min"),
                (HoldEnd::Complete, None) => format!("hold {minutes:.1} min, not judged"),
                (HoldEnd::Broken, _) => format!("broken after {minutes:.1} min"),
                (HoldEnd::Cut, _) => format!("ended after {minutes:.1} min"),
            };
            let lane = match hold.what {
                HoldEnd::Complete => Some(-1),
                HoldEnd::Broken | HoldEnd::Cut => {
                    let (from, to) = panel.bracket_room(hold, &text);
                    labels::lane(&mut taken, from, to).map(|lane| lane as i32)
                }
            };
            // Where no room is left a bracket has no words: the findings have them.
            let text = if lane.is_some() { text } else { String::new() };
            brackets.push(Bracket { hold, text, row: 1 + lane.unwrap_or(0) });
        }
        brackets
    }
}
