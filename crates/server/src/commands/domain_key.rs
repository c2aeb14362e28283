//! `keywright domain-key rotate`: from now on a Region's key material is sealed under a new domain key.

use keyring::Domain;

use crate::command_line::Rotate;
use crate::config::{Config, Environment};
use crate::data_folder::DataFolder;
use crate::foundation::Foundation;
use crate::start_error::StartError;
use crate::terminal;

/// Makes the new domain key.
pub(super) fn rotate(arguments: &Rotate) -> Result<(), StartError> {
    let place = &arguments.place;
    let config = Config::load(place.config.as_deref(), Environment::of_process()?, &place.flags())?;
    let folder = DataFolder::open(&config.data_dir)?;
    let number = super::runtime()?.block_on(async {
        let foundation = Foundation::open(folder, config.passphrase.as_ref()).await?;
        Ok::<_, StartError>(foundation.domain_keys.rotate(&Domain::region(arguments.region)).await?)
    })?;
    let region = arguments.region;
    terminal::say(&format!("Domain key {number} of {region} seals from now on; older ones still open.\n"));
    Ok(())
}
