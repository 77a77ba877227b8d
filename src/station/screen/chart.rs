//! The curve: bath and milk over time with floor and limit, readable without colour. Milk is a
//! full line, the bath a broken one, floor and limit are rows of dots; each has its name.

use holder_hal::{Celsius, Tick};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use ratatui::widgets::canvas::{Canvas, Context, Line as Stroke, Points};

use super::state::{Point, ScreenState};
use crate::batch::phase::PhaseName;
use crate::batch::words;
use crate::station::view::View;

/// What part of time and temperature is drawn: minutes since the batch began, and degrees.
#[derive(Clone, Copy, Debug)]
struct Window {
    x: [f64; 2],
    y: [f64; 2],
}

/// Columns for the temperatures at the left.
const LABELS: u16 = 6;
/// Points further apart than this are not joined: something was not known in between.
const JOINED_MIN: f64 = 0.5;

fn minutes(ms: u64) -> f64 {
    ms as f64 / 60_000.0
}

/// The whole batch, or in a hold the plateau on its own scale up to the end of the hold.
fn window(state: &ScreenState, view: &View) -> Window {
    let now = minutes(state.elapsed_ms(view.at));
    if view.phase == PhaseName::Hold {
        let begin = minutes(state.elapsed_ms(view.phase_since));
        let end = now.max(begin + minutes(view.hold_ms));
        let y = [view.floor.as_f64() - 0.5, view.ceiling.as_f64() + 0.5];
        return Window { x: [(begin - 5.0).max(0.0), end], y };
    }
    let right = if now <= 30.0 { 30.0 } else { now };
    let left = (right - minutes(ScreenState::SPAN_MS)).max(0.0);
    let hottest = state.points.iter().filter_map(|point| point.bath).fold(80.0, f64::max);
    Window { x: [left, right], y: [0.0, (hottest / 20.0).ceil() * 20.0] }
}

/// Draws the chart into `area`, or nothing if it is too small to say anything.
pub(super) fn draw(frame: &mut Frame, area: Rect, state: &ScreenState, view: &View) {
    if area.height < 5 || area.width < 30 {
        return;
    }
    let window = window(state, view);
    let plot =
        Rect { x: area.x + LABELS, width: area.width - LABELS, height: area.height - 1, ..area };
    scale_y(frame, Rect { width: LABELS, height: plot.height, ..area }, window.y);
    let foot = Rect { y: plot.bottom(), height: 1, ..plot };
    frame.render_widget(Paragraph::new(scale_x(window.x, foot.width)), foot);
    let canvas = Canvas::default()
        .marker(state.marker)
        .x_bounds(window.x)
        .y_bounds(window.y)
        .paint(|context| curve(context, state, view, window, plot));
    frame.render_widget(canvas, plot);
}

/// Round temperatures at the left, each in the row in which the canvas draws it.
fn scale_y(frame: &mut Frame, area: Rect, [low, high]: [f64; 2]) {
    let last_row = f64::from(area.height.saturating_sub(1));
    let rows_wanted = (last_row / 1.75).max(1.0);
    let steps = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
    let step = steps.into_iter().find(|step| (high - low) / step <= rows_wanted).unwrap_or(200.0);
    let mut rows = vec![Line::default(); usize::from(area.height)];
    let (first, last) = ((low / step).ceil() as i32, (high / step).floor() as i32);
    for count in first..=last {
        let value = f64::from(count) * step;
        let row = ((high - value) / (high - low) * last_row).round();
        if let Some(line) = rows.get_mut(row as usize) {
            *line = format!("{value:>4.1} ").into();
        }
    }
    frame.render_widget(Paragraph::new(rows), area);
}

fn scale_x([left, right]: [f64; 2], width: u16) -> String {
    let label = |at: f64| {
        let whole = at.max(0.0) as u64;
        format!("{}:{:02}", whole / 60, whole % 60)
    };
    let (left, right) = (label(left), format!("{} h:min", label(right)));
    let gap = usize::from(width).saturating_sub(left.len() + right.len());
    format!("{left}{:gap$}{right}", "")
}

