//! The files with the roots of trust of attestation documents, as the setting `attestation_roots` names them.

use std::path::{Path, PathBuf};

use crypto::{AttestationRoots, InvalidAttestationRoot};

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttestationRootsError {
    #[error("the root of trust {} (setting `attestation_roots`) cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the root of trust {} (setting `attestation_roots`) cannot be used: {source}", path.display())]
    Unusable { path: PathBuf, source: InvalidAttestationRoot },
}

/// Reads and checks them all.
pub(crate) fn read(files: &[PathBuf]) -> Result<AttestationRoots, AttestationRootsError> {
    let mut roots = AttestationRoots::default();
    for file in files {
        add(&mut roots, file)?;
    }
    Ok(roots)
}

fn add(roots: &mut AttestationRoots, file: &Path) -> Result<(), AttestationRootsError> {
    let pem = std::fs::read(file)
        .map_err(|source| AttestationRootsError::Unreadable { path: file.to_owned(), source })?;
    roots.add_pem(&pem).map_err(|source| AttestationRootsError::Unusable { path: file.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_used_are_told_by_name_and_reason() {
        let place = tempfile::tempdir().unwrap();
        let none = place.path().join("none.pem");
        let empty = place.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        for (file, words) in [(&none, "cannot be read"), (&empty, "holds no certificate")] {
            let told = read(std::slice::from_ref(file)).err().unwrap().to_string();
            assert!(told.contains(words) && told.contains(&file.display().to_string()), "{told}");
            assert!(told.contains("`attestation_roots`"), "{told}");
        }
    }

    #[test]
    fn roots_of_several_files_count() {
        let place = tempfile::tempdir().unwrap();
        let root = |name: &str| {
            let file = place.path().join(name);
            std::fs::write(&file, root_pem(&rcgen::PKCS_ECDSA_P384_SHA384)).unwrap();
            file
        };
        assert!(read(&[]).is_ok_and(|roots| roots.is_empty()));
        assert!(read(&[root("one.pem"), root("two.pem")]).is_ok_and(|roots| !roots.is_empty()));
        let other = place.path().join("p256.pem");
        std::fs::write(&other, root_pem(&rcgen::PKCS_ECDSA_P256_SHA256)).unwrap();
        let told = read(&[root("one.pem"), other]).err().unwrap().to_string();
        assert!(told.contains("p256.pem") && told.contains("P-384"), "{told}");
    }

    fn root_pem(algorithm: &'static rcgen::SignatureAlgorithm) -> String {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let mut root = rcgen::CertificateParams::default();
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        root.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        root.self_signed(&key).unwrap().pem()
    }
}
