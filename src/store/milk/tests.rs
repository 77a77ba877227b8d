use super::super::fixture::{ANN, add_pool, deposit, new};
use super::*;
use crate::batch::fixture::recipe;
use jiff::civil::date;

fn refusal<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Refusal {
    match result {
        Err(StoreError::Milk(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn donors_deposits_and_pools_are_listed_and_shown() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    let codes: Vec<_> = store.donors().expect("read").into_iter().map(|d| d.code).collect();
    assert_eq!(codes, ["D-1", "D-2", "D-3"]);
    let cleared = Status::Cleared { until: date(2026, 12, 31) };
    assert_eq!(store.donor("D-1").expect("read").status, cleared);
    let shown = store.deposit("M-3").expect("read");
    assert_eq!(shown, DepositShown { deposit: deposit(3), pool: Some("P-1".into()) });
    assert_eq!(store.deposits().expect("read").len(), 3);
    let pools = store.pools().expect("read");
    assert_eq!(pools, [store.pool("P-1").expect("read")]);
    assert_eq!((pools[0].left_ul, pools[0].pool.volume_ul), (3_000_000, 3_000_000));
    assert_eq!(pools[0].pool.expires_on, date(2027, 5, 1));
    store.verify(None).expect("verifies");
}

#[test]
fn codes_are_taken_once_and_must_be_known() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    let rule = recipe().pool;
    assert!(matches!(refusal(store.add_donor(ANN, "D-1")), Refusal::Taken { .. }));
    assert!(matches!(refusal(store.add_donor(ANN, "a b")), Refusal::Code { .. }));
    assert!(matches!(refusal(store.add_deposit(ANN, &deposit(1))), Refusal::Taken { .. }));
    assert!(matches!(refusal(store.add_deposit(ANN, &deposit(9))), Refusal::Unknown { .. }));
    assert!(matches!(refusal(store.add_pool(ANN, "P-1", &[], &rule)), Refusal::Taken { .. }));
    let nobody = store.set_donor_status(ANN, "D-9", Status::Deferred, "x");
    assert!(matches!(refusal(nobody), Refusal::Unknown { .. }));
    let unknown = store.add_pool(ANN, "P-2", &["M-9".into()], &rule);
    assert!(refusal(unknown).to_string().contains("no deposit M-9"));
    for shown in [refusal(store.donor("x")), refusal(store.deposit("x")), refusal(store.pool("x"))]
    {
        assert!(matches!(shown, Refusal::Unknown { .. }), "{shown}");
    }
}

#[test]
fn the_same_label_in_other_letters_is_the_same_code() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    let deposit = Deposit { code: "m-1".into(), ..deposit(1) };
    for (refused, existing) in [
        (refusal(store.add_donor(ANN, "d-3")), "donor D-3 is recorded already"),
        (refusal(store.add_deposit(ANN, &deposit)), "deposit M-1 is recorded already"),
        (refusal(store.add_pool(ANN, "p-1", &[], &recipe().pool)), "pool P-1 is recorded already"),
    ] {
        assert!(refused.to_string().contains(existing), "{refused}");
    }
    for table in ["donors", "deposits", "pools"] {
        let sql = format!("UPDATE {table} SET code = 'x'; UPDATE {table} SET code = 'X'");
        store.db.execute_batch(&sql).expect_err("not even behind the store's back");
    }
}

#[test]
fn a_reason_has_words() {
    let (_dir, _path, mut store) = new();
    store.add_donor(ANN, "D-1").expect("added");
    let before = store.head().expect("head");
    for why in ["", "   ", "-", "...", "42", "by\nQA"] {
        let refused = store.set_donor_status(ANN, "D-1", Status::Deferred, why);
        let named = matches!(refused, Err(StoreError::BadName { what: "reason", .. }));
        assert!(named, "{why:?}: {refused:?}");
    }
    assert_eq!(store.head().expect("head"), before);
    assert_eq!(store.donor("D-1").expect("read").status, Status::Screening);
    store.set_donor_status(ANN, "D-1", Status::Deferred, "審査").expect("in any script");
}

/// REQ-VOL-01
#[test]
fn a_refused_pool_leaves_nothing_behind() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    let before = store.head().expect("head");
    let pooled = store.add_pool(ANN, "P-2", &["M-1".into()], &recipe().pool);
    let pooled = refusal(pooled).to_string();
    assert!(pooled.contains("deposit M-1 is in pool P-1 already"), "{pooled}");
    store.add_donor(ANN, "D-4").expect("added");
    store.add_deposit(ANN, &deposit(4)).expect("received before the clearance");
    let screening = store.add_pool(ANN, "P-2", &["M-4".into()], &recipe().pool);
    assert!(matches!(refusal(screening), Refusal::NotCleared { .. }));
    let empty = store.add_pool(ANN, "P-2", &[], &recipe().pool);
    assert!(matches!(refusal(empty), Refusal::Empty { .. }));
    let none = Deposit { code: "M-5".into(), volume_ul: 0, ..deposit(4) };
    assert!(matches!(refusal(store.add_deposit(ANN, &none)), Refusal::Volume { .. }));
    let future = Deposit { code: "M-5".into(), received_on: date(2026, 7, 2), ..deposit(4) };
    assert!(matches!(refusal(store.add_deposit(ANN, &future)), Refusal::ReceivedInFuture { .. }));
    assert_eq!(store.pools().expect("read").len(), 1);
    assert_eq!(store.head().expect("head").seq, before.seq + 2, "donor and deposit only");
    store.verify(None).expect("verifies");
}

#[test]
fn a_change_of_status_says_what_it_was_and_why() {
    let (_dir, _path, mut store) = new();
    store.add_donor(ANN, "D-1").expect("added");
    let until = date(2026, 12, 31);
    store.set_donor_status(ANN, "D-1", Status::Cleared { until }, "serology").expect("set");
    let body: String = store
        .db
        .query_row("SELECT body FROM journal ORDER BY seq DESC LIMIT 1", [], |row| row.get(0))
        .expect("an entry");
    let body: Body = serde_json::from_str(&body).expect("a body");
    assert_eq!(body.why.as_deref(), Some("serology"));
    assert_eq!(body.before.expect("before")["status"], "screening");
    let after = body.after.expect("after");
    assert_eq!(
        (&after["status"], &after["cleared_until"]),
        (&"cleared".into(), &"2026-12-31".into())
    );
}
