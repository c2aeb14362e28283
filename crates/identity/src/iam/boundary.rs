//! Permissions boundaries of users and roles.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>

use base::Call;

use super::entity::{Bounded, Located};
use super::error::IamError;
use super::managed_policy::Use;
use super::plan::Plan;
use crate::Identity;

impl Identity {
    /// Bounds something new by a policy, if one is named.
    pub(crate) async fn bounded(
        &self,
        call: &Call,
        plan: Plan,
        arn: Option<&String>,
    ) -> Result<Plan, IamError> {
        let Some(arn) = arn else { return Ok(plan) };
        let policy = self.policy_to_use(call, arn).await?;
        self.count_use(plan, call.caller.account, policy, Use::Boundary, 1)
    }

    /// Bounds something by a policy, in the place of the one that bounded it.
    pub(crate) async fn bound<E: Bounded>(
        &self,
        call: &Call,
        mut bounded: Located<E>,
        arn: &str,
    ) -> Result<Plan, IamError> {
        let policy = self.policy_to_use(call, arn).await?;
        let before = bounded.record.boundary_mut().replace(arn.to_owned());
        if before.as_deref() == Some(arn) {
            return Ok(Plan::new());
        }
        let plan = bounded.replaced(Plan::new())?;
        let plan = self.count_use(plan, call.caller.account, policy, Use::Boundary, 1)?;
        self.unbounded(call, plan, before.as_ref()).await
    }

    /// Takes a boundary away; nothing happens if there is none.
    pub(crate) async fn unbind<E: Bounded>(
        &self,
        call: &Call,
        mut bounded: Located<E>,
    ) -> Result<Plan, IamError> {
        let Some(before) = bounded.record.boundary_mut().take() else { return Ok(Plan::new()) };
        let plan = bounded.replaced(Plan::new())?;
        self.unbounded(call, plan, Some(&before)).await
    }

    /// Notes that a policy bounds one thing less.
    pub(crate) async fn unbounded(
        &self,
        call: &Call,
        plan: Plan,
        arn: Option<&String>,
    ) -> Result<Plan, IamError> {
        let Some(arn) = arn else { return Ok(plan) };
        match self.policy_of_arn(call.caller.account, arn).await? {
            Some(policy) => self.count_use(plan, call.caller.account, policy, Use::Boundary, -1),
            None => Ok(plan),
        }
    }
}
