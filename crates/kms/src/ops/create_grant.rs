//! CreateGrant: a permission on one key for one principal. Called again with the same Name and terms, it answers with
//! the same grant and a new token.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>

use base::{Call, KeyArn};
use wire::event;
use wire::kms::{CreateGrant, CreateGrantRequest, CreateGrantResponse};

use super::request::stop_if_dry_run;
use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::change::{Attempts, Committed, Edit};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::grant::{GrantHolders, GrantId, GrantTerms};
use crate::table::Handle;
use crate::trail::first_key;

impl KeyAction for CreateGrant {
    const NAME: &'static str = "CreateGrant";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl Handle for CreateGrant {
    const READ_ONLY: bool = false;

    fn elements(call: &Call, response: &CreateGrantResponse) -> Option<Vec<u8>> {
        event::shown_with(response, first_key(call).as_deref().map(|key| ("keyId", key)))
    }

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: CreateGrantRequest,
    ) -> Result<CreateGrantResponse, KmsError> {
        let terms = GrantTerms::of(&request)?;
        let grant = terms.facts();
        let facts = Facts { grant: Some(&grant), ..Facts::default() };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        let arn = key.arn();
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[arn]).await?;
        terms.fit(key.record())?;
        let holders = kms.holders_of(&terms).await?;
        let id = create(kms, call, arn, (terms, holders), request.dry_run).await?;
        let token = kms.grant_tokens.issue(&arn, &id).await?;
        Ok(CreateGrantResponse { grant_token: Some(token), grant_id: Some(id.to_string()) })
    }
}

/// The grant of these terms: the one that has them and this name already, or a new one.
async fn create(
    kms: &Kms,
    call: &Call,
    arn: KeyArn,
    (terms, holders): (GrantTerms, GrantHolders),
    dry_run: Option<bool>,
) -> Result<GrantId, KmsError> {
    let (id, mut record) = kms.new_grant(call, terms, holders)?;
    let mut attempts = Attempts::new();
    let _turn = kms.turns.take(&arn).await;
    loop {
        let grant = record.terms.facts();
        let facts = Facts { grant: Some(&grant), ..Facts::default() };
        let key = kms.changeable::<CreateGrant>(call, &arn, &facts).await?;
        record.parent = key.grant().map(str::to_owned);
        if let Some(existing) = kms.grant_of_same_name(&arn, &record).await? {
            stop_if_dry_run(dry_run)?;
            return Ok(existing);
        }
        let mut edit = Edit::of(key.key())?;
        edit.add_grant(&id, &record, kms.settings.grants_per_key_max)?;
        stop_if_dry_run(dry_run)?;
        let trail = kms.call_record(call, <CreateGrant as KeyAction>::NAME, &[arn])?;
        match kms.commit(edit.into_transaction(trail)?).await? {
            Committed::Yes => return Ok(id),
            Committed::Conflict => attempts.again().await?,
        }
    }
}
