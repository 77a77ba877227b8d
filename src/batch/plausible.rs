//! What the readings cannot be, by physics: pure watchers on steps, ramps, gaps and the heat
//! balance of the bath. Each has its thresholds from PLANT's whole range of good machines, with
//! room to spare, so that a good machine never trips one.
//!
//! **Terms.** *Block*: ten seconds of good readings, averaged; most watchers decide once a block.
//! *Gap*: bath − milk. *Clean*: without an alarm. Units: °C, K, s, as floats: nothing in here is
//! compared with a limit of the recipe, and the same readings always give the same answer.

mod agree;
mod blocks;
mod fall;
mod fast;
mod heat;
mod jump;
mod load;
mod milk;
mod still;

use holder_hal::{Celsius, Command, MILK_PROBES_MAX, Tick};

use self::agree::Agreement;
use self::blocks::{Block, Blocks};
use self::fall::Fall;
use self::fast::Fast;
use self::heat::HeatBalance;
use self::jump::{Bounds, Jump, Shift};
use self::load::LoadWatch;
use self::milk::MilkWatch;
use self::still::Stillness;
use super::alarm::Alarm;
use super::board::Flags;
use super::params::BatchParams;
use super::phase::PhaseName;

/// The corrected values that came with one reading and can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fresh {
    /// The bath.
    pub(super) bath: Option<Celsius>,
    /// The milk probes.
    pub(super) milk: [Option<Celsius>; MILK_PROBES_MAX],
    /// The reference probe.
    pub(super) reference: Option<Celsius>,
}

/// Where the batch is while a reading comes in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage {
    /// The time of the reading.
    pub(super) now: Tick,
    /// The phase.
    pub(super) phase: PhaseName,
    /// When the bottles were confirmed.
    pub(super) loaded: Option<Tick>,
    /// How many were told, the control bottle not counted.
    pub(super) bottles: u16,
    /// What the machine was told since the last reading.
    pub(super) command: Command,
}

impl Stage {
    /// Whether bottles are being heated or held.
    fn is_heated(&self) -> bool {
        matches!(self.phase, PhaseName::ComeUp | PhaseName::Hold)
    }

    /// Whether such a step makes the milk look better than it is. A probe that was put back into
    /// its bottle steps, too: nobody can tell it from one that was put into the bath.
    fn is_fooled_by(&self, shift: Shift) -> bool {
        shift.up || (shift.down && self.phase == PhaseName::Cool)
    }

    /// Whether bottles are in.
    fn has_milk(&self) -> bool {
        self.is_heated() || self.phase == PhaseName::Cool
    }

    /// Seconds since the bottles were confirmed.
    fn loaded_s(&self) -> Option<f64> {
        self.loaded.map(|loaded| self.now.ms_since(loaded) as f64 / 1000.0)
    }
}

/// What the watchers say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubts {
    /// The alarms whose cause lasts.
    pub(super) lasting: Flags,
    /// The alarm by which the batch has failed.
    pub(super) fails: Option<Alarm>,
    /// The newest sample is a step that physics cannot give: no heat on it.
    pub(super) cut: bool,
}

impl Doubts {
    /// Whether the cause of this alarm lasts.
    pub(super) fn lasts(&self, alarm: Alarm) -> bool {
        self.lasting.get(alarm.index()).copied().unwrap_or(false)
    }

    fn raise(&mut self, alarm: Alarm, lasts: bool) {
        if let Some(flag) = self.lasting.get_mut(alarm.index()) {
            *flag = lasts;
        }
    }

    fn fail(&mut self, alarm: Alarm, fails: bool) {
        if fails && self.fails.is_none() {
            self.fails = Some(alarm);
        }
    }
}

/// All watchers.
#[derive(Clone, Debug)]
pub(super) struct Plausibility {
    blocks: Blocks,
    bath_jump: Jump,
    bath_fall: Fall,
    milk_fast: Fast,
    milk_jumps: [Jump; MILK_PROBES_MAX],
    milk: MilkWatch,
    agreement: Agreement,
    heat: HeatBalance,
    load: LoadWatch,
    stillness: Stillness,
    last_bath: Option<Celsius>,
    doubts: Doubts,
    #[cfg(test)]
    asleep: bool,
}

impl Plausibility {
    /// Nothing was seen yet.
    pub(super) fn new(params: &BatchParams) -> Self {
        Self {
            blocks: Blocks::new(params.period_ms),
            bath_jump: Jump::default(),
            bath_fall: Fall::default(),
            milk_fast: Fast::default(),
            milk_jumps: [Jump::default(); MILK_PROBES_MAX],
            milk: MilkWatch::default(),
            agreement: Agreement::default(),
            heat: HeatBalance::new(params),
            load: LoadWatch::default(),
            stillness: Stillness::default(),
            last_bath: None,
            doubts: Doubts::default(),
            #[cfg(test)]
            asleep: false,
        }
    }

