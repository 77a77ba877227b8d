//! `holder device probe`: which unit ids answer on a bus, and what a device's registers say in
//! every byte order, in °C and °F, and one address beside. Reads only.

mod args;
mod conclude;
mod show;

use std::io::{IsTerminal as _, Write as _};

use anyhow::Context as _;
use holder_hal::wire::capture::{CaptureHead, CapturedDevice};
use holder_hal::wire::probe::{PROBED, Presence, Probe};
use holder_hal::wire::profile::{Entity, Point, Protocol, Raw};
use holder_hal::wire::{Profile, WireError};
use serde_json::{Value, json};

pub(super) use args::ProbeArgs;
use conclude::Fit;

use crate::cli::capture::{Kept, PROGRAM};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::{out, signals, unit};

/// What one unit id said.
struct Found {
    unit_id: u8,
    presence: Presence,
    points: Vec<Probed>,
}

impl Found {
    /// Its name in a sentence; 0 is a device that is alone on its line.
    fn who(&self) -> String {
        match self.unit_id {
            0 => "the device".to_owned(),
            unit_id => format!("unit id {unit_id}"),
        }
    }
}

/// One point at one unit id.
struct Probed {
    point: Point,
    /// What was read at the address itself and beside it: shift, registers or reason.
    reads: Vec<(i8, Result<Raw, WireError>)>,
}

impl Probed {
    /// What was read at the address itself.
    fn own(&self) -> Option<&Raw> {
        let own = self.reads.iter().find(|(shift, _)| *shift == 0)?;
        own.1.as_ref().ok()
    }
}

pub(super) fn run(context: &Context, args: &ProbeArgs) -> Result<(), Failure> {
    let profile = match &args.profile {
        Some(name) => Some(context.library()?.profile(name)?.profile),
        None => None,
    };
    let ids = args.ids(profile.as_deref())?;
    let points = args.points(profile.as_deref())?;
    let gap_ms = profile.as_ref().map_or(0, |p| p.timing().pause_between_requests_ms);
    let mut probe = Probe::open(&args.url, args.timeout_ms, gap_ms)
        .map_err(|rule| Failure::Usage(format!("{}: {rule}", args.url)))?;
    let kept = keep(context, args, profile.as_deref(), &ids)?;
    Kept::handle(kept.as_ref()).into_iter().for_each(|capture| probe.keep(capture));
    let looked = unit::runtime()?.block_on(look(&mut probe, &ids, profile.as_deref(), &points));
    Kept::end(kept);
    let (found, stopped) = looked?;
    let told: Vec<(Found, Fit)> = found
        .into_iter()
        .map(|one| {
            let fit = Fit::of(&one, profile.as_deref());
            (one, fit)
        })
        .collect();
    report(context, args, profile.as_deref(), &told, stopped)
}

/// Shows what was found and what it means; nobody, or nobody who fits, is a failure.
fn report(
    context: &Context,
    args: &ProbeArgs,
    profile: Option<&Profile>,
    found: &[(Found, Fit)],
    stopped: bool,
) -> Result<(), Failure> {
    let name = profile.map(Profile::name);
    let meaning = |(one, fit): &(Found, Fit)| fit.words(&one.who(), name);
    if context.json {
        let found: Vec<Value> =
            found.iter().map(|(one, fit)| show::document(one, fit, name)).collect();
        out::json(&json!({ "url": args.url, "stopped": stopped, "found": found }))?;
    } else {
        let mut text = show::in_words(&args.url, found.iter().map(|(one, _)| one));
        for good in found.iter().filter(|(_, fit)| fit.is_good()).filter_map(meaning) {
            text += &format!("\n{good}.\n");
        }
        out::text(&text)?;
    }
    if found.is_empty() && !stopped {
        return Err(Failure::Unreachable(anyhow::anyhow!(nobody(args, profile))));
    }
    if found.iter().any(|(_, fit)| fit.is_good()) || found.is_empty() {
        return Ok(());
    }
    let meanings: Vec<String> = found.iter().filter_map(meaning).collect();
    Err(Failure::refused(format!("{}: {}", args.url, meanings.join(". "))))
}

/// Nobody answered: what to try.
fn nobody(args: &ProbeArgs, profile: Option<&Profile>) -> String {
    let ProbeArgs { url, timeout_ms, .. } = args;
    let what_to_check = match profile.map(Profile::protocol) {
        Some(Protocol::Text(_) | Protocol::HuberPb | Protocol::NeslabNc) => {
            "speed, parity and flow control (`holder device show` tells them), the cable (crossed or \
             straight), that the profile is the right one, that the device is set to be controlled \
             from outside"
        }
        Some(Protocol::Modbus(_)) | None => {
            "the unit id on the device, speed and parity, the wires A and B (try them crossed)"
        }
    };
    format!(
        "{url}: nobody answered within {timeout_ms} ms. Check {what_to_check}, and that no other \
         program talks on this line"
    )
}

