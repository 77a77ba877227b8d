//! Every column of every table, changed one at a time behind the program's back.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use super::closed;
use crate::store::fixture::{ANN, tamper};
use crate::store::{KeptFile, Misfit, MisfitPlace, Store};

/// Every column: table, name, declared type.
fn columns(db: &Connection) -> Vec<(String, String, String)> {
    let sql = "SELECT t.name, c.name, c.type FROM pragma_table_list t, pragma_table_info(t.name) c \
               WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%' \
               ORDER BY t.name, c.cid";
    let mut select = db.prepare(sql).expect("a schema");
    let found = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    found.expect("rows").collect::<Result<_, _>>().expect("text")
}

/// Another value of the same type: as little as can be, so that text that is JSON stays JSON.
fn changed(column: &str, kind: &str) -> String {
    match kind {
        // It is compared as what it says: a space more says the same.
        "TEXT" if column == "verdict" => format!("json_array({column})"),
        "INTEGER" => format!("coalesce({column}, 0) + 1000003"),
        "TEXT" => format!("coalesce({column}, '\"\"') || ' '"),
        "BLOB" => "randomblob(32)".to_owned(),
        other => panic!("a column of type {other}"),
    }
}

/// The first misfit of the file; damage that SQLite itself finds counts.
fn misfit(path: &Path) -> Option<Misfit> {
    match Store::open_read_only(path) {
        Ok(store) => store.verify(None).err(),
        Err(error) => Some(Misfit::Unreadable(error)),
    }
}

/// A row in the middle of the table, by its position.
fn in_the_middle(path: &Path, table: &str) -> String {
    let db = Connection::open(path).expect("opens");
    let mut select = db
        .prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk")
        .expect("a schema");
    let keys: Vec<String> = select
        .query_map([table], |row| row.get(0))
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("text");
    let keys = keys.join(", ");
    format!(
        "({keys}) = (SELECT {keys} FROM {table} ORDER BY {keys} LIMIT 1 OFFSET \
         (SELECT count(*) / 2 FROM {table}))"
    )
}

/// A station with a row in every table.
fn full() -> (tempfile::TempDir, std::path::PathBuf) {
    let (dir, path) = closed();
    let mut store = Store::open(&path).expect("opens");
    let file = KeptFile { path: "station.toml".into(), text: "x = 1".into() };
    store.back_up(ANN, &dir.path().join("copy.db"), &[file], &mut |_| ()).expect("made");
    (dir, path)
}

/// REQ-REC-02
#[test]
fn no_column_of_any_table_can_be_changed_without_its_being_named() {
    let (dir, untouched) = full();
    let all = columns(&Connection::open(&untouched).expect("opens"));
    let tables: BTreeSet<&str> = all.iter().map(|(table, ..)| table.as_str()).collect();
    assert_eq!(tables.len(), 12, "a new table must be verified, too: {tables:?}");
    let path = dir.path().join("tampered.db");
    let mut missed = Vec::new();
    for (table, column, kind) in &all {
        std::fs::copy(&untouched, &path).expect("copied");
        let row = in_the_middle(&path, table);
        tamper(
            &path,
            &format!(
                "PRAGMA ignore_check_constraints = ON; \
                 UPDATE OR REPLACE {table} SET {column} = {} WHERE {row}",
                changed(column, kind)
            ),
        );
        match misfit(&path) {
            None => missed.push(format!("{table}.{column}")),
            Some(misfit) => check_words(table, column, &misfit),
        }
    }
    assert!(missed.is_empty(), "changed, and everything fits: {missed:?}");
    assert!(all.len() > 105, "only {} columns", all.len());
}

/// Of what the journal's hashes cover, the misfit shows both hashes and the first place.
fn check_words(table: &str, column: &str, misfit: &Misfit) {
    let Misfit::Differs { place, expected, found, .. } = misfit else { return };
    assert_ne!(expected, found, "{table}.{column}");
    let named = match (table, place.as_ref()) {
        ("journal", MisfitPlace::Entry { .. })
        | ("inputs", MisfitPlace::Block { .. } | MisfitPlace::Input { .. })
        | ("params", MisfitPlace::Params { .. })
        | ("texts", MisfitPlace::Text { .. }) => true,
        // A key that points nowhere, an index that does not fit: SQLite's own checks come first.
        (_, MisfitPlace::File | MisfitPlace::Batch { .. }) => true,
        (table, MisfitPlace::Row { table: named, .. }) => {
            let projections = [("pool_deposits", "pools"), ("batch_texts", "batch_texts")];
            table == *named || projections.contains(&(table, named))
        }
        ("batch_texts", MisfitPlace::Text { .. }) => true,
        _ => false,
    };
    assert!(named, "{table}.{column}: {misfit}");
}

/// REQ-REC-02
#[test]
fn no_row_of_any_table_can_be_taken_away_without_its_being_named() {
    let (dir, untouched) = full();
    let all = columns(&Connection::open(&untouched).expect("opens"));
    let tables: BTreeSet<&str> = all.iter().map(|(table, ..)| table.as_str()).collect();
    let path = dir.path().join("tampered.db");
    for table in tables {
        std::fs::copy(&untouched, &path).expect("copied");
        let row = in_the_middle(&path, table);
        tamper(&path, &format!("DELETE FROM {table} WHERE {row}"));
        assert!(misfit(&path).is_some(), "a row of {table} is gone, and everything fits");
    }
}

/// REQ-REC-03
#[test]
fn the_newest_entry_can_be_taken_away_unseen_but_for_paper() {
    // What a hash chain cannot show, said as a test: only a hash outside of the file can.
    let (_dir, path) = full();
    let store = Store::open(&path).expect("opens");
    let paper = store.head().expect("head").hash();
    drop(store);
    tamper(&path, "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)");
    let store = Store::open_read_only(&path).expect("opens");
    store.verify(None).expect("a shorter journal is a journal");
    let text = store.verify(Some(&paper)).expect_err("not there").to_string();
    assert!(text.contains("the hash on paper") && text.contains("cut off"), "{text}");
}
