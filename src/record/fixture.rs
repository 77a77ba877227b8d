//! Two synthetic batches for the tests in here: the curves follow first-order physics closely
//! enough to look at, and are the same on every run.

use holder_hal::{
    Celsius, Command, Duty, Heat, Kelvin, MILK_PROBES_MAX, Quality, Reading, Sample, Switch, Tick,
};

use crate::batch::certificate::{Certificate, OffsetPoint};
use crate::batch::event::{Action, Alarm, Cause, Entry, Event, HoldBreak, Snapshot};
use crate::batch::params::{BatchParams, Cascade, Heater, MARGIN_UNKNOWN, Probe, Purpose};
use crate::batch::phase::PhaseName;
use crate::batch::recipe::Recipe;
use crate::batch::verdict::{Figures, Finding, Outcome, Rule, Severity, Verdict};
use crate::profiles;
use crate::store::model::{
    BatchHeader, BatchRecord, Closing, FrozenText, Period, PoolRecord, PoolShare, StampedAction,
    StampedEntry,
};

/// 2026-03-14 07:12:00 UTC.
const STARTED_UTC_MS: i64 = 1_773_472_320_000;
const LOAD_S: u64 = 180;
const COME_UP_S: u64 = 240;
const HOLD_S: u64 = 1_960;
const COOL_AFTER_HOLD_S: u64 = 17 * 60;

/// A batch without any trouble, 80 minutes at 1 Hz, four milk probes, and its verdict.
pub(crate) fn good() -> (BatchRecord, Verdict) {
    let hold = [(HOLD_S, HOLD_S + 1_806)];
    let record = record(&hold, Trouble::None);
    let findings = vec![Finding {
        rule: Rule::Judged,
        severity: Severity::Note,
        at_s: None,
        text: "The margin of this machine is the default of 0.2 °C; it was not measured.".into(),
    }];
    (record, Verdict { outcome: Outcome::Acceptable, findings, figures: figures(1_806.0, 0) })
}

/// A batch whose hold restarted after a lost probe, with a hot spell and an opened lid.
pub(crate) fn troubled() -> (BatchRecord, Verdict) {
    let hold = [(HOLD_S, 2_380), (2_470, 2_470 + 1_805)];
    let record = record(&hold, Trouble::LostProbe { from_s: 2_350, to_s: 2_440 });
    let finding =
        |rule, severity, at_s, text: &str| Finding { rule, severity, at_s, text: text.to_owned() };
    let findings = vec![
        finding(
            Rule::HoldRestarted,
            Severity::Deviation,
            Some(2_380.0),
            "The hold was broken after 7.0 min: milk probe 2 gave no good reading for longer \
             than 10 s. It began again at 41.2 min.",
        ),
        finding(
            Rule::Ceiling,
            Severity::Deviation,
            Some(3_100.0),
            "The hottest milk reached 64.7 °C, uncertainty and margin included (line 64.5 °C).",
        ),
        finding(
            Rule::SampleInterval,
            Severity::Note,
            Some(2_350.0),
            "The longest time without a good reading of a required milk probe was 90 s.",
        ),
    ];
    (record, Verdict { outcome: Outcome::Acceptable, findings, figures: figures(1_805.0, 1) })
}

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    LostProbe { from_s: u64, to_s: u64 },
}

fn figures(hold_s: f64, holds_restarted: u32) -> Figures {
    Figures {
        come_up_s: Some(1_720.0),
        t58_to_floor_s: Some(581.0),
        above_58_s: Some(2_520.0),
        hold_s: Some(hold_s),
        holds_restarted,
        plateau_min_c: Some(62.871),
        plateau_max_c: Some(63.214),
        plateau_mean_c: Some(63.022),
        spread_max_c: Some(0.21),
        cool_to_10_s: Some(1_012.0),
        cycle_s: Some(4_538.0),
        equivalent_min: Some(46.93),
        z_c: 10.8,
        tref_c: 62.5,
        gap_max_s: Some(if holds_restarted > 0 { 90.0 } else { 1.0 }),
        samples: 4_500,
    }
}

