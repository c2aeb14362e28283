//! Observers.

use crate::{Engine, key, put};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::{Key, Observer, Revision, Transaction};

#[derive(Default)]
struct Notes(Mutex<Vec<(Vec<String>, Revision)>>);

impl Observer for Notes {
    fn committed(&self, keys: &[Key], revision: Revision) {
        let mut keys: Vec<String> = keys.iter().map(Key::to_string).collect();
        keys.sort();
        self.0.lock().unwrap().push((keys, revision));
    }

    fn uncertain(&self, keys: &[Key]) {
        panic!("every outcome is known here, also that of {keys:?}");
    }
}

impl Notes {
    fn taken(&self) -> Vec<(Vec<String>, Revision)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

pub(crate) async fn each_commit_is_told_once_in_order(engine: &impl Engine) {
    let store = engine.fresh().await;
    put(&store, "before", b"").await;
    let (first, second) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
    store.observe(Arc::<Notes>::downgrade(&first));
    store.observe(Arc::<Notes>::downgrade(&second));
    let mut wanted = Vec::new();
    for number in 0..5 {
        let transaction = Transaction::new().put(key(&format!("b/{number}")), vec![]).delete(key("a"));
        let revision = store.commit(transaction).await.unwrap();
        wanted.push((vec!["a".to_owned(), format!("b/{number}")], revision));
    }
    wanted.push((Vec::new(), store.commit(Transaction::new().outbox(vec![])).await.unwrap()));
    assert_eq!(first.taken(), wanted);
    assert_eq!(second.taken(), wanted);

    let together: Vec<_> = (0..64)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { put(&store, &format!("c/{number}"), b"").await })
        })
        .collect();
    for task in together {
        task.await.unwrap();
    }
    let told = first.taken();
    assert_eq!(told.len(), 64);
    assert!(told.is_sorted_by(|left, right| left.1 < right.1));
}

pub(crate) async fn no_other_thing_is_told(engine: &impl Engine) {
    let store = engine.fresh().await;
    store.commit(Transaction::new().put(key("a"), vec![]).outbox(vec![])).await.unwrap();
    let notes = Arc::new(Notes::default());
    store.observe(Arc::<Notes>::downgrade(&notes));
    assert!(store.commit(Transaction::new().expect_absent(key("a")).put(key("b"), vec![])).await.is_err());
    assert!(store.commit(Transaction::new().put(key("b"), vec![]).delete(key("b"))).await.is_err());
    store.commit(Transaction::new()).await.unwrap();
    let position = store.outbox(1).await.unwrap()[0].position;
    store.remove_from_outbox(position).await.unwrap();
    store.get(&key("a")).await.unwrap();
    assert_eq!(notes.taken(), []);
}

pub(crate) async fn a_caller_is_answered_after_the_observers(engine: &impl Engine) {
    struct Latest(AtomicU64);
    impl Observer for Latest {
        fn committed(&self, _keys: &[Key], revision: Revision) {
            self.0.fetch_max(revision.number(), Ordering::SeqCst);
        }

        fn uncertain(&self, keys: &[Key]) {
            panic!("every outcome is known here, also that of {keys:?}");
        }
    }
    let store = engine.fresh().await;
    let latest = Arc::new(Latest(AtomicU64::new(0)));
    store.observe(Arc::<Latest>::downgrade(&latest));
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (store, latest) = (Arc::clone(&store), Arc::clone(&latest));
            tokio::spawn(async move {
                for number in 0..25 {
                    let revision = put(&store, &format!("{task}/{number}"), b"").await;
                    assert!(latest.0.load(Ordering::SeqCst) >= revision.number());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
