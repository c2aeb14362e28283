//! The identity policies that apply to a caller, from memory: what the decision about a call needs of this room.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{AccountId, Caller, Principal};
use store::cache::Cache;
use store::{Key, Observer, Record, Revision};

use crate::changes::{Changes, Seen};
use crate::error::IdentityError;
use crate::iam::ManagedPolicy;
use crate::record::{GroupIdRecord, GroupRecord, HeldPolicies, PolicyDocumentRecord, UserRecord};
use crate::service::Identity;
use crate::{iam, paths};

/// Callers whose policies are expected in memory at a time.
const CALLERS: usize = 1_024;
/// Bytes of policies kept in memory.
const BYTES_MAX: u64 = 64 * 1_024 * 1_024;

/// Everything that a caller's identity brings to a decision. What a commit changes of it acts on the next call.
#[derive(Debug)]
pub struct CallerPolicies {
    /// Of the user, then of the groups.
    pub policies: Vec<AppliedPolicy>,
    /// What bounds the user; `None` if nothing does.
    pub boundary: Option<AppliedPolicy>,
    /// The user's tags: `aws:PrincipalTag/…`. Keys have the case that they were given.
    pub tags: BTreeMap<String, String>,
    /// What this was loaded from, as it stood before.
    loaded_from: Vec<Seen>,
}

impl CallerPolicies {
    /// Of callers to whom identity policies say nothing.
    fn none() -> Self {
        Self { policies: Vec::new(), boundary: None, tags: BTreeMap::new(), loaded_from: Vec::new() }
    }
}

/// One policy document and where it comes from.
#[derive(Debug)]
pub struct AppliedPolicy {
    /// Where it comes from.
    pub source: PolicySource,
    /// The document, byte for byte.
    pub document: Arc<str>,
}

/// Where a policy that applies to a caller comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// An inline policy.
    Inline {
        /// The ARN of the user or group that holds it.
        holder: String,
        /// Its name.
        name: String,
    },
    /// A managed policy, in its default version.
    Managed {
        /// The ARN of the user or group that it is attached to, or of the user that it bounds.
        holder: String,
        /// Its ARN.
        arn: String,
    },
}

impl AppliedPolicy {
    /// Every document that applies to a caller is made here, once for each load: the place to compile it.
    fn new(source: PolicySource, document: String) -> Self {
        Self { source, document: document.into() }
    }
}

impl Identity {
    /// The policies that apply to a caller; from memory, unless something of them has changed.
    ///
    /// A user who is gone, or was made again under the same name, has none. A policy that is attached but not there
    /// (from a seed file, say) is left out; a boundary that is not there allows nothing.
    ///
    /// # Errors
    /// The store failed, or holds what was not written.
    pub async fn policies_of(&self, caller: &Caller) -> Result<Arc<CallerPolicies>, IdentityError> {
        let Principal::User { path_and_name, unique_id } = &caller.principal else {
            return Ok(Arc::new(CallerPolicies::none()));
        };
        if let Some(known) = self.policies.get(unique_id) {
            return Ok(known);
        }
        let ticket = self.policies.cache.begin_load(unique_id);
        let name = iam::last_segment(path_and_name).to_ascii_lowercase();
        let mut load = Load { identity: self, account: caller.account, seen: Vec::new() };
        let loaded = Arc::new(load.user(&name, unique_id).await?);
        self.policies.cache.insert(ticket, unique_id.clone(), Arc::clone(&loaded));
        Ok(loaded)
    }
}

/// A load in progress: it notes what it reads before it reads it.
struct Load<'i> {
    identity: &'i Identity,
    account: AccountId,
    seen: Vec<Seen>,
}

