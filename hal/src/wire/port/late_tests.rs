//! Answers that come late, short, twice, from elsewhere or not at all: none is ever taken for the
//! answer to another question. On a pipe with a stopped clock, so that lateness is exact, and on
//! ptys in real time, many side by side so that it takes seconds.
//!
//! The peer numbers the questions that it hears, and answers with the number: a value is right
//! only if it is the number of the question that was asked for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, split,
};
use tokio::sync::Mutex;
use tokio_modbus::prelude::{Request, Response};

use super::dial::Stream;
use super::rtu::{crc, frame};
use super::{Answer, Ask, Counter, Question, Times};
use crate::wire::error::CallFault;
use crate::wire::timer::Moment;
use crate::wire::url::BusUrl;

const TIMEOUT_MS: u64 = 300;
const LATE_MS_MAX: u64 = 2000;
/// The unit whose answers are spoilt.
const BAD: u8 = 1;
/// A unit on the same bus that answers as it should.
const WELL: u8 = 2;
const FAULTED_MIN: u32 = 10_000;
/// How far a peer may miss the moment at which it means to answer.
const SLACK_MS: u64 = 8;

impl Stream for DuplexStream {}

fn times() -> Times {
    Times {
        timeout: Duration::from_millis(TIMEOUT_MS),
        gap: Duration::from_millis(4),
        spacing: Duration::ZERO,
        late_max: Duration::from_millis(LATE_MS_MAX),
    }
}

/// SplitMix64: the same spoilt line again for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// What the peer knows of its last question, for the test to compare with.
#[derive(Clone, Default)]
struct Heard {
    /// How many questions it has heard from the bad unit, wrapping.
    bad: Arc<AtomicU16>,
    /// The value that was last written into the bad unit.
    written: Arc<AtomicU16>,
}

/// The right answer to a question, by a reading of the specification of its own.
fn right(question: &[u8], number: u16) -> Vec<u8> {
    let count = usize::from(question[5]);
    match question[1] {
        3 | 4 => {
            let mut pdu = vec![question[1], u8::try_from(count * 2).unwrap()];
            (0..count).for_each(|_| pdu.extend(number.to_be_bytes()));
            frame(question[0], &pdu)
        }
        6 => question.to_vec(),
        function => panic!("function {function} is not asked in this test"),
    }
}

/// Plays both units. `spoil` says what becomes of an answer of the bad one: bytes, each after a
/// time in milliseconds.
async fn peer(
    line: impl AsyncRead + AsyncWrite + Send + 'static,
    heard: Heard,
    mut spoil: impl FnMut(&[u8], Vec<u8>) -> Vec<(u64, Vec<u8>)>,
) {
    let (mut from, to) = split(line);
    let to = Arc::new(Mutex::new(to));
    let mut question = [0; 8];
    while from.read_exact(&mut question).await.is_ok() {
        assert_eq!(crc(&question[..6]), question[6..], "a broken question: {question:02X?}");
        let mut said = vec![(5, right(&question, 7))];
        if question[0] == BAD {
            let number = heard.bad.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if question[1] == 6 {
                let value = u16::from_be_bytes([question[4], question[5]]);
                heard.written.store(value, Ordering::Relaxed);
            }
            said = spoil(&question, right(&question, number));
        }
        let heard_at = Moment::now();
        for (after_ms, bytes) in said {
            let to = Arc::clone(&to);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
                // On a busy machine it can be later than it was meant to be: what is beyond the
                // bound is not what is shown here.
                if Moment::now().since(heard_at) > Duration::from_millis(after_ms + SLACK_MS) {
                    return;
                }
                // The asker may be gone by then.
                let _gone = to.lock().await.write_all(&bytes).await;
            });
        }
    }
}

fn bus(
    heard: Heard,
    spoil: impl FnMut(&[u8], Vec<u8>) -> Vec<(u64, Vec<u8>)> + Send + 'static,
) -> Counter {
    let (ours, theirs) = tokio::io::duplex(4096);
    tokio::spawn(peer(theirs, heard, spoil));
    Counter::over(BusUrl::parse("rtu:///dev/pipe?baud=9600").unwrap(), Box::new(ours))
}

