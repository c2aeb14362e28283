//! Multipart uploads under way, and their parts.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use base::Call;
use crypto::Binding;
use store::{Entry, Key, Revision, Transaction, decode_record, encode_record};

use crate::blob::BlobName;
use crate::bucket::Bucket;
use crate::encryption::Place;
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::record::{Details, PartRecord, UploadRecord, blob_name};
use crate::stored_object::{Dropped, contention};
use crate::{Objects, paths};

/// How often a change is tried against faster writers before it gives up.
const ATTEMPTS_MAX: u32 = 32;

/// An upload that is under way.
pub(crate) struct Upload {
    /// Its id, which is the version that the object will have.
    pub(crate) id: String,
    pub(crate) record: UploadRecord,
    pub(crate) path: Key,
    pub(crate) revision: Revision,
}

/// A part that is there.
pub(crate) struct UploadedPart {
    pub(crate) number: u32,
    pub(crate) record: PartRecord,
    pub(crate) details: Details,
}

/// There is no such upload.
pub(crate) fn no_such_upload(id: &str) -> ObjectsError {
    let text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    ObjectsError::refused("NoSuchUpload", 404, text).with("UploadId", id)
}

/// The number that a request names.
///
/// # Errors
/// It is none from 1 to 10,000.
pub(crate) fn read_part_number(text: &str) -> Result<u32, ObjectsError> {
    let number = text.parse().ok().filter(|number| (1..=crate::contents::PARTS_MAX).contains(number));
    number.ok_or_else(|| {
        let fault = "Part number must be an integer between 1 and 10000, inclusive";
        ObjectsError::invalid_argument(fault, "partNumber", text)
    })
}

impl Objects {
    /// The upload of this id for this key.
    ///
    /// # Errors
    /// There is none.
    pub(crate) async fn upload_of(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        id: &str,
    ) -> Result<Upload, ObjectsError> {
        let is_id =
            id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if !is_id {
            return Err(no_such_upload(id));
        }
        let path = paths::upload(&bucket.name, key.as_str(), id)?;
        let entry = self.store.get(&path).await?.ok_or_else(|| no_such_upload(id))?;
        Ok(Upload { id: id.to_owned(), record: decode_record(&entry)?, path, revision: entry.revision })
    }

    /// Puts a part whose blob is there in the place of an earlier one of its number.
    ///
    /// # Errors
    /// The upload is over, or the change cannot be committed.
    pub(crate) async fn commit_part(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        id: &str,
        number: u32,
        record: &PartRecord,
    ) -> Result<(), ObjectsError> {
        let path = paths::part(id, number)?;
        for _ in 0..ATTEMPTS_MAX {
            let upload = self.upload_of(bucket, key, id).await?;
            if upload.record.is_completing {
                return Err(no_such_upload(id));
            }
            let present = self.store.get(&path).await?;
            let transaction = Transaction::new().expect_revision(upload.path, upload.revision);
            let transaction = match &present {
                Some(present) => transaction.expect_revision(path.clone(), present.revision),
                None => transaction.expect_absent(path.clone()),
            };
            let transaction = transaction
                .put(path.clone(), encode_record(record)?)
                .put(paths::blob(&record.blob()?)?, paths::PRESENT.to_vec());
            let replaced = present.as_ref().map(dropped_part).transpose()?;
            if self.change_objects(call, transaction, replaced).await? {
                return Ok(());
            }
        }
        Err(contention())
    }

    /// Ends an upload that is not completed, with all its parts.
    ///
    /// # Errors
    /// It is over already.
    pub(crate) async fn abort_upload(
        &self,
        call: &Call,
        bucket: &Bucket,
        key: &ObjectKey,
        id: &str,
    ) -> Result<(), ObjectsError> {
        for _ in 0..ATTEMPTS_MAX {
            let Upload { path, revision, .. } = self.upload_of(bucket, key, id).await?;
            let transaction = Transaction::new().expect_revision(path.clone(), revision).delete(path);
            if self.change_objects(call, transaction, Some(Dropped::Parts(id.to_owned()))).await? {
                return Ok(());
            }
        }
        Err(contention())
    }

