//! ExplainRequest: the decisions about a request, with everything that led to them and what would have to change.

use base::Call;
use wire::keywright::{ExplainRequest, ExplainRequestRequest, ExplainRequestResponse};

use crate::error::ManagementError;
use crate::known_decisions::told_from;
use crate::table::Handle;
use crate::{Management, told};

impl Handle for ExplainRequest {
    async fn handle(
        management: &Management,
        call: &Call,
        request: ExplainRequestRequest,
    ) -> Result<ExplainRequestResponse, ManagementError> {
        let id = request.request_id.parse();
        let id = id.map_err(|_| ManagementError::Bug("the model lets ids through that are none"))?;
        let (region, account) = (call.region, call.caller.account);
        let arn = format!("arn:{}:keywright:{region}:{account}:request/{id}", region.partition());
        management.authorize::<Self>(call, &arn).await?;
        let mut decisions = management.decisions.of(id, account);
        if decisions.is_empty()
            && let Some(logged) = management.trail.decisions_of(id).await?
        {
            decisions = told_from(&logged, account);
        }
        if decisions.is_empty() {
            return Err(ManagementError::UnknownRequest(id));
        }
        let decisions = decisions.into_iter().map(told::decision).collect();
        Ok(ExplainRequestResponse { request_id: id.to_string(), decisions })
    }
}