/// Noise that is the same on every run: ± 0.03 °C from a multiplicative hash.
fn noise_c(t_s: u64, channel: u64) -> f64 {
    let mut mixed = (t_s * 9 + channel).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^= mixed >> 31;
    mixed = mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 40) as f64 / f64::from(1 << 24) * 0.06 - 0.03
}

fn bath_c(t_s: f64, cool_s: f64, trouble: Trouble) -> f64 {
    let (load, hold) = (COME_UP_S as f64, HOLD_S as f64);
    if t_s < LOAD_S as f64 {
        return 63.45 - 41.0 * (-t_s / 45.0).exp();
    }
    if t_s < cool_s {
        let after = (t_s - load).max(0.0);
        let dip = 14.0 * (after / 90.0) * (1.0 - after / 90.0).exp();
        let hot = if trouble == Trouble::None { 0.0 } else { 3.0 };
        let spell = hot * (-((t_s - 2_900.0) / 160.0).powi(2)).exp();
        let trim = 0.4 * (1.0 - (-(t_s - hold).max(0.0) / 200.0).exp());
        return 63.45 - dip - trim + spell;
    }
    4.6 + 58.4 * (-(t_s - cool_s) / 150.0).exp()
}

fn record(holds: &[(u64, u64)], trouble: Trouble) -> BatchRecord {
    let params = params();
    let cool_s = holds.last().map_or(0, |hold| hold.1);
    let end_s = cool_s + COOL_AFTER_HOLD_S;
    let unload_s = end_s - 45;
    let mut milk_c = [4.1, 4.3, 4.0, 4.4];
    // Time constants of four positions, seconds.
    let tau_s = [330.0, 345.0, 318.0, 300.0];
    let mut periods = Vec::new();
    for t_s in 0..=end_s {
        let bath = bath_c(t_s as f64, cool_s as f64, trouble);
        if t_s > COME_UP_S {
            for (milk, tau) in milk_c.iter_mut().zip(tau_s) {
                *milk += (bath - *milk) / tau;
            }
        }
        let phase = phase_at(t_s, holds, unload_s, end_s);
        periods.push(period(t_s, bath, &milk_c, phase, trouble));
    }
    let (pool, head_hash) = (Some(pool()), "9f2c".repeat(16));
    BatchRecord {
        header: header(cool_s + COOL_AFTER_HOLD_S),
        station: "Milk bank of the north".into(),
        time_zone: "Europe/Berlin".into(),
        texts: texts(&params),
        params,
        periods,
        entries: entries(holds, unload_s, end_s, trouble),
        actions: actions(end_s),
        remarks: vec![],
        pool,
        head_seq: 1_482,
        head_hash,
    }
}

fn phase_at(t_s: u64, holds: &[(u64, u64)], unload_s: u64, end_s: u64) -> PhaseName {
    let cool_s = holds.last().map_or(0, |hold| hold.1);
    match t_s {
        _ if t_s < LOAD_S => PhaseName::Preheat,
        _ if t_s < COME_UP_S => PhaseName::Load,
        _ if t_s >= end_s => PhaseName::Finished,
        _ if t_s >= unload_s => PhaseName::Unload,
        _ if t_s >= cool_s => PhaseName::Cool,
        _ if holds.iter().any(|hold| (hold.0..hold.1).contains(&t_s)) => PhaseName::Hold,
        _ => PhaseName::ComeUp,
    }
}

