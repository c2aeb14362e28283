//! An index of work by the time when it falls due: rotations, deletions, expiries.
//!
//! A due item is an entry at `due/<milliseconds, 19 digits>/<kind>/<reference>`; the order of keys is the order of
//! times. Times before 1970 count as 1970-01-01. Put the item in the transaction that makes the work due, delete it in
//! the one that does the work: run twice, late or on two nodes, the second run then finds a conflict and nothing to do.

use std::fmt::Write as _;

use base::Timestamp;

use crate::{Key, Range};

const PREFIX: &str = "due/";

/// Digits of the largest time.
const DIGITS: usize = 19;

/// What a due key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueItem {
    /// When it falls due.
    pub at: Timestamp,
    /// What is to be done, such as `delete-key`.
    pub kind: String,
    /// What it is to be done to, such as a key's path.
    pub reference: String,
}

/// The key of an item. `kind` and `reference` can be any text: what a key cannot hold is escaped as in `%2F` (`/` in
/// the kind, `%`, control characters). Both together should stay below 900 bytes: a commit refuses a key over
/// [`crate::KEY_BYTES_MAX`] with [`crate::CommitError::TooLarge`].
pub fn key(due: Timestamp, kind: &str, reference: &str) -> Key {
    let mut text = format!("{PREFIX}{:0DIGITS$}/", due.millis().max(0));
    escape(kind, true, &mut text);
    text.push('/');
    escape(reference, false, &mut text);
    Key::of_escaped_parts(text)
}

/// Every item that falls due at `now` or before; the longest overdue first.
pub fn range_until(now: Timestamp) -> Range {
    // `0` is the character behind `/`: everything at this very time is still inside.
    Range::prefix(PREFIX).until(&format!("{PREFIX}{:0DIGITS$}0", now.millis().max(0)))
}

/// Reads back a key that [`key`] made; `None` for any other.
pub fn parse(due: &Key) -> Option<DueItem> {
    let rest = due.as_str().strip_prefix(PREFIX)?;
    let (digits, rest) = rest.split_once('/')?;
    let (kind, reference) = rest.split_once('/')?;
    let at = Timestamp::from_millis(digits.parse().ok()?);
    let item = DueItem { at, kind: unescape(kind)?, reference: unescape(reference)? };
    // One item has one key: another spelling of the same item is not ours.
    (key(item.at, &item.kind, &item.reference) == *due).then_some(item)
}

fn escape(text: &str, slash_too: bool, into: &mut String) {
    for character in text.chars() {
        if character == '%' || character.is_control() || (slash_too && character == '/') {
            // Writing to a string cannot fail. All of these characters are below U+0100.
            let _ = write!(into, "%{:02X}", u32::from(character));
        } else {
            into.push(character);
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        plain.push(char::from(u8::from_str_radix(digits, 16).ok()?));
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CommitError, Measure, Transaction};
    use proptest::prelude::*;
    use std::ops::RangeBounds as _;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn is_due(now: i64, key: &Key) -> bool {
        range_until(at(now)).bounds().is_some_and(|bounds| bounds.contains(&key.as_str().as_bytes().to_vec()))
    }

    #[test]
    fn a_key_is_readable() {
        let key = key(at(1_537_465_261_000), "delete-key", "123456789012/eu-central-1/ab");
        assert_eq!(key.as_str(), "due/0000001537465261000/delete-key/123456789012/eu-central-1/ab");
    }

    #[test]
    fn other_keys_are_no_items() {
        for text in [
            "due/",
            "due/1/a/b",
            "due/0000000000000000001/a",
            "kms/0000000000000000001/a/b",
            "due/+000000000000000001/a/b",
            "due/9999999999999999999/a/b",
            "due/0000000000000000001/a%/b",
            "due/0000000000000000001/a%2f/b",
            "due/0000000000000000001/a/b%2F",
            "due/0000000000000000001/a%41/b",
            "due/0000000000000000001/a%é/b",
        ] {
            assert_eq!(parse(&Key::new(text).unwrap()), None, "{text}");
        }
    }

    #[test]
    fn an_overlong_item_is_refused_at_the_commit() {
        let fits = Transaction::new().put(key(at(0), "kind", &"r".repeat(990)), Vec::new());
        assert_eq!(fits.check(), Ok(()));
        let overlong =
            Transaction::new().put(key(at(0), "kind", &"r".repeat(crate::KEY_BYTES_MAX)), Vec::new());
        let refused = overlong.check().unwrap_err();
        assert!(matches!(refused, CommitError::TooLarge { measure: Measure::KeyBytes, .. }));
    }

    proptest! {
        #[test]
        fn items_read_back(millis in any::<i64>(), kind in any::<String>(), reference in any::<String>()) {
            let item = parse(&key(at(millis), &kind, &reference)).unwrap();
            prop_assert_eq!(item, DueItem { at: at(millis.max(0)), kind, reference });
        }

        #[test]
        fn order_is_by_time(
            first in any::<i64>(), second in any::<i64>(), kinds in ("\\PC{0,8}", "\\PC{0,8}"),
        ) {
            let keys = (key(at(first), &kinds.0, "a"), key(at(second), &kinds.1, "b"));
            if first.max(0) != second.max(0) {
                prop_assert_eq!(keys.0 < keys.1, first < second);
            }
        }

        #[test]
        fn due_means_not_later_than_now(
            now in any::<i64>(), shift in -2_i64..=2, kind in any::<String>(), reference in any::<String>(),
        ) {
            let due = now.saturating_add(shift);
            prop_assert_eq!(is_due(now, &key(at(due), &kind, &reference)), due.max(0) <= now.max(0));
        }

        #[test]
        fn any_key_is_read_or_refused(text in "due/[0-9]{18,20}/\\PC{0,12}") {
            let given = Key::new(text).unwrap();
            if let Some(item) = parse(&given) {
                prop_assert_eq!(key(item.at, &item.kind, &item.reference), given);
            }
        }
    }
}
