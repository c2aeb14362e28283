//! Certificates and documents as an enclave has them, and as none ever has: written by hand, so that each part can be
//! wrong on its own.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
};
use base::Timestamp;
use minicbor::Encoder;

use crate::cms::ber::{element, tag};

/// When everything here is valid, unless it is made not to be.
pub(super) fn now() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

/// What a certificate says.
#[derive(Clone)]
pub(super) struct Claims {
    pub(super) subject: &'static str,
    /// Basic constraints: cA, pathLenConstraint.
    pub(super) constraints: Option<(bool, Option<u8>)>,
    /// The first byte of the key usage.
    pub(super) key_usage: Option<u8>,
    /// UTCTime.
    pub(super) validity: (&'static str, &'static str),
    /// A critical extension that nobody knows.
    pub(super) unknown_extension: bool,
}

/// Bits of a key usage (RFC 5280 section 4.2.1.3).
pub(super) const DIGITAL_SIGNATURE: u8 = 0x80;
pub(super) const KEY_CERT_SIGN: u8 = 0x04;

pub(super) const YEAR_2026: (&str, &str) = ("260101000000Z", "261231235959Z");

impl Claims {
    pub(super) fn authority(subject: &'static str) -> Self {
        Self {
            subject,
            constraints: Some((true, None)),
            key_usage: Some(KEY_CERT_SIGN),
            validity: YEAR_2026,
            unknown_extension: false,
        }
    }

    pub(super) fn enclave() -> Self {
        let constraints = Some((false, None));
        Self { constraints, key_usage: Some(DIGITAL_SIGNATURE), ..Self::authority("i-0123-enc4567") }
    }
}

/// A certificate with its private key.
pub(super) struct Holder {
    pub(super) subject: &'static str,
    pub(super) certificate: Vec<u8>,
    pair: EcdsaKeyPair,
    pkcs8: Vec<u8>,
}

impl Holder {
    pub(super) fn root(claims: &Claims) -> Self {
        Self::on_curve(&ECDSA_P384_SHA384_ASN1_SIGNING, claims, None)
    }

    pub(super) fn issue(&self, claims: &Claims) -> Self {
        Self::on_curve(&ECDSA_P384_SHA384_ASN1_SIGNING, claims, Some(self))
    }

    pub(super) fn root_on_p256(claims: &Claims) -> Self {
        Self::on_curve(&ECDSA_P256_SHA256_ASN1_SIGNING, claims, None)
    }

    pub(super) fn issue_on_p256(&self, claims: &Claims) -> Self {
        Self::on_curve(&ECDSA_P256_SHA256_ASN1_SIGNING, claims, Some(self))
    }

    fn on_curve(curve: &'static EcdsaSigningAlgorithm, claims: &Claims, issuer: Option<&Self>) -> Self {
        let pkcs8 = EcdsaKeyPair::generate(curve).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
        let pair = EcdsaKeyPair::from_pkcs8(curve, &pkcs8).unwrap();
        let issuer_name = issuer.map_or(claims.subject, |issuer| issuer.subject);
        let content = to_be_signed(claims, issuer_name, &pair);
        let signature =
            issuer.map_or(&pair, |issuer| &issuer.pair).sign(&SystemRandom::new(), &content).unwrap();
        let signature = element(BIT_STRING, &[&[0], signature.as_ref()]);
        let certificate = element(tag::SEQUENCE, &[&content, &ecdsa_with_sha384(), &signature]);
        Self { subject: claims.subject, certificate, pair, pkcs8 }
    }

    /// The certificate as a PEM file has it.
    pub(super) fn pem(&self) -> String {
        let text = base64_simd::STANDARD.encode_to_string(&self.certificate);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    /// An ES384 signature.
    fn sign_fixed(&self, message: &[u8]) -> Vec<u8> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &self.pkcs8).unwrap();
        pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }
}

const BIT_STRING: u8 = 0x03;

fn ecdsa_with_sha384() -> Vec<u8> {
    element(tag::SEQUENCE, &[&element(tag::OBJECT, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03]])])
}

fn to_be_signed(claims: &Claims, issuer: &str, pair: &EcdsaKeyPair) -> Vec<u8> {
    let key: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let (not_before, not_after) = claims.validity;
    let validity = [element(0x17, &[not_before.as_bytes()]), element(0x17, &[not_after.as_bytes()])];
    let extensions = element(tag::SEQUENCE, &[&extensions(claims)]);
    element(
        tag::SEQUENCE,
        &[
            &element(tag::context(0), &[&element(tag::INTEGER, &[&[2]])]),
            &element(tag::INTEGER, &[&[1]]),
            &ecdsa_with_sha384(),
            &name(issuer),
            &element(tag::SEQUENCE, &[&validity.concat()]),
            &name(claims.subject),
            key.as_ref(),
            &element(tag::context(3), &[&extensions]),
        ],
    )
}

