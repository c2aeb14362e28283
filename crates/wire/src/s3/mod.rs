//! What S3 alone speaks: bodies in chunks of aws-chunked, forms of browsers, and its XML.

mod chunked;
mod cors;
mod document;
mod encryption;
mod form_data;
mod lifecycle;
mod listing;
mod post_policy;
mod public_access;
mod requests;
mod tags;

pub use chunked::{Chunked, ChunkedFault, DATA_AT_ONCE_MAX};
pub use cors::{CorsRule, read_cors, write_cors};
pub use document::Document;
pub use encryption::{
    BlockedEncryptionTypes, EncryptionByDefault, EncryptionRule, ObjectEncryption, ObjectEncryptionUnderKms,
    read_encryption_rule, read_object_encryption,
};
pub use form_data::{FIELDS_MAX, FileReader, Form, FormFault, FormReader};
pub use lifecycle::{
    AbortIncompleteMultipartUpload, LifecycleConditions, LifecycleExpiration, LifecycleFilter, LifecycleRule,
    NoncurrentVersionExpiration, Transition, read_lifecycle, write_lifecycle,
};
pub use listing::{ErrorAnswer, ListedVersion, VersionListing, read_error, read_versions};
pub use post_policy::{InvalidPostPolicy, PostPolicy, PostPolicyFault};
pub use public_access::{PublicAccessFlags, read_public_access_block};
pub use requests::{
    BucketConfiguration, DELETED_AT_ONCE_MAX, MalformedXml, ObjectsToDelete, OneToDelete, PartToComplete,
    PartsToComplete, VersioningConfiguration, read_bucket_configuration, read_objects_to_delete,
    read_parts_to_complete, read_versioning_configuration,
};
pub use tags::{Tag, read_tag_set, write_tag_set};

/// The XML namespace of S3's answers.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
