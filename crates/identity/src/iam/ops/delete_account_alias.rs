//! DeleteAccountAlias: takes the account's alias away.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccountAlias.html>

use base::Call;
use wire::iam::{DeleteAccountAlias, DeleteAccountAliasRequest, DeleteAccountAliasResponse};

use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::resource::Resource;
use crate::iam::table::Handle;
use crate::{Identity, paths};

impl Handle for DeleteAccountAlias {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteAccountAliasRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let alias = &request.account_alias;
        let mut owner = identity.account_of(call).await?;
        if owner.record.alias.as_ref() != Some(alias) {
            let text = format!("The account alias with name {alias} cannot be found.");
            return Err(IamError::NoSuchEntity(text));
        }
        owner.record.alias = None;
        let plan = owner.replaced(Plan::new())?.delete(paths::account_alias(alias)?);
        Ok(permit.commit(plan, DeleteAccountAliasResponse))
    }
}
