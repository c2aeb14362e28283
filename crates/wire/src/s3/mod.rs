//! What S3 alone speaks: bodies in chunks of aws-chunked, and its XML.

mod chunked;
mod document;
mod encryption;
mod listing;
mod requests;

pub use chunked::{Chunked, ChunkedFault, DATA_AT_ONCE_MAX};
pub use document::Document;
pub use encryption::{
    BlockedEncryptionTypes, EncryptionByDefault, EncryptionRule, ObjectEncryption, ObjectEncryptionUnderKms,
    read_encryption_rule, read_object_encryption,
};
pub use listing::{ErrorAnswer, ListedVersion, VersionListing, read_error, read_versions};
pub use requests::{
    BucketConfiguration, DELETED_AT_ONCE_MAX, MalformedXml, ObjectsToDelete, OneToDelete, PartToComplete,
    PartsToComplete, VersioningConfiguration, read_bucket_configuration, read_objects_to_delete,
    read_parts_to_complete, read_versioning_configuration,
};

/// The XML namespace of S3's answers.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
