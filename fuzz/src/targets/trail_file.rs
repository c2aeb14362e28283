//! The trail after a crash: a file of which anything may be left, and a record in the outbox that may be none. What
//! were whole lines stays.

use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use audit::Trail;
use store::redb_engine::RedbStore;
use store::{OUTBOX_RECORDS_MAX, Store as _, Transaction};
use tokio::runtime::Runtime;

use crate::Target;

pub(crate) const TARGET: Target = Target { name: "trail_file", run, seeds, words: &WORDS };

const WORDS: [&str; 8] = [
    "\n",
    "\n---\n",
    "{\"eventID\":\"",
    "\",\"eventTime\":\"2026-11-27T00:00:00Z\"}",
    "2026-11-27",
    "\"eventID\":",
    "\"eventTime\":",
    "}",
];

struct Place {
    runtime: Runtime,
    store: Arc<RedbStore>,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| Place {
    runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
    store: Arc::new(RedbStore::in_memory().unwrap()),
});

/// The day of the file that is left over.
const FILE: &str = "events-2026-11-27.jsonl";

fn run(input: &[u8]) {
    let mark = b"\n---\n";
    let Some(at) = input.windows(mark.len()).position(|window| window == mark) else { return };
    let (left, record) = (&input[..at], &input[at + mark.len()..]);
    let folder = folder();
    write(folder.path(), left);
    let is_event = drain(folder.path(), record);
    check(folder.path(), left, record, is_event);
}

/// Whether the record was moved into a file.
fn drain(folder: &Path, record: &[u8]) -> bool {
    let Place { runtime, store } = &*PLACE;
    runtime.block_on(async {
        store.commit(Transaction::new().outbox(record.to_vec())).await.unwrap();
        let trail = Trail::open(folder, Arc::<RedbStore>::clone(store)).unwrap();
        let drained = trail.drain().await;
        let rest = store.outbox(OUTBOX_RECORDS_MAX).await.unwrap();
        assert_eq!(rest.is_empty(), drained.is_ok(), "an event is lost, or one that is none is not kept");
        if let Some(last) = rest.last() {
            store.remove_from_outbox(last.position).await.unwrap();
        }
        drained.is_ok()
    })
}

/// What is known of every event.
#[derive(serde::Deserialize)]
struct Head {
    #[serde(rename = "eventID")]
    event_id: String,
}

fn check(folder: &Path, left: &[u8], record: &[u8], is_event: bool) {
    let whole = left.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let found = std::fs::read(folder.join(FILE)).unwrap();
    assert!(found.starts_with(&left[..whole]), "a whole line is gone");
    if is_event {
        assert!(!record.contains(&b'\n'));
        let all = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        let lines: Vec<u8> = all.flatten().collect();
        let Head { event_id } = serde_json::from_str(std::str::from_utf8(record).unwrap()).unwrap();
        let id = format!("{event_id:?}");
        // It is there, or an event of the same id is.
        let is_there = lines.windows(id.len()).any(|window| window == id.as_bytes());
        let is_escaped = id.contains('\\') || record.contains(&b'\\') || left.contains(&b'\\');
        assert!(is_there || is_escaped, "an event was taken out of the outbox and is nowhere");
    }
}

/// In memory, where that is possible: each input waits for the disk several times.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

fn write(folder: &Path, left: &[u8]) {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).unwrap();
    let mut options = std::fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(0o600).open(folder.join(FILE)).unwrap();
    std::io::Write::write_all(&mut file, left).unwrap();
}

fn seeds() -> Vec<Vec<u8>> {
    let event = |id: &str| {
        format!(r#"{{"eventVersion":"1.11","eventTime":"2026-11-27T10:00:00Z","eventID":"{id}"}}"#)
    };
    let (one, two) = (event("one"), event("two"));
    [
        format!("\n---\n{one}"),
        format!("{one}\n\n---\n{two}"),
        format!("{one}\n{two}\n{{\"eventTi\n---\n{two}"),
        format!("{one}\n---\n{one}"),
        format!("{one}\n\n---\n{{\"eventTime\":\"2026-11-28T10:00:00Z\",\"eventID\":\"three\"}}"),
        "x\n---\n{}".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}
