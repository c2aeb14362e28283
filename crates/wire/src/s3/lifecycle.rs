//! Reading and writing the lifecycle of a bucket.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html>

use serde::{Deserialize, Serialize};

use super::Document;
use super::requests::{MalformedXml, read};
use super::tags::Tag;

/// A rule as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleRule {
    /// Its name.
    #[serde(rename = "ID")]
    pub id: Option<String>,
    /// `Enabled` or `Disabled`.
    pub status: Option<String>,
    /// What keys begin with, in the older form without a filter.
    pub prefix: Option<String>,
    /// Which objects it is about.
    pub filter: Option<LifecycleFilter>,
    /// When the object that is there now goes.
    pub expiration: Option<LifecycleExpiration>,
    /// When earlier versions go.
    pub noncurrent_version_expiration: Option<NoncurrentVersionExpiration>,
    /// When uploads go that nobody completes.
    pub abort_incomplete_multipart_upload: Option<AbortIncompleteMultipartUpload>,
    /// Moves to another storage class, which there is none of.
    #[serde(default, skip_serializing)]
    pub transition: Vec<Transition>,
    /// The same for earlier versions.
    #[serde(default, skip_serializing)]
    pub noncurrent_version_transition: Vec<Transition>,
}

/// Which objects a rule is about: one condition, or several in `And`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleFilter {
    /// What keys begin with.
    pub prefix: Option<String>,
    /// A tag that objects have.
    pub tag: Option<Tag>,
    /// Objects of more bytes.
    pub object_size_greater_than: Option<u64>,
    /// Objects of fewer bytes.
    pub object_size_less_than: Option<u64>,
    /// All of these.
    pub and: Option<LifecycleConditions>,
}

/// Conditions that hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleConditions {
    /// What keys begin with.
    pub prefix: Option<String>,
    /// Tags that objects have.
    #[serde(rename = "Tag", default)]
    pub tags: Vec<Tag>,
    /// Objects of more bytes.
    pub object_size_greater_than: Option<u64>,
    /// Objects of fewer bytes.
    pub object_size_less_than: Option<u64>,
}

/// When the object that is there now goes: one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleExpiration {
    /// Days after it was written.
    pub days: Option<i64>,
    /// A day, in ISO 8601.
    pub date: Option<String>,
    /// Whether a delete marker goes that has no versions behind it.
    pub expired_object_delete_marker: Option<bool>,
}

/// When earlier versions go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NoncurrentVersionExpiration {
    /// Days after another version came.
    pub noncurrent_days: Option<i64>,
    /// How many of them stay.
    pub newer_noncurrent_versions: Option<i64>,
}

/// When uploads go that nobody completes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AbortIncompleteMultipartUpload {
    /// Days after they were begun.
    pub days_after_initiation: Option<i64>,
}

/// A move to another storage class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Transition {
    /// Which one.
    #[serde(rename = "StorageClass")]
    pub storage_class: Option<String>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(rename = "Rule", default)]
    rules: Vec<LifecycleRule>,
}

/// Reads the body of PutBucketLifecycleConfiguration.
///
/// # Errors
/// It is not such a body.
pub fn read_lifecycle(body: &[u8]) -> Result<Vec<LifecycleRule>, MalformedXml> {
    read::<Configuration>(body).map(|configuration| configuration.rules)
}

/// A `LifecycleConfiguration` of these rules.
pub fn write_lifecycle(rules: &[LifecycleRule]) -> Vec<u8> {
    let mut document = Document::new("LifecycleConfiguration");
    for rule in rules {
        document.element("Rule", |element| write_rule(element, rule));
    }
    document.finish()
}

