//! Where `holder sim` serves: what `--tcp`, `--rtu-over-tcp`, `--pty` and `--serial` say.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use holder_hal::wire::profile::Protocol;
use holder_hal::wire::{BusUrl, Port, Profile, UnitSpec};
use holder_sim::Place;

use super::SimArgs;
use crate::cli::failure::Failure;

/// Where a device alone is served.
#[derive(Debug)]
pub(super) struct DevicePlace {
    /// What is spoken, and how characters go over the line.
    pub(super) url: String,
    /// Where, by the name of its bus.
    pub(super) places: BTreeMap<String, Place>,
}

/// Where one device alone is served: at exactly one place.
pub(super) fn of_device(args: &SimArgs, profile: &Profile) -> Result<DevicePlace, Failure> {
    let name = profile.name();
    let is_modbus = matches!(profile.protocol(), Protocol::Modbus(_));
    let line = if is_modbus { "rtu" } else { "serial" };
    let sockets = args.tcp.iter().chain(&args.rtu_over_tcp);
    if sockets.chain(&args.pty).chain(&args.serial).count() != 1 {
        return Err(Failure::Usage(format!(
            "--device {name}: say where, by one of --tcp HOST:PORT, --rtu-over-tcp HOST:PORT, \
             --pty LINK and --serial PORT"
        )));
    }
    if !is_modbus && args.rtu_over_tcp.is_some() {
        let why = format!("--rtu-over-tcp: {name} speaks no Modbus; write --tcp HOST:PORT");
        return Err(Failure::Usage(why));
    }
    let (url, place) = match (&args.tcp, &args.rtu_over_tcp, args.pty.first(), args.serial.first())
    {
        (Some(at), ..) if is_modbus => (format!("tcp://{at}"), Place::Listen(at.clone())),
        (Some(at), ..) | (None, Some(at), ..) => {
            let (at, settings) = settings_of(at, profile);
            // The place says where; in a url, port 0 could not let the system choose.
            (format!("{line}+tcp://localhost:1?{settings}"), Place::Listen(at.to_owned()))
        }
        (None, None, Some(link), _) => {
            let (url, path) = url_of(line, link, profile)?;
            (url, Place::Pty(Some(path)))
        }
        (None, None, None, port) => {
            let (url, path) = url_of(line, port.map_or("", String::as_str), profile)?;
            (url, Place::Serial(path))
        }
    };
    Ok(DevicePlace { url, places: BTreeMap::from([(name.to_owned(), place)]) })
}

/// The place and what follows its question mark; where nothing does, the settings with which the
/// device leaves the factory.
fn settings_of<'a>(text: &'a str, profile: &'a Profile) -> (&'a str, &'a str) {
    text.split_once('?').unwrap_or((text, profile.line()))
}

/// The url of a serial line at `text`, a path with settings as a url has them.
fn url_of(line: &str, text: &str, profile: &Profile) -> Result<(String, PathBuf), Failure> {
    let (path, settings) = settings_of(text, profile);
    let refused = |why: String| Failure::Usage(format!("{text}: {why}"));
    let path = std::path::absolute(path).map_err(|error| refused(error.to_string()))?;
    let url = format!("{line}://{}?{settings}", path.display());
    BusUrl::parse(&url).map_err(refused)?;
    Ok((url, path))
}

/// Where a unit listens instead of where its buses say.
pub(super) fn listen_of(tcp: Option<&str>, spec: &UnitSpec) -> Result<Option<SocketAddr>, Failure> {
    let Some(tcp) = tcp else { return Ok(None) };
    let at: SocketAddr = tcp.parse().map_err(|_| {
        Failure::Usage(format!("--tcp {tcp}: with --unit, write an IP address and a port"))
    })?;
    if spec.buses().len() > 1 && at.port() != 0 {
        return Err(Failure::Usage(format!(
            "--tcp {tcp}: unit {} has {} buses, which cannot share a port; leave --tcp out to \
             listen where the buses say, or give port 0",
            spec.name(),
            spec.buses().len()
        )));
    }
    Ok(Some(at))
}

