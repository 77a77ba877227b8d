use super::super::Store;
use super::super::fixture::{new, water_batch};
use super::super::journal::Hash;
use super::super::seal::InputRow;
use super::*;

fn reading() -> Reading {
    let mut reading = Reading::nothing(2, true);
    reading.bath = Sample::good(Celsius::from_milli(-1));
    reading.milk[1] = Some(Sample {
        raw: Some(Celsius::from_milli(62_500)),
        age_ms: u32::MAX,
        quality: Quality::Stale,
    });
    reading
}

fn full() -> Samples {
    let mut reading = reading();
    reading.milk = [reading.milk[1]; MILK_PROBES_MAX];
    reading.reference = Some(Sample::good(Celsius::from_milli(i32::MIN)));
    reading.lid = Some(Switch { on: Some(true), quality: Quality::Good });
    Samples::of(&reading, &Command::safe(false), PhaseName::Hold)
}

/// REQ-REC-01
#[test]
fn a_period_comes_back_exactly() {
    let off = Command::safe(true);
    let lids = [None, Some(None), Some(Some(true)), Some(Some(false))];
    let duty = Duty::from_permille(1000).expect("full power");
    let heats = [Heat::Off, Heat::Setpoint(Celsius::from_milli(0)), Heat::Duty(duty)];
    for (lid, heat) in lids.iter().flat_map(|lid| heats.map(|heat| (lid, heat))) {
        for (phase, quality) in PhaseName::ALL.into_iter().zip(Quality::ALL) {
            let reading = Reading {
                lid: lid.map(|on| Switch { on, quality }),
                reference: Some(Sample::missing(quality)),
                ..reading()
            };
            let command = Command { heat, ..off };
            let given = Period { at: Tick::from_ms(7), reading, command, phase };
            let row = Samples::of(&given.reading, &given.command, given.phase);
            assert_eq!(row.period(given.at).expect("complete"), given);
        }
    }
}

/// Puts these samples into the table as they are, as the input after the last.
fn insert(store: &Store, n: i64, samples: Samples) -> Result<(), StoreError> {
    let (kind, who, running) = ("reading", "station", [0; 32]);
    let (action, refused) = (None, None);
    let tick_ms = n * 1_000;
    InputRow { n, tick_ms, utc_ms: 0, kind, who, action, refused, samples, running }
        .insert(&store.db, 1)
}

/// REQ-REC-01
#[test]
fn every_probe_comes_back_from_the_table_in_its_own_column() {
    let (_dir, _path, mut store) = new();
    let code = store.begin_batch(&water_batch()).expect("begun");
    let probe = |raw: i32| Sample { age_ms: raw as u32, ..Sample::good(Celsius::from_milli(raw)) };
    for index in 0..MILK_PROBES_MAX {
        // Also with a hole before it, which no unit has: nothing is moved up.
        let mut reading = Reading::nothing(0, false);
        (reading.bath, reading.reference) = (probe(100), Some(probe(200)));
        reading.milk[index] = Some(probe(300));
        let n = i64::try_from(index).expect("small") + 1;
        let samples = Samples::of(&reading, &Command::safe(true), PhaseName::Cool);
        insert(&store, n, samples).expect("kept");
        let sql = format!(
            "SELECT bath_mc, bath_age_ms, milk_{n}_mc, milk_{n}_age_ms, reference_mc, \
             reference_age_ms FROM inputs WHERE n = {n}"
        );
        let read = |row: &rusqlite::Row<'_>| [0, 1, 2, 3, 4, 5].map(|at| row.get_unwrap(at));
        let stored: [i32; 6] = store.db.query_row(&sql, [], |row| Ok(read(row))).expect("there");
        assert_eq!(stored, [100, 100, 300, 300, 200, 200]);
        let periods = store.load_batch(&code).expect("read").periods;
        assert_eq!(periods.len(), index + 1, "none is left out where the rare columns begin");
        let last = periods.last().expect("there");
        assert_eq!((last.reading, last.command.cooling), (reading, true));
    }
}

#[test]
fn the_names_are_those_of_the_schema_in_its_order() {
    let (_dir, _path, store) = new();
    let mut select = store.db.prepare("SELECT name FROM pragma_table_info('inputs')").expect("sql");
    let names = select.query_map([], |row| row.get(0)).expect("a schema");
    let names: Vec<String> = names.collect::<Result<_, _>>().expect("text");
    let (before, samples) = names.split_at(8);
    let batch = ["batch", "n", "tick_ms", "utc_ms", "kind", "who", "action", "refused"];
    assert_eq!(before, batch);
    assert_eq!(samples[..COLUMNS], NAMES);
    assert_eq!(samples[COLUMNS..], ["running"]);
    for (column, name) in [
        (PHASE, "phase"),
        (BATH, "bath_mc"),
        (MILK, "milk_1_mc"),
        (MILK + 7 * PROBE_COLUMNS, "milk_8_mc"),
        (REFERENCE, "reference_mc"),
        (LID, "lid"),
        (SIMULATED, "simulated"),
        (HEAT, "heat"),
        (SETPOINT, "setpoint_mc"),
        (DUTY, "duty_permille"),
        (AGITATOR, "agitator"),
        (COOLING, "cooling"),
    ] {
        assert_eq!(NAMES[column], name);
    }
}

