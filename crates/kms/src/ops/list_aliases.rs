//! ListAliases: the aliases of the account in this Region, or those of one key. The aliases of AWS managed keys are listed
//! before their keys exist.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html>

use base::{Call, KeyArn, Timestamp};
use wire::kms::{AliasListEntry, ListAliases, ListAliasesRequest, ListAliasesResponse};

use crate::Kms;
use crate::alias::{AliasName, LoadedAlias};
use crate::authorize::{AccountAction, Identifiers, KeyAction, StateRule, authorize_account};
use crate::error::KmsError;
use crate::managed_key::ManagedService;
use crate::paging::Listing;
use crate::paths::{self, Place};
use crate::record::AliasRecord;
use crate::table::Handle;

impl AccountAction for ListAliases {
    const NAME: &'static str = "ListAliases";
}

/// The filter: a key of the caller's own account.
impl KeyAction for ListAliases {
    const NAME: &'static str = "ListAliases";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for ListAliases {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ListAliasesRequest,
    ) -> Result<ListAliasesResponse, KmsError> {
        let place = authorize_account::<Self>(call)?.place;
        let key = match &request.key_id {
            Some(key_id) => {
                Some(kms.keys.find::<Self>(call, key_id).await?.authorize::<Self>(call)?.usable()?.arn())
            }
            None => None,
        };
        let prefix = key.map_or_else(|| paths::aliases(&place), |arn| paths::key_aliases(&arn));
        let listing = Listing::new(format!("ListAliases {prefix}"), request.limit, 50, 100);
        let range = listing.range(&prefix, request.marker.as_deref())?.limit(listing.limit() + 1);
        let page = kms.store.range(range).await?;
        let names = page.entries.iter().filter_map(|entry| entry.key.as_str().strip_prefix(&prefix));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        if key.is_none() {
            let after = listing.after(request.marker.as_deref())?;
            add_predefined(&mut names, after.as_deref(), page.more);
        }
        let page = listing.page(names, |name| name);
        let mut aliases = Vec::new();
        for name in &page.items {
            // Read one by one in both listings: the index of a key's aliases holds names only. An alias that went
            // or moved away between the two reads is left out.
            match kms.alias(&place, AliasName::stored(name)).await? {
                Some(alias) if points_to(&alias, key.as_ref()) => {
                    aliases.push(list_entry(&place, name, Some(alias.record)));
                }
                None if key.is_none() && is_predefined(name) => aliases.push(list_entry(&place, name, None)),
                Some(_) | None => {}
            }
        }
        let truncated = page.next.is_some();
        Ok(ListAliasesResponse { truncated: Some(truncated), next_marker: page.next, aliases: Some(aliases) })
    }
}

/// Adds the aliases of AWS managed keys, which are there before their keys. If the store has more names than these, those
/// behind the last of them belong to a later page.
fn add_predefined(names: &mut Vec<String>, after: Option<&str>, more: bool) {
    let last = names.last().filter(|_| more).cloned();
    for alias in ManagedService::ALL.map(ManagedService::alias) {
        let begun = after.is_none_or(|after| alias > after);
        if begun && last.as_deref().is_none_or(|last| alias < last) {
            names.push(alias.to_owned());
        }
    }
    names.sort_unstable();
    names.dedup();
}

fn is_predefined(name: &str) -> bool {
    ManagedService::ALL.iter().any(|service| service.alias() == name)
}

fn points_to(alias: &LoadedAlias, key: Option<&KeyArn>) -> bool {
    key.is_none_or(|key| key.id == alias.target)
}

fn list_entry(place: &Place, name: &str, record: Option<AliasRecord>) -> AliasListEntry {
    let date = |pick: fn(&AliasRecord) -> i64| record.as_ref().map(pick).map(Timestamp::from_millis);
    AliasListEntry {
        alias_name: Some(name.to_owned()),
        alias_arn: Some(place.alias_arn(name)),
        creation_date: date(|record| record.created_at),
        last_updated_date: date(|record| record.updated_at),
        target_key_id: record.map(|record| record.target),
    }
}
