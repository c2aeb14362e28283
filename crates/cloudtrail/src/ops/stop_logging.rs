//! StopLogging: the trail delivers nothing that happens from now on.

use base::Call;
use wire::cloudtrail::{StopLogging, StopLoggingRequest, StopLoggingResponse};

use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::record::TrailRecord;
use crate::table::{Done, Handle};
use crate::trail_name::NamedTrail;

impl Handle for StopLogging {
    const READ_ONLY: bool = false;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &StopLoggingRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::read(call, &request.name)?;
        let trail = service.changeable_trail::<Self>(call, &named, None).await?;
        let response = StopLoggingResponse;
        if !trail.record.is_logging {
            return Done::unchanged(response);
        }
        let record = TrailRecord {
            is_logging: false,
            logging_until: Some(call.time.millis()),
            ..trail.record.clone()
        };
        Done::changed(response, trail.written(&record)?)
    }
}
