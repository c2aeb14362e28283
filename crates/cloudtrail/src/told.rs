//! Trails and events in the form in which they are told.

use std::collections::BTreeMap;

use audit::index::LoggedEvent;
use audit::trails::TrailSettings;
use wire::cloudtrail::{self, Event, Tag, TrailInfo};

use crate::stored_trails::FoundTrail;

impl FoundTrail {
    /// Everything about it.
    pub(crate) fn told(&self) -> cloudtrail::Trail {
        let settings = self.settings.clone();
        cloudtrail::Trail {
            trail_arn: Some(self.arn()),
            name: Some(settings.name.to_string()),
            s3_bucket_name: Some(settings.bucket),
            s3_key_prefix: settings.key_prefix,
            include_global_service_events: Some(settings.includes_global_service_events),
            is_multi_region_trail: Some(settings.is_multi_region),
            home_region: Some(settings.home_region.to_string()),
            log_file_validation_enabled: Some(settings.validates_log_files),
            has_custom_event_selectors: Some(self.selectors.are_custom()),
            has_insight_selectors: Some(false),
            is_organization_trail: Some(false),
            ..cloudtrail::Trail::default()
        }
    }

    /// In a list of trails.
    pub(crate) fn info(&self) -> TrailInfo {
        TrailInfo {
            trail_arn: Some(self.arn()),
            name: Some(self.settings.name.to_string()),
            home_region: Some(self.settings.home_region.to_string()),
        }
    }
}

/// What CreateTrail answers.
pub(crate) fn created(arn: String, settings: TrailSettings) -> cloudtrail::CreateTrailResponse {
    cloudtrail::CreateTrailResponse {
        trail_arn: Some(arn),
        name: Some(settings.name.to_string()),
        s3_bucket_name: Some(settings.bucket),
        s3_key_prefix: settings.key_prefix,
        include_global_service_events: Some(settings.includes_global_service_events),
        is_multi_region_trail: Some(settings.is_multi_region),
        log_file_validation_enabled: Some(settings.validates_log_files),
        is_organization_trail: Some(false),
        ..cloudtrail::CreateTrailResponse::default()
    }
}

/// What UpdateTrail answers: the same.
pub(crate) fn updated(arn: String, settings: TrailSettings) -> cloudtrail::UpdateTrailResponse {
    let created = created(arn, settings);
    cloudtrail::UpdateTrailResponse {
        trail_arn: created.trail_arn,
        name: created.name,
        s3_bucket_name: created.s3_bucket_name,
        s3_key_prefix: created.s3_key_prefix,
        include_global_service_events: created.include_global_service_events,
        is_multi_region_trail: created.is_multi_region_trail,
        log_file_validation_enabled: created.log_file_validation_enabled,
        is_organization_trail: created.is_organization_trail,
        ..cloudtrail::UpdateTrailResponse::default()
    }
}

/// Tags, in the order of their keys.
pub(crate) fn tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: Some(value.clone()) }).collect()
}

/// An event that was looked up.
pub(crate) fn event(event: LoggedEvent) -> Event {
    let read_only = event.read_only_text().map(str::to_owned);
    let resources = event.resources.into_iter().map(|resource| cloudtrail::Resource {
        resource_type: Some(resource.kind),
        resource_name: Some(resource.name),
    });
    Event {
        event_id: Some(event.id),
        event_name: Some(event.name),
        read_only,
        access_key_id: event.access_key_id,
        event_time: Some(event.time),
        event_source: Some(event.source),
        username: event.user_name,
        resources: Some(resources.collect()),
        cloud_trail_event: Some(event.json),
    }
}
