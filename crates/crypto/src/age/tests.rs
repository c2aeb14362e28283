//! The vectors of the format's authors (`corpus/age/`), and what holds for all files.

use std::io::{Read as _, Write as _};

use proptest::prelude::*;
use testkit::SeededRandomness;

use super::*;
use crate::digest::sha256;
use crate::hexadecimal;

/// A vector: what is expected, and the file.
struct Vector {
    name: String,
    expected: String,
    payload: Option<[u8; 32]>,
    identities: Vec<Identity>,
    file: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpus/age");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_none()).map(|path| vector(&path)).collect()
}

fn vector(path: &std::path::Path) -> Vector {
    let bytes = std::fs::read(path).unwrap();
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
    let mut vector = Vector {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        expected: String::new(),
        payload: None,
        identities: Vec::new(),
        file: bytes[end + 2..].to_vec(),
    };
    for line in std::str::from_utf8(&bytes[..end]).unwrap().lines() {
        match line.split_once(": ").unwrap() {
            ("expect", text) => vector.expected = text.to_owned(),
            ("payload", digest) => vector.payload = hexadecimal::read(digest),
            ("identity", text) => vector.identities.push(text.parse().unwrap()),
            ("compressed", "zlib") => {
                let packed = std::mem::take(&mut vector.file);
                flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut vector.file).unwrap();
            }
            ("file key" | "comment", _) => {}
            (name, _) => panic!("{}: unknown line {name}", vector.name),
        }
    }
    vector
}

/// What comes of a file, in the words of the vectors, and what of it could be read.
fn outcome(file: &[u8], identities: &[Identity]) -> (&'static str, Vec<u8>) {
    let mut read = Vec::new();
    let mut decryptor = match Decryptor::new(file, identities) {
        Ok(decryptor) => decryptor,
        Err(OpenError::NotForThem) => return ("no match", read),
        Err(_) => return ("header failure", read),
    };
    match decryptor.read_to_end(&mut read) {
        Ok(_) => ("success", read),
        Err(_) => ("payload failure", read),
    }
}

#[test]
fn files_are_read_and_refused_as_the_authors_of_the_format_say() {
    let vectors = vectors();
    assert!(vectors.len() > 60);
    for vector in vectors {
        let (found, read) = outcome(&vector.file, &vector.identities);
        let name = &vector.name;
        match vector.expected.as_str() {
            "HMAC failure" => assert_eq!(found, "header failure", "{name}"),
            // The nonce is the payload's in the vectors; to us a file without one is cut off in its header.
            "header failure" if name == "stream_no_nonce" || name == "stream_short_nonce" => {}
            expected => assert_eq!(found, expected, "{name}"),
        }
        // How much of a damaged file is given before the damage shows differs from program to program.
        if let Some(payload) = vector.payload.filter(|_| found == "success") {
            assert_eq!(sha256(&read), payload, "{name}");
        }
    }
}

fn encrypted(plaintext: &[u8], recipients: &[Recipient]) -> Vec<u8> {
    let mut encryptor = Encryptor::new(Vec::new(), recipients, &SeededRandomness::new(7)).unwrap();
    for piece in plaintext.chunks(10_000) {
        encryptor.write_all(piece).unwrap();
    }
    encryptor.finish().unwrap()
}

fn identity(seed: u64) -> Identity {
    Identity::draw(&SeededRandomness::new(seed)).unwrap()
}

#[test]
fn each_recipient_opens_a_file_alone_and_nobody_else_does() {
    let (one, two, other) = (identity(1), identity(2), identity(3));
    let file = encrypted(b"hello", &[one.recipient(), two.recipient()]);
    for identity in [&one, &two] {
        let text = identity.to_text();
        let again: Identity = text.expose().parse().unwrap();
        assert_eq!(outcome(&file, &[again]), ("success", b"hello".to_vec()));
    }
    assert_eq!(outcome(&file, &[other]).0, "no match");
    assert_eq!(outcome(&file, &[]).0, "no match");
}

