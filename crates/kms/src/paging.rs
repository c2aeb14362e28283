//! Pages of listings and their markers.
//!
//! A marker is opaque to clients: a digest that ties it to one listing, and the last item of the page before. It holds
//! no secret and grants nothing; a forged one could only start a listing elsewhere within the caller's own reach.

use crypto::digest::sha256;
use store::{Key, Range};

use crate::error::KmsError;

const TAG_LENGTH: usize = 8;

/// A listing: which operation, over what. Markers of one are refused by every other.
pub(crate) struct Listing {
    scope: String,
    limit: usize,
}

/// One page of items and the marker of the next, if there is one.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

impl Listing {
    /// `scope` names operation and object. Without a `limit` a page holds `default` items; a limit above `maximum` is
    /// taken as the maximum, since a page may always hold fewer items than asked for.
    pub(crate) fn new(scope: String, limit: Option<i32>, default: usize, maximum: usize) -> Self {
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default).clamp(1, maximum);
        Self { scope, limit }
    }

    /// How many items a page holds at most.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The item after which this page begins.
    pub(crate) fn after(&self, marker: Option<&str>) -> Result<Option<String>, KmsError> {
        marker.map(|marker| self.read(marker).ok_or(KmsError::InvalidMarker)).transpose()
    }

    /// The part of the store that this page is read from.
    pub(crate) fn range(&self, prefix: &str, marker: Option<&str>) -> Result<Range, KmsError> {
        let range = Range::prefix(prefix).limit(self.limit);
        Ok(match self.after(marker)? {
            Some(last) => {
                range.after(&Key::new(format!("{prefix}{last}")).map_err(|_| KmsError::InvalidMarker)?)
            }
            None => range,
        })
    }

    /// The marker of the page behind a page of the store, if there is one.
    pub(crate) fn next(&self, page: &store::Page, prefix: &str) -> Option<String> {
        if page.more { self.behind(page, prefix) } else { None }
    }

    /// The marker of what comes behind a page of the store, for listings that go on where the store does not.
    pub(crate) fn behind(&self, page: &store::Page, prefix: &str) -> Option<String> {
        Some(self.marker(page.entries.last()?.key.as_str().strip_prefix(prefix)?))
    }

    /// A page out of items in order, given one more than fits if there are more.
    pub(crate) fn page<T>(&self, mut items: Vec<T>, name: impl Fn(&T) -> &str) -> Page<T> {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| more).map(|last| self.marker(name(last)));
        Page { items, next }
    }

    fn marker(&self, last: &str) -> String {
        let mut bytes = self.tag(last).to_vec();
        bytes.extend_from_slice(last.as_bytes());
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(&bytes)
    }

    fn read(&self, marker: &str) -> Option<String> {
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(marker).ok()?;
        let (tag, last) = bytes.split_at_checked(TAG_LENGTH)?;
        let last = std::str::from_utf8(last).ok()?;
        (tag == self.tag(last)).then(|| last.to_owned())
    }

    fn tag(&self, last: &str) -> [u8; TAG_LENGTH] {
        let digest = sha256(format!("keywright marker v1\0{}\0{last}", self.scope).as_bytes());
        let mut tag = [0; TAG_LENGTH];
        tag.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listing(scope: &str) -> Listing {
        Listing::new(scope.to_owned(), Some(2), 50, 100)
    }

    #[test]
    fn pages_follow_one_another() {
        let listing = listing("ListKeys");
        let page = listing.page(vec!["a", "b", "c"], |item| item);
        assert_eq!(page.items, ["a", "b"]);
        let after = listing.after(page.next.as_deref()).unwrap();
        assert_eq!(after.as_deref(), Some("b"));
        assert_eq!(listing.page(vec!["c"], |item| item).next, None);
    }

    #[test]
    fn a_marker_of_another_listing_is_refused() {
        let marker = listing("ListKeys").marker("b");
        assert!(matches!(listing("ListAliases").after(Some(&marker)), Err(KmsError::InvalidMarker)));
    }

    #[test]
    fn limits_have_a_default_and_a_maximum() {
        assert_eq!(Listing::new(String::new(), None, 50, 100).limit(), 50);
        assert_eq!(Listing::new(String::new(), Some(1000), 50, 100).limit(), 100);
        assert_eq!(Listing::new(String::new(), Some(7), 50, 100).limit(), 7);
    }

    proptest! {
        #[test]
        fn invented_markers_are_refused(marker in ".{1,100}") {
            prop_assert!(listing("ListKeys").after(Some(&marker)).is_err());
        }

        #[test]
        fn every_item_reads_back(item in "\\PC{0,128}") {
            let listing = listing("ListResourceTags");
            prop_assert_eq!(listing.after(Some(&listing.marker(&item))).unwrap(), Some(item));
        }
    }
}
