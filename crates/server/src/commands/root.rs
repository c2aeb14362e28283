//! `keywright root change-passphrase`: the same root under another passphrase.

use crypto::SystemRandomness;
use crypto::root::{Protection, RootFile};

use crate::command_line::ChangePassphrase;
use crate::config::{Config, Environment, PassphraseSource};
use crate::data_folder::DataFolder;
use crate::passphrase::{self, PassphraseError};
use crate::start_error::StartError;
use crate::terminal;

/// Opens the root with the old passphrase and seals it under the new one.
pub(super) fn change_passphrase(arguments: &ChangePassphrase) -> Result<(), StartError> {
    let mut environment = Environment::of_process()?;
    let new = match (&arguments.new_passphrase_file, environment.take_new_passphrase()) {
        (Some(path), _) => PassphraseSource::File(path.clone()),
        (None, Some(text)) => PassphraseSource::Environment(text),
        (None, None) => PassphraseSource::Prompt,
    };
    let config = Config::load(arguments.place.config.as_deref(), environment, &arguments.place.flags())?;
    let folder = DataFolder::open(&config.data_dir)?;
    change(&folder, config.passphrase.as_ref(), &new)?;
    terminal::say("The passphrase is changed. Keys and ciphertexts stay as they are.\n");
    Ok(())
}

fn change(
    folder: &DataFolder,
    old: Option<&PassphraseSource>,
    new: &PassphraseSource,
) -> Result<(), StartError> {
    let path = folder.root_path()?;
    let change = || -> Result<(), PassphraseError> {
        let mut root = RootFile::open(&path)?;
        let old = passphrase::to_unlock(old, root.needs_passphrase())?;
        // Told before a new one is asked for.
        drop(root.unlock(old.as_ref())?);
        let new = passphrase::for_new_root(Some(new))?;
        let protection = new.as_ref().map_or(Protection::Plain, Protection::Passphrase);
        root.change_protection(old.as_ref(), protection, &SystemRandomness::new())?;
        // Nothing that opens with the old one stays.
        Ok(RootFile::remove_unfinished(&path)?)
    };
    Ok(change()?)
}

#[cfg(test)]
mod tests {
    use base::SecretString;

    use super::*;
    use crate::data_folder::Purpose;
    use crate::foundation::Foundation;

    fn given(text: &str) -> PassphraseSource {
        PassphraseSource::Environment(SecretString::new(text.to_owned()))
    }

    #[tokio::test]
    async fn the_same_store_opens_under_the_new_passphrase_and_no_longer_under_the_old() {
        let place = tempfile::tempdir().unwrap();
        let folder = || DataFolder::open_or_create(place.path(), Purpose::Production).unwrap();
        drop(Foundation::open(folder(), None).await.ok().unwrap());
        change(&folder(), None, &given("first")).unwrap();
        change(&folder(), Some(&given("first")), &given("second")).unwrap();
        assert_eq!(change(&folder(), Some(&given("first")), &given("third")).err().unwrap().exit_code(), 4);
        assert!(change(&folder(), Some(&given("second")), &given("")).is_err());
        assert!(Foundation::open(folder(), Some(&given("first"))).await.is_err());
        assert!(Foundation::open(folder(), Some(&given("second"))).await.is_ok());
    }
}
