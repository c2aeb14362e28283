//! PutEventSelectors: says which events a trail delivers.

use base::Call;
use wire::cloudtrail::{PutEventSelectors, PutEventSelectorsRequest, PutEventSelectorsResponse};

use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::record::TrailRecord;
use crate::selectors::Selectors;
use crate::table::{Done, Handle};
use crate::trail_name::NamedTrail;

impl Handle for PutEventSelectors {
    const READ_ONLY: bool = false;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &PutEventSelectorsRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::read(call, &request.trail_name)?;
        let trail = service.changeable_trail::<Self>(call, &named, None).await?;
        let selectors =
            Selectors::read(request.event_selectors.as_deref(), request.advanced_event_selectors.as_deref())?;
        let (event_selectors, advanced_event_selectors) = selectors.told();
        let record = TrailRecord { selectors, ..trail.record.clone() };
        let trail_arn = Some(named.arn());
        let response = PutEventSelectorsResponse { trail_arn, event_selectors, advanced_event_selectors };
        Done::changed(response, trail.written(&record)?)
    }
}
