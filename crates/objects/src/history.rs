//! What lies under a key, and how a change of it leaves the versions.
//!
//! The object that is there now lies at the path of its key, as in a bucket without versions. All else lies beside it: earlier
//! objects and delete markers. A deletion leaves no object at that path.

use store::{Entry, Key, Range, Revision, Transaction, decode_record, encode_record};

use crate::bucket::Bucket;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::record::{ObjectRecord, StoredContents, blob_name};
use crate::stored_object::{Dropped, StoredObject};
use crate::version::{DeleteMarker, History, Standing, VersionId, VersionRecord, Versioning};
use crate::{Objects, paths};

/// A version that is not the object that is there now.
pub(crate) struct EarlierVersion {
    pub(crate) path: Key,
    pub(crate) revision: Revision,
    pub(crate) record: VersionRecord,
}

/// What lies under a key, as a change finds it.
pub(crate) struct UnderKey {
    pub(crate) current: Option<StoredObject>,
    history: Option<(History, Revision)>,
}

/// A change of what lies under a key, and what of it is nobody's any more.
pub(crate) struct Change<'a> {
    bucket: &'a Bucket,
    key: &'a ObjectKey,
    transaction: Transaction,
    history: History,
    pub(crate) dropped: Option<Dropped>,
}

/// What a deletion took away or left.
#[derive(Default)]
pub(crate) struct Removed {
    /// The version that is gone, or the delete marker that is there; nothing where no versions are kept.
    pub(crate) version_id: Option<String>,
    pub(crate) is_delete_marker: bool,
}

impl EarlierVersion {
    fn read(entry: &Entry) -> Result<Self, ObjectsError> {
        Ok(Self { path: entry.key.clone(), revision: entry.revision, record: decode_record(entry)? })
    }
}

impl Objects {
    /// What lies under a key, to be changed.
    pub(crate) async fn under_key(&self, bucket: &Bucket, key: &ObjectKey) -> Result<UnderKey, ObjectsError> {
        let history = match bucket.record.versioning {
            None => None,
            Some(_) => self.store.get(&paths::history(&bucket.name, key)?).await?,
        };
        let history = match history {
            Some(entry) => Some((decode_record(&entry)?, entry.revision)),
            None => None,
        };
        Ok(UnderKey { history, current: self.find_object(bucket, key).await? })
    }

    /// A version that is not the object that is there now.
    pub(crate) async fn earlier_version(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        id: &VersionId,
    ) -> Result<Option<EarlierVersion>, ObjectsError> {
        let ordinal = match id {
            VersionId::Own { ordinal, .. } => *ordinal,
            VersionId::Null => {
                let entry = self.store.get(&paths::history(&bucket.name, key)?).await?;
                let history = entry.as_ref().map(decode_record::<History>).transpose()?;
                let Some(ordinal) = history.and_then(|history| history.null) else { return Ok(None) };
                ordinal
            }
        };
        let entry = self.store.get(&paths::version(&bucket.name, key, ordinal)?).await?;
        let version = entry.as_ref().map(EarlierVersion::read).transpose()?;
        Ok(version.filter(|version| version.record.is(id)))
    }

    /// The newest versions of a key besides the object that is there now, the newest first.
    pub(crate) async fn newest_versions(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        most: usize,
    ) -> Result<Vec<EarlierVersion>, ObjectsError> {
        let range = Range::prefix(paths::versions_of_key(&bucket.name, key)).limit(most);
        self.store.range(range).await?.entries.iter().map(EarlierVersion::read).collect()
    }

