//! Where a bus is: the urls of `station.toml`.
//!
//! | url | wire | who speaks on it |
//! |---|---|---|
//! | `tcp://host:port` | socket | Modbus TCP |
//! | `rtu:///dev/…?baud=9600&parity=even` | serial port | Modbus RTU |
//! | `rtu+tcp://host:port?baud=9600` | serial-to-Ethernet socket | Modbus RTU |
//! | `serial:///dev/…?baud=4800&parity=even&data_bits=7&flow=rtscts` | serial port | text or framed commands |
//! | `serial+tcp://host:port` | serial-to-Ethernet socket | text or framed commands |
//!
//! Modbus TCP and RTU through a socket differ in every byte, so which of them it is must be said
//! (DEVICES, section C). `baud` behind a socket is the speed of the line behind the gateway: it
//! sets no port, but the silence between two questions follows from it.

use core::fmt;

/// Bits that hold a character's parity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// An even number of ones.
    Even,
    /// An odd number of ones.
    Odd,
}

/// Who may send when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flow {
    /// Nobody holds the other back.
    #[default]
    None,
    /// By the wires RTS and CTS.
    RtsCts,
    /// By the characters XON and XOFF.
    XonXoff,
}

/// How characters go over a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineSettings {
    /// Bits per second, 300 to 921,600.
    pub baud: u32,
    /// 7 or 8.
    pub data_bits: u8,
    /// The parity bit.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
    /// Flow control.
    pub flow: Flow,
}

impl Default for LineSettings {
    /// 9600 8N1, as most devices leave the factory.
    fn default() -> Self {
        let (parity, flow) = (Parity::None, Flow::None);
        Self { baud: 9600, data_bits: 8, parity, stop_bits: 1, flow }
    }
}

impl LineSettings {
    /// Start, data, parity and stop bits of one character.
    pub const fn bits_per_char(&self) -> u32 {
        let parity = match self.parity {
            Parity::None => 0,
            Parity::Even | Parity::Odd => 1,
        };
        1 + self.data_bits as u32 + parity + self.stop_bits as u32
    }

    /// How long `chars` characters take, in microseconds, rounded up.
    pub const fn micros(&self, chars: u32) -> u64 {
        let bits = self.bits_per_char() as u64 * chars as u64;
        (bits * 1_000_000).div_ceil(self.baud as u64)
    }
}

impl fmt::Display for LineSettings {
    /// As technicians say it: `9600 8N1`, `4800 7E1 RTS/CTS`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{} {}{parity}{}", self.baud, self.data_bits, self.stop_bits)?;
        match self.flow {
            Flow::None => Ok(()),
            Flow::RtsCts => f.write_str(" RTS/CTS"),
            Flow::XonXoff => f.write_str(" XON/XOFF"),
        }
    }
}

/// The physical port: what one program at a time can hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// A socket.
    Socket {
        /// Name or address.
        host: String,
        /// TCP port, not 0.
        port: u16,
    },
    /// A serial port of this computer.
    Serial {
        /// Its device file: `/dev/serial/by-id/…`.
        path: String,
    },
}

/// How questions and answers are framed on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Modbus TCP: each answer carries the number of its question.
    ModbusTcp,
    /// Modbus RTU: address, function, checksum.
    ModbusRtu,
    /// Lines of text or framed commands of a maker's own.
    Commands,
}

/// The url of a bus, understood.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BusUrl {
    /// Where.
    pub port: Port,
    /// What is spoken there.
    pub framing: Framing,
    /// How characters go over the serial line; on `tcp://` there is none.
    pub line: Option<LineSettings>,
}

const SHAPE: &str = "must be tcp://host:port (Modbus TCP), rtu:///dev/… (Modbus RTU on a serial \
                     port), rtu+tcp://host:port (RTU through a socket), serial:///dev/… or \
                     serial+tcp://host:port (text commands)";

impl BusUrl {
    /// Understands a url.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or(SHAPE)?;
        let (place, query) =
            rest.split_once('?').map_or((rest, ""), |(place, query)| (place, query));
        let (framing, socket) = match scheme {
            "tcp" => (Framing::ModbusTcp, true),
            "rtu+tcp" => (Framing::ModbusRtu, true),
            "serial+tcp" => (Framing::Commands, true),
            "rtu" => (Framing::ModbusRtu, false),
            "serial" => (Framing::Commands, false),
            _ => return Err(SHAPE.to_owned()),
        };
        let port = if socket { socket_at(scheme, place)? } else { device_file(scheme, place)? };
        let line = match framing {
            Framing::ModbusTcp if query.is_empty() => None,
            Framing::ModbusTcp => {
                return Err("tcp:// takes no settings of a serial line: remove what follows the ?"
                    .to_owned());
            }
            Framing::ModbusRtu | Framing::Commands => Some(line_settings(framing, query)?),
        };
        Ok(Self { port, framing, line })
    }
}

