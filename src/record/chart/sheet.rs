//! The whole sheet: title and marks, the run, the hold enlarged, and the notes below.

use holder_hal::{Celsius, Kelvin};
use plotters::prelude::{DrawingBackend, RGBColor};

use super::curves::{self, Channel, HoldEnd, Line, Span};
use super::frame::Frame;
use super::labels;
use super::legend;
use super::outages;
use super::panel::{FLAG_ROW, Flag, Panel, RuleLine, SMALL_EM};
use super::pen::{BLACK, Drawn, Ink, Lettering, Pen, WHITE};
use super::{ChartOptions, SHEET_PX};
use crate::batch::params::Purpose;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Severity, Verdict};
use crate::record::curve::bottles;
use crate::record::zone::{Zone, wall_ms};
use crate::store::model::BatchRecord;

mod brackets;

use brackets::{BRACKET_FOOT, BRACKET_ROW};

const LEFT: i32 = 140;
const RIGHT: i32 = 1650;
const MARGIN: i32 = 30;
const SHEET_RIGHT: i32 = SHEET_PX.0 as i32 - 20;
const PHASE_ROW: i32 = 28;
const PHASE_ROWS: usize = 3;
const FLAG_ROWS: usize = 3;
/// Height of a line of the labels at the right of a plot.
const LABEL_ROW: i32 = 23;
/// Foot of the plot of the whole run, where the hold is enlarged below it.
const RUN_BOTTOM: i32 = 670;
/// Room for the two rows of ticks below a plot.
const TICKS: i32 = 62;
const NOTES_Y: i32 = SHEET_PX.1 as i32 - 28;

/// What both plots show.
struct Scene<'a> {
    record: &'a BatchRecord,
    verdict: &'a Verdict,
    zone: Zone,
    lines: Vec<Line>,
    phases: Vec<Span<PhaseName>>,
    holds: Vec<Span<HoldEnd>>,
    missing: Vec<Span<()>>,
    outages: Vec<Span<String>>,
    rules: Vec<RuleLine>,
}

pub(super) fn draw<B: DrawingBackend>(
    pen: &mut Pen<B>,
    record: &BatchRecord,
    verdict: &Verdict,
    options: ChartOptions,
) -> Drawn<B> {
    let scene = Scene {
        record,
        verdict,
        zone: Zone::named(&record.time_zone),
        lines: curves::lines(record),
        phases: curves::phases(record),
        holds: curves::holds(record),
        missing: curves::missing(record),
        outages: outages::outages(record),
        rules: rules(record),
    };
    pen.fill((0, 0), (SHEET_PX.0 as i32, SHEET_PX.1 as i32), WHITE, 1.0)?;
    scene.title(pen)?;
    scene.marks(pen, options)?;
    let hold = scene.hold_frame();
    let bottom = if hold.is_some() { RUN_BOTTOM } else { NOTES_Y - 32 - TICKS };
    scene.run(pen, bottom)?;
    if let Some(frame) = hold {
        scene.hold(pen, frame)?;
    }
    scene.notes(pen)
}

