//! The plan of the heat penetration: which water runs are asked for, which of them are in the
//! record, and which one comes next.
//!
//! **Terms.** A *row* is one planned run: a load, a repeat, where the probes go, the command. It is
//! *filled* by a run of this unit, recipe, volume and load. What was run and fills no row is *set
//! aside*, with the reason.
//!
//! Loads and repeats are our own choice (docs/decisions/0023): no source that we know fixes them.

pub mod words;

use holder_hal::Kelvin;
use serde::Serialize;

use super::bench::Bench;
use super::water::{self, Recorded, SetAside, WaterRun};
use crate::invocation;

/// A full load is what the machine is for, and what its record stands on.
const REPEATS_FULL: u16 = 3;
/// Two runs of the other loads show at least whether they agree.
const REPEATS_OTHER: u16 = 2;

/// How the plan came about, for whoever reviews it.
const BASIS: &str = "Loads and repeats are this program's own choice (full load three times; half \
     a load and one bottle twice each): no source that we know fixes them. A bank may run \
     more: the newest runs fill the rows.";

/// The whole plan, with what is done of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The recipe for which it holds.
    pub recipe: String,
    /// The volume of a bottle for which it holds, millilitres.
    pub bottle_ml: u32,
    /// Where the milk probes of the unit are read, in its order; the first is in the control bottle.
    pub probes: Vec<String>,
    /// The largest expanded uncertainty of these probes, °C: a smaller difference says nothing.
    pub uncertainty_c: f64,
    /// The largest difference between the milk probes that the recipe allows, °C.
    pub spread_allowed_c: f64,
    /// The unit's margin from the control bottle to the coldest one, °C.
    pub margin_c: f64,
    /// Whether that margin was measured; else it is the safe default.
    pub margin_measured: bool,
    /// How loads and repeats were chosen.
    pub basis: String,
    /// The planned runs, in the order in which to do them.
    pub rows: Vec<Planned>,
    /// Water runs that fill no row, the newest first.
    pub set_aside: Vec<SetAside>,
    /// What to do now; `None` when every row is filled.
    pub next: Option<Next>,
}

/// What a technician does now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The number of the row.
    pub row: String,
    /// What to do before the command.
    pub first: String,
    /// Where the probes go.
    pub probes: String,
    /// The command of the run.
    pub command: String,
}

/// One planned run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Planned {
    /// `HR-01`.
    pub number: String,
    /// Bottles, the control bottle not counted.
    pub bottles: u16,
    /// In each bottle, millilitres.
    pub bottle_ml: u32,
    /// Which run of this load it is, from 1.
    pub repeat: u16,
    /// How many runs of this load are asked for.
    pub repeats: u16,
    /// Where the probes go.
    pub places: String,
    /// The command that does it.
    pub command: String,
    /// The run that fills it.
    pub run: Option<WaterRun>,
}

impl Plan {
    /// The plan of the bench's unit, with what its store holds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn read(bench: &Bench<'_>) -> anyhow::Result<Self> {
        Ok(Self::of(bench, water::recorded(bench)?))
    }

    /// The plan, filled from these records.
    pub(super) fn of(bench: &Bench<'_>, mut recorded: Vec<Recorded>) -> Self {
        // The newest runs fill the rows.
        recorded.sort_by_key(|one| std::cmp::Reverse(one.header.started_utc_ms));
        let probes: Vec<String> =
            bench.params.milk.iter().map(|probe| probe.source.clone()).collect();
        let mut rows = rows(bench, &probes);
        let mut set_aside = Vec::new();
        for one in &recorded {
            if let Err(aside) = water::counts(bench, one).and_then(|run| fill(&mut rows, one, run))
            {
                set_aside.push(aside);
            }
        }
        in_order_of_time(&mut rows);
        let uncertainties = bench.params.milk.iter().map(|probe| probe.certificate.uncertainty);
        Self {
            recipe: bench.params.recipe.name.clone(),
            bottle_ml: bench.bottle_ml,
            uncertainty_c: uncertainties.map(Kelvin::as_f64).fold(0.0, f64::max),
            spread_allowed_c: bench.params.recipe.probes.spread_max.as_f64(),
            margin_c: bench.params.margin.as_f64(),
            margin_measured: bench.params.margin_measured,
            basis: BASIS.to_owned(),
            next: next(&rows, &probes),
            probes,
            rows,
            set_aside,
        }
    }

    /// The runs that fill rows, in the order of the plan.
    pub fn runs(&self) -> impl Iterator<Item = &WaterRun> {
        self.rows.iter().filter_map(|row| row.run.as_ref())
    }

    /// The rows that wait for a run.
    pub fn missing(&self) -> impl Iterator<Item = &Planned> {
        self.rows.iter().filter(|row| row.run.is_none())
    }
}

/// The loads of a unit with this many places, with how often each is run.
fn loads(bottles_max: u16) -> Vec<(u16, u16)> {
    let mut loads = vec![(bottles_max, REPEATS_FULL)];
    for bottles in [bottles_max.div_ceil(2), 1] {
        if loads.iter().all(|(load, _)| *load != bottles) {
            loads.push((bottles, REPEATS_OTHER));
        }
    }
    loads
}

