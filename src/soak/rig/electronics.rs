//! What the devices of the rig make of its probes: wires, errors, rounding, and what their own
//! controller sees.

use holder_hal::{Celsius, Quality, Sample};

use super::super::fault::{Channel, Fault, Kind};
use super::{Rig, Standing};
use crate::batch::certificate::OffsetPoint;
use crate::batch::params::{BatchParams, Probe};

/// What a device can show, °C; outside of it a value is out of range (a profile's `range_c`).
const RANGE_C: std::ops::RangeInclusive<f64> = -10.0..=120.0;
/// What a bath probe that gives no number shows to the machine's own controller: upscale, so
/// that it does not heat (the usual burn-out protection).
const UPSCALE_C: f64 = 1_000.0;

/// What a shorted probe shows, °C.
const SHORTED_C: f64 = -200.0;

impl Rig {
    /// What the machine's own controller sees of the bath, if its probe is not sound.
    pub(super) fn show_the_bath(&mut self) {
        let is_of_bath = |s: &Standing| {
            s.is_active()
                && (s.fault.kind == Kind::SwappedWithBath
                    || (s.fault.is_of_a_probe() && s.fault.channel == Channel::Bath))
        };
        let shown_c = if self.standing.iter().any(is_of_bath) {
            let seen = self.seen(Channel::Bath).unwrap_or(f64::NAN);
            Some(if RANGE_C.contains(&seen) { seen } else { UPSCALE_C })
        } else {
            None
        };
        self.plant.troubles_mut().bath_shown_c = shown_c;
    }

    /// One reading of a channel.
    pub(super) fn sample(&mut self, channel: Channel) -> Sample {
        let Some(seen_c) = self.seen(channel) else {
            return Sample::missing(Quality::SensorOpen);
        };
        let rounded_c = (seen_c / self.resolution_k).round() * self.resolution_k;
        let shown = Celsius::from_f64(rounded_c).filter(|_| RANGE_C.contains(&rounded_c));
        shown.map_or(Sample::missing(Quality::OutOfRange), Sample::good)
    }

    /// What the electronics of this channel see, °C; `None` is an open circuit.
    fn seen(&mut self, channel: Channel) -> Option<f64> {
        let mut value_c = self.plugged(channel);
        for index in 0..self.standing.len() {
            let Some(standing) = self.standing.get(index).copied() else { continue };
            let (fault, Some(began)) = (standing.fault, standing.began) else { continue };
            if standing.over {
                continue;
            }
            if fault.kind == Kind::DeviceFahrenheit && matches!(channel, Channel::Milk(_)) {
                value_c = value_c * 1.8 + 32.0;
            }
            if fault.channel == channel {
                let hours = self.now.ms_since(began) as f64 / 3_600_000.0;
                value_c = self.distorted(index, &fault, hours, value_c)?;
            }
        }
        Some(value_c)
    }

    /// What one fault of the probe itself makes of a value; `None` is an open circuit.
    fn distorted(&mut self, index: usize, fault: &Fault, hours: f64, value_c: f64) -> Option<f64> {
        if fault.kind == Kind::Frozen {
            let standing = self.standing.get_mut(index)?;
            return Some(*standing.frozen.get_or_insert(value_c));
        }
        if fault.kind == Kind::BathProbeOut {
            let standing = self.standing.get_mut(index)?;
            let from_c = *standing.frozen.get_or_insert(value_c);
            let left = (-hours * 3_600.0 / self.slides_s).exp();
            return Some(fault.size + (from_c - fault.size) * left);
        }
        if fault.kind == Kind::Noisy {
            // Three even draws are near enough to a normal one: deviation 0.5.
            let draws: f64 = (0..3).map(|_| self.dice.between(-0.5, 0.5)).sum();
            return Some(value_c + 2.0 * fault.size * draws);
        }
        if fault.kind == Kind::Spiking {
            return Some(if self.dice.percent(10) { value_c + fault.size } else { value_c });
        }
        let is = |kind| fault.kind == kind;
        if is(Kind::Open) {
            None
        } else if is(Kind::Shorted) {
            Some(SHORTED_C)
        } else if is(Kind::Drift) {
            Some(value_c + fault.size * hours)
        } else if is(Kind::Offset) {
            Some(value_c + fault.size)
        } else {
            Some(value_c)
        }
    }

