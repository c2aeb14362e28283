//! CreateMultipartUpload: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>

use base::Call;
use store::encode_record;
use wire::s3::Document;

use super::put_object::{is_not_offered, kept};
use crate::checksum::ChecksumAlgorithm;
use crate::encryption::{Place, Wanted};
use crate::error::ObjectsError;
use crate::layers::ContentKeys;
use crate::object_key::ObjectKey;
use crate::record::{Details, UploadRecord};
use crate::request::{Answer, Headers, Request};
use crate::stored_object::contention;
use crate::tags::Tags;
use crate::{Objects, paths};

impl Objects {
    pub(crate) async fn create_multipart_upload(
        &self,
        call: &Call,
        request: Request,
        (bucket, key): (&str, &ObjectKey),
    ) -> Result<Answer, ObjectsError> {
        let headers = request.headers;
        let bucket = self.bucket(call, bucket).await?;
        let tags = Tags::of_header(&headers)?;
        self.authorize_write(call, (&bucket, key), &headers, &tags).await?;
        if headers.beginning("x-amz-").any(|(header, value)| is_not_offered(header, value)) {
            return Err(ObjectsError::not_implemented());
        }
        let wanted = self.wanted(call, &headers, &bucket)?;
        let details = Details { tags, ..kept(&headers)? };
        let checksum = read_checksum(&headers, matches!(wanted, Wanted::Customer(_)))?;

        let id = format!("{:032x}", u128::from_be_bytes(self.random()?));
        let place = Place { bucket: &bucket, key, version: &id };
        let content_keys = ContentKeys::generate(&*self.randomness, wanted.has_two_layers())?;
        let record = UploadRecord {
            initiated: call.time.millis(),
            encryption: self.protect(call, place, &wanted, &content_keys).await?,
            details: self.seal_details(place, &details).await?,
            checksum: checksum.map(|(algorithm, _)| algorithm.header().to_owned()),
            is_composite: checksum.is_some_and(|(_, is_composite)| is_composite),
            is_completing: false,
        };
        let path = paths::upload(&bucket.name, key.as_str(), &id)?;
        let transaction = bucket.entered()?.expect_absent(path.clone()).put(path, encode_record(&record)?);
        if !self.change_objects(call, transaction, None).await? {
            return Err(contention());
        }
        let mut document = Document::new("InitiateMultipartUploadResult");
        document.text("Bucket", bucket.name.as_str()).text("Key", key.as_str()).text("UploadId", &id);
        let mut answer = Answer::xml(document.finish());
        if let Some((algorithm, is_composite)) = checksum {
            answer = answer
                .header("x-amz-checksum-algorithm", algorithm.name())
                .header("x-amz-checksum-type", if is_composite { "COMPOSITE" } else { "FULL_OBJECT" });
        }
        Ok(wanted.tell_context(record.encryption.tell(answer, wanted.customer())))
    }
}

/// The checksum of the parts, and whether that of the object is one of these. With a customer's key there is none.
fn read_checksum(
    headers: &Headers,
    is_customers: bool,
) -> Result<Option<(ChecksumAlgorithm, bool)>, ObjectsError> {
    let invalid = |text: &str| ObjectsError::bad("InvalidRequest", text);
    let algorithm = match headers.get("x-amz-checksum-algorithm") {
        Some(name) => {
            ChecksumAlgorithm::of_name(name).ok_or_else(|| {
                invalid("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
            })?
        }
        None => ChecksumAlgorithm::Crc64nvme,
    };
    let is_composite = match headers.get("x-amz-checksum-type") {
        None => algorithm != ChecksumAlgorithm::Crc64nvme,
        Some("COMPOSITE") if algorithm != ChecksumAlgorithm::Crc64nvme => true,
        Some("FULL_OBJECT") if algorithm.joins() => false,
        Some(other) => {
            return Err(invalid(&format!(
                "The {other} checksum type cannot be used with the {} checksum algorithm.",
                algorithm.name().to_ascii_lowercase()
            )));
        }
    };
    Ok((!is_customers).then_some((algorithm, is_composite)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_the_kinds_that_it_can_have() {
        let read = |algorithm: Option<&str>, kind: Option<&str>| {
            let pairs = [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)];
            let pairs = pairs.iter().filter_map(|(name, value)| Some((*name, (*value)?.as_bytes())));
            read_checksum(&Headers::new(pairs), false).ok().flatten().map(|(_, is_composite)| is_composite)
        };
        assert_eq!(read(None, None), Some(false));
        assert_eq!(read(Some("CRC32"), None), Some(true));
        assert_eq!(read(Some("CRC32"), Some("FULL_OBJECT")), Some(false));
        assert_eq!(read(Some("SHA256"), Some("COMPOSITE")), Some(true));
        assert_eq!(read(Some("SHA256"), Some("FULL_OBJECT")), None);
        assert_eq!(read(Some("CRC64NVME"), Some("COMPOSITE")), None);
        assert_eq!(read(Some("MD5"), None), None);
        assert_eq!(read_checksum(&Headers::default(), true).unwrap(), None);
    }
}
