//! What goes over a wire, heard while it goes: the evidence for messages and captures.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::capture::{Capture, Direction};

/// No answer is longer (Modbus: 260 bytes); what is beyond is chatter.
const HEARD_LEN_MAX: usize = 600;
/// Of chatter a message shows the beginning; a capture has all of it.
const SHOWN_LEN_MAX: usize = 64;

/// Where all that goes over a wire is kept, under the name of its bus.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) bus: Arc<str>,
    pub(crate) capture: Capture,
}

/// Hears one wire. A clone hears the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ear {
    heard: Arc<Mutex<Vec<u8>>>,
    record: Option<Record>,
}

impl Ear {
    pub(super) fn new(record: Option<Record>) -> Self {
        Self { heard: Arc::default(), record }
    }

    /// Keeps words about the wire, such as that nobody answered.
    pub(super) fn note(&self, text: &dyn core::fmt::Display) {
        if let Some(Record { bus, capture }) = &self.record {
            capture.event(bus, &text.to_string());
        }
    }

    fn keep(&self, direction: Direction, bytes: &[u8]) {
        if let Some(Record { bus, capture }) = &self.record {
            capture.record(bus, direction, bytes, capture.now_us());
        }
    }

    /// Forgets what came before: a new question is asked.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    /// What came since the question, in hex; empty if nothing did.
    pub(crate) fn hex(&self) -> String {
        let heard = self.lock();
        let shown = heard.iter().take(SHOWN_LEN_MAX);
        let bytes: Vec<String> = shown.map(|byte| format!("{byte:02X}")).collect();
        match heard.len().checked_sub(SHOWN_LEN_MAX) {
            None | Some(0) => bytes.join(" "),
            Some(more) => format!("{} … and {more} bytes more", bytes.join(" ")),
        }
    }

    fn hear(&self, bytes: &[u8]) {
        self.keep(Direction::Received, bytes);
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
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = polled {
            self.ear.keep(Direction::Sent, bytes.get(..count).unwrap_or_default());
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
