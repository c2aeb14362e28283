//! Restoring a backup: archives that anybody may have made for the recipient. What is a backup becomes a data folder of just
//! its files; anything else is refused, leaves nothing in the folder and nothing beside it.
//!
//! A line for each entry: its type, `:`, what it holds, `:`, its name. `cut:<bytes>` shortens the archive, `end:<bytes>` the
//! file around it. What begins with `raw:` is an archive itself, whose checksums are set right, behind a good beginning.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::LazyLock;

use crypto::age::{Encryptor, Identity};
use crypto::root::{Protection, RootFile};
use keywright::readers;
use store::redb_engine::RedbStore;
use testkit::SeededRandomness;

use crate::Target;
use crate::scratch::folder;

pub(crate) const TARGET: Target = Target { name: "backup", run, seeds, words: &WORDS };

const WORDS: [&str; 33] = [
    "\n0:head:keywright-backup.json",
    "\n0:root:root.json",
    "\n0:store:keywright.redb",
    "\n0:mark:format",
    "\n0::complete",
    "\n0:=text:trail/log/00000000000000000001.jsonl",
    "\n0:=:objects/01/0123456789abcdef0123456789abcdef",
    "\n0:9000:trail/x",
    "\nL::trail/",
    "\nK::trail/",
    "\nx::20 path=trail/aaaaa\n",
    "\ng::20 path=../aaaaaaaa\n",
    "\n1::trail/link",
    "\n2::trail/log",
    "\n5::trail/folder",
    "\n7::trail/x",
    "\nS::trail/sparse",
    "\n0:-5000:trail/lie",
    "\ncut:1024",
    "\nend:1",
    "raw:",
    "../",
    "/../",
    "/./",
    "//",
    "/tmp/",
    "\0",
    "\x1b[2J",
    "=1 restoring",
    "=9 production",
    "=1 dev",
    "ustar\x0000",
    "ustar  \0",
];

const HEAD: &str = "keywright-backup.json";
const BLOCK: usize = 512;
/// No step of a name is longer on Linux, in bytes, and no path with a zero behind it; the folder has no more than the rest.
const STEP_MAX: usize = 255;
const NAME_MAX: usize = 4_096 - 60;
/// What an input can make of a number: much more than its own length, and still quick.
const LENGTH_MAX: usize = 200_000;

/// Contents that no input can hold.
struct Parts {
    root: Vec<u8>,
    store: Vec<u8>,
}

static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let place = folder();
    let (root, store) = (place.path().join("root"), place.path().join("store"));
    drop(RootFile::create(&root, Protection::Plain, &SeededRandomness::new(1)).ok().unwrap());
    drop(RedbStore::open(&store).unwrap());
    Parts { root: std::fs::read(root).unwrap(), store: std::fs::read(store).unwrap() }
});

fn run(input: &[u8]) {
    let made = match input.strip_prefix(b"raw:") {
        Some(raw) => Made::around(raw),
        None => Made::of_lines(input),
    };
    let place = folder();
    let data = place.path().join("data");
    std::fs::write(place.path().join("beside"), "untouched").unwrap();
    let restored = readers::backup(&*made.file(), identity(), &data);
    let names: Vec<_> =
        std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(std::fs::read(place.path().join("beside")).unwrap(), b"untouched");
    assert_eq!(
        names.len(),
        1 + usize::from(restored.is_ok()),
        "beside the folder, or in its place, is {names:?}"
    );
    match restored {
        Ok(()) => made.check(&data),
        Err(told) => {
            let is_one_line = !told.is_empty() && !told.chars().any(char::is_control);
            assert!(is_one_line, "refused with what is no sentence: {told:?}");
            assert!(made.is_backup() != Some(true), "a backup is refused: {told}");
        }
    }
}

/// An archive, and what is known of it.
#[derive(Default)]
struct Made {
    archive: Vec<u8>,
    /// The files that the archive has, by their names, if that is known.
    files: Option<BTreeMap<String, Vec<u8>>>,
    /// Whether something is in it that no backup has.
    is_foreign: bool,
    /// A name for the next entry.
    long_name: Option<Vec<u8>>,
    /// Bytes that the file lacks at its end.
    cut_off: usize,
}

