//! Random histories, step for step against a model that is plain to see through.

use crate::{Engine, key};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{CommitError, Page, Range, Revision, Store, Transaction};

#[derive(Clone, Debug)]
enum Step {
    Commit { expectations: Vec<(String, Guess)>, writes: BTreeMap<String, Option<Vec<u8>>>, records: Vec<u8> },
    Range { prefix: String, after: Option<String>, until: Option<String>, limit: usize },
    RemoveFromOutbox(usize),
    Reopen,
}

#[derive(Clone, Copy, Debug)]
enum Guess {
    Absent,
    Right,
    Stale,
}

#[derive(Default)]
struct Model {
    entries: BTreeMap<String, (Revision, Vec<u8>)>,
    seen: BTreeMap<String, Revision>,
    outbox: Vec<u8>,
    last: Option<Revision>,
}

pub(crate) async fn any_history_equals_the_model(engine: &impl Engine) {
    let runtime = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let result = tokio::task::block_in_place(|| {
        runner.run(&proptest::collection::vec(step(), 1..40), |steps| {
            runtime.block_on(run(engine, steps));
            Ok(())
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

async fn run(engine: &impl Engine, steps: Vec<Step>) {
    let mut store = engine.fresh().await;
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Commit { expectations, writes, records } => {
                model.commit(&store, expectations, writes, records).await;
            }
            Step::Range { prefix, after, until, limit } => {
                model.range(&store, &prefix, after, until, limit).await
            }
            Step::RemoveFromOutbox(count) => model.remove_from_outbox(&store, count).await,
            Step::Reopen => {
                drop(store);
                store = engine.reopen().await;
            }
        }
        model.compare(&store).await;
    }
}

impl Model {
    async fn commit(
        &mut self,
        store: &Arc<dyn Store>,
        expectations: Vec<(String, Guess)>,
        writes: BTreeMap<String, Option<Vec<u8>>>,
        records: Vec<u8>,
    ) {
        let mut transaction = Transaction::new();
        let mut unmet = None;
        for (name, guess) in expectations {
            let now = self.entries.get(&name).map(|(revision, _)| *revision);
            let expected = match guess {
                Guess::Absent => None,
                Guess::Right => now,
                Guess::Stale => self.seen.get(&name).copied(),
            };
            transaction = match expected {
                Some(revision) => transaction.expect_revision(key(&name), revision),
                None => transaction.expect_absent(key(&name)),
            };
            if now != expected {
                unmet = unmet.or(Some(name));
            }
        }
        for (name, value) in &writes {
            transaction = match value {
                Some(value) => transaction.put(key(name), value.clone()),
                None => transaction.delete(key(name)),
            };
        }
        transaction = records.iter().fold(transaction, |all, record| all.outbox(vec![*record]));
        let result = store.commit(transaction).await;
        if let Some(name) = unmet {
            assert_eq!(result, Err(CommitError::Conflict { key: key(&name) }));
            return;
        }
        let revision = result.unwrap();
        let adds = !records.is_empty() || writes.values().any(Option::is_some);
        assert!(if adds {
            self.last < Some(revision)
        } else {
            self.last.is_none_or(|last| last <= revision)
        });
        self.last = Some(revision);
        for (name, value) in writes {
            match value {
                Some(value) => {
                    self.seen.insert(name.clone(), revision);
                    self.entries.insert(name, (revision, value));
                }
                None => {
                    self.entries.remove(&name);
                }
            }
        }
        self.outbox.extend(records);
    }

    async fn range(
        &self,
        store: &Arc<dyn Store>,
        prefix: &str,
        after: Option<String>,
        until: Option<String>,
        limit: usize,
    ) {
        let mut range = Range::prefix(prefix).limit(limit);
        if let Some(after) = &after {
            range = range.after(&key(after));
        }
        if let Some(until) = &until {
            range = range.until(until);
        }
        let inside = |name: &str| {
            name.starts_with(prefix)
                && after.as_deref().is_none_or(|after| name > after)
                && until.as_deref().is_none_or(|until| name < until)
        };
        let wanted: Vec<_> = self.entries.iter().filter(|(name, _)| inside(name)).collect();
        let page = store.range(range).await.unwrap();
        assert_eq!(page.more, wanted.len() > limit);
        assert_same(&page, wanted.into_iter().take(limit));
    }

    async fn remove_from_outbox(&mut self, store: &Arc<dyn Store>, count: usize) {
        let Some(last) = store.outbox(count).await.unwrap().pop() else { return };
        store.remove_from_outbox(last.position).await.unwrap();
        self.outbox.drain(..count.min(self.outbox.len()));
    }

    async fn compare(&self, store: &Arc<dyn Store>) {
        assert_same(&store.range(Range::prefix("").limit(1_000)).await.unwrap(), self.entries.iter());
        for name in self.seen.keys() {
            let entry = store.get(&key(name)).await.unwrap().map(|entry| (entry.revision, entry.value));
            assert_eq!(entry.as_ref(), self.entries.get(name), "{name}");
        }
        let records: Vec<u8> =
            store.outbox(1_000).await.unwrap().iter().map(|entry| entry.record[0]).collect();
        assert_eq!(records, self.outbox);
    }
}

fn assert_same<'a>(page: &Page, wanted: impl Iterator<Item = (&'a String, &'a (Revision, Vec<u8>))>) {
    let found: Vec<_> = page
        .entries
        .iter()
        .map(|entry| (entry.key.to_string(), (entry.revision, entry.value.clone())))
        .collect();
    let wanted: Vec<_> = wanted.map(|(name, entry)| (name.clone(), entry.clone())).collect();
    assert_eq!(found, wanted);
}

/// Few enough that histories meet themselves.
fn name() -> impl Strategy<Value = String> {
    "[a-c](/[a-c]){0,2}"
}

fn step() -> impl Strategy<Value = Step> {
    let guess = prop_oneof![1 => Just(Guess::Absent), 3 => Just(Guess::Right), 1 => Just(Guess::Stale)];
    let value = proptest::option::weighted(0.7, proptest::collection::vec(any::<u8>(), 0..8));
    let commit = (
        proptest::collection::vec((name(), guess), 0..3),
        proptest::collection::btree_map(name(), value, 0..5),
        proptest::collection::vec(any::<u8>(), 0..3),
    )
        .prop_map(|(expectations, writes, records)| Step::Commit { expectations, writes, records });
    let range =
        ("[a-c]?(/[a-c]?)?", proptest::option::of(name()), proptest::option::of("[a-d/]{0,3}"), 1_usize..6)
            .prop_map(|(prefix, after, until, limit)| Step::Range { prefix, after, until, limit });
    prop_oneof![
        20 => commit,
        8 => range,
        3 => (1_usize..5).prop_map(Step::RemoveFromOutbox),
        1 => Just(Step::Reopen),
    ]
}
