//! The steps that heat and cool.

use holder_hal::{Celsius, Command, Duty, Heat, Kelvin, Machine};

use super::bench::{Bench, Seen, Stop, off};
use super::plan::Plan;
use super::report::figures;
use super::steps::Found;

/// A rise that is heating and no noise.
const RISE: Kelvin = Kelvin::from_milli(2_000);
/// The bath begins at least this far below the clamp, so that there is room for every step.
const ROOM: Kelvin = Kelvin::from_milli(12_000);
/// The bath is heated by this much for the probes to follow.
const STRIDE: Kelvin = Kelvin::from_milli(10_000);
/// A controller that is switched by us lets the bath fall by so much before it heats again.
const SWING: Kelvin = Kelvin::from_milli(300);
/// More than a step of the readings: a bath that rises by so much after the heat is off goes on
/// being heated.
const STILL: Kelvin = Kelvin::from_milli(150);
/// How long a bath that has stopped rising is watched, milliseconds.
const WATCH_MS: u64 = 120_000;
/// How long probes may take to follow, and cooling to show, milliseconds.
const FOLLOW_MS_MAX: u64 = 40 * 60_000;
const COOL_MS_MAX: u64 = 20 * 60_000;

/// The heat that brings the bath to `target`, and holds it there roughly.
fn heat_to(plan: &Plan, target: Celsius, bath: Celsius, was_on: bool) -> Heat {
    if !plan.by_power {
        return Heat::Setpoint(target);
    }
    let on = if was_on { bath < target } else { bath < target - SWING };
    if on { Heat::Duty(Duty::FULL) } else { Heat::Off }
}

impl<M: Machine> Bench<M> {
    pub(super) async fn heating(&mut self, plan: &Plan) -> Result<Found, Stop> {
        let limit_s = plan.heating_ms_max / 1000;
        let expected = format!("the bath rises by {RISE:.1} °C within {} min", limit_s / 60);
        let start = self.period(off()).await?;
        if start.bath > self.clamp - ROOM {
            let most = self.clamp - ROOM;
            let observed = format!(
                "the bath is at {:.1} °C already: begin with water below {most:.1} °C",
                start.bath
            );
            return Ok(Found::new(false, expected, observed));
        }
        let target = (start.bath + STRIDE).min(self.clamp);
        let heat = heat_to(plan, target, start.bath, true);
        let command = Command { heat, ..off() };
        let mut first_s = None;
        loop {
            let seen = self.period(command).await?;
            let (rise, passed_s) = (seen.bath - start.bath, seconds(&start, &seen));
            if first_s.is_none() && rise >= SWING {
                first_s = Some(passed_s);
            }
            let done = rise >= RISE;
            if !done && passed_s < limit_s as f64 {
                continue;
            }
            // Not a period longer than needed.
            self.period(off()).await?;
            let rate = rise.as_f64() / passed_s.max(1.0) * 60.0;
            let (from, to) = (start.bath, seen.bath);
            let observed = if done {
                format!("from {from:.1} to {to:.1} °C in {passed_s:.0} s, {rate:.2} °C a minute")
            } else {
                format!(
                    "from {from:.1} to {to:.1} °C in {passed_s:.0} s. Does the heater have power? Is \
                     the limit thermostat tripped, the contactor wired, the device in remote mode?"
                )
            };
            let first = first_s.unwrap_or(passed_s);
            return Ok(Found::new(done, expected, observed).with(&[
                ("start_c", from.as_f64()),
                ("end_c", to.as_f64()),
                ("first_rise_s", first),
                ("rate_c_per_min", rate),
            ]));
        }
    }

