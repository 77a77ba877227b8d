//! What a probe's findings mean: does what answers fit the profile, and what to try if it does not.

use std::collections::BTreeSet;

use holder_hal::wire::Profile;
use holder_hal::wire::probe::{Guess, guesses};
use holder_hal::wire::profile::{Check, Point, Raw};
use holder_hal::{Quality, Role};

use super::show::address_of;
use super::{Found, Probed, is_guessed};
use crate::invocation;

/// So many names or readings are told; a person needs no more to see what is meant.
const TOLD_MAX: usize = 4;

/// How far what answered is what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Nothing was expected: it was only asked whether it is there.
    NotAsked,
    /// Every point could be read, and nothing contradicts the profile.
    Whole,
    /// As [`Fit::Whole`], without these points.
    InPart(Vec<String>),
    /// It has the registers, and is not set up as the profile needs.
    SetUpWrongly(Vec<String>),
    /// It has the registers, and no temperature is true as the profile reads it; these would be.
    Misread(Vec<String>),
    /// Nothing could be read.
    Unlike,
}

impl Fit {
    /// Of what one unit id said.
    pub(super) fn of(found: &Found, profile: Option<&Profile>) -> Self {
        if found.points.is_empty() {
            return Self::NotAsked;
        }
        let (read, mute): (Vec<&Probed>, Vec<&Probed>) =
            found.points.iter().partition(|probed| probed.own().is_some());
        let Some(profile) = profile else {
            return if read.is_empty() { Self::Unlike } else { Self::Whole };
        };
        // In °F every temperature is misread, too: the setting says why.
        let wrong = set_up_wrongly(&read, profile);
        if !wrong.is_empty() {
            return Self::SetUpWrongly(wrong);
        }
        match misread(&found.points) {
            Some(instead) if instead.is_empty() && read.is_empty() => return Self::Unlike,
            Some(instead) => return Self::Misread(instead),
            None if read.is_empty() => return Self::Unlike,
            None => {}
        }
        if mute.is_empty() {
            return Self::Whole;
        }
        Self::InPart(mute.iter().map(|probed| probed.point.name.clone()).collect())
    }

    /// Whether a unit could be made with what answered, as it is now.
    pub(super) const fn is_good(&self) -> bool {
        match self {
            Self::NotAsked | Self::Whole | Self::InPart(_) => true,
            Self::SetUpWrongly(_) | Self::Misread(_) | Self::Unlike => false,
        }
    }

    /// The stable word.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::NotAsked => "not-asked",
            Self::Whole => "whole",
            Self::InPart(_) => "in-part",
            Self::SetUpWrongly(_) => "set-up-wrongly",
            Self::Misread(_) => "misread",
            Self::Unlike => "unlike",
        }
    }

    /// What it means for `who`, and what to try. `profile` is the name of the profile, if any.
    pub(super) fn words(&self, who: &str, profile: Option<&str>) -> Option<String> {
        let name = profile.unwrap_or("the profile");
        Some(match self {
            Self::NotAsked => return None,
            Self::Whole if profile.is_none() => return None,
            Self::Whole => format!(
                "{who} fits {name}: every point could be read. Compare its temperatures with its \
                 own display and with a thermometer"
            ),
            Self::InPart(mute) => format!(
                "{who} fits {name}, but for {} (the reason is above): another model or firmware, \
                 or nothing is plugged in there. Give no role to them; `{}` says whether your unit \
                 needs them",
                some(mute, ", "),
                invocation::command("unit check UNIT")
            ),
            Self::SetUpWrongly(wrong) => format!(
                "{who} answers as {name} (or as another device with such registers), and is not \
                 set up as the profile needs: {}",
                some(wrong, "; ")
            ),
            Self::Misread(instead) if instead.is_empty() => format!(
                "{who} does not fit {name}: it answers, but what it says can be no temperature in \
                 any byte order, in °C or °F. It is another device, or its registers are \
                 elsewhere: `holder device list` names the profiles"
            ),
            Self::Misread(instead) => format!(
                "{who} does not fit {name} as it stands: no temperature is true as the profile \
                 reads it. These can be: {}. Is the device set to °F, the address one off, or the \
                 byte order another? Set the device, or make your own profile from {name}",
                some(instead, "; ")
            ),
            Self::Unlike => match profile {
                Some(_) => format!(
                    "{who} does not fit {name}: it is there, and none of its points could be read. \
                     It is another device or model: try the other profiles of `holder device \
                     list`, or look at single registers with --address N"
                ),
                None => format!(
                    "{who} is there, and has nothing to read at this address. Manuals often count \
                     from 1: try one less, the other --table, or an address from its manual"
                ),
            },
        })
    }
}

fn some(names: &[String], between: &str) -> String {
    let shown = names.iter().take(TOLD_MAX).cloned().collect::<Vec<_>>().join(between);
    match names.len().saturating_sub(TOLD_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Whether none of the temperatures that are measured is true as the profile reads it, and which
/// other readings of the same registers would be.
fn misread(points: &[Probed]) -> Option<Vec<String>> {
    let guessed = points.iter().filter(|probed| is_guessed(&probed.point));
    let measured = |point: &Point| {
        matches!(point.usual_role, Some(Role::Bath | Role::Milk(_) | Role::Reference))
    };
    let (measured, others): (Vec<&Probed>, Vec<&Probed>) =
        guessed.partition(|probed| measured(&probed.point));
    let telling = if measured.is_empty() { others } else { measured };
    let own = |probed: &Probed| {
        let raw = probed.own()?;
        guesses(&probed.point, raw).into_iter().find(|guess| guess.as_written)
    };
    // An input without a probe says so in the way of the profile: that fits, too.
    let is_true = |guess: &Guess| guess.plausible || guess.decoded.quality == Quality::SensorOpen;
    if telling.is_empty()
        || telling.iter().filter_map(|probed| own(probed)).any(|guess| is_true(&guess))
    {
        return None;
    }
    let mut instead = BTreeSet::new();
    for probed in telling {
        for (shift, read) in &probed.reads {
            let Ok(raw) = read else { continue };
            instead.extend(plausible(&probed.point, *shift, raw));
        }
    }
    Some(instead.into_iter().collect())
}

fn plausible(point: &Point, shift: i8, raw: &Raw) -> Vec<String> {
    let address = address_of(point) + i32::from(shift);
    let ways = guesses(point, raw).into_iter().filter(|guess| guess.plausible);
    // A zero can be read in every way, and says nothing.
    let told = ways.filter_map(|guess| Some((guess.celsius()?, guess)));
    told.filter(|(celsius, _)| *celsius != 0.0)
        .map(|(celsius, guess)| {
            let (order, unit) = (guess.byte_order.word(), guess.unit.word());
            format!("{} at address {address}, {order}, {unit}: {celsius:.2} °C", point.name)
        })
        .collect()
}

/// What the profile wants to be set, and is not.
fn set_up_wrongly(read: &[&Probed], profile: &Profile) -> Vec<String> {
    // What concerns some channels only is for a unit that uses them.
    let general = |check: &&Check| check.concerns.is_empty();
    let wrong = profile.checks().iter().filter(general).filter_map(|check| {
        let probed = read.iter().find(|probed| probed.point.name == check.point)?;
        let raw = probed.own()?;
        let is = probed.point.raw_whole(raw)?;
        let Check { point, raws, why, .. } = check;
        let words = || format!("{point} is {is} ({raw}), and must be {}: {why}", check.words());
        (!raws.contains(&is)).then(words)
    });
    wrong.collect()
}
