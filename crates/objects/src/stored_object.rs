//! Finding an object, and putting another in its place.

use base::Call;
use crypto::digest::sha256;
use store::{CommitError, Entry, Revision, Transaction, decode_record, encode_record};

use crate::blob::BlobName;
use crate::bucket::{Bucket, Facts};
use crate::conditions::judge_write;
use crate::encryption::Place;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::record::{Details, ObjectRecord};
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
        let details = self.domain_keys.open(&place.domain(), &binding(place), &record.details).await?;
        let details = serde_json::from_slice(details.expose());
        let details = details.map_err(|_| ObjectsError::Damaged("the details of an object"))?;
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

    /// Puts an object whose blob is there in the place of whatever lies under its key.
    ///
    /// # Errors
    /// A condition of the request does not hold, the bucket is gone, or the change cannot be committed.
    pub(crate) async fn commit_object(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        record: &ObjectRecord,
        headers: &Headers,
    ) -> Result<(), ObjectsError> {
        let (path, blob) = (paths::object(&bucket.name, key)?, record.blob()?);
        for _ in 0..ATTEMPTS_MAX {
            let bucket = self.bucket(call, bucket.name.as_str()).await?;
            let present = self.find_object(&bucket, key).await?;
            let tag = present.as_ref().map(|present| present.details.entity_tag.as_str());
            judge_write(headers, key.as_str(), tag)?;
            let transaction = expecting(bucket.entered()?, &path, present.as_ref())
                .put(path.clone(), encode_record(record)?)
                .put(paths::blob(&blob)?, paths::PRESENT.to_vec());
            let replaced = present.map(|present| present.record.blob()).transpose()?;
            if self.commit_and_drop(transaction, replaced).await? {
                return Ok(());
            }
        }
        Err(contention())
    }

    /// Takes the object under a key away; tells whether there was one.
    pub(crate) async fn remove_object(&self, bucket: &Bucket, key: &ObjectKey) -> Result<bool, ObjectsError> {
        let path = paths::object(&bucket.name, key)?;
        for _ in 0..ATTEMPTS_MAX {
            let Some(entry) = self.store.get(&path).await? else { return Ok(false) };
            let record: ObjectRecord = decode_record(&entry)?;
            let transaction =
                Transaction::new().expect_revision(path.clone(), entry.revision).delete(path.clone());
            if self.commit_and_drop(transaction, Some(record.blob()?)).await? {
                return Ok(true);
            }
        }
        Err(contention())
    }

    /// Commits a change after which `dropped` has no record any more, and deletes that blob. False if others were faster.
    async fn commit_and_drop(
        &self,
        transaction: Transaction,
        dropped: Option<BlobName>,
    ) -> Result<bool, ObjectsError> {
        let transaction = match &dropped {
            Some(blob) => transaction.delete(paths::blob(blob)?),
            None => transaction,
        };
        match self.store.commit(transaction).await {
            Ok(_) => {}
            Err(CommitError::Conflict { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if let Some(blob) = dropped
            && let Err(error) = self.blobs.delete(blob).await
        {
            tracing::warn!(%error, "a blob without a record stays until the next start");
        }
        Ok(true)
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
