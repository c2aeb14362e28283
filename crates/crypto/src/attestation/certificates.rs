//! Roots of trust and the way from a certificate to one of them (RFC 5280 section 6).
//!
//! webpki builds and verifies the path: signatures, names, validity, basic constraints, and that no critical extension
//! goes unread. What AWS asks beyond that is done here: key usages, and the root's own validity and path length. Every
//! signature is ECDSA on P-384 with SHA-384, as throughout AWS's chains.

use std::ops::RangeInclusive;
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, ParsedPublicKey};
use base::Timestamp;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::InvalidAttestation;

/// The roots of trust of attestation documents. Without any, no document is trusted.
#[derive(Default)]
pub struct AttestationRoots(Vec<Root>);

struct Root {
    anchor: TrustAnchor<'static>,
    /// Seconds since 1970.
    validity: RangeInclusive<u64>,
    /// How many authorities may stand between the root and the certificate that signs.
    path_length: Option<u8>,
}

/// The text is no list of roots of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAttestationRoot {
    /// A PEM section (RFC 7468) is broken.
    #[error("it is not valid PEM")]
    Pem,
    /// There is no certificate.
    #[error("it holds no certificate in PEM form")]
    Empty,
    /// A certificate is not X.509 version 3 (RFC 5280).
    #[error("certificate {0} in it is not an X.509 certificate")]
    Certificate(usize),
    /// Basic constraints and key usage do not let the certificate sign others.
    #[error("certificate {0} in it is not that of a certificate authority")]
    Authority(usize),
    /// The key is not on P-384.
    #[error("certificate {0} in it has no key on the curve P-384")]
    Curve(usize),
}

impl AttestationRoots {
    /// Adds every certificate of a PEM file. A root that is not valid now may come to be.
    ///
    /// # Errors
    /// See [`InvalidAttestationRoot`]; certificates are counted from 1. Nothing was added then.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<(), InvalidAttestationRoot> {
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|_| InvalidAttestationRoot::Pem)?;
        if certificates.is_empty() {
            return Err(InvalidAttestationRoot::Empty);
        }
        let roots = certificates.iter().zip(1..).map(|(certificate, number)| Root::read(certificate, number));
        self.0.extend(roots.collect::<Result<Vec<_>, _>>()?);
        Ok(())
    }

    /// True when nothing is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key of `certificate`, if the path from there through `authorities` leads to a root and is valid `now`.
    pub(super) fn verify_chain(
        &self,
        certificate: &[u8],
        authorities: &[&[u8]],
        now: Timestamp,
    ) -> Result<ParsedPublicKey, InvalidAttestation> {
        let seconds = u64::try_from(now.seconds()).map_err(|_| InvalidAttestation::NotValidNow)?;
        let certificate = CertificateDer::from(certificate);
        let signer = EndEntityCert::try_from(&certificate).map_err(refusal)?;
        if !may(&certificate, KeyUsage::digital_signature) {
            return Err(InvalidAttestation::Untrusted);
        }
        let roots: Vec<_> = self.0.iter().filter(|root| root.validity.contains(&seconds)).collect();
        let anchors: Vec<_> = roots.iter().map(|root| root.anchor.clone()).collect();
        let authorities: Vec<_> = authorities.iter().map(|der| CertificateDer::from(*der)).collect();
        signer
            .verify_for_usage(
                &[webpki::aws_lc_rs::ECDSA_P384_SHA384],
                &anchors,
                &authorities,
                UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
                AnyPurpose,
                None,
                Some(&|path| permits(path, &roots)),
            )
            .map_err(refusal)?;
        ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, signer.subject_public_key_info())
            .map_err(|_| InvalidAttestation::Untrusted)
    }
}

/// Checks what webpki leaves open about a path that it has verified.
fn permits(path: &VerifiedPath<'_>, roots: &[&Root]) -> Result<(), webpki::Error> {
    let authorities: Vec<_> = path.intermediate_certificates().map(webpki::Cert::der).collect();
    if !authorities.iter().all(|authority| may(authority, KeyUsage::key_cert_sign)) {
        return Err(webpki::Error::UnknownIssuer);
    }
    if !roots.iter().any(|root| root.begins(path.anchor(), authorities.len())) {
        return Err(webpki::Error::PathLenConstraintViolated);
    }
    Ok(())
}

impl Root {
    fn read(der: &CertificateDer<'_>, number: usize) -> Result<Self, InvalidAttestationRoot> {
        let unread = InvalidAttestationRoot::Certificate(number);
        let certificate = Certificate::from_der(der).map_err(|_| unread)?;
        let certificate = certificate.tbs_certificate();
        let anchor = webpki::anchor_from_trusted_cert(der).map_err(|_| unread)?.to_owned();
        let constraints = certificate.get_extension::<BasicConstraints>().map_err(|_| unread)?;
        let (_, constraints) = constraints
            .filter(|(_, constraints)| constraints.ca && may(der, KeyUsage::key_cert_sign))
            .ok_or(InvalidAttestationRoot::Authority(number))?;
        ParsedPublicKey::new(
            &ECDSA_P384_SHA384_ASN1,
            EndEntityCert::try_from(der).map_err(|_| unread)?.subject_public_key_info(),
        )
        .map_err(|_| InvalidAttestationRoot::Curve(number))?;
        let validity = certificate.validity();
        let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
        Ok(Self {
            anchor,
            validity: seconds(&validity.not_before)..=seconds(&validity.not_after),
            path_length: constraints.path_len_constraint,
        })
    }

    /// Whether this is the root of a path with so many authorities below it.
    fn begins(&self, anchor: &TrustAnchor<'_>, authorities: usize) -> bool {
        self.anchor.subject == anchor.subject
            && self.anchor.subject_public_key_info == anchor.subject_public_key_info
            && self.path_length.is_none_or(|most| authorities <= usize::from(most))
    }
}

/// Whether the certificate has a key usage extension that allows this.
fn may(der: &CertificateDer<'_>, usage: fn(&KeyUsage) -> bool) -> bool {
    let certificate = Certificate::from_der(der).ok();
    let found =
        certificate.and_then(|read| read.tbs_certificate().get_extension::<KeyUsage>().ok().flatten());
    found.is_some_and(|(_, found)| usage(&found))
}

/// AWS asks for no extended key usage, so whatever a certificate has is allowed.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

fn refusal(error: webpki::Error) -> InvalidAttestation {
    if let webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } = error {
        InvalidAttestation::NotValidNow
    } else {
        InvalidAttestation::Untrusted
    }
}
