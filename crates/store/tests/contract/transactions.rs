//! What one transaction does.

use crate::{Engine, conflict, get, key, put};
use store::{Entry, Transaction};

pub(crate) async fn an_absent_key_has_no_entry(engine: &impl Engine) {
    let store = engine.fresh().await;
    put(&store, "a/b", b"").await;
    for absent in ["a", "a/", "a/b/", "a/c", "b"] {
        assert_eq!(get(&store, absent).await, None, "{absent}");
    }
}

pub(crate) async fn a_put_reads_back_byte_for_byte(engine: &impl Engine) {
    let store = engine.fresh().await;
    let all_bytes: Vec<u8> = (0..=255).collect();
    for (name, value) in [("empty", Vec::new()), ("bytes", all_bytes), ("large", vec![7; 300_000])] {
        let revision = put(&store, name, &value).await;
        assert_eq!(get(&store, name).await, Some(Entry { key: key(name), revision, value }));
    }
}

pub(crate) async fn a_put_replaces(engine: &impl Engine) {
    let store = engine.fresh().await;
    let first = put(&store, "a", b"long value").await;
    let second = put(&store, "a", b"x").await;
    assert!(second > first);
    let entry = get(&store, "a").await.unwrap();
    assert_eq!((entry.revision, entry.value.as_slice()), (second, b"x".as_slice()));
}

pub(crate) async fn a_delete_removes(engine: &impl Engine) {
    let store = engine.fresh().await;
    put(&store, "a", b"1").await;
    let kept = put(&store, "ab", b"2").await;
    store.commit(Transaction::new().delete(key("a"))).await.unwrap();
    assert_eq!(get(&store, "a").await, None);
    assert_eq!(get(&store, "ab").await.unwrap().revision, kept);
}

pub(crate) async fn deleting_what_is_absent_changes_nothing(engine: &impl Engine) {
    let store = engine.fresh().await;
    let kept = put(&store, "b", b"1").await;
    store.commit(Transaction::new().delete(key("a"))).await.unwrap();
    assert_eq!(get(&store, "a").await, None);
    assert_eq!(get(&store, "b").await.unwrap().revision, kept);
}

pub(crate) async fn revisions_grow_and_name_the_last_writer(engine: &impl Engine) {
    let store = engine.fresh().await;
    let mut last = None;
    for number in 0..20_u8 {
        let transaction =
            Transaction::new().put(key("same"), vec![number]).put(key(&format!("own/{number}")), vec![]);
        let revision = store.commit(transaction).await.unwrap();
        assert!(last < Some(revision), "{last:?} {revision}");
        assert_eq!(get(&store, "same").await.unwrap().revision, revision);
        assert_eq!(get(&store, &format!("own/{number}")).await.unwrap().revision, revision);
        last = Some(revision);
    }
    assert!(last > Some(get(&store, "own/18").await.unwrap().revision));
}

pub(crate) async fn a_key_written_again_has_a_new_revision(engine: &impl Engine) {
    let store = engine.fresh().await;
    let first = put(&store, "a", b"same").await;
    store.commit(Transaction::new().expect_revision(key("a"), first).delete(key("a"))).await.unwrap();
    let second = put(&store, "a", b"same").await;
    assert!(second > first);
    let late = Transaction::new().expect_revision(key("a"), first).put(key("a"), b"late".to_vec());
    assert_eq!(store.commit(late).await, conflict("a"));
    assert_eq!(get(&store, "a").await.unwrap().value, b"same");
}

pub(crate) async fn absence_is_expected(engine: &impl Engine) {
    let store = engine.fresh().await;
    let make = |value: u8| Transaction::new().expect_absent(key("a")).put(key("a"), vec![value]);
    let first = store.commit(make(1)).await.unwrap();
    assert_eq!(store.commit(make(2)).await, conflict("a"));
    assert_eq!(get(&store, "a").await.unwrap().value, [1]);
    store.commit(Transaction::new().expect_revision(key("a"), first).delete(key("a"))).await.unwrap();
    store.commit(make(3)).await.unwrap();
    assert_eq!(get(&store, "a").await.unwrap().value, [3]);
}

pub(crate) async fn a_revision_is_expected(engine: &impl Engine) {
    let store = engine.fresh().await;
    let first = put(&store, "a", b"1").await;
    let change = |value: u8| Transaction::new().expect_revision(key("a"), first).put(key("a"), vec![value]);
    let second = store.commit(change(2)).await.unwrap();
    assert_eq!(store.commit(change(3)).await, conflict("a"));
    assert_eq!(get(&store, "a").await.unwrap().revision, second);
    // A revision is expected of what is not there at all, and of what another commit wrote.
    let absent = Transaction::new().expect_revision(key("b"), first).put(key("b"), vec![]);
    assert_eq!(store.commit(absent).await, conflict("b"));
    put(&store, "c", b"").await;
    let others = Transaction::new().expect_revision(key("c"), second).put(key("c"), vec![1]);
    assert_eq!(store.commit(others).await, conflict("c"));
}

pub(crate) async fn one_unmet_expectation_stops_everything(engine: &impl Engine) {
    let store = engine.fresh().await;
    let first = put(&store, "a", b"1").await;
    put(&store, "b", b"1").await;
    let transaction = Transaction::new()
        .expect_revision(key("a"), first)
        .expect_absent(key("c"))
        .expect_absent(key("b"))
        .expect_absent(key("a"))
        .put(key("a"), b"2".to_vec())
        .put(key("c"), b"2".to_vec())
        .delete(key("b"))
        .outbox(b"2".to_vec());
    // The first that does not hold is named.
    assert_eq!(store.commit(transaction).await, conflict("b"));
    assert_eq!(get(&store, "a").await.unwrap().revision, first);
    assert_eq!(get(&store, "b").await.unwrap().value, b"1");
    assert_eq!(get(&store, "c").await, None);
    assert_eq!(store.outbox(10).await.unwrap(), []);
}

pub(crate) async fn expectations_concern_the_state_before_the_writes(engine: &impl Engine) {
    let store = engine.fresh().await;
    let both = Transaction::new().put(key("a"), vec![]).expect_absent(key("a")).expect_absent(key("a"));
    assert!(store.commit(both).await.is_ok());
}

pub(crate) async fn a_transaction_without_writes_only_checks(engine: &impl Engine) {
    let store = engine.fresh().await;
    let first = put(&store, "a", b"1").await;
    let holds = store.commit(Transaction::new().expect_revision(key("a"), first)).await;
    assert_eq!(holds, Ok(first));
    assert_eq!(store.commit(Transaction::new()).await, Ok(first));
    assert_eq!(store.commit(Transaction::new().expect_absent(key("a"))).await, conflict("a"));
    assert!(put(&store, "b", b"").await > first);
}

pub(crate) async fn what_is_not_touched_keeps_its_revision(engine: &impl Engine) {
    let store = engine.fresh().await;
    let first = put(&store, "a", b"1").await;
    put(&store, "b", b"1").await;
    assert_eq!(get(&store, "a").await.unwrap().revision, first);
    let seen = Transaction::new().expect_revision(key("a"), first).put(key("b"), b"2".to_vec());
    store.commit(seen).await.unwrap();
    assert_eq!(get(&store, "a").await.unwrap().revision, first);
}
