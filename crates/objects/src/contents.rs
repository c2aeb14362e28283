//! The contents of an object as they are read: opened chunk by chunk, part after part.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::SecretBytes;
use crypto::content::{Part, PartNonce};
use store::{Store, decode_record};

use crate::blob::{BlobName, BlobReader, Blobs};
use crate::error::ObjectsError;
use crate::layers::{ContentKeys, LayeredOpener};
use crate::paths;
use crate::record::{ObjectRecord, PartRecord, StoredContents, blob_name, owner_of};

/// The most parts of an object.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub(crate) const PARTS_MAX: u32 = 10_000;

/// Versions whose parts are being read, and by how many. Their parts stay until nobody reads them.
#[derive(Clone, Default)]
pub(crate) struct Readers(Arc<Mutex<HashMap<String, usize>>>);

/// Somebody who reads the parts of a version.
struct Reader {
    readers: Readers,
    version: String,
}

/// Where the contents of objects are read from.
pub(crate) struct Shelf {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) readers: Readers,
}

/// A range of an object's contents. It holds some hundred KiB, however long the range is.
pub struct Contents {
    shelf: Shelf,
    keys: ContentKeys,
    version: String,
    segments: VecDeque<Segment>,
    open: Option<Open>,
    _reader: Reader,
}

/// A range of one part.
struct Segment {
    number: u32,
    size: u64,
    from: u64,
    to: u64,
    /// Where it lies, if that is known already.
    place: Option<(BlobName, PartNonce)>,
}

/// A part that is being read.
struct Open {
    opener: LayeredOpener,
    reader: Box<dyn BlobReader>,
    sealed: Vec<u8>,
    taken: usize,
}

impl Contents {
    /// The bytes `from` to `to` (not included) of an object, of which the first part is there to be read.
    ///
    /// # Errors
    /// What is stored makes no sense, or cannot be read.
    pub(crate) async fn open(
        shelf: Shelf,
        keys: ContentKeys,
        record: &ObjectRecord,
        (from, to): (u64, u64),
    ) -> Result<Self, ObjectsError> {
        let version = record.version.clone();
        let reader = shelf.readers.enter(&version);
        let segments = segments(record, from, to)?;
        let mut contents = Self { shelf, keys, version, segments, open: None, _reader: reader };
        contents.open_next().await?;
        Ok(contents)
    }

    /// The next plaintext; `None` once the range is complete.
    ///
    /// # Errors
    /// What is stored is not what was written, or cannot be read. What was given before is right all the same, and the
    /// answer must be cut off.
    pub async fn next(&mut self) -> Result<Option<SecretBytes>, ObjectsError> {
        loop {
            if let Some(open) = &mut self.open
                && let Some(plaintext) = open.next().await?
            {
                return Ok(Some(plaintext));
            }
            if !self.open_next().await? {
                return Ok(None);
            }
        }
    }

    async fn open_next(&mut self) -> Result<bool, ObjectsError> {
        let Some(Segment { number, size, from, to, place }) = self.segments.pop_front() else {
            return Ok(false);
        };
        let (blob, nonce) = match place {
            Some(place) => place,
            None => self.place_of(number, size).await?,
        };
        let part = Part { owner: owner_of(&self.version)?, number, nonce };
        let opener = self.keys.opener(&part, size, from, to);
        let opener = opener.map_err(|_| ObjectsError::Damaged("the length of a part"))?;
        let reader = self.shelf.blobs.read(blob, opener.sealed_range()).await?;
        self.open = Some(Open { opener, reader, sealed: Vec::new(), taken: 0 });
        Ok(true)
    }

    async fn place_of(&self, number: u32, size: u64) -> Result<(BlobName, PartNonce), ObjectsError> {
        let entry = self.shelf.store.get(&paths::part(&self.version, number)?).await?;
        let entry = entry.ok_or(ObjectsError::Gone)?;
        let part: PartRecord = decode_record(&entry)?;
        if part.size != size {
            return Err(ObjectsError::Damaged("a part of an object has another size"));
        }
        Ok((part.blob()?, part.nonce))
    }
}

impl Open {
    async fn next(&mut self) -> Result<Option<SecretBytes>, ObjectsError> {
        loop {
            let mut input = self.sealed.get(self.taken..).unwrap_or_default();
            let opened = self.opener.open(&mut input).map_err(|_| ObjectsError::Damaged("a chunk"))?;
            self.taken = self.sealed.len() - input.len();
            if opened.is_some() {
                return Ok(opened);
            }
            match self.reader.next().await? {
                Some(sealed) => (self.sealed, self.taken) = (sealed, 0),
                None if self.opener.is_complete() => return Ok(None),
                None => return Err(ObjectsError::Damaged("a blob is cut short")),
            }
        }
    }
}

