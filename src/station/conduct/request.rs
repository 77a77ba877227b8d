//! What a run is asked for.

use std::path::{Path, PathBuf};

use holder_hal::wire::capture::Capture;

use crate::batch::params::Purpose;
use crate::station::config::StationConfig;
use crate::station::lock::UnitLock;
use crate::station::reach::Pace;

/// What is asked for.
pub struct Request<'a> {
    /// The station's folder.
    pub dir: &'a Path,
    /// The station.
    pub station: &'a StationConfig,
    /// The unit's name.
    pub unit: &'a str,
    /// What shall be done.
    pub task: Task<'a>,
    /// Who runs it.
    pub who: String,
    /// How time passes.
    pub pace: Pace,
    /// Whether the technician is played by the program (simulated units only).
    pub yes: bool,
    /// Where all that goes over the wires is kept, if it is.
    pub capture: Option<Capture>,
    /// Why the command line cannot be followed, if so: told once the machine is safe.
    pub refused: Option<String>,
    /// The unit, taken.
    pub lock: UnitLock,
    /// Tells the person, once the screen is gone and before anything else, that the heat is off
    /// or is not proved to be.
    pub tell: fn(&str),
}

impl Request<'_> {
    /// The station's file.
    pub(in crate::station) fn file(&self) -> PathBuf {
        self.dir.join("holder.db")
    }
}

/// What shall be done on a unit.
pub enum Task<'a> {
    /// A new batch.
    New(NewRun<'a>),
    /// The batch that an interrupted program left open is continued.
    Resume,
    /// It is closed as incomplete, for this reason.
    Abandon(String),
}

/// A new batch.
pub struct NewRun<'a> {
    /// Milk or water.
    pub purpose: Purpose,
    /// The pool; milk needs one.
    pub pool: Option<String>,
    /// Bottles, the control bottle not counted.
    pub bottles: u16,
    /// Milk in each bottle, microlitres.
    pub bottle_ul: i64,
    /// The recipe's name.
    pub recipe: &'a str,
    /// Why certificates, margin or cut are other ones than at the last run, if they are.
    pub reason: String,
    /// Today in the station's zone: certificates must be valid.
    pub today: jiff::civil::Date,
}
