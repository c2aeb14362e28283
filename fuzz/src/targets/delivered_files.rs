//! Delivered files in which somebody has meddled: whatever of events, digests or signatures is no more what was delivered is
//! told, and what was not touched is not. Reading ends, whatever lies there.
//!
//! A line for each change: a file by its number, what is done, with what.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use audit::verification::{Delivered, verify_delivered};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::Target;
use crate::scratch::folder;
use crate::trail_bench::{TrailBench, end};

pub(crate) const TARGET: Target = Target { name: "delivered_files", run, seeds, words: &WORDS };

const WORDS: [&str; 28] = [
    "\n0 flip 20",
    "\n1 cut 1",
    "\n2 gone ",
    "\n3 is {\"Records\":[]}",
    "\n4 put 2",
    "\n5 raw {\"signature\":\"00\",\"signature-algorithm\":\"SHA256withRSA\"}",
    "\n6 to AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/27/x.json.gz",
    "\n7 folder ",
    "\n8 pipe ",
    "\n9 link ",
    "\n10 member ",
    "\"previousDigestS3Object\":null",
    "\"digestS3Object\":",
    "\"digestEndTime\":",
    "\"digestStartTime\":",
    "\"digestPublicKeyFingerprint\":",
    "\"digestSignatureAlgorithm\":\"SHA256withRSA\"",
    "\"previousDigestHashValue\":",
    "\"previousDigestSignature\":",
    "\"logFiles\":[]",
    "\"s3Object\":\"../\"",
    "\"hashValue\":",
    "\"hashAlgorithm\":\"SHA-256\"",
    "AWSLogs/",
    "CloudTrail-Digest",
    ".metadata.json",
    "/dev/zero",
    "..",
];

/// What a change may make of a file, in bytes.
const LENGTH_MAX: u64 = 1 << 20;

struct Sample {
    bench: TrailBench,
    files: BTreeMap<String, Vec<u8>>,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let bench = TrailBench::new();
    let mut files = BTreeMap::new();
    look_into(&bench.delivered(), "", &mut files);
    assert_eq!(told(&bench.delivered(), &bench), Vec::<String>::new(), "what was delivered is not as it was");
    Sample { bench, files }
});

fn look_into(folder: &Path, before: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            look_into(&entry.path(), &format!("{name}/"), files);
        } else if kind.is_file() {
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
}

fn told(folder: &Path, bench: &TrailBench) -> Vec<String> {
    let given = Delivered {
        folder,
        public_keys: &bench.public_keys,
        newest_digests: &bench.known.newest_digests,
        kept_since: None,
        now: end(),
    };
    let report = verify_delivered(&given, &mut |_| ()).unwrap();
    report.findings.listed().iter().map(ToString::to_string).collect()
}

fn run(input: &[u8]) {
    let Sample { bench, files } = &*SAMPLE;
    let place = folder();
    let root = place.path().join("delivered");
    for (name, content) in files {
        write(&root.join(name), content);
    }
    for line in input.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        if let (Some(number), Some(what), Some(with)) = (parts.next(), parts.next(), parts.next()) {
            change(&root, number, what, with);
        }
    }
    let told = told(&root, bench);
    let mut now = BTreeMap::new();
    look_into(&root, "", &mut now);
    let is_changed = |(name, content): (&String, &Vec<u8>)| {
        now.get(name).is_none_or(|now| meaning(name, now) != meaning(name, content))
    };
    if files.iter().any(is_changed) {
        assert!(!told.is_empty(), "what was changed is not told");
    } else if now == *files {
        assert_eq!(told, Vec::<String>::new(), "something is told of what nobody changed");
    }
}

