//! One plot: bands, grid, rules, curves with their signs, flags.

use plotters::prelude::{DrawingBackend, RGBColor};

use super::curves::{Channel, HoldEnd, Line, Span};
use super::frame::Frame;
use super::pen::{BLACK, Drawn, Ink, Lettering, Pen, Place};
use crate::batch::phase::PhaseName;
use crate::batch::verdict::Severity;

const GRID: RGBColor = RGBColor(222, 222, 222);
const EDGE: RGBColor = RGBColor(150, 150, 150);
const BAND: RGBColor = RGBColor(40, 60, 90);

/// Milk probes differ by dash first and by colour second; the colours differ in lightness.
const MILK_INKS: [Ink; 4] = [
    Ink::solid(RGBColor(0, 50, 110), 2),
    Ink { color: RGBColor(200, 80, 0), width: 2, dash: &[26, 8] },
    Ink { color: RGBColor(0, 120, 90), width: 2, dash: &[5, 5] },
    Ink { color: RGBColor(150, 30, 120), width: 2, dash: &[24, 6, 5, 6] },
];

/// Text size of ticks and labels, pixels.
pub(super) const SMALL_EM: f64 = 20.0;

pub(super) const fn ink(channel: Channel) -> Ink {
    match channel {
        Channel::Milk(index) => MILK_INKS[index % MILK_INKS.len()],
        Channel::Bath => Ink::solid(RGBColor(140, 140, 140), 2),
        Channel::Reference => Ink { color: BLACK, width: 2, dash: &[44, 10] },
        Channel::Setpoint => Ink { color: RGBColor(90, 90, 90), width: 2, dash: &[3, 6] },
    }
}

pub(super) fn sign(channel: Channel) -> String {
    match channel {
        Channel::Milk(index) => (index + 1).to_string(),
        Channel::Bath => "B".to_owned(),
        Channel::Reference => "R".to_owned(),
        Channel::Setpoint => "S".to_owned(),
    }
}

/// A temperature of the recipe, where it is judged.
#[derive(Clone, Debug)]
pub(super) struct RuleLine {
    pub(super) c: f64,
    pub(super) ink: Ink,
    /// One or two lines of text.
    pub(super) texts: Vec<String>,
}

/// A finding with a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    pub(super) number: usize,
    pub(super) severity: Severity,
    pub(super) at_s: f64,
    /// Row above the plot, from 0 at the plot; `None` if there is no room for the number.
    pub(super) lane: Option<usize>,
}

/// Height of a row of flags, pixels.
pub(super) const FLAG_ROW: i32 = 32;

/// Everything in one plot.
pub(super) struct Panel<'a> {
    pub(super) frame: Frame,
    pub(super) lines: &'a [Line],
    pub(super) phases: &'a [Span<PhaseName>],
    pub(super) missing: &'a [Span<()>],
    pub(super) rules: &'a [RuleLine],
    pub(super) flags: &'a [Flag],
    pub(super) grid_c: f64,
    /// The bands of the phases begin here, above the plot, so that they reach their names.
    pub(super) band_top: i32,
}

