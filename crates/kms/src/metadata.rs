//! KeyMetadata, as DescribeKey and CreateKey answer it.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html>

use base::{KeyArn, Timestamp};
use wire::kms::{
    CustomerMasterKeySpec, EncryptionAlgorithmSpec, KeyManagerType, KeyMetadata, KeySpec, KeyState,
    KeyUsageType, OriginType,
};

use crate::record::{self, KeyRecord};

/// The metadata of a customer managed symmetric key.
pub(crate) fn of(arn: &KeyArn, record: &KeyRecord) -> KeyMetadata {
    KeyMetadata {
        aws_account_id: Some(arn.account.to_string()),
        key_id: arn.id.to_string(),
        arn: Some(arn.to_string()),
        creation_date: Some(Timestamp::from_millis(record.created_at)),
        enabled: Some(record.state == record::KeyState::Enabled),
        description: Some(record.description.clone()),
        key_usage: Some(KeyUsageType::EncryptDecrypt),
        key_state: Some(state(record.state)),
        origin: Some(OriginType::AwsKms),
        key_manager: Some(KeyManagerType::Customer),
        key_spec: Some(KeySpec::SymmetricDefault),
        customer_master_key_spec: Some(CustomerMasterKeySpec::SymmetricDefault),
        encryption_algorithms: Some(vec![EncryptionAlgorithmSpec::SymmetricDefault]),
        multi_region: Some(false),
        deletion_date: record.deletion.map(|deletion| Timestamp::from_millis(deletion.at)),
        current_key_material_id: Some(record.current_material.clone()),
        ..KeyMetadata::default()
    }
}

/// A stored state under its name on the wire.
pub(crate) fn state(state: record::KeyState) -> KeyState {
    match state {
        record::KeyState::Enabled => KeyState::Enabled,
        record::KeyState::Disabled => KeyState::Disabled,
        record::KeyState::PendingDeletion => KeyState::PendingDeletion,
    }
}
