//! ListAliases: the aliases of the account in this Region, or those of one key.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html>

use base::{Call, KeyArn, Timestamp};
use wire::kms::{AliasListEntry, ListAliases, ListAliasesRequest, ListAliasesResponse};

use crate::Kms;
use crate::alias::{AliasName, LoadedAlias};
use crate::authorize::{AccountAction, Identifiers, KeyAction, StateRule, authorize_account};
use crate::error::KmsError;
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
        let page = kms.store.range(listing.range(&prefix, request.marker.as_deref())?).await?;
        let next = listing.next(&page, &prefix);
        let names = page.entries.iter().filter_map(|entry| entry.key.as_str().strip_prefix(&prefix));
        let mut aliases = Vec::new();
        for name in names {
            // Read one by one in both listings: the index of a key's aliases holds names only. An alias that went
            // or moved away between the two reads is left out.
            let Ok(parsed) = AliasName::parse(name) else { continue };
            if let Some(alias) =
                kms.alias(&place, parsed).await?.filter(|alias| points_to(alias, key.as_ref()))
            {
                aliases.push(list_entry(&place, name, alias.record));
            }
        }
        Ok(ListAliasesResponse { truncated: Some(next.is_some()), next_marker: next, aliases: Some(aliases) })
    }
}

fn points_to(alias: &LoadedAlias, key: Option<&KeyArn>) -> bool {
    key.is_none_or(|key| key.id == alias.target)
}

fn list_entry(place: &Place, name: &str, record: AliasRecord) -> AliasListEntry {
    AliasListEntry {
        alias_name: Some(name.to_owned()),
        alias_arn: Some(place.alias_arn(name)),
        target_key_id: Some(record.target),
        creation_date: Some(Timestamp::from_millis(record.created_at)),
        last_updated_date: Some(Timestamp::from_millis(record.updated_at)),
    }
}
