//! Counts and turnaround times of a capture.

use std::collections::BTreeMap;

use super::exchange::{Exchange, Trouble};
use super::pair::Paired;

/// How long answers took, microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turnaround {
    /// The fastest.
    pub min_us: u64,
    /// The one in the middle; of an even number the later of the two.
    pub median_us: u64,
    /// The slowest.
    pub max_us: u64,
}

impl Turnaround {
    /// Of these times; `None` of none.
    pub fn of(mut times_us: Vec<u64>) -> Option<Self> {
        times_us.sort_unstable();
        let median_us = *times_us.get(times_us.len() / 2)?;
        let (min_us, max_us) = (*times_us.first()?, *times_us.last()?);
        Some(Self { min_us, median_us, max_us })
    }
}

/// The figures of one device, or of a whole capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// How often it was asked.
    pub questions: usize,
    /// How often it answered, late or not, refusals too.
    pub answers: usize,
    /// How often each trouble was seen, in the order of [`Trouble::ALL`].
    pub troubles: [usize; Trouble::ALL.len()],
    /// How long the answers took that came before the next question.
    pub turnaround: Option<Turnaround>,
}

impl Figures {
    fn of<'a>(exchanges: impl Iterator<Item = &'a Exchange> + Clone) -> Self {
        let questions = exchanges.clone().filter(|exchange| !exchange.question.is_empty());
        let in_time = exchanges.clone().filter(|exchange| !exchange.has(Trouble::Late));
        let count = |trouble| {
            let marks = exchanges.clone().flat_map(|exchange| &exchange.marks);
            marks.filter(|mark| mark.trouble == trouble).count()
        };
        Self {
            questions: questions.count(),
            answers: exchanges.clone().filter(|exchange| exchange.answer.is_some()).count(),
            troubles: Trouble::ALL.map(count),
            turnaround: Turnaround::of(in_time.filter_map(|e| e.turnaround_us).collect()),
        }
    }

    /// How often this trouble was seen.
    pub fn count(&self, trouble: Trouble) -> usize {
        let found = Trouble::ALL.iter().zip(self.troubles).find(|(known, _)| **known == trouble);
        found.map_or(0, |(_, count)| count)
    }
}

impl Paired {
    /// The figures of the whole capture.
    pub fn figures(&self) -> Figures {
        Figures::of(self.exchanges.iter())
    }

    /// The figures by bus and unit id.
    pub fn figures_by_device(&self) -> Vec<(String, Option<u8>, Figures)> {
        let mut devices: BTreeMap<(&str, Option<u8>), Vec<&Exchange>> = BTreeMap::new();
        for exchange in &self.exchanges {
            devices.entry((&exchange.bus, exchange.unit_id)).or_default().push(exchange);
        }
        let figures = |((bus, unit_id), exchanges): ((&str, _), Vec<&Exchange>)| {
            (bus.to_owned(), unit_id, Figures::of(exchanges.into_iter()))
        };
        devices.into_iter().map(figures).collect()
    }
}
