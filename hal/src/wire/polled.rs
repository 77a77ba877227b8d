//! Which points of a device a unit uses, and which every control period reads.

use super::profile::Profile;
use super::spec::UnitSpec;
use crate::contract::Role;

/// Indices of the points of `profile` that play a role in the unit.
pub(crate) fn roles(spec: &UnitSpec, device: &str, profile: &Profile) -> Vec<(Role, usize)> {
    let mine = spec.roles().iter().filter(|given| given.device == device);
    mine.filter_map(|given| Some((given.role, index_of(profile, &given.point)?))).collect()
}

fn index_of(profile: &Profile, name: &str) -> Option<usize> {
    profile.points().iter().position(|point| point.name == name)
}

/// What every period reads: read roles with the points that tell of their faults, the points that
/// prove what written roles have written, whether the watchdog of what heats is on, and how many
/// decimals all these have.
pub(crate) fn polled(spec: &UnitSpec, device: &str, profile: &Profile) -> Vec<usize> {
    let mut polled = Vec::new();
    for (role, index) in roles(spec, device, profile) {
        let Some(point) = profile.points().get(index) else { continue };
        match (&point.write, role.is_written()) {
            (Some(write), true) => polled.extend(index_of(profile, &write.verify_point)),
            (Some(_) | None, false) | (None, true) => polled.push(index),
        }
        polled.extend(point.faults.iter().filter_map(|fault| index_of(profile, &fault.point)));
        let armed = profile.watchdog().and_then(|watchdog| watchdog.armed_by.as_ref());
        polled.extend(armed.filter(|_| role.heats()).and_then(|by| index_of(profile, &by.point)));
    }
    let scales = |index: &usize| {
        profile.points().get(*index).and_then(|point| index_of(profile, point.scale_from.as_ref()?))
    };
    let scales: Vec<usize> = polled.iter().filter_map(scales).collect();
    polled.extend(scales);
    polled.sort_unstable();
    polled.dedup();
    polled
}
