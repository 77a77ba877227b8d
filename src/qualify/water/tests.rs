use super::*;
use crate::record::fixture;

/// Two records under codes of their own.
fn two() -> Vec<BatchRecord> {
    let named = |code: &str| {
        let (mut record, _) = fixture::good();
        record.header.code = code.to_owned();
        record
    };
    vec![named("B-1"), named("B-2")]
}

fn damage(what: &str) -> Misfit {
    Misfit::Unreadable(StoreError::Damaged(what.to_owned()))
}

fn in_use() -> Misfit {
    Misfit::Unreadable(StoreError::Locked)
}

/// What is believed of these two: the code, and the reason where it is not.
fn told(
    misfits: Result<BTreeMap<String, Misfit>, Misfit>,
    broken: impl Fn() -> Option<StoreError>,
) -> Result<Vec<(String, Option<String>)>, String> {
    let records = two();
    let headers = records.iter().map(|record| record.header.clone()).collect();
    let load = |code: &str| {
        let found = records.iter().find(|record| record.header.code == code).cloned();
        broken().map_or_else(|| Ok(found.expect("known")), Err)
    };
    let believed = believed(headers, misfits, load).map_err(|why| why.to_string())?;
    let told = believed.into_iter().map(|one| (one.header.code, one.record.err()));
    Ok(told.collect())
}

fn whole() -> Option<StoreError> {
    None
}

#[test]
fn a_record_that_does_not_fit_is_not_believed_and_the_other_is() {
    let misfits = BTreeMap::from([("B-1".to_owned(), damage("a row"))]);
    let told = told(Ok(misfits), whole).expect("it can be looked at");
    assert!(told[0].1.as_ref().is_some_and(|why| why.contains("a row")), "{told:?}");
    assert_eq!(told[1], ("B-2".to_owned(), None));
}

#[test]
fn a_chain_that_does_not_fit_spoils_them_all() {
    let told = told(Err(damage("the chain")), whole).expect("it can be looked at");
    assert!(told.iter().all(|(_, why)| why.as_ref().is_some_and(|why| why.contains("chain"))));
}

#[test]
fn a_file_that_is_in_use_is_no_misfit_of_any_record() {
    let refused = told(Err(in_use()), whole).expect_err("it cannot be looked at");
    assert!(refused.contains("in use by another program"), "{refused}");
    let locked = || Some(StoreError::Locked);
    let refused = told(Ok(BTreeMap::new()), locked).expect_err("it cannot be loaded");
    assert!(refused.contains("in use by another program"), "{refused}");
    let damaged = || Some(StoreError::Damaged("a page".into()));
    let told = told(Ok(BTreeMap::new()), damaged).expect("damage is a misfit");
    assert!(told.iter().all(|(_, why)| why.is_some()));
}
