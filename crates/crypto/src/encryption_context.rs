//! The encryption context in the one form that is authenticated.

use std::collections::BTreeMap;

use crate::framing::{push_count, push_framed};

/// The canonical bytes of an encryption context.
///
/// AWS promises that the order of the pairs does not matter and that everything else does, but publishes no canonical
/// form (<https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html>). Ours, fixed for ever with
/// ciphertext format 1: the number of pairs, then key and value of each pair in the byte order of the UTF-8 keys. The
/// number and the length in front of each key and value are u32, big endian. Nothing is normalised or trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionContext(Vec<u8>);

impl EncryptionContext {
    /// The context of these pairs. Of pairs with the same key the last one counts, as in a JSON object.
    ///
    /// The size of a request bounds the pairs; there is no other limit here.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        // `str` orders by its UTF-8 bytes.
        let sorted: BTreeMap<&str, &str> = pairs.into_iter().collect();
        let mut bytes = Vec::with_capacity(
            4 + sorted.iter().map(|(key, value)| 8 + key.len() + value.len()).sum::<usize>(),
        );
        push_count(&mut bytes, sorted.len());
        for (key, value) in sorted {
            push_framed(&mut bytes, key.as_bytes());
            push_framed(&mut bytes, value.as_bytes());
        }
        Self(bytes)
    }

    /// The context without pairs, which is also that of a request without a context.
    pub fn empty() -> Self {
        Self::new([])
    }

    /// The canonical bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pairs = BTreeMap<String, String>;

    fn context(pairs: &Pairs) -> EncryptionContext {
        EncryptionContext::new(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }

    #[test]
    fn the_canonical_form_is_fixed() {
        let context = EncryptionContext::new([("tenant", "a"), ("é", ""), ("Tenant", "b")]);
        let expected =
            b"\0\0\0\x03\0\0\0\x06Tenant\0\0\0\x01b\0\0\0\x06tenant\0\0\0\x01a\0\0\0\x02\xc3\xa9\0\0\0\0";
        assert_eq!(context.as_bytes(), expected);
        assert_eq!(EncryptionContext::empty().as_bytes(), [0; 4]);
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        assert_eq!(EncryptionContext::new([("a", "1"), ("a", "2")]), EncryptionContext::new([("a", "2")]));
        assert_ne!(EncryptionContext::new([("a", "1"), ("a", "2")]), EncryptionContext::new([("a", "1")]));
    }

    #[test]
    fn nothing_is_normalised() {
        let spellings = ["a", "A", " a", "a ", "a\0", "\u{e9}", "e\u{301}", ""];
        for (at, left) in spellings.iter().enumerate() {
            for right in spellings.iter().skip(at + 1) {
                assert_ne!(EncryptionContext::new([(*left, "v")]), EncryptionContext::new([(*right, "v")]));
                assert_ne!(EncryptionContext::new([("k", *left)]), EncryptionContext::new([("k", *right)]));
            }
        }
    }

    /// Few characters, so that shifting a border between key and value or between pairs is likely.
    fn pairs() -> impl Strategy<Value = Pairs> {
        proptest::collection::btree_map("[ab\0\u{1}]{0,3}", "[ab\0\u{1}]{0,3}", 0..4)
    }

    proptest! {
        #[test]
        fn different_maps_have_different_bytes(left in pairs(), right in pairs()) {
            prop_assert_eq!(left == right, context(&left) == context(&right));
        }

        #[test]
        fn the_order_of_pairs_does_not_matter(pairs in pairs()) {
            let reversed = EncryptionContext::new(pairs.iter().rev().map(|(key, value)| (key.as_str(), value.as_str())));
            prop_assert_eq!(context(&pairs), reversed);
        }

        #[test]
        fn the_bytes_read_back(pairs: Pairs) {
            prop_assert_eq!(read(context(&pairs).as_bytes()), pairs);
        }
    }

    /// Takes the canonical bytes apart again: that this is possible is what makes them unambiguous.
    fn read(mut bytes: &[u8]) -> Pairs {
        let number = |bytes: &mut &[u8]| {
            let (number, rest) = bytes.split_first_chunk::<4>().unwrap();
            *bytes = rest;
            usize::try_from(u32::from_be_bytes(*number)).unwrap()
        };
        let text = |bytes: &mut &[u8]| {
            let length = number(bytes);
            let (text, rest) = bytes.split_at(length);
            *bytes = rest;
            String::from_utf8(text.to_vec()).unwrap()
        };
        let (count, rest) = bytes.split_first_chunk::<4>().unwrap();
        bytes = rest;
        let pairs: Pairs =
            (0..u32::from_be_bytes(*count)).map(|_| (text(&mut bytes), text(&mut bytes))).collect();
        assert!(bytes.is_empty());
        pairs
    }
}
