//! LookupEvents: the management events of the caller's account in a Region, newest first.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

use std::sync::Arc;

use audit::index::{Attribute, Category, Query};
use base::{Call, Timestamp};
use wire::cloudtrail::{
    ErrorCode, LookupAttributeKey, LookupEvents, LookupEventsRequest, LookupEventsResponse,
};

use crate::CloudTrail;
use crate::authorize::Target;
use crate::error::CloudTrailError;
use crate::lookup_token::Listing;
use crate::table::{Done, Handle};
use crate::told;

/// Events of a page, if nothing is said.
const RESULTS_DEFAULT: usize = 50;

impl Handle for LookupEvents {
    const READ_ONLY: bool = true;
    const VIOLATIONS: &'static [(&'static str, ErrorCode)] = &[
        ("maxResults", ErrorCode::InvalidMaxResultsException),
        ("eventCategory", ErrorCode::InvalidEventCategoryException),
        ("lookupAttributes", ErrorCode::InvalidLookupAttributesException),
    ];

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &LookupEventsRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        service.authorize::<Self>(call, &Target::default()).await?;
        let query = query(service.lookup_days, call, request)?;
        if !service.lookup_rate.admits(call.caller.account, call.region, call.time) {
            return Err(CloudTrailError::TooOften);
        }
        // No insights are made.
        let Some(query) = query.filter(|_| request.event_category.is_none()) else {
            return Done::unchanged(LookupEventsResponse { events: Some(Vec::new()), next_token: None });
        };
        let limit =
            request.max_results.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(RESULTS_DEFAULT);
        let page = Arc::clone(&service.index).page(query, limit).await.map_err(CloudTrailError::Log)?;
        let listing = Listing::of(call.caller.account, call.region, request);
        let last = page.events.last().filter(|_| page.more);
        let next_token = last.map(|last| listing.token(last.position()));
        let events = page.events.into_iter().map(told::event).collect();
        Done::unchanged(LookupEventsResponse { events: Some(events), next_token })
    }
}

/// What is looked up; `None` if it lies before all that can be.
fn query(
    lookup_days: u32,
    call: &Call,
    request: &LookupEventsRequest,
) -> Result<Option<Query>, CloudTrailError> {
    let (start, end) = (request.start_time, request.end_time);
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        let text = "Invalid time range: the start time must not be after the end time.";
        return Err(CloudTrailError::refused(ErrorCode::InvalidTimeRangeException, text));
    }
    let attribute = match request.lookup_attributes.as_deref().unwrap_or_default() {
        [] => None,
        [one] => Some((attribute(one.attribute_key), one.attribute_value.clone())),
        _ => {
            let text = "You can specify only one attribute to look up events by.";
            return Err(CloudTrailError::refused(ErrorCode::InvalidLookupAttributesException, text));
        }
    };
    let listing = Listing::of(call.caller.account, call.region, request);
    let behind = match request.next_token.as_deref() {
        None => None,
        Some(token) => Some(listing.position(token).ok_or_else(|| {
            let text =
                "The token is none, or is used with other parameters than those that it was given for.";
            CloudTrailError::refused(ErrorCode::InvalidNextTokenException, text)
        })?),
    };
    let oldest = call.time.plus_days(-i64::from(lookup_days));
    if end.is_some_and(|end| end < oldest) {
        return Ok(None);
    }
    let from: Timestamp = start.map_or(oldest, |start| start.max(oldest));
    Ok(Some(Query {
        account: Some(call.caller.account),
        region: Some(call.region),
        category: Some(Category::Management),
        attribute,
        from: Some(from),
        to: end,
        behind,
    }))
}

fn attribute(key: LookupAttributeKey) -> Attribute {
    match key {
        LookupAttributeKey::EventId => Attribute::EventId,
        LookupAttributeKey::EventName => Attribute::EventName,
        LookupAttributeKey::ReadOnly => Attribute::ReadOnly,
        LookupAttributeKey::Username => Attribute::Username,
        LookupAttributeKey::ResourceType => Attribute::ResourceType,
        LookupAttributeKey::ResourceName => Attribute::ResourceName,
        LookupAttributeKey::EventSource => Attribute::EventSource,
        LookupAttributeKey::AccessKeyId => Attribute::AccessKeyId,
    }
}
