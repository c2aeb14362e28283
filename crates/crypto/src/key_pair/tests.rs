//! Every algorithm of every spec, with what must fail beside it.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use base::SecretBytes;
use proptest::prelude::*;

use super::*;

const EVERY: &[KeyPairSpec] = KeyPairSpec::ALL;

/// One key pair of each spec, made once: RSA keys take long.
fn key(spec: KeyPairSpec) -> &'static PrivateKey {
    static KEYS: [OnceLock<PrivateKey>; 14] = [const { OnceLock::new() }; 14];
    let place = EVERY.iter().position(|other| *other == spec).unwrap();
    KEYS[place].get_or_init(|| PrivateKey::generate(spec).unwrap())
}

fn algorithms() -> impl Iterator<Item = (KeyPairSpec, SigningAlgorithm)> {
    EVERY.iter().flat_map(|spec| spec.signing_algorithms().iter().map(|algorithm| (*spec, *algorithm)))
}

fn hash(algorithm: SigningAlgorithm, message: &[u8]) -> Vec<u8> {
    let hash = match algorithm.as_str() {
        name if name.ends_with("SHA_256") => &digest::SHA256,
        name if name.ends_with("SHA_384") => &digest::SHA384,
        _ => &digest::SHA512,
    };
    digest::digest(hash, message).as_ref().to_vec()
}

fn takes_digest(algorithm: SigningAlgorithm) -> bool {
    !matches!(algorithm, SigningAlgorithm::Ed25519Sha512 | SigningAlgorithm::MlDsaShake256)
}

fn takes_raw(algorithm: SigningAlgorithm) -> bool {
    algorithm != SigningAlgorithm::Ed25519PhSha512
}

/// Each signature in the way its algorithm is used: raw, or the digest where raw is not offered.
fn check_signature(key: &PrivateKey, algorithm: SigningAlgorithm, text: &[u8], other: &[u8]) {
    let (text_hash, other_hash) = (hash(algorithm, text), hash(algorithm, other));
    let (message, another) = match takes_raw(algorithm) {
        true => (Message::Raw(text), Message::Raw(other)),
        false => (Message::Digest(&text_hash), Message::Digest(&other_hash)),
    };
    let signature = key.sign(algorithm, message).unwrap();
    let verify = |message, signature: &[u8]| key.public_key().verify(algorithm, message, signature);
    assert_eq!(verify(message, &signature), Ok(()), "{algorithm}");
    assert_eq!(verify(another, &signature), Err(VerifyError::InvalidSignature), "{algorithm}");
    for position in [0, signature.len() / 2, signature.len() - 1] {
        let mut flipped = signature.clone();
        flipped[position] ^= 1;
        assert_eq!(verify(message, &flipped), Err(VerifyError::InvalidSignature), "{algorithm} {position}");
    }
    let longer = [&signature[..], &[0]].concat();
    for wrong in [&[][..], &signature[1..], &signature[..signature.len() - 1], &longer] {
        assert_eq!(verify(message, wrong), Err(VerifyError::InvalidSignature), "{algorithm}");
    }
}

#[test]
fn every_algorithm_verifies_its_signatures_and_no_others() {
    for (spec, algorithm) in algorithms() {
        check_signature(key(spec), algorithm, b"message", b"massage");
    }
}

#[test]
fn another_key_does_not_verify() {
    for (spec, algorithm) in algorithms() {
        let fitting = hash(algorithm, b"message");
        let message = if takes_raw(algorithm) { Message::Raw(b"message") } else { Message::Digest(&fitting) };
        let signature = key(spec).sign(algorithm, message).unwrap();
        // A second key where one is made quickly.
        if spec.modulus_length().is_none() || spec == KeyPairSpec::Rsa2048 {
            let other = PrivateKey::generate(spec).unwrap();
            let refused = other.public_key().verify(algorithm, message, &signature);
            assert_eq!(refused, Err(VerifyError::InvalidSignature), "{spec} {algorithm}");
        }
    }
}

