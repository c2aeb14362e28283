//! The limits of a transaction, which are the same for every engine.

use crate::{Engine, get, key};
use store::{
    CommitError, KEY_BYTES_MAX, Measure, TRANSACTION_BYTES_MAX, TRANSACTION_EXPECTATIONS_MAX,
    TRANSACTION_WRITES_MAX, Transaction,
};

fn numbered(count: usize, add: impl FnMut(Transaction, usize) -> Transaction) -> Transaction {
    (0..count).fold(Transaction::new(), add)
}

fn expecting(count: usize) -> Transaction {
    numbered(count, |transaction, number| transaction.expect_absent(key(&format!("absent/{number}"))))
}

/// A third of each kind of write.
fn writing(count: usize) -> Transaction {
    numbered(count, |transaction, number| match number % 3 {
        0 => transaction.put(key(&format!("put/{number}")), vec![1]),
        1 => transaction.delete(key(&format!("deleted/{number}"))),
        _ => transaction.outbox(vec![1]),
    })
}

/// So many bytes in all: one key that is expected, one that is put, a value and an outbox record.
fn of_bytes(count: usize) -> Transaction {
    let value = (count - 20) / 2;
    let record = count - 20 - value;
    Transaction::new()
        .expect_absent(key("0123456789"))
        .put(key("0123456789"), vec![1; value])
        .outbox(vec![2; record])
}

pub(crate) async fn the_most_of_everything_is_accepted(engine: &impl Engine) {
    assert_eq!(
        (TRANSACTION_EXPECTATIONS_MAX, TRANSACTION_WRITES_MAX, TRANSACTION_BYTES_MAX),
        (128, 128, 1_572_864)
    );
    let store = engine.fresh().await;
    store.commit(expecting(128)).await.unwrap();
    store.commit(writing(128)).await.unwrap();
    store.commit(of_bytes(1_572_864)).await.unwrap();
    let longest = "k".repeat(KEY_BYTES_MAX);
    store.commit(Transaction::new().put(key(&longest), vec![1])).await.unwrap();
    assert_eq!(get(&store, &longest).await.unwrap().value, [1]);
}

pub(crate) async fn one_more_of_anything_is_refused(engine: &impl Engine) {
    let store = engine.fresh().await;
    let before = store.commit(Transaction::new()).await.unwrap();
    for (transaction, measure, found) in [
        (expecting(129), Measure::Expectations, 129),
        (writing(129), Measure::Writes, 129),
        (of_bytes(1_572_865), Measure::Bytes, 1_572_865),
    ] {
        let refused = store.commit(transaction).await;
        let limit = found - 1;
        assert_eq!(refused, Err(CommitError::TooLarge { measure, found, limit }));
    }
    assert_eq!(store.commit(Transaction::new()).await, Ok(before));
    assert_eq!(store.outbox(10).await.unwrap(), []);
}

pub(crate) async fn a_key_is_written_once(engine: &impl Engine) {
    let store = engine.fresh().await;
    for twice in [
        Transaction::new().put(key("a"), vec![1]).put(key("b"), vec![]).put(key("a"), vec![2]),
        Transaction::new().put(key("a"), vec![1]).delete(key("a")),
        Transaction::new().delete(key("a")).delete(key("a")),
    ] {
        assert_eq!(store.commit(twice).await, Err(CommitError::WrittenTwice { key: key("a") }));
        assert_eq!((get(&store, "a").await, get(&store, "b").await), (None, None));
    }
}
