//! The identity policies that apply to a caller, compiled, from memory: what the decision about a call needs of this
//! room.

use std::sync::Arc;

use base::{AccountId, Caller, Principal, SessionPolicies};
use policy::{AccountGuardrails, AttachedPolicy, IdentitySide, Policy, PolicyKind, PolicySource};
use store::cache::Cache;
use store::{Key, Observer, Record, Revision};

use crate::changes::{Changes, Seen};
use crate::error::IdentityError;
use crate::iam::ManagedPolicy;
use crate::record::{
    GroupIdRecord, GroupRecord, HeldPolicies, PolicyDocumentRecord, RoleRecord, TagRecord, UserRecord,
};
use crate::service::Identity;
use crate::{iam, paths};

/// Callers whose policies are expected in memory at a time.
const CALLERS: usize = 1_024;
/// Bytes of policies kept in memory, counted as [`weigh`] does.
const BYTES_MAX: u64 = 64 * 1_024 * 1_024;

/// Everything that a caller's identity brings to a decision. What a commit changes of it acts on the next call.
#[derive(Debug, Default)]
pub struct CallerPolicies {
    /// Of the user and its groups, or of the role.
    pub policies: Vec<AttachedPolicy>,
    /// What bounds the user or role; `None` if nothing does.
    pub boundary: Option<AttachedPolicy>,
    /// Those that the session was made with.
    pub session: Vec<AttachedPolicy>,
    /// What the organisation says about the account.
    pub guardrails: Option<Arc<AccountGuardrails>>,
    /// Tags of the user or role: `aws:PrincipalTag/…`. Keys have the case that they were given.
    pub tags: Vec<(String, String)>,
    /// Bytes of the documents that were compiled.
    document_bytes: usize,
    /// What this was loaded from, as it stood before.
    loaded_from: Vec<Seen>,
}

impl CallerPolicies {
    /// The caller's side of a decision.
    pub fn side(&self) -> IdentitySide<'_> {
        let guardrails = self.guardrails.as_deref();
        IdentitySide {
            service_control: guardrails.map_or(&[], |guardrails| &guardrails.service_control),
            organization: guardrails.map(|guardrails| &guardrails.organization),
            policies: &self.policies,
            boundary: self.boundary.as_ref(),
            session: &self.session,
            tags: &self.tags,
        }
    }
}

impl Identity {
    /// The policies that apply to a caller; from memory, unless something of them has changed. A session of a role has
    /// those of the role, a federated user those of the user who got the session; to a root user, to services and to
    /// whoever did not sign no identity policies apply.
    ///
    /// Who is gone, or was made again under the same name, has none. A managed policy that is attached but not there
    /// (from a seed file, say) is left out; a boundary that is not there allows nothing.
    ///
    /// # Errors
    /// The store failed, or holds what was not written. A policy that cannot be read is such damage: it may deny.
    pub async fn policies_of(&self, caller: &Caller) -> Result<Arc<CallerPolicies>, IdentityError> {
        let (of_role, path_and_name, unique_id) = match &caller.principal {
            Principal::User { path_and_name, unique_id } => (false, path_and_name, unique_id),
            Principal::RoleSession { path_and_name, unique_id, .. } => (true, path_and_name, unique_id),
            Principal::FederatedUser { user_path_and_name, user_unique_id, .. } => {
                (false, user_path_and_name, user_unique_id)
            }
            Principal::Root => {
                let guardrails = self.guardrails.of(caller.account).cloned();
                return Ok(Arc::new(CallerPolicies { guardrails, ..CallerPolicies::default() }));
            }
            Principal::Service { .. } | Principal::Anonymous => return Ok(Arc::default()),
        };
        let session = caller.session.as_ref().and_then(|session| session.policies.as_ref());
        let held_by = HeldBy(unique_id.clone(), session.map(|policies| policies.digest));
        if let Some(known) = self.policies.get(&held_by) {
            return Ok(known);
        }
        let ticket = self.policies.cache.begin_load(&held_by);
        let name = iam::last_segment(path_and_name).to_ascii_lowercase();
        let guardrails = self.guardrails.of(caller.account).cloned();
        let loaded = CallerPolicies { guardrails, ..CallerPolicies::default() };
        let mut load = Load { identity: self, account: caller.account, loaded };
        if of_role {
            load.role(&name, unique_id).await?;
        } else {
            load.user(&name, unique_id).await?;
        }
        if let Some(policies) = session {
            load.of_session(policies).await?;
        }
        let loaded = Arc::new(load.loaded);
        self.policies.cache.insert(ticket, held_by, Arc::clone(&loaded));
        Ok(loaded)
    }
}

/// A unique id, and which policies its session was made with.
#[derive(Clone, PartialEq, Eq, Hash)]
struct HeldBy(String, Option<[u8; 32]>);

/// What a boundary or session policy that is not there allows.
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// A load in progress: it notes what it reads before it reads it.
struct Load<'i> {
    identity: &'i Identity,
    account: AccountId,
    loaded: CallerPolicies,
}

