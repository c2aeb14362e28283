//! UpdatePrimaryRegion: makes the replica in another Region the primary key, and the primary key a replica.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html>
//!
//! The change is complete when the call answers: no key is ever seen Updating.

use base::{Call, KeyArn, Region, Timestamp};
use wire::kms::{UpdatePrimaryRegion, UpdatePrimaryRegionRequest, UpdatePrimaryRegionResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule, Usable};
use crate::change::{Attempts, Committed, Edit};
use crate::due::DueWork;
use crate::error::{InvalidRequest, KmsError, NotFound};
use crate::facts::Facts;
use crate::multi_region::ReplicaRegion;
use crate::table::Handle;

/// Asked of both keys: the primary key that is, and the one that will be.
impl KeyAction for UpdatePrimaryRegion {
    const NAME: &'static str = "UpdatePrimaryRegion";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Enabled;
}

impl Handle for UpdatePrimaryRegion {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: UpdatePrimaryRegionRequest,
    ) -> Result<UpdatePrimaryRegionResponse, KmsError> {
        let arn = kms.keys.resolve::<Self>(call, &request.key_id).await?;
        let _turn = kms.turns.take(&arn).await;
        let mut attempts = Attempts::new();
        let facts = Facts { primary_region: Some(&request.primary_region), ..Facts::default() };
        loop {
            let key = kms.changeable::<Self>(call, &arn, &facts).await?;
            let next = next_primary(&key, &request.primary_region)?;
            kms.changeable::<Self>(call, &next, &facts).await?;
            if let Some(edit) = kms.handover(&key, &next).await? {
                let record = kms.call_record(call, <Self as KeyAction>::NAME, &[key.arn()])?;
                let there = kms.service_record(<Self as KeyAction>::NAME, &next, call.time)?;
                let transaction = edit.into_transaction(record)?.outbox(there);
                if kms.commit(transaction).await? == Committed::Yes {
                    return Ok(UpdatePrimaryRegionResponse);
                }
            }
            attempts.again().await?;
        }
    }
}

/// The ARN of the replica that is to be the primary key.
fn next_primary(key: &Usable<UpdatePrimaryRegion>, region: &str) -> Result<KeyArn, KmsError> {
    let arn = key.arn();
    let related = key.record().multi_region.as_ref().filter(|related| related.primary == arn.region);
    let related = related.ok_or_else(|| KmsError::not_primary(arn))?;
    let refused = || InvalidRequest::NoReplica(region.to_owned());
    let region: Region = region.parse().map_err(|_| refused())?;
    if region == arn.region {
        return Err(refused().into());
    }
    let next = KeyArn { region, ..arn };
    if related.replicas.contains(&ReplicaRegion(region)) { Ok(next) } else { Err(NotFound::Key(next).into()) }
}

impl Kms {
    /// The edit that changes the roles of all related keys; `None` if one of them has gone meanwhile. The schedule of
    /// rotations goes with the role.
    async fn handover(
        &self,
        key: &Usable<UpdatePrimaryRegion>,
        next: &KeyArn,
    ) -> Result<Option<Edit>, KmsError> {
        let Some(mut related) = self.related_edits(key.key()).await? else { return Ok(None) };
        let mut edit = Edit::of(key.key())?;
        edit.record.multi_region =
            edit.record.multi_region.as_ref().map(|related| related.led_from(next.region));
        if let Some(rotation) = edit.record.rotation {
            let at = Timestamp::from_millis(rotation.next_at);
            edit.unschedule(DueWork::Rotate, at);
            related
                .iter_mut()
                .filter(|edit| edit.arn == *next)
                .for_each(|edit| edit.schedule(DueWork::Rotate, at));
        }
        edit.join_related(related)?;
        Ok(Some(edit))
    }
}
