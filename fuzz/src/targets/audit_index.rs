//! Index files of the audit log in which somebody has written: events come out of the log all the same, and no others. Of a
//! file whose checksums are wrong nothing is believed; behind right ones events may be missing, and the search ends.
//!
//! The first byte says whether checksums are set right. Then four bytes for each change: a place of 24 bits, a byte to write.

use std::path::PathBuf;
use std::sync::LazyLock;

use audit::index::{Attribute, Index, LoggedEvent, Query};
use crypto::digest::Sha256;
use tempfile::TempDir;

use crate::Target;
use crate::scratch::folder;
use crate::trail_bench::{TrailBench, beginning};

pub(crate) const TARGET: Target = Target { name: "audit_index", run, seeds, words: &WORDS };

const WORDS: [&str; 6] =
    ["\x01\0\0\x14\0", "\0\0\x18\x7f", "\0\0\x1c\x7f", "\0\0\x20\x7f", "\0\0\x24\x7f", "\0\x10\0\x7f"];

const BLOCK: usize = 4_096;
const CONTENT: usize = BLOCK - 8;

struct Sample {
    folder: TempDir,
    /// The index file of a segment, and what it was.
    index: PathBuf,
    content: Vec<u8>,
    /// First line and length of its segment.
    owner: [u64; 2],
    /// What is found for each query.
    found: Vec<Vec<LoggedEvent>>,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let bench = TrailBench::new();
    let folder = folder();
    for entry in std::fs::read_dir(bench.log()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_index = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "index");
    let index = names.filter(is_index).min().expect("an index file");
    let content = std::fs::read(&index).unwrap();
    let first = index.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let owner = [first, std::fs::metadata(index.with_extension("jsonl")).unwrap().len()];
    let found: Vec<_> = queries().into_iter().map(|query| search(folder.path(), query)).collect();
    assert!(found.iter().all(|events| !events.is_empty()), "a query that finds nothing tells nothing");
    Sample { folder, index, content, owner, found }
});

fn queries() -> Vec<Query> {
    let of =
        |attribute, value: &str| Query { attribute: Some((attribute, value.to_owned())), ..Query::default() };
    let scope = Query {
        account: Some("111122223333".parse().unwrap()),
        region: Some("eu-central-1".parse().unwrap()),
        ..of(Attribute::EventName, "N1")
    };
    let time = Query {
        from: Some(beginning().plus_seconds(100)),
        to: Some(beginning().plus_seconds(700)),
        ..Query::default()
    };
    vec![
        Query::default(),
        of(Attribute::EventId, "id-3"),
        of(Attribute::ResourceName, "k2"),
        of(Attribute::ReadOnly, "true"),
        scope,
        time,
    ]
}

fn search(folder: &std::path::Path, query: Query) -> Vec<LoggedEvent> {
    let mut search = Index::of_folder(folder).search(query).unwrap();
    let mut found = Vec::new();
    while let Some(event) = search.advance().unwrap() {
        found.push(event);
    }
    found
}

fn run(input: &[u8]) {
    let Some((with_checksums, changes)) = input.split_first() else { return };
    let Sample { folder, index, content, owner, found } = &*SAMPLE;
    let is_right = with_checksums % 2 == 1;
    let mut changed = content.clone();
    for change in changes.chunks_exact(4) {
        let at = u32::from_be_bytes([0, change[0], change[1], change[2]]);
        let at = usize::try_from(at).unwrap() % changed.len();
        changed[at] = change[3];
    }
    if is_right {
        set_checksums(&mut changed, *owner);
    }
    std::fs::write(index, &changed).unwrap();
    for (query, events) in queries().into_iter().zip(found) {
        let now = search(folder.path(), query.clone());
        assert!(now.iter().all(|event| query.wants(event)), "what nobody asked for: {query:?}");
        if is_right {
            let all = &found[0];
            assert!(now.iter().all(|event| all.contains(event)), "an event that is not in the log");
            // An entry can be there as often as the file has rows.
            assert!(now.len() <= content.len(), "more events than the file has bytes");
        } else {
            assert_eq!(&now, events, "a file was believed whose checksums are wrong");
        }
    }
}

/// As the index writes them.
fn set_checksums(content: &mut [u8], [first, bytes]: [u64; 2]) {
    for (number, block) in content.chunks_exact_mut(BLOCK).enumerate() {
        let mut digest = Sha256::new();
        for part in [first, bytes, u64::try_from(number).unwrap()] {
            digest.update(&part.to_le_bytes());
        }
        digest.update(&block[..CONTENT]);
        block[CONTENT..].copy_from_slice(&digest.finish()[..8]);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let last = SAMPLE.content.len() / BLOCK * 16;
    let blocks = (0..last).step_by(16).map(|page| u8::try_from(page).unwrap());
    let in_blocks =
        blocks.flat_map(|page| [vec![0, 0, page, 4, 1], vec![1, 0, page, 4, 1], vec![1, 0, page, 8, 255]]);
    // The counts in the header.
    let counts = [24, 28, 32, 36].map(|place| vec![1, 0, 0, place + 3, 0x7f, 0, 0, place, 0xff]);
    [vec![0], vec![1]].into_iter().chain(in_blocks).chain(counts).collect()
}
