//! Commands on a pipe with a stopped clock: their spacing, and answers that nobody waited for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, split};

use super::{Answer, Ask, Counter, Question, Times};
use crate::wire::error::CallFault;
use crate::wire::line::{LineEnd, LineQuery};
use crate::wire::timer::Moment;
use crate::wire::url::BusUrl;

const SPACING: Duration = Duration::from_millis(250);

/// When each line came, and what it was.
type Log = Arc<Mutex<Vec<(Moment, String)>>>;

/// Answers every line with itself in brackets, 20 ms after its CR.
async fn peer(mut line: DuplexStream, log: Log) {
    let mut command = Vec::new();
    while let Ok(byte) = line.read_u8().await {
        if byte != b'\r' {
            command.push(byte);
            continue;
        }
        let said = String::from_utf8(std::mem::take(&mut command)).unwrap();
        log.lock().unwrap().push((Moment::now(), said.clone()));
        tokio::time::sleep(Duration::from_millis(20)).await;
        line.write_all(format!("<{said}>\r\n").as_bytes()).await.unwrap();
    }
}

fn line() -> (Counter, Log) {
    let (ours, theirs) = tokio::io::duplex(4096);
    let log = Log::default();
    tokio::spawn(peer(theirs, Arc::clone(&log)));
    let url = BusUrl::parse("serial:///dev/pipe?baud=4800&parity=even&data_bits=7").unwrap();
    (Counter::over(url, Box::new(ours)), log)
}

async fn say(counter: &Counter, command: &str, end: LineEnd) -> Result<String, CallFault> {
    let times = Times {
        timeout: Duration::from_millis(600),
        gap: Duration::from_millis(10),
        spacing: SPACING,
        late_max: Duration::from_secs(2),
    };
    let question = Question::Command(LineQuery { send: format!("{command}\r").into_bytes(), end });
    match counter.ask(Ask { address: 0, question, times, urgent: false }).await? {
        Answer::Command(bytes) => Ok(String::from_utf8(bytes).unwrap()),
        Answer::Modbus(response) => panic!("{response:?}"),
    }
}

const TEXT: LineEnd = LineEnd::Text { len_max: 80 };

#[tokio::test(start_paused = true)]
async fn commands_are_spaced_from_the_end_of_one_to_the_start_of_the_next() {
    let (counter, log) = line();
    for command in ["in_pv_00", "in_sp_00", "status"] {
        assert_eq!(say(&counter, command, TEXT).await, Ok(format!("<{command}>")));
    }
    let log = log.lock().unwrap();
    let spaces: Vec<Duration> = log.windows(2).map(|two| two[1].0.since(two[0].0)).collect();
    // Nine characters of ten bits at 4800 baud: 18.75 ms. The answer, which comes
    // within, adds nothing.
    assert_eq!(spaces.len(), 2);
    for space in spaces {
        assert!((268..272).contains(&space.as_millis()), "{space:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_waited_for_is_never_the_next_ones() {
    let (counter, _) = line();
    for round in 0..50 {
        // A warm-up, or a command that should get no answer and gets one after all.
        assert_eq!(say(&counter, "version", LineEnd::NoAnswer).await, Ok(String::new()));
        let asked = format!("in_sp_{round:02}");
        assert_eq!(say(&counter, &asked, TEXT).await, Ok(format!("<{asked}>")));
    }
}

/// Answers every line with itself in brackets, after `delay_ms(number of the line)`.
async fn late_peer(line: DuplexStream, delay_ms: impl Fn(u64) -> u64) {
    let (mut from, to) = split(line);
    let to = Arc::new(tokio::sync::Mutex::new(to));
    let (mut command, mut number) = (Vec::new(), 0);
    while let Ok(byte) = from.read_u8().await {
        if byte != b'\r' {
            command.push(byte);
            continue;
        }
        let said = String::from_utf8(std::mem::take(&mut command)).unwrap();
        let (to, delay) = (Arc::clone(&to), Duration::from_millis(delay_ms(number)));
        number += 1;
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            // The asker may be gone by then.
            let _gone = to.lock().await.write_all(format!("<{said}>\r\n").as_bytes()).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn no_late_answer_of_text_is_taken_for_that_to_another_question() {
    let (ours, theirs) = tokio::io::duplex(4096);
    // Three of four in time, the others up to 2.5 s: later than the time-out of 600 ms, and within
    // late_max after it.
    let delay_ms = |number: u64| {
        let dice = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
        if dice.is_multiple_of(4) { dice % 2_500 } else { dice % 500 }
    };
    tokio::spawn(late_peer(theirs, delay_ms));
    let url = BusUrl::parse("serial:///dev/pipe?baud=9600").unwrap();
    let counter = Counter::over(url, Box::new(ours));
    let (mut right, mut none) = (0, 0);
    for round in 0..5_000 {
        let asked = format!("in_{round:04}");
        match say(&counter, &asked, TEXT).await {
            Ok(answer) => {
                assert_eq!(answer, format!("<{asked}>"), "round {round}");
                right += 1;
            }
            Err(CallFault::HeldBack { left_ms }) => {
                tokio::time::sleep(Duration::from_millis(left_ms.into())).await;
            }
            Err(CallFault::Silence { .. } | CallFault::Foreign { .. }) => none += 1,
            Err(fault) => panic!("{fault}"),
        }
    }
    assert!(right > 500 && none > 300, "{right} right, {none} without an answer");
}