fn socket_at(scheme: &str, place: &str) -> Result<Port, String> {
    let shape = || format!("must be {scheme}://host:port, such as {scheme}://192.168.1.20:502");
    let (host, port) = place.rsplit_once(':').ok_or_else(shape)?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() || host.contains(['/', '?', '@', ' ']) {
        return Err(shape());
    }
    match port.parse::<u16>() {
        Ok(0) | Err(_) => Err(format!("{port:?} is no port; a port is a number from 1 to 65535")),
        Ok(port) => Ok(Port::Socket { host: host.to_owned(), port }),
    }
}

fn device_file(scheme: &str, place: &str) -> Result<Port, String> {
    if place.len() < 2 || !place.starts_with('/') {
        return Err(format!(
            "must be {scheme}:///path, such as {scheme}:///dev/serial/by-id/usb-… (`holder device \
             ports` lists them)"
        ));
    }
    Ok(Port::Serial { path: place.to_owned() })
}

/// The settings of a serial line: `baud=4800&parity=even`, each with its default.
pub(crate) fn line_settings(framing: Framing, query: &str) -> Result<LineSettings, String> {
    let mut line = LineSettings::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let number = |most: u32| {
            let number = value.parse::<u32>().ok().filter(|number| *number <= most);
            number.ok_or_else(|| format!("{key} = {value:?} is not a number that it can be"))
        };
        match key {
            "baud" => line.baud = number(921_600)?,
            "data_bits" => line.data_bits = u8::try_from(number(8)?).unwrap_or_default(),
            "stop_bits" => line.stop_bits = u8::try_from(number(2)?).unwrap_or_default(),
            "parity" => {
                line.parity = match value {
                    "none" => Parity::None,
                    "even" => Parity::Even,
                    "odd" => Parity::Odd,
                    _ => return Err(format!("parity = {value:?} must be none, even or odd")),
                }
            }
            "flow" => {
                line.flow = match value {
                    "none" => Flow::None,
                    "rtscts" => Flow::RtsCts,
                    "xonxoff" => Flow::XonXoff,
                    _ => return Err(format!("flow = {value:?} must be none, rtscts or xonxoff")),
                }
            }
            _ => {
                return Err(format!(
                    "{key:?} is no setting; there are baud, parity, data_bits, stop_bits and flow"
                ));
            }
        }
    }
    if line.baud < 300 {
        return Err(format!("baud = {} must be from 300 to 921600", line.baud));
    }
    match (line.data_bits, framing) {
        (8, _) | (7, Framing::Commands) => {}
        (7, Framing::ModbusRtu | Framing::ModbusTcp) => {
            return Err("data_bits = 7: Modbus RTU needs 8".to_owned());
        }
        _ => return Err(format!("data_bits = {} must be 7 or 8", line.data_bits)),
    }
    if !matches!(line.stop_bits, 1 | 2) {
        return Err(format!("stop_bits = {} must be 1 or 2", line.stop_bits));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        BusUrl::parse(url).expect_err("refused")
    }

    #[test]
    fn each_kind_of_wire_has_its_url() {
        let rtu =
            BusUrl::parse("rtu:///dev/serial/by-id/usb-x?baud=19200&parity=even").expect("good");
        assert_eq!(rtu.port, Port::Serial { path: "/dev/serial/by-id/usb-x".into() });
        assert_eq!(rtu.framing, Framing::ModbusRtu);
        assert_eq!(rtu.line.expect("a line").to_string(), "19200 8E1");
        let text =
            BusUrl::parse("serial:///dev/ttyS0?baud=4800&parity=even&data_bits=7&flow=rtscts");
        assert_eq!(text.expect("good").line.expect("a line").to_string(), "4800 7E1 RTS/CTS");
        let socket = BusUrl::parse("serial+tcp://[::1]:8101").expect("good");
        assert_eq!(socket.port, Port::Socket { host: "::1".into(), port: 8101 });
        assert_eq!(BusUrl::parse("tcp://a:502").expect("good").line, None);
        let through = BusUrl::parse("rtu+tcp://a:4001?baud=1200").expect("good");
        assert_eq!(through.line.map(|line| line.baud), Some(1200));
    }

    #[test]
    fn a_url_that_cannot_be_meant_is_refused_with_what_to_write() {
        assert!(refusal("192.168.1.2").contains("tcp://host:port"));
        assert!(refusal("udp://a:1").contains("rtu+tcp://host:port"));
        assert!(refusal("tcp://a:0").contains("1 to 65535"));
        assert!(refusal("tcp://a:502?baud=9600").contains("remove"));
        assert!(refusal("rtu://ttyUSB0").contains("device ports"));
        assert!(refusal("rtu:///dev/a?baud=12").contains("300"));
        assert!(refusal("rtu:///dev/a?data_bits=7").contains("needs 8"));
        assert!(refusal("serial:///dev/a?parity=odd&speed=3").contains("speed"));
        assert!(refusal("serial:///dev/a?stop_bits=0").contains("1 or 2"));
    }

    #[test]
    fn a_character_takes_its_time() {
        let line = LineSettings::default();
        assert_eq!(line.bits_per_char(), 10);
        assert_eq!(line.micros(24), 25_000);
        let seven = LineSettings { baud: 4800, data_bits: 7, parity: Parity::Even, ..line };
        assert_eq!(seven.bits_per_char(), 10);
    }
}
