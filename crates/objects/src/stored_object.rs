//! Finding an object, and putting another in its place.

use base::Call;
use crypto::digest::sha256;
use store::{CommitError, Entry, Key, Revision, StoreError, Transaction, decode_record, encode_record};

use crate::blob::BlobName;
use crate::bucket::{Bucket, Facts};
use crate::conditions::{judge_write, matches, to_http_date};
use crate::contents::Shelf;
use crate::encryption::Place;
use crate::error::ObjectsError;
use crate::history::{Change, EarlierVersion, Removed, UnderKey};
use crate::object_access::ObjectAccess;
use crate::object_key::ObjectKey;
use crate::record::{Details, ObjectRecord, StoredContents, blob_name};
use crate::request::Headers;
use crate::version::{DeleteMarker, VersionId, VersionRecord};
use crate::{Objects, paths};

/// How often a change is tried against faster writers before it gives up.
const ATTEMPTS_MAX: u32 = 32;

/// An object that is there, or was.
pub(crate) struct StoredObject {
    pub(crate) record: ObjectRecord,
    pub(crate) details: Details,
    pub(crate) revision: Revision,
    path: Key,
    is_earlier: bool,
}

impl StoredObject {
    /// Whether another version is there now.
    pub(crate) fn is_earlier(&self) -> bool {
        self.is_earlier
    }

    /// Writes another record in the place of this one, whose contents stay.
    pub(crate) fn rewritten(
        &self,
        transaction: Transaction,
        record: &ObjectRecord,
    ) -> Result<Transaction, StoreError> {
        let transaction = transaction.expect_revision(self.path.clone(), self.revision);
        let value = match self.is_earlier {
            true => encode_record(&VersionRecord::Object(Box::new(record.clone())))?,
            false => encode_record(record)?,
        };
        Ok(transaction.put(self.path.clone(), value))
    }
}

/// What a request finds under a key.
enum Found {
    Object(Box<StoredObject>),
    DeleteMarker(DeleteMarker),
    Nothing,
}

