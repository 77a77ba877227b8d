//! Which automated tests name which requirement: a list that is kept in the program, so that a
//! report can print it, and that a test compares with the sources.
//!
//! A test names a requirement in its doc comment: `/// REQ-HOLD-01`.

/// One line each: number, file, name of the test.
const LIST: &str = include_str!("traced.txt");

/// The tests that name this requirement, as `file: name`.
pub(super) fn tests_of(number: &str) -> impl Iterator<Item = &'static str> {
    LIST.lines().filter_map(move |line| line.strip_prefix(number)?.strip_prefix(' '))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::super::requirements::{REQUIREMENTS, requirement};

    const MARK: &str = concat!("REQ", "-");

    fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("target") {
                sources(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                into.push(path);
            }
        }
    }

    /// The numbers in a line.
    fn numbers(line: &str) -> impl Iterator<Item = &str> {
        line.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'))
            .filter(|word| word.starts_with(MARK) && word.len() > MARK.len())
    }

    /// Every `number file: name` in the sources.
    fn named() -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in ["src", "hal/src", "sim/src", "tests/stories"] {
            sources(&root.join(folder), &mut files);
        }
        let mut found = BTreeSet::new();
        for file in files {
            let text = fs::read_to_string(&file).expect("text");
            // The table itself, and this file, name them all.
            if file.ends_with("qualify/requirements.rs") || file.ends_with("qualify/traced.rs") {
                continue;
            }
            let shown = file.strip_prefix(root).expect("below").display().to_string();
            let mut pending: Vec<String> = Vec::new();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                if let Some(comment) = line.strip_prefix("///") {
                    pending.extend(numbers(comment).map(str::to_owned));
                } else if line.starts_with("#[") {
                    is_test |= line.contains("test]") || line.contains("test(");
                } else {
                    let name = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
                    for number in pending.drain(..) {
                        let test = name.filter(|_| is_test);
                        let test = test.unwrap_or_else(|| {
                            panic!("{shown}: {number} stands above no test: {line}")
                        });
                        found.insert(format!("{number} {shown}: {test}"));
                    }
                    is_test = false;
                }
            }
        }
        found
    }

    #[test]
    fn the_list_of_tests_is_that_of_the_sources() {
        let found: String = named().into_iter().map(|line| line + "\n").collect();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/qualify/traced.txt");
        if std::env::var_os("HOLDER_WRITE_TRACE").is_some() {
            fs::write(&file, &found).expect("written");
        }
        let kept = fs::read_to_string(&file).expect("there");
        assert!(
            found == kept,
            "tests name other requirements than src/qualify/traced.txt says; write it anew with \
             HOLDER_WRITE_TRACE=1 cargo test --lib the_list_of_tests, and look at what changed"
        );
    }

    #[test]
    fn every_requirement_is_named_by_a_test_and_no_test_names_another() {
        let named = named();
        for line in &named {
            let number = line.split(' ').next().expect("a number");
            assert!(requirement(number).is_some(), "no such requirement: {line}");
        }
        for one in REQUIREMENTS {
            let prefix = format!("{} ", one.number);
            assert!(
                named.iter().any(|line| line.starts_with(&prefix)),
                "no test names {}: {}",
                one.number,
                one.text
            );
        }
    }
}
