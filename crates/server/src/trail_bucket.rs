//! Delivered files of the trail in a bucket of any store that speaks the S3 protocol.

use std::time::Duration;

use async_trait::async_trait;
use audit::delivery::{Destination, DestinationError, Object};
use base::SecretString;
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, Certificate, ClientOptions, ObjectStore as _, PutOptions,
    PutPayload, RetryConfig,
};

use crate::causes;
use crate::config::BucketChoice;

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

/// The bucket cannot be used as it is configured. Whether it is there shows at the first delivery.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BucketError {
    #[error("trail.delivery.s3: the file {path} cannot be used: {reason}")]
    File { path: String, reason: String },
    #[error("trail.delivery: the bucket {bucket} cannot be used: {reason}")]
    Client { bucket: String, reason: String },
}

impl BucketDestination {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// A file that is named cannot be used, or the settings do not fit together.
    pub(crate) fn new(bucket: &str, choice: &BucketChoice) -> Result<Self, BucketError> {
        let mut options = ClientOptions::new().with_timeout(REQUEST_MAX).with_connect_timeout(CONNECT_MAX);
        if let Some(path) = &choice.certificate_authority {
            let wrong = |reason: String| BucketError::File { path: path.display().to_string(), reason };
            let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
            let bundle = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
            options = bundle.into_iter().fold(options, ClientOptions::with_root_certificate);
        }
        let mut builder = match &choice.credentials {
            None => AmazonS3Builder::from_env(),
            Some((id, file)) => {
                let wrong = |error: std::io::Error| BucketError::File {
                    path: file.display().to_string(),
                    reason: error.to_string(),
                };
                let secret = SecretString::new(std::fs::read_to_string(file).map_err(wrong)?);
                AmazonS3Builder::new()
                    .with_access_key_id(id)
                    .with_secret_access_key(secret.expose().trim_end_matches(['\r', '\n']))
            }
        };
        if let Some(endpoint) = &choice.endpoint {
            builder = builder.with_endpoint(endpoint);
            options = options.with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some(region) = choice.region {
            builder = builder.with_region(region.as_str());
        }
        let client = builder
            .with_bucket_name(bucket)
            .with_virtual_hosted_style_request(!choice.path_style)
            // Buckets with object lock take no object without a checksum.
            .with_checksum_algorithm(Checksum::SHA256)
            .with_client_options(options)
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: RETRIES_MAX,
                retry_timeout: ATTEMPTS_MAX,
            })
            .build()
            .map_err(|error| BucketError::Client { bucket: bucket.to_owned(), reason: error.to_string() })?;
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
