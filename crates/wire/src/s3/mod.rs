//! What S3 alone speaks: bodies in chunks of aws-chunked, and its XML.

mod chunked;
mod document;
mod requests;

pub use chunked::{Chunked, ChunkedFault, DATA_AT_ONCE_MAX};
pub use document::Document;
pub use requests::{
    BlockedEncryptions, BucketConfiguration, DELETED_AT_ONCE_MAX, EncryptionConfiguration, EncryptionDefault,
    EncryptionRule, MalformedXml, ObjectsToDelete, OneToDelete, PartToComplete, PartsToComplete,
    read_bucket_configuration, read_encryption_rule, read_objects_to_delete, read_parts_to_complete,
};

/// The XML namespace of S3's answers.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