#[test]
fn another_algorithm_does_not_verify() {
    for (spec, algorithm) in algorithms() {
        let fitting = hash(algorithm, b"message");
        let message = if takes_raw(algorithm) { Message::Raw(b"message") } else { Message::Digest(&fitting) };
        let signature = key(spec).sign(algorithm, message).unwrap();
        for other in SigningAlgorithm::ALL.iter().filter(|other| **other != algorithm) {
            let refused = key(spec).public_key().verify(*other, Message::Raw(b"message"), &signature);
            let offered = spec.signing_algorithms().contains(other) && takes_raw(*other);
            let expected = if offered { VerifyError::InvalidSignature } else { VerifyError::NotOffered };
            assert_eq!(refused, Err(expected), "{spec} {algorithm} {other}");
        }
    }
}

#[test]
fn algorithms_of_other_specs_do_not_sign() {
    for spec in EVERY {
        for algorithm in SigningAlgorithm::ALL {
            if !spec.signing_algorithms().contains(algorithm) {
                for message in [Message::Raw(b"m"), Message::Digest(&[0; 32]), Message::ExternalMu(&[0; 64])]
                {
                    assert_eq!(
                        key(*spec).sign(*algorithm, message),
                        Err(SignError::NotOffered),
                        "{spec} {algorithm}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_message_and_its_digest_mean_the_same() {
    for (spec, algorithm) in
        algorithms().filter(|(_, algorithm)| takes_digest(*algorithm) && takes_raw(*algorithm))
    {
        let (key, given) = (key(spec), hash(algorithm, b"message"));
        let raw = key.sign(algorithm, Message::Raw(b"message")).unwrap();
        let digested = key.sign(algorithm, Message::Digest(&given)).unwrap();
        let verify = |message, signature: &[u8]| key.public_key().verify(algorithm, message, signature);
        assert_eq!(verify(Message::Digest(&given), &raw), Ok(()), "{spec} {algorithm}");
        assert_eq!(verify(Message::Raw(b"message"), &digested), Ok(()), "{spec} {algorithm}");
        let other = hash(algorithm, b"massage");
        assert_eq!(verify(Message::Digest(&other), &raw), Err(VerifyError::InvalidSignature));
    }
}

#[test]
fn a_digest_of_another_length_is_refused() {
    for (spec, algorithm) in algorithms().filter(|(_, algorithm)| takes_digest(*algorithm)) {
        let right = hash(algorithm, b"").len();
        for length in [0, 20, 28, 32, 48, 64, 65, 4096].into_iter().filter(|length| *length != right) {
            let given = vec![1; length];
            let (message, key) = (Message::Digest(&given), key(spec));
            assert_eq!(key.sign(algorithm, message), Err(SignError::DigestLength), "{algorithm} {length}");
            assert_eq!(key.public_key().verify(algorithm, message, &[1; 64]), Err(VerifyError::DigestLength));
        }
    }
}

#[test]
fn a_kind_of_message_that_the_algorithm_does_not_take_is_not_offered() {
    for (spec, algorithm) in algorithms() {
        let mut refused = vec![];
        if !takes_raw(algorithm) {
            refused.push(Message::Raw(b"message"));
        }
        if !takes_digest(algorithm) {
            refused.push(Message::Digest(&[1; 64]));
        }
        if algorithm != SigningAlgorithm::MlDsaShake256 {
            refused.push(Message::ExternalMu(&[1; 64]));
        }
        for message in refused {
            assert_eq!(key(spec).sign(algorithm, message), Err(SignError::NotOffered), "{spec} {algorithm}");
            let verified = key(spec).public_key().verify(algorithm, message, &[1; 64]);
            assert_eq!(verified, Err(VerifyError::NotOffered), "{spec} {algorithm}");
        }
    }
}

#[test]
fn the_published_public_key_sizes_and_object_identifiers() {
    // RFC 5480, RFC 8017, RFC 8410, NIST CSOR; sizes follow from the encodings.
    let expected: [(KeyPairSpec, usize, &str); 14] = [
        (KeyPairSpec::Rsa2048, 294, "300d06092a864886f70d0101010500"),
        (KeyPairSpec::Rsa3072, 422, "300d06092a864886f70d0101010500"),
        (KeyPairSpec::Rsa4096, 550, "300d06092a864886f70d0101010500"),
        (KeyPairSpec::EccNistP256, 91, "301306072a8648ce3d020106082a8648ce3d03010703420004"),
        (KeyPairSpec::EccNistP384, 120, "301006072a8648ce3d020106052b8104002203620004"),
        (KeyPairSpec::EccNistP521, 158, "301006072a8648ce3d020106052b810400230381860004"),
        (KeyPairSpec::EccSecgP256k1, 88, "305630 1006072a8648ce3d020106052b8104000a03420004"),
        (KeyPairSpec::EccNistEdwards25519, 44, "302a300506032b6570032100"),
        (KeyPairSpec::MlDsa44, 1334, "30820532300b0609608648016503040311038205 2100"),
        (KeyPairSpec::MlDsa65, 1974, "308207b2300b0609608648016503040312038207a100"),
        (KeyPairSpec::MlDsa87, 2614, "30820a32300b060960864801650304031303820a2100"),
        (KeyPairSpec::MlKem512, 822, "30820332300b06096086480165030404010382032100"),
        (KeyPairSpec::MlKem768, 1206, "308204b2300b0609608648016503040402038204a100"),
        (KeyPairSpec::MlKem1024, 1590, "30820632300b06096086480165030404030382062100"),
    ];
    for (spec, length, header) in expected {
        let document = key(spec).public_key().spki_der();
        assert_eq!(document.len(), length, "{spec}");
        let text: String = document[..40].iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(text.contains(&header.replace(' ', "")), "{spec}: {text}");
    }
}

#[test]
fn rsa_keys_have_the_exponent_65537() {
    assert!(key(KeyPairSpec::Rsa2048).public_key().spki_der().ends_with(&[2, 3, 1, 0, 1]));
}

#[test]
fn signatures_have_the_published_lengths() {
    for (spec, algorithm) in algorithms() {
        let fitting = hash(algorithm, b"message");
        let message = if takes_raw(algorithm) { Message::Raw(b"message") } else { Message::Digest(&fitting) };
        let length = key(spec).sign(algorithm, message).unwrap().len();
        let expected = match spec.as_str() {
            "RSA_2048" => 256..=256,
            "RSA_3072" => 384..=384,
            "RSA_4096" => 512..=512,
            "ECC_NIST_P256" | "ECC_SECG_P256K1" => 66..=72,
            "ECC_NIST_P384" => 98..=104,
            "ECC_NIST_P521" => 130..=139,
            "ECC_NIST_EDWARDS25519" => 64..=64,
            "ML_DSA_44" => 2420..=2420,
            "ML_DSA_65" => 3309..=3309,
            _ => 4627..=4627,
        };
        assert!(expected.contains(&length), "{spec} {algorithm} {length}");
    }
}

#[test]
fn a_stored_key_is_the_same_key() {
    for spec in EVERY {
        let (old, stored) = (key(*spec), key(*spec).expose_for_sealing());
        let new = PrivateKey::from_stored(*spec, stored).unwrap();
        assert_eq!(new.spec(), *spec);
        assert_eq!(new.public_key().spki_der(), old.public_key().spki_der());
        assert_eq!(new.expose_for_sealing().expose(), stored.expose());
        assert_eq!(new.pkcs8().unwrap().expose(), stored.expose());
        assert!(stored.len() <= 4096, "{spec}: it fits into a GenerateDataKeyPair answer");
        if let Some(algorithm) = spec.signing_algorithms().first() {
            let signature = new.sign(*algorithm, Message::Raw(b"message")).unwrap();
            assert_eq!(old.public_key().verify(*algorithm, Message::Raw(b"message"), &signature), Ok(()));
        }
    }
}

#[test]
fn a_stored_key_is_no_key_of_another_spec() {
    for spec in EVERY {
        for other in EVERY.iter().filter(|other| *other != spec) {
            let refused = PrivateKey::from_stored(*other, key(*spec).expose_for_sealing());
            assert_eq!(refused.err(), Some(KeyPairError::Rejected), "{spec} as {other}");
        }
    }
}

#[test]
fn a_damaged_document_is_no_key() {
    for spec in EVERY {
        let stored = key(*spec).expose_for_sealing().expose();
        let longer = [stored, &[0]].concat();
        for wrong in
            [&[][..], &stored[1..], &stored[..stored.len() - 1], &longer, key(*spec).public_key().spki_der()]
        {
            let refused = PrivateKey::from_stored(*spec, &SecretBytes::new(wrong.to_vec()));
            assert_eq!(refused.err(), Some(KeyPairError::Rejected), "{spec}");
        }
    }
}

#[test]
fn a_decapsulation_key_with_a_wrong_public_half_is_refused() {
    for spec in EVERY.iter().filter(|spec| spec.encapsulates()) {
        let mut stored = key(*spec).expose_for_sealing().expose().to_vec();
        // The hash of the encapsulation key begins 64 bytes before the end.
        let position = stored.len() - 64;
        stored[position] ^= 1;
        assert!(PrivateKey::from_stored(*spec, &SecretBytes::new(stored)).is_err());
    }
}

#[test]
fn oaep_encrypts_up_to_the_published_limit() {
    for spec in EVERY {
        for encryption in RsaEncryption::ALL {
            let (private, public) = (key(*spec), key(*spec).public_key());
            let Some(limit) = encryption.max_plaintext(*spec) else {
                assert_eq!(public.encrypt(*encryption, b"text"), Err(PublicEncryptError::NotOffered));
                assert!(private.decrypt(*encryption, &[1; 256]).is_err());
                continue;
            };
            for length in [0, 1, limit] {
                let plaintext = vec![7; length];
                let ciphertext = public.encrypt(*encryption, &plaintext).unwrap();
                assert_eq!(Some(ciphertext.len()), spec.modulus_length());
                assert_eq!(private.decrypt(*encryption, &ciphertext).unwrap().expose(), plaintext);
            }
            assert_eq!(
                public.encrypt(*encryption, &vec![7; limit + 1]),
                Err(PublicEncryptError::PlaintextTooLong)
            );
        }
    }
}

#[test]
fn oaep_refuses_every_other_ciphertext() {
    let private = key(KeyPairSpec::Rsa2048);
    let ciphertext = private.public_key().encrypt(RsaEncryption::OaepSha256, b"text").unwrap();
    assert!(private.decrypt(RsaEncryption::OaepSha1, &ciphertext).is_err(), "another hash");
    assert!(
        key(KeyPairSpec::Rsa3072).decrypt(RsaEncryption::OaepSha256, &ciphertext).is_err(),
        "another key"
    );
    let mut flipped = ciphertext.clone();
    flipped[100] ^= 1;
    let longer = [&ciphertext[..], &[0]].concat();
    for wrong in [&[][..], &flipped, &ciphertext[..255], &longer, &[0xff; 256]] {
        assert!(private.decrypt(RsaEncryption::OaepSha256, wrong).is_err());
    }
    assert_ne!(ciphertext, private.public_key().encrypt(RsaEncryption::OaepSha256, b"text").unwrap());
}

#[test]
fn two_keys_agree_on_the_secret_of_the_field_length() {
    for (spec, length) in
        [(KeyPairSpec::EccNistP256, 32), (KeyPairSpec::EccNistP384, 48), (KeyPairSpec::EccNistP521, 66)]
    {
        let (own, peer) = (key(spec), PrivateKey::generate(spec).unwrap());
        let secret = own.derive_shared_secret(peer.public_key().spki_der()).unwrap();
        assert_eq!(secret.len(), length);
        assert_eq!(secret.expose(), peer.derive_shared_secret(own.public_key().spki_der()).unwrap().expose());
        let third = PrivateKey::generate(spec).unwrap();
        assert_ne!(
            secret.expose(),
            third.derive_shared_secret(own.public_key().spki_der()).unwrap().expose()
        );
        assert!(spec.agrees());
    }
}

#[test]
fn only_nist_curves_agree_and_only_with_their_own() {
    for spec in EVERY {
        for other in EVERY.iter().filter(|other| *other != spec || !spec.agrees()) {
            let refused = key(*spec).derive_shared_secret(key(*other).public_key().spki_der());
            assert_eq!(refused.err(), Some(InvalidPeerKey), "{spec} with {other}");
        }
    }
}

#[test]
fn a_peer_that_is_not_a_public_key_in_the_right_form_is_refused() {
    let own = key(KeyPairSpec::EccNistP256);
    let peer = PrivateKey::generate(KeyPairSpec::EccNistP256).unwrap();
    let document = peer.public_key().spki_der();
    let mut off_curve = document.to_vec();
    off_curve[90] ^= 1;
    let mut infinity = document[..26].to_vec();
    infinity.push(0);
    infinity[1] = 25;
    infinity[24] = 2;
    let mut zero = document.to_vec();
    zero[27..].fill(0);
    let longer = [document, &[0]].concat();
    let private = peer.expose_for_sealing().expose();
    let refused = [
        &off_curve[..],
        &infinity,
        &zero,
        &longer,
        &document[26..],
        &document[..90],
        private,
        b"",
        b"garbage",
        &[0x30],
    ];
    assert!(own.derive_shared_secret(document).is_ok());
    for wrong in refused {
        assert_eq!(own.derive_shared_secret(wrong).err(), Some(InvalidPeerKey));
    }
}

#[test]
fn what_is_encapsulated_is_decapsulated() {
    for (spec, length) in
        [(KeyPairSpec::MlKem512, 768), (KeyPairSpec::MlKem768, 1088), (KeyPairSpec::MlKem1024, 1568)]
    {
        let (secret, ciphertext) = key(spec).public_key().encapsulate().unwrap();
        assert_eq!((secret.len(), ciphertext.len()), (32, length));
        let stored = PrivateKey::from_stored(spec, key(spec).expose_for_sealing()).unwrap();
        assert_eq!(stored.decapsulate(&ciphertext).unwrap().expose(), secret.expose());
        assert_ne!(key(spec).public_key().encapsulate().unwrap().0.expose(), secret.expose());
    }
}

#[test]
fn a_wrong_encapsulation_gives_another_secret_and_only_a_wrong_length_an_error() {
    for spec in EVERY.iter().filter(|spec| spec.encapsulates()) {
        let (secret, ciphertext) = key(*spec).public_key().encapsulate().unwrap();
        let mut flipped = ciphertext.clone();
        flipped[10] ^= 1;
        let first = key(*spec).decapsulate(&flipped).unwrap();
        assert_ne!(first.expose(), secret.expose());
        assert_eq!(
            first.expose(),
            key(*spec).decapsulate(&flipped).unwrap().expose(),
            "always the same secret"
        );
        let longer = [&ciphertext[..], &[0]].concat();
        for wrong in [&[][..], &ciphertext[1..], &longer] {
            assert!(key(*spec).decapsulate(wrong).is_err());
        }
    }
}

#[test]
fn no_other_key_encapsulates() {
    for spec in EVERY.iter().filter(|spec| !spec.encapsulates()) {
        assert_eq!(key(*spec).public_key().encapsulate().err(), Some(EncapsulateError::NotOffered));
        assert!(key(*spec).decapsulate(&[0; 768]).is_err());
    }
}

#[test]
fn keys_are_used_from_any_thread() {
    fn shared<T: Send + Sync>() {}
    shared::<PrivateKey>();
    shared::<PublicKey>();
}

proptest! {
    #[test]
    fn any_message_is_signed_and_verified(text: Vec<u8>, other: Vec<u8>, choice: prop::sample::Index) {
        prop_assume!(text != other);
        // The quick ones; the others take the same path.
        let quick: Vec<_> = algorithms().filter(|(spec, _)| spec.modulus_length().is_none()).collect();
        let (spec, algorithm) = quick[choice.index(quick.len())];
        check_signature(key(spec), algorithm, &text, &other);
    }

    #[test]
    fn no_bytes_make_a_key_panic(bytes: Vec<u8>, position: prop::sample::Index, flip in 1..=255_u8) {
        for spec in [KeyPairSpec::EccNistP256, KeyPairSpec::EccNistEdwards25519, KeyPairSpec::MlDsa44] {
            prop_assert!(PrivateKey::from_stored(spec, &SecretBytes::new(bytes.clone())).is_err());
            prop_assert!(key(spec).derive_shared_secret(&bytes).is_err());
            let mut changed = key(spec).expose_for_sealing().expose().to_vec();
            let position = position.index(changed.len());
            changed[position] ^= flip;
            // Another seed is another key, and a version that says nothing changes nothing: kept is the canonical form.
            if let Ok(other) = PrivateKey::from_stored(spec, &SecretBytes::new(changed)) {
                let again = PrivateKey::from_stored(spec, other.expose_for_sealing()).unwrap();
                prop_assert_eq!(again.expose_for_sealing().expose(), other.expose_for_sealing().expose());
            }
        }
    }
}
