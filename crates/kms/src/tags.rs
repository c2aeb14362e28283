//! Rules for tags: <https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html>

use std::collections::BTreeMap;

use wire::kms::Tag;

use crate::error::TagRefusal;

/// Tags that a key can hold.
const TAGS_MAX: usize = 50;

/// Adds `tags` to those of a key: values of existing tag keys are replaced, other tags stay.
pub(crate) fn add(held: &mut BTreeMap<String, String>, tags: &[Tag]) -> Result<(), TagRefusal> {
    let mut seen = std::collections::BTreeSet::new();
    for tag in tags {
        if is_reserved(&tag.tag_key) {
            return Err(TagRefusal::Reserved);
        }
        if !seen.insert(tag.tag_key.as_str()) {
            return Err(TagRefusal::Duplicate);
        }
    }
    for tag in tags {
        held.insert(tag.tag_key.clone(), tag.tag_value.clone());
    }
    if held.len() > TAGS_MAX { Err(TagRefusal::TooMany) } else { Ok(()) }
}

/// The tags of a request by their keys, as policies look at them.
pub(crate) fn named(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.tag_key.clone(), tag.tag_value.clone())).collect()
}

fn is_reserved(tag_key: &str) -> bool {
    tag_key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { tag_key: key.to_owned(), tag_value: value.to_owned() }
    }

    #[test]
    fn a_value_is_replaced_and_other_tags_stay() {
        let mut held = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        add(&mut held, &[tag("a", "3"), tag("A", "4")]).unwrap();
        let held: Vec<_> = held.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(held, [("A", "4"), ("a", "3"), ("b", "2")]);
    }

    #[test]
    fn reserved_duplicate_and_surplus_tags_are_refused() {
        let many: Vec<_> = (0..51).map(|number| tag(&number.to_string(), "")).collect();
        for (tags, refusal) in [
            (vec![tag("aws:x", "")], TagRefusal::Reserved),
            (vec![tag("AwS:x", "")], TagRefusal::Reserved),
            (vec![tag("k", "1"), tag("k", "1")], TagRefusal::Duplicate),
            (many, TagRefusal::TooMany),
        ] {
            assert_eq!(add(&mut BTreeMap::new(), &tags), Err(refusal));
        }
        assert_eq!(add(&mut BTreeMap::new(), &[tag("aws", ""), tag("é:xy", "")]), Ok(()));
    }
}
