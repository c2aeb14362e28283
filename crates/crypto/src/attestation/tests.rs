mod authority;

use std::sync::LazyLock;

use base::SecretBytes;
use proptest::prelude::*;
use testkit::SeededRandomness;

use self::authority::{
    Claims, DIGITAL_SIGNATURE, ES384, Fields, Holder, KEY_CERT_SIGN, YEAR_2026, assembled, cbor, cbor_bytes,
    cbor_text, certificates, now, registers, signed,
};
use super::*;
use crate::{KeyPairSpec, PrivateKey};

/// A chain as AWS's are: a root, two authorities below it, an enclave.
struct World {
    root: Holder,
    region: Holder,
    zone: Holder,
    enclave: Holder,
    key: PrivateKey,
    roots: AttestationRoots,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let root = Holder::root(&Claims::authority("aws.nitro-enclaves"));
    let region = root.issue(&Claims { constraints: Some((true, Some(1))), ..Claims::authority("region") });
    let zone = region.issue(&Claims { constraints: Some((true, Some(0))), ..Claims::authority("zone") });
    let enclave = zone.issue(&Claims::enclave());
    let key = PrivateKey::generate(KeyPairSpec::Rsa2048).unwrap();
    let roots = trusting(&root);
    World { root, region, zone, enclave, key, roots }
});

fn trusting(root: &Holder) -> AttestationRoots {
    let mut roots = AttestationRoots::default();
    roots.add_pem(root.pem().as_bytes()).unwrap();
    roots
}

impl World {
    fn fields(&self) -> Fields {
        let authorities = [&*self.root.certificate, &*self.region.certificate, &*self.zone.certificate];
        Fields::new(&self.enclave.certificate, &authorities, self.key.public_key().spki_der())
    }

    fn document(&self, fields: &Fields) -> Vec<u8> {
        signed(ES384, &fields.payload(), &self.enclave)
    }

    fn verify(&self, document: &[u8]) -> Option<InvalidAttestation> {
        self.roots.verify(document, now()).err()
    }

    fn verify_fields(&self, fields: &Fields) -> Option<InvalidAttestation> {
        self.verify(&self.document(fields))
    }
}

/// A document by an enclave with these claims, whose certificate `issuer` issued below `authorities`.
fn judged(roots: &AttestationRoots, authorities: &[&Holder], claims: &Claims) -> Option<InvalidAttestation> {
    let issuer = authorities.last().unwrap();
    let enclave = issuer.issue(claims);
    let bundle: Vec<_> = authorities.iter().map(|holder| holder.certificate.as_slice()).collect();
    let fields = Fields::new(&enclave.certificate, &bundle, WORLD.key.public_key().spki_der());
    roots.verify(&signed(ES384, &fields.payload(), &enclave), now()).err()
}

#[test]
fn a_document_of_an_enclave_is_verified_with_and_without_its_tag() {
    let document = WORLD.document(&WORLD.fields());
    assert_eq!(WORLD.verify(&document), None);
    assert_eq!(WORLD.verify(&[vec![0xd2], document.clone()].concat()), None);
    assert_eq!(WORLD.verify(&[vec![0xd1], document].concat()), Some(InvalidAttestation::Malformed));
}

#[test]
fn the_key_that_is_attested_is_the_key_that_is_encrypted_to() {
    let key = WORLD.roots.verify(&WORLD.document(&WORLD.fields()), now()).ok().unwrap().key;
    let same = RecipientKey::from_spki(WORLD.key.public_key().spki_der()).unwrap();
    let envelop =
        |key: &RecipientKey| key.envelop(&SecretBytes::new(vec![1; 8]), &SeededRandomness::new(1)).unwrap();
    // Up to the encrypted content key, which is never the same twice, there is only what names the recipient.
    assert_eq!(envelop(&key)[..100], envelop(&same)[..100]);
}

