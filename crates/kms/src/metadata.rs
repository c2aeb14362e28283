//! KeyMetadata, as DescribeKey and CreateKey answer it.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html>

use base::{KeyArn, Region, Timestamp};
use wire::kms::{
    KeyManagerType, KeyMetadata, KeySpec, KeyState, MultiRegionConfiguration, MultiRegionKey,
    MultiRegionKeyType,
};

use crate::kind;
use crate::multi_region::MultiRegion;
use crate::record::{self, KeyRecord};

/// The metadata of a key.
pub(crate) fn of(arn: &KeyArn, record: &KeyRecord) -> KeyMetadata {
    let algorithms = kind::algorithms(record.spec, record.usage);
    KeyMetadata {
        aws_account_id: Some(arn.account.to_string()),
        key_id: arn.id.to_string(),
        arn: Some(arn.to_string()),
        creation_date: Some(Timestamp::from_millis(record.created_at)),
        enabled: Some(record.state == record::KeyState::Enabled),
        description: Some(record.description.clone()),
        key_usage: Some(record.usage),
        key_state: Some(state(record.state)),
        origin: Some(record.origin),
        expiration_model: record.expiration_model(),
        valid_to: record.earliest_expiry().map(Timestamp::from_millis),
        key_manager: Some(match record.managed_by {
            Some(_) => KeyManagerType::Aws,
            None => KeyManagerType::Customer,
        }),
        key_spec: Some(record.spec),
        // The deprecated twin; its enumeration lacks the newest specs.
        customer_master_key_spec: record.spec.as_str().parse().ok(),
        encryption_algorithms: algorithms.encryption,
        signing_algorithms: algorithms.signing,
        mac_algorithms: algorithms.mac,
        key_agreement_algorithms: algorithms.key_agreement,
        encapsulation_algorithms: algorithms.encapsulation,
        multi_region: Some(record.multi_region.is_some()),
        multi_region_configuration: record.multi_region.as_ref().map(|related| configuration(arn, related)),
        pending_deletion_window_in_days: record
            .window_after_replicas
            .and_then(|days| i32::try_from(days).ok()),
        deletion_date: record.deletion.map(|deletion| Timestamp::from_millis(deletion.at)),
        current_key_material_id: record
            .current_material
            .clone()
            .filter(|_| record.spec == KeySpec::SymmetricDefault),
        ..KeyMetadata::default()
    }
}

fn configuration(arn: &KeyArn, related: &MultiRegion) -> MultiRegionConfiguration {
    let key = |region: Region| MultiRegionKey {
        arn: Some(KeyArn { region, ..*arn }.to_string()),
        region: Some(region.to_string()),
    };
    let is_primary = related.primary == arn.region;
    MultiRegionConfiguration {
        multi_region_key_type: Some(match is_primary {
            true => MultiRegionKeyType::Primary,
            false => MultiRegionKeyType::Replica,
        }),
        primary_key: Some(key(related.primary)),
        replica_keys: Some(related.replicas.iter().map(|replica| key(replica.0)).collect()),
    }
}

/// A stored state under its name on the wire.
pub(crate) fn state(state: record::KeyState) -> KeyState {
    match state {
        record::KeyState::Enabled => KeyState::Enabled,
        record::KeyState::Disabled => KeyState::Disabled,
        record::KeyState::PendingDeletion => KeyState::PendingDeletion,
        record::KeyState::PendingReplicaDeletion => KeyState::PendingReplicaDeletion,
        record::KeyState::PendingImport => KeyState::PendingImport,
    }
}
