//! GenerateDataKeyPair: a key pair for use outside, its private half in plaintext and encrypted under a symmetric key.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPair.html>

use base::{Call, SecretBytes};
use crypto::KeyPairSpec;
use wire::kms::{
    DataKeyPairSpec, GenerateDataKeyPair, GenerateDataKeyPairRequest, GenerateDataKeyPairResponse,
    KeyUsageType,
};

use super::encryption::Context;
use super::generate_data_key::symmetric;
use super::request::{encryption_context, stop_if_dry_run};
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule, Usable};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::trail::{MATERIAL, note_material};

impl KeyAction for GenerateDataKeyPair {
    const NAME: &'static str = "GenerateDataKeyPair";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for GenerateDataKeyPair {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicOperation for GenerateDataKeyPair {
    async fn carry_out(
        kms: &Kms,
        call: &Call,
        request: GenerateDataKeyPairRequest,
    ) -> Result<Used<Self>, KmsError> {
        let addressee = kms.addressee(call, request.recipient).await?;
        let facts = Facts {
            data_key_pair_spec: Some(request.key_pair_spec.as_str()),
            measurements: addressee.measurements(),
            ..Facts::of_encryption(None, request.encryption_context.as_ref())
        };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        symmetric(&key)?;
        let spec = kms.pair_spec(call, request.key_pair_spec)?;
        stop_if_dry_run(request.dry_run)?;
        let pair = kms.data_key_pair(&key, spec, request.encryption_context.as_ref()).await?;
        let delivery = kms.deliver(pair.private_key, &addressee)?;
        note_material(call, MATERIAL, key.record().current_material.as_ref());
        Ok(key.used(GenerateDataKeyPairResponse {
            private_key_ciphertext_blob: Some(pair.encrypted),
            private_key_plaintext: delivery.plaintext,
            public_key: Some(pair.public_key),
            key_id: Some(key.arn_text()),
            key_pair_spec: Some(request.key_pair_spec),
            key_material_id: key.record().current_material.clone(),
            ciphertext_for_recipient: delivery.ciphertext_for_recipient,
        }))
    }
}

/// A fresh data key pair.
pub(super) struct DataKeyPair {
    /// PKCS#8 DER.
    pub(super) private_key: SecretBytes,
    /// The private key, encrypted.
    pub(super) encrypted: Vec<u8>,
    /// SubjectPublicKeyInfo DER.
    pub(super) public_key: Vec<u8>,
}

impl Kms {
    /// The key pair of a spec, counted against its quota; SM2 is offered nowhere outside China.
    pub(super) fn pair_spec(&self, call: &Call, spec: DataKeyPairSpec) -> Result<KeyPairSpec, KmsError> {
        if let Some(quotas) = &self.request_quotas {
            quotas.count_pair(call, spec)?;
        }
        let unsupported = || {
            KmsError::Unsupported(format!("KeyPairSpec {spec} is not offered by this version of Keywright."))
        };
        spec.as_str().parse().map_err(|_| unsupported())
    }

    /// Makes a pair and encrypts its private half.
    pub(super) async fn data_key_pair<A: CryptographicAction>(
        &self,
        key: &Usable<A>,
        spec: KeyPairSpec,
        context: Context<'_>,
    ) -> Result<DataKeyPair, KmsError> {
        let pair = self.materials.generate_pair(spec).await?;
        let private_key = pair.pkcs8()?;
        let context = encryption_context(context);
        let encrypted = self.materials.encrypt(key, &context, private_key.expose()).await?;
        Ok(DataKeyPair { private_key, encrypted, public_key: pair.public_key().spki_der().to_vec() })
    }
}
