//! Access keys in calls: whose they are.
//!
//! A root user who names no user means itself, as on AWS:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html>.

use base::{AccountId, Call, Principal};
use wire::iam::Operation;

use super::authorize::Permit;
use super::entity::{Located, user_meant};
use super::error::IamError;
use super::plan::Plan;
use super::resource::Resource;
use crate::record::{AccessKeyRecord, AccountRecord, UserRecord};
use crate::{Identity, access_key, paths};

/// Whose access keys a call is about.
pub(crate) enum AccessKeyHolder {
    /// The root user's, which the account lists.
    Root(Located<AccountRecord>),
    /// A user's.
    User(Located<UserRecord>),
}

impl AccessKeyHolder {
    /// The user's name; the root user has none.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Root(_) => None,
            Self::User(user) => Some(&user.record.name),
        }
    }

    /// What a sealed secret is bound to.
    pub(crate) fn owner(&self) -> &str {
        match self {
            Self::Root(_) => access_key::ROOT_USER,
            Self::User(user) => &user.record.unique_id,
        }
    }

    /// Ids of its access keys.
    pub(crate) fn access_keys(&self) -> &[String] {
        match self {
            Self::Root(account) => &account.record.root_access_keys,
            Self::User(user) => &user.record.access_keys,
        }
    }

    /// The same, to be changed.
    pub(crate) fn access_keys_mut(&mut self) -> &mut Vec<String> {
        match self {
            Self::Root(account) => &mut account.record.root_access_keys,
            Self::User(user) => &mut user.record.access_keys,
        }
    }

    /// Adds the edited record to a plan.
    pub(crate) fn replaced(&self, plan: Plan) -> Result<Plan, IamError> {
        match self {
            Self::Root(account) => account.replaced(plan),
            Self::User(user) => user.replaced(plan),
        }
    }

    /// The access key of this id, if it is one of this holder's.
    pub(crate) async fn access_key(
        &self,
        identity: &Identity,
        id: &str,
    ) -> Result<Located<AccessKeyRecord>, IamError> {
        if !self.access_keys().iter().any(|known| known == id) {
            return Err(no_such_access_key(id));
        }
        let found = identity.at(paths::access_key(&id.parse()?)?).await?;
        found.ok_or_else(|| no_such_access_key(id))
    }
}

impl Identity {
    /// Whose access keys the caller means, if it may carry out `O` on them.
    pub(crate) async fn access_key_holder<O: Operation>(
        &self,
        call: &Call,
        named: Option<&String>,
    ) -> Result<(AccessKeyHolder, Permit<O>), IamError> {
        if named.is_none() && call.caller.principal == Principal::Root {
            let permit = self.authorize::<O>(call, Resource::Account).await?;
            return Ok((AccessKeyHolder::Root(self.account_of(call).await?), permit));
        }
        let (user, permit) = self.find::<O, UserRecord>(call, &user_meant(call, named)?).await?;
        Ok((AccessKeyHolder::User(user), permit))
    }
}

/// There is no access key of this id.
pub(crate) fn no_such_access_key(id: &str) -> IamError {
    IamError::NoSuchEntity(format!("The Access Key with id {id} cannot be found."))
}

/// The name under which answers show whose an access key is.
pub(crate) fn shown_name(account: AccountId, user: Option<&str>) -> String {
    user.map_or_else(|| account.to_string(), str::to_owned)
}
