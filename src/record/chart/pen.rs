//! Drawing on either backend in pixels of the sheet.

use plotters::prelude::{DrawingBackend, RGBAColor, RGBColor, ShapeStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontStyle, FontTransform, TextStyle};
use plotters_backend::{BackendColor, BackendTextStyle, DrawingErrorKind};

use crate::record::fonts;

/// A place on the sheet: pixels from its upper left corner.
pub(super) type Place = (i32, i32);

/// What a drawing step returns on backend `B`.
pub(super) type Drawn<B> = Result<(), DrawingErrorKind<<B as DrawingBackend>::ErrorType>>;

pub(super) const BLACK: RGBColor = RGBColor(0, 0, 0);
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);

/// plotters' SVG takes a font size of 1.24 em.
pub(super) const SVG_SIZE_PER_EM: f64 = 1.24;
/// Its bitmaps and its measure take the height of a line of the font.
pub(super) const BITMAP_SIZE_PER_EM: f64 = 1.362;

/// How a text stands.
#[derive(Clone, Copy)]
pub(super) struct Lettering {
    /// Size of an em, pixels.
    pub(super) em: f64,
    pub(super) bold: bool,
    pub(super) color: RGBColor,
    pub(super) h: HPos,
    pub(super) v: VPos,
    pub(super) upwards: bool,
}

impl Lettering {
    /// Black, normal, from its left end, in the middle of its height.
    pub(super) const fn of(em: f64) -> Self {
        let (h, v) = (HPos::Left, VPos::Center);
        Self { em, bold: false, color: BLACK, h, v, upwards: false }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) const fn color(self, color: RGBColor) -> Self {
        Self { color, ..self }
    }

    pub(super) const fn centered(self) -> Self {
        Self { h: HPos::Center, ..self }
    }

    pub(super) const fn right_aligned(self) -> Self {
        Self { h: HPos::Right, ..self }
    }

    pub(super) const fn upwards(self) -> Self {
        Self { upwards: true, ..self }
    }

    fn style(self, size_per_em: f64) -> TextStyle<'static> {
        let family = FontFamily::Name(fonts::FAMILY);
        let face = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = plotters::style::FontDesc::new(family, self.em * size_per_em, face);
        let turn = if self.upwards { FontTransform::Rotate270 } else { FontTransform::None };
        let color = BackendColor { alpha: 1.0, rgb: self.color.rgb() };
        TextStyle { font: font.transform(turn), color, pos: Pos::new(self.h, self.v) }
    }

    /// Width of a text, pixels.
    pub(super) fn width(self, text: &str) -> i32 {
        let flat = Self { upwards: false, ..self }.style(BITMAP_SIZE_PER_EM);
        let Ok(((left, _), (right, _))) = flat.layout_box(text) else { return 0 };
        right - left
    }

    /// The same, as much smaller as the text needs to fit into a width, but never below what
    /// can be read on paper.
    pub(super) fn shrunk(self, text: &str, width: i32) -> Self {
        const EM_MIN: f64 = 11.0;
        let mut smaller = self;
        while smaller.em > EM_MIN && smaller.width(text) > width {
            smaller.em -= 1.0;
        }
        smaller
    }

    /// The text, cut so that it fits into a width.
    pub(super) fn fit(self, text: &str, width: i32) -> String {
        let mut kept = fonts::printable(text).into_owned();
        if self.width(&kept) <= width {
            return kept;
        }
        while kept.pop().is_some() {
            let cut = format!("{}…", kept.trim_end());
            if self.width(&cut) <= width {
                return cut;
            }
        }
        String::new()
    }
}

/// How a line is drawn: colour, width in pixels, and a dash of on, off, on, … pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink {
    pub(super) color: RGBColor,
    pub(super) width: u32,
    pub(super) dash: &'static [i32],
}

impl Ink {
    pub(super) const fn solid(color: RGBColor, width: u32) -> Self {
        Self { color, width, dash: &[] }
    }