#[test]
fn what_runs_there_is_told_by_the_names_of_condition_keys() {
    let told =
        |fields: &Fields| WORLD.roots.verify(&WORLD.document(fields), now()).ok().unwrap().measurements;
    let enclave = told(&WORLD.fields().with("pcrs", registers(&[(0, 48), (8, 32)])));
    for (name, length) in
        [("imagesha384", Some(96)), ("pcr0", Some(96)), ("pcr8", Some(64)), ("pcr1", None), ("PCR0", None)]
    {
        assert_eq!(enclave.get(name).map(str::len), length, "{name}");
    }
    assert_eq!(enclave.get("imagesha384"), enclave.get("pcr0"));
    let tpm = told(&WORLD.fields().without("pcrs").with("nitrotpm_pcrs", registers(&[(0, 48), (23, 48)])));
    for (name, is_there) in
        [("nitrotpmpcr0", true), ("nitrotpmpcr23", true), ("pcr0", false), ("imagesha384", false)]
    {
        assert_eq!(tpm.get(name).is_some(), is_there, "{name}");
    }
}

#[test]
fn a_document_of_a_nitro_tpm_is_verified() {
    let fields =
        WORLD.fields().without("pcrs").with("nitrotpm_pcrs", registers(&[(0, 48), (4, 48), (23, 48)]));
    assert_eq!(WORLD.verify_fields(&fields), None);
    let both = WORLD.fields().with("nitrotpm_pcrs", registers(&[(0, 48)]));
    assert_eq!(WORLD.verify_fields(&both), Some(InvalidAttestation::Malformed));
}

#[test]
fn maps_and_arrays_may_have_indefinite_length() {
    let indefinite = |definite: &[u8], begin: u8| [&[begin], &definite[1..], &[0xff]].concat();
    let mut fields = WORLD.fields();
    for (name, value) in &mut fields.0 {
        match *name {
            "pcrs" => *value = indefinite(value, 0xbf),
            "cabundle" => *value = indefinite(value, 0x9f),
            _ => {}
        }
    }
    let payload = indefinite(&fields.payload(), 0xbf);
    assert_eq!(WORLD.verify(&signed(ES384, &payload, &WORLD.enclave)), None);
    let endless = &payload[..payload.len() - 1];
    assert_eq!(WORLD.verify(&signed(ES384, endless, &WORLD.enclave)), Some(InvalidAttestation::Malformed));
    for (name, empty) in [("pcrs", [0xbf, 0xff]), ("cabundle", [0x9f, 0xff])] {
        let fields = WORLD.fields().with(name, empty.to_vec());
        assert_eq!(WORLD.verify_fields(&fields), Some(InvalidAttestation::Malformed), "{name}");
    }
}

#[test]
fn each_changed_bit_is_noticed() {
    let document = WORLD.document(&WORLD.fields());
    for at in 0..document.len() {
        let mut changed = document.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(WORLD.verify(&changed).is_some(), "byte {at}");
    }
}

#[test]
fn a_document_that_is_cut_or_longer_is_malformed() {
    let document = WORLD.document(&WORLD.fields());
    for length in 0..document.len() {
        assert_eq!(WORLD.verify(&document[..length]), Some(InvalidAttestation::Malformed), "{length}");
    }
    for more in [0x00, 0xf6, 0xff] {
        let longer = [document.clone(), vec![more]].concat();
        assert_eq!(WORLD.verify(&longer), Some(InvalidAttestation::Malformed));
        let payload = [WORLD.fields().payload(), vec![more]].concat();
        let longer = signed(ES384, &payload, &WORLD.enclave);
        assert_eq!(WORLD.verify(&longer), Some(InvalidAttestation::Malformed));
    }
}

