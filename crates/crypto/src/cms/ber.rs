//! Elements of BER (X.690), written. A library that writes CMS writes DER, which knows no indefinite length.

/// Identifier octets.
pub(crate) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OBJECT: u8 = 0x06;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// A context-specific tag below 31 on something made of elements.
    pub(crate) const fn context(number: u8) -> u8 {
        0xa0 | number
    }

    /// A context-specific tag below 31 on bytes.
    pub(crate) const fn context_primitive(number: u8) -> u8 {
        0x80 | number
    }
}

/// An element of definite length, as DER has it, around these parts.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    push_length(&mut out, length);
    out.extend(parts.iter().copied().flatten());
    out
}

/// An element of indefinite length around these elements.
pub(crate) fn indefinite(tag: u8, elements: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![tag, 0x80];
    out.extend(elements.iter().copied().flatten());
    out.extend([0, 0]);
    out
}

/// In as few bytes as possible (X.690 section 10.1).
fn push_length(out: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let significant = bytes.iter().copied().skip_while(|byte| *byte == 0);
            let count = significant.clone().map(|_| 1_u8).sum::<u8>();
            out.push(0x80 | count);
            out.extend(significant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// X.690 section 8.1.3.
    #[test]
    fn lengths_have_the_shortest_form() {
        for (length, head) in [
            (0, &[4, 0][..]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (255, &[4, 0x81, 255]),
            (256, &[4, 0x82, 1, 0]),
            (65_536, &[4, 0x83, 1, 0, 0]),
        ] {
            let content = vec![7; length];
            let written = element(tag::OCTET_STRING, &[&content]);
            assert!(written.starts_with(head), "{length}");
            assert_eq!(written.len(), head.len() + length);
        }
    }

    #[test]
    fn parts_follow_one_another_and_an_indefinite_length_ends_with_two_zeros() {
        assert_eq!(element(tag::SEQUENCE, &[&[1, 2], &[], &[3]]), [0x30, 3, 1, 2, 3]);
        assert_eq!(indefinite(tag::SEQUENCE, &[&[5, 0]]), [0x30, 0x80, 5, 0, 0, 0]);
        assert_eq!((tag::context(1), tag::context_primitive(0)), (0xa1, 0x80));
    }
}
