//! UpdateTrail: changes what is said, and leaves the rest as it was.

use base::Call;
use wire::cloudtrail::{UpdateTrail, UpdateTrailRequest};

use super::request::{Unsupported, check_regions, key_prefix};
use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::table::{Done, Handle};
use crate::told;
use crate::trail_name::NamedTrail;

impl Handle for UpdateTrail {
    const READ_ONLY: bool = false;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &UpdateTrailRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::read(call, &request.name)?;
        let trail = service.changeable_trail::<Self>(call, &named, None).await?;
        let unsupported = Unsupported {
            sns_topic: request.sns_topic_name.as_ref(),
            log_group: request.cloud_watch_logs_log_group_arn.as_ref(),
            log_role: request.cloud_watch_logs_role_arn.as_ref(),
            kms_key: request.kms_key_id.as_ref(),
            is_organization_trail: request.is_organization_trail,
            recursive_logging: request.recursive_logging,
        };
        unsupported.check()?;
        let mut record = trail.record.clone();
        if let Some(bucket) = &request.s3_bucket_name {
            service.check_bucket(bucket)?;
            record.bucket.clone_from(bucket);
        }
        if request.s3_key_prefix.is_some() {
            record.key_prefix = key_prefix(request.s3_key_prefix.as_ref())?;
        }
        let switch = |old: bool, new: Option<bool>| new.unwrap_or(old);
        record.is_multi_region = switch(record.is_multi_region, request.is_multi_region_trail);
        record.includes_global_service_events =
            switch(record.includes_global_service_events, request.include_global_service_events);
        record.validates_log_files = switch(record.validates_log_files, request.enable_log_file_validation);
        check_regions(record.is_multi_region, record.includes_global_service_events)?;
        let mut settings = trail.found.settings.clone();
        settings.bucket.clone_from(&record.bucket);
        settings.key_prefix.clone_from(&record.key_prefix);
        settings.is_multi_region = record.is_multi_region;
        settings.includes_global_service_events = record.includes_global_service_events;
        settings.validates_log_files = record.validates_log_files;
        Done::changed(told::updated(named.arn(), settings), trail.written(&record)?)
    }
}