/// What of which part is in the range. A range of nothing still opens the first part, which must say so.
fn segments(record: &ObjectRecord, from: u64, to: u64) -> Result<VecDeque<Segment>, ObjectsError> {
    let runs = match &record.contents {
        StoredContents::Whole { blob, nonce } => {
            let place = Some((blob_name(blob)?, *nonce));
            return Ok(VecDeque::from([Segment { number: 0, size: record.size, from, to, place }]));
        }
        StoredContents::Parts { runs } => runs,
    };
    if runs.iter().map(|run| u64::from(run.count)).sum::<u64>() > u64::from(PARTS_MAX) {
        return Err(ObjectsError::Damaged("the number of parts"));
    }
    let (mut segments, mut start) = (VecDeque::new(), 0_u64);
    for run in runs {
        for number in run.first..run.first.saturating_add(run.count) {
            let end = start.saturating_add(run.size);
            let is_first = segments.is_empty() && record.size == 0;
            if (start < to && from < end) || is_first {
                let (from, to) = (from.saturating_sub(start), to.min(end).saturating_sub(start));
                segments.push_back(Segment { number, size: run.size, from, to, place: None });
            }
            start = end;
        }
    }
    if start == record.size { Ok(segments) } else { Err(ObjectsError::Damaged("the sizes of parts")) }
}

impl Readers {
    /// Whether somebody reads the parts of a version.
    pub(crate) fn are_at(&self, version: &str) -> bool {
        self.counts().contains_key(version)
    }

    fn enter(&self, version: &str) -> Reader {
        *self.counts().entry(version.to_owned()).or_default() += 1;
        Reader { readers: self.clone(), version: version.to_owned() }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut counts = self.readers.counts();
        if let Some(count) = counts.get_mut(&self.version) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.version);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use keyring::SealedUnderDomain;

    use super::*;
    use crate::record::{Run, StoredEncryption};

    pub(crate) fn record(runs: &[(u32, u32, u64)], size: u64) -> ObjectRecord {
        let bytes = [vec![0, 0, 0, 1, 1], vec![0; 44]].concat();
        let sealed = SealedUnderDomain::from_bytes(&bytes).unwrap();
        let runs = runs.iter().map(|(first, count, size)| Run { first: *first, count: *count, size: *size });
        ObjectRecord {
            version: "0".repeat(32),
            standing: crate::version::Standing::default(),
            modified: 0,
            size,
            contents: StoredContents::Parts { runs: runs.collect() },
            encryption: StoredEncryption::Service { key: sealed.clone() },
            details: sealed,
        }
    }

    fn read(runs: &[(u32, u32, u64)], size: u64, from: u64, to: u64) -> Option<Vec<(u32, u64, u64)>> {
        let segments = segments(&record(runs, size), from, to).ok()?;
        Some(segments.iter().map(|segment| (segment.number, segment.from, segment.to)).collect())
    }

    #[test]
    fn a_range_reads_only_the_parts_that_it_touches() {
        let runs = [(1, 3, 10), (7, 1, 4)];
        assert_eq!(read(&runs, 34, 0, 34).unwrap(), [(1, 0, 10), (2, 0, 10), (3, 0, 10), (7, 0, 4)]);
        assert_eq!(read(&runs, 34, 9, 11).unwrap(), [(1, 9, 10), (2, 0, 1)]);
        assert_eq!(read(&runs, 34, 33, 34).unwrap(), [(7, 3, 4)]);
        assert_eq!(read(&runs, 34, 10, 20).unwrap(), [(2, 0, 10)]);
        assert_eq!(read(&[(1, 1, 0)], 0, 0, 0).unwrap(), [(1, 0, 0)]);
        assert_eq!(read(&[(1, 2, u64::MAX)], 34, 0, 34), None);
        assert_eq!(read(&runs, 35, 0, 35), None);
    }

    #[test]
    fn a_version_is_read_until_its_last_reader_leaves() {
        let readers = Readers::default();
        let (one, other) = (readers.enter("v"), readers.enter("v"));
        drop(one);
        assert!(readers.are_at("v") && !readers.are_at("w"));
        drop(other);
        assert!(!readers.are_at("v"));
    }
}
