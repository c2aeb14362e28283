//! Pages of listings and their markers.
//!
//! A marker is opaque to clients: a digest that ties it to one listing, and the last item of the page before. It holds
//! no secret and grants nothing; a forged one could only start a listing elsewhere within the caller's own account.

use crypto::digest::sha256;
use store::{Entry, Key, PAGE_ENTRIES_MAX, Page, Range, Record, decode_record};

use super::error::IamError;
use crate::Identity;

const TAG_LENGTH: usize = 8;
/// Items of a page, if nothing is said.
const ITEMS_DEFAULT: usize = 100;
const ITEMS_MAX: usize = 1_000;

/// A listing: what it is of, how many items a page holds, and where this one begins. Markers of one listing are refused
/// by every other.
pub(crate) struct Listing {
    scope: String,
    items_max: usize,
    /// The item after which this page begins.
    after: Option<String>,
}

/// One page, and the marker of the next if there is one.
pub(crate) struct Paged<T> {
    pub(crate) items: Vec<T>,
    pub(crate) marker: Option<String>,
}

/// One page, and the name of the last item that was looked at if there are more.
pub(crate) struct Looked<T> {
    pub(crate) items: Vec<T>,
    pub(crate) last: Option<String>,
}

impl<T> Paged<T> {
    /// Whether there are more pages.
    pub(crate) fn is_truncated(&self) -> Option<bool> {
        Some(self.marker.is_some())
    }
}

impl Listing {
    /// `scope` names operation, object and filters.
    ///
    /// # Errors
    /// ValidationError for a marker that is none of this listing.
    pub(crate) fn new(
        scope: String,
        items_max: Option<i32>,
        marker: Option<&String>,
    ) -> Result<Self, IamError> {
        let items_max = items_max.and_then(|items| usize::try_from(items).ok()).unwrap_or(ITEMS_DEFAULT);
        let listing = Self { scope, items_max: items_max.clamp(1, ITEMS_MAX), after: None };
        let after = marker.map(|marker| listing.read(marker).ok_or_else(invalid_marker)).transpose()?;
        Ok(Self { after, ..listing })
    }

    /// What is left of a page that goes on with other items, after `after`; `None` if it is full.
    pub(crate) fn rest(&self, taken: usize, after: Option<String>) -> Option<Self> {
        let items_max = self.items_max.checked_sub(taken).filter(|left| *left > 0)?;
        Some(Self { scope: self.scope.clone(), items_max, after })
    }

    /// How many items a page holds at most.
    pub(crate) fn items_max(&self) -> usize {
        self.items_max
    }

    /// The item after which this page begins.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// A page out of all items with their names, which differ; in the order of the names.
    pub(crate) fn page_of<T>(&self, items: Vec<(String, T)>) -> Result<Paged<T>, IamError> {
        Ok(self.marked(self.look_at(items)))
    }

    /// As [`Self::page_of`], where names can be too long for a marker: the place in their order stands for them. What
    /// changes between two pages can then be missed or told twice.
    pub(crate) fn page_by_place<T>(&self, mut items: Vec<(String, T)>) -> Result<Paged<T>, IamError> {
        items.sort_by(|(one, _), (other, _)| one.cmp(other));
        let placed = items.into_iter().enumerate();
        self.page_of(placed.map(|(place, (_, item))| (format!("{place:06}"), item)).collect())
    }

    /// As [`Self::page_of`], for listings that go on with other items.
    pub(crate) fn look_at<T>(&self, mut items: Vec<(String, T)>) -> Looked<T> {
        items.sort_by(|(one, _), (other, _)| one.cmp(other));
        if let Some(after) = self.after() {
            items.retain(|(name, _)| name.as_str() > after);
        }
        let more = items.len() > self.items_max;
        items.truncate(self.items_max);
        let last = items.last().filter(|_| more).map(|(last, _)| last.clone());
        Looked { items: items.into_iter().map(|(_, item)| item).collect(), last }
    }

    /// The page with its marker.
    pub(crate) fn marked<T>(&self, looked: Looked<T>) -> Paged<T> {
        Paged { items: looked.items, marker: looked.last.map(|last| self.marker_behind(&last)) }
    }

