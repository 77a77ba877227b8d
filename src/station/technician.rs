//! Plays the technician on a simulated machine (`--yes`): puts the bottles in when the screen
//! asks for them, confirms, and takes them out again. An alarm is acknowledged when what raised
//! it is over, as somebody would who has looked after it; one that lasts is not. Never on real
//! hardware.

use std::net::SocketAddr;
use std::sync::Arc;

use holder_hal::Tick;
use holder_sim::{SimServer, hands};
use tokio::sync::mpsc;

use super::view::View;
use crate::batch::alarm::{Alarm, Standing};
use crate::batch::event::{Action, Event};
use crate::batch::phase::PhaseName;

/// How long the technician takes to put the bottles in, milliseconds of the batch's time.
const HANDS_MS: u64 = 20_000;
/// How long an alarm is looked after, and the name under which it is acknowledged.
const LOOK_MS: u64 = 60_000;
const NAME: &str = "simulated technician";

/// The hands in the simulated world.
pub enum Hands {
    /// The simulator of this process.
    Here(Arc<SimServer>),
    /// The operator's panel of a simulator elsewhere.
    Panel(SocketAddr),
}

impl Hands {
    /// Puts so many bottles in; 0 takes them out.
    pub(super) async fn put(&self, bottles: u16) -> Result<(), hands::HandsError> {
        match self {
            Self::Here(machine) if bottles == 0 => machine.unload(),
            Self::Here(machine) => machine.load(u32::from(bottles)),
            Self::Panel(at) => return hands::put_bottles(*at, bottles).await,
        }
        Ok(())
    }

    /// Opens or closes the lid.
    pub(super) async fn lid(&self, closed: bool) -> Result<(), hands::HandsError> {
        match self {
            Self::Here(machine) => machine.set_lid(closed),
            Self::Panel(at) => return hands::set_lid(*at, closed).await,
        }
        Ok(())
    }
}

/// Whether what raised it is over, and nobody has acknowledged it.
fn is_over(seen: &Standing) -> bool {
    !seen.lasts && !seen.acknowledged
}

/// Follows a batch and does what the screen asks for; passes every view on to the screen.
pub async fn play(
    hands: Hands,
    bottles: u16,
    mut views: mpsc::Receiver<View>,
    screen: mpsc::Sender<View>,
    actions: mpsc::Sender<Action>,
) {
    let mut done = None;
    let (mut looking, mut looked): (Option<(Alarm, Tick)>, bool) = (None, false);
    while let Some(view) = views.recv().await {
        let (phase, heat_waits, at) = (view.phase, view.heat_waits, view.at);
        let over = view.alarms.iter().find(|seen| is_over(seen)).map(|seen| seen.alarm);
        looking = over.map(|alarm| match looking {
            Some((same, since)) if same == alarm => (alarm, since),
            Some(_) | None => (alarm, at),
        });
        let waited_ms = at.ms_since(view.phase_since);
        let asks_again =
            view.news.iter().any(|one| matches!(one.event, Event::CountDiffers { .. }));
        if asks_again {
            // It has counted: the number stays.
            done = None;
        }
        let _ = screen.send(view).await;
        if let Some((alarm, since)) = looking
            && at.ms_since(since) >= LOOK_MS
        {
            looking = None;
            let _ = actions.send(Action::Acknowledge { alarm, by: NAME.to_owned() }).await;
        }
        if heat_waits && !looked {
            let _ = actions.send(Action::ConfirmHeat).await;
        }
        looked = heat_waits;
        let (put, action) = match phase {
            PhaseName::Load => (bottles, Action::ConfirmLoad { bottles }),
            PhaseName::Unload => (0, Action::ConfirmUnload { bottles }),
            PhaseName::Preheat
            | PhaseName::ComeUp
            | PhaseName::Hold
            | PhaseName::Cool
            | PhaseName::Finished
            | PhaseName::Aborted => continue,
        };
        if waited_ms < HANDS_MS || done == Some(phase) {
            continue;
        }
        done = Some(phase);
        if let Err(fault) = hands.put(put).await {
            tracing::warn!(%fault, "the simulated technician could not reach the machine");
        }
        let _ = actions.send(action).await;
    }
}