impl Load<'_> {
    async fn user(&mut self, folded_name: &str, unique_id: &str) -> Result<(), IdentityError> {
        let user = self.read::<UserRecord>(&paths::user_folded(self.account, folded_name)?).await?;
        let Some(user) = user.filter(|user| user.unique_id == unique_id) else { return Ok(()) };
        self.held(unique_id, &user.policies, |name| PolicySource::User { name }).await?;
        for id in &user.groups {
            let Some(group) = self.group(id).await? else { continue };
            let source = |name| PolicySource::Group { group: group.name.clone(), name };
            self.held(id, &group.policies, source).await?;
        }
        self.bounded_and_tagged(user.boundary.as_ref(), user.tags).await
    }

    async fn role(&mut self, folded_name: &str, unique_id: &str) -> Result<(), IdentityError> {
        let role = self.read::<RoleRecord>(&paths::role(self.account, folded_name)?).await?;
        let Some(role) = role.filter(|role| role.unique_id == unique_id) else { return Ok(()) };
        self.held(unique_id, &role.policies, |name| PolicySource::Role { name }).await?;
        self.bounded_and_tagged(role.boundary.as_ref(), role.tags).await
    }

    /// A managed policy of a session counts as it is now, not as it was when the session was made.
    async fn of_session(&mut self, policies: &SessionPolicies) -> Result<(), IdentityError> {
        if let Some(document) = &policies.document {
            let policy = self.compiled(PolicySource::Session, document)?;
            self.loaded.session.push(policy);
        }
        for arn in &policies.managed {
            let document = self.managed(arn).await?.unwrap_or_else(|| NOTHING.to_owned());
            let policy = self.compiled(PolicySource::Managed(arn.clone()), &document)?;
            self.loaded.session.push(policy);
        }
        Ok(())
    }

    async fn group(&mut self, unique_id: &str) -> Result<Option<GroupRecord>, IdentityError> {
        let id = paths::group_id(self.account, unique_id)?;
        let Some(known) = self.read::<GroupIdRecord>(&id).await? else { return Ok(None) };
        self.read(&paths::group(self.account, &known.folded_name)?).await
    }

    /// Adds the policies that a user, group or role holds; `source` says where an inline one of a name comes from.
    async fn held(
        &mut self,
        holder_id: &str,
        held: &HeldPolicies,
        source: impl Fn(String) -> PolicySource,
    ) -> Result<(), IdentityError> {
        for name in held.inline_policies.keys() {
            let path = paths::inline_policy(holder_id, name)?;
            if let Some(PolicyDocumentRecord { document }) = self.read(&path).await? {
                let policy = self.compiled(source(name.clone()), &document)?;
                self.loaded.policies.push(policy);
            }
        }
        for arn in &held.managed_policies {
            if let Some(document) = self.managed(arn).await? {
                let policy = self.compiled(PolicySource::Managed(arn.clone()), &document)?;
                self.loaded.policies.push(policy);
            }
        }
        Ok(())
    }

    async fn bounded_and_tagged(
        &mut self,
        boundary: Option<&String>,
        tags: Vec<TagRecord>,
    ) -> Result<(), IdentityError> {
        if let Some(arn) = boundary {
            let document = self.managed(arn).await?.unwrap_or_else(|| NOTHING.to_owned());
            self.loaded.boundary = Some(self.compiled(PolicySource::Managed(arn.clone()), &document)?);
        }
        self.loaded.tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        Ok(())
    }

    /// The document of a managed policy's default version.
    async fn managed(&mut self, arn: &str) -> Result<Option<String>, IdentityError> {
        let name = iam::last_segment(arn).to_ascii_lowercase();
        self.note(&paths::policy(self.account, &name)?);
        match self.identity.policy_of_arn(self.account, arn).await? {
            None => Ok(None),
            Some(ManagedPolicy::Aws(policy, _)) => Ok(Some(policy.document.to_owned())),
            Some(ManagedPolicy::Customer(policy)) => {
                let (id, version) = (&policy.record.unique_id, policy.record.default_version);
                self.identity.policy_document(id, version).await
            }
        }
    }

    /// Every document that applies to a caller is compiled here, once for each load.
    fn compiled(&mut self, source: PolicySource, document: &str) -> Result<AttachedPolicy, IdentityError> {
        let policy = Policy::parse(document, PolicyKind::Identity);
        let policy = policy.map_err(|_| IdentityError::Damaged(source.to_string()))?;
        self.loaded.document_bytes += document.len();
        Ok(AttachedPolicy { policy: Arc::new(policy), source })
    }

    async fn read<R: Record>(&mut self, path: &Key) -> Result<Option<R>, IdentityError> {
        self.note(path);
        Ok(self.identity.read(path).await?.map(|read| read.record))
    }

    fn note(&mut self, path: &Key) {
        self.loaded.loaded_from.push(self.identity.policies.changes.seen(path));
    }
}

/// Callers' policies in memory, kept honest by commits.
pub(crate) struct Policies {
    cache: Cache<HeldBy, CallerPolicies>,
    changes: Changes,
}

impl Policies {
    pub(crate) fn new() -> Self {
        Self { cache: Cache::weighing(CALLERS, BYTES_MAX, weigh), changes: Changes::new() }
    }

    fn get(&self, held_by: &HeldBy) -> Option<Arc<CallerPolicies>> {
        let known = self.cache.get(held_by)?;
        known.loaded_from.iter().all(|seen| self.changes.holds(*seen)).then_some(known)
    }
}

impl Observer for Policies {
    fn committed(&self, keys: &[Key], _revision: Revision) {
        self.uncertain(keys);
    }

    fn uncertain(&self, keys: &[Key]) {
        for key in keys.iter().filter(|key| key.as_str().starts_with(paths::IDENTITY)) {
            self.changes.note(key);
        }
    }
}

/// About the bytes that a caller's policies take: compiled, a document takes a few times its length.
fn weigh(_: &HeldBy, loaded: &CallerPolicies) -> u64 {
    const AROUND_EACH: usize = 512;
    const COMPILED: usize = 8;
    let policies = loaded.policies.len() + loaded.session.len() + 1;
    let tags: usize = loaded.tags.iter().map(|(key, value)| key.len() + value.len() + AROUND_EACH).sum();
    let bytes = COMPILED * loaded.document_bytes + AROUND_EACH * policies + tags;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
