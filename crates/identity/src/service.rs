//! Accounts, and what all changes of identities share.

use std::sync::Arc;

use audit::Trail;
use base::{AccountId, Clock, Randomness};
use keyring::DomainKeys;
use policy::{Guardrails, Unwitnessed, Witness};
use store::cache::CacheFigures;
use store::{CommitError, Key, Range, Record, Store, Transaction, decode_record, encode_record};

use crate::caller_policies::Policies;
use crate::credential::KnownCredentials;
use crate::error::IdentityError;
use crate::record::AccountRecord;
use crate::turns::Turns;
use crate::web_identity::{KeySetSource, KeySets};
use crate::{paths, trail};

/// How often a change is tried against faster writers before it gives up.
const ATTEMPTS_MAX: u32 = 32;
/// Accounts read at a time.
const PAGE_ACCOUNTS: usize = 1_000;

/// Accounts and everything that is in them.
pub struct Identity {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) domain_keys: Arc<DomainKeys>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) trail: Arc<Trail>,
    pub(crate) credentials: Arc<KnownCredentials>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) turns: Turns,
    pub(crate) key_sets: KeySets,
    pub(crate) guardrails: Arc<Guardrails>,
    pub(crate) witness: Arc<dyn Witness>,
}

impl Identity {
    /// The identities in `store`, their secrets sealed with `domain_keys`. Keys of identity providers come from
    /// `key_sets`; the trail is told of every call.
    pub fn new(
        store: Arc<dyn Store>,
        domain_keys: Arc<DomainKeys>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        key_sets: Arc<dyn KeySetSource>,
        trail: Arc<Trail>,
    ) -> Self {
        let credentials = Arc::new(KnownCredentials::new());
        store.observe(Arc::<KnownCredentials>::downgrade(&credentials));
        let policies = Arc::new(Policies::new());
        store.observe(Arc::<Policies>::downgrade(&policies));
        Self {
            store,
            domain_keys,
            clock,
            randomness,
            trail,
            credentials,
            policies,
            turns: Turns::new(),
            key_sets: KeySets::new(key_sets),
            guardrails: Arc::default(),
            witness: Arc::new(Unwitnessed),
        }
    }

    /// The same identities, in an organisation.
    #[must_use]
    pub fn in_organization(self, guardrails: Arc<Guardrails>) -> Self {
        Self { guardrails, ..self }
    }

    /// The same identities; a witness is told of decisions.
    #[must_use]
    pub fn witnessed_by(self, witness: Arc<dyn Witness>) -> Self {
        Self { witness, ..self }
    }

    /// How often each cache had what it was asked for.
    pub fn cache_figures(&self) -> [(&'static str, CacheFigures); 2] {
        self.credentials.figures()
    }

    /// Makes an empty account.
    ///
    /// # Errors
    /// It exists already, or the store or the machine failed.
    pub async fn create_account(&self, account: AccountId) -> Result<(), IdentityError> {
        let transaction = self.account_made(Transaction::new(), account, 0)?;
        match self.commit(transaction).await? {
            Committed::Yes => Ok(()),
            Committed::Conflict(_) => Err(IdentityError::AccountExists(account)),
        }
    }

    /// Whether there is such an account.
    ///
    /// # Errors
    /// The store failed.
    pub async fn account_exists(&self, account: AccountId) -> Result<bool, IdentityError> {
        Ok(self.store.get(&paths::account(account)?).await?.is_some())
    }

    /// Whether anybody can sign: whether there is an access key at all.
    ///
    /// # Errors
    /// The store failed.
    pub async fn has_access_keys(&self) -> Result<bool, IdentityError> {
        let page = self.store.range(Range::prefix(paths::ACCESS_KEYS).limit(1)).await?;
        Ok(!page.entries.is_empty())
    }

    /// All accounts, in the order of their ids.
    ///
    /// # Errors
    /// The store failed.
    pub async fn accounts(&self) -> Result<Vec<AccountId>, IdentityError> {
        let mut accounts = Vec::new();
        let mut range = Range::prefix(paths::ACCOUNTS).limit(PAGE_ACCOUNTS);
        loop {
            let page = self.store.range(range).await?;
            for entry in &page.entries {
                accounts.push(account_of(&entry.key)?);
            }
            match page.entries.last() {
                Some(last) if page.more => {
                    range = Range::prefix(paths::ACCOUNTS).limit(PAGE_ACCOUNTS).after(&last.key);
                }
                Some(_) | None => return Ok(accounts),
            }
        }
    }

    /// Adds an account that must not exist yet to a transaction.
    pub(crate) fn account_made(
        &self,
        transaction: Transaction,
        account: AccountId,
        users: u32,
    ) -> Result<Transaction, IdentityError> {
        let path = paths::account(account)?;
        let record = AccountRecord::new(self.clock.now().millis(), users);
        let event = trail::record(self, account, "CreateAccount", None)?;
        let transaction = transaction.expect_absent(path.clone());
        Ok(transaction.put(path, encode_record(&record)?).outbox(event))
    }

    /// Reads a record together with what a commit must expect of it.
    pub(crate) async fn read<R: Record>(&self, path: &Key) -> Result<Option<Read<R>>, IdentityError> {
        let Some(entry) = self.store.get(path).await? else { return Ok(None) };
        Ok(Some(Read { record: decode_record(&entry)?, revision: entry.revision }))
    }

    /// Commits; a conflict is an outcome, not an error.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<Committed, IdentityError> {
        match self.store.commit(transaction).await {
            Ok(_) => Ok(Committed::Yes),
            Err(CommitError::Conflict { key }) => Ok(Committed::Conflict(key)),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(error @ (CommitError::TooLarge { .. } | CommitError::WrittenTwice { .. })) => {
                Err(IdentityError::Commit(error))
            }
        }
    }
}

/// A record as it was read.
pub(crate) struct Read<R> {
    pub(crate) record: R,
    pub(crate) revision: store::Revision,
}

/// What became of a transaction.
#[must_use]
pub(crate) enum Committed {
    /// Applied and durable.
    Yes,
    /// This key was not what was expected; nothing was applied.
    Conflict(Key),
}

/// Counts tries of a compare-and-swap.
#[derive(Default)]
pub(crate) struct Attempts(u32);

impl Attempts {
    /// Notes a conflict; fails when there were too many.
    pub(crate) fn again(&mut self) -> Result<(), IdentityError> {
        self.0 += 1;
        if self.0 < ATTEMPTS_MAX { Ok(()) } else { Err(IdentityError::Contention(self.0)) }
    }
}

fn account_of(path: &Key) -> Result<AccountId, IdentityError> {
    let id = path.as_str().strip_prefix(paths::ACCOUNTS).and_then(|id| id.parse().ok());
    id.ok_or_else(|| IdentityError::Damaged(path.to_string()))
}
