//! Grants: permissions on one key for one principal, beside the key policy.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>
//!
//! They are kept, listed and removed here, and found for decisions (`applicable.rs`).

mod applicable;
mod id;
mod listing;
mod record;
mod refusal;
mod retirement;
mod terms;
mod token;

use base::{Call, KeyArn};
use store::{Range, Revision, StoreError, Transaction};

use crate::change::{Committed, Edit};
use crate::error::{KmsError, LimitExceeded};
use crate::{Kms, paths};
use record::GrantNameRecord;

pub(crate) use id::GrantId;
pub(crate) use record::{ContextConstraint, GrantHolders, GrantPrincipal, GrantRecord, GrantTerms};
pub(crate) use refusal::InvalidGrant;
pub(crate) use retirement::UncheckedGrant;
pub(crate) use terms::entry_of_arn;
pub(crate) use token::GrantTokens;

/// Grants of a deleted key that are removed in one transaction: each has up to three entries.
const PURGE_BATCH: usize = 40;

/// A grant as it was read.
#[derive(Debug)]
pub(crate) struct LoadedGrant {
    pub(crate) id: GrantId,
    pub(crate) record: GrantRecord,
    pub(crate) revision: Revision,
}

impl Kms {
    /// The grant of this id on a key, if there is one.
    pub(crate) async fn grant(&self, key: &KeyArn, id: &GrantId) -> Result<Option<LoadedGrant>, KmsError> {
        let Some(entry) = self.store.get(&paths::grant(key, id)?).await? else { return Ok(None) };
        let record = store::decode_record(&entry)?;
        Ok(Some(LoadedGrant { id: id.clone(), record, revision: entry.revision }))
    }

    /// The grant of this id with its key, if both are there, for whoever may retire it.
    pub(crate) async fn grant_and_key(
        &self,
        key: &KeyArn,
        id: &GrantId,
    ) -> Result<Option<UncheckedGrant>, KmsError> {
        let Some(key) = self.keys.load(key).await? else { return Ok(None) };
        let grant = self.grant(&key.arn, id).await?;
        Ok(grant.map(|grant| UncheckedGrant { key, grant }))
    }

    /// The grant that an earlier call with the same name and the same terms made in the same account.
    pub(crate) async fn grant_of_same_name(
        &self,
        key: &KeyArn,
        record: &GrantRecord,
    ) -> Result<Option<GrantId>, KmsError> {
        let Some(path) = record.name_path(key)? else { return Ok(None) };
        let Some(entry) = self.store.get(&path).await? else { return Ok(None) };
        let record: GrantNameRecord = store::decode_record(&entry)?;
        let damaged = || StoreError::damaged(path.to_string(), "the name is of no grant".to_owned());
        Ok(Some(GrantId::read(&record.grant).ok_or_else(damaged)?))
    }

    /// Removes the grants that a deleted key left, a bounded piece at a time, for as long as there is no key of this
    /// name.
    pub(crate) async fn remove_grants(&self, key: &KeyArn) -> Result<(), KmsError> {
        let prefix = paths::grants(key);
        loop {
            let page = self.store.range(Range::prefix(&prefix).limit(PURGE_BATCH)).await?;
            if page.entries.is_empty() {
                return Ok(());
            }
            let mut transaction = Transaction::new().expect_absent(paths::key(key)?);
            for entry in &page.entries {
                let record: GrantRecord = store::decode_record(entry)?;
                let id = listing::id_behind(&prefix, &entry.key)?;
                for path in record.paths(key, &id)? {
                    transaction = transaction.delete(path);
                }
            }
            if self.commit(transaction).await? == Committed::Conflict {
                return Ok(());
            }
        }
    }

    /// A new grant in the making.
    pub(crate) fn new_grant(
        &self,
        call: &Call,
        terms: GrantTerms,
        holders: GrantHolders,
    ) -> Result<(GrantId, GrantRecord), KmsError> {
        let record = GrantRecord {
            created_at: call.time.millis(),
            issuing_account: call.caller.account.to_string(),
            parent: None,
            terms,
            holders,
        };
        Ok((GrantId::generate(self.randomness.as_ref())?, record))
    }
}

impl Edit {
    /// Gives the key a new grant, if it may have one more. The commit fails if there is one of the same name and terms
    /// by then.
    pub(crate) fn add_grant(
        &mut self,
        id: &GrantId,
        record: &GrantRecord,
        limit: u32,
    ) -> Result<(), KmsError> {
        if self.record.grants >= limit {
            return Err(LimitExceeded::Grants { key: self.arn, limit }.into());
        }
        self.record.grants += 1;
        let path = paths::grant(&self.arn, id)?;
        self.put(path.clone(), record)?;
        self.expect(path, None);
        if let Some(path) = record.name_path(&self.arn)? {
            self.put(path.clone(), &GrantNameRecord { grant: id.to_string() })?;
            self.expect(path, None);
        }
        if let Some(path) = record.retirable_path(&self.arn, id)? {
            self.mark(path);
        }
        let (entries, scope) = record.index(&self.arn, id)?;
        for path in entries {
            self.put(path, &scope)?;
        }
        Ok(())
    }

    /// Takes a grant from the key with all its entries.
    pub(crate) fn remove_grant(&mut self, grant: &LoadedGrant) -> Result<(), KmsError> {
        self.record.grants = self.record.grants.saturating_sub(1);
        self.expect(paths::grant(&self.arn, &grant.id)?, Some(grant.revision));
        let (entries, _) = grant.record.index(&self.arn, &grant.id)?;
        for path in grant.record.paths(&self.arn, &grant.id)?.into_iter().chain(entries) {
            self.delete(path);
        }
        Ok(())
    }
}
