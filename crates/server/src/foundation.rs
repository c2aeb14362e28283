//! What every command that touches keys stands on: the data folder, the root, the store, the domain keys.

use std::path::Path;
use std::sync::Arc;

use base::{Randomness, SecretString};
use crypto::SystemRandomness;
use crypto::root::{Protection, RootFile};
use keyring::DomainKeys;
use store::Store;
use store::redb_engine::RedbStore;

use crate::config::PassphraseSource;
use crate::data_folder::DataFolder;
use crate::passphrase::{self, PassphraseError};
use crate::start_error::StartError;

/// An open data folder with everything in it unlocked. The folder is declared last: its lock goes when the store is
/// closed.
pub(crate) struct Foundation {
    pub(crate) domain_keys: Arc<DomainKeys>,
    pub(crate) store: Arc<dyn Store>,
    /// The same, as what it is: for copies of it.
    pub(crate) engine: Arc<RedbStore>,
    pub(crate) randomness: Arc<dyn Randomness>,
    /// True when the root is a file that opens without a passphrase.
    pub(crate) plain_root: bool,
    pub(crate) folder: DataFolder,
}

impl Foundation {
    /// Opens the root and the store of `folder`, and makes what is not there yet.
    ///
    /// # Errors
    /// The passphrase is missing or wrong, something is damaged, or the root is not the one of this store.
    pub(crate) async fn open(
        mut folder: DataFolder,
        passphrase: Option<&PassphraseSource>,
    ) -> Result<Self, StartError> {
        let randomness: Arc<dyn Randomness> = Arc::new(SystemRandomness::new());
        let root_path = folder.root_path()?;
        let was_in_use = folder.mark_in_use()?;
        RootFile::remove_unfinished(&root_path).map_err(PassphraseError::from)?;
        let is_new = !root_path.exists();
        let (root, passphrase) = if is_new {
            create_root(&root_path, passphrase, &*randomness)?
        } else {
            open_root(&root_path, passphrase)?
        };
        let key = root.unlock(passphrase.as_ref()).map_err(PassphraseError::from)?;
        let engine = Arc::new(RedbStore::open(&folder.store_path()?)?);
        let store: Arc<dyn Store> = Arc::<RedbStore>::clone(&engine);
        let domain_keys = Arc::new(DomainKeys::new(Arc::clone(&store), key, Arc::clone(&randomness)));
        domain_keys.verify_root().await?;
        folder.note_complete()?;
        if was_in_use {
            tracing::warn!(
                "the last run did not end in order, as after a kill or a power cut; the store is verified and stands at \
                 its last commit"
            );
            folder.note_told();
        }
        Ok(Self { domain_keys, store, engine, randomness, plain_root: passphrase.is_none(), folder })
    }
}

fn open_root(
    path: &Path,
    source: Option<&PassphraseSource>,
) -> Result<(RootFile, Option<SecretString>), PassphraseError> {
    let file = RootFile::open(path)?;
    let passphrase = passphrase::to_unlock(source, file.needs_passphrase())?;
    Ok((file, passphrase))
}

fn create_root(
    path: &Path,
    source: Option<&PassphraseSource>,
    randomness: &dyn Randomness,
) -> Result<(RootFile, Option<SecretString>), PassphraseError> {
    let passphrase = passphrase::for_new_root(source)?;
    let protection = passphrase.as_ref().map_or(Protection::Plain, Protection::Passphrase);
    Ok((RootFile::create(path, protection, randomness)?, passphrase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_folder::Purpose;

    async fn open(place: &Path, passphrase: Option<&str>) -> Result<Foundation, StartError> {
        let source = passphrase.map(|text| PassphraseSource::Environment(SecretString::new(text.to_owned())));
        let folder = DataFolder::open_or_create(place, Purpose::Production)?;
        Foundation::open(folder, source.as_ref()).await
    }

    fn code<T>(outcome: Result<T, StartError>) -> Option<u8> {
        outcome.err().map(|error| error.exit_code())
    }

    #[tokio::test]
    async fn a_plain_root_is_made_once_and_opens_again() {
        let place = tempfile::tempdir().unwrap();
        assert!(open(place.path(), None).await.ok().unwrap().plain_root);
        let root = std::fs::read(place.path().join("root.json")).unwrap();
        assert!(open(place.path(), None).await.ok().unwrap().plain_root);
        assert_eq!(std::fs::read(place.path().join("root.json")).unwrap(), root);
        assert_eq!(code(open(place.path(), Some("correct horse")).await), Some(4));
    }

    #[tokio::test]
    async fn a_protected_root_opens_with_its_passphrase_alone() {
        let place = tempfile::tempdir().unwrap();
        assert!(!open(place.path(), Some("correct horse")).await.ok().unwrap().plain_root);
        assert!(open(place.path(), Some("correct horse")).await.is_ok());
        assert_eq!(code(open(place.path(), Some("wrong horse")).await), Some(4));
    }

    #[tokio::test]
    async fn the_root_of_another_folder_is_refused() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(open(one.path(), None).await.ok().unwrap());
        drop(open(two.path(), None).await.ok().unwrap());
        std::fs::copy(one.path().join("root.json"), two.path().join("root.json")).unwrap();
        assert_eq!(code(open(two.path(), None).await), Some(4));
        std::fs::remove_file(two.path().join("root.json")).unwrap();
        assert_eq!(code(open(two.path(), None).await), Some(3));
        assert!(!two.path().join("root.json").exists());
    }

    #[tokio::test]
    async fn a_store_that_went_missing_is_not_made_anew() {
        let place = tempfile::tempdir().unwrap();
        drop(open(place.path(), None).await.ok().unwrap());
        let store = place.path().join("keywright.redb");
        std::fs::remove_file(&store).unwrap();
        assert_eq!(code(open(place.path(), None).await), Some(3));
        assert!(!store.exists());
        // A start that was cut off before the folder was complete is taken up again.
        std::fs::remove_file(place.path().join("complete")).unwrap();
        assert!(open(place.path(), None).await.is_ok());
    }

    #[tokio::test]
    async fn a_damaged_store_is_refused_and_left_alone() {
        let place = tempfile::tempdir().unwrap();
        drop(open(place.path(), None).await.ok().unwrap());
        let path = place.path().join("keywright.redb");
        std::fs::write(&path, "not a store").unwrap();
        assert_eq!(code(open(place.path(), None).await), Some(3));
        assert_eq!(std::fs::read(&path).unwrap(), b"not a store");
    }
}