async fn ask(
    counter: &Counter,
    address: u8,
    request: Request<'static>,
) -> Result<Response, CallFault> {
    ask_within(counter, address, request, times()).await
}

async fn ask_within(
    counter: &Counter,
    address: u8,
    request: Request<'static>,
    times: Times,
) -> Result<Response, CallFault> {
    let question = Question::Modbus(request);
    match counter.ask(Ask { address, question, times, urgent: false }).await? {
        Answer::Modbus(response) => Ok(response),
        Answer::Command(bytes) => panic!("a command's answer: {bytes:?}"),
    }
}

/// Asks the bad unit, reads and writes by turns, until so many exchanges went wrong; returns how
/// many went well. Panics at the first value that is not the answer to its own question.
async fn no_wrong_value(
    counter: &Counter,
    heard: &Heard,
    times: Times,
    (mut dice, faulted_min): (Dice, u32),
) -> u32 {
    let late_ms_max = u64::try_from(times.late_max.as_millis()).unwrap();
    let (mut answered, mut faulted, mut value) = (0, 0, 0_u16);
    while faulted < faulted_min {
        value = value.wrapping_add(1);
        let request = match dice.roll(3) {
            0 => Request::WriteSingleRegister(26, value),
            _ => Request::ReadHoldingRegisters(1, 1 + (dice.roll(3) as u16)),
        };
        match ask_within(counter, BAD, request, times).await {
            Ok(Response::ReadHoldingRegisters(words)) => {
                answered += 1;
                let number = heard.bad.load(Ordering::Relaxed);
                assert!(words.iter().all(|word| *word == number), "{words:?} at {number}");
            }
            Ok(Response::WriteSingleRegister(26, written)) => {
                answered += 1;
                assert_eq!((written, heard.written.load(Ordering::Relaxed)), (value, value));
            }
            Ok(other) => panic!("{other:?}"),
            Err(fault) => {
                faulted += u32::from(!matches!(fault, CallFault::HeldBack { .. }));
                tokio::time::sleep(Duration::from_millis(dice.roll(late_ms_max))).await;
            }
        }
    }
    answered
}

/// Half of the answers as they should be, the others short, changed, foreign, doubled, refused, too
/// long, noise, or the question itself.
fn spoilt(dice: &mut Dice, question: &[u8], right: Vec<u8>) -> Vec<u8> {
    let mut bytes = right.clone();
    let at = dice.roll(bytes.len() as u64) as usize;
    match dice.roll(16) {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << dice.roll(8),
        2 => bytes = frame(WELL, &right[1..right.len() - 2]),
        3 => bytes = [right.clone(), right].concat(),
        4 => bytes = frame(BAD, &[question[1] | 0x80, 4]),
        5 => bytes = frame(BAD, &[3, 8, 0, 1, 0, 1, 0, 1, 0, 1]),
        6 => bytes = vec![(dice.roll(256)) as u8; 1 + at],
        // An echo of function 6 is its answer: what was written is read back.
        7 if question[1] != 6 => bytes = question.to_vec(),
        _ => {}
    }
    bytes
}

