//! The policies that a user, group or role has, as they stand in the store.

use base::Call;
use wire::iam::Operation;

use super::principal::Named;
use crate::iam::authorize::Permit;
use crate::iam::entity::Entity;
use crate::iam::error::IamError;
use crate::iam::managed_policy::ManagedPolicy;
use crate::iam::resource::{Kind, Resource, last_segment};
use crate::record::{GroupRecord, PolicyDocumentRecord, RoleRecord, UserRecord};
use crate::{Identity, paths};

/// A policy that somebody has.
pub(crate) struct HeldPolicy {
    pub(crate) origin: Origin,
    pub(crate) document: String,
}

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is one of a user, group or role alone.
    Inline { kind: Kind, holder: String, name: String },
    /// It is managed, and this is its ARN.
    Managed(String),
}

/// A user, group or role whose policies are simulated.
pub(crate) struct Subject {
    pub(crate) arn: String,
    pub(crate) unique_id: String,
    /// Of a user, those of its groups too.
    pub(crate) policies: Vec<HeldPolicy>,
    pub(crate) boundary: Option<HeldPolicy>,
}

impl Origin {
    /// What the simulator calls a policy from here.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Inline { kind, holder, name } => format!("{}_{holder}_{name}", kind.word()),
            Self::Managed(arn) => last_segment(arn).to_owned(),
        }
    }
}

impl Identity {
    /// The user, group or role of an ARN with its policies, if the caller may carry out `O` on it. The path in the ARN does
    /// not count.
    ///
    /// # Errors
    /// InvalidInput if that is no such ARN, NoSuchEntity if it is not there.
    pub(crate) async fn subject<O: Operation>(
        &self,
        call: &Call,
        arn: &str,
    ) -> Result<(Subject, Permit<O>), IamError> {
        let unclear = || format!("Invalid Entity Arn: {arn} does not clearly define entity type and name.");
        let named = Named::read(arn).ok_or_else(|| IamError::InvalidInput(unclear()))?;
        if named.account != call.caller.account {
            let foreign = Resource::One { kind: named.kind, arn: arn.to_owned() };
            self.authorize::<O>(call, foreign).await?;
            return Err(IamError::no_such(named.kind, named.name()));
        }
        match named.kind {
            Kind::Group => {
                let (group, permit) = self.find::<O, GroupRecord>(call, named.name()).await?;
                Ok((self.subject_of(call, &group.record, None).await?, permit))
            }
            Kind::Role => {
                let (role, permit) = self.find::<O, RoleRecord>(call, named.name()).await?;
                let boundary = role.record.boundary.as_deref();
                Ok((self.subject_of(call, &role.record, boundary).await?, permit))
            }
            Kind::User => {
                let (user, permit) = self.find::<O, UserRecord>(call, named.name()).await?;
                let boundary = user.record.boundary.as_deref();
                let mut subject = self.subject_of(call, &user.record, boundary).await?;
                self.add_those_of_groups(call, &user.record, &mut subject.policies).await?;
                Ok((subject, permit))
            }
            Kind::InstanceProfile | Kind::OpenIdConnectProvider | Kind::Policy => {
                Err(IamError::InvalidInput(unclear()))
            }
        }
    }

    async fn subject_of<E: Entity>(
        &self,
        call: &Call,
        holder: &E,
        boundary: Option<&str>,
    ) -> Result<Subject, IamError> {
        /// What a boundary that is not there allows.
        const NOTHING: &str =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        let mut policies = Vec::new();
        self.add_held(call, holder, &mut policies).await?;
        let boundary = match boundary {
            None => None,
            Some(arn) => {
                let document = self.managed_document(call, arn).await?.unwrap_or_else(|| NOTHING.to_owned());
                Some(HeldPolicy { origin: Origin::Managed(arn.to_owned()), document })
            }
        };
        let (account, unique_id) = (call.caller.account, holder.unique_id().to_owned());
        Ok(Subject { arn: holder.resource(account).to_string(), unique_id, policies, boundary })
    }

    async fn add_those_of_groups(
        &self,
        call: &Call,
        user: &UserRecord,
        policies: &mut Vec<HeldPolicy>,
    ) -> Result<(), IamError> {
        for id in &user.groups {
            if let Some(group) = self.group_of_id(call.caller.account, id).await? {
                self.add_held(call, &group.record, policies).await?;
            }
        }
        Ok(())
    }

    /// Adds what somebody holds; a managed policy once, in however many ways it comes.
    async fn add_held<E: Entity>(
        &self,
        call: &Call,
        holder: &E,
        policies: &mut Vec<HeldPolicy>,
    ) -> Result<(), IamError> {
        for name in holder.policies().inline_policies.keys() {
            let path = paths::inline_policy(holder.unique_id(), name)?;
            let Some(read) = self.read::<PolicyDocumentRecord>(&path).await? else { continue };
            let (holder, name) = (holder.name().to_owned(), name.clone());
            let origin = Origin::Inline { kind: E::WHAT, holder, name };
            policies.push(HeldPolicy { origin, document: read.record.document });
        }
        for arn in &holder.policies().managed_policies {
            let origin = Origin::Managed(arn.clone());
            if policies.iter().any(|known| known.origin == origin) {
                continue;
            }
            let document = self.managed_document(call, arn).await?;
            policies.extend(document.map(|document| HeldPolicy { origin, document }));
        }
        Ok(())
    }

    /// The document of a managed policy's default version, if the policy is there.
    async fn managed_document(&self, call: &Call, arn: &str) -> Result<Option<String>, IamError> {
        match self.policy_of_arn(call.caller.account, arn).await? {
            None => Ok(None),
            Some(ManagedPolicy::Aws(policy, _)) => Ok(Some(policy.document.to_owned())),
            Some(ManagedPolicy::Customer(policy)) => {
                let (id, version) = (&policy.record.unique_id, policy.record.default_version);
                Ok(self.policy_document(id, version).await?)
            }
        }
    }
}
