//! A curve from anybody's logger is judged.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::rig::Desk;

/// A good run at one reading in 10 s: 20 min up, `hold_min` at `hold_c`, 15 min down.
fn curve(hold_c: f64, hold_min: u32) -> String {
    let mut csv = String::from("t_s,milk_1,milk_2\n");
    let mut row = |t_s: u32, celsius: f64| {
        writeln!(csv, "{t_s},{celsius:.2},{:.2}", celsius + 0.1).expect("a string")
    };
    let (up_s, hold_s, down_s) = (1200, hold_min * 60, 900);
    for t_s in (0..up_s).step_by(10) {
        row(t_s, 5.0 + (hold_c - 5.0) * f64::from(t_s) / f64::from(up_s));
    }
    for t_s in (up_s..up_s + hold_s).step_by(10) {
        row(t_s, hold_c);
    }
    for t_s in (0..=down_s).step_by(10) {
        row(up_s + hold_s + t_s, hold_c - (hold_c - 4.0) * f64::from(t_s) / f64::from(down_s));
    }
    csv
}

fn judged(desk: &Desk, csv: &str, options: &str, code: i32) -> serde_json::Value {
    desk.write("logger.csv", csv);
    desk.run(&format!("judge logger.csv --json {options}")).expect_code(code).json()
}

#[test]
fn a_good_curve_is_acceptable_and_said_to_be_judged_as_read() {
    let desk = Desk::empty();
    let verdict = judged(&desk, &curve(62.9, 32), "", 0);
    assert_eq!(verdict["outcome"], "acceptable", "{verdict:#}");
    assert!(verdict["figures"]["hold_s"].as_f64().expect("a figure") >= 1800.0);
    let findings = verdict["findings"].as_array().expect("findings");
    assert!(findings.iter().any(|finding| finding["rule"] == "judged"), "{verdict:#}");
    let shown = desk.run("judge logger.csv --recipe holder-france").expect_code(0).stdout;
    assert!(shown.starts_with("verdict: acceptable"), "{shown}");
}

#[test]
fn uncertainty_and_margin_raise_the_limit() {
    let desk = Desk::empty();
    let csv = curve(62.6, 32);
    judged(&desk, &csv, "", 0);
    let verdict = judged(&desk, &csv, "--uncertainty-c 0.1 --margin-c 0.2", 3);
    assert_ne!(verdict["outcome"], "acceptable");
}

#[test]
fn a_hold_that_is_too_cold_or_too_short_is_not_acceptable() {
    let desk = Desk::empty();
    for csv in [curve(62.4, 45), curve(62.9, 28)] {
        let verdict = judged(&desk, &csv, "", 3);
        assert_eq!(verdict["outcome"], "unacceptable", "{verdict:#}");
    }
    let answer = desk.run("judge logger.csv").expect_code(3);
    assert!(answer.stderr.contains("unacceptable"), "{}", answer.stderr);
}

#[test]
fn a_curve_that_lacks_something_is_never_acceptable() {
    let good = curve(62.9, 32);
    let head = "t_s,milk_1,milk_2\n";
    let half: String = good.lines().take(200).map(|line| format!("{line}\n")).collect();
    let torn: String = good.chars().take(good.len() * 3 / 4).collect();
    let holes: String = good
        .lines()
        .enumerate()
        .filter(|(index, _)| *index < 150 || *index % 40 < 25)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    let blank: String = good
        .lines()
        .enumerate()
        .map(|(index, line)| match line.split_once(',') {
            Some((t_s, _)) if index > 130 => format!("{t_s},,\n"),
            Some(_) | None => format!("{line}\n"),
        })
        .collect();
    let never_loaded = "t_s,bath\n0,62.9\n10,62.9\n".to_owned();
    let cases = [head.to_owned(), half, holes, blank, never_loaded, torn, String::new()];
    for csv in cases {
        let desk = Desk::empty();
        desk.write("logger.csv", &csv);
        let answer = desk.run("judge logger.csv --json");
        assert!(matches!(answer.code, 1 | 3), "code {}: {}", answer.code, answer.stdout);
        assert!(!answer.stdout.contains("\"outcome\": \"acceptable\""), "{}", answer.stdout);
        assert!(!answer.stderr.is_empty());
    }
}

