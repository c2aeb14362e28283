//! Delivered files of the trail in a bucket of any store that speaks the S3 protocol.

use std::time::Duration;

use async_trait::async_trait;
use audit::delivery::{Destination, DestinationError, Object};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, ObjectStore as _, PutOptions, PutPayload,
    RetryConfig,
};

use crate::bucket_client::{self, BucketError};
use crate::causes;
use crate::config::BucketChoice;

const SETTINGS: &str = "trail.delivery.s3";
/// One request, and all attempts together.
const REQUEST_MAX: Duration = Duration::from_secs(30);
const CONNECT_MAX: Duration = Duration::from_secs(5);
const ATTEMPTS_MAX: Duration = Duration::from_secs(60);
const RETRIES_MAX: usize = 3;

/// A bucket.
pub(crate) struct BucketDestination {
    client: AmazonS3,
    bucket: String,
}

impl BucketDestination {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// A file that is named cannot be used, or the settings do not fit together.
    pub(crate) fn new(bucket: &str, choice: &BucketChoice) -> Result<Self, BucketError> {
        let options = ClientOptions::new().with_timeout(REQUEST_MAX).with_connect_timeout(CONNECT_MAX);
        let client = bucket_client::builder(SETTINGS, bucket, choice, options)?
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: RETRIES_MAX,
                retry_timeout: ATTEMPTS_MAX,
            })
            .build()
            .map_err(|error| bucket_client::unusable(SETTINGS, bucket, &error))?;
        Ok(Self { client, bucket: bucket.to_owned() })
    }

    fn failed(&self, object: &Object, reason: String) -> DestinationError {
        DestinationError { object: object.name.clone(), destination: format!("s3://{}", self.bucket), reason }
    }
}

#[async_trait]
impl Destination for BucketDestination {
    async fn put(&self, object: &Object) -> Result<(), DestinationError> {
        let path = Path::parse(&object.name).map_err(|error| self.failed(object, error.to_string()))?;
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, "application/json".into());
        attributes.insert(Attribute::ContentEncoding, "gzip".into());
        for (name, value) in &object.metadata {
            attributes.insert(Attribute::Metadata((*name).into()), value.clone().into());
        }
        let options = PutOptions { attributes, ..PutOptions::default() };
        let put = self.client.put_opts(&path, PutPayload::from(object.content.clone()), options).await;
        put.map(|_| ()).map_err(|error| self.failed(object, causes::with_causes(&error)))
    }
}
