//! Many callers at once.

use crate::{Engine, get, key};
use std::sync::Arc;
use store::{CommitError, Range, Store, Transaction};

const TASKS: u32 = 32;

/// Reads, decides, writes; again if another was faster.
async fn increment(store: &Arc<dyn Store>, name: &str) {
    loop {
        let before = get(store, name).await;
        let transaction = match &before {
            Some(entry) => Transaction::new().expect_revision(key(name), entry.revision),
            None => Transaction::new().expect_absent(key(name)),
        };
        let count = before.map_or(0, |entry| number(&entry.value));
        match store.commit(transaction.put(key(name), (count + 1).to_be_bytes().to_vec())).await {
            Ok(_) => return,
            Err(CommitError::Conflict { key }) => assert_eq!(key.as_str(), name),
            Err(other) => panic!("{other}"),
        }
    }
}

fn number(value: &[u8]) -> u32 {
    u32::from_be_bytes(value.try_into().unwrap())
}

async fn by_all_tasks<F: Future<Output = ()> + Send + 'static>(
    store: &Arc<dyn Store>,
    run: impl Fn(Arc<dyn Store>, u32) -> F,
) {
    let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(run(Arc::clone(store), task))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

pub(crate) async fn no_update_of_one_counter_is_lost(engine: &impl Engine) {
    let store = engine.fresh().await;
    by_all_tasks(&store, |store, _| async move {
        for _ in 0..8 {
            increment(&store, "counter").await;
        }
    })
    .await;
    assert_eq!(number(&get(&store, "counter").await.unwrap().value), TASKS * 8);
}

pub(crate) async fn no_update_of_many_counters_is_lost(engine: &impl Engine) {
    let store = engine.fresh().await;
    by_all_tasks(&store, |store, task| async move {
        // Each task passes every counter's neighbourhood, in an order of its own.
        for step in 0..125 {
            increment(&store, &format!("counters/{:04}", (step * 8 + task * 37) % 1_000)).await;
        }
    })
    .await;
    let page = store.range(Range::prefix("counters/").limit(1_000)).await.unwrap();
    let total: u32 = page.entries.iter().map(|entry| number(&entry.value)).sum();
    assert_eq!(total, TASKS * 125);
    assert_eq!(page.entries.len(), 1_000);
}

pub(crate) async fn one_claim_wins(engine: &impl Engine) {
    let store = engine.fresh().await;
    by_all_tasks(&store, |store, task| async move {
        for claim in 0..10 {
            let name = format!("claim/{claim}");
            let mine =
                Transaction::new().expect_absent(key(&name)).put(key(&name), task.to_be_bytes().to_vec());
            let mine = mine.outbox(name.clone().into_bytes());
            let won = store.commit(mine).await.is_ok();
            let winner = number(&get(&store, &name).await.unwrap().value);
            assert_eq!(won, winner == task);
        }
    })
    .await;
    assert_eq!(store.outbox(1_000).await.unwrap().len(), 10);
}
