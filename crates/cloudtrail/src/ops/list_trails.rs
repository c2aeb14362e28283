//! ListTrails: the trails of the account, of all Regions. There are few, so they come on one page.

use base::Call;
use wire::cloudtrail::{ErrorCode, ListTrails, ListTrailsRequest, ListTrailsResponse};

use crate::CloudTrail;
use crate::authorize::Target;
use crate::error::CloudTrailError;
use crate::stored_trails::FoundTrail;
use crate::table::{Done, Handle};

impl Handle for ListTrails {
    const READ_ONLY: bool = true;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &ListTrailsRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        service.authorize::<Self>(call, &Target::default()).await?;
        if request.next_token.is_some() {
            return Err(no_such_page());
        }
        let trails = service.trails.of(call.caller.account).await?;
        let trails = trails.iter().map(FoundTrail::info).collect();
        Done::unchanged(ListTrailsResponse { trails: Some(trails), next_token: None })
    }
}

/// Nothing gave such a token: all comes on one page.
pub(super) fn no_such_page() -> CloudTrailError {
    CloudTrailError::refused(ErrorCode::InvalidTokenException, "The token is of no page of this listing.")
}
