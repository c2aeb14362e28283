//! What policies may ask about a write.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>

use base::Call;

use crate::Objects;
use crate::bucket::Facts;
use crate::encryption::AWS_MANAGED_KEY;
use crate::error::ObjectsError;
use crate::request::Headers;

const ALGORITHM: &str = "x-amz-server-side-encryption";
const KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";

/// Condition keys that are what a header says.
const OF_HEADERS: [(&str, &str); 7] = [
    ("s3:x-amz-server-side-encryption", ALGORITHM),
    ("s3:x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-algorithm"),
    ("s3:x-amz-acl", "x-amz-acl"),
    ("s3:x-amz-storage-class", "x-amz-storage-class"),
    ("s3:x-amz-content-sha256", "x-amz-content-sha256"),
    ("s3:if-none-match", "if-none-match"),
    ("s3:if-match", "if-match"),
];

impl Objects {
    /// What policies may ask about a request that writes an object. A KMS key is there by its ARN, however the request names
    /// it, and also if it asks for KMS and names none.
    ///
    /// # Errors
    /// The key service fails.
    pub(crate) async fn facts_of_write(&self, call: &Call, headers: &Headers) -> Result<Facts, ObjectsError> {
        let key = match named(headers) {
            Some(named) => {
                let arn = self.data_keys.arn_of(call, named).await?;
                // The managed key that is not there yet has no ARN; what else nobody has is seen as it is named.
                arn.or_else(|| (named != AWS_MANAGED_KEY).then(|| named.to_owned()))
            }
            None => None,
        };
        let facts = Facts::default().with("s3:x-amz-server-side-encryption-aws-kms-key-id", key.as_deref());
        Ok(OF_HEADERS.iter().fold(facts, |facts, (key, header)| facts.with(key, headers.get(header))))
    }
}

/// The KMS key that a request asks for.
fn named(headers: &Headers) -> Option<&str> {
    let asks_for_kms = || headers.get(ALGORITHM).is_some_and(|algorithm| algorithm.starts_with("aws:kms"));
    headers.get(KEY_ID).or_else(|| asks_for_kms().then_some(AWS_MANAGED_KEY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_kms_without_a_key_means_the_managed_one() {
        let named = |sent: &[(&str, &str)]| {
            let headers = Headers::new(sent.iter().map(|(name, value)| (*name, value.as_bytes())));
            named(&headers).map(str::to_owned)
        };
        for algorithm in ["aws:kms", "aws:kms:dsse"] {
            assert_eq!(named(&[(ALGORITHM, algorithm)]).as_deref(), Some("alias/aws/s3"));
            assert_eq!(named(&[(ALGORITHM, algorithm), (KEY_ID, "k")]).as_deref(), Some("k"));
        }
        assert_eq!(named(&[(ALGORITHM, "AES256")]), None);
        assert_eq!(named(&[]), None);
    }
}
