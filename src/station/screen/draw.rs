//! The picture: a pure function from the state to a frame. What matters most stays longest when
//! the terminal is small: alarms, phase and time, what to do, temperatures, keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::big::{self, Size};
use super::state::ScreenState;
use super::{advice, chart, panel};
use crate::batch::alarm::waiting;
use crate::batch::params::Purpose;
use crate::batch::phase::PhaseName;
use crate::batch::words;
use crate::station::view::View;

/// What a terminal of this name can draw: the bare Linux console has no braille.
pub(super) fn marker(term: &str) -> Marker {
    if term == "linux" { Marker::HalfBlock } else { Marker::Braille }
}

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const REVERSED: Style = Style::new().add_modifier(Modifier::REVERSED.union(Modifier::BOLD));
const ALARM: Style = REVERSED.fg(Color::Red);

/// A message longer than this has its reason cut off, never what to do: that comes first in it.
const ANSWER_ROWS_MAX: u16 = 4;

/// Draws the whole screen.
pub(super) fn draw(frame: &mut Frame, state: &ScreenState) {
    let mut rest = frame.area();
    let Some(view) = &state.view else {
        frame.render_widget(Paragraph::new("Waiting for the first reading …"), rest);
        return;
    };
    let is_tall = rest.height >= 22 && rest.width >= 60;
    let width = usize::from(rest.width);

    let rows_max = (rest.height / 6).clamp(1, ANSWER_ROWS_MAX);
    let foot = answer_and_keys(state, view, width, usize::from(rows_max));
    let rows = rows_of(&foot).min(rows_max);
    frame.render_widget(Paragraph::new(foot), take_bottom(&mut rest, rows));
    frame.render_widget(header(view), take_top(&mut rest, 1));
    if rest.height >= 14 {
        frame.render_widget(Paragraph::new(strip(view.phase, width)), take_top(&mut rest, 1));
    }
    let alarms = alarm_lines(state, view, width);
    let rows = rows_of(&alarms).min(rest.height / 2);
    frame.render_widget(Paragraph::new(alarms), take_top(&mut rest, rows));
    if is_tall {
        phase_large(frame, take_top(&mut rest, 6), state, view);
    } else {
        phase_line(frame, take_top(&mut rest, 1), state, view);
    }
    let todo = todo_lines(state, view, width);
    let rows = rows_of(&todo).min(rest.height);
    frame.render_widget(Paragraph::new(todo), take_top(&mut rest, rows));

    if rest.height >= 9 {
        let rows = (rest.height / 4).clamp(3, 9);
        events(frame, take_bottom(&mut rest, rows), state);
    }
    if rest.height >= 4 {
        let machine = wrapped(&advice::machine(view), width, Style::new());
        let rows = rows_of(&machine);
        frame.render_widget(Paragraph::new(machine), take_bottom(&mut rest, rows));
    }
    temperatures(frame, rest, state, view);
}

fn take_top(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    let taken = Rect { height: rows, ..*rest };
    *rest = Rect { y: rest.y + rows, height: rest.height - rows, ..*rest };
    taken
}

fn take_bottom(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    *rest = Rect { height: rest.height - rows, ..*rest };
    Rect { y: rest.y + rest.height, height: rows, ..*rest }
}

fn rows_of(lines: &[Line<'_>]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

/// Breaks at spaces; a word longer than the line is cut by the terminal's edge.
fn wrapped(text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    let filled = lines.into_iter().map(|line| format!("{line:<width$}"));
    filled.map(|line| Line::styled(line, style)).collect()
}

fn header(view: &View) -> Line<'static> {
    let mut spans = Vec::new();
    if view.simulated {
        spans.push(Span::styled(" SIMULATED ", REVERSED));
        spans.push(Span::raw(" "));
    }
    if view.purpose == Purpose::Water {
        spans.push(Span::styled(" WATER ", REVERSED));
        spans.push(Span::raw(" "));
    }
    let (unit, batch, recipe) = (&view.unit, &view.batch, &view.recipe);
    spans.push(Span::raw(format!("unit {unit} · batch {batch} · recipe {recipe}")));
    Line::from(spans)
}

/// All phases in order, the present one in brackets and reversed.
fn strip(now: PhaseName, width: usize) -> Line<'static> {
    let shown: Vec<PhaseName> = match now {
        PhaseName::Aborted => vec![now],
        PhaseName::Preheat
        | PhaseName::Load
        | PhaseName::ComeUp
        | PhaseName::Hold
        | PhaseName::Cool
        | PhaseName::Unload
        | PhaseName::Finished => {
            PhaseName::ALL.into_iter().filter(|phase| *phase != PhaseName::Aborted).collect()
        }
    };
    let arrow = if width >= 70 { " > " } else { " " };
    let mut spans = Vec::new();
    for phase in shown {
        if !spans.is_empty() {
            spans.push(Span::raw(arrow));
        }
        spans.push(if phase == now {
            Span::styled(format!("[{phase}]"), REVERSED)
        } else {
            Span::raw(phase.word())
        });
    }
    Line::from(spans)
}

/// What is wrong: standing alarms, views that do not come any more, a batch that has failed.
fn alarm_lines(state: &ScreenState, view: &View, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if state.silent {
        let text = "NO NEWS from the controller for 5 s or more: all that is shown is old.";
        lines.extend(wrapped(text, width, ALARM));
    }
    let first = view.alarms.iter().find(|seen| seen.first).map(|seen| seen.alarm);
    for seen in &view.alarms {
        let after = first.filter(|first| *first != seen.alarm);
        let said = words::raised(seen.alarm, after);
        let (text, style) = match (seen.lasts, seen.acknowledged) {
            (true, true) => (format!("{said} (acknowledged)"), BOLD),
            (true, false) => (said, ALARM),
            (false, _) => (words::over(seen.alarm, after), ALARM),
        };
        lines.extend(wrapped(&text, width, style));
    }
    if state.failed() {
        let text = match view.purpose {
            Purpose::Milk => "THIS BATCH HAS FAILED. It cannot be released.",
            Purpose::Water => "THIS RUN WITH WATER HAS FAILED.",
        };
        lines.extend(wrapped(text, width, REVERSED));
    }
    lines
}

