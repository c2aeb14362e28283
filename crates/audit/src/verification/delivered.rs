//! What was delivered into a folder: every digest chain, and every file that the digests name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use base::Timestamp;
use crypto::RsaVerifyingKey;
use crypto::digest::Sha256;
use serde::Deserialize;

use super::Findings;
use super::names::{self, Named, Owner};
use crate::delivery::digest::{Digest, HASH_ALGORITHM, SIGNATURE_ALGORITHM};
use crate::delivery::object::{decompress, decompress_to};
use crate::delivery::records::{hexadecimal, sha256_text, unhex};
use crate::delivery::{METADATA_SUFFIX, PublicDigestKey};

/// The largest file of events that is looked into, uncompressed, in bytes. It is never held as a whole.
const CONTENT_MAX: u64 = 4 * 1_024 * 1_024 * 1_024;
/// The same for digests, which name a thousand files at most, and for their signatures.
const DIGEST_MAX: u64 = 16 * 1_024 * 1_024;
const METADATA_MAX: u64 = 64 * 1_024;

/// A file that no digest names may be this old, in seconds: the longest interval of digests, and an hour.
const UNDIGESTED_SECONDS_MAX: i64 = 25 * 3_600;

/// What is verified, and what is known of it.
pub struct Delivered<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// The keys that are believed.
    pub public_keys: &'a [PublicDigestKey],
    /// Digests that must be there, if that is known.
    pub newest_digests: &'a [String],
    /// What is older was removed on purpose.
    pub kept_since: Option<Timestamp>,
    /// The time.
    pub now: Timestamp,
}

/// What was found among delivered files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveredReport {
    /// Digests that are there.
    pub digests: u64,
    /// Files that are named by digests and right.
    pub files: u64,
    /// Files that are too new for a digest.
    pub undigested: u64,
    /// Digests, by name, that begin a chain although there are older ones: the trail was stopped in between.
    pub restarts: Vec<String>,
    /// What is wrong.
    pub findings: Findings,
}

#[derive(Deserialize)]
struct Metadata {
    signature: String,
    #[serde(rename = "signature-algorithm")]
    algorithm: String,
}

/// A digest that is there and signed by a key that is believed.
struct Signed {
    digest: Digest,
    hash: String,
    signature: String,
}

/// A chain, as names tell it: its digests by their ends.
type Chains = BTreeMap<(Owner, String), BTreeMap<Timestamp, String>>;

struct Verification<'a> {
    given: &'a Delivered<'a>,
    keys: BTreeMap<String, RsaVerifyingKey>,
    chains: Chains,
    files: BTreeMap<String, (Owner, Timestamp)>,
    named: BTreeSet<String>,
    /// The end of the newest digest.
    newest: BTreeMap<Owner, Timestamp>,
    report: DeliveredReport,
}

/// Verifies everything in a folder. `progress` is told how many files have been looked at.
///
/// # Errors
/// The folder cannot be read.
pub fn verify_delivered(given: &Delivered<'_>, progress: &mut dyn FnMut(u64)) -> io::Result<DeliveredReport> {
    let read = |key: &PublicDigestKey| {
        Some((key.fingerprint.clone(), RsaVerifyingKey::from_pkcs1_der(&key.value).ok()?))
    };
    let mut verification = Verification {
        given,
        keys: given.public_keys.iter().filter_map(read).collect(),
        chains: Chains::new(),
        files: BTreeMap::new(),
        named: BTreeSet::new(),
        newest: BTreeMap::new(),
        report: DeliveredReport::default(),
    };
    verification.look_around()?;
    for ((owner, _), digests) in std::mem::take(&mut verification.chains) {
        verification.follow(&digests, progress);
        if let Some((end, _)) = digests.last_key_value() {
            let newest = verification.newest.entry(owner).or_insert(*end);
            *newest = (*newest).max(*end);
        }
    }
    verification.undigested();
    for name in given.newest_digests {
        if !path(given.folder, name).is_file() {
            verification.report.findings.add(name, "this digest, the newest of its chain, is missing");
        }
    }
    Ok(verification.report)
}

fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}

/// Opens a file. Whoever meddled can have put something in its place whose reading never ends.
fn open(path: &Path) -> io::Result<BufReader<File>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    File::open(path).map(BufReader::new)
}

fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(METADATA_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Verification<'_> {
    /// Sorts what is in the folder by names.
    fn look_around(&mut self) -> io::Result<()> {
        let mut folders = vec![self.given.folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                let path = entry.path();
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(self.given.folder).ok().and_then(Path::to_str) {
                    self.sort(name);
                }
            }
        }
        Ok(())
    }

    fn sort(&mut self, name: &str) {
        match names::read(name) {
            Some(Named::LogFile(owner, time)) => drop(self.files.insert(name.to_owned(), (owner, time))),
            Some(Named::Digest(owner, trail, end)) => {
                self.chains.entry((owner, trail)).or_default().insert(end, name.to_owned());
            }
            // Notes of retention, signatures and unfinished files are no delivered files.
            None if name.ends_with(".json.gz") => {
                self.report.findings.add(name, "no delivered file is called like this");
            }
            None => {}
        }
    }

    /// One chain, from its oldest digest on.
    fn follow(&mut self, digests: &BTreeMap<Timestamp, String>, progress: &mut dyn FnMut(u64)) {
        let mut before: Option<(String, Option<Signed>)> = None;
        for name in digests.values() {
            self.report.digests += 1;
            progress(self.report.digests + self.report.files);
            let signed = match self.read(name) {
                Ok(signed) => Some(signed),
                Err(what) => {
                    self.report.findings.add(name, what);
                    None
                }
            };
            if let Some(signed) = &signed {
                self.link(name, signed, before.as_ref());
                for number in 0..signed.digest.log_files.len() {
                    self.file(signed, number);
                    progress(self.report.digests + self.report.files);
                }
            }
            before = Some((name.clone(), signed));
        }
    }

    fn read(&self, name: &str) -> Result<Signed, String> {
        let content = open(&path(self.given.folder, name)).and_then(|file| decompress(file, DIGEST_MAX));
        let content = content.map_err(|error| format!("it cannot be read: {error}"))?;
        let digest: Digest =
            serde_json::from_slice(&content).map_err(|_| "it has not the form of a digest".to_owned())?;
        let metadata = path(self.given.folder, &format!("{name}{METADATA_SUFFIX}"));
        let metadata =
            read_small(&metadata).map_err(|error| format!("its signature cannot be read: {error}"))?;
        let metadata: Metadata = serde_json::from_slice(&metadata)
            .map_err(|_| "its signature has not the form of one".to_owned())?;
        if digest.object != name {
            return Err(format!("it was delivered as {}", digest.object));
        }
        let is_known = metadata.algorithm == SIGNATURE_ALGORITHM
            && digest.digest_signature_algorithm == SIGNATURE_ALGORITHM
            && digest.log_files.iter().all(|file| file.hash_algorithm == HASH_ALGORITHM);
        if !is_known {
            return Err("its algorithms are not those of digests".to_owned());
        }
        let key = self.keys.get(&digest.fingerprint);
        let key = key.ok_or_else(|| format!("no public key has its fingerprint {}", digest.fingerprint))?;
        let signature = unhex(&metadata.signature).ok_or("its signature has not the form of one")?;
        if !key.verifies(digest.to_sign(&content).as_bytes(), &signature) {
            return Err("its signature is not right: it was changed, or signed by somebody else".to_owned());
        }
        Ok(Signed { hash: sha256_text(&content), digest, signature: metadata.signature })
    }

    /// Whether a digest follows the one before it.
    fn link(&mut self, name: &str, signed: &Signed, before: Option<&(String, Option<Signed>)>) {
        let Some(previous) = &signed.digest.previous_object else {
            if before.is_some() {
                self.report.restarts.push(name.to_owned());
            }
            return;
        };
        let Some((there, before)) = before.filter(|(there, _)| there == previous) else {
            if !self.was_removed_on_purpose(previous) {
                let what = match before {
                    Some((there, _)) => {
                        format!("the digest before it, {previous}, is missing; there is {there} instead")
                    }
                    None => format!("the digest before it, {previous}, is missing"),
                };
                self.report.findings.add(name, what);
            }
            return;
        };
        let Some(before) = before else { return };
        let follows = signed.digest.previous_hash.as_ref() == Some(&before.hash)
            && signed.digest.previous_digest_signature.as_ref() == Some(&before.signature)
            && signed.digest.digest_start_time == before.digest.digest_end_time;
        if !follows {
            self.report.findings.add(name, format!("it does not follow {there}, although it says so"));
        }
    }

    /// The file with this number in a digest.
    fn file(&mut self, signed: &Signed, number: usize) {
        let Some(file) = signed.digest.log_files.get(number) else { return };
        let name = &file.object;
        if !self.named.insert(name.clone()) {
            self.report.findings.add(name, "two digests name this file");
        }
        // A name from a digest that is signed leads nowhere else, but a folder may hold anything.
        if names::read(name).is_none() {
            self.report.findings.add(name, "no delivered file is called like this");
            return;
        }
        let opened = match open(&path(self.given.folder, name)) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !self.was_removed_on_purpose(name) {
                    let (from, to) = (&file.oldest_event_time, &file.newest_event_time);
                    self.report
                        .findings
                        .add(name, format!("the file is missing: events from {from} to {to}"));
                }
                return;
            }
            Err(error) => return self.report.findings.add(name, error),
        };
        let mut digest = Sha256::new();
        match decompress_to(opened, CONTENT_MAX, |piece| digest.update(piece)) {
            Ok(()) if hexadecimal(&digest.finish()) == file.hash_value => self.report.files += 1,
            Ok(()) => self.report.findings.add(name, "the file was changed"),
            Err(error) => self.report.findings.add(name, format!("the file was changed: {error}")),
        }
    }

    fn was_removed_on_purpose(&self, name: &str) -> bool {
        let time = match names::read(name) {
            Some(Named::LogFile(_, time) | Named::Digest(_, _, time)) => time,
            None => return false,
        };
        self.given.kept_since.is_some_and(|since| time < since)
    }

    /// Files that no digest names.
    fn undigested(&mut self) {
        for (name, (owner, time)) in &self.files {
            if self.named.contains(name) {
                continue;
            }
            // The minute in a file's name begins before its moment.
            let is_behind = self.newest.get(owner).is_some_and(|newest| time.plus_seconds(60) <= *newest);
            let age = self.given.now.seconds().saturating_sub(time.seconds());
            if is_behind || age > UNDIGESTED_SECONDS_MAX {
                self.report
                    .findings
                    .add(name, "no digest names this file: it was put here, or digests are missing");
            } else {
                self.report.undigested += 1;
            }
        }
    }
}
