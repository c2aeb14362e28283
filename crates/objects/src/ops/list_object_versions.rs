//! ListObjectVersions: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>

use base::Call;
use wire::s3::Document;

use super::list_objects_v2::facts;
use crate::Objects;
use crate::bucket::Bucket;
use crate::conditions::to_iso;
use crate::error::ObjectsError;
use crate::listing::{Wanted, tell_object};
use crate::request::{Answer, Request};
use crate::stored_object::canonical_user;
use crate::version::VersionId;
use crate::version_listing::{Listed, ListedVersion, Marker};

impl Objects {
    pub(crate) async fn list_object_versions(
        &self,
        call: &Call,
        request: Request,
        bucket: &str,
    ) -> Result<Answer, ObjectsError> {
        let query = request.query;
        let bucket = self.bucket(call, bucket).await?;
        self.authorize_bucket(call, "ListBucketVersions", &bucket, &facts(&query)).await?;
        let wanted = Wanted { tells_owner: true, ..Wanted::read(&query, String::new())? };
        let (key_marker, id_marker) = (query.get("key-marker"), query.get("version-id-marker"));
        let id_marker = id_marker.filter(|id| !id.is_empty());
        if let (None | Some(""), Some(id)) = (key_marker, id_marker) {
            let text = "A version-id marker cannot be specified without a key marker.";
            return Err(ObjectsError::invalid_argument(text, "version-id-marker", id));
        }
        let marker = Marker {
            key: key_marker.unwrap_or_default().to_owned(),
            version: id_marker.map(VersionId::read).transpose()?,
        };
        let listing = self.page_of_versions(&bucket, &wanted, &marker).await?;
        let next = listing.next.as_ref();
        let next_id = next.and_then(|(_, id)| id.as_deref());
        let delimiter = Some(wanted.delimiter).filter(|delimiter| !delimiter.is_empty());
        let mut document = Document::new("ListVersionsResult");
        document
            .text("Name", bucket.name.as_str())
            .text("Prefix", &wanted.shown(wanted.prefix))
            .text("KeyMarker", &wanted.shown(&marker.key))
            .text("VersionIdMarker", id_marker.unwrap_or_default())
            .optional("NextKeyMarker", next.map(|(key, _)| wanted.shown(key)).as_deref())
            .optional("NextVersionIdMarker", next_id)
            .optional("Delimiter", delimiter.map(|text| wanted.shown(text)).as_deref())
            .text("MaxKeys", &wanted.most.to_string())
            .optional("EncodingType", query.get("encoding-type"))
            .text("IsTruncated", if next.is_some() { "true" } else { "false" });
        for version in &listing.versions {
            tell_version(&mut document, &bucket, &wanted, version);
        }
        for prefix in &listing.prefixes {
            document.element("CommonPrefixes", |common| {
                common.text("Prefix", &wanted.shown(prefix));
            });
        }
        Ok(Answer::xml(document.finish()))
    }
}

fn tell_version(document: &mut Document, bucket: &Bucket, wanted: &Wanted<'_>, listed: &ListedVersion) {
    let is_latest = if listed.is_latest { "true" } else { "false" };
    match &listed.version {
        Listed::Object(object) => document.element("Version", |version| {
            version.text("VersionId", &listed.id()).text("IsLatest", is_latest);
            tell_object(version, bucket, wanted, &listed.key, object);
        }),
        Listed::DeleteMarker(marker) => document.element("DeleteMarker", |version| {
            version
                .text("Key", &wanted.shown(listed.key.as_str()))
                .text("VersionId", &listed.id())
                .text("IsLatest", is_latest)
                .text("LastModified", &to_iso(marker.modified()))
                .element("Owner", |owner| {
                    owner.text("ID", &canonical_user(bucket.owner));
                });
        }),
    };
}
