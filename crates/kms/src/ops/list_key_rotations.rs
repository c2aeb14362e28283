//! ListKeyRotations: the rotations of a key, oldest first; with ALL_KEY_MATERIAL also the material it began with.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html>

use base::{Call, KeyArn, Timestamp};
use wire::kms::{
    IncludeKeyMaterial, KeyMaterialState, KeySpec, ListKeyRotations, ListKeyRotationsRequest,
    ListKeyRotationsResponse, RotationType, RotationsListEntry,
};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::paging::Listing;
use crate::paths;
use crate::record::{RotationKind, RotationRecord};
use crate::table::Handle;

impl KeyAction for ListKeyRotations {
    const NAME: &'static str = "ListKeyRotations";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for ListKeyRotations {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ListKeyRotationsRequest,
    ) -> Result<ListKeyRotationsResponse, KmsError> {
        let key = kms.keys.find::<Self>(call, &request.key_id).await?.authorize::<Self>(call)?.usable()?;
        if key.record().spec != KeySpec::SymmetricDefault {
            // One material for ever: no history.
            let none = Some(Vec::new());
            return Ok(ListKeyRotationsResponse {
                rotations: none,
                truncated: Some(false),
                next_marker: None,
            });
        }
        let all = request.include_key_material == Some(IncludeKeyMaterial::AllKeyMaterial);
        let prefix = paths::rotations(&key.arn());
        let listing = Listing::new(format!("ListKeyRotations {all} {prefix}"), request.limit, 100, 1_000);
        let mut range = listing.range(&prefix, request.marker.as_deref())?;
        if !all && request.marker.is_none() {
            // The material that the key began with is number 0 and no rotation.
            range = range.after(&paths::rotation(&key.arn(), 0)?);
        }
        let page = kms.store.range(range).await?;
        let current = &key.record().current_material;
        let mut rotations = Vec::new();
        for entry in &page.entries {
            rotations.push(list_entry(&key.arn(), store::decode_record::<RotationRecord>(entry)?, current));
        }
        let next = listing.next(&page, &prefix);
        Ok(ListKeyRotationsResponse {
            rotations: Some(rotations),
            truncated: Some(next.is_some()),
            next_marker: next,
        })
    }
}

fn list_entry(arn: &KeyArn, record: RotationRecord, current: &str) -> RotationsListEntry {
    let is_current = record.material == current;
    RotationsListEntry {
        key_id: Some(arn.id.to_string()),
        key_material_state: Some(if is_current {
            KeyMaterialState::Current
        } else {
            KeyMaterialState::NonCurrent
        }),
        key_material_id: Some(record.material),
        rotation_date: record.rotated.map(|rotated| Timestamp::from_millis(rotated.at)),
        rotation_type: record.rotated.map(|rotated| match rotated.kind {
            RotationKind::Automatic => RotationType::Automatic,
            RotationKind::OnDemand => RotationType::OnDemand,
        }),
        ..RotationsListEntry::default()
    }
}