#[test]
fn what_is_no_curve_is_refused_with_line_and_column() {
    let good = curve(62.9, 32);
    let spoil = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} is not in it");
        good.replacen(from, to, 1)
    };
    let cases: [(String, &[&str]); 5] = [
        (spoil("\n1500,62.90", "\n1500,warm"), &["152", "milk_1", "warm"]),
        (spoil("\n1500,62.90", "\n1500,NaN"), &["152", "milk_1", "NaN"]),
        (spoil("\n1500,", "\n1400,"), &["152", "t_s"]),
        (spoil("\n1500,", "\n-1500,"), &["152", "t_s"]),
        (spoil("t_s,", "minutes,"), &["t_s"]),
    ];
    for (csv, words) in cases {
        let desk = Desk::empty();
        desk.write("logger.csv", &csv);
        let mut words = words.to_vec();
        words.push("logger.csv");
        desk.run("judge logger.csv").expect_refusal(&words);
    }
}

#[test]
fn a_file_or_recipe_that_is_not_there_is_named() {
    let desk = Desk::empty();
    desk.run("judge nowhere.csv").expect_refusal(&["nowhere.csv"]);
    desk.write("logger.csv", &curve(62.9, 32));
    desk.run("judge logger.csv --recipe holder-hmban").expect_refusal(&["holder-hmbana"]);
    desk.run("judge logger.csv --uncertainty-c nan").expect_code(2);
    for flag in ["--margin-c", "--uncertainty-c"] {
        let answer = desk.run(&format!("judge logger.csv {flag} -0.1")).expect_code(2);
        let reason = "\"-0.1\" is no difference from 0 to 10 °C";
        assert!(answer.stderr.contains(reason), "{}", answer.stderr);
    }
}

#[test]
fn a_file_without_an_end_is_refused_and_an_empty_one_is_no_blank() {
    let desk = Desk::empty();
    #[cfg(unix)]
    desk.run("judge /dev/zero").expect_refusal(&["/dev/zero", "more than 64 MiB"]);
    desk.write("empty.csv", "");
    let shown = desk.run("judge empty.csv").expect_code(3).stdout;
    assert!(shown.contains("no milk probe"), "{shown}");
    assert!(!shown.contains("uncertainty  °C"), "{shown}");
}

#[test]
fn milk_that_cooled_for_hours_is_unacceptable_whatever_its_phase_column_says() {
    let desk = Desk::empty();
    let good = curve(62.9, 32);
    let rows: Vec<&str> = good.lines().skip(1).collect();
    let (hot, cold) = rows.split_at(rows.len() - 90);
    for word in ["hold", "come-up", ""] {
        let mut csv = String::from("t_s,milk_1,milk_2,phase\n");
        for row in hot {
            writeln!(csv, "{row},{word}").expect("a string");
        }
        for (at, row) in cold.iter().enumerate() {
            let (t_s, rest) = row.split_once(',').expect("a row");
            let (t_s, at): (usize, _) = (t_s.parse().expect("seconds"), at + 1);
            let phase = if at > 80 { "cool" } else { word };
            // Twelve times as slowly: three hours instead of fifteen minutes.
            for part in 0..12 {
                let slow_s = t_s + at * 110 - 110 + part * 10;
                writeln!(csv, "{slow_s},{rest},{phase}").expect("a string");
            }
        }
        let verdict = judged(&desk, &csv, "", 3);
        assert_eq!(verdict["outcome"], "unacceptable", "{word}: {verdict:#}");
        assert_eq!(verdict["findings"][0]["rule"], "cooling", "{word}: {verdict:#}");
    }
}

/// A foreign file starts at its first row (docs of `judge`), whatever it calls that row.
#[test]
fn hot_milk_that_a_foreign_file_calls_preheat_is_still_milk() {
    let desk = Desk::empty();
    let good = curve(62.9, 32);
    let mut csv = String::from("t_s,milk_1,milk_2,phase\n");
    for t_s in (0..600).step_by(10) {
        writeln!(csv, "{t_s},70.00,70.00,preheat").expect("a string");
    }
    for row in good.lines().skip(1) {
        let (t_s, milk) = row.split_once(',').expect("three cells");
        let t_s = t_s.parse::<u32>().expect("seconds") + 600;
        writeln!(csv, "{t_s},{milk},").expect("a string");
    }
    let verdict = judged(&desk, &csv, "", 3);
    assert_eq!(verdict["outcome"], "unacceptable", "{verdict:#}");
    let findings = verdict["findings"].as_array().expect("findings");
    assert!(findings.iter().any(|f| f["rule"] == "ceiling" && f["severity"] == "fail"));
}

