//! Peers that drip, that never stop, that take nothing, and that know one length only: none keeps
//! the port from the next question for longer than it may.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_modbus::prelude::{Request, Response};

use super::rtu::frame;
use super::{Answer, Ask, Counter, Question, Times};
use crate::wire::error::CallFault;
use crate::wire::timer::Moment;
use crate::wire::url::BusUrl;

const LATE_MAX: Duration = Duration::from_secs(2);

fn port(room: usize) -> (Counter, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(room);
    let url = BusUrl::parse("rtu:///dev/pipe?baud=9600").unwrap();
    (Counter::over(url, Box::new(ours)), theirs)
}

async fn ask(counter: &Counter, request: Request<'static>) -> Result<Answer, CallFault> {
    let times = Times {
        timeout: Duration::from_millis(300),
        gap: Duration::from_millis(4),
        spacing: Duration::ZERO,
        late_max: LATE_MAX,
    };
    let question = Question::Modbus(request);
    counter.ask(Ask { address: 1, question, times, urgent: false }).await
}

#[tokio::test(start_paused = true)]
async fn a_line_that_drips_is_not_listened_to_for_long() {
    let (counter, mut theirs) = port(4096);
    tokio::spawn(async move {
        let mut question = [0; 8];
        theirs.read_exact(&mut question).await.unwrap();
        // No function: no answer at once. Then a byte every 20 ms.
        theirs.write_all(&[1, 0x77]).await.unwrap();
        while theirs.write_all(&[1]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let began = Moment::now();
    let answered = ask(&counter, Request::ReadHoldingRegisters(1, 1)).await;
    assert!(matches!(answered, Err(CallFault::Foreign { .. })), "{answered:?}");
    let took = Moment::now().since(began);
    assert!(took < Duration::from_millis(200), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_takes_no_bytes_is_given_up() {
    // Room for half a question, and nobody who reads it: a line held back by its flow control.
    let (counter, _theirs) = port(4);
    let answered = ask(&counter, Request::ReadHoldingRegisters(1, 1)).await;
    assert!(matches!(answered, Err(CallFault::Broken { .. })), "{answered:?}");
}

/// Answers a bit with one byte, and is silent to any other count, as cheap relay modules are.
async fn one_byte_only(mut theirs: DuplexStream, mut lost: u32) {
    let mut question = [0; 8];
    while theirs.read_exact(&mut question).await.is_ok() {
        if lost > 0 {
            lost -= 1;
        } else if question[1] == 1 && question[5] == 1 {
            theirs.write_all(&frame(1, &[1, 1, 1])).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_knows_one_length_only_comes_back() {
    let (counter, theirs) = port(4096);
    tokio::spawn(one_byte_only(theirs, 1));
    let read = || ask(&counter, Request::ReadCoils(0, 1));
    assert!(matches!(read().await, Err(CallFault::Silence { .. })));
    tokio::time::sleep(LATE_MAX).await;
    // It is silent to the other length, too; then the question itself is the one of another length.
    assert!(matches!(read().await, Err(CallFault::Silence { .. })));
    tokio::time::sleep(LATE_MAX).await;
    let on = [true, false, false, false, false, false, false, false].to_vec();
    assert_eq!(read().await, Ok(Answer::Modbus(Response::ReadCoils(on))));
}

#[tokio::test]
async fn a_peer_that_sends_without_end_does_not_stop_the_clock_of_others() {
    // Always ready to be read, so that a task that reads until nothing comes never ends.
    let wire: Box<dyn super::dial::Stream> = Box::new(Endless);
    let url = BusUrl::parse("rtu:///dev/pipe?baud=9600").unwrap();
    let counter = Counter::over(url, wire);
    let answered = ask(&counter, Request::ReadHoldingRegisters(1, 1)).await;
    assert!(matches!(answered, Err(CallFault::Foreign { .. })), "{answered:?}");
}

/// Zeros for ever.
struct Endless;

impl super::dial::Stream for Endless {}

impl tokio::io::AsyncRead for Endless {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        into: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let room = into.remaining();
        into.put_slice(&vec![0; room]);
        std::task::Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncWrite for Endless {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::task::Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}
