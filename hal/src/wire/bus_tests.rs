//! How a bus behaves towards peers that answer wrongly, late, in pieces, or not at all.

use std::time::Duration;

use super::bus::Bus;
use super::error::CallFault;
use super::fake::{Fake, Question, Reaction, dead_port, frame};
use super::modbus::{self, Answer, Block};
use super::profile::{Entity, Raw, WriteFunction};
use super::url::BusUrl;

/// Long enough for a busy machine; while a peer is silent its clock jumps.
const PATIENT: Duration = Duration::from_secs(20);

fn bus(fake: &Fake, timeout: Duration) -> Bus {
    Bus::new(BusUrl::parse(&fake.url()).unwrap(), 1000, timeout)
}

fn block(entity: Entity, address: u16, count: u16) -> Block {
    Block { entity, address, count }
}

async fn words(bus: &mut Bus, address: u16, count: u16) -> Result<Vec<u16>, CallFault> {
    match modbus::read(bus, 1, &block(Entity::HoldingRegister, address, count)).await? {
        Answer::Words(words) => Ok(words),
        Answer::Bits(_) => panic!("registers came as bits"),
    }
}

/// Reads one register at a peer that answers the first question wrongly and then rightly:
/// the first answer must not count, and the second must come on a fresh connection.
async fn wrong_then_right(
    mut wrong: impl FnMut(&Question) -> Reaction + Send + 'static,
) -> CallFault {
    let fake = Fake::start(move |question| match question.connection {
        0 => wrong(question),
        _ => Reaction::Answer(vec![3, 2, 0x02, 0x71]),
    })
    .await;
    let mut bus = bus(&fake, PATIENT);
    let fault = words(&mut bus, 1, 1).await.unwrap_err();
    assert_eq!(words(&mut bus, 1, 1).await, Ok(vec![0x0271]));
    assert_eq!(fake.connections(), 2);
    fault
}

fn misfit(fault: &CallFault) -> String {
    match fault {
        CallFault::Foreign { .. } => fault.to_string(),
        CallFault::Dial { .. }
        | CallFault::PortHeld { .. }
        | CallFault::Silence { .. }
        | CallFault::Echo
        | CallFault::HeldBack { .. }
        | CallFault::Unproved { .. }
        | CallFault::Broken { .. }
        | CallFault::Refused { .. }
        | CallFault::OutOfTime { .. }
        | CallFault::Rejected { .. }
        | CallFault::Resting { .. } => panic!("not a foreign answer: {fault}"),
    }
}

#[tokio::test]
async fn a_block_is_asked_for_as_the_specification_has_it() {
    let fake = Fake::start(|question| {
        assert_eq!(question.frame, [0, 0, 0, 0, 0, 6, 1, 3, 0, 1, 0, 5]);
        Reaction::Answer(vec![3, 10, 0x02, 0x71, 0, 1, 0, 2, 0, 3, 0xFF, 0xFE])
    })
    .await;
    let answer = words(&mut bus(&fake, PATIENT), 1, 5).await;
    assert_eq!(answer, Ok(vec![0x0271, 1, 2, 3, 0xFFFE]));
}

#[tokio::test]
async fn an_answer_that_drips_in_byte_by_byte_is_whole() {
    let fake = Fake::start(|_| Reaction::Dripping(vec![3, 4, 0x42, 0x7A, 0, 0])).await;
    assert_eq!(words(&mut bus(&fake, PATIENT), 0x8002, 2).await, Ok(vec![0x427A, 0]));
}

#[tokio::test]
async fn bits_are_cut_to_what_was_asked() {
    let fake = Fake::start(|question| {
        assert_eq!(question.pdu, [2, 0, 128, 0, 5]);
        Reaction::Answer(vec![2, 1, 0b1111_0010])
    })
    .await;
    let asked = block(Entity::DiscreteInput, 128, 5);
    match modbus::read(&mut bus(&fake, PATIENT), 1, &asked).await.unwrap() {
        Answer::Bits(bits) => assert_eq!(bits, [false, true, false, false, true]),
        Answer::Words(_) => panic!("bits came as registers"),
    }
}

#[tokio::test]
async fn a_short_answer_is_not_used() {
    let fault = wrong_then_right(|_| Reaction::Answer(vec![3, 0])).await;
    assert!(misfit(&fault).contains("asked for 1"), "{fault}");
}