fn period(t_s: u64, bath_c: f64, milk_c: &[f64], phase: PhaseName, trouble: Trouble) -> Period {
    let sample = |degrees: f64, channel: u64| {
        let value = degrees + noise_c(t_s, channel);
        Celsius::from_f64((value * 100.0).round() / 100.0)
            .map_or(Sample::missing(Quality::Comm), Sample::good)
    };
    let mut milk = [None; MILK_PROBES_MAX];
    for (channel, (slot, degrees)) in (1..).zip(milk.iter_mut().zip(milk_c)) {
        *slot = Some(sample(*degrees, channel));
    }
    let lost =
        matches!(trouble, Trouble::LostProbe { from_s, to_s } if (from_s..to_s).contains(&t_s));
    if lost {
        milk[1] = Some(Sample::missing(Quality::SensorOpen));
    }
    let hold_mc = 63_050 + (t_s / 300 % 3) as i32 * 40;
    let heat = match phase {
        PhaseName::Preheat | PhaseName::Load | PhaseName::ComeUp => {
            Heat::Setpoint(Celsius::from_milli(63_500))
        }
        PhaseName::Hold => Heat::Setpoint(Celsius::from_milli(hold_mc)),
        PhaseName::Cool | PhaseName::Unload | PhaseName::Finished | PhaseName::Aborted => Heat::Off,
    };
    let reading = Reading {
        bath: sample(bath_c, 0),
        milk,
        reference: Some(sample(milk_c.first().copied().unwrap_or(0.0) + 0.02, 8)),
        lid: Some(Switch { on: Some(phase != PhaseName::Load), quality: Quality::Good }),
        simulated: true,
    };
    let command = Command { heat, agitator: true, cooling: phase == PhaseName::Cool };
    Period { at: Tick::from_ms(t_s * 1000), reading, command, phase }
}

fn header(end_s: u64) -> BatchHeader {
    BatchHeader {
        code: "B-2026-0001".into(),
        unit: "north-bath".into(),
        purpose: Purpose::Milk,
        simulated: true,
        recipe: "holder-hmbana".into(),
        pool: Some("P-2026-0007".into()),
        bottles: 48,
        bottle_ul: 130_000,
        operator: "łucja".into(),
        started_utc_ms: STARTED_UTC_MS,
        closed_utc_ms: Some(STARTED_UTC_MS + end_s as i64 * 1000),
        closing: Some(Closing::Ended),
        phase: PhaseName::Finished,
        engine_accepts: Some(true),
    }
}

fn probe(source: &str, number: &str) -> Probe {
    let offset = OffsetPoint { at: Celsius::from_milli(62_500), offset: Kelvin::from_milli(-30) };
    Probe {
        source: source.into(),
        resolution: Kelvin::from_milli(10),
        certificate: Certificate {
            number: number.into(),
            date: "2026-01-12".into(),
            due: "2026-07-12".into(),
            by: "DAkkS laboratory K-15080".into(),
            reference: "SPRT 5187, K-2025-118".into(),
            uncertainty: Kelvin::from_milli(100),
            offsets: vec![offset],
        },
    }
}

fn params() -> BatchParams {
    let text = profiles::recipe("holder-hmbana").expect("shipped");
    let milk = (1..=4).map(|n| probe(&format!("logger.ch{n}"), &format!("K-26-010{n}")));
    BatchParams {
        purpose: Purpose::Milk,
        unit: "north-bath".into(),
        simulated: true,
        recipe: Recipe::parse("holder-hmbana.toml", text).expect("shipped"),
        period_ms: 1_000,
        milk: milk.collect(),
        bath: probe("bath.pv", "K-26-0110"),
        reference: Some(probe("logger.ch6", "K-26-0111")),
        has_lid: true,
        margin: MARGIN_UNKNOWN,
        margin_measured: false,
        heater: Heater::Setpoint,
        cascade: Cascade::UNKNOWN,
    }
}

fn texts(params: &BatchParams) -> Vec<FrozenText> {
    let text = |kind: &str, name: &str, hash: &str, text: &str| FrozenText {
        kind: kind.into(),
        name: name.into(),
        sha256: hash.repeat(16),
        text: text.into(),
    };
    let recipe = profiles::recipe(&params.recipe.name).expect("shipped");
    vec![
        text("recipe", "holder-hmbana", "a1b2", recipe),
        text("unit", "north-bath", "c3d4", "name = \"north-bath\"\n"),
        text("profile", "eurotherm-3200", "e5f6", "name = \"eurotherm-3200\"\n"),
        text("profile", "icpdas-tm-th8", "0718", "name = \"icpdas-tm-th8\"\n"),
        text("certificate", "K-26-0101", "293a", "number = \"K-26-0101\"\n"),
    ]
}