    /// Puts an object in the place of the one that is there now, which stays as a version if versions are kept.
    pub(crate) async fn replacement<'a>(
        &self,
        transaction: Transaction,
        (bucket, key): (&'a Bucket, &'a ObjectKey),
        under: &UnderKey,
        record: &ObjectRecord,
    ) -> Result<(Change<'a>, ObjectRecord), ObjectsError> {
        let mut change = Change::begin(transaction, bucket, key, under)?;
        let record = ObjectRecord { standing: change.next_standing(), ..record.clone() };
        change.set_aside(under.current.as_ref())?;
        self.forget_null(&mut change).await?;
        let path = paths::object(&bucket.name, key)?;
        change.put(path, encode_record(&record)?);
        if let StoredContents::Whole { blob, .. } = &record.contents {
            let blob = paths::blob(&blob_name(blob)?)?;
            change.put(blob, paths::PRESENT.to_vec());
        }
        Ok((change, record))
    }

    /// Leaves no object under a key; where versions are kept, a delete marker says so. `None` if there is nothing to change.
    pub(crate) async fn removal<'a>(
        &self,
        transaction: Transaction,
        (bucket, key): (&'a Bucket, &'a ObjectKey),
        under: &UnderKey,
        now: i64,
    ) -> Result<Option<(Change<'a>, Removed)>, ObjectsError> {
        let keeps = bucket.record.versioning.is_some();
        if under.current.is_none() && !keeps {
            return Ok(None);
        }
        let mut change = Change::begin(transaction, bucket, key, under)?;
        let standing = change.next_standing();
        change.set_aside(under.current.as_ref())?;
        self.forget_null(&mut change).await?;
        change.delete(paths::object(&bucket.name, key)?);
        if !keeps {
            return Ok(Some((change, Removed::default())));
        }
        let version = format!("{:032x}", u128::from_be_bytes(self.random()?));
        let marker = DeleteMarker { version, standing, modified: now };
        let removed = Removed { version_id: Some(marker.id()), is_delete_marker: true };
        change.keep(VersionRecord::DeleteMarker(marker))?;
        Ok(Some((change, removed)))
    }

    /// Takes one version away for good. If it is the newest, the one before it is the object that is there now. `None` if
    /// there is no such version.
    pub(crate) async fn removal_of_version<'a>(
        &self,
        transaction: Transaction,
        (bucket, key): (&'a Bucket, &'a ObjectKey),
        under: &UnderKey,
        id: &VersionId,
    ) -> Result<Option<(Change<'a>, Removed)>, ObjectsError> {
        let mut change = Change::begin(transaction, bucket, key, under)?;
        let current = under.current.as_ref();
        let removed = |is_delete_marker| Removed { version_id: Some(id.to_string()), is_delete_marker };
        if let Some(current) = current.filter(|current| current.record.is(id)) {
            change.dropped = Some(Dropped::of(&current.record)?);
            let newest = self.newest_versions(bucket, key, 1).await?;
            if !change.bring_back(newest.first())? {
                change.delete(paths::object(&bucket.name, key)?);
            }
            return Ok(Some((change, removed(false))));
        }
        let Some(version) = self.earlier_version(bucket, key, id).await? else { return Ok(None) };
        change.take_away(&version)?;
        if current.is_none() {
            let newest = self.newest_versions(bucket, key, 2).await?;
            if newest.first().is_some_and(|newest| newest.path == version.path) {
                change.bring_back(newest.get(1))?;
            }
        }
        let is_delete_marker = matches!(version.record, VersionRecord::DeleteMarker(_));
        Ok(Some((change, removed(is_delete_marker))))
    }

    /// Where versions are kept no longer, what is written or deleted now replaces the version without an id.
    async fn forget_null(&self, change: &mut Change<'_>) -> Result<(), ObjectsError> {
        if change.bucket.record.versioning != Some(Versioning::Suspended) {
            return Ok(());
        }
        match self.earlier_version(change.bucket, change.key, &VersionId::Null).await? {
            Some(version) if change.history.null.is_some() => change.take_away(&version),
            Some(_) | None => Ok(()),
        }
    }
}

impl<'a> Change<'a> {
    /// All is as it was found, and its history goes on.
    fn begin(
        transaction: Transaction,
        bucket: &'a Bucket,
        key: &'a ObjectKey,
        under: &UnderKey,
    ) -> Result<Self, ObjectsError> {
        let mut transaction = expecting(
            transaction,
            paths::object(&bucket.name, key)?,
            under.current.as_ref().map(|current| current.revision),
        );
        let history = under.history.map_or_else(History::default, |(history, _)| history);
        if bucket.record.versioning.is_some() {
            let path = paths::history(&bucket.name, key)?;
            transaction = expecting(transaction, path, under.history.map(|(_, revision)| revision));
        }
        Ok(Self { bucket, key, transaction, history, dropped: None })
    }

