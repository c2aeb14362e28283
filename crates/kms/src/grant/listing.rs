//! Pages of grants: those of a key, and those that a principal may retire.

use base::{KeyArn, Region, Timestamp};
use policy::PrincipalEntry;
use store::{Key, Page, StoreError};
use wire::kms::{GrantListEntry, GrantOperation, ListGrantsResponse};

use super::refusal::InvalidGrant;
use super::terms::{Both, one};
use super::{GrantId, GrantPrincipal, GrantRecord, record::retirable_grants};
use crate::error::KmsError;
use crate::paging::Listing;
use crate::{Kms, paths};

/// Grants that a filtered listing reads at a time.
const FILTERED_READ: usize = 100;

/// How often a filtered listing reads for one page.
const FILTERED_READS_MAX: usize = 10;

/// What ListGrants filters by: whom a grant gives something.
pub(crate) struct Grantee(Option<PrincipalEntry>);

impl Grantee {
    /// Whether the filter lets a grant through.
    fn admits(&self, record: &GrantRecord) -> bool {
        self.0.is_none() || record.grantee() == self.0
    }
}

impl GrantPrincipal {
    /// The grantee of a request that may have one of two.
    pub(crate) fn grantee(
        arn: &Option<String>,
        service: &Option<String>,
    ) -> Result<Option<Self>, InvalidGrant> {
        one(arn, service).map_err(|Both| InvalidGrant::GranteeFilter)
    }

    /// The retiring principal of a request, which must have one of two.
    pub(crate) fn retiring(arn: &Option<String>, service: &Option<String>) -> Result<Self, InvalidGrant> {
        let retiring = one(arn, service).map_err(|Both| InvalidGrant::RetiringFilter)?;
        retiring.ok_or(InvalidGrant::RetiringFilter)
    }
}

impl Kms {
    /// The filter that a request means.
    pub(crate) async fn grantee(&self, named: Option<&GrantPrincipal>) -> Result<Grantee, KmsError> {
        Ok(Grantee(match named {
            Some(named) => Some(self.holder_now(named).await?),
            None => None,
        }))
    }

    /// Whom a request means by a name. Somebody who is not there is meant by the name alone, which no grant has.
    pub(crate) async fn holder_now(&self, named: &GrantPrincipal) -> Result<PrincipalEntry, KmsError> {
        let entry = match named {
            GrantPrincipal::Arn(arn) => PrincipalEntry::parse(arn),
            GrantPrincipal::Service(service) => Some(PrincipalEntry::Service(service.as_str().into())),
        };
        let entry = entry.unwrap_or_else(|| PrincipalEntry::Federated("".into()));
        let unique_id = self.principals.find(&entry).await?.and_then(|known| known.unique_id);
        Ok(unique_id.map_or(entry, |id| PrincipalEntry::UniqueId(id.into())))
    }

    /// A page of the grants of a key. With a filter it looks at a bounded number of grants, so the page can hold few,
    /// or none, and the listing go on all the same.
    pub(crate) async fn grants_of_key(
        &self,
        key: &KeyArn,
        grantee: &Grantee,
        limit: Option<i32>,
        marker: Option<&str>,
    ) -> Result<ListGrantsResponse, KmsError> {
        let prefix = paths::grants(key);
        let listing = listing(format!("ListGrants {prefix}"), limit);
        let mut range = listing.range(&prefix, marker)?;
        let mut reads = 1_usize;
        if grantee.0.is_some() {
            range = range.limit(FILTERED_READ);
            reads = FILTERED_READS_MAX;
        }
        let mut grants = Vec::new();
        loop {
            let mut page = self.store.range(range.clone()).await?;
            for (id, record) in taken(&mut page, key, grantee, listing.limit().saturating_sub(grants.len()))?
            {
                grants.push(self.list_entry(key, &id, record).await?);
            }
            reads = reads.saturating_sub(1);
            match page.entries.last() {
                Some(last) if page.more && reads > 0 && grants.len() < listing.limit() => {
                    range = range.after(&last.key);
                }
                _ => return Ok(response(grants, listing.next(&page, &prefix))),
            }
        }
    }

    /// The only page of a listing by id: the grant, if the key has it and the other filter admits it.
    pub(crate) async fn grant_of_key(
        &self,
        key: &KeyArn,
        id: &GrantId,
        grantee: &Grantee,
    ) -> Result<ListGrantsResponse, KmsError> {
        let grant = self.grant(key, id).await?.filter(|grant| grantee.admits(&grant.record));
        let mut entries = Vec::new();
        if let Some(grant) = grant {
            entries.push(self.list_entry(key, id, grant.record).await?);
        }
        Ok(response(entries, None))
    }