#[test]
fn required_fields_are_required_and_optional_ones_are_not() {
    for field in ["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"] {
        let missing = WORLD.fields().without(field);
        assert_eq!(WORLD.verify_fields(&missing), Some(InvalidAttestation::Malformed), "{field}");
        let null = WORLD.fields().with(field, cbor(|encoder| drop(encoder.null())));
        assert_eq!(WORLD.verify_fields(&null), Some(InvalidAttestation::Malformed), "{field}");
    }
    for field in ["user_data", "nonce"] {
        assert_eq!(WORLD.verify_fields(&WORLD.fields().without(field)), None, "{field}");
    }
    for fields in [
        WORLD.fields().without("public_key"),
        WORLD.fields().with("public_key", cbor(|encoder| drop(encoder.null()))),
    ] {
        assert_eq!(WORLD.verify_fields(&fields), Some(InvalidAttestation::PublicKey));
    }
}

#[test]
fn fields_are_held_to_their_limits() {
    let number = |value: i64| cbor(|encoder| drop(encoder.i64(value)));
    let many: Vec<_> = (0..33).map(|number| (number, 48)).collect();
    let nine = [WORLD.zone.certificate.as_slice(); 9];
    for (field, value) in [
        ("module_id", cbor_text("")),
        ("module_id", cbor_bytes(b"i-0123")),
        ("digest", cbor_text("SHA256")),
        ("timestamp", number(0)),
        ("timestamp", number(-1)),
        ("timestamp", cbor_text("1")),
        ("pcrs", registers(&[])),
        ("pcrs", registers(&many)),
        ("pcrs", registers(&[(32, 48)])),
        ("pcrs", registers(&[(0, 47)])),
        ("pcrs", registers(&[(0, 48), (0, 48)])),
        ("certificate", cbor_bytes(&[])),
        ("certificate", cbor_bytes(&[0x30; 1_025])),
        ("cabundle", certificates(&[])),
        ("cabundle", certificates(&[&[]])),
        ("cabundle", certificates(&[&[0x30; 1_025]])),
        ("cabundle", certificates(&nine)),
        ("public_key", cbor_bytes(&[])),
        ("public_key", cbor_bytes(&[0x30; 1_025])),
        ("user_data", cbor_bytes(&[0; 1_025])),
        ("nonce", cbor_bytes(&[0; 1_025])),
        ("something_else", number(1)),
    ] {
        let fields = WORLD.fields().with(field, value);
        assert_eq!(WORLD.verify_fields(&fields), Some(InvalidAttestation::Malformed), "{field}");
    }
    for (field, value) in [
        ("module_id", cbor_text("x")),
        ("pcrs", registers(&many[..32])),
        ("pcrs", registers(&[(0, 32), (1, 64)])),
        ("user_data", cbor_bytes(&[0; 1_024])),
        ("nonce", cbor_bytes(&[0; 1_024])),
    ] {
        assert_eq!(WORLD.verify_fields(&WORLD.fields().with(field, value)), None, "{field}");
    }
    let mut twice = WORLD.fields();
    twice.0.push(("digest", cbor_text("SHA384")));
    assert_eq!(WORLD.verify_fields(&twice), Some(InvalidAttestation::Malformed));
}

#[test]
fn the_attested_key_is_rsa_of_2048_bits_at_least() {
    let curve = PrivateKey::generate(KeyPairSpec::EccNistP384).unwrap();
    for key in [curve.public_key().spki_der(), b"no key"] {
        let fields = WORLD.fields().with("public_key", cbor_bytes(key));
        assert_eq!(WORLD.verify_fields(&fields), Some(InvalidAttestation::PublicKey));
    }
}