#[test]
fn a_file_without_its_end_is_refused_wherever_it_was_cut() {
    let identity = [identity(1)];
    let file = encrypted(&vec![5; 3 * 65_536], &[identity[0].recipient()]);
    let header = file.len() - 3 * (65_536 + TAG);
    let at_chunks = (0..3).map(|number| header + number * (65_536 + TAG));
    for length in at_chunks.chain([0, 10, header - 1, header + 1, file.len() - 1]) {
        assert_ne!(outcome(&file[..length], &identity).0, "success", "{length}");
    }
    assert_eq!(outcome(&file, &identity).0, "success");
    let mut longer = file;
    longer.push(0);
    assert_eq!(outcome(&longer, &identity).0, "payload failure");
}

#[test]
fn for_nobody_there_is_no_file() {
    let made = Encryptor::new(Vec::new(), &[], &SeededRandomness::new(1));
    assert!(matches!(made, Err(EncryptError::NoRecipient)));
    // The point at zero, with which everybody agrees on zero.
    let nobody: Recipient = bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("age").unwrap(), &[0; 32])
        .unwrap()
        .parse()
        .unwrap();
    let made = Encryptor::new(Vec::new(), &[nobody], &SeededRandomness::new(1));
    assert!(matches!(made, Err(EncryptError::UnusableRecipient(_))));
}

#[test]
fn recipients_and_identities_have_one_text_each() {
    // From the format's description of the file that age-keygen writes.
    let identity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    let recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    let read: Identity = identity.parse().unwrap();
    assert_eq!(read.recipient().to_string(), recipient);
    assert_eq!(recipient.parse::<Recipient>().unwrap(), read.recipient());
    for bad in [
        "",
        "age1",
        recipient.to_uppercase().as_str(),
        identity,
        recipient.trim_end_matches('j'),
        &format!("{recipient} "),
    ] {
        assert_eq!(bad.parse::<Recipient>(), Err(InvalidRecipient), "{bad}");
    }
    for bad in ["", identity.to_lowercase().as_str(), recipient, &identity.replace('Q', "P")] {
        assert!(bad.parse::<Identity>().is_err(), "{bad}");
    }
    let file = format!("# created: 2026-01-01\n# public key: {recipient}\n\n{identity}\n");
    assert_eq!(read_identities(&file).unwrap().len(), 1);
    assert_eq!(read_identities("# x\nAGE-SECRET-KEY-1X\n").err(), Some(2));
    assert_eq!(read_recipients(&format!("{recipient}\r\n#\n")), Ok(vec![read.recipient()]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read_back_whole(length in 0_usize..200_000) {
        let identity = [identity(1)];
        let plaintext: Vec<u8> = (0..length).map(|place| u8::try_from(place % 251).unwrap()).collect();
        let file = encrypted(&plaintext, &[identity[0].recipient()]);
        prop_assert_eq!(outcome(&file, &identity), ("success", plaintext));
    }

    #[test]
    fn a_changed_bit_is_noticed_and_nothing_wrong_is_read(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let identity = [identity(1)];
        let plaintext = vec![9; 70_000];
        let mut file = encrypted(&plaintext, &[identity[0].recipient()]);
        let place = place.index(file.len());
        file[place] ^= 1 << bit;
        let (found, read) = outcome(&file, &identity);
        prop_assert_ne!(found, "success");
        prop_assert!(plaintext.starts_with(&read));
    }
}

/// Takes so many bytes, and fails once; then there is room again.
struct FullOnce {
    room: usize,
    has_failed: bool,
    taken: Vec<u8>,
}

impl std::io::Write for FullOnce {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.taken.len() + bytes.len() > self.room && !self.has_failed {
            self.has_failed = true;
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.taken.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_could_not_be_written_once_is_never_gone_on_with() {
    let recipient = identity(1).recipient();
    let file = FullOnce { room: 100_000, has_failed: false, taken: Vec::new() };
    let mut encryptor = Encryptor::new(file, &[recipient], &SeededRandomness::new(7)).unwrap();
    let error = encryptor.write_all(&vec![1; 1_000_000]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    // Whoever writes an end all the same, as archives do when they are dropped.
    for length in [1, 1_024, 70_000] {
        assert!(encryptor.write(&vec![0; length]).is_err());
    }
    assert!(encryptor.finish().is_err());
}
