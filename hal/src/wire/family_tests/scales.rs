//! Scales that stand in the device: how many decimals a value has.

use super::*;

/// An Autonics in STOP at 62.5 °C, with as many decimals as said.
pub(super) async fn autonics(decimals: u16, pv: u16) -> Bench {
    let memory = Memory::with(&[
        (4, 1000, pv),
        (4, 1001, decimals),
        (4, 1002, 0),
        (4, 1003, 0),
        (4, 1004, 0),
        (3, 0, 0),
        (3, 3, 0),
        (3, 50, 1),
    ]);
    let points = ["pv", "setpoint", "run"];
    Bench::new(("autonics-tk.toml", AUTONICS), points, memory, |_, _| None).await
}

#[tokio::test]
async fn a_scale_is_read_in_one_block_with_the_value_and_writes_use_it() {
    for (decimals, pv, setpoint) in [(1, 625, 630), (2, 6250, 6300)] {
        let bench = autonics(decimals, pv).await;
        let mut unit = bench.unit().await;
        bench.reads.lock().unwrap().clear();
        assert_eq!(ageless(unit.read().await).bath, good(62_500));
        assert!(bench.reads.lock().unwrap().contains(&(4, 1000, 2)));
        unit.write(&heat(63_000)).await.unwrap();
        assert_eq!(writes(&bench.memory), [(6, 0, setpoint), (6, 50, 0)]);
    }
}

#[tokio::test]
async fn a_device_with_too_few_decimals_is_refused_by_name() {
    let bench = autonics(0, 62).await;
    let error = WiredUnit::connect(bench.spec.clone()).await.unwrap_err().to_string();
    let place = format!("ctl ({}, unit id 1), decimals: is 0 (0x0000): ", bench.fake.url());
    assert!(error.starts_with(&place), "{error}");
    assert!(error.contains("coarser than 0.1 °C") && error.contains("one decimal"), "{error}");
    let lines = WiredUnit::check(bench.spec.clone()).await;
    let bad = lines.iter().find(|line| line.point.as_deref() == Some("decimals")).unwrap();
    assert_eq!((bad.grade, bad.text.contains("coarser than 0.1 °C")), (Grade::Bad, true));
}

#[tokio::test]
async fn decimals_that_change_while_it_runs_spoil_one_reading_and_never_give_a_wrong_one() {
    let bench = autonics(1, 625).await;
    let mut unit = bench.unit().await;
    unit.read().await;
    bench.set(4, 1001, 2);
    bench.set(4, 1000, 6250);
    let spoilt = unit.read().await.bath;
    assert_eq!((spoilt.raw, spoilt.quality), (None, Quality::Stale));
    assert_eq!(ageless(unit.read().await).bath, good(62_500));
    bench.set(4, 1001, 0);
    unit.read().await;
    let coarse = unit.read().await.bath;
    assert_eq!((coarse.raw, coarse.quality), (None, Quality::OutOfRange));
}

#[tokio::test]
async fn a_value_whose_scale_cannot_be_read_is_missing_and_nothing_is_guessed() {
    let bench = omron().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    bench.memory.lock().unwrap().cells.remove(&(3, 0x2410));
    let bath = unit.read().await.bath;
    assert_eq!((bath.raw, bath.quality), (None, Quality::Comm));
    let error = unit.write(&heat(63_000)).await.unwrap_err().to_string();
    assert!(error.contains("decimals: the device refused with exception 0x02"), "{error}");
    assert_eq!(writes(&bench.memory), [], "and the heater stays off");
}

#[tokio::test]
async fn decimals_that_stand_before_the_values_are_still_read_after_them() {
    let text = OMRON.replace("address = 0x2410", "address = 0x0010");
    let mut memory = omron().await.memory.lock().unwrap().cells.clone();
    memory.insert((3, 0x0010), 1);
    let memory = Memory { cells: memory, ..Memory::default() };
    let points = ["pv", "setpoint", "run"];
    let bench = Bench::new(("omron-e5cc.toml", &text), points, memory, |_, _| None).await;
    let mut unit = bench.unit().await;
    bench.reads.lock().unwrap().clear();
    assert_eq!(ageless(unit.read().await).bath, good(62_500));
    let reads = bench.reads.lock().unwrap().clone();
    assert_eq!(reads.last(), Some(&(3, 0x0010, 1)), "{reads:?}");
}