    fn marker_behind(&self, last: &str) -> String {
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

impl Identity {
    /// One page of the records below `prefix` that `keep` makes something of, in the order of their keys. A page looks
    /// at 1,000 records at most, so where few are kept it can be short and truncated all the same.
    pub(crate) async fn page<R: Record, T>(
        &self,
        prefix: &str,
        listing: &Listing,
        keep: impl Fn(R) -> Option<T> + Send,
    ) -> Result<Paged<T>, IamError> {
        Ok(listing.marked(self.look(prefix, listing, keep).await?))
    }

    /// As [`Self::page`], for listings that go on below another prefix.
    pub(crate) async fn look<R: Record, T>(
        &self,
        prefix: &str,
        listing: &Listing,
        keep: impl Fn(R) -> Option<T> + Send,
    ) -> Result<Looked<T>, IamError> {
        let page = self.entries(prefix, listing, PAGE_ENTRIES_MAX).await?;
        let mut items = Vec::new();
        for (at, entry) in page.entries.iter().enumerate() {
            items.extend(keep(decode_record(entry)?));
            let at_end = at + 1 == page.entries.len();
            if (page.more || !at_end) && (items.len() == listing.items_max || at_end) {
                return Ok(Looked { items, last: Some(behind(prefix, entry).to_owned()) });
            }
        }
        Ok(Looked { items, last: None })
    }

    /// One page of the names below `prefix`, for entries whose key says everything.
    pub(crate) async fn page_of_names(
        &self,
        prefix: &str,
        listing: &Listing,
    ) -> Result<Paged<String>, IamError> {
        let page = self.entries(prefix, listing, listing.items_max).await?;
        let items: Vec<String> = page.entries.iter().map(|entry| behind(prefix, entry).to_owned()).collect();
        let last = items.last().filter(|_| page.more).cloned();
        Ok(listing.marked(Looked { items, last }))
    }

    async fn entries(&self, prefix: &str, listing: &Listing, limit: usize) -> Result<Page, IamError> {
        let range = Range::prefix(prefix).limit(limit);
        let range = match listing.after() {
            Some(last) => range.after(&Key::new(format!("{prefix}{last}")).map_err(|_| invalid_marker())?),
            None => range,
        };
        Ok(self.store.range(range).await?)
    }
}

fn invalid_marker() -> IamError {
    IamError::Validation("Invalid Marker.".to_owned())
}

fn behind<'e>(prefix: &str, entry: &'e Entry) -> &'e str {
    entry.key.as_str().strip_prefix(prefix).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listing(marker: Option<&String>) -> Listing {
        Listing::new("L".to_owned(), Some(2), marker).unwrap()
    }

    fn names(paged: &Paged<u8>) -> Vec<u8> {
        paged.items.clone()
    }

    fn items(letters: &str) -> Vec<(String, u8)> {
        letters.bytes().map(|letter| (char::from(letter).to_string(), letter)).collect()
    }

    #[test]
    fn pages_follow_one_another_in_the_order_of_names() {
        let first = listing(None).page_of(items("cab")).unwrap();
        assert_eq!((names(&first), first.is_truncated()), (b"ab".to_vec(), Some(true)));
        let second = listing(first.marker.as_ref()).page_of(items("cab")).unwrap();
        assert_eq!((names(&second), second.is_truncated()), (b"c".to_vec(), Some(false)));
        // The last item of the page before may be gone by now.
        let second = listing(first.marker.as_ref()).page_of(items("ca")).unwrap();
        assert_eq!(names(&second), b"c");
    }

    #[test]
    fn places_stand_for_long_names() {
        let long = |letter: char| letter.to_string().repeat(1_000);
        let items = || vec![(long('b'), 2), (long('a'), 1), (long('c'), 3)];
        let first = listing(None).page_by_place(items()).unwrap();
        assert_eq!(names(&first), [1, 2]);
        assert!(first.marker.as_ref().unwrap().len() < 320);
        assert_eq!(names(&listing(first.marker.as_ref()).page_by_place(items()).unwrap()), [3]);
    }

    #[test]
    fn a_marker_of_another_listing_is_refused() {
        let marker = listing(None).page_of(items("abc")).unwrap().marker;
        let refused = Listing::new("M".to_owned(), Some(1), marker.as_ref()).err().unwrap();
        assert_eq!(refused.to_fault().code, "ValidationError");
    }

    proptest! {
        #[test]
        fn invented_markers_are_refused_and_real_ones_are_within_the_models_length(
            marker in ".{0,100}", name in "[0-9A-Za-z_+=,.@-]{1,128}"
        ) {
            prop_assert!(Listing::new("L".to_owned(), None, Some(&marker)).is_err());
            let listing = listing(None);
            let real = listing.marker_behind(&name);
            prop_assert!(real.len() <= 320);
            prop_assert_eq!(listing.read(&real), Some(name));
        }
    }
}