#[tokio::test]
async fn a_long_answer_is_not_used() {
    let fault = wrong_then_right(|_| Reaction::Answer(vec![3, 4, 0x02, 0x71, 0x02, 0x72])).await;
    assert!(misfit(&fault).contains("2 words: 0x0271 0x0272"), "{fault}");
}

#[tokio::test]
async fn a_count_that_lies_about_its_bytes_is_not_used() {
    let fault = wrong_then_right(|_| Reaction::Answer(vec![3, 2, 0x02])).await;
    assert!(fault.is_silence(), "{fault}");
}

#[tokio::test]
async fn the_answer_of_another_unit_is_not_used() {
    let fault = wrong_then_right(|question| {
        Reaction::Bytes(frame(question.transaction, 2, &[3, 2, 0x02, 0x71]))
    })
    .await;
    assert!(misfit(&fault).contains("0x0271"), "{fault}");
}

#[tokio::test]
async fn the_answer_of_another_function_is_not_used() {
    let fault = wrong_then_right(|_| Reaction::Answer(vec![4, 2, 0x02, 0x71])).await;
    assert!(misfit(&fault).contains("asked function 3"), "{fault}");
}

#[tokio::test]
async fn the_answer_to_another_question_is_not_used() {
    let fault = wrong_then_right(|question| {
        Reaction::Bytes(frame(question.transaction.wrapping_sub(1), 1, &[3, 2, 0x02, 0x71]))
    })
    .await;
    misfit(&fault);
}

