//! What was asked for, looked at before anything begins; and what becomes of the machine if it is
//! refused. A program may have been killed while it heated, and a slip on the command line must not
//! leave that heater on.

use super::{ConductError, NewRun, Pace, Request};
use crate::batch::params::BatchParams;
use crate::station::changes::{self, Declared};
use crate::station::config::Unit;
use crate::station::resume;
use crate::store::Station;
use crate::store::model::{BatchHeader, FrozenText};

/// What a new batch is made of, as far as the station's files tell.
pub(super) struct Prepared {
    pub(super) params: BatchParams,
    pub(super) texts: Vec<FrozenText>,
    pub(super) declared: Vec<Declared>,
}

/// Whether this may be asked of the unit of this station at all.
///
/// # Errors
/// The first thing that is in the way.
pub(super) fn allowed(
    request: &Request<'_>,
    unit: &Unit<'_>,
    memory: &Station,
) -> Result<(), ConductError> {
    only_simulated(unit, request.yes, request.pace)?;
    request.station.agrees_with(memory)?;
    match &request.refused {
        Some(why) => Err(ConductError::Asked(why.clone())),
        None => Ok(()),
    }
}

/// Prepares a new batch.
///
/// # Errors
/// The bottles, the recipe or the certificates do not allow it.
pub(super) fn prepared(
    request: &Request<'_>,
    new: &NewRun<'_>,
    unit: &Unit<'_>,
) -> Result<Prepared, ConductError> {
    check_bottles(new, unit)?;
    let recipe = request.station.library.recipe(new.recipe)?;
    let params = unit.params(new.purpose, &recipe, new.today)?;
    Ok(Prepared { params, texts: unit.texts(&recipe)?, declared: changes::declared(unit)? })
}

/// That it was refused, and what is known of the machine, which was made safe first. `left` is the
/// batch that an interrupted program left open.
pub(super) async fn refused(
    request: &Request<'_>,
    unit: &Unit<'_>,
    left: Option<&BatchHeader>,
    why: ConductError,
) -> ConductError {
    // A simulated machine in this process is not there yet.
    if matches!(request.pace.of(unit), Pace::Lockstep { .. }) {
        return why;
    }
    let cooling = left.is_some_and(|left| resume::is_cooled(left.phase));
    let safe = resume::safety_now(request, unit, cooling).await;
    let open = left.map(|left| format!(". Batch {} is still open", left.code));
    let safe = safe + &open.unwrap_or_default();
    ConductError::Refused { why: Box::new(why), safe }
}

fn check_bottles(new: &NewRun<'_>, unit: &Unit<'_>) -> Result<(), ConductError> {
    let (bottles, max) = (new.bottles, unit.written.bottles_max);
    if bottles == 0 || bottles > max {
        return Err(ConductError::Bottles { bottles, unit: unit.name.to_owned(), max });
    }
    Ok(())
}

/// Refuses what only a simulated unit may do, on real hardware.
pub(in crate::station) fn only_simulated(
    unit: &Unit<'_>,
    yes: bool,
    pace: Pace,
) -> Result<(), ConductError> {
    let asked = [
        (yes, "--yes"),
        (matches!(pace, Pace::Lockstep { .. }), "--fast"),
        (matches!(pace, Pace::Running { speed: 2.. }), "--speed"),
    ];
    let refused = asked.into_iter().find(|(asked, _)| *asked && !unit.written.simulated);
    match refused {
        Some((_, what)) => Err(ConductError::NotSimulated { what, unit: unit.name.to_owned() }),
        None => Ok(()),
    }
}
