//! Kills a process in the middle of its commits, again and again, and looks at what is left.
//!
//! The killed process is this very test binary, told to run the one test that is ignored otherwise. It reads from its
//! standard input what to do, and does nothing if that says nothing.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![expect(clippy::print_stdout, reason = "the killed process tells what was acknowledged")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::Randomness;
use store::redb_engine::{OpenError, RedbStore};
use store::{Key, OutboxPosition, PAGE_ENTRIES_MAX, Range, Revision, Store, Transaction};
use testkit::SeededRandomness;

const ROUNDS: u64 = 20;
const WRITERS: u64 = 6;
/// Each transaction writes the slot of its number; so slots are written over and over.
const SLOTS: u64 = 5;
/// Where in a line of output the number begins.
const ACKNOWLEDGED: &str = "acknowledged ";
const SEED: u64 = 20_260_729;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

/// This binary, writing into the store at `path` transactions numbered from `first` on.
fn start(path: &Path, first: u64) -> (Child, impl Iterator<Item = u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "writes_until_it_is_killed", "--nocapture", "--test-threads", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{first} {}", path.display()).unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // A kill can cut the last line: only a whole one counts, which its full stop shows.
    let numbers = lines.map_while(Result::ok).filter_map(|line| {
        line.split_once(ACKNOWLEDGED)?.1.strip_suffix('.').map(|number| number.parse().unwrap())
    });
    (child, numbers)
}

#[test]
#[ignore = "the part that is killed; run by the others"]
fn writes_until_it_is_killed() {
    let mut order = String::new();
    std::io::stdin().read_line(&mut order).unwrap();
    let Some((first, path)) = order.trim_end().split_once(' ') else { return };
    let store = Arc::new(RedbStore::open(Path::new(path)).unwrap());
    let next = Arc::new(AtomicU64::new(first.parse().unwrap()));
    runtime().block_on(async {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| tokio::spawn(write_for_ever(Arc::clone(&store), Arc::clone(&next))))
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

async fn write_for_ever(store: Arc<RedbStore>, next: Arc<AtomicU64>) {
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        // Sizes from a few bytes to some pages.
        let size = usize::try_from(number * number * 37 % 5_000).unwrap() + 8;
        let value: Vec<u8> = number.to_be_bytes().into_iter().cycle().take(size).collect();
        let transaction = ["a", "b", "c"].iter().fold(Transaction::new(), |all, part| {
            all.put(key(&format!("numbers/{number:08}/{part}")), value.clone())
        });
        let transaction = transaction
            .put(key(&format!("slots/{}", number % SLOTS)), number.to_be_bytes().to_vec())
            .delete(key(&format!("numbers/{number:08}/never")))
            .outbox(number.to_be_bytes().to_vec());
        store.commit(transaction).await.unwrap();
        println!("{ACKNOWLEDGED}{number}.");
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes[..8].try_into().unwrap())
}

/// What the killed process left, after checking that all of it fits together.
#[derive(Default)]
struct Left {
    /// Which transactions are there, by revision.
    by_revision: BTreeMap<Revision, u64>,
    /// What the outbox holds, oldest first.
    outbox: Vec<(OutboxPosition, u64)>,
}

impl Left {
    async fn of(store: &RedbStore) -> Self {
        let mut left = Self::default();
        let mut parts: BTreeMap<u64, Vec<(String, Revision, Vec<u8>)>> = BTreeMap::new();
        let mut range = Range::prefix("numbers/").limit(PAGE_ENTRIES_MAX);
        loop {
            let page = store.range(range).await.unwrap();
            for entry in &page.entries {
                let (name, part) = entry.key.as_str().rsplit_once('/').unwrap();
                let number = name.strip_prefix("numbers/").unwrap().parse().unwrap();
                parts.entry(number).or_default().push((part.to_owned(), entry.revision, entry.value.clone()));
            }
            let Some(last) = page.entries.last().filter(|_| page.more) else { break };
            range = Range::prefix("numbers/").limit(PAGE_ENTRIES_MAX).after(&last.key);
        }
        for (of, parts) in parts {
            let names: Vec<&str> = parts.iter().map(|part| part.0.as_str()).collect();
            assert_eq!(names, ["a", "b", "c"], "transaction {of} is there in part");
            for (_, revision, value) in &parts {
                assert_eq!((*revision, number(value)), (parts[0].1, of));
                assert_eq!(value, &parts[0].2);
            }
            assert_eq!(left.by_revision.insert(parts[0].1, of), None, "two transactions of one revision");
        }
        for entry in store.outbox(1_000).await.unwrap() {
            left.outbox.push((entry.position, number(&entry.record)));
        }
        left.check_slots(store).await;
        left
    }

    /// Each slot holds what the last of its transactions wrote.
    async fn check_slots(&self, store: &RedbStore) {
        for slot in 0..SLOTS {
            let last = self.by_revision.iter().rfind(|(_, number)| *number % SLOTS == slot);
            let entry = store.get(&key(&format!("slots/{slot}"))).await.unwrap();
            let found = entry.map(|entry| (entry.revision, number(&entry.value)));
            assert_eq!(found, last.map(|(revision, number)| (*revision, *number)), "slot {slot}");
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill_and_nothing_is_half_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let random = SeededRandomness::new(SEED);
    let (mut acknowledged, mut removed) = (BTreeSet::new(), Vec::new());
    let mut kills_with_unacknowledged = 0;
    for round in 0..ROUNDS {
        let mut luck = [0];
        random.fill(&mut luck).unwrap();
        // Killed after so many acknowledgements; right at the start now and then, even while the file is being made.
        let reads = if round % 5 == 0 { usize::from(luck[0] % 2) } else { usize::from(luck[0] % 64) };
        let (mut child, mut numbers) = start(&path, round * 1_000_000);
        acknowledged.extend(numbers.by_ref().take(reads));
        child.kill().unwrap();
        // What it said before it died counts as well.
        acknowledged.extend(numbers);
        child.wait().unwrap();

        let store = RedbStore::open(&path).unwrap();
        let left = runtime().block_on(Left::of(&store));
        let found: BTreeSet<u64> = left.by_revision.values().copied().collect();
        assert!(acknowledged.is_subset(&found), "round {round} of seed {SEED}: acknowledged and lost");
        let unacknowledged = found.difference(&acknowledged).count();
        kills_with_unacknowledged += usize::from(unacknowledged > 0);
        acknowledged.extend(&found);

        // The outbox holds each transaction's record, in the order of their revisions.
        let in_order: Vec<u64> = left.by_revision.values().copied().collect();
        let in_outbox: Vec<u64> = left.outbox.iter().map(|(_, number)| *number).collect();
        let wanted: Vec<u64> = in_order.into_iter().skip(removed.len()).take(1_000).collect();
        assert_eq!(in_outbox, wanted, "round {round} of seed {SEED}");
        if let Some((position, _)) = left.outbox.last().filter(|_| round % 2 == 1 || in_outbox.len() > 700) {
            runtime().block_on(store.remove_from_outbox(*position)).unwrap();
            removed.extend(in_outbox);
        }
    }
    assert!(acknowledged.len() > 100, "only {} transactions in {ROUNDS} rounds", acknowledged.len());
    assert!(kills_with_unacknowledged > 0, "no kill came in the middle of anything");
}

#[test]
fn a_store_in_use_by_another_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let (mut child, mut numbers) = start(&path, 0);
    numbers.next().expect("the other process writes");
    let refused = RedbStore::open(&path).err().expect("the other process has it");
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(RedbStore::open(&path).is_ok());
}
