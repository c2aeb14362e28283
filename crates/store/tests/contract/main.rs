//! The contract of `store::Store`, as tests that every engine must pass. A new engine adds one line at the end.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod concurrency;
mod isolation;
mod limits;
mod model;
mod observers;
mod outbox;
mod ranges;
mod reopening;
mod transactions;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::redb_engine::RedbStore;
use store::{CommitError, Entry, Key, Revision, Store, Transaction};

/// Where stores of one engine come from. Everything is dropped with it.
#[async_trait::async_trait]
trait Engine: Send + Sync {
    /// An empty store.
    async fn fresh(&self) -> Arc<dyn Store>;

    /// Lets go of the store that was handed out last, which the test has dropped, and opens it again.
    async fn reopen(&self) -> Arc<dyn Store>;
}

/// Each test of the contract, as a test of an engine.
macro_rules! contract {
    ($engine:ident: $($room:ident { $($test:ident),+ $(,)? })+) => {
        mod $engine {
            $(mod $room {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $test() {
                        crate::$room::$test(&crate::$engine()).await;
                    }
                )+
            })+
        }
    };
    ($($engine:ident),+) => {
        $(contract! { $engine:
            transactions {
                an_absent_key_has_no_entry, a_put_reads_back_byte_for_byte, a_put_replaces, a_delete_removes,
                deleting_what_is_absent_changes_nothing, revisions_grow_and_name_the_last_writer,
                a_key_written_again_has_a_new_revision, absence_is_expected, a_revision_is_expected,
                one_unmet_expectation_stops_everything, expectations_concern_the_state_before_the_writes,
                a_transaction_without_writes_only_checks, what_is_not_touched_keeps_its_revision,
            }
            limits {
                the_most_of_everything_is_accepted, one_more_of_anything_is_refused, a_key_is_written_once,
            }
            ranges {
                a_prefix_bounds_a_range, order_is_bytewise, pages_follow_one_another, until_ends_a_range,
                a_page_is_bounded_in_bytes, an_empty_range_is_an_empty_page,
            }
            outbox {
                records_come_in_commit_order, a_failed_commit_leaves_no_record, removal_takes_the_oldest,
                positions_are_never_reused, records_are_no_entries, what_is_asked_for_is_bounded,
            }
            observers {
                each_commit_is_told_once_in_order, no_other_thing_is_told, a_caller_is_answered_after_the_observers,
            }
            isolation { a_range_sees_whole_transactions, a_read_sees_every_acknowledged_commit, dropped_callers_do_no_harm }
            concurrency { no_update_of_one_counter_is_lost, no_update_of_many_counters_is_lost, one_claim_wins }
            reopening { everything_survives, revisions_and_positions_go_on }
            model { any_history_equals_the_model }
        })+
    };
}

contract!(redb);

/// The embedded engine on files of its own.
fn redb() -> RedbFiles {
    RedbFiles { directory: tempfile::tempdir().unwrap(), stores: AtomicUsize::new(0) }
}

struct RedbFiles {
    directory: tempfile::TempDir,
    stores: AtomicUsize,
}

impl RedbFiles {
    fn path(&self) -> PathBuf {
        self.directory.path().join(self.stores.load(Ordering::SeqCst).to_string())
    }
}

#[async_trait::async_trait]
impl Engine for RedbFiles {
    async fn fresh(&self) -> Arc<dyn Store> {
        self.stores.fetch_add(1, Ordering::SeqCst);
        Arc::new(RedbStore::open(&self.path()).unwrap())
    }

    async fn reopen(&self) -> Arc<dyn Store> {
        Arc::new(RedbStore::open(&self.path()).unwrap())
    }
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

async fn put(store: &Arc<dyn Store>, text: &str, value: &[u8]) -> Revision {
    store.commit(Transaction::new().put(key(text), value.to_vec())).await.unwrap()
}

async fn get(store: &Arc<dyn Store>, text: &str) -> Option<Entry> {
    store.get(&key(text)).await.unwrap()
}

fn conflict<T>(text: &str) -> Result<T, CommitError> {
    Err(CommitError::Conflict { key: key(text) })
}
