//! TLS 1.3 and 1.2 by rustls, with the post-quantum hybrid key exchange preferred.

mod development;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::{CertificateChoice, TlsChoice, TlsVersion};
use crate::data_folder::{DataFolder, DataFolderError};

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("the TLS {what} {} cannot be read: {reason}", path.display())]
    Unreadable { what: &'static str, path: PathBuf, reason: String },
    #[error("the TLS certificate {} and the key {} cannot be used: {source}", certificate.display(), key.display())]
    Unusable { certificate: PathBuf, key: PathBuf, source: rustls::Error },
    #[error("the development certificate cannot be made: {0}")]
    NotMade(String),
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
}

/// A ready listener side.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// What clients have to trust, when it is the development certificate.
    pub(crate) authority: Option<PathBuf>,
}

/// Reads or makes the certificate and sets everything up.
pub(crate) fn prepare(choice: &TlsChoice, folder: &DataFolder) -> Result<Tls, TlsError> {
    let (certificate, key, authority) = match &choice.certificate {
        CertificateChoice::Files { certificate, key } => (certificate.clone(), key.clone(), None),
        CertificateChoice::Development => {
            let files = development::ensure(folder)?;
            (files.certificate, files.key, Some(files.authority))
        }
    };
    let config = server_config(&certificate, &key, choice.min_version)?;
    Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), authority })
}

fn server_config(certificate: &Path, key: &Path, min_version: TlsVersion) -> Result<ServerConfig, TlsError> {
    let chain = read_chain(certificate)?;
    let private_key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unreadable("key", key, &reason(&error, "private key")))?;
    let unusable = |source| TlsError::Unusable { certificate: certificate.into(), key: key.into(), source };
    let versions: &[_] = match min_version {
        TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private_key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A full handshake costs as much as twenty requests; tickets need no memory here.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(unusable)?;
    Ok(config)
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let what = "certificate";
    let unread = |error| unreadable(what, path, &reason(&error, what));
    let chain = CertificateDer::pem_file_iter(path).map_err(unread)?.collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(unread)?;
    if chain.is_empty() {
        return Err(unreadable(what, path, "it holds no certificate in PEM form"));
    }
    Ok(chain)
}

fn unreadable(what: &'static str, path: &Path, reason: &str) -> TlsError {
    TlsError::Unreadable { what, path: path.to_owned(), reason: reason.to_owned() }
}

fn reason(error: &rustls::pki_types::pem::Error, what: &str) -> String {
    use rustls::pki_types::pem::Error;
    if let Error::Io(error) = error {
        error.to_string()
    } else if let Error::NoItemsFound = error {
        format!("it holds no {what} in PEM form")
    } else {
        "it is not valid PEM".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_folder::Purpose;

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::open_or_create(place.path(), Purpose::Production).unwrap();
        (place, folder)
    }

    fn choice(certificate: CertificateChoice) -> TlsChoice {
        TlsChoice { certificate, min_version: TlsVersion::Tls12 }
    }

    #[test]
    fn the_development_certificate_is_made_once_and_then_used_as_files() {
        let (_place, folder) = folder();
        let first = prepare(&choice(CertificateChoice::Development), &folder).ok().unwrap();
        let authority = first.authority.unwrap();
        let before = std::fs::read(&authority).unwrap();
        let second = prepare(&choice(CertificateChoice::Development), &folder).ok().unwrap();
        assert_eq!(std::fs::read(second.authority.unwrap()).unwrap(), before);
        let files = development::ensure(&folder).unwrap();
        let own = CertificateChoice::Files { certificate: files.certificate, key: files.key };
        assert!(prepare(&choice(own), &folder).is_ok_and(|tls| tls.authority.is_none()));
    }

    #[test]
    fn files_that_cannot_be_used_are_told_by_name() {
        let (place, folder) = folder();
        let files = development::ensure(&folder).unwrap();
        let (empty, none) = (place.path().join("empty.pem"), place.path().join("none.pem"));
        std::fs::write(&empty, "").unwrap();
        let (certificate, key, authority) = (files.certificate, files.key, files.authority);
        for (certificate, key, words) in [
            (&none, &key, "certificate"),
            (&certificate, &none, "key"),
            (&empty, &key, "holds no certificate"),
            (&certificate, &empty, "holds no private key"),
            (&authority, &key, "cannot be used"),
        ] {
            let own = CertificateChoice::Files { certificate: certificate.clone(), key: key.clone() };
            let told = prepare(&choice(own), &folder).err().unwrap().to_string();
            assert!(told.contains(words) && told.contains(".pem"), "{told}");
        }
    }
}