/// The temperatures of the recipe, where they are judged: U and margin on the safe side.
fn rules(record: &BatchRecord) -> Vec<RuleLine> {
    let params = &record.params;
    let (hold, ceiling) = (&params.recipe.hold, &params.recipe.ceiling);
    let floor = format!("floor {:.2} °C", hold.floor);
    let mut rules = vec![rule(hold.floor, Ink::solid(BLACK, 2), vec![floor])];
    let limits = params.milk.iter().map(|probe| params.limit(probe));
    let mut limits: Vec<(Celsius, Kelvin)> =
        limits.zip(params.milk.iter().map(|probe| probe.certificate.uncertainty)).collect();
    limits.sort();
    limits.dedup();
    let many = limits.len() > 1;
    for (limit, uncertainty) in &limits {
        let of = if many { limit_owners(record, *limit) } else { String::new() };
        let texts = vec![
            format!("limit {limit:.2} °C{of}"),
            format!("= floor + U {uncertainty:.2} + margin {:.2}", params.margin),
        ];
        rules.push(rule(*limit, Ink { color: BLACK, width: 2, dash: &[14, 7] }, texts));
    }
    let uncertainty = limits.iter().map(|(_, u)| *u).max().unwrap_or(Kelvin::ZERO);
    let grey = RGBColor(70, 70, 70);
    for (line, word, dash) in [
        (ceiling.note, "note", &[2, 8] as &'static [i32]),
        (ceiling.deviation, "deviation", &[10, 10]),
        (ceiling.fail, "fail", &[20, 5]),
    ] {
        let texts = vec![
            format!("{word} above {:.2} °C", line - uncertainty - params.margin),
            format!("= ceiling {line:.1} − U − margin"),
        ];
        let ink = Ink { color: grey, width: 2, dash };
        rules.push(rule(line - uncertainty - params.margin, ink, texts));
    }
    rules
}

fn rule(at: Celsius, ink: Ink, texts: Vec<String>) -> RuleLine {
    RuleLine { c: at.as_f64(), ink, texts }
}

fn limit_owners(record: &BatchRecord, limit: Celsius) -> String {
    let owners = (1..).zip(&record.params.milk);
    let owners = owners.filter(|(_, probe)| record.params.limit(probe) == limit);
    let numbers: Vec<String> = owners.map(|(number, _): (usize, _)| number.to_string()).collect();
    format!(" ({})", numbers.join(", "))
}

impl Scene<'_> {
    fn title<B: DrawingBackend>(&self, pen: &mut Pen<B>) -> Drawn<B> {
        let header = &self.record.header;
        let title = format!("{} · unit {} · {}", header.code, header.unit, header.recipe);
        let lettering = Lettering::of(34.0).bold();
        pen.text(&lettering.fit(&title, 1_250), (MARGIN, 42), lettering)?;
        let count = |severity| {
            self.verdict.findings.iter().filter(|found| found.severity == severity).count()
        };
        let line = format!(
            "{} · started {} {} ({}) · bottles {} · judged {}: {} failed, {} to decide, {} to note",
            self.record.station,
            self.zone.day(header.started_utc_ms),
            self.zone.clock(header.started_utc_ms),
            self.zone.label(header.started_utc_ms),
            bottles(self.record),
            self.verdict.outcome,
            count(Severity::Fail),
            count(Severity::Deviation),
            count(Severity::Note),
        );
        let lettering = Lettering::of(SMALL_EM);
        pen.text(&lettering.fit(&line, SHEET_RIGHT - 30), (MARGIN, 86), lettering)
    }

    fn marks<B: DrawingBackend>(&self, pen: &mut Pen<B>, options: ChartOptions) -> Drawn<B> {
        let marks = [
            (self.record.header.simulated, "SIMULATED — not a real machine"),
            (options.training, "TRAINING"),
            (options.altered, "NOT WHAT WAS WRITTEN"),
            (options.judged_otherwise, "JUDGED OTHERWISE TODAY"),
            (self.record.header.purpose == Purpose::Water, "WATER — no milk"),
        ];
        let (mut right, lettering) = (SHEET_RIGHT, Lettering::of(26.0).bold().centered());
        for (_, text) in marks.into_iter().filter(|(marked, _)| *marked) {
            let left = right - lettering.width(text) - 32;
            pen.fill((left, 16), (right, 66), BLACK, 1.0)?;
            pen.text(text, ((left + right) / 2, 41), lettering.color(WHITE))?;
            right = left - 12;
        }
        Ok(())
    }

    /// The plot of the whole run.
    fn run<B: DrawingBackend>(&self, pen: &mut Pen<B>, bottom: i32) -> Drawn<B> {
        let periods = &self.record.periods;
        let first_s = periods.first().map_or(0.0, |period| curves::seconds(period.at.ms()));
        let last_s = periods.last().map_or(0.0, |period| curves::seconds(period.at.ms()));
        let s = (first_s, last_s.max(first_s + 60.0));
        let points = self.lines.iter().flat_map(|line| line.runs.iter().flatten());
        let (low, high) = points
            .fold((0.0_f64, 70.0_f64), |(low, high), point| (low.min(point.c), high.max(point.c)));
        let c = ((low / 10.0).floor() * 10.0, (high / 10.0 + 0.5).ceil() * 10.0);
        let mut frame = Frame { left: LEFT, top: 0, right: RIGHT, bottom, s, c };
        let (names, rows) = self.phase_names(&frame);
        let (flags, flag_rows) = self.flags(&frame);
        frame.top = 112 + PHASE_ROW * rows + FLAG_ROW * flag_rows;
        let brackets = self.brackets(&frame);
        frame.c.1 = frame.c.1.max(self.room_for(&brackets, &frame));
        for (x, row, text) in names {
            let y = 112 + PHASE_ROW * (rows - 1 - row) + PHASE_ROW / 2;
            pen.text(text, (x, y), Lettering::of(SMALL_EM).centered())?;
        }
        let rules: Vec<RuleLine> = self.outer_rules();
        let band_top = 112 + PHASE_ROW * rows;
        let panel = Panel { band_top, ..self.panel(frame, &rules, &flags, 10.0) };
        panel.draw(pen)?;
        outages::draw(pen, &frame, &self.outages)?;
        for bracket in &brackets {
            let y = frame.y(self.fail_c()) - BRACKET_FOOT - BRACKET_ROW * bracket.row;
            panel.bracket(pen, bracket.hold, y, &bracket.text)?;
        }
        self.ticks(pen, &frame)?;
        let below = self.rule_labels(pen, &frame, &rules)?;
        legend::draw(pen, &self.lines, (RIGHT + 14, below + 44), (SHEET_RIGHT, bottom))
    }

    /// The rules that a plot of the whole run has room for: the floor and the last ceiling.
    fn outer_rules(&self) -> Vec<RuleLine> {
        let (first, last) = (self.rules.first(), self.rules.last());
        let mut rules: Vec<RuleLine> = first.into_iter().chain(last).cloned().collect();
        rules.iter_mut().for_each(|rule| rule.texts.truncate(1));
        rules
    }

    fn panel<'a>(
        &'a self,
        frame: Frame,
        rules: &'a [RuleLine],
        flags: &'a [Flag],
        grid_c: f64,
    ) -> Panel<'a> {
        let (lines, phases, missing) = (&self.lines, &self.phases, &self.missing);
        let band_top = frame.top;
        Panel { frame, lines, phases, missing, rules, flags, grid_c, band_top }
    }

    /// Names of the phases over their bands, in rows: x, row from the plot upwards, word.
    fn phase_names(&self, frame: &Frame) -> (Vec<(i32, i32, &'static str)>, i32) {
        let (mut taken, mut names) = ([frame.left; PHASE_ROWS], Vec::new());
        for phase in &self.phases {
            let text = phase.what.word();
            let half = Lettering::of(SMALL_EM).width(text) / 2;
            let middle = (frame.x(phase.from_s) + frame.x(phase.to_s)) / 2;
            let x = middle.clamp(frame.left + half, frame.right - half);
            if let Some(row) = labels::lane(&mut taken, x - half, x + half + 12) {
                names.push((x, row as i32, text));
            }
        }
        let rows = names.iter().map(|(_, row, _)| row + 1).max().unwrap_or(0);
        (names, rows)
    }

    /// The flags of a plot, and how many rows they need.
    fn flags(&self, frame: &Frame) -> (Vec<Flag>, i32) {
        let found = (1..).zip(&self.verdict.findings);
        let mut flags: Vec<Flag> = found
            .filter_map(|(number, finding)| {
                let at_s = finding.at_s.filter(|at_s| frame.shows_s(*at_s))?;
                Some(Flag { number, severity: finding.severity, at_s, lane: None })
            })
            .collect();
        flags.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        let mut taken = [i32::MIN; FLAG_ROWS];
        for flag in &mut flags {
            let x = frame.x(flag.at_s);
            flag.lane = labels::lane(&mut taken, x - 16, x + 16);
        }
        let rows = flags.iter().filter_map(|flag| flag.lane).max().map_or(0, |lane| lane + 1);
        (flags, rows as i32)
    }

    fn ticks<B: DrawingBackend>(&self, pen: &mut Pen<B>, frame: &Frame) -> Drawn<B> {
        let (bottom, small) = (frame.bottom, Lettering::of(SMALL_EM));
        // What stands behind the ticks begins behind the last of their labels.
        let mut behind = frame.right + 14;
        for minute in frame.minutes(12.0) {
            let x = frame.x(minute as f64 * 60.0);
            pen.line((x, bottom), (x, bottom + 8), Ink::solid(BLACK, 2))?;
            pen.text(&minute.to_string(), (x, bottom + 22), small.centered())?;
            let tick_ms = u64::try_from(minute).unwrap_or(0).saturating_mul(60_000);
            let clock = self.zone.clock(wall_ms(self.record, tick_ms));
            pen.text(&clock, (x, bottom + 46), small.centered())?;
            behind = behind.max(x + small.width(&clock) / 2 + 16);
        }
        let x = frame.left - 44;
        pen.text("minutes", (x, bottom + 22), small.right_aligned())?;
        pen.text("clock", (x, bottom + 46), small.right_aligned())?;
        pen.text("since the start", (behind, bottom + 22), small)?;
        let label = self.zone.label(self.record.header.started_utc_ms);
        let small = small.shrunk(&label, SHEET_RIGHT - behind);
        pen.text(&small.fit(&label, SHEET_RIGHT - behind), (behind, bottom + 46), small)
    }

    /// Labels at the right of the plot, each at its line as far as there is room. Gives the
    /// height of the last.
    fn rule_labels<B: DrawingBackend>(
        &self,
        pen: &mut Pen<B>,
        frame: &Frame,
        rules: &[RuleLine],
    ) -> Result<i32, plotters_backend::DrawingErrorKind<B::ErrorType>> {
        let mut shown: Vec<&RuleLine> = rules.iter().filter(|rule| frame.shows_c(rule.c)).collect();
        shown.sort_by(|a, b| b.c.total_cmp(&a.c));
        let mut texts: Vec<(i32, i32, &str)> = Vec::new();
        for rule in shown {
            for (row, text) in (0..).zip(&rule.texts) {
                texts.push((frame.y(rule.c), row, text));
            }
        }
        // Where all of them have no room, what a rule is made of stands on the record.
        let room_px = frame.bottom - frame.top;
        if LABEL_ROW * i32::try_from(texts.len()).unwrap_or(i32::MAX) > room_px {
            texts.retain(|(_, row, _)| *row == 0);
        }
        // The second line of a label stays below its first, whatever lies beside them.
        let mut lowest = i32::MIN;
        let wanted: Vec<i32> = texts
            .iter()
            .map(|(y, row, _)| {
                lowest = lowest.max(y + 22 * row);
                lowest
            })
            .collect();
        let placed = labels::spread(&wanted, LABEL_ROW, frame.top, frame.bottom);
        let (x, room) = (frame.right + 34, SHEET_RIGHT - frame.right - 34);
        for ((line_y, row, text), y) in texts.into_iter().zip(&placed) {
            let lettering = Lettering::of(if row == 0 { SMALL_EM } else { 17.0 });
            if row == 0 {
                let ink = Ink::solid(RGBColor(120, 120, 120), 1);
                pen.line((frame.right + 2, line_y), (x - 5, *y), ink)?;
            }
            pen.text(&lettering.fit(text, room), (x, *y), lettering)?;
        }
        Ok(placed.last().copied().unwrap_or(frame.top))
    }

    /// The frame of the enlarged hold; without a hold, of the time near the floor, if any.
    fn hold_frame(&self) -> Option<Frame> {
        let floor = self.record.params.recipe.hold.floor.as_f64();
        let milk = self.lines.iter().filter(|line| matches!(line.channel, Channel::Milk(_)));
        let points = milk.flat_map(|line| line.runs.iter().flatten());
        let near = |c: f64| c >= floor - 1.0;
        let warm: Vec<_> = points.filter(|point| near(point.c)).collect();
        let holds = (self.holds.first()).zip(self.holds.last());
        let (from_s, to_s) = match holds {
            Some((first, last)) => (first.from_s - 180.0, last.to_s + 120.0),
            None => warm.iter().fold((f64::INFINITY, 0.0), |(from, to): (f64, f64), point| {
                (from.min(point.t_s - 60.0), to.max(point.t_s + 60.0))
            }),
        };
        if from_s >= to_s {
            return None;
        }
        let inside = warm.iter().filter(|point| (from_s..=to_s).contains(&point.t_s));
        let hottest = inside.map(|point| point.c).fold(floor + 1.8, f64::max);
        // Half degrees, and no more than the hottest line of any recipe needs.
        let top = ((hottest + 0.2).min(floor + 6.0) * 2.0).ceil() / 2.0;
        let (s, c) = ((from_s.max(0.0), to_s), (floor - 1.0, top));
        Some(Frame { left: LEFT, top: 0, right: RIGHT, bottom: NOTES_Y - 32 - TICKS, s, c })
    }

    /// The plot of the hold, enlarged.
    fn hold<B: DrawingBackend>(&self, pen: &mut Pen<B>, mut frame: Frame) -> Drawn<B> {
        let (flags, rows) = self.flags(&frame);
        let heading = Lettering::of(22.0).bold();
        let title = if self.holds.is_empty() { "Near the floor" } else { "The hold" };
        pen.text(&format!("{title}, enlarged"), (LEFT, RUN_BOTTOM + TICKS + 34), heading)?;
        frame.top = RUN_BOTTOM + TICKS + 54 + FLAG_ROW * rows;
        let panel = self.panel(frame, &self.rules, &flags, 0.5);
        panel.draw(pen)?;
        self.ticks(pen, &frame)?;
        self.rule_labels(pen, &frame, &self.rules)?;
        Ok(())
    }

    fn notes<B: DrawingBackend>(&self, pen: &mut Pen<B>) -> Drawn<B> {
        let text = format!(
            "Readings corrected by the probes' certificates. A gap is a missing reading (black at \
             the foot of a plot). Numbers above a plot: findings of the record (black: to be \
             decided; square: failed). Journal {} · {:.16}",
            self.record.head_seq, self.record.head_hash
        );
        let lettering = Lettering::of(17.0);
        pen.text(&lettering.fit(&text, SHEET_RIGHT - 30), (MARGIN, NOTES_Y), lettering)
    }
}
