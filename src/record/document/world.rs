//! All that the document engine can see: one template, two files, our font.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use crate::record::fonts;

/// What does not change from one document to the next.
struct Shelf {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    let faces = [fonts::REGULAR, fonts::BOLD];
    let fonts: Vec<Font> =
        faces.iter().filter_map(|face| Font::new(Bytes::new(*face), 0)).collect();
    Shelf {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
    }
});

/// One document to be made.
pub(super) struct Desk {
    template: Source,
    files: [(FileId, Bytes); 2],
}

impl Desk {
    /// `None` if the embedded font is damaged.
    pub(super) fn new(template: &str, facts: Vec<u8>, chart: Vec<u8>) -> Option<Self> {
        let at = |path| {
            let path = VirtualPath::new(path).ok()?;
            Some(RootedPath::new(VirtualRoot::Project, path).intern())
        };
        let template = Source::new(at("batch.typ")?, template.to_owned());
        let facts = (at("record.json")?, Bytes::new(facts));
        let chart = (at("chart.svg")?, Bytes::new(chart));
        (SHELF.fonts.len() == 2).then_some(Self { template, files: [facts, chart] })
    }
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &SHELF.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &SHELF.book
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.template.id() { Ok(self.template.clone()) } else { Err(not_here(id)) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let found = self.files.iter().find(|(known, _)| *known == id);
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| not_here(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        SHELF.fonts.get(index).cloned()
    }

    /// No clock: a document that showed the day of its printing would never be the same twice.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn not_here(id: FileId) -> FileError {
    let wanted = id.get().vpath().get_without_slash();
    let what = format!("a record has no file `{wanted}`; it has `record.json` and `chart.svg`");
    FileError::Other(Some(what.into()))
}
