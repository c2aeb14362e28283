//! Inline policies of users, groups and roles. Their documents lie beside the holder, under its unique id; the holder's
//! record knows their names and sizes.

use policy::PolicyKind;
use wire::query::percent_encode;

use super::entity::{Entity, Located};
use super::error::IamError;
use super::paging::{Listing, Paged};
use super::plan::Plan;
use super::policy_document::{check, size};
use crate::record::PolicyDocumentRecord;
use crate::{Identity, paths};

/// Adds an inline policy, or gives an existing one another document.
pub(crate) fn put<E: Entity>(mut holder: Located<E>, name: &str, document: &str) -> Result<Plan, IamError> {
    check(document, PolicyKind::Identity)?;
    let held = &mut holder.record.policies_mut().inline_policies;
    held.insert(name.to_owned(), size(document));
    if held.values().sum::<usize>() > E::INLINE_SIZE_MAX {
        return Err(IamError::LimitExceeded(format!(
            "Maximum policy size of {} bytes exceeded for {} {}",
            E::INLINE_SIZE_MAX,
            E::WORD.to_ascii_lowercase(),
            holder.record.name()
        )));
    }
    let path = paths::inline_policy(holder.record.unique_id(), name)?;
    holder.replaced(Plan::new())?.set(path, &PolicyDocumentRecord { document: document.to_owned() })
}

/// Removes an inline policy.
pub(crate) fn delete<E: Entity>(mut holder: Located<E>, name: &str) -> Result<Plan, IamError> {
    let removed = holder.record.policies_mut().inline_policies.remove(name);
    removed.ok_or_else(|| no_such::<E>(name))?;
    let path = paths::inline_policy(holder.record.unique_id(), name)?;
    Ok(holder.replaced(Plan::new())?.delete(path))
}

/// One page of the names of inline policies.
pub(crate) fn page<E: Entity>(record: &E, listing: &Listing) -> Result<Paged<String>, IamError> {
    let names = record.policies().inline_policies.keys();
    listing.page_of(names.map(|name| (name.clone(), name.clone())).collect())
}

impl Identity {
    /// The document of an inline policy as answers show it.
    pub(crate) async fn inline_policy<E: Entity>(&self, holder: &E, name: &str) -> Result<String, IamError> {
        let path = paths::inline_policy(holder.unique_id(), name)?;
        let read = self.read::<PolicyDocumentRecord>(&path).await?;
        Ok(percent_encode(&read.ok_or_else(|| no_such::<E>(name))?.record.document))
    }
}

fn no_such<E: Entity>(name: &str) -> IamError {
    let holder = E::WORD.to_ascii_lowercase();
    IamError::NoSuchEntity(format!("The {holder} policy with name {name} cannot be found."))
}