    /// Whether the dash is on at this distance from the left.
    fn on(self, x: i32) -> bool {
        let whole: i32 = self.dash.iter().sum();
        if whole <= 0 {
            return true;
        }
        let mut along = x.rem_euclid(whole);
        for (index, length) in self.dash.iter().enumerate() {
            if along < *length {
                return index % 2 == 0;
            }
            along -= length;
        }
        true
    }
}

/// Draws on a backend.
pub(super) struct Pen<B: DrawingBackend> {
    backend: B,
    size_per_em: f64,
}

impl<B: DrawingBackend> Pen<B> {
    pub(super) fn new(backend: B, size_per_em: f64) -> Self {
        Self { backend, size_per_em }
    }

    pub(super) fn finish(&mut self) -> Drawn<B> {
        self.backend.present()
    }

    /// A filled rectangle; `share` is how much it covers, 0 to 1.
    pub(super) fn fill(&mut self, from: Place, to: Place, color: RGBColor, share: f64) -> Drawn<B> {
        self.backend.draw_rect(from, to, &shape(color.mix(share), 0), true)
    }

    pub(super) fn outline(&mut self, from: Place, to: Place, color: RGBColor) -> Drawn<B> {
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
        corners.array_windows().try_for_each(|[a, b]| self.straight(*a, *b, color, 2))
    }

    fn straight(&mut self, from: Place, to: Place, color: RGBColor, width: u32) -> Drawn<B> {
        self.backend.draw_line(from, to, &shape(color.to_rgba(), width))
    }

    /// A line, dashed along its way from left to right.
    pub(super) fn line(&mut self, from: Place, to: Place, ink: Ink) -> Drawn<B> {
        self.path(&[from, to], ink)
    }

    /// A path through these places. Dashes are measured from left to right, so that noise, which
    /// lengthens the path, does not shorten them.
    pub(super) fn path(&mut self, places: &[Place], ink: Ink) -> Drawn<B> {
        if ink.dash.is_empty() {
            return self.solid(places, ink);
        }
        let mut run: Vec<Place> = Vec::new();
        for [from, to] in places.array_windows() {
            let (mut at, step) = (*from, (to.0 - from.0).signum());
            loop {
                if ink.on(at.0) {
                    run.push(at);
                } else {
                    self.solid(&std::mem::take(&mut run), ink)?;
                }
                if at.0 == to.0 || step == 0 {
                    break;
                }
                let x = at.0 + step;
                let share = f64::from(x - from.0) / f64::from(to.0 - from.0);
                at = (x, from.1 + (share * f64::from(to.1 - from.1)).round() as i32);
            }
            if ink.on(to.0) && run.last() != Some(to) {
                run.push(*to);
            }
        }
        self.solid(&run, ink)
    }

    fn solid(&mut self, places: &[Place], ink: Ink) -> Drawn<B> {
        let mut places = places.to_vec();
        places.dedup();
        match places.as_slice() {
            [] => Ok(()),
            [only] => {
                let to = (only.0 + ink.width as i32, only.1 + ink.width as i32);
                self.fill(*only, to, ink.color, 1.0)
            }
            _ => self.backend.draw_path(places, &shape(ink.color.to_rgba(), ink.width)),
        }
    }

    /// A filled circle with a text in it.
    pub(super) fn sign(&mut self, at: Place, text: &str, ink: RGBColor, filled: bool) -> Drawn<B> {
        let (ground, letter) = if filled { (ink, WHITE) } else { (WHITE, ink) };
        self.backend.draw_circle(at, 13, &shape(ink.to_rgba(), 1), true)?;
        self.backend.draw_circle(at, 11, &shape(ground.to_rgba(), 1), true)?;
        self.text(text, at, Lettering::of(17.0).bold().centered().color(letter))
    }

    pub(super) fn text(&mut self, text: &str, at: Place, lettering: Lettering) -> Drawn<B> {
        let text = fonts::printable(text);
        self.backend.draw_text(&text, &lettering.style(self.size_per_em), at)
    }
}

fn shape(color: RGBAColor, width: u32) -> ShapeStyle {
    ShapeStyle { color, filled: true, stroke_width: width }
}
