//! Files in the format of age: nothing is read of a file but what its writer put there, and its end only if it is whole.

use std::io::{Read as _, Write as _};
use std::sync::LazyLock;

use crypto::age::{Decryptor, Encryptor, Identity, Recipient, read_identities, read_recipients};
use testkit::SeededRandomness;

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "age_file",
    run,
    seeds,
    words: &[
        "age-encryption.org/v1\n",
        "-> X25519 ",
        "-> scrypt ",
        "\n---",
        "age1",
        "AGE-SECRET-KEY-1",
        "# ",
    ],
};

/// Bytes of plaintext in each sample.
const LENGTHS: [usize; 3] = [0, 100, 65_536];

static SAMPLES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| LENGTHS.iter().map(|length| encrypted(&plaintext(*length))).collect());

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let _ = read_identities(&text);
    for recipient in read_recipients(&text).unwrap_or_default() {
        assert_eq!(recipient.to_string().parse::<Recipient>(), Ok(recipient));
    }
    let Ok(mut file) = Decryptor::new(input, &[identity()]) else { return };
    let mut read = Vec::new();
    let ends = file.read_to_end(&mut read).is_ok();
    // Without the key no header can be made: what has a good one is one of the samples, up to some place.
    let is_sample = SAMPLES.iter().any(|sample| sample == input);
    assert_eq!(ends, is_sample, "a file was taken for whole, or was not");
    assert!(LENGTHS.iter().any(|length| plaintext(*length).starts_with(&read)));
}

fn identity() -> Identity {
    Identity::draw(&SeededRandomness::new(1)).unwrap()
}

fn encrypted(plaintext: &[u8]) -> Vec<u8> {
    let random = SeededRandomness::new(2);
    let mut file = Encryptor::new(Vec::new(), &[identity().recipient()], &random).unwrap();
    file.write_all(plaintext).unwrap();
    file.finish().unwrap()
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = std::fs::read_dir(testkit::corpus_path("age")).unwrap();
    let vectors = vectors.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    // What is expected of a vector stands before it.
    let vectors = vectors.filter_map(|vector| {
        let end = vector.windows(2).position(|pair| pair == b"\n\n")?;
        Some(vector[end + 2..].to_vec())
    });
    let texts =
        [identity().recipient().to_string().into_bytes(), identity().to_text().expose().as_bytes().to_vec()];
    SAMPLES.iter().cloned().chain(texts).chain(vectors).collect()
}
