//! Sealed contents: bytes open only if they are what was sealed, in one piece and in their order.
//!
//! The first two bytes choose the case and the size of the pieces in which the opener gets the rest.

use std::sync::LazyLock;

use base::SecretArray;
use crypto::content::{CHUNK, ContentKey, Part, PartNonce};

use crate::Target;

pub(crate) const TARGET: Target =
    Target { name: "content", run, seeds, words: &["\x00\x00\x00\x00", "plaintext"] };

/// Lengths of the parts that there are.
const LENGTHS: [usize; 4] = [0, 5, CHUNK, CHUNK + 5];

static SEALED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let seal = |(at, length): (usize, &usize)| {
        let mut sealed = Vec::new();
        let mut sealer = key().sealer(&part(at)).unwrap();
        sealer.seal(&plaintext(*length), &mut sealed).unwrap();
        sealer.finish(&mut sealed).unwrap();
        sealed
    };
    LENGTHS.iter().enumerate().map(seal).collect()
});

fn run(input: &[u8]) {
    let [case, piece, sealed @ ..] = input else { return };
    let at = usize::from(*case) % LENGTHS.len();
    let opened = open(at, 1 + usize::from(*piece) * 97, sealed);
    let is_whole = SEALED[at] == sealed;
    assert_eq!(opened.is_some(), is_whole, "opened, or not, against what was sealed");
    if let Some(opened) = opened {
        assert_eq!(opened, plaintext(LENGTHS[at]));
    }
}

fn open(at: usize, piece: usize, sealed: &[u8]) -> Option<Vec<u8>> {
    let length = u64::try_from(LENGTHS[at]).unwrap();
    let mut opener = key().opener(&part(at), length, 0, length).unwrap();
    let mut opened = Vec::new();
    for mut piece in sealed.chunks(piece) {
        while let Some(chunk) = opener.open(&mut piece).ok()? {
            opened.extend_from_slice(chunk.expose());
        }
    }
    opener.is_complete().then_some(opened)
}

fn key() -> ContentKey {
    ContentKey::from_secret(SecretArray::copy_from(&[7; 32]).unwrap())
}

fn part(at: usize) -> Part {
    Part { owner: [1; 16], number: u32::try_from(at).unwrap(), nonce: PartNonce::from_bytes([2; 16]) }
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let case = |at: usize| u8::try_from(at).unwrap();
    SEALED.iter().enumerate().map(|(at, sealed)| [&[case(at), 200], &**sealed].concat()).collect()
}
