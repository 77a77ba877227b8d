//! Probes against each other: the milk probes among themselves, and the recorder against the
//! reference beside it.
//!
//! Voting may only add suspicion: whatever these watchers say, the coldest probe stays judged.

use super::blocks::Block;
use super::{Doubts, Stage};
use crate::batch::alarm::Alarm;
use crate::batch::params::BatchParams;
use crate::batch::phase::PhaseName;

/// So many blocks must disagree.
const BLOCKS_APART: u32 = 6;
/// While the milk warms, bottles differ by their positions: by so much of the gap to the bath. Time
/// constants of PLANT differ by up to 1.42 (a slow control bottle and the fastest place, 0.81 and 1.15):
/// with 5 K still to go the faster one is ahead by 3.2 K, which is 0.5 K and 0.54 of the gap.
const SPREAD_SHARE_OF_GAP: f64 = 0.6;

/// The two watchers.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreement {
    apart: u32,
    disagrees: bool,
    blocks: u32,
    recorder_sum: f64,
    reference_sum: f64,
    above: bool,
}

impl Agreement {
    /// Takes in one block.
    pub(super) fn observe(
        &mut self,
        params: &BatchParams,
        stage: &Stage,
        block: &Block,
        doubts: &mut Doubts,
    ) {
        self.spread(params, stage, block);
        doubts.raise(Alarm::MilkDisagrees, self.disagrees);
        let beyond = self.reference(params, stage, block);
        doubts.raise(Alarm::AboveReference, self.above);
        doubts.fail(Alarm::AboveReference, beyond);
    }

    fn spread(&mut self, params: &BatchParams, stage: &Stage, block: &Block) {
        let probes = params.milk.len();
        let seen = block.coldest(probes).zip(block.hottest(probes)).zip(block.bath);
        let Some(((coldest, hottest), bath)) = seen.filter(|_| stage.is_heated()) else {
            self.apart = 0;
            self.disagrees &= stage.is_heated();
            return;
        };
        let allowed_k = params.recipe.probes.spread_max.as_f64()
            + SPREAD_SHARE_OF_GAP * (bath - coldest).max(0.0);
        self.apart = if hottest - coldest > allowed_k { self.apart.saturating_add(1) } else { 0 };
        self.disagrees = self.apart >= BLOCKS_APART || (self.disagrees && self.apart > 0);
    }

    /// Means of the recipe's length in the hold, one after the other; true if the recorder reads
    /// higher than both uncertainties allow. In ramps two probes differ by their lags.
    fn reference(&mut self, params: &BatchParams, stage: &Stage, block: &Block) -> bool {
        // Also where nothing is seen: a mean does not reach over a broken hold.
        if stage.phase != PhaseName::Hold {
            (self.blocks, self.recorder_sum, self.reference_sum) = (0, 0.0, 0.0);
            return false;
        }
        let seen = block.milk[0].zip(block.reference).zip(params.reference.as_ref());
        let recorder = params.milk.first();
        let Some((((milk, reference), probe), recorder)) = seen.zip(recorder) else { return false };
        self.blocks += 1;
        self.recorder_sum += milk;
        self.reference_sum += reference;
        let rule = &params.recipe.probes;
        if u64::from(self.blocks) * super::blocks::BLOCK_MS < rule.reference_mean_ms {
            return false;
        }
        let over_k = (self.recorder_sum - self.reference_sum) / f64::from(self.blocks);
        (self.blocks, self.recorder_sum, self.reference_sum) = (0, 0.0, 0.0);
        let allowed_k = rule.over_reference_max.as_f64() + recorder.resolution.as_f64() / 2.0;
        self.above = over_k > allowed_k;
        let uncertain_k =
            (recorder.certificate.uncertainty + probe.certificate.uncertainty).as_f64();
        over_k > uncertain_k.max(allowed_k)
    }
}

#[cfg(test)]
mod tests;
