//! Why a unit does not hold together.

use thiserror::Error;

use crate::contract::{PERIOD_MS_MAX, PERIOD_MS_MIN, Role};

/// Why a unit does not hold together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The control period is out of bounds.
    #[error(
        "unit {unit}: period_ms = {period_ms}: must be from {PERIOD_MS_MIN} to {PERIOD_MS_MAX}"
    )]
    Period {
        /// The unit.
        unit: String,
        /// The period that was asked for, in milliseconds.
        period_ms: u64,
    },
    /// The address of a bus cannot be used.
    #[error("unit {unit}: bus {bus}: url = {url:?}: {rule}")]
    Url {
        /// The unit.
        unit: String,
        /// The bus.
        bus: String,
        /// The url as written.
        url: String,
        /// What is wrong with it.
        rule: String,
    },
    /// Two buses or two devices have one name.
    #[error("unit {unit}: there are two {kind} named {name:?}; give each its own name")]
    NameTwice {
        /// The unit.
        unit: String,
        /// "buses" or "devices".
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A name that nothing has.
    #[error("unit {unit}: {user} names {kind} {name:?}, which does not exist; known: {known}")]
    Unknown {
        /// The unit.
        unit: String,
        /// Who names it: a device or a role.
        user: String,
        /// "bus", "device" or "point".
        kind: &'static str,
        /// The name.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// An address that no single device of its protocol can have.
    #[error("unit {unit}: device {device}: address = {address}: {rule}")]
    Address {
        /// The unit.
        unit: String,
        /// The device.
        device: String,
        /// The unit id as written.
        address: u8,
        /// Which addresses it can have.
        rule: &'static str,
    },
    /// Two devices of one bus share a unit id.
    #[error("unit {unit}: devices {first} and {second} share unit id {address} on one bus")]
    AddressTwice {
        /// The unit.
        unit: String,
        /// One device.
        first: String,
        /// The other.
        second: String,
        /// The unit id.
        address: u8,
    },
    /// Two points claim one role.
    #[error("unit {unit}: the role {role} is given twice; one point plays it")]
    RoleTwice {
        /// The unit.
        unit: String,
        /// The role.
        role: Role,
    },
    /// A point that cannot play its role.
    #[error("unit {unit}: {device}.{point} cannot be {role}: {rule}")]
    Misfit {
        /// The unit.
        unit: String,
        /// The device.
        device: String,
        /// The point.
        point: String,
        /// The role.
        role: Role,
        /// Why not.
        rule: String,
    },
    /// What a unit cannot do without.
    #[error("unit {unit}: {rule}")]
    Incomplete {
        /// The unit.
        unit: String,
        /// What is missing, and what to add.
        rule: String,
    },
    /// What a bus has to carry does not fit into the control period.
    #[error(
        "unit {unit}: bus {bus} ({url}) is too slow for period_ms = {period_ms}: {rule}. Choose a \
         longer period (up to {PERIOD_MS_MAX}), a faster line, or put some of its devices on \
         another bus"
    )]
    TooSlow {
        /// The unit.
        unit: String,
        /// The bus.
        bus: String,
        /// The url as written.
        url: String,
        /// The control period, in milliseconds.
        period_ms: u64,
        /// What does not fit, with its figures.
        rule: String,
    },
    /// Two measuring roles hang on one value, so that one proves nothing about the other.
    #[error(
        "unit {unit}: {first} and {second} are one value ({place}): they would always agree, and \
         prove nothing about each other. Give each its own probe, or leave one role out"
    )]
    OneProbeTwice {
        /// The unit.
        unit: String,
        /// One role.
        first: Role,
        /// The other.
        second: Role,
        /// The point, or the two points that are one.
        place: String,
    },
}