    pub(super) async fn is_off(&mut self, plan: &Plan) -> Result<Found, Stop> {
        let within_s = plan.off_ms_max / 1000;
        let expected = format!("the bath stops rising within {within_s} s of the command");
        let start = self.period(off()).await?;
        let (mut peak, mut peak_s, mut settled) = (start.bath, 0.0, None);
        loop {
            let seen = self.period(off()).await?;
            let passed_ms = seen.at.ms_since(start.at);
            if seen.bath > peak {
                (peak, peak_s) = (seen.bath, seconds(&start, &seen));
            }
            if passed_ms >= plan.off_ms_max {
                let settled = *settled.get_or_insert(peak);
                let rising = peak > settled + STILL;
                if !rising && passed_ms < plan.off_ms_max + WATCH_MS {
                    continue;
                }
                let rise = (peak - start.bath).as_f64();
                let observed = if rising {
                    "it goes on rising with the heater commanded off. Switch it off at the machine: \
                     the relay may be welded, or the heater wired past it"
                        .to_owned()
                } else {
                    format!(
                        "it rose by {rise:.1} °C more, to {peak:.1} °C, and stopped after {peak_s:.0} s"
                    )
                };
                let found = Found::new(!rising, expected, observed);
                return Ok(found.with(&[("overshoot_c", rise), ("stopped_after_s", peak_s)]));
            }
        }
    }

    pub(super) async fn probes(&mut self, plan: &Plan) -> Result<Found, Stop> {
        let minutes = FOLLOW_MS_MAX / 60_000;
        let expected = format!("each probe rises by {RISE:.1} °C within {minutes} min");
        if let Some(hands) = &self.hands {
            let put = hands.put(plan.bottles).await;
            put.map_err(|fault| Stop::Person(fault.to_string()))?;
        }
        let text = "Put the bottles with WATER into the bath, each probe in its control bottle, and \
                    these last, as in a batch. Are they in?";
        if !self.ask(text.to_owned(), off()).await? {
            return Ok(Found::new(false, expected, "the bottles were not put in"));
        }
        let start = self.period(off()).await?;
        let target = (start.bath + STRIDE).min(self.clamp);
        let mut command = Command { heat: heat_to(plan, target, start.bath, true), ..off() };
        // From where each probe was first seen.
        let mut lowest = start.others.clone();
        loop {
            let seen = self.period(command).await?;
            command.heat = heat_to(plan, target, seen.bath, command.heats());
            for (low, now) in lowest.iter_mut().zip(&seen.others) {
                *low = low.iter().chain(now).min().copied();
            }
            let rises: Vec<Option<Kelvin>> =
                lowest.iter().zip(&seen.others).map(|(low, now)| Some((*now)? - (*low)?)).collect();
            let done = rises.iter().all(|rise| rise.is_some_and(|rise| rise >= RISE));
            if !done && seen.at.ms_since(start.at) < FOLLOW_MS_MAX {
                continue;
            }
            self.period(off()).await?;
            return Ok(followed(done, expected, &self.others(), &rises, &seen));
        }
    }

    pub(super) async fn cooling(&mut self, plan: &Plan) -> Result<Found, Stop> {
        let minutes = COOL_MS_MAX / 60_000;
        let expected = format!("the bath falls by {RISE:.1} °C within {minutes} min");
        if !plan.has_cooling {
            return Ok(Found::skipped(expected, "no cold water valve: cooling is by hand"));
        }
        let cold = Command { cooling: true, ..off() };
        let start = self.period(off()).await?;
        loop {
            let seen = self.period(cold).await?;
            let fall = start.bath - seen.bath;
            let passed_s = seconds(&start, &seen);
            let done = fall >= RISE;
            if !done && seen.at.ms_since(start.at) < COOL_MS_MAX {
                continue;
            }
            self.period(off()).await?;
            let rate = fall.as_f64() / passed_s.max(1.0) * 60.0;
            let (from, to) = (start.bath, seen.bath);
            let mut observed = format!("from {from:.1} to {to:.1} °C in {passed_s:.0} s");
            if !done {
                observed += ". Is the water on, and the valve the right relay?";
            }
            let found = Found::new(done, expected, observed);
            return Ok(found.with(&[
                ("start_c", from.as_f64()),
                ("end_c", to.as_f64()),
                ("rate_c_per_min", rate),
            ]));
        }
    }

