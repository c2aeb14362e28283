//! The audit log after a crash or a meddler: a segment of which anything may be left. What were lines of the log stay, nothing
//! else is taken for one, and the log goes on behind them or says that it is damaged.

use std::path::Path;
use std::sync::LazyLock;

use audit::log::{Entry, Head, Log, LogSettings, segments};
use tokio::runtime::Runtime;

use crate::Target;
use crate::scratch::folder;

pub(crate) const TARGET: Target = Target { name: "audit_log", run, seeds, words: &WORDS };

const WORDS: [&str; 8] = [
    "\n",
    "{\"sequence\":1,\"event\":{",
    "{\"sequence\":2,\"event\":",
    "}}",
    ",\"decisions\":[",
    ",\"chain\":\"",
    "\"}",
    "\"eventID\":\"",
];

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());

const FIRST: &str = "00000000000000000001.jsonl";

fn entry() -> Entry {
    Entry { event: b"{\"eventID\":\"new\"}".to_vec(), decisions: None }
}

fn run(input: &[u8]) {
    let folder = folder();
    std::fs::write(folder.path().join(FIRST), input).unwrap();
    let (before, is_whole) = lines_in_chain(folder.path());
    let Ok(log) = Log::open(folder.path(), LogSettings::default()) else {
        assert!(!is_whole, "a log of whole lines is called damaged");
        return;
    };
    RUNTIME.block_on(log.append(vec![entry()])).unwrap();
    log.close();
    let (after, _) = lines_in_chain(folder.path());
    assert!(after.starts_with(&before), "a line of the log is gone");
    if is_whole {
        assert_eq!(after.len(), before.len() + 1, "the log did not go on behind its last line");
    }
}

/// The events of the lines up to the first that is not in the chain, and whether there is none such among whole lines.
fn lines_in_chain(folder: &Path) -> (Vec<String>, bool) {
    let (mut head, mut line, mut events) = (Head::BEGINNING, Vec::new(), Vec::new());
    for segment in segments(folder).unwrap() {
        let mut lines = segment.lines(0).unwrap();
        while lines.read(&mut line).unwrap() {
            match head.read(&line) {
                Ok(read) => events.push(read.event.get().to_owned()),
                Err(_) => return (events, false),
            }
        }
    }
    (events, true)
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = folder();
    let log = Log::open(folder.path(), LogSettings::default()).unwrap();
    let with_decisions = Entry { decisions: Some(b"[{\"outcome\":\"DENIED\"}]".to_vec()), ..entry() };
    RUNTIME.block_on(log.append(vec![entry(), with_decisions, entry()])).unwrap();
    log.close();
    let whole = std::fs::read(folder.path().join(FIRST)).unwrap();
    let two = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).map_or(0, |(at, _)| at + 1);
    vec![
        Vec::new(),
        whole.clone(),
        whole[..two].to_vec(),
        whole[..two + 20].to_vec(),
        whole[two..].to_vec(),
        b"x\n".to_vec(),
    ]
}
