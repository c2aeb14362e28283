//! Ranges of keys, read a page at a time.

use std::ops::Bound;

use crate::{Entry, Key};

/// How many entries a page holds if nothing is said.
pub const PAGE_ENTRIES_DEFAULT: usize = 100;

/// The most entries that a page can hold.
pub const PAGE_ENTRIES_MAX: usize = 1_000;

/// A page ends after the entry with which its keys and values reach this many bytes: 4 MiB.
pub const PAGE_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// The keys that begin with a prefix, from one key on, up to another, at most so many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    prefix: String,
    after: Option<Key>,
    until: Option<String>,
    limit: usize,
}

/// Some entries of a range, in bytewise order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The range goes on: ask again with [`Range::after`] the last entry's key.
    pub more: bool,
}

/// Where a range starts and ends, as bytes of keys.
pub(crate) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

impl Range {
    /// Every key that begins with `prefix`, which should end in `/` unless neighbours are meant too. The empty prefix
    /// is the whole store.
    pub fn prefix(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), after: None, until: None, limit: PAGE_ENTRIES_DEFAULT }
    }

    /// Only keys behind this one, which need not exist.
    #[must_use]
    pub fn after(mut self, key: &Key) -> Self {
        self.after = Some(key.clone());
        self
    }

    /// Only keys before this text, which is compared with whole keys, prefix included.
    #[must_use]
    pub fn until(mut self, end: &str) -> Self {
        self.until = Some(end.to_owned());
        self
    }

    /// At most this many entries a page; brought into 1 to [`PAGE_ENTRIES_MAX`].
    #[must_use]
    pub fn limit(mut self, entries: usize) -> Self {
        self.limit = entries.clamp(1, PAGE_ENTRIES_MAX);
        self
    }

    pub(crate) fn entries_max(&self) -> usize {
        self.limit
    }

    /// The bounds as bytes; `None` if no key can lie between them.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        let from_prefix = self.prefix.as_bytes().to_vec();
        let start = match &self.after {
            Some(after) if after.as_str().as_bytes() >= from_prefix.as_slice() => {
                Bound::Excluded(after.as_str().as_bytes().to_vec())
            }
            Some(_) | None => Bound::Included(from_prefix),
        };
        let until = self.until.as_ref().map(|text| text.as_bytes().to_vec());
        let end = match (successor(&self.prefix), until) {
            (Some(prefix_end), Some(until)) => Bound::Excluded(prefix_end.min(until)),
            (Some(end), None) | (None, Some(end)) => Bound::Excluded(end),
            (None, None) => Bound::Unbounded,
        };
        holds_anything(&start, &end).then_some((start, end))
    }
}

/// The first bytes behind everything that begins with `prefix`; `None` if there are none.
fn successor(prefix: &str) -> Option<Vec<u8>> {
    let mut bytes = prefix.as_bytes().to_vec();
    // The last byte of a text in UTF-8 is never 0xff, so there is always room for one more.
    let last = bytes.last_mut()?;
    *last = last.saturating_add(1);
    Some(bytes)
}

fn holds_anything(start: &Bound<Vec<u8>>, end: &Bound<Vec<u8>>) -> bool {
    match (start, end) {
        (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => {
            start < end
        }
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ops::RangeBounds as _;

    fn holds(range: &Range, key: &str) -> bool {
        range.bounds().is_some_and(|bounds| bounds.contains(&key.as_bytes().to_vec()))
    }

    #[test]
    fn limits_are_brought_into_bounds() {
        let limits =
            [0, 1, 1_000, 1_001, usize::MAX].map(|limit| Range::prefix("a").limit(limit).entries_max());
        assert_eq!(limits, [1, 1, 1_000, 1_000, 1_000]);
        assert_eq!(Range::prefix("a").entries_max(), 100);
    }

    proptest! {
        #[test]
        fn bounds_say_what_the_words_say(
            prefix in "[a-c/é]{0,3}", key in "[a-c/é]{1,5}",
            after in proptest::option::of("[a-c/é]{1,5}"), until in proptest::option::of("[a-c/é]{0,5}"),
        ) {
            let mut range = Range::prefix(prefix.clone());
            if let Some(after) = &after {
                range = range.after(&Key::new(after.clone()).unwrap());
            }
            if let Some(until) = &until {
                range = range.until(until);
            }
            let wanted = key.starts_with(&prefix)
                && after.is_none_or(|after| key > after)
                && until.is_none_or(|until| key < until);
            prop_assert_eq!(holds(&range, &key), wanted);
        }
    }
}
