//! Commands on a pipe with a stopped clock: their spacing, and answers that nobody waited for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

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
