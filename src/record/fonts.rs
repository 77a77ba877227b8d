//! The one font of charts and documents, inside the program: no font of the system is ever
//! looked for, so that a record looks the same everywhere and for ever.

use std::borrow::Cow;
use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, GlyphId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plotters::style::{FontStyle, register_font};

use super::RecordError;

/// The family name that chart, browser and document engine agree on.
pub(crate) const FAMILY: &str = "Open Sans";

/// Upright, of normal weight.
pub(crate) static REGULAR: &[u8] = include_bytes!("fonts/OpenSans-Regular.ttf");
/// Upright, bold.
pub(crate) static BOLD: &[u8] = include_bytes!("fonts/OpenSans-Bold.ttf");

/// Makes the font known to plotters, once.
pub(crate) fn register() -> Result<(), RecordError> {
    static DONE: LazyLock<bool> = LazyLock::new(|| {
        register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && register_font(FAMILY, FontStyle::Bold, BOLD).is_ok()
    });
    if *DONE { Ok(()) } else { Err(RecordError::Font) }
}

/// A style element that carries both faces, so that a browser without the font shows the same.
pub(crate) fn svg_style() -> &'static str {
    static STYLE: LazyLock<String> = LazyLock::new(|| {
        let face = |weight, bytes| {
            format!(
                "@font-face{{font-family:\"{FAMILY}\";font-weight:{weight};\
                 src:url(data:font/ttf;base64,{}) format(\"truetype\")}}\n",
                STANDARD.encode(bytes)
            )
        };
        format!("<style>\n{}{}</style>\n", face(400, REGULAR), face(700, BOLD))
    });
    &STYLE
}

/// The text with every character that the font lacks written as its code, `[U+4E2D]`: an
/// archival PDF may not hold an empty box, and a reader must see that something stood there.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    static FONT: LazyLock<Option<FontRef<'static>>> =
        LazyLock::new(|| FontRef::try_from_slice(REGULAR).ok());
    let lacks = |letter: char| {
        let glyph = FONT.as_ref().map(|font| font.glyph_id(letter));
        !matches!(letter, '\n' | '\t') && glyph.is_none_or(|glyph| glyph == GlyphId(0))
    };
    if !text.contains(lacks) {
        return Cow::Borrowed(text);
    }
    let shown = |letter: char| {
        if lacks(letter) { format!("[U+{:04X}]", u32::from(letter)) } else { letter.to_string() }
    };
    Cow::Owned(text.chars().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_font_lacks_is_written_as_its_code() {
        assert_eq!(
            printable("Łucja Müller, Ωμέγα, Жук: 62.5 °C ≥ “x”"),
            "Łucja Müller, Ωμέγα, Жук: 62.5 °C ≥ “x”"
        );
        assert_eq!(printable("a\u{1}中\u{1F37C}"), "a[U+0001][U+4E2D][U+1F37C]");
    }
}
