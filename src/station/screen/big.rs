//! Large letters, to be read from two metres: 3 × 5 dots each, drawn with full and half blocks
//! only, which even the bare Linux console has.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Paragraph, Widget};

/// How large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Five rows, eight columns a letter.
    Large,
    /// Three rows, four columns a letter.
    Small,
}

impl Size {
    /// Rows of a line of text.
    pub(super) const fn rows(self) -> u16 {
        match self {
            Self::Large => 5,
            Self::Small => 3,
        }
    }

    /// Columns of `text`, without the gap after it.
    pub(super) fn columns(self, text: &str) -> u16 {
        let dots: usize = text.chars().map(|c| dot_columns(c) + 1).sum();
        let dots = u16::try_from(dots.saturating_sub(1)).unwrap_or(u16::MAX);
        match self {
            Self::Large => dots.saturating_mul(2),
            Self::Small => dots,
        }
    }
}

/// The dots of a letter, one octal digit for each row; nothing for a letter that no phase has.
const fn glyph(letter: char) -> u16 {
    match letter {
        '0' | 'O' => 0o75557,
        '1' => 0o26227,
        '2' => 0o71747,
        '3' => 0o71717,
        '4' => 0o55711,
        '5' | 'S' => 0o74717,
        '6' => 0o74757,
        '7' => 0o71111,
        '8' => 0o75757,
        '9' => 0o75717,
        'A' => 0o75755,
        'B' => 0o65656,
        'C' => 0o74447,
        'D' => 0o65556,
        'E' => 0o74647,
        'F' => 0o74644,
        'H' => 0o55755,
        'I' => 0o72227,
        'L' => 0o44447,
        'M' => 0o57755,
        'N' => 0o75555,
        'P' => 0o75744,
        'R' => 0o75765,
        'T' => 0o72222,
        'U' => 0o55557,
        '-' => 0o00700,
        ':' => 0o01010,
        _ => 0,
    }
}

/// A colon is one dot wide, all else three.
const fn dot_columns(letter: char) -> usize {
    if letter == ':' { 1 } else { 3 }
}

/// Whether the dot in this row and column (from the left) is set.
const fn dot(letter: char, row: usize, column: usize) -> bool {
    if row > 4 || column >= dot_columns(letter) {
        return false;
    }
    let bit = (4 - row) * 3 + (dot_columns(letter) - 1 - column);
    glyph(letter) >> bit & 1 == 1
}

fn large_row(text: &str, row: usize) -> String {
    let mut line = String::new();
    for letter in text.chars() {
        for column in 0..=dot_columns(letter) {
            line.push_str(if dot(letter, row, column) { "██" } else { "  " });
        }
    }
    line
}

fn small_row(text: &str, row: usize) -> String {
    let mut line = String::new();
    for letter in text.chars() {
        for column in 0..=dot_columns(letter) {
            let pair = (dot(letter, row * 2, column), dot(letter, row * 2 + 1, column));
            line.push(match pair {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
    }
    line
}

/// Draws `text` at the top left of `area`, cut at its edges.
pub(super) fn draw(text: &str, size: Size, style: Style, area: Rect, buffer: &mut Buffer) {
    let row = match size {
        Size::Large => large_row,
        Size::Small => small_row,
    };
    let lines: Vec<Line> = (0..usize::from(size.rows())).map(|at| row(text, at).into()).collect();
    Paragraph::new(Text::from(lines)).style(style).render(area, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::phase::PhaseName;

    #[test]
    fn every_phase_and_every_digit_has_its_letters() {
        let words = PhaseName::ALL.map(|phase| phase.word().to_uppercase()).join("");
        for letter in words.chars().chain("0123456789:".chars()) {
            assert_ne!(glyph(letter), 0, "{letter}");
        }
    }

    #[test]
    fn a_time_is_drawn_as_a_person_would_write_it() {
        let rows: Vec<String> = (0..3).map(|row| small_row("1:0", row)).collect();
        assert_eq!(rows, ["▄█  ▄ █▀█ ", " █  ▄ █ █ ", "▀▀▀   ▀▀▀ "].map(String::from));
    }

    #[test]
    fn the_stated_width_is_the_drawn_width_without_the_last_gap() {
        for text in ["FINISHED", "29:14"] {
            let drawn = large_row(text, 0).chars().count() - 2;
            assert_eq!(usize::from(Size::Large.columns(text)), drawn);
            let drawn = small_row(text, 0).chars().count() - 1;
            assert_eq!(usize::from(Size::Small.columns(text)), drawn);
        }
    }
}
