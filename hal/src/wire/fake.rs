//! A peer at the level of bytes, for tests: it is not the library that the program uses, and can
//! send what no library would.
//!
//! While the peer is silent on purpose, tokio's clock stands still and jumps to the next time-out;
//! while it has something to say, the clock is real. So time-outs can be long enough for a busy
//! machine, and no test waits for one.

use std::cell::Cell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// One request as it came.
pub(crate) struct Question {
    pub(crate) transaction: u16,
    pub(crate) unit: u8,
    pub(crate) pdu: Vec<u8>,
    /// The whole frame.
    pub(crate) frame: Vec<u8>,
    /// Which connection it came on, from 0.
    pub(crate) connection: usize,
}

/// What the peer does about it.
pub(crate) enum Reaction {
    /// A proper answer with this PDU.
    Answer(Vec<u8>),
    /// These bytes, whatever they are.
    Bytes(Vec<u8>),
    /// A proper answer, one byte at a time.
    Dripping(Vec<u8>),
    Silence,
    /// A proper answer with this PDU, after so long.
    After(Duration, Vec<u8>),
    /// The whole machine stands still for so long: nobody sees anything of it but the time.
    Stall(Duration),
    /// A proper answer with this PDU, sent only after the asker has made a new connection.
    Late(Vec<u8>),
    /// These bytes, and the connection is closed.
    HangUp(Vec<u8>),
}

thread_local! {
    /// A test and its peers share one thread.
    static FROZEN: Cell<bool> = const { Cell::new(false) };
}

/// Time passes only when everybody waits for it.
fn freeze() {
    if !FROZEN.replace(true) {
        tokio::time::pause();
    }
}

fn thaw() {
    if FROZEN.replace(false) {
        tokio::time::resume();
    }
}

/// An MBAP frame by hand (Modbus Messaging on TCP/IP, V1.0b, section 3.1.3).
pub(crate) fn frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = transaction.to_be_bytes().to_vec();
    bytes.extend([0, 0]);
    bytes.extend(u16::try_from(pdu.len() + 1).unwrap().to_be_bytes());
    bytes.push(unit);
    bytes.extend(pdu);
    bytes
}

/// A port that nobody listens on, and that nobody else is given while the socket lives.
pub(crate) fn dead_port() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

type Script = Arc<Mutex<dyn FnMut(&Question) -> Reaction + Send>>;

/// A listening peer.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    connections: watch::Receiver<usize>,
}

impl Fake {
    pub(crate) async fn start(script: impl FnMut(&Question) -> Reaction + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        FROZEN.set(false);
        let (counter, connections) = watch::channel(0);
        let watching = connections.clone();
        let script: Script = Arc::new(Mutex::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                thaw();
                counter.send_modify(|count| *count += 1);
                tokio::spawn(serve(stream, watching.clone(), Arc::clone(&script)));
            }
        });
        Self { address, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.borrow()
    }
}

