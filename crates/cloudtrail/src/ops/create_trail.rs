//! CreateTrail: a trail of the account, which delivers nothing until it is started.

use audit::trails::TrailSettings;
use base::Call;
use store::{Transaction, encode_record};
use wire::cloudtrail::{CreateTrail, CreateTrailRequest, ErrorCode};

use super::request::{Unsupported, check_regions, check_tag_count, key_prefix, tags};
use crate::CloudTrail;
use crate::authorize::Target;
use crate::error::CloudTrailError;
use crate::record::{self, TrailRecord};
use crate::selectors::Selectors;
use crate::table::{Done, Handle};
use crate::told;
use crate::trail_name::NamedTrail;

/// Trails of an account in a Region. <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>
const TRAILS_MAX: usize = 5;

impl Handle for CreateTrail {
    const READ_ONLY: bool = false;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &CreateTrailRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::of_name(call, &request.name)?;
        let tags = tags(request.tags_list.as_ref())?;
        let arn = named.arn();
        let target = Target { trail: Some((&arn, named.account)), tags: None, request_tags: Some(&tags) };
        service.authorize::<Self>(call, &target).await?;
        call.event.add_resource("AWS::CloudTrail::Trail", named.account, &arn);
        check(service, call, &named, request).await?;
        check_tag_count(&tags)?;
        let settings = TrailSettings {
            name: named.name.clone(),
            account: Some(named.account),
            home_region: call.region,
            is_multi_region: request.is_multi_region_trail.unwrap_or(false),
            bucket: request.s3_bucket_name.clone(),
            key_prefix: key_prefix(request.s3_key_prefix.as_ref())?,
            includes_global_service_events: request.include_global_service_events.unwrap_or(true),
            validates_log_files: request.enable_log_file_validation.unwrap_or(false),
            is_logging: false,
            logging_since: None,
            logging_until: None,
            excluded_event_sources: Vec::new(),
            data_events: Vec::new(),
        };
        check_regions(settings.is_multi_region, settings.includes_global_service_events)?;
        let record = TrailRecord {
            home_region: settings.home_region.to_string(),
            is_multi_region: settings.is_multi_region,
            bucket: settings.bucket.clone(),
            key_prefix: settings.key_prefix.clone(),
            includes_global_service_events: settings.includes_global_service_events,
            validates_log_files: settings.validates_log_files,
            is_logging: false,
            logging_since: None,
            logging_until: None,
            selectors: Selectors::default(),
            tags,
        };
        let key = record::trail(named.account, &named.name)?;
        let change = Transaction::new().expect_absent(key.clone()).put(key, encode_record(&record)?);
        Done::changed(told::created(arn, settings), change)
    }
}

async fn check(
    service: &CloudTrail,
    call: &Call,
    named: &NamedTrail,
    request: &CreateTrailRequest,
) -> Result<(), CloudTrailError> {
    let unsupported = Unsupported {
        sns_topic: request.sns_topic_name.as_ref(),
        log_group: request.cloud_watch_logs_log_group_arn.as_ref(),
        log_role: request.cloud_watch_logs_role_arn.as_ref(),
        kms_key: request.kms_key_id.as_ref(),
        is_organization_trail: request.is_organization_trail,
        recursive_logging: request.recursive_logging,
    };
    unsupported.check()?;
    service.check_bucket(&request.s3_bucket_name)?;
    if service.trails.is_taken(named).await? {
        let text = format!("Trail {} already exists for customer: {}", named.name, named.account);
        return Err(CloudTrailError::refused(ErrorCode::TrailAlreadyExistsException, text));
    }
    let trails = service.trails.of(named.account).await?;
    let own =
        trails.iter().filter(|trail| trail.stored.is_some() && trail.settings.home_region == call.region);
    if own.count() >= TRAILS_MAX {
        let text = format!("User: {} already has {TRAILS_MAX} trails in {}.", named.account, call.region);
        return Err(CloudTrailError::refused(ErrorCode::MaximumNumberOfTrailsExceededException, text));
    }
    Ok(())
}
