//! The one font of charts and documents, inside the program: no font of the system is ever
//! looked for, so that a record looks the same everywhere and for ever.

use std::sync::LazyLock;

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