fn curve(context: &mut Context<'_>, state: &ScreenState, view: &View, window: Window, plot: Rect) {
    let now = minutes(state.elapsed_ms(view.at));
    lines(context, view, window, plot, now);
    if view.phase == PhaseName::Hold {
        let begin = minutes(state.elapsed_ms(view.phase_since));
        dots(context, |share| (begin, window.y[0] + share * (window.y[1] - window.y[0])), plot);
    }
    let x = |at: Tick| minutes(state.elapsed_ms(at));
    let milk_probes = view.milk.iter().flatten().count();
    for index in 0..milk_probes {
        let milk = |point: &Point| point.milk.get(index).copied().flatten();
        stroke(context, state, x, milk, Color::Cyan, false);
    }
    stroke(context, state, x, |point| point.bath, Color::Yellow, true);
    names(context, state, now, window, plot);
}

/// Joins neighbouring points; a broken line leaves out every second stretch of a minute.
fn stroke(
    context: &mut Context<'_>,
    state: &ScreenState,
    x: impl Fn(Tick) -> f64,
    y: impl Fn(&Point) -> Option<f64>,
    color: Color,
    is_broken: bool,
) {
    let known = |point: &Point| y(point).map(|value| (x(point.at), value));
    for (from, to) in state.points.iter().zip(state.points.iter().skip(1)) {
        let (Some((x1, y1)), Some((x2, y2))) = (known(from), known(to)) else { continue };
        let is_left_out = is_broken && x1.rem_euclid(2.0) >= 1.0;
        if x2 - x1 <= JOINED_MIN && !is_left_out {
            context.draw(&Stroke { x1, y1, x2, y2, color });
        }
    }
}

/// A dot every second column of the plot.
fn dots(context: &mut Context<'_>, at: impl Fn(f64) -> (f64, f64), plot: Rect) {
    let count = plot.width.max(2) / 2;
    let coords: Vec<(f64, f64)> =
        (0..=count).map(|step| at(f64::from(step) / f64::from(count))).collect();
    context.draw(&Points { coords: &coords, color: Color::Gray });
}

fn degrees_per_row(window: Window, plot: Rect) -> f64 {
    (window.y[1] - window.y[0]) / f64::from(plot.height.max(1))
}

/// Floor and limit, named at the side where the curve does not end.
fn lines(context: &mut Context<'_>, view: &View, window: Window, plot: Rect, now: f64) {
    let [left, right] = window.x;
    // A whole batch begins far below these lines, a plateau does not.
    let crowded_until = if view.phase == PhaseName::Hold { 0.7 } else { 0.35 };
    let is_named_right = now - left < (right - left) * crowded_until;
    let per_row = degrees_per_row(window, plot);
    let is_apart = (view.limit - view.floor).as_f64() >= per_row;
    let mut line = |value: Celsius, name: &str, offset_rows: f64| {
        let y = value.as_f64();
        dots(context, |share| (left + share * (right - left), y), plot);
        let text = format!("{name} {value:.2}");
        let columns = text.len() as f64 * (right - left) / f64::from(plot.width.max(1));
        let x = if is_named_right { right - columns } else { left };
        context.print(x, y + offset_rows * per_row, text);
    };
    line(view.limit, "limit", if is_apart { 0.0 } else { 1.0 });
    if is_apart {
        line(view.floor, "floor", 0.0);
    }
}

/// Names bath and milk at the ends of their curves, the upper one above and the lower one below.
fn names(context: &mut Context<'_>, state: &ScreenState, now: f64, window: Window, plot: Rect) {
    let Some(last) = state.points.back() else { return };
    let milk = last.milk.into_iter().flatten().reduce(f64::min);
    let per_row = degrees_per_row(window, plot);
    let per_column = (window.x[1] - window.x[0]) / f64::from(plot.width.max(1));
    let x = now.min(window.x[1] - 5.0 * per_column);
    let bath_is_upper = last.bath.unwrap_or(0.0) >= milk.unwrap_or(0.0);
    let mut name = |value: Option<f64>, text: &'static str, is_upper: bool| {
        let Some(value) = value else { return };
        let y = value + if is_upper { per_row } else { -per_row };
        let y = y.clamp(window.y[0], window.y[1]);
        let style = Style::default().add_modifier(Modifier::BOLD);
        context.print(x, y, Line::from(Span::styled(text, style)));
    };
    name(last.bath, "bath", bath_is_upper);
    name(milk, "milk", !bath_is_upper);
}

/// The title of the chart.
pub(super) fn title(state: &ScreenState, view: &View) -> String {
    let elapsed = words::elapsed(state.elapsed_ms(view.at));
    if view.phase == PhaseName::Hold {
        format!(" the hold in °C, now {elapsed} ")
    } else {
        format!(" °C since the batch began, now {elapsed} ")
    }
}