impl Made {
    fn of_lines(input: &[u8]) -> Self {
        let mut made = Self { files: Some(BTreeMap::new()), ..Self::default() };
        let mut cut = 0;
        for line in input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let mut parts = line.splitn(3, |byte| *byte == b':');
            match (parts.next(), parts.next(), parts.next()) {
                (Some(b"cut"), Some(bytes), None) => cut = number(bytes),
                (Some(b"end"), Some(bytes), None) => made.cut_off = number(bytes),
                (Some([kind]), Some(what), Some(name)) => made.add(*kind, what, name),
                _ => {}
            }
        }
        made.is_foreign |= made.long_name.is_some();
        made.archive.extend([0; 2 * BLOCK]);
        if cut > 0 {
            made.files = None;
            made.archive.truncate(made.archive.len().saturating_sub(cut));
        }
        made
    }

    /// A backup with these bytes between its first file and the others.
    fn around(raw: &[u8]) -> Self {
        let mut made = Self::default();
        made.add(b'0', b"head", HEAD.as_bytes());
        let begun = made.archive.len();
        made.archive.extend(raw);
        for block in made.archive[begun..].chunks_exact_mut(BLOCK) {
            if block[257..].starts_with(b"ustar") {
                set_checksum(block);
            }
        }
        made.archive.resize(made.archive.len().next_multiple_of(BLOCK), 0);
        for (what, name) in [("root", "root.json"), ("store", "keywright.redb"), ("mark", "format")] {
            made.add(b'0', what.as_bytes(), name.as_bytes());
        }
        made.archive.extend([0; 2 * BLOCK]);
        made
    }

    fn add(&mut self, kind: u8, what: &[u8], name: &[u8]) {
        let describes_another = matches!(kind, b'L' | b'K' | b'x' | b'g');
        let content = if describes_another { name.to_vec() } else { content(what) };
        let in_header: &[u8] =
            if describes_another { b"././@LongLink" } else { &name[..name.len().min(100)] };
        let announced = match what.strip_prefix(b"-") {
            Some(bytes) => number(bytes),
            None => content.len(),
        };
        self.archive.extend(header(kind, in_header, announced));
        self.archive.extend(&content);
        self.archive.resize(self.archive.len().next_multiple_of(BLOCK), 0);
        if announced == content.len() {
            let in_header = in_header.split(|byte| *byte == 0).next().unwrap_or_default();
            self.note(kind, content, in_header);
        } else {
            // Whatever follows is what this entry holds.
            self.files = None;
        }
    }

    /// Notes what a backup with this entry has, or that none has it.
    fn note(&mut self, kind: u8, content: Vec<u8>, in_header: &[u8]) {
        if kind == b'L' {
            self.is_foreign |= self.long_name.replace(content).is_some();
            return;
        }
        let name = match self.long_name.take() {
            Some(mut long) => {
                let _ = long.pop_if(|last| *last == 0);
                long
            }
            None => in_header.to_vec(),
        };
        let Some(files) = &mut self.files else { return };
        let name = String::from_utf8(name).unwrap_or_default();
        // The first says what it is, and is not for the folder.
        let is_placed =
            if files.is_empty() { name == HEAD && content == content_of_head() } else { has_place(&name) };
        let is_file = matches!(kind, b'0' | 0);
        self.is_foreign |= !is_file || !is_placed || files.insert(name, content).is_some();
    }

    /// Whether this is a backup, if that is known.
    fn is_backup(&self) -> Option<bool> {
        if self.cut_off > 0 || self.is_foreign {
            return Some(false);
        }
        let files = self.files.as_ref()?;
        let has = |name: &str, content: &[u8]| files.get(name).is_some_and(|found| found == content);
        let whole = has("root.json", &PARTS.root) && has("keywright.redb", &PARTS.store);
        let is_marked = has("format", MARK.as_bytes()) || has("format", b"1 dev");
        let mut pairs = files.keys().zip(files.keys().skip(1));
        // No file is the folder of another.
        let is_tree =
            !pairs.any(|(one, next)| files.keys().any(|other| is_below(other, one) || is_below(other, next)));
        Some(whole && is_marked && is_tree)
    }

    /// The folder holds what the archive has, for nobody but its owner.
    fn check(&self, data: &Path) {
        assert!(self.is_backup() != Some(false), "what is no backup was restored");
        let mut found = BTreeMap::new();
        look_into(data, "", &mut found);
        found.remove("lock");
        if let Some(files) = &self.files {
            // A store that was opened is not the same byte for byte.
            let without_store = |(name, _): &(&String, &Vec<u8>)| *name != "keywright.redb" && *name != HEAD;
            let wanted: BTreeMap<_, _> = files.iter().filter(without_store).collect();
            found.remove("keywright.redb");
            assert_eq!(found.iter().collect::<BTreeMap<_, _>>(), wanted);
        }
    }

    /// The archive, encrypted.
    fn file(&self) -> Vec<u8> {
        let random = SeededRandomness::new(2);
        let mut file = Encryptor::new(Vec::new(), &[identity().recipient()], &random).unwrap();
        file.write_all(&self.archive).unwrap();
        let mut file = file.finish().unwrap();
        file.truncate(file.len().saturating_sub(self.cut_off));
        file
    }
}

