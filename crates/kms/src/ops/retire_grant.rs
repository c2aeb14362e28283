//! RetireGrant: removes a grant, for those whom the grant names or whose account made it. Works in every key state.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_RetireGrant.html>

use base::{Call, KeyArn};
use wire::kms::{RetireGrant, RetireGrantRequest, RetireGrantResponse};

use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::change::{Attempts, Committed};
use crate::error::{KmsError, NotFound};
use crate::grant::{GrantId, InvalidGrant};
use crate::table::Handle;

/// Only the identifier is read by these facts: the grant decides who may retire it (`grant/retirement.rs`).
impl KeyAction for RetireGrant {
    const NAME: &'static str = "RetireGrant";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
    const ACROSS_ACCOUNTS: bool = true;
}

impl Handle for RetireGrant {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: RetireGrantRequest,
    ) -> Result<RetireGrantResponse, KmsError> {
        let (arn, id) = named(kms, call, &request).await?;
        let _turn = kms.turns.take(&arn).await;
        let mut attempts = Attempts::new();
        loop {
            let Some(grant) = kms.grant_and_key(&arn, &id).await? else {
                return Err(missing(kms, call, &request, &arn, &id).await?);
            };
            let edit = kms.authorize_retirement(call, grant).await?.removal()?;
            stop_if_dry_run(request.dry_run)?;
            call.event.add("grantId", &id);
            let record = kms.call_record(call, <Self as KeyAction>::NAME, &[arn])?;
            match kms.commit(edit.into_transaction(record)?).await? {
                Committed::Yes => return Ok(RetireGrantResponse),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }
}

/// The grant that the request names: by a token, which says all, or by key and id.
async fn named(kms: &Kms, call: &Call, request: &RetireGrantRequest) -> Result<(KeyArn, GrantId), KmsError> {
    match (&request.grant_token, &request.key_id, &request.grant_id) {
        (Some(token), ..) => {
            kms.grant_tokens.read(call.region, token).await?.ok_or(KmsError::InvalidGrantToken)
        }
        (None, Some(key_id), Some(grant_id)) => {
            let id = GrantId::parse(grant_id)?;
            Ok((kms.keys.resolve::<RetireGrant>(call, key_id).await?, id))
        }
        (None, ..) => Err(InvalidGrant::NoGrant.into()),
    }
}

/// What is missing. Of another account's key it is not told whether there is one.
async fn missing(
    kms: &Kms,
    call: &Call,
    request: &RetireGrantRequest,
    arn: &KeyArn,
    id: &GrantId,
) -> Result<KmsError, KmsError> {
    if request.grant_token.is_some() {
        return Ok(KmsError::InvalidGrantToken);
    }
    let own = arn.account == call.caller.account;
    if own && kms.keys.cached(arn).await?.is_none() {
        return Ok(NotFound::Key(*arn).into());
    }
    Ok(NotFound::Grant(id.to_string()).into())
}