fn pool() -> PoolRecord {
    let share = |n: u32, donor: &str, volume_ul| PoolShare {
        deposit: format!("D-2026-00{n}"),
        donor: donor.into(),
        volume_ul,
        expressed_on: format!("2026-01-{n:02}"),
    };
    PoolRecord {
        code: "P-2026-0007".into(),
        volume_ul: 6_240_000,
        shares: vec![
            share(11, "M-0041", 2_080_000),
            share(17, "M-0052", 2_600_000),
            share(23, "M-0067", 1_560_000),
        ],
    }
}

fn entries(holds: &[(u64, u64)], unload_s: u64, end_s: u64, trouble: Trouble) -> Vec<StampedEntry> {
    let mut events = vec![
        (0, PhaseName::Preheat, Cause::Started),
        (LOAD_S, PhaseName::Load, Cause::BathStable),
        (COME_UP_S, PhaseName::ComeUp, Cause::Loaded { bottles: 48 }),
    ];
    for (index, (from_s, to_s)) in holds.iter().enumerate() {
        events.push((*from_s, PhaseName::Hold, Cause::HoldBegun));
        if index + 1 < holds.len() {
            let held_ms = (to_s - from_s) * 1000;
            let cause = Cause::HoldBroken { by: HoldBreak::Gap, held_ms };
            events.push((*to_s, PhaseName::ComeUp, cause));
        } else {
            events.push((*to_s, PhaseName::Cool, Cause::HoldComplete));
        }
    }
    events.push((unload_s, PhaseName::Unload, Cause::Cooled));
    events.push((end_s, PhaseName::Finished, Cause::Unloaded { bottles: 48, loaded: 48 }));
    let mut events: Vec<(u64, Event)> = events
        .into_iter()
        .map(|(t_s, phase, cause)| (t_s, Event::Entered { phase, cause }))
        .collect();
    if let Trouble::LostProbe { from_s, to_s } = trouble {
        events.push((from_s + 3, Event::Raised { alarm: Alarm::MilkProbeLost, after: None }));
        events.push((to_s, Event::Cleared { alarm: Alarm::MilkProbeLost }));
        let (line, allowance) = (Celsius::from_milli(64_500), Kelvin::from_milli(300));
        events.push((3_100, Event::AboveCeiling { line, allowance }));
    }
    events.sort_by_key(|(t_s, _)| *t_s);
    events.into_iter().zip(1_300..).map(stamped).collect()
}

fn stamped(((t_s, event), seq): ((u64, Event), i64)) -> StampedEntry {
    let readings_mc = Snapshot {
        bath: Some(Celsius::from_milli(63_080)),
        coldest: Some(Celsius::from_milli(62_880)),
        hottest: Some(Celsius::from_milli(63_010)),
    };
    StampedEntry {
        seq,
        utc_ms: STARTED_UTC_MS + t_s as i64 * 1000,
        who: "engine".into(),
        entry: Entry { at: Tick::from_ms(t_s * 1000), event, readings_mc },
    }
}

fn actions(end_s: u64) -> Vec<StampedAction> {
    let action = |t_s: u64, action| StampedAction {
        tick_ms: t_s * 1000,
        utc_ms: STARTED_UTC_MS + t_s as i64 * 1000,
        who: "łucja".into(),
        action,
    };
    vec![
        action(COME_UP_S, Action::ConfirmLoad { bottles: 48 }),
        action(end_s, Action::ConfirmUnload { bottles: 48 }),
    ]
}

/// The good batch on a machine that is driven by power: it has no set point to show.
pub(crate) fn driven_by_power() -> (BatchRecord, Verdict) {
    let (mut record, verdict) = good();
    for period in &mut record.periods {
        if period.command.heats() {
            period.command.heat = Heat::Duty(Duty::from_share(0.3));
        }
    }
    (record, verdict)
}
