//! What a restart keeps.

use crate::{Engine, get, key, put};
use store::{Range, Transaction};

pub(crate) async fn everything_survives(engine: &impl Engine) {
    let store = engine.fresh().await;
    for number in 0..150_u8 {
        let transaction = Transaction::new().put(key(&format!("k/{number:03}")), vec![number; 500]);
        store.commit(transaction.outbox(vec![number])).await.unwrap();
    }
    store.commit(Transaction::new().delete(key("k/007"))).await.unwrap();
    let position = store.outbox(10).await.unwrap()[4].position;
    store.remove_from_outbox(position).await.unwrap();
    let before = (store.range(Range::prefix("").limit(1_000)).await, store.outbox(1_000).await);
    assert_eq!(before.0.as_ref().unwrap().entries.len(), 149);
    assert_eq!(before.1.as_ref().unwrap().len(), 145);
    drop(store);
    let store = engine.reopen().await;
    assert_eq!((store.range(Range::prefix("").limit(1_000)).await, store.outbox(1_000).await), before);
}

pub(crate) async fn revisions_and_positions_go_on(engine: &impl Engine) {
    let mut store = engine.fresh().await;
    let mut last = None;
    for round in 0..4 {
        let revision =
            store.commit(Transaction::new().put(key("a"), vec![]).outbox(vec![round])).await.unwrap();
        let records = store.outbox(10).await.unwrap();
        assert_eq!(records.iter().map(|entry| entry.record[0]).collect::<Vec<_>>(), [round]);
        let position = records[0].position;
        assert!(last < Some((revision, position)), "{last:?}");
        assert!(last.is_none_or(|(_, earlier)| earlier < position));
        last = Some((revision, position));
        // Even if nothing is left that could remind of them.
        store.commit(Transaction::new().delete(key("a"))).await.unwrap();
        store.remove_from_outbox(position).await.unwrap();
        drop(store);
        store = engine.reopen().await;
        assert_eq!(get(&store, "a").await, None);
    }
    assert!(Some(put(&store, "a", b"").await) > last.map(|(revision, _)| revision));
}