    /// A page of the grants in this Region that `retiring` may retire, on keys of whatever account.
    pub(crate) async fn grants_to_retire(
        &self,
        region: Region,
        retiring: &PrincipalEntry,
        limit: Option<i32>,
        marker: Option<&str>,
    ) -> Result<ListGrantsResponse, KmsError> {
        let prefix = retirable_grants(retiring, &region);
        let listing = listing(format!("ListRetirableGrants {prefix}"), limit);
        let page = self.store.range(listing.range(&prefix, marker)?).await?;
        let mut grants = Vec::new();
        for entry in &page.entries {
            let damaged = || damaged(&entry.key);
            let (key, id) = paths::grant_reference(&prefix, &entry.key).ok_or_else(damaged)?;
            let id = GrantId::read(id).ok_or_else(damaged)?;
            // A grant that went away between the two reads is left out, and so is one whose key is gone already.
            if self.keys.cached(&key).await?.is_some()
                && let Some(grant) = self.grant(&key, &id).await?
            {
                grants.push(self.list_entry(&key, &id, grant.record).await?);
            }
        }
        let next = listing.next(&page, &prefix);
        Ok(response(grants, next))
    }

    /// A grant as the listings show it. Never with a token.
    async fn list_entry(
        &self,
        key: &KeyArn,
        id: &GrantId,
        record: GrantRecord,
    ) -> Result<GrantListEntry, KmsError> {
        let GrantRecord { terms, holders, .. } = record;
        let operations: Vec<GrantOperation> = terms.operations.iter().copied().collect();
        let constraints = terms.constraints();
        let grantee = self.shown(Some(terms.grantee), holders.grantee).await?;
        let retiring = self.shown(terms.retiring, holders.retiring).await?;
        Ok(GrantListEntry {
            key_id: Some(key.to_string()),
            grant_id: Some(id.to_string()),
            // AWS shows an empty name where there is none.
            name: Some(terms.name.unwrap_or_default()),
            creation_date: Some(Timestamp::from_millis(record.created_at)),
            grantee_principal: grantee.arn,
            retiring_principal: retiring.arn,
            issuing_account: Some(format!(
                "arn:{}:iam::{}:root",
                key.region.partition(),
                record.issuing_account
            )),
            operations: Some(operations),
            constraints,
            grantee_service_principal: grantee.service,
            retiring_service_principal: retiring.service,
        })
    }

    /// A principal as it is shown: by the ARN that it has now, or by the unique id of whoever is gone.
    async fn shown(
        &self,
        principal: Option<GrantPrincipal>,
        unique_id: Option<String>,
    ) -> Result<Members, KmsError> {
        Ok(match (principal, unique_id) {
            (Some(GrantPrincipal::Arn(_)), Some(id)) => {
                Members { arn: Some(self.principal_now(&id).await?), service: None }
            }
            (Some(GrantPrincipal::Arn(arn)), None) => Members { arn: Some(arn), service: None },
            (Some(GrantPrincipal::Service(name)), _) => Members { arn: None, service: Some(name) },
            (None, _) => Members { arn: None, service: None },
        })
    }
}

/// A principal as the two members that exclude each other.
struct Members {
    arn: Option<String>,
    service: Option<String>,
}

/// Takes up to `most` grants that the filter admits out of a page of the store, and cuts the page behind the last one that
/// was looked at.
fn taken(
    page: &mut Page,
    key: &KeyArn,
    grantee: &Grantee,
    most: usize,
) -> Result<Vec<(GrantId, GrantRecord)>, KmsError> {
    let prefix = paths::grants(key);
    let mut grants = Vec::new();
    let mut looked_at = 0_usize;
    for entry in &page.entries {
        if grants.len() >= most {
            break;
        }
        looked_at = looked_at.saturating_add(1);
        let record: GrantRecord = store::decode_record(entry)?;
        if grantee.admits(&record) {
            grants.push((id_behind(&prefix, &entry.key)?, record));
        }
    }
    page.more |= looked_at < page.entries.len();
    page.entries.truncate(looked_at);
    Ok(grants)
}

/// The id of the grant at a path behind `prefix`.
pub(super) fn id_behind(prefix: &str, path: &Key) -> Result<GrantId, StoreError> {
    path.as_str().strip_prefix(prefix).and_then(GrantId::read).ok_or_else(|| damaged(path))
}

fn listing(scope: String, limit: Option<i32>) -> Listing {
    Listing::new(scope, limit, 50, 100)
}

fn response(grants: Vec<GrantListEntry>, next: Option<String>) -> ListGrantsResponse {
    ListGrantsResponse { grants: Some(grants), truncated: Some(next.is_some()), next_marker: next }
}

fn damaged(path: &Key) -> StoreError {
    StoreError::damaged(path.to_string(), "the path names no grant".to_owned())
}
