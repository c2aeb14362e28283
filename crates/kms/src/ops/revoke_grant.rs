//! RevokeGrant: removes a grant, for those who administer the key. Works in every key state.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_RevokeGrant.html>

use base::Call;
use wire::kms::{RevokeGrant, RevokeGrantRequest, RevokeGrantResponse};

use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::change::{Attempts, Committed, Edit};
use crate::error::{KmsError, NotFound};
use crate::facts::Facts;
use crate::grant::GrantId;
use crate::table::Handle;

impl KeyAction for RevokeGrant {
    const NAME: &'static str = "RevokeGrant";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
    const ACROSS_ACCOUNTS: bool = true;
}

impl Handle for RevokeGrant {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: RevokeGrantRequest,
    ) -> Result<RevokeGrantResponse, KmsError> {
        let id = GrantId::parse(&request.grant_id)?;
        let arn = kms.keys.resolve::<Self>(call, &request.key_id).await?;
        let _turn = kms.turns.take(&arn).await;
        let mut attempts = Attempts::new();
        loop {
            let key = kms.changeable::<Self>(call, &arn, &Facts::default()).await?;
            let grant = kms.grant(&arn, &id).await?.ok_or_else(|| NotFound::Grant(id.to_string()))?;
            let mut edit = Edit::of(key.key())?;
            edit.remove_grant(&grant)?;
            stop_if_dry_run(request.dry_run)?;
            let record = kms.call_record(call, <Self as KeyAction>::NAME, &[arn])?;
            match kms.commit(edit.into_transaction(record)?).await? {
                Committed::Yes => return Ok(RevokeGrantResponse),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }
}
