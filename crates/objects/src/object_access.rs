//! What a caller must be allowed who asks for something of an object that is there.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>

use base::Call;

use crate::Objects;
use crate::bucket::{Bucket, Facts};
use crate::error::ObjectsError;
use crate::object_key::ObjectKey;
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
        let id = version.map(ToString::to_string);
        let facts = facts.with("s3:versionid", id.as_deref());
        let facts = facts.with_existing_tags(object.map(|object| &object.details.tags));
        for action in access.actions(version.is_some()) {
            self.authorize_object(call, action, (bucket, key), &facts).await?;
        }
        Ok(())
    }

    /// How many tags an object has, if it has any and the caller may read them.
    ///
    /// # Errors
    /// Nobody can tell whether the caller may.
    pub(crate) async fn told_tag_count(
        &self,
        call: &Call,
        place: (&Bucket, &ObjectKey),
        version: Option<&VersionId>,
        object: &StoredObject,
    ) -> Result<Option<String>, ObjectsError> {
        let count = object.details.tags.len();
        if count == 0 {
            return Ok(None);
        }
        let facts = (Facts::default(), Some(object));
        match self.authorize_access(call, place, version, ObjectAccess::ReadTags, facts).await {
            Ok(()) => Ok(Some(count.to_string())),
            Err(ObjectsError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