#[tokio::test]
async fn what_is_not_modbus_is_not_used() {
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let fault = wrong_then_right(move |_| Reaction::HangUp(http.clone())).await;
    assert!(fault.is_silence(), "{fault}");
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_of_an_answer_is_made_again() {
    let fault = wrong_then_right(|question| {
        let whole = frame(question.transaction, 1, &[3, 2, 0x02, 0x71]);
        Reaction::HangUp(whole[..9].to_vec())
    })
    .await;
    assert!(matches!(fault, CallFault::Broken { .. }), "{fault}");
}

#[tokio::test]
async fn a_late_answer_is_never_taken_for_the_next_one() {
    let fake = Fake::start(|question| match question.connection {
        0 => Reaction::Late(vec![3, 2, 0x02, 0x71]),
        _ => Reaction::Answer(vec![3, 2, 0x00, 0x05]),
    })
    .await;
    let mut bus = bus(&fake, PATIENT);
    assert_eq!(words(&mut bus, 1, 1).await, Err(CallFault::Silence { timeout_ms: 20_000 }));
    assert_eq!(words(&mut bus, 5, 1).await, Ok(vec![5]));
    assert_eq!(fake.connections(), 2, "the first connection was given up with its late answer");
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_does_not_count() {
    // Two answers to one question: the second lies in wait for the next question.
    let fake = Fake::start(|question| {
        let one = frame(question.transaction, 1, &[3, 2, 0x02, 0x71]);
        let two = frame(question.transaction, 1, &[3, 2, 0x0F, 0xFF]);
        Reaction::Bytes([one, two].concat())
    })
    .await;
    let mut bus = bus(&fake, PATIENT);
    assert_eq!(words(&mut bus, 1, 1).await, Ok(vec![0x0271]));
    let next = words(&mut bus, 1, 1).await;
    assert!(next.is_err() || next == Ok(vec![0x0271]), "{next:?}");
}

#[tokio::test]
async fn a_question_that_was_given_up_takes_its_connection_along() {
    let fake = Fake::start(|question| match question.connection {
        0 => Reaction::Silence,
        _ => Reaction::Answer(vec![3, 2, 0x00, 0x05]),
    })
    .await;
    let mut bus = bus(&fake, PATIENT);
    assert!(tokio::time::timeout(PATIENT / 2, words(&mut bus, 1, 1)).await.is_err());
    assert_eq!(words(&mut bus, 5, 1).await, Ok(vec![5]));
    assert_eq!(fake.connections(), 2);
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_keeps_the_connection() {
    let fake = Fake::start(|_| Reaction::Answer(vec![0x83, 2])).await;
    let mut bus = bus(&fake, PATIENT);
    for _ in 0..2 {
        let fault = words(&mut bus, 1, 1).await.unwrap_err();
        assert!(fault.to_string().contains("exception 0x02, no such register"), "{fault}");
        assert!(!fault.is_silence());
    }
    assert_eq!(fake.connections(), 1);
}

#[tokio::test]
async fn a_gateway_that_says_nobody_answers_counts_as_silence() {
    let fake = Fake::start(|_| Reaction::Answer(vec![0x83, 0x0B])).await;
    let fault = words(&mut bus(&fake, PATIENT), 1, 1).await.unwrap_err();
    assert!(fault.is_silence());
}

/// Writes 62.5 °C to register 26 at a peer that answers so.
async fn write_answered(function: WriteFunction, answer: &'static [u8]) -> Result<(), CallFault> {
    let fake = Fake::start(|_| Reaction::Answer(answer.to_vec())).await;
    let raw = match function {
        WriteFunction::SingleCoil => Raw::Bit(true),
        WriteFunction::SingleRegister | WriteFunction::MultipleRegisters => {
            Raw::Words(smallvec::smallvec![0x0271])
        }
    };
    modbus::write(&mut bus(&fake, PATIENT), 1, 26, function, &raw).await
}

#[tokio::test]
async fn a_write_counts_only_with_its_own_echo() {
    use WriteFunction::{MultipleRegisters, SingleCoil, SingleRegister};
    let right: [(WriteFunction, &'static [u8]); 3] = [
        (SingleCoil, &[5, 0, 26, 0xFF, 0]),
        (SingleRegister, &[6, 0, 26, 0x02, 0x71]),
        (MultipleRegisters, &[16, 0, 26, 0, 1]),
    ];
    for (function, answer) in right {
        assert_eq!(write_answered(function, answer).await, Ok(()));
    }
    let foreign: [(WriteFunction, &'static [u8]); 6] = [
        (SingleCoil, &[5, 0, 26, 0, 0]),
        (SingleCoil, &[5, 0, 27, 0xFF, 0]),
        (SingleRegister, &[6, 0, 26, 0x02, 0x72]),
        (SingleRegister, &[6, 0, 27, 0x02, 0x71]),
        (MultipleRegisters, &[16, 0, 26, 0, 2]),
        (MultipleRegisters, &[16, 0, 25, 0, 1]),
    ];
    for (function, answer) in foreign {
        misfit(&write_answered(function, answer).await.unwrap_err());
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named_as_such() {
    let (_socket, port) = dead_port();
    let url = BusUrl::parse(&format!("tcp://127.0.0.1:{port}")).unwrap();
    let mut bus = Bus::new(url, 1000, PATIENT);
    let fault = words(&mut bus, 1, 1).await.unwrap_err();
    assert!(matches!(fault, CallFault::Dial { .. }), "{fault}");
    assert!(bus.back_off.resting().is_some());
}

#[test]
fn back_off_doubles_up_to_two_seconds_of_periods() {
    let mut back_off = super::bus::BackOff::new(100);
    let mut pauses = Vec::new();
    for _ in 0..7 {
        back_off.failed();
        let mut periods = 0;
        while back_off.resting().is_some() {
            back_off.begin_period();
            periods += 1;
        }
        pauses.push(periods);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 20, 20]);
    back_off.succeeded();
    back_off.failed();
    back_off.begin_period();
    assert!(back_off.resting().is_none());
}

/// A panic in the task of a port is caught by its runtime, and ends that task alone.
#[tokio::test]
async fn a_port_whose_task_has_ended_is_opened_again_by_the_next_question() {
    let fake = Fake::start(|_| Reaction::Answer(vec![3, 2, 0x02, 0x71])).await;
    let mut bus = bus(&fake, PATIENT);
    assert_eq!(words(&mut bus, 1, 1).await, Ok(vec![0x0271]));
    bus.lose_its_task();
    let fault = words(&mut bus, 1, 1).await.unwrap_err();
    assert!(fault.to_string().contains("its task has ended"), "{fault}");
    assert_eq!(words(&mut bus, 1, 1).await, Ok(vec![0x0271]));
    assert_eq!(fake.connections(), 2);
}

/// What the task knew of answers that are late is lost with it.
#[tokio::test]
async fn a_serial_line_whose_task_has_ended_believes_no_answer_at_first() {
    let (_socket, port) = dead_port();
    let url = BusUrl::parse(&format!("rtu+tcp://127.0.0.1:{port}")).unwrap();
    let mut bus = Bus::new(url, 1000, PATIENT);
    bus.lose_its_task();
    words(&mut bus, 1, 1).await.unwrap_err();
    let held = words(&mut bus, 1, 1).await;
    assert!(matches!(held, Err(CallFault::HeldBack { .. })), "{held:?}");
    bus.in_haste(true);
    let sent = words(&mut bus, 1, 1).await;
    assert!(matches!(sent, Err(CallFault::Dial { .. })), "what takes heat away is sent: {sent:?}");
}
