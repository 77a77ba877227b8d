use std::time::Duration;

use holder_hal::wire::Profile;
use tokio::io::DuplexStream;

use super::*;
use crate::params::PlantParams;
use crate::plant::Plant;
use crate::server::layout::Layout;

/// A device that repeats each line of text in brackets, and says nothing to a command that
/// begins with `out`.
#[derive(Default)]
struct Double(Vec<u8>);

impl Responder for Double {
    fn receive(&mut self, received: &[u8]) -> Vec<u8> {
        self.0.extend_from_slice(received);
        let Some(end) = self.0.iter().position(|byte| *byte == b'\r') else { return Vec::new() };
        let line: Vec<u8> = self.0.drain(..=end).collect();
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        if text.starts_with("out") { Vec::new() } else { format!("<{text}>\r\n").into_bytes() }
    }
}

fn wire(faults: &[&str]) -> Wire {
    let text = include_str!("../../../profiles/devices/eurotherm-3200.toml");
    let profile = Arc::new(Profile::parse("eurotherm-3200.toml", text).expect("shipped"));
    let mut layout = Layout::of_device(&profile, 1, "tcp://127.0.0.1:0").expect("good");
    layout.buses[0].framing = Framing::Commands;
    let world = World::new(Plant::new(PlantParams::nominal(), 1, 0), layout.clone());
    let faults = faults.iter().map(|text| text.parse().expect("a fault")).collect();
    Wire {
        bus: 0,
        layout: layout.buses.remove(0),
        world: Arc::new(Mutex::new(world)),
        unit_ids: vec![1],
        inner: None,
        mangler: Arc::new(Mutex::new(Mangler::new(1, faults))),
        started: timer::now(),
        paced: false,
        plugged: watch::Sender::new(true).subscribe(),
    }
}

/// A client at the other end of a line of commands.
fn client(faults: &[&str]) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(256);
    let wire = wire(faults);
    tokio::spawn(async move {
        let peer = Peer::Commands(Box::new(Double::default()));
        wire.carry_for(peer, theirs).await
    });
    ours
}

async fn ask(client: &mut DuplexStream, question: &str, count: usize) -> String {
    client.write_all(question.as_bytes()).await.expect("the line takes bytes");
    let mut bytes = vec![0; count];
    client.read_exact(&mut bytes).await.expect("an answer comes");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test(start_paused = true)]
async fn commands_are_answered_whole_in_pieces_or_not_at_all() {
    let mut client = client(&[]);
    assert_eq!(ask(&mut client, "in_pv_00\r", 12).await, "<in_pv_00>\r\n");
    client.write_all(b"in_").await.expect("the line takes bytes");
    assert_eq!(ask(&mut client, "sp\r", 9).await, "<in_sp>\r\n");
    client.write_all(b"out_sp_00 62.5\r").await.expect("the line takes bytes");
    tokio::task::yield_now().await;
    assert_eq!(ask(&mut client, "a\r", 5).await, "<a>\r\n", "nothing came for the other");
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_commands_is_late_by_the_time_that_the_fault_says() {
    let mut client = client(&["late:ms=800,every=2", "echo"]);
    let begun = timer::now();
    assert_eq!(ask(&mut client, "a\r", 7).await, "a\r<a>\r\n");
    assert_eq!(timer::now() - begun, Duration::ZERO, "the clock stands while nobody waits");
    assert_eq!(ask(&mut client, "b\r", 7).await, "b\r<b>\r\n");
    let late = timer::now() - begun;
    assert!((800..=801).contains(&late.as_millis()), "{late:?}");
}
