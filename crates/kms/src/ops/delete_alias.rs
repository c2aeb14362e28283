//! DeleteAlias: removes the name, never the key. Works in every key state.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html>

use base::Call;
use wire::kms::{DeleteAlias, DeleteAliasRequest, DeleteAliasResponse};

use crate::Kms;
use crate::alias::AliasName;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::change::{Attempts, Committed, Edit};
use crate::error::{KmsError, NotFound};
use crate::facts::Facts;
use crate::paths::Place;
use crate::table::Handle;
use crate::trail::note_alias;

impl KeyAction for DeleteAlias {
    const NAME: &'static str = "DeleteAlias";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for DeleteAlias {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: DeleteAliasRequest,
    ) -> Result<DeleteAliasResponse, KmsError> {
        let name = AliasName::parse(&request.alias_name)?;
        let place = Place::of(call);
        kms.authorize_alias::<Self>(call, &name.arn(&place)).await?;
        note_alias(call, name.arn(&place));
        let mut attempts = Attempts::new();
        loop {
            let alias = kms.alias(&place, name).await?.ok_or_else(|| NotFound::Alias(name.arn(&place)))?;
            let arn = place.key_arn(alias.target);
            let _turn = kms.turns.take(&arn).await;
            let key = kms.changeable::<Self>(call, &arn, &Facts::default()).await?;
            let mut edit = Edit::of(key.key())?;
            edit.release_alias(name)?;
            edit.expect(alias.path.clone(), Some(alias.revision));
            edit.delete(alias.path.clone());
            let record = kms.call_record(call, <Self as KeyAction>::NAME, &[key.arn()])?;
            match kms.commit(edit.into_transaction(record)?).await? {
                Committed::Yes => return Ok(DeleteAliasResponse),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }
}
