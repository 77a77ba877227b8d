//! A record's export judges to the record's verdict; a bad file says where and why.

use holder_hal::{Celsius, Quality, Sample};
use proptest::prelude::*;

use super::*;
use crate::batch::event::{Cause, Event};
use crate::batch::judge::judge;
use crate::batch::phase::PhaseName;
use crate::batch::recipe::Recipe;
use crate::batch::verdict::{Outcome, Rule};
use crate::profiles;
use crate::record::curve::curve;
use crate::record::fixture;
use crate::record::judgement::Judgement;
use crate::store::model::BatchRecord;

const FOREIGN: Options = Options { uncertainty: None, margin: None, max_gap_foreign_ms: 90_000 };

fn recipe_text() -> &'static str {
    profiles::recipe("holder-hmbana").expect("shipped")
}

/// The verdict of this program on a record.
fn now(record: &BatchRecord) -> Judgement {
    Judgement::now(judge(&record.params.recipe, &curve(record)))
}

fn export(record: &BatchRecord) -> String {
    let mut out = Vec::new();
    write(record, &now(record), recipe_text(), &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("UTF-8")
}

fn read_text(text: &str) -> Result<ReadCurve, CsvError> {
    read("logger.csv", text.as_bytes(), &FOREIGN)
}

fn refused(text: &str) -> String {
    read_text(text).expect_err("refused").to_string()
}

/// The changed lines of an export with a last line that fits them again.
fn sealed(text: &str) -> String {
    let lines = text.split_inclusive('\n').filter(|line| !line.starts_with(seal::MARK));
    let lines: String = lines.collect();
    format!("{lines}{}{}\n", seal::MARK, seal::digest(&lines))
}

fn recipe() -> Recipe {
    Recipe::parse("holder-hmbana", recipe_text()).expect("shipped")
}

/// The good batch; cut at this second, in this phase, if it was interrupted.
fn interrupted(at_s: u64, phase: PhaseName) -> BatchRecord {
    let mut record = fixture::good().0;
    record.periods.retain(|period| period.at.ms() <= at_s * 1_000);
    record.entries.retain(|stamped| stamped.entry.at.ms() <= at_s * 1_000);
    record.header.phase = phase;
    record.header.engine_accepts = None;
    record
}

#[test]
fn an_export_judges_to_the_verdict_of_its_record() {
    let mut stopped = interrupted(2_500, PhaseName::Aborted);
    stopped.params.reference = None;
    let mut lidless = fixture::good().0;
    lidless.params.has_lid = false;
    let mut refused = fixture::good().0;
    refused.header.engine_accepts = Some(false);
    assert_eq!(curve(&fixture::troubled().0).engine_holds_broken, Some(1));
    let mut miscounted = fixture::troubled().0;
    miscounted.entries.retain(|stamped| {
        let text = crate::batch::words::sentence(&stamped.entry.event);
        !text.contains("The hold was broken")
    });
    let found = judge(&miscounted.params.recipe, &curve(&miscounted));
    assert!(found.findings.iter().any(|f| f.rule == Rule::Disputed), "{:?}", found.findings);
    let counted = |bottles: u16| {
        let mut record = fixture::good().0;
        let last = record.entries.last_mut().expect("finished");
        let mut first = last.clone();
        first.entry.event = Event::CountDiffers { loaded: 48, counted: 50 };
        let cause = Cause::Unloaded { bottles, loaded: 48 };
        last.entry.event = Event::Entered { phase: PhaseName::Finished, cause };
        record.entries.insert(record.entries.len() - 1, first);
        record.header.engine_accepts = Some(bottles <= 48);
        assert_eq!(
            (curve(&record).bottles_in, curve(&record).counts_out),
            (Some(48), vec![50, bottles])
        );
        record
    };
    let records = [
        (counted(50), Outcome::Unacceptable),
        (counted(48), Outcome::Acceptable),
        (counted(47), Outcome::Acceptable),
        (miscounted, Outcome::Unacceptable),
        (fixture::good().0, Outcome::Acceptable),
        (fixture::troubled().0, Outcome::Acceptable),
        (fixture::driven_by_power().0, Outcome::Acceptable),
        (lidless, Outcome::Acceptable),
        (refused, Outcome::Unacceptable),
        (stopped, Outcome::Unacceptable),
        (interrupted(100, PhaseName::Preheat), Outcome::Incomplete),
        (interrupted(2_500, PhaseName::Hold), Outcome::Incomplete),
    ];
    for (record, outcome) in records {
        let read = read_text(&export(&record)).expect("our own export");
        let direct = judge(&record.params.recipe, &curve(&record));
        assert_eq!(judge(&record.params.recipe, &read.curve), direct);
        assert_eq!(direct.outcome, outcome, "{:?}", direct.findings);
        assert_eq!(read.curve, curve(&record), "to the last value");
    }
}

#[test]
fn an_export_carries_its_recipe_to_the_byte() {
    let (record, text) = (fixture::good().0, format!("{}# no line end: °", recipe_text()));
    let mut out = Vec::new();
    write(&record, &now(&record), &text, &mut out).expect("memory takes everything");
    let origin = read("x.csv", &out, &FOREIGN).expect("ours").origin.expect("ours");
    assert_eq!(origin.recipe_text, text);
    assert_eq!((origin.batch.as_str(), origin.simulated), ("B-2026-0001", true));
    let windows = String::from_utf8(out).expect("UTF-8").replace('\n', "\r\n");
    assert_eq!(read_text(&windows).expect("ours").origin.expect("ours"), origin);
}

#[test]
fn another_recipe_by_a_shipped_name_is_noticed() {
    let borrows = |text: String| {
        let record = fixture::good().0;
        let mut out = Vec::new();
        write(&record, &now(&record), &text, &mut out).expect("memory takes everything");
        let origin = read("x.csv", &out, &FOREIGN).expect("ours").origin.expect("ours");
        origin.borrows_shipped_name()
    };
    assert!(!borrows(recipe_text().to_owned()));
    assert!(borrows(recipe_text().replace("cooling.fail_min", "cooling.never")));
}

#[test]
fn a_changed_recipe_or_added_rows_are_refused() {
    let text = export(&fixture::good().0);
    let laxer = text.replace("# | floor_c = 62.5", "# | floor_c = 60.5");
    assert!(refused(&sealed(&laxer)).contains("the recipe in this file is not the frozen one"));
    let more = text.replace("# rows = ", "# rows = 1 #").replace("1 #", "1\n# x = ");
    assert!(refused(&sealed(&more)).contains("rows were added"));
    let twice = text.replace("# margin_c", "# margin_c = 0.000\n# margin_c");
    assert!(refused(&sealed(&twice)).contains("this key is there twice"));
    let without = text.replace("# margin_c", "# margin");
    assert!(refused(&sealed(&without)).contains("lacks `# margin_c"));
}

#[test]
fn a_preamble_that_contradicts_its_recipe_is_refused() {
    let text = export(&fixture::good().0);
    for (key, from, to) in [
        ("max_gap_s", "# max_gap_s = 10.000", "# max_gap_s = 600.000"),
        ("floor_c", "# floor_c = 62.500", "# floor_c = 60.500"),
        ("hold_s", "# hold_s = 1800.000", "# hold_s = 180.000"),
        ("recipe", "# recipe = holder-hmbana", "# recipe = holder-france"),
    ] {
        assert!(text.contains(from), "{from}");
        let message = refused(&sealed(&text.replace(from, to)));
        assert!(message.contains(&format!("column `{key}`")), "{message}");
        assert!(message.contains("the recipe in this file says"), "{message}");
    }
}

#[test]
fn an_export_whose_lines_were_changed_is_refused_with_both_hashes() {
    let text = export(&fixture::good().0);
    let last = text.lines().last().expect("a line");
    let told = last.strip_prefix(seal::MARK).expect("the last line is the hash");
    for (from, to) in [("3000.000,", "3000.001,"), ("# margin_c = 0.200", "# margin_c = 0.000")] {
        let changed = text.replacen(from, to, 1);
        let found = seal::digest(changed.strip_suffix(&format!("{last}\n")).expect("it is there"));
        let message = refused(&changed);
        assert!(message.contains(told) && message.contains(&found), "{message}");
    }
    let blank_lines = format!("{text}\n\n");
    assert!(read_text(&blank_lines).is_ok(), "blank lines after the last one are no change");
}

#[test]
fn an_export_without_a_column_that_it_must_have_is_refused_by_its_name() {
    let text = export(&fixture::good().0);
    for name in ["lid", "q_milk_1", "q_milk_4", "reference", "q_reference"] {
        let other = text.replacen(&format!(",{name},"), ",other,", 1);
        let message = refused(&sealed(&other));
        assert!(message.contains(&format!("column `{name}` is missing")), "{message}");
    }
    let mut record = fixture::good().0;
    record.params.has_lid = false;
    record.params.reference = None;
    assert!(read_text(&export(&record)).is_ok(), "what the unit has not is not missing");
}

#[test]
fn the_reference_counts_only_where_its_quality_is_good() {
    let text = "t_s,milk_1,reference,q_reference\n0,62.9,62.9,good\n1,62.9,62.9,stale\n";
    let rows = read_text(text).expect("a curve").curve.rows;
    assert_eq!(rows[0].reference, Some(Celsius::from_milli(62_900)));
    assert_eq!(rows[1].reference, None);
}

#[test]
fn more_bytes_than_a_curve_has_are_refused() {
    let error = read("zero", &vec![0; BYTES_MAX + 1], &FOREIGN).expect_err("refused").to_string();
    assert!(error.contains("more than 64 MiB"), "{error}");
}

#[test]
fn an_export_that_was_cut_off_is_never_acceptable() {
    let text = export(&fixture::good().0);
    let lines = text.lines().count();
    for keep in [lines - 1, lines - 900, lines / 2] {
        let cut: Vec<&str> = text.lines().take(keep).collect();
        let cut = cut.join("\n") + "\n";
        // Without its last line, and with one that was written anew over fewer rows.
        for left in [Some(cut.clone()), (keep < lines - 1).then(|| sealed(&cut))] {
            let Some(left) = left else { continue };
            let read = read_text(&left).expect("whole lines");
            assert!(read.curve.cut_off);
            let found = judge(&recipe(), &read.curve);
            assert_eq!(found.outcome, Outcome::Incomplete);
            assert!(found.findings.iter().any(|f| f.rule == Rule::Record));
        }
    }
    assert!(refused(&text[..text.len() - 40]).contains("lines were changed"));
    let torn_row = read_text(&text[..text.len() - 140]).expect("its last row is left out");
    assert!(torn_row.curve.cut_off);
    let torn = read_text("t_s,milk_1\n0,62.9\n1");
    assert!(torn.expect("a torn last line is left out").curve.cut_off);
}

#[test]
fn our_own_export_is_not_judged_by_anybody_else_s_uncertainty() {
    let options = Options { margin: Some(Kelvin::ZERO), ..FOREIGN };
    let error = read("own.csv", export(&fixture::good().0).as_bytes(), &options);
    assert!(error.expect_err("refused").to_string().contains("--margin-c"));
}

#[test]
fn a_value_whose_quality_is_not_good_never_counts() {
    let text = "t_s,milk_1,q_milk_1\n0,62.9,good\n1,62.9,stale\n2,62.9,\n";
    let rows = read_text(text).expect("a curve").curve.rows;
    let milk: Vec<_> = rows.iter().map(|row| row.milk[0]).collect();
    assert_eq!(milk, [Some(Celsius::from_milli(62_900)), None, None]);
}

#[test]
fn what_was_not_good_is_in_the_export_but_not_as_a_corrected_value() {
    let mut record = fixture::good().0;
    let stale = Sample { quality: Quality::Stale, ..Sample::good(Celsius::from_milli(62_900)) };
    record.periods[3_000].reading.milk[1] = Some(stale);
    let text = export(&record);
    let line = text.lines().find(|line| line.starts_with("3000.000,")).expect("the row");
    assert!(line.contains("stale") && line.contains("62.900"), "{line}");
    assert_eq!(read_text(&text).expect("ours").curve.rows[3_000].milk[1], None);
}

#[test]
fn a_foreign_file_is_read_with_its_stamps_gaps_switches_and_units() {
    let text = "\u{feff}# from a logger\nTime, Milk A (°C) ,milk_b_c,bath,Lid,ignored\n\
                2026-03-14T08:12:00+01:00,62.51,,63.4,closed,x\n\
                2026-03-14T07:13:00.5Z,62.5,61,63.4,open,\n";
    let options = Options {
        uncertainty: Some(Kelvin::from_milli(100)),
        margin: Some(Kelvin::from_milli(50)),
        ..FOREIGN
    };
    let read = read("logger.csv", text.as_bytes(), &options).expect("a curve");
    assert_eq!(read.origin, None);
    let curve = read.curve;
    assert_eq!(curve.milk_uncertainty, [Kelvin::from_milli(100); 2]);
    assert_eq!((curve.margin, curve.max_gap_ms), (Kelvin::from_milli(50), 90_000));
    assert!(curve.has_lid && !curve.has_reference && !curve.own_record && !curve.cut_off);
    let times: Vec<u64> = curve.rows.iter().map(|row| row.t_ms).collect();
    assert_eq!(times, [0, 60_500]);
    assert_eq!(curve.rows[0].milk[..2], [Some(Celsius::from_milli(62_510)), None]);
    assert_eq!((curve.rows[0].lid, curve.rows[1].lid), (Some(true), Some(false)));
}

#[test]
fn a_file_without_rows_is_an_incomplete_curve_and_no_error() {
    for text in ["", "\n\n", "# only a comment\n", "t_s,milk_1\n"] {
        let read = read_text(text).expect("an empty curve");
        assert_eq!(judge(&recipe(), &read.curve).outcome, Outcome::Incomplete, "{text:?}");
    }
}

#[test]
fn a_bad_cell_is_named_with_file_line_column_value_and_rule() {
    let text = "# x\nt_s,milk_1\n0,62.5\n\n1,warm\n";
    let message = "logger.csv:5: column `milk_1`, value `warm`: must be a number in °C; leave the \
                   cell empty where there is no reading";
    assert_eq!(refused(text), message);
    assert_eq!(refused(&text.replace('\n', "\r\n")), message);
}

#[test]
fn what_is_not_a_curve_in_celsius_is_refused_with_the_reason() {
    let with_cell = |cell: &str| format!("t_s,milk_1,lid,phase\n0,{cell},closed,hold\n");
    for (text, reason) in [
        (with_cell("NaN"), "must be a number"),
        (with_cell("inf"), "must be a number"),
        (with_cell("-inf"), "must be a number"),
        (with_cell("1e300"), "must be a number"),
        (with_cell("\"62,5\""), "decimal point, not a comma"),
        (with_cell("144.5"), "is it in °F"),
        (with_cell("-127"), "a logger's mark for no reading"),
        ("t_s,milk_1,lid\n0,4,ajar\n".into(), "must be `closed` or `open`"),
        ("t_s,milk_1,phase\n0,4,boil\n".into(), "must be preheat, load"),
        ("t_s,milk_f\n0,4\n".into(), "is in °F"),
        ("t_s,milk_1 (°F)\n0,4\n".into(), "is in °F"),
        ("t_s,milk_1,bath_degf\n0,4,4\n".into(), "is in °F"),
        ("t_s,milk_1 [K]\n0,4\n".into(), "is in kelvin"),
        ("t_s,bath\n0,4\n".into(), "no column starts with `milk`"),
        ("milk_1,bath\n4,4\n".into(), "no column `t_s`"),
        ("t_s,milk_1,milk_1\n0,4,4\n".into(), "two columns are named `milk_1`"),
        ("t_s,milk_1,milk_1_c\n0,4,4\n".into(), "two columns are named `milk_1`"),
        ("t_s,milk,T_s\n0,4,0\n".into(), "two columns are named `t_s`"),
        ("t_s,m,milk1,milk2,milk3,milk4,milk5,milk6,milk7,milk8,milk9\n".into(), "9 milk columns"),
        ("t_s;milk_1\n0;62,5\n".into(), "parted by semicolons"),
        ("t_s\tmilk_1\n0\t62.5\n".into(), "parted by tabs"),
        ("t_s,milk_1\n5,4\n4,4\n".into(), "goes back from 5 s"),
        ("t_s,milk_1\n5,4\n5.0001,4\n".into(), "repeats 5 s"),
        ("t_s,milk_1\n-1,4\n".into(), "must be seconds"),
        ("t_s,milk_1\nnan,4\n".into(), "must be seconds"),
        ("t_s,milk_1\n,4\n".into(), "must be seconds"),
        ("t_s,milk_1\n0,4,5\n1,4\n".into(), "3 fields, but the header has 2"),
        ("time,milk_1\n2026-03-14 08:12,4\n".into(), "must be RFC 3339"),
        ("time,milk_1\n2026-03-14T08:12:00Z,4\n2026-03-14T08:11:00Z,4\n".into(), "before"),
        ("# holder = 2\nt_s,milk_1\n".into(), "this program reads format 1"),
    ] {
        let message = refused(&text);
        assert!(message.contains(reason), "{text:?}: {message}");
        assert!(message.starts_with("logger.csv:"), "{message}");
    }
}

#[test]
fn what_is_not_utf_8_is_named_with_its_line() {
    let error = read("latin.csv", b"t_s,milk_1\n0,4\n1,\xb0\n", &FOREIGN).expect_err("refused");
    assert_eq!(error.to_string(), "latin.csv:3: this is not UTF-8: save the file as CSV in UTF-8");
}

#[test]
fn an_uncertainty_below_zero_is_refused() {
    let options = Options { uncertainty: Some(Kelvin::from_milli(-1)), ..FOREIGN };
    let error = read("x.csv", b"t_s,milk_1\n0,4\n", &options).expect_err("refused").to_string();
    assert!(error.contains("--uncertainty-c -0.001"), "{error}");
}

#[test]
fn more_probes_than_the_preamble_tells_are_refused() {
    let text = export(&fixture::good().0);
    let fewer = text.replace("uncertainty_c = 0.100, ", "uncertainty_c = ");
    assert!(refused(&sealed(&fewer)).contains("4 milk columns, but the preamble tells 3 probes"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(read) = read("fuzz.csv", &bytes, &FOREIGN) {
            prop_assert_ne!(judge(&recipe(), &read.curve).outcome, Outcome::Acceptable);
        }
    }

    #[test]
    fn no_damage_to_an_export_makes_the_reader_panic(
        harm in proptest::collection::vec((0..4_000_usize, any::<u8>()), 1..6),
        keep in 0..4_000_usize,
    ) {
        let mut bytes = export(&interrupted(3, PhaseName::Preheat)).into_bytes();
        for (at, byte) in harm {
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
        }
        bytes.truncate(keep.max(200));
        // The last line fits, so that the harm reaches what comes after it.
        let bytes = sealed(&String::from_utf8_lossy(&bytes)).into_bytes();
        if let Ok(read) = read("fuzz.csv", &bytes, &FOREIGN) {
            prop_assert_ne!(judge(&recipe(), &read.curve).outcome, Outcome::Acceptable);
        }
    }
}
