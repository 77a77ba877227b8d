//! What goes to stdout and stderr: text, tables, JSON, notes.

use std::io::{self, Write};

use anyhow::Context as _;
use serde::Serialize;

/// Terminals are this wide at least; a table's last column is wrapped to it.
const WIDTH: usize = 80;
/// The last column is never squeezed below this.
const LAST_COLUMN_MIN: usize = 24;

/// Writes to stdout. Whoever reads may stop reading (`| head`): that is not an error.
///
/// # Errors
/// The system refuses, such as a full disk behind a redirection.
pub(crate) fn bytes(what: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(what).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the output cannot be written"),
    }
}

/// Writes text to stdout, with a line end.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn text(what: &str) -> anyhow::Result<()> {
    bytes(format!("{}\n", what.trim_end_matches('\n')).as_bytes())
}

/// Writes the one document of `--json` to stdout.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn json(what: &impl Serialize) -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(what).context("the answer cannot be JSON")?;
    text(&document)
}

/// Writes a line to stderr; nobody may be listening.
pub(crate) fn note(what: &str) {
    let _ = writeln!(io::stderr().lock(), "{what}");
}

/// A table: columns as wide as they need, the last one wrapped so that the whole stays readable
/// on a terminal of 80 columns.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
        let all = cells.chain(head.get(column).copied());
        all.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let before_last: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
    let last = WIDTH.saturating_sub(before_last).max(LAST_COLUMN_MIN);
    let mut shown = line(&head.iter().map(ToString::to_string).collect::<Vec<_>>(), &widths);
    for row in rows {
        let mut cells = row.clone();
        let wrapped = cells.pop().map(|cell| wrap(&cell, last)).unwrap_or_default();
        for (index, part) in wrapped.into_iter().enumerate() {
            let mut parts =
                if index == 0 { cells.clone() } else { vec![String::new(); cells.len()] };
            parts.push(part);
            shown += &line(&parts, &widths);
        }
    }
    shown
}

/// A table, or a sentence where there is nothing to list.
pub(crate) fn list(head: &[&str], rows: &[Vec<String>], nothing: &str) -> String {
    if rows.is_empty() { nothing.to_owned() } else { table(head, rows) }
}

/// A paragraph that stays readable on a terminal of 80 columns.
pub(crate) fn paragraph(text: &str) -> String {
    wrap(text, WIDTH).join("\n")
}

/// What belongs to one thing, name by name, indented below it.
pub(crate) fn fields(fields: &[(&str, &str)]) -> String {
    let name_width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let indent = name_width + 4;
    let mut shown = String::new();
    for (name, text) in fields {
        for (index, part) in wrap(text, WIDTH.saturating_sub(indent)).into_iter().enumerate() {
            let name = if index == 0 { *name } else { "" };
            shown += format!("  {name:name_width$}  {part}").trim_end();
            shown += "\n";
        }
    }
    shown
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line += cell;
        let gap = width.saturating_sub(cell.chars().count()) + 2;
        line.extend(std::iter::repeat_n(' ', gap));
    }
    format!("{}\n", line.trim_end())
}

/// Breaks text at spaces; a longer word gets a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stays_within_eighty_columns_when_its_last_cell_is_long() {
        let rows = vec![vec!["a".to_owned(), "word ".repeat(40).trim().to_owned()]];
        let shown = table(&["NAME", "TEXT"], &rows);
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH), "{shown}");
        assert_eq!(shown.matches("word").count(), 40);
    }

    #[test]
    fn fields_hang_below_their_names_within_eighty_columns() {
        let shown = fields(&[("method", "word ".repeat(30).trim()), ("to", "x")]);
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH), "{shown}");
        assert!(shown.contains("\n          word"), "{shown}");
        assert!(shown.ends_with("\n  to      x\n"), "{shown}");
    }

    #[test]
    fn columns_are_aligned_by_characters_not_bytes() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let shown = table(&["T", "X"], &[row("62.5 °C", "x"), row("4 K", "x")]);
        assert_eq!(shown, "T        X\n62.5 °C  x\n4 K      x\n");
    }
}
