//! What is removed because it is old, and the mark that says so.
//!
//! Before anything goes, a signed mark says from where on log and delivered files are kept. So verification can tell what
//! was removed on purpose from what somebody took away.

use std::io;
use std::path::{Path, PathBuf};

use base::{Region, Timestamp};
use crypto::RsaVerifyingKey;
use serde::{Deserialize, Serialize};

use super::destination::{METADATA_SUFFIX, files_below, replace_file};
use super::keys::{DigestKeys, PublicDigestKey};
use super::log_reader::Position;
use super::records::unhex;
use super::{DeliveryError, deliverer};
use crate::log::{Head, Segment, segments};
use crate::verification::names::{self, Named};

const SECONDS_PER_DAY: i64 = 86_400;

/// How long things are kept.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Days for which the log is kept. What is not delivered is kept longer.
    pub log_days: u32,
    /// The folder of delivered files and the days for which they are kept, if they are not kept for ever.
    pub delivered: Option<(PathBuf, u32)>,
    /// The Region whose key signs the mark.
    pub region: Region,
    /// The file of the mark.
    pub mark: PathBuf,
}

/// From where on log and delivered files are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The log before is removed.
    pub log: Head,
    /// Delivered files from before this moment are removed.
    pub delivered_since: Option<Timestamp>,
}

impl Kept {
    /// Nothing was removed.
    pub const ALL: Self = Self { log: Head::BEGINNING, delivered_since: None };
}

/// A file that claims to be a mark, and is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its signature is not right, or it has not the form of a mark of retention")]
pub struct InvalidMark;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    log_begins_with: u64,
    log_chain: String,
    delivered_since: Option<String>,
    fingerprint: String,
    signature: String,
}

impl Mark {
    fn to_sign(&self) -> String {
        let since = self.delivered_since.as_deref().unwrap_or("null");
        format!("keywright trail retention\n{}\n{}\n{since}", self.log_begins_with, self.log_chain)
    }
}

/// Reads a mark that one of these keys signed.
///
/// # Errors
/// It is no mark, or none of these keys signed it.
pub fn read_mark(text: &[u8], keys: &[PublicDigestKey]) -> Result<Kept, InvalidMark> {
    let mark: Mark = serde_json::from_slice(text).map_err(|_| InvalidMark)?;
    let key = keys.iter().find(|key| key.fingerprint == mark.fingerprint).ok_or(InvalidMark)?;
    let key = RsaVerifyingKey::from_pkcs1_der(&key.value).map_err(|_| InvalidMark)?;
    let signature = unhex(&mark.signature).ok_or(InvalidMark)?;
    if !key.verifies(mark.to_sign().as_bytes(), &signature) {
        return Err(InvalidMark);
    }
    let chain = mark.log_chain.parse().map_err(|_| InvalidMark)?;
    let since = mark.delivered_since.as_deref().map(str::parse).transpose().map_err(|_| InvalidMark)?;
    Ok(Kept { log: Head { next: mark.log_begins_with, chain }, delivered_since: since })
}

impl Retention {
    /// Removes what is older than it need be. `delivered` is where delivery has come to in the log.
    pub(super) async fn apply(
        &self,
        keys: &DigestKeys,
        log_folder: &Path,
        delivered: Position,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let (log_before, folder) = (days_before(now, self.log_days), log_folder.to_owned());
        let old = deliverer::blocking(move || old_segments(&folder, delivered, log_before)).await?;
        let files = match &self.delivered {
            Some((folder, days)) => {
                let (folder, before) = (folder.clone(), days_before(now, *days));
                Some((before, deliverer::blocking(move || old_files(&folder, before)).await?))
            }
            None => None,
        };
        let has_files = files.as_ref().is_some_and(|(_, files)| !files.is_empty());
        if old.is_none() && !has_files {
            return Ok(());
        }
        let before = self.present(keys).await?;
        let kept = Kept {
            log: old.as_ref().map_or(before.log, |(head, _)| *head),
            delivered_since: files.as_ref().map(|(since, _)| *since).max(before.delivered_since),
        };
        self.write(keys, kept, now).await?;
        let segments = old.map(|(_, paths)| paths).unwrap_or_default();
        let files = files.map(|(_, paths)| paths).unwrap_or_default();
        deliverer::blocking(move || remove(&segments, &files)).await
    }

