//! Users, groups and roles: what they have in common.

use base::{AccountId, Call, Principal};
use store::{Key, KeyError, Record, Revision};
use wire::iam::Operation;

use super::authorize::Permit;
use super::error::IamError;
use super::facts::{Facts, Properties};
use super::plan::Plan;
use super::quota;
use super::resource::{Kind, Resource, last_segment};
use crate::record::{AccountRecord, GroupIdRecord, GroupRecord, HeldPolicies, RoleRecord, UserRecord};
use crate::{Identity, IdentityError, paths};

/// Something that has a name and holds policies.
pub(crate) trait Entity: Record + Clone + Send + Sync {
    /// What it is.
    const WHAT: Kind;
    /// The word for it in texts and names of quotas.
    const WORD: &'static str;
    /// Characters of all its inline policies.
    const INLINE_SIZE_MAX: usize;

    /// Where the one of a folded name lies.
    fn location(account: AccountId, folded_name: &str) -> Result<Key, KeyError>;
    fn name(&self) -> &str;
    fn path(&self) -> &str;
    fn unique_id(&self) -> &str;
    fn policies(&self) -> &HeldPolicies;
    fn policies_mut(&mut self) -> &mut HeldPolicies;
    /// What policies can ask about it.
    fn properties(&self) -> Properties<'_>;

    /// What a call about it is about.
    fn resource(&self, account: AccountId) -> Resource {
        Resource::named(Self::WHAT, account, self.path(), self.name())
    }
}

/// Something that can have a permissions boundary: users and roles.
pub(crate) trait Bounded: Entity {
    fn boundary_mut(&mut self) -> &mut Option<String>;
}

/// A record, where it lies, and what a commit must expect of it.
#[derive(Clone)]
pub(crate) struct Located<R> {
    pub(crate) path: Key,
    pub(crate) revision: Revision,
    pub(crate) record: R,
}

impl<R: Record> Located<R> {
    /// Adds the edited record to a plan.
    pub(crate) fn replaced(&self, plan: Plan) -> Result<Plan, IamError> {
        plan.replace(self.path.clone(), self.revision, &self.record)
    }

    /// Adds the end of the record to a plan.
    pub(crate) fn removed(&self, plan: Plan) -> Plan {
        plan.remove(self.path.clone(), self.revision)
    }
}

impl Identity {
    /// Reads what lies at a path.
    pub(crate) async fn at<R: Record>(&self, path: Key) -> Result<Option<Located<R>>, IdentityError> {
        let read = self.read::<R>(&path).await?;
        Ok(read.map(|read| Located { path, revision: read.revision, record: read.record }))
    }

