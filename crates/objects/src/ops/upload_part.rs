//! UploadPart: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>

use base::Call;
use crypto::content::{Part, PartNonce};

use super::put_object::tell_checksum;
use crate::Objects;
use crate::body::{Body, PUT_MAX};
use crate::bucket::{Bucket, Facts};
use crate::checksum::ChecksumAlgorithm;
use crate::encryption::{CustomerKey, Place, check_part};
use crate::error::ObjectsError;
use crate::layers::ContentKeys;
use crate::multipart::{Upload, read_part_number};
use crate::object_key::ObjectKey;
use crate::record::{Details, PartRecord, owner_of};
use crate::request::{Answer, Headers, Query, Request};
use crate::upload::{Expected, FreshBlob, Source};

impl Objects {
    pub(crate) async fn upload_part(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let Request { headers, query, payload, body, .. } = request;
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_object(call, "PutObject", (&bucket, key), &Facts::default()).await?;
        let part = self.part_of(call, (&bucket, key), &headers, &query).await?;
        let expected = Expected::read(&headers)?.keeping(part.kept);
        let body = Source::Body(Body::new(&headers, payload, body, PUT_MAX)?);
        let (_, details) = self.write_part(call, (&bucket, key), &part, expected, body).await?;
        let answer = Answer::empty(200).header("etag", format!("\"{}\"", details.entity_tag));
        let answer = part.upload.record.encryption.tell(answer, part.customer.as_ref());
        Ok(match &details.checksum {
            Some(checksum) => tell_checksum(answer, checksum),
            None => answer,
        })
    }

    /// The part that a request is about, of an upload that takes it.
    ///
    /// # Errors
    /// There is no such upload, or it is under another key.
    pub(super) async fn part_of(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        headers: &Headers,
        query: &Query,
    ) -> Result<NewPart, ObjectsError> {
        let number = read_part_number(query.get("partNumber").unwrap_or_default())?;
        let upload = self.upload_of(bucket, key, query.get("uploadId").unwrap_or_default()).await?;
        let customer = CustomerKey::read(headers, self.keys_in_clear(call))?;
        check_part(headers, upload.record.encryption.is_customers(), customer.is_some())?;
        let kept = upload.record.checksum.as_deref().and_then(ChecksumAlgorithm::of_header);
        let place = Place { bucket, key, version: &upload.id };
        let unlocked = self.unlock(call, place, &upload.record.encryption, customer.as_ref()).await;
        let content_keys = unlocked.map_err(CustomerKey::another_for_part)?;
        Ok(NewPart { number, upload, customer, kept, content_keys })
    }

    /// Seals plaintext and puts it in the place of an earlier part of this number.
    ///
    /// # Errors
    /// The plaintext is not as expected, the upload is over, or something fails.
    pub(super) async fn write_part(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        new: &NewPart,
        expected: Expected,
        source: Source,
    ) -> Result<(PartRecord, Details), ObjectsError> {
        let (upload, number) = (&new.upload, new.number);
        let owner = owner_of(&upload.id)?;
        let part = Part { owner, number, nonce: PartNonce::draw(&*self.randomness)? };
        let blob = FreshBlob::new(self)?;
        let expected = expected.digested(upload.record.encryption.has_digest_as_tag());
        let uploaded = self.upload(source, &expected, (&new.content_keys, &part), &blob).await?;
        let entity_tag = self.entity_tag(uploaded.digest)?;
        let checksum = new.kept.map(|_| uploaded.checksum);
        let details = Details { entity_tag, checksum, ..Details::default() };
        let place = Place { bucket, key, version: &upload.id };
        let record = PartRecord {
            modified: call.time.millis(),
            size: uploaded.size,
            blob: blob.name.to_string(),
            nonce: part.nonce,
            details: self.seal_part_details(place, number, &details).await?,
        };
        if let Err(error) = self.commit_part(call, (bucket, key), &upload.id, number, &record).await {
            if matches!(error, ObjectsError::Refused(_)) {
                self.blobs.delete(blob.name).await?;
            }
            return Err(error);
        }
        Ok((record, details))
    }
}

/// A part that is about to be written.
pub(super) struct NewPart {
    number: u32,
    pub(super) upload: Upload,
    pub(super) customer: Option<CustomerKey>,
    /// The checksum that is kept of it.
    pub(super) kept: Option<ChecksumAlgorithm>,
    content_keys: ContentKeys,
}