    /// What the mark says now. One that is not ours says nothing.
    async fn present(&self, keys: &DigestKeys) -> Result<Kept, DeliveryError> {
        let Ok(text) = std::fs::read(&self.mark) else { return Ok(Kept::ALL) };
        let known = keys.all_public_keys().await?;
        Ok(read_mark(&text, &known).unwrap_or(Kept::ALL))
    }

    async fn write(&self, keys: &DigestKeys, kept: Kept, now: Timestamp) -> Result<(), DeliveryError> {
        let key = keys.signing(self.region, now, now).await?;
        let mut mark = Mark {
            log_begins_with: kept.log.next,
            log_chain: kept.log.chain.to_string(),
            delivered_since: kept.delivered_since.map(Timestamp::iso_extended),
            fingerprint: key.fingerprint.clone(),
            signature: String::new(),
        };
        mark.signature = key.sign(mark.to_sign()).await?;
        // Texts and numbers alone always have a form in JSON.
        let text = serde_json::to_vec_pretty(&mark).unwrap_or_default();
        let path = self.mark.clone();
        deliverer::blocking(move || replace_file(&path, &text)).await
    }
}

/// The beginning of the day so many days ago.
fn days_before(now: Timestamp, days: u32) -> Timestamp {
    let day = now.plus_days(-i64::from(days)).seconds().div_euclid(SECONDS_PER_DAY);
    Timestamp::from_seconds(day.saturating_mul(SECONDS_PER_DAY))
}

/// The segments that can go: all is delivered, and is older than `before`; and where the log begins then.
fn old_segments(
    folder: &Path,
    delivered: Position,
    before: Timestamp,
) -> io::Result<Option<(Head, Vec<PathBuf>)>> {
    let all = segments(folder)?;
    let mut old = None;
    for (segment, next) in all.iter().zip(all.iter().skip(1)) {
        let is_delivered = next.first <= delivered.head.next && segment.first < delivered.segment;
        // Events are in order: all of a segment are older than the first of the next one.
        if !is_delivered || first_time(next)?.is_none_or(|time| time >= before) {
            break;
        }
        let Some(head) = head_behind(segment)? else { break };
        let (_, mut paths) = old.unwrap_or((head, Vec::new()));
        paths.push(segment.path.clone());
        old = Some((head, paths));
    }
    Ok(old)
}

fn first_time(segment: &Segment) -> io::Result<Option<Timestamp>> {
    #[derive(Deserialize)]
    struct Line {
        event: Event,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        event_time: String,
    }
    let mut line = Vec::new();
    if !segment.lines(0)?.read(&mut line)? {
        return Ok(None);
    }
    let read: Option<Line> = serde_json::from_slice(&line).ok();
    Ok(read.and_then(|line| line.event.event_time.parse().ok()))
}

/// Where the log is behind the last line of a segment.
fn head_behind(segment: &Segment) -> io::Result<Option<Head>> {
    let mut lines = segment.lines(0)?;
    let (mut line, mut last) = (Vec::new(), Vec::new());
    while lines.read(&mut line)? {
        std::mem::swap(&mut line, &mut last);
    }
    Ok(Head::behind(&last))
}

/// Delivered files from before a moment.
fn old_files(folder: &Path, before: Timestamp) -> io::Result<Vec<PathBuf>> {
    let mut old = files_below(folder)?;
    old.retain(|path| {
        let name = path.strip_prefix(folder).ok().and_then(Path::to_str);
        let named = name.and_then(names::read);
        matches!(named, Some(Named::LogFile(_, time) | Named::Digest(_, _, time)) if time < before)
    });
    old.sort();
    Ok(old)
}

fn remove(segments: &[PathBuf], files: &[PathBuf]) -> io::Result<()> {
    for path in segments.iter().chain(files) {
        std::fs::remove_file(path)?;
        tracing::info!(path = %path.display(), "removed: older than the trail's retention");
        let mut metadata = path.clone().into_os_string();
        metadata.push(METADATA_SUFFIX);
        match std::fs::remove_file(metadata) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
