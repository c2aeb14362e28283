//! Contents in one layer of encryption or in two, of which the outer one seals what the inner one has sealed.
//!
//! The layers have keys of their own, which nothing connects: of the inner one a data key of the key service is in the way, of
//! the outer one a key of this service. Whoever has one of them has nothing.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html>

use std::ops::Range;

use base::{Randomness, RandomnessUnavailable, SecretBytes};
use crypto::content::{
    ContentError, ContentKey, DamagedContent, Part, PartOpener, PartSealer, sealed_length,
};

/// The keys of one object's contents.
pub(crate) struct ContentKeys {
    pub(crate) inner: ContentKey,
    /// That of the outer layer, if there is one.
    pub(crate) outer: Option<ContentKey>,
}

/// Seals one part in all its layers.
pub(crate) struct LayeredSealer {
    inner: PartSealer,
    outer: Option<PartSealer>,
}

/// Opens a range of one part through all its layers.
pub(crate) struct LayeredOpener {
    inner: PartOpener,
    outer: Option<OuterOpener>,
}

/// The outer layer, and what it has given that the inner one has not taken yet.
struct OuterOpener {
    opener: PartOpener,
    between: SecretBytes,
    taken: usize,
}

impl ContentKeys {
    /// New random keys, for one layer or two.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub(crate) fn generate(
        randomness: &dyn Randomness,
        in_two_layers: bool,
    ) -> Result<Self, RandomnessUnavailable> {
        let outer = in_two_layers.then(|| ContentKey::generate(randomness)).transpose()?;
        Ok(Self { inner: ContentKey::generate(randomness)?, outer })
    }

    /// As [`ContentKey::sealer`].
    pub(crate) fn sealer(&self, part: &Part) -> Result<LayeredSealer, ContentError> {
        let outer = self.outer.as_ref().map(|outer| outer.sealer(part)).transpose()?;
        Ok(LayeredSealer { inner: self.inner.sealer(part)?, outer })
    }

    /// As [`ContentKey::opener`].
    pub(crate) fn opener(
        &self,
        part: &Part,
        length: u64,
        from: u64,
        to: u64,
    ) -> Result<LayeredOpener, DamagedContent> {
        let inner = self.inner.opener(part, length, from, to)?;
        let Range { start, end } = inner.sealed_range();
        let outer = self.outer.as_ref().map(|outer| outer.opener(part, sealed_length(length), start, end));
        let between = || SecretBytes::new(Vec::new());
        let outer = outer.transpose()?.map(|opener| OuterOpener { opener, between: between(), taken: 0 });
        Ok(LayeredOpener { inner, outer })
    }
}

impl LayeredSealer {
    /// As [`PartSealer::seal`].
    pub(crate) fn seal(&mut self, plaintext: &[u8], sealed: &mut Vec<u8>) -> Result<(), ContentError> {
        let Some(outer) = &mut self.outer else { return self.inner.seal(plaintext, sealed) };
        let mut between = Vec::new();
        self.inner.seal(plaintext, &mut between)?;
        outer.seal(&between, sealed)
    }

    /// As [`PartSealer::finish`]: the length is that of the plaintext.
    pub(crate) fn finish(self, sealed: &mut Vec<u8>) -> Result<u64, ContentError> {
        let Some(mut outer) = self.outer else { return self.inner.finish(sealed) };
        let mut between = Vec::new();
        let length = self.inner.finish(&mut between)?;
        outer.seal(&between, sealed)?;
        outer.finish(sealed)?;
        Ok(length)
    }
}

impl LayeredOpener {
    /// What to read of the sealed part.
    pub(crate) fn sealed_range(&self) -> Range<u64> {
        self.outer.as_ref().map_or_else(|| self.inner.sealed_range(), |outer| outer.opener.sealed_range())
    }

    /// As [`PartOpener::open`].
    pub(crate) fn open(&mut self, input: &mut &[u8]) -> Result<Option<SecretBytes>, DamagedContent> {
        let Some(outer) = &mut self.outer else { return self.inner.open(input) };
        loop {
            let mut between = outer.between.expose().get(outer.taken..).unwrap_or_default();
            let opened = self.inner.open(&mut between)?;
            outer.taken = outer.between.expose().len().saturating_sub(between.len());
            if opened.is_some() {
                return Ok(opened);
            }
            let Some(piece) = outer.opener.open(input)? else { return Ok(None) };
            (outer.between, outer.taken) = (piece, 0);
        }
    }

    /// Whether the whole range has been opened.
    pub(crate) fn is_complete(&self) -> bool {
        self.inner.is_complete() && self.outer.as_ref().is_none_or(|outer| outer.opener.is_complete())
    }
}

#[cfg(test)]
mod tests {
    use crypto::content::{CHUNK, PartNonce};
    use proptest::prelude::*;
    use testkit::SeededRandomness;

    use super::*;

