//! `holder device replay`: a capture in words.

use std::path::PathBuf;

use clap::Args;
use holder_hal::wire::Profile;
use holder_hal::wire::capture::{Exchange, Figures, Paired, Trouble, decode_capture};
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::{files, out};

/// What is replayed.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The capture, as --capture wrote it
    file: PathBuf,
    /// Decode by this profile, where the capture does not name one
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Show only exchanges with something wrong
    #[arg(long)]
    wrong: bool,
}

pub(super) fn run(context: &Context, args: &ReplayArgs) -> Result<(), Failure> {
    let text = files::read(&args.file)?;
    let paired = decode_capture(&text)
        .map_err(|error| Failure::refused(format!("{}: {error}", args.file.display())))?;
    let library = context.library()?;
    let given = args.profile.as_deref().map(|name| library.profile(name)).transpose()?;
    let values_of = |exchange: &Exchange| {
        let device = paired.device_of(exchange);
        let known = device.and_then(|device| library.profile(&device.profile).ok());
        let address = device.map(|device| device.unit_id).or(exchange.unit_id).unwrap_or(0);
        let profile = given.clone().or(known).map(|known| known.profile);
        profile.map(|profile| values(exchange, &profile, address)).unwrap_or_default()
    };
    let shown = paired.exchanges.iter().filter(|one| !args.wrong || !one.marks.is_empty());
    let shown: Vec<(&Exchange, Vec<String>)> =
        shown.map(|exchange| (exchange, values_of(exchange))).collect();
    if context.json {
        return Ok(out::json(&document(&paired, &shown))?);
    }
    Ok(out::text(&in_words(&paired, &shown))?)
}

fn values(exchange: &Exchange, profile: &Profile, address: u8) -> Vec<String> {
    let values = exchange.values(profile, address);
    values
        .into_iter()
        .map(|(name, decoded)| match decoded.value {
            Some(value) if decoded.reason.is_empty() => format!("{name} = {value}"),
            Some(value) => format!("{name} = {value} ({})", decoded.reason),
            None => format!("{name}: {}", decoded.reason),
        })
        .collect()
}

fn seconds(us: u64) -> String {
    format!("{}.{:03}", us / 1_000_000, us / 1000 % 1000)
}

fn milliseconds(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}

fn in_words(paired: &Paired, shown: &[(&Exchange, Vec<String>)]) -> String {
    let head = &paired.file.head;
    let mut text = format!("{} of {}\n", head.unit, head.program);
    for (name, url) in &head.buses {
        text += &format!("bus {name}: {url}\n");
    }
    let rows: Vec<Vec<String>> =
        shown.iter().map(|(one, values)| row(paired, one, values)).collect();
    text += &out::table(&["AT s", "WHO", "TOOK", "WHAT"], &rows);
    for problem in &paired.file.problems {
        text += &format!("not understood: {problem}\n");
    }
    if !paired.file.ended {
        text += "the capture has no end: the program or the computer stopped in the middle\n";
    }
    text += &format!("\n{}", summary("in all", &paired.figures()));
    for (bus, unit_id, figures) in paired.figures_by_device() {
        let who = unit_id.map_or_else(|| bus.clone(), |unit_id| format!("{bus} unit {unit_id}"));
        text += &summary(&who, &figures);
    }
    text
}

fn row(paired: &Paired, exchange: &Exchange, values: &[String]) -> Vec<String> {
    let device = paired.device_of(exchange).map(|device| device.name.clone());
    let who = device.unwrap_or_else(|| match exchange.unit_id {
        Some(unit_id) => format!("{} {unit_id}", exchange.bus),
        None => exchange.bus.clone(),
    });
    let mut what = exchange.question.clone();
    if let Some(answer) = &exchange.answer {
        what += &format!(" → {answer}");
    }
    if !values.is_empty() {
        what += &format!(" ({})", values.join(", "));
    }
    for mark in &exchange.marks {
        what += &format!(" [{}: {}]", mark.trouble.word().to_uppercase(), mark.text);
    }
    let took = exchange.turnaround_us.map(milliseconds).unwrap_or_default();
    vec![seconds(exchange.at_us), who, took, what.trim().to_owned()]
}

fn summary(who: &str, figures: &Figures) -> String {
    let mut text = format!("{who}: {} questions, {} answers", figures.questions, figures.answers);
    for trouble in Trouble::ALL {
        let count = figures.count(trouble);
        if count > 0 {
            text += &format!(", {count} {}", trouble.word());
        }
    }
    if let Some(took) = figures.turnaround {
        let [min, median, max] = [took.min_us, took.median_us, took.max_us].map(milliseconds);
        text += &format!("; answered after {min} at least, {median} usually, {max} at most");
    }
    text + "\n"
}

fn figures_document(figures: &Figures) -> Value {
    let troubles = Trouble::ALL.map(|trouble| (trouble.word(), figures.count(trouble)));
    let troubles: serde_json::Map<String, Value> =
        troubles.into_iter().map(|(word, count)| (word.to_owned(), count.into())).collect();
    let ms = |us: u64| us as f64 / 1000.0;
    json!({
        "questions": figures.questions, "answers": figures.answers, "troubles": troubles,
        "turnaround_ms": figures.turnaround.map(|took| json!({
            "min": ms(took.min_us), "median": ms(took.median_us), "max": ms(took.max_us),
        })),
    })
}

fn document(paired: &Paired, shown: &[(&Exchange, Vec<String>)]) -> Value {
    let exchange = |(one, values): &(&Exchange, Vec<String>)| {
        let marks = one.marks.iter();
        let marks: Vec<Value> = marks
            .map(|mark| json!({ "trouble": mark.trouble.word(), "text": mark.text }))
            .collect();
        json!({
            "line": one.line, "at_s": one.at_us as f64 / 1e6, "bus": one.bus,
            "unit_id": one.unit_id, "device": paired.device_of(one).map(|device| &device.name),
            "question": one.question, "answer": one.answer, "values": values,
            "turnaround_ms": one.turnaround_us.map(|us| us as f64 / 1000.0), "marks": marks,
        })
    };
    let devices: Vec<Value> = paired
        .figures_by_device()
        .iter()
        .map(|(bus, unit_id, figures)| {
            json!({ "bus": bus, "unit_id": unit_id, "figures": figures_document(figures) })
        })
        .collect();
    json!({
        "unit": paired.file.head.unit, "program": paired.file.head.program,
        "started_utc_ms": paired.file.head.started_utc_ms, "ended": paired.file.ended,
        "problems": paired.file.problems, "figures": figures_document(&paired.figures()),
        "devices": devices, "exchanges": shown.iter().map(exchange).collect::<Vec<_>>(),
    })
}