fn rows(bench: &Bench<'_>, probes: &[String]) -> Vec<Planned> {
    let full = bench.bottles();
    let each = loads(full)
        .into_iter()
        .flat_map(|(bottles, repeats)| (1..=repeats).map(move |repeat| (bottles, repeat, repeats)));
    (1..)
        .zip(each)
        .map(|(number, (bottles, repeat, repeats))| Planned {
            number: format!("HR-{number:02}"),
            bottles,
            bottle_ml: bench.bottle_ml,
            repeat,
            repeats,
            places: places(probes, bottles, full, repeat),
            command: invocation::command(format_args!(
                "run {} --water --bottles {bottles} --bottle-ml {} --recipe {}",
                bench.unit.name, bench.bottle_ml, bench.params.recipe.name
            )),
            run: None,
        })
        .collect()
}

/// Where the probes go. Where a machine is coldest nobody knows before the mapping: the other probes
/// move from run to run, the control bottle stays.
fn places(probes: &[String], bottles: u16, full: u16, repeat: u16) -> String {
    let control = probes.first().map_or("the first milk probe", String::as_str);
    let others = probes.get(1..).unwrap_or_default();
    let mut said = format!("{control} in the control bottle, at its usual place");
    let more = others.len() > 1;
    if !others.is_empty() {
        let whither = match (bottles == full && full > 1, bottles, repeat) {
            (true, _, 1) if more => "in the corners, the farthest from the agitator first",
            (true, _, 1) => "in the corner farthest from the agitator",
            (true, _, 2) => "in the middle, where the bottles stand closest",
            (true, _, _) if more => "where it was coldest so far, and beside it",
            (true, _, _) => "where it was coldest so far",
            (false, 1, 1) => "in the one bottle",
            (false, 1, _) => "in the one bottle, at another place",
            (false, _, 1) => "where it was coldest with the full load",
            (false, _, _) => "on the other side of the load",
        };
        said += &format!("; {} {whither}", others.join(", "));
        let spare = others.len().saturating_sub(usize::from(bottles));
        if spare > 0 {
            said += &format!("; {spare} left over: in the control bottle, too");
        }
    }
    said + "; every tip a third up the water"
}

/// Puts a run into a row of its load, or says why there is none for it.
fn fill(rows: &mut [Planned], recorded: &Recorded, run: WaterRun) -> Result<(), SetAside> {
    let bottles = run.bottles;
    let free = rows.iter_mut().find(|row| row.bottles == bottles && row.run.is_none());
    if let Some(row) = free {
        row.run = Some(run);
        return Ok(());
    }
    let why = if rows.iter().any(|row| row.bottles == bottles) {
        // With its figures, so that nobody can hide a bad run behind better ones.
        let known = |figure: Option<String>| figure.unwrap_or_else(|| "unknown".to_owned());
        format!(
            "newer runs fill the rows of its load (its come-up {}, spread {}, behind the control \
             bottle by {})",
            known(run.come_up_s.map(words::minutes)),
            known(run.spread_max_c.map(words::degrees)),
            known(words::behind(&run))
        )
    } else {
        let mut asked: Vec<String> = rows.iter().map(|row| row.bottles.to_string()).collect();
        asked.dedup();
        format!("{bottles} bottles were in; the plan asks for {}", asked.join(", "))
    };
    Err(SetAside::new(&recorded.header, why))
}

/// The first row of a load gets its oldest run: the places of the rows follow each other in time.
fn in_order_of_time(rows: &mut [Planned]) {
    for load in rows.chunk_by_mut(|a, b| a.bottles == b.bottles) {
        let mut runs: Vec<WaterRun> = load.iter_mut().filter_map(|row| row.run.take()).collect();
        runs.sort_by_key(|run| run.started_utc_ms);
        for (row, run) in load.iter_mut().zip(runs) {
            row.run = Some(run);
        }
    }
}

/// What a technician does now.
fn next(rows: &[Planned], probes: &[String]) -> Option<Next> {
    // A second probe makes another machine of the unit: its mapping begins anew.
    let alone = probes.len() < 2;
    let row = rows.iter().find(|row| alone || row.run.is_none())?;
    let fill = format!(
        "fill {} and the control bottle with {} ml of cold water each, and write down in which \
         bottle each probe stands; put the control bottle in last",
        words::bottles(row.bottles),
        row.bottle_ml
    );
    Some(Next {
        row: row.number.clone(),
        first: if alone { format!("{ONE_PROBE}; then {fill}") } else { fill },
        probes: row.places.clone(),
        command: row.command.clone(),
    })
}

/// What a unit with one milk probe needs before it can be mapped.
pub(super) const ONE_PROBE: &str = "with one milk probe neither the coldest bottle nor the spread can \
     be seen: give a second bottle a probe with a certificate, and name it under milk in station.toml";

#[cfg(test)]
mod tests;
