//! CreateAccountAlias: gives the account an alias, in the place of the one that it has.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html>

use base::Call;
use wire::iam::{CreateAccountAlias, CreateAccountAliasRequest, CreateAccountAliasResponse};

use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::resource::Resource;
use crate::iam::table::Handle;
use crate::{Identity, paths};

impl Handle for CreateAccountAlias {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &CreateAccountAliasRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let alias = &request.account_alias;
        let location = paths::account_alias(alias)?;
        let mut owner = identity.account_of(call).await?;
        if identity.store.get(&location).await?.is_some() {
            return Err(IamError::Exists(format!("The account alias {alias} already exists.")));
        }
        let before = owner.record.alias.replace(alias.clone());
        let mut plan = owner.replaced(Plan::new())?.expect(location.clone(), None).mark(location);
        if let Some(before) = before {
            plan = plan.delete(paths::account_alias(&before)?);
        }
        Ok(permit.commit(plan, CreateAccountAliasResponse))
    }
}
