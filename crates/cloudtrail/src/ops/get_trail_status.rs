//! GetTrailStatus: whether a trail delivers, and how that fares.

use base::{Call, Timestamp};
use wire::cloudtrail::{GetTrailStatus, GetTrailStatusRequest, GetTrailStatusResponse};

use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::ports::Delivered;
use crate::table::{Done, Handle};
use crate::trail_name::NamedTrail;

impl Handle for GetTrailStatus {
    const READ_ONLY: bool = true;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &GetTrailStatusRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::read(call, &request.name)?;
        let settings = service.trail_for::<Self>(call, &named, None).await?.settings;
        // What was delivered for other trails says nothing about one that never began.
        let has_begun = settings.account.is_none() || settings.logging_since.is_some();
        let delivered = if has_begun { service.deliveries.delivered() } else { Delivered::default() };
        let text = |moment: Option<Timestamp>| Some(moment.map(Timestamp::iso_extended).unwrap_or_default());
        let stopped = settings.logging_until.filter(|_| !settings.is_logging);
        Done::unchanged(GetTrailStatusResponse {
            is_logging: Some(settings.is_logging),
            start_logging_time: settings.logging_since,
            stop_logging_time: stopped,
            latest_delivery_time: delivered.last_delivery,
            latest_delivery_error: delivered.failure.clone(),
            latest_digest_delivery_time: delivered.last_digest.filter(|_| settings.validates_log_files),
            latest_delivery_attempt_time: text(delivered.last_delivery),
            latest_delivery_attempt_succeeded: text(
                delivered.last_delivery.filter(|_| delivered.failure.is_none()),
            ),
            latest_notification_attempt_time: text(None),
            latest_notification_attempt_succeeded: text(None),
            time_logging_started: text(settings.logging_since),
            time_logging_stopped: text(stopped),
            ..GetTrailStatusResponse::default()
        })
    }
}