/// The time that the phase shows, and what it is: what is left of a hold is known exactly; of
/// everything else only what has passed.
fn time(state: &ScreenState, view: &View) -> (String, String) {
    if let Some(held_ms) = view.held_ms {
        // Rounded up: the hold is never shown as over before it is.
        let left_s = view.hold_ms.saturating_sub(held_ms).div_ceil(1000);
        return (minutes(left_s), format!("left of {}", words::duration(view.hold_ms)));
    }
    if view.phase.is_final() {
        let whole_s = state.elapsed_ms(view.phase_since) / 1000;
        return (minutes(whole_s), "from start to end".to_owned());
    }
    let passed_s = view.at.ms_since(view.phase_since) / 1000;
    (minutes(passed_s), "in this phase".to_owned())
}

fn minutes(seconds: u64) -> String {
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

fn phase_large(frame: &mut Frame, area: Rect, state: &ScreenState, view: &View) {
    let word = view.phase.word().to_uppercase();
    let (time, meaning) = time(state, view);
    let digits = Size::Large.columns(&time);
    let fits = Size::Large.columns(&word) + digits + 4 <= area.width;
    let size = if fits { Size::Large } else { Size::Small };
    big::draw(&word, size, BOLD, area, frame.buffer_mut());
    let columns = digits.max(u16::try_from(meaning.len()).unwrap_or(u16::MAX)).min(area.width);
    let at = Rect { x: area.right() - columns, width: columns, ..area };
    big::draw(&time, Size::Large, BOLD, at, frame.buffer_mut());
    if area.height > Size::Large.rows() {
        let below = Rect { y: at.y + Size::Large.rows(), height: 1, ..at };
        frame.render_widget(Line::from(meaning), below);
    }
}

fn phase_line(frame: &mut Frame, area: Rect, state: &ScreenState, view: &View) {
    let (time, meaning) = time(state, view);
    let word = view.phase.word().to_uppercase();
    let line = Line::from(vec![
        Span::styled(format!(" {word} "), REVERSED),
        Span::styled(format!(" {time} "), BOLD),
        Span::raw(meaning),
    ]);
    frame.render_widget(line, area);
}

/// The question that is asked, or else what to do next.
fn todo_lines(state: &ScreenState, view: &View, width: usize) -> Vec<Line<'static>> {
    match state.prompt.text() {
        Some((question, _)) => wrapped(&question, width, REVERSED),
        None => wrapped(&format!("> {}", advice::next_with_key(state, view)), width, BOLD),
    }
}

/// The answer to the last key or a message of the controller, and the keys. A message stays until
/// something else happens, and nobody may have to guess meanwhile what a key does; where there is no
/// room for both, its beginning says what to do.
fn answer_and_keys(
    state: &ScreenState,
    view: &View,
    width: usize,
    rows_max: usize,
) -> Vec<Line<'static>> {
    let keys = keys(state, view);
    let Some(note) = &state.note else { return wrapped(&keys, width, BOLD) };
    let both = wrapped(&format!("{note}  {keys}"), width, BOLD);
    if both.len() == 1 {
        return both;
    }
    let (mut lines, keys) = (wrapped(note, width, BOLD), wrapped(&keys, width, BOLD));
    let room = rows_max.saturating_sub(keys.len());
    // One row of a long message is too little of it.
    if lines.len() <= room || room > 1 {
        lines.truncate(room);
        lines.extend(keys);
    }
    lines
}

fn keys(state: &ScreenState, view: &View) -> String {
    if let Some((_, keys)) = state.prompt.text() {
        return keys.to_owned();
    }
    let keys = advice::keys(view);
    let waits = waiting(&view.alarms).is_some() && !view.phase.is_final();
    if waits { format!("a = acknowledge    {keys}") } else { keys.to_owned() }
}

/// The newest that fit as a whole, the newest last.
fn events(frame: &mut Frame, area: Rect, state: &ScreenState) {
    let rows = usize::from(area.height.saturating_sub(1));
    let mut lines: Vec<Line> = Vec::new();
    for (at, text) in state.events.iter().rev() {
        let text = format!("{} {text}", words::elapsed(state.elapsed_ms(*at)));
        let older = wrapped(&text, usize::from(area.width), Style::new());
        if !lines.is_empty() && lines.len() + older.len() > rows {
            break;
        }
        lines.splice(0..0, older);
    }
    let block = Block::new().borders(Borders::TOP).title(" what happened ");
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn temperatures(frame: &mut Frame, area: Rect, state: &ScreenState, view: &View) {
    let has_chart = area.width >= 70 && area.height >= 7;
    let rows = area.height.saturating_sub(u16::from(has_chart));
    let block = Block::new().borders(if has_chart { Borders::TOP } else { Borders::NONE });
    let figures = Paragraph::new(panel::lines(view, rows)).block(block.clone());
    let columns = if has_chart { panel::WIDTH } else { area.width };
    frame.render_widget(figures, Rect { width: columns, ..area });
    if has_chart {
        let area = Rect { x: area.x + columns, width: area.width - columns, ..area };
        let block = block.title(chart::title(state, view));
        let inner = block.inner(area);
        frame.render_widget(block, area);
        chart::draw(frame, inner, state, view);
    }
}

#[cfg(test)]
mod tests;