/// What no reading can be, by column.
fn absurd() -> Vec<(usize, Option<i64>)> {
    let mut absurd = vec![(PHASE, Some(8)), (HEAT, Some(3)), (HEAT, Some(1)), (HEAT, Some(2))];
    absurd.extend([(SETPOINT, Some(1)), (DUTY, Some(1)), (LID + 1, None), (LID, Some(2))]);
    for flag in [SIMULATED, AGITATOR, COOLING] {
        absurd.push((flag, Some(2)));
    }
    for needed in [PHASE, BATH + 1, BATH + 2, SIMULATED, HEAT, AGITATOR, COOLING] {
        absurd.extend([(needed, None), (needed, Some(-1))]);
    }
    for probe in (MILK..=REFERENCE).step_by(PROBE_COLUMNS) {
        absurd.extend([(probe + 1, None), (probe + 1, Some(-1))]);
        absurd.extend([(probe + 2, None), (probe + 2, Some(-1)), (probe + 2, Some(6))]);
    }
    absurd
}

#[test]
fn a_row_with_something_missing_or_absurd_is_not_guessed() {
    for (column, value) in absurd() {
        let mut row = full();
        row.0[column] = value;
        assert!(row.period(Tick::default()).is_err(), "{} {value:?}", NAMES[column]);
    }
    // A value of a probe that is not there; a number that is none of ours.
    let none = Samples::of(&Reading::nothing(0, false), &Command::safe(false), PhaseName::Hold);
    for column in (MILK..=LID).step_by(PROBE_COLUMNS) {
        let mut row = none;
        row.0[column] = Some(1);
        assert!(row.period(Tick::default()).is_err(), "{}", NAMES[column]);
    }
    for column in [BATH, BATH + 1, MILK, REFERENCE] {
        for value in [i64::MAX, i64::MIN] {
            let mut row = full();
            row.0[column] = Some(value);
            assert!(row.period(Tick::default()).is_err(), "{} {value}", NAMES[column]);
        }
    }
}

#[test]
fn the_table_refuses_what_is_missing_or_absurd() {
    let (_dir, _path, mut store) = new();
    store.begin_batch(&water_batch()).expect("begun");
    store.verify(None).expect("verifies, and the table is as strict as before");
    insert(&store, 1, full()).expect("a row like any other");
    for (column, value) in absurd() {
        let mut row = full();
        row.0[column] = value;
        assert!(insert(&store, 2, row).is_err(), "{} {value:?}", NAMES[column]);
    }
    let none = Samples::of(&Reading::nothing(0, false), &Command::safe(false), PhaseName::Hold);
    for column in (MILK..=LID).step_by(PROBE_COLUMNS) {
        let mut row = none;
        row.0[column] = Some(1);
        assert!(insert(&store, 2, row).is_err(), "{}", NAMES[column]);
    }
    // An input that is no reading has none of it, and no reading is without.
    insert(&store, 2, Samples::NONE).expect_err("a reading of nothing");
    let (kind, who, running) = ("wake", "station", [0; 32]);
    let (action, refused, samples) = (None, None, Samples::NONE);
    let wake =
        InputRow { n: 2, tick_ms: 2, utc_ms: 0, kind, who, action, refused, samples, running };
    for (column, name) in NAMES.into_iter().enumerate() {
        let mut samples = Samples::NONE;
        samples.0[column] = Some(1);
        let kept = InputRow { samples, ..wake }.insert(&store.db, 1);
        assert!(kept.is_err(), "{name}");
    }
    wake.insert(&store.db, 1).expect("kept");
}

/// REQ-REC-02
#[test]
fn every_column_shows_in_the_hash_and_nothing_is_not_zero() {
    let hash = |row: &Samples| -> Hash {
        let mut canon = Canon::new("test");
        row.hash(&mut canon);
        canon.finish()
    };
    let mut seen = std::collections::BTreeSet::from([hash(&full())]);
    let mut rows = 1;
    for column in 0..COLUMNS {
        for value in [None, Some(-1), Some(0), Some(1), Some(i64::MAX)] {
            let mut row = full();
            row.0[column] = value;
            rows += usize::from(row != full());
            seen.insert(hash(&row));
        }
    }
    assert_eq!(seen.len(), rows, "two rows with one hash");
}