/// What of a file counts: what is compressed in it, or the members of its JSON that are read.
fn meaning(name: &str, content: &[u8]) -> Vec<u8> {
    if !name.ends_with(".json.gz") {
        let members: Value = serde_json::from_slice(content).unwrap_or_default();
        let read = |member: &str| members[member].as_str().map(str::to_ascii_lowercase).unwrap_or_default();
        return format!("{} {}", read("signature"), members["signature-algorithm"]).into_bytes();
    }
    let mut decoder = GzDecoder::new(content);
    let mut read = Vec::new();
    let outcome = decoder.by_ref().take(LENGTH_MAX).read_to_end(&mut read);
    match outcome {
        Ok(_) if decoder.into_inner().is_empty() => read,
        Ok(_) | Err(_) => b"not one stream".to_vec(),
    }
}

fn change(root: &Path, number: &[u8], what: &[u8], with: &[u8]) {
    let Some((name, content)) = SAMPLE.files.iter().nth(self::number(number) % SAMPLE.files.len()) else {
        return;
    };
    let path = root.join(name);
    let now = || {
        std::fs::symlink_metadata(&path)
            .is_ok_and(|found| found.is_file())
            .then(|| std::fs::read(&path).unwrap())
    };
    let mut bytes = now().unwrap_or_default();
    match what {
        b"flip" if !bytes.is_empty() => {
            let at = self::number(with) % bytes.len();
            bytes[at] ^= 1;
            write(&path, &bytes);
        }
        b"cut" => write(&path, &bytes[..bytes.len().saturating_sub(self::number(with))]),
        b"gone" => remove(&path),
        b"is" => write(&path, &compressed(with)),
        b"raw" => write(&path, with),
        b"put" => write(&path, SAMPLE.files.values().nth(self::number(with) % SAMPLE.files.len()).unwrap()),
        b"member" => write(&path, &with_member(content, with)),
        b"to" => drop(inside(root, with).map(|to| write(&to, content))),
        b"folder" => {
            remove(&path);
            let _ = std::fs::create_dir_all(&path);
        }
        b"pipe" => {
            remove(&path);
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            let _ = rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0);
        }
        b"link" if !with.contains(&0) => {
            remove(&path);
            let _ = std::os::unix::fs::symlink(String::from_utf8_lossy(with).as_ref(), &path);
        }
        _ => {}
    }
}

fn number(digits: &[u8]) -> usize {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// A path below the folder.
fn inside(root: &Path, name: &[u8]) -> Option<PathBuf> {
    let name = std::str::from_utf8(name).ok().filter(|name| !name.contains('\0'))?;
    let is_plain = Path::new(name).components().all(|step| matches!(step, Component::Normal(_)));
    (is_plain && !name.is_empty()).then(|| root.join(name))
}

fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
    let _ = std::fs::remove_dir_all(path);
}

/// Where something else is in the way, nothing is written.
fn write(path: &Path, content: &[u8]) {
    let is_other = std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file());
    if !is_other && path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok()) {
        let _ = std::fs::write(path, content);
    }
}

/// A compressed object of JSON, with one more member of these, or another value for one.
fn with_member(content: &[u8], member: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let _ = GzDecoder::new(content).take(LENGTH_MAX).read_to_end(&mut text);
    let member = serde_json::from_slice::<Value>(&[b"{", member, b"}"].concat());
    match (serde_json::from_slice(&text), member) {
        (Ok(Value::Object(mut members)), Ok(Value::Object(more))) => {
            members.extend(more);
            compressed(Value::Object(members).to_string().as_bytes())
        }
        _ => content.to_vec(),
    }
}

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn seeds() -> Vec<Vec<u8>> {
    let count = SAMPLE.files.len();
    let each = (0..count).flat_map(|number| {
        ["flip 30", "cut 1", "gone ", "put 0", "folder ", "pipe ", "link nowhere"]
            .map(|what| format!("{number} {what}"))
    });
    let more = [
        "",
        "0 is {\"Records\":[]}",
        "1 member \"logFiles\":[]",
        "1 gone \n2 gone \n3 gone ",
        "1 to AWSLogs/x.json.gz",
    ];
    more.iter().map(|line| (*line).to_owned()).chain(each).map(String::into_bytes).collect()
}