/// One seeded spoilt line on a pipe.
async fn on_a_pipe(
    seed: u64,
    spoil: impl FnMut(&[u8], Vec<u8>) -> Vec<(u64, Vec<u8>)> + Send + 'static,
) -> u32 {
    let heard = Heard::default();
    let counter = bus(heard.clone(), spoil);
    no_wrong_value(&counter, &heard, times(), (Dice(seed), FAULTED_MIN)).await
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_late_answers_are_never_taken_for_others() {
    let mut dice = Dice(1);
    let answered = on_a_pipe(2, move |_, right| {
        // Half of them late, up to the bound after the time-out, to the millisecond.
        let after_ms = match dice.roll(2) {
            0 => dice.roll(TIMEOUT_MS / 2),
            _ => TIMEOUT_MS + dice.roll(LATE_MS_MAX - 20),
        };
        vec![(after_ms, right)]
    })
    .await;
    assert!(answered > 500, "{answered} answered");
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_short_twice_noisy_or_foreign_are_never_taken_for_right_ones() {
    let mut dice = Dice(3);
    let answered = on_a_pipe(4, move |question, right| {
        vec![(dice.roll(TIMEOUT_MS - 50), spoilt(&mut dice, question, right))]
    })
    .await;
    assert!(answered > 500, "{answered} answered");
}

#[tokio::test(start_paused = true)]
async fn others_on_the_bus_go_on_while_one_is_late() {
    let mut dice = Dice(5);
    let counter = bus(Heard::default(), move |_, right| {
        vec![(TIMEOUT_MS + dice.roll(LATE_MS_MAX - 20), right)]
    });
    for _ in 0..300 {
        let late = ask(&counter, BAD, Request::ReadHoldingRegisters(1, 1)).await;
        assert!(
            matches!(late, Err(CallFault::Silence { .. } | CallFault::HeldBack { .. })),
            "{late:?}"
        );
        let well = ask(&counter, WELL, Request::ReadHoldingRegisters(1, 1)).await;
        assert_eq!(well, Ok(Response::ReadHoldingRegisters(vec![7])));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_heat_away_is_sent_to_a_unit_that_is_left_alone_and_proves_nothing() {
    let heard = Heard::default();
    let mut first = true;
    let counter =
        bus(
            heard.clone(),
            move |_, right| {
                if std::mem::take(&mut first) { Vec::new() } else { vec![(5, right)] }
            },
        );
    let read = Request::ReadHoldingRegisters(1, 1);
    assert!(matches!(ask(&counter, BAD, read.clone()).await, Err(CallFault::Silence { .. })));
    let question = Question::Modbus(Request::WriteSingleRegister(199, 1));
    let off = Ask { address: BAD, question, times: times(), urgent: true };
    let sent = counter.ask(off).await;
    assert!(matches!(sent, Err(CallFault::Unproved { .. })), "{sent:?}");
    assert_eq!(heard.bad.load(Ordering::Relaxed), 2, "it reached the unit at once");
    assert!(matches!(ask(&counter, BAD, read.clone()).await, Err(CallFault::HeldBack { .. })));
    tokio::time::sleep(Duration::from_millis(LATE_MS_MAX)).await;
    // The throw-away question is the third, this one the fourth.
    assert_eq!(ask(&counter, BAD, read).await, Ok(Response::ReadHoldingRegisters(vec![4])));
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_echoes_is_found_out_by_the_first_reading() {
    let counter = bus(Heard::default(), |question, right| vec![(1, question.to_vec()), (6, right)]);
    let read = ask(&counter, BAD, Request::ReadHoldingRegisters(1, 1)).await;
    assert_eq!(read, Err(CallFault::Echo));
}

#[tokio::test(start_paused = true)]
async fn an_urgent_question_goes_before_those_that_wait() {
    let heard = Heard::default();
    let counter = bus(heard.clone(), |_, right| vec![(100, right)]);
    let asked = |urgent, request| {
        let ask = Ask { address: BAD, question: Question::Modbus(request), times: times(), urgent };
        let counter = counter.clone();
        async move { counter.ask(ask).await }
    };
    let read = |count| Request::ReadHoldingRegisters(1, count);
    let off = Request::WriteSingleRegister(199, 1);
    let (first, second, off, third) = tokio::join!(
        asked(false, read(1)),
        asked(false, read(1)),
        asked(true, off),
        asked(false, read(1))
    );
    // All four were handed in before the first went out.
    let number = |n| Ok(Answer::Modbus(Response::ReadHoldingRegisters(vec![n])));
    assert_eq!((first, second, third), (number(2), number(3), number(4)));
    assert_eq!(off, Ok(Answer::Modbus(Response::WriteSingleRegister(199, 1))));
    assert_eq!(heard.written.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_talks_over_the_answer_to_a_question_that_was_given_up() {
    let heard = Heard::default();
    let counter = bus(heard.clone(), |_, right| vec![(200, right)]);
    let read = Request::ReadHoldingRegisters(1, 1);
    let begun = Moment::now();
    let given_up = ask(&counter, BAD, read.clone());
    let given_up = tokio::time::timeout(Duration::from_millis(50), given_up).await;
    assert!(given_up.is_err(), "{given_up:?}");
    let well = ask(&counter, WELL, read.clone()).await;
    assert_eq!(well, Ok(Response::ReadHoldingRegisters(vec![7])));
    assert!(Moment::now().since(begun) > Duration::from_millis(200));
    // It did answer, so that it is not left alone.
    assert_eq!(ask(&counter, BAD, read).await, Ok(Response::ReadHoldingRegisters(vec![2])));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_was_given_up_while_it_waited_is_never_sent() {
    let heard = Heard::default();
    let counter = bus(heard.clone(), |_, right| vec![(100, right)]);
    let read = Request::ReadHoldingRegisters(1, 1);
    let waiting = tokio::time::timeout(
        Duration::from_millis(50),
        ask(&counter, BAD, Request::WriteSingleRegister(199, 0)),
    );
    let (first, waiting) = tokio::join!(ask(&counter, BAD, read.clone()), waiting);
    assert_eq!(first, Ok(Response::ReadHoldingRegisters(vec![1])));
    assert!(waiting.is_err(), "{waiting:?}");
    assert_eq!(ask(&counter, BAD, read).await, Ok(Response::ReadHoldingRegisters(vec![2])));
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_gone_says_so() {
    let (ours, theirs) = tokio::io::duplex(64);
    drop(theirs);
    let counter = Counter::over(BusUrl::parse("rtu:///dev/pipe").unwrap(), Box::new(ours));
    let read = ask(&counter, BAD, Request::ReadHoldingRegisters(1, 1)).await;
    assert!(matches!(read, Err(CallFault::Broken { .. })), "{read:?}");
}

/// 100 ptys side by side, each with its own spoilt line in real time: late, short, changed,
/// foreign, doubled answers, and echoes.
#[cfg(unix)]
#[tokio::test]
async fn ten_thousand_spoilt_answers_on_ptys_are_never_taken_for_others() {
    const PTYS: u32 = 100;
    const TIMEOUT_MS: u64 = 20;
    const LATE_MS_MAX: u64 = 60;
    let times = Times {
        timeout: Duration::from_millis(TIMEOUT_MS),
        gap: Duration::ZERO,
        spacing: Duration::ZERO,
        late_max: Duration::from_millis(LATE_MS_MAX),
    };
    let lines = (0..PTYS).map(|seed| async move {
        let (theirs, ours) = tokio_serial::SerialStream::pair().unwrap();
        let (heard, mut dice) = (Heard::default(), Dice(u64::from(seed)));
        let url = BusUrl::parse("rtu:///dev/pty?baud=115200").unwrap();
        let counter = Counter::over(url, Box::new(ours));
        let spoil = move |question: &[u8], right| match dice.roll(3) {
            0 => {
                let late_ms = TIMEOUT_MS + dice.roll(LATE_MS_MAX - 2 * SLACK_MS);
                vec![(late_ms, right)]
            }
            _ => vec![(dice.roll(5), spoilt(&mut dice, question, right))],
        };
        let playing = tokio::spawn(peer(theirs, heard.clone(), spoil));
        let dice = Dice(u64::from(seed) + 1_000);
        let well =
            no_wrong_value(&counter, &heard, times, (dice, FAULTED_MIN.div_ceil(PTYS))).await;
        playing.abort();
        well
    });
    let answered: u32 = join_all(lines).await.into_iter().sum();
    assert!(answered > 1_000, "{answered} answered");
}
