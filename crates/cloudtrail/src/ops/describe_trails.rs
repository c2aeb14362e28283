//! DescribeTrails: what is set for the trails of a Region and those that deliver its events, or for those that are named.

use base::Call;
use wire::cloudtrail::{DescribeTrails, DescribeTrailsRequest, DescribeTrailsResponse};

use crate::CloudTrail;
use crate::authorize::Target;
use crate::error::CloudTrailError;
use crate::stored_trails::FoundTrail;
use crate::table::{Done, Handle};
use crate::trail_name::NamedTrail;

impl Handle for DescribeTrails {
    const READ_ONLY: bool = true;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &DescribeTrailsRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        service.authorize::<Self>(call, &Target::default()).await?;
        let all = service.trails.of(call.caller.account).await?;
        let names = request.trail_name_list.as_deref().unwrap_or_default();
        let named: Vec<_> =
            names.iter().map(|name| NamedTrail::read(call, name)).collect::<Result<_, _>>()?;
        let with_shadows = request.include_shadow_trails.unwrap_or(true);
        let is_wanted = |trail: &FoundTrail| {
            let settings = &trail.settings;
            if named.is_empty() {
                return settings.home_region == call.region || (with_shadows && settings.is_multi_region);
            }
            named.iter().any(|named| {
                (named.account, named.region) == (trail.account, settings.home_region)
                    && named.name == settings.name
            })
        };
        let trails = all.iter().filter(|trail| is_wanted(trail)).map(FoundTrail::told);
        Done::unchanged(DescribeTrailsResponse { trail_list: Some(trails.collect()) })
    }
}
