//! Managed policies: AWS's and those of accounts, and what they are attached to.

use base::{AccountId, Arn, Call, Timestamp};
use store::{Key, Revision, Transaction, encode_record};
use wire::iam::{AttachedPolicy, Operation, Policy, PolicyVersion};

use super::authorize::Permit;
use super::aws_managed::AwsManagedPolicy;
use super::entity::{Entity, Located, folded};
use super::error::IamError;
use super::facts::{Facts, Properties};
use super::paging::{Listing, Paged};
use super::plan::Plan;
use super::resource::{Kind, Resource, arn as arn_of, last_segment};
use super::{quota, tags};
use crate::name::ManagedPolicyArn;
use crate::record::{PolicyDocumentRecord, PolicyRecord, PolicyUsageRecord, PolicyVersionRecord};
use crate::service::Read;
use crate::{Identity, IdentityError, paths};

/// A managed policy that is there.
pub(crate) enum ManagedPolicy {
    /// One of AWS's, with the account's use of it.
    Aws(&'static AwsManagedPolicy, Option<Read<PolicyUsageRecord>>),
    /// One of the caller's account.
    Customer(Box<Located<PolicyRecord>>),
}

/// In which of its two uses a policy is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Attachment,
    Boundary,
}

impl Use {
    fn count(self, usage: &mut PolicyUsageRecord) -> &mut u32 {
        match self {
            Self::Attachment => &mut usage.attachments,
            Self::Boundary => &mut usage.boundaries,
        }
    }
}

impl ManagedPolicy {
    /// The policy as GetPolicy shows it.
    pub(crate) fn view(&self, account: AccountId) -> Policy {
        match self {
            Self::Aws(policy, usage) => of_aws(policy, usage_of(usage.as_ref())),
            Self::Customer(policy) => {
                Policy { tags: tags::shown(&policy.record.tags), ..of_account(account, &policy.record) }
            }
        }
    }

    /// What policies can ask about it: AWS's have no tags.
    fn properties(&self) -> Properties<'_> {
        match self {
            Self::Aws(..) => Properties::default(),
            Self::Customer(policy) => Properties { tags: &policy.record.tags, boundary: None },
        }
    }

    /// The policy as its account's, or why it cannot be changed: AWS's cannot.
    pub(crate) fn changeable(self, call: &Call, operation: &str) -> Result<Located<PolicyRecord>, IamError> {
        match self {
            Self::Customer(policy) => Ok(*policy),
            Self::Aws(policy, _) => Err(denied(call, operation, &policy.arn())),
        }
    }
}

/// The record that counts the uses of a policy, once it has counted.
struct Counted {
    path: Key,
    /// What it was before.
    revision: Option<Revision>,
    value: Vec<u8>,
}

impl ManagedPolicy {
    /// Counts one use more or less. What an older store did not count ends at 0.
    fn counted(self, account: AccountId, what: Use, by: i32) -> Result<Counted, IdentityError> {
        let count = |usage: &mut PolicyUsageRecord| {
            let count = what.count(usage);
            *count = count.saturating_add_signed(by);
        };
        match self {
            Self::Aws(policy, read) => {
                let mut usage = usage_of(read.as_ref());
                count(&mut usage);
                let path = paths::aws_policy(account, policy.name)?;
                Ok(Counted { path, revision: read.map(|read| read.revision), value: encode_record(&usage)? })
            }
            Self::Customer(policy) => {
                let Located { path, revision, mut record } = *policy;
                count(&mut record.usage);
                Ok(Counted { path, revision: Some(revision), value: encode_record(&record)? })
            }
        }
    }
}

/// One of AWS's policies as lists show it.
pub(crate) fn of_aws(policy: &AwsManagedPolicy, usage: PolicyUsageRecord) -> Policy {
    Policy {
        policy_name: Some(policy.name.to_owned()),
        policy_id: Some(policy.unique_id.to_owned()),
        arn: Some(policy.arn()),
        path: Some("/".to_owned()),
        default_version_id: Some(version_id(policy.version)),
        attachment_count: i32::try_from(usage.attachments).ok(),
        permissions_boundary_usage_count: i32::try_from(usage.boundaries).ok(),
        is_attachable: Some(true),
        description: Some(policy.description.to_owned()),
        create_date: Some(Timestamp::from_seconds(policy.created_at)),
        update_date: Some(Timestamp::from_seconds(policy.updated_at)),
        tags: None,
    }
}

/// A policy of an account as lists show it: without tags.
pub(crate) fn of_account(account: AccountId, policy: &PolicyRecord) -> Policy {
    Policy {
        policy_name: Some(policy.name.clone()),
        policy_id: Some(policy.unique_id.clone()),
        arn: Some(arn_of(Kind::Policy, account, &policy.path, &policy.name)),
        path: Some(policy.path.clone()),
        default_version_id: Some(version_id(policy.default_version)),
        attachment_count: i32::try_from(policy.usage.attachments).ok(),
        permissions_boundary_usage_count: i32::try_from(policy.usage.boundaries).ok(),
        is_attachable: Some(true),
        description: policy.description.clone(),
        create_date: Some(Timestamp::from_millis(policy.created_at)),
        update_date: Some(Timestamp::from_millis(policy.updated_at)),
        tags: None,
    }
}

