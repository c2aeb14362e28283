//! UpdateAlias: points an alias to another key of the same kind and usage.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html>

use base::Call;
use store::Transaction;
use wire::kms::{UpdateAlias, UpdateAliasRequest, UpdateAliasResponse};

use crate::Kms;
use crate::alias::{AliasName, LoadedAlias};
use crate::authorize::{Identifiers, KeyAction, StateRule, Usable};
use crate::change::{Attempts, Committed, Edit};
use crate::error::{InvalidRequest, KmsError, NotFound};
use crate::facts::Facts;
use crate::kind::KeyKind;
use crate::paths::Place;
use crate::table::Handle;
use crate::trail::note_alias;

/// The new target. The old one is checked as [`OldTarget`]: it may be pending deletion, this one may not.
impl KeyAction for UpdateAlias {
    const NAME: &'static str = "UpdateAlias";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::NotPendingDeletion;
}

struct OldTarget;

impl KeyAction for OldTarget {
    const NAME: &'static str = "UpdateAlias";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for UpdateAlias {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: UpdateAliasRequest,
    ) -> Result<UpdateAliasResponse, KmsError> {
        let name = AliasName::parse(&request.alias_name)?;
        let target = AliasName::refuse_as_target(&request.target_key_id)?;
        let arn = kms.keys.resolve::<Self>(call, target).await?;
        kms.authorize_alias::<Self>(call, &name.arn(&Place::of(call))).await?;
        let _turn = kms.turns.take(&arn).await;
        let mut attempts = Attempts::new();
        loop {
            let new = kms.changeable::<Self>(call, &arn, &Facts::default()).await?;
            let place = Place::from(new.arn());
            let alias = kms.alias(&place, name).await?.ok_or_else(|| NotFound::Alias(name.arn(&place)))?;
            note_alias(call, name.arn(&place));
            let transaction = if alias.target == new.arn().id {
                kms.touch(call, &new, &alias)?
            } else {
                let old = place.key_arn(alias.target);
                let old = kms.changeable::<OldTarget>(call, &old, &Facts::default()).await?;
                kms.repoint(call, &old, &new, &alias, name)?
            };
            match kms.commit(transaction).await? {
                Committed::Yes => return Ok(UpdateAliasResponse),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }
}

impl Kms {
    /// The alias stays where it is; only its date changes.
    fn touch(
        &self,
        call: &Call,
        key: &Usable<UpdateAlias>,
        alias: &LoadedAlias,
    ) -> Result<Transaction, KmsError> {
        let mut record = alias.record.clone();
        record.updated_at = call.time.millis();
        let mut edit = Edit::of(key.key())?;
        edit.expect(alias.path.clone(), Some(alias.revision));
        edit.put(alias.path.clone(), &record)?;
        let trail = self.call_record(call, <UpdateAlias as KeyAction>::NAME, &[key.arn()])?;
        edit.into_transaction(trail)
    }

    fn repoint(
        &self,
        call: &Call,
        old: &Usable<OldTarget>,
        new: &Usable<UpdateAlias>,
        alias: &LoadedAlias,
        name: AliasName<'_>,
    ) -> Result<Transaction, KmsError> {
        let (from, to) = (old.record(), new.record());
        let kinds = KeyKind::of(from.spec).zip(KeyKind::of(to.spec));
        if from.usage != to.usage || !kinds.is_some_and(|(from, to)| from.is_like(to)) {
            return Err(InvalidRequest::AliasKind(name.arn(&new.arn().into())).into());
        }
        let mut gives = Edit::of(old.key())?;
        gives.release_alias(name)?;
        let mut takes = Edit::of(new.key())?;
        takes.adopt_alias(alias, name, call.time, self.settings.aliases_per_key_max)?;
        takes.join(gives)?;
        let record = self.call_record(call, <UpdateAlias as KeyAction>::NAME, &[new.arn(), old.arn()])?;
        takes.into_transaction(record)
    }
}
