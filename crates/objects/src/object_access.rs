//! What a caller must be allowed who asks for something of an object that is there.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>

use base::Call;

use crate::Objects;
use crate::anonymous::refuse_kms;
use crate::bucket::{Bucket, Facts};
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
use crate::request::Answer;
use crate::stored_object::StoredObject;
use crate::version::VersionId;

/// What somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectAccess {
    /// Its contents.
    Read,
    /// What `GetObjectAttributes` tells.
    ReadAttributes,
    /// Its tags.
    ReadTags,
    /// To put other tags on it.
    WriteTags,
    /// To take its tags away.
    DeleteTags,
    /// To have its key sealed under another one.
    Reseal,
}

impl ObjectAccess {
    /// Refuses an anonymous caller who wants to read what is under a KMS key.
    ///
    /// # Errors
    /// So it is.
    pub(crate) fn check_signed(self, call: &Call, object: &StoredObject) -> Result<(), ObjectsError> {
        let reads = matches!(self, Self::Read | Self::ReadAttributes);
        if reads && object.record.encryption.is_of_kms() { refuse_kms(call) } else { Ok(()) }
    }

    /// Versions that are named have actions of their own.
    fn actions(self, is_version_named: bool) -> &'static [&'static str] {
        match (self, is_version_named) {
            (Self::Read, false) => &["GetObject"],
            (Self::Read, true) => &["GetObjectVersion"],
            (Self::ReadAttributes, false) => &["GetObject", "GetObjectAttributes"],
            (Self::ReadAttributes, true) => &["GetObjectVersion", "GetObjectVersionAttributes"],
            (Self::ReadTags, false) => &["GetObjectTagging"],
            (Self::ReadTags, true) => &["GetObjectVersionTagging"],
            (Self::WriteTags, false) => &["PutObjectTagging"],
            (Self::WriteTags, true) => &["PutObjectVersionTagging"],
            (Self::DeleteTags, false) => &["DeleteObjectTagging"],
            (Self::DeleteTags, true) => &["DeleteObjectVersionTagging"],
            (Self::Reseal, _) => &["PutObject", "UpdateObjectEncryption"],
        }
    }
}

impl Objects {
    /// The gate for what is asked of an object, which may depend on the tags that it has.
    ///
    /// # Errors
    /// The caller may not.
    pub(crate) async fn authorize_access(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        version: Option<&VersionId>,
        access: ObjectAccess,
        (facts, object): (Facts, Option<&StoredObject>),
    ) -> Result<(), ObjectsError> {
        let facts = facts_of(facts, version, object);
        for action in access.actions(version.is_some()) {
            self.authorize_object(call, action, (bucket, key), &facts).await?;
        }
        Ok(())
    }

    /// Puts into the answer to a reader when the object goes, and how many tags it has if the reader may know these.
    ///
    /// # Errors
    /// Nobody can tell whether the reader may.
    pub(crate) async fn tell_beside(
        &self,
        call: &Call,
        (bucket, key): (&Bucket, &ObjectKey),
        version: Option<&VersionId>,
        object: &StoredObject,
        answer: Answer,
    ) -> Result<Answer, ObjectsError> {
        let answer = bucket.tell_expiration(answer, key, object);
        let count = object.details.tags.len();
        if count == 0 {
            return Ok(answer);
        }
        let facts = facts_of(Facts::default(), version, Some(object));
        for action in ObjectAccess::ReadTags.actions(version.is_some()) {
            if !self.would_allow(call, action, (bucket, key), &facts).await? {
                return Ok(answer);
            }
        }
        Ok(answer.header("x-amz-tagging-count", count.to_string()))
    }
}

fn facts_of(facts: Facts, version: Option<&VersionId>, object: Option<&StoredObject>) -> Facts {
    let id = version.map(ToString::to_string);
    facts.with("s3:versionid", id.as_deref()).with_existing_tags(object.map(|object| &object.details.tags))
}
