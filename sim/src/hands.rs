//! The hands of a technician at a simulator in another process, through its operator's panel.

use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;
use tokio_modbus::client::{Client, tcp};
use tokio_modbus::{Request, Response, Slave};

use crate::server::{PANEL_BOTTLES, PANEL_LID, PANEL_UNIT_ID};

/// How long the panel may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the panel did not do it.
#[derive(Debug, Error)]
pub enum HandsError {
    /// No answer.
    #[error("the simulator's panel at {at} (unit id 247) did not answer: {cause}")]
    Silent {
        /// Where.
        at: SocketAddr,
        /// Why.
        cause: String,
    },
    /// Another answer than the one for this question.
    #[error("the simulator's panel at {at} (unit id 247) refused {asked}: {answer}")]
    Refused {
        /// Where.
        at: SocketAddr,
        /// What it was asked to do.
        asked: String,
        /// What it said.
        answer: String,
    },
}

/// Puts this number of bottles into the machine; 0 takes all of them out.
///
/// # Errors
/// The panel did not answer, or refused: then it is not our simulator.
pub async fn put_bottles(at: SocketAddr, bottles: u16) -> Result<(), HandsError> {
    write(at, PANEL_BOTTLES, bottles, &format!("{bottles} bottles")).await
}

/// Opens or closes the lid of the machine.
///
/// # Errors
/// As [`put_bottles`].
pub async fn set_lid(at: SocketAddr, closed: bool) -> Result<(), HandsError> {
    let asked = if closed { "to close the lid" } else { "to open the lid" };
    write(at, PANEL_LID, closed.into(), asked).await
}

async fn write(at: SocketAddr, address: u16, value: u16, asked: &str) -> Result<(), HandsError> {
    let silent = |cause: String| HandsError::Silent { at, cause };
    let call = async {
        let mut panel = tcp::connect_slave(at, Slave(PANEL_UNIT_ID)).await?;
        let request = Request::WriteSingleRegister(address, value);
        Ok::<_, std::io::Error>(panel.call(request).await)
    };
    let answer = tokio::time::timeout(PATIENCE, call).await;
    let answer = answer.map_err(|_| silent(format!("nothing within {} s", PATIENCE.as_secs())))?;
    let done = Response::WriteSingleRegister(address, value);
    match answer.map_err(|error| silent(error.to_string()))? {
        Ok(Ok(answered)) if answered == done => Ok(()),
        other => {
            let asked = asked.to_owned();
            Err(HandsError::Refused { at, asked, answer: format!("{other:?}") })
        }
    }
}
