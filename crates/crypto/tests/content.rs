//! Contents in format 1 against `corpus/content/v1/`: what one release wrote, every later one reads.
#![expect(clippy::unwrap_used, reason = "a test")]

use base::SecretArray;
use crypto::content::{ContentKey, Part, PartNonce, sealed_length};
use crypto::digest::sha256;
use serde::Deserialize;
use testkit::read_corpus;

#[derive(Deserialize)]
struct Case {
    name: String,
    key: String,
    owner: String,
    number: u32,
    nonce: String,
    length: u64,
    sealed: String,
    bytes: Option<String>,
}

impl Case {
    fn key(&self) -> ContentKey {
        ContentKey::from_secret(SecretArray::copy_from(&bytes(&self.key)).unwrap())
    }

    fn part(&self) -> Part {
        let owner = bytes(&self.owner).try_into().unwrap();
        let nonce = PartNonce::from_bytes(bytes(&self.nonce).try_into().unwrap());
        Part { owner, number: self.number, nonce }
    }

    fn plaintext(&self) -> Vec<u8> {
        (0..self.length).map(|at| u8::try_from(7 * at % 251).unwrap()).collect()
    }

    fn seal(&self) -> Vec<u8> {
        let (mut sealer, mut sealed) = (self.key().sealer(&self.part()).unwrap(), Vec::new());
        sealer.seal(&self.plaintext(), &mut sealed).unwrap();
        assert_eq!(sealer.finish(&mut sealed), Ok(self.length));
        sealed
    }

    fn open(&self, mut sealed: &[u8]) -> Option<Vec<u8>> {
        let mut opener = self.key().opener(&self.part(), self.length, 0, self.length).unwrap();
        let mut plaintext = Vec::new();
        while let Some(opened) = opener.open(&mut sealed).ok()? {
            plaintext.extend_from_slice(opened.expose());
        }
        opener.is_complete().then_some(plaintext)
    }
}

fn bytes(text: &str) -> Vec<u8> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty());
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_part_is_still_written_as_the_same_bytes_and_opens() {
    let cases: Vec<Case> = read_corpus("content/v1/parts.json").unwrap();
    assert!(cases.len() >= 9);
    for case in &cases {
        let sealed = case.seal();
        assert_eq!(hexadecimal(&sha256(&sealed)), case.sealed, "{}", case.name);
        assert_eq!(u64::try_from(sealed.len()).unwrap(), sealed_length(case.length), "{}", case.name);
        if let Some(short) = &case.bytes {
            assert_eq!(hexadecimal(&sealed), *short, "{}", case.name);
        }
        assert_eq!(case.open(&sealed), Some(case.plaintext()), "{}", case.name);
    }
}

#[test]
fn every_flipped_bit_of_a_short_part_is_refused() {
    let cases: Vec<Case> = read_corpus("content/v1/parts.json").unwrap();
    for case in cases.iter().filter(|case| case.bytes.is_some()) {
        let mut sealed = bytes(case.bytes.as_ref().unwrap());
        for at in 0..sealed.len() {
            for bit in 0..8 {
                *sealed.get_mut(at).unwrap() ^= 1 << bit;
                assert_eq!(case.open(&sealed), None, "{}: bit {bit} of byte {at}", case.name);
                *sealed.get_mut(at).unwrap() ^= 1 << bit;
            }
        }
        assert!(case.open(&sealed).is_some());
    }
}