    /// The cut, tried by hand: the program goes on asking for heat, and the person takes it away.
    pub(super) async fn cut(&mut self, plan: &Plan) -> Result<Found, Stop> {
        let expected = "what cuts the heat without us takes it away";
        let trial = match plan.cut_trial.clone() {
            Ok(trial) => trial,
            Err(why) => return Ok(Found::skipped(expected, why)),
        };
        if self.hands.is_some() {
            return Ok(Found::skipped(expected, "simulated: there is nothing to cut"));
        }
        let start = self.period(off()).await?;
        if start.bath > self.clamp - ROOM {
            return Ok(Found::skipped(expected, "the bath is too warm for a trial: cool it first"));
        }
        if let Some(ready) = trial.ready
            && !self.ask(ready, off()).await?
        {
            return Ok(Found::skipped(expected, "nobody was ready to watch"));
        }
        let target = (start.bath + STRIDE).min(self.clamp);
        let heat = Command { heat: heat_to(plan, target, start.bath, true), ..off() };
        let mut seen = self.period(heat).await?;
        let gone = match trial.silence_ms {
            Some(silence_ms) => {
                // Nothing is said to the devices: this is what their watchdog is for.
                self.leave_alone(silence_ms).await;
                self.ask(trial.question, off()).await?
            }
            None => {
                let next = |bath, last: Command| Command {
                    heat: heat_to(plan, target, bath, last.heats()),
                    ..last
                };
                let gone = self.ask_while(trial.question, heat, next).await?;
                seen = self.period(off()).await?;
                gone
            }
        };
        self.period(off()).await?;
        let put_back = match trial.undo {
            Some(undo) => self.ask(undo, off()).await?,
            None => true,
        };
        // Near its set point a controller takes the heat away by itself: nobody can say who it was.
        if gone && seen.bath > target - RISE {
            let observed = format!(
                "not shown: the bath had come to {:.1} °C, where the heat is taken away for another \
                 reason. Try it again, and answer as soon as the cut has acted",
                seen.bath
            );
            return Ok(Found::skipped(expected, observed));
        }
        let mut observed = match gone {
            true => "the heater lost its power".to_owned(),
            false => {
                "the heater kept its power: it must not run milk until this is repaired".to_owned()
            }
        };
        if !put_back {
            observed += ". The cut was not put back: do that before the next run";
        }
        Ok(Found::new(gone, expected, observed))
    }
}

fn seconds(start: &Seen, seen: &Seen) -> f64 {
    seen.at.ms_since(start.at) as f64 / 1000.0
}

fn followed(
    done: bool,
    expected: String,
    names: &[String],
    rises: &[Option<Kelvin>],
    seen: &Seen,
) -> Found {
    let rise = |rise: &Option<Kelvin>| {
        rise.map_or_else(|| "no reading".to_owned(), |rise| format!("{:.1} °C", rise.as_f64()))
    };
    let told: Vec<String> =
        names.iter().zip(rises).map(|(name, value)| format!("{name} {}", rise(value))).collect();
    let mut observed = format!("rose: {}", told.join(", "));
    if !done {
        observed += ". Is each probe in its bottle, and wired to the channel of its role?";
    }
    let mut found = Found::new(done, expected, observed).with(&[("bath_c", seen.bath.as_f64())]);
    let each = names.iter().zip(rises);
    let each: Vec<(String, f64)> = each
        .filter_map(|(name, rise)| Some((format!("{name}_rise_c"), rise.as_ref()?.as_f64())))
        .collect();
    let pairs: Vec<(&str, f64)> = each.iter().map(|(name, rise)| (name.as_str(), *rise)).collect();
    found.figures.extend(figures(&pairs));
    found
}
