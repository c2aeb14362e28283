//! GetEventSelectors: which events a trail delivers.

use base::Call;
use wire::cloudtrail::{GetEventSelectors, GetEventSelectorsRequest, GetEventSelectorsResponse};

use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::table::{Done, Handle};
use crate::trail_name::NamedTrail;

impl Handle for GetEventSelectors {
    const READ_ONLY: bool = true;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &GetEventSelectorsRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::read(call, &request.trail_name)?;
        let found = service.trail_for::<Self>(call, &named, None).await?;
        let (event_selectors, advanced_event_selectors) = found.selectors.told();
        let trail_arn = Some(found.arn());
        Done::unchanged(GetEventSelectorsResponse { trail_arn, event_selectors, advanced_event_selectors })
    }
}