    /// What is plugged into this channel, °C.
    pub(super) fn plugged(&self, channel: Channel) -> f64 {
        let swapped = self.active(Kind::SwappedWithBath).map(|fault| fault.channel);
        let exchanged = self.active(Kind::SwappedMilk).map(|fault| fault.channel);
        let channel = match (channel, swapped) {
            (Channel::Bath, Some(milk)) => milk,
            (milk, Some(same)) if milk == same => Channel::Bath,
            (other, _) => match (other, exchanged) {
                (Channel::Milk(index), Some(Channel::Milk(first))) => {
                    let second = (first + 1) % self.milk_probes.max(1);
                    match index {
                        index if index == first => Channel::Milk(second),
                        index if index == second => Channel::Milk(first),
                        index => Channel::Milk(index),
                    }
                }
                (other, _) => other,
            },
        };
        let bias = self.biases.iter().find(|(known, _)| *known == channel);
        let bias_k = bias.map_or(0.0, |(_, bias_k)| *bias_k);
        let true_c = match channel {
            Channel::Bath => return self.plant.bath_probe_c(),
            Channel::Milk(index) => self.plant.milk_probe_c(index).unwrap_or(f64::NAN) + bias_k,
            Channel::Reference => self.plant.reference_probe_c() + bias_k,
        };
        let offsets = self.offsets.iter().find(|(known, _)| *known == channel);
        offsets.map_or(true_c, |(_, points)| as_certified(true_c, *points))
    }
}

/// What a probe reads at `true_c`, if what it reads and its certificate's offset make that: linear
/// between the two points (reading, offset), level beyond them. Written down here again, the other
/// way round, so that a correction with the wrong sign is seen.
fn as_certified(true_c: f64, [low, high]: [(f64, f64); 2]) -> f64 {
    let rise = (high.1 - low.1) / (high.0 - low.0);
    let between_c = (true_c - low.1 + rise * low.0) / (1.0 + rise);
    if between_c < low.0 {
        true_c - low.1
    } else if between_c > high.0 {
        true_c - high.1
    } else {
        between_c
    }
}

/// What the certificates of a run's probes say, as two points of °C and K each.
pub(super) fn offsets(params: &BatchParams) -> Vec<(Channel, [(f64, f64); 2])> {
    let milk = params.milk.iter().enumerate().map(|(index, probe)| (Channel::Milk(index), probe));
    let reference = params.reference.iter().map(|probe| (Channel::Reference, probe));
    let points = |(channel, probe): (Channel, &Probe)| {
        let as_f64 = |point: &OffsetPoint| (point.at.as_f64(), point.offset.as_f64());
        match probe.certificate.offsets.as_slice() {
            [low, high] => Some((channel, [as_f64(low), as_f64(high)])),
            [] | [..] => None,
        }
    };
    milk.chain(reference).filter_map(points).collect()
}

#[cfg(test)]
mod tests {
    use holder_hal::Kelvin;

    use super::*;
    use crate::batch::fixture;

    #[test]
    fn what_a_probe_reads_is_made_right_by_its_certificate() {
        let point = |at_mc, offset_mk| OffsetPoint {
            at: Celsius::from_milli(at_mc),
            offset: Kelvin::from_milli(offset_mk),
        };
        let mut certificate = fixture::params().milk[0].certificate.clone();
        certificate.offsets = vec![point(20_000, 500), point(70_000, -400)];
        for true_c in [4.0, 20.0, 20.6, 45.0, 62.5, 69.5, 80.0] {
            let read_c = as_certified(true_c, [(20.0, 0.5), (70.0, -0.4)]);
            let read = Celsius::from_f64(read_c).expect("it is one");
            let made_c = certificate.correct(read).as_f64();
            assert!((made_c - true_c).abs() < 0.0015, "{true_c}: {read_c}, {made_c}");
        }
        assert_eq!(as_certified(4.0, [(20.0, 0.5), (70.0, -0.4)]), 3.5, "0.5 is to be added");
    }
}