/// Whether a value is shown in every way in which its registers could be read.
fn is_guessed(point: &Point) -> bool {
    point.unit.is_temperature() && point.register().is_some()
}

fn keep(
    context: &Context,
    args: &ProbeArgs,
    profile: Option<&Profile>,
    ids: &[u8],
) -> Result<Option<Kept>, Failure> {
    let device = |(profile, unit_id): (&Profile, u8)| CapturedDevice {
        name: format!("id-{unit_id}"),
        bus: PROBED.to_owned(),
        unit_id,
        profile: profile.name().to_owned(),
    };
    let known = profile.into_iter().flat_map(|profile| ids.iter().map(move |id| (profile, *id)));
    let head = CaptureHead {
        program: PROGRAM.to_owned(),
        unit: format!("probe of {}", args.url),
        started_utc_ms: context.now_utc_ms(),
        buses: vec![(PROBED.to_owned(), args.url.clone())],
        devices: known.map(device).collect(),
    };
    Kept::begin(args.capture.as_deref(), &head)
}

/// Asks every unit id; what was found so far is kept when the person stops it.
async fn look(
    probe: &mut Probe,
    ids: &[u8],
    profile: Option<&Profile>,
    points: &[Point],
) -> Result<(Vec<Found>, bool), Failure> {
    let mut stop = std::pin::pin!(signals::until_stopped());
    let mut found = Vec::new();
    let progress = Progress::new(ids.len());
    let at = points.first().and_then(Point::register);
    let at = at.map_or((Entity::HoldingRegister, 0), |at| (at.entity, at.address));
    for (index, unit_id) in ids.iter().copied().enumerate() {
        progress.show(index, unit_id);
        let one = async {
            let presence = match profile {
                Some(profile) => probe.hello(unit_id, profile).await?,
                None => probe.presence(unit_id, at.0, at.1).await?,
            };
            let mut probed = Vec::new();
            if presence != Presence::Silent {
                for point in points {
                    probed.push(read(probe, unit_id, profile, point).await);
                }
            }
            Ok::<_, WireError>(Found { unit_id, presence, points: probed })
        };
        let one = tokio::select! {
            one = one => one,
            heard = &mut stop => {
                heard.context("the signals of the system cannot be heard")?;
                progress.clear();
                return Ok((found, true));
            }
        };
        match one {
            Ok(one) if one.presence == Presence::Silent => {}
            Ok(one) => found.push(one),
            Err(error) if found.is_empty() && error.is_unreachable() => {
                progress.clear();
                return Err(error.into());
            }
            // One odd answer does not end the search; it is told.
            Err(error) => out::note(&error.to_string()),
        }
    }
    progress.clear();
    Ok((found, false))
}

async fn read(probe: &mut Probe, unit_id: u8, profile: Option<&Profile>, point: &Point) -> Probed {
    if let Some(profile) = profile.filter(|_| point.register().is_none()) {
        let read = probe.read_point(unit_id, profile, point).await;
        return Probed { point: point.clone(), reads: vec![(0, read)] };
    }
    let beside: &[i8] = if point.unit.is_temperature() { &[-1, 0, 1] } else { &[0] };
    let mut reads = Vec::new();
    let at = show::address_of(point);
    let on_the_map = |shift: &i8| (0..=i32::from(u16::MAX)).contains(&(at + i32::from(*shift)));
    for shift in beside.iter().copied().filter(on_the_map) {
        reads.push((shift, probe.read(unit_id, point, shift).await));
    }
    Probed { point: point.clone(), reads }
}

/// How far the search is, on stderr of a terminal.
struct Progress {
    all: usize,
    shown: bool,
}

impl Progress {
    fn new(all: usize) -> Self {
        Self { all, shown: all > 1 && std::io::stderr().is_terminal() }
    }

    fn show(&self, done: usize, unit_id: u8) {
        if self.shown {
            let filled = done * 30 / self.all.max(1);
            let bar: String = (0..30).map(|at| if at < filled { '█' } else { '░' }).collect();
            let mut stderr = std::io::stderr().lock();
            // Nobody may be looking.
            let _ = write!(stderr, "\r{bar} unit id {unit_id:3}  Ctrl-C ends it");
            let _ = stderr.flush();
        }
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
