//! What fuzzing found worth keeping (`tests/fuzz/corpus`) goes through the decoders again.

use std::path::Path;

#[path = "../fuzz/entries.rs"]
mod entries;

/// Feeds every file of a corpus to the function that the fuzz target feeds.
fn replay(target: &str, entry: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).expect("a corpus for each target");
    let mut fed = 0;
    for file in files {
        let path = file.expect("a file").path();
        println!("{}", path.display());
        entry(&std::fs::read(&path).expect("a readable file"));
        fed += 1;
    }
    assert!(fed > 0, "{} is empty", folder.display());
}

macro_rules! corpus {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target), entries::$target);
        })*

        #[test]
        fn every_fuzz_target_is_replayed() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/targets");
            let mut found: Vec<String> = std::fs::read_dir(folder)
                .expect("the targets")
                .map(|file| file.expect("a file").path().file_stem().expect("a name").to_owned())
                .map(|stem| stem.to_string_lossy().into_owned())
                .collect();
            found.sort();
            let mut replayed = vec![$(stringify!($target)),*];
            replayed.sort_unstable();
            assert_eq!(found, replayed);
        }
    };
}

corpus! {
    bus_url capture_text command_answer curve_csv export_json fault_spec modbus_pdu point_decode
    profile_toml recipe_toml rtu_answer station_toml tcp_answer text_answer
}