impl Panel<'_> {
    pub(super) fn draw<B: DrawingBackend>(&self, pen: &mut Pen<B>) -> Drawn<B> {
        self.bands(pen)?;
        self.grid(pen)?;
        for rule in self.rules.iter().filter(|rule| self.frame.shows_c(rule.c)) {
            let y = self.frame.y(rule.c);
            pen.line((self.frame.left, y), (self.frame.right, y), rule.ink)?;
        }
        self.flag_lines(pen)?;
        // The milk last, so that nothing lies over it.
        for line in self.lines.iter().rev() {
            self.curve(pen, line)?;
        }
        self.missing(pen)?;
        let (from, to) = ((self.frame.left, self.frame.top), (self.frame.right, self.frame.bottom));
        pen.outline(from, to, EDGE)?;
        self.lines.iter().enumerate().try_for_each(|(index, line)| self.signs(pen, index, line))?;
        self.flag_signs(pen)
    }

    fn clamp_x(&self, t_s: f64) -> i32 {
        self.frame.x(t_s).clamp(self.frame.left, self.frame.right)
    }

    fn bands<B: DrawingBackend>(&self, pen: &mut Pen<B>) -> Drawn<B> {
        for (index, phase) in self.phases.iter().enumerate() {
            let (from, to) = (self.clamp_x(phase.from_s), self.clamp_x(phase.to_s));
            if from == to {
                continue;
            }
            let share = match phase.what {
                PhaseName::Hold => 0.14,
                PhaseName::Preheat
                | PhaseName::Load
                | PhaseName::ComeUp
                | PhaseName::Cool
                | PhaseName::Unload
                | PhaseName::Finished
                | PhaseName::Aborted => 0.02 + 0.035 * (index % 2) as f64,
            };
            let (top, bottom) = (self.band_top, self.frame.bottom);
            pen.fill((from, top), (to, bottom), BAND, share)?;
            if self.frame.shows_s(phase.from_s) {
                pen.line((from, top), (from, bottom), Ink::solid(EDGE, 1))?;
            }
        }
        Ok(())
    }

    fn grid<B: DrawingBackend>(&self, pen: &mut Pen<B>) -> Drawn<B> {
        let frame = &self.frame;
        let decimals = usize::from(self.grid_c < 1.0);
        for degrees in frame.degrees(self.grid_c) {
            let y = frame.y(degrees);
            pen.line((frame.left, y), (frame.right, y), Ink::solid(GRID, 1))?;
            let text = format!("{degrees:.decimals$}");
            pen.text(&text, (frame.left - 12, y), Lettering::of(SMALL_EM).right_aligned())?;
        }
        let middle = (frame.left - 82, (frame.top + frame.bottom) / 2);
        pen.text("°C", middle, Lettering::of(SMALL_EM).centered().upwards())
    }

    fn curve<B: DrawingBackend>(&self, pen: &mut Pen<B>, line: &Line) -> Drawn<B> {
        for run in &line.runs {
            for path in self.frame.paths(run) {
                pen.path(&path, ink(line.channel))?;
            }
        }
        Ok(())
    }

    /// The signs of a line, staggered so that those of lines that lie upon each other do not.
    fn signs<B: DrawingBackend>(&self, pen: &mut Pen<B>, index: usize, line: &Line) -> Drawn<B> {
        const ROUNDS: i32 = 3;
        let count = self.lines.len().max(1) as i32;
        let pitch = (self.frame.right - self.frame.left) / ROUNDS / count;
        for round in 0..ROUNDS {
            let x = self.frame.left + pitch / 2 + (round * count + index as i32) * pitch;
            let Some(at) = self.on_line(line, x) else { continue };
            pen.sign(at, &sign(line.channel), ink(line.channel).color, false)?;
        }
        Ok(())
    }

    /// Where the line is at this column, if it is there and within the plot.
    fn on_line(&self, line: &Line, x: i32) -> Option<Place> {
        let frame = &self.frame;
        let share = f64::from(x - frame.left) / f64::from(frame.right - frame.left);
        let t_s = frame.s.0 + share * (frame.s.1 - frame.s.0);
        let run = line.runs.iter().find(|run| {
            run.first().is_some_and(|first| first.t_s <= t_s)
                && run.last().is_some_and(|last| t_s <= last.t_s)
        })?;
        let after = run.partition_point(|point| point.t_s < t_s);
        let (to, from) = (run.get(after)?, run.get(after.saturating_sub(1))?);
        let along = if to.t_s > from.t_s { (t_s - from.t_s) / (to.t_s - from.t_s) } else { 1.0 };
        let degrees = from.c + along * (to.c - from.c);
        frame.shows_c(degrees).then(|| (x, frame.y(degrees)))
    }

    fn missing<B: DrawingBackend>(&self, pen: &mut Pen<B>) -> Drawn<B> {
        let bottom = self.frame.bottom;
        for span in self.missing {
            let (from, to) = (self.clamp_x(span.from_s), self.clamp_x(span.to_s));
            let outside = span.to_s < self.frame.s.0 || span.from_s > self.frame.s.1;
            if !outside {
                pen.fill((from, bottom - 12), (to.max(from + 3), bottom), BLACK, 1.0)?;
            }
        }
        Ok(())
    }

    fn flag_lines<B: DrawingBackend>(&self, pen: &mut Pen<B>) -> Drawn<B> {
        for flag in self.flags {
            let (x, lane) = (self.frame.x(flag.at_s), flag.lane.unwrap_or(0) as i32);
            let top = self.frame.top - FLAG_ROW * lane;
            let ink = Ink::solid(RGBColor(60, 60, 60), 1);
            pen.line((x, top), (x, self.frame.bottom), ink)?;
        }
        Ok(())
    }

    fn flag_signs<B: DrawingBackend>(&self, pen: &mut Pen<B>) -> Drawn<B> {
        for flag in self.flags {
            let Some(lane) = flag.lane else { continue };
            let y = self.frame.top - FLAG_ROW * lane as i32 - FLAG_ROW / 2;
            let (at, text) = ((self.frame.x(flag.at_s), y), flag.number.to_string());
            match flag.severity {
                Severity::Note => pen.sign(at, &text, BLACK, false)?,
                Severity::Deviation => pen.sign(at, &text, BLACK, true)?,
                Severity::Fail => {
                    let (from, to) = ((at.0 - 15, at.1 - 15), (at.0 + 15, at.1 + 15));
                    pen.fill(from, to, BLACK, 1.0)?;
                    let letter = Lettering::of(18.0).bold().centered();
                    pen.text(&text, at, letter.color(super::pen::WHITE))?;
                }
            }
        }
        Ok(())
    }

    /// From where to where a bracket with this text reaches.
    pub(super) fn bracket_room(&self, hold: &Span<HoldEnd>, text: &str) -> (i32, i32) {
        let (middle, half) = self.bracket_text(hold, text);
        let (from, to) = (self.clamp_x(hold.from_s), self.clamp_x(hold.to_s));
        (from.min(middle - half), to.max(middle + half))
    }

    /// Middle and half width of the text of a bracket, which stays within the plot.
    fn bracket_text(&self, hold: &Span<HoldEnd>, text: &str) -> (i32, i32) {
        let half = Lettering::of(SMALL_EM).bold().width(text) / 2;
        let (left, right) = (self.frame.left + half + 4, self.frame.right - half - 4);
        let middle = (self.clamp_x(hold.from_s) + self.clamp_x(hold.to_s)) / 2;
        (middle.clamp(left, right.max(left)), half)
    }

    /// A bracket over a hold, with its length.
    pub(super) fn bracket<B: DrawingBackend>(
        &self,
        pen: &mut Pen<B>,
        hold: &Span<HoldEnd>,
        y: i32,
        text: &str,
    ) -> Drawn<B> {
        let (from, to) = (self.clamp_x(hold.from_s), self.clamp_x(hold.to_s));
        let ink = Ink::solid(BLACK, 3);
        pen.line((from, y), (to, y), ink)?;
        pen.line((from, y), (from, y + 12), ink)?;
        pen.line((to, y), (to, y + 12), ink)?;
        if text.is_empty() {
            return Ok(());
        }
        let (middle, half) = self.bracket_text(hold, text);
        let (corner, opposite) = ((middle - half - 4, y - 32), (middle + half + 4, y - 5));
        pen.fill(corner, opposite, super::pen::WHITE, 1.0)?;
        pen.text(text, (middle, y - 18), Lettering::of(SMALL_EM).bold().centered())
    }
}
