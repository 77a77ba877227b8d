//! A training station in a folder of its own, with a batch of water, for the tests in here.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::batch::fixture;
use crate::batch::params::{BatchParams, Purpose};
use crate::store::{NewBatch, Station, Store};

/// A new station: its folder, its file, and its store.
pub(super) fn station() -> (TempDir, PathBuf, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("holder.db");
    let (name, time_zone) = ("bank".into(), "UTC".into());
    let station = Station { name, time_zone, training: true, created_utc_ms: 0 };
    let store = Store::create(&path, &station, "ann").expect("made");
    (dir, path, store)
}

/// A batch of water on the simulated unit of the tests: 48 bottles, begun by `ann` in 1970.
pub(super) fn water() -> NewBatch {
    NewBatch {
        simulated: true,
        pool: None,
        bottles: 48,
        bottle_ul: 0,
        operator: "ann".into(),
        started_utc_ms: 0,
        params: BatchParams { purpose: Purpose::Water, ..fixture::params() },
        clock: None,
        texts: vec![],
    }
}