    /// Believes everything from now on.
    #[cfg(test)]
    pub(super) fn sleep(&mut self) {
        self.asleep = true;
    }

    /// The bottles are in: the milk probes showed something else before.
    pub(super) fn forget_milk(&mut self) {
        self.milk_jumps = [Jump::default(); MILK_PROBES_MAX];
        self.milk = MilkWatch::default();
        self.milk_fast = Fast::default();
        self.agreement = Agreement::default();
        self.blocks.forget_milk();
        self.heat.loaded();
    }

    /// What was said last.
    pub(super) fn doubts(&self) -> &Doubts {
        &self.doubts
    }

    /// Takes in one reading.
    pub(super) fn observe(&mut self, params: &BatchParams, stage: Stage, fresh: &Fresh) {
        #[cfg(test)]
        if self.asleep {
            return;
        }
        self.doubts.cut = false;
        self.steps(params, &stage, fresh);
        self.stillness.observe(params, &stage, fresh, &mut self.doubts);
        self.last_bath = fresh.bath.or(self.last_bath);
        let Some(block) = self.blocks.take(&stage, fresh) else { return };
        if block.follows_a_gap {
            self.milk.interrupted();
            self.heat.interrupted();
            self.milk_jumps.iter_mut().for_each(Jump::interrupted);
        }
        self.milk.observe(params, &stage, &block, &mut self.doubts);
        self.milk_fast.observe(params, &stage, &block);
        if self.milk_fast.lasts() {
            self.doubts.raise(Alarm::MilkAboveBath, true);
        }
        self.doubts.fail(Alarm::MilkAboveBath, self.milk_fast.fails());
        self.agreement.observe(params, &stage, &block, &mut self.doubts);
        self.heat.observe(params, &stage, &block, &mut self.doubts);
        self.load.observe(&stage, &block, &mut self.doubts);
        self.slow_steps(params, &stage, &block);
    }

    /// Steps from one sample to the next.
    fn steps(&mut self, params: &BatchParams, stage: &Stage, fresh: &Fresh) {
        let bath_watched = match stage.phase {
            PhaseName::Preheat | PhaseName::Load | PhaseName::ComeUp | PhaseName::Hold => true,
            PhaseName::Cool | PhaseName::Unload | PhaseName::Finished | PhaseName::Aborted => false,
        };
        if !bath_watched {
            self.bath_jump = Jump::default();
            // The batch has failed by it; where nothing is heated any more the alarm can end.
            self.bath_fall = Fall::default();
        } else if let Some(bath) = fresh.bath {
            let bounds = Bounds::bath(params.bath.resolution.as_f64());
            self.doubts.cut |= self.bath_jump.sample(stage.now, bath.as_f64(), bounds);
            // Before the bottles are in, cold water and cold bottles may come at any rate.
            if stage.is_heated() {
                self.bath_fall.sample(stage.now, bath.as_f64());
            }
        }
        self.doubts.raise(Alarm::BathJumps, self.bath_jump.lasts() || self.bath_fall.stays());
        self.doubts.fail(Alarm::BathJumps, self.bath_fall.stays());
        let mut lasts = false;
        for ((jump, value), probe) in self.milk_jumps.iter_mut().zip(fresh.milk).zip(&params.milk) {
            if !stage.has_milk() {
                *jump = Jump::default();
            } else if let Some(milk) = value {
                let gap_k = self.last_bath.map(|bath| (bath - milk).as_f64().abs());
                let baths = self.last_bath.map(|last| [last, fresh.bath.unwrap_or(last)]);
                let baths = baths.map(|baths| baths.map(Celsius::as_f64));
                let bounds = Bounds::milk(probe.resolution.as_f64(), gap_k).over_silence(baths);
                let is_step = jump.sample(stage.now, milk.as_f64(), bounds);
                self.doubts.cut |= is_step && stage.is_heated();
            }
            lasts |= jump.lasts();
            self.doubts.fail(Alarm::MilkJumps, stage.is_fooled_by(jump.shift()));
        }
        self.doubts.raise(Alarm::MilkJumps, lasts);
    }

    /// Steps from one block to the next, which are too small to see in one sample.
    fn slow_steps(&mut self, params: &BatchParams, stage: &Stage, block: &Block) {
        if !stage.has_milk() {
            return;
        }
        for ((jump, value), probe) in self.milk_jumps.iter_mut().zip(block.milk).zip(&params.milk) {
            jump.block(value, block.bath, probe.resolution.as_f64());
            self.doubts.fail(Alarm::MilkJumps, stage.is_fooled_by(jump.shift()));
        }
    }
}

#[cfg(test)]
mod tests;
