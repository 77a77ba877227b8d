//! A simulated device at the end of a wire, and what is said on it byte by byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holder_hal::wire::profile::Profile;
use holder_sim::{
    FaultSpec, Pace, Place, PlantParams, SimError, SimOptions, SimServer, Start, Wiring,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_serial::SerialStream;

const EUROTHERM: &str = include_str!("../../../profiles/devices/eurotherm-3200.toml");
/// Long enough for a busy machine; nothing waits so long unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One register from 1 on, of unit 1, as datasheets print it.
pub(crate) const ASK: [u8; 8] = [1, 3, 0, 1, 0, 1, 0xD5, 0xCA];

/// The checksum of Modbus RTU, bit by bit, appended.
pub(crate) fn summed(content: &[u8]) -> Vec<u8> {
    let mut sum = 0xFFFF_u16;
    for byte in content {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xA001 } else { sum >> 1 };
        }
    }
    [content, &sum.to_le_bytes()].concat()
}

/// 62.5 °C in tenths, of register 1.
pub(crate) fn answer() -> Vec<u8> {
    summed(&[1, 3, 2, 0x02, 0x71])
}

fn profile() -> Arc<Profile> {
    Arc::new(Profile::parse("eurotherm-3200.toml", EUROTHERM).expect("a shipped profile"))
}

pub(crate) fn faults(texts: &[&str]) -> Vec<FaultSpec> {
    texts.iter().map(|text| text.parse().expect("a fault")).collect()
}

pub(crate) async fn start(url: &str, wiring: Wiring) -> Result<SimServer, SimError> {
    let options =
        SimOptions { listen: None, load: None, pace: Pace::Lockstep, start: Start::MidHold };
    let nominal = PlantParams::nominal();
    SimServer::start_device_wired(&profile(), 1, url, nominal, 1, options, wiring).await
}

pub(crate) fn wiring(place: Place, texts: &[&str]) -> Wiring {
    let places = BTreeMap::from([(profile().name().to_owned(), place)]);
    Wiring { places, faults: faults(texts), paced: false }
}

/// One device on a pty without a link, with these faults.
pub(crate) async fn on_pty(texts: &[&str]) -> (SimServer, Wire<SerialStream>) {
    let server = start("rtu:///dev/x?baud=9600", wiring(Place::Pty(None), texts)).await;
    let server = server.expect("the system has a free pty");
    let wire = Wire(open(&path(&server)));
    (server, wire)
}

/// One device behind a socket of this kind.
pub(crate) async fn on_socket(scheme: &str, texts: &[&str]) -> (SimServer, Wire<TcpStream>) {
    let place = Place::Listen("127.0.0.1:0".to_owned());
    let server = start(&format!("{scheme}://127.0.0.1:1"), wiring(place, texts)).await;
    let server = server.expect("the system has a free port");
    let (_, address) = server.addrs()[0];
    (server, Wire(TcpStream::connect(address).await.expect("the simulator listens")))
}

pub(crate) fn path(server: &SimServer) -> PathBuf {
    match &server.reached()[0].place {
        Place::Pty(Some(path)) => path.clone(),
        place @ (Place::Pty(None) | Place::Listen(_) | Place::Serial(_)) => {
            panic!("not on a pty: {place:?}")
        }
    }
}

pub(crate) fn open(path: &Path) -> SerialStream {
    let builder = tokio_serial::new(path.to_string_lossy(), 9600);
    SerialStream::open(&builder).expect("the pty opens like a serial port")
}

/// The client's end of a wire.
pub(crate) struct Wire<S>(pub(crate) S);

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("the wire takes bytes");
    }

    /// The next `count` bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let read = tokio::time::timeout(PATIENCE, self.0.read_exact(&mut bytes)).await;
        read.expect("bytes come").expect("the wire stands");
        bytes
    }

    pub(crate) async fn ask(&mut self, question: &[u8], count: usize) -> Vec<u8> {
        self.send(question).await;
        self.bytes(count).await
    }

    /// Nothing more is under way: a sound question gets its answer, and that comes first.
    pub(crate) async fn is_quiet(&mut self, server: &SimServer) {
        server.set_faults(Vec::new()).expect("no faults");
        let next = self.ask(&summed(&[1, 3, 0, 2, 0, 1]), 7).await;
        assert_eq!(next, summed(&[1, 3, 2, 0x02, 0x71]), "the set point, and nothing before it");
    }
}