#[test]
fn only_a_signature_with_es384_counts() {
    let payload = WORLD.fields().payload();
    let es256 = signed(&[0xa1, 0x01, 0x26], &payload, &WORLD.enclave);
    assert_eq!(WORLD.verify(&es256), Some(InvalidAttestation::Malformed));
    let two_headers = signed(&[0xa2, 0x01, 0x38, 0x22, 0x03, 0x00], &payload, &WORLD.enclave);
    assert_eq!(WORLD.verify(&two_headers), Some(InvalidAttestation::Malformed));
    let longer = signed(&[ES384, &[0]].concat(), &payload, &WORLD.enclave);
    assert_eq!(WORLD.verify(&longer), Some(InvalidAttestation::Malformed));
    let by_another = signed(ES384, &payload, &WORLD.zone);
    assert_eq!(WORLD.verify(&by_another), Some(InvalidAttestation::Untrusted));
    for signature in [&[0; 96][..], &[0xff; 96]] {
        let forged = assembled(ES384, &[0xa0], &payload, signature);
        assert_eq!(WORLD.verify(&forged), Some(InvalidAttestation::Untrusted));
    }
    for length in [0, 95, 97] {
        let wrong = assembled(ES384, &[0xa0], &payload, &vec![1; length]);
        assert_eq!(WORLD.verify(&wrong), Some(InvalidAttestation::Malformed));
    }
    let unprotected = assembled(ES384, &[0xa1, 0x01, 0x38, 0x22], &payload, &[1; 96]);
    assert_eq!(WORLD.verify(&unprotected), Some(InvalidAttestation::Malformed));
    // The payload and signature as what the unprotected header holds.
    let good = WORLD.document(&WORLD.fields());
    let shifted = [&good[..6], &[0xa1], &good[7..]].concat();
    assert_eq!((good[6], WORLD.verify(&shifted)), (0xa0, Some(InvalidAttestation::Malformed)));
    let long = signed(ES384, &vec![0; 16_385], &WORLD.enclave);
    assert_eq!(WORLD.verify(&long), Some(InvalidAttestation::Malformed));
}

#[test]
fn only_a_chain_to_a_root_that_is_trusted_counts() {
    let document = WORLD.document(&WORLD.fields());
    assert_eq!(
        AttestationRoots::default().verify(&document, now()).err(),
        Some(InvalidAttestation::Untrusted)
    );
    // Of the same name, with another key.
    let other = Holder::root(&Claims::authority("aws.nitro-enclaves"));
    assert_eq!(trusting(&other).verify(&document, now()).err(), Some(InvalidAttestation::Untrusted));
    let mut both = trusting(&other);
    both.add_pem(WORLD.root.pem().as_bytes()).unwrap();
    assert_eq!(both.verify(&document, now()).err(), None);
    // The root need not be sent, every authority between must be.
    let bundle = |all: &[&Holder]| {
        let all: Vec<_> = all.iter().map(|holder| holder.certificate.as_slice()).collect();
        WORLD.verify_fields(&WORLD.fields().with("cabundle", certificates(&all)))
    };
    assert_eq!(bundle(&[&WORLD.region, &WORLD.zone]), None);
    assert_eq!(bundle(&[&WORLD.root, &WORLD.zone]), Some(InvalidAttestation::Untrusted));
    assert_eq!(bundle(&[&WORLD.root]), Some(InvalidAttestation::Untrusted));
}

#[test]
fn every_certificate_of_the_chain_must_be_valid_now() {
    let document = WORLD.document(&WORLD.fields());
    let at = |moment: &str| WORLD.roots.verify(&document, moment.parse().unwrap()).err();
    assert_eq!(at("2026-01-01T00:00:00Z"), None);
    assert_eq!(at("2026-12-31T23:59:59Z"), None);
    for outside in ["2025-12-31T23:59:59Z", "2027-01-01T00:00:00Z", "1969-12-31T23:59:59Z"] {
        assert!(at(outside).is_some(), "{outside}");
    }
    let (past, future) = (("250101000000Z", "251231235959Z"), ("270101000000Z", "271231235959Z"));
    for validity in [past, future] {
        let root = Holder::root(&Claims { validity, ..Claims::authority("root") });
        let sound = root.issue(&Claims::authority("region"));
        let judgement = judged(&trusting(&root), &[&sound], &Claims::enclave());
        assert_eq!(judgement, Some(InvalidAttestation::Untrusted), "no root is valid");

        let root = &WORLD.root;
        let stale = root.issue(&Claims { validity, ..Claims::authority("region") });
        let judgement = judged(&WORLD.roots, &[root, &stale], &Claims::enclave());
        assert_eq!(judgement, Some(InvalidAttestation::NotValidNow));
        let enclave = Claims { validity, ..Claims::enclave() };
        assert_eq!(judged(&WORLD.roots, &[root], &enclave), Some(InvalidAttestation::NotValidNow));
    }
    assert_eq!(
        judged(&WORLD.roots, &[&WORLD.root], &Claims { validity: YEAR_2026, ..Claims::enclave() }),
        None
    );
}

