//! ListKeyPolicies: the names of a key's policies, which is always `default` alone.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html>

use base::Call;
use wire::kms::{ListKeyPolicies, ListKeyPoliciesRequest, ListKeyPoliciesResponse};

use super::get_key_policy::POLICY_NAME;
use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::paging::Listing;
use crate::table::Handle;

impl KeyAction for ListKeyPolicies {
    const NAME: &'static str = "ListKeyPolicies";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for ListKeyPolicies {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ListKeyPoliciesRequest,
    ) -> Result<ListKeyPoliciesResponse, KmsError> {
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        // There is one policy, so no page was ever cut and no marker was ever issued.
        let listing = Listing::new(format!("ListKeyPolicies {}", key.arn()), request.limit, 100, 1_000);
        listing.after(request.marker.as_deref())?;
        Ok(ListKeyPoliciesResponse {
            policy_names: Some(vec![POLICY_NAME.to_owned()]),
            truncated: Some(false),
            next_marker: None,
        })
    }
}
