//! The few DER documents that the library does not write: ML-KEM keys (RFC 9935).

use base::SecretBytes;

/// Whether these bytes are one DER SEQUENCE below 64 KiB with nothing after it, which the library does not check.
pub(crate) fn is_one_sequence(der: &[u8]) -> bool {
    matches!(sequence(der), Some((_, [])))
}

/// The AlgorithmIdentifier that a SubjectPublicKeyInfo begins with: its content, without tag and length.
pub(super) fn algorithm_identifier(spki_der: &[u8]) -> Option<&[u8]> {
    let (spki, _) = sequence(spki_der)?;
    sequence(spki).map(|(algorithm, _)| algorithm)
}

/// The content of a DER SEQUENCE below 64 KiB, and what follows it.
pub(super) fn sequence(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?
        }
        _ => return None,
    };
    if tag == 0x30 { rest.split_at_checked(length) } else { None }
}

/// Where the parts of an ML-KEM key are, and how it is named in DER.
#[derive(Clone, Copy)]
pub(super) struct MlKemLayout {
    /// Last number of the object identifier 2.16.840.1.101.3.4.4.x.
    object: u8,
    /// Bytes of the secret vector that a decapsulation key begins with: 384 k.
    vector: u16,
}

impl MlKemLayout {
    pub(super) const ML_KEM_512: Self = Self { object: 1, vector: 768 };
    pub(super) const ML_KEM_768: Self = Self { object: 2, vector: 1152 };
    pub(super) const ML_KEM_1024: Self = Self { object: 3, vector: 1536 };

    /// The encapsulation key within a decapsulation key, and its SHA3-256 digest that follows it: FIPS 203
    /// algorithm 16 makes dk = dk_PKE ‖ ek ‖ H(ek) ‖ z.
    pub(super) fn encapsulation_key<'a>(&self, decapsulation_key: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (vector, key) = (usize::from(self.vector), usize::from(self.encapsulation_key_length()));
        let rest = decapsulation_key.get(vector..)?;
        Some((rest.get(..key)?, rest.get(key..key + 32)?))
    }

    /// A SubjectPublicKeyInfo around this encapsulation key.
    pub(super) fn public_document(&self, encapsulation_key: &[u8]) -> Vec<u8> {
        [&self.public_prefix()[..], encapsulation_key].concat()
    }

    /// The encapsulation key within a SubjectPublicKeyInfo as [`Self::public_document`] writes it.
    pub(super) fn public_bytes<'a>(&self, document: &'a [u8]) -> Option<&'a [u8]> {
        document.strip_prefix(&self.public_prefix())
    }

    /// A PrivateKeyInfo (RFC 5958) around this decapsulation key, in its expanded form.
    pub(super) fn private_document(&self, decapsulation_key: &[u8]) -> SecretBytes {
        SecretBytes::new([&self.private_prefix()[..], decapsulation_key].concat())
    }

    /// The decapsulation key within a PrivateKeyInfo as [`Self::private_document`] writes it.
    pub(super) fn private_bytes<'a>(&self, document: &'a [u8]) -> Option<&'a [u8]> {
        document.strip_prefix(&self.private_prefix())
    }

    fn encapsulation_key_length(&self) -> u16 {
        self.vector + 32
    }

    fn decapsulation_key_length(&self) -> u16 {
        2 * self.vector + 96
    }

    fn public_prefix(&self) -> [u8; 22] {
        let key = self.encapsulation_key_length();
        let [a, b] = (key + 18).to_be_bytes();
        let [c, d] = (key + 1).to_be_bytes();
        let [i, j, k, l, m, n, o, p, q, r, s, t, u] = self.algorithm();
        [0x30, 0x82, a, b, i, j, k, l, m, n, o, p, q, r, s, t, u, 0x03, 0x82, c, d, 0]
    }

    fn private_prefix(&self) -> [u8; 28] {
        let key = self.decapsulation_key_length();
        let [a, b] = (key + 24).to_be_bytes();
        let [c, d] = (key + 4).to_be_bytes();
        let [e, f] = key.to_be_bytes();
        let [i, j, k, l, m, n, o, p, q, r, s, t, u] = self.algorithm();
        [
            0x30, 0x82, a, b, 0x02, 0x01, 0x00, i, j, k, l, m, n, o, p, q, r, s, t, u, 0x04, 0x82, c, d,
            0x04, 0x82, e, f,
        ]
    }

    /// The AlgorithmIdentifier, without parameters.
    fn algorithm(&self) -> [u8; 13] {
        [0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, self.object]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_algorithm_is_the_first_part() {
        assert_eq!(algorithm_identifier(&[0x30, 6, 0x30, 2, 5, 0, 3, 0]), Some(&[5, 0][..]));
        for other in [&[][..], &[0x30, 0], &[0x30, 2, 3, 0], &[0x30, 3, 0x30, 2, 5], &[0x31, 2, 0x30, 0]] {
            assert_eq!(algorithm_identifier(other), None);
        }
    }

    #[test]
    fn only_one_whole_sequence_is_one() {
        let long = [&[0x30, 0x82, 0x01, 0x00][..], &[0; 256]].concat();
        let middle = [&[0x30, 0x81, 0x80][..], &[0; 128]].concat();
        for whole in [&[0x30, 0][..], &[0x30, 1, 5], &middle, &long] {
            assert!(is_one_sequence(whole));
            assert!(!is_one_sequence(&[whole, &[0]].concat()), "a byte more");
            assert!(!is_one_sequence(&whole[..whole.len() - 1]), "a byte less");
        }
        for other in [&[][..], &[0x30], &[0x31, 0], &[0x30, 0x80, 0, 0], &[0x30, 0x83, 0, 0, 0]] {
            assert!(!is_one_sequence(other));
        }
    }
}