fn write_rule(element: &mut Document, rule: &LifecycleRule) {
    if let Some(expiration) = &rule.expiration {
        element.element("Expiration", |element| {
            let marker = expiration.expired_object_delete_marker.map(|is| is.to_string());
            element
                .optional("Days", text(expiration.days).as_deref())
                .optional("Date", expiration.date.as_deref())
                .optional("ExpiredObjectDeleteMarker", marker.as_deref());
        });
    }
    element.optional("ID", rule.id.as_deref()).optional("Prefix", rule.prefix.as_deref());
    if let Some(filter) = &rule.filter {
        element.element("Filter", |element| write_filter(element, filter));
    }
    element.optional("Status", rule.status.as_deref());
    if let Some(expiration) = &rule.noncurrent_version_expiration {
        element.element("NoncurrentVersionExpiration", |element| {
            element
                .optional("NoncurrentDays", text(expiration.noncurrent_days).as_deref())
                .optional("NewerNoncurrentVersions", text(expiration.newer_noncurrent_versions).as_deref());
        });
    }
    if let Some(abort) = &rule.abort_incomplete_multipart_upload {
        element.element("AbortIncompleteMultipartUpload", |element| {
            element.optional("DaysAfterInitiation", text(abort.days_after_initiation).as_deref());
        });
    }
}

fn write_filter(element: &mut Document, filter: &LifecycleFilter) {
    element.optional("Prefix", filter.prefix.as_deref());
    if let Some(tag) = &filter.tag {
        write_tag(element, tag);
    }
    element
        .optional("ObjectSizeGreaterThan", text(filter.object_size_greater_than).as_deref())
        .optional("ObjectSizeLessThan", text(filter.object_size_less_than).as_deref());
    if let Some(and) = &filter.and {
        element.element("And", |element| {
            element.optional("Prefix", and.prefix.as_deref());
            for tag in &and.tags {
                write_tag(element, tag);
            }
            element
                .optional("ObjectSizeGreaterThan", text(and.object_size_greater_than).as_deref())
                .optional("ObjectSizeLessThan", text(and.object_size_less_than).as_deref());
        });
    }
}

fn write_tag(element: &mut Document, tag: &Tag) {
    element.element("Tag", |element| {
        element.text("Key", &tag.key).text("Value", &tag.value);
    });
}

fn text(number: Option<impl ToString>) -> Option<String> {
    number.map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rules_read_back_as_they_were_written() {
        let tag = Tag { key: "a".to_owned(), value: "<b>".to_owned() };
        let rule = LifecycleRule {
            id: Some("one".to_owned()),
            status: Some("Enabled".to_owned()),
            filter: Some(LifecycleFilter {
                and: Some(LifecycleConditions {
                    prefix: Some("logs/".to_owned()),
                    tags: vec![tag.clone(), tag.clone()],
                    object_size_greater_than: Some(1),
                    object_size_less_than: Some(u64::MAX),
                }),
                ..LifecycleFilter::default()
            }),
            expiration: Some(LifecycleExpiration { days: Some(3), ..LifecycleExpiration::default() }),
            noncurrent_version_expiration: Some(NoncurrentVersionExpiration {
                noncurrent_days: Some(1),
                newer_noncurrent_versions: Some(2),
            }),
            abort_incomplete_multipart_upload: Some(AbortIncompleteMultipartUpload {
                days_after_initiation: Some(7),
            }),
            ..LifecycleRule::default()
        };
        let other = LifecycleRule {
            prefix: Some(String::new()),
            filter: Some(LifecycleFilter { tag: Some(tag), ..LifecycleFilter::default() }),
            ..LifecycleRule::default()
        };
        let rules = vec![rule, other];
        assert_eq!(read_lifecycle(&write_lifecycle(&rules)), Ok(rules));
    }

    #[test]
    fn what_is_no_lifecycle_is_refused() {
        assert_eq!(read_lifecycle(b"<LifecycleConfiguration/>"), Ok(Vec::new()));
        let days = |days: &str| {
            let rule = format!("<Rule><Expiration><Days>{days}</Days></Expiration></Rule>");
            read_lifecycle(format!("<LifecycleConfiguration>{rule}</LifecycleConfiguration>").as_bytes())
        };
        assert_eq!(days("-1").unwrap()[0].expiration.as_ref().unwrap().days, Some(-1));
        for bad in ["", "x", "1.5", "99999999999999999999"] {
            assert_eq!(days(bad), Err(MalformedXml), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_more_than_refused(body in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read_lifecycle(&body);
        }
    }
}
