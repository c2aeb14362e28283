//! Decrypt: opens a ciphertext of a symmetric or an RSA key. A symmetric ciphertext names its key, and a KeyId can only
//! confirm it; for an RSA ciphertext KeyId and EncryptionAlgorithm are needed.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>

use base::Call;
use wire::kms::{Decrypt, DecryptRequest, DecryptResponse, EncryptionAlgorithmSpec, KeyUsageType};

use super::encryption::Located;
use super::request::{ignores_ciphertext, stop_if_dry_run};
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::recipient::Addressee;
use crate::trail::{MATERIAL, note_material};

impl KeyAction for Decrypt {
    const NAME: &'static str = "Decrypt";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for Decrypt {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicOperation for Decrypt {
    fn parameters(request: &DecryptRequest) -> Option<Vec<u8>> {
        let default =
            request.encryption_algorithm.is_none().then_some(("encryptionAlgorithm", "SYMMETRIC_DEFAULT"));
        wire::event::shown_with(request, default)
    }

    async fn carry_out(kms: &Kms, call: &Call, mut request: DecryptRequest) -> Result<Used<Self>, KmsError> {
        let addressee = kms.addressee(call, request.recipient.take()).await?;
        if ignores_ciphertext(request.dry_run, request.dry_run_modifiers.as_ref())? {
            return Err(authorization_only(kms, call, &request, &addressee).await?);
        }
        let blob = request.ciphertext_blob.as_deref().ok_or(InvalidRequest::Missing("ciphertextBlob"))?;
        let named = request.key_id.as_deref();
        let facts = facts(&request, &addressee);
        let Located { key, ciphertext } =
            kms.locate::<Self>(call, named, request.encryption_algorithm, &facts, blob).await?;
        let key = key.usable()?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        let opened = kms.open(&key, &ciphertext, request.encryption_context.as_ref()).await?;
        stop_if_dry_run(request.dry_run)?;
        let algorithm = request.encryption_algorithm.unwrap_or(EncryptionAlgorithmSpec::SymmetricDefault);
        let delivery = kms.deliver(opened.plaintext, &addressee)?;
        note_material(call, MATERIAL, opened.material_id.as_ref());
        Ok(key.used(DecryptResponse {
            key_id: Some(key.arn_text()),
            plaintext: delivery.plaintext,
            encryption_algorithm: Some(algorithm),
            ciphertext_for_recipient: delivery.ciphertext_for_recipient,
            key_material_id: addressee.unless_attested(opened.material_id),
        }))
    }
}

fn facts<'a>(request: &'a DecryptRequest, addressee: &'a Addressee) -> Facts<'a> {
    Facts {
        measurements: addressee.measurements(),
        ..Facts::of_encryption(request.encryption_algorithm, request.encryption_context.as_ref())
    }
}

/// DryRun with IGNORE_CIPHERTEXT: tells whether the key may be used, without a ciphertext.
async fn authorization_only(
    kms: &Kms,
    call: &Call,
    request: &DecryptRequest,
    addressee: &Addressee,
) -> Result<KmsError, KmsError> {
    let key_id = request.key_id.as_deref().ok_or(InvalidRequest::Missing("keyId"))?;
    let facts = facts(request, addressee);
    let key = kms.usable::<Decrypt>(call, key_id, &facts).await?;
    kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
    key.kind()?;
    Ok(KmsError::DryRun)
}
