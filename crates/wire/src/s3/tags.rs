//! Reading and writing tag sets, as buckets and objects have them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Tagging.html>

use serde::Deserialize;

use super::Document;
use super::requests::{MalformedXml, read};
use crate::constraints::{Constraint, Pattern, satisfies_text};

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
static CHARACTERS: Pattern = Pattern::new(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*");

const KEY: &[Constraint] =
    &[Constraint::Pattern(&CHARACTERS), Constraint::MinimumLength(1), Constraint::MaximumLength(128)];
const VALUE: &[Constraint] = &[Constraint::Pattern(&CHARACTERS), Constraint::MaximumLength(256)];

/// A tag as somebody writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Tag {
    /// Its name.
    #[serde(rename = "Key")]
    pub key: String,
    /// Its value, which may be empty.
    #[serde(rename = "Value")]
    pub value: String,
}

impl Tag {
    /// Whether the key has 1 to 128 characters, all of them allowed.
    pub fn has_valid_key(&self) -> bool {
        satisfies_text(&self.key, KEY, |_| ())
    }

    /// Whether the value has at most 256 characters, all of them allowed.
    pub fn has_valid_value(&self) -> bool {
        satisfies_text(&self.value, VALUE, |_| ())
    }
}

#[derive(Deserialize)]
struct Tagging {
    #[serde(rename = "TagSet")]
    tag_set: TagSet,
}

#[derive(Deserialize)]
struct TagSet {
    #[serde(rename = "Tag", default)]
    tags: Vec<Tag>,
}

/// Reads a `Tagging`, in the order in which it is written.
///
/// # Errors
/// It is none, or a tag has no key or no value.
pub fn read_tag_set(body: &[u8]) -> Result<Vec<Tag>, MalformedXml> {
    read::<Tagging>(body).map(|tagging| tagging.tag_set.tags)
}

/// A `Tagging`, from keys and values.
pub fn write_tag_set<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut document = Document::new("Tagging");
    document.element("TagSet", |set| {
        for (key, value) in tags {
            set.element("Tag", |tag| {
                tag.text("Key", key).text("Value", value);
            });
        }
    });
    document.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn tags_are_read_in_order() {
        let xml = "<Tagging><TagSet><Tag><Key>b</Key><Value/></Tag><Tag><Value>&lt;</Value><Key>a</Key></Tag></TagSet></Tagging>";
        assert_eq!(read_tag_set(xml.as_bytes()), Ok(vec![tag("b", ""), tag("a", "<")]));
        assert_eq!(read_tag_set(b"<Tagging><TagSet/></Tagging>"), Ok(Vec::new()));
    }

    #[test]
    fn a_tag_has_a_key_and_a_value() {
        for bad in [
            "",
            "<Tagging/>",
            "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
            "<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>",
            "<Tagging><TagSet>",
        ] {
            assert_eq!(read_tag_set(bad.as_bytes()), Err(MalformedXml), "{bad}");
        }
    }

    #[test]
    fn keys_and_values_have_their_lengths_and_characters() {
        for (key, is_valid) in [
            ("k", true),
            ("\u{e4} 1_.:/=+-@", true),
            ("", false),
            ("a,b", false),
            ("a?", false),
            ("a\nb", false),
        ] {
            assert_eq!(tag(key, "v").has_valid_key(), is_valid, "{key:?}");
        }
        assert!(tag(&"\u{e4}".repeat(128), "").has_valid_key() && !tag(&"a".repeat(129), "").has_valid_key());
        let valued = |value: &str| tag("k", value).has_valid_value();
        assert!(valued("") && valued(&"\u{e4}".repeat(256)));
        assert!(!valued(&"a".repeat(257)) && !valued("<"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(tags in prop::collection::vec(("[a-z&<> ]{1,9}", "[a-z&<>]{0,9}"), 0..9)) {
            let xml = write_tag_set(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            let read: Vec<_> = read_tag_set(&xml).unwrap().into_iter().map(|tag| (tag.key, tag.value)).collect();
            prop_assert_eq!(read, tags);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "(<|>|/|Tagging|TagSet|Tag|Key|Value|&|;|a| |!){0,40}") {
            let _ = read_tag_set(&bytes);
            let _ = read_tag_set(text.as_bytes());
        }
    }
}
