//! Certificates, margin and cut as entries of the journal: what decides a verdict is under audit.
//!
//! `station.toml` says what they are; the journal says since when, by whom, why, and what they were
//! before. A run compares both before it begins, and writes down what differs. The first time
//! everything differs.

use serde_json::{Value, json};

use super::config::{ConfigError, Unit};
use crate::store::{Body, JournalEntry, Stamp, Store, StoreError};

/// The reason that stands in the journal where nobody gave one.
pub const NO_REASON: &str = "as written in station.toml";

/// The kinds of the entries. Their words are stable.
const CERTIFICATE: &str = "certificate-changed";
const MARGIN: &str = "margin-changed";
const CUT: &str = "cut-changed";

/// Something that is declared in `station.toml` and belongs into the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    kind: &'static str,
    subject: String,
    /// What it is, for a sentence: `certificate SIM-0001 of controller.pv`.
    pub title: String,
    value: Value,
}

/// Everything that is declared for a unit.
///
/// # Errors
/// A value that cannot be written as JSON.
pub fn declared(unit: &Unit<'_>) -> Result<Vec<Declared>, ConfigError> {
    let written = unit.written;
    let mut all = Vec::new();
    for (probe, certificate) in &written.certificate {
        all.push(Declared {
            kind: CERTIFICATE,
            subject: format!("{}/{probe}", unit.name),
            title: format!("certificate {} of {probe}", certificate.number),
            value: unit.as_json(certificate)?,
        });
    }
    let margin = written.margin.map(|margin| margin.as_f64());
    all.push(Declared {
        kind: MARGIN,
        subject: unit.name.to_owned(),
        title: match margin {
            Some(margin_c) => format!("margin {margin_c} °C"),
            None => "margin not measured".to_owned(),
        },
        value: json!({ "margin_c": margin }),
    });
    all.push(Declared {
        kind: CUT,
        subject: unit.name.to_owned(),
        title: format!("cut: {}", unit.cut_in_words()),
        value: json!({ "cut": unit.as_json(&written.cut)?, "simulated": written.simulated }),
    });
    Ok(all)
}

/// Writes down what differs from the newest entry about it, and says what that was.
///
/// # Errors
/// The store.
pub fn note_changes(
    store: &mut Store,
    declared: &[Declared],
    stamp: Stamp<'_>,
    reason: &str,
) -> Result<Vec<String>, StoreError> {
    let mut noted = Vec::new();
    for one in declared {
        let before = store.newest_entry(one.kind, &one.subject)?.and_then(|entry| entry.body.after);
        if before.as_ref() == Some(&one.value) {
            continue;
        }
        let body = Body::new(&one.title).after(one.value.clone()).why(reason);
        let body = match before {
            Some(before) => body.before(before),
            None => body,
        };
        store.append(stamp, one.kind, &one.subject, None, &body)?;
        noted.push(one.title.clone());
    }
    Ok(noted)
}

/// What the journal says of something that is declared: its newest entry, and whether it is still
/// as declared.
///
/// # Errors
/// The store.
pub fn newest(
    store: &Store,
    declared: &Declared,
) -> Result<Option<(JournalEntry, bool)>, StoreError> {
    let entry = store.newest_entry(declared.kind, &declared.subject)?;
    Ok(entry.map(|entry| {
        let same = entry.body.after.as_ref() == Some(&declared.value);
        (entry, same)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles;
    use crate::station::config::{Library, StationConfig};
    use crate::station::fixture;

    const ANN: Stamp<'_> = Stamp { utc_ms: 1, who: "ann" };

    fn changes(store: &mut Store, text: &str, reason: &str) -> Vec<String> {
        let station = StationConfig::parse("station.toml", text, Library::shipped());
        let station = station.expect("valid");
        let declared = declared(&station.unit("demo").expect("it has one")).expect("JSON");
        note_changes(store, &declared, ANN, reason).expect("kept")
    }

    #[test]
    fn what_changed_since_the_last_run_is_noted_once_with_before_after_and_why() {
        let (_dir, _, mut store) = fixture::station();
        let text = profiles::station("demo").expect("shipped");
        let first = changes(&mut store, text, NO_REASON);
        assert_eq!(first.len(), 6, "four certificates, the margin, the cut: {first:?}");
        assert_eq!(changes(&mut store, text, NO_REASON), Vec::<String>::new());
        let text =
            text.replacen("SIM-0002", "K-77", 1).replace("# margin_c = 0.1", "margin_c = 0.1");
        let noted = changes(&mut store, &text, "sensor replaced");
        assert_eq!(noted, ["certificate K-77 of bottles.channel_0", "margin 0.1 °C"]);
        let entry = store.newest_entry(CERTIFICATE, "demo/bottles.channel_0").expect("read");
        let entry = entry.expect("there");
        assert_eq!(
            (entry.who.as_str(), entry.body.why.as_deref()),
            ("ann", Some("sensor replaced"))
        );
        let number = |value: &Option<Value>| value.as_ref().map(|value| value["number"].clone());
        assert_eq!(number(&entry.body.before), Some("SIM-0002".into()));
        assert_eq!(number(&entry.body.after), Some("K-77".into()));
        store.verify(None).expect("the chain holds");
    }
}
