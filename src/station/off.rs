//! Switches the heat of a unit off, and nothing else: for a machine that nobody runs.
//!
//! What counts as confirmed is what counts before a batch: every device was met and is the one that
//! the station describes, and the whole safe state was read back. Of a unit that cannot be met so,
//! whatever answers is told all the same, but a person has to look.

use std::time::Duration;

use holder_hal::wire::{DeviceTold, UnitSpec, WireError, WiredUnit};
use holder_hal::{Command, Machine as _};

/// So often a machine is tried: what another program was just saying on a line may have cost its
/// device the first question.
const TRIES: u32 = 3;

/// The safe state must have been told to all that answers after this long (real time).
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// The heat is not known to be off.
#[derive(Debug, thiserror::Error)]
#[error(
    "unit {unit}: SWITCH THE HEATER OFF AT THE MACHINE, or see that it is off. {}. The unit as a whole \
     did not confirm it: {fault}",
    each_in_words(told.as_deref())
)]
pub struct NotOff {
    unit: String,
    /// What each device that can be told made of it; `None` if they were not heard in time.
    told: Option<Vec<DeviceTold>>,
    fault: WireError,
}

impl NotOff {
    /// Whether the machine could not be reached, as opposed to: it answered, and wrongly.
    pub fn is_unreachable(&self) -> bool {
        self.fault.is_unreachable()
    }

    /// What each device that can be told made of it, as far as that is known.
    pub fn told(&self) -> &[DeviceTold] {
        self.told.as_deref().unwrap_or_default()
    }
}

/// What is known of each device: one that was not heard was perhaps told all the same.
fn each_in_words(told: Option<&[DeviceTold]>) -> String {
    let Some(told) = told else {
        return format!("Not all of its devices were heard within {} s", TOLD_WITHIN.as_secs());
    };
    if told.iter().all(|told| told.confirmed.as_ref().is_err_and(WireError::is_unreachable)) {
        return "None of its devices that switch heat has answered".to_owned();
    }
    let each = told.iter().map(|told| match &told.confirmed {
        Ok(()) => format!("{} confirmed what it was told", told.device),
        Err(fault) if fault.is_unreachable() => format!("{} did not answer", told.device),
        Err(fault) => format!("{} did not take it: {fault}", told.device),
    });
    each.collect::<Vec<_>>().join("; ")
}

/// Switches the heat of the unit off and reads that back; the cooling water runs if `cooling`. Gives
/// whether the machine is a simulated one. The caller holds the unit's lock.
///
/// # Errors
/// It is not confirmed.
pub async fn switch_off(spec: &UnitSpec, cooling: bool) -> Result<bool, NotOff> {
    let mut tried = 1;
    loop {
        let fault = match confirmed_off(spec, cooling).await {
            Ok(simulated) => return Ok(simulated),
            Err(fault) => fault,
        };
        let told = WiredUnit::tell_safe_each(spec.clone());
        let told = tokio::time::timeout(TOLD_WITHIN, told).await.ok();
        // What answered, and wrongly, does so again.
        if tried == TRIES || !fault.is_unreachable() {
            return Err(NotOff { unit: spec.name().to_owned(), told, fault });
        }
        tracing::warn!(%fault, "the machine is tried again");
        tried += 1;
    }
}

async fn confirmed_off(spec: &UnitSpec, cooling: bool) -> Result<bool, WireError> {
    let mut machine = WiredUnit::connect(spec.clone()).await?;
    machine.write(&Command::safe(cooling)).await?;
    Ok(machine.simulated())
}
