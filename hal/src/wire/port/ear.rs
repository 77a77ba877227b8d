//! What goes over a wire, heard while it goes: the evidence for messages and captures.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// No answer is longer (Modbus: 260 bytes); what is beyond is chatter.
const HEARD_LEN_MAX: usize = 600;

/// Hears one wire. A clone hears the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ear {
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Ear {
    /// Forgets what came before: a new question is asked.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    /// What came since the question, in hex; empty if nothing did.
    pub(crate) fn hex(&self) -> String {
        let bytes: Vec<String> = self.lock().iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(" ")
    }

    fn hear(&self, bytes: &[u8]) {
        let mut heard = self.lock();
        let room = HEARD_LEN_MAX.saturating_sub(heard.len());
        heard.extend(bytes.iter().take(room));
    }

    /// A panic of another holder leaves bytes that still are bytes.
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wire with an ear at it.
#[derive(Debug)]
pub(crate) struct Tapped<S> {
    pub(crate) stream: S,
    pub(crate) ear: Ear,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Some(new) = buf.filled().get(before..).filter(|new| !new.is_empty()) {
            self.ear.hear(new);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
