//! ListAliases: the aliases of the account in this Region, or those of one key. The aliases of AWS managed keys are listed
//! before their keys exist.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html>

use std::collections::BTreeMap;

use base::{Call, KeyArn, Timestamp};
use wire::kms::{AliasListEntry, ListAliases, ListAliasesRequest, ListAliasesResponse};

use crate::Kms;
use crate::alias::AliasName;
use crate::authorize::{AccountAction, Identifiers, KeyAction, StateRule};
use crate::error::{KmsError, NotFound};
use crate::facts::Facts;
use crate::managed_key::ManagedService;
use crate::paging::{Listing, Page};
use crate::paths::{self, Place};
use crate::record::AliasRecord;
use crate::table::Handle;

impl AccountAction for ListAliases {
    const NAME: &'static str = "ListAliases";
}

/// The filter. Only the identifier is read by these facts: aliases are a matter of identity policies.
impl KeyAction for ListAliases {
    const NAME: &'static str = "ListAliases";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for ListAliases {
    const READ_ONLY: bool = true;
    const TELLS_NO_RESOURCES: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ListAliasesRequest,
    ) -> Result<ListAliasesResponse, KmsError> {
        let place = kms.authorize_account::<Self>(call, &Facts::default()).await?.place;
        let key = match &request.key_id {
            Some(key_id) => Some(kms.own_key(call, key_id).await?),
            None => None,
        };
        let listed = match key {
            Some(key) => kms.aliases_of_key(&key, &request).await?,
            None => kms.aliases_in(&place, &request).await?,
        };
        let aliases = listed.items.into_iter().map(|(name, record)| list_entry(&place, name, record));
        Ok(ListAliasesResponse {
            aliases: Some(aliases.collect()),
            truncated: Some(listed.next.is_some()),
            next_marker: listed.next,
        })
    }
}

/// An alias by its name; without a record if it is that of an AWS managed key which is not there yet.
type Listed = (String, Option<AliasRecord>);

impl Kms {
    /// The key that the request asks about: there must be one, in the caller's own account. Its policy has no say.
    async fn own_key(&self, call: &Call, identifier: &str) -> Result<KeyArn, KmsError> {
        let arn = self.keys.resolve::<ListAliases>(call, identifier).await?;
        if arn.account != call.caller.account {
            let why = "aliases are told in the key's own account only";
            return Err(KmsError::foreign_key(&call.caller, <ListAliases as KeyAction>::NAME, arn, why));
        }
        let key = self.keys.cached(&arn).await?;
        key.map(|_| arn).ok_or_else(|| NotFound::Key(arn).into())
    }

    /// A page of all aliases in an account and Region, with those of AWS managed keys that are not there yet.
    async fn aliases_in(
        &self,
        place: &Place,
        request: &ListAliasesRequest,
    ) -> Result<Page<Listed>, KmsError> {
        let prefix = paths::aliases(place);
        let listing = Listing::new(format!("ListAliases {prefix}"), request.limit, 50, 100);
        let marker = request.marker.as_deref();
        let page = self.store.range(listing.range(&prefix, marker)?.limit(listing.limit() + 1)).await?;
        let mut aliases = BTreeMap::new();
        for entry in &page.entries {
            if let Some(name) = entry.key.as_str().strip_prefix(&prefix) {
                aliases.insert(name.to_owned(), Some(store::decode_record(entry)?));
            }
        }
        // If the store has more, what lies behind the last of these belongs to a later page.
        let last = aliases.last_key_value().map(|(name, _)| name.clone()).filter(|_| page.more);
        let after = listing.after(marker)?;
        for alias in ManagedService::ALL.map(ManagedService::alias) {
            let begun = after.as_deref().is_none_or(|after| alias > after);
            if begun && last.as_deref().is_none_or(|last| alias < last) {
                aliases.entry(alias.to_owned()).or_insert(None);
            }
        }
        Ok(listing.page(aliases.into_iter().collect(), |(name, _)| name))
    }

    /// A page of the aliases of one key. The index holds names only, so each alias is read; one that went or moved away
    /// meanwhile is left out.
    async fn aliases_of_key(
        &self,
        key: &KeyArn,
        request: &ListAliasesRequest,
    ) -> Result<Page<Listed>, KmsError> {
        let prefix = paths::key_aliases(key);
        let listing = Listing::new(format!("ListAliases {prefix}"), request.limit, 50, 100);
        let page = self.store.range(listing.range(&prefix, request.marker.as_deref())?).await?;
        let mut items = Vec::new();
        for name in page.entries.iter().filter_map(|entry| entry.key.as_str().strip_prefix(&prefix)) {
            let alias = self.alias(&Place::from(*key), AliasName::stored(name)).await?;
            if let Some(alias) = alias.filter(|alias| alias.target == key.id) {
                items.push((name.to_owned(), Some(alias.record)));
            }
        }
        Ok(Page { items, next: listing.next(&page, &prefix) })
    }
}

fn list_entry(place: &Place, name: String, record: Option<AliasRecord>) -> AliasListEntry {
    let date = |pick: fn(&AliasRecord) -> i64| record.as_ref().map(pick).map(Timestamp::from_millis);
    AliasListEntry {
        alias_arn: Some(place.alias_arn(&name)),
        alias_name: Some(name),
        creation_date: date(|record| record.created_at),
        last_updated_date: date(|record| record.updated_at),
        target_key_id: record.map(|record| record.target),
    }
}