#[test]
fn an_export_says_by_what_it_was_judged_and_what_it_does_not_prove() {
    let desk = Desk::empty();
    desk.run("--dir . demo").expect_code(0);
    let list = desk.run("--json batch list").expect_code(0).json();
    let code = list[0]["code"].as_str().expect("a code");
    desk.run(&format!("batch export {code} -o curve.csv")).expect_code(0);
    let shown = desk.run("judge curve.csv").expect_code(0).stdout;
    for words in [
        "journal head as told by the file, not checked: ",
        "an export is not signed: compare it with the database (`holder batch show",
        "required hold 30 min; gaps up to 10 s",
        "°C: limit ",
    ] {
        assert!(shown.contains(words), "no {words:?} in {shown}");
    }
    let csv = desk.read("curve.csv");
    desk.write("curve.csv", &with_laxer_recipe(&csv));
    let verdict = desk.run("--json judge curve.csv").expect_code(0).json();
    let judged = verdict["findings"].as_array().expect("findings").iter();
    let is_told = |finding: &&serde_json::Value| {
        finding["rule"] == "judged" && finding["severity"] == "deviation"
    };
    assert_eq!(judged.filter(is_told).count(), 1, "{verdict:#}");
    desk.write("curve.csv", &csv.replacen("# margin_c = 0.", "# margin_c = 1.", 1));
    desk.run("judge curve.csv").expect_refusal(&["curve.csv", "expected", "found", "SHA-256"]);
}

/// The export with a recipe that allows slower cooling, and with all hashes written anew.
fn with_laxer_recipe(csv: &str) -> String {
    let sha256 = |text: &str| -> String {
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let csv = csv.replace("# | fail_min = 60.0", "# | fail_min = 600.0");
    let lines = || csv.lines().filter(|line| !line.starts_with("# sha256 = "));
    let recipe: Vec<&str> = lines().filter_map(|line| line.strip_prefix("# | ")).collect();
    let recipe_sha256 = format!("# recipe_sha256 = {}", sha256(&recipe.join("\n")));
    let mut all = String::new();
    for line in lines() {
        let is_hash = line.starts_with("# recipe_sha256 = ");
        writeln!(all, "{}", if is_hash { &recipe_sha256 } else { line }).expect("a string");
    }
    let whole = sha256(&all);
    format!("{all}# sha256 = {whole}\n")
}

/// A run with a bath column: milk that follows a bath of 63.5 °C with a lag of 350 s, held, cooled.
fn with_bath(milk_shown: impl Fn(u32, f64, f64) -> f64) -> String {
    let mut csv = String::from("t_s,bath,milk_1\n");
    let mut milk = 5.0;
    for t_s in (0..5_400).step_by(10) {
        let bath = if t_s < 4_000 { 63.2 } else { 4.0 };
        milk += (bath - milk) * 10.0 / 350.0;
        writeln!(csv, "{t_s},{bath:.2},{:.2}", milk_shown(t_s, milk, bath)).expect("a string");
    }
    csv
}

#[test]
fn beside_its_bath_a_foreign_probe_must_read_like_milk() {
    let desk = Desk::empty();
    let verdict = judged(&desk, &with_bath(|_, milk, _| milk), "", 0);
    assert_eq!(verdict["outcome"], "acceptable", "{verdict:#}");
    assert!(verdict.to_string().contains("does not tell its loading"), "{verdict:#}");
    // It slips into the bath while the milk has 52 °C.
    let slipped =
        with_bath(|t_s, milk, bath| if (600..4_000).contains(&t_s) { bath } else { milk });
    let verdict = judged(&desk, &slipped, "", 3);
    assert!(verdict.to_string().contains("faster than any bottle"), "{verdict:#}");
    let frozen = with_bath(|t_s, milk, _| if t_s > 3_000 { 63.15 } else { milk });
    let verdict = judged(&desk, &frozen, "", 3);
    assert!(verdict.to_string().contains("it stood still"), "{verdict:#}");
}

#[test]
fn without_a_bath_the_verdict_says_what_it_could_not_judge() {
    let desk = Desk::empty();
    let verdict = judged(&desk, &curve(62.9, 32), "", 0);
    assert!(verdict.to_string().contains("could not be judged"), "{verdict:#}");
}