fn name(common_name: &str) -> Vec<u8> {
    let value = element(0x0c, &[common_name.as_bytes()]);
    let attribute = element(tag::SEQUENCE, &[&element(tag::OBJECT, &[&[0x55, 0x04, 0x03]]), &value]);
    element(tag::SEQUENCE, &[&element(tag::SET, &[&attribute])])
}

fn extensions(claims: &Claims) -> Vec<u8> {
    let mut all = Vec::new();
    if let Some((authority, path_length)) = claims.constraints {
        let flag = if authority { element(0x01, &[&[0xff]]) } else { Vec::new() };
        let length = path_length.map(|length| element(tag::INTEGER, &[&[length]])).unwrap_or_default();
        all.push(extension(19, &element(tag::SEQUENCE, &[&flag, &length])));
    }
    if let Some(usage) = claims.key_usage {
        let unused = u8::try_from(usage.trailing_zeros()).unwrap();
        all.push(extension(15, &element(BIT_STRING, &[&[unused, usage]])));
    }
    if claims.unknown_extension {
        all.push(extension(99, &element(tag::NULL, &[])));
    }
    all.concat()
}

/// A critical extension 2.5.29.`number`.
fn extension(number: u8, value: &[u8]) -> Vec<u8> {
    let object = element(tag::OBJECT, &[&[0x55, 0x1d, number]]);
    element(tag::SEQUENCE, &[&object, &element(0x01, &[&[0xff]]), &element(tag::OCTET_STRING, &[value])])
}

/// CBOR of one value.
pub(super) fn cbor(write: impl FnOnce(&mut Encoder<Vec<u8>>)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder);
    encoder.into_writer()
}

pub(super) fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    cbor(|encoder| drop(encoder.bytes(bytes)))
}

pub(super) fn cbor_text(text: &str) -> Vec<u8> {
    cbor(|encoder| drop(encoder.str(text)))
}

/// A map from numbers to values of this many bytes.
pub(super) fn registers(entries: &[(u64, usize)]) -> Vec<u8> {
    cbor(|encoder| {
        encoder.map(entries.len().try_into().unwrap()).unwrap();
        for (number, length) in entries {
            encoder.u64(*number).unwrap().bytes(&vec![0xab; *length]).unwrap();
        }
    })
}

pub(super) fn certificates(all: &[&[u8]]) -> Vec<u8> {
    cbor(|encoder| {
        encoder.array(all.len().try_into().unwrap()).unwrap();
        all.iter().for_each(|certificate| drop(encoder.bytes(certificate)));
    })
}

/// The fields of a document, each with its CBOR, in the order in which they are written.
#[derive(Clone)]
pub(super) struct Fields(pub(super) Vec<(&'static str, Vec<u8>)>);

impl Fields {
    pub(super) fn new(certificate: &[u8], authorities: &[&[u8]], public_key: &[u8]) -> Self {
        Self(vec![
            ("module_id", cbor_text("i-0123-enc4567")),
            ("digest", cbor_text("SHA384")),
            ("timestamp", cbor(|encoder| drop(encoder.u64(1_781_524_800_000)))),
            ("pcrs", registers(&[(0, 48), (1, 48), (2, 48), (31, 48)])),
            ("certificate", cbor_bytes(certificate)),
            ("cabundle", certificates(authorities)),
            ("public_key", cbor_bytes(public_key)),
            ("user_data", cbor(|encoder| drop(encoder.null()))),
            ("nonce", cbor_bytes(&[])),
        ])
    }

    pub(super) fn with(mut self, name: &'static str, value: Vec<u8>) -> Self {
        match self.0.iter_mut().find(|(field, _)| *field == name) {
            Some(field) => field.1 = value,
            None => self.0.push((name, value)),
        }
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(field, _)| *field != name);
        self
    }

    pub(super) fn payload(&self) -> Vec<u8> {
        let mut out = cbor(|encoder| drop(encoder.map(self.0.len().try_into().unwrap())));
        for (name, value) in &self.0 {
            out.extend(cbor_text(name));
            out.extend(value);
        }
        out
    }
}

/// `{1: -35}`: the header that names ES384.
pub(super) const ES384: &[u8] = &[0xa1, 0x01, 0x38, 0x22];

/// A COSE_Sign1 around `payload`, without a tag.
pub(super) fn signed(protected: &[u8], payload: &[u8], signer: &Holder) -> Vec<u8> {
    let message = cbor(|encoder| {
        encoder.array(4).unwrap().str("Signature1").unwrap().bytes(protected).unwrap();
        encoder.bytes(&[]).unwrap().bytes(payload).unwrap();
    });
    assembled(protected, &[0xa0], payload, &signer.sign_fixed(&message))
}

/// The four parts of a COSE_Sign1 put together as they are.
pub(super) fn assembled(protected: &[u8], unprotected: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    let parts = [cbor_bytes(protected), unprotected.to_vec(), cbor_bytes(payload), cbor_bytes(signature)];
    [vec![0x84], parts.concat()].concat()
}
