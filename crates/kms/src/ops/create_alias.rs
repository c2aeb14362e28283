//! CreateAlias: a name for one customer managed key of the same account and Region.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>

use base::Call;
use wire::kms::{CreateAlias, CreateAliasRequest, CreateAliasResponse};

use crate::Kms;
use crate::alias::AliasName;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::change::{Attempts, Committed, Edit};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::paths::Place;
use crate::table::Handle;
use crate::trail::note_alias;

impl KeyAction for CreateAlias {
    const NAME: &'static str = "CreateAlias";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::NotPendingDeletion;
}

impl Handle for CreateAlias {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: CreateAliasRequest,
    ) -> Result<CreateAliasResponse, KmsError> {
        let name = AliasName::parse(&request.alias_name)?;
        let target = AliasName::refuse_as_target(&request.target_key_id)?;
        let arn = kms.keys.resolve::<Self>(call, target).await?;
        kms.authorize_alias::<Self>(call, &name.arn(&Place::of(call))).await?;
        let _turn = kms.turns.take(&arn).await;
        let mut attempts = Attempts::new();
        loop {
            let key = kms.changeable::<Self>(call, &arn, &Facts::default()).await?;
            if kms.alias(&key.arn().into(), name).await?.is_some() {
                return Err(KmsError::AliasExists(name.arn(&key.arn().into())));
            }
            let mut edit = Edit::of(key.key())?;
            edit.add_alias(name, call.time, kms.settings.aliases_per_key_max)?;
            note_alias(call, name.arn(&key.arn().into()));
            let record = kms.call_record(call, <Self as KeyAction>::NAME, &[key.arn()])?;
            match kms.commit(edit.into_transaction(record)?).await? {
                Committed::Yes => return Ok(CreateAliasResponse),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }
}
