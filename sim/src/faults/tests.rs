use proptest::prelude::*;

use super::*;

fn refusal(text: &str) -> String {
    text.parse::<FaultSpec>().expect_err("refused").to_string()
}

#[test]
fn a_fault_is_written_as_its_name_and_its_settings() {
    let late: FaultSpec = "late:ms=800,unit=1,every=5".parse().expect("good");
    let kind = FaultKind::Late { ms: 800, ms_max: 800 };
    let expected =
        FaultSpec { unit_id: Some(1), often: Often::Every(5), ..FaultSpec::always(kind) };
    assert_eq!(late, expected);
    let unplug: FaultSpec = "unplug:from=60s,for=0.5s".parse().expect("good");
    let expected =
        FaultSpec { from_ms: 60_000, for_ms: Some(500), ..FaultSpec::always(FaultKind::Unplug) };
    assert_eq!(unplug, expected);
    let exception: FaultSpec = "exception:code=4,on=write,bus=line".parse().expect("good");
    assert_eq!(exception.asking, Asking::Writes);
    assert_eq!(exception.bus.as_deref(), Some("line"));
    assert_eq!(exception.kind, FaultKind::Exception { code: 4 });
}

#[test]
fn a_text_that_is_no_fault_is_refused_with_what_is_allowed() {
    assert!(refusal("lat:ms=3").contains("there are silence, late, slow"));
    assert!(refusal("late").contains("ms is missing: a number from 1 to 600000"));
    assert!(refusal("late:ms=zero").contains("1 to 600000, not \"zero\""));
    assert!(refusal("late:ms=0").contains("1 to 600000"));
    assert!(refusal("late:ms=5,to=4").contains("5 to 600000, not \"4\""));
    assert!(refusal("late:ms=5,bytes=3").contains("no setting \"bytes\"; it takes ms, to"));
    assert!(refusal("echo:on=both").contains("read or write"));
    assert!(refusal("echo:unit=1,unit=2").contains("given twice"));
    assert!(refusal("echo:every=2,chance=0.5").contains("exclude each other"));
    assert!(refusal("echo:chance=1.5").contains("0.000001 to 1"));
    assert!(refusal("unplug:for=-1s").contains("such as 5s"));
    assert!(refusal("noise:bytes=3,where=after").contains("before or inside"));
    assert!(refusal("exception:code=256").contains("1 to 255"));
}

#[test]
fn a_fault_is_due_from_its_beginning_to_before_its_end() {
    let fault: FaultSpec = "silence:from=2s,for=1s".parse().expect("good");
    assert_eq!([1999, 2000, 2999, 3000].map(|at| fault.is_due(at)), [false, true, true, false]);
    let ever: FaultSpec = "silence".parse().expect("good");
    assert!(ever.is_due(0) && ever.is_due(u64::MAX));
}

fn kinds() -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        Just(FaultKind::Silence),
        (1..=300_000_u32, 0..=300_000_u32)
            .prop_map(|(ms, more)| FaultKind::Late { ms, ms_max: ms + more }),
        (1..=600_000_u32).prop_map(|ms| FaultKind::Slow { ms }),
        (50..=921_600_u32).prop_map(|baud| FaultKind::SlowLine { baud }),
        (1..=260_u16).prop_map(|bytes| FaultKind::Short { bytes }),
        (1..=260_u16).prop_map(|bytes| FaultKind::Long { bytes }),
        Just(FaultKind::Duplicate),
        (1..=125_u8).prop_map(|words| FaultKind::Fewer { words }),
        (1..=125_u8).prop_map(|words| FaultKind::More { words }),
        Just(FaultKind::WrongUnit),
        Just(FaultKind::WrongFunction),
        Just(FaultKind::WrongAddress),
        Just(FaultKind::WrongTransaction),
        Just(FaultKind::BadCrc),
        (1..=255_u8).prop_map(|code| FaultKind::Exception { code }),
        Just(FaultKind::Echo),
        (1..=260_u16, any::<bool>()).prop_map(|(bytes, inside)| FaultKind::Noise { bytes, inside }),
        Just(FaultKind::Unplug),
    ]
}

prop_compose! {
    fn specs()(
        kind in kinds(),
        bus in proptest::option::of("[a-z][a-z0-9-]{0,9}"),
        unit_id in proptest::option::of(any::<u8>()),
        asking in prop_oneof![
            Just(Asking::Anything), Just(Asking::Reads), Just(Asking::Writes)
        ],
        often in prop_oneof![
            Just(Often::Always),
            (1..=1_000_000_u32).prop_map(Often::Every),
            (1..=1_000_000_u32).prop_map(|ppm| Often::Chance { ppm }),
        ],
        from_ms in 0..=86_400_000_u64,
        for_ms in proptest::option::of(0..=86_400_000_u64),
    ) -> FaultSpec {
        FaultSpec { kind, bus, unit_id, asking, often, from_ms, for_ms }
    }
}

proptest! {
    #[test]
    fn the_text_of_a_fault_parses_back_to_the_same_fault(spec in specs()) {
        let text = spec.to_string();
        prop_assert_eq!(text.parse::<FaultSpec>().expect("its own text"), spec, "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = text.parse::<FaultSpec>();
    }
}