const MARK: &str = "1 production\n";

fn content(what: &[u8]) -> Vec<u8> {
    match what {
        b"head" => content_of_head(),
        b"root" => PARTS.root.clone(),
        b"store" => PARTS.store.clone(),
        b"mark" => MARK.into(),
        [b'=', text @ ..] => text.to_vec(),
        [b'-', ..] => Vec::new(),
        length => vec![b'a'; number(length)],
    }
}

/// In the form of GNU tar.
fn header(kind: u8, name: &[u8], length: usize) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, name);
    [(100, b"0000777"), (108, b"0000000"), (116, b"0000000")].iter().for_each(|(at, text)| put(*at, *text));
    put(124, format!("{length:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(156, &[kind]);
    put(257, b"ustar  \0");
    set_checksum(&mut header);
    header
}

fn set_checksum(header: &mut [u8]) {
    const PLACE: std::ops::Range<usize> = 148..156;
    header[PLACE].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[PLACE].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn content_of_head() -> Vec<u8> {
    br#"{"format": 1, "keywright": "0.1.0", "time": "2026-01-31T12:00:00Z", "objects_upstream": false}"#
        .to_vec()
}

fn number(digits: &[u8]) -> usize {
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    digits.parse::<usize>().unwrap_or_default().min(LENGTH_MAX)
}

/// Whether a file of this name has a place in a data folder.
fn has_place(name: &str) -> bool {
    if name.len() > NAME_MAX {
        return false;
    }
    let steps: Vec<&str> = name.split('/').collect();
    let is_step = |step: &&str| {
        !["", ".", ".."].contains(step) && !step.contains(char::is_control) && step.len() <= STEP_MAX
    };
    match &*steps {
        ["root.json" | "keywright.redb" | "format" | "complete"] => true,
        ["trail", below @ ..] => !below.is_empty() && below.iter().all(is_step),
        ["objects", part, blob] => {
            let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            blob.len() == 32 && blob.bytes().all(is_digit) && blob.starts_with(part) && part.len() == 2
        }
        _ => false,
    }
}

fn is_below(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn look_into(folder: &Path, before: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{before}{}", entry.file_name().into_string().unwrap());
        let metadata = entry.metadata().unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.is_dir() {
            assert_eq!(mode, 0o700, "{name}");
            look_into(&entry.path(), &format!("{name}/"), found);
        } else {
            assert!(metadata.is_file() && mode == 0o600, "{name} has mode {mode:o}");
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
}

fn identity() -> Identity {
    Identity::draw(&SeededRandomness::new(1)).unwrap()
}

fn seeds() -> Vec<Vec<u8>> {
    let (first, last) = (
        "0:head:keywright-backup.json\n",
        "\n0:root:root.json\n0:store:keywright.redb\n0::complete\n0:mark:format",
    );
    let around = |entries: &str| format!("{first}{entries}{last}");
    let blob = "0:=x:objects/01/0123456789abcdef0123456789abcdef";
    let long = "a-folder-with-a-long-name/".repeat(6);
    let mut seeds = vec![
        String::new(),
        first.to_owned(),
        around(""),
        around(blob),
        around("0:=line:trail/log/00000000000000000001.jsonl\n0:9000:trail/delivered/a/x.json.gz"),
        around(&format!("L::trail/{long}x\n0:=y:trail/{long}")),
        around(&format!("L::trail/{}x\n0:=y:trail/long", "long/".repeat(900))),
        around("2::trail/log"),
        around("0:=x:trail/../../outside"),
        around("0:=x:trail/a\n0:=x:trail/a"),
        around("0:=x:trail/a\n0:=x:trail/a/b"),
        around("0:-5000:trail/lie"),
        format!("{}\ncut:1500", around(blob)),
        format!("{}\nend:1", around(blob)),
    ];
    let mut raw = Made::default();
    raw.add(b'0', b"=text", b"trail/text");
    raw.add(b'L', b"", b"trail/a/longer/name");
    raw.add(b'0', b"=text", b"trail/a/longer");
    seeds.push(format!("raw:{}", String::from_utf8(raw.archive).unwrap()));
    seeds.into_iter().map(String::into_bytes).collect()
}
