//! Finding an object, and putting another in its place.

use base::Call;
use crypto::digest::sha256;
use store::{CommitError, Entry, Revision, Transaction, decode_record, encode_record};

use crate::blob::BlobName;
use crate::bucket::{Bucket, Facts};
use crate::conditions::judge_write;
use crate::contents::Shelf;
use crate::encryption::Place;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::record::{Details, ObjectRecord, StoredContents, StoredEncryption, blob_name};
use crate::request::Headers;
use crate::{Objects, paths};

/// How often a change is tried against faster writers before it gives up.
const ATTEMPTS_MAX: u32 = 32;

/// An object that is there.
pub(crate) struct StoredObject {
    pub(crate) record: ObjectRecord,
    pub(crate) details: Details,
    revision: Revision,
}

impl Objects {
    /// The object under a key, if there is one.
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

    /// The object in an entry of the store.
    pub(crate) async fn read_object(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        entry: &Entry,
    ) -> Result<StoredObject, ObjectsError> {
        let record: ObjectRecord = decode_record(entry)?;
        let place = Place { bucket, key, version: &record.version };
        let details = self.open_details(place, &record.details).await?;
        Ok(StoredObject { record, details, revision: entry.revision })
    }

    /// The object under a key. Whoever may not list the bucket does not learn that there is none.
    ///
    /// # Errors
    /// There is none.
    pub(crate) async fn object(
        &self,
        call: &Call,
        bucket: &Bucket,
        key: &ObjectKey,
    ) -> Result<StoredObject, ObjectsError> {
        if let Some(object) = self.find_object(bucket, key).await? {
            return Ok(object);
        }
        self.authorize_bucket(call, "ListBucket", bucket, &Facts::default()).await?;
        Err(ObjectsError::no_such_key(key.as_str()))
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

    /// Puts an object whose contents are there in the place of whatever lies under its key. The upload that it comes
    /// from, if it comes from one, ends with it.
    ///
    /// # Errors
    /// A condition of the request does not hold, the bucket is gone, or the change cannot be committed.
    pub(crate) async fn commit_object(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        record: &ObjectRecord,
        headers: &Headers,
        completed: Option<&(store::Key, Revision)>,
    ) -> Result<(), ObjectsError> {
        let path = paths::object(&bucket.name, key)?;
        for _ in 0..ATTEMPTS_MAX {
            let bucket = self.bucket(call, bucket.name.as_str()).await?;
            let present = self.find_object(&bucket, key).await?;
            let tag = present.as_ref().map(|present| present.details.entity_tag.as_str());
            judge_write(headers, key.as_str(), tag)?;
            let transaction = expecting(ending(bucket.entered()?, completed), &path, present.as_ref())
                .put(path.clone(), encode_record(record)?);
            let transaction = match &record.contents {
                StoredContents::Whole { blob, .. } => {
                    transaction.put(paths::blob(&blob_name(blob)?)?, paths::PRESENT.to_vec())
                }
                StoredContents::Parts { .. } => transaction,
            };
            let replaced = present.map(|present| Dropped::of(&present.record)).transpose()?;
            if self.change_objects(call, transaction, replaced).await? {
                return Ok(());
            }
        }
        Err(contention())
    }

    /// Puts other seals around the key of an object's contents, which stay where they are. False if others changed the
    /// object meanwhile.
    pub(crate) async fn replace_encryption(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        object: &StoredObject,
        encryption: StoredEncryption,
    ) -> Result<bool, ObjectsError> {
        let path = paths::object(&bucket.name, key)?;
        let record = ObjectRecord { encryption, ..object.record.clone() };
        let transaction = Transaction::new()
            .expect_revision(path.clone(), object.revision)
            .put(path, encode_record(&record)?);
        self.change_objects(call, transaction, None).await
    }

    /// Takes the object under a key away; tells whether there was one.
    pub(crate) async fn remove_object(
        &self,
        call: &Call,
        bucket: &Bucket,
        key: &ObjectKey,
    ) -> Result<bool, ObjectsError> {
        let path = paths::object(&bucket.name, key)?;
        for _ in 0..ATTEMPTS_MAX {
            let Some(entry) = self.store.get(&path).await? else { return Ok(false) };
            let record: ObjectRecord = decode_record(&entry)?;
            let transaction =
                Transaction::new().expect_revision(path.clone(), entry.revision).delete(path.clone());
            if self.change_objects(call, transaction, Some(Dropped::of(&record)?)).await? {
                return Ok(true);
            }
        }
        Err(contention())
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
    fn of(record: &ObjectRecord) -> Result<Self, ObjectsError> {
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

fn expecting(transaction: Transaction, path: &store::Key, present: Option<&StoredObject>) -> Transaction {
    match present {
        Some(present) => transaction.expect_revision(path.clone(), present.revision),
        None => transaction.expect_absent(path.clone()),
    }
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