    /// Of what is written now.
    fn next_standing(&mut self) -> Standing {
        let Some(versioning) = self.bucket.record.versioning else { return Standing::default() };
        let ordinal = self.history.next;
        self.history.next = ordinal.saturating_add(1);
        Standing { ordinal, has_id: versioning == Versioning::Enabled }
    }

    /// What was there until now becomes an earlier version, or is dropped if nothing keeps it.
    fn set_aside(&mut self, current: Option<&StoredObject>) -> Result<(), ObjectsError> {
        let Some(StoredObject { record, .. }) = current else { return Ok(()) };
        let is_kept = match self.bucket.record.versioning {
            None => false,
            Some(Versioning::Suspended) => record.standing.has_id,
            Some(Versioning::Enabled) => true,
        };
        if is_kept {
            return self.keep(VersionRecord::Object(Box::new(record.clone())));
        }
        self.dropped = Some(Dropped::of(record)?);
        Ok(())
    }

    /// Writes an earlier version or a delete marker.
    fn keep(&mut self, record: VersionRecord) -> Result<(), ObjectsError> {
        let Standing { ordinal, has_id } = record.standing();
        if !has_id {
            self.history.null = Some(ordinal);
        }
        let path = paths::version(&self.bucket.name, self.key, ordinal)?;
        self.put(path, encode_record(&record)?);
        Ok(())
    }

    /// Takes an earlier version away, with its contents.
    fn take_away(&mut self, version: &EarlierVersion) -> Result<(), ObjectsError> {
        if !version.record.standing().has_id {
            self.history.null = None;
        }
        self.expect(version);
        self.delete(version.path.clone());
        if let VersionRecord::Object(record) = &version.record {
            self.dropped = Some(Dropped::of(record)?);
        }
        Ok(())
    }

    /// The newest version that is left is the object that is there now, unless it is a delete marker. Tells whether it is.
    fn bring_back(&mut self, newest: Option<&EarlierVersion>) -> Result<bool, ObjectsError> {
        let Some(newest) = newest else {
            // Nothing is left to have a history.
            self.history = History::default();
            return Ok(false);
        };
        let VersionRecord::Object(record) = &newest.record else { return Ok(false) };
        if !record.standing.has_id {
            self.history.null = None;
        }
        self.expect(newest);
        self.delete(newest.path.clone());
        self.put(paths::object(&self.bucket.name, self.key)?, encode_record(&**record)?);
        Ok(true)
    }

    /// What is to be committed.
    pub(crate) fn finish(self) -> Result<(Transaction, Option<Dropped>), ObjectsError> {
        let Self { bucket, key, transaction, history, dropped } = self;
        if bucket.record.versioning.is_none() {
            return Ok((transaction, dropped));
        }
        let path = paths::history(&bucket.name, key)?;
        let transaction = match history == History::default() {
            true => transaction.delete(path),
            false => transaction.put(path, encode_record(&history)?),
        };
        Ok((transaction, dropped))
    }

    /// Tags and encryption of a version may change beside its history.
    fn expect(&mut self, version: &EarlierVersion) {
        let transaction = std::mem::take(&mut self.transaction);
        self.transaction = transaction.expect_revision(version.path.clone(), version.revision);
    }

    fn put(&mut self, path: Key, value: Vec<u8>) {
        self.transaction = std::mem::take(&mut self.transaction).put(path, value);
    }

    fn delete(&mut self, path: Key) {
        self.transaction = std::mem::take(&mut self.transaction).delete(path);
    }
}

fn expecting(transaction: Transaction, path: Key, revision: Option<Revision>) -> Transaction {
    match revision {
        Some(revision) => transaction.expect_revision(path, revision),
        None => transaction.expect_absent(path),
    }
}
