//! Why a request is denied, and what the client is told of it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

use std::fmt;

use crate::evidence::{Layer, StatementRef};
use crate::request::Request;

/// A request is denied.
#[derive(Clone, Copy)]
pub struct Denial<'a> {
    request: &'a Request<'a>,
    reason: DenialReason<'a>,
}

/// Why a request is denied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DenialReason<'a> {
    /// This statement denies it.
    Explicit(StatementRef<'a>),
    /// Nothing in this layer allows it.
    Implicit(Layer),
    /// The resource's account opens nothing to the caller, who is of another account or did not sign.
    OutOfReach,
}

impl<'a> Denial<'a> {
    pub(crate) fn new(request: &'a Request<'a>, reason: DenialReason<'a>) -> Self {
        Self { request, reason }
    }

    /// Why.
    pub fn reason(&self) -> DenialReason<'a> {
        self.reason
    }

    /// The text for the client, in AWS's words. Of a resource in another account it tells no more than that it is out of
    /// reach.
    pub fn message(&self) -> String {
        let Request { action, caller, resource, .. } = self.request;
        let base = format!("User: {} is not authorized to perform: {action}", caller.arn());
        if self.is_out_of_reach() {
            return format!(
                "{base} on this resource because the resource does not exist in this Region, no resource-based \
                 policies allow access, or a resource-based policy explicitly denies access"
            );
        }
        let on = resource.arn.map(|arn| format!(" on resource: {arn}")).unwrap_or_default();
        let why = match self.reason {
            DenialReason::Explicit(statement) => {
                format!(" with an explicit deny in {}", self.name(statement.layer))
            }
            // AWS does not tell of trust policies that are silent.
            DenialReason::Implicit(Layer::Resource) if self.is_about_trust() => String::new(),
            DenialReason::Implicit(layer) => {
                format!(" because no {} allows the {action} action", plain_name(layer))
            }
            DenialReason::OutOfReach => String::new(),
        };
        format!("{base}{on}{why}")
    }

    /// Whether the client may learn nothing of the resource's policy, not even that there is such a resource.
    pub fn is_out_of_reach(&self) -> bool {
        let is_foreign = self.request.caller.account() != Some(self.request.resource.owner);
        let by_resource = match self.reason {
            DenialReason::OutOfReach => true,
            DenialReason::Explicit(statement) => statement.layer == Layer::Resource,
            DenialReason::Implicit(layer) => layer == Layer::Resource,
        };
        is_foreign && by_resource && !self.is_about_trust()
    }

    fn is_about_trust(&self) -> bool {
        self.request.action.service() == "sts"
    }

    fn name(&self, layer: Layer) -> String {
        match layer {
            Layer::Resource if self.is_about_trust() => "the role trust policy".to_owned(),
            Layer::Identity => "an identity-based policy".to_owned(),
            Layer::ServiceControl
            | Layer::ResourceControl
            | Layer::Resource
            | Layer::Boundary
            | Layer::Session => format!("a {}", plain_name(layer)),
        }
    }
}

fn plain_name(layer: Layer) -> &'static str {
    match layer {
        Layer::ServiceControl => "service control policy",
        Layer::ResourceControl => "resource control policy",
        Layer::Resource => "resource-based policy",
        Layer::Identity => "identity-based policy",
        Layer::Boundary => "permissions boundary",
        Layer::Session => "session policy",
    }
}

impl PartialEq for Denial<'_> {
    /// Two denials are the same if their reasons are.
    fn eq(&self, other: &Self) -> bool {
        self.reason == other.reason
    }
}

impl fmt::Debug for Denial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Denial({:?})", self.reason)
    }
}
