//! ListRoles: the roles of the account, without tags and boundaries.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html>

use base::Call;
use wire::iam::{ListRoles, ListRolesRequest, ListRolesResponse};

use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;
use crate::record::RoleRecord;
use crate::{Identity, paths};

impl Handle for ListRoles {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListRolesRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let account = permit.account();
        let under = request.path_prefix.as_deref().unwrap_or("/");
        let scope = format!("ListRoles {account} {under}");
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let is_meant = |record: RoleRecord| record.path.starts_with(under).then_some(record);
        let page = identity.page(&paths::roles(account), &listing, is_meant).await?;
        let is_truncated = page.is_truncated();
        let mut roles = Vec::with_capacity(page.items.len());
        for record in &page.items {
            roles.push(identity.listed_role(account, record).await?);
        }
        Ok(permit.answer(ListRolesResponse { is_truncated, roles, marker: page.marker }))
    }
}
