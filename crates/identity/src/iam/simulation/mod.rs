//! The policy simulator: what policies would decide about requests that nobody makes.
//!
//! It decides as Keywright does about real calls, also where AWS's simulator is known to differ from AWS. A resource's policy
//! counts if the request brings it along; that of a key is what alone opens the key, as in KMS.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html>

mod asked;
mod context;
mod exclusion;
mod held;
mod principal;
mod report;
mod scenario;

use base::{AccountId, Arn};
use policy::{
    Action, IdentitySide, NoContext, Origin, Request, Resource, ResourceSide, Simulation, simulate,
};
use wire::iam::{EvaluationResult, SimulatePolicyResponse};

use super::paging::{Listing, Looked};

pub(crate) use asked::Asked;
pub(crate) use exclusion::leave_out;
pub(crate) use scenario::{Levels, Scenario, context_keys};

/// How much one page of results may take: bytes of the policies times bytes of the longest text that they are compared
/// with, for each decision. The worst patterns that there are take about a second for this, usual ones a fiftieth of it.
const WORK_MAX: usize = 1 << 28;
/// Decisions on one page of results.
const DECISIONS_MAX: usize = 1_000;

impl Scenario<'_> {
    /// One page of results, one for each action.
    pub(crate) async fn page(&self, listing: &Listing) -> SimulatePolicyResponse {
        let first = listing.after().and_then(|last| last.parse::<usize>().ok()).map_or(0, |last| last + 1);
        let at_once =
            self.decisions_max().checked_div(self.resources.len()).unwrap_or(1).clamp(1, listing.items_max());
        let mut items = Vec::new();
        for (name, action) in self.actions.iter().skip(first).take(at_once) {
            items.push(self.result(name, action).await);
        }
        let next = first + items.len();
        let last = (next < self.actions.len()).then(|| format!("{:06}", next.saturating_sub(1)));
        let page = listing.marked(Looked { items, last });
        SimulatePolicyResponse {
            is_truncated: page.is_truncated(),
            evaluation_results: Some(page.items),
            marker: page.marker,
        }
    }

    async fn result(&self, name: &str, action: &Action<'_>) -> EvaluationResult {
        let mut simulated = Vec::new();
        for resource in &self.resources {
            simulated.push(self.simulate(action, *resource));
            // Other requests have their turn in between.
            tokio::task::yield_now().await;
        }
        self.report(name, action, &simulated)
    }

    fn simulate(&self, action: &Action<'_>, resource: Option<&str>) -> Simulation {
        let identity = IdentitySide {
            policies: &self.policies,
            boundary: self.boundary.as_ref(),
            service_control: &self.service_control,
            ..IdentitySide::default()
        };
        let request = Request {
            action: *action,
            resource: Resource { arn: resource, owner: self.owner_of(resource) },
            caller: &self.caller,
            origin: Origin::of(self.call),
            context: &NoContext,
        };
        simulate(&request, &self.entries, &identity, &self.resource_side(action, resource))
    }

    /// The owner of a resource, as far as it makes a difference: without its policy, that of another account is as one's
    /// own.
    fn owner_of(&self, resource: Option<&str>) -> AccountId {
        if self.resource_policy.is_none() {
            return self.account;
        }
        let told = resource.and_then(|arn| Arn::parse(arn).ok()).and_then(|arn| arn.account.parse().ok());
        told.unwrap_or(self.owner)
    }

    fn resource_side(&self, action: &Action<'_>, resource: Option<&str>) -> ResourceSide<'_> {
        let is_alias = resource
            .and_then(|arn| Arn::parse(arn).ok())
            .is_some_and(|arn| arn.resource.starts_with("alias/"));
        match &self.resource_policy {
            Some(policy) if action.service() != "kms" => ResourceSide::opened_by(policy),
            Some(policy) if !is_alias => ResourceSide::guarded_by(policy),
            Some(_) | None => ResourceSide::without_policy(),
        }
    }
}