    /// Lets parts come no more, or again.
    ///
    /// # Errors
    /// Others were faster.
    pub(crate) async fn set_completing(&self, upload: &mut Upload, is: bool) -> Result<(), ObjectsError> {
        let record = UploadRecord { is_completing: is, ..upload.record.clone() };
        let transaction = Transaction::new()
            .expect_revision(upload.path.clone(), upload.revision)
            .put(upload.path.clone(), encode_record(&record)?);
        upload.revision = self.store.commit(transaction).await.map_err(|error| match error {
            store::CommitError::Conflict { .. } => contention(),
            error @ (store::CommitError::TooLarge { .. }
            | store::CommitError::WrittenTwice { .. }
            | store::CommitError::Store(_)) => error.into(),
        })?;
        upload.record = record;
        Ok(())
    }

    /// Takes parts away that an upload does not complete with.
    pub(crate) async fn delete_part(&self, id: &str, part: &UploadedPart) -> Result<(), ObjectsError> {
        let dropped = Dropped::Blob(part.record.blob()?);
        let transaction = Transaction::new().delete(paths::part(id, part.number)?);
        self.commit_and_drop(transaction, Some(dropped)).await?;
        Ok(())
    }

    /// Seals what tells of a part.
    pub(crate) async fn seal_part_details(
        &self,
        place: Place<'_>,
        number: u32,
        details: &Details,
    ) -> Result<keyring::SealedUnderDomain, ObjectsError> {
        let json =
            serde_json::to_vec(details).map_err(|_| ObjectsError::Bug("details have no form in JSON"))?;
        Ok(self.domain_keys.seal(&place.domain(), &binding(place, number), &json).await?)
    }

    /// The part in an entry of the store.
    pub(crate) async fn read_part(
        &self,
        place: Place<'_>,
        entry: &Entry,
    ) -> Result<UploadedPart, ObjectsError> {
        let damaged = || ObjectsError::Damaged("a part of an upload");
        let number = paths::part_number(&entry.key).ok_or_else(damaged)?;
        let record: PartRecord = decode_record(entry)?;
        let details =
            self.domain_keys.open(&place.domain(), &binding(place, number), &record.details).await?;
        let details = serde_json::from_slice(details.expose()).map_err(|_| damaged())?;
        Ok(UploadedPart { number, record, details })
    }
}

fn binding(place: Place<'_>, number: u32) -> Binding {
    place.binding("keywright part details").part(&number.to_be_bytes())
}

fn dropped_part(entry: &Entry) -> Result<Dropped, ObjectsError> {
    let record: PartRecord = decode_record(entry)?;
    let blob: BlobName = blob_name(&record.blob)?;
    Ok(Dropped::Blob(blob))
}

/// The entity tag of an object in parts: MD5 over those of its parts, and their number.
pub(crate) fn entity_tag_of<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let (mut digest, mut count) = (crypto::legacy_digest::Md5::default(), 0_u32);
    for tag in parts {
        digest.update(&u128::from_str_radix(tag, 16).unwrap_or_default().to_be_bytes());
        count += 1;
    }
    format!("{:032x}-{count}", u128::from_be_bytes(digest.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entity_tag_is_the_digest_of_the_parts_digests_and_their_number() {
        let parts = ["900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e"];
        let mut digest = crypto::legacy_digest::Md5::default();
        for part in parts {
            let (pairs, _) = part.as_bytes().as_chunks::<2>();
            let bytes: Vec<u8> = pairs
                .iter()
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
            digest.update(&bytes);
        }
        let expected: String = digest.finish().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(entity_tag_of(parts.into_iter()), format!("{expected}-2"));
    }

    #[test]
    fn numbers_of_parts_go_from_one_to_ten_thousand() {
        assert_eq!(read_part_number("1").unwrap(), 1);
        assert_eq!(read_part_number("10000").unwrap(), 10_000);
        for bad in ["0", "10001", "-1", "x", ""] {
            assert_eq!(read_part_number(bad).unwrap_err().to_fault().code, "InvalidArgument");
        }
    }
}
