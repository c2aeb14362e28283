//! The names of keys, for other services of this process.

use base::{Call, KeyArn};
use wire::kms::{DescribeKey, Operation};

use crate::Kms;
use crate::authorize::KeyAction;
use crate::error::KmsError;
use crate::facts::Facts;

/// A key, and what else it is called.
#[derive(Clone, Debug)]
pub struct KeyNames {
    /// The key.
    pub key: KeyArn,
    /// Its aliases, with `alias/`.
    pub aliases: Vec<String>,
}

impl Kms {
    /// The key that an id, ARN, alias or alias ARN stands for in a call; `None` if no alias has this name, or the text is no
    /// name. Nobody is asked for leave, and whether the key is there is not looked at: this is for services of this process
    /// that tell policies of a key by its ARN.
    ///
    /// # Errors
    /// The store fails.
    pub async fn key_arn(&self, call: &Call, name: &str) -> Result<Option<KeyArn>, KmsError> {
        match self.keys.resolve::<DescribeKey>(call, name).await {
            Ok(arn) => Ok(Some(arn)),
            Err(error) if error.to_fault(<DescribeKey as Operation>::ERRORS).status < 500 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All names of the key that a caller names, for a caller of its account who may describe it.
    ///
    /// # Errors
    /// There is no such key, or the caller may not do this.
    pub async fn key_names(&self, call: &Call, name: &str) -> Result<KeyNames, KmsError> {
        let names = self.names_in_own_account(call, name).await;
        names.inspect_err(|error| self.note_refusal(call, error))
    }

    async fn names_in_own_account(&self, call: &Call, name: &str) -> Result<KeyNames, KmsError> {
        let found = self.usable::<DescribeKey>(call, name, &Facts::default()).await?;
        let key = found.key();
        if key.arn.account != call.caller.account {
            let why = "the names of a key are told in its own account only";
            return Err(KmsError::foreign_key(&call.caller, <DescribeKey as KeyAction>::NAME, key.arn, why));
        }
        Ok(KeyNames { key: key.arn, aliases: key.aliases.clone() })
    }
}