/// The one version of AWS's policies that is known here.
pub(crate) fn version_of_aws(policy: &AwsManagedPolicy, document: Option<String>) -> PolicyVersion {
    PolicyVersion {
        document,
        version_id: Some(version_id(policy.version)),
        is_default_version: Some(true),
        create_date: Some(Timestamp::from_seconds(policy.updated_at)),
    }
}

/// A version of an account's policy.
pub(crate) fn version_of_account(
    policy: &PolicyRecord,
    version: &PolicyVersionRecord,
    document: Option<String>,
) -> PolicyVersion {
    PolicyVersion {
        document,
        version_id: Some(version_id(version.number)),
        is_default_version: Some(version.number == policy.default_version),
        create_date: Some(Timestamp::from_millis(version.created_at)),
    }
}

/// `v3`, from 3.
pub(crate) fn version_id(number: u32) -> String {
    format!("v{number}")
}

/// Whether the version of this number has this id.
pub(crate) fn is_version(number: u32, id: &str) -> bool {
    version_id(number) == id
}

/// There is no such version.
pub(crate) fn no_such_version(arn: &str, version: &str) -> IamError {
    IamError::NoSuchEntity(format!("Policy {arn} version {version} does not exist or is not attachable."))
}

impl Identity {
    /// The managed policy of an ARN, if the caller may carry out `O` on it.
    ///
    /// # Errors
    /// InvalidInput if that is no ARN of a policy, AccessDenied for one of another account, NoSuchEntity if it is not
    /// there.
    pub(crate) async fn find_policy<O: Operation>(
        &self,
        call: &Call,
        arn: &str,
    ) -> Result<(ManagedPolicy, Permit<O>), IamError> {
        self.find_policy_with(call, arn, Facts::default()).await
    }

    /// The same for a call that policies can ask about.
    pub(crate) async fn find_policy_with<O: Operation>(
        &self,
        call: &Call,
        arn: &str,
        facts: Facts<'_>,
    ) -> Result<(ManagedPolicy, Permit<O>), IamError> {
        let foreign = is_foreign(call, arn);
        let found = match foreign {
            Ok(false) => self.policy_of_arn(call.caller.account, arn).await?,
            Ok(true) | Err(_) => None,
        };
        let properties = found.as_ref().map(ManagedPolicy::properties).unwrap_or_default();
        let resource = Resource::One { kind: Kind::Policy, arn: arn.to_owned() };
        let permit = self.authorize_with::<O>(call, resource, properties, facts).await?;
        if foreign? {
            return Err(denied(call, O::NAME, arn));
        }
        Ok((found.ok_or_else(|| IamError::no_such(Kind::Policy, arn))?, permit))
    }

    /// The managed policy that is to be attached, or to bound something.
    ///
    /// # Errors
    /// InvalidInput if that is no ARN of a policy, NoSuchEntity if it is not there.
    pub(crate) async fn policy_to_use(&self, call: &Call, arn: &str) -> Result<ManagedPolicy, IamError> {
        let missing = || IamError::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable."));
        if is_foreign(call, arn)? {
            return Err(missing());
        }
        self.policy_of_arn(call.caller.account, arn).await?.ok_or_else(missing)
    }

    /// Counts one use more or less of a policy in a plan.
    pub(crate) fn count_use(
        &self,
        plan: Plan,
        account: AccountId,
        policy: ManagedPolicy,
        what: Use,
        by: i32,
    ) -> Result<Plan, IamError> {
        let counted = policy.counted(account, what, by)?;
        Ok(plan.exchange(counted.path, counted.revision, counted.value))
    }

    /// Counts the policies that a new user begins with in the transaction that makes the user. One that is not there is
    /// not counted.
    pub(crate) async fn attachments_counted(
        &self,
        mut transaction: Transaction,
        account: AccountId,
        arns: &[String],
    ) -> Result<Transaction, IdentityError> {
        for arn in arns {
            let Some(policy) = self.policy_of_arn(account, arn).await? else { continue };
            let counted = policy.counted(account, Use::Attachment, 1)?;
            transaction = match counted.revision {
                Some(revision) => transaction.expect_revision(counted.path.clone(), revision),
                None => transaction.expect_absent(counted.path.clone()),
            };
            transaction = transaction.put(counted.path, counted.value);
        }
        Ok(transaction)
    }

    /// Attaches a managed policy to a user, group or role. Attaching it again changes nothing.
    pub(crate) async fn attach<E: Entity>(
        &self,
        call: &Call,
        mut holder: Located<E>,
        arn: &str,
    ) -> Result<Plan, IamError> {
        let policy = self.policy_to_use(call, arn).await?;
        let held = &mut holder.record.policies_mut().managed_policies;
        if held.iter().any(|held| held == arn) {
            return Ok(Plan::new());
        }
        if held.len() >= quota::ATTACHED_POLICIES {
            return Err(IamError::quota(&format!("PoliciesPer{}", E::WORD), quota::ATTACHED_POLICIES));
        }
        held.push(arn.to_owned());
        let plan = holder.replaced(Plan::new())?;
        self.count_use(plan, call.caller.account, policy, Use::Attachment, 1)
    }

