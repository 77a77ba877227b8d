//! The device side of the proxy: one question, one answer, by Modbus TCP on the loopback.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::frame;

/// The server is in this process; this long it takes only if it is gone.
const PATIENCE: Duration = Duration::from_secs(5);
const HEADER_LEN: usize = 7;

/// A connection to the server that tokio-modbus runs, made anew after every fault.
#[derive(Debug)]
pub(crate) struct Inner {
    at: SocketAddr,
    stream: Option<TcpStream>,
    transaction: u16,
}

impl Inner {
    pub(crate) const fn new(at: SocketAddr) -> Self {
        Self { at, stream: None, transaction: 0 }
    }

    /// The PDU that answers this one. None if it is so malformed that the server hangs up; a
    /// device on a line ignores such a question.
    pub(crate) async fn ask(&mut self, unit_id: u8, pdu: &[u8]) -> Option<Vec<u8>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        self.transaction = self.transaction.wrapping_add(1);
        let question = frame::tcp(self.transaction, unit_id, pdu);
        match tokio::time::timeout(PATIENCE, exchange(&mut stream, &question)).await {
            Ok(Ok(answer)) => {
                self.stream = Some(stream);
                Some(answer)
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "the simulated devices hung up on {question:02X?}");
                None
            }
            Err(_) => None,
        }
    }

    async fn connect(&self) -> Option<TcpStream> {
        let stream = TcpStream::connect(self.at).await.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(stream)
    }
}

async fn exchange(stream: &mut TcpStream, question: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(question).await?;
    let mut header = [0; HEADER_LEN];
    stream.read_exact(&mut header).await?;
    let [_, _, _, _, l0, l1, _] = header;
    let len = u16::from_be_bytes([l0, l1]).saturating_sub(1);
    let mut answer = vec![0; len.into()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
