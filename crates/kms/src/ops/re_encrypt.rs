//! ReEncrypt: decrypts under one key and encrypts under another without the plaintext leaving the service.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html>

use base::Call;
use wire::kms::{EncryptionAlgorithmSpec, KeyUsageType, ReEncrypt, ReEncryptRequest, ReEncryptResponse};

use super::encryption::{Located, checked};
use super::request::{ignores_ciphertext, stop_if_dry_run};
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::{InvalidRequest, KmsError};

/// What is asked of the key that decrypts.
struct ReEncryptFrom;

impl KeyAction for ReEncryptFrom {
    const NAME: &'static str = "ReEncryptFrom";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
}

/// What is asked of the key that encrypts.
struct ReEncryptTo;

impl KeyAction for ReEncryptTo {
    const NAME: &'static str = "ReEncryptTo";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
}

impl CryptographicAction for ReEncryptFrom {
    type Operation = ReEncrypt;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicAction for ReEncryptTo {
    type Operation = ReEncrypt;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicOperation for ReEncrypt {
    async fn carry_out(kms: &Kms, call: &Call, request: ReEncryptRequest) -> Result<Used<Self>, KmsError> {
        if ignores_ciphertext(request.dry_run, request.dry_run_modifiers.as_ref())? {
            return Err(authorization_only(kms, call, &request).await?);
        }
        let blob = request.ciphertext_blob.as_deref().ok_or(InvalidRequest::Missing("ciphertextBlob"))?;
        let named = request.source_key_id.as_deref();
        let Located { key: source, ciphertext } =
            kms.locate::<ReEncryptFrom>(call, named, request.source_encryption_algorithm, blob).await?;
        let destination = kms.keys.find::<ReEncryptTo>(call, &request.destination_key_id).await?;
        let destination = destination.authorize::<ReEncryptTo>(call)?;
        let (source, destination) = (source.usable()?, destination.usable()?);
        let keys = [source.arn(), destination.arn()];
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &keys).await?;
        let opened = kms.open(&source, &ciphertext, request.source_encryption_context.as_ref()).await?;
        let default = EncryptionAlgorithmSpec::SymmetricDefault;
        let algorithm = request.destination_encryption_algorithm.unwrap_or(default);
        let context = request.destination_encryption_context.as_ref();
        checked(&destination, algorithm, context, opened.plaintext.len())?;
        stop_if_dry_run(request.dry_run)?;
        let sealed = kms.seal(&destination, algorithm, context, opened.plaintext).await?;
        Ok(destination
            .used(ReEncryptResponse {
                ciphertext_blob: Some(sealed.blob),
                source_key_id: Some(source.arn_text()),
                key_id: Some(destination.arn_text()),
                source_encryption_algorithm: Some(request.source_encryption_algorithm.unwrap_or(default)),
                destination_encryption_algorithm: Some(algorithm),
                source_key_material_id: opened.material_id,
                destination_key_material_id: sealed.material_id,
            })
            .and(&source))
    }
}

/// DryRun with IGNORE_CIPHERTEXT: tells whether both keys may be used, without a ciphertext.
async fn authorization_only(
    kms: &Kms,
    call: &Call,
    request: &ReEncryptRequest,
) -> Result<KmsError, KmsError> {
    let source = request.source_key_id.as_deref().ok_or(InvalidRequest::Missing("sourceKeyId"))?;
    let source = kms.keys.find::<ReEncryptFrom>(call, source).await?.authorize::<ReEncryptFrom>(call)?;
    let destination = kms.keys.find::<ReEncryptTo>(call, &request.destination_key_id).await?;
    let destination = destination.authorize::<ReEncryptTo>(call)?;
    let (source, destination) = (source.usable()?, destination.usable()?);
    let keys = [source.arn(), destination.arn()];
    kms.check_grant_tokens(request.grant_tokens.as_ref(), &keys).await?;
    source.kind()?;
    destination.kind()?;
    Ok(KmsError::DryRun)
}
