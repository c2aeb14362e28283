//! A certificate for localhost, made and kept in the data folder, with an authority of its own to trust.
//!
//! The authority's key is thrown away once it has signed: nobody can make a second certificate that clients which
//! trust it would accept.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use super::TlsError;
use crate::data_folder::DataFolder;

const AUTHORITY: &str = "tls-development-ca.pem";
const CERTIFICATE: &str = "tls-development.pem";
const KEY: &str = "tls-development-key.pem";
/// A wildcard for buckets directly below `localhost` no client would take.
const NAMES: [&str; 5] = ["localhost", "s3.localhost", "*.s3.localhost", "127.0.0.1", "::1"];

const DAY: Duration = Duration::from_secs(86_400);
/// The longest life that all common clients accept is 825 days.
const LIFE: Duration = DAY.saturating_mul(820);
/// A certificate this old is replaced at the next start, well before its end.
const RENEWAL: Duration = DAY.saturating_mul(730);

/// Where the three files are.
pub(super) struct Files {
    pub(super) authority: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// Makes the files unless they are there and young enough.
pub(super) fn ensure(folder: &DataFolder) -> Result<Files, TlsError> {
    let files = Files {
        authority: folder.path().join(AUTHORITY),
        certificate: folder.path().join(CERTIFICATE),
        key: folder.path().join(KEY),
    };
    if !files.are_usable() {
        let made = make(SystemTime::now()).map_err(|error| TlsError::NotMade(error.to_string()))?;
        folder.write_private(KEY, made.key.as_bytes())?;
        folder.write_private(CERTIFICATE, made.certificate.as_bytes())?;
        folder.write_private(AUTHORITY, made.authority.as_bytes())?;
    }
    Ok(files)
}

impl Files {
    /// The authority is written last, so its age is that of a complete set.
    fn are_usable(&self) -> bool {
        let written = self.authority.metadata().and_then(|metadata| metadata.modified());
        let age = written.ok().and_then(|written| SystemTime::now().duration_since(written).ok());
        age.is_some_and(|age| age < RENEWAL) && self.certificate.exists() && self.key.exists()
    }
}

struct Made {
    authority: String,
    certificate: String,
    key: String,
}

fn make(now: SystemTime) -> Result<Made, rcgen::Error> {
    let mut authority = parameters("Keywright development authority", &[], now)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut own = parameters("Keywright development server", &NAMES, now)?;
    own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    own.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = own.signed_by(&key, &authority)?;
    Ok(Made { authority: authority.as_ref().pem(), certificate: certificate.pem(), key: key.serialize_pem() })
}

fn parameters(name: &str, names: &[&str], now: SystemTime) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_before = now.checked_sub(DAY).unwrap_or(now).into();
    parameters.not_after = now.checked_add(LIFE).unwrap_or(now).into();
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::data_folder::Purpose;

    #[test]
    fn the_set_is_private_and_renewed_when_old_or_incomplete() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::open_or_create(place.path(), Purpose::Production).unwrap();
        let files = ensure(&folder).unwrap();
        assert_eq!(files.key.metadata().unwrap().mode() & 0o777, 0o600);
        let read = || std::fs::read_to_string(&files.certificate).unwrap();
        let first = read();
        ensure(&folder).unwrap();
        assert_eq!(read(), first);
        std::fs::remove_file(&files.key).unwrap();
        ensure(&folder).unwrap();
        let second = read();
        assert_ne!(second, first);
        let old = SystemTime::now() - RENEWAL - DAY;
        std::fs::File::open(&files.authority).unwrap().set_modified(old).unwrap();
        ensure(&folder).unwrap();
        assert_ne!(read(), second);
    }
}
