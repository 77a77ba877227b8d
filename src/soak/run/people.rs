//! What people do beside the batch itself: they acknowledge alarms, and start a second program.

use super::super::fault::Kind;
use super::super::record::Lost;
use super::super::watch::Invariant;
use super::Run;
use crate::batch::alarm;
use crate::batch::event::{Action, Input};

impl Run<'_> {
    /// What the technician does about alarms, sooner or later or never.
    pub(super) fn acknowledge(&mut self) -> Result<(), Lost> {
        if self.alarms.is_empty() {
            return Ok(());
        }
        let standing: Vec<_> = self.engine.alarms().collect();
        let waiting = alarm::waiting(&standing);
        #[cfg(test)]
        if self.wanted.defect == super::super::defects::Defect::AcknowledgesItself
            && let Some(alarm) = waiting
        {
            let by = "itself".to_owned();
            return self.turn(self.now, Input::Operator(Action::Acknowledge { alarm, by }));
        }
        match self.hands.acknowledge(self.now, waiting, self.scenario) {
            Some((alarm, by)) => {
                self.watch.person_saw(alarm);
                self.turn(self.now, Input::Operator(Action::Acknowledge { alarm, by }))
            }
            None => Ok(()),
        }
    }

    pub(super) fn try_second_instance(&mut self) {
        if self.second_tried || self.rig.active(Kind::SecondInstance).is_none() {
            return;
        }
        self.second_tried = true;
        if let Some(text) = self.record.second_instance(self.scenario) {
            self.watch.broken(Invariant::Record, self.now, text);
        }
    }
}