async fn serve(mut stream: TcpStream, mut connections: watch::Receiver<usize>, script: Script) {
    let connection = *connections.borrow() - 1;
    loop {
        let mut head = [0; 7];
        if stream.read_exact(&mut head).await.is_err() {
            return;
        }
        let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
        let mut pdu = vec![0; length - 1];
        stream.read_exact(&mut pdu).await.unwrap();
        thaw();
        let transaction = u16::from_be_bytes([head[0], head[1]]);
        let frame_in = [head.as_slice(), &pdu].concat();
        let question = Question { transaction, unit: head[6], pdu, frame: frame_in, connection };
        let reaction = (script.lock().unwrap())(&question);
        let proper = |pdu: &[u8]| frame(question.transaction, question.unit, pdu);
        match reaction {
            Reaction::Answer(pdu) => stream.write_all(&proper(&pdu)).await.unwrap(),
            Reaction::Bytes(bytes) => stream.write_all(&bytes).await.unwrap(),
            Reaction::Dripping(pdu) => {
                stream.set_nodelay(true).unwrap();
                for byte in proper(&pdu) {
                    stream.write_all(&[byte]).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
            Reaction::Silence => freeze(),
            Reaction::After(delay, pdu) => {
                freeze();
                let given_up = tokio::time::timeout(delay, stream.read_u8()).await.is_ok();
                if given_up {
                    return;
                }
                thaw();
                stream.write_all(&proper(&pdu)).await.unwrap();
            }
            Reaction::Stall(length) => {
                freeze();
                tokio::time::advance(length).await;
            }
            Reaction::Late(pdu) => {
                freeze();
                connections.wait_for(|count| *count > connection + 1).await.unwrap();
                // The asker may have closed this one already: that is what it should do.
                let _ = stream.write_all(&proper(&pdu)).await;
            }
            Reaction::HangUp(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                return;
            }
        }
    }
}

/// Registers and coils by (function that reads them, address): a device without faults.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) cells: HashMap<(u8, u16), u16>,
    /// Every write that came: (function, address, value).
    pub(crate) writes: Vec<(u8, u16, u16)>,
    /// What it answers to function 17; refused when empty.
    pub(crate) id: String,
    /// Addresses that take a write and stay as they are.
    pub(crate) stubborn: Vec<u16>,
}

impl Memory {
    pub(crate) fn with(cells: &[(u8, u16, u16)]) -> Self {
        let cells = cells.iter().map(|(table, address, value)| ((*table, *address), *value));
        Self { cells: cells.collect(), ..Self::default() }
    }

    pub(crate) fn set(&mut self, table: u8, address: u16, value: u16) {
        self.cells.insert((table, address), value);
    }

    /// The answer of a well-behaved device; an address that it does not have is refused.
    pub(crate) fn answer(&mut self, pdu: &[u8]) -> Vec<u8> {
        let word = |at: usize| u16::from_be_bytes([pdu[at], pdu[at + 1]]);
        match pdu[0] {
            table @ 1..=4 => self.read(table, word(1), word(3)),
            function @ (5 | 6) => {
                let value = if function == 5 { u16::from(pdu[3] == 0xFF) } else { word(3) };
                let table = if function == 5 { 1 } else { 3 };
                self.write(function, table, word(1), value);
                pdu.to_vec()
            }
            16 => {
                for index in 0..word(3) {
                    self.write(16, 3, word(1) + index, word(6 + 2 * usize::from(index)));
                }
                pdu[..5].to_vec()
            }
            17 if !self.id.is_empty() => {
                let size = u8::try_from(self.id.len() + 2).unwrap();
                [&[17, size, 1, 0xFF], self.id.as_bytes()].concat()
            }
            function => vec![function | 0x80, 1],
        }
    }

    fn write(&mut self, function: u8, table: u8, address: u16, value: u16) {
        self.writes.push((function, address, value));
        if !self.stubborn.contains(&address) {
            self.set(table, address, value);
        }
    }

    fn read(&self, table: u8, address: u16, count: u16) -> Vec<u8> {
        let cells = (address..address + count).map(|address| self.cells.get(&(table, address)));
        let Some(cells) = cells.map(Option::<&u16>::copied).collect::<Option<Vec<u16>>>() else {
            return vec![table | 0x80, 2];
        };
        let data: Vec<u8> = if table > 2 {
            cells.iter().flat_map(|cell| cell.to_be_bytes()).collect()
        } else {
            let byte = |bits: &[u16]| {
                bits.iter().rev().fold(0_u8, |byte, bit| (byte << 1) | u8::from(*bit != 0))
            };
            cells.chunks(8).map(byte).collect()
        };
        [&[table, u8::try_from(data.len()).unwrap()], data.as_slice()].concat()
    }
}

/// A device without faults, shared with the test.
pub(crate) type Shared = Arc<Mutex<Memory>>;

/// Serves memories by unit id; a unit id that nobody has is silent.
pub(crate) async fn serve_memories(memories: Vec<(u8, Shared)>) -> Fake {
    Fake::start(move |question| {
        let found = memories.iter().find(|(unit, _)| *unit == question.unit);
        found.map_or(Reaction::Silence, |(_, memory)| {
            Reaction::Answer(memory.lock().unwrap().answer(&question.pdu))
        })
    })
    .await
}
