//! GetTrail: what is set for a trail.

use base::Call;
use wire::cloudtrail::{GetTrail, GetTrailRequest, GetTrailResponse};

use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::table::{Done, Handle};
use crate::trail_name::NamedTrail;

impl Handle for GetTrail {
    const READ_ONLY: bool = true;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &GetTrailRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::read(call, &request.name)?;
        let found = service.trail_for::<Self>(call, &named, None).await?;
        Done::unchanged(GetTrailResponse { trail: Some(found.told()) })
    }
}