    /// The user, group or role of this name, in whatever case, if the caller may carry out `O` on it.
    ///
    /// # Errors
    /// NoSuchEntity if it is not there.
    pub(crate) async fn find<O: Operation, E: Entity>(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<(Located<E>, Permit<O>), IamError> {
        self.find_with(call, name, Facts::default()).await
    }

    /// The same for a call that policies can ask about.
    pub(crate) async fn find_with<O: Operation, E: Entity>(
        &self,
        call: &Call,
        name: &str,
        facts: Facts<'_>,
    ) -> Result<(Located<E>, Permit<O>), IamError> {
        let account = call.caller.account;
        let found = self.at::<E>(E::location(account, &folded(name))?).await?;
        let (resource, properties) = match &found {
            Some(found) => (found.record.resource(account), found.record.properties()),
            None => (Resource::named(E::WHAT, account, "/", name), Properties::default()),
        };
        let permit = self.authorize_with::<O>(call, resource, properties, facts).await?;
        Ok((found.ok_or_else(|| IamError::no_such(E::WHAT, name))?, permit))
    }

    /// A user who is named beside what the call is about.
    pub(crate) async fn user_named(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Located<UserRecord>, IamError> {
        let found = self.at(paths::user_folded(account, &folded(name))?).await?;
        found.ok_or_else(|| IamError::no_such(Kind::User, name))
    }

    /// The group of a unique id.
    pub(crate) async fn group_of_id(
        &self,
        account: AccountId,
        id: &str,
    ) -> Result<Option<Located<GroupRecord>>, IamError> {
        let Some(known) = self.read::<GroupIdRecord>(&paths::group_id(account, id)?).await? else {
            return Ok(None);
        };
        Ok(self.at(paths::group(account, &known.record.folded_name)?).await?)
    }

    /// The record of the caller's account, whose counts change with what is made and deleted in it.
    pub(crate) async fn account_of(&self, call: &Call) -> Result<Located<AccountRecord>, IamError> {
        let account = call.caller.account;
        let found = self.at::<AccountRecord>(paths::account(account)?).await?;
        found.ok_or_else(|| IdentityError::NoSuchAccount(account).into())
    }
}

/// Refuses to delete what still holds policies.
pub(crate) fn refuse_if_policies_remain(policies: &HeldPolicies) -> Result<(), IamError> {
    if !policies.managed_policies.is_empty() {
        return Err(IamError::DeleteConflict("Cannot delete entity, must detach all policies first."));
    }
    if !policies.inline_policies.is_empty() {
        return Err(IamError::DeleteConflict("Cannot delete entity, must delete policies first."));
    }
    Ok(())
}

/// A name without its case: what is equal for names that must not be there twice.
pub(crate) fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The user that a call means: the one it names, or else the one who calls.
///
/// # Errors
/// ValidationError if it names none and somebody else than a user calls.
pub(crate) fn user_meant(call: &Call, named: Option<&String>) -> Result<String, IamError> {
    let calling = match &call.caller.principal {
        Principal::User { path_and_name, .. } => Some(last_segment(path_and_name).to_owned()),
        Principal::Root
        | Principal::RoleSession { .. }
        | Principal::FederatedUser { .. }
        | Principal::Service { .. }
        | Principal::Anonymous => None,
    };
    let unsaid = || "Must specify userName when calling with non-User credentials".to_owned();
    named.cloned().or(calling).ok_or_else(|| IamError::Validation(unsaid()))
}

/// What a new name must be refused for: that it is taken, or that the quota is reached.
pub(crate) fn room_for_one_more(count: &mut u32, max: u32, quota: &str) -> Result<(), IamError> {
    if *count >= max {
        return Err(IamError::quota(quota, max));
    }
    *count += 1;
    Ok(())
}

impl Entity for UserRecord {
    const WHAT: Kind = Kind::User;
    const WORD: &'static str = "User";
    const INLINE_SIZE_MAX: usize = quota::USER_POLICY_SIZE;

    fn location(account: AccountId, folded_name: &str) -> Result<Key, KeyError> {
        paths::user_folded(account, folded_name)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn unique_id(&self) -> &str {
        &self.unique_id
    }

    fn policies(&self) -> &HeldPolicies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut HeldPolicies {
        &mut self.policies
    }

    fn properties(&self) -> Properties<'_> {
        Properties { tags: &self.tags, boundary: self.boundary.as_deref() }
    }
}

impl Entity for GroupRecord {
    const WHAT: Kind = Kind::Group;
    const WORD: &'static str = "Group";
    const INLINE_SIZE_MAX: usize = quota::GROUP_POLICY_SIZE;

    fn location(account: AccountId, folded_name: &str) -> Result<Key, KeyError> {
        paths::group(account, folded_name)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn unique_id(&self) -> &str {
        &self.unique_id
    }

    fn policies(&self) -> &HeldPolicies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut HeldPolicies {
        &mut self.policies
    }

    fn properties(&self) -> Properties<'_> {
        Properties::default()
    }
}

impl Entity for RoleRecord {
    const WHAT: Kind = Kind::Role;
    const WORD: &'static str = "Role";
    const INLINE_SIZE_MAX: usize = quota::ROLE_POLICY_SIZE;

    fn location(account: AccountId, folded_name: &str) -> Result<Key, KeyError> {
        paths::role(account, folded_name)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn unique_id(&self) -> &str {
        &self.unique_id
    }

    fn policies(&self) -> &HeldPolicies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut HeldPolicies {
        &mut self.policies
    }

    fn properties(&self) -> Properties<'_> {
        Properties { tags: &self.tags, boundary: self.boundary.as_deref() }
    }
}

impl Bounded for UserRecord {
    fn boundary_mut(&mut self) -> &mut Option<String> {
        &mut self.boundary
    }
}

impl Bounded for RoleRecord {
    fn boundary_mut(&mut self) -> &mut Option<String> {
        &mut self.boundary
    }
}
