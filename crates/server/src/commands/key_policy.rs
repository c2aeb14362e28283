//! `keywright key-policy reset`: the way back into a key whose policy locks everybody out.

use base::KeyArn;

use crate::command_line::Reset;
use crate::config::{Config, Environment};
use crate::data_folder::DataFolder;
use crate::foundation::Foundation;
use crate::service::{Service, Sources};
use crate::start_error::StartError;
use crate::terminal;

/// There is nothing to reset.
#[derive(Debug, thiserror::Error)]
#[error("there is no customer managed key {0} in this data folder; check Region, account and key id")]
pub(crate) struct NoSuchKey(KeyArn);

/// Puts the default policy on the key.
pub(super) fn reset(arguments: &Reset) -> Result<(), StartError> {
    let place = &arguments.place;
    let config = Config::load(place.config.as_deref(), Environment::of_process()?, &place.flags())?;
    let folder = DataFolder::open(&config.data_dir)?;
    let key = arguments.key;
    super::runtime()?.block_on(async {
        let foundation = Foundation::open(folder, config.passphrase.as_ref()).await?;
        let service = Service::new(&foundation, config.kms.clone(), &config.trail, Sources::none())?;
        if service.reset_key_policy(&key).await? { Ok(()) } else { Err(StartError::from(NoSuchKey(key))) }
    })?;
    terminal::say(&format!("{key} has the default policy again: its account decides.\n"));
    Ok(())
}
