//! Rules for tags: keys keep their case, and two tags of one entity do not differ by case alone.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>

use std::collections::BTreeSet;

use wire::iam::Tag;

use super::error::IamError;
use super::paging::{Listing, Paged};
use super::quota;
use crate::record::TagRecord;

/// The tags of something new.
pub(crate) fn of_new(tags: Option<&Vec<Tag>>, word: &str) -> Result<Vec<TagRecord>, IamError> {
    let mut held = Vec::new();
    add(&mut held, tags.map_or(&[], Vec::as_slice), word)?;
    Ok(held)
}

/// Adds tags to those that are held: a tag of the same key, in whatever case, is replaced, other tags stay. `word` is
/// what the tags belong to, as in the name of the quota: `User`.
pub(crate) fn add(held: &mut Vec<TagRecord>, tags: &[Tag], word: &str) -> Result<(), IamError> {
    let mut seen = BTreeSet::new();
    for tag in tags {
        let folded = tag.key.to_lowercase();
        if folded.starts_with("aws:") {
            let text = "Tag keys that begin with aws: are reserved for AWS.";
            return Err(IamError::InvalidInput(text.to_owned()));
        }
        if !seen.insert(folded) {
            let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(IamError::InvalidInput(text.to_owned()));
        }
    }
    held.retain(|tag| !seen.contains(&tag.key.to_lowercase()));
    held.extend(tags.iter().map(|tag| TagRecord { key: tag.key.clone(), value: tag.value.clone() }));
    if held.len() > quota::TAGS {
        return Err(IamError::quota(&format!("TagsPer{word}"), quota::TAGS));
    }
    Ok(())
}

/// Removes the tags of these keys, in whatever case; keys that no tag has are no mistake.
pub(crate) fn remove(held: &mut Vec<TagRecord>, keys: &[String]) {
    let gone: BTreeSet<String> = keys.iter().map(|key| key.to_lowercase()).collect();
    held.retain(|tag| !gone.contains(&tag.key.to_lowercase()));
}

/// The tags of an answer; `None` where there are none, as AWS leaves them out.
pub(crate) fn shown(held: &[TagRecord]) -> Option<Vec<Tag>> {
    if held.is_empty() { None } else { Some(held.iter().map(tag).collect()) }
}

/// One page of a listing of tags, in the order of their keys.
pub(crate) fn page(held: &[TagRecord], listing: &Listing) -> Result<Paged<Tag>, IamError> {
    listing.page_by_place(held.iter().map(|held| (held.key.clone(), tag(held))).collect())
}

fn tag(held: &TagRecord) -> Tag {
    Tag { key: held.key.clone(), value: held.value.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(key: &str, value: &str) -> Tag {
        Tag { key: key.to_owned(), value: value.to_owned() }
    }

    fn held(tags: &[Tag]) -> Vec<TagRecord> {
        of_new(Some(&tags.to_vec()), "User").unwrap()
    }

    #[test]
    fn a_tag_is_replaced_in_whatever_case_and_the_others_stay() {
        let mut tags = held(&[new("Stage", "1"), new("b", "2")]);
        add(&mut tags, &[new("STAGE", "3")], "User").unwrap();
        let texts: Vec<_> = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
        assert_eq!(texts, [("b", "2"), ("STAGE", "3")]);
        remove(&mut tags, &["stage".to_owned(), "never".to_owned()]);
        assert_eq!(tags.len(), 1);
        assert_eq!(shown(&[]), None);
    }

    #[test]
    fn duplicate_reserved_and_surplus_tags_are_refused() {
        let refused = |tags: &[Tag]| of_new(Some(&tags.to_vec()), "User").unwrap_err().to_fault();
        let duplicate = refused(&[new("a", "1"), new("A", "2")]);
        assert_eq!(duplicate.code, "InvalidInput");
        assert_eq!(
            duplicate.message.as_deref(),
            Some("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        );
        assert_eq!(refused(&[new("AWS:x", "")]).code, "InvalidInput");
        let many: Vec<Tag> = (0..51).map(|number| new(&format!("k{number}"), "")).collect();
        let surplus = refused(&many);
        assert_eq!((surplus.code, surplus.status), ("LimitExceeded", 409));
        assert_eq!(held(&many[..50]).len(), 50);
        assert_eq!(held(&[new("aws", ""), new("é", "")]).len(), 2);
    }
}
