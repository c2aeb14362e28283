//! The gate that every call passes: identity policies of the caller's account decide, for trails have no policies of their
//! own here.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudtrail.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{AccountId, Call};
use policy::{
    Action, CallerFacts, Context, Decision, Origin, Request, Resource, ResourceSide, ServiceKey, Value,
    decide,
};

use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::table::Handle;

/// What a call is about.
#[derive(Default)]
pub(crate) struct Target<'a> {
    /// The trail's ARN and account; none if the operation is on no trail in particular.
    pub(crate) trail: Option<(&'a str, AccountId)>,
    /// The trail's tags.
    pub(crate) tags: Option<&'a BTreeMap<String, String>>,
    /// Tags in the request.
    pub(crate) request_tags: Option<&'a BTreeMap<String, String>>,
}

impl Context for Target<'_> {
    fn value(&self, _: &ServiceKey) -> Value<'_> {
        Value::Absent
    }

    fn resource_tags(&self) -> Option<&BTreeMap<String, String>> {
        self.tags
    }

    fn request_tags(&self) -> Option<&BTreeMap<String, String>> {
        self.request_tags
    }
}

impl CloudTrail {
    /// Decides whether the caller may call operation `O` on this.
    pub(crate) async fn authorize<O: Handle>(
        &self,
        call: &Call,
        target: &Target<'_>,
    ) -> Result<(), CloudTrailError> {
        let rights = self.callers.rights_of(&call.caller).await?;
        let resource = match target.trail {
            Some((arn, owner)) => Resource::named(arn, owner),
            None => Resource::any(call.caller.account),
        };
        let request = Request {
            action: Action::new("cloudtrail", O::NAME),
            resource,
            caller: &CallerFacts::of(Arc::clone(&call.caller)),
            origin: Origin::of(call),
            context: target,
        };
        let (side, of_resource) = (rights.side(), ResourceSide::without_policy());
        let decision = decide(&request, &side, &of_resource);
        match decision.witnessed((&*self.witness, call.request_id), &request, &side, &of_resource) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(denial) => Err(CloudTrailError::AccessDenied(denial.message())),
        }
    }
}
