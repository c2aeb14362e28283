//! UploadPart: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>

use base::Call;
use crypto::content::{Part, PartNonce};

use super::put_object::tell_checksum;
use crate::Objects;
use crate::body::{Body, PUT_MAX};
use crate::bucket::Facts;
use crate::checksum::ChecksumAlgorithm;
use crate::encryption::{CustomerKey, Place, check_part};
use crate::error::ObjectsError;
use crate::multipart::read_part_number;
use crate::object_key::ObjectKey;
use crate::record::{Details, PartRecord, owner_of};
use crate::request::{Answer, Request};
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
        let number = read_part_number(query.get("partNumber").unwrap_or_default())?;
        let upload = self.upload_of(&bucket, key, query.get("uploadId").unwrap_or_default()).await?;
        let customer = CustomerKey::read(&headers, call.is_secure(), self.takes_customer_keys_in_clear)?;
        check_part(&headers, upload.record.encryption.is_customers(), customer.is_some())?;
        let kept = upload.record.checksum.as_deref().and_then(ChecksumAlgorithm::of_header);
        let expected = Expected::read(&headers)?.keeping(kept);
        let body = Body::new(&headers, payload, body, PUT_MAX)?;

        let place = Place { bucket: &bucket, key, version: &upload.id };
        let unlocked = self.unlock(call, place, &upload.record.encryption, customer.as_ref()).await;
        let content_key = unlocked.map_err(CustomerKey::another_for_part)?;
        let owner = owner_of(&upload.id)?;
        let part = Part { owner, number, nonce: PartNonce::draw(&*self.randomness)? };
        let blob = FreshBlob::new(self)?;
        let uploaded = self.upload(Source::Body(body), &expected, (&content_key, &part), &blob).await?;
        let entity_tag = self.entity_tag(&upload.record.encryption, uploaded.md5)?;
        let checksum = kept.map(|_| uploaded.checksum);
        let details = Details { entity_tag, checksum, ..Details::default() };
        let record = PartRecord {
            modified: call.time.millis(),
            size: uploaded.size,
            blob: blob.name.to_string(),
            nonce: part.nonce,
            details: self.seal_part_details(place, number, &details).await?,
        };
        if let Err(error) = self.commit_part((&bucket, key), &upload.id, number, &record).await {
            if matches!(error, ObjectsError::Refused(_)) {
                self.blobs.delete(blob.name).await?;
            }
            return Err(error);
        }
        let answer = Answer::empty(200).header("etag", format!("\"{}\"", details.entity_tag));
        let answer = upload.record.encryption.tell(answer, customer.as_ref());
        Ok(match &details.checksum {
            Some(checksum) => tell_checksum(answer, checksum),
            None => answer,
        })
    }
}