#[test]
fn certificates_may_do_only_what_they_are_for() {
    let untrusted = Some(InvalidAttestation::Untrusted);
    let root = &WORLD.root;
    let below = |authority: Claims| {
        let authority = root.issue(&authority);
        judged(&WORLD.roots, &[root, &authority], &Claims::enclave())
    };
    let authority = || Claims::authority("region");
    assert_eq!(below(authority()), None);
    assert_eq!(below(Claims { key_usage: Some(KEY_CERT_SIGN | DIGITAL_SIGNATURE), ..authority() }), None);
    assert_eq!(below(Claims { key_usage: Some(DIGITAL_SIGNATURE), ..authority() }), untrusted);
    assert_eq!(below(Claims { key_usage: None, ..authority() }), untrusted);
    assert_eq!(below(Claims { constraints: Some((false, None)), ..authority() }), untrusted);
    assert_eq!(below(Claims { constraints: None, ..authority() }), untrusted);
    assert_eq!(below(Claims { unknown_extension: true, ..authority() }), untrusted);

    let enclave = |claims: Claims| judged(&WORLD.roots, &[root], &claims);
    assert_eq!(enclave(Claims::enclave()), None);
    assert_eq!(enclave(Claims { constraints: None, ..Claims::enclave() }), None);
    assert_eq!(enclave(Claims { key_usage: Some(KEY_CERT_SIGN), ..Claims::enclave() }), untrusted);
    assert_eq!(enclave(Claims { key_usage: None, ..Claims::enclave() }), untrusted);
    assert_eq!(enclave(Claims { constraints: Some((true, None)), ..Claims::enclave() }), untrusted);
    assert_eq!(enclave(Claims { unknown_extension: true, ..Claims::enclave() }), untrusted);
}

#[test]
fn no_chain_is_longer_than_its_certificates_allow() {
    let limited = |length| Claims { constraints: Some((true, Some(length))), ..Claims::authority("limited") };
    for (root_length, region_length, good) in [(1, 0, true), (0, 0, false), (2, 0, true)] {
        let root = Holder::root(&limited(root_length));
        let region = root.issue(&Claims { subject: "region", ..limited(region_length) });
        let judgement = judged(&trusting(&root), &[&root, &region], &Claims::enclave());
        assert_eq!(judgement.is_none(), good, "{root_length} {region_length}");
    }
    let region = WORLD.root.issue(&Claims { subject: "region", ..limited(0) });
    let zone = region.issue(&Claims::authority("zone"));
    let judgement = judged(&WORLD.roots, &[&WORLD.root, &region, &zone], &Claims::enclave());
    assert_eq!(judgement, Some(InvalidAttestation::Untrusted));
}

#[test]
fn every_key_of_the_chain_is_on_p384() {
    let authority = WORLD.root.issue_on_p256(&Claims::authority("region"));
    let judgement = judged(&WORLD.roots, &[&WORLD.root, &authority], &Claims::enclave());
    assert_eq!(judgement, Some(InvalidAttestation::Untrusted));
    let none = WORLD.fields().with("certificate", cbor_bytes(&[0x30; 1_024]));
    assert_eq!(WORLD.verify_fields(&none), Some(InvalidAttestation::Untrusted));
    let enclave = WORLD.zone.issue_on_p256(&Claims::enclave());
    let fields = WORLD.fields().with("certificate", cbor_bytes(&enclave.certificate));
    assert_eq!(WORLD.verify_fields(&fields), Some(InvalidAttestation::Untrusted));
}