    /// Detaches a managed policy.
    ///
    /// # Errors
    /// NoSuchEntity if it is not attached.
    pub(crate) async fn detach<E: Entity>(
        &self,
        call: &Call,
        mut holder: Located<E>,
        arn: &str,
    ) -> Result<Plan, IamError> {
        is_foreign(call, arn)?;
        let held = &mut holder.record.policies_mut().managed_policies;
        let at = held.iter().position(|held| held == arn);
        held.remove(at.ok_or_else(|| IamError::no_such(Kind::Policy, arn))?);
        let plan = holder.replaced(Plan::new())?;
        // What a seed file attached need not be there.
        match self.policy_of_arn(call.caller.account, arn).await? {
            Some(policy) => self.count_use(plan, call.caller.account, policy, Use::Attachment, -1),
            None => Ok(plan),
        }
    }

    /// A policy by an ARN that is AWS's or of this account; path and name count with their case.
    pub(crate) async fn policy_of_arn(
        &self,
        account: AccountId,
        arn: &str,
    ) -> Result<Option<ManagedPolicy>, IdentityError> {
        if let Some(policy) = AwsManagedPolicy::of_arn(arn) {
            let usage = self.read(&paths::aws_policy(account, policy.name)?).await?;
            return Ok(Some(ManagedPolicy::Aws(policy, usage)));
        }
        let name = folded(last_segment(arn));
        let found = self.at::<PolicyRecord>(paths::policy(account, &name)?).await?;
        let same = |found: &Located<PolicyRecord>| {
            arn_of(Kind::Policy, account, &found.record.path, &found.record.name) == arn
        };
        Ok(found.filter(same).map(|found| ManagedPolicy::Customer(Box::new(found))))
    }

    /// How often an account uses one of AWS's policies.
    pub(crate) async fn aws_policy_usage(
        &self,
        account: AccountId,
        policy: &AwsManagedPolicy,
    ) -> Result<PolicyUsageRecord, IamError> {
        Ok(usage_of(self.read(&paths::aws_policy(account, policy.name)?).await?.as_ref()))
    }

    /// The document of a version of an account's policy; `None` if the version was deleted meanwhile.
    pub(crate) async fn policy_document(
        &self,
        policy_id: &str,
        version: u32,
    ) -> Result<Option<String>, IdentityError> {
        let path = paths::policy_document(policy_id, version)?;
        Ok(self.read::<PolicyDocumentRecord>(&path).await?.map(|read| read.record.document))
    }
}

fn usage_of(read: Option<&Read<PolicyUsageRecord>>) -> PolicyUsageRecord {
    read.map(|read| read.record).unwrap_or_default()
}

/// One page of the managed policies that are attached to something. `under` is the path of the policies that are
/// wanted.
pub(crate) fn attached_page<E: Entity>(
    record: &E,
    under: Option<&String>,
    listing: &Listing,
) -> Result<Paged<AttachedPolicy>, IamError> {
    let held = record.policies().managed_policies.iter();
    let wanted = held.filter(|arn| under.is_none_or(|under| path_of(arn).starts_with(under.as_str())));
    let attached = |arn: &String| AttachedPolicy {
        policy_name: Some(last_segment(arn).to_owned()),
        policy_arn: Some(arn.clone()),
    };
    listing.page_by_place(wanted.map(|arn| (arn.clone(), attached(arn))).collect())
}

/// The path in the ARN of a policy: `/`, `/ops/`.
fn path_of(arn: &str) -> String {
    let resource = arn.split_once(":policy").map_or("/", |(_, resource)| resource);
    let (path, _) = resource.rsplit_once('/').unwrap_or_default();
    format!("{path}/")
}

/// Whether the ARN is of a policy of another account.
fn is_foreign(call: &Call, arn: &str) -> Result<bool, IamError> {
    arn.parse::<ManagedPolicyArn>().map_err(|_| IamError::invalid_arn(arn))?;
    let account = Arn::parse(arn).map_err(|_| IamError::invalid_arn(arn))?.account;
    Ok(account != "aws" && account != call.caller.account.to_string())
}

/// The refusal to let the caller do something to a policy.
fn denied(call: &Call, operation: &str, arn: &str) -> IamError {
    let caller = call.caller.arn();
    IamError::AccessDenied(format!(
        "User: {caller} is not authorized to perform: iam:{operation} on resource: policy {arn}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_policy_is_in_its_arn() {
        assert_eq!(path_of("arn:aws:iam::aws:policy/AdministratorAccess"), "/");
        assert_eq!(path_of("arn:aws:iam::123456789012:policy/a/b/Name"), "/a/b/");
        assert_eq!(path_of(""), "/");
    }

    #[test]
    fn versions_have_ids() {
        assert!(is_version(12, "v12") && !is_version(12, "v012") && !is_version(1, "1"));
    }
}