impl Objects {
    /// The object that is under a key now, if there is one.
    pub(crate) async fn find_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
    ) -> Result<Option<StoredObject>, ObjectsError> {
        match self.store.get(&paths::object(&bucket.name, key)?).await? {
            Some(entry) => self.read_object(bucket, key, &entry).await.map(Some),
            None => Ok(None),
        }
    }

    /// The object in an entry of the store, which is there now.
    pub(crate) async fn read_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        entry: &Entry,
    ) -> Result<StoredObject, ObjectsError> {
        self.open_object((bucket, key), decode_record(entry)?, (entry.key.clone(), entry.revision), false)
            .await
    }

    /// An object of which the record has been read.
    pub(crate) async fn open_object(
        &self,
        (bucket, key): (&Bucket, &ObjectKey),
        record: ObjectRecord,
        (path, revision): (Key, Revision),
        is_earlier: bool,
    ) -> Result<StoredObject, ObjectsError> {
        let place = Place { bucket, key, version: &record.version };
        let details = self.open_details(place, &record.details).await?;
        Ok(StoredObject { record, details, revision, path, is_earlier })
    }

    /// The object under a key, or a version of it, for one who may have this access. Whoever may not list the bucket does not
    /// learn that there is none.
    ///
    /// # Errors
    /// The caller may not, or there is none; a delete marker is none.
    pub(crate) async fn object(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        version: Option<&VersionId>,
        (access, facts): (ObjectAccess, Facts),
    ) -> Result<StoredObject, ObjectsError> {
        let found = match version {
            None => self.find_latest(bucket, key).await?,
            Some(id) => self.find_version(bucket, key, id).await?,
        };
        let object = if let Found::Object(object) = &found { Some(&**object) } else { None };
        self.authorize_access(call, (bucket, key), version, access, (facts, object)).await?;
        let missing = match found {
            Found::Object(object) => return access.check_signed(call, &object).map(|()| *object),
            Found::DeleteMarker(marker) if version.is_some() => return Err(is_delete_marker(&marker)),
            Found::DeleteMarker(marker) => telling(ObjectsError::no_such_key(key.as_str()), &marker),
            Found::Nothing => match version {
                Some(id) => no_such_version(key, id),
                None => ObjectsError::no_such_key(key.as_str()),
            },
        };
        self.authorize_bucket(call, "ListBucket", bucket, &Facts::default()).await?;
        Err(missing)
    }

    async fn find_latest(&self, bucket: &Bucket, key: &ObjectKey) -> Result<Found, ObjectsError> {
        if let Some(object) = self.find_object(bucket, key).await? {
            return Ok(Found::Object(Box::new(object)));
        }
        if bucket.record.versioning.is_none() {
            return Ok(Found::Nothing);
        }
        let newest = self.newest_versions(bucket, key, 1).await?.into_iter().next();
        match newest {
            Some(newest) => self.found(bucket, key, newest).await,
            None => Ok(Found::Nothing),
        }
    }

    async fn find_version(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        id: &VersionId,
    ) -> Result<Found, ObjectsError> {
        // A version moves when others come or go: whoever looks again where it was at first does not miss it.
        for _ in 0..2 {
            let current = self.find_object(bucket, key).await?;
            if let Some(object) = current.filter(|object| object.record.is(id)) {
                return Ok(Found::Object(Box::new(object)));
            }
            if bucket.record.versioning.is_none() {
                break;
            }
            if let Some(version) = self.earlier_version(bucket, key, id).await? {
                return self.found(bucket, key, version).await;
            }
        }
        Ok(Found::Nothing)
    }

    async fn found(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        version: EarlierVersion,
    ) -> Result<Found, ObjectsError> {
        let EarlierVersion { path, revision, record } = version;
        match record {
            VersionRecord::DeleteMarker(marker) => Ok(Found::DeleteMarker(marker)),
            VersionRecord::Object(record) => {
                let object = self.open_object((bucket, key), *record, (path, revision), true).await?;
                Ok(Found::Object(Box::new(object)))
            }
        }
    }

    /// Opens what tells of an object.
    pub(crate) async fn open_details(
        &self,
        place: Place<'_>,
        sealed: &keyring::SealedUnderDomain,
    ) -> Result<Details, ObjectsError> {
        let details = self.domain_keys.open(&place.domain(), &binding(place), sealed).await?;
        serde_json::from_slice(details.expose())
            .map_err(|_| ObjectsError::Damaged("the details of an object"))
    }

    /// Seals what tells of an object.
    pub(crate) async fn seal_details(
        &self,
        place: Place<'_>,
        details: &Details,
    ) -> Result<keyring::SealedUnderDomain, ObjectsError> {
        let json =
            serde_json::to_vec(details).map_err(|_| ObjectsError::Bug("details have no form in JSON"))?;
        Ok(self.domain_keys.seal(&place.domain(), &binding(place), &json).await?)
    }

    /// Puts an object whose contents are there in the place of whatever lies under its key, and tells what it is then. The
    /// upload that it comes from, if it comes from one, ends with it.
    ///
    /// # Errors
    /// A condition of the request does not hold, the bucket is gone, or the change cannot be committed.
    pub(crate) async fn commit_object(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        record: &ObjectRecord,
        headers: &Headers,
        completed: Option<&(Key, Revision)>,
    ) -> Result<ObjectRecord, ObjectsError> {
        for _ in 0..ATTEMPTS_MAX {
            let bucket = self.bucket(call, bucket.name.as_str()).await?;
            let under = self.under_key(&bucket, key).await?;
            let tag = under.current.as_ref().map(|present| present.details.entity_tag.as_str());
            judge_write(headers, key.as_str(), tag)?;
            let transaction = ending(bucket.entered()?, completed);
            let (change, record) = self.replacement(transaction, (&bucket, key), &under, record).await?;
            if self.commit_versions(call, change).await? {
                return Ok(record);
            }
        }
        Err(contention())
    }

    /// Takes away what is under a key, or one version of it for good.
    ///
    /// # Errors
    /// A condition of the request does not hold, the bucket is gone, or the change cannot be committed.
    pub(crate) async fn remove_object(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        version: Option<&VersionId>,
        condition: Option<&str>,
    ) -> Result<Removed, ObjectsError> {
        for _ in 0..ATTEMPTS_MAX {
            let bucket = self.bucket(call, bucket.name.as_str()).await?;
            let under = self.under_key(&bucket, key).await?;
            if let Some(tags) = condition {
                self.judge_removal(tags, (&bucket, key), &under, version).await?;
            }
            let (transaction, place) = (bucket.left()?, (&bucket, key));
            let removal = match version {
                Some(id) => self.removal_of_version(transaction, place, &under, id).await?,
                None => self.removal(transaction, place, &under, call.time.millis()).await?,
            };
            let Some((change, removed)) = removal else {
                return Ok(Removed { version_id: version.map(ToString::to_string), ..Removed::default() });
            };
            if self.commit_versions(call, change).await? {
                return Ok(removed);
            }
        }
        Err(contention())
    }

    /// Refuses to delete what is not as the request says. What is not there is deleted already.
    async fn judge_removal(
        &self,
        tags: &str,
        (bucket, key): (&Bucket, &ObjectKey),
        under: &UnderKey,
        version: Option<&VersionId>,
    ) -> Result<(), ObjectsError> {
        let is_meant = |object: &&StoredObject| version.is_none_or(|id| object.record.is(id));
        let found = match (under.current.as_ref().filter(is_meant), version) {
            (None, Some(id)) => self.find_version(bucket, key, id).await?,
            (_, _) => Found::Nothing,
        };
        let earlier = if let Found::Object(object) = &found { Some(&**object) } else { None };
        match under.current.as_ref().filter(is_meant).or(earlier) {
            Some(object) if !matches(tags, &object.details.entity_tag) => {
                Err(ObjectsError::precondition_failed("If-Match"))
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn commit_versions(&self, call: &Call, change: Change<'_>) -> Result<bool, ObjectsError> {
        let (transaction, dropped) = change.finish()?;
        self.change_objects(call, transaction, dropped).await
    }

    /// Commits a change after which `dropped` has no record any more, and deletes it. False if others were faster.
    pub(crate) async fn commit_and_drop(
        &self,
        transaction: Transaction,
        dropped: Option<Dropped>,
    ) -> Result<bool, ObjectsError> {
        let transaction = match &dropped {
            Some(Dropped::Blob(blob)) => transaction.delete(paths::blob(blob)?),
            Some(Dropped::Parts(version)) => {
                transaction.put(paths::discarded(version)?, paths::PRESENT.to_vec())
            }
            None => transaction,
        };
        match self.store.commit(transaction).await {
            Ok(_) => {}
            Err(CommitError::Conflict { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let done = match dropped {
            Some(Dropped::Blob(blob)) => self.blobs.delete(blob).await.map_err(ObjectsError::from),
            Some(Dropped::Parts(version)) => self.delete_parts(&version).await,
            None => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "contents without a record stay until the next start");
        }
        Ok(true)
    }

    /// Where contents are read from.
    pub(crate) fn shelf(&self) -> Shelf {
        Shelf {
            store: std::sync::Arc::clone(&self.store),
            blobs: std::sync::Arc::clone(&self.blobs),
            readers: self.readers.clone(),
        }
    }
}

/// Contents that no record has any more.
pub(crate) enum Dropped {
    /// One blob.
    Blob(BlobName),
    /// All parts of this version.
    Parts(String),
}

impl Dropped {
    pub(crate) fn of(record: &ObjectRecord) -> Result<Self, ObjectsError> {
        Ok(match &record.contents {
            StoredContents::Whole { blob, .. } => Self::Blob(blob_name(blob)?),
            StoredContents::Parts { .. } => Self::Parts(record.version.clone()),
        })
    }
}

/// The upload at this path is as it was, and is gone afterwards.
pub(crate) fn ending(transaction: Transaction, upload: Option<&(store::Key, Revision)>) -> Transaction {
    match upload {
        Some((path, revision)) => transaction.expect_revision(path.clone(), *revision).delete(path.clone()),
        None => transaction,
    }
}

/// The answer to who asks for a delete marker by its id.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html>
fn is_delete_marker(marker: &DeleteMarker) -> ObjectsError {
    telling(ObjectsError::method_not_allowed(), marker)
        .with_header("allow", "DELETE")
        .with_header("last-modified", to_http_date(marker.modified()))
}

fn telling(error: ObjectsError, marker: &DeleteMarker) -> ObjectsError {
    error.with_header("x-amz-delete-marker", "true").with_header("x-amz-version-id", marker.id())
}

fn no_such_version(key: &ObjectKey, id: &VersionId) -> ObjectsError {
    ObjectsError::refused("NoSuchVersion", 404, "The specified version does not exist.")
        .with("Key", key.as_str())
        .with("VersionId", id.to_string())
}

fn binding(place: Place<'_>) -> crypto::Binding {
    place.binding("keywright object details")
}

/// Others change the same thing all the time.
pub(crate) fn contention() -> ObjectsError {
    let text = "A conflicting conditional operation is currently in progress against this resource. Please try again.";
    ObjectsError::refused("OperationAborted", 409, text)
}

/// S3's canonical id of an account, which is no secret: 64 hexadecimal digits.
pub(crate) fn canonical_user(account: base::AccountId) -> String {
    let digest = sha256(format!("keywright canonical user {account}").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
