//! A client of a bucket in any store that speaks the S3 protocol, as the configuration describes it.

use std::path::Path;

use base::SecretString;
use object_store::aws::{AmazonS3Builder, Checksum};
use object_store::{Certificate, ClientOptions};

use crate::config::BucketChoice;

/// The bucket cannot be used as it is configured. Whether it is there shows when it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BucketError {
    #[error("{settings}: the file {path} cannot be used: {reason}")]
    File { settings: &'static str, path: String, reason: String },
    #[error("{settings}: the bucket {bucket} cannot be used: {reason}")]
    Client { settings: &'static str, bucket: String, reason: String },
}

/// Begins a client, which connects to nothing yet; `settings` is where in the configuration it is described.
///
/// # Errors
/// A file that is named cannot be used.
pub(crate) fn builder(
    settings: &'static str,
    bucket: &str,
    choice: &BucketChoice,
    mut options: ClientOptions,
) -> Result<AmazonS3Builder, BucketError> {
    let wrong = |path: &Path, reason: String| BucketError::File {
        settings,
        path: path.display().to_string(),
        reason,
    };
    if let Some(path) = &choice.certificate_authority {
        let pem = std::fs::read(path).map_err(|error| wrong(path, error.to_string()))?;
        let bundle = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(path, error.to_string()))?;
        options = bundle.into_iter().fold(options, ClientOptions::with_root_certificate);
    }
    let mut builder = match &choice.credentials {
        None => AmazonS3Builder::from_env(),
        Some((id, file)) => {
            let secret = std::fs::read_to_string(file).map_err(|error| wrong(file, error.to_string()))?;
            let secret = SecretString::new(secret);
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
    Ok(builder
        .with_bucket_name(bucket)
        .with_virtual_hosted_style_request(!choice.path_style)
        // Buckets with object lock take no object without a checksum.
        .with_checksum_algorithm(Checksum::SHA256)
        .with_client_options(options))
}

/// The text of what cannot be built.
pub(crate) fn unusable(settings: &'static str, bucket: &str, error: &object_store::Error) -> BucketError {
    BucketError::Client { settings, bucket: bucket.to_owned(), reason: error.to_string() }
}