/// Where the serial lines of a unit are served instead of where their urls say.
pub(super) fn of_unit(args: &SimArgs, spec: &UnitSpec) -> Result<BTreeMap<String, Place>, Failure> {
    let is_line =
        |url: &str| BusUrl::parse(url).is_ok_and(|url| matches!(url.port, Port::Serial { .. }));
    let lines: Vec<&str> =
        spec.buses().iter().filter(|bus| is_line(&bus.url)).map(|bus| bus.name.as_str()).collect();
    let ptys = args.pty.iter().map(|text| ("--pty", text));
    let serials = args.serial.iter().map(|text| ("--serial", text));
    let mut places = BTreeMap::new();
    for (option, text) in ptys.chain(serials) {
        let (bus, path) = line_and_path(option, text, spec.name(), &lines)?;
        let path = std::path::absolute(path)
            .map_err(|error| Failure::Usage(format!("{option} {text}: {error}")))?;
        let place = if option == "--pty" { Place::Pty(Some(path)) } else { Place::Serial(path) };
        if places.insert(bus.to_owned(), place).is_some() {
            return Err(Failure::Usage(format!("{option} {text}: {bus} has a place already")));
        }
    }
    Ok(places)
}

/// `BUS=PATH`, or a path alone where there is only one line that it can be for.
fn line_and_path<'a>(
    option: &str,
    text: &'a str,
    unit: &str,
    lines: &[&'a str],
) -> Result<(&'a str, &'a str), Failure> {
    let refused = |why: String| Err(Failure::Usage(format!("{option} {text}: {why}")));
    let (bus, path) = match (text.split_once('='), lines) {
        (Some((bus, path)), _) if lines.contains(&bus) => (bus, path),
        (_, []) => return refused(format!("unit {unit} has no bus on a serial port")),
        (_, [bus]) => (*bus, text),
        _ => {
            let known = lines.join(", ");
            return refused(format!("say for which bus, as BUS=PATH; the buses are {known}"));
        }
    };
    if path.contains(['?', '=']) {
        return refused(format!("write {option} {bus}=PATH; the settings are those of the bus"));
    }
    Ok((bus, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(text: &'a str, lines: &[&'a str]) -> Result<(&'a str, &'a str), String> {
        line_and_path("--pty", text, "past-1", lines).map_err(|failure| failure.why())
    }

    #[test]
    fn a_path_alone_is_enough_for_the_only_line() {
        assert_eq!(found("/tmp/a", &["line"]), Ok(("line", "/tmp/a")));
        assert_eq!(found("line=/tmp/a", &["line"]), Ok(("line", "/tmp/a")));
        assert_eq!(found("b=/tmp/a", &["a", "b"]), Ok(("b", "/tmp/a")));
    }

    #[test]
    fn a_path_that_could_be_for_several_lines_or_none_is_refused() {
        let refusal = |text, lines: &[&'static str]| found(text, lines).expect_err("refused");
        assert!(refusal("/tmp/a", &["a", "b"]).contains("the buses are a, b"));
        assert!(refusal("/tmp/a", &[]).contains("no bus on a serial port"));
        assert!(refusal("c=/tmp/a", &["a"]).contains("--pty a=PATH"));
        assert!(refusal("/tmp/a?baud=1", &["a"]).contains("those of the bus"));
    }

    #[test]
    fn settings_of_a_line_follow_its_place_and_are_else_those_of_the_factory() {
        let library = crate::station::config::Library::shipped();
        let known = |name| library.profile(name).expect("shipped").profile;
        let (eurotherm, julabo) = (known("eurotherm-3200"), known("julabo"));
        let (url, path) = url_of("rtu", "/tmp/a?baud=19200", &eurotherm).expect("good");
        assert_eq!((url.as_str(), path), ("rtu:///tmp/a?baud=19200", "/tmp/a".into()));
        let refused = url_of("rtu", "/tmp/a?speed=3", &eurotherm).expect_err("refused").why();
        assert!(refused.contains("speed") && refused.contains("baud"), "{refused}");
        let (url, _) = url_of("serial", "/tmp/a", &julabo).expect("good");
        let line = BusUrl::parse(&url).expect("good").line.expect("a line");
        assert_eq!(line.to_string(), "4800 7E1 RTS/CTS");
    }
}
