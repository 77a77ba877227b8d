//! The hands of a technician at a simulator in another process, through its operator's panel.

use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;
use tokio_modbus::client::{Client, tcp};
use tokio_modbus::{Request, Response, Slave};

use crate::server::{PANEL_BOTTLES, PANEL_UNIT_ID};

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
    #[error("the simulator's panel at {at} (unit id 247) refused {bottles} bottles: {answer}")]
    Refused {
        /// Where.
        at: SocketAddr,
        /// What it was asked to load.
        bottles: u16,
        /// What it said.
        answer: String,
    },
}

/// Puts this number of bottles into the machine; 0 takes all of them out.
///
/// # Errors
/// The panel did not answer, or refused: then it is not our simulator.
pub async fn put_bottles(at: SocketAddr, bottles: u16) -> Result<(), HandsError> {
    let silent = |cause: String| HandsError::Silent { at, cause };
    let asked = async {
        let mut panel = tcp::connect_slave(at, Slave(PANEL_UNIT_ID)).await?;
        let request = Request::WriteSingleRegister(PANEL_BOTTLES, bottles);
        Ok::<_, std::io::Error>(panel.call(request).await)
    };
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    let answer = answer.map_err(|_| silent(format!("nothing within {} s", PATIENCE.as_secs())))?;
    match answer.map_err(|error| silent(error.to_string()))? {
        Ok(Ok(Response::WriteSingleRegister(PANEL_BOTTLES, loaded))) if loaded == bottles => Ok(()),
        other => Err(HandsError::Refused { at, bottles, answer: format!("{other:?}") }),
    }
}
