//! DeleteTrail: what was delivered stays.

use base::Call;
use wire::cloudtrail::{DeleteTrail, DeleteTrailRequest, DeleteTrailResponse};

use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::table::{Done, Handle};
use crate::trail_name::NamedTrail;

impl Handle for DeleteTrail {
    const READ_ONLY: bool = false;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &DeleteTrailRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::read(call, &request.name)?;
        let trail = service.changeable_trail::<Self>(call, &named, None).await?;
        Done::changed(DeleteTrailResponse, trail.deleted()?)
    }
}
