//! Tags of buckets and objects.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::s3::{Tag, read_tag_set};

use crate::error::ObjectsError;
use crate::request::{Headers, read_pairs};

const RESERVED: &str = "aws:";
const HEADER: &str = "x-amz-tagging";

/// Tags as they are kept: values by keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tags(BTreeMap<String, String>);

/// What has the tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tagged {
    Bucket,
    Object,
}

impl Tagged {
    /// The most tags.
    fn most(self) -> usize {
        match self {
            Self::Bucket => 50,
            Self::Object => 10,
        }
    }

    fn too_many(self) -> &'static str {
        match self {
            Self::Bucket => "Bucket tag count cannot be greater than 50",
            Self::Object => "Object tags cannot be greater than 10",
        }
    }

    fn reserved(self) -> &'static str {
        match self {
            Self::Bucket => "System tags cannot be added/updated by requester",
            Self::Object => "Your TagKey cannot be prefixed with aws:",
        }
    }
}

impl Tags {
    /// Checks what somebody wants to be the tags.
    ///
    /// # Errors
    /// There are too many, one is no tag, or two have the same key.
    pub(crate) fn of(given: Vec<Tag>, tagged: Tagged) -> Result<Self, ObjectsError> {
        if given.len() > tagged.most() {
            return Err(ObjectsError::bad("BadRequest", tagged.too_many()));
        }
        let mut tags = BTreeMap::new();
        for tag in given {
            if tags.contains_key(&tag.key) {
                return Err(invalid("Cannot provide multiple Tags with the same key", &tag));
            }
            check(&tag, tagged)?;
            tags.insert(tag.key, tag.value);
        }
        Ok(Self(tags))
    }

    /// Reads the tags that a new object gets with its request: pairs of a query string, or of a form a set in XML.
    ///
    /// # Errors
    /// There are too many, one is no tag, or two have the same key.
    pub(crate) fn of_header(headers: &Headers) -> Result<Self, ObjectsError> {
        let text = headers.get(HEADER).unwrap_or_default();
        if text.starts_with('<') {
            // So forms have them. No key of a tag begins like this.
            let given = read_tag_set(text.as_bytes()).map_err(|_| ObjectsError::malformed_xml())?;
            return Self::of(given, Tagged::Object);
        }
        let fault = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";
        let invalid = || ObjectsError::invalid_argument(fault, HEADER, text);
        let mut given: Vec<Tag> = Vec::new();
        for (key, value) in read_pairs(text).map_err(|_| invalid())? {
            if given.iter().any(|tag| tag.key == key) {
                return Err(invalid());
            }
            given.push(Tag { key, value });
        }
        Self::of(given, Tagged::Object)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Keys and values, in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn check(tag: &Tag, tagged: Tagged) -> Result<(), ObjectsError> {
    if tag.key.starts_with(RESERVED) {
        return Err(invalid(tagged.reserved(), tag));
    }
    if !tag.has_valid_key() {
        return Err(invalid("The TagKey you have provided is invalid", tag));
    }
    if !tag.has_valid_value() {
        let text = "The TagValue you have provided is invalid";
        return Err(invalid(text, tag).with("TagValue", tag.value.as_str()));
    }
    Ok(())
}

fn invalid(text: &str, tag: &Tag) -> ObjectsError {
    ObjectsError::bad("InvalidTag", text).with("TagKey", tag.key.as_str())
}

/// What somebody puts, as CloudTrail has XML in events.
pub(crate) fn to_event(given: &[Tag]) -> Value {
    let tags: Vec<_> = given.iter().map(|tag| json!({ "Key": tag.key, "Value": tag.value })).collect();
    let set = match &tags[..] {
        [] => json!(""),
        [one] => json!({ "Tag": one }),
        several => json!({ "Tag": several }),
    };
    json!({ "xmlns": wire::s3::NAMESPACE, "TagSet": set })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(tags: &[(&str, &str)]) -> Vec<Tag> {
        tags.iter().map(|(key, value)| Tag { key: (*key).to_owned(), value: (*value).to_owned() }).collect()
    }

    #[test]
    fn tags_are_kept_in_the_order_of_their_keys() {
        let tags = Tags::of(given(&[("b", ""), ("a", "1")]), Tagged::Bucket).unwrap();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "")]);
        assert!(!tags.is_empty() && Tags::of(Vec::new(), Tagged::Bucket).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_set_of_tags_is_refused() {
        let many: Vec<_> =
            (0..51).map(|number| Tag { key: number.to_string(), value: String::new() }).collect();
        assert!(Tags::of(many.iter().take(50).cloned().collect(), Tagged::Bucket).is_ok());
        let refusal = |tags| {
            let fault = Tags::of(tags, Tagged::Bucket).unwrap_err().to_fault();
            (fault.code, fault.message.unwrap())
        };
        assert_eq!(refusal(many), ("BadRequest", "Bucket tag count cannot be greater than 50".to_owned()));
        for (tags, text) in [
            (&[("a", "1"), ("a", "2")][..], "Cannot provide multiple Tags with the same key"),
            (&[("aws:a", "1")], "System tags cannot be added/updated by requester"),
            (&[("", "1")], "The TagKey you have provided is invalid"),
            (&[("a", "?")], "The TagValue you have provided is invalid"),
        ] {
            assert_eq!(refusal(given(tags)), ("InvalidTag", text.to_owned()));
        }
    }

    #[test]
    fn an_event_has_what_was_put() {
        let one = json!({ "Key": "a", "Value": "1" });
        assert_eq!(to_event(&given(&[("a", "1")]))["TagSet"], json!({ "Tag": one }));
        assert_eq!(to_event(&given(&[("a", "1"), ("a", "1")]))["TagSet"], json!({ "Tag": [one, one] }));
        assert_eq!(to_event(&[])["TagSet"], json!(""));
    }
}