#[test]
fn roots_are_checked_when_they_are_read() {
    let add = |text: &str| AttestationRoots::default().add_pem(text.as_bytes()).err();
    let good = WORLD.root.pem();
    assert_eq!(add(&good), None);
    assert_eq!(add(&format!("# two\n{good}{}", WORLD.region.pem())), None);
    assert_eq!(add(""), Some(InvalidAttestationRoot::Empty));
    assert_eq!(add("no certificate"), Some(InvalidAttestationRoot::Empty));
    assert_eq!(add(&good.replace("-----END", "----END")), Some(InvalidAttestationRoot::Pem));
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(add(garbage), Some(InvalidAttestationRoot::Certificate(1)));
    assert_eq!(add(&format!("{good}{garbage}")), Some(InvalidAttestationRoot::Certificate(2)));
    for claims in [
        Claims::enclave(),
        Claims { key_usage: None, ..Claims::authority("root") },
        Claims { key_usage: Some(DIGITAL_SIGNATURE), ..Claims::authority("root") },
        Claims { constraints: None, ..Claims::authority("root") },
        Claims { constraints: Some((false, None)), ..Claims::authority("root") },
    ] {
        assert_eq!(add(&Holder::root(&claims).pem()), Some(InvalidAttestationRoot::Authority(1)));
    }
    let curve = Holder::root_on_p256(&Claims::authority("root"));
    assert_eq!(add(&curve.pem()), Some(InvalidAttestationRoot::Curve(1)));
    let mut roots = AttestationRoots::default();
    assert!(roots.is_empty());
    assert!(roots.add_pem(format!("{good}{garbage}").as_bytes()).is_err());
    assert!(roots.is_empty(), "a file is added as a whole or not at all");
}

#[test]
fn claims_of_length_and_depth_cost_nothing() {
    let deep = vec![0x81; 262_144];
    let long_array = [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let long_map = [0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let long_text = [0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for bytes in [&deep[..], &long_array, &long_map, &long_text, &[0xd2], &[], &[0x84]] {
        assert_eq!(WORLD.verify(bytes), Some(InvalidAttestation::Malformed));
        let inside = signed(ES384, &bytes[..bytes.len().min(16_384)], &WORLD.enclave);
        assert_eq!(WORLD.verify(&inside), Some(InvalidAttestation::Malformed));
    }
    for value in [&deep[..1_000], &long_array, &long_map, &long_text] {
        for field in ["module_id", "pcrs", "cabundle", "certificate", "public_key", "user_data"] {
            let fields = WORLD.fields().with(field, value.to_vec());
            assert_eq!(WORLD.verify_fields(&fields), Some(InvalidAttestation::Malformed), "{field}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(WORLD.verify(&bytes).is_some());
        prop_assert!(WORLD.verify(&assembled(ES384, &[0xa0], &bytes, &[1; 96])).is_some());
        let _ = AttestationRoots::default().add_pem(&bytes);
    }

    #[test]
    fn no_certificate_panics(at in any::<prop::sample::Index>(), byte: u8, which in 0_usize..3) {
        let mut enclave = WORLD.enclave.certificate.clone();
        let mut zone = WORLD.zone.certificate.clone();
        let mut key = WORLD.key.public_key().spki_der().to_vec();
        let part = [&mut enclave, &mut zone, &mut key].into_iter().nth(which).unwrap();
        let at = at.index(part.len());
        let changed = part[at] != byte;
        part[at] = byte;
        let bundle = [&*WORLD.root.certificate, &*WORLD.region.certificate, &*zone];
        let judgement = WORLD.verify_fields(&Fields::new(&enclave, &bundle, &key));
        // Signed anew: a changed key is what the enclave says it is; a changed certificate is none of its issuer's.
        if which < 2 {
            prop_assert_eq!(judgement.is_some(), changed);
        }
    }
}