impl Load<'_> {
    async fn user(&mut self, folded_name: &str, unique_id: &str) -> Result<CallerPolicies, IdentityError> {
        let user = self.read::<UserRecord>(&paths::user_folded(self.account, folded_name)?).await?;
        let Some(user) = user.filter(|user| user.unique_id == unique_id) else {
            return Ok(self.finish(Vec::new(), None, BTreeMap::new()));
        };
        let holder = iam::user_arn(self.account, &user);
        let mut policies = Vec::new();
        self.held(&holder, &user.unique_id, &user.policies, &mut policies).await?;
        for group in &user.groups {
            if let Some(group) = self.group(group).await? {
                let holder = iam::group_arn(self.account, &group);
                self.held(&holder, &group.unique_id, &group.policies, &mut policies).await?;
            }
        }
        let boundary = match &user.boundary {
            Some(arn) => Some(self.boundary(&holder, arn).await?),
            None => None,
        };
        let tags = user.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        Ok(self.finish(policies, boundary, tags))
    }

    fn finish(
        &mut self,
        policies: Vec<AppliedPolicy>,
        boundary: Option<AppliedPolicy>,
        tags: BTreeMap<String, String>,
    ) -> CallerPolicies {
        CallerPolicies { policies, boundary, tags, loaded_from: std::mem::take(&mut self.seen) }
    }

    async fn group(&mut self, unique_id: &str) -> Result<Option<GroupRecord>, IdentityError> {
        let id = paths::group_id(self.account, unique_id)?;
        let Some(known) = self.read::<GroupIdRecord>(&id).await? else { return Ok(None) };
        self.read(&paths::group(self.account, &known.folded_name)?).await
    }

    /// Adds the policies that a user or group holds.
    async fn held(
        &mut self,
        holder: &str,
        holder_id: &str,
        held: &HeldPolicies,
        into: &mut Vec<AppliedPolicy>,
    ) -> Result<(), IdentityError> {
        for name in held.inline_policies.keys() {
            let path = paths::inline_policy(holder_id, name)?;
            if let Some(PolicyDocumentRecord { document }) = self.read(&path).await? {
                let source = PolicySource::Inline { holder: holder.to_owned(), name: name.clone() };
                into.push(AppliedPolicy::new(source, document));
            }
        }
        for arn in &held.managed_policies {
            if let Some(document) = self.managed(arn).await? {
                let source = PolicySource::Managed { holder: holder.to_owned(), arn: arn.clone() };
                into.push(AppliedPolicy::new(source, document));
            }
        }
        Ok(())
    }

    async fn boundary(&mut self, holder: &str, arn: &str) -> Result<AppliedPolicy, IdentityError> {
        /// What a boundary that is not there allows.
        const NOTHING: &str =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        let document = self.managed(arn).await?.unwrap_or_else(|| NOTHING.to_owned());
        let source = PolicySource::Managed { holder: holder.to_owned(), arn: arn.to_owned() };
        Ok(AppliedPolicy::new(source, document))
    }

    /// The document of a managed policy's default version.
    async fn managed(&mut self, arn: &str) -> Result<Option<String>, IdentityError> {
        let name = iam::last_segment(arn).to_ascii_lowercase();
        self.seen.push(self.identity.policies.changes.seen(&paths::policy(self.account, &name)?));
        match self.identity.policy_of_arn(self.account, arn).await? {
            None => Ok(None),
            Some(ManagedPolicy::Aws(policy, _)) => Ok(Some(policy.document.to_owned())),
            Some(ManagedPolicy::Customer(policy)) => {
                let (id, version) = (&policy.record.unique_id, policy.record.default_version);
                self.identity.policy_document(id, version).await
            }
        }
    }

    async fn read<R: Record>(&mut self, path: &Key) -> Result<Option<R>, IdentityError> {
        self.seen.push(self.identity.policies.changes.seen(path));
        Ok(self.identity.read(path).await?.map(|read| read.record))
    }
}

/// Callers' policies in memory, kept honest by commits.
pub(crate) struct Policies {
    cache: Cache<String, CallerPolicies>,
    changes: Changes,
}

impl Policies {
    pub(crate) fn new() -> Self {
        Self { cache: Cache::weighing(CALLERS, BYTES_MAX, weigh), changes: Changes::new() }
    }

    fn get(&self, unique_id: &String) -> Option<Arc<CallerPolicies>> {
        let known = self.cache.get(unique_id)?;
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

/// About the bytes that a caller's policies take.
fn weigh(_: &String, loaded: &CallerPolicies) -> u64 {
    const AROUND_EACH: usize = 256;
    let documents = loaded.policies.iter().chain(&loaded.boundary);
    let bytes: usize = documents.map(|policy| policy.document.len() + AROUND_EACH).sum();
    let tags: usize = loaded.tags.iter().map(|(key, value)| key.len() + value.len() + AROUND_EACH).sum();
    u64::try_from(bytes + tags + AROUND_EACH).unwrap_or(u64::MAX)
}