    fn part() -> Part {
        Part { owner: [7; 16], number: 3, nonce: PartNonce::from_bytes([9; 16]) }
    }

    fn keys(in_two_layers: bool) -> ContentKeys {
        ContentKeys::generate(&SeededRandomness::new(1), in_two_layers).unwrap()
    }

    fn seal(keys: &ContentKeys, text: &[u8], pieces: usize) -> Vec<u8> {
        let (mut sealer, mut sealed) = (keys.sealer(&part()).unwrap(), Vec::new());
        for piece in text.chunks(pieces) {
            sealer.seal(piece, &mut sealed).unwrap();
        }
        assert_eq!(sealer.finish(&mut sealed).unwrap(), u64::try_from(text.len()).unwrap());
        sealed
    }

    fn open(
        keys: &ContentKeys,
        sealed: &[u8],
        (length, from, to): (usize, usize, usize),
        pieces: usize,
    ) -> Option<Vec<u8>> {
        let number = |number: usize| u64::try_from(number).unwrap();
        let mut opener = keys.opener(&part(), number(length), number(from), number(to)).ok()?;
        let range = opener.sealed_range();
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        let mut opened = Vec::new();
        for mut piece in sealed.get(range)?.chunks(pieces) {
            while let Some(plaintext) = opener.open(&mut piece).ok()? {
                opened.extend_from_slice(plaintext.expose());
            }
        }
        opener.is_complete().then_some(opened)
    }

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    #[test]
    fn what_two_layers_seal_they_open_around_every_limit() {
        let keys = keys(true);
        for around in [0, CHUNK - 16, CHUNK, 2 * CHUNK - 32, 2 * CHUNK] {
            for length in around.saturating_sub(1)..=around + 1 {
                let text = text(length);
                let sealed = seal(&keys, &text, 10_000);
                assert_eq!(
                    open(&keys, &sealed, (length, 0, length), 30_000).as_ref(),
                    Some(&text),
                    "{length}"
                );
                let once = usize::try_from(sealed_length(u64::try_from(length).unwrap())).unwrap();
                let twice = usize::try_from(sealed_length(u64::try_from(once).unwrap())).unwrap();
                assert_eq!(sealed.len(), twice);
            }
        }
    }

    #[test]
    fn one_layer_is_the_content_format_itself() {
        let keys = keys(false);
        let sealed = seal(&keys, b"text", 4);
        let (mut sealer, mut expected) = (keys.inner.sealer(&part()).unwrap(), Vec::new());
        sealer.seal(b"text", &mut expected).unwrap();
        sealer.finish(&mut expected).unwrap();
        assert_eq!(sealed, expected);
        assert_eq!(open(&keys, &sealed, (4, 0, 4), 3).as_deref(), Some(&b"text"[..]));
    }

    #[test]
    fn each_layer_is_under_a_key_of_its_own() {
        let both = keys(true);
        let sealed = seal(&both, b"text", 4);
        let outer = both.outer.as_ref().unwrap();
        assert_ne!(both.inner.expose_for_sealing().expose(), outer.expose_for_sealing().expose());
        let copy = |key: &ContentKey| {
            ContentKey::from_secret(base::SecretArray::copy_from(key.expose_for_sealing().expose()).unwrap())
        };
        // Under the outer layer lies what the inner one has sealed.
        let only_outer = ContentKeys { inner: copy(outer), outer: None };
        let between = open(&only_outer, &sealed, (20, 0, 20), 100).unwrap();
        assert!(!between.windows(4).any(|window| window == b"text"));
        let only_inner = ContentKeys { inner: copy(&both.inner), outer: None };
        assert_eq!(open(&only_inner, &between, (4, 0, 4), 100).as_deref(), Some(&b"text"[..]));
        assert_eq!(open(&only_inner, &sealed, (4, 0, 4), 100), None);
        let swapped = ContentKeys { inner: copy(outer), outer: Some(copy(&both.inner)) };
        assert_eq!(open(&swapped, &sealed, (4, 0, 4), 100), None);
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let keys = keys(true);
        let sealed = seal(&keys, &text(100), 100);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&keys, &changed, (100, 0, 100), 200), None, "{at}");
        }
        assert_eq!(open(&keys, &sealed, (99, 0, 99), 200), None);
        assert_eq!(open(&keys, &sealed[..sealed.len() - 1], (100, 0, 100), 200), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_range_is_what_it_is_of_the_whole(
            length in 1..200_000_usize, from in 0..200_000_usize, to in 0..200_000_usize, pieces in 1..100_000_usize,
        ) {
            let keys = keys(true);
            let (from, to) = (from.min(length), to.min(length));
            prop_assume!(from < to);
            let text = text(length);
            let sealed = seal(&keys, &text, pieces);
            prop_assert_eq!(open(&keys, &sealed, (length, from, to), pieces), Some(text[from..to].to_vec()));
        }
    }
}
